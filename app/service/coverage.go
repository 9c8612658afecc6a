package service

import (
	"context"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// CoverageQuery says which coverage is asked for.
type CoverageQuery struct {
	// Template is one of the round's; "" is its first.
	Template survey.TemplateCode
	// Role is whose ratings are counted; "" is the lead observer.
	Role survey.Role
	// Period is one of a monthly round's; "" is the current one.
	Period string
	// Under narrows down to a unit and what is beneath it.
	Under survey.UnitCode
	// BySector groups by sector; else by the units directly beneath Under.
	BySector bool
}

// CoverageCount counts units in scope, each once. Of InScope, Assigned have
// somebody who is asked for the visit; Visited have a response, each of which is
// Submitted, Returned or Approved; Overdue should have been visited before today.
type CoverageCount struct {
	InScope, Assigned, Visited, Submitted, Returned, Approved, Overdue int
}

func (n *CoverageCount) add(m CoverageCount) {
	n.InScope += m.InScope
	n.Assigned += m.Assigned
	n.Visited += m.Visited
	n.Submitted += m.Submitted
	n.Returned += m.Returned
	n.Approved += m.Approved
	n.Overdue += m.Overdue
}

// CoverageLine is one group. Code is the unit's or the sector's; Unit says
// that it can be opened further: Leaf that it is a unit without units beneath.
type CoverageLine struct {
	Code  string
	Label survey.Text
	Leaf  bool
	CoverageCount
}

// BehindLine is an observer with visits that should have taken place.
type BehindLine struct {
	Person         survey.PersonID
	Name, SignIn   string
	Overdue, Asked int // of Asked visits
	// Oldest is the due date of the one that is waited for the longest.
	Oldest survey.Date
}

// Coverage is how far a round has come.
type Coverage struct {
	Round *survey.Round
	CoverageQuery
	// Path leads from the root, or from the caller's scope, to Under.
	Path   []CoverageLine
	Lines  []CoverageLine
	Total  CoverageCount
	Behind []BehindLine
	Today  survey.Date
	// Outside counts responses about units that are not in scope any more; they
	// are in none of the numbers.
	Outside int
}

// Coverage counts how far a round has come, within the caller's scope.
func (s *Service) Coverage(ctx context.Context, c Caller, code survey.RoundCode, q CoverageQuery) (*Coverage, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return nil, err
	}
	round, err := s.round(ctx, code)
	if err != nil {
		return nil, err
	}
	if err := s.defaultCoverage(round, &q); err != nil {
		return nil, err
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	if q.Under == "" {
		q.Under = c.Person.Scope
	}
	out := &Coverage{Round: round, CoverageQuery: q, Today: s.Today(round)}
	if out.Path, err = coveragePath(tree, c, round, q.Under); err != nil {
		return nil, err
	}
	table, err := s.Table(ctx, round)
	if err != nil {
		return nil, err
	}
	states := out.states(table)
	p, release, err := s.planned(ctx, round)
	if err != nil {
		return nil, err
	}
	defer release()
	out.count(p, states, tree, lists)
	if q.Under == "" && !q.BySector && len(out.Lines) == 1 && !out.Lines[0].Leaf {
		// The root alone tells nothing: begin with what is beneath it.
		under := survey.UnitCode(out.Lines[0].Code)
		if out.Path, err = coveragePath(tree, c, round, under); err != nil {
			return nil, err
		}
		out.Under, out.Lines, out.Total = under, nil, CoverageCount{}
		out.count(p, states, tree, lists)
	}
	return out, s.countBehind(ctx, out, p, table)
}

// defaultCoverage fills in what is left to default.
func (s *Service) defaultCoverage(round *survey.Round, q *CoverageQuery) error {
	if q.Template == "" {
		q.Template = round.Templates[0].Code
	}
	if _, ok := round.Template(q.Template); !ok {
		return &survey.Error{Kind: survey.Invalid, Code: "round.not_its_template", Args: survey.Args{"template": string(q.Template), "round": string(round.Code)}}
	}
	if q.Role == "" {
		q.Role = survey.RoleObserver
	}
	if q.Period == "" {
		q.Period = round.Periods.Period(max(round.Opens, min(round.Closes, s.Today(round))))
	}
	if !round.HasPeriod(q.Period) {
		return &survey.Error{Kind: survey.Invalid, Code: "assignment.period", Args: survey.Args{"period": q.Period, "opens": round.Opens.String(), "closes": round.Closes.String()}}
	}
	return nil
}

// coveragePath leads down to the unit, as far as the caller's scope goes up.
func coveragePath(tree *survey.Tree, c Caller, round *survey.Round, under survey.UnitCode) ([]CoverageLine, error) {
	if under == "" {
		return nil, nil
	}
	standing, err := tree.Standing(under, round.Closes)
	if err != nil {
		return nil, err
	}
	if err := c.covers(standing); err != nil {
		return nil, err
	}
	from := max(0, slices.Index(standing.Path, c.Person.Scope))
	var out []CoverageLine
	for _, code := range standing.Path[from:] {
		out = append(out, CoverageLine{Code: string(code), Label: both(unitName(tree, code, round.Closes))})
	}
	return out, nil
}

func both(name string) survey.Text { return survey.Text{"vi": name, "en": name} }

// states gives the state of the response of each unit that has one.
func (cov *Coverage) states(table *scoring.Table) map[survey.UnitCode]survey.ReviewState {
	out := map[survey.UnitCode]survey.ReviewState{}
	table.EachRating(scoring.RatingFilter{Template: cov.Template, Role: cov.Role}, func(r scoring.Rating) {
		if r.Period == cov.Period {
			out[r.Unit] = r.State
		}
	})
	return out
}

// count goes once over the units in scope.
func (cov *Coverage) count(p *roundPlan, states map[survey.UnitCode]survey.ReviewState, tree *survey.Tree, lists *survey.TypeLists) {
	groups := map[string]*CoverageLine{}
	var order []*CoverageLine
	cov.each(p, states, func(u *scopeUnit, at int, n CoverageCount) {
		key, leaf := u.sector, false
		if !cov.BySector {
			below := min(at+1, len(u.path)-1)
			key, leaf = string(u.path[below]), below == len(u.path)-1
		}
		g := groups[key]
		if g == nil {
			g = &CoverageLine{Code: key, Leaf: leaf}
			groups[key] = g
			order = append(order, g)
		}
		g.add(n)
	})
	for _, g := range order {
		if cov.BySector {
			sector, _ := lists.Sector(g.Code)
			g.Label = sector.Label
		} else {
			g.Label = both(unitName(tree, survey.UnitCode(g.Code), cov.Round.Closes))
		}
		cov.Lines = append(cov.Lines, *g)
	}
	if cov.BySector {
		slices.SortFunc(cov.Lines, func(x, y CoverageLine) int { return strings.Compare(x.Code, y.Code) })
	}
}

// each goes over the units in scope beneath Under, each with Under's place in its
// path (-1 if it is "") and its own count, adds them up in Total, and counts what
// lies outside.
func (cov *Coverage) each(p *roundPlan, states map[survey.UnitCode]survey.ReviewState, do func(u *scopeUnit, at int, n CoverageCount)) {
	plans := make(map[survey.UnitCode]survey.AssignedVisit, len(p.units))
	for _, v := range p.visits {
		if v.Template == cov.Template && v.Role == cov.Role && v.Period == cov.Period && v.Status.Open() {
			plans[v.Unit] = v
		}
	}
	bit := templateBit(cov.Round, cov.Template)
	inside := 0
	for _, u := range p.units {
		if u.templates&bit == 0 {
			continue
		}
		state, visited := states[u.code]
		if visited {
			inside++
		}
		at := -1
		if cov.Under != "" {
			if at = slices.Index(u.path, cov.Under); at < 0 {
				continue
			}
		}
		n := CoverageCount{InScope: 1}
		if visited {
			n.Visited = 1
			switch state {
			case survey.StateSubmitted:
				n.Submitted = 1
			case survey.StateReturned:
				n.Returned = 1
			case survey.StateApproved:
				n.Approved = 1
			}
		}
		if v, ok := plans[u.code]; ok {
			n.Assigned = 1
			if !visited && overdue(v, cov.Today) {
				n.Overdue = 1
			}
		}
		cov.Total.add(n)
		do(u, at, n)
	}
	cov.Outside = len(states) - inside
}

// countBehind finds who is behind with visits beneath the unit, in whatever
// role, form and period.
func (s *Service) countBehind(ctx context.Context, cov *Coverage, p *roundPlan, table *scoring.Table) error {
	inside := make(map[survey.UnitCode]bool, len(p.units))
	for _, u := range p.units {
		inside[u.code] = cov.Under == "" || slices.Contains(u.path, cov.Under)
	}
	by := map[survey.PersonID]*BehindLine{}
	waiting := map[survey.VisitKey]survey.AssignedVisit{}
	for _, v := range p.visits {
		if !v.Status.Open() || !inside[v.Unit] {
			continue
		}
		line := by[v.Observer]
		if line == nil {
			line = &BehindLine{Person: v.Observer}
			by[v.Observer] = line
		}
		line.Asked++
		if overdue(v, cov.Today) {
			key := v.VisitKey
			key.Round = "" // the table's ratings have none
			waiting[key] = v
		}
	}
	table.EachRating(scoring.RatingFilter{}, func(r scoring.Rating) { delete(waiting, r.VisitKey) })
	for _, v := range waiting {
		line := by[v.Observer]
		line.Overdue++
		if line.Oldest == 0 || v.Due < line.Oldest {
			line.Oldest = v.Due
		}
	}
	for _, line := range by {
		if line.Overdue == 0 {
			continue
		}
		cov.Behind = append(cov.Behind, *line)
	}
	slices.SortFunc(cov.Behind, func(x, y BehindLine) int {
		return orOf(y.Overdue-x.Overdue, int(x.Oldest-y.Oldest), strings.Compare(string(x.Person), string(y.Person)))
	})
	if len(cov.Behind) > mostBehind {
		cov.Behind = cov.Behind[:mostBehind]
	}
	for i := range cov.Behind {
		line := &cov.Behind[i]
		line.Name = string(line.Person)
		who, err := s.store.Person(ctx, line.Person)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		line.Name, line.SignIn = nameOf(who), who.Name
	}
	return nil
}

// mostBehind is how many of those who are behind are named.
const mostBehind = 50
