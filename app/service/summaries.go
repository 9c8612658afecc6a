package service

import (
	"context"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// tableCache keeps the tables of the rounds in use. Each can be dropped and
// filled anew at any time.
type tableCache struct {
	mu sync.Mutex
	of map[survey.RoundCode]*roundTable
}

// tablesKept is how many rounds have their tables in memory; the one used
// longest ago goes first.
const tablesKept = 8

type roundTable struct {
	mu          sync.Mutex // held while following the store
	table       *scoring.Table
	rows        survey.Cursor
	assignments survey.Cursor
	stamp       int   // of the tree that the populations were counted in
	roundRev    int64 // of the round they were counted for
	used        int   // for eviction
}

// Table gives a round's table, up to date with every response that was
// acknowledged before the call.
func (s *Service) Table(ctx context.Context, round *survey.Round) (*scoring.Table, error) {
	t := s.tables.get(round.Code)
	t.mu.Lock()
	defer t.mu.Unlock()
	tree, lists, stamp, err := s.treeAt(ctx, treeFreshness)
	if err != nil {
		return nil, err
	}
	if t.table == nil || t.stamp != stamp {
		if t.table == nil || len(lists.Sectors) > 0 && t.table.Lists() != lists {
			t.table, t.rows, t.assignments = scoring.NewTable(lists), "", ""
		}
		t.roundRev = -1
	}
	// All at once, since after a start all of it is read from the beginning.
	// After an error what was taken in stays, and the next call goes on from there.
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return s.followRows(ctx, round.Code, t) })
	all.Go(func() error { return s.followAssignments(ctx, round.Code, t) })
	if t.roundRev != round.Rev {
		all.Go(func() error {
			err := s.populate(ctx, t.table, round, tree, lists)
			if err == nil {
				t.stamp, t.roundRev = stamp, round.Rev
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return t.table, nil
}

func (c *tableCache) get(code survey.RoundCode) *roundTable {
	c.mu.Lock()
	defer c.mu.Unlock()
	clock := 0
	for _, t := range c.of {
		clock = max(clock, t.used)
	}
	t := c.of[code]
	if t == nil {
		if len(c.of) >= tablesKept {
			var oldest survey.RoundCode
			for k, v := range c.of {
				if oldest == "" || v.used < c.of[oldest].used {
					oldest = k
				}
			}
			delete(c.of, oldest)
		}
		t = &roundTable{}
		c.of[code] = t
	}
	t.used = clock + 1
	return t
}

// rowsAtOnce is how many rows are applied under one lock.
const rowsAtOnce = 4096

func (s *Service) followRows(ctx context.Context, code survey.RoundCode, t *roundTable) error {
	layouts := func(code survey.TemplateCode, version int) (*scoring.Layout, error) {
		c, err := s.Form(ctx, code, version)
		if err != nil {
			return nil, err
		}
		return c.Layout, nil
	}
	cold := t.rows == ""
	err := inBatches(s.store.RowsSince(ctx, code, t.rows), &t.rows, func(rows []survey.Row) error {
		return t.table.Apply(rows, layouts)
	})
	if err == nil && cold {
		t.table.Compact()
	}
	return err
}

func (s *Service) followAssignments(ctx context.Context, code survey.RoundCode, t *roundTable) error {
	return inBatches(s.store.VisitsSince(ctx, code, t.assignments), &t.assignments, func(visits []survey.AssignedVisit) error {
		t.table.Assign(visits)
		return nil
	})
}

// inBatches hands changes on, some thousand at once. The cursor moves only
// behind what was taken in, so that after an error nothing is passed over.
func inBatches[T any](changes iter.Seq2[survey.Change[T], error], at *survey.Cursor, take func([]T) error) error {
	batch := make([]T, 0, rowsAtOnce)
	cursor := *at
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := take(batch); err != nil {
			return err
		}
		batch, *at = batch[:0], cursor
		return nil
	}
	for change, err := range changes {
		if err != nil {
			return err
		}
		batch, cursor = append(batch, change.Doc), change.Cursor
		if len(batch) == rowsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// populate counts which units each template of the round is about, as the tree
// stands on the round's last day.
func (s *Service) populate(ctx context.Context, table *scoring.Table, round *survey.Round, tree *survey.Tree, lists *survey.TypeLists) error {
	var inScope []*survey.Standing
	for _, u := range tree.Units() {
		unit, err := tree.Standing(u.Code, round.Closes)
		if err == nil && round.Scope.Contains(lists, unit) {
			inScope = append(inScope, unit)
		}
	}
	for _, rt := range round.Templates {
		c, err := s.Form(ctx, rt.Code, rt.Current())
		if err != nil {
			return err
		}
		units := make([]*survey.Standing, 0, len(inScope))
		for _, unit := range inScope {
			if c.Form.AppliesTo(&unit.UnitFacts, lists) {
				units = append(units, unit)
			}
		}
		if err := table.SetPopulation(rt.Code, units); err != nil {
			return err
		}
	}
	return nil
}

// RoundSummary is a summary with what is needed to read it.
type RoundSummary struct {
	Round *survey.Round
	// AsOf is the day as of which the tree was counted for coverage.
	AsOf   survey.Date
	Scheme *survey.Scheme // of the template's current version
	*scoring.Summary
}

// Summary summarises a round. An empty template is the round's first. What lies
// outside of the caller's scope is not counted.
func (s *Service) Summary(ctx context.Context, c Caller, code survey.RoundCode, q scoring.Query) (*RoundSummary, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return nil, err
	}
	q.Intervals = true
	return s.summarize(ctx, c, code, q)
}

func (s *Service) summarize(ctx context.Context, c Caller, code survey.RoundCode, q scoring.Query) (*RoundSummary, error) {
	round, table, current, err := s.tableFor(ctx, c, code, &q)
	if err != nil {
		return nil, err
	}
	sum, err := table.Summarize(q)
	if err != nil {
		return nil, err
	}
	if err := s.labelGroups(ctx, sum, round.Closes); err != nil {
		return nil, err
	}
	return &RoundSummary{Round: round, AsOf: round.Closes, Scheme: schemeOf(current), Summary: sum}, nil
}

// tableFor finds what a query is about: its round, the round's table and the
// template's current version. The query gets the round's first template if it
// names none, and is kept inside the caller's scope.
func (s *Service) tableFor(ctx context.Context, c Caller, code survey.RoundCode, q *scoring.Query) (*survey.Round, *scoring.Table, *Compiled, error) {
	round, current, err := s.aboutRound(ctx, c, code, q)
	if err != nil {
		return nil, nil, nil, err
	}
	table, err := s.Table(ctx, round)
	return round, table, current, err
}

// aboutRound is tableFor without the table.
func (s *Service) aboutRound(ctx context.Context, c Caller, code survey.RoundCode, q *scoring.Query) (*survey.Round, *Compiled, error) {
	round, err := s.round(ctx, code)
	if err != nil {
		return nil, nil, err
	}
	if q.Template == "" {
		q.Template = round.Templates[0].Code
	}
	rt, ok := round.Template(q.Template)
	if !ok {
		return nil, nil, &survey.Error{Kind: survey.Invalid, Code: "round.not_its_template", Args: survey.Args{"template": string(q.Template), "round": string(code)}}
	}
	if err := s.narrow(c, q); err != nil {
		return nil, nil, err
	}
	current, err := s.Form(ctx, rt.Code, rt.Current())
	return round, current, err
}

func schemeOf(c *Compiled) *survey.Scheme {
	if c.Template.Scheme == nil {
		return &survey.Scheme{}
	}
	return c.Template.Scheme
}

// narrow keeps a query inside the caller's scope.
func (s *Service) narrow(c Caller, q *scoring.Query) error {
	if c.Person.Scope == "" {
		return nil
	}
	if len(q.Filter.Under) == 0 {
		q.Filter.Under = []survey.UnitCode{c.Person.Scope}
		return nil
	}
	q.Filter.Within = c.Person.Scope
	return nil
}

// labelGroups gives the groups their names.
func (s *Service) labelGroups(ctx context.Context, sum *scoring.Summary, day survey.Date) error {
	label, err := s.groupLabels(ctx, day)
	if err != nil {
		return err
	}
	for i := range sum.Groups {
		sum.Groups[i].Label = label(sum.By, sum.Groups[i].Group)
		if sum.And != "" {
			sum.Groups[i].AndLabel = label(sum.And, sum.Groups[i].And)
		}
	}
	return nil
}

// groupLabels gives what names groups by their grouping and code, nil for one
// without a name, as things stand on the day.
func (s *Service) groupLabels(ctx context.Context, day survey.Date) (func(scoring.Grouping, string) survey.Text, error) {
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	return s.labelsOf(ctx, tree, lists, day), nil
}

// labelsOf is groupLabels by a tree and lists that are given.
func (s *Service) labelsOf(ctx context.Context, tree *survey.Tree, lists *survey.TypeLists, day survey.Date) func(scoring.Grouping, string) survey.Text {
	return func(by scoring.Grouping, code string) survey.Text {
		switch by {
		case scoring.BySector:
			sec, _ := lists.Sector(code)
			return sec.Label
		case scoring.ByRollup:
			r, _ := lists.Rollup(code)
			return r.Label
		case scoring.ByStructure:
			st, _ := lists.Structure(code)
			return st.Label
		case scoring.BySetting:
			st, _ := lists.Setting(code)
			return st.Label
		case scoring.ByTag:
			t, _ := lists.Tag(code)
			return t.Label
		case scoring.ByObserver:
			if p, err := s.store.Person(ctx, survey.PersonID(code)); err == nil {
				return survey.Text{"vi": p.FullName, "en": p.FullName}
			}
			return nil
		case scoring.ByPeriod, scoring.ByNothing:
			return nil
		}
		u := tree.Unit(survey.UnitCode(code))
		if u == nil {
			return nil
		}
		span := u.On(day)
		if span == nil {
			span = u.On(0)
		}
		return survey.Text{"vi": span.Name, "en": span.Name}
	}
}
