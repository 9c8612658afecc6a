package service

import (
	"cmp"
	"context"
	"slices"

	"github.com/khaosat/khaosat/survey"
)

// AutoAssign is what automatic assignment is asked for.
type AutoAssign struct {
	Round    survey.RoundCode
	Template survey.TemplateCode // "" is the round's first
	Period   string
	Due      survey.Date
	// Under narrows down to a unit and what is beneath it.
	Under survey.UnitCode
	// Observers are the sign-in names of those among whom the visits are shared
	// out; empty for all there are.
	Observers []string
	// Most bounds each observer's visits; 0 does not.
	Most int
	// Seed decides by lot, in place of the round's; 0 leaves it to the round.
	Seed int64
}

// AutoAssigned is what came, or would come, of it.
type AutoAssigned struct {
	*survey.AssignResult
	Round     *survey.Round
	Units     int // that are to be visited
	Observers []*survey.Person
	// First and Second count the new assignments by role.
	First, Second int
}

// AssignableObservers lists who may be given visits, ordered by sign-in name:
// the observers whose scope and the caller's overlap.
func (s *Service) AssignableObservers(ctx context.Context, c Caller) ([]*survey.Person, error) {
	if _, err := c.may(survey.OpAssign); err != nil {
		return nil, err
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	mine := c.Person.Scope
	var out []*survey.Person
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return nil, err
		}
		if p.Role != survey.Observer || p.Disabled {
			continue
		}
		if mine != "" && p.Scope != "" && !c.coversScope(tree, p.Scope) {
			own, err := tree.Standing(mine, 0)
			if err != nil || !own.Under(p.Scope) {
				continue
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// AssignAutomatically shares out the visits of a round that nobody has yet,
// within the caller's scope. With preview nothing is stored. Done twice it does
// nothing the second time.
func (s *Service) AssignAutomatically(ctx context.Context, c Caller, in AutoAssign, preview bool) (*AutoAssigned, error) {
	if _, err := c.may(survey.OpAssign); err != nil {
		return nil, err
	}
	round, err := s.round(ctx, in.Round)
	if err != nil {
		return nil, err
	}
	if round.Closed {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "round.closed", Args: survey.Args{"round": string(round.Code)}}
	}
	if in.Template == "" {
		in.Template = round.Templates[0].Code
	}
	plan := &survey.AssignPlan{Round: round.Code, Template: in.Template, Period: in.Period, Due: in.Due, Most: in.Most,
		DoubleShare: round.DoubleShare, Seed: cmp.Or(in.Seed, round.Seed)}
	if err := s.checkAuto(round, &in, plan); err != nil {
		return nil, err
	}
	if plan.Observers, err = s.chosenObservers(ctx, c, in.Observers); err != nil {
		return nil, err
	}
	if err := s.planUnits(ctx, c, round, in, plan); err != nil {
		return nil, err
	}
	out := &AutoAssigned{AssignResult: survey.AssignAutomatically(plan), Round: round, Units: len(plan.Units), Observers: plan.Observers}
	for _, a := range out.Assignments {
		if a.Role == survey.RoleSecond {
			out.Second++
		} else {
			out.First++
		}
		a.Events = []survey.Event{s.event(c, "assignment.made", survey.Args{"observer": string(a.Observer), "by": "lot"})}
	}
	if preview || len(out.Assignments) == 0 {
		return out, nil
	}
	return out, asConflict(s.store.CreateAssignments(ctx, out.Assignments))
}

func (s *Service) checkAuto(round *survey.Round, in *AutoAssign, plan *survey.AssignPlan) error {
	var ps survey.Problems
	report := func(pointer, code string, args survey.Args) {
		ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Args: args, Place: survey.Place{Pointer: pointer}})
	}
	bounds := survey.Args{"due": in.Due.String(), "period": in.Period, "opens": round.Opens.String(), "closes": round.Closes.String()}
	if _, ok := round.Template(in.Template); !ok {
		report("/template", "round.not_its_template", survey.Args{"template": string(in.Template), "round": string(round.Code)})
	}
	if in.Due != 0 && (in.Due < round.Opens || in.Due > round.Closes) {
		report("/due", "assignment.due", bounds)
	}
	if in.Period == "" && in.Due != 0 {
		in.Period = round.Periods.Period(in.Due)
	}
	if plan.Period = in.Period; !round.HasPeriod(in.Period) {
		report("/period", "assignment.period", bounds)
	} else if in.Due != 0 && round.Periods.Period(in.Due) != in.Period {
		report("/due", "assignment.other_period", bounds)
	}
	if in.Most < 0 {
		report("/most", "assign.most", nil)
	}
	return ps.Err("assign.invalid")
}

// chosenObservers finds those who are named among those who may be given visits.
func (s *Service) chosenObservers(ctx context.Context, c Caller, names []string) ([]*survey.Person, error) {
	all, err := s.AssignableObservers(ctx, c)
	if err != nil {
		return nil, err
	}
	out := all
	if len(names) > 0 {
		out = slices.DeleteFunc(all, func(p *survey.Person) bool { return !slices.Contains(names, p.Name) })
	}
	if len(out) == 0 {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "assign.invalid", Problems: survey.Problems{{
			Severity: survey.SeverityError, Code: "assign.nobody", Place: survey.Place{Pointer: "/observers"}}}}
	}
	return out, nil
}

// planUnits finds the units to visit and what is assigned of them already.
func (s *Service) planUnits(ctx context.Context, c Caller, round *survey.Round, in AutoAssign, plan *survey.AssignPlan) error {
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	p, release, err := s.planned(ctx, round)
	if err != nil {
		return err
	}
	defer release()
	bit := templateBit(round, plan.Template)
	for _, u := range p.units {
		if u.templates&bit == 0 || c.Person.Scope != "" && !slices.Contains(u.path, c.Person.Scope) || in.Under != "" && !slices.Contains(u.path, in.Under) {
			continue
		}
		unit, err := tree.Standing(u.code, round.Closes)
		if err != nil {
			return err
		}
		plan.Units = append(plan.Units, unit)
	}
	for _, v := range p.visits {
		if v.Template == plan.Template && v.Period == plan.Period {
			plan.Existing = append(plan.Existing, v)
		}
	}
	// A map has no order, and the result must not depend on one.
	slices.SortFunc(plan.Existing, func(x, y survey.AssignedVisit) int { return cmp.Compare(x.VisitKey.String(), y.VisitKey.String()) })
	return nil
}
