package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// templatePage is what the page of a template version is drawn from.
type templatePage struct {
	Template *survey.Template
	Versions []*survey.Template // the latest first
	Items    []itemLine
	Done     string
	Problem  string
	Problems problemTable
	// Difference is what changed since an earlier version, nil if not asked for.
	Difference *service.TemplateDifference
	Changes    []string
}

// itemLine is an item in the outline of a template.
type itemLine struct {
	Depth      int // 0 to 4
	Name, Kind string
	Label      string
	Points     string
	Conditions []conditionLine
	Levels     []levelLine
}

// conditionLine is an expression with what it decides.
type conditionLine struct{ What, Expression string }

// levelLine is a choice that earns points, or a level of a rubric.
type levelLine struct{ Label, Points, Anchor string }

const deepest = 4

// outline lists the items of a template with what decides about them.
func outline(t *survey.Template, lang string) []itemLine {
	var out []itemLine
	t.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		line := itemLine{Depth: min(len(parents), deepest), Name: it.Name, Kind: it.Type, Label: it.Label.In(lang, t.Languages...)}
		if line.Kind == "" {
			line.Kind = string(it.Kind)
		}
		if it.Points != nil {
			line.Points = it.Points.String()
		}
		add := func(what, expression string) {
			if expression != "" {
				line.Conditions = append(line.Conditions, conditionLine{message.Say(lang, "templates.when_"+what, nil), expression})
			}
		}
		add("relevant", it.Relevant)
		add("applies", it.Applies)
		if it.Required != "true()" && it.Required != "false()" {
			add("required", it.Required)
		}
		add("constraint", it.Constraint)
		add("calculation", it.Calculation)
		add("evidence", it.Evidence)
		add("choice_filter", it.ChoiceFilter)
		for _, s := range it.Steps {
			line.Levels = append(line.Levels, levelLine{Label: s.When, Points: s.Points})
		}
		if list := t.List(it.List); it.Kind.Chooses() && list != nil && len(it.Steps) == 0 && (it.Points != nil || it.Kind == survey.KindRubric) {
			for i := range list.Choices {
				ch := &list.Choices[i]
				level := levelLine{Label: ch.Label.In(lang, t.Languages...), Anchor: ch.Anchor.In(lang, t.Languages...)}
				if ch.Points != nil {
					level.Points = ch.Points.String()
				} else if ch.Means != "" {
					level.Points = message.Say(lang, "templates.means_"+string(ch.Means), nil)
				}
				line.Levels = append(line.Levels, level)
			}
		}
		out = append(out, line)
		return true
	})
	return out
}

// pageTemplate shows a version of a template, the latest by default, and what
// changed since an earlier one.
func (s *Server) pageTemplate(q *request) error {
	version, err := q.number("version", 0, 1, 1<<30)
	if err != nil {
		return err
	}
	return s.showTemplate(q, 200, version, templatePage{})
}

func (s *Server) showTemplate(q *request, status, version int, data templatePage) error {
	code := survey.TemplateCode(q.Params("code"))
	t, err := s.svc.Template(q.ctx, q.caller, code, version)
	if err != nil {
		return err
	}
	all, err := s.svc.Templates(q.ctx, q.caller)
	if err != nil {
		return err
	}
	data.Template, data.Items = t, outline(t, q.caller.Language)
	for _, other := range all {
		if other.Code == code {
			data.Versions = append(data.Versions, other)
		}
	}
	slices.Reverse(data.Versions)
	if data.Done == "" {
		switch q.Query("done") {
		case "published", "retired":
			data.Done = message.Say(q.caller.Language, "templates.done_"+q.Query("done"), nil)
		}
	}
	against, err := q.number("against", 0, 1, 1<<30)
	if err != nil {
		return err
	}
	if against > 0 && against != t.Version {
		if data.Difference, err = s.svc.CompareTemplates(q.ctx, q.caller, code, against, t.Version, nil); err != nil {
			return err
		}
		for _, d := range data.Difference.Differences {
			data.Changes = append(data.Changes, message.OfDifference(q.caller.Language, d))
		}
	}
	return s.show(q.Ctx, status, "template", q.page(fmt.Sprintf("%s · %s", t.Code, t.Title.In(q.caller.Language, t.Languages...)), data))
}

// pageGuideTemplates is the guide for authors of forms, for everybody.
func (s *Server) pageGuideTemplates(q *request) error {
	return s.show(q.Ctx, 200, "guide-templates", q.page(q.say("templates.guide"), nil))
}

// templateVersion reads which version an address is about.
func (q *request) templateVersion() (survey.TemplateCode, int, error) {
	version, err := strconv.Atoi(q.Params("version"))
	if err != nil || version < 1 {
		return "", 0, parameter("version", q.Params("version"), survey.Args{"low": "1", "high": "…"}, "parameter.number")
	}
	return survey.TemplateCode(q.Params("code")), version, nil
}

// pageTemplateFile gives a version as a file.
func (s *Server) pageTemplateFile(q *request) error {
	code, version, err := q.templateVersion()
	if err != nil {
		return err
	}
	format, err := choice(q, "format", service.TemplateFormats)
	if err != nil {
		return err
	}
	t, err := s.svc.Template(q.ctx, q.caller, code, version)
	if err != nil {
		return err
	}
	b, name, contentType, err := service.TemplateFile(t, format)
	if err != nil {
		return err
	}
	q.Set(fiber.HeaderContentType, contentType)
	q.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return q.Send(b)
}

func (s *Server) pagePublishTemplate(q *request) error {
	return s.changeState(q, "published", s.svc.PublishTemplate)
}

func (s *Server) pageRetireTemplate(q *request) error {
	return s.changeState(q, "retired", s.svc.RetireTemplate)
}

// changeState publishes or retires a version; what stands against it is told on
// the version's page.
func (s *Server) changeState(q *request, done string, change changeOfState) error {
	if _, err := q.form(); err != nil { // empty, but not without a limit
		return err
	}
	code, version, err := q.templateVersion()
	if err != nil {
		return err
	}
	_, err = change(q.ctx, q.caller, code, version)
	if kind := survey.KindOf(err); kind == survey.Invalid || kind == survey.Conflict {
		status, _ := statusFor(err)
		return s.showTemplate(q, status, version, templatePage{Problem: message.OfError(q.caller.Language, err),
			Problems: q.problemTable(problemsOf(err))})
	}
	if err != nil {
		return err
	}
	return q.Redirect(fmt.Sprintf("/templates/%s?version=%d&done=%s", url.PathEscape(string(code)), version, done), fiber.StatusSeeOther)
}
