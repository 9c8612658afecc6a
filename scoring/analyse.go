package scoring

import (
	"math"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// Analysis tells how far the ratings of a round can be trusted: how well two
// observers of one visit agree, how strict each is, and what the groups' means
// become when that is taken out.
type Analysis struct {
	Template survey.TemplateCode `json:"template"`
	By       Grouping            `json:"by"`
	// Ratings counts the graded ratings of lead and second observers; all
	// figures but those about self ratings come from them.
	Ratings int `json:"ratings"`
	// Doubled counts visits with a graded rating of both.
	Doubled int            `json:"doubled"`
	Totals  TotalAgreement `json:"totals"`
	Bands   Categories     `json:"bands"`
	Items   []Categories   `json:"items"`
	// Consistency is nil when there is too little for it.
	Consistency *ItemConsistency `json:"consistency"`
	// Parts and Largest say into how many groups the observers fall when those
	// who rated the same visit are linked; see Linked.
	Parts     int            `json:"observer_parts"`
	Largest   int            `json:"observer_largest"`
	Observers []ObserverLine `json:"observers"`
	// Between and Within are variances: between observers, and of one's ratings.
	// Nil when nothing can be said of them.
	Between *float64 `json:"variance_between"`
	Within  *float64 `json:"variance_within"`
	// Adjusted has raw and adjusted means by group, the overall line last.
	Adjusted []AdjustedLine `json:"adjusted"`
	// PostStratified weighs the sectors by their units in scope; nil when a
	// sector has a single visit or nothing was observed.
	PostStratified *PostStratified `json:"post_stratified"`
	// Others compares other roles' ratings of the same visits with the lead's.
	Others []RoleDifference `json:"others"`
}

// TotalAgreement is how near the totals of two observers are.
type TotalAgreement struct {
	// Difference is the second's total less the lead's.
	Difference *Estimate `json:"difference"`
	// Within are the visits whose totals are at most ten points apart.
	Within int  `json:"within_ten"`
	ICC    *ICC `json:"icc"` // ICC(1): observers differ from visit to visit
}

// Categories is how well ratings in categories agree. Coefficients are nil
// when too few visits were rated twice or when they are not defined.
type Categories struct {
	Item  string      `json:"item,omitempty"` // "" for the band
	Label survey.Text `json:"label,omitempty"`
	// Pairs counts visits in which both gave a value, OneSided those in which
	// one did and the other said not applicable, not observed or nothing.
	Pairs    int      `json:"pairs"`
	OneSided int      `json:"one_sided"`
	Exact    *float64 `json:"exact"`
	Adjacent *float64 `json:"adjacent"`
	Kappa    *float64 `json:"kappa"` // quadratic weights
	AC1      *float64 `json:"ac1"`
	AC2      *float64 `json:"ac2"` // quadratic weights
	// Krippendorff's alpha by metric; the interval metric takes points.
	Nominal  *float64 `json:"alpha_nominal"`
	Ordinal  *float64 `json:"alpha_ordinal"`
	Interval *float64 `json:"alpha_interval"`
	TooFew   bool     `json:"too_few"`
}

// ItemConsistency is Cronbach's alpha of the criteria that nine in ten ratings have.
type ItemConsistency struct {
	Consistency
	Items []ItemRest `json:"items"`
}

// ItemRest is how one criterion goes with the rest of them.
type ItemRest struct {
	Item    string   `json:"item"`
	Rest    *float64 `json:"rest"`    // correlation with the sum of the others
	Dropped *float64 `json:"dropped"` // alpha without it
}

// ObserverLine is one observer's ratings beside those of the others.
type ObserverLine struct {
	Observer survey.PersonID `json:"observer"`
	Label    survey.Text     `json:"label,omitempty"`
	Mean     float64         `json:"mean"`
	SD       *float64        `json:"sd"`
	// Severity is in points against what is usual for the sectors visited; nil
	// when observers cannot be told apart.
	Severity *Severity `json:"severity"`
	// Drift is the change in 30 days of the same differences; nil below ten ratings.
	Drift *Estimate `json:"drift"`
}

// AdjustedLine is a group's mean as it is and less its observers' severity.
type AdjustedLine struct {
	Group string      `json:"group"`
	Label survey.Text `json:"label,omitempty"`
	N     int         `json:"n"` // ratings
	Raw   float64     `json:"raw"`
	// RawInterval knows that one observer's ratings go together; nil below two
	// observers.
	RawInterval *Interval `json:"raw_interval"`
	Observers   int       `json:"observers"`
	Adjusted    *float64  `json:"adjusted"`
	Whole       bool      `json:"whole,omitempty"` // everything together
}

// RoleDifference compares a role's ratings with the lead's of the same visits.
type RoleDifference struct {
	Role  survey.Role `json:"role"`
	Pairs int         `json:"pairs"`
	// Difference is the role's total less the lead's; nil below two.
	Difference *Change `json:"difference"`
}

// driftDays is the unit of time of a drift, fewestForDrift the ratings it takes.
const (
	driftDays      = 30
	fewestForDrift = 10
)

// rating is one graded rating.
type rating struct {
	block           int // in plan.blocks
	row             uint32
	observer, place uint32
	total           float64
}

// Analyse looks at how far the ratings of the query's template agree. The query's
// role and ByResponse do not count. Invalid when the grouping does not exist.
func (t *Table) Analyse(q Query) (*Analysis, error) {
	if q.By == "" {
		q.By = BySector
	}
	if !q.By.Valid() {
		return nil, groupingUnknown(q.By)
	}
	q.Role, q.ByResponse, q.Items, q.And = survey.RoleObserver, true, false, ""
	t.settlePairs()
	t.mu.RLock()
	defer t.mu.RUnlock()
	p := t.plan(q)
	out := &Analysis{Template: q.Template, By: q.By, Items: []Categories{}, Observers: []ObserverLine{}, Adjusted: []AdjustedLine{}, Others: []RoleDifference{}}
	ratings := p.ratingsOf(survey.RoleObserver, survey.RoleSecond)
	out.Ratings = len(ratings)
	p.agreement(out)
	severity := p.observers(out, ratings)
	p.adjust(out, ratings, severity)
	p.consistency(out, ratings)
	p.stratify(out)
	p.others(out)
	return out, nil
}

// ratingsOf lists the graded ratings of the roles that pass the filter.
func (p *plan) ratingsOf(roles ...survey.Role) []rating {
	var out []rating
	for i, b := range p.blocks {
		for row := range uint32(len(b.meta)) {
			if b.meta[row]&metaDropped != 0 || !slices.Contains(roles, b.role(row)) || !p.graded(b, row) {
				continue
			}
			out = append(out, rating{i, row, b.observer[row], b.place[row], float64(b.total[row]) / 100})
		}
	}
	return out
}

// graded reports whether a row passes state and filter and has a total.
func (p *plan) graded(b *block, row uint32) bool {
	meta := b.meta[row]
	return p.states[meta>>metaState&3] && reasons[meta>>metaReason&3] == Scored && p.counts(b, row)
}

// crossing collects how pairs of ratings of one question fall.
type crossing struct {
	item           string
	label          survey.Text
	values         []survey.Points // categories, from the lowest
	units          []Counts
	crossed        [][]int
	oneSided       int
	withoutMeaning bool // values are no more than names of bands
}

func newCrossing(values []survey.Points) *crossing {
	c := &crossing{values: values, crossed: make([][]int, len(values))}
	for i := range c.crossed {
		c.crossed[i] = make([]int, len(values))
	}
	return c
}

func (c *crossing) add(lead, second int) {
	if lead < 0 || second < 0 {
		if lead >= 0 || second >= 0 {
			c.oneSided++
		}
		return
	}
	u := make(Counts, len(c.values))
	u[lead]++
	u[second]++
	c.units = append(c.units, u)
	c.crossed[lead][second]++
}

func (c *crossing) finish() Categories {
	out := Categories{Item: c.item, Label: c.label, Pairs: len(c.units), OneSided: c.oneSided, TooFew: !EnoughPairs(len(c.units))}
	if out.TooFew {
		return out
	}
	agreed, _ := Agree(c.units)
	out.Exact, out.Adjacent = &agreed.Exact, &agreed.Adjacent
	worth := make([]float64, len(c.values))
	for i, v := range c.values {
		worth[i] = float64(v) / 100
	}
	out.Kappa = known(WeightedKappa(c.crossed))
	out.AC1 = known(GwetAC(c.units, len(c.values), false))
	out.AC2 = known(GwetAC(c.units, len(c.values), true))
	out.Nominal = known(KrippendorffAlpha(c.units, nil, Nominal))
	out.Ordinal = known(KrippendorffAlpha(c.units, nil, Ordinal))
	if !c.withoutMeaning {
		out.Interval = known(KrippendorffAlpha(c.units, worth, IntervalOf))
	}
	return out
}

// known is nil for what is not.
func known[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// agreement compares lead and second of the visits that have both.
func (p *plan) agreement(out *Analysis) {
	items := p.crossings()
	bands := newCrossing(make([]survey.Points, len(p.bandCodes)))
	bands.withoutMeaning = true
	var leads, seconds []float64
	var units [][]float64
	for i := range p.table.visits {
		v := &p.table.visits[i]
		if v.has&3 != 3 {
			continue
		}
		lead, second := p.table.blocks[v.lead.block], p.table.blocks[v.second.block]
		at, other := slices.Index(p.blocks, lead), slices.Index(p.blocks, second)
		if at < 0 || other < 0 || !p.graded(lead, v.lead.row) || !p.graded(second, v.second.row) {
			continue
		}
		a, b := float64(lead.total[v.lead.row])/100, float64(second.total[v.second.row])/100
		leads, seconds, units = append(leads, a), append(seconds, b), append(units, []float64{a, b})
		if math.Abs(a-b) <= adjudicateDifference/100 {
			out.Totals.Within++
		}
		one, two := p.visitOfRow(at, v.lead.row), p.visitOfRow(other, v.second.row)
		bands.add(p.bandOf(&one), p.bandOf(&two))
		for name, c := range items.of {
			c.add(items.category(at, name, lead, v.lead.row), items.category(other, name, second, v.second.row))
		}
	}
	out.Doubled = len(units)
	if change, ok := PairedChange(leads, seconds, Level); ok {
		out.Totals.Difference = &change.Estimate
	}
	if EnoughPairs(len(units)) {
		out.Totals.ICC = known(ICC1(units, Level))
	}
	out.Bands = bands.finish()
	for _, name := range items.order {
		out.Items = append(out.Items, items.of[name].finish())
	}
}

// crossings are the criteria whose points are steps of a scale, by name.
type crossings struct {
	order []string
	of    map[string]*crossing
	at    []map[string]itemPlace // by block
}

// itemPlace is where an item's code lies in a row.
type itemPlace struct {
	offset int
	item   *layoutItem
}

func (p *plan) crossings() crossings {
	out := crossings{of: map[string]*crossing{}}
	values, labels := map[string][]survey.Points{}, map[string]survey.Text{}
	for i := len(p.blocks) - 1; i >= 0; i-- { // the latest version names them
		l := p.blocks[i].layout
		places := map[string]itemPlace{}
		offset := 0
		for j := range l.items {
			it := &l.items[j]
			if it.scored >= 0 && !it.varies {
				if _, known := values[it.name]; !known {
					out.order = append(out.order, it.name)
					item, _ := l.scorer.form.Item(it.slot)
					labels[it.name] = item.Label
				}
				values[it.name] = append(values[it.name], it.points...)
				places[it.name] = itemPlace{offset, it}
			}
			offset++
			if it.varies {
				offset += 2
			}
		}
		out.at = append([]map[string]itemPlace{places}, out.at...)
	}
	for name, v := range values {
		slices.Sort(v)
		c := newCrossing(slices.Compact(v))
		c.item, c.label = name, labels[name]
		out.of[name] = c
	}
	return out
}

// category gives which step of its scale an item got in a row; -1 for none.
func (c *crossings) category(block int, name string, b *block, row uint32) int {
	at, there := c.at[block][name]
	if !there {
		return -1
	}
	code := int(b.items[int(row)*b.layout.bytes+at.offset]) - firstValue
	if code < 0 || code >= len(at.item.points) {
		return -1
	}
	step, _ := slices.BinarySearch(c.of[name].values, at.item.points[code])
	return step
}

// observers estimates severity and drift against the mean of the sector, and
// gives the severity by observer's number; nil when they cannot be told apart.
func (p *plan) observers(out *Analysis, ratings []rating) []float64 {
	t := p.table
	sums, counts := make([]float64, t.places.sectors.len()), make([]int, t.places.sectors.len())
	sector := func(r *rating) uint16 { return t.places.all[r.place].sector }
	for i := range ratings {
		sums[sector(&ratings[i])] += ratings[i].total
		counts[sector(&ratings[i])]++
	}
	residuals, totals, days := make([][]float64, t.observers.len()), make([][]float64, t.observers.len()), make([][]float64, t.observers.len())
	for i := range ratings {
		r := &ratings[i]
		s := sector(r)
		residuals[r.observer] = append(residuals[r.observer], r.total-sums[s]/float64(counts[s]))
		totals[r.observer] = append(totals[r.observer], r.total)
		days[r.observer] = append(days[r.observer], float64(p.blocks[r.block].date[r.row])/driftDays)
	}
	var pairs [][2]int
	seen := make([]int, t.observers.len()) // the number among those with a rating, plus one
	for i := range residuals {
		if len(residuals[i]) > 0 {
			out.Observers = append(out.Observers, ObserverLine{Observer: survey.PersonID(t.observers.name(uint32(i)))})
			seen[i] = len(out.Observers)
		}
	}
	for i := range t.visits {
		if v := &t.visits[i]; v.has&3 == 3 {
			a, b := t.blocks[v.lead.block].observer[v.lead.row], t.blocks[v.second.block].observer[v.second.row]
			if slices.Contains(p.blocks, t.blocks[v.lead.block]) && seen[a] > 0 && seen[b] > 0 {
				pairs = append(pairs, [2]int{seen[a] - 1, seen[b] - 1})
			}
		}
	}
	out.Parts, out.Largest = Linked(len(out.Observers), pairs)
	all, told := SeverityOf(residuals)
	var severity []float64
	if told {
		out.Between, out.Within = &all.Between, &all.Within
		severity = make([]float64, len(residuals))
	}
	for i := range residuals {
		if seen[i] == 0 {
			continue
		}
		line := &out.Observers[seen[i]-1]
		mean, variance := moments(totals[i])
		line.Mean = mean
		if len(totals[i]) > 1 {
			line.SD = ref(math.Sqrt(variance))
		}
		if told {
			line.Severity = &all.Observers[i]
			severity[i] = all.Observers[i].Shrunk
		}
		if len(residuals[i]) >= fewestForDrift {
			if d, ok := DriftOf(days[i], residuals[i], Level); ok {
				line.Drift = &d.Slope
			}
		}
	}
	slices.SortStableFunc(out.Observers, func(a, b ObserverLine) int {
		x, y := bySeverity(a), bySeverity(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return slices.Compare([]byte(a.Observer), []byte(b.Observer))
	})
	return severity
}

func bySeverity(o ObserverLine) float64 {
	if o.Severity == nil {
		return 0
	}
	return o.Severity.Shrunk
}

// adjust gives the groups' means before and after severity is taken out.
func (p *plan) adjust(out *Analysis, ratings []rating, severity []float64) {
	overall := len(p.keys)
	y, adjusted, cluster := make([][]float64, overall+1), make([]float64, overall+1), make([][]int, overall+1)
	var one [1]int32
	for i := range ratings {
		r := &ratings[i]
		add := func(g int) {
			y[g], cluster[g] = append(y[g], r.total), append(cluster[g], int(r.observer))
			if severity != nil {
				adjusted[g] += r.total - severity[r.observer]
			}
		}
		for _, g := range p.groupsOf(p.blocks[r.block], r.row, &one) {
			add(int(g))
		}
		add(overall)
	}
	for g := range y {
		n := len(y[g])
		if n == 0 {
			continue
		}
		line := AdjustedLine{N: n, Whole: g == overall}
		if g < overall {
			line.Group = p.keys[g]
		}
		line.Raw, _ = moments(y[g])
		if e, ok := ClusteredMean(y[g], nil, cluster[g], Level); ok {
			line.RawInterval, line.Observers = &e.Interval, int(e.DF)+1
		} else {
			line.Observers = 1
		}
		if severity != nil {
			line.Adjusted = ref(adjusted[g] / float64(n))
		}
		out.Adjusted = append(out.Adjusted, line)
	}
	last := max(0, len(out.Adjusted)-1)
	slices.SortStableFunc(out.Adjusted[:last], func(a, b AdjustedLine) int {
		return slices.Compare([]byte(p.rank(p.query.By, a.Group)), []byte(p.rank(p.query.By, b.Group)))
	})
}

// mostForConsistency bounds how many ratings a consistency is worked out from:
// above it every second, third ... is taken.
const mostForConsistency = 20_000

// consistency works out Cronbach's alpha over the points of the criteria.
func (p *plan) consistency(out *Analysis, ratings []rating) {
	if len(p.blocks) == 0 || len(ratings) < fewestPairable {
		return
	}
	items := p.crossings()
	every := (len(ratings) + mostForConsistency - 1) / mostForConsistency
	var rows [][]float64
	has := make([]int, len(items.order))
	for i := 0; i < len(ratings); i += every {
		r := &ratings[i]
		row := make([]float64, len(items.order))
		for j, name := range items.order {
			row[j] = math.NaN()
			if k := items.category(r.block, name, p.blocks[r.block], r.row); k >= 0 {
				row[j] = float64(items.of[name].values[k]) / 100
				has[j]++
			}
		}
		rows = append(rows, row)
	}
	var names []string
	for j, name := range items.order {
		if 10*has[j] >= 9*len(rows) {
			for i := range rows {
				rows[i][len(names)] = rows[i][j]
			}
			names = append(names, name)
		}
	}
	for i := range rows {
		rows[i] = rows[i][:len(names)]
	}
	c, ok := CronbachAlpha(rows, Level)
	if !ok || c.N < fewestPairable {
		return
	}
	out.Consistency = &ItemConsistency{Consistency: c}
	for j, name := range names {
		out.Consistency.Items = append(out.Consistency.Items, ItemRest{name, number(c.ItemRest[j]), number(c.Dropped[j])})
	}
}

// number is nil for what is none.
func number(f float64) *float64 {
	if math.IsNaN(f) {
		return nil
	}
	return &f
}

// stratify weighs the sectors' means by their units in scope.
func (p *plan) stratify(out *Analysis) {
	q := p.query
	q.By, q.ByResponse, q.Items = BySector, false, false
	by := p.table.plan(q)
	sum := by.finish(by.run())
	var strata []Stratum
	for _, g := range sum.Groups {
		if g.InScope == nil || *g.InScope == 0 {
			continue
		}
		s := Stratum{Population: *g.InScope, N: g.N}
		if g.Mean != nil {
			s.Mean = *g.Mean
		}
		if g.SD != nil {
			s.SD = *g.SD
		}
		strata = append(strata, s)
	}
	if post, ok := PostStratify(strata, false, Level); ok && !math.IsNaN(post.Low) {
		out.PostStratified = &post
	}
}

// others compares what other roles say of a visit with the lead's rating.
func (p *plan) others(out *Analysis) {
	leads := map[visitKey]float64{}
	for _, r := range p.ratingsOf(survey.RoleObserver) {
		leads[p.visitKeyOf(&r)] = r.total
	}
	for _, role := range []survey.Role{survey.RoleSelf, survey.RoleMembers, survey.RoleSuperior} {
		// Whoever rates themselves is not the observer that was filtered for.
		every := *p
		every.observerIn = nil
		var lead, other []float64
		for _, r := range every.ratingsOf(role) {
			if total, both := leads[p.visitKeyOf(&r)]; both {
				lead, other = append(lead, total), append(other, r.total)
			}
		}
		if len(lead) == 0 {
			continue
		}
		out.Others = append(out.Others, RoleDifference{role, len(lead), known(PairedChange(lead, other, Level))})
	}
}

func (p *plan) visitKeyOf(r *rating) visitKey {
	b := p.blocks[r.block]
	return visitKey{0, p.table.places.unitOf(r.place), b.period[r.row]}
}
