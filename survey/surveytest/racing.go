package surveytest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// testRacing lets callers on two handles race for what only one may have.
func testRacing(t *testing.T, opener Opener) {
	open := opener(t)
	stores := []survey.Store{open(), open()}
	t.Run("of 50 that create one response one succeeds", func(t *testing.T) {
		race(t, 50, "response.exists", func(ctx context.Context, i int) error {
			return stores[i%2].CreateResponse(ctx, Response(1))
		})
		wantRows(t, stores[0], RoundCode, Response(1, func(r *survey.Response) { r.Rev = 1 }))
	})
	t.Run("of 50 with different contents the stored one is the winner's", func(t *testing.T) {
		var winner atomic.Int64
		race(t, 50, "response.exists", func(ctx context.Context, i int) error {
			r := Response(2, func(r *survey.Response) { r.Submission = Submission(fmt.Sprint("content ", i)) })
			err := stores[i%2].CreateResponse(ctx, r)
			if err == nil {
				winner.Store(int64(i))
			}
			return err
		})
		got, err := stores[0].Response(t.Context(), Response(2).ID)
		Must(t, err)
		if want := fmt.Sprint("content ", winner.Load()); string(got.Raw) != want {
			t.Errorf("%q is stored, want %q", got.Raw, want)
		}
	})
	t.Run("of 20 that want one visit one gets it", func(t *testing.T) {
		race(t, 20, "visit.taken", func(ctx context.Context, i int) error {
			r := Response(3)
			r.ID = survey.ResponseID(ID("racer", i))
			return stores[i%2].CreateResponse(ctx, r)
		})
	})
	t.Run("of 20 that move to one visit one gets it", func(t *testing.T) {
		race(t, 20, "visit.taken", func(ctx context.Context, i int) error {
			r := Response(100 + i)
			if err := stores[i%2].CreateResponse(ctx, r); err != nil {
				return err
			}
			r.VisitKey = Visit(99)
			return stores[i%2].ReplaceResponse(ctx, r)
		})
	})
	t.Run("of 20 that replace one revision one succeeds", func(t *testing.T) {
		r := Response(4)
		Must(t, stores[0].CreateResponse(t.Context(), r))
		race(t, 20, "stale", func(ctx context.Context, i int) error {
			mine := *r
			return stores[i%2].ReplaceResponse(ctx, &mine)
		})
	})
	t.Run("of 20 that want one name one gets it", func(t *testing.T) {
		race(t, 20, "person.name_taken", func(ctx context.Context, i int) error {
			return stores[i%2].CreatePerson(ctx, Person(i, func(p *survey.Person) { p.Name = "wanted" }))
		})
	})
	t.Run("of 20 that assign one visit one succeeds", func(t *testing.T) {
		race(t, 20, "visit.assigned", func(ctx context.Context, i int) error {
			a := Assignment(i, func(a *survey.Assignment) { a.VisitKey = Visit(5) })
			return stores[i%2].CreateAssignments(ctx, []*survey.Assignment{a})
		})
	})
	t.Run("of 20 that store the first lists one succeeds", func(t *testing.T) {
		race(t, 20, "stale", func(ctx context.Context, i int) error {
			return stores[i%2].ReplaceTypeLists(ctx, TypeLists())
		})
	})
	t.Run("bulk writers of the same responses create each once", func(t *testing.T) {
		var created atomic.Int64
		inParallel(t, 4, func(i int) error {
			var all []*survey.Response
			for n := range 100 {
				all = append(all, Response(1000+n))
			}
			n, err := stores[i%2].CreateResponses(t.Context(), all)
			created.Add(int64(n))
			return err
		})
		if created.Load() != 100 {
			t.Errorf("%d were created, want 100", created.Load())
		}
	})
}

// race runs n racers at once; one must succeed and all others get the code.
func race(t *testing.T, n int, code string, racer func(ctx context.Context, i int) error) {
	t.Helper()
	var won atomic.Int64
	inParallel(t, n, func(i int) error {
		err := racer(t.Context(), i)
		switch {
		case err == nil:
			won.Add(1)
		case survey.CodeOf(err) != code:
			return err
		}
		return nil
	})
	if won.Load() != 1 {
		t.Errorf("%d of %d succeeded, want 1", won.Load(), n)
	}
}
