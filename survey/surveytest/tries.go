package surveytest

import (
	"slices"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

func testTries(t *testing.T, opener Opener) {
	open := opener(t)
	s := open()
	ctx := t.Context()
	const within = 15 * time.Minute
	at := func(minutes int) time.Time { return Received.Add(time.Duration(minutes) * time.Minute) }
	want := func(got survey.Tries, err error, count, last int) {
		t.Helper()
		Must(t, err)
		if got.Count != count || !got.Last.Equal(at(last)) || got.Last.Location() != time.UTC {
			t.Errorf("%d tries, the last %v, want %d and %v", got.Count, got.Last, count, at(last))
		}
	}
	add := func(s survey.Store, key string, n, minute, count, last int) {
		t.Helper()
		got, err := s.AddTries(ctx, key, n, at(minute), within)
		want(got, err, count, last)
		got, err = s.Tries(ctx, key)
		want(got, err, count, last)
	}
	none, err := s.Tries(ctx, "nobody")
	Must(t, err)
	if none != (survey.Tries{}) {
		t.Errorf("nobody has %+v", none)
	}
	add(s, "a", 1, 0, 1, 0)
	add(s, "a", 1, 5, 2, 5)
	add(s, "b", 1, 6, 1, 6)
	add(open(), "a", 1, 7, 3, 7) // another process counts on
	add(s, "a", -1, 9, 2, 7)     // what is taken back is no try
	add(s, "a", -5, 9, 0, 7)
	add(s, "a", 1, 10, 1, 10)
	add(s, "a", 1, 24, 2, 24)
	add(s, "a", 1, 39, 1, 39) // the last was a quarter of an hour ago
	add(s, "new", -1, 40, 0, 40)

	t.Run("tries at once all count, and at most k of them are told k or less", func(t *testing.T) {
		const n = 30
		numbers := make([]int, n)
		inParallel(t, n, func(i int) error {
			got, err := s.AddTries(ctx, "many", 1, at(50), within)
			numbers[i] = got.Count
			return err
		})
		slices.Sort(numbers)
		for i, count := range numbers {
			if count < i+1 || count > n {
				t.Errorf("sorted, number %d is %d of %d", i+1, count, n)
			}
		}
		if got, err := s.Tries(ctx, "many"); err != nil || got.Count != n {
			t.Errorf("%d tries are counted, want %d (%v)", got.Count, n, err)
		}
	})
}
