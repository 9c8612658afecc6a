package service

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// BeginDraft gives a template's draft to work on: the one that is there, or a
// new version that starts from the last. A code that nobody uses yet gets a
// first version, empty or copied from another template (from, its latest
// version). Exists when a copy is wanted under a code that is taken.
func (s *Service) BeginDraft(ctx context.Context, c Caller, code, from survey.TemplateCode, title survey.Text) (*survey.Template, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	if !survey.ValidCode(string(code)) {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "template.code", Problems: survey.Problems{{
			Severity: survey.SeverityError, Code: "template.code", Value: string(code), Place: survey.Place{Pointer: "/code"}}}}
	}
	latest, err := s.latestVersion(ctx, code)
	if err != nil {
		return nil, err
	}
	detail := survey.Args{"template": string(code)}
	if latest != nil {
		if from != "" && from != code {
			return nil, &survey.Error{Kind: survey.Exists, Code: "template.exists", Args: detail}
		}
		if latest.State == survey.Draft {
			return latest, nil
		}
		detail["from"] = strconv.Itoa(latest.Version)
		latest.Version++
	} else if from != "" {
		if latest, err = s.Template(ctx, c, from, 0); err != nil {
			return nil, err
		}
		detail["from"] = string(from)
		latest.Code, latest.Version, latest.Label = code, 1, ""
	} else {
		latest = &survey.Template{Code: code, Version: 1, Languages: []string{"vi", "en"}, Title: survey.Text{}}
	}
	if len(title) > 0 {
		latest.Title = title
	}
	latest.State, latest.Rev = survey.Draft, 0
	latest.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		it.Was = "" // told of the version before the last
		return true
	})
	latest.Events = []survey.Event{s.event(c, "template.begun", detail)}
	err = s.store.CreateTemplate(ctx, latest)
	if survey.KindOf(err) == survey.Exists { // somebody began it at the same time
		return s.store.Template(ctx, code, latest.Version)
	}
	return latest, err
}

// editSpan is for how long the changes of one person count as one in the trail.
const editSpan = 10 * time.Minute

// SaveDraft stores a draft as it stands, mistakes and all, in place of the
// revision it was made from, and gives its problems. Conflict (code
// "template.overtaken", with who saved and when) when the stored revision is
// another; code "template.not_draft" when it is no draft any more.
func (s *Service) SaveDraft(ctx context.Context, c Caller, t *survey.Template) (survey.Problems, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	stored, err := s.store.Template(ctx, t.Code, t.Version)
	if err != nil {
		return nil, err
	}
	if stored.State != survey.Draft {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "template.not_draft",
			Args: survey.Args{"template": string(t.Code), "version": strconv.Itoa(t.Version)}}
	}
	if stored.Rev != t.Rev {
		return nil, s.overtaken(ctx, stored)
	}
	problems, err := s.CheckDraft(ctx, c, t)
	if err != nil {
		return nil, err
	}
	t.State, t.Events = survey.Draft, stored.Events
	edited := s.event(c, "template.edited", nil)
	if n := len(t.Events); n > 0 && t.Events[n-1].Action == edited.Action && t.Events[n-1].By == edited.By && edited.At.Sub(t.Events[n-1].At) < editSpan {
		t.Events = t.Events[:n-1]
	}
	t.Events = append(slices.Clip(t.Events), edited)
	if err = s.store.ReplaceTemplate(ctx, t); survey.KindOf(err) == survey.Conflict {
		if stored, again := s.store.Template(ctx, t.Code, t.Version); again == nil {
			return nil, s.overtaken(ctx, stored)
		}
	}
	return problems, err
}

// overtaken tells who saved a draft before the caller did.
func (s *Service) overtaken(ctx context.Context, stored *survey.Template) error {
	args := survey.Args{"template": string(stored.Code), "person": "?", "time": "?"}
	if n := len(stored.Events); n > 0 {
		last := stored.Events[n-1]
		args["time"] = last.At.In(s.location(&survey.Round{})).Format("15:04 02/01/2006")
		if p, err := s.store.Person(ctx, last.By); err == nil {
			args["person"] = p.Name
			if p.FullName != "" {
				args["person"] = p.FullName
			}
		}
	}
	return &survey.Error{Kind: survey.Conflict, Code: "template.overtaken", Args: args}
}

// CheckDraft finds everything that is wrong with a template that is still being
// written. Places have the row that the item, choice, band, cap or check would
// have in a workbook of the template without headings: counted from 1 in each
// sheet, items in the order of the form.
func (s *Service) CheckDraft(ctx context.Context, c Caller, t *survey.Template) (survey.Problems, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	row := 0
	t.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		row++
		it.Row = row
		return true
	})
	row = 0
	for i := range t.Lists {
		for j := range t.Lists[i].Choices {
			row++
			t.Lists[i].Choices[j].Row = row
		}
	}
	for i := range t.Checks {
		t.Checks[i].Row = i + 1
	}
	if t.Scheme != nil {
		for i := range t.Scheme.Bands {
			t.Scheme.Bands[i].Row = i + 1
		}
		for i := range t.Scheme.Caps {
			t.Scheme.Caps[i].Row = i + 1
		}
	}
	_, problems, err := s.Compile(ctx, t)
	return problems, err
}

// Trial is a template tried out with some answers.
type Trial struct {
	// Problems are the template's own; with errors among them there is nothing else.
	Problems survey.Problems
	Filled   *survey.Filled
	Result   *scoring.Result
	// Faults are what is wrong with the answers.
	Faults survey.Problems
}

// Try fills answers into a template that is still being written and scores
// them. Nothing is stored.
func (s *Service) Try(ctx context.Context, c Caller, t *survey.Template, answers survey.Answers, unit *survey.UnitFacts) (*Trial, error) {
	problems, err := s.CheckDraft(ctx, c, t)
	if err != nil {
		return nil, err
	}
	_, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	form, _ := survey.Compile(t, lists)
	if form == nil {
		return &Trial{Problems: problems}, nil
	}
	filled := form.Fill(answers, survey.Context{Unit: unit, Lists: lists, Now: s.now()})
	return &Trial{Problems: problems, Filled: filled, Result: scoring.NewScorer(form).ScoreFilled(filled), Faults: filled.Validate()}, nil
}

// RunCases runs a template's own test cases. Each that comes to something else
// is an error (code "template.case"), on the sheet "cases" in the case's row.
func (s *Service) RunCases(ctx context.Context, compiled *Compiled) (survey.Problems, error) {
	_, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	var ps survey.Problems
	for i := range compiled.Template.Cases {
		k := &compiled.Template.Cases[i]
		r := compiled.Scorer.Score(k.Answers, survey.Context{Unit: &k.Unit, Lists: lists, Now: s.now()})
		got := survey.Case{Total: r.Shown(), Band: r.BandCode(r.Band)}
		for _, fired := range r.FiredCaps() {
			got.Caps = append(got.Caps, fired.Code)
		}
		if !sameScore(got.Total, k.Total) || got.Band != k.Band || !slices.Equal(got.Caps, k.Caps) {
			ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: "template.case", Value: k.Name,
				Place: survey.Place{Sheet: "cases", Row: i + 1},
				Args:  survey.Args{"want": outcome(k), "got": outcome(&got)}})
		}
	}
	return ps, nil
}

// sameScore compares scores as shown; a spreadsheet may have taken zeros off.
func sameScore(a, b string) bool {
	x, okX := survey.ParsePoints(a)
	y, okY := survey.ParsePoints(b)
	return a == b || okX && okY && x == y
}

// outcome writes what a case comes to in one line: "75.50 kha (A-K1, A-K2)".
func outcome(k *survey.Case) string {
	out := cmp.Or(k.Total, "–")
	if k.Band != "" {
		out += " " + k.Band
	}
	if len(k.Caps) > 0 {
		out += " (" + strings.Join(k.Caps, ", ") + ")"
	}
	return out
}
