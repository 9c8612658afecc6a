package sqlite

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"
)

var people = &kind[survey.Person]{
	trail: func(v *survey.Person) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "person",
	id:    func(p *survey.Person) string { return string(p.ID) },
	rev:   func(p *survey.Person) *int64 { return &p.Rev },
	cut: func(p *survey.Person) {
		p.Events = cutEvents(p.Events)
		p.Tried = append([]survey.Tried(nil), p.Tried...)
		for i := range p.Tried {
			p.Tried[i].At = cutTime(p.Tried[i].At)
		}
	},
}

const storedPerson = "SELECT rev FROM people WHERE id = ?"

func insertPerson(p *survey.Person) put {
	return func(t *tx, doc string) (int64, error) {
		return t.exec("INSERT INTO people (id, name, rev, doc) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING", p.ID, p.Name, doc)
	}
}

func nameTaken(p *survey.Person) error {
	return refuse(survey.Exists, "person.name_taken", survey.Args{"name": p.Name})
}

// newPerson says why an account was not created: nil if it is there already.
func newPerson(p *survey.Person) func(*tx) error {
	return func(t *tx) error {
		var rev int64
		found, err := t.one(storedPerson, []any{p.ID}, &rev)
		if err != nil || found {
			return err
		}
		return nameTaken(p)
	}
}

// CreatePerson implements survey.PersonStore.
func (s *Store) CreatePerson(ctx context.Context, p *survey.Person) error {
	return create(ctx, s, people, p, insertPerson(p), newPerson(p))
}

// CreatePeople implements survey.PersonStore.
func (s *Store) CreatePeople(ctx context.Context, all []*survey.Person) error {
	_, err := createMany(ctx, s, people, all, insertPerson, newPerson)
	return err
}

// ReplacePerson implements survey.PersonStore.
func (s *Store) ReplacePerson(ctx context.Context, p *survey.Person) error {
	return replace(ctx, s, people, p, func(t *tx, doc string) (int64, error) {
		return t.exec("UPDATE OR IGNORE people SET name = ?, rev = rev + 1, doc = ? WHERE id = ? AND rev = ?",
			p.Name, doc, p.ID, p.Rev)
	}, storedPerson, []any{p.ID}, func(*tx) error { return nameTaken(p) })
}

// Person implements survey.PersonStore.
func (s *Store) Person(ctx context.Context, id survey.PersonID) (*survey.Person, error) {
	return find(ctx, s, people, string(id), "SELECT rev, doc FROM people WHERE id = ?", id)
}

// PersonByName implements survey.PersonStore.
func (s *Store) PersonByName(ctx context.Context, name string) (*survey.Person, error) {
	return find(ctx, s, people, name, "SELECT rev, doc FROM people WHERE name = ?", name)
}

const listPeople = "SELECT rev, doc FROM people WHERE name > ? ORDER BY name LIMIT ?"

// People implements survey.PersonStore.
func (s *Store) People(ctx context.Context) iter.Seq2[*survey.Person, error] {
	return list(ctx, s, people, listPeople, func(last *survey.Person) []any {
		if last == nil {
			return []any{""}
		}
		return []any{last.Name}
	})
}

var tokens = &kind[survey.Token]{
	trail: func(v *survey.Token) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "token",
	id:    func(t *survey.Token) string { return t.Hash },
	rev:   func(t *survey.Token) *int64 { return &t.Rev },
	cut: func(t *survey.Token) {
		t.Created, t.Expires = cutTime(t.Created), cutTime(t.Expires)
		t.Revoked, t.LastUsed, t.Used = cutTime(t.Revoked), cutTime(t.LastUsed), cutTime(t.Used)
		t.Events = cutEvents(t.Events)
	},
}

// CreateToken implements survey.PersonStore.
func (s *Store) CreateToken(ctx context.Context, v *survey.Token) error {
	return create(ctx, s, tokens, v, func(t *tx, doc string) (int64, error) {
		return t.exec("INSERT INTO tokens (hash, person, created, rev, doc) VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING",
			v.Hash, v.Person, cutTime(v.Created).UnixMilli(), doc)
	}, nil)
}

// ReplaceToken implements survey.PersonStore.
func (s *Store) ReplaceToken(ctx context.Context, v *survey.Token) error {
	return replace(ctx, s, tokens, v, func(t *tx, doc string) (int64, error) {
		return t.exec("UPDATE tokens SET person = ?, created = ?, rev = rev + 1, doc = ? WHERE hash = ? AND rev = ?",
			v.Person, cutTime(v.Created).UnixMilli(), doc, v.Hash, v.Rev)
	}, "SELECT rev FROM tokens WHERE hash = ?", []any{v.Hash}, nil)
}

// Token implements survey.PersonStore.
func (s *Store) Token(ctx context.Context, hash string) (*survey.Token, error) {
	return find(ctx, s, tokens, hash, "SELECT rev, doc FROM tokens WHERE hash = ?", hash)
}

const listTokens = "SELECT rev, doc FROM tokens WHERE person = ? AND (created, hash) > (?, ?) ORDER BY created, hash LIMIT ?"

// TokensOf implements survey.PersonStore.
func (s *Store) TokensOf(ctx context.Context, p survey.PersonID) iter.Seq2[*survey.Token, error] {
	return list(ctx, s, tokens, listTokens, func(last *survey.Token) []any {
		if last == nil {
			return []any{p, beforeAll, ""}
		}
		return []any{p, last.Created.UnixMilli(), last.Hash}
	})
}
