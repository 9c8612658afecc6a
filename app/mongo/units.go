package mongo

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
)

// typeListsID is the _id of the one document with type lists.
const typeListsID = "type_lists"

func (s *Store) typeListsShelf() *shelf[survey.TypeLists] {
	return &shelf[survey.TypeLists]{
		Store: s, coll: s.db.Collection(typeListsName), noun: "type_lists",
		id:     func(*survey.TypeLists) string { return typeListsID },
		rev:    func(l *survey.TypeLists) *int64 { return &l.Rev },
		encode: func(l *survey.TypeLists, h head) any { return typeListsDocOf(l, h) },
		decode: decoder(func(d *typeListsDoc) (*survey.TypeLists, error) { return d.typeLists(), nil }),
	}
}

func (s *Store) unitShelf() *shelf[survey.Unit] {
	return &shelf[survey.Unit]{
		Store: s, coll: s.db.Collection(unitsName), noun: "unit",
		id:     func(u *survey.Unit) string { return string(u.Code) },
		rev:    func(u *survey.Unit) *int64 { return &u.Rev },
		encode: func(u *survey.Unit, h head) any { return unitDocOf(u, h) },
		decode: decoder((*unitDoc).unit),
	}
}

// TypeLists implements survey.UnitStore.
func (s *Store) TypeLists(ctx context.Context) (*survey.TypeLists, error) {
	l, err := s.typeLists.find(ctx, byID(typeListsID), typeListsID)
	if survey.KindOf(err) == survey.NotFound {
		return &survey.TypeLists{}, nil
	}
	return l, err
}

// ReplaceTypeLists implements survey.UnitStore.
func (s *Store) ReplaceTypeLists(ctx context.Context, l *survey.TypeLists) error {
	write := s.typeLists.replace
	if l.Rev == 0 {
		write = s.typeLists.create
	}
	err := write(ctx, l)
	switch survey.KindOf(err) {
	case survey.Exists, survey.NotFound: // either way the lists are not what was read
		return refuse(survey.Conflict, "stale", s.typeLists.args(l))
	}
	return err
}

// PutUnits implements survey.UnitStore.
func (s *Store) PutUnits(ctx context.Context, units []*survey.Unit) error {
	return s.units.putAll(ctx, units)
}

// ReplaceUnit implements survey.UnitStore.
func (s *Store) ReplaceUnit(ctx context.Context, u *survey.Unit) error {
	return s.units.replace(ctx, u)
}

// Unit implements survey.UnitStore.
func (s *Store) Unit(ctx context.Context, code survey.UnitCode) (*survey.Unit, error) {
	return s.units.find(ctx, byID(string(code)), string(code))
}

// UnitsSince implements survey.UnitStore.
func (s *Store) UnitsSince(ctx context.Context, after survey.Cursor) iter.Seq2[survey.Change[*survey.Unit], error] {
	return follow(ctx, s.units, s.unitLog, bson.D{}, nil, after)
}
