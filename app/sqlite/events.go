package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// What a document is about may have changed since its first events: the log says
// what it is now, as whoever reads the documents would find.
const insertEvent = `INSERT INTO events (at, kind, id, n, person, action, detail, round, unit, owner)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET round = excluded.round, unit = excluded.unit
	WHERE (round, unit) <> (excluded.round, excluded.unit)`

// dropTemplateEvents forgets a template's events: its last ones may have become
// one with a later save, which no other document's do.
const dropTemplateEvents = "DELETE FROM events WHERE kind = 'template' AND id = ?"

// log writes a document's events where they can be read in the order of time.
// It is part of the change that writes the document.
func (k *kind[T]) log(t *tx, v *T) error {
	if k.trail == nil {
		return nil
	}
	about, events := k.trail(v)
	if about.Kind == survey.ObjectTemplate {
		if _, err := t.exec(dropTemplateEvents, about.ID); err != nil {
			return err
		}
	}
	for n, e := range events {
		var detail any
		if len(e.Detail) > 0 {
			b, err := json.Marshal(e.Detail)
			if err != nil {
				return err
			}
			detail = string(b)
		}
		_, err := t.exec(insertEvent, cutTime(e.At).UnixMilli(), string(about.Kind), about.ID, n, string(e.By), e.Action, detail,
			string(about.Round), string(about.Unit), string(about.Person))
		if err != nil {
			return err
		}
	}
	return nil
}

// eventQuery makes the query for the events that a filter lets through, the
// newest first.
func eventQuery(f survey.AuditFilter, behind *survey.AuditEntry, limit int) (string, []any) {
	q := "SELECT at, kind, id, n, person, action, detail, round, unit, owner FROM events"
	if f.By != "" {
		q += " INDEXED BY events_person"
	}
	args := []any{int64(math.MaxInt64), "", "", 0}
	if behind != nil {
		args = []any{behind.At.UnixMilli(), string(behind.Object.Kind), behind.Object.ID, behind.N}
	}
	q += " WHERE (at, kind, id, n) < (?, ?, ?, ?)"
	narrow := func(condition string, value any, given bool) {
		if given {
			q += " AND " + condition
			args = append(args, value)
		}
	}
	narrow("person = ?", string(f.By), f.By != "")
	narrow("kind = ?", string(f.Kind), f.Kind != "")
	narrow("id = ?", f.ID, f.ID != "")
	narrow("action = ?", f.Action, f.Action != "")
	narrow("round = ?", string(f.Round), f.Round != "")
	narrow("unit = ?", string(f.Unit), f.Unit != "")
	// Events are kept to the millisecond, so that a bound within one lies behind it.
	narrow("at >= ?", ceilMilli(f.From), !f.From.IsZero())
	narrow("at < ?", ceilMilli(f.To), !f.To.IsZero())
	return q + " ORDER BY at DESC, kind DESC, id DESC, n DESC LIMIT ?", append(args, limit)
}

func ceilMilli(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// Events implements survey.AuditStore.
func (s *Store) Events(ctx context.Context, f survey.AuditFilter, before survey.Cursor) iter.Seq2[*survey.AuditEntry, error] {
	place, err := survey.AuditPlace(before)
	if err != nil {
		return func(yield func(*survey.AuditEntry, error) bool) { yield(nil, err) }
	}
	return inBatches(ctx, s, maxBatch, func(ctx context.Context, c *conn, last **survey.AuditEntry, limit int, add func(*survey.AuditEntry, int) bool) error {
		behind := place
		if last != nil {
			behind = *last
		}
		query, args := eventQuery(f, behind, limit)
		return c.each(ctx, query, args, func(rows scanner) (bool, error) {
			e := &survey.AuditEntry{}
			var at int64
			var detail []byte
			err := rows.Scan(&at, &e.Object.Kind, &e.Object.ID, &e.N, &e.By, &e.Action, &detail, &e.Object.Round, &e.Object.Unit, &e.Object.Person)
			if err != nil {
				return false, err
			}
			e.At = time.UnixMilli(at).UTC()
			if len(detail) > 0 {
				if err := json.Unmarshal(detail, &e.Detail); err != nil {
					return false, fmt.Errorf("sqlite: an event of %s %s cannot be read: %w", e.Object.Kind, e.Object.ID, err)
				}
			}
			return add(e, len(detail)+100), nil
		})
	})
}
