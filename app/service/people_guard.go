package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// guardWindow is how long a failure counts, and the longest wait.
const guardWindow = 15 * time.Minute

// guard limits tries at one thing: after so many failures that are free each
// further one has to wait, twice as long every time.
type guard struct {
	key  string
	free int
	most time.Duration
	// clears says that after a right try those before do not count any more.
	// Where others may be guessing too, they go on counting.
	clears bool
}

// guardsOf are what limits the tries at a name from an address. Guessing at one
// account from one place is slowed down soon. From many places together it gets
// a try a minute, so that nobody can shut somebody else out for long. An address
// has more that are free: a whole town may share one.
func guardsOf(name, address string) []guard {
	return []guard{
		{triesKey("name", name, address), 5, guardWindow, true},
		{triesKey("name", name), 25, time.Minute, false},
		{triesKey("address", address), 30, guardWindow, false},
	}
}

// linkGuards limit tries at links, which are too long to be guessed; it is for
// programs that do not know.
func linkGuards(address string) []guard {
	return []guard{{triesKey("link", address), 20, time.Minute, false}}
}

// triesKey makes a key that tells nothing: people type passwords where their
// name belongs.
func triesKey(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:])
}

// wait gives how long the next try has to wait after these.
func (g guard) wait(t survey.Tries, now time.Time) time.Duration {
	if t.Count < g.free {
		return 0
	}
	return min(g.most, time.Second<<min(t.Count-g.free, 10)) - now.Sub(t.Last)
}

func tooMany(wait time.Duration) error {
	return &survey.Error{Kind: survey.Forbidden, Code: "auth.too_many", Args: survey.Args{"seconds": fmt.Sprint(int(wait.Seconds()) + 1)}}
}

// try runs a check that somebody may be guessing at, and says whether it was
// right. The try is counted before the check, so that of many at once no more
// get through than of many in turn; one that was right is taken back. A check
// that fails in itself counts as no try.
func (s *Service) try(ctx context.Context, guards []guard, check func() (right bool, err error)) (bool, error) {
	seen := make([]survey.Tries, len(guards))
	for i, g := range guards {
		var err error
		if seen[i], err = s.store.Tries(ctx, g.key); err != nil {
			return false, err
		}
		if wait := g.wait(seen[i], s.Now()); wait > 0 {
			return false, tooMany(wait)
		}
	}
	for i, g := range guards {
		now, err := s.store.AddTries(ctx, g.key, 1, s.Now(), guardWindow)
		if err != nil {
			return false, err
		}
		if now.Count > g.free && now.Count > seen[i].Count+1 { // others try at this moment
			return false, firstOf(s.takeBack(ctx, guards[:i+1], false), tooMany(time.Second))
		}
	}
	right, err := check()
	if err != nil || right {
		err = firstOf(err, s.takeBack(ctx, guards, right))
	}
	return right && err == nil, err
}

// takeBack takes a try back; one that was right also clears what it is meant to.
func (s *Service) takeBack(ctx context.Context, guards []guard, right bool) error {
	for _, g := range guards {
		n := -1
		if right && g.clears {
			n = -1 << 30
		}
		if _, err := s.store.AddTries(ctx, g.key, n, s.Now(), guardWindow); err != nil {
			return err
		}
	}
	return nil
}

// firstOf gives the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
