package scoring

import (
	"encoding/hex"

	"github.com/khaosat/khaosat/survey"
)

// Rating is where one response of a table stands.
type Rating struct {
	ID survey.ResponseID
	survey.VisitKey
	Observer survey.PersonID
	State    survey.ReviewState
	// Date is the day of the meeting.
	Date survey.Date
}

// RatingFilter says which ratings are asked for; empty fields do not narrow.
type RatingFilter struct {
	Template survey.TemplateCode
	Role     survey.Role
	Observer survey.PersonID
	Unit     survey.UnitCode
}

// Ratings gives the responses of the round that pass the filter, whatever their
// review state; those held for review are not among them. The key's Round stays
// empty: a table is about one.
func (t *Table) Ratings(f RatingFilter) []Rating {
	var out []Rating
	t.eachRating(f, func(r Rating, id [16]byte) {
		r.ID = formatID(id)
		out = append(out, r)
	})
	return out
}

// EachRating calls do with what Ratings gives, one after the other and without
// the ids. The table stays as it is meanwhile: do must not wait for a change.
func (t *Table) EachRating(f RatingFilter, do func(Rating)) {
	t.eachRating(f, func(r Rating, _ [16]byte) { do(r) })
}

func (t *Table) eachRating(f RatingFilter, do func(r Rating, id [16]byte)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var observer, unit uint32
	known := true
	if f.Observer != "" {
		observer, known = t.observers.known([]byte(f.Observer))
	}
	if f.Unit != "" && known {
		unit, known = t.places.units.known([]byte(f.Unit))
	}
	if !known {
		return
	}
	t.eachRow(func(at rowRef, b *block) {
		tpl := b.layout.scorer.form.Template
		if f.Template != "" && tpl.Code != f.Template || f.Role != "" && b.role(at.row) != f.Role ||
			f.Observer != "" && b.observer[at.row] != observer || f.Unit != "" && t.places.unitOf(b.place[at.row]) != unit {
			return
		}
		do(Rating{
			VisitKey: survey.VisitKey{Template: tpl.Code, Unit: survey.UnitCode(t.places.units.name(t.places.unitOf(b.place[at.row]))),
				Role: b.role(at.row), Period: t.periods.name(uint32(b.period[at.row]))},
			Observer: survey.PersonID(t.observers.name(b.observer[at.row])),
			State:    tableStates[b.meta[at.row]>>metaState&3],
			Date:     dateZero + survey.Date(b.date[at.row]),
		}, b.id[at.row])
	})
}

func formatID(id [16]byte) survey.ResponseID {
	var out [36]byte
	hex.Encode(out[:8], id[:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:], id[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return survey.ResponseID(out[:])
}
