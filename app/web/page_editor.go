package web

import (
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// newTemplatePage is what the page that begins a template is drawn from.
type newTemplatePage struct {
	Templates      []*survey.Template // the latest version of each
	Code, From     string
	TitleVi, Title string
	Problem        string
}

// latestOf keeps the last version of every template; they come ordered.
func latestOf(all []*survey.Template) (out []*survey.Template) {
	for i, t := range all {
		if i+1 == len(all) || all[i+1].Code != t.Code {
			out = append(out, t)
		}
	}
	return out
}

// pageTemplates lists the templates with the state of their latest version.
func (s *Server) pageTemplates(q *request) error {
	all, err := s.svc.Templates(q.ctx, q.caller)
	if err != nil {
		return err
	}
	return s.show(q.Ctx, 200, "templates", q.page(message.Say(q.caller.Language, "editor.templates", nil), latestOf(all)))
}

func (s *Server) pageNewTemplate(q *request) error {
	return s.showNewTemplate(q, 200, newTemplatePage{From: q.Query("from")})
}

func (s *Server) showNewTemplate(q *request, status int, data newTemplatePage) error {
	all, err := s.svc.Templates(q.ctx, q.caller)
	if err != nil {
		return err
	}
	data.Templates = latestOf(all)
	return s.show(q.Ctx, status, "template-new", q.page(message.Say(q.caller.Language, "editor.new", nil), data))
}

func (s *Server) pageBeginTemplate(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	data := newTemplatePage{Code: form.Get("code"), From: form.Get("from"), TitleVi: form.Get("title_vi"), Title: form.Get("title_en")}
	title := survey.Text{}
	for lang, text := range map[string]string{"vi": data.TitleVi, "en": data.Title} {
		if text != "" {
			title[lang] = text
		}
	}
	t, err := s.svc.BeginDraft(q.ctx, q.caller, survey.TemplateCode(data.Code), survey.TemplateCode(data.From), title)
	if kind := survey.KindOf(err); kind == survey.Invalid || kind == survey.Exists {
		data.Problem = message.OfError(q.caller.Language, err)
		status, _ := statusFor(err)
		return s.showNewTemplate(q, status, data)
	}
	if err != nil {
		return err
	}
	return q.Redirect("/templates/"+url.PathEscape(string(t.Code))+"/edit", fiber.StatusSeeOther)
}

// editorData is what the editor's program begins with.
type editorData struct {
	Template *survey.Template  `json:"template"`
	Words    map[string]string `json:"words"`
	Lang     string            `json:"lang"`
	Lists    *survey.TypeLists `json:"type_lists"`
	Kinds    []survey.ItemKind `json:"kinds"`
	Roles    []survey.Role     `json:"roles"`
}

// pageEditor shows the editor on a template's draft; without one it offers to
// begin the next version.
func (s *Server) pageEditor(q *request) error {
	t, err := s.svc.Template(q.ctx, q.caller, survey.TemplateCode(q.Params("code")), 0)
	if err != nil {
		return err
	}
	title := message.Say(q.caller.Language, "editor.title", survey.Args{"template": string(t.Code)})
	if t.State != survey.Draft {
		return s.show(q.Ctx, 200, "template-next", q.page(title, t))
	}
	_, lists, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	t.Events = nil
	return s.show(q.Ctx, 200, "template-editor", q.page(title, editorData{Template: t, Lang: q.caller.Language, Lists: lists,
		Words: message.Room(q.caller.Language, "editor", "role", "kind", "by"), Kinds: survey.ItemKinds, Roles: survey.RatingRoles}))
}

// pageNextVersion begins the version after the last.
func (s *Server) pageNextVersion(q *request) error {
	if _, err := q.form(); err != nil { // empty, but not without a limit
		return err
	}
	code := survey.TemplateCode(q.Params("code"))
	if _, err := s.svc.Template(q.ctx, q.caller, code, 0); err != nil {
		return err
	}
	if _, err := s.svc.BeginDraft(q.ctx, q.caller, code, "", nil); err != nil {
		return err
	}
	return q.Redirect("/templates/"+url.PathEscape(string(code))+"/edit", fiber.StatusSeeOther)
}

// checkedJSON tells what is wrong with a draft; Revision is set when it was saved.
type checkedJSON struct {
	Revision int64        `json:"revision,omitempty"`
	Problems []fieldError `json:"problems"`
}

// apiSaveDraft stores a draft as it stands. If-Match names the revision it was
// made from.
func (s *Server) apiSaveDraft(q *request) error {
	version, err := strconv.Atoi(q.Params("version"))
	if err != nil {
		return parameter("version", q.Params("version"), survey.Args{"low": "1", "high": "…"}, "parameter.number")
	}
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	t := &survey.Template{}
	if _, err := q.read(t); err != nil {
		return err
	}
	t.Code, t.Version, t.Rev = survey.TemplateCode(q.Params("code")), version, rev
	problems, err := s.svc.SaveDraft(q.ctx, q.caller, t)
	if err != nil {
		return err
	}
	q.etag(t.Rev)
	return q.send(200, checkedJSON{t.Rev, fieldErrors(q.caller.Language, problems, "")})
}

// apiCheckTemplate tells what is wrong with a template and stores nothing.
func (s *Server) apiCheckTemplate(q *request) error {
	t := &survey.Template{}
	if _, err := q.read(t); err != nil {
		return err
	}
	problems, err := s.svc.CheckDraft(q.ctx, q.caller, t)
	if err != nil {
		return err
	}
	return q.send(200, checkedJSON{Problems: fieldErrors(q.caller.Language, problems, "")})
}

// trialBody is a template with answers to try it on.
type trialBody struct {
	Template survey.Template  `json:"template"`
	Answers  survey.Answers   `json:"answers"`
	Unit     survey.UnitFacts `json:"unit"`
}

// trialJSON is what came of it. Items are those outside of repeats, by name;
// Score is null while the template has errors or no scheme.
type trialJSON struct {
	Problems []fieldError         `json:"problems"`
	Faults   []fieldError         `json:"faults"`
	Items    map[string]trialItem `json:"items"`
	Score    *trialScore          `json:"score"`
}

type trialItem struct {
	State   string `json:"state"`
	Applies bool   `json:"applies"`
	Value   string `json:"value,omitempty"`
}

type trialScore struct {
	Total     string          `json:"total"`
	Of        survey.Points   `json:"of"`
	Earned    survey.Points   `json:"earned"`
	Available survey.Points   `json:"available"`
	Band      string          `json:"band"`
	BandFirst string          `json:"band_before_caps"`
	Caps      []string        `json:"caps"`
	NotGraded string          `json:"not_graded,omitempty"`
	Missing   []string        `json:"missing"`
	Lines     []trialLineJSON `json:"lines"`
}

type trialLineJSON struct {
	Item      string        `json:"item"`
	State     string        `json:"state"`
	Value     string        `json:"value,omitempty"`
	Earned    survey.Points `json:"earned"`
	Available survey.Points `json:"available"`
}

// apiTryTemplate fills answers into a template that is still being written, and
// scores them.
func (s *Server) apiTryTemplate(q *request) error {
	var b trialBody
	if _, err := q.read(&b); err != nil {
		return err
	}
	trial, err := s.svc.Try(q.ctx, q.caller, &b.Template, b.Answers, &b.Unit)
	if err != nil {
		return err
	}
	lang := q.caller.Language
	out := trialJSON{Problems: fieldErrors(lang, trial.Problems, ""), Faults: fieldErrors(lang, trial.Faults, ""), Items: map[string]trialItem{}}
	if trial.Filled == nil {
		return q.send(200, out)
	}
	form := trial.Filled.Form()
	for slot := range form.Len() {
		if form.InRepeat(slot) {
			continue
		}
		cell := trial.Filled.Cell(slot)
		item := trialItem{State: cell.State.String(), Applies: cell.Applies}
		if cell.State == survey.Answered {
			item.Value = cell.Value.Text()
		}
		out.Items[form.Name(slot)] = item
	}
	if form.Template.Scheme != nil {
		out.Score = scoreOfTrial(lang, trial.Result)
	}
	return q.send(200, out)
}

func scoreOfTrial(lang string, r *scoring.Result) *trialScore {
	out := &trialScore{Total: r.Shown(), Of: r.Form().Template.Scheme.Total, Earned: r.Earned, Available: r.Available,
		Band: r.BandCode(r.Band), BandFirst: r.BandCode(r.BandFirst), Caps: []string{}, Missing: []string{}, Lines: []trialLineJSON{}}
	if !r.Graded() {
		out.NotGraded = message.Say(lang, "reason."+string(r.Reason), nil)
	}
	for _, c := range r.FiredCaps() {
		out.Caps = append(out.Caps, c.Code)
	}
	for _, it := range r.Missing() {
		out.Missing = append(out.Missing, it.Name)
	}
	for _, l := range r.Lines() {
		out.Lines = append(out.Lines, trialLineJSON{l.Item.Name, l.State.String(), l.Value, l.Earned, l.Available})
	}
	return out
}
