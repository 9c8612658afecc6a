package mongo

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
)

func (s *Store) personShelf() *shelf[survey.Person] {
	c := &shelf[survey.Person]{
		Store: s, coll: s.db.Collection(peopleName), noun: "person",
		id:     func(p *survey.Person) string { return string(p.ID) },
		rev:    func(p *survey.Person) *int64 { return &p.Rev },
		encode: func(p *survey.Person, h head) any { return personDocOf(p, h) },
		decode: decoder(func(d *personDoc) (*survey.Person, error) { return d.person(), nil }),
	}
	c.key = func(p *survey.Person) string { return p.Name }
	c.taken = func(ctx context.Context, p *survey.Person) error {
		holder, err := c.holder(ctx, bson.D{{Key: "name", Value: p.Name}})
		if err != nil || holder == "" || holder == string(p.ID) {
			return err
		}
		return refuse(survey.Exists, "person.name_taken", survey.Args{"name": p.Name})
	}
	return c
}

func (s *Store) tokenShelf() *shelf[survey.Token] {
	return &shelf[survey.Token]{
		Store: s, coll: s.db.Collection(tokensName), noun: "token",
		id:     func(t *survey.Token) string { return t.Hash },
		rev:    func(t *survey.Token) *int64 { return &t.Rev },
		encode: func(t *survey.Token, h head) any { return tokenDocOf(t, h) },
		decode: decoder(func(d *tokenDoc) (*survey.Token, error) { return d.token(), nil }),
	}
}

// CreatePerson implements survey.PersonStore.
func (s *Store) CreatePerson(ctx context.Context, p *survey.Person) error {
	return s.people.create(ctx, p)
}

// ReplacePerson implements survey.PersonStore.
func (s *Store) ReplacePerson(ctx context.Context, p *survey.Person) error {
	return s.people.replace(ctx, p)
}

// Person implements survey.PersonStore.
func (s *Store) Person(ctx context.Context, id survey.PersonID) (*survey.Person, error) {
	return s.people.find(ctx, byID(string(id)), string(id))
}

// PersonByName implements survey.PersonStore.
func (s *Store) PersonByName(ctx context.Context, name string) (*survey.Person, error) {
	return s.people.find(ctx, bson.D{{Key: "name", Value: name}}, name)
}

// People implements survey.PersonStore.
func (s *Store) People(ctx context.Context) iter.Seq2[*survey.Person, error] {
	return s.people.list(ctx, bson.D{}, "name")
}

// CreatePeople implements survey.PersonStore.
func (s *Store) CreatePeople(ctx context.Context, people []*survey.Person) error {
	_, err := s.people.createAll(ctx, people)
	return err
}

// CreateToken implements survey.PersonStore.
func (s *Store) CreateToken(ctx context.Context, t *survey.Token) error {
	return s.tokens.create(ctx, t)
}

// ReplaceToken implements survey.PersonStore.
func (s *Store) ReplaceToken(ctx context.Context, t *survey.Token) error {
	return s.tokens.replace(ctx, t)
}

// Token implements survey.PersonStore.
func (s *Store) Token(ctx context.Context, hash string) (*survey.Token, error) {
	return s.tokens.find(ctx, byID(hash), hash)
}

// TokensOf implements survey.PersonStore.
func (s *Store) TokensOf(ctx context.Context, p survey.PersonID) iter.Seq2[*survey.Token, error] {
	return s.tokens.list(ctx, bson.D{{Key: "person", Value: p}}, "created", "_id")
}
