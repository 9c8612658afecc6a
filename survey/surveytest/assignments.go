package surveytest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

func testAssignments(t *testing.T, opener Opener) {
	ctx := t.Context()
	s := opener(t)()
	d := document[survey.Assignment]{
		noun: "assignment",
		make: func(n int) *survey.Assignment { return Assignment(n) },
		create: func(ctx context.Context, v *survey.Assignment) error {
			return s.CreateAssignments(ctx, []*survey.Assignment{v})
		},
		replace: s.ReplaceAssignment,
		read: func(ctx context.Context, v *survey.Assignment) (*survey.Assignment, error) {
			return s.Assignment(ctx, v.ID)
		},
		rev:   func(v *survey.Assignment) *int64 { return &v.Rev },
		skips: true,
	}
	d.mark, d.marks, d.setTime = byEvents(func(v *survey.Assignment) *[]survey.Event { return &v.Events })
	testDocument(t, d)
	t.Run("found by visit", func(t *testing.T) {
		v := Assignment(100)
		Must(t, s.CreateAssignments(ctx, []*survey.Assignment{v}))
		got, err := s.AssignmentFor(ctx, v.VisitKey)
		Must(t, err)
		WantSame(t, got, v)
		for _, bend := range []func(*survey.VisitKey){
			func(k *survey.VisitKey) { k.Round += "x" }, func(k *survey.VisitKey) { k.Template += "x" },
			func(k *survey.VisitKey) { k.Unit += "x" }, func(k *survey.VisitKey) { k.Role = survey.RoleSecond },
			func(k *survey.VisitKey) { k.Period = "2018-03" },
		} {
			key := v.VisitKey
			bend(&key)
			_, err := s.AssignmentFor(ctx, key)
			WantError(t, err, survey.NotFound, "assignment.unknown")
		}
	})
	t.Run("a visit is assigned once", func(t *testing.T) { testVisitAssigned(t, s) })
	t.Run("many are created, those before a taken visit stay", func(t *testing.T) { testCreateAssignments(t, opener(t)()) })
	t.Run("an observer's come ordered by round, due date, id", func(t *testing.T) { testAssignmentsOf(t, opener(t)()) })
	t.Run("since a cursor come those of the round alone", func(t *testing.T) {
		s := opener(t)()
		other := Assignment(5, func(v *survey.Assignment) { v.Round = "other" })
		all := []*survey.Assignment{Assignment(1), other, Assignment(2)}
		Must(t, s.CreateAssignments(ctx, all))
		got := Collect(t, s.AssignmentsSince(ctx, RoundCode, ""))
		if len(got) != 2 {
			t.Fatalf("%d assignments, want 2", len(got))
		}
		for _, c := range got {
			WantSame(t, c.Doc, map[survey.AssignmentID]*survey.Assignment{all[0].ID: all[0], all[2].ID: all[2]}[c.Doc.ID])
		}
		if rest := Collect(t, s.AssignmentsSince(ctx, RoundCode, got[1].Cursor)); len(rest) != 0 {
			t.Errorf("%d more after the last cursor", len(rest))
		}
	})
	t.Run("visits tell what was assigned and what is no longer", func(t *testing.T) { testVisitsSince(t, opener(t)()) })
}

func testVisitsSince(t *testing.T, s survey.Store) {
	ctx := t.Context()
	other := Assignment(5, func(v *survey.Assignment) { v.Round = "other" })
	all := []*survey.Assignment{Assignment(1), other, Assignment(2, func(v *survey.Assignment) { v.Period = "2018-03" })}
	Must(t, s.CreateAssignments(ctx, all))
	seen := map[survey.VisitKey]survey.AssignedVisit{}
	cursor := survey.Cursor("")
	follow := func(want int) {
		t.Helper()
		changes := Collect(t, s.VisitsSince(ctx, RoundCode, cursor))
		if len(changes) != want {
			t.Errorf("%d visits, want %d", len(changes), want)
		}
		for _, c := range changes {
			seen[c.Doc.VisitKey], cursor = c.Doc, c.Cursor
		}
		tell := map[survey.VisitKey]survey.AssignedVisit{}
		for _, v := range []*survey.Assignment{all[0], all[2]} {
			tell[v.VisitKey] = survey.AssignedVisit{VisitKey: v.VisitKey, ID: v.ID, Observer: v.Observer, Due: v.Due, Status: v.Status}
		}
		if !maps.Equal(seen, tell) {
			t.Errorf("%v, want %v", seen, tell)
		}
	}
	follow(2)
	for _, status := range survey.AssignmentStatuses {
		all[0].Status, all[0].Due, all[0].Observer = status, all[0].Due+1, all[0].Observer+"x"
		Must(t, s.ReplaceAssignment(ctx, all[0]))
		follow(1)
	}
	all[0].Due = 0
	Must(t, s.ReplaceAssignment(ctx, all[0]))
	follow(1)
	follow(0)
	// The cursor is the one of assignments: both read one order.
	if rest := Collect(t, s.AssignmentsSince(ctx, RoundCode, cursor)); len(rest) != 0 {
		t.Errorf("%d more assignments after the last cursor", len(rest))
	}
}

func testVisitAssigned(t *testing.T, s survey.Store) {
	ctx := t.Context()
	first, second := Assignment(101), Assignment(102)
	Must(t, s.CreateAssignments(ctx, []*survey.Assignment{first, second}))
	thief := Assignment(103, func(v *survey.Assignment) { v.VisitKey = first.VisitKey })
	WantError(t, s.CreateAssignments(ctx, []*survey.Assignment{thief}), survey.Exists, "visit.assigned")
	moved := *second
	moved.VisitKey = first.VisitKey
	WantError(t, s.ReplaceAssignment(ctx, &moved), survey.Exists, "visit.assigned")
	got, err := s.Assignment(ctx, second.ID)
	Must(t, err)
	WantSame(t, got, second)
	moved = *first
	moved.Unit = "ELSEWHERE"
	Must(t, s.ReplaceAssignment(ctx, &moved))
	Must(t, s.CreateAssignments(ctx, []*survey.Assignment{thief})) // the visit is free now
}

func testCreateAssignments(t *testing.T, s survey.Store) {
	ctx := t.Context()
	Must(t, s.CreateAssignments(ctx, nil))
	const n = 600
	var all []*survey.Assignment
	for i := range n {
		all = append(all, Assignment(i))
	}
	bad := Assignment(n, func(v *survey.Assignment) { v.VisitKey = all[0].VisitKey })
	list := slices.Concat(all[:400], []*survey.Assignment{bad}, all[400:])
	WantError(t, s.CreateAssignments(ctx, list), survey.Exists, "visit.assigned")
	for _, v := range all[:400] {
		if v.Rev != 1 {
			t.Fatal("one that was stored before the error has no Rev")
		}
	}
	if got := Collect(t, s.AssignmentsSince(ctx, RoundCode, "")); len(got) < 400 {
		t.Errorf("%d are stored, want the 400 before the error at least", len(got))
	}
	_, err := s.Assignment(ctx, bad.ID)
	WantError(t, err, survey.NotFound, "assignment.unknown")
	for range 2 {
		Must(t, s.CreateAssignments(ctx, all))
		got := Collect(t, s.AssignmentsSince(ctx, RoundCode, ""))
		if len(got) != n {
			t.Fatalf("%d are stored, want %d", len(got), n)
		}
	}
}

func testAssignmentsOf(t *testing.T, s survey.Store) {
	ctx := t.Context()
	const mine, other survey.PersonID = "mine", "other"
	due := []string{"2018-03-02", "", "2018-03-01", "2018-03-01", "2017-12-31"}
	var all []*survey.Assignment
	for i := range 40 {
		all = append(all, Assignment(i, func(v *survey.Assignment) {
			v.Round = survey.RoundCode(byteOrder[i%4])
			v.Due = survey.MustDate(due[i%len(due)])
			v.Observer = mine
			if i%8 == 7 {
				v.Observer = other
			}
		}))
	}
	Must(t, s.CreateAssignments(ctx, all))
	want := slices.DeleteFunc(slices.Clone(all), func(v *survey.Assignment) bool { return v.Observer != mine })
	slices.SortFunc(want, func(a, b *survey.Assignment) int {
		if a.Round != b.Round {
			return compare(a.Round, b.Round)
		}
		if a.Due != b.Due {
			return int(a.Due - b.Due)
		}
		return compare(a.ID, b.ID)
	})
	wantAssignments(t, Collect(t, s.AssignmentsOf(ctx, mine, "")), want)
	one := survey.RoundCode(byteOrder[1])
	wantAssignments(t, Collect(t, s.AssignmentsOf(ctx, mine, one)),
		slices.DeleteFunc(want, func(v *survey.Assignment) bool { return v.Round != one }))
	wantAssignments(t, Collect(t, s.AssignmentsOf(ctx, "nobody", "")), nil)
}

func compare[T ~string](a, b T) int {
	if a < b {
		return -1
	}
	return 1
}

func wantAssignments(t *testing.T, got, want []*survey.Assignment) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d assignments, want %d", len(got), len(want))
	}
	for i := range got {
		WantSame(t, got[i], want[i])
	}
}
