package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// The collections.
const (
	migrationsName  = "migrations"
	countersName    = "counters" // one document for each collection that can be followed
	pingsName       = "pings"
	typeListsName   = "type_lists" // one document
	templatesName   = "templates"
	unitsName       = "units"
	peopleName      = "people"
	tokensName      = "tokens"
	triesName       = "tries"
	roundsName      = "rounds"
	assignmentsName = "assignments"
	responsesName   = "responses"
	attachmentsName = "attachments" // which content goes with which response
	formsName       = "forms"
	jobsName        = "jobs"
)

// index is a named index. An index that changes gets a new name, and a
// migration drops the old one.
type index struct {
	collection string
	name       string
	keys       []string
	unique     bool
	where      bson.D // only documents that match are in it
}

// indexes are all there are besides those on _id.
var indexes = []index{
	{collection: templatesName, name: "code_version", keys: []string{"code", "version"}, unique: true},
	{collection: peopleName, name: "name", keys: []string{"name"}, unique: true},
	{collection: tokensName, name: "person_created", keys: []string{"person", "created", "_id"}},
	{collection: triesName, name: "last", keys: []string{"last"}},

	{collection: unitsName, name: "pos", keys: []string{"pos"}},
	unnumbered(unitsName),

	{collection: assignmentsName, name: "visit", keys: []string{"visit"}, unique: true},
	{collection: assignmentsName, name: "observer_round_due", keys: []string{"observer", "round", "due", "_id"}},
	{collection: assignmentsName, name: "round_pos", keys: []string{"round", "pos"}},
	unnumbered(assignmentsName),

	// A response that holds no visit has no such field.
	{collection: responsesName, name: "visit", keys: []string{"visit"}, unique: true, where: bson.D{{Key: "visit", Value: bson.D{{Key: "$exists", Value: true}}}}},
	{collection: responsesName, name: "round_pos", keys: []string{"round", "pos"}},
	{collection: responsesName, name: "unit_pos", keys: []string{"unit", "pos"}},
	{collection: responsesName, name: "observer_pos", keys: []string{"observer", "pos"}},
	{collection: responsesName, name: "pos", keys: []string{"pos"}},
	unnumbered(responsesName),

	trail(templatesName), trail(unitsName), trail(peopleName), trail(tokensName), trail(roundsName), trail(assignmentsName), trail(responsesName),

	{collection: attachmentsName, name: "response_name", keys: []string{"response", "name", "at", "sha256"}},
	{collection: attachmentsName, name: "sha256", keys: []string{"sha256"}},
	{collection: jobsName, name: "created", keys: []string{"created", "_id"}},
	{collection: contentFilesName, name: "filename", keys: []string{"filename"}, unique: true},
	{collection: contentChunksName, name: "files_id_n", keys: []string{"files_id", "n"}, unique: true},
}

// trail is the index by which the audit log is read.
func trail(collection string) index {
	return index{collection: collection, name: "trail", keys: []string{"events.at", "events.by"}}
}

// unnumbered is the index of what has not got its position yet, in the order
// in which it will. It is small: a document leaves it when it is numbered.
func unnumbered(collection string) index {
	return index{collection: collection, name: "unnumbered", keys: []string{"written", "write"}, where: isUnnumbered}
}

// isUnnumbered matches what has not got its position yet.
var isUnnumbered = bson.D{{Key: "pos", Value: int64(0)}}

func (x *index) model() mongo.IndexModel {
	keys := make(bson.D, len(x.keys))
	for i, k := range x.keys {
		keys[i] = bson.E{Key: k, Value: 1}
	}
	o := options.Index().SetName(x.name)
	if x.unique {
		o.SetUnique(true)
	}
	if x.where != nil {
		o.SetPartialFilterExpression(x.where)
	}
	return mongo.IndexModel{Keys: keys, Options: o}
}

// ensureIndexes creates the indexes that are not there. Those that are, as
// they should be, cost nothing.
func (s *Store) ensureIndexes(ctx context.Context) error {
	byCollection := map[string][]mongo.IndexModel{}
	for i := range indexes {
		name := indexes[i].collection
		byCollection[name] = append(byCollection[name], indexes[i].model())
	}
	for name, models := range byCollection {
		_, err := s.db.Collection(name).Indexes().CreateMany(ctx, models)
		if hasCode(err, codeIndexOptionsConflict, codeIndexKeysConflict) {
			return fmt.Errorf("mongo: an index of %s is there under its name with other keys or options: %w", name, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
