package service

import (
	"context"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// AssignmentAction is what can be done about an assignment.
type AssignmentAction string

const (
	// Postpone puts the visit off to another due date.
	Postpone AssignmentAction = "postpone"
	// Cancel asks nobody for the visit any more.
	Cancel AssignmentAction = "cancel"
	// Reassign hands the visit to another observer.
	Reassign AssignmentAction = "reassign"
	// Substitute has the same observer visit another unit instead.
	Substitute AssignmentAction = "substitute"
	// Restore takes a cancelled visit up again.
	Restore AssignmentAction = "restore"
)

// AssignmentActions lists them in their usual order.
var AssignmentActions = []AssignmentAction{Postpone, Reassign, Substitute, Cancel, Restore}

// AssignmentChange says what to do about an assignment, and why.
type AssignmentChange struct {
	Action AssignmentAction
	// Reason is needed for everything but Restore.
	Reason string
	// Due is the new due date of Postpone, and may be given with the others; zero
	// leaves it.
	Due survey.Date
	// Observer takes the visit over, for Reassign.
	Observer survey.PersonID
	// Unit is visited instead, for Substitute; NewID is the id of its assignment,
	// made by the client so that a repeat changes nothing.
	Unit  survey.UnitCode
	NewID survey.AssignmentID
	// Rev is the revision that the change is based on; 0 for whatever is stored.
	Rev int64
}

// maxReason bounds a reason in characters.
const maxReason = 500

// Assignment gives one assignment to who may see it.
func (s *Service) Assignment(ctx context.Context, c Caller, id survey.AssignmentID) (*survey.Assignment, error) {
	reach, err := c.may(survey.OpReadAssignments)
	if err != nil {
		return nil, err
	}
	a, _, err := s.assignmentWithin(ctx, c, reach, id)
	return a, err
}

// assignmentWithin finds an assignment in the caller's reach. What lies outside
// does not exist for the caller.
func (s *Service) assignmentWithin(ctx context.Context, c Caller, reach survey.Reach, id survey.AssignmentID) (*survey.Assignment, *survey.Round, error) {
	unknown := &survey.Error{Kind: survey.NotFound, Code: "assignment.unknown"}
	a, err := s.store.Assignment(ctx, id)
	if isNotFound(err) {
		return nil, nil, unknown
	}
	if err != nil {
		return nil, nil, err
	}
	round, err := s.round(ctx, a.Round)
	if err != nil {
		return nil, nil, err
	}
	if a.Observer == c.id() && c.id() != "" {
		return a, round, nil
	}
	if reach == survey.Own {
		return nil, nil, unknown
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, nil, err
	}
	if unit, err := tree.Standing(a.Unit, round.Closes); c.Person.Scope != "" && (err != nil || !c.Person.Covers(unit)) {
		return nil, nil, unknown
	}
	return a, round, nil
}

// ChangeAssignment postpones, cancels, reassigns, substitutes or restores a
// visit. Observers postpone and cancel their own. It gives the assignment that
// is to be kept from then on: for Substitute that of the other unit. Conflict
// when it was changed since Rev, when the visit has taken place, or when its
// status does not allow it.
func (s *Service) ChangeAssignment(ctx context.Context, c Caller, id survey.AssignmentID, change AssignmentChange) (*survey.Assignment, error) {
	op := survey.OpAssign
	if change.Action == Postpone || change.Action == Cancel {
		op = survey.OpPutOffVisit
	}
	reach, err := c.may(op)
	if err != nil {
		return nil, err
	}
	a, round, err := s.assignmentWithin(ctx, c, reach, id)
	if err != nil {
		return nil, err
	}
	if done, err := s.substituteOf(ctx, a, change); done != nil || err != nil {
		return done, err
	}
	if change.Rev != 0 && change.Rev != a.Rev {
		return nil, stale(change.Rev, a.Rev)
	}
	change.Reason = strings.TrimSpace(change.Reason)
	if a.Reason == change.Reason && (change.Action == Cancel && a.Status == survey.AssignmentCancelled ||
		change.Action == Postpone && a.Status == survey.AssignmentPostponed && a.Due == change.Due) {
		return a, nil // a phone that did not hear our answer says it again
	}
	if err := s.mayChangeAssignment(ctx, round, a, change); err != nil {
		return nil, err
	}
	next := *a
	next.Reason = change.Reason
	if change.Due != 0 {
		next.Due = change.Due
	}
	event := s.event(c, "assignment."+string(change.Action), survey.Args{"reason": change.Reason, "status": a.Status.Word()})
	if next.Due != a.Due {
		event.Detail["due"] = a.Due.String() + " → " + next.Due.String()
	}
	switch change.Action {
	case Postpone:
		next.Status = survey.AssignmentPostponed
	case Cancel:
		next.Status = survey.AssignmentCancelled
	case Restore:
		next.Status = survey.AssignmentPlanned
	case Reassign:
		next.Observer = change.Observer
		event.Detail["observer"] = string(a.Observer) + " → " + string(next.Observer)
	case Substitute:
		return s.substitute(ctx, c, a, change, event)
	default:
		return nil, &survey.Error{Kind: survey.Invalid, Code: "assignment.action", Args: survey.Args{"value": string(change.Action)}}
	}
	if err := s.checkChanged(ctx, c, &next, change.Action); err != nil {
		return nil, err
	}
	next.Events = append(next.Events, event)
	return &next, s.store.ReplaceAssignment(ctx, &next)
}

// mayChangeAssignment checks what does not depend on what is to change.
func (s *Service) mayChangeAssignment(ctx context.Context, round *survey.Round, a *survey.Assignment, change AssignmentChange) error {
	var ps survey.Problems
	report := func(pointer, code string, args survey.Args) {
		ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Args: args, Place: survey.Place{Pointer: pointer}})
	}
	if change.Action != Restore && change.Reason == "" {
		report("/reason", "assignment.reason", nil)
	}
	if len([]rune(change.Reason)) > maxReason {
		report("/reason", "assignment.reason_long", nil)
	}
	if change.Action == Postpone && (change.Due == 0 || change.Due == a.Due) {
		report("/due", "assignment.new_due", nil)
	}
	if change.Due != 0 && (change.Due < round.Opens || change.Due > round.Closes) {
		report("/due", "assignment.due", survey.Args{"due": change.Due.String(), "opens": round.Opens.String(), "closes": round.Closes.String()})
	}
	if change.Due != 0 && round.Periods.Period(change.Due) != a.Period {
		report("/due", "assignment.other_period", survey.Args{"period": a.Period})
	}
	if change.Action == Reassign && (change.Observer == "" || change.Observer == a.Observer) {
		report("/observer", "assignment.new_observer", nil)
	}
	if change.Action == Substitute && (change.Unit == "" || change.Unit == a.Unit) {
		report("/unit", "assignment.new_unit", nil)
	}
	if err := ps.Err("assignment.invalid"); err != nil {
		return err
	}
	if open := a.Status.Open(); open == (change.Action == Restore) {
		return &survey.Error{Kind: survey.Conflict, Code: "assignment.state", Args: survey.Args{"status": a.Status.Word()}}
	}
	rated, err := s.ratingsBy(ctx, round, scoring.RatingFilter{Template: a.Template, Unit: a.Unit, Role: a.Role})
	if err == nil && rated[a.VisitKey] != nil {
		err = &survey.Error{Kind: survey.Conflict, Code: "assignment.visited", Args: survey.Args{"unit": string(a.Unit), "date": rated[a.VisitKey].Date.String()}}
	}
	return err
}

// checkChanged holds a changed assignment against the rules for new ones. What
// is only put off or given up is not held up by them.
func (s *Service) checkChanged(ctx context.Context, c Caller, a *survey.Assignment, action AssignmentAction) error {
	if action == Postpone || action == Cancel {
		return nil
	}
	check, err := s.newAssignmentCheck(ctx, c)
	if err != nil {
		return err
	}
	code, args, err := check.one(ctx, a)
	if err != nil || code == "" {
		return err
	}
	pointer := map[AssignmentAction]string{Reassign: "/observer", Substitute: "/unit"}[action]
	return &survey.Error{Kind: survey.Invalid, Code: "assignment.invalid", Problems: survey.Problems{{
		Severity: survey.SeverityError, Code: code, Args: args, Place: survey.Place{Pointer: pointer}}}}
}

// substituteOf gives the assignment that a repeated substitution had made, nil
// if there is none.
func (s *Service) substituteOf(ctx context.Context, a *survey.Assignment, change AssignmentChange) (*survey.Assignment, error) {
	if change.Action != Substitute || change.NewID == "" || a.Status != survey.AssignmentSubstituted {
		return nil, nil
	}
	made, err := s.store.Assignment(ctx, change.NewID)
	if isNotFound(err) || err == nil && made.InPlaceOf != a.ID {
		return nil, nil
	}
	return made, err
}

// substitute assigns the other unit first and then gives up this one: should it
// be broken off in between, a repeat goes on from there.
func (s *Service) substitute(ctx context.Context, c Caller, a *survey.Assignment, change AssignmentChange, event survey.Event) (*survey.Assignment, error) {
	other := &survey.Assignment{ID: change.NewID, VisitKey: a.VisitKey, Observer: a.Observer, Due: a.Due, Reason: change.Reason, InPlaceOf: a.ID}
	other.Unit = change.Unit
	if change.Due != 0 {
		other.Due = change.Due
	}
	if err := s.checkChanged(ctx, c, other, Substitute); err != nil {
		return nil, err
	}
	if err := s.createAssignments(ctx, c, "assignment.made", []*survey.Assignment{other}); err != nil {
		return nil, asConflict(err)
	}
	a.Status, a.Reason = survey.AssignmentSubstituted, change.Reason
	event.Detail["unit"] = string(a.Unit) + " → " + string(other.Unit)
	a.Events = append(a.Events, event)
	return other, s.store.ReplaceAssignment(ctx, a)
}
