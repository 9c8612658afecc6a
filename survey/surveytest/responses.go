package surveytest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

func testResponses(t *testing.T, opener Opener) {
	s := opener(t)()
	d := document[survey.Response]{
		noun:    "response",
		make:    func(n int) *survey.Response { return Response(n) },
		create:  s.CreateResponse,
		replace: s.ReplaceResponse,
		read: func(ctx context.Context, v *survey.Response) (*survey.Response, error) {
			return s.Response(ctx, v.ID)
		},
		rev: func(v *survey.Response) *int64 { return &v.Rev },
	}
	d.mark, d.marks, d.setTime = byEvents(func(v *survey.Response) *[]survey.Event { return &v.Events })
	testDocument(t, d)

	t.Run("every time in it comes back cut", func(t *testing.T) {
		testRoundTrip(t, s, Response(100, func(r *survey.Response) {
			r.ReceivedAt, r.StartedAt, r.EndedAt = odd, &odd, &odd
			r.Earlier = []survey.Submission{Submission("earlier")}
			r.Earlier[0].ReceivedAt, r.Earlier[0].EndedAt = odd, &odd
			r.Conflicts = []survey.Submission{Submission("conflict")}
			r.Conflicts[0].ReceivedAt, r.Conflicts[0].StartedAt = odd, &odd
			r.Comments = []survey.Comment{{Text: "Xin ghi rõ", At: odd, SHA256: "0a"}, {Item: "A1", Text: "?", By: "p", At: odd, Resolved: true}}
		}))
	})
	t.Run("raw bytes of every submission come back as they were", func(t *testing.T) { testRaw(t, s) })
	t.Run("answers of every shape come back as they were", func(t *testing.T) { testAnswers(t, s) })
	t.Run("bare and nil lists are the same", func(t *testing.T) {
		testRoundTrip(t, s, &survey.Response{ID: "bare-nil", State: survey.StateQuarantined})
		testRoundTrip(t, s, &survey.Response{ID: "bare-empty", State: survey.StateQuarantined,
			Standing:   survey.Standing{Path: []survey.UnitCode{}, UnitFacts: survey.UnitFacts{Tags: []string{}}},
			Reasons:    survey.Problems{},
			Submission: survey.Submission{Raw: []byte{}, Answers: survey.Answers{}},
			Earlier:    []survey.Submission{}, Conflicts: []survey.Submission{}, Events: []survey.Event{}, Packed: []byte{}})
	})
	t.Run("a quarantined one keeps its reasons", func(t *testing.T) {
		testRoundTrip(t, s, Response(101, Quarantine))
	})
	t.Run("a visit is held by one", func(t *testing.T) { testVisitTaken(t, s) })
	t.Run("one that holds no visit collides by id only", func(t *testing.T) { testHoldsNoVisit(t, s) })
	t.Run("roles and periods are visits of their own", func(t *testing.T) {
		for i, bend := range []func(*survey.Response){
			func(r *survey.Response) {}, func(r *survey.Response) { r.Role = survey.RoleSecond },
			func(r *survey.Response) { r.Period = "2018-03" }, func(r *survey.Response) { r.Period = "2018-04" },
			func(r *survey.Response) { r.Template = "SHCB-CD" }, func(r *survey.Response) { r.Round = "other" },
		} {
			r := Response(140, bend)
			r.ID = survey.ResponseID(ID("role or period", i))
			Must(t, s.CreateResponse(t.Context(), r))
		}
	})
	t.Run("many are created, those that exist left alone", func(t *testing.T) { testCreateResponses(t, opener(t)()) })
	t.Run("since a cursor come those written later, in order", func(t *testing.T) { testOrderOfWrites(t, opener(t)()) })
	t.Run("rows carry what was packed", func(t *testing.T) { testRows(t, opener(t)()) })
}

// testRoundTrip creates, reads, replaces and reads again, one by one and in bulk.
func testRoundTrip(t *testing.T, s survey.Store, r *survey.Response) {
	t.Helper()
	ctx := t.Context()
	Must(t, s.CreateResponse(ctx, r))
	for range 2 {
		got, err := s.Response(ctx, r.ID)
		Must(t, err)
		WantSame(t, got, r)
		found := false
		for c, err := range s.ResponsesSince(ctx, survey.ResponseFilter{Round: r.Round, Unit: r.Unit}, "") {
			Must(t, err)
			if c.Doc.ID == r.ID {
				found = true
				WantSame(t, c.Doc, r)
			}
		}
		if !found {
			t.Errorf("%s does not come since the beginning", r.ID)
		}
		Must(t, s.ReplaceResponse(ctx, r))
	}
}

func testRaw(t *testing.T, s survey.Store) {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	hard := [][]byte{nil, {0}, []byte("\x00\x00"), []byte("a\x00b"), []byte("\xff\xfe\xc3\x28"), everyByte,
		bytes.Repeat(everyByte, 400), []byte("Chi bộ \xed\xa0\x80")}
	for i, raw := range hard {
		r := Response(110+i, func(r *survey.Response) {
			r.Submission = Submission(string(raw))
			r.Packed = raw
			for j := range i { // histories of different lengths
				r.Earlier = append(r.Earlier, Submission(string(hard[j])))
				r.Conflicts = append(r.Conflicts, Submission(string(hard[i-j])))
			}
		})
		testRoundTrip(t, s, r)
	}
}

func testAnswers(t *testing.T, s survey.Store) {
	deep := survey.Answers{{Item: "leaf", Value: survey.NumberValue(1)}}
	for range 10 {
		deep = survey.Answers{{Item: "rows", Value: survey.RowsValue(deep, survey.Answers{})}}
	}
	answers := survey.Answers{
		{Item: "z first", Value: survey.TextValue("order is kept")},
		{Item: "a second", Value: survey.Value{Kind: survey.ValueBool}},
		{Item: "", Value: survey.TextValue("an item without a name")},
		{Item: "$set", Value: survey.TextValue("$$NOW")},
		{Item: "a.b.$c", Value: survey.ListValue("$x", "y.z", "")},
		{Item: "_id", Value: survey.TextValue(strings.Repeat("ă", 10_000))},
		{Item: "quoted", Value: survey.TextValue("\" \\ / \b\f\n\r\t \u0000 \u007f \u2028 </script> ' '' -- ; %")},
		{Item: "scripts", Value: survey.TextValue("Nguyễn 漢字 😀 e\u0301")},
		{Item: "deep", Value: survey.RowsValue(deep)},
	}
	for _, f := range []float64{0, 1, -1, 0.1, 1e-300, math.MaxFloat64, -math.SmallestNonzeroFloat64, 1 << 53, 1<<53 + 2, 1e21, 1.0 / 3} {
		answers = answers.Set(fmt.Sprint("number ", f), survey.NumberValue(f))
	}
	testRoundTrip(t, s, Response(130, func(r *survey.Response) {
		r.Answers = answers
		r.Earlier = []survey.Submission{Submission("1")}
		r.Earlier[0].Answers = answers
	}))
}

func testVisitTaken(t *testing.T, s survey.Store) {
	ctx := t.Context()
	holder, other := Response(120), Response(121)
	Must(t, s.CreateResponse(ctx, holder))
	Must(t, s.CreateResponse(ctx, other))

	thief := Response(122, func(r *survey.Response) { r.VisitKey = holder.VisitKey })
	wantTaken(t, s.CreateResponse(ctx, thief), holder.ID)
	_, err := s.CreateResponses(ctx, []*survey.Response{thief})
	wantTaken(t, err, holder.ID)
	_, err = s.Response(ctx, thief.ID)
	WantError(t, err, survey.NotFound, "response.unknown")

	moved := *other
	moved.VisitKey = holder.VisitKey
	wantTaken(t, s.ReplaceResponse(ctx, &moved), holder.ID)
	got, err := s.Response(ctx, other.ID)
	Must(t, err)
	WantSame(t, got, other)

	same := Response(120) // the same id and the same visit: it is the id that counts
	WantError(t, s.CreateResponse(ctx, same), survey.Exists, "response.exists")

	moved = *holder
	moved.Period = "2018-04"
	Must(t, s.ReplaceResponse(ctx, &moved))
	Must(t, s.CreateResponse(ctx, thief)) // the visit is free now
}

func wantTaken(t *testing.T, err error, holder survey.ResponseID) {
	t.Helper()
	WantError(t, err, survey.Exists, "visit.taken")
	if args := argsOf(err); args["response"] != string(holder) {
		t.Errorf("visit.taken names %q, want the holder %s", args["response"], holder)
	}
}

func testHoldsNoVisit(t *testing.T, s survey.Store) {
	ctx := t.Context()
	held := func(id int, bend ...func(*survey.Response)) *survey.Response {
		r := Response(125, bend...)
		r.ID = survey.ResponseID(ID("holds no visit", id))
		return r
	}
	first, second := held(1, Quarantine), held(2, Quarantine)
	for _, r := range []*survey.Response{first, second, held(3), held(4, Quarantine)} {
		Must(t, s.CreateResponse(ctx, r))
	}
	WantError(t, s.CreateResponse(ctx, held(4, Quarantine)), survey.Exists, "response.exists")
	released := *first
	released.State = survey.StateSubmitted
	wantTaken(t, s.ReplaceResponse(ctx, &released), held(3).ID)
	shut := held(3, Quarantine)
	shut.Rev = 1
	Must(t, s.ReplaceResponse(ctx, shut)) // gives the visit up
	Must(t, s.ReplaceResponse(ctx, &released))
	wantTaken(t, s.CreateResponse(ctx, held(5)), first.ID)
}

func testCreateResponses(t *testing.T, s survey.Store) {
	ctx := t.Context()
	if n, err := s.CreateResponses(ctx, nil); n != 0 || err != nil {
		t.Fatalf("of none %d were created: %v", n, err)
	}
	old := Response(3, func(r *survey.Response) { r.Observer = "old" })
	Must(t, s.CreateResponse(ctx, old))
	const n = 700
	all := make([]*survey.Response, n)
	for i := range all {
		all[i] = Response(i)
	}
	for _, want := range []int{n - 1, 0} { // the second time nothing happens
		created, err := s.CreateResponses(ctx, all)
		Must(t, err)
		if created != want {
			t.Fatalf("%d were created, want %d", created, want)
		}
	}
	all[3] = old
	byID := map[survey.ResponseID]*survey.Response{}
	for _, r := range all {
		if r.Rev != 1 {
			t.Fatalf("Rev of %s is %d, want 1", r.ID, r.Rev)
		}
		byID[r.ID] = r
	}
	for _, c := range Collect(t, s.ResponsesSince(ctx, survey.ResponseFilter{}, "")) {
		WantSame(t, c.Doc, byID[c.Doc.ID])
		delete(byID, c.Doc.ID)
	}
	if len(byID) > 0 {
		t.Fatalf("%d are missing", len(byID))
	}

	more := make([]*survey.Response, 300)
	for i := range more {
		more[i] = Response(n + i)
	}
	more[200].VisitKey = all[0].VisitKey
	created, err := s.CreateResponses(ctx, more)
	wantTaken(t, err, all[0].ID)
	if created < 200 {
		t.Errorf("%d were created, want those before the taken visit at least", created)
	}
	for _, r := range more[:200] {
		if _, err := s.Response(ctx, r.ID); err != nil {
			t.Fatalf("one before the taken visit: %v", err)
		}
	}
	if got := len(Collect(t, s.RowsSince(ctx, RoundCode, ""))); got != n+created {
		t.Errorf("%d rows are stored, want %d", got, n+created)
	}
}

// testOrderOfWrites writes with pauses, since writes of one moment have no
// order that could be promised.
func testOrderOfWrites(t *testing.T, s survey.Store) {
	ctx := t.Context()
	pause := func() { time.Sleep(3 * time.Millisecond) }
	docs := make([]*survey.Response, 6)
	for i := range docs {
		docs[i] = Response(i)
		Must(t, s.CreateResponse(ctx, docs[i]))
		pause()
	}
	middle := wantResponses(t, s, "", docs...)[2]
	Must(t, s.ReplaceResponse(ctx, docs[1]))
	pause()
	Must(t, s.ReplaceResponse(ctx, docs[4]))
	pause()
	last := wantResponses(t, s, middle, docs[3], docs[5], docs[1], docs[4])[3]
	wantResponses(t, s, last)
	Must(t, s.ReplaceResponse(ctx, docs[4]))
	wantResponses(t, s, last, docs[4])
	wantResponses(t, s, "", docs[0], docs[2], docs[3], docs[5], docs[1], docs[4])
}

// wantResponses wants the round's responses, and its rows, since the cursor to
// be the given ones, and gives the cursors behind them.
func wantResponses(t *testing.T, s survey.Store, after survey.Cursor, want ...*survey.Response) []survey.Cursor {
	t.Helper()
	got := Collect(t, s.ResponsesSince(t.Context(), survey.ResponseFilter{Round: RoundCode}, after))
	rows := Collect(t, s.RowsSince(t.Context(), RoundCode, after))
	if len(got) != len(want) || len(rows) != len(want) {
		t.Fatalf("%d responses and %d rows since %q, want %d", len(got), len(rows), after, len(want))
	}
	var cursors []survey.Cursor
	for i, r := range want {
		WantSame(t, got[i].Doc, r)
		WantSame(t, rows[i].Doc, rowOf(r))
		cursors = append(cursors, got[i].Cursor)
		if c := got[i].Cursor; c == "" || strings.ContainsFunc(string(c), func(r rune) bool { return r < '!' || r > '~' }) {
			t.Errorf("the cursor %q is not plain ASCII", c)
		}
	}
	return cursors
}

func rowOf(r *survey.Response) survey.Row {
	return survey.Row{ID: r.ID, Rev: r.Rev, State: r.State, Packed: r.Packed}
}

func testRows(t *testing.T, s survey.Store) {
	ctx := t.Context()
	docs := []*survey.Response{
		Response(1), Response(2, Quarantine), Response(3, func(r *survey.Response) { r.State = survey.StateReturned }),
		Response(4, func(r *survey.Response) { r.Packed = bytes.Repeat([]byte{0, 255}, 3000) }),
		Response(5, func(r *survey.Response) { r.Round = "other" }),
	}
	for _, r := range docs {
		Must(t, s.CreateResponse(ctx, r))
		time.Sleep(3 * time.Millisecond)
	}
	wantRows(t, s, RoundCode, docs[:4]...)
	wantRows(t, s, "other", docs[4])
	wantRows(t, s, "nothing here")

	docs[0].State, docs[0].Packed, docs[0].DerivedRev = survey.StateApproved, []byte("derived anew"), 2
	Must(t, s.ReplaceResponse(ctx, docs[0]))
	time.Sleep(3 * time.Millisecond)
	docs[2].Round = "other" // an admin mends a response that was filed under the wrong round
	Must(t, s.ReplaceResponse(ctx, docs[2]))
	wantRows(t, s, RoundCode, docs[1], docs[3], docs[0])
	wantRows(t, s, "other", docs[4], docs[2])

	rows := Collect(t, s.RowsSince(ctx, RoundCode, ""))
	clear(rows[0].Doc.Packed)
	clear(rows[1].Doc.Packed)
	rows[1].Doc.Packed = append(rows[1].Doc.Packed, "overrun"...)
	if !bytes.Equal(rows[2].Doc.Packed, docs[0].Packed) {
		t.Error("changing one row's bytes changed another's")
	}
	wantRows(t, s, RoundCode, docs[1], docs[3], docs[0])
}

func wantRows(t *testing.T, s survey.Store, round survey.RoundCode, want ...*survey.Response) {
	t.Helper()
	rows := Collect(t, s.RowsSince(t.Context(), round, ""))
	if len(rows) != len(want) {
		t.Fatalf("%d rows of %s, want %d", len(rows), round, len(want))
	}
	for i := range want {
		WantSame(t, rows[i].Doc, rowOf(want[i]))
	}
}
