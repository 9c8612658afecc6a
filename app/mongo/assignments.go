package mongo

import (
	"context"
	"fmt"
	"iter"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
)

func (s *Store) assignmentShelf() *shelf[survey.Assignment] {
	c := &shelf[survey.Assignment]{
		Store: s, coll: s.db.Collection(assignmentsName), noun: "assignment",
		id:     func(a *survey.Assignment) string { return string(a.ID) },
		rev:    func(a *survey.Assignment) *int64 { return &a.Rev },
		encode: func(a *survey.Assignment, h head) any { return assignmentDocOf(a, h) },
		decode: decoder((*assignmentDoc).assignment),
	}
	c.key = func(a *survey.Assignment) string { return a.VisitKey.String() }
	c.taken = func(ctx context.Context, a *survey.Assignment) error {
		holder, err := c.holder(ctx, byVisit(a.VisitKey))
		if err != nil || holder == "" || holder == string(a.ID) {
			return err
		}
		return refuse(survey.Exists, "visit.assigned", survey.Args{"assignment": holder, "unit": string(a.Unit)})
	}
	return c
}

func byVisit(k survey.VisitKey) bson.D { return bson.D{{Key: "visit", Value: k.String()}} }

// CreateAssignments implements survey.AssignmentStore.
func (s *Store) CreateAssignments(ctx context.Context, as []*survey.Assignment) error {
	_, err := s.assignments.createAll(ctx, as)
	return err
}

// ReplaceAssignment implements survey.AssignmentStore.
func (s *Store) ReplaceAssignment(ctx context.Context, a *survey.Assignment) error {
	return s.assignments.replace(ctx, a)
}

// Assignment implements survey.AssignmentStore.
func (s *Store) Assignment(ctx context.Context, id survey.AssignmentID) (*survey.Assignment, error) {
	return s.assignments.find(ctx, byID(string(id)), string(id))
}

// AssignmentFor implements survey.AssignmentStore.
func (s *Store) AssignmentFor(ctx context.Context, visit survey.VisitKey) (*survey.Assignment, error) {
	return s.assignments.find(ctx, byVisit(visit), visit.String())
}

// AssignmentsOf implements survey.AssignmentStore.
func (s *Store) AssignmentsOf(ctx context.Context, observer survey.PersonID, round survey.RoundCode) iter.Seq2[*survey.Assignment, error] {
	filter := bson.D{{Key: "observer", Value: observer}}
	if round != "" {
		filter = append(filter, bson.E{Key: "round", Value: round})
	}
	return s.assignments.list(ctx, filter, "round", "due", "_id")
}

// AssignmentsSince implements survey.AssignmentStore.
func (s *Store) AssignmentsSince(ctx context.Context, round survey.RoundCode, after survey.Cursor) iter.Seq2[survey.Change[*survey.Assignment], error] {
	return follow(ctx, s.assignments, s.assignmentLog, bson.D{{Key: "round", Value: round}}, nil, after)
}

// visitFields are what VisitsSince reads of an assignment.
var visitFields = bson.D{{Key: "visit", Value: 1}, {Key: "observer", Value: 1}, {Key: "due", Value: 1}, {Key: "status", Value: 1}, {Key: "pos", Value: 1}}

// VisitsSince implements survey.AssignmentStore.
func (s *Store) VisitsSince(ctx context.Context, round survey.RoundCode, after survey.Cursor) iter.Seq2[survey.Change[survey.AssignedVisit], error] {
	return func(yield func(survey.Change[survey.AssignedVisit], error) bool) {
		filter := bson.D{{Key: "round", Value: round}}
		for change, err := range s.assignmentLog.since(ctx, filter, after, pages(rowPage, visitFields)) {
			var visit survey.AssignedVisit
			if err == nil {
				key, _ := change.Doc.Lookup("visit").StringValueOK()
				status, _ := change.Doc.Lookup("status").StringValueOK()
				observer, _ := change.Doc.Lookup("observer").StringValueOK()
				due, _ := change.Doc.Lookup("due").StringValueOK()
				id, _ := change.Doc.Lookup("_id").StringValueOK()
				visit.ID, visit.Observer, visit.Status = survey.AssignmentID(id), survey.PersonID(observer), survey.AssignmentStatus(status)
				var ok bool
				if visit.Due, err = survey.ParseDate(due); err != nil {
					err = errUnreadable("assignment", err)
				} else if visit.VisitKey, ok = survey.ParseVisitKey(key); !ok {
					err = errUnreadable("assignment", fmt.Errorf("its visit is %q", key))
				}
			}
			if !yield(survey.Change[survey.AssignedVisit]{Doc: visit, Cursor: change.Cursor}, err) || err != nil {
				return
			}
		}
	}
}
