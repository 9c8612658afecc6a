package surveytest

import (
	"context"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

func testTypeLists(t *testing.T, opener Opener) {
	ctx := t.Context()
	open := opener(t)
	s := open()
	t.Run("empty with Rev 0 before any were stored", func(t *testing.T) {
		got, err := s.TypeLists(ctx)
		Must(t, err)
		WantSame(t, got, &survey.TypeLists{})
		ahead := TypeLists()
		ahead.Rev = 1
		WantError(t, s.ReplaceTypeLists(ctx, ahead), survey.Conflict, "stale")
	})
	lists := TypeLists()
	t.Run("stored for the first time from Rev 0", func(t *testing.T) {
		Must(t, s.ReplaceTypeLists(ctx, lists))
		if lists.Rev != 1 {
			t.Errorf("Rev is %d, want 1", lists.Rev)
		}
		WantError(t, s.ReplaceTypeLists(ctx, TypeLists()), survey.Conflict, "stale")
		got, err := s.TypeLists(ctx)
		Must(t, err)
		WantSame(t, got, lists)
	})
	t.Run("replaced by who read the newest", func(t *testing.T) {
		stale := *lists
		lists.Tags = nil
		Must(t, s.ReplaceTypeLists(ctx, lists))
		WantError(t, s.ReplaceTypeLists(ctx, &stale), survey.Conflict, "stale")
		got, err := open().TypeLists(ctx)
		Must(t, err)
		WantSame(t, got, lists)
	})
}

func testUnits(t *testing.T, opener Opener) {
	ctx := t.Context()
	s := opener(t)()
	t.Run("absent is NotFound", func(t *testing.T) {
		_, err := s.Unit(ctx, "Q99")
		WantError(t, err, survey.NotFound, "unit.unknown")
		WantError(t, s.ReplaceUnit(ctx, Unit(1)), survey.NotFound, "unit.unknown")
	})
	t.Run("put creates what is new and replaces what is not", func(t *testing.T) { testPutUnits(t, opener(t)()) })
	t.Run("replace compares revisions", func(t *testing.T) {
		u := Unit(2)
		Must(t, s.PutUnits(ctx, []*survey.Unit{u}))
		stale := Unit(2)
		stale.Rev = 1
		u.Spans[0].Name = "Tên mới"
		Must(t, s.ReplaceUnit(ctx, u))
		if u.Rev != 2 {
			t.Errorf("Rev is %d, want 2", u.Rev)
		}
		WantError(t, s.ReplaceUnit(ctx, stale), survey.Conflict, "stale")
		got, err := s.Unit(ctx, u.Code)
		Must(t, err)
		WantSame(t, got, u)
	})
	t.Run("nil and empty lists are the same", func(t *testing.T) {
		Must(t, s.PutUnits(ctx, []*survey.Unit{{Code: "BARE", Spans: []survey.Span{}, Events: []survey.Event{}}}))
		got, err := s.Unit(ctx, "BARE")
		Must(t, err)
		WantSame(t, got, &survey.Unit{Code: "BARE", Rev: 1})
	})
	t.Run("times come back in UTC and cut to milliseconds", func(t *testing.T) {
		u := Unit(3, func(u *survey.Unit) { u.Events[0].At = odd })
		Must(t, s.PutUnits(ctx, []*survey.Unit{u}))
		got, err := s.Unit(ctx, u.Code)
		Must(t, err)
		WantSame(t, got, u)
	})
	t.Run("20 writers on one unit lose nothing", func(t *testing.T) {
		d := document[survey.Unit]{
			make:    func(n int) *survey.Unit { return Unit(n) },
			create:  func(ctx context.Context, u *survey.Unit) error { return s.PutUnits(ctx, []*survey.Unit{u}) },
			replace: s.ReplaceUnit,
			read: func(ctx context.Context, u *survey.Unit) (*survey.Unit, error) {
				return s.Unit(ctx, u.Code)
			},
			rev: func(u *survey.Unit) *int64 { return &u.Rev },
		}
		d.mark, d.marks, d.setTime = byEvents(func(u *survey.Unit) *[]survey.Event { return &u.Events })
		d.testWriters(t)
	})
}

func testPutUnits(t *testing.T, s survey.Store) {
	ctx := t.Context()
	Must(t, s.PutUnits(ctx, nil))
	const n = 600
	units := make([]*survey.Unit, n)
	for rev := int64(1); rev <= 3; rev++ {
		for i := range units {
			units[i] = Unit(i, func(u *survey.Unit) { u.Rev, u.Spans[0].Members = 99, int(rev) })
		}
		Must(t, s.PutUnits(ctx, units))
		for _, u := range units {
			if u.Rev != rev {
				t.Fatalf("Rev of %s is %d, want %d", u.Code, u.Rev, rev)
			}
		}
	}
	want := map[survey.UnitCode]*survey.Unit{}
	for _, u := range units {
		want[u.Code] = u
	}
	cursor := survey.Cursor("")
	for _, c := range Collect(t, s.UnitsSince(ctx, "")) {
		WantSame(t, c.Doc, want[c.Doc.Code])
		delete(want, c.Doc.Code)
		cursor = c.Cursor
	}
	if len(want) > 0 {
		t.Errorf("%d units do not come since the beginning", len(want))
	}
	Must(t, s.PutUnits(ctx, []*survey.Unit{Unit(7), Unit(n), Unit(7)})) // one of them twice
	got := map[survey.UnitCode]int64{}
	for _, c := range Collect(t, s.UnitsSince(ctx, cursor)) {
		got[c.Doc.Code] = c.Doc.Rev
	}
	if len(got) != 2 || got[UnitCode(n)] != 1 || got[UnitCode(7)] != 5 {
		t.Errorf("after the cursor come %v, want unit %d with Rev 1 and unit 7 with Rev 5", got, n)
	}
}
