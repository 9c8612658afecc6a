package surveytest

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// testEvents fills a store with documents of every sort, replaces some, and reads
// the log as a whole, through filters, and page by page.
func testEvents(t *testing.T, opener Opener) {
	s := opener(t)()
	ctx := t.Context()
	t.Run("an empty store has none", func(t *testing.T) {
		if got := collectEvents(t, s.Events(ctx, survey.AuditFilter{}, "")); len(got) != 0 {
			t.Errorf("%d came", len(got))
		}
	})
	people := []survey.PersonID{survey.PersonID(ID("person", 1)), survey.PersonID(ID("person", 2))}
	second := 0
	// Some events have the same time; some are days apart.
	events := func(n int, action string) []survey.Event {
		var out []survey.Event
		for k := range n {
			second += []int{0, 1, 3, 40_000}[(second+k)%4]
			out = append(out, survey.Event{At: Received.Add(time.Duration(second) * time.Second), By: people[(second+k)%2], Action: action,
				Detail: survey.Args{"before": "ổn. $ok"}})
		}
		return out
	}
	var want []*survey.AuditEntry
	add := func(o survey.Object, events []survey.Event) {
		for n, e := range events {
			want = append(want, &survey.AuditEntry{Event: e, Object: o, N: n})
		}
	}
	template := Template("FORM", 2, func(t *survey.Template) { t.Events = events(2, "template.imported") })
	Must(t, s.CreateTemplate(ctx, template))
	// Saves that follow each other count as one: the last event gives way to a later one.
	template.Events = append(template.Events[:1:1], events(1, "template.edited")...)
	Must(t, s.ReplaceTemplate(ctx, template))
	add(template.Object(), template.Events)
	unit := Unit(1, func(u *survey.Unit) { u.Events = events(1, "unit.imported") })
	Must(t, s.PutUnits(ctx, []*survey.Unit{unit}))
	unit.Events = append(unit.Events, events(1, "unit.imported")...)
	Must(t, s.PutUnits(ctx, []*survey.Unit{unit}))
	add(unit.Object(), unit.Events)
	person := Person(1, func(p *survey.Person) { p.Events = events(2, "person.created") })
	Must(t, s.CreatePeople(ctx, []*survey.Person{person}))
	person.Events = append(person.Events, events(1, "person.changed")...)
	Must(t, s.ReplacePerson(ctx, person))
	add(person.Object(), person.Events)
	token := Token(1, person.ID, func(v *survey.Token) { v.Events = events(1, "token.created") })
	Must(t, s.CreateToken(ctx, token))
	add(token.Object(), token.Events)
	round := Round(RoundCode, func(r *survey.Round) { r.Events = events(3, "round.changed") })
	Must(t, s.CreateRound(ctx, round))
	add(round.Object(), round.Events)
	for n := range 5 {
		a := Assignment(n, func(a *survey.Assignment) { a.Events = events(2, "assignment.created") })
		Must(t, s.CreateAssignments(ctx, []*survey.Assignment{a}))
		add(a.Object(), a.Events)
	}
	for n := range 30 {
		r := Response(n, func(r *survey.Response) { r.Events = events(1+n%3, "response.received") })
		Must(t, s.CreateResponse(ctx, r))
		if n%4 == 0 {
			r.Events = append(r.Events, events(1, "response.approved")...)
			Must(t, s.ReplaceResponse(ctx, r))
			refused := *r
			refused.Rev, refused.Events = 7, append(slices.Clone(r.Events), events(1, "response.never")...)
			if err := s.ReplaceResponse(ctx, &refused); survey.KindOf(err) != survey.Conflict {
				t.Fatalf("error is %v", err)
			}
		}
		add(r.Object(), r.Events)
	}
	slices.SortFunc(want, func(a, b *survey.AuditEntry) int {
		if b.Before(a) {
			return -1
		}
		return 1
	})
	same := func(t *testing.T, got, want []*survey.AuditEntry) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%d came, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i].Object != want[i].Object || got[i].N != want[i].N || !got[i].At.Equal(want[i].At) || got[i].At.Location() != time.UTC ||
				got[i].By != want[i].By || got[i].Action != want[i].Action || got[i].Detail["before"] != want[i].Detail["before"] {
				t.Fatalf("%d: %+v, want %+v", i, got[i], want[i])
			}
		}
	}
	t.Run("all come, the newest first", func(t *testing.T) {
		same(t, collectEvents(t, s.Events(ctx, survey.AuditFilter{}, "")), want)
	})
	t.Run("filters narrow", func(t *testing.T) {
		middle := want[len(want)/2].At
		for _, f := range []survey.AuditFilter{{By: people[0]}, {By: "nobody"}, {Kind: survey.ObjectResponse}, {Kind: survey.ObjectToken},
			{Kind: survey.ObjectTemplate, ID: "FORM 2"}, {Kind: survey.ObjectRound, ID: string(round.Code)}, {Action: "response.approved"},
			{Round: round.Code}, {Unit: Response(3).Unit}, {From: middle}, {To: middle}, {From: middle.Add(-time.Hour), To: middle.Add(time.Millisecond)},
			{By: people[1], Round: Response(1).Round, From: Received, To: Received.AddDate(1, 0, 0)}} {
			var those []*survey.AuditEntry
			for _, e := range want {
				if f.Passes(e) {
					those = append(those, e)
				}
			}
			same(t, collectEvents(t, s.Events(ctx, f, "")), those)
		}
	})
	t.Run("a reading goes on from any entry", func(t *testing.T) {
		var got []*survey.AuditEntry
		cursor := survey.Cursor("")
		for {
			step := 0
			for e, err := range s.Events(ctx, survey.AuditFilter{Kind: survey.ObjectResponse}, cursor) {
				Must(t, err)
				got, cursor = append(got, e), e.Cursor()
				if step++; step == 7 {
					break
				}
			}
			if step < 7 {
				break
			}
		}
		same(t, got, collectEvents(t, s.Events(ctx, survey.AuditFilter{Kind: survey.ObjectResponse}, "")))
	})
	t.Run("a cursor of something else is Invalid", func(t *testing.T) {
		for _, bad := range []survey.Cursor{"x", "!", "MSAy", "\x00"} {
			for _, err := range s.Events(ctx, survey.AuditFilter{}, bad) {
				if survey.KindOf(err) != survey.Invalid || survey.CodeOf(err) != "cursor" {
					t.Errorf("%q: error is %v", bad, err)
				}
			}
		}
	})
}

func collectEvents(t *testing.T, seq iter.Seq2[*survey.AuditEntry, error]) (out []*survey.AuditEntry) {
	t.Helper()
	for e, err := range seq {
		Must(t, err)
		out = append(out, e)
	}
	return out
}
