package service

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Slip is the result of one visit, for the unit that was visited.
type Slip struct {
	Response *survey.Response
	Result   *scoring.Result
	// Path names the units above, from the root down.
	Path []string
	// Counted is the score that enters summaries where it is not the response's
	// own: of two ratings it is the mean. Nil otherwise.
	Counted *float64
}

// SlipList are the slips of a unit and what is beneath it.
type SlipList struct {
	Round  *survey.Round
	Unit   string // the name of the unit they were asked for
	Slips  []Slip
	Scheme *survey.Scheme
	// More says that there are more than fit into one print.
	More bool
}

// mostSlips is how many slips go into one print.
const mostSlips = 300

// Slips gives the result of each visit beneath a unit that counts: the
// adjudicated rating if there is one, else the lead's.
func (s *Service) Slips(ctx context.Context, c Caller, code survey.RoundCode, template survey.TemplateCode, under survey.UnitCode) (*SlipList, error) {
	if _, err := c.may(survey.OpExport); err != nil {
		return nil, err
	}
	o := ExportOptions{Round: code, Template: template}
	if under == "" {
		under = c.Person.Scope
	}
	if under != "" {
		o.Filter.Under = []survey.UnitCode{under}
	}
	b, err := s.liveBasis(ctx, c, &o)
	if err != nil {
		return nil, err
	}
	out := &SlipList{Round: b.round, Scheme: schemeOf(b.current)}
	if under != "" {
		at, err := b.tree.Standing(under, b.round.Closes)
		if err != nil {
			return nil, err
		}
		if err := c.covers(at); err != nil {
			return nil, err
		}
		out.Unit = at.Name
	}
	found := map[survey.VisitKey]*survey.Response{}
	double := map[survey.VisitKey]bool{}
	for r, err := range s.responsesOf(ctx, b) {
		if err != nil {
			return nil, err
		}
		if !r.State.Counts() {
			continue
		}
		visit := r.VisitKey
		visit.Role = survey.RoleObserver
		switch r.Role {
		case survey.RoleAdjudicator:
			found[visit] = r
		case survey.RoleObserver:
			if found[visit] == nil {
				found[visit] = r
			}
		case survey.RoleSecond:
			double[visit] = true
		}
	}
	var all []*survey.Response
	for _, r := range found {
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y *survey.Response) int {
		return cmp.Or(slices.Compare(x.Standing.Path, y.Standing.Path), strings.Compare(x.Period, y.Period), strings.Compare(string(x.ID), string(y.ID)))
	})
	if len(all) > mostSlips {
		all, out.More = all[:mostSlips], true
	}
	people := b.people(s)
	for _, r := range all {
		d, err := s.detail(ctx, r, b.lists, people)
		if err != nil {
			return nil, err
		}
		slip := Slip{Response: r, Result: d.Result, Path: d.Path}
		visit := r.VisitKey
		visit.Role = survey.RoleObserver
		if double[visit] && r.Role == survey.RoleObserver {
			q := b.query
			q.By, q.Filter.Under, q.Filter.Within = scoring.ByNothing, []survey.UnitCode{r.Unit}, c.Person.Scope
			if r.Period != "" {
				q.Filter.Periods = []string{r.Period}
			}
			table, err := s.tableOf(ctx, b)
			if err != nil {
				return nil, err
			}
			sum, err := table.Summarize(q)
			if err != nil {
				return nil, err
			}
			slip.Counted = sum.Overall.Mean
		}
		out.Slips = append(out.Slips, slip)
	}
	return out, nil
}

// MakeFeed makes a link that programs refresh tables from: it reads summaries in
// the caller's scope, and nothing else. The secret is shown this once.
func (s *Service) MakeFeed(ctx context.Context, c Caller, label string) (string, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return "", err
	}
	p, err := s.own(ctx, c)
	if err != nil {
		return "", err
	}
	if label = strings.TrimSpace(label); len(label) > mostTitle {
		return "", invalidOrder("feed.too_long", "/label", label)
	}
	return s.handOut(ctx, c, &survey.Token{Person: p.ID, Purpose: survey.TokenFeed, Label: label})
}
