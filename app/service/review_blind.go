package service

import (
	"context"

	"github.com/khaosat/khaosat/survey"
)

// counterpart gives the other role of a blind double rating.
func counterpart(role survey.Role) (survey.Role, bool) {
	switch role {
	case survey.RoleObserver:
		return survey.RoleSecond, true
	case survey.RoleSecond:
		return survey.RoleObserver, true
	}
	return "", false
}

// visible reports whether the caller may see the response: by reach and scope
// (canRead), and not blind to it.
func (s *Service) visible(ctx context.Context, c Caller, reach survey.Reach, r *survey.Response) (bool, error) {
	if !canRead(c, reach, r) {
		return false, nil
	}
	blind, err := s.blind(ctx, c, r)
	return !blind, err
}

// blind reports whether the response must be kept from the caller because the
// caller owes the other rating of the same meeting, whatever else the account
// may do: who has seen one rating does not give an independent second.
func (s *Service) blind(ctx context.Context, c Caller, r *survey.Response) (bool, error) {
	other, double := counterpart(r.Role)
	if !double || r.Observer == c.id() || r.ReceivedBy == c.id() {
		return false, nil
	}
	visit := r.VisitKey
	visit.Role = other
	a, err := s.store.AssignmentFor(ctx, visit)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if a.Observer != c.id() || !a.Status.Open() {
		return false, nil
	}
	own, err := s.ofVisit(ctx, visit)
	return own == nil, err
}

// ofVisit finds the response that holds a visit, nil if there is none.
func (s *Service) ofVisit(ctx context.Context, visit survey.VisitKey) (*survey.Response, error) {
	f := survey.ResponseFilter{Round: visit.Round, Template: visit.Template, Unit: visit.Unit, Role: visit.Role}
	for change, err := range s.store.ResponsesSince(ctx, f, "") {
		if err != nil {
			return nil, err
		}
		if change.Doc.HoldsVisit() && change.Doc.VisitKey == visit {
			return change.Doc, nil
		}
	}
	return nil, nil
}
