package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

const callers = 32

// benchResponse is a response of some 4 KB as JSON and 2 KB of raw bytes, with
// a packed row of 150 bytes. Neighbours in n are of units far apart.
func benchResponse(n int) *survey.Response {
	return surveytest.Response(n*7919%1_000_000, func(r *survey.Response) {
		for i := range 40 {
			r.Answers = r.Answers.Set(fmt.Sprintf("item_%02d", i), survey.TextValue(strings.Repeat("Thảo luận ", 4)))
		}
		r.Raw = []byte(strings.Repeat("0123456789abcdef", 128))
		r.Packed = []byte(strings.Repeat("packed", 25))
	})
}

func benchResponses(n int) []*survey.Response {
	all := make([]*survey.Response, n)
	for i := range all {
		all[i] = benchResponse(i)
	}
	return all
}

// share lets 32 callers do the work 0 to n-1 and gives the rate per second.
func share(b *testing.B, n int, do func(i int) error) float64 {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range callers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkCreateResponse compares 32 callers of CreateResponse with a bare
// loop that writes the same bytes into the same tables and indexes, durably
// and in groups formed by 32 callers, and does nothing else.
func BenchmarkCreateResponse(b *testing.B) {
	all := benchResponses(b.N)
	s, err := Open(b.Context(), b.TempDir(), Options{})
	surveytest.Must(b, err)
	defer s.Close()
	b.ReportAllocs()
	b.ResetTimer()
	rate := share(b, b.N, func(i int) error { return s.CreateResponse(b.Context(), all[i]) })
	b.StopTimer()
	bare := bareLoop(b, all)
	b.ReportMetric(rate, "responses/s")
	b.ReportMetric(bare, "bare/s")
	b.ReportMetric(rate/bare, "of-bare")
}

// bareLoop gives the responses per second of the baseline.
func bareLoop(b *testing.B, all []*survey.Response) float64 {
	b.Helper()
	ctx := b.Context()
	dir := b.TempDir()
	s, err := Open(ctx, dir, Options{}) // for its tables
	surveytest.Must(b, err)
	surveytest.Must(b, s.Close())
	db, err := sql.Open(driverName, dataSource(filepath.Join(dir, FileName), time.Second, writerPragmas...))
	surveytest.Must(b, err)
	defer db.Close()
	c, err := db.Conn(ctx)
	surveytest.Must(b, err)
	rows := make([]encoded, len(all))
	for i, r := range all {
		rows[i], err = encodeResponse(r, 1)
		surveytest.Must(b, err)
	}
	statement := func(query string) *sql.Stmt {
		st, err := c.PrepareContext(ctx, query)
		surveytest.Must(b, err)
		return st
	}
	begin, commit := statement("BEGIN IMMEDIATE"), statement("COMMIT")
	response, row := statement(insertResponse), statement(insertRow)

	type job struct {
		i    int
		done chan struct{}
	}
	jobs := make(chan job, callers)
	exec := func(st *sql.Stmt, args ...any) {
		if _, err := st.ExecContext(context.Background(), args...); err != nil {
			b.Error(err)
		}
	}
	go func() {
		pos := 0
		for first := range jobs {
			group := []job{first}
			exec(begin)
			for more := true; more; {
				select {
				case j, ok := <-jobs:
					if more = ok; ok {
						group = append(group, j)
					}
				default:
					more = false
				}
			}
			for _, j := range group {
				pos++
				e := &rows[j.i]
				exec(response, pos, string(e.ID), e.visit, string(e.Round), string(e.Template), string(e.Unit), string(e.Role),
					string(e.Observer), string(e.State), e.path, e.doc, e.Raw, e.history)
				exec(row, string(e.Round), pos, string(e.ID), string(e.State), e.Packed)
			}
			exec(commit)
			for _, j := range group {
				close(j.done)
			}
		}
	}()
	defer close(jobs)
	return share(b, len(all), func(i int) error {
		done := make(chan struct{})
		jobs <- job{i, done}
		<-done
		return nil
	})
}

// BenchmarkRowsSince reads a round of a million packed rows of 150 bytes with
// nothing in SQLite's own caches, as a server does when it fills its table.
func BenchmarkRowsSince(b *testing.B) {
	const n = 1_000_000
	dir := b.TempDir()
	s, err := Open(b.Context(), dir, Options{})
	surveytest.Must(b, err)
	_, err = s.writer.write(b.Context(), 0, func(t *tx) error {
		_, err := t.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
			INSERT INTO response_rows (round, pos, id, rev, state, packed)
			SELECT ?2, i, lower(hex(randomblob(18))), 1, 'submitted', randomblob(150) FROM n`, n, surveytest.RoundCode)
		t.pos = n
		return err
	})
	surveytest.Must(b, err)
	surveytest.Must(b, s.Close())
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(b.Context(), dir, Options{})
		surveytest.Must(b, err)
		rows, bytes := 0, 0
		for c, err := range s.RowsSince(b.Context(), surveytest.RoundCode, "") {
			surveytest.Must(b, err)
			rows, bytes = rows+1, bytes+len(c.Doc.Packed)
		}
		surveytest.Must(b, s.Close())
		if rows != n || bytes != n*150 {
			b.Fatalf("%d rows of %d bytes, want %d of %d", rows, bytes, n, n*150)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCreateResponses is what the generator does.
func BenchmarkCreateResponses(b *testing.B) {
	all := benchResponses(b.N)
	s, err := Open(b.Context(), b.TempDir(), Options{})
	surveytest.Must(b, err)
	defer s.Close()
	b.ReportAllocs()
	b.ResetTimer()
	_, err = s.CreateResponses(b.Context(), all)
	surveytest.Must(b, err)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
}
