// Package service is what people do with khaosat: each use case is one named
// function that checks the permission, acts, and leaves its trace. The JSON
// API, the pages and the command line all call the same ones. It knows nothing
// of HTTP and nothing of databases.
package service

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// Service does what people ask for.
type Service struct {
	store survey.Store
	now   func() time.Time
	log   *slog.Logger

	forms   formCache
	tree    treeCache
	rounds  roundCache
	zones   sync.Map // of *time.Location by round's zone; to load one reads files
	tables  tableCache
	plans   planCache
	bearers bearerCache
	odk     odkCache
	jobs    chan struct{} // wakes whoever makes ordered files
	// visitors are the requests that are being answered.
	visitors atomic.Int32
}

// Options are what a Service may be given; the zero value serves.
type Options struct {
	Now func() time.Time // the clock; time.Now if nil
	Log *slog.Logger     // slog.Default if nil
}

// New makes a service over a store. The caller keeps the store and closes it.
func New(store survey.Store, o Options) *Service {
	s := &Service{store: store, now: o.Now, log: o.Log, jobs: make(chan struct{}, 1)}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.tables.of = map[survey.RoundCode]*roundTable{}
	s.plans.of = map[survey.RoundCode]*roundPlan{}
	s.forms.of = map[formKey]*Compiled{}
	s.rounds.of = map[survey.RoundCode]cachedRound{}
	s.bearers.of = map[string]bearer{}
	return s
}

// Store gives the store, for the few callers that move data in bulk.
func (s *Service) Store() survey.Store { return s.store }

// Now gives the service's clock in UTC, cut to whole milliseconds as stores keep it.
func (s *Service) Now() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Ready reports whether the store can be reached and written to.
func (s *Service) Ready(ctx context.Context) error { return s.store.Ping(ctx) }

// Caller is the person on whose behalf something is done.
type Caller struct {
	Person *survey.Person
	// Language is the tag in which the caller is spoken to.
	Language string
}

// Operator is whoever runs the program on the machine itself: the command
// line. It may do everything; the trail shows no person.
func Operator() Caller {
	return Caller{Person: &survey.Person{Role: survey.Admin, Name: "operator"}}
}

func (c Caller) id() survey.PersonID {
	if c.Person == nil {
		return ""
	}
	return c.Person.ID
}

// may answers Forbidden (Unauthenticated for nobody) unless the caller may do
// the operation at all, and how far it goes.
func (c Caller) may(op survey.Operation) (survey.Reach, error) {
	if c.Person == nil {
		return survey.Nothing, &survey.Error{Kind: survey.Unauthenticated, Code: "auth.required"}
	}
	reach := survey.May(c.Person, op)
	if reach == survey.Nothing {
		return reach, &survey.Error{Kind: survey.Forbidden, Code: "auth.role", Args: survey.Args{"role": string(c.Person.Role), "operation": string(op)}}
	}
	return reach, nil
}

// covers answers Forbidden when the unit lies outside of the caller's scope.
func (c Caller) covers(unit *survey.Standing) error {
	if c.Person.Covers(unit) {
		return nil
	}
	return &survey.Error{Kind: survey.Forbidden, Code: "auth.scope", Args: survey.Args{"unit": string(unit.Unit), "scope": string(c.Person.Scope)}}
}

// event makes an entry of the trail.
func (s *Service) event(c Caller, action string, detail survey.Args) survey.Event {
	return survey.Event{At: s.Now(), By: c.id(), Action: action, Detail: detail}
}

// treeCache keeps the organisation tree and the type lists, following the store.
type treeCache struct {
	mu     sync.Mutex
	cursor survey.Cursor
	units  []*survey.Unit
	tree   *survey.Tree
	lists  *survey.TypeLists
	stamp  int // counts rebuilds, so that others can tell a new tree
	at     time.Time
}

// treeFreshness is how long a tree is used without asking the store for news.
const treeFreshness = time.Second

// Tree gives the organisation tree and the type lists as of now, at most a
// second behind other processes.
func (s *Service) Tree(ctx context.Context) (*survey.Tree, *survey.TypeLists, error) {
	tree, lists, _, err := s.treeAt(ctx, treeFreshness)
	return tree, lists, err
}

// treeAt gives the tree, at most `stale` behind, with its stamp.
func (s *Service) treeAt(ctx context.Context, stale time.Duration) (*survey.Tree, *survey.TypeLists, int, error) {
	c := &s.tree
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tree != nil && time.Since(c.at) < stale {
		return c.tree, c.lists, c.stamp, nil
	}
	lists, err := s.store.TypeLists(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	changed := c.tree == nil || lists.Rev != c.lists.Rev
	for change, err := range s.store.UnitsSince(ctx, c.cursor) {
		if err != nil {
			return nil, nil, 0, err
		}
		c.units = append(c.units, change.Doc)
		c.cursor = change.Cursor
		changed = true
	}
	if changed {
		c.tree = survey.NewTree(c.units)
		c.units = append([]*survey.Unit(nil), c.tree.Units()...) // forget what was replaced
		c.lists = lists
		c.stamp++
	}
	c.at = time.Now()
	return c.tree, c.lists, c.stamp, nil
}

// forgetTree makes the next reader ask the store.
func (s *Service) forgetTree() {
	s.tree.mu.Lock()
	s.tree.at = time.Time{}
	s.tree.mu.Unlock()
}
