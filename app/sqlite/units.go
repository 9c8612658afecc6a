package sqlite

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"
)

var typeLists = &kind[survey.TypeLists]{
	noun: "type_lists",
	id:   func(*survey.TypeLists) string { return "" },
	rev:  func(l *survey.TypeLists) *int64 { return &l.Rev },
	cut:  func(*survey.TypeLists) {},
}

// TypeLists implements survey.UnitStore.
func (s *Store) TypeLists(ctx context.Context) (*survey.TypeLists, error) {
	l, err := find(ctx, s, typeLists, "", "SELECT rev, doc FROM type_lists")
	if survey.KindOf(err) == survey.NotFound {
		return &survey.TypeLists{}, nil
	}
	return l, err
}

// ReplaceTypeLists implements survey.UnitStore.
func (s *Store) ReplaceTypeLists(ctx context.Context, l *survey.TypeLists) error {
	doc, err := typeLists.encode(l, l.Rev+1)
	if err != nil {
		return err
	}
	err = s.write(ctx, len(doc), func(t *tx) error {
		query := "UPDATE type_lists SET rev = ?1 + 1, doc = ?2 WHERE rev = ?1"
		if l.Rev == 0 {
			query = "INSERT INTO type_lists (one, rev, doc) VALUES (1, ?1 + 1, ?2) ON CONFLICT DO NOTHING"
		}
		rows, err := t.exec(query, l.Rev, doc)
		if err == nil && rows == 0 {
			err = typeLists.stale(l)
		}
		return err
	})
	if err == nil {
		l.Rev++
	}
	return err
}

var units = &kind[survey.Unit]{
	trail: func(v *survey.Unit) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "unit",
	id:    func(u *survey.Unit) string { return string(u.Code) },
	rev:   func(u *survey.Unit) *int64 { return &u.Rev },
	cut:   func(u *survey.Unit) { u.Events = cutEvents(u.Events) },
}

// PutUnits implements survey.UnitStore.
func (s *Store) PutUnits(ctx context.Context, all []*survey.Unit) error {
	revs := make([]int64, len(all))
	return s.bulk(ctx, len(all), func(i int) (change, int, error) {
		u := all[i]
		doc, err := units.encode(u, u.Rev)
		return func(t *tx) error {
			_, err := t.one(`INSERT INTO units (pos, code, rev, doc) VALUES (?, ?, 1, ?)
				ON CONFLICT (code) DO UPDATE SET pos = excluded.pos, rev = rev + 1, doc = excluded.doc RETURNING rev`,
				[]any{t.next(), u.Code, doc}, &revs[i])
			if err != nil {
				return err
			}
			return units.log(t, u)
		}, len(doc), err
	}, func(i int) { all[i].Rev = revs[i] })
}

// ReplaceUnit implements survey.UnitStore.
func (s *Store) ReplaceUnit(ctx context.Context, u *survey.Unit) error {
	return replace(ctx, s, units, u, func(t *tx, doc string) (int64, error) {
		return t.exec("UPDATE units SET pos = ?, rev = rev + 1, doc = ? WHERE code = ? AND rev = ?", t.next(), doc, u.Code, u.Rev)
	}, "SELECT rev FROM units WHERE code = ?", []any{u.Code}, nil)
}

// Unit implements survey.UnitStore.
func (s *Store) Unit(ctx context.Context, code survey.UnitCode) (*survey.Unit, error) {
	return find(ctx, s, units, string(code), "SELECT rev, doc FROM units WHERE code = ?", code)
}

const followUnits = "SELECT pos, rev, doc FROM units WHERE pos > ? ORDER BY pos LIMIT ?"

// UnitsSince implements survey.UnitStore.
func (s *Store) UnitsSince(ctx context.Context, after survey.Cursor) iter.Seq2[survey.Change[*survey.Unit], error] {
	return follow(ctx, s, units, after, followUnits, func(pos int64) []any { return []any{pos} })
}
