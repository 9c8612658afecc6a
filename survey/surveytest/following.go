package surveytest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// followed is what the suite needs to know about one sort of document that can
// be followed.
type followed[T any] struct {
	make    func(n int) T
	create  func(context.Context, survey.Store, T) error
	read    func(context.Context, survey.Store, T) (T, error)
	replace func(context.Context, survey.Store, T) error
	id      func(T) (string, int64)
	// since reads on from a cursor; it may follow another shape than T.
	since func(context.Context, survey.Store, survey.Cursor) iter.Seq2[sighting, error]
}

// sighting is one document as a follower saw it.
type sighting struct {
	id     string
	rev    int64
	cursor survey.Cursor
}

func sightings[T any](seq iter.Seq2[survey.Change[T], error], id func(T) (string, int64)) iter.Seq2[sighting, error] {
	return func(yield func(sighting, error) bool) {
		for c, err := range seq {
			if err != nil {
				yield(sighting{}, err)
				return
			}
			key, rev := id(c.Doc)
			if !yield(sighting{key, rev, c.Cursor}, nil) {
				return
			}
		}
	}
}

func testFollowing(t *testing.T, opener Opener) {
	responses := followed[*survey.Response]{
		make:    func(n int) *survey.Response { return Response(n) },
		create:  func(ctx context.Context, s survey.Store, r *survey.Response) error { return s.CreateResponse(ctx, r) },
		replace: func(ctx context.Context, s survey.Store, r *survey.Response) error { return s.ReplaceResponse(ctx, r) },
		read: func(ctx context.Context, s survey.Store, r *survey.Response) (*survey.Response, error) {
			return s.Response(ctx, r.ID)
		},
		id: func(r *survey.Response) (string, int64) { return string(r.ID), r.Rev },
	}
	rows := responses
	responses.since = func(ctx context.Context, s survey.Store, c survey.Cursor) iter.Seq2[sighting, error] {
		return sightings(s.ResponsesSince(ctx, survey.ResponseFilter{Round: RoundCode}, c), responses.id)
	}
	rows.since = func(ctx context.Context, s survey.Store, c survey.Cursor) iter.Seq2[sighting, error] {
		return sightings(s.RowsSince(ctx, RoundCode, c), func(r survey.Row) (string, int64) { return string(r.ID), r.Rev })
	}
	units := followed[*survey.Unit]{
		make: func(n int) *survey.Unit { return Unit(n) },
		create: func(ctx context.Context, s survey.Store, u *survey.Unit) error {
			return s.PutUnits(ctx, []*survey.Unit{u})
		},
		replace: func(ctx context.Context, s survey.Store, u *survey.Unit) error { return s.ReplaceUnit(ctx, u) },
		read: func(ctx context.Context, s survey.Store, u *survey.Unit) (*survey.Unit, error) {
			return s.Unit(ctx, u.Code)
		},
		id: func(u *survey.Unit) (string, int64) { return string(u.Code), u.Rev },
	}
	units.since = func(ctx context.Context, s survey.Store, c survey.Cursor) iter.Seq2[sighting, error] {
		return sightings(s.UnitsSince(ctx, c), units.id)
	}
	assignments := followed[*survey.Assignment]{
		make: func(n int) *survey.Assignment { return Assignment(n) },
		create: func(ctx context.Context, s survey.Store, a *survey.Assignment) error {
			return s.CreateAssignments(ctx, []*survey.Assignment{a})
		},
		replace: func(ctx context.Context, s survey.Store, a *survey.Assignment) error {
			return s.ReplaceAssignment(ctx, a)
		},
		read: func(ctx context.Context, s survey.Store, a *survey.Assignment) (*survey.Assignment, error) {
			return s.Assignment(ctx, a.ID)
		},
		id: func(a *survey.Assignment) (string, int64) { return string(a.ID), a.Rev },
	}
	assignments.since = func(ctx context.Context, s survey.Store, c survey.Cursor) iter.Seq2[sighting, error] {
		return sightings(s.AssignmentsSince(ctx, RoundCode, c), assignments.id)
	}
	t.Run("responses", func(t *testing.T) { testFollowed(t, opener, responses) })
	t.Run("rows", func(t *testing.T) { testFollowed(t, opener, rows) })
	t.Run("units", func(t *testing.T) { testFollowed(t, opener, units) })
	t.Run("assignments", func(t *testing.T) { testFollowed(t, opener, assignments) })
}

func testFollowed[T any](t *testing.T, opener Opener, f followed[T]) {
	t.Run("nothing comes from an empty store", func(t *testing.T) {
		if got := Collect(t, f.since(t.Context(), opener(t)(), "")); len(got) != 0 {
			t.Errorf("%d came", len(got))
		}
	})
	t.Run("a cursor the store did not make is Invalid", func(t *testing.T) {
		s := opener(t)()
		Must(t, f.create(t.Context(), s, f.make(1)))
		good := Collect(t, f.since(t.Context(), s, ""))[0].cursor
		for _, bad := range []survey.Cursor{"x", "0", "-1", " ", "\x00", "ổ", good + "!", "!" + good, "99999999999999999999999999",
			survey.Cursor(make([]byte, 100_000))} {
			var last error
			for _, err := range f.since(t.Context(), s, bad) {
				last = err
			}
			if survey.KindOf(last) != survey.Invalid || survey.CodeOf(last) != "cursor" {
				t.Errorf("cursor %.20q: error is %v, want invalid: cursor", bad, last)
			}
		}
	})
	t.Run("a reading that was left early goes on from its cursor", func(t *testing.T) { testStepByStep(t, opener(t)(), f) })
	t.Run("while 8 writers are busy nothing is missed or repeated", func(t *testing.T) { testBusy(t, opener, f) })
}

// testStepByStep reads one document at a time.
func testStepByStep[T any](t *testing.T, s survey.Store, f followed[T]) {
	ctx := t.Context()
	const n = 25
	for i := range n {
		Must(t, f.create(ctx, s, f.make(i)))
	}
	seen := map[string]bool{}
	cursor := survey.Cursor("")
	for {
		step := sighting{}
		for one, err := range f.since(ctx, s, cursor) {
			Must(t, err)
			step = one
			break
		}
		if step.id == "" {
			break
		}
		if seen[step.id] {
			t.Fatalf("%s comes twice", step.id)
		}
		seen[step.id] = true
		cursor = step.cursor
	}
	if len(seen) != n {
		t.Errorf("%d came, want %d", len(seen), n)
	}
}

// ledger is what the writers were told is stored.
type ledger struct {
	mu  sync.Mutex
	rev map[string]int64
}

func (l *ledger) acknowledge(id string, rev int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rev[id] = max(l.rev[id], rev)
}

func (l *ledger) snapshot() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.rev)
}

// testBusy lets 8 writers on two handles create and replace documents, some of
// them contested, while followers read on from their cursors; one of the
// followers opens the store anew each time. Whenever one has read on until
// nothing more came, it must have seen what was acknowledged before it began.
func testBusy[T any](t *testing.T, opener Opener, f followed[T]) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	open := opener(t)
	stores := []survey.Store{open(), open()}
	acknowledged := &ledger{rev: map[string]int64{}}
	done := make(chan struct{})
	var followers sync.WaitGroup
	for i := range 4 {
		fl := &follower[T]{f: f, ledger: acknowledged, seen: map[string]int64{}}
		followers.Go(func() {
			for last := false; !last; {
				select {
				case <-done:
					last = true
				default:
				}
				s := stores[i%2]
				if i == 3 {
					s = open()
				}
				err := fl.catchUp(t.Context(), s)
				if i == 3 {
					_ = s.Close()
				}
				if err != nil {
					t.Errorf("follower %d: %v", i, err)
					return
				}
			}
			if final := acknowledged.snapshot(); !maps.Equal(fl.seen, final) {
				t.Errorf("follower %d saw %d documents in the end, want the %d stored, each in its newest state", i, len(fl.seen), len(final))
			}
		})
	}
	inParallel(t, 8, func(i int) error {
		w := writer[T]{f: f, ledger: acknowledged, n: i, rnd: rand.New(rand.NewPCG(seed, uint64(i)))}
		return w.run(t.Context(), stores[i%2])
	})
	close(done)
	followers.Wait()
}

// writer creates documents of its own and replaces them and contested ones.
type writer[T any] struct {
	f      followed[T]
	ledger *ledger
	n      int
	rnd    *rand.Rand
}

func (w *writer[T]) run(ctx context.Context, s survey.Store) error {
	const writes, contested = 40, 5
	var known []int
	for k := range contested {
		known = append(known, k)
	}
	for k := range writes {
		n := known[w.rnd.IntN(len(known))]
		if k%2 == 0 {
			n = contested + w.n*writes + k
			known = append(known, n)
		}
		if err := w.write(ctx, s, n); err != nil {
			return fmt.Errorf("writing document %d: %w", n, err)
		}
	}
	return nil
}

// write replaces document n or, if there is none yet, creates it. To lose
// against another writer is no error.
func (w *writer[T]) write(ctx context.Context, s survey.Store, n int) error {
	doc, err := w.f.read(ctx, s, w.f.make(n))
	if survey.KindOf(err) == survey.NotFound {
		doc = w.f.make(n)
		err = w.f.create(ctx, s, doc)
	} else if err == nil {
		err = w.f.replace(ctx, s, doc)
	}
	switch survey.KindOf(err) {
	case survey.Exists, survey.Conflict:
		return nil
	}
	if err == nil {
		if id, rev := w.f.id(doc); rev > 0 { // 0: created by another meanwhile, where that is no error
			w.ledger.acknowledge(id, rev)
		}
	}
	return err
}

// follower reads on from a cursor that it keeps.
type follower[T any] struct {
	f      followed[T]
	ledger *ledger
	cursor survey.Cursor
	seen   map[string]int64
}

func (fl *follower[T]) catchUp(ctx context.Context, s survey.Store) error {
	want := fl.ledger.snapshot()
	for more := true; more; {
		more = false
		for one, err := range fl.f.since(ctx, s, fl.cursor) {
			if err != nil {
				return err
			}
			if one.rev <= fl.seen[one.id] {
				return fmt.Errorf("%s comes with revision %d after %d", one.id, one.rev, fl.seen[one.id])
			}
			fl.seen[one.id] = one.rev
			fl.cursor = one.cursor
			more = true
		}
	}
	var missed []string
	for id, rev := range want {
		if fl.seen[id] < rev {
			missed = append(missed, fmt.Sprintf("%s: saw revision %d, acknowledged was %d", id, fl.seen[id], rev))
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("missed %d of %d: %q", len(missed), len(want), slices.Sorted(slices.Values(missed))[0])
	}
	return nil
}
