package mongo_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"

	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func TestStore(t *testing.T) { surveytest.TestStore(t, open) }

// connect gives a client of the driver, to look at what the store does not show.
func connect(t testing.TB, uri string) *driver.Client {
	c, err := driver.Connect(context.Background(), options.Client().ApplyURI(uri))
	surveytest.Must(t, err)
	t.Cleanup(func() { _ = c.Disconnect(context.Background()) })
	return c
}

func open(t testing.TB) func() survey.Store {
	uri := mongotest.DatabaseURI(t)
	return func() survey.Store { return openURI(t, uri) }
}

func openURI(t testing.TB, uri string) *mongo.Store {
	s, err := mongo.Open(t.Context(), uri, mongo.Options{})
	surveytest.Must(t, err)
	t.Cleanup(func() { surveytest.Must(t, s.Close()) })
	return s
}

// databaseOf gives the name of the database in an address.
func databaseOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.Trim(u.Path, "/")
}
