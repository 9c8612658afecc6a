package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// Assign stores new assignments after checking each: the round and its
// template, the unit in scope, the observer's role, the conflict rule, the due
// date. Invalid with all problems, and then none is stored.
func (s *Service) Assign(ctx context.Context, c Caller, as []*survey.Assignment) error {
	if _, err := c.may(survey.OpAssign); err != nil {
		return err
	}
	if err := s.checkAssignments(ctx, c, as); err != nil {
		return err
	}
	return s.createAssignments(ctx, c, "assignment.made", as)
}

// CheckAssignments tells what Assign would: nil, or Invalid with all problems.
// Nothing is stored.
func (s *Service) CheckAssignments(ctx context.Context, c Caller, as []*survey.Assignment) error {
	if _, err := c.may(survey.OpAssign); err != nil {
		return err
	}
	return s.checkAssignments(ctx, c, as)
}

func (s *Service) checkAssignments(ctx context.Context, c Caller, as []*survey.Assignment) error {
	check, err := s.newAssignmentCheck(ctx, c)
	if err != nil {
		return err
	}
	var ps survey.Problems
	asked := make(map[survey.VisitKey]survey.PersonID, len(as))
	for i, a := range as {
		code, args, err := check.one(ctx, a)
		if err != nil {
			return err
		}
		twin := a.VisitKey
		twin.Role = twinRole(a.Role)
		if code == "" && twin.Role != "" && asked[twin] == a.Observer {
			code, args = "assignment.same_observer", survey.Args{"person": string(a.Observer), "unit": string(a.Unit)}
			if p := check.people[a.Observer]; p != nil {
				args["person"] = p.Name
			}
		}
		asked[a.VisitKey] = a.Observer
		if code != "" {
			ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Args: args, Place: survey.Place{Pointer: fmt.Sprintf("/%d", i)}})
		}
	}
	return ps.Err("assignments.invalid")
}

// createAssignments stores what was checked. One whose id was there before
// becomes what is stored: a repeat gets the first answer.
func (s *Service) createAssignments(ctx context.Context, c Caller, action string, as []*survey.Assignment) error {
	for _, a := range as {
		if a.ID == "" {
			a.ID = survey.AssignmentID(survey.NewID())
		}
		a.Events = []survey.Event{s.event(c, action, survey.Args{"observer": string(a.Observer), "due": a.Due.String()})}
	}
	if err := s.store.CreateAssignments(ctx, as); err != nil {
		return err
	}
	for _, a := range as {
		if a.Rev != 0 {
			continue
		}
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

// assignmentCheck checks many assignments and asks the store once for each
// person.
type assignmentCheck struct {
	*Service
	caller Caller
	tree   *survey.Tree
	lists  *survey.TypeLists
	people map[survey.PersonID]*survey.Person // nil for one that does not exist
}

func (s *Service) newAssignmentCheck(ctx context.Context, c Caller) (*assignmentCheck, error) {
	tree, lists, err := s.Tree(ctx)
	return &assignmentCheck{s, c, tree, lists, map[survey.PersonID]*survey.Person{}}, err
}

// person gives an account, nil if there is none.
func (k *assignmentCheck) person(ctx context.Context, id survey.PersonID) (*survey.Person, error) {
	p, asked := k.people[id]
	if asked {
		return p, nil
	}
	p, err := k.store.Person(ctx, id)
	if isNotFound(err) {
		p, err = nil, nil
	}
	if err == nil {
		k.people[id] = p
	}
	return p, err
}

// one gives the code of what is wrong with an assignment, "" if nothing is. It
// fills in the period of a monthly round from the due date.
func (k *assignmentCheck) one(ctx context.Context, a *survey.Assignment) (string, survey.Args, error) {
	round, err := k.round(ctx, a.Round)
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
	if a.Period == "" && a.Due != 0 {
		a.Period = round.Periods.Period(a.Due)
	}
	if !round.HasPeriod(a.Period) {
		return "assignment.period", survey.Args{"period": a.Period, "opens": round.Opens.String(), "closes": round.Closes.String()}, nil
	}
	if a.Due != 0 && (a.Due < round.Opens || a.Due > round.Closes) {
		return "assignment.due", survey.Args{"due": a.Due.String(), "opens": round.Opens.String(), "closes": round.Closes.String()}, nil
	}
	unit, err := k.tree.Standing(a.Unit, round.Closes)
	if err != nil {
		return survey.CodeOf(err), survey.Args{"unit": string(a.Unit), "date": round.Closes.String()}, nil
	}
	if !round.Scope.Contains(k.lists, unit) {
		return "unit.out_of_scope", survey.Args{"unit": string(a.Unit), "round": string(a.Round)}, nil
	}
	if err := k.caller.covers(unit); err != nil {
		return "", nil, err
	}
	person, err := k.person(ctx, a.Observer)
	if err != nil {
		return "", nil, err
	}
	if person == nil {
		return "person.unknown", survey.Args{"person": string(a.Observer)}, nil
	}
	if survey.May(person, survey.OpSubmit) == survey.Nothing {
		return "assignment.cannot_submit", survey.Args{"person": person.Name}, nil
	}
	if code := survey.ConflictOf(person, unit, a.Role); code != "" {
		return code, survey.Args{"person": person.Name, "unit": string(a.Unit), "home": string(person.Home)}, nil
	}
	if twinRole(a.Role) != "" {
		return k.blind(ctx, a, person)
	}
	return "", nil, nil
}

// twinRole gives the other role of a double rating, "" for roles that have none.
func twinRole(r survey.Role) survey.Role {
	switch r {
	case survey.RoleObserver:
		return survey.RoleSecond
	case survey.RoleSecond:
		return survey.RoleObserver
	}
	return ""
}

// blind checks that the second rating of a visit comes from somebody else than
// the first.
func (k *assignmentCheck) blind(ctx context.Context, a *survey.Assignment, person *survey.Person) (string, survey.Args, error) {
	other := a.VisitKey
	other.Role = twinRole(a.Role)
	twin, err := k.store.AssignmentFor(ctx, other)
	if isNotFound(err) {
		return "", nil, nil
	}
	if err != nil || !twin.Status.Open() || twin.Observer != a.Observer {
		return "", nil, err
	}
	return "assignment.same_observer", survey.Args{"person": person.Name, "unit": string(a.Unit)}, nil
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
