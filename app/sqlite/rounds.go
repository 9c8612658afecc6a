package sqlite

import (
	"context"
	"iter"

	"github.com/khaosat/khaosat/survey"
)

var rounds = &kind[survey.Round]{
	trail: func(v *survey.Round) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "round",
	id:    func(r *survey.Round) string { return string(r.Code) },
	rev:   func(r *survey.Round) *int64 { return &r.Rev },
	cut:   func(r *survey.Round) { r.Events = cutEvents(r.Events) },
}

// CreateRound implements survey.RoundStore.
func (s *Store) CreateRound(ctx context.Context, r *survey.Round) error {
	return create(ctx, s, rounds, r, func(t *tx, doc string) (int64, error) {
		return t.exec("INSERT INTO rounds (code, rev, doc) VALUES (?, 1, ?) ON CONFLICT DO NOTHING", r.Code, doc)
	}, nil)
}

// ReplaceRound implements survey.RoundStore.
func (s *Store) ReplaceRound(ctx context.Context, r *survey.Round) error {
	return replace(ctx, s, rounds, r, func(t *tx, doc string) (int64, error) {
		return t.exec("UPDATE rounds SET rev = rev + 1, doc = ? WHERE code = ? AND rev = ?", doc, r.Code, r.Rev)
	}, "SELECT rev FROM rounds WHERE code = ?", []any{r.Code}, nil)
}

// Round implements survey.RoundStore.
func (s *Store) Round(ctx context.Context, code survey.RoundCode) (*survey.Round, error) {
	return find(ctx, s, rounds, string(code), "SELECT rev, doc FROM rounds WHERE code = ?", code)
}

const listRounds = "SELECT rev, doc FROM rounds WHERE code > ? ORDER BY code LIMIT ?"

// Rounds implements survey.RoundStore.
func (s *Store) Rounds(ctx context.Context) iter.Seq2[*survey.Round, error] {
	return list(ctx, s, rounds, listRounds, func(last *survey.Round) []any {
		if last == nil {
			return []any{""}
		}
		return []any{last.Code}
	})
}
