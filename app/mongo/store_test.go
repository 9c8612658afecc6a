package mongo_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"

	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func TestStore(t *testing.T) { surveytest.TestStore(t, open) }

var databases atomic.Int64

// databaseURI gives the address of a database of the test's own, dropped when
// the test ends.
func databaseURI(t testing.TB) string {
	base := mongo.ServerURI(t)
	u, err := url.Parse(base)
	surveytest.Must(t, err)
	name := fmt.Sprintf("khaosat_test_%d_%d_%d", os.Getpid(), time.Now().UnixMilli(), databases.Add(1))
	if q := u.Query(); u.User != nil && q.Get("authSource") == "" {
		source := strings.Trim(u.Path, "/")
		if source == "" {
			source = "admin"
		}
		q.Set("authSource", source)
		u.RawQuery = q.Encode()
	}
	u.Path = "/" + name
	t.Cleanup(func() {
		db := connect(t, base).Database(name)
		surveytest.Must(t, db.Drop(context.Background()))
	})
	return u.String()
}

// connect gives a client of the driver, to look at what the store does not show.
func connect(t testing.TB, uri string) *driver.Client {
	c, err := driver.Connect(context.Background(), options.Client().ApplyURI(uri))
	surveytest.Must(t, err)
	t.Cleanup(func() { _ = c.Disconnect(context.Background()) })
	return c
}

func open(t testing.TB) func() survey.Store {
	uri := databaseURI(t)
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
