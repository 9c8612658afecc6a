package surveytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

func testLifetime(t *testing.T, opener Opener) {
	t.Run("ping and name", func(t *testing.T) {
		s := opener(t)()
		Must(t, s.Ping(t.Context()))
		if s.Name() == "" {
			t.Error("the store has no name")
		}
	})
	t.Run("reopened after closing it keeps everything", func(t *testing.T) {
		open := opener(t)
		s := open()
		cursor := fillStore(t, s)
		Must(t, s.Close())
		wantFilled(t, open(), cursor)
	})
	t.Run("reopened without closing it keeps everything acknowledged", func(t *testing.T) {
		open := opener(t)
		cursor := fillStore(t, open())
		wantFilled(t, open(), cursor)
	})
	t.Run("a cursor outlives the handle that made it", func(t *testing.T) {
		open := opener(t)
		s := open()
		all := map[survey.ResponseID]bool{}
		cursor := survey.Cursor("")
		for i := range 12 {
			Must(t, s.CreateResponse(t.Context(), Response(i)))
			Must(t, s.Close())
			s = open()
			if i%3 != 2 {
				continue
			}
			for c, err := range s.RowsSince(t.Context(), RoundCode, cursor) {
				Must(t, err)
				if all[c.Doc.ID] {
					t.Fatalf("%s comes twice", c.Doc.ID)
				}
				all[c.Doc.ID], cursor = true, c.Cursor
			}
		}
		if len(all) != 12 {
			t.Errorf("%d came, want 12", len(all))
		}
	})
	t.Run("what one handle wrote another reads at once", func(t *testing.T) {
		open := opener(t)
		a, b := open(), open()
		for i := range 20 {
			Must(t, a.CreateResponse(t.Context(), Response(i)))
			got, err := b.Response(t.Context(), Response(i).ID)
			Must(t, err)
			Must(t, b.ReplaceResponse(t.Context(), got))
			rows := Collect(t, a.RowsSince(t.Context(), RoundCode, ""))
			if len(rows) != i+1 || slices.ContainsFunc(rows, func(c survey.Change[survey.Row]) bool { return c.Doc.Rev != 2 }) {
				t.Fatalf("%d rows, want %d with Rev 2 each", len(rows), i+1)
			}
		}
	})
	t.Run("closed twice is closed, and says so", func(t *testing.T) {
		s := opener(t)()
		Must(t, s.Close())
		Must(t, s.Close())
		for name, call := range calls(s) {
			if err := call(t.Context()); survey.KindOf(err) != survey.Unavailable {
				t.Errorf("%s after Close: error is %v, want unavailable", name, err)
			}
		}
	})
	t.Run("closing finishes what is in hand", func(t *testing.T) { testCloseWhileWriting(t, opener) })
}

// fillStore stores one document of each sort, and gives a cursor.
func fillStore(t *testing.T, s survey.Store) survey.Cursor {
	t.Helper()
	ctx := t.Context()
	Must(t, s.CreateTemplate(ctx, Template(TemplateCode, 1)))
	Must(t, s.ReplaceTypeLists(ctx, TypeLists()))
	Must(t, s.PutUnits(ctx, []*survey.Unit{Unit(1)}))
	Must(t, s.CreatePerson(ctx, Person(1)))
	Must(t, s.CreateToken(ctx, Token(1, Person(1).ID)))
	Must(t, s.CreateRound(ctx, Round(RoundCode)))
	Must(t, s.CreateAssignments(ctx, []*survey.Assignment{Assignment(1)}))
	Must(t, s.CreateResponse(ctx, Response(1)))
	cursor := Collect(t, s.RowsSince(ctx, RoundCode, ""))[0].Cursor
	Must(t, s.CreateResponse(ctx, Response(2)))
	return cursor
}

func wantFilled(t *testing.T, s survey.Store, cursor survey.Cursor) {
	t.Helper()
	ctx := t.Context()
	same := func(got any, err error) func(want any) {
		t.Helper()
		Must(t, err)
		return func(want any) {
			t.Helper()
			WantSame(t, got, want)
		}
	}
	lists := TypeLists()
	lists.Rev = 1
	same(s.TypeLists(ctx))(lists)
	same(s.Template(ctx, TemplateCode, 1))(Template(TemplateCode, 1, func(v *survey.Template) { v.Rev = 1 }))
	same(s.Unit(ctx, UnitCode(1)))(Unit(1, func(v *survey.Unit) { v.Rev = 1 }))
	same(s.PersonByName(ctx, "person1"))(Person(1, func(v *survey.Person) { v.Rev = 1 }))
	same(s.Token(ctx, Token(1, "").Hash))(Token(1, Person(1).ID, func(v *survey.Token) { v.Rev = 1 }))
	same(s.Round(ctx, RoundCode))(Round(RoundCode, func(v *survey.Round) { v.Rev = 1 }))
	same(s.AssignmentFor(ctx, Visit(1)))(Assignment(1, func(v *survey.Assignment) { v.Rev = 1 }))
	for n := 1; n <= 2; n++ {
		same(s.Response(ctx, Response(n).ID))(Response(n, func(v *survey.Response) { v.Rev = 1 }))
	}
	WantError(t, s.CreateResponse(ctx, Response(1)), survey.Exists, "response.exists")
	rest := Collect(t, s.RowsSince(ctx, RoundCode, cursor))
	if len(rest) != 1 || rest[0].Doc.ID != Response(2).ID {
		t.Errorf("%d rows come since the saved cursor, want the one behind it", len(rest))
	}
}

// testCloseWhileWriting closes a handle under its writers: what was
// acknowledged is stored, and what was refused was refused as Unavailable.
func testCloseWhileWriting(t *testing.T, opener Opener) {
	open := opener(t)
	s := open()
	acknowledged := &ledger{rev: map[string]int64{}}
	inParallel(t, 9, func(i int) error {
		for k := range 1000 {
			r := Response(i*1000 + k)
			if i == 0 && k == 20 {
				return s.Close()
			}
			err := s.CreateResponse(t.Context(), r)
			if survey.KindOf(err) == survey.Unavailable && i > 0 {
				return nil
			}
			if err != nil {
				return err
			}
			acknowledged.acknowledge(string(r.ID), r.Rev)
		}
		return fmt.Errorf("1000 writes did not notice that the store was closed")
	})
	stored := map[string]bool{}
	for _, c := range Collect(t, open().RowsSince(t.Context(), RoundCode, "")) {
		stored[string(c.Doc.ID)] = true
	}
	var lost []string
	for id := range acknowledged.snapshot() {
		if !stored[id] {
			lost = append(lost, id)
		}
	}
	if len(lost) > 0 {
		t.Errorf("%d acknowledged responses are gone: %.200s", len(lost), strings.Join(lost, " "))
	}
}
