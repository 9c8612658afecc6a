package sqlite

import (
	"context"
	"time"

	"github.com/khaosat/khaosat/survey"
)

const (
	addTries = `INSERT INTO tries (key, count, last) VALUES (?1, max(0, ?2), ?3)
ON CONFLICT (key) DO UPDATE SET
  count = max(0, CASE WHEN last > ?4 THEN count ELSE 0 END + ?2),
  last = CASE WHEN ?2 > 0 THEN ?3 ELSE last END
RETURNING count, last`
	dropTries = "DELETE FROM tries WHERE last <= ?"
	findTries = "SELECT count, last FROM tries WHERE key = ?"
)

// AddTries implements survey.TryStore.
func (s *Store) AddTries(ctx context.Context, key string, n int, at time.Time, within time.Duration) (survey.Tries, error) {
	var count int
	var last int64
	err := s.write(ctx, len(key), func(t *tx) error {
		old := at.Add(-within).UnixMilli()
		if _, err := t.one(addTries, []any{key, n, at.UnixMilli(), old}, &count, &last); err != nil {
			return err
		}
		_, err := t.exec(dropTries, old)
		return err
	})
	if err != nil {
		return survey.Tries{}, err
	}
	return survey.Tries{Count: count, Last: time.UnixMilli(last).UTC()}, nil
}

// Tries implements survey.TryStore.
func (s *Store) Tries(ctx context.Context, key string) (tries survey.Tries, err error) {
	err = s.readers.use(ctx, func(c *conn) error {
		var last int64
		found, err := c.one(findTries, []any{key}, &tries.Count, &last)
		if found {
			tries.Last = time.UnixMilli(last).UTC()
		}
		return err
	})
	return tries, s.failure(err)
}
