package surveytest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

func testPeople(t *testing.T, opener Opener) {
	s := opener(t)()
	d := document[survey.Person]{
		noun:    "person",
		make:    func(n int) *survey.Person { return Person(n) },
		create:  s.CreatePerson,
		replace: s.ReplacePerson,
		read: func(ctx context.Context, v *survey.Person) (*survey.Person, error) {
			return s.Person(ctx, v.ID)
		},
		rev: func(v *survey.Person) *int64 { return &v.Rev },
	}
	d.mark, d.marks, d.setTime = byEvents(func(v *survey.Person) *[]survey.Event { return &v.Events })
	testDocument(t, d)
	t.Run("found by name", func(t *testing.T) {
		p := Person(100)
		Must(t, s.CreatePerson(t.Context(), p))
		got, err := s.PersonByName(t.Context(), p.Name)
		Must(t, err)
		WantSame(t, got, p)
		for _, name := range []string{"", "nobody", "PERSON100", "person10%", "person100 "} {
			_, err = s.PersonByName(t.Context(), name)
			WantError(t, err, survey.NotFound, "person.unknown")
		}
	})
	t.Run("a name is taken once", func(t *testing.T) { testNameTaken(t, s) })
	t.Run("a name that was given up is free", func(t *testing.T) {
		p := Person(110)
		Must(t, s.CreatePerson(t.Context(), p))
		p.Name = "renamed"
		Must(t, s.ReplacePerson(t.Context(), p))
		Must(t, s.CreatePerson(t.Context(), Person(111, func(q *survey.Person) { q.Name = "person110" })))
		got, err := s.PersonByName(t.Context(), "renamed")
		Must(t, err)
		WantSame(t, got, p)
	})
	t.Run("many are created at once, those that exist left alone", func(t *testing.T) { testCreatePeople(t, opener(t)()) })
	t.Run("all come ordered by the bytes of the name", func(t *testing.T) {
		s := opener(t)()
		var people []*survey.Person
		for i := range byteOrder {
			people = append(people, Person(i, func(p *survey.Person) { p.Name = byteOrder[i*5%len(byteOrder)] }))
		}
		Must(t, s.CreatePeople(t.Context(), people))
		var got []string
		for _, p := range Collect(t, s.People(t.Context())) {
			got = append(got, p.Name)
		}
		wantOrder(t, got, byteOrder)
	})
}

func testNameTaken(t *testing.T, s survey.Store) {
	ctx := t.Context()
	first, second := Person(101), Person(102)
	Must(t, s.CreatePerson(ctx, first))
	Must(t, s.CreatePerson(ctx, second))
	named := func(p *survey.Person) { p.Name = first.Name }
	WantError(t, s.CreatePerson(ctx, Person(103, named)), survey.Exists, "person.name_taken")
	_, err := s.Person(ctx, Person(103).ID)
	WantError(t, err, survey.NotFound, "person.unknown")
	WantError(t, s.CreatePeople(ctx, []*survey.Person{Person(104, named)}), survey.Exists, "person.name_taken")
	taker := Person(102, named)
	taker.Rev = second.Rev
	WantError(t, s.ReplacePerson(ctx, taker), survey.Exists, "person.name_taken")
	got, err := s.Person(ctx, second.ID)
	Must(t, err)
	WantSame(t, got, second)
}

func testCreatePeople(t *testing.T, s survey.Store) {
	ctx := t.Context()
	Must(t, s.CreatePeople(ctx, nil))
	old := Person(3, func(p *survey.Person) { p.FullName = "Cũ" })
	Must(t, s.CreatePerson(ctx, old))
	const n = 700
	var people []*survey.Person
	for i := range n {
		people = append(people, Person(i))
	}
	for range 2 { // the second time nothing happens
		Must(t, s.CreatePeople(ctx, people))
		all := Collect(t, s.People(ctx))
		if len(all) != n {
			t.Fatalf("%d accounts are stored, want %d", len(all), n)
		}
		for _, p := range all {
			want := old
			if p.ID != old.ID {
				i := 0
				for people[i].ID != p.ID {
					i++
				}
				want = Person(i)
				want.Rev = 1
			}
			WantSame(t, p, want)
		}
	}
}

func testTokens(t *testing.T, opener Opener) {
	s := opener(t)()
	d := document[survey.Token]{
		noun:    "token",
		make:    func(n int) *survey.Token { return Token(n, "somebody") },
		create:  s.CreateToken,
		replace: s.ReplaceToken,
		read: func(ctx context.Context, v *survey.Token) (*survey.Token, error) {
			return s.Token(ctx, v.Hash)
		},
		rev:     func(v *survey.Token) *int64 { return &v.Rev },
		mark:    func(v *survey.Token, s string) { v.Label += "," + s },
		marks:   func(v *survey.Token) []string { return strings.Split(v.Label, ",") },
		setTime: func(v *survey.Token, at time.Time) { v.Created, v.LastUsed, v.Used, v.Events[0].At = at, at, at, at },
	}
	testDocument(t, d)
	t.Run("a person's come ordered by creation, then hash", func(t *testing.T) {
		ctx := t.Context()
		p, other := survey.PersonID(ID("person", 1)), survey.PersonID(ID("person", 2))
		var want []string
		for i, at := range []int{3, 1, 2, 2, 0} {
			v := Token(1000+i, p, func(v *survey.Token) { v.Created = Received.Add(time.Duration(at) * time.Millisecond) })
			Must(t, s.CreateToken(ctx, v))
			Must(t, s.CreateToken(ctx, Token(2000+i, other)))
			want = append(want, v.Hash)
		}
		same := []string{want[2], want[3]}
		if same[0] > same[1] {
			same[0], same[1] = same[1], same[0]
		}
		var got []string
		for _, v := range Collect(t, s.TokensOf(ctx, p)) {
			got = append(got, v.Hash)
		}
		wantOrder(t, got, []string{want[4], want[1], same[0], same[1], want[0]})
		if none := Collect(t, s.TokensOf(ctx, "nobody")); len(none) != 0 {
			t.Errorf("nobody has %d tokens", len(none))
		}
	})
	t.Run("a token without end keeps none", func(t *testing.T) {
		v := Token(3000, "somebody", func(v *survey.Token) { v.Expires, v.Used = time.Time{}, time.Time{} })
		Must(t, s.CreateToken(t.Context(), v))
		got, err := s.Token(t.Context(), v.Hash)
		Must(t, err)
		if !got.Expires.IsZero() || !got.Revoked.IsZero() || !got.Live(odd.AddDate(100, 0, 0)) {
			t.Errorf("expires %v, revoked %v, want never", got.Expires, got.Revoked)
		}
	})
}
