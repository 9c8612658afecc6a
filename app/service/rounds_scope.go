package service

import (
	"context"

	"github.com/khaosat/khaosat/survey"
)

// CountScope counts the units that a scope is about on the day, within the
// caller's own, and all that could be: those whose structure is assessed.
func (s *Service) CountScope(ctx context.Context, c Caller, scope survey.Scope, day survey.Date) (units, all int, err error) {
	if _, err := c.may(survey.OpWriteRounds); err != nil {
		return 0, 0, err
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return 0, 0, err
	}
	every := survey.Scope{}
	for _, u := range tree.Units() {
		unit, err := tree.Standing(u.Code, day)
		if err != nil || !c.Person.Covers(unit) || !every.Contains(lists, unit) {
			continue
		}
		all++
		if scope.Contains(lists, unit) {
			units++
		}
	}
	return units, all, nil
}

// CloseRound closes a round, so that nothing more is taken in, or opens it again.
func (s *Service) CloseRound(ctx context.Context, c Caller, code survey.RoundCode, closed bool) error {
	if _, err := c.may(survey.OpWriteRounds); err != nil {
		return err
	}
	r, err := s.store.Round(ctx, code)
	if isNotFound(err) {
		return &survey.Error{Kind: survey.NotFound, Code: "round.unknown", Args: survey.Args{"round": string(code)}}
	}
	if err != nil {
		return err
	}
	if err := s.coversRound(ctx, c, r); err != nil {
		return err
	}
	if r.Closed == closed {
		return nil
	}
	action := "round.reopened"
	if closed {
		action = "round.closed"
	}
	r.Closed = closed
	r.Events = append(r.Events, s.event(c, action, nil))
	defer s.forgetRound(code)
	return s.store.ReplaceRound(ctx, r)
}

// MayChangeRound reports whether all that the round is about lies in the
// caller's scope, so that the caller may change it.
func (s *Service) MayChangeRound(ctx context.Context, c Caller, r *survey.Round) bool {
	if _, err := c.may(survey.OpWriteRounds); err != nil {
		return false
	}
	return s.coversRound(ctx, c, r) == nil
}
