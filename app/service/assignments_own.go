package service

import (
	"context"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// OwnVisit is an assignment with all that its observer needs to go there and to
// fill in the form, also without a network.
type OwnVisit struct {
	*survey.Assignment
	// Version is the template's version for new forms.
	Version int
	// Standing is the unit on the due date, or on the round's last day. It is
	// nil for a unit that does not exist then.
	Standing *survey.Standing
	// PathNames are the names of the units above it, from the root down.
	PathNames []string
	// Rating is the response that holds the visit, nil if there is none.
	Rating *scoring.Rating
}

// OwnVisits lists the caller's assignments in all rounds, ordered by round and
// due date.
func (s *Service) OwnVisits(ctx context.Context, c Caller) ([]OwnVisit, error) {
	as, err := s.Assignments(ctx, c, "")
	if err != nil {
		return nil, err
	}
	out := make([]OwnVisit, 0, len(as))
	rated := map[survey.RoundCode]map[survey.VisitKey]*scoring.Rating{}
	for _, a := range as {
		round, err := s.round(ctx, a.Round)
		if isNotFound(err) {
			continue // assignments are stored before the round of a demonstration is
		}
		if err != nil {
			return nil, err
		}
		if rated[a.Round] == nil {
			if rated[a.Round], err = s.ratingsBy(ctx, round, scoring.RatingFilter{Observer: c.id()}); err != nil {
				return nil, err
			}
		}
		v, err := s.ownVisit(ctx, round, a, rated[a.Round][a.VisitKey])
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Service) ownVisit(ctx context.Context, round *survey.Round, a *survey.Assignment, rating *scoring.Rating) (OwnVisit, error) {
	v := OwnVisit{Assignment: a, Rating: rating}
	if rt, ok := round.Template(a.Template); ok {
		v.Version = rt.Current()
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return v, err
	}
	day := a.Due
	if day == 0 {
		day = round.Closes
	}
	if v.Standing, err = tree.Standing(a.Unit, day); err != nil {
		v.Standing = nil
		return v, nil
	}
	for _, above := range v.Standing.Path[:len(v.Standing.Path)-1] {
		v.PathNames = append(v.PathNames, unitName(tree, above, day))
	}
	return v, nil
}

// unitName gives a unit's name on the day, or its last one.
func unitName(tree *survey.Tree, code survey.UnitCode, day survey.Date) string {
	u := tree.Unit(code)
	if u == nil {
		return string(code)
	}
	span := u.On(day)
	if span == nil {
		span = u.On(0)
	}
	if span == nil {
		return string(code)
	}
	return span.Name
}

// ratingsBy gives a round's ratings that pass the filter, by visit.
func (s *Service) ratingsBy(ctx context.Context, round *survey.Round, f scoring.RatingFilter) (map[survey.VisitKey]*scoring.Rating, error) {
	table, err := s.Table(ctx, round)
	if err != nil {
		return nil, err
	}
	ratings := table.Ratings(f)
	out := make(map[survey.VisitKey]*scoring.Rating, len(ratings))
	for i := range ratings {
		r := &ratings[i]
		r.Round = round.Code
		out[r.VisitKey] = r
	}
	return out, nil
}

// AddVisit assigns to the caller a visit that nobody planned, or a second form
// for an evening that is planned: the caller's further assessment of a unit that
// the caller visits anyway. The former only where the round allows it. A visit
// that is the caller's already comes back as it is; one that was cancelled is
// taken up again. Conflict (code "visit.assigned") when it is somebody else's.
func (s *Service) AddVisit(ctx context.Context, c Caller, a *survey.Assignment) (*OwnVisit, error) {
	if _, err := c.may(survey.OpAddVisit); err != nil {
		return nil, err
	}
	a.Observer = c.id()
	if a.Role == "" {
		a.Role = survey.RoleObserver
	}
	round, err := s.round(ctx, a.Round)
	if err != nil {
		return nil, err
	}
	if round.Closed {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "round.closed", Args: survey.Args{"round": string(round.Code)}}
	}
	check, err := s.newAssignmentCheck(ctx, c)
	if err != nil {
		return nil, err
	}
	code, args, err := check.one(ctx, a)
	if err != nil {
		return nil, err
	}
	if code != "" {
		return nil, &survey.Error{Kind: survey.Invalid, Code: code, Args: args}
	}
	stored, err := s.store.AssignmentFor(ctx, a.VisitKey)
	switch {
	case isNotFound(err):
		stored = nil
	case err != nil:
		return nil, err
	case stored.Status.Open() && stored.Observer != c.id():
		return nil, &survey.Error{Kind: survey.Conflict, Code: "visit.assigned", Args: survey.Args{"unit": string(a.Unit), "assignment": string(stored.ID)}}
	}
	if stored == nil || !stored.Status.Open() {
		if err := s.mayAddVisit(ctx, c, round, a); err != nil {
			return nil, err
		}
		if stored, err = s.addVisit(ctx, c, stored, a); err != nil {
			return nil, err
		}
	}
	v, err := s.ownVisit(ctx, round, stored, nil)
	return &v, err
}

// mayAddVisit answers Forbidden unless the round takes visits without a plan or
// the caller goes there anyway.
func (s *Service) mayAddVisit(ctx context.Context, c Caller, round *survey.Round, a *survey.Assignment) error {
	if round.Unplanned || survey.May(c.Person, survey.OpAddVisit) == survey.InScope {
		return nil
	}
	for other, err := range s.store.AssignmentsOf(ctx, c.id(), round.Code) {
		if err != nil {
			return err
		}
		if other.Unit == a.Unit && other.Period == a.Period && other.Role == a.Role && other.Status.Open() {
			return nil
		}
	}
	return &survey.Error{Kind: survey.Forbidden, Code: "visit.unplanned", Args: survey.Args{"round": string(round.Code), "unit": string(a.Unit)}}
}

func (s *Service) addVisit(ctx context.Context, c Caller, stored, a *survey.Assignment) (*survey.Assignment, error) {
	a.Unplanned = true
	if stored == nil {
		as := []*survey.Assignment{a}
		if err := s.createAssignments(ctx, c, "assignment.added", as); err != nil {
			return nil, asConflict(err)
		}
		return as[0], nil
	}
	stored.Events = append(stored.Events, s.event(c, "assignment.added", survey.Args{"observer": string(stored.Observer) + " → " + string(c.id()), "before": stored.Status.Word()}))
	stored.Observer, stored.Status, stored.Reason, stored.Unplanned, stored.Due = c.id(), survey.AssignmentPlanned, "", true, a.Due
	return stored, s.store.ReplaceAssignment(ctx, stored)
}

// asConflict makes of a taken visit what people are told of.
func asConflict(err error) error {
	if survey.KindOf(err) == survey.Exists {
		return &survey.Error{Kind: survey.Conflict, Code: survey.CodeOf(err), Args: argsOf(err)}
	}
	return err
}
