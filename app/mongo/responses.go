package mongo

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
)

func (s *Store) responseShelf() *shelf[survey.Response] {
	c := &shelf[survey.Response]{
		Store: s, coll: s.db.Collection(responsesName), noun: "response",
		id:     func(r *survey.Response) string { return string(r.ID) },
		rev:    func(r *survey.Response) *int64 { return &r.Rev },
		encode: func(r *survey.Response, h head) any { return responseDocOf(r, h) },
		decode: decoder((*responseDoc).response),
	}
	c.key = heldVisit
	c.taken = func(ctx context.Context, r *survey.Response) error {
		if !r.HoldsVisit() {
			return nil
		}
		holder, err := c.holder(ctx, byVisit(r.VisitKey))
		if err != nil || holder == "" || holder == string(r.ID) {
			return err
		}
		return refuse(survey.Exists, "visit.taken", survey.Args{"response": holder, "unit": string(r.Unit)})
	}
	return c
}

// heldVisit gives the key of the visit that the response holds, "" if none.
func heldVisit(r *survey.Response) string {
	if !r.HoldsVisit() {
		return ""
	}
	return r.VisitKey.String()
}

// CreateResponse implements survey.ResponseStore.
func (s *Store) CreateResponse(ctx context.Context, r *survey.Response) error {
	return s.responses.create(ctx, r)
}

// ReplaceResponse implements survey.ResponseStore.
func (s *Store) ReplaceResponse(ctx context.Context, r *survey.Response) error {
	return s.responses.replace(ctx, r)
}

// CreateResponses implements survey.ResponseStore.
func (s *Store) CreateResponses(ctx context.Context, rs []*survey.Response) (created int, err error) {
	return s.responses.createAll(ctx, rs)
}

// Response implements survey.ResponseStore.
func (s *Store) Response(ctx context.Context, id survey.ResponseID) (*survey.Response, error) {
	return s.responses.find(ctx, byID(string(id)), string(id))
}

// ResponsesSince implements survey.ResponseStore.
func (s *Store) ResponsesSince(ctx context.Context, f survey.ResponseFilter, after survey.Cursor) iter.Seq2[survey.Change[*survey.Response], error] {
	var fields bson.D
	if f.Bare {
		fields = bareFields
	}
	return follow(ctx, s.responses, s.responseLog, filterOf(f), fields, after)
}

var bareFields = bson.D{{Key: "submission.raw", Value: 0}, {Key: "earlier.raw", Value: 0}, {Key: "conflicts.raw", Value: 0}, {Key: "packed", Value: 0}}

// filterOf gives the conditions of a filter.
func filterOf(f survey.ResponseFilter) bson.D {
	filter := bson.D{}
	for _, c := range []struct{ field, value string }{
		{"round", string(f.Round)}, {"template", string(f.Template)}, {"unit", string(f.Unit)},
		{"standing.path", string(f.Under)}, {"observer", string(f.Observer)}, {"role", string(f.Role)}, {"state", string(f.State)},
	} {
		if c.value != "" {
			filter = append(filter, bson.E{Key: c.field, Value: c.value})
		}
	}
	return filter
}

var rowFields = bson.D{{Key: "rev", Value: 1}, {Key: "state", Value: 1}, {Key: "packed", Value: 1}, {Key: "pos", Value: 1}}

// RowsSince implements survey.ResponseStore.
func (s *Store) RowsSince(ctx context.Context, round survey.RoundCode, after survey.Cursor) iter.Seq2[survey.Change[survey.Row], error] {
	return func(yield func(survey.Change[survey.Row], error) bool) {
		filter := bson.D{{Key: "round", Value: round}}
		for change, err := range s.responseLog.since(ctx, filter, after, pages(rowPage, rowFields)) {
			var d rowDoc
			if err == nil {
				if err = bson.Unmarshal(change.Doc, &d); err != nil {
					err = errUnreadable("response", err)
				}
			}
			if !yield(survey.Change[survey.Row]{Doc: survey.Row(d), Cursor: change.Cursor}, err) || err != nil {
				return
			}
		}
	}
}
