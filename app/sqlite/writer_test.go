package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// holdLock keeps the write lock of a data folder, as another process would,
// until the returned function is called.
func holdLock(t *testing.T, dir string) (release func()) {
	t.Helper()
	db := raw(t, dir)
	execute(t, db, "BEGIN IMMEDIATE")
	return func() { execute(t, db, "COMMIT") }
}

func TestWriteWaitsForAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{})
	release := holdLock(t, dir)
	done := make(chan error, 1)
	go func() { done <- s.CreateResponse(t.Context(), surveytest.Response(1)) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := s.Response(t.Context(), surveytest.Response(1).ID); survey.KindOf(err) != survey.NotFound {
		t.Errorf("reading meanwhile: %v, want not found", err)
	}
	release()
	surveytest.Must(t, <-done)
}

func TestWriteGivesUpOnAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{BusyTimeout: 50 * time.Millisecond})
	release := holdLock(t, dir)
	surveytest.WantError(t, s.CreateResponse(t.Context(), surveytest.Response(1)), survey.Unavailable, "store.locked")
	surveytest.WantError(t, s.Ping(t.Context()), survey.Unavailable, "store.locked")
	release()
	surveytest.Must(t, s.Ping(t.Context()))
	surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(1)))
}

func TestCancelledWhileQueuedWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{})
	release := holdLock(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := s.CreateResponse(ctx, surveytest.Response(i)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v, want the deadline's", err)
			}
		})
	}
	wg.Wait()
	release()
	surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(10)))
	if got := len(surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, ""))); got != 1 {
		t.Errorf("%d responses are stored, want the one that was not cancelled", got)
	}
}

// TestOneRefusalFailsAlone puts changes into one group, of which some are
// refused after they have written something.
func TestOneRefusalFailsAlone(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{})
	release := holdLock(t, dir)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			e, err := encodeResponse(surveytest.Response(i), 1)
			surveytest.Must(t, err)
			refusal := fmt.Errorf("refused %d", i)
			err = s.write(t.Context(), e.bytes, func(tx *tx) error {
				if err := e.create(tx); err != nil || i%3 != 0 {
					return err
				}
				return refusal
			})
			if i%3 == 0 && !errors.Is(err, refusal) || i%3 != 0 && err != nil {
				t.Errorf("change %d: error is %v", i, err)
			}
		})
	}
	for len(waiting(s)) < 30 {
		time.Sleep(time.Millisecond)
	}
	release()
	wg.Wait()
	rows := surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, ""))
	if len(rows) != 20 {
		t.Errorf("%d responses are stored, want 20", len(rows))
	}
	for i := range 30 {
		if _, err := s.Response(t.Context(), surveytest.Response(i).ID); (err == nil) != (i%3 != 0) {
			t.Errorf("response %d: %v", i, err)
		}
	}
}

func waiting(s *Store) []*request {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return s.writer.waiting
}

func TestConcurrentWritesShareCommits(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{})
	release := holdLock(t, dir)
	var wg sync.WaitGroup
	transactions := map[*tx]int{}
	for i := range 100 {
		wg.Go(func() {
			surveytest.Must(t, s.write(t.Context(), 0, func(tx *tx) error {
				transactions[tx]++ // in the writer's goroutine
				_, err := tx.exec("INSERT INTO rounds (code, rev, doc) VALUES (?, 1, '')", i)
				return err
			}))
		})
	}
	for len(waiting(s)) < 100 {
		time.Sleep(time.Millisecond)
	}
	release()
	wg.Wait()
	if len(transactions) != 1 {
		t.Errorf("100 writes that waited together took %d transactions", len(transactions))
	}
}

// fullDisk limits the database to the pages it has, which SQLite reports as it
// does a full disk.
func fullDisk(t *testing.T, s *Store, full bool) {
	t.Helper()
	pragma := "PRAGMA max_page_count = 1000000000"
	if full {
		pragma = "PRAGMA max_page_count = 1" // SQLite takes it as the present size
	}
	var pages int64
	surveytest.Must(t, s.write(t.Context(), 0, func(tx *tx) error {
		_, err := tx.one(pragma, nil, &pages)
		return err
	}))
}

func TestFullDisk(t *testing.T) {
	s := openTemp(t, Options{})
	ctx := t.Context()
	kept := surveytest.Response(0)
	surveytest.Must(t, s.CreateResponse(ctx, kept))
	fullDisk(t, s, true)
	large := func(n int) *survey.Response {
		return surveytest.Response(n, func(r *survey.Response) { r.Raw = make([]byte, 1<<20) })
	}
	var wg sync.WaitGroup
	for i := 1; i <= 8; i++ {
		wg.Go(func() {
			if err := s.CreateResponse(ctx, large(i)); survey.CodeOf(err) != "store.full" || survey.KindOf(err) != survey.Unavailable {
				t.Errorf("error is %v, want unavailable: store.full", err)
			}
		})
	}
	wg.Wait()
	grown := *kept
	grown.Raw = make([]byte, 1<<20)
	surveytest.WantError(t, s.ReplaceResponse(ctx, &grown), survey.Unavailable, "store.full")
	wantOnly := func(want *survey.Response) {
		t.Helper()
		all := surveytest.Collect(t, s.ResponsesSince(ctx, survey.ResponseFilter{}, ""))
		rows := surveytest.Collect(t, s.RowsSince(ctx, surveytest.RoundCode, ""))
		if len(all) != 1 || len(rows) != 1 {
			t.Fatalf("%d responses and %d rows are stored, want one", len(all), len(rows))
		}
		surveytest.WantSame(t, all[0].Doc, want)
	}
	wantOnly(kept)
	fullDisk(t, s, false)
	surveytest.Must(t, s.ReplaceResponse(ctx, &grown))
	wantOnly(&grown)
	surveytest.Must(t, s.CreateResponse(ctx, large(1)))
}

// TestCancelledReadingLeavesTheConnection interrupts readings at random points
// on the only connection there is.
func TestCancelledReadingLeavesTheConnection(t *testing.T) {
	s := openTemp(t, Options{Readers: 1})
	all := make([]*survey.Response, 2000)
	for i := range all {
		all[i] = surveytest.Response(i)
	}
	_, err := s.CreateResponses(t.Context(), all)
	surveytest.Must(t, err)
	interrupted := 0
	for i := range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
		for _, err := range s.ResponsesSince(ctx, survey.ResponseFilter{Under: "none"}, "") {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v, want the deadline's", err)
			}
			interrupted++
		}
		cancel()
	}
	if interrupted == 0 {
		t.Error("nothing was interrupted")
	}
	if got := len(surveytest.Collect(t, s.ResponsesSince(t.Context(), survey.ResponseFilter{Under: "TW"}, ""))); got != len(all) {
		t.Errorf("%d responses, want %d", got, len(all))
	}
}

// TestLogEndsUnderReadersWithoutAGap keeps views of the database open that
// overlap all the time, while many times what the log may hold is written.
func TestLogEndsUnderReadersWithoutAGap(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{})
	const limit = 256 // pages
	s.writer.folding = folding{everyChanges: 10, everyBytes: 1 << 20, longLog: limit}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := s.readers.use(ctx, lookForAWhile); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	const document = 100_000
	for i := range 200 {
		surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(i, func(r *survey.Response) { r.Raw = make([]byte, document) })))
	}
	stop()
	wg.Wait()
	log, err := os.Stat(filepath.Join(dir, FileName+"-wal")) // looked at, not opened
	surveytest.Must(t, err)
	if most := int64(limit*4096 + 4<<20); log.Size() > most {
		t.Errorf("the log has %d KB after %d KB were written, want at most %d", log.Size()>>10, 200*document>>10, most>>10)
	}
}

func lookForAWhile(c *conn) error {
	_, begun := c.exec("BEGIN")
	var rounds int
	_, err := c.one("SELECT count(*) FROM rounds", nil, &rounds)
	time.Sleep(5 * time.Millisecond)
	_, ended := c.exec("COMMIT")
	return errors.Join(begun, err, ended)
}
