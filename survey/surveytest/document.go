package surveytest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// document is what the suite needs to know about one sort of document to check
// the sentences that hold for all of them.
type document[T any] struct {
	noun    string
	make    func(n int) *T // document n, of an identity of its own
	create  func(context.Context, *T) error
	replace func(context.Context, *T) error
	read    func(context.Context, *T) (*T, error) // the stored one with the identity of the given one
	rev     func(*T) *int64
	mark    func(*T, string)    // leaves a trace in the document
	marks   func(*T) []string   // the traces, in order
	setTime func(*T, time.Time) // sets a time of the document
	skips   bool                // creating what exists is no error and does nothing
}

// odd is a time that no store keeps as it is: not UTC, and finer than a millisecond.
var odd = time.Date(2018, 3, 4, 23, 59, 59, 999_999_999, time.FixedZone("+07", 7*3600))

func testDocument[T any](t *testing.T, d document[T]) {
	ctx := t.Context()
	t.Run("absent is NotFound", func(t *testing.T) {
		_, err := d.read(ctx, d.make(1))
		WantError(t, err, survey.NotFound, d.noun+".unknown")
		WantError(t, d.replace(ctx, d.make(1)), survey.NotFound, d.noun+".unknown")
		_, err = d.read(ctx, d.make(1))
		WantError(t, err, survey.NotFound, d.noun+".unknown")
	})
	t.Run("created is read back with Rev 1", func(t *testing.T) {
		doc := d.make(2)
		*d.rev(doc) = 77
		Must(t, d.create(ctx, doc))
		want := d.make(2)
		*d.rev(want) = 1
		WantSame(t, doc, want)
		WantSame(t, d.reread(t, doc), want)
	})
	t.Run("created twice stays as it was", func(t *testing.T) { d.testTwice(t) })
	t.Run("replaced adds one to Rev", func(t *testing.T) {
		doc := d.make(4)
		Must(t, d.create(ctx, doc))
		for rev := int64(2); rev < 5; rev++ {
			d.mark(doc, fmt.Sprint(rev))
			Must(t, d.replace(ctx, doc))
			if *d.rev(doc) != rev {
				t.Fatalf("Rev is %d, want %d", *d.rev(doc), rev)
			}
			WantSame(t, d.reread(t, doc), doc)
		}
	})
	t.Run("stale is Conflict and writes nothing", func(t *testing.T) { d.testStale(t) })
	t.Run("what is read belongs to the caller", func(t *testing.T) {
		doc := d.make(6)
		Must(t, d.create(ctx, doc))
		d.mark(d.reread(t, doc), "mine")
		d.mark(doc, "mine too")
		if marks := d.marks(d.reread(t, doc)); slices.Contains(marks, "mine") || slices.Contains(marks, "mine too") {
			t.Errorf("changes by a caller show in what is read later: %q", marks)
		}
	})
	t.Run("times come back in UTC and cut to milliseconds", func(t *testing.T) {
		for i, at := range []time.Time{odd, odd.AddDate(-60, 0, 0), time.Unix(0, 1).In(odd.Location())} {
			doc := d.make(70 + i)
			d.setTime(doc, at)
			Must(t, d.create(ctx, doc))
			WantSame(t, d.reread(t, doc), doc)
			Must(t, d.replace(ctx, doc))
			WantSame(t, d.reread(t, doc), doc)
		}
	})
	t.Run("20 writers on one document lose nothing", func(t *testing.T) { d.testWriters(t) })
}

func (d *document[T]) reread(t *testing.T, doc *T) *T {
	t.Helper()
	got, err := d.read(t.Context(), doc)
	Must(t, err)
	return got
}

func (d *document[T]) testTwice(t *testing.T) {
	ctx := t.Context()
	doc := d.make(3)
	Must(t, d.create(ctx, doc))
	again := d.make(3)
	d.mark(again, "again")
	if err := d.create(ctx, again); d.skips {
		Must(t, err)
	} else {
		WantError(t, err, survey.Exists, d.noun+".exists")
		if *d.rev(again) != 0 {
			t.Errorf("a refused document got Rev %d", *d.rev(again))
		}
	}
	WantSame(t, d.reread(t, doc), doc)
}

func (d *document[T]) testStale(t *testing.T) {
	ctx := t.Context()
	doc := d.make(5)
	Must(t, d.create(ctx, doc))
	loser := d.reread(t, doc)
	d.mark(doc, "first")
	Must(t, d.replace(ctx, doc))
	d.mark(loser, "second")
	WantError(t, d.replace(ctx, loser), survey.Conflict, "stale")
	if *d.rev(loser) != 1 {
		t.Errorf("the loser's Rev became %d", *d.rev(loser))
	}
	ahead := d.reread(t, doc)
	*d.rev(ahead) = 3
	WantError(t, d.replace(ctx, ahead), survey.Conflict, "stale")
	WantSame(t, d.reread(t, doc), doc)
}

// testWriters lets 20 writers each leave one mark in the same document by
// reading, changing and replacing it until that succeeds.
func (d *document[T]) testWriters(t *testing.T) {
	ctx := t.Context()
	doc := d.make(8)
	Must(t, d.create(ctx, doc))
	before := len(d.marks(doc))
	const writers = 20
	inParallel(t, writers, func(i int) error {
		for {
			mine, err := d.read(ctx, doc)
			if err != nil {
				return err
			}
			d.mark(mine, fmt.Sprintf("writer%02d", i))
			if err = d.replace(ctx, mine); survey.CodeOf(err) != "stale" {
				return err
			}
		}
	})
	got := d.reread(t, doc)
	marks := slices.Sorted(slices.Values(d.marks(got)[before:]))
	for i := range writers {
		if want := fmt.Sprintf("writer%02d", i); len(marks) != writers || marks[i] != want {
			t.Fatalf("marks are %q, want one of each writer", marks)
		}
	}
	if *d.rev(got) != 1+writers {
		t.Errorf("Rev is %d, want %d", *d.rev(got), 1+writers)
	}
}

// inParallel runs f(0) to f(n-1) at once, let go together, and fails the test
// for every error.
func inParallel(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if err := f(i); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	close(start)
	wg.Wait()
}

// byEvents gives mark, marks and setTime for documents that carry events.
func byEvents[T any](events func(*T) *[]survey.Event) (func(*T, string), func(*T) []string, func(*T, time.Time)) {
	mark := func(v *T, s string) {
		e := events(v)
		*e = append(slices.Clip(*e), Event(s))
	}
	marks := func(v *T) []string {
		var out []string
		for _, e := range *events(v) {
			out = append(out, e.Action)
		}
		return out
	}
	setTime := func(v *T, at time.Time) { (*events(v))[0].At = at }
	return mark, marks, setTime
}
