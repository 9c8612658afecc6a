package scoring

import (
	"cmp"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// Rated is one response as it lies in the table.
type Rated struct {
	ID       survey.ResponseID
	Unit     survey.UnitCode
	Sector   string
	Observer survey.PersonID
	Role     survey.Role
	Period   string
	Date     survey.Date
	State    survey.ReviewState
	// Total is in points and nil when not graded; Band and BandFirst are codes
	// after and before caps, "" for none; Caps are the codes of those that fired.
	Total     *float64
	Band      string
	BandFirst string
	Caps      []string
}

// Graded reports whether the response has a total.
func (r *Rated) Graded() bool { return r.Total != nil }

// List gives the responses of the query's role that pass its filter, the lowest
// totals first, those without a total behind, and how many there are. No more
// than limit are given.
func (t *Table) List(q Query, limit int) ([]Rated, int) {
	if q.Role == "" {
		q.Role = survey.RoleObserver
	}
	q.By, q.And, q.ByResponse = ByNothing, "", true
	t.mu.RLock()
	defer t.mu.RUnlock()
	p := t.plan(q)
	type at struct {
		block int
		row   uint32
		key   uint64
	}
	var found []at
	for i, b := range p.blocks {
		for row := range uint32(len(b.meta)) {
			meta := b.meta[row]
			if meta&p.skip != 0 || !p.counted[meta&(1<<metaWho-1)] || !p.counts(b, row) {
				continue
			}
			key := uint64(b.total[row])
			if reasons[meta>>metaReason&3] != Scored {
				key = 1 << 40
			}
			found = append(found, at{i, row, key})
		}
	}
	slices.SortFunc(found, func(a, b at) int {
		return cmp.Or(cmp.Compare(a.key, b.key), slices.Compare(p.blocks[a.block].id[a.row][:], p.blocks[b.block].id[b.row][:]))
	})
	out := make([]Rated, 0, min(limit, len(found)))
	for _, f := range found[:min(limit, len(found))] {
		out = append(out, p.rated(p.blocks[f.block], f.row))
	}
	return out, len(found)
}

// rated spells a row out.
func (p *plan) rated(b *block, row uint32) Rated {
	t, scheme, meta := p.table, b.layout.scorer.scheme, b.meta[row]
	place := t.places.all[b.place[row]]
	out := Rated{ID: formatID(b.id[row]), Unit: survey.UnitCode(t.places.units.name(t.places.nodes[place.node].unit)),
		Sector: t.places.sectors.name(uint32(place.sector)), Observer: survey.PersonID(t.observers.name(b.observer[row])),
		Role: b.role(row), Period: t.periods.name(uint32(b.period[row])), Date: dateZero + survey.Date(b.date[row]),
		State: tableStates[meta>>metaState&3]}
	if reasons[meta>>metaReason&3] != Scored {
		return out
	}
	out.Total = ref(float64(b.total[row]) / 100)
	name := func(band int) string {
		if band < 0 || band >= len(scheme.Bands) {
			return ""
		}
		return scheme.Bands[band].Code
	}
	out.Band, out.BandFirst = name(int(meta>>metaBand&0xff)-1), name(int(meta>>metaFirst&0xff)-1)
	for i := range scheme.Caps {
		if b.caps[row]&(1<<i) != 0 {
			out.Caps = append(out.Caps, scheme.Caps[i].Code)
		}
	}
	return out
}
