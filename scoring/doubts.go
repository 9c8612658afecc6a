package scoring

import (
	"math"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// DoubtKind says what is odd about a rating. An odd rating is not a wrong one.
type DoubtKind string

const (
	// DoubtStraight: every criterion got the same step of its scale.
	DoubtStraight DoubtKind = "straight"
	// DoubtSame: the observer gave another unit the same answers throughout.
	DoubtSame DoubtKind = "same"
	// DoubtSelf: the unit rates itself far above its observer.
	DoubtSelf DoubtKind = "self"
	// DoubtSpread: the observer's totals hardly differ from unit to unit.
	DoubtSpread DoubtKind = "spread"
)

// Doubt is one thing that is odd.
type Doubt struct {
	Kind DoubtKind
	// Of is the rating it is about; of DoubtSpread only its Observer.
	Of Rated
	// Other is the rating that Of is odd beside: DoubtSame and DoubtSelf.
	Other *Rated
	// Number is how many criteria there were (straight, same), by how many points
	// (self) or the standard deviation (spread); Usual is that of all observers.
	Number, Usual float64
}

const (
	fewestAlike  = 8    // criteria that must be the same to be odd
	farAbove     = 15   // points by which a self rating is odd
	fewestSpread = 5    // ratings from which an observer's spread is looked at
	littleSpread = 0.25 // of the median spread of observers
)

// Doubts lists what is odd in the lead and second ratings that pass the query's
// filter, and in self ratings beside the lead's. Ratings with all points, or
// none of them, are not odd for being alike: units that do all of it exist.
func (t *Table) Doubts(q Query) []Doubt {
	q.Role, q.By, q.And, q.ByResponse, q.Items = survey.RoleObserver, ByNothing, "", true, false
	t.mu.RLock()
	defer t.mu.RUnlock()
	p := t.plan(q)
	ratings := p.ratingsOf(survey.RoleObserver, survey.RoleSecond)
	out := p.alike(ratings)
	out = append(out, p.selfAbove(ratings)...)
	return append(out, p.withoutSpread(ratings)...)
}

// alike finds ratings whose criteria are all on one step, and pairs of ratings by
// one observer that are the same throughout.
func (p *plan) alike(ratings []rating) (out []Doubt) {
	type key struct {
		block    int
		observer uint32
		items    string
	}
	first := map[key]int{}
	for i := range ratings {
		r := &ratings[i]
		b := p.blocks[r.block]
		l := b.layout
		row := b.items[int(r.row)*l.bytes : (int(r.row)+1)*l.bytes]
		answered, step, same, full := 0, -1, true, true
		at := 0
		for j := range l.items {
			it := &l.items[j]
			code := int(row[at]) - firstValue
			at++
			if it.varies {
				at += 2
			}
			if it.scored < 0 || it.varies || it.values < 3 || code < 0 || code >= it.values {
				continue
			}
			answered++
			if step < 0 {
				step = code
			}
			same = same && code == step
			full = full && it.points[code] == it.max
		}
		if answered < fewestAlike || full {
			continue
		}
		if same {
			out = append(out, Doubt{Kind: DoubtStraight, Of: p.rated(b, r.row), Number: float64(answered)})
		}
		k := key{r.block, r.observer, string(row)}
		if other, before := first[k]; before {
			o := p.rated(p.blocks[ratings[other].block], ratings[other].row)
			if of := p.rated(b, r.row); of.Unit != o.Unit {
				out = append(out, Doubt{Kind: DoubtSame, Of: of, Other: &o, Number: float64(answered)})
			}
			continue
		}
		first[k] = i
	}
	return out
}

func (p *plan) selfAbove(ratings []rating) (out []Doubt) {
	leads := map[visitKey]int{}
	for i := range ratings {
		if p.blocks[ratings[i].block].role(ratings[i].row) == survey.RoleObserver {
			leads[p.visitKeyOf(&ratings[i])] = i
		}
	}
	every := *p
	every.observerIn = nil // whoever rates themselves is not the observer filtered for
	for _, r := range every.ratingsOf(survey.RoleSelf) {
		i, both := leads[p.visitKeyOf(&r)]
		if !both || r.total-ratings[i].total < farAbove {
			continue
		}
		lead := p.rated(p.blocks[ratings[i].block], ratings[i].row)
		out = append(out, Doubt{Kind: DoubtSelf, Of: p.rated(p.blocks[r.block], r.row), Other: &lead, Number: r.total - ratings[i].total})
	}
	return out
}

func (p *plan) withoutSpread(ratings []rating) (out []Doubt) {
	totals := map[uint32][]float64{}
	for i := range ratings {
		totals[ratings[i].observer] = append(totals[ratings[i].observer], ratings[i].total)
	}
	type of struct {
		observer uint32
		sd       float64
	}
	var spreads []of
	var sorted []float64
	for observer, x := range totals {
		if len(x) < fewestSpread {
			continue
		}
		_, v := moments(x)
		spreads, sorted = append(spreads, of{observer, math.Sqrt(v)}), append(sorted, math.Sqrt(v))
	}
	if len(sorted) < fewestSpread {
		return nil // nobody to compare with
	}
	slices.Sort(sorted)
	usual := Quantile(sorted, 0.5)
	slices.SortFunc(spreads, func(a, b of) int { return int(a.observer) - int(b.observer) })
	for _, s := range spreads {
		if s.sd < littleSpread*usual {
			out = append(out, Doubt{Kind: DoubtSpread, Of: Rated{Observer: survey.PersonID(p.table.observers.name(s.observer))}, Number: s.sd, Usual: usual})
		}
	}
	return out
}
