package service

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// planCache keeps what is planned in the rounds in use, without the documents.
// Each can be dropped and read anew at any time.
type planCache struct {
	mu sync.Mutex
	of map[survey.RoundCode]*roundPlan
}

// roundPlan is what a round's assignments say, following the store, and the
// units that the round is about.
type roundPlan struct {
	mu     sync.Mutex
	cursor survey.Cursor
	visits map[survey.AssignmentID]survey.AssignedVisit
	texts  map[string]string // so that each unit and observer is kept once

	// The units in scope, as the tree stood with the stamp and the round with
	// the revision.
	stamp int
	rev   int64
	units []*scopeUnit
}

// scopeUnit is a unit that a round is about, and the templates that apply.
type scopeUnit struct {
	code      survey.UnitCode
	sector    string
	path      []survey.UnitCode // from the root down to itself
	templates uint64            // a bit for each of the round's, the first 64
}

// planned gives a round's plan, up to date with every change acknowledged before
// the call. It is locked; release unlocks it.
func (s *Service) planned(ctx context.Context, round *survey.Round) (p *roundPlan, release func(), err error) {
	s.plans.mu.Lock()
	p = s.plans.of[round.Code]
	if p == nil {
		if len(s.plans.of) >= tablesKept {
			clear(s.plans.of)
		}
		p = &roundPlan{visits: map[survey.AssignmentID]survey.AssignedVisit{}, texts: map[string]string{}, rev: -1}
		s.plans.of[round.Code] = p
	}
	s.plans.mu.Unlock()
	p.mu.Lock()
	defer func() {
		if err != nil {
			p.mu.Unlock()
		}
	}()
	err = inBatches(s.store.VisitsSince(ctx, round.Code, p.cursor), &p.cursor, func(visits []survey.AssignedVisit) error {
		for _, v := range visits {
			v.Unit, v.Template, v.Period = survey.UnitCode(p.text(string(v.Unit))), survey.TemplateCode(p.text(string(v.Template))), p.text(v.Period)
			v.Observer, v.Round, v.Role = survey.PersonID(p.text(string(v.Observer))), round.Code, survey.Role(p.text(string(v.Role)))
			p.visits[v.ID] = v
		}
		return nil
	})
	if err == nil {
		err = s.planScope(ctx, round, p)
	}
	return p, p.mu.Unlock, err
}

func (p *roundPlan) text(s string) string {
	if known, ok := p.texts[s]; ok {
		return known
	}
	s = strings.Clone(s)
	p.texts[s] = s
	return s
}

// planScope finds the units in scope when the tree or the round has changed.
func (s *Service) planScope(ctx context.Context, round *survey.Round, p *roundPlan) error {
	tree, lists, stamp, err := s.treeAt(ctx, treeFreshness)
	if err != nil || p.stamp == stamp && p.rev == round.Rev {
		return err
	}
	forms, err := s.formsOf(ctx, round)
	if err != nil {
		return err
	}
	p.units = scopeUnits(tree, lists, round, forms)
	p.stamp, p.rev = stamp, round.Rev
	return nil
}

// formsOf gives the current versions of a round's templates.
func (s *Service) formsOf(ctx context.Context, round *survey.Round) ([]*survey.Form, error) {
	var forms []*survey.Form
	for _, rt := range round.Templates {
		c, err := s.Form(ctx, rt.Code, rt.Current())
		if err != nil {
			return nil, err
		}
		forms = append(forms, c.Form)
	}
	return forms, nil
}

// scopeUnits lists the units that a round is about with the templates that apply.
func scopeUnits(tree *survey.Tree, lists *survey.TypeLists, round *survey.Round, forms []*survey.Form) []*scopeUnit {
	var out []*scopeUnit
	for _, unit := range inScope(tree, lists, round) {
		u := &scopeUnit{code: unit.Unit, sector: unit.Sector, path: unit.Path}
		for i, f := range forms {
			if f.AppliesTo(&unit.UnitFacts, lists) {
				u.templates |= 1 << min(i, 63)
			}
		}
		out = append(out, u)
	}
	return out
}

// inScope lists the units that a round is about, as the tree stands on its last
// day, in the tree's order.
func inScope(tree *survey.Tree, lists *survey.TypeLists, round *survey.Round) []*survey.Standing {
	var out []*survey.Standing
	for _, u := range tree.Units() {
		if unit, err := tree.Standing(u.Code, round.Closes); err == nil && round.Scope.Contains(lists, unit) {
			out = append(out, unit)
		}
	}
	return out
}

// templateBit finds the bit of one of the round's templates.
func templateBit(round *survey.Round, code survey.TemplateCode) uint64 {
	i := slices.IndexFunc(round.Templates, func(t survey.RoundTemplate) bool { return t.Code == code })
	if i < 0 {
		return 0
	}
	return 1 << min(i, 63)
}

// PlannedVisit is an assignment in a list, with what came of it.
type PlannedVisit struct {
	survey.AssignedVisit
	UnitName, ObserverName, ObserverSignIn string
	// Rating is the response that holds the visit, nil if there is none.
	Rating *scoring.Rating
	// Overdue says that it should have taken place and has not.
	Overdue bool
}

// Word gives what an assignment is at: "visited", "submitted", ... for one whose
// visit took place, "overdue", or its status.
func (v PlannedVisit) Word() string {
	switch {
	case v.Rating != nil:
		return string(v.Rating.State)
	case v.Overdue:
		return "overdue"
	}
	return v.Status.Word()
}

// VisitFilter narrows a list of assignments down; empty fields do not narrow.
type VisitFilter struct {
	// Text is looked for in the codes and names of unit and observer, whatever
	// the diacritics.
	Text     string
	Template survey.TemplateCode
	Role     survey.Role
	Period   string
	Under    survey.UnitCode
	Observer survey.PersonID
	// State is one of VisitStates.
	State string
	// From and To bound the due date; zero does not. A visit without a due date
	// lies outside of any bound.
	From, To survey.Date
}

// VisitStates are what a list of assignments may be narrowed down to: those
// still to be visited, those of them that are late, those visited, and the
// statuses and review states.
var VisitStates = []string{"open", "overdue", "visited", "submitted", "returned", "approved", "postponed", "cancelled", "substituted"}

func (f VisitFilter) state(v *PlannedVisit) bool {
	switch f.State {
	case "":
		return true
	case "open":
		return v.Rating == nil && v.Status.Open()
	case "overdue":
		return v.Overdue
	case "visited":
		return v.Rating != nil
	case "submitted", "returned", "approved":
		return v.Rating != nil && string(v.Rating.State) == f.State
	}
	return v.Rating == nil && string(v.Status) == f.State
}

// PlannedVisits lists a round's assignments in the caller's scope that pass the
// filter, ordered by due date (those without one last), unit and role.
func (s *Service) PlannedVisits(ctx context.Context, c Caller, code survey.RoundCode, f VisitFilter) ([]PlannedVisit, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return nil, err
	}
	round, err := s.round(ctx, code)
	if err != nil {
		return nil, err
	}
	rated, err := s.ratingsBy(ctx, round, scoring.RatingFilter{Template: f.Template, Role: f.Role})
	if err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	people, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	p, release, err := s.planned(ctx, round)
	if err != nil {
		return nil, err
	}
	defer release()
	today := s.Today(round)
	wanted := survey.NewSearch(f.Text)
	narrow := c.Person.Scope != "" || f.Under != ""
	var out []PlannedVisit
	for _, a := range p.visits {
		if f.Template != "" && a.Template != f.Template || f.Role != "" && a.Role != f.Role || f.Period != "" && a.Period != f.Period ||
			f.Observer != "" && a.Observer != f.Observer || f.From != 0 && a.Due < f.From || f.To != 0 && (a.Due > f.To || a.Due == 0) {
			continue
		}
		if narrow {
			unit, err := tree.Standing(a.Unit, round.Closes)
			if err != nil || !c.Person.Covers(unit) || f.Under != "" && !unit.Under(f.Under) {
				continue
			}
		}
		v := PlannedVisit{AssignedVisit: a, Rating: rated[a.VisitKey]}
		v.Overdue = v.Rating == nil && overdue(a, today)
		if !f.state(&v) {
			continue
		}
		v.UnitName = unitName(tree, a.Unit, round.Closes)
		if who := people[a.Observer]; who != nil {
			v.ObserverName, v.ObserverSignIn = nameOf(who), who.Name
		}
		if !wanted.Finds(string(a.Unit), v.UnitName, v.ObserverName, v.ObserverSignIn) {
			continue
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(x, y PlannedVisit) int {
		if (x.Due == 0) != (y.Due == 0) {
			return int(y.Due - x.Due)
		}
		return orOf(int(x.Due-y.Due), strings.Compare(string(x.Unit), string(y.Unit)), strings.Compare(x.VisitKey.String(), y.VisitKey.String()))
	})
	return out, nil
}

func orOf(ns ...int) int {
	for _, n := range ns {
		if n != 0 {
			return n
		}
	}
	return 0
}

func overdue(v survey.AssignedVisit, today survey.Date) bool {
	return v.Status.Open() && v.Due != 0 && v.Due < today
}

// Today gives the day it is where the round takes place.
func (s *Service) Today(round *survey.Round) survey.Date {
	return survey.DateOf(s.now().In(s.location(round)))
}

func nameOf(p *survey.Person) string {
	if p.FullName != "" {
		return p.FullName
	}
	return p.Name
}

// names gives all accounts by id. Lists of hundreds of visits name nearly all.
func (s *Service) names(ctx context.Context) (map[survey.PersonID]*survey.Person, error) {
	out := map[survey.PersonID]*survey.Person{}
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return nil, err
		}
		out[p.ID] = p
	}
	return out, nil
}

// NamesOf gives the sign-in and full names of accounts; full names are never
// empty. Accounts that do not exist are called by their ids.
func (s *Service) NamesOf(ctx context.Context, ids ...survey.PersonID) (map[survey.PersonID]survey.Person, error) {
	out := map[survey.PersonID]survey.Person{}
	for _, id := range ids {
		if _, known := out[id]; known || id == "" {
			continue
		}
		p, err := s.store.Person(ctx, id)
		switch {
		case isNotFound(err):
			out[id] = survey.Person{FullName: string(id)}
		case err != nil:
			return nil, err
		default:
			out[id] = survey.Person{ID: id, Name: p.Name, FullName: nameOf(p)}
		}
	}
	return out, nil
}
