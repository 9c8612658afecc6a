package mongo

import (
	"context"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// The audit log is read from the documents themselves, a stretch of time at a
// time, newest first: the index "trail" finds the documents that have an event
// in a stretch. Stretches begin short and grow while nothing is found, and one
// in which much happened is cut.
const (
	firstStretch  = 2 * time.Second
	leastStretch  = 100 * time.Millisecond
	stretchGrows  = 4
	busyDocuments = 2000 // of one collection in a stretch
)

// trailed says which documents of a collection are about what.
var trailed = []struct {
	collection string
	kind       survey.ObjectKind
}{
	{templatesName, survey.ObjectTemplate}, {unitsName, survey.ObjectUnit}, {peopleName, survey.ObjectPerson}, {tokensName, survey.ObjectToken},
	{roundsName, survey.ObjectRound}, {assignmentsName, survey.ObjectAssignment}, {responsesName, survey.ObjectResponse},
}

// trailDoc is of a document what its trail needs.
type trailDoc struct {
	ID      string           `bson:"_id"`
	Code    string           `bson:"code"`
	Version int              `bson:"version"`
	Person  survey.PersonID  `bson:"person"`
	Round   survey.RoundCode `bson:"round"`
	Unit    survey.UnitCode  `bson:"unit"`
	Events  []eventDoc       `bson:"events"`
}

var trailFields = bson.D{{Key: "code", Value: 1}, {Key: "version", Value: 1}, {Key: "person", Value: 1}, {Key: "round", Value: 1}, {Key: "unit", Value: 1}, {Key: "events", Value: 1}}

func (d *trailDoc) object(kind survey.ObjectKind) survey.Object {
	o := survey.Object{Kind: kind, ID: d.ID}
	switch kind {
	case survey.ObjectTemplate:
		o.ID = d.Code + " " + strconv.Itoa(d.Version)
	case survey.ObjectUnit:
		o.Unit = survey.UnitCode(d.ID)
	case survey.ObjectRound:
		o.Round = survey.RoundCode(d.ID)
	case survey.ObjectToken:
		o.Person = d.Person
	case survey.ObjectAssignment, survey.ObjectResponse:
		o.Round, o.Unit = d.Round, d.Unit
	}
	return o
}

// trailFilter matches documents that may have events of the filter in the
// stretch from from to before to.
func trailFilter(f *survey.AuditFilter, kind survey.ObjectKind, from, to time.Time) bson.D {
	one := bson.D{{Key: "at", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lt", Value: to}}}}
	if f.By != "" {
		one = append(one, bson.E{Key: "by", Value: f.By})
	}
	match := bson.D{{Key: "events", Value: bson.D{{Key: "$elemMatch", Value: one}}}}
	if kind == survey.ObjectAssignment || kind == survey.ObjectResponse {
		if f.Round != "" {
			match = append(match, bson.E{Key: "round", Value: f.Round})
		}
		if f.Unit != "" {
			match = append(match, bson.E{Key: "unit", Value: f.Unit})
		}
	}
	if f.ID != "" && kind != survey.ObjectTemplate {
		match = append(match, bson.E{Key: "_id", Value: f.ID})
	}
	return match
}

// Events implements survey.AuditStore.
func (s *Store) Events(ctx context.Context, f survey.AuditFilter, before survey.Cursor) iter.Seq2[*survey.AuditEntry, error] {
	return func(yield func(*survey.AuditEntry, error) bool) {
		place, err := survey.AuditPlace(before)
		if err != nil {
			yield(nil, err)
			return
		}
		begin, to := time.UnixMilli(math.MinInt32).UTC(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		if f.From.After(begin) {
			begin = f.From
		}
		if !f.To.IsZero() && f.To.Before(to) {
			to = f.To
		}
		if place != nil && place.At.Before(to) {
			to = place.At.Add(time.Millisecond)
		}
		now, err := s.now(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		stretch := firstStretch
		for to.After(begin) {
			from := to.Add(-stretch)
			ahead := to.After(now) // of the server's clock, by those of others: there is little
			if ahead {
				from = now
			}
			if from.Before(begin) {
				from = begin
			}
			found, busy, err := s.eventsBetween(ctx, &f, place, from, to, ahead || stretch <= leastStretch)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case busy:
				stretch = min(stretch, to.Sub(from)) / stretchGrows
				continue
			}
			for _, e := range found {
				if !yield(e, nil) {
					return
				}
			}
			to = from
			if len(found) == 0 {
				stretch *= stretchGrows
			}
		}
	}
}

// eventsBetween gives the events of a stretch, newest first; busy says that it
// is to be cut, unless it must be read as it is.
func (s *Store) eventsBetween(ctx context.Context, f *survey.AuditFilter, place *survey.AuditEntry, from, to time.Time, whole bool) (found []*survey.AuditEntry, busy bool, err error) {
	for _, t := range trailed {
		if f.Kind != "" && f.Kind != t.kind {
			continue
		}
		coll := s.db.Collection(t.collection)
		match := trailFilter(f, t.kind, from, to)
		if !whole {
			if busy, err = s.isBusy(ctx, coll, match); busy || err != nil {
				return nil, busy, err
			}
		}
		for raw, err := range s.query(ctx, coll, match, options.Find().SetProjection(trailFields)) {
			if err != nil {
				return nil, false, err
			}
			var d trailDoc
			if err := bson.Unmarshal(raw, &d); err != nil {
				return nil, false, errUnreadable(string(t.kind), err)
			}
			about := d.object(t.kind)
			for n := range d.Events {
				e := &survey.AuditEntry{Event: d.Events[n].event(), Object: about, N: n}
				e.At = e.At.UTC()
				if !e.At.Before(from) && e.At.Before(to) && f.Passes(e) && (place == nil || e.Before(place)) {
					found = append(found, e)
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b *survey.AuditEntry) int {
		if b.Before(a) {
			return -1
		}
		return 1
	})
	return found, false, nil
}

func (s *Store) isBusy(ctx context.Context, coll *mongo.Collection, match bson.D) (bool, error) {
	op, cancel := s.limit(ctx)
	defer cancel()
	n, err := coll.CountDocuments(op, match, options.Count().SetLimit(busyDocuments+1))
	return n > busyDocuments, s.failure(ctx, err)
}
