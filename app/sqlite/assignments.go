package sqlite

import (
	"context"
	"fmt"
	"iter"

	"github.com/khaosat/khaosat/survey"
)

var assignments = &kind[survey.Assignment]{
	trail: func(v *survey.Assignment) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "assignment",
	id:    func(a *survey.Assignment) string { return string(a.ID) },
	rev:   func(a *survey.Assignment) *int64 { return &a.Rev },
	cut:   func(a *survey.Assignment) { a.Events = cutEvents(a.Events) },
}

const storedAssignment = "SELECT rev FROM assignments WHERE id = ?"

func visitAssigned(a *survey.Assignment) func(*tx) error {
	return func(t *tx) error {
		var holder string
		_, err := t.one("SELECT id FROM assignments WHERE visit = ?", []any{a.VisitKey.String()}, &holder)
		if err != nil {
			return err
		}
		return refuse(survey.Exists, "visit.assigned", survey.Args{"assignment": holder, "unit": string(a.Unit)})
	}
}

func insertAssignment(a *survey.Assignment) put {
	return func(t *tx, doc string) (int64, error) {
		return t.exec(`INSERT INTO assignments (pos, id, visit, round, observer, due, status, rev, doc)
			VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO NOTHING`,
			t.next(), a.ID, a.VisitKey.String(), a.Round, a.Observer, int64(a.Due), a.Status, doc)
	}
}

// newAssignment says why an assignment was not created: nil if it is there already.
func newAssignment(a *survey.Assignment) func(*tx) error {
	return func(t *tx) error {
		var rev int64
		found, err := t.one(storedAssignment, []any{a.ID}, &rev)
		if err != nil || found {
			return err
		}
		return visitAssigned(a)(t)
	}
}

// CreateAssignments implements survey.AssignmentStore.
func (s *Store) CreateAssignments(ctx context.Context, all []*survey.Assignment) error {
	_, err := createMany(ctx, s, assignments, all, insertAssignment, newAssignment)
	return err
}

// ReplaceAssignment implements survey.AssignmentStore.
func (s *Store) ReplaceAssignment(ctx context.Context, a *survey.Assignment) error {
	return replace(ctx, s, assignments, a, func(t *tx, doc string) (int64, error) {
		return t.exec(`UPDATE OR IGNORE assignments SET pos = ?, visit = ?, round = ?, observer = ?, due = ?, status = ?, rev = rev + 1, doc = ?
			WHERE id = ? AND rev = ?`,
			t.next(), a.VisitKey.String(), a.Round, a.Observer, int64(a.Due), a.Status, doc, a.ID, a.Rev)
	}, storedAssignment, []any{a.ID}, visitAssigned(a))
}

// Assignment implements survey.AssignmentStore.
func (s *Store) Assignment(ctx context.Context, id survey.AssignmentID) (*survey.Assignment, error) {
	return find(ctx, s, assignments, string(id), "SELECT rev, doc FROM assignments WHERE id = ?", id)
}

// AssignmentFor implements survey.AssignmentStore.
func (s *Store) AssignmentFor(ctx context.Context, visit survey.VisitKey) (*survey.Assignment, error) {
	return find(ctx, s, assignments, visit.String(), "SELECT rev, doc FROM assignments WHERE visit = ?", visit.String())
}

const (
	listAssignments = `SELECT rev, doc FROM assignments
		WHERE observer = ? AND (round, due, id) > (?, ?, ?) ORDER BY round, due, id LIMIT ?`
	listRoundAssignments = `SELECT rev, doc FROM assignments
		WHERE observer = ? AND round = ? AND (due, id) > (?, ?) ORDER BY due, id LIMIT ?`
	followAssignments = "SELECT pos, rev, doc FROM assignments WHERE round = ? AND pos > ? ORDER BY pos LIMIT ?"
	followVisits      = "SELECT pos, id, visit, observer, due, status FROM assignments WHERE round = ? AND pos > ? ORDER BY pos LIMIT ?"
)

// AssignmentsOf implements survey.AssignmentStore.
func (s *Store) AssignmentsOf(ctx context.Context, observer survey.PersonID, round survey.RoundCode) iter.Seq2[*survey.Assignment, error] {
	first := survey.Assignment{VisitKey: survey.VisitKey{Round: round}}
	due := func(a *survey.Assignment) int64 {
		if a == &first {
			return beforeAll
		}
		return int64(a.Due)
	}
	behind := func(last *survey.Assignment) *survey.Assignment {
		if last == nil {
			return &first
		}
		return last
	}
	if round == "" {
		return list(ctx, s, assignments, listAssignments, func(last *survey.Assignment) []any {
			last = behind(last)
			return []any{observer, last.Round, due(last), last.ID}
		})
	}
	return list(ctx, s, assignments, listRoundAssignments, func(last *survey.Assignment) []any {
		last = behind(last)
		return []any{observer, round, due(last), last.ID}
	})
}

// AssignmentsSince implements survey.AssignmentStore.
func (s *Store) AssignmentsSince(ctx context.Context, round survey.RoundCode, after survey.Cursor) iter.Seq2[survey.Change[*survey.Assignment], error] {
	return follow(ctx, s, assignments, after, followAssignments, func(pos int64) []any { return []any{round, pos} })
}

// VisitsSince implements survey.AssignmentStore.
func (s *Store) VisitsSince(ctx context.Context, round survey.RoundCode, after survey.Cursor) iter.Seq2[survey.Change[survey.AssignedVisit], error] {
	return behind(ctx, s, after, maxRowBatch, func(ctx context.Context, c *conn, pos int64, limit int, add addChange[survey.AssignedVisit]) error {
		return c.each(ctx, followVisits, []any{round, pos, limit}, func(rows scanner) (bool, error) {
			var pos, due int64
			var id, key, observer, status string
			if err := rows.Scan(&pos, &id, &key, &observer, &due, &status); err != nil {
				return false, err
			}
			visit, ok := survey.ParseVisitKey(key)
			if !ok {
				return false, fmt.Errorf("sqlite: the assignment at %d has the visit %q", pos, key)
			}
			return add(pos, survey.AssignedVisit{VisitKey: visit, ID: survey.AssignmentID(id), Observer: survey.PersonID(observer),
				Due: survey.Date(due), Status: survey.AssignmentStatus(status)}, len(key)), nil
		})
	})
}
