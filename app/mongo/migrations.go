package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// migration is one numbered step from one shape of the documents to the next.
// It may be run twice, and by two processes at once, with the same result; a
// published one is never changed, what is wrong in it is mended by a later
// one. Indexes are no migrations: see indexes.go.
type migration struct {
	name string
	run  func(context.Context, *mongo.Database) error
}

// migrations in order; the first has number 1.
var migrations = []migration{
	{"identity", giveIdentity},
	{"counters", startCounters},
}

// identityID is the _id of the counter document that names the database.
const identityID = "store"

// giveIdentity gives the database a name of its own, for cursors.
func giveIdentity(ctx context.Context, db *mongo.Database) error {
	return putIfAbsent(ctx, db.Collection(countersName), identityID, bson.E{Key: "name", Value: strconv.FormatUint(rand.Uint64(), 36)})
}

// startCounters makes the counters that positions are taken from.
func startCounters(ctx context.Context, db *mongo.Database) error {
	for _, collection := range []string{unitsName, assignmentsName, responsesName} {
		if err := putIfAbsent(ctx, db.Collection(countersName), collection, bson.E{Key: "last", Value: int64(0)}); err != nil {
			return err
		}
	}
	return nil
}

func putIfAbsent(ctx context.Context, c *mongo.Collection, id any, fields ...bson.E) error {
	_, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$setOnInsert", Value: bson.D(fields)}},
		options.Update().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) { // another process was first
		return nil
	}
	return err
}

// migrate brings the database up to date.
func (s *Store) migrate(ctx context.Context) error {
	done, err := s.version(ctx)
	if err != nil {
		return err
	}
	if done > len(migrations) {
		return refuse(survey.Invalid, "store.newer", survey.Args{
			"address": s.address, "version": strconv.Itoa(done), "known": strconv.Itoa(len(migrations)),
		})
	}
	if err := s.ensureIndexes(ctx); err != nil {
		return err
	}
	for i, m := range migrations[done:] {
		if err := s.apply(ctx, done+i+1, m); err != nil {
			return fmt.Errorf("mongo: migration %d (%s): %w", done+i+1, m.name, err)
		}
	}
	var identity struct {
		Name string `bson:"name"`
	}
	if err := s.db.Collection(countersName).FindOne(ctx, bson.D{{Key: "_id", Value: identityID}}).Decode(&identity); err != nil {
		return fmt.Errorf("mongo: reading the name of the database: %w", err)
	}
	s.id = identity.Name
	return nil
}

// version gives the number of the last migration that was applied; 0 for an
// empty database.
func (s *Store) version(ctx context.Context) (int, error) {
	op, cancel := s.limit(ctx)
	defer cancel()
	var last struct {
		Number int `bson:"_id"`
	}
	err := s.db.Collection(migrationsName).FindOne(op, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&last)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	return last.Number, err
}

func (s *Store) apply(ctx context.Context, number int, m migration) error {
	if err := m.run(ctx, s.db); err != nil {
		return err
	}
	return putIfAbsent(ctx, s.db.Collection(migrationsName), number,
		bson.E{Key: "name", Value: m.name}, bson.E{Key: "applied", Value: time.Now()})
}
