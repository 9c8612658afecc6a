package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// filesPage is what the page of ordered files shows.
type filesPage struct {
	Round     *survey.Round
	Template  survey.TemplateCode
	Lists     *survey.TypeLists
	Files     []fileLine
	Reports   []fileLine
	Groupings []scoring.Grouping
	Kinds     []survey.JobKind
	Open      bool // something is being made
	New       survey.JobID
	Now       string // in the round's zone, as a field for it takes it
}

// fileLine is one ordered file.
type fileLine struct {
	*survey.Job
	Own     bool
	Until   time.Time
	Created time.Time
	Percent int // of a running one; -1 if unknown
	Reason  string
	Next    survey.JobID // for making a report again
}

// fileGroupings are those that a workbook may have a sheet for.
var fileGroupings = []scoring.Grouping{scoring.BySector, scoring.ByRollup, scoring.BySuperior, scoring.ByStructure, scoring.BySetting, scoring.ByTag, scoring.ByPeriod, scoring.ByParent, scoring.ByObserver}

// usualGroupings are chosen unless somebody chooses others.
var usualGroupings = []scoring.Grouping{scoring.BySector, scoring.BySuperior, scoring.ByStructure}

// Usual reports whether a grouping is chosen to begin with.
func (filesPage) Usual(g scoring.Grouping) bool { return slices.Contains(usualGroupings, g) }

// KB is a size as people read it.
func (l fileLine) KB() string {
	if l.Size >= 10<<20 {
		return strconv.FormatInt(l.Size>>20, 10) + " MB"
	}
	return strconv.FormatInt((l.Size+1023)>>10, 10) + " KB"
}

func (s *Server) pageFiles(q *request) error {
	code := survey.RoundCode(q.Params("round"))
	all, err := s.svc.Jobs(q.ctx, q.caller, code)
	if err != nil {
		return err
	}
	round, err := s.svc.Round(q.ctx, q.caller, code)
	if err != nil {
		return err
	}
	_, lists, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	zone := round.Location()
	data := filesPage{Round: round, Template: survey.TemplateCode(q.Query("template")), Lists: lists, Groupings: fileGroupings, Kinds: survey.JobKinds, New: survey.JobID(survey.NewID()),
		Now: s.svc.Now().In(zone).Format("2006-01-02T15:04")}
	for _, j := range all {
		line := fileLine{Job: j, Own: j.Owner == q.caller.Person.ID, Created: j.Created.In(zone), Percent: -1, Next: survey.JobID(survey.NewID())}
		if until := s.svc.FileUntil(j); !until.IsZero() {
			line.Until = until.In(zone)
		}
		if j.Total > 0 {
			line.Percent = min(100, 100*j.Done/j.Total)
		}
		if j.State == survey.JobFailed {
			line.Reason = jobReason(q.caller.Language, j)
		}
		data.Open = data.Open || !j.State.Over()
		if j.Kept() {
			data.Reports = append(data.Reports, line)
		} else {
			data.Files = append(data.Files, line)
		}
	}
	return s.show(q.Ctx, 200, "files", q.page(q.say("files.title"), data))
}

// Moment writes a time of the round's zone.
func (filesPage) Moment(t time.Time) string { return t.Format("02/01/2006 15:04") }

// AsOf is the moment a report stands for, in the round's zone.
func (d filesPage) AsOf(l fileLine) string {
	return l.Cutoff.In(d.Round.Location()).Format("02/01/2006 15:04")
}

// pageOrder orders a file by the form of the page.
func (s *Server) pageOrder(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	code := survey.RoundCode(q.Params("round"))
	o := service.Order{Kind: survey.JobKind(form.Get("kind")), Semicolon: form.Get("separator") == "semicolon"}
	o.Level, _ = strconv.Atoi(form.Get("level"))
	o.ExportOptions = service.ExportOptions{Round: code, Template: survey.TemplateCode(form.Get("template")), Language: form.Get("language"), Title: strings.TrimSpace(form.Get("title")),
		Summary: form.Get("rows") == "no", Values: service.Values(form.Get("values"))}
	for _, g := range form["by"] {
		o.Groupings = append(o.Groupings, scoring.Grouping(g))
	}
	f := &o.Filter
	for _, v := range given(form, "under") {
		f.Under = append(f.Under, survey.UnitCode(v))
	}
	f.Sectors, f.Structures, f.Settings, f.Tags = given(form, "sector"), given(form, "structure"), given(form, "setting"), given(form, "tag")
	if f.From, err = survey.ParseDate(form.Get("from")); err != nil {
		return parameter("from", form.Get("from"), nil, "date.shape")
	}
	if f.To, err = survey.ParseDate(form.Get("to")); err != nil {
		return parameter("to", form.Get("to"), nil, "date.shape")
	}
	if at := form.Get("as_of"); at != "" && o.Title != "" {
		round, err := s.svc.Round(q.ctx, q.caller, code)
		if err != nil {
			return err
		}
		moment, err := time.ParseInLocation("2006-01-02T15:04", at, round.Location())
		if err != nil {
			return parameter("as_of", at, nil, "date.shape")
		}
		// A field tells no seconds: what is meant by this minute is now.
		if moment.Before(s.svc.Now().Truncate(time.Minute)) {
			o.AsOf = moment
		}
	}
	if _, err := s.svc.OrderFile(q.ctx, q.caller, survey.JobID(form.Get("id")), o); err != nil {
		return err
	}
	return q.Redirect(filesOf(code), fiber.StatusSeeOther)
}

func filesOf(round survey.RoundCode) string {
	return "/rounds/" + url.PathEscape(string(round)) + "/files"
}

// given are the values of a field that are not empty.
func given(form url.Values, name string) []string {
	return slices.DeleteFunc(slices.Clone(form[name]), func(v string) bool { return strings.TrimSpace(v) == "" })
}

func (s *Server) pageCancelJob(q *request) error {
	j, err := s.svc.CancelJob(q.ctx, q.caller, survey.JobID(q.Params("id")))
	if err != nil {
		return err
	}
	return q.Redirect(filesOf(j.Round), fiber.StatusSeeOther)
}

func (s *Server) pageJobAgain(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	j, err := s.svc.MakeAgain(q.ctx, q.caller, survey.JobID(q.Params("id")), survey.JobID(form.Get("id")))
	if err != nil {
		return err
	}
	return q.Redirect(filesOf(j.Round), fiber.StatusSeeOther)
}

// StateOf says how far a file has come.
func (filesPage) StateOf(lang string, l fileLine) string {
	if l.State == survey.JobRunning && l.Percent >= 0 {
		return message.Say(lang, "files.state.percent", survey.Args{"percent": strconv.Itoa(l.Percent)})
	}
	return message.Say(lang, "files.state."+string(l.State), nil)
}
