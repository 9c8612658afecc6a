package service

import (
	"context"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// hasPractised answers Forbidden when the observer of an incoming rating has to
// pass the round's practice case first. On a device that comes too late, so that
// the form is then held for review.
func (s *Service) hasPractised(ctx context.Context, c Caller, round *survey.Round, observer survey.PersonID, in *Incoming) error {
	if round.Practice == nil || in.Replaces > 0 || observer == "" {
		return nil
	}
	p := c.Person
	if observer != c.id() {
		var err error
		if p, err = s.store.Person(ctx, observer); isNotFound(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
	if !p.MustPractise(round, in.Role, s.Now()) {
		return nil
	}
	return &survey.Error{Kind: survey.Forbidden, Code: "practice.missing", Args: survey.Args{"round": string(round.Code)}}
}

// PracticeCase is a round's practice case, opened.
type PracticeCase struct {
	Round    *survey.Round
	Practice *survey.Practice
	Compiled *Compiled
	Lists    *survey.TypeLists
}

// practiceCase opens the form of a practice case. It is about no unit.
func (s *Service) practiceCase(ctx context.Context, round *survey.Round, p *survey.Practice) (*PracticeCase, error) {
	v := &PracticeCase{Round: round, Practice: p}
	var err error
	if v.Compiled, err = s.Form(ctx, p.Template, p.Version); err != nil {
		return nil, err
	}
	_, v.Lists, err = s.Tree(ctx)
	return v, err
}

// FillPractice fills answers into the form of a practice case. Nothing is stored.
func (s *Service) FillPractice(v *PracticeCase, answers survey.Answers) *survey.Filled {
	return v.Compiled.Form.Fill(answers, survey.Context{Lists: v.Lists, Now: s.now().In(s.location(v.Round))})
}

// PracticeDraft opens a round's practice case for whoever sets it: the one there
// is, or an empty one of the template (the round's first if "").
func (s *Service) PracticeDraft(ctx context.Context, c Caller, code survey.RoundCode, template survey.TemplateCode) (*PracticeCase, error) {
	round, err := s.practiceRound(ctx, c, code)
	if err != nil {
		return nil, err
	}
	if p := round.Practice; p != nil && (template == "" || template == p.Template) {
		return s.practiceCase(ctx, round, p)
	}
	if template == "" && len(round.Templates) > 0 {
		template = round.Templates[0].Code
	}
	rt, ok := round.Template(template)
	if !ok {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "template.unknown", Args: survey.Args{"template": string(template)}}
	}
	return s.practiceCase(ctx, round, &survey.Practice{Template: template, Version: rt.Current(), Exact: 80, Within: 10})
}

// practiceRound reads a round whose practice case the caller may set.
func (s *Service) practiceRound(ctx context.Context, c Caller, code survey.RoundCode) (*survey.Round, error) {
	if _, err := c.may(survey.OpWriteRounds); err != nil {
		return nil, err
	}
	round, err := s.store.Round(ctx, code)
	if isNotFound(err) {
		err = &survey.Error{Kind: survey.NotFound, Code: "round.unknown", Args: survey.Args{"round": string(code)}}
	}
	if err != nil {
		return nil, err
	}
	return round, s.coversRound(ctx, c, round)
}

// SetPractice sets the practice case of a round, or takes it away (nil). When the
// description or the right answers change everybody has to pass anew. Invalid
// with all problems; those of answers point into the form.
func (s *Service) SetPractice(ctx context.Context, c Caller, code survey.RoundCode, p *survey.Practice) error {
	round, err := s.practiceRound(ctx, c, code)
	if err != nil {
		return err
	}
	defer s.forgetRound(code)
	before := round.Practice
	if p == nil {
		if before == nil {
			return nil
		}
		round.Practice = nil
		round.Events = append(round.Events, s.event(c, "round.practice_removed", survey.Args{"number": strconv.Itoa(before.Number)}))
		return s.store.ReplaceRound(ctx, round)
	}
	v, err := s.practiceCase(ctx, round, p)
	if err != nil {
		return err
	}
	filled := s.FillPractice(v, p.Answers)
	problems := filled.Validate()
	wrong := func(code, pointer string) {
		problems = append(problems, survey.Problem{Severity: survey.SeverityError, Code: code, Place: survey.Place{Pointer: pointer}})
	}
	if strings.TrimSpace(p.Text) == "" {
		wrong("practice.text_missing", "/practice:text")
	}
	if p.Exact < 1 || p.Exact > 100 || p.Within < 0 || p.Within > 1000 || p.Months < 0 || p.Months > 120 {
		wrong("practice.bounds", "/practice:exact")
	}
	if v.Compiled.Template.Scheme == nil {
		wrong("practice.not_scored", "/practice:template")
	}
	if err := problems.Err("response.invalid"); err != nil {
		return err
	}
	p.Answers = filled.Answers()
	p.Number = s.practiceNumber(round, p)
	round.Practice = p
	round.Events = append(round.Events, s.event(c, "round.practice_set", survey.Args{"number": strconv.Itoa(p.Number), "exact": strconv.Itoa(p.Exact), "within": strconv.Itoa(p.Within)}))
	return s.store.ReplaceRound(ctx, round)
}

// practiceNumber gives a case its number: the stored one's if what is to be rated
// and how stays the same, else one that no case of the round has had.
func (s *Service) practiceNumber(round *survey.Round, p *survey.Practice) int {
	if b := round.Practice; b != nil && b.Template == p.Template && b.Version == p.Version && b.Text == p.Text && sameAnswers(b.Answers, p.Answers) {
		return b.Number
	}
	last := 0
	for _, e := range round.Events {
		if e.Action == "round.practice_set" {
			n, _ := strconv.Atoi(e.Detail["number"])
			last = max(last, n)
		}
	}
	return last + 1
}

// Practice opens a round's practice case for who is to pass it; NotFound where
// there is none.
func (s *Service) Practice(ctx context.Context, c Caller, code survey.RoundCode) (*PracticeCase, error) {
	if _, err := c.may(survey.OpSubmit); err != nil {
		return nil, err
	}
	round, err := s.round(ctx, code)
	if err != nil {
		return nil, err
	}
	if round.Practice == nil {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "practice.none"}
	}
	return s.practiceCase(ctx, round, round.Practice)
}

// Practised is what came of a try at a practice case.
type Practised struct {
	survey.Tried
	// Own and Right are the results of the answers given and of the right ones.
	Own, Right *scoring.Result
}

// Practise compares the caller's answers with the right ones and keeps with the
// account what came of it. It is no response: nothing counts it. Invalid with all
// problems when the answers could not be handed in as a form.
func (s *Service) Practise(ctx context.Context, c Caller, code survey.RoundCode, answers survey.Answers) (*Practised, error) {
	v, err := s.Practice(ctx, c, code)
	if err != nil {
		return nil, err
	}
	filled := s.FillPractice(v, answers)
	if err := filled.Validate().Err("response.invalid"); err != nil {
		return nil, err
	}
	out := &Practised{Own: v.Compiled.Scorer.ScoreFilled(filled), Right: v.Compiled.Scorer.ScoreFilled(s.FillPractice(v, v.Practice.Answers))}
	own, right := out.Own.Receipt(), out.Right.Receipt()
	out.Tried = survey.Tried{Round: code, Number: v.Practice.Number, At: s.Now(), Total: own.Total, Right: right.Total}
	for slot := range v.Compiled.Form.Len() {
		a, b := out.Own.ItemAt(slot), out.Right.ItemAt(slot)
		if b == nil || !b.Applies {
			continue
		}
		out.Items++
		if a != nil && a.Applies && a.Earned == b.Earned && a.Available == b.Available {
			out.Same++
		}
	}
	apart, both := survey.Apart(own, right)
	near := both && apart.Cmp(big.NewRat(int64(v.Practice.Within), 1)) <= 0 || own.Total == "" && right.Total == ""
	out.Passed = near && out.Items > 0 && out.Share() >= v.Practice.Exact
	person, err := s.store.Person(ctx, c.id())
	if err != nil {
		return nil, err
	}
	person.Tried = append(person.Tried, out.Tried)
	if n := len(person.Tried) - survey.MaxTried; n > 0 {
		person.Tried = slices.Delete(person.Tried, 0, n)
	}
	person.Events = append(person.Events, s.event(c, "person.practised", survey.Args{"round": string(code), "same": strconv.Itoa(out.Same), "items": strconv.Itoa(out.Items), "passed": strconv.FormatBool(out.Passed)}))
	return out, s.store.ReplacePerson(ctx, person)
}

// PracticeLine is a try at a round's practice case, with who made it.
type PracticeLine struct {
	survey.Tried
	Name, SignIn string
}

// PracticeResults lists the tries at a round's present practice case, the newest
// first.
func (s *Service) PracticeResults(ctx context.Context, c Caller, code survey.RoundCode) ([]PracticeLine, error) {
	round, err := s.practiceRound(ctx, c, code)
	if err != nil || round.Practice == nil {
		return nil, err
	}
	var out []PracticeLine
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return nil, err
		}
		for _, t := range p.Tried {
			if t.Round == code && t.Number == round.Practice.Number {
				out = append(out, PracticeLine{t, nameOf(p), p.Name})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b PracticeLine) int { return b.At.Compare(a.At) })
	return out, nil
}
