package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// practiceForm is the form of a practice case, for who sets it and who passes it.
type practiceForm struct {
	roundTabs
	*service.PracticeCase
	Round    *survey.Round // both above have it
	Title    string
	Done     string
	First    bool
	Refused  string
	Fields   []plainField
	Problems []plainProblem
	Checked  bool
	Results  []service.PracticeLine
	Passed   *survey.Tried
	// What is compared after a try.
	Tried *service.Practised
	Lines []pairLine
}

// fillPractice draws the fields with the answers.
func (s *Server) fillPractice(q *request, p *practiceForm, answers survey.Answers, problems survey.Problems) {
	lang := q.caller.Language
	filled := s.svc.FillPractice(p.PracticeCase, answers)
	b := &plainBuilder{lang: lang, zone: p.Round.Location(), form: p.Compiled.Form, problems: map[string][]string{}}
	labels := map[string]string{}
	collectLabels(filled.Lines(), lang, labels)
	list := &plainForm{}
	for _, problem := range problems {
		if problem.Severity == survey.SeverityError {
			list.problem(b, lang, labels, problem)
		}
	}
	p.Problems, p.Fields = list.Problems, b.fields(filled.Lines())
	t := p.Compiled.Template
	p.Title = t.Title.In(lang, t.Languages...)
}

// practiceAnswers reads the answers that a page with a practice form sends;
// changed says that a button added or removed an entry.
func (s *Server) practiceAnswers(v *service.PracticeCase, fields url.Values) (answers survey.Answers, changed bool) {
	s.localTimes(&service.Visit{Compiled: v.Compiled, Round: v.Round}, fields)
	answers = v.Compiled.Form.ReadFields(fields, func(path string) int {
		n, _ := strconv.Atoi(fields.Get("rows:" + path))
		return max(0, min(maxRows, n))
	})
	switch do, at, _ := strings.Cut(fields.Get("do"), ":"); do {
	case "add":
		return addRow(answers, at), true
	case "remove":
		return removeRow(answers, at), true
	}
	return answers, false
}

func (s *Server) pagePracticeCase(q *request) error {
	v, err := s.svc.PracticeDraft(q.ctx, q.caller, survey.RoundCode(q.Params("round")), survey.TemplateCode(q.Query("template")))
	if err != nil {
		return err
	}
	p := &practiceForm{PracticeCase: v}
	switch q.Query("done") {
	case "saved":
		p.Done = q.say("practice.saved")
	case "removed":
		p.Done = q.say("practice.removed")
	}
	return s.practiceCase(q, 200, p, v.Practice.Answers, nil)
}

func (s *Server) practiceCase(q *request, status int, p *practiceForm, answers survey.Answers, problems survey.Problems) error {
	var err error
	if p.roundTabs, err = s.roundTabs(q, "practice"); err != nil {
		return err
	}
	p.Round = p.PracticeCase.Round
	if p.Results, err = s.svc.PracticeResults(q.ctx, q.caller, p.Round.Code); err != nil {
		return err
	}
	s.fillPractice(q, p, answers, problems)
	return s.show(q.Ctx, status, "practice-case", q.page(q.say("practice.title"), p))
}

// pageSavePractice sets a round's practice case or takes it away.
func (s *Server) pageSavePractice(q *request) error {
	code := survey.RoundCode(q.Params("round"))
	fields, err := q.formUpTo(s.config.MaxJSON)
	if err != nil {
		return err
	}
	back := "/rounds/" + url.PathEscape(string(code)) + "/practice?done="
	if fields.Get("do") == "delete" {
		if err := s.svc.SetPractice(q.ctx, q.caller, code, nil); err != nil {
			return err
		}
		return q.Redirect(back+"removed", fiber.StatusSeeOther)
	}
	v, err := s.svc.PracticeDraft(q.ctx, q.caller, code, survey.TemplateCode(fields.Get("practice:template")))
	if err != nil {
		return err
	}
	answers, changed := s.practiceAnswers(v, fields)
	number := func(name string) int {
		n, err := strconv.Atoi(strings.TrimSpace(fields.Get("practice:" + name)))
		if err != nil {
			return -1
		}
		return n
	}
	next := *v.Practice
	next.Text, next.Answers = strings.TrimSpace(fields.Get("practice:text")), answers
	next.Exact, next.Within, next.Months = number("exact"), number("within"), number("months")
	v.Practice = &next
	p := &practiceForm{PracticeCase: v}
	if changed {
		return s.practiceCase(q, 200, p, answers, nil)
	}
	if err := s.svc.SetPractice(q.ctx, q.caller, code, &next); err != nil {
		m, status, failed := q.mistaken(err)
		if failed != nil {
			return failed
		}
		p.Refused = m.Problem
		return s.practiceCase(q, status, p, answers, problemsOf(err))
	}
	return q.Redirect(back+"saved", fiber.StatusSeeOther)
}

// pagePractise shows a round's practice case to who is to pass it.
func (s *Server) pagePractise(q *request) error {
	v, err := s.svc.Practice(q.ctx, q.caller, survey.RoundCode(q.Params("round")))
	if err != nil {
		return err
	}
	p := &practiceForm{PracticeCase: v, Round: v.Round, First: q.Query("first") != ""}
	p.Passed = q.caller.Person.Passed(v.Round, s.svc.Now())
	s.fillPractice(q, p, nil, nil)
	return s.show(q.Ctx, 200, "practice", q.page(q.say("practice.title"), p))
}

// pageDoPractise hands a practice form in and shows where it differs.
func (s *Server) pageDoPractise(q *request) error {
	fields, err := q.formUpTo(s.config.MaxJSON)
	if err != nil {
		return err
	}
	v, err := s.svc.Practice(q.ctx, q.caller, survey.RoundCode(q.Params("round")))
	if err != nil {
		return err
	}
	answers, changed := s.practiceAnswers(v, fields)
	p := &practiceForm{PracticeCase: v, Round: v.Round}
	status := 200
	if !changed {
		p.Tried, err = s.svc.Practise(q.ctx, q.caller, v.Round.Code, answers)
		if err != nil {
			m, code, failed := q.mistaken(err)
			if failed != nil {
				return failed
			}
			p.Refused, status = m.Problem, code
		}
	}
	if p.Tried == nil {
		s.fillPractice(q, p, answers, problemsOf(err))
		return s.show(q.Ctx, status, "practice", q.page(q.say("practice.title"), p))
	}
	side := func(own bool) []reviewLine {
		result := p.Tried.Right
		if own {
			result = p.Tried.Own
		}
		b := &reviewBuilder{lang: q.caller.Language, view: &service.ReviewView{Response: &survey.Response{}, Compiled: v.Compiled, Result: result, Files: &service.AttachmentList{}}}
		b.add(result.Filled().Lines())
		return b.lines
	}
	for _, l := range pairs(side(true), side(false)) {
		if !l.Heading && (l.A != nil && l.A.Score != nil && l.A.Score.Applies || l.B != nil && l.B.Score != nil && l.B.Score.Applies) {
			l.Differs = l.Points(l.A) != l.Points(l.B)
			p.Lines = append(p.Lines, l)
		}
	}
	return s.show(q.Ctx, 200, "practice", q.page(q.say("practice.title"), p))
}

// Outcome says what came of a try.
func (p *practiceForm) Outcome(lang string) string {
	t := &p.Tried.Tried
	args := survey.Args{"same": strconv.Itoa(t.Same), "items": strconv.Itoa(t.Items), "share": strconv.Itoa(t.Share()), "exact": strconv.Itoa(p.Practice.Exact), "within": strconv.Itoa(p.Practice.Within)}
	if t.Passed {
		return message.Say(lang, "practice.you_passed", args)
	}
	return message.Say(lang, "practice.you_failed", args)
}
