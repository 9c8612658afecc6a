package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// Assign stores new assignments after checking each: the round and its
// template, the unit in scope, the observer's role and the conflict rule.
// Invalid with all problems, and then none is stored.
func (s *Service) Assign(ctx context.Context, c Caller, as []*survey.Assignment) error {
	if _, err := c.may(survey.OpAssign); err != nil {
		return err
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	var ps survey.Problems
	for i, a := range as {
		code, args, err := s.checkAssignment(ctx, c, tree, lists, a)
		if err != nil {
			return err
		}
		if code != "" {
			ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Args: args, Place: survey.Place{Pointer: fmt.Sprintf("/%d", i)}})
		}
		if a.ID == "" {
			a.ID = survey.AssignmentID(survey.NewID())
		}
		a.Events = []survey.Event{s.event(c, "assignment.made", survey.Args{"observer": string(a.Observer)})}
	}
	if err := ps.Err("assignments.invalid"); err != nil {
		return err
	}
	if err := s.store.CreateAssignments(ctx, as); err != nil {
		return err
	}
	for _, a := range as {
		if a.Rev != 0 {
			continue
		}
		// The id was there before: a repeat gets what is stored.
		stored, err := s.store.Assignment(ctx, a.ID)
		if err != nil {
			return err
		}
		if stored.VisitKey != a.VisitKey {
			return &survey.Error{Kind: survey.Conflict, Code: "assignment.id_taken", Args: survey.Args{"assignment": string(a.ID)}}
		}
		*a = *stored
	}
	return nil
}

// checkAssignment gives the code of what is wrong, "" if nothing is.
func (s *Service) checkAssignment(ctx context.Context, c Caller, tree *survey.Tree, lists *survey.TypeLists, a *survey.Assignment) (string, survey.Args, error) {
	round, err := s.round(ctx, a.Round)
	if isNotFound(err) {
		return "round.unknown", survey.Args{"round": string(a.Round)}, nil
	}
	if err != nil {
		return "", nil, err
	}
	if _, ok := round.Template(a.Template); !ok {
		return "round.not_its_template", survey.Args{"template": string(a.Template), "round": string(a.Round)}, nil
	}
	if !slices.Contains(survey.RatingRoles, a.Role) {
		return "scheme.role", survey.Args{"value": string(a.Role)}, nil
	}
	unit, err := tree.Standing(a.Unit, round.Closes)
	if err != nil {
		return survey.CodeOf(err), survey.Args{"unit": string(a.Unit), "date": round.Closes.String()}, nil
	}
	if !round.Scope.Contains(lists, unit) {
		return "unit.out_of_scope", survey.Args{"unit": string(a.Unit), "round": string(a.Round)}, nil
	}
	if err := c.covers(unit); err != nil {
		return "", nil, err
	}
	person, err := s.store.Person(ctx, a.Observer)
	if isNotFound(err) {
		return "person.unknown", survey.Args{"person": string(a.Observer)}, nil
	}
	if err != nil {
		return "", nil, err
	}
	if survey.May(person, survey.OpSubmit) == survey.Nothing {
		return "assignment.cannot_submit", survey.Args{"person": person.Name}, nil
	}
	// Nobody observes the own chapter.
	if person.Home == a.Unit && a.Role != survey.RoleSelf && a.Role != survey.RoleMembers {
		return "assignment.own_unit", survey.Args{"person": person.Name, "unit": string(a.Unit)}, nil
	}
	return "", nil, nil
}

// Assignments lists a round's assignments that the caller may see: an
// observer's own, others those in scope. An empty round means all rounds, for
// own assignments only.
func (s *Service) Assignments(ctx context.Context, c Caller, round survey.RoundCode) ([]*survey.Assignment, error) {
	reach, err := c.may(survey.OpReadAssignments)
	if err != nil {
		return nil, err
	}
	out := []*survey.Assignment{}
	if reach == survey.Own || round == "" {
		for a, err := range s.store.AssignmentsOf(ctx, c.id(), round) {
			if err != nil {
				return nil, err
			}
			out = append(out, a)
		}
		return out, nil
	}
	r, err := s.round(ctx, round)
	if err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	for change, err := range s.store.AssignmentsSince(ctx, round, "") {
		if err != nil {
			return nil, err
		}
		if unit, err := tree.Standing(change.Doc.Unit, r.Closes); err == nil && c.Person.Covers(unit) {
			out = append(out, change.Doc)
		}
	}
	return out, nil
}
