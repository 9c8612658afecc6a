package service

import (
	"context"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// ClientForm gives a template version as data for a client that fills it in,
// with its points and scheme or without. Final says that it never changes: a
// draft's may.
func (s *Service) ClientForm(ctx context.Context, c Caller, code survey.TemplateCode, version int, scored bool) (form *survey.ClientForm, final bool, err error) {
	if _, err := c.may(survey.OpReadTemplates); err != nil {
		return nil, false, err
	}
	compiled, err := s.Form(ctx, code, version)
	if err != nil {
		return nil, false, err
	}
	return compiled.Form.Client(scored), compiled.Template.State != survey.Draft, nil
}

// Visit is a visit that somebody is about to rate, with all it takes to do so.
type Visit struct {
	Assignment *survey.Assignment
	Round      *survey.Round
	Compiled   *Compiled
	// Unit is the unit as it stands on Day: today, kept within the round.
	Unit  *survey.Standing
	Lists *survey.TypeLists
	Day   survey.Date
	// Observer is whom the visit is assigned to.
	Observer *survey.Person
	// Stored is the response that holds the visit, nil if there is none.
	Stored *survey.Response
	// Practise says that its observer has to pass the round's practice case first.
	Practise bool
}

// Visit opens an assigned visit for filling in: the observer's own, or one in
// the scope of somebody who enters forms for others. NotFound for any other.
func (s *Service) Visit(ctx context.Context, c Caller, id survey.AssignmentID) (*Visit, error) {
	reach, err := c.may(survey.OpSubmit)
	if err != nil {
		return nil, err
	}
	unknown := &survey.Error{Kind: survey.NotFound, Code: "assignment.unknown", Args: survey.Args{"assignment": string(id)}}
	a, err := s.assignmentOrOwn(ctx, c, id)
	if err != nil {
		return nil, err
	}
	if reach == survey.Own && a.Observer != c.id() {
		return nil, unknown
	}
	round, err := s.round(ctx, a.Round)
	if err != nil {
		return nil, err
	}
	v := &Visit{Assignment: a, Round: round}
	v.Day = min(max(survey.DateOf(s.now().In(s.location(round))), round.Opens), round.Closes)
	var tree *survey.Tree
	if tree, v.Lists, err = s.Tree(ctx); err != nil {
		return nil, err
	}
	if v.Unit, err = tree.Standing(a.Unit, v.Day); err != nil {
		return nil, err
	}
	if reach == survey.InScope && c.covers(v.Unit) != nil {
		return nil, unknown
	}
	if v.Observer, err = s.store.Person(ctx, a.Observer); err != nil {
		return nil, err
	}
	v.Practise = v.Observer.MustPractise(round, a.Role, s.Now())
	rt, ok := round.Template(a.Template)
	if !ok {
		return nil, unknown
	}
	for change, err := range s.store.ResponsesSince(ctx, survey.ResponseFilter{Round: a.Round, Template: a.Template, Unit: a.Unit, Role: a.Role}, "") {
		if err != nil {
			return nil, err
		}
		if change.Doc.HoldsVisit() && change.Doc.Period == a.Period {
			v.Stored = change.Doc
		}
	}
	version := rt.Current()
	if v.Stored != nil {
		version = v.Stored.TemplateVersion
	}
	v.Compiled, err = s.Form(ctx, a.Template, version)
	return v, err
}

// assignmentOrOwn finds an assignment, or makes one of a respondent's own unit,
// which nobody assigns: see OwnVisit.Key. It is not stored.
func (s *Service) assignmentOrOwn(ctx context.Context, c Caller, id survey.AssignmentID) (*survey.Assignment, error) {
	a, err := s.store.Assignment(ctx, id)
	if !isNotFound(err) || c.Person.Role != survey.Respondent || !strings.Contains(string(id), "~") {
		return a, err
	}
	own, lookErr := s.visitsOfOwnUnit(ctx, c)
	if lookErr != nil {
		return nil, lookErr
	}
	for _, v := range own {
		if v.Key() == string(id) {
			made := *v.Assignment
			made.ID = id
			return &made, nil
		}
	}
	return nil, err
}

// FillVisit fills answers into a visit's form as they would be on receipt now.
// Nothing is stored.
func (s *Service) FillVisit(v *Visit, answers survey.Answers) *survey.Filled {
	return v.Compiled.Form.Fill(answers, survey.Context{Unit: &v.Unit.UnitFacts, Lists: v.Lists, Now: s.now().In(s.location(v.Round))})
}

// PrintedForm gives a template version for printing, filled in with nothing.
func (s *Service) PrintedForm(ctx context.Context, c Caller, code survey.TemplateCode, version int) (*survey.Filled, error) {
	if _, err := c.may(survey.OpReadTemplates); err != nil {
		return nil, err
	}
	compiled, err := s.Form(ctx, code, version)
	if err != nil {
		return nil, err
	}
	return compiled.Form.Fill(nil, survey.Context{Now: s.now()}), nil
}
