package mongo

import (
	"context"
	"os"
	"testing"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// openInside opens a database of the test's own, for tests that look inside.
func openInside(t *testing.T) *Store {
	uri := os.Getenv("KHAOSAT_TEST_MONGODB_URI")
	if uri == "" {
		if os.Getenv("KHAOSAT_CI") == "1" {
			t.Fatal("KHAOSAT_TEST_MONGODB_URI is not set")
		}
		t.Skip("KHAOSAT_TEST_MONGODB_URI is not set")
	}
	s := &Store{timeout: 20e9}
	surveytest.Must(t, s.connect(t.Context(), uri, Options{SelectionTimeout: 5e9}))
	s.db = s.client.Database("khaosat_test_inside_" + surveytest.ID(t.Name(), os.Getpid()))
	surveytest.Must(t, s.prepare(t.Context()))
	t.Cleanup(func() {
		surveytest.Must(t, s.db.Drop(context.Background()))
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

func TestCursorsOfOtherLogsAreRefused(t *testing.T) {
	s := openInside(t)
	surveytest.Must(t, s.PutUnits(t.Context(), []*survey.Unit{surveytest.Unit(1)}))
	units := surveytest.Collect(t, s.UnitsSince(t.Context(), ""))
	ahead := s.responseLog.cursor(99)
	for name, cursor := range map[string]survey.Cursor{"another collection": units[0].Cursor, "a position not given yet": ahead} {
		for _, err := range s.RowsSince(t.Context(), surveytest.RoundCode, cursor) {
			if survey.CodeOf(err) != "cursor" {
				t.Errorf("a cursor of %s: %v", name, err)
			}
		}
	}
}
