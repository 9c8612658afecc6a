package service

import (
	"context"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// RoundAnalysis tells how far a round's ratings can be trusted.
type RoundAnalysis struct {
	Round *survey.Round
	// AsOf is the day as of which the tree was counted for the weights.
	AsOf survey.Date
	*scoring.Analysis
}

// Analysis looks at how far two observers agree, how strict each is, and what
// the means become without it. An empty template is the round's first. What lies
// outside of the caller's scope is not counted.
func (s *Service) Analysis(ctx context.Context, c Caller, code survey.RoundCode, q scoring.Query) (*RoundAnalysis, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return nil, err
	}
	round, table, _, err := s.tableFor(ctx, c, code, &q)
	if err != nil {
		return nil, err
	}
	a, err := table.Analyse(q)
	if err != nil {
		return nil, err
	}
	label, err := s.groupLabels(ctx, round.Closes)
	if err != nil {
		return nil, err
	}
	for i := range a.Adjusted {
		if !a.Adjusted[i].Whole {
			a.Adjusted[i].Label = label(a.By, a.Adjusted[i].Group)
		}
	}
	for i := range a.Observers {
		a.Observers[i].Label = label(scoring.ByObserver, string(a.Observers[i].Observer))
	}
	return &RoundAnalysis{Round: round, AsOf: round.Closes, Analysis: a}, nil
}
