package scoring

import (
	"cmp"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// ItemStat is what an item came to in a group. Counts are of visits; a visit
// rated twice counts half for each rating, so counts may end in .5.
type ItemStat struct {
	Item  string      `json:"item"`
	Label survey.Text `json:"label,omitempty"`
	// Scored tells criteria from other questions.
	Scored bool `json:"scored"`
	// N is how many had a value. The others are apart, and none is in N.
	N           float64 `json:"n"`
	NA          float64 `json:"na"`
	NotObserved float64 `json:"not_observed"`
	Blank       float64 `json:"blank"`
	NotAsked    float64 `json:"not_asked"`
	// Share is the mean of points earned over points possible, Full and Zero
	// how many earned all and nothing. Of scored items only; Share is nil when
	// N is zero.
	Share *float64 `json:"share,omitempty"`
	Full  float64  `json:"full"`
	Zero  float64  `json:"zero"`
	// Values counts by choice name or step number; empty for items whose
	// points vary.
	Values map[string]float64 `json:"values,omitempty"`
}

// finish turns what was added up into a summary.
func (p *plan) finish(parts []*partial) *Summary {
	all := parts[0]
	for _, other := range parts[1:] {
		all.merge(other)
	}
	overall := len(p.keys)
	if p.partition {
		for g := range p.keys {
			all.accs[overall].add(&all.accs[g])
		}
	}
	spreads := p.spreads(all)
	observed := p.observedSums(all)
	denominators := p.denominators(all.seen)
	out := &Summary{Template: p.query.Template, Role: p.query.Role, By: p.query.By, And: p.query.And, Groups: []Group{}}
	for _, b := range p.blocks {
		out.Versions = append(out.Versions, version(b))
	}
	for g, key := range p.keys {
		a := &all.accs[g]
		if a.visits == 0 && denominators.empty(g) {
			continue
		}
		line := p.groupOf(a, &spreads[g])
		line.Group, line.And, _ = strings.Cut(key, crossSign)
		p.intervals(&line, observed, g)
		denominators.fill(&line, g)
		if p.query.Items {
			line.Items = p.itemStats(all, g)
		}
		out.Groups = append(out.Groups, line)
	}
	slices.SortFunc(out.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(p.rank(p.query.By, a.Group), p.rank(p.query.By, b.Group)),
			cmp.Compare(p.rank(p.query.And, a.And), p.rank(p.query.And, b.And)))
	})
	out.Overall = p.groupOf(&all.accs[overall], &spreads[overall])
	denominators.fill(&out.Overall, overall)
	p.intervals(&out.Overall, observed, overall)
	if p.query.Items {
		if p.partition {
			p.sumItems(all)
		}
		out.Overall.Items = p.itemStats(all, overall)
	}
	return out
}

// rank orders groups: by the place on their list where there is one, then by code.
func (p *plan) rank(by Grouping, code string) string {
	prefix := func(i int) string { return string([]byte{byte(i >> 8), byte(i)}) + code }
	none := 1<<16 - 1
	index := func(i int) string {
		if i < 0 {
			i = none
		}
		return prefix(i)
	}
	l := p.table.lists
	coded := func(list []survey.TypeCode) string {
		return index(slices.IndexFunc(list, func(t survey.TypeCode) bool { return t.Code == code }))
	}
	switch by {
	case BySector:
		return index(slices.IndexFunc(l.Sectors, func(s survey.Sector) bool { return s.Code == code }))
	case ByStructure:
		return index(slices.IndexFunc(l.Structures, func(s survey.Structure) bool { return s.Code == code }))
	case ByRollup:
		return coded(l.Rollups)
	case BySetting:
		return coded(l.Settings)
	case ByTag:
		return coded(l.Tags)
	}
	return code
}

func (a *accumulator) add(b *accumulator) {
	a.responses += b.responses
	a.visits += b.visits
	a.approved += b.approved
	a.doubled += b.doubled
	a.toAdjudicate += b.toAdjudicate
	a.graded += b.graded
	a.banded += b.banded
	a.sum += b.sum
	a.sumSquares += b.sumSquares
	for i := range a.notGraded {
		a.notGraded[i] += b.notGraded[i]
	}
	for i := range a.bands {
		a.bands[i] += b.bands[i]
		a.first[i] += b.first[i]
	}
	for i := range a.caps {
		a.caps[i] += b.caps[i]
	}
}

func (out *partial) merge(b *partial) {
	for i := range out.accs {
		out.accs[i].add(&b.accs[i])
	}
	for i := range out.hist {
		addTo(out.hist[i], b.hist[i])
		addTo(out.varied[i], b.varied[i])
		addTo(out.variedFull[i], b.variedFull[i])
		addTo(out.variedZero[i], b.variedZero[i])
	}
	addTo(out.totals, b.totals)
	for i, o := range b.observed {
		out.observed[i].add(o)
	}
	for pair, o := range b.sparse {
		was := out.sparse[pair]
		was.add(o)
		out.sparse[pair] = was
	}
	out.listed = append(out.listed, b.listed...)
	for i, seen := range b.seen {
		out.seen[i] = out.seen[i] || seen
	}
}

func addTo[T uint32 | int64](a, b []T) {
	for i := range a {
		a[i] += b[i]
	}
}

// sumItems makes the overall line of a partition the sum of its groups.
func (p *plan) sumItems(all *partial) {
	for i, b := range p.blocks {
		n := len(b.layout.items)
		for g := range p.keys {
			addTo(all.hist[i][len(p.keys)*n*b.layout.width:], all.hist[i][g*n*b.layout.width:(g+1)*n*b.layout.width])
			addTo(all.varied[i][len(p.keys)*n:], all.varied[i][g*n:(g+1)*n])
			addTo(all.variedFull[i][len(p.keys)*n:], all.variedFull[i][g*n:(g+1)*n])
			addTo(all.variedZero[i][len(p.keys)*n:], all.variedZero[i][g*n:(g+1)*n])
		}
	}
}

// spread is how a group's totals are spread, in half hundredths: the lowest, the
// quartiles and the highest.
type spread [5]float64

// spreadOf works a spread out of n numbers of which at gives the k-th smallest.
func spreadOf(n int, at func(k int) uint32) (out spread) {
	if n == 0 {
		return out
	}
	for i := range out {
		out[i] = quantile(n, float64(i)/4, at)
	}
	return out
}

// spreads gives every group's spread, the overall line's last.
func (p *plan) spreads(all *partial) []spread {
	overall := len(p.keys)
	out := make([]spread, overall+1)
	if p.span == 0 {
		for g, sorted := range p.sortTotals(all.listed) {
			out[g] = spreadOf(len(sorted), func(k int) uint32 { return sorted[k] })
		}
		return out
	}
	if p.partition {
		for g := range overall {
			addTo(all.totals[overall*p.span:], all.totals[g*p.span:(g+1)*p.span])
		}
	}
	for g := range out {
		counts, value, below := all.totals[g*p.span:(g+1)*p.span], 0, 0
		// Asked for from the smallest up but for a step back here and there, so
		// that one walk over the counts serves.
		out[g] = spreadOf(all.accs[g].graded, func(k int) uint32 {
			if k < below {
				value, below = 0, 0
			}
			for below+int(counts[value]) <= k {
				below += int(counts[value])
				value++
			}
			return uint32(value)
		})
	}
	return out
}

// sortTotals sorts every group's totals, the overall line's last: first all of
// them by counting, then stably into their groups. Its cost does not depend on
// how many groups there are.
func (p *plan) sortTotals(totals []groupTotal) [][]uint32 {
	highest := uint32(0)
	counts := make([]int, len(p.keys)+1)
	for _, t := range totals {
		highest = max(highest, t.total)
		counts[t.group]++
	}
	starts := make([]uint32, highest+2)
	for _, t := range totals {
		starts[t.total+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	ordered := make([]groupTotal, len(totals))
	for _, t := range totals {
		ordered[starts[t.total]] = t
		starts[t.total]++
	}
	overall := len(p.keys)
	if p.partition {
		counts[overall] = len(totals)
	}
	out := make([][]uint32, len(counts))
	for g, n := range counts {
		out[g] = make([]uint32, 0, n)
	}
	for _, t := range ordered {
		out[t.group] = append(out[t.group], t.total)
		if p.partition {
			out[overall] = append(out[overall], t.total)
		}
	}
	return out
}

// observedSums gives what each observer's totals come to, by group, the overall
// line's last; nil if nobody asked. Observers are in the order of their numbers, so
// that sums of them are the same to the last digit however they were counted.
func (p *plan) observedSums(all *partial) [][]observedSum {
	overall, n := len(p.keys), p.table.observers.len()
	out := make([][]observedSum, overall+1)
	switch {
	case all.observed != nil:
		for g := range out {
			out[g] = all.observed[g*n : (g+1)*n]
		}
	case all.sparse != nil:
		pairs := slices.SortedFunc(maps.Keys(all.sparse), func(a, b observedPair) int {
			return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.observer, b.observer))
		})
		if p.partition {
			out[overall] = make([]observedSum, n)
		}
		for _, pair := range pairs {
			o := all.sparse[pair]
			out[pair.group] = append(out[pair.group], o)
			if p.partition {
				out[overall][pair.observer].add(o)
			}
		}
		return out
	default:
		return nil
	}
	if p.partition {
		for _, sums := range out[:overall] {
			for i, o := range sums {
				out[overall][i].add(o)
			}
		}
	}
	return out
}

// intervals lays the intervals around a line's mean and shares, when they were
// asked for.
func (p *plan) intervals(line *Group, observed [][]observedSum, group int) {
	if !p.query.Intervals {
		return
	}
	for code, hits := range line.Bands {
		if i, ok := Wilson(float64(hits), float64(line.Banded), Level); ok {
			if line.BandIntervals == nil {
				line.BandIntervals = map[string]Interval{}
			}
			line.BandIntervals[code] = i
		}
	}
	if observed == nil || line.N == 0 {
		return
	}
	// ClusteredMean with weights of one, from the sums by observer.
	clusters, squares := 0.0, 0.0
	for _, o := range observed[group] {
		if o.n == 0 {
			continue
		}
		clusters++
		z := (float64(o.sum)/perPoint - float64(o.n)**line.Mean) / float64(line.N)
		squares += z * z
	}
	if clusters > 1 {
		e := around(*line.Mean, math.Sqrt(clusters/(clusters-1)*squares), clusters-1, line.N, Level)
		line.MeanInterval = &e.Interval
	}
}

// perPoint is how many half hundredths a point has.
const perPoint = 200

// groupOf turns an accumulator and the group's sorted totals into a line.
func (p *plan) groupOf(a *accumulator, s *spread) Group {
	g := Group{Responses: a.responses, Visits: a.visits, Approved: a.approved, Doubled: a.doubled, ToAdjudicate: a.toAdjudicate,
		N: a.graded, Banded: a.banded, Small: a.visits < SmallCell,
		Bands: map[string]int{}, BandsFirst: map[string]int{}, BandShares: map[string]float64{}}
	for i, n := range a.notGraded {
		if n > 0 {
			if g.NotGraded == nil {
				g.NotGraded = map[Reason]int{}
			}
			g.NotGraded[reasons[i]] = n
		}
	}
	for i, code := range p.bandCodes {
		g.Bands[code], g.BandsFirst[code] = a.bands[i], a.first[i]
		if a.banded > 0 {
			g.BandShares[code] = float64(a.bands[i]) / float64(a.banded)
		}
	}
	for i, code := range p.capCodes {
		if a.caps[i] > 0 {
			if g.Caps == nil {
				g.Caps = map[string]int{}
			}
			g.Caps[code] = a.caps[i]
		}
	}
	if a.graded == 0 {
		return g
	}
	n := float64(a.graded)
	g.Mean = ref(float64(a.sum) / n / perPoint)
	if a.graded > 1 {
		g.SD = ref(deviation(a.graded, a.sum, a.sumSquares) / perPoint)
	}
	g.Min, g.Q1, g.Median, g.Q3, g.Max = ref(s[0]/perPoint), ref(s[1]/perPoint), ref(s[2]/perPoint), ref(s[3]/perPoint), ref(s[4]/perPoint)
	return g
}

func ref(f float64) *float64 { return &f }

// deviation is the sample standard deviation (n-1) of whole numbers from their
// exact sums: sqrt((n*sum(x^2) - sum(x)^2) / (n*(n-1))).
func deviation(n int, sum, squares uint64) float64 {
	v := new(big.Int).Mul(big.NewInt(int64(n)), new(big.Int).SetUint64(squares))
	s := new(big.Int).SetUint64(sum)
	v.Sub(v, s.Mul(s, s))
	d := new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(int64(n-1)))
	f, _ := new(big.Rat).SetFrac(v, d).Float64()
	return math.Sqrt(f)
}

// Quantile gives the p-quantile of sorted numbers by Hyndman and Fan's type 7:
// h = (n-1)p, x[floor(h)] + (h-floor(h))*(x[floor(h)+1]-x[floor(h)]). It is the
// default of R and NumPy and Excel's QUARTILE.INC (Hyndman and Fan 1996). NaN
// for no numbers.
func Quantile[T uint32 | float64](sorted []T, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return quantile(len(sorted), p, func(k int) T { return sorted[k] })
}

// quantile is Quantile of n numbers of which at gives the k-th smallest; it is
// asked for two neighbours, the smaller first.
func quantile[T uint32 | float64](n int, p float64, at func(k int) T) float64 {
	h := float64(n-1) * p
	low := int(h)
	if low >= n-1 {
		return float64(at(n - 1))
	}
	x := float64(at(low))
	return x + (h-float64(low))*(float64(at(low+1))-x)
}

// itemStats merges the versions of every item by its name, in the order of the
// latest version, items that it has no more behind.
func (p *plan) itemStats(all *partial, group int) []ItemStat {
	at := map[string]int{}
	var out []ItemStat
	var shares []float64 // sum of points over maximum, in half visits
	for i := len(p.blocks) - 1; i >= 0; i-- {
		l := p.blocks[i].layout
		for j := range l.items {
			it := &l.items[j]
			k, known := at[it.name]
			if !known {
				k = len(out)
				at[it.name] = k
				item, _ := l.scorer.form.Item(it.slot)
				out = append(out, ItemStat{Item: it.name, Label: item.Label, Scored: it.scored >= 0})
				shares = append(shares, 0)
			}
			n := group*len(l.items) + j
			shares[k] += out[k].add(l, it, all.hist[i][n*l.width:(n+1)*l.width], all.varied[i][n], all.variedFull[i][n], all.variedZero[i][n])
		}
	}
	for k := range out {
		if out[k].Scored && out[k].N > 0 {
			out[k].Share = ref(shares[k] / 2 / out[k].N)
		}
	}
	return out
}

// add takes in one version's counts and gives the sum of its shares, in half visits.
func (s *ItemStat) add(l *Layout, it *layoutItem, hist []uint32, varied int64, full, zero uint32) float64 {
	half := func(n uint32) float64 { return float64(n) / 2 }
	s.NotAsked += half(hist[codeNotAsked])
	s.Blank += half(hist[codeBlank])
	s.NA += half(hist[codeNA])
	s.NotObserved += half(hist[codeNotObserved])
	if it.varies {
		s.N += half(hist[firstValue])
		s.Full += half(full)
		s.Zero += half(zero)
		return float64(varied) / float64(it.max)
	}
	var points int64 // in half hundredths, exact
	list := l.scorer.form.List(it.slot)
	for v := range it.values {
		n := hist[firstValue+v]
		if n == 0 {
			continue
		}
		s.N += half(n)
		if s.Values == nil {
			s.Values = map[string]float64{}
		}
		s.Values[valueName(list, v)] += half(n)
		if it.scored < 0 {
			continue
		}
		points += int64(n) * int64(it.points[v])
		if it.points[v] == it.max {
			s.Full += half(n)
		}
		if it.points[v] == 0 {
			s.Zero += half(n)
		}
	}
	if it.scored < 0 || it.max == 0 {
		return 0
	}
	return float64(points) / float64(it.max)
}

// valueName names a value code: the choice, or the step counted from 1.
func valueName(list *survey.ChoiceList, v int) string {
	if list != nil && v < len(list.Choices) {
		return list.Choices[v].Name
	}
	return "step_" + strconv.Itoa(v+1)
}

// denominators count units by group; nil slices where the grouping has none.
type denominators struct {
	inScope, assigned, observed []int
	// byRow says that the groups are not groups of units, so that only the
	// overall line has denominators.
	byRow   bool
	overall int
}

// denominators counts, for groupings by what a unit is, the units in scope, the
// assigned ones and the observed ones. A unit that stood in two places of one
// group during the round counts once there.
func (p *plan) denominators(seen []bool) denominators {
	t := p.table
	overall := len(p.keys)
	d := denominators{byRow: p.rowGroup != nil || p.rowLists != nil, overall: overall, inScope: make([]int, overall+1), assigned: make([]int, overall+1), observed: make([]int, overall+1)}
	assigned := t.assignedUnits(p.query.Template, p.query.Role)
	var one [1]int32
	groups := func(place uint32) []int32 {
		if p.rowGroup != nil || p.rowLists != nil {
			return one[:0]
		}
		return p.groupsOfPlace(place, &one)
	}
	for _, place := range t.populations[p.query.Template] {
		if p.placeIn != nil && !p.placeIn[place] {
			continue
		}
		has := assigned.has(t.places.unitOf(place))
		count := func(g int32) {
			d.inScope[g]++
			if has {
				d.assigned[g]++
			}
		}
		count(int32(overall))
		for _, g := range groups(place) {
			count(g)
		}
	}
	type unitInGroup struct {
		unit  uint32
		group int32
	}
	counted := map[unitInGroup]bool{}
	moved := t.places.movedUnits()
	for place, has := range seen {
		if !has {
			continue
		}
		unit := t.places.unitOf(uint32(place))
		count := func(g int32) {
			if moved[unit] {
				if counted[unitInGroup{unit, g}] {
					return
				}
				counted[unitInGroup{unit, g}] = true
			}
			d.observed[g]++
		}
		count(int32(overall))
		for _, g := range groups(uint32(place)) {
			count(g)
		}
	}
	return d
}

// movedUnits marks the units that stood in more than one place.
func (p *places) movedUnits() []bool {
	once, more := make([]bool, p.units.len()), make([]bool, p.units.len())
	for i := range p.all {
		u := p.unitOf(uint32(i))
		more[u] = once[u]
		once[u] = true
	}
	return more
}

func (d *denominators) empty(group int) bool { return d.inScope[group] == 0 }

func (d *denominators) fill(line *Group, group int) {
	if d.byRow && group != d.overall {
		return
	}
	line.InScope, line.Assigned, line.Observed = &d.inScope[group], &d.assigned[group], &d.observed[group]
}
