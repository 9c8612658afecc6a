package service

import (
	"context"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// PhoneBundle is all that an observer's or respondent's phone keeps to work
// without a network, forms aside: those never change and are fetched once each.
type PhoneBundle struct {
	Person *survey.Person
	Visits []PhoneVisit
	Rounds []*survey.Round // those that the visits belong to, and that take others
	Lists  *survey.TypeLists
}

// PhoneVisit is a visit with what came of it.
type PhoneVisit struct {
	OwnVisit
	// Returned is the response that a reviewer sent back, to be mended; nil for
	// any other.
	Returned *survey.Response
	// Comment says why it was sent back.
	Comment string
}

// Key names the visit in addresses and on phones, also where nobody assigned it:
// the assignment's id, or the visit's key with ~ between its parts.
func (v *OwnVisit) Key() string {
	if v.ID != "" {
		return string(v.ID)
	}
	return strings.ReplaceAll(v.VisitKey.String(), "|", "~")
}

// PhoneBundle gives the caller's own visits; a respondent's are also the forms
// about the own unit, which nobody assigns.
func (s *Service) PhoneBundle(ctx context.Context, c Caller) (*PhoneBundle, error) {
	if _, err := c.may(survey.OpSubmit); err != nil {
		return nil, err
	}
	own, err := s.OwnVisits(ctx, c)
	if err != nil {
		return nil, err
	}
	if c.Person.Role == survey.Respondent && c.Person.Scope != "" {
		of, err := s.visitsOfOwnUnit(ctx, c)
		if err != nil {
			return nil, err
		}
		own = append(own, of...)
	}
	_, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	b := &PhoneBundle{Person: c.Person, Lists: lists, Visits: make([]PhoneVisit, 0, len(own)), Rounds: []*survey.Round{}}
	for _, v := range own {
		pv := PhoneVisit{OwnVisit: v}
		if v.Rating != nil && v.Rating.State == survey.StateReturned {
			if pv.Returned, err = s.store.Response(ctx, v.Rating.ID); err != nil {
				return nil, err
			}
			pv.Comment = returnedBecause(pv.Returned)
		}
		b.Visits = append(b.Visits, pv)
		if !slices.ContainsFunc(b.Rounds, func(r *survey.Round) bool { return r.Code == v.Round }) {
			round, err := s.round(ctx, v.Round)
			if err != nil {
				return nil, err
			}
			b.Rounds = append(b.Rounds, round)
		}
	}
	if c.Person.Role != survey.Observer {
		return b, nil
	}
	// Rounds in which one may go where nobody planned it, before the first visit too.
	rounds, err := s.Rounds(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, round := range rounds {
		if round.Unplanned && !round.Closed && !slices.ContainsFunc(b.Rounds, func(r *survey.Round) bool { return r.Code == round.Code }) {
			b.Rounds = append(b.Rounds, round)
		}
	}
	return b, nil
}

// returnedBecause finds the comment with which a response was last sent back.
func returnedBecause(r *survey.Response) string {
	for _, e := range slices.Backward(r.Events) {
		if strings.HasSuffix(e.Action, ".returned") {
			return e.Detail["comment"]
		}
	}
	return ""
}

// visitsOfOwnUnit makes the visits by which a unit's secretary gives the unit's
// own scores, in every round that is open.
func (s *Service) visitsOfOwnUnit(ctx context.Context, c Caller) ([]OwnVisit, error) {
	rounds, err := s.Rounds(ctx, c)
	if err != nil {
		return nil, err
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	var out []OwnVisit
	for _, round := range rounds {
		today := survey.DateOf(s.now().In(s.location(round)))
		unit, err := tree.Standing(c.Person.Scope, min(today, round.Closes))
		if round.Closed || err != nil || !round.Scope.Contains(lists, unit) {
			continue
		}
		for _, rt := range round.Templates {
			compiled, err := s.Form(ctx, rt.Code, rt.Current())
			if err != nil {
				return nil, err
			}
			if !compiled.Form.AppliesTo(&unit.UnitFacts, lists) {
				continue
			}
			for _, role := range []survey.Role{survey.RoleSelf, survey.RoleMembers} {
				if scheme := compiled.Template.Scheme; scheme != nil && !scheme.Allows(role) {
					continue
				}
				key := survey.VisitKey{Round: round.Code, Template: rt.Code, Unit: unit.Unit, Role: role, Period: round.Periods.Period(today)}
				rated, err := s.ratingsBy(ctx, round, scoring.RatingFilter{Unit: key.Unit, Role: role})
				if err != nil {
					return nil, err
				}
				v, err := s.ownVisit(ctx, round, &survey.Assignment{VisitKey: key, Observer: c.id()}, rated[key])
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
		}
	}
	return out, nil
}
