package mongo

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// openInside opens a database of the test's own, for tests that look inside.
func openInside(t *testing.T) *Store {
	uri := mongotest.ServerURI(t)
	s := &Store{timeout: 20 * time.Second}
	surveytest.Must(t, s.connect(t.Context(), uri, Options{SelectionTimeout: 5 * time.Second}))
	s.db = s.client.Database("khaosat_test_inside_" + surveytest.ID(t.Name(), os.Getpid()))
	surveytest.Must(t, s.prepare(t.Context()))
	t.Cleanup(func() {
		mongotest.Drop(t, uri, s.db.Name())
		surveytest.Must(t, s.Close())
	})
	return s
}

func readOn(t *testing.T, s *Store, after survey.Cursor) (revs map[survey.ResponseID]int64, last survey.Cursor) {
	t.Helper()
	revs, last = map[survey.ResponseID]int64{}, after
	for _, c := range surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, after)) {
		revs[c.Doc.ID], last = c.Doc.Rev, c.Cursor
	}
	return revs, last
}

// The one moment at which following could go wrong: a process has listed
// documents and taken numbers, and is stopped before it sets them. Others read
// on meanwhile, and the documents change.
func TestNumbersThatComeLateAreNotUsed(t *testing.T) {
	s := openInside(t)
	ctx := t.Context()
	docs := []*survey.Response{surveytest.Response(0), surveytest.Response(1), surveytest.Response(2)}
	for _, r := range docs {
		surveytest.Must(t, s.CreateResponse(ctx, r))
	}
	listed, err := s.responseLog.unnumbered(ctx)
	surveytest.Must(t, err)
	first, err := s.responseLog.take(ctx, len(listed))
	surveytest.Must(t, err)

	// Here the process is stopped, and another goes on.
	surveytest.Must(t, s.ReplaceResponse(ctx, docs[1]))
	revs, cursor := readOn(t, s, "")
	if len(revs) != 3 || revs[docs[1].ID] != 2 {
		t.Fatalf("another reader saw %v", revs)
	}
	surveytest.Must(t, s.ReplaceResponse(ctx, docs[2]))

	// Here the first goes on where it was.
	surveytest.Must(t, s.responseLog.set(ctx, listed, first))
	revs, cursor = readOn(t, s, cursor)
	if len(revs) != 1 || revs[docs[2].ID] != 2 {
		t.Errorf("after the late numbers came %v, want the one that was replaced", revs)
	}
	if revs, _ = readOn(t, s, cursor); len(revs) != 0 {
		t.Errorf("%v came once more", revs)
	}
}

// Numbers taken before a reader's end may still be set while it reads: what it
// takes for final must be so.
func TestNumbersSetBeforeTheEndAreSeen(t *testing.T) {
	s := openInside(t)
	ctx := t.Context()
	early, late := surveytest.Response(0), surveytest.Response(1)
	surveytest.Must(t, s.CreateResponse(ctx, early))
	listed, err := s.responseLog.unnumbered(ctx)
	surveytest.Must(t, err)
	first, err := s.responseLog.take(ctx, 1)
	surveytest.Must(t, err)
	surveytest.Must(t, s.CreateResponse(ctx, late))
	surveytest.Must(t, s.responseLog.set(ctx, listed, first))
	revs, _ := readOn(t, s, "")
	if len(revs) != 2 {
		t.Errorf("saw %v, want both", revs)
	}
}

// Many number slowly, stopping for a random while before each step, while
// others write and one follows.
func TestSlowNumberingMissesAndRepeatsNothing(t *testing.T) {
	s := openInside(t)
	ctx := t.Context()
	done := make(chan struct{})
	ended := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			for !ended() {
				if err := numberSlowly(ctx, s.responseLog); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var written sync.Map // of response ids to acknowledged revisions
	for w := range 4 {
		others.Go(func() {
			for n := 0; !ended(); n++ {
				r := surveytest.Response(w*10_000 + n/3)
				r.Rev = int64(n % 3)
				write := s.CreateResponse
				if r.Rev > 0 {
					write = s.ReplaceResponse
				}
				if err := write(ctx, r); err != nil {
					t.Error(err)
					return
				}
				written.Store(r.ID, r.Rev)
				time.Sleep(rand.N(20 * time.Millisecond)) // a reading that finds nothing more is what may go wrong
			}
		})
	}
	seen, cursor := map[survey.ResponseID]int64{}, survey.Cursor("")
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end) && !t.Failed(); {
		want := map[survey.ResponseID]int64{}
		written.Range(func(id, rev any) bool { want[id.(survey.ResponseID)] = rev.(int64); return true })
		more := true
		for turn := 0; more && len(want) > 0 && turn < 50; turn++ {
			more = false
			for _, c := range surveytest.Collect(t, s.RowsSince(ctx, surveytest.RoundCode, cursor)) {
				if c.Doc.Rev <= seen[c.Doc.ID] {
					t.Errorf("%s comes with revision %d after %d", c.Doc.ID, c.Doc.Rev, seen[c.Doc.ID])
				}
				seen[c.Doc.ID], cursor, more = c.Doc.Rev, c.Cursor, true
			}
			maps.DeleteFunc(want, func(id survey.ResponseID, rev int64) bool { return seen[id] >= rev })
		}
		for id, rev := range want {
			t.Errorf("%s: acknowledged was revision %d, seen is %d", id, rev, seen[id])
		}
	}
	close(done)
	others.Wait()
}

func numberSlowly(ctx context.Context, l *log) error {
	hesitate := func() { time.Sleep(rand.N(30 * time.Millisecond)) }
	listed, err := l.unnumbered(ctx)
	if err != nil || len(listed) == 0 {
		return err
	}
	hesitate()
	first, err := l.take(ctx, len(listed))
	if err != nil {
		return err
	}
	hesitate()
	return l.set(ctx, listed, first)
}

func TestCursorsOfOtherLogsAreRefused(t *testing.T) {
	s := openInside(t)
	surveytest.Must(t, s.PutUnits(t.Context(), []*survey.Unit{surveytest.Unit(1)}))
	units := surveytest.Collect(t, s.UnitsSince(t.Context(), ""))
	ahead := s.responseLog.cursor(99)
	for name, cursor := range map[string]survey.Cursor{"another collection": units[0].Cursor, "a position not given yet": ahead} {
		var last error
		for _, err := range s.RowsSince(t.Context(), surveytest.RoundCode, cursor) {
			last = err
		}
		if survey.CodeOf(last) != "cursor" {
			t.Errorf("a cursor of %s: error is %v, want cursor", name, last)
		}
	}
}
