package mongo_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"

	"go.mongodb.org/mongo-driver/bson"
)

const secret = "v3ry-s3cret"

func TestMalformedAddressesAreInvalid(t *testing.T) {
	for _, uri := range []string{
		"", "localhost:27017", "postgres://u:" + secret + "@h/", "mongodb://", "mongodb://u:" + secret + "@",
		"mongodb://u:" + secret + "@x@h/", "mongodb://u:" + secret + "@h:notaport/", "mongodb://u:" + secret + "%zz@h/",
		"mongodb://u:" + secret + "@h:27017/db?w=0&journal=true", "mongodb://u:" + secret + "@h/a b",
	} {
		_, err := mongo.Open(t.Context(), uri, mongo.Options{SelectionTimeout: 100 * time.Millisecond})
		if err == nil || survey.KindOf(err) == survey.Internal {
			t.Errorf("%q: error is %v", uri, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the error tells the password: %v", uri, err)
		}
	}
	_, err := mongo.Open(t.Context(), "postgres://h/", mongo.Options{})
	surveytest.WantError(t, err, survey.Invalid, "store.uri")
}

func TestNoServerIsUnavailableSoon(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that nobody listens on when it is closed
	surveytest.Must(t, err)
	address := l.Addr().String()
	surveytest.Must(t, l.Close())
	start := time.Now()
	_, err = mongo.Open(t.Context(), "mongodb://somebody:"+secret+"@"+address+"/", mongo.Options{SelectionTimeout: 300 * time.Millisecond})
	surveytest.WantError(t, err, survey.Unavailable, "store.unreachable")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	if text := err.Error(); strings.Contains(text, secret) || !strings.Contains(text, address+"/khaosat") {
		t.Errorf("the error is %q, want the address without the password", text)
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	uri := mongotest.DatabaseURI(t)
	s := openURI(t, uri)
	_, err := connect(t, uri).Database(databaseOf(uri)).Collection("migrations").InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1000}})
	surveytest.Must(t, err)
	_, err = mongo.Open(t.Context(), uri, mongo.Options{})
	surveytest.WantError(t, err, survey.Invalid, "store.newer")
	surveytest.Must(t, s.Ping(t.Context()))
}

func TestManyMayOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	uri := mongotest.DatabaseURI(t)
	var opening sync.WaitGroup
	stores := make([]*mongo.Store, 4)
	for i := range stores {
		opening.Go(func() {
			s, err := mongo.Open(t.Context(), uri, mongo.Options{})
			if err != nil {
				t.Errorf("process %d: %v", i, err)
				return
			}
			stores[i] = s
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for i, s := range stores {
		surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(i)))
	}
	last := surveytest.Collect(t, stores[0].RowsSince(t.Context(), surveytest.RoundCode, ""))[3].Cursor
	for _, s := range stores { // the cursor names the database, which must have one name
		if more := surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, last)); len(more) != 0 {
			t.Errorf("%d come after the last", len(more))
		}
		surveytest.Must(t, s.Close())
	}
}
