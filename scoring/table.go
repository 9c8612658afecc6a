package scoring

import (
	"encoding/hex"
	"slices"
	"sync"

	"github.com/khaosat/khaosat/survey"
)

// Table keeps a round's responses as packed rows in memory; every summary is
// computed from it. It is filled from packed rows alone and can be dropped and
// filled anew at any time. It is safe for concurrent use: rows are applied one
// batch at a time, and any number of summaries run at once between batches.
type Table struct {
	mu     sync.RWMutex
	lists  *survey.TypeLists
	blocks []*block
	places places
	// observers and periods are numbered in the order of their appearance.
	observers numbering
	periods   numbering
	// where finds the row of a response, to replace it.
	where map[[16]byte]rowRef
	// Populations and assignments give the denominators, by template.
	populations map[survey.TemplateCode][]uint32
	assigned    map[assignedKey]units
	visits      []visitRatings
	pairsDirty  bool
	paired      map[visitKey]uint32
}

// block holds the rows of one template version, column by column, and the
// items' codes row by row.
type block struct {
	layout   *Layout
	live     int    // rows that are not dropped
	items    []byte // len(rows) x layout.bytes
	place    []uint32
	observer []uint32
	period   []uint16
	date     []uint16 // days since dateZero
	total    []uint32 // hundredths
	highest  uint32   // no total is above it
	caps     []uint32
	meta     []uint32
	id       [][16]byte
}

type rowRef struct {
	block uint16
	row   uint32
}

// dateZero is day 0 of a block's dates: 2000-01-01.
var dateZero = survey.MustDate("2000-01-01")

// visitKey is one visit whatever the role of the rating.
type visitKey struct {
	template uint16 // index of the first block of the template
	unit     uint32
	period   uint16
}

// visitRatings are the ratings of a visit that has more than the lead's.
type visitRatings struct {
	lead, second, adjudicator rowRef
	has                       uint8 // bit 0 lead, 1 second, 2 adjudicator
}

type assignedKey struct {
	template survey.TemplateCode
	role     survey.Role
	period   string
}

// The parts of a row's meta word.
const (
	metaRole    = 0       // 3 bits: index in survey.RatingRoles
	metaState   = 3       // 2 bits: index in tableStates
	metaWho     = 5       // the number of bits that role and state take
	metaReason  = 5       // 2 bits
	metaBand    = 8       // 8 bits: index of the band plus one
	metaFirst   = 16      // 8 bits
	metaPaired  = 1 << 30 // one of a visit's several ratings, in Table.visits
	metaDropped = 1 << 31
)

// tableStates are the review states a packed row can be in.
var tableStates = []survey.ReviewState{survey.StateSubmitted, survey.StateReturned, survey.StateApproved}

// NewTable makes an empty table. The lists give sectors their roll-ups.
func NewTable(lists *survey.TypeLists) *Table {
	return &Table{
		lists:       lists,
		where:       map[[16]byte]rowRef{},
		populations: map[survey.TemplateCode][]uint32{},
		assigned:    map[assignedKey]units{},
		paired:      map[visitKey]uint32{},
		places:      newPlaces(),
		observers:   newNumbering(),
		periods:     newNumbering(),
	}
}

// Lists gives the type lists the table was made with.
func (t *Table) Lists() *survey.TypeLists { return t.lists }

// LayoutSource finds the layout of a template version.
type LayoutSource func(code survey.TemplateCode, version int) (*Layout, error)

// Apply takes in new and changed rows. A row replaces an earlier one of the
// same response; one without packed bytes removes it. After an error the rows
// before it are in.
func (t *Table) Apply(rows []survey.Row, layouts LayoutSource) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range rows {
		if err := t.apply(&rows[i], layouts); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) apply(row *survey.Row, layouts LayoutSource) error {
	id, ok := parseID(row.ID)
	if !ok {
		return errPacked
	}
	old, had := t.where[id]
	if len(row.Packed) == 0 {
		if had {
			t.drop(old)
			delete(t.where, id)
		}
		return nil
	}
	p, err := unpack(row.Packed)
	if err != nil {
		return err
	}
	index, b, err := t.block(p.template, p.version, layouts)
	if err != nil {
		return err
	}
	if len(p.items) != b.layout.bytes {
		return errPacked
	}
	place, err := t.places.number(p.place)
	if err != nil {
		return err
	}
	role := slices.IndexFunc(survey.RatingRoles, func(r survey.Role) bool { return string(r) == string(p.role) })
	state := slices.Index(tableStates, row.State)
	if role < 0 || state < 0 {
		return errPacked
	}
	at := rowRef{block: uint16(index), row: uint32(len(b.meta))}
	if had {
		t.drop(old)
	}
	if had && old.block == at.block {
		at = old // the same version: its place is free again
	} else {
		b.grow()
	}
	n := at.row
	copy(b.items[int(n)*b.layout.bytes:], p.items)
	b.place[n] = place
	b.observer[n] = t.observers.number(p.observer)
	b.period[n] = uint16(t.periods.number(p.period))
	b.date[n] = uint16(max(0, p.date-dateZero))
	b.total[n] = uint32(p.total)
	b.highest = max(b.highest, b.total[n])
	b.caps[n] = p.caps
	b.id[n] = id
	b.meta[n] = uint32(role)<<metaRole | uint32(state)<<metaState | uint32(p.reason)<<metaReason |
		uint32(p.band+1)<<metaBand | uint32(p.bandFirst+1)<<metaFirst
	b.live++
	t.where[id] = at
	if partOfPair(survey.RatingRoles[role]) {
		t.pairsDirty = true
	} else if survey.RatingRoles[role] == survey.RoleObserver && !t.pairsDirty {
		_, t.pairsDirty = t.paired[t.visitOf(at)]
	}
	return nil
}

// partOfPair reports whether ratings of the role join a lead rating.
func partOfPair(r survey.Role) bool { return r == survey.RoleSecond || r == survey.RoleAdjudicator }

// drop marks a row as gone.
func (t *Table) drop(at rowRef) {
	b := t.blocks[at.block]
	if b.meta[at.row]&metaPaired != 0 || partOfPair(b.role(at.row)) {
		t.pairsDirty = true
	}
	b.live--
	b.meta[at.row] |= metaDropped
}

func (b *block) role(row uint32) survey.Role {
	return survey.RatingRoles[b.meta[row]>>metaRole&7]
}

// grow adds an empty row.
func (b *block) grow() {
	b.items = append(b.items, make([]byte, b.layout.bytes)...)
	b.place = append(b.place, 0)
	b.observer = append(b.observer, 0)
	b.period = append(b.period, 0)
	b.date = append(b.date, 0)
	b.total = append(b.total, 0)
	b.caps = append(b.caps, 0)
	b.meta = append(b.meta, 0)
	b.id = append(b.id, [16]byte{})
}

// Compact gives back the slack that growing left; worth it after a cold fill.
func (t *Table) Compact() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.places.compact()
	for _, b := range t.blocks {
		b.items = tight(b.items)
		b.place, b.observer, b.total, b.caps = tight(b.place), tight(b.observer), tight(b.total), tight(b.caps)
		b.meta = tight(b.meta)
		b.period, b.date = tight(b.period), tight(b.date)
		b.id = tight(b.id)
	}
}

// tight copies a slice whose slack is above a thirty-second of its length.
func tight[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/32 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// block finds or makes the block of a template version.
func (t *Table) block(code []byte, version int, layouts LayoutSource) (int, *block, error) {
	for i, b := range t.blocks {
		tpl := b.layout.scorer.form.Template
		if tpl.Version == version && string(tpl.Code) == string(code) {
			return i, b, nil
		}
	}
	l, err := layouts(survey.TemplateCode(code), version)
	if err != nil {
		return 0, nil, err
	}
	t.blocks = append(t.blocks, &block{layout: l})
	return len(t.blocks) - 1, t.blocks[len(t.blocks)-1], nil
}

// Len is the number of responses in the table.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.where)
}

// SetPopulation says which units a template of the round is about, as they
// stand on the day that coverage is counted for.
func (t *Table) SetPopulation(template survey.TemplateCode, units []*survey.Standing) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := make([]uint32, 0, len(units))
	buf := make([]byte, 0, 128)
	for _, u := range units {
		buf = appendPlace(buf[:0], u)
		p, err := t.places.number(buf)
		if err != nil {
			return err
		}
		ids = append(ids, p)
	}
	t.populations[template] = ids
	return nil
}

// Assign takes in which visits are assigned to somebody and which are so no
// longer.
func (t *Table) Assign(visits []survey.AssignedVisit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range visits {
		key := assignedKey{v.Template, v.Role, v.Period}
		set := t.assigned[key]
		set.put(t.places.units.numberOf(string(v.Unit)), v.Status.Open())
		t.assigned[key] = set
	}
}

// assignedUnits gives the units that are assigned in any period.
func (t *Table) assignedUnits(template survey.TemplateCode, role survey.Role) (all units) {
	for key, set := range t.assigned {
		if key.template == template && key.role == role {
			all = all.with(set)
		}
	}
	return all
}

// units is a set of units by their numbers, a bit for each.
type units []uint64

func (u *units) put(n uint32, in bool) {
	for int(n/64) >= len(*u) {
		*u = append(*u, 0)
	}
	if in {
		(*u)[n/64] |= 1 << (n % 64)
	} else {
		(*u)[n/64] &^= 1 << (n % 64)
	}
}

func (u units) has(n uint32) bool { return int(n/64) < len(u) && u[n/64]&(1<<(n%64)) != 0 }

// with gives the union as a set of its own.
func (u units) with(other units) units {
	if len(u) < len(other) {
		u, other = other, u
	}
	out := slices.Clone(u)
	for i := range other {
		out[i] |= other[i]
	}
	return out
}

// firstBlockOf numbers a template by the first block it has.
func (t *Table) firstBlockOf(b *block) uint16 {
	for i, other := range t.blocks {
		if other.layout.scorer.form.Template.Code == b.layout.scorer.form.Template.Code {
			return uint16(i)
		}
	}
	return 0
}

func (t *Table) visitOf(at rowRef) visitKey {
	b := t.blocks[at.block]
	return visitKey{t.firstBlockOf(b), t.places.unitOf(b.place[at.row]), b.period[at.row]}
}

// settlePairs brings together the ratings of each visit that has more than the
// lead's. It runs before a summary, and only after such ratings came in.
func (t *Table) settlePairs() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.pairsDirty {
		return
	}
	clear(t.paired)
	t.visits = t.visits[:0]
	withPair := make([]bool, t.places.units.len())
	t.eachRow(func(at rowRef, b *block) {
		b.meta[at.row] &^= metaPaired
		if !partOfPair(b.role(at.row)) {
			return
		}
		key := t.visitOf(at)
		n, known := t.paired[key]
		if !known {
			n = uint32(len(t.visits))
			t.visits = append(t.visits, visitRatings{})
			t.paired[key] = n
			withPair[key.unit] = true
		}
		v := &t.visits[n]
		if b.role(at.row) == survey.RoleSecond {
			v.second, v.has = at, v.has|2
		} else {
			v.adjudicator, v.has = at, v.has|4
		}
		b.meta[at.row] |= metaPaired
	})
	t.eachRow(func(at rowRef, b *block) {
		if !withPair[t.places.unitOf(b.place[at.row])] || b.role(at.row) != survey.RoleObserver {
			return
		}
		if n, ok := t.paired[t.visitOf(at)]; ok {
			t.visits[n].lead, t.visits[n].has = at, t.visits[n].has|1
			b.meta[at.row] |= metaPaired
		}
	})
	t.pairsDirty = false
}

func (t *Table) eachRow(do func(at rowRef, b *block)) {
	for i, b := range t.blocks {
		for row := range b.meta {
			if b.meta[row]&metaDropped == 0 {
				do(rowRef{uint16(i), uint32(row)}, b)
			}
		}
	}
}

// parseID reads a response's UUID into its 16 bytes.
func parseID(id survey.ResponseID) (out [16]byte, ok bool) {
	if len(id) != 36 {
		return out, false
	}
	var hexed [32]byte
	n := 0
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		hexed[n] = id[i]
		n++
	}
	_, err := hex.Decode(out[:], hexed[:])
	return out, err == nil
}
