package web

import (
	"bytes"
	"encoding/json"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// listJSON is a list that is given whole.
type listJSON[T any] struct {
	Items []T `json:"items"`
}

func listOf[T any](items []T) listJSON[T] {
	if items == nil {
		items = []T{}
	}
	return listJSON[T]{items}
}

// templateLine is a template version in a list.
type templateLine struct {
	Code      survey.TemplateCode  `json:"code"`
	Version   int                  `json:"version"`
	State     survey.TemplateState `json:"state"`
	Label     string               `json:"label"`
	Title     survey.Text          `json:"title"`
	Languages []string             `json:"languages"`
}

func (s *Server) apiTemplates(q *request) error {
	all, err := s.svc.Templates(q.ctx, q.caller)
	if err != nil {
		return err
	}
	lines := make([]templateLine, len(all))
	for i, t := range all {
		lines[i] = templateLine{t.Code, t.Version, t.State, t.Label, t.Title, t.Languages}
	}
	return q.send(200, listOf(lines))
}

func (s *Server) apiTemplate(q *request) error {
	version, err := q.number("version", 0, 1, 1<<30)
	if err != nil {
		return err
	}
	t, err := s.svc.Template(q.ctx, q.caller, survey.TemplateCode(q.Params("code")), version)
	if err != nil {
		return err
	}
	t.Events = nil
	q.etag(t.Rev)
	return q.send(200, t)
}

// maxWorkbook is the largest XLSForm workbook in bytes.
const maxWorkbook = 20 << 20

// apiImportTemplate stores a template as a draft: JSON, or an XLSForm workbook
// as the body.
func (s *Server) apiImportTemplate(q *request) error {
	b, err := s.body(q.Ctx, max(maxWorkbook, s.config.MaxJSON))
	if err != nil {
		return err
	}
	t := &survey.Template{}
	var problems survey.Problems
	workbook := bytes.HasPrefix(b, []byte("PK")) || bytes.HasPrefix(b, []byte{0xD0, 0xCF})
	if !workbook && int64(len(b)) > s.config.MaxJSON {
		return tooLarge(s.config.MaxJSON)
	}
	if workbook {
		if t, problems, err = xlsform.Read(b); err == nil {
			err = problems.Err("template.invalid")
		}
	} else if err = utf8Fault(b); err == nil {
		if err = json.Unmarshal(b, t); err != nil && survey.KindOf(err) != survey.Invalid {
			err = survey.JSONError(b, err)
		}
	}
	if err != nil {
		return err
	}
	more, err := s.svc.ImportTemplate(q.ctx, q.caller, t)
	if err != nil {
		return err
	}
	q.etag(t.Rev)
	return q.send(201, struct {
		templateLine
		Warnings []fieldError `json:"warnings"`
	}{templateLine{t.Code, t.Version, t.State, t.Label, t.Title, t.Languages}, fieldErrors(q.caller.Language, append(problems, more...), "")})
}

func (s *Server) apiPublishTemplate(q *request) error {
	return s.apiChangeState(q, s.svc.PublishTemplate)
}

func (s *Server) apiRetireTemplate(q *request) error {
	return s.apiChangeState(q, s.svc.RetireTemplate)
}

func (s *Server) apiChangeState(q *request, change changeOfState) error {
	if _, err := s.body(q.Ctx, s.config.MaxJSON); err != nil { // empty, but not without a limit
		return err
	}
	code, version, err := q.templateVersion()
	if err != nil {
		return err
	}
	t, err := change(q.ctx, q.caller, code, version)
	if err != nil {
		return err
	}
	return q.send(200, templateLine{t.Code, t.Version, t.State, t.Label, t.Title, t.Languages})
}

// differencesJSON is what changed from one version of a template to another.
type differencesJSON struct {
	Before      int              `json:"before"`
	After       int              `json:"after"`
	Differences []differenceJSON `json:"differences"`
	// Responses are those of the earlier version; AtLeast says that there may be more.
	Responses int  `json:"responses"`
	AtLeast   bool `json:"at_least,omitempty"`
}

// differenceJSON is a difference with its sentence in the caller's language.
type differenceJSON struct {
	survey.Difference
	Comparable bool   `json:"comparable"`
	Message    string `json:"message"`
}

// apiTemplateDifferences tells what changed in a version since another, by
// default the one before it.
func (s *Server) apiTemplateDifferences(q *request) error {
	code, version, err := q.templateVersion()
	if err != nil {
		return err
	}
	against, err := q.number("against", max(1, version-1), 1, 1<<30)
	if err != nil {
		return err
	}
	d, err := s.svc.CompareTemplates(q.ctx, q.caller, code, against, version, nil)
	if err != nil {
		return err
	}
	out := differencesJSON{Before: against, After: version, Differences: []differenceJSON{}, Responses: d.Responses, AtLeast: d.More}
	for _, one := range d.Differences {
		out.Differences = append(out.Differences, differenceJSON{one, one.Comparable(), message.OfDifference(q.caller.Language, one)})
	}
	return q.send(200, out)
}

func (s *Server) apiTypeLists(q *request) error {
	l, err := s.svc.TypeLists(q.ctx, q.caller)
	if err != nil {
		return err
	}
	return q.send(200, l)
}

// apiUnits lists units in the tree's order, a page at a time.
func (s *Server) apiUnits(q *request) error {
	day, err := q.date("date")
	if err != nil {
		return err
	}
	limit, err := q.number("limit", 200, 1, 2000)
	if err != nil {
		return err
	}
	units, err := s.svc.Units(q.ctx, q.caller, day, survey.UnitCode(q.Query("under")), survey.UnitCode(q.Query("after")), q.Query("search"), limit)
	if err != nil {
		return err
	}
	next := ""
	if len(units) == limit {
		next = string(units[limit-1].Unit)
	}
	return q.send(200, struct {
		Items []*survey.Standing `json:"items"`
		Next  string             `json:"next"`
	}{units, next})
}

func (s *Server) apiUnit(q *request) error {
	u, err := s.svc.Unit(q.ctx, q.caller, survey.UnitCode(q.Params("code")))
	if err != nil {
		return err
	}
	view := *u
	view.Events = nil
	q.etag(u.Rev)
	return q.send(200, view)
}

type unitsBody struct {
	Units []*survey.Unit `json:"units" validate:"required,min=1,max=20000,dive,required"`
}

// apiImportUnits stores units, new and changed; with dry_run it only checks.
func (s *Server) apiImportUnits(q *request) error {
	var body unitsBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	dryRun, err := q.flag("dry_run")
	if err != nil {
		return err
	}
	problems, err := s.svc.ImportUnits(q.ctx, q.caller, body.Units, dryRun)
	if err != nil {
		return err
	}
	return q.send(200, struct {
		Units    int          `json:"units"`
		DryRun   bool         `json:"dry_run"`
		Warnings []fieldError `json:"warnings"`
	}{len(body.Units), dryRun, fieldErrors(q.caller.Language, problems, "")})
}

func (s *Server) apiRounds(q *request) error {
	rounds, err := s.svc.Rounds(q.ctx, q.caller)
	if err != nil {
		return err
	}
	views := make([]survey.Round, len(rounds))
	for i, r := range rounds {
		views[i] = *r
		views[i].Events, views[i].Practice = nil, nil
	}
	return q.send(200, listOf(views))
}

func (s *Server) apiRound(q *request) error {
	r, err := s.svc.Round(q.ctx, q.caller, survey.RoundCode(q.Params("round")))
	if err != nil {
		return err
	}
	return s.sendRound(q, 200, r)
}

func (s *Server) sendRound(q *request, status int, r *survey.Round) error {
	view := *r
	view.Events, view.Practice = nil, nil // observers read it too
	q.etag(r.Rev)
	return q.send(status, view)
}

// apiSaveRound creates a round, or replaces the one whose revision If-Match names.
func (s *Server) apiSaveRound(q *request) error {
	r := &survey.Round{}
	if _, err := q.read(r); err != nil {
		return err
	}
	r.Code = survey.RoundCode(q.Params("round"))
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	r.Rev = rev
	if err := s.svc.SaveRound(q.ctx, q.caller, r); err != nil {
		return err
	}
	status := 200
	if rev == 0 {
		status = 201
	}
	return s.sendRound(q, status, r)
}
