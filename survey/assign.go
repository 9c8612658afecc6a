package survey

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// AssignPlan is what automatic assignment is asked for: one visit of each unit
// by one of the observers, and a blind second rating of some.
type AssignPlan struct {
	Round    RoundCode
	Template TemplateCode
	Period   string
	Due      Date
	// Units are those to be visited, as they stand.
	Units []*Standing
	// Observers are those among whom the visits are shared out.
	Observers []*Person
	// Most bounds the visits that each observer has in the end; 0 does not.
	Most int
	// Existing are the assignments of the template and period there are. They
	// are kept, and their observers' loads counted. A visit that was cancelled or
	// substituted is not assigned again.
	Existing []AssignedVisit
	// DoubleShare is the share of visits, 0 to 1, that get a second rating.
	DoubleShare float64
	// Seed decides by lot wherever there is a choice.
	Seed int64
}

// AssignResult is what automatic assignment makes of a plan.
type AssignResult struct {
	// Assignments are the new ones, in the order of the plan's units, each first
	// rating before the second.
	Assignments []*Assignment
	// Left are the ratings that nobody can give, each with the reason.
	Left []LeftVisit
	// Loads are how many visits each observer has in the end, existing ones
	// included, in the order of the plan's observers.
	Loads []int
	// Kept counts the existing assignments that stay.
	Kept int
}

// LeftVisit is a rating that nobody can give.
type LeftVisit struct {
	Unit UnitCode
	Role Role
	// Code is the reason: "assign.none" (no observer whose scope has the unit),
	// "assign.conflict" (all of them belong to it or to a committee above it),
	// "assign.full" (all others have as many visits as they may have),
	// "assign.same" (only the one who gives the first rating is left) or
	// "assign.given_up" (the visit was cancelled or substituted).
	Code string
}

// AssignAutomatically shares visits out: the loads are as equal as the rules
// allow, nobody gets a unit that is in conflict with the own home (ConflictOf)
// or outside of the own scope, and a second rating is by somebody else than the
// first. It is a pure function: the same plan gives the same result.
func AssignAutomatically(p *AssignPlan) *AssignResult {
	a := newAssigner(p)
	a.countExisting()
	var fresh []int // units that need a first rating, by index
	for i, u := range p.Units {
		switch v, known := a.first[u.Unit]; {
		case !known:
			fresh = append(fresh, i)
		case !v.Status.Open():
			a.leave(u, RoleObserver, "assign.given_up")
		}
	}
	doubles := a.chooseDoubles(fresh)
	for _, i := range a.hardestFirst(fresh, doubles) {
		u := p.Units[i]
		lead := a.give(u, RoleObserver, -1)
		if lead >= 0 && doubles[i] {
			a.give(u, RoleSecond, lead)
		}
	}
	return a.finish()
}

// assigner is the state of one run.
type assigner struct {
	*AssignPlan
	load   []int
	lot    []uint64 // of each observer
	heaps  map[UnitCode]*loadHeap
	homes  map[UnitCode]int // how many observers belong there
	first  map[UnitCode]AssignedVisit
	second map[UnitCode]AssignedVisit
	at     map[UnitCode]int
	index  map[PersonID]int
	result AssignResult
	made   map[VisitKey]*Assignment
}

func newAssigner(p *AssignPlan) *assigner {
	a := &assigner{AssignPlan: p, load: make([]int, len(p.Observers)), lot: make([]uint64, len(p.Observers)),
		heaps: map[UnitCode]*loadHeap{}, homes: map[UnitCode]int{}, first: map[UnitCode]AssignedVisit{}, second: map[UnitCode]AssignedVisit{},
		at: make(map[UnitCode]int, len(p.Units)), index: make(map[PersonID]int, len(p.Observers)), made: map[VisitKey]*Assignment{}}
	for i, u := range p.Units {
		a.at[u.Unit] = i
	}
	for i, o := range p.Observers {
		a.index[o.ID], a.lot[i] = i, a.draw(string(o.ID))
		a.homes[o.Home]++
	}
	return a
}

// draw gives a number that follows from the seed and the word alone.
func (a *assigner) draw(word string) uint64 {
	h := fnv.New64a()
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(a.Seed))
	h.Write(seed[:])
	h.Write([]byte(word))
	// FNV leaves similar words close to each other; the finalizer of MurmurHash3
	// spreads them.
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (a *assigner) countExisting() {
	for _, v := range a.Existing {
		switch v.Role {
		case RoleObserver:
			a.first[v.Unit] = v
		case RoleSecond:
			a.second[v.Unit] = v
		default:
			continue
		}
		if v.Status.Open() {
			a.result.Kept++
			if i, ok := a.index[v.Observer]; ok {
				a.load[i]++
			}
		}
	}
	for i, o := range a.Observers {
		h := a.heaps[o.Scope]
		if h == nil {
			h = &loadHeap{of: a}
			a.heaps[o.Scope] = h
		}
		h.observers = append(h.observers, i)
	}
	for _, h := range a.heaps {
		heap.Init(h)
	}
}

// chooseDoubles decides which visits get a second rating: so many that with the
// existing ones the share is met, of those with the lowest lots. Those whose
// first rating is there already get theirs at once. It gives the chosen among
// the fresh ones. First ratings go before second ones where there are not enough
// observers for all.
func (a *assigner) chooseDoubles(fresh []int) map[int]bool {
	chosen := map[int]bool{}
	room := math.MaxInt
	if a.Most > 0 {
		room = -len(fresh)
		for _, n := range a.load {
			room += max(0, a.Most-n)
		}
	}
	leads, seconds := len(fresh), 0
	candidates := slices.Clone(fresh)
	for i, u := range a.Units {
		if v, ok := a.first[u.Unit]; ok && v.Status.Open() {
			leads++
			if _, ok := a.second[u.Unit]; !ok {
				candidates = append(candidates, i)
			}
		}
		if v, ok := a.second[u.Unit]; ok && v.Status.Open() {
			seconds++
		}
	}
	want := int(math.Round(a.DoubleShare*float64(leads))) - seconds
	slices.SortFunc(candidates, func(i, j int) int {
		return cmp.Or(cmp.Compare(a.draw("2|"+string(a.Units[i].Unit)), a.draw("2|"+string(a.Units[j].Unit))), cmp.Compare(i, j))
	})
	isFresh := make(map[int]bool, len(fresh))
	for _, i := range fresh {
		isFresh[i] = true
	}
	for _, i := range candidates {
		if want <= 0 {
			break
		}
		u := a.Units[i]
		if room <= 0 {
			a.leave(u, RoleSecond, "assign.full")
			want--
			continue
		}
		if isFresh[i] {
			if a.eligible(u) < 2 {
				continue // the lot falls on the next
			}
			chosen[i] = true
		} else {
			lead := -1
			if at, ok := a.index[a.first[u.Unit].Observer]; ok {
				lead = at
			}
			if a.eligible(u) < 2 && a.pick(u, RoleSecond, lead) < 0 || a.give(u, RoleSecond, lead) < 0 {
				continue
			}
		}
		want--
		room--
	}
	return chosen
}

// eligible counts, near enough for an order, who may rate the unit.
func (a *assigner) eligible(u *Standing) int {
	n := 0
	for _, code := range u.Path {
		if h := a.heaps[code]; h != nil {
			n += len(h.observers)
		}
		n -= a.homes[code]
	}
	if h := a.heaps[""]; h != nil {
		n += len(h.observers)
	}
	return n
}

// hardestFirst orders the units: those with a second rating, then those for whom
// the fewest observers come into question, so that the others can make the loads
// equal in the end; among equals the lot decides.
func (a *assigner) hardestFirst(units []int, doubles map[int]bool) []int {
	type key struct {
		double, eligible int
		lot              uint64
	}
	keys := make(map[int]key, len(units))
	for _, i := range units {
		k := key{1, a.eligible(a.Units[i]), a.draw("1|" + string(a.Units[i].Unit))}
		if doubles[i] {
			k.double = 0
		}
		keys[i] = k
	}
	out := slices.Clone(units)
	slices.SortFunc(out, func(i, j int) int {
		x, y := keys[i], keys[j]
		return cmp.Or(cmp.Compare(x.double, y.double), cmp.Compare(x.eligible, y.eligible), cmp.Compare(x.lot, y.lot), cmp.Compare(i, j))
	})
	return out
}

// pick finds the observer with the lowest load who may rate the unit; -1 if
// there is none. But is somebody who may not.
func (a *assigner) pick(u *Standing, role Role, but int) int {
	best := -1
	for i := -1; i < len(u.Path); i++ {
		scope := UnitCode("")
		if i >= 0 {
			scope = u.Path[i]
		}
		h := a.heaps[scope]
		if h == nil {
			continue
		}
		if at := h.lowest(u, role, but); at >= 0 && (best < 0 || a.less(at, best)) {
			best = at
		}
	}
	return best
}

func (a *assigner) less(i, j int) bool {
	if a.load[i] != a.load[j] {
		return a.load[i] < a.load[j]
	}
	return cmp.Or(cmp.Compare(a.lot[i], a.lot[j]), cmp.Compare(i, j)) < 0
}

// give assigns a rating of the unit and gives its observer; -1, and the reason
// is noted, if nobody can.
func (a *assigner) give(u *Standing, role Role, but int) int {
	at := a.pick(u, role, but)
	if at < 0 {
		a.leave(u, role, a.why(u, role, but))
		return -1
	}
	// A new lot each time: else of two with the same load it would always be the
	// same one who gives the first rating.
	a.load[at]++
	a.lot[at] = a.draw(string(a.Observers[at].ID) + "|" + strconv.Itoa(a.load[at]))
	a.heaps[a.Observers[at].Scope].moved(at)
	key := VisitKey{Round: a.Round, Template: a.Template, Unit: u.Unit, Role: role, Period: a.Period}
	a.made[key] = &Assignment{ID: assignmentID(key), VisitKey: key, Observer: a.Observers[at].ID, Due: a.Due}
	return at
}

// assignmentID follows from the visit, so that the same assignment made twice
// is one.
func assignmentID(k VisitKey) AssignmentID {
	return AssignmentID(uuid.NewSHA1(uuid.NameSpaceURL, []byte("khaosat:assignment:"+k.String())).String())
}

func (a *assigner) leave(u *Standing, role Role, code string) {
	a.result.Left = append(a.result.Left, LeftVisit{u.Unit, role, code})
}

// why finds the reason that nobody can rate the unit.
func (a *assigner) why(u *Standing, role Role, but int) string {
	inScope, free, open := 0, 0, 0
	for i, o := range a.Observers {
		if !o.Covers(u) {
			continue
		}
		inScope++
		if ConflictOf(o, u, role) != "" {
			continue
		}
		free++
		if i != but {
			open++
		}
	}
	switch {
	case inScope == 0:
		return "assign.none"
	case free == 0:
		return "assign.conflict"
	case open == 0:
		return "assign.same"
	}
	return "assign.full"
}

func (a *assigner) finish() *AssignResult {
	for _, u := range a.Units {
		for _, role := range []Role{RoleObserver, RoleSecond} {
			if made := a.made[VisitKey{Round: a.Round, Template: a.Template, Unit: u.Unit, Role: role, Period: a.Period}]; made != nil {
				a.result.Assignments = append(a.result.Assignments, made)
			}
		}
	}
	slices.SortStableFunc(a.result.Left, func(x, y LeftVisit) int { return cmp.Compare(a.at[x.Unit], a.at[y.Unit]) })
	a.result.Loads = a.load
	return &a.result
}

// loadHeap holds the observers of one scope, the lowest load first.
type loadHeap struct {
	of        *assigner
	observers []int
}

func (h *loadHeap) Len() int           { return len(h.observers) }
func (h *loadHeap) Less(i, j int) bool { return h.of.less(h.observers[i], h.observers[j]) }
func (h *loadHeap) Swap(i, j int)      { h.observers[i], h.observers[j] = h.observers[j], h.observers[i] }
func (h *loadHeap) Push(x any)         { h.observers = append(h.observers, x.(int)) }
func (h *loadHeap) Pop() any {
	last := h.observers[len(h.observers)-1]
	h.observers = h.observers[:len(h.observers)-1]
	return last
}

// lowest gives the one with the lowest load who may rate the unit; -1 if there
// is none. The few before are those in conflict with it.
func (h *loadHeap) lowest(u *Standing, role Role, but int) int {
	var passed []int
	found := -1
	for len(h.observers) > 0 {
		at := h.observers[0]
		if h.of.Most > 0 && h.of.load[at] >= h.of.Most {
			break // and so have all behind
		}
		if at != but && ConflictOf(h.of.Observers[at], u, role) == "" {
			found = at
			break
		}
		passed = append(passed, heap.Pop(h).(int))
	}
	for _, at := range passed {
		heap.Push(h, at)
	}
	return found
}

// moved puts an observer whose load has grown in place.
func (h *loadHeap) moved(at int) {
	if i := slices.Index(h.observers, at); i >= 0 {
		heap.Fix(h, i)
	}
}
