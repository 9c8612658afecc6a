package scoring

import (
	"math/bits"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/khaosat/khaosat/survey"
)

// Grouping says by what a summary groups.
type Grouping string

const (
	BySector    Grouping = "sector"    // organisation type
	ByRollup    Grouping = "rollup"    // the broader groups of sectors
	BySuperior  Grouping = "superior"  // the unit directly under the root
	ByParent    Grouping = "parent"    // the unit directly above
	ByStructure Grouping = "structure" // how the unit is attached
	BySetting   Grouping = "setting"   // where the unit meets
	ByTag       Grouping = "tag"       // a unit counts under each of its tags
	ByObserver  Grouping = "observer"
	ByPeriod    Grouping = "period"
	ByNothing   Grouping = "all" // one group with everything
)

// Groupings lists the groupings there are. "superior:N" groups by the unit at
// depth N of the path instead of 1 (the root is 0).
var Groupings = []Grouping{BySector, ByRollup, BySuperior, ByParent, ByStructure, BySetting, ByTag, ByObserver, ByPeriod, ByNothing}

// depth gives N of "superior" or "superior:N"; ok is false for anything else.
func (g Grouping) depth() (uint32, bool) {
	if g == BySuperior {
		return 1, true
	}
	n, found := strings.CutPrefix(string(g), string(BySuperior)+":")
	if !found {
		return 0, false
	}
	d, err := strconv.ParseUint(n, 10, 5)
	return uint32(d), err == nil
}

// Valid reports whether the grouping exists.
func (g Grouping) Valid() bool {
	_, superior := g.depth()
	return superior || slices.Contains(Groupings, g)
}

// Query says what to summarise.
type Query struct {
	Template survey.TemplateCode
	// Role is whose ratings count. For RoleObserver, the default, a unit counts
	// once a period: the adjudicator's rating if there is one, else the mean of
	// lead and second.
	Role survey.Role
	By   Grouping
	// And crosses By with another grouping: a group is what is in one group of
	// each. Empty for none.
	And Grouping
	// Intervals asks for the intervals of means and shares.
	Intervals bool
	// ByResponse counts each response of the role for itself.
	ByResponse bool
	// Items asks for statistics of every item too.
	Items  bool
	Filter Filter
}

// Filter narrows a summary down; empty lists do not narrow.
type Filter struct {
	Under []survey.UnitCode
	// Within must hold besides Under: the scope of who asks.
	Within     survey.UnitCode
	Sectors    []string // or roll-ups
	Structures []string
	Settings   []string
	Tags       []string
	Observers  []survey.PersonID
	Periods    []string
	// States are the review states that count; empty means submitted and approved.
	States []survey.ReviewState
	// From and To bound the meeting date, both included; zero does not.
	From, To survey.Date
}

// Summary is a table of groups, each with numerators and denominators.
type Summary struct {
	Template survey.TemplateCode `json:"template"`
	Versions []int               `json:"versions"`
	Role     survey.Role         `json:"role"`
	By       Grouping            `json:"by"`
	And      Grouping            `json:"and,omitempty"`
	Groups   []Group             `json:"groups"`
	// Overall has everything once, also what counts in several groups or none.
	Overall Group `json:"overall"`
}

// Group is one line of a summary.
type Group struct {
	Group string      `json:"group"` // the code; "" for what has none
	Label survey.Text `json:"label,omitempty"`
	// And is the code in the grouping that is crossed with, if there is one.
	And      string      `json:"and,omitempty"`
	AndLabel survey.Text `json:"and_label,omitempty"`
	// InScope counts the units the template is about, Assigned those of them
	// with an assignment in the role, Observed those with a counted response.
	// They are nil where the grouping has no such denominator.
	InScope  *int `json:"in_scope"`
	Assigned *int `json:"assigned"`
	Observed *int `json:"observed"`
	// Responses counts the responses behind the group, Visits what they count
	// as: a visit rated twice is two responses and one visit.
	Responses int `json:"responses"`
	Visits    int `json:"visits"`
	Approved  int `json:"approved"`
	// Doubled counts visits with a lead and a second rating, ToAdjudicate those
	// of them that differ by more than ten points or in their band and have no
	// adjudicated rating.
	Doubled      int `json:"doubled"`
	ToAdjudicate int `json:"to_adjudicate"`
	// N is how many visits have a total: the denominator of all that follows.
	N         int            `json:"n"`
	NotGraded map[Reason]int `json:"not_graded,omitempty"`
	// Mean, SD (n-1), Min, quartiles (Hyndman-Fan type 7) and Max are of the
	// totals, in points; nil when there is nothing to tell (SD: below two).
	Mean   *float64 `json:"mean"`
	SD     *float64 `json:"sd"`
	Min    *float64 `json:"min"`
	Q1     *float64 `json:"q1"`
	Median *float64 `json:"median"`
	Q3     *float64 `json:"q3"`
	Max    *float64 `json:"max"`
	// Bands and BandsFirst count visits by band, after and before caps. Their
	// denominator is Banded. BandShares are shares of it.
	Banded     int                `json:"banded"`
	Bands      map[string]int     `json:"bands"`
	BandsFirst map[string]int     `json:"bands_before_caps"`
	BandShares map[string]float64 `json:"band_shares"`
	// MeanInterval knows that one observer's visits go together (ClusteredMean);
	// a visit rated twice is its lead's. BandIntervals are Wilson's. Only when
	// asked for, and where there is enough: means take two observers.
	MeanInterval  *Interval           `json:"mean_interval,omitempty"`
	BandIntervals map[string]Interval `json:"band_intervals,omitempty"`
	// Caps counts visits in which a cap fired, whether it lowered the band or not.
	Caps map[string]int `json:"caps,omitempty"`
	// Small marks a group of fewer than SmallCell visits.
	Small bool       `json:"small"`
	Items []ItemStat `json:"items,omitempty"`
}

// SmallCell is the number of visits below which a group is marked as small.
const SmallCell = 5

// adjudicateDifference is by how many hundredths two totals may differ before a
// third rating is asked for.
const adjudicateDifference = 1000

// accumulator adds up one group. Totals are in half hundredths, so that the
// mean of two ratings is a whole number.
type accumulator struct {
	responses, visits, approved, doubled, toAdjudicate int
	graded, banded                                     int
	sum, sumSquares                                    uint64
	notGraded                                          [len(reasons)]int
	bands, first, caps                                 []int // by plan.bandCodes, plan.capCodes
}

// Summarize computes a summary. Invalid when the grouping does not exist.
func (t *Table) Summarize(q Query) (*Summary, error) {
	if q.By == "" {
		q.By = BySector
	}
	if !q.By.Valid() {
		return nil, groupingUnknown(q.By)
	}
	if q.And != "" && !q.And.Valid() {
		return nil, groupingUnknown(q.And)
	}
	if q.Role == "" {
		q.Role = survey.RoleObserver
	}
	t.settlePairs()
	t.mu.RLock()
	defer t.mu.RUnlock()
	p := t.plan(q)
	if len(p.keys) > mostGroups {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "summary.too_many_groups", Args: survey.Args{"by": string(q.By), "and": string(q.And)}}
	}
	parts := p.run()
	return p.finish(parts), nil
}

func groupingUnknown(g Grouping) error {
	return &survey.Error{Kind: survey.Invalid, Code: "summary.grouping", Args: survey.Args{"value": string(g), "allowed": joinGroupings()}}
}

func joinGroupings() string {
	names := make([]string, len(Groupings))
	for i, g := range Groupings {
		names[i] = string(g)
	}
	return strings.Join(names, ", ")
}

// plan is a query worked out against the table: which groups there are and
// which places, states and observers belong to which.
type plan struct {
	table  *Table
	query  Query
	blocks []*block
	rows   int            // of all blocks
	scheme *survey.Scheme // of the latest version
	// keys are the groups' codes. A row's group is that of its place
	// (placeGroup), where a place is in several that of each of them (tagGroups),
	// else that of the row's observer or period (rowGroup).
	keys       []string
	placeGroup []int32
	tagGroups  [][]int32 // by tag set
	placeLists [][]int32 // by place, where two groupings are crossed and one is by tag
	rowGroup   func(b *block, row uint32) int32
	rowLists   func(b *block, row uint32, room []int32) []int32 // crossed with such a one
	placeIn    []bool                                           // whether a place passes the filter; nil: all do
	observerIn []bool
	periodIn   []bool
	// counted says for each combination of role and state, the lowest bits of a
	// row's meta word, whether such rows count; skip are the bits that rule a row out.
	counted  [1 << metaWho]bool
	skip     uint32
	states   [4]bool
	visits   bool // count visits, not responses
	from, to uint16
	// partition says that every row is in exactly one group, so that the
	// overall line is the sum of the groups and need not be counted apart.
	partition           bool
	bandCodes, capCodes []string
	// bandAt and capAt translate the bands and caps of each block's version into
	// these lists.
	bandAt, capAt [][]int
	// span is one more than the highest total there can be, in half hundredths,
	// if totals are counted by group and value; 0 if they are listed.
	span int
}

func (t *Table) plan(q Query) *plan {
	p := &plan{table: t, query: q, to: 1<<16 - 1}
	for _, b := range t.blocks {
		tpl := b.layout.scorer.form.Template
		if tpl.Code != q.Template || b.live == 0 {
			continue // a version that nobody used counts as if it had never been there
		}
		p.blocks = append(p.blocks, b)
	}
	sort.Slice(p.blocks, func(i, j int) bool { return version(p.blocks[i]) < version(p.blocks[j]) })
	p.scheme = &survey.Scheme{}
	if n := len(p.blocks); n > 0 {
		p.scheme = p.blocks[n-1].layout.scorer.scheme
	}
	role := slices.Index(survey.RatingRoles, q.Role)
	p.visits = q.Role == survey.RoleObserver && !q.ByResponse
	p.skip = metaDropped
	if p.visits {
		p.skip |= metaPaired
	}
	for i, s := range tableStates {
		p.states[i] = s.Counts()
		if len(q.Filter.States) > 0 {
			p.states[i] = slices.Contains(q.Filter.States, s)
		}
		if role >= 0 {
			p.counted[role<<metaRole|i<<metaState] = p.states[i]
		}
	}
	if q.Filter.From != 0 {
		p.from = uint16(max(0, q.Filter.From-dateZero))
	}
	if q.Filter.To != 0 {
		p.to = uint16(max(0, q.Filter.To-dateZero))
	}
	p.filterPlaces()
	p.observerIn = members(&t.observers, q.Filter.Observers)
	p.periodIn = members(&t.periods, q.Filter.Periods)
	p.group(q.By)
	if q.And != "" {
		p.cross()
	}
	p.partition = q.By != ByTag && q.And != ByTag
	// Bands and caps of all versions, the latest version's first.
	for i := len(p.blocks) - 1; i >= 0; i-- {
		scheme := p.blocks[i].layout.scorer.scheme
		for _, b := range scheme.Bands {
			if !slices.Contains(p.bandCodes, b.Code) {
				p.bandCodes = append(p.bandCodes, b.Code)
			}
		}
		for _, c := range scheme.Caps {
			if !slices.Contains(p.capCodes, c.Code) {
				p.capCodes = append(p.capCodes, c.Code)
			}
		}
	}
	highest := uint32(0)
	for _, b := range p.blocks {
		p.rows += len(b.meta)
		scheme := b.layout.scorer.scheme
		bands, caps := make([]int, len(scheme.Bands)), make([]int, len(scheme.Caps))
		for i := range scheme.Bands {
			bands[i] = slices.Index(p.bandCodes, scheme.Bands[i].Code)
		}
		for i := range scheme.Caps {
			caps[i] = slices.Index(p.capCodes, scheme.Caps[i].Code)
		}
		p.bandAt, p.capAt = append(p.bandAt, bands), append(p.capAt, caps)
		highest = max(highest, b.highest)
	}
	if span := 2*int(highest) + 1; p.dense(span, 4) {
		p.span = span
	}
	return p
}

// mostCounters bounds the memory in which totals are counted by group and
// value: 16 MB for each core. With more groups than that they are listed and
// sorted, which costs by visit and not by group. So they are where most counters
// would stay empty, unless there are but a few.
const mostCounters, fewCounters = 1 << 22, 1 << 18

// dense reports whether so many counters for each group are worth their memory: at
// most so many a row.
func (p *plan) dense(counters, aRow int) bool {
	all := counters * (len(p.keys) + 1)
	return all <= fewCounters || all <= min(mostCounters, aRow*p.rows)
}

func version(b *block) int { return b.layout.scorer.form.Template.Version }

// members marks which of the names are wanted; nil when all are.
func members[T ~string](names *numbering, wanted []T) []bool {
	if len(wanted) == 0 {
		return nil
	}
	in := make([]bool, names.len())
	for i := range in {
		in[i] = slices.Contains(wanted, T(names.name(uint32(i))))
	}
	return in
}

// filterPlaces works out once for each place whether it passes the filter.
func (p *plan) filterPlaces() {
	f := &p.query.Filter
	if len(f.Under) == 0 && f.Within == "" && len(f.Sectors) == 0 && len(f.Structures) == 0 && len(f.Settings) == 0 && len(f.Tags) == 0 {
		return
	}
	pl := &p.table.places
	under, within := make([]bool, len(pl.nodes)), make([]bool, len(pl.nodes))
	for i, n := range pl.nodes { // parents come first
		unit := survey.UnitCode(pl.units.name(n.unit))
		under[i] = len(f.Under) == 0 || slices.Contains(f.Under, unit) || (n.parent > 0 && under[n.parent-1])
		within[i] = f.Within == "" || f.Within == unit || (n.parent > 0 && within[n.parent-1])
	}
	structures := members(&pl.structures, f.Structures)
	settings := members(&pl.settings, f.Settings)
	sectors := make([]bool, pl.sectors.len())
	for i := range sectors {
		sector := pl.sectors.name(uint32(i))
		sectors[i] = len(f.Sectors) == 0 || slices.ContainsFunc(f.Sectors, func(want string) bool { return p.table.lists.SectorUnder(sector, want) })
	}
	tagged := make([]bool, len(pl.tags))
	for i, tags := range pl.tags {
		tagged[i] = len(f.Tags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(f.Tags, tag) })
	}
	p.placeIn = make([]bool, len(pl.all))
	for i, at := range pl.all {
		p.placeIn[i] = under[at.node] && within[at.node] && sectors[at.sector] && tagged[at.tagSet] &&
			(structures == nil || structures[at.structure]) && (settings == nil || settings[at.setting])
	}
}

// mostGroups bounds how many groups two crossed groupings may make.
const mostGroups = 1 << 20

// crossSign stands between the two codes of a crossed group; no code has it.
const crossSign = "\x00"

// cross makes of the groups that there are those that each has with a group of
// the other grouping.
func (p *plan) cross() {
	keys, places, tags, row := p.keys, p.placeGroup, p.tagGroups, p.rowGroup
	p.keys, p.placeGroup, p.tagGroups, p.rowGroup = nil, nil, nil, nil
	p.group(p.query.And)
	n := int32(len(p.keys))
	seconds, places2, tags2, row2 := p.keys, p.placeGroup, p.tagGroups, p.rowGroup
	p.keys, p.placeGroup, p.tagGroups, p.rowGroup = nil, nil, nil, nil
	if len(keys)*len(seconds) > mostGroups {
		p.keys = make([]string, mostGroups+1) // refused before it is counted
		return
	}
	for _, a := range keys {
		for _, b := range seconds {
			p.keys = append(p.keys, a+crossSign+b)
		}
	}
	pl := &p.table.places
	of := func(groups []int32, tagged [][]int32, place int) []int32 {
		if tagged != nil {
			return tagged[pl.all[place].tagSet]
		}
		return groups[place : place+1]
	}
	if row == nil && row2 == nil {
		p.placeLists = make([][]int32, len(pl.all))
		for i := range pl.all {
			for _, a := range of(places, tags, i) {
				for _, b := range of(places2, tags2, i) {
					p.placeLists[i] = append(p.placeLists[i], a*n+b)
				}
			}
		}
		return
	}
	p.rowLists = func(b *block, at uint32, room []int32) []int32 {
		firsts, others := [1]int32{}, [1]int32{}
		list := func(row func(*block, uint32) int32, groups []int32, tagged [][]int32, one *[1]int32) []int32 {
			if row != nil {
				one[0] = row(b, at)
				return one[:]
			}
			return of(groups, tagged, int(b.place[at]))
		}
		for _, x := range list(row, places, tags, &firsts) {
			for _, y := range list(row2, places2, tags2, &others) {
				room = append(room, x*n+y)
			}
		}
		return room
	}
}

// group works out the groups and which places belong to them.
func (p *plan) group(by Grouping) {
	pl := &p.table.places
	one := func(of func(at place) int32) {
		p.placeGroup = make([]int32, len(pl.all))
		for i, at := range pl.all {
			p.placeGroup[i] = of(at)
		}
	}
	byText := func(n *numbering, of func(at place) uint16, name func(string) string) {
		at := map[string]int32{}
		groups := make([]int32, n.len())
		for i := range groups {
			groups[i] = p.key(at, name(n.name(uint32(i))))
		}
		one(func(pl place) int32 { return groups[of(pl)] })
	}
	same := func(s string) string { return s }
	depth, superior := by.depth()
	switch {
	case superior:
		p.groupByDepth(depth)
	case by == BySector:
		byText(&pl.sectors, func(at place) uint16 { return at.sector }, same)
	case by == ByRollup:
		byText(&pl.sectors, func(at place) uint16 { return at.sector }, func(s string) string {
			sec, _ := p.table.lists.Sector(s)
			return sec.Rollup
		})
	case by == ByStructure:
		byText(&pl.structures, func(at place) uint16 { return at.structure }, same)
	case by == BySetting:
		byText(&pl.settings, func(at place) uint16 { return at.setting }, same)
	case by == ByParent:
		at := map[string]int32{}
		one(func(at2 place) int32 {
			code := ""
			if up := pl.nodes[at2.node].parent; up > 0 {
				code = pl.units.name(pl.nodes[up-1].unit)
			}
			return p.key(at, code)
		})
	case by == ByTag:
		at := map[string]int32{}
		p.tagGroups = make([][]int32, len(pl.tags))
		for i, tags := range pl.tags {
			for _, tag := range tags {
				p.tagGroups[i] = append(p.tagGroups[i], p.key(at, tag))
			}
		}
	case by == ByObserver:
		p.keys = p.table.observers.names()
		p.rowGroup = func(b *block, row uint32) int32 { return int32(b.observer[row]) }
	case by == ByPeriod:
		p.keys = p.table.periods.names()
		p.rowGroup = func(b *block, row uint32) int32 { return int32(b.period[row]) }
	default:
		p.keys = []string{""}
		one(func(place) int32 { return 0 })
	}
}

// groupByDepth groups by the unit at a depth of the path; what lies above it
// counts under its own lowest unit.
func (p *plan) groupByDepth(depth uint32) {
	pl := &p.table.places
	at := map[string]int32{}
	groups := make([]int32, len(pl.nodes))
	for i, n := range pl.nodes {
		if n.depth <= depth {
			groups[i] = p.key(at, pl.units.name(n.unit))
		} else {
			groups[i] = groups[n.parent-1]
		}
	}
	p.placeGroup = make([]int32, len(pl.all))
	for i, pl := range pl.all {
		p.placeGroup[i] = groups[pl.node]
	}
}

func (p *plan) key(at map[string]int32, code string) int32 {
	if g, ok := at[code]; ok {
		return g
	}
	g := int32(len(p.keys))
	at[code] = g
	p.keys = append(p.keys, code)
	return g
}

// partial is what one goroutine has added up.
type partial struct {
	accs []accumulator // by group, the overall one last
	// hist counts codes by block, group, item and code, in half visits.
	hist [][]uint32
	// varied adds up points of items whose points vary, by block, group and item.
	varied [][]int64
	// full and zero count these by block, group and item for varied items.
	variedFull, variedZero [][]uint32
	// totals counts totals by group and value; listed has them one by one when
	// there are too many groups for that.
	totals []uint32
	listed []groupTotal
	seen   []bool // places with a counted response
	// observed adds up totals by group and observer, for intervals; sparse does so
	// where most pairs have nothing in common. Both are nil if nobody asks.
	observed []observedSum
	sparse   map[observedPair]observedSum
}

// observedPair is a group and one who observed in it.
type observedPair struct {
	group    int32
	observer uint32
}

// observedSum adds up one observer's totals in one group, in half hundredths.
type observedSum struct {
	n   uint32
	sum uint64
}

func (o *observedSum) add(p observedSum) {
	o.n += p.n
	o.sum += p.sum
}

// groupTotal is one visit's total, in half hundredths, in one group.
type groupTotal struct {
	group int32
	total uint32
}

// rowsAtOnce is the number of rows below which one goroutine does it all.
const rowsAtOnce = 1 << 16

// run adds everything up, on several cores when there is much.
func (p *plan) run() []*partial {
	type chunk struct{ block, from, to int }
	const pairs = -1
	var chunks []chunk
	if p.visits {
		for from := 0; from < len(p.table.visits); from += rowsAtOnce {
			chunks = append(chunks, chunk{pairs, from, min(from+rowsAtOnce, len(p.table.visits))})
		}
	}
	for i, b := range p.blocks {
		for from := 0; from < len(b.meta); from += rowsAtOnce {
			chunks = append(chunks, chunk{i, from, min(from+rowsAtOnce, len(b.meta))})
		}
	}
	var next atomic.Int64
	// Each has counters of its own, which cost more than a few rows: only whole
	// chunks are worth another.
	workers := max(1, min(runtime.GOMAXPROCS(0), len(chunks), p.rows/rowsAtOnce+1))
	parts := make([]*partial, workers)
	var wg sync.WaitGroup
	for w := range workers {
		parts[w] = p.newPartial()
		work := func() {
			for i := int(next.Add(1)) - 1; i < len(chunks); i = int(next.Add(1)) - 1 {
				if c := chunks[i]; c.block == pairs {
					p.addPairs(parts[w], p.table.visits[c.from:c.to])
				} else {
					p.addRows(parts[w], c.block, c.from, c.to)
				}
			}
		}
		if w == workers-1 {
			work()
			continue
		}
		wg.Add(1)
		go func() { defer wg.Done(); work() }()
	}
	wg.Wait()
	return parts
}

func (p *plan) newPartial() *partial {
	out := &partial{accs: make([]accumulator, len(p.keys)+1), seen: make([]bool, len(p.table.places.all)), totals: make([]uint32, p.span*(len(p.keys)+1))}
	for i := range out.accs {
		out.accs[i].bands = make([]int, len(p.bandCodes))
		out.accs[i].first = make([]int, len(p.bandCodes))
		out.accs[i].caps = make([]int, len(p.capCodes))
	}
	if p.query.Intervals {
		if n := p.table.observers.len(); p.dense(n, 1) {
			out.observed = make([]observedSum, n*(len(p.keys)+1))
		} else {
			out.sparse = map[observedPair]observedSum{}
		}
	}
	if p.query.Items {
		for _, b := range p.blocks {
			n := (len(p.keys) + 1) * len(b.layout.items)
			out.hist = append(out.hist, make([]uint32, n*b.layout.width))
			out.varied = append(out.varied, make([]int64, n))
			out.variedFull = append(out.variedFull, make([]uint32, n))
			out.variedZero = append(out.variedZero, make([]uint32, n))
		}
	}
	return out
}

// counts reports whether a row that is not dropped passes every filter.
func (p *plan) counts(b *block, row uint32) bool {
	if p.placeIn != nil && !p.placeIn[b.place[row]] {
		return false
	}
	if p.observerIn != nil && !p.observerIn[b.observer[row]] {
		return false
	}
	if p.periodIn != nil && !p.periodIn[b.period[row]] {
		return false
	}
	return b.date[row] >= p.from && b.date[row] <= p.to
}

// groupsOf gives the groups that a row is in; one is where a single one is put.
func (p *plan) groupsOf(b *block, row uint32, one *[1]int32) []int32 {
	if p.rowGroup != nil {
		one[0] = p.rowGroup(b, row)
		return one[:]
	}
	if p.rowLists != nil {
		return p.rowLists(b, row, one[:0])
	}
	return p.groupsOfPlace(b.place[row], one)
}

func (p *plan) groupsOfPlace(place uint32, one *[1]int32) []int32 {
	if p.placeLists != nil {
		return p.placeLists[place]
	}
	if p.tagGroups != nil {
		return p.tagGroups[p.table.places.all[place].tagSet]
	}
	one[0] = p.placeGroup[place]
	return one[:]
}

// addRows adds the rows that stand alone.
func (p *plan) addRows(out *partial, block, from, to int) {
	b := p.blocks[block]
	var one [1]int32
	overall := int32(len(p.keys))
	for row := uint32(from); row < uint32(to); row++ {
		meta := b.meta[row]
		if meta&p.skip != 0 || !p.counted[meta&(1<<metaWho-1)] || !p.counts(b, row) {
			continue
		}
		out.seen[b.place[row]] = true
		v := p.visitOfRow(block, row)
		if !p.partition {
			p.addVisit(out, overall, &v)
			p.addItems(out, block, row, overall, 2)
		}
		for _, g := range p.groupsOf(b, row, &one) {
			p.addVisit(out, g, &v)
			p.addItems(out, block, row, g, 2)
		}
	}
}

// visit is what one visit adds to its groups.
type visit struct {
	block                       int // in plan.blocks
	observer                    uint32
	responses                   int
	approved, doubled, disputed bool
	reason                      byte
	total                       uint32 // half hundredths
	band, first                 int8   // indexes in the block's scheme
	caps                        uint32
}

func (p *plan) visitOfRow(block int, row uint32) visit {
	b := p.blocks[block]
	meta := b.meta[row]
	return visit{block: block, observer: b.observer[row], responses: 1, approved: tableStates[meta>>metaState&3] == survey.StateApproved,
		reason: byte(meta >> metaReason & 3), total: 2 * b.total[row],
		band: int8(meta>>metaBand&0xff) - 1, first: int8(meta>>metaFirst&0xff) - 1, caps: b.caps[row]}
}

// addPairs adds the visits that have more than a lead's rating.
func (p *plan) addPairs(out *partial, visits []visitRatings) {
	var one [1]int32
	var room [2]rowRef
	overall := int32(len(p.keys))
	blocks := make([]int, len(p.table.blocks)) // the plan's number of each; -1 for another template's
	for i, b := range p.table.blocks {
		blocks[i] = slices.Index(p.blocks, b)
	}
	for i := range visits {
		use, weights := p.ratingsThatCount(&visits[i], room[:0])
		if len(use) == 0 || blocks[use[0].block] < 0 {
			continue
		}
		// All of a visit counts where its first rating belongs, so that the items
		// of a group are those of the group's visits. The other rating may name
		// another day, on which the unit stood elsewhere, and another observer.
		first := p.table.blocks[use[0].block]
		groups := p.groupsOf(first, use[0].row, &one)
		out.seen[first.place[use[0].row]] = true
		sum := p.visitOfRow(blocks[use[0].block], use[0].row)
		if len(use) == 2 {
			second := p.visitOfRow(blocks[use[1].block], use[1].row)
			sum = p.merge(sum, second)
		}
		for _, g := range groups {
			p.addVisit(out, g, &sum)
		}
		if !p.partition {
			p.addVisit(out, overall, &sum)
		}
		for _, at := range use {
			n := blocks[at.block]
			for _, g := range groups {
				p.addItems(out, n, at.row, g, weights)
			}
			if !p.partition {
				p.addItems(out, n, at.row, overall, weights)
			}
		}
	}
}

// ratingsThatCount picks the ratings that stand for a visit, and what each
// weighs in half visits: the adjudicator's alone, else lead and second. The
// first of them decides to which groups the visit belongs.
func (p *plan) ratingsThatCount(v *visitRatings, use []rowRef) ([]rowRef, uint32) {
	passes := func(bit uint8, at rowRef) bool {
		if v.has&bit == 0 {
			return false
		}
		b := p.table.blocks[at.block]
		return p.states[b.meta[at.row]>>metaState&3] && p.counts(b, at.row)
	}
	if passes(4, v.adjudicator) {
		return append(use, v.adjudicator), 2
	}
	lead, second := passes(1, v.lead), passes(2, v.second)
	switch {
	case lead && second:
		return append(use, v.lead, v.second), 1
	case lead:
		return append(use, v.lead), 2
	case second:
		return append(use, v.second), 2
	}
	return nil, 0
}

// merge makes one visit of its two ratings. Of two totals it takes the mean; its
// band is that of the mean as shown, lowered by every cap that fired in either.
func (p *plan) merge(first, second visit) visit {
	out := first
	switch {
	case reasons[first.reason] != Scored && reasons[second.reason] == Scored:
		out = second
	case reasons[second.reason] != Scored:
	default:
		out.disputed = difference(first.total, second.total) > 2*adjudicateDifference ||
			p.bandOf(&first) != p.bandOf(&second)
		out.total = (first.total + second.total) / 2
		p.regrade(&out, &second)
	}
	out.responses, out.doubled = 2, true
	out.approved = first.approved && second.approved
	return out
}

func difference(a, b uint32) uint32 { return max(a, b) - min(a, b) }

func (p *plan) schemeOf(v *visit) *survey.Scheme { return p.blocks[v.block].layout.scorer.scheme }

// bandOf gives a visit's band as an index in bandCodes, -1 if it has none.
func (p *plan) bandOf(v *visit) int {
	if v.band < 0 {
		return -1
	}
	return p.bandAt[v.block][v.band]
}

// regrade finds the band of a mean total, capped by what fired in either rating.
func (p *plan) regrade(v, second *visit) {
	scheme := p.schemeOf(v)
	if v.first < 0 {
		return
	}
	unit := decimalUnit(scheme.Decimals)
	shown := survey.Points(divRound(int64(v.total), 2*unit) * unit)
	v.first = int8(BandFor(scheme, shown))
	v.band = v.first
	codes := p.schemeOf(second).Caps
	for i := range codes {
		if second.caps&(1<<i) == 0 {
			continue
		}
		for j := range scheme.Caps { // the same cap, whatever its place in the version
			if scheme.Caps[j].Code == codes[i].Code {
				v.caps |= 1 << j
			}
		}
	}
	for j := range scheme.Caps {
		if v.caps&(1<<j) != 0 {
			v.band = max(v.band, int8(scheme.Band(scheme.Caps[j].Band)))
		}
	}
}

func (p *plan) addVisit(out *partial, group int32, v *visit) {
	a := &out.accs[group]
	a.responses += v.responses
	a.visits++
	if v.approved {
		a.approved++
	}
	if v.doubled {
		a.doubled++
	}
	if v.disputed {
		a.toAdjudicate++
	}
	if reasons[v.reason] != Scored {
		a.notGraded[v.reason]++
		return
	}
	a.graded++
	a.sum += uint64(v.total)
	a.sumSquares += uint64(v.total) * uint64(v.total)
	if p.span > 0 {
		out.totals[int(group)*p.span+int(v.total)]++
	} else {
		out.listed = append(out.listed, groupTotal{group, v.total})
	}
	if out.observed != nil {
		out.observed[int(group)*p.table.observers.len()+int(v.observer)].add(observedSum{1, uint64(v.total)})
	} else if out.sparse != nil {
		pair := observedPair{group, v.observer}
		o := out.sparse[pair]
		o.add(observedSum{1, uint64(v.total)})
		out.sparse[pair] = o
	}
	if v.band < 0 {
		return
	}
	a.banded++
	a.bands[p.bandAt[v.block][v.band]]++
	a.first[p.bandAt[v.block][v.first]]++
	for caps := v.caps; caps != 0; caps &= caps - 1 {
		a.caps[p.capAt[v.block][bits.TrailingZeros32(caps)]]++
	}
}

// addItems counts one response's item codes.
func (p *plan) addItems(out *partial, block int, row uint32, group int32, weight uint32) {
	if !p.query.Items {
		return
	}
	b := p.blocks[block]
	l := b.layout
	codes := b.items[int(row)*l.bytes : (int(row)+1)*l.bytes]
	first := int(group) * len(l.items)
	hist := out.hist[block][first*l.width : (first+len(l.items))*l.width]
	if l.bytes == len(l.items) { // no item varies
		at := 0
		for _, code := range codes {
			hist[at+int(code)] += weight
			at += l.width
		}
		return
	}
	for i, k := 0, 0; i < len(l.items); i++ {
		code := codes[k]
		hist[i*l.width+int(code)] += weight
		k++
		if !l.items[i].varies {
			continue
		}
		points := survey.Points(int16(uint16(codes[k]) | uint16(codes[k+1])<<8))
		k += 2
		if code != firstValue {
			continue
		}
		out.varied[block][first+i] += int64(weight) * int64(points)
		if points == l.items[i].max {
			out.variedFull[block][first+i] += weight
		}
		if points == 0 {
			out.variedZero[block][first+i] += weight
		}
	}
}
