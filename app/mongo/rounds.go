package mongo

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
)

func (s *Store) roundShelf() *shelf[survey.Round] {
	return &shelf[survey.Round]{
		Store: s, coll: s.db.Collection(roundsName), noun: "round",
		id:     func(r *survey.Round) string { return string(r.Code) },
		rev:    func(r *survey.Round) *int64 { return &r.Rev },
		encode: func(r *survey.Round, h head) any { return roundDocOf(r, h) },
		decode: decoder((*roundDoc).round),
	}
}

// CreateRound implements survey.RoundStore.
func (s *Store) CreateRound(ctx context.Context, r *survey.Round) error {
	return s.rounds.create(ctx, r)
}

// ReplaceRound implements survey.RoundStore.
func (s *Store) ReplaceRound(ctx context.Context, r *survey.Round) error {
	return s.rounds.replace(ctx, r)
}

// Round implements survey.RoundStore.
func (s *Store) Round(ctx context.Context, code survey.RoundCode) (*survey.Round, error) {
	return s.rounds.find(ctx, byID(string(code)), string(code))
}

// Rounds implements survey.RoundStore.
func (s *Store) Rounds(ctx context.Context) iter.Seq2[*survey.Round, error] {
	return s.rounds.list(ctx, bson.D{}, "_id")
}
