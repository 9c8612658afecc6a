package service

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// ProgramVersion is written into workbooks.
var ProgramVersion = "0.1.0"

// How choices and CSV are written; whoever asks for a file need not know what
// writes it.
type (
	// Values says how the choices of a question are written.
	Values = export.Values
	// CSVFormat says how CSV is written.
	CSVFormat = export.CSVFormat
)

// WriteCSV writes the summary as one CSV table, in the language "vi" or "en".
func (r *RoundSummary) WriteCSV(w io.Writer, language string, format CSVFormat) error {
	return export.SummaryCSV(w, r.Summary, r.Scheme, language, format)
}

// ExportOptions say which workbook is wanted.
type ExportOptions struct {
	Round    survey.RoundCode    `json:"round"`
	Template survey.TemplateCode `json:"template,omitempty"` // "": the round's first
	Language string              `json:"language,omitempty"` // "vi" (default) or "en"
	// Title is the name of the report; "" for none.
	Title string `json:"title,omitempty"`
	// Groupings have a sheet each; none: sector, superior and structure.
	Groupings []scoring.Grouping `json:"groupings,omitempty"`
	Filter    scoring.Filter     `json:"filter,omitzero"`
	// Summary leaves the sheets with a row a response or a finding away.
	Summary bool          `json:"summary,omitempty"`
	Values  export.Values `json:"values,omitempty"`

	Progress Progress `json:"-"`
	// Gentle lets people at pages go first.
	Gentle bool `json:"-"`
}

// exportGroupings may be asked for in workbooks.
var exportGroupings = []scoring.Grouping{scoring.BySector, scoring.ByRollup, scoring.BySuperior, "superior:2", "superior:3", scoring.ByParent, scoring.ByStructure, scoring.BySetting, scoring.ByTag, scoring.ByPeriod, scoring.ByObserver}

// check fills in what is left to default.
func (o *ExportOptions) check() error {
	if o.Language == "" {
		o.Language = "vi"
	}
	if o.Language != "vi" && o.Language != "en" {
		return &survey.Error{Kind: survey.Invalid, Code: "export.language", Args: survey.Args{"value": o.Language}}
	}
	if len(o.Groupings) == 0 {
		o.Groupings = []scoring.Grouping{scoring.BySector, scoring.BySuperior, scoring.ByStructure}
	}
	var once []scoring.Grouping
	for _, g := range o.Groupings {
		if !slices.Contains(exportGroupings, g) {
			names := make([]string, len(exportGroupings))
			for i, g := range exportGroupings {
				names[i] = string(g)
			}
			return &survey.Error{Kind: survey.Invalid, Code: "summary.grouping", Args: survey.Args{"value": string(g), "allowed": strings.Join(names, ", ")}}
		}
		if !slices.Contains(once, g) {
			once = append(once, g)
		}
	}
	o.Groupings = once
	if !slices.Contains([]export.Values{export.ValuesBoth, export.ValuesCodes, export.ValuesLabels}, o.Values) {
		return &survey.Error{Kind: survey.Invalid, Code: "export.values", Args: survey.Args{"value": string(o.Values)}}
	}
	return nil
}

// rawReport is a report with nothing but rows.
func (s *Service) rawReport(ctx context.Context, o *ExportOptions, b *basis) (*export.Report, error) {
	people := b.people(s)
	r := &export.Report{Round: b.round, Template: b.current.Template, Language: o.Language, Lists: b.lists, AsOf: b.round.Closes,
		MadeAt: s.Now().In(b.round.Location()), Cutoff: b.cutoff, Version: ProgramVersion, Values: o.Values, Details: s.details(ctx, b, people)}
	if o.Progress != nil {
		table, err := s.tableOf(ctx, b)
		if err != nil {
			return nil, err
		}
		total := table.Len()
		r.Progress = func(rows int) { o.Progress("rows", rows, max(rows, total)) }
	}
	return r, nil
}

// tableOf gives the table of a basis, filled after a start.
func (s *Service) tableOf(ctx context.Context, b *basis) (t *scoring.Table, err error) {
	if b.table == nil {
		b.table, err = s.Table(ctx, b.round)
	}
	return b.table, err
}

// people finds names, those that were kept first.
func (b *basis) people(s *Service) *detailNames {
	n := &detailNames{s: s, tree: b.tree, people: map[survey.PersonID]string{}}
	maps.Copy(n.people, b.names)
	return n
}

// basis is what a report is made from: as things are now, or as they were kept
// for a report that is made again.
type basis struct {
	round   *survey.Round
	tree    *survey.Tree
	lists   *survey.TypeLists
	table   *scoring.Table // see tableOf: to fill it takes a while
	current *Compiled      // the template's current version
	query   scoring.Query
	// cutoff is the moment up to which responses count; zero for none.
	cutoff time.Time
	visits []survey.AssignedVisit // nil: those of the store
	late   []export.Late
	order  []survey.ResponseID // of what there was at the cut-off
	// gentle lets people at pages go first.
	gentle bool
	names  map[survey.PersonID]string // as they were kept
}

// liveBasis is how things are now.
func (s *Service) liveBasis(ctx context.Context, c Caller, o *ExportOptions) (*basis, error) {
	b := &basis{query: scoring.Query{Template: o.Template, Filter: o.Filter}, gentle: o.Gentle}
	var err error
	if b.round, b.current, err = s.aboutRound(ctx, c, o.Round, &b.query); err != nil {
		return nil, err
	}
	b.tree, b.lists, err = s.Tree(ctx)
	return b, err
}

// reportOf is a report with what is gathered beside its rows, now or while they
// are written.
func (s *Service) reportOf(ctx context.Context, c Caller, o *ExportOptions, b *basis) (*export.Report, error) {
	round := b.round
	r := &export.Report{Round: round, Template: b.current.Template, Language: o.Language, Lists: b.lists, Title: o.Title, AsOf: round.Closes,
		MadeAt: s.Now().In(round.Location()), Cutoff: b.cutoff, Version: ProgramVersion, Values: o.Values, Late: b.late}
	if r.Template.Scheme == nil {
		bare := *r.Template
		bare.Scheme = &survey.Scheme{}
		r.Template = &bare
	}
	label := s.labelsOf(ctx, b.tree, b.lists, round.Closes)
	r.Narrowed = narrowedLines(o, label)
	people := b.people(s)
	var total atomic.Int64 // below zero as long as it is not known
	total.Store(-1)
	r.Gather = s.gather(ctx, c, o, b, r, people, label, func(rows int) { total.Store(int64(rows)) })
	if !b.sideBySide() {
		if err := r.Gathered(); err != nil {
			return nil, err
		}
	}
	if !o.Summary {
		r.Details = s.details(ctx, b, people)
	}
	if o.Progress != nil {
		r.Progress = func(rows int) {
			if n := int(total.Load()); n >= 0 {
				o.Progress("rows", rows, max(rows, n))
			}
		}
	}
	return r, nil
}

// gather gives the steps that add up what a report shows beside its rows. Counted
// is told how many rows there are.
func (s *Service) gather(ctx context.Context, c Caller, o *ExportOptions, b *basis, r *export.Report, people *detailNames,
	label func(scoring.Grouping, string) survey.Text, counted func(rows int)) []func() error {
	var table *scoring.Table
	summary := func(by scoring.Grouping, items bool) (*scoring.Summary, error) {
		q := b.query
		q.By, q.Items, q.Intervals = by, items, true
		sum, err := table.Summarize(q)
		if err != nil {
			return nil, err
		}
		for i := range sum.Groups {
			sum.Groups[i].Label = label(by, sum.Groups[i].Group)
		}
		return sum, nil
	}
	return []func() error{
		func() (err error) {
			if table, err = s.tableOf(ctx, b); err == nil {
				counted(table.Len())
			}
			return err
		},
		func() error { return s.reportCoverage(ctx, c, b, table, r) },
		func() error {
			r.Selves = []export.SelfRating{}
			for _, pair := range table.Beside(b.query, survey.RoleSelf) {
				self := export.SelfRating{Beside: pair, Observer: people.person(ctx, pair.Lead.Observer)}
				if standing, err := b.tree.Standing(pair.Lead.Unit, pair.Lead.Date); err == nil {
					path := people.path(standing, pair.Lead.Date)
					self.UnitName, self.Path = standing.Name, strings.Join(path[:max(0, len(path)-1)], " › ")
				}
				r.Selves = append(r.Selves, self)
			}
			return nil
		},
		func() (err error) {
			if r.Summary, err = summary(scoring.BySector, true); err != nil {
				return err
			}
			for _, by := range o.Groupings {
				sum := r.Summary
				if by != scoring.BySector {
					if sum, err = summary(by, false); err != nil {
						return err
					}
				}
				r.Groupings = append(r.Groupings, sum)
				if by == scoring.BySuperior {
					beneath, err := summary("superior:2", false)
					if err != nil {
						return err
					}
					r.Superiors = treeGroups(sum, beneath, b.tree, b.round.Closes)
				}
			}
			return nil
		},
		func() (err error) {
			q := b.query
			q.By = scoring.BySector
			if r.Analysis, err = table.Analyse(q); err == nil {
				s.labelAnalysis(r.Analysis, label)
			}
			return err
		},
	}
}

// treeGroups puts the groups of the second level behind the committee that they
// stand under on the day. What stands at the first level itself is not said twice.
func treeGroups(first, second *scoring.Summary, tree *survey.Tree, day survey.Date) []export.TreeGroup {
	beneath := map[string][]int{}
	for i := range second.Groups {
		if at, err := tree.Standing(survey.UnitCode(second.Groups[i].Group), day); err == nil && len(at.Path) > 2 {
			top := string(at.Path[1])
			beneath[top] = append(beneath[top], i)
		}
	}
	out := make([]export.TreeGroup, 0, len(first.Groups)+len(second.Groups))
	for _, g := range first.Groups {
		out = append(out, export.TreeGroup{Level: 0, Group: g})
		for _, i := range beneath[g.Group] {
			out = append(out, export.TreeGroup{Level: 1, Group: second.Groups[i]})
		}
	}
	return out
}

// narrowedLines says for people what a report was narrowed down to.
func narrowedLines(o *ExportOptions, label func(scoring.Grouping, string) survey.Text) []export.Line {
	var out []export.Line
	add := func(key string, by scoring.Grouping, codes []string) {
		if len(codes) == 0 {
			return
		}
		names := make([]string, len(codes))
		for i, code := range codes {
			names[i] = code
			if by == "" {
				continue
			}
			name := label(by, code).In(o.Language)
			if name == "" && by == scoring.BySector {
				name = label(scoring.ByRollup, code).In(o.Language)
			}
			if name != "" {
				names[i] = name
			}
		}
		out = append(out, export.Line{Name: message.Say(o.Language, key, nil), Value: strings.Join(names, ", ")})
	}
	f := &o.Filter
	add("exports.under", scoring.BySuperior, texts(f.Under))
	add("by.sector", scoring.BySector, f.Sectors)
	add("by.structure", scoring.ByStructure, f.Structures)
	add("by.setting", scoring.BySetting, f.Settings)
	add("by.tag", scoring.ByTag, f.Tags)
	add("by.observer", scoring.ByObserver, texts(f.Observers))
	add("by.period", "", f.Periods)
	var states []string
	for _, st := range f.States {
		states = append(states, message.Say(o.Language, "exports.state."+string(st), nil))
	}
	add("exports.states", "", states)
	if f.From != 0 || f.To != 0 {
		out = append(out, export.Line{Name: message.Say(o.Language, "exports.dates", nil), Value: dayOrOpen(f.From) + " – " + dayOrOpen(f.To)})
	}
	return out
}

func dayOrOpen(d survey.Date) string {
	if d == 0 {
		return "…"
	}
	return d.Time().Format("02/01/2006")
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// reportCoverage counts how far the round has come, by the first two levels of
// committees.
func (s *Service) reportCoverage(ctx context.Context, c Caller, b *basis, table *scoring.Table, r *export.Report) error {
	q := CoverageQuery{Template: b.query.Template}
	if len(b.query.Filter.Under) == 1 {
		q.Under = b.query.Filter.Under[0]
	}
	if err := s.defaultCoverage(b.round, &q); err != nil {
		return err
	}
	cov := &Coverage{Round: b.round, CoverageQuery: q, Today: s.Today(b.round)}
	if !b.cutoff.IsZero() {
		cov.Today = survey.DateOf(b.cutoff.In(b.round.Location()))
	}
	p, release, err := s.planOf(ctx, b)
	if err != nil {
		return err
	}
	defer release()
	type key [2]survey.UnitCode
	groups := map[key]*export.CoverageLine{}
	var first []*export.CoverageLine
	beneath := map[survey.UnitCode][]*export.CoverageLine{}
	group := func(k key, level int) *export.CoverageLine {
		g := groups[k]
		if g == nil {
			code := k[level]
			g = &export.CoverageLine{Level: level, Code: string(code), Name: unitName(b.tree, code, b.round.Closes)}
			groups[k] = g
			if level == 0 {
				first = append(first, g)
			} else {
				beneath[k[0]] = append(beneath[k[0]], g)
			}
		}
		return g
	}
	add := func(g *export.CoverageLine, n CoverageCount) {
		g.InScope += n.InScope
		g.Assigned += n.Assigned
		g.Visited += n.Visited
		g.Submitted += n.Submitted
		g.Returned += n.Returned
		g.Approved += n.Approved
		g.Overdue += n.Overdue
	}
	whole := export.CoverageLine{Whole: true}
	cov.each(p, cov.states(table), func(u *scopeUnit, at int, n CoverageCount) {
		// The root tells nothing: lines begin beneath it, or beneath Under.
		top := min(max(at+1, 1), len(u.path)-1)
		add(group(key{u.path[top]}, 0), n)
		if top+1 < len(u.path)-1 {
			add(group(key{u.path[top], u.path[top+1]}, 1), n)
		}
		add(&whole, n)
	})
	byCode := func(x, y *export.CoverageLine) int { return strings.Compare(x.Code, y.Code) }
	slices.SortFunc(first, byCode)
	for _, g := range first {
		r.Coverage = append(r.Coverage, *g)
		slices.SortFunc(beneath[survey.UnitCode(g.Code)], byCode)
		for _, line := range beneath[survey.UnitCode(g.Code)] {
			r.Coverage = append(r.Coverage, *line)
		}
	}
	r.Coverage = append(r.Coverage, whole)
	for i := range r.Coverage {
		if l := &r.Coverage[i]; l.InScope > 0 {
			share := float64(l.Visited) / float64(l.InScope)
			l.Share = &share
		}
	}
	if !b.cutoff.IsZero() {
		return nil // who is behind is a matter of today
	}
	if err := s.countBehind(ctx, cov, p, table); err != nil {
		return err
	}
	for _, l := range cov.Behind {
		r.Behind = append(r.Behind, export.BehindLine{Name: l.Name, Overdue: l.Overdue, Asked: l.Asked, Oldest: l.Oldest})
	}
	return nil
}

// planOf gives the plan of a basis.
func (s *Service) planOf(ctx context.Context, b *basis) (*roundPlan, func(), error) {
	if b.visits == nil {
		return s.planned(ctx, b.round)
	}
	p := &roundPlan{visits: map[survey.AssignmentID]survey.AssignedVisit{}}
	for _, v := range b.visits {
		p.visits[v.ID] = v
	}
	forms, err := s.formsOf(ctx, b.round)
	if err != nil {
		return nil, nil, err
	}
	p.units = scopeUnits(b.tree, b.lists, b.round, forms)
	return p, func() {}, nil
}

// coresForPages is how many cores a machine has at least on which a file that
// gives way to pages is made on several of them. On a smaller one it takes one
// core alone: were all of them busy, what comes over the network would wait for
// the scheduler's next look at it, which is up to 10 ms away.
const coresForPages = 4

// sideBySide reports whether the parts of a report may be made at once.
func (b *basis) sideBySide() bool { return !b.gentle || runtime.GOMAXPROCS(0) >= coresForPages }

// details yields the responses of a basis with their scores. Reading, scoring
// and what the caller does with the rows go on side by side, unless that would
// keep pages waiting.
func (s *Service) details(ctx context.Context, b *basis, namer *detailNames) iter.Seq2[*export.Detail, error] {
	return func(yield func(*export.Detail, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		responses := s.responsesOf(ctx, b)
		if b.sideBySide() {
			responses = ahead(ctx, responses)
		}
		var scored iter.Seq2[*export.Detail, error] = func(yield func(*export.Detail, error) bool) {
			for r, err := range responses {
				var d *export.Detail
				if err == nil {
					d, err = s.detail(ctx, r, b.lists, namer)
				}
				if !yield(d, err) || err != nil {
					return
				}
				if b.gentle {
					s.giveWay(ctx)
				}
			}
		}
		if b.sideBySide() {
			scored = ahead(ctx, scored)
		}
		for d, err := range scored {
			if !yield(d, err) || err != nil {
				return
			}
			d.Result.Filled().Release()
		}
		if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
			yield(nil, err)
		}
	}
}

// responsesOf yields the responses that a report is about: those that pass its
// filter in whatever state, unless states were asked for, as they were at the
// cut-off. What is held for review is not among them.
func (s *Service) responsesOf(ctx context.Context, b *basis) iter.Seq2[*survey.Response, error] {
	f := survey.ResponseFilter{Round: b.round.Code, Template: b.query.Template, Bare: true}
	if under := b.query.Filter.Under; len(under) == 1 {
		f.Under = under[0]
	}
	return func(yield func(*survey.Response, error) bool) {
		responses := func(yield func(*survey.Response, error) bool) {
			for change, err := range s.store.ResponsesSince(ctx, f, "") {
				if !yield(change.Doc, err) || err != nil {
					return
				}
			}
		}
		if !b.cutoff.IsZero() {
			responses = s.keptResponses(ctx, b)
		}
		for r, err := range responses {
			if err != nil {
				yield(nil, err)
				return
			}
			if r.State.Held() || !passes(&b.query.Filter, r, b.lists) {
				continue
			}
			if b.gentle {
				s.giveWay(ctx)
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// passes reports whether a response passes a filter as the table applies it,
// but for states: without any asked for, every one passes.
func passes(f *scoring.Filter, r *survey.Response, lists *survey.TypeLists) bool {
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	at := &r.Standing
	return (len(f.Under) == 0 || slices.ContainsFunc(f.Under, at.Under)) && (f.Within == "" || at.Under(f.Within)) &&
		(len(f.Sectors) == 0 || slices.ContainsFunc(f.Sectors, func(want string) bool { return lists.SectorUnder(at.Sector, want) })) &&
		in(f.Structures, at.Structure) && in(f.Settings, at.Setting) &&
		(len(f.Tags) == 0 || slices.ContainsFunc(at.Tags, func(tag string) bool { return slices.Contains(f.Tags, tag) })) &&
		(len(f.Observers) == 0 || slices.Contains(f.Observers, r.Observer)) && in(f.Periods, r.Period) &&
		(len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		(f.From == 0 || r.MeetingDate >= f.From) && (f.To == 0 || r.MeetingDate <= f.To)
}

// batchAhead and batchesAhead bound how far ahead of its reader a sequence runs.
const (
	batchAhead   = 32
	batchesAhead = 3
)

// ahead runs a sequence on a goroutine of its own, somewhat ahead of whoever
// reads it, until the context ends. It is read once.
func ahead[T any](ctx context.Context, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type batch struct {
		values []T
		err    error
	}
	batches := make(chan batch, batchesAhead)
	go func() {
		defer close(batches)
		send := func(b batch) bool {
			select {
			case batches <- b:
				return true
			case <-ctx.Done():
				return false
			}
		}
		var b batch
		for v, err := range seq {
			if err != nil {
				b.err = err
				break
			}
			if b.values = append(b.values, v); len(b.values) == batchAhead {
				if !send(b) {
					return
				}
				b = batch{}
			}
		}
		send(b)
	}()
	return func(yield func(T, error) bool) {
		for b := range batches {
			for _, v := range b.values {
				if !yield(v, nil) {
					return
				}
			}
			if b.err != nil {
				var none T
				yield(none, b.err)
				return
			}
		}
	}
}

func (s *Service) detail(ctx context.Context, r *survey.Response, lists *survey.TypeLists, n *detailNames) (*export.Detail, error) {
	compiled, err := s.Form(ctx, r.Template, r.TemplateVersion)
	if err != nil {
		return nil, err
	}
	result := compiled.Scorer.Score(r.Answers, survey.Context{Unit: &r.Standing.UnitFacts, Lists: lists, Now: r.ReceivedAt})
	return &export.Detail{Response: r, Result: result, Observer: n.person(ctx, r.Observer), Path: n.path(&r.Standing, r.MeetingDate)}, nil
}

// detailNames finds names for ids, each once.
type detailNames struct {
	s    *Service
	tree *survey.Tree

	mu     sync.Mutex
	people map[survey.PersonID]string
}

func (n *detailNames) person(ctx context.Context, id survey.PersonID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, known := n.people[id]
	if !known {
		if p, err := n.s.store.Person(ctx, id); err == nil {
			name = p.FullName
			if name == "" {
				name = p.Name
			}
		}
		n.people[id] = name
	}
	return name
}

// path names the units above as of the day.
func (n *detailNames) path(unit *survey.Standing, day survey.Date) []string {
	names := make([]string, len(unit.Path))
	for i, code := range unit.Path {
		names[i] = string(code)
		if u := n.tree.Unit(code); u != nil {
			if span := u.On(day); span != nil {
				names[i] = span.Name
			}
		}
	}
	return names
}
