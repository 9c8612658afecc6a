package mongo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// BenchmarkCreateResponses compares bulk writing with a bare insertMany of the
// same bytes into a collection with the same indexes, and prints the ratio.
func BenchmarkCreateResponses(b *testing.B) {
	uri := mongotest.DatabaseURI(b)
	s := openURI(b, uri)
	db := connect(b, uri).Database(databaseOf(uri))
	bare := db.Collection("responses_bare")
	const n = 2000
	next := 0
	batch := func() []*survey.Response {
		rs := make([]*survey.Response, n)
		for i := range rs {
			rs[i] = surveytest.Response(next)
			next++
		}
		return rs
	}
	_, err := s.CreateResponses(b.Context(), batch())
	surveytest.Must(b, err)
	cur, err := db.Collection("responses").Indexes().List(b.Context())
	surveytest.Must(b, err)
	var indexes []bson.D
	surveytest.Must(b, cur.All(b.Context(), &indexes))
	surveytest.Must(b, db.RunCommand(b.Context(), bson.D{{Key: "createIndexes", Value: bare.Name()}, {Key: "indexes", Value: withoutID(indexes)}}).Err())
	cur, err = db.Collection("responses").Find(b.Context(), bson.D{}, options.Find().SetLimit(n))
	surveytest.Must(b, err)
	var stored []bson.D
	surveytest.Must(b, cur.All(b.Context(), &stored))

	var ours, theirs time.Duration
	for i := 0; b.Loop(); i++ {
		docs := make([]any, n)
		for k, d := range stored {
			d = append(bson.D{}, d...)
			for f := range d {
				if d[f].Key == "_id" || d[f].Key == "visit" {
					d[f].Value = surveytest.ID("bare", i*n+k)
				}
			}
			docs[k] = d
		}
		start := time.Now()
		_, err := bare.InsertMany(b.Context(), docs)
		theirs += time.Since(start)
		surveytest.Must(b, err)

		rs := batch()
		start = time.Now()
		_, err = s.CreateResponses(b.Context(), rs)
		ours += time.Since(start)
		surveytest.Must(b, err)
	}
	rate := func(d time.Duration) float64 { return float64(b.N*n) / d.Seconds() }
	b.ReportMetric(rate(ours), "responses/s")
	b.ReportMetric(rate(theirs), "bare/s")
	b.ReportMetric(rate(ours)/rate(theirs), "ratio")
	start := time.Now()
	rows := surveytest.Collect(b, s.RowsSince(b.Context(), surveytest.RoundCode, ""))
	b.ReportMetric(float64(len(rows))/time.Since(start).Seconds(), "first-rows/s")
	start = time.Now()
	rows = surveytest.Collect(b, s.RowsSince(b.Context(), surveytest.RoundCode, ""))
	b.ReportMetric(float64(len(rows))/time.Since(start).Seconds(), "rows/s")
}

func withoutID(indexes []bson.D) bson.A {
	var out bson.A
	for _, x := range indexes {
		if !slices.Contains(x, bson.E{Key: "name", Value: "_id_"}) {
			out = append(out, x)
		}
	}
	return out
}

// BenchmarkCreateResponse is one durable write from each of 32 callers at once.
func BenchmarkCreateResponse(b *testing.B) {
	s := openURI(b, mongotest.DatabaseURI(b))
	b.SetParallelism(16)
	ids := make(chan int, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case ids <- n:
			case <-b.Context().Done():
				return
			}
		}
	}()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.CreateResponse(b.Context(), surveytest.Response(<-ids)); err != nil {
				b.Error(fmt.Errorf("creating: %w", err))
				return
			}
		}
	})
}
