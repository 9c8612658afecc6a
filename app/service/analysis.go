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
	s.labelAnalysis(a, label)
	return &RoundAnalysis{Round: round, AsOf: round.Closes, Analysis: a}, nil
}

// labelAnalysis gives groups and observers their names.
func (s *Service) labelAnalysis(a *scoring.Analysis, label func(scoring.Grouping, string) survey.Text) {
	for i := range a.Adjusted {
		if !a.Adjusted[i].Whole {
			a.Adjusted[i].Label = label(a.By, a.Adjusted[i].Group)
		}
	}
	for i := range a.Observers {
		a.Observers[i].Label = label(scoring.ByObserver, string(a.Observers[i].Observer))
	}
}

// ListedVisit is a response with the names that a list shows.
type ListedVisit struct {
	scoring.Rated
	UnitName     string
	ObserverName string
}

// VisitList is the responses behind a figure.
type VisitList struct {
	Round  *survey.Round
	Scheme *survey.Scheme
	Visits []ListedVisit
	All    int // also those beyond the limit
}

// visitsListed is how many responses a list shows at most.
const visitsListed = 500

// VisitsBehind lists the responses that a query counts, the lowest totals first.
func (s *Service) VisitsBehind(ctx context.Context, c Caller, code survey.RoundCode, q scoring.Query) (*VisitList, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return nil, err
	}
	round, table, current, err := s.tableFor(ctx, c, code, &q)
	if err != nil {
		return nil, err
	}
	label, err := s.groupLabels(ctx, round.Closes)
	if err != nil {
		return nil, err
	}
	rated, all := table.List(q, visitsListed)
	out := &VisitList{Round: round, Scheme: schemeOf(current), All: all}
	people := map[survey.PersonID]string{}
	for _, r := range rated {
		name, known := people[r.Observer]
		if !known {
			name = label(scoring.ByObserver, string(r.Observer)).In(c.Language)
			people[r.Observer] = name
		}
		out.Visits = append(out.Visits, ListedVisit{r, label(scoring.BySuperior, string(r.Unit)).In(c.Language), name})
	}
	return out, nil
}
