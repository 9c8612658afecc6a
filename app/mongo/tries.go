package mongo

import (
	"context"
	"errors"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

type triesDoc struct {
	Key   string    `bson:"_id"`
	Count int       `bson:"count"`
	Last  time.Time `bson:"last"`
}

func (d *triesDoc) tries() survey.Tries { return survey.Tries{Count: d.Count, Last: d.Last.UTC()} }

// AddTries implements survey.TryStore: the server counts, in the write itself.
func (s *Store) AddTries(ctx context.Context, key string, n int, at time.Time, within time.Duration) (survey.Tries, error) {
	coll := s.db.Collection(triesName)
	at = at.UTC().Truncate(time.Millisecond)
	old := at.Add(-within)
	counted := bson.D{{Key: "$cond", Value: bson.A{bson.D{{Key: "$gt", Value: bson.A{"$last", old}}}, "$count", 0}}}
	last := any(at)
	if n <= 0 {
		last = bson.D{{Key: "$ifNull", Value: bson.A{"$last", at}}}
	}
	update := mongo.Pipeline{{{Key: "$set", Value: bson.D{
		{Key: "count", Value: bson.D{{Key: "$max", Value: bson.A{0, bson.D{{Key: "$add", Value: bson.A{counted, n}}}}}}},
		{Key: "last", Value: last},
	}}}}
	var err error
	for range maxTurns {
		err = untangle(ctx, func() error {
			op, cancel := s.limit(ctx)
			defer cancel()
			_, err := coll.UpdateOne(op, byID(key), update, options.Update().SetUpsert(true))
			return err
		})
		if !mongo.IsDuplicateKeyError(err) { // two that came first at once
			break
		}
	}
	if err != nil {
		return survey.Tries{}, s.failure(ctx, err)
	}
	// Read behind the write and not with it: what FerretDB gives back of a write
	// may be the document as it was before another's.
	found, err := s.Tries(ctx, key)
	if err != nil {
		return survey.Tries{}, err
	}
	op, cancel := s.limit(ctx)
	defer cancel()
	_, err = coll.DeleteMany(op, bson.D{{Key: "last", Value: bson.D{{Key: "$lte", Value: old}}}})
	return found, s.failure(ctx, err)
}

// Tries implements survey.TryStore.
func (s *Store) Tries(ctx context.Context, key string) (survey.Tries, error) {
	op, cancel := s.limit(ctx)
	defer cancel()
	var found triesDoc
	err := s.db.Collection(triesName).FindOne(op, byID(key)).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return survey.Tries{}, nil
	}
	return found.tries(), s.failure(ctx, err)
}
