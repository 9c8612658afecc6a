package web

import (
	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// assignmentJSON is an assignment without its trail.
type assignmentJSON struct {
	ID        survey.AssignmentID `json:"id"`
	Round     survey.RoundCode    `json:"round"`
	Template  survey.TemplateCode `json:"template"`
	Unit      survey.UnitCode     `json:"unit"`
	Role      survey.Role         `json:"role"`
	Period    string              `json:"period"`
	Observer  survey.PersonID     `json:"observer"`
	Due       survey.Date         `json:"due"`
	Status    string              `json:"status"`
	Reason    string              `json:"reason"`
	Unplanned bool                `json:"unplanned"`
	InPlaceOf survey.AssignmentID `json:"in_place_of,omitempty"`
	Revision  int64               `json:"revision"`
}

func asAssignment(a *survey.Assignment) assignmentJSON {
	return assignmentJSON{a.ID, a.Round, a.Template, a.Unit, a.Role, a.Period, a.Observer, a.Due, a.Status.Word(), a.Reason, a.Unplanned, a.InPlaceOf, a.Rev}
}

func (s *Server) sendAssignments(q *request, status int, as []*survey.Assignment) error {
	out := make([]assignmentJSON, len(as))
	for i, a := range as {
		out[i] = asAssignment(a)
	}
	return q.send(status, listOf(out))
}

func (s *Server) apiAssignments(q *request) error {
	as, err := s.svc.Assignments(q.ctx, q.caller, survey.RoundCode(q.Params("round")))
	if err != nil {
		return err
	}
	return s.sendAssignments(q, 200, as)
}

// ownVisitJSON is an assignment with all that its observer needs without a
// network.
type ownVisitJSON struct {
	assignmentJSON
	Version int        `json:"template_version"`
	Place   *placeJSON `json:"place"`
	Visit   *visitJSON `json:"visit"`
}

// placeJSON is a unit as of the visit, with the names of all it is named by.
type placeJSON struct {
	Unit survey.UnitCode `json:"unit"`
	Name string          `json:"name"`
	Path []unitNameJSON  `json:"path"` // of the units above it, from the root down
	// Facts are what expressions ask of a unit.
	Facts  survey.UnitFacts       `json:"facts"`
	Labels map[string]survey.Text `json:"labels"`
}

type unitNameJSON struct {
	Unit survey.UnitCode `json:"unit"`
	Name string          `json:"name"`
}

// visitJSON says what came of an assignment.
type visitJSON struct {
	Response survey.ResponseID  `json:"response"`
	State    survey.ReviewState `json:"state"`
	Date     survey.Date        `json:"meeting_date"`
}

func asOwnVisit(v service.OwnVisit, lists *survey.TypeLists) ownVisitJSON {
	out := ownVisitJSON{assignmentJSON: asAssignment(v.Assignment), Version: v.Version}
	if v.Rating != nil {
		out.Visit = &visitJSON{v.Rating.ID, v.Rating.State, v.Rating.Date}
	}
	if v.Standing == nil {
		return out
	}
	out.Place = &placeJSON{Unit: v.Standing.Unit, Name: v.Standing.Name, Path: []unitNameJSON{}, Facts: v.Standing.UnitFacts, Labels: map[string]survey.Text{}}
	for i, name := range v.PathNames {
		out.Place.Path = append(out.Place.Path, unitNameJSON{v.Standing.Path[i], name})
	}
	if t, ok := lists.Structure(v.Standing.Structure); ok {
		out.Place.Labels["structure"] = t.Label
	}
	if t, ok := lists.Sector(v.Standing.Sector); ok {
		out.Place.Labels["sector"] = t.Label
	}
	if t, ok := lists.Setting(v.Standing.Setting); ok {
		out.Place.Labels["setting"] = t.Label
	}
	return out
}

func (s *Server) apiOwnAssignments(q *request) error {
	visits, err := s.svc.OwnVisits(q.ctx, q.caller)
	if err != nil {
		return err
	}
	_, lists, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	out := make([]ownVisitJSON, len(visits))
	for i, v := range visits {
		out[i] = asOwnVisit(v, lists)
	}
	return q.send(200, listOf(out))
}

type assignBody struct {
	Assignments []struct {
		ID       string `json:"id" validate:"omitempty,uuid"`
		Template string `json:"template" validate:"required,code"`
		Unit     string `json:"unit" validate:"required,code"`
		Role     string `json:"role" validate:"omitempty,oneof=observer second self members superior adjudicator"`
		Period   string `json:"period" validate:"omitempty,max=16"`
		Observer string `json:"observer" validate:"required"`
		Due      string `json:"due" validate:"omitempty,datetime=2006-01-02"`
	} `json:"assignments" validate:"required,min=1,max=5000,dive"`
}

// apiAssign makes assignments. Observers are named by id or sign-in name.
func (s *Server) apiAssign(q *request) error {
	var body assignBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	as := make([]*survey.Assignment, len(body.Assignments))
	for i, b := range body.Assignments {
		due, err := survey.ParseDate(b.Due)
		if err != nil {
			return err
		}
		a := &survey.Assignment{ID: survey.AssignmentID(b.ID), Due: due,
			VisitKey: survey.VisitKey{Round: survey.RoundCode(q.Params("round")), Template: survey.TemplateCode(b.Template), Unit: survey.UnitCode(b.Unit), Role: survey.Role(b.Role), Period: b.Period}}
		if a.Role == "" {
			a.Role = survey.RoleObserver
		}
		if a.Observer, err = s.personID(q, b.Observer); err != nil {
			return err
		}
		as[i] = a
	}
	if err := s.svc.Assign(q.ctx, q.caller, as); err != nil {
		return err
	}
	return s.sendAssignments(q, 201, as)
}

// personID gives the id of who is named by sign-in name; anything else is taken
// for an id.
func (s *Server) personID(q *request, name string) (survey.PersonID, error) {
	p, err := s.svc.PersonByName(q.ctx, name)
	switch {
	case err == nil:
		return p.ID, nil
	case survey.KindOf(err) == survey.NotFound:
		return survey.PersonID(name), nil
	}
	return "", err
}

type visitBody struct {
	ID       string `json:"id" validate:"required,uuid"`
	Template string `json:"template" validate:"required,code"`
	Unit     string `json:"unit" validate:"required,code"`
	Role     string `json:"role" validate:"omitempty,oneof=observer second self members superior adjudicator"`
	Due      string `json:"due" validate:"omitempty,datetime=2006-01-02"`
}

// apiAddVisit adds a visit of the caller's own that nobody planned.
func (s *Server) apiAddVisit(q *request) error {
	var body visitBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	due, err := survey.ParseDate(body.Due)
	if err != nil {
		return err
	}
	v, err := s.svc.AddVisit(q.ctx, q.caller, &survey.Assignment{ID: survey.AssignmentID(body.ID), Due: due, VisitKey: survey.VisitKey{
		Round: survey.RoundCode(q.Params("round")), Template: survey.TemplateCode(body.Template), Unit: survey.UnitCode(body.Unit), Role: survey.Role(body.Role)}})
	if err != nil {
		return err
	}
	_, lists, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	q.etag(v.Rev)
	return q.send(201, asOwnVisit(*v, lists))
}

type changeBody struct {
	Action   string `json:"action" validate:"required,oneof=postpone cancel reassign substitute restore"`
	Reason   string `json:"reason" validate:"max=2000"`
	Due      string `json:"due" validate:"omitempty,datetime=2006-01-02"`
	Observer string `json:"observer" validate:"omitempty,max=64"`
	Unit     string `json:"unit" validate:"omitempty,code"`
	NewID    string `json:"new_id" validate:"omitempty,uuid"`
}

// apiChangeAssignment postpones, cancels, reassigns, substitutes or restores.
func (s *Server) apiChangeAssignment(q *request) error {
	var body changeBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	due, err := survey.ParseDate(body.Due)
	if err != nil {
		return err
	}
	change := service.AssignmentChange{Action: service.AssignmentAction(body.Action), Reason: body.Reason, Due: due, Unit: survey.UnitCode(body.Unit), NewID: survey.AssignmentID(body.NewID), Rev: rev}
	if body.Observer != "" {
		if change.Observer, err = s.personID(q, body.Observer); err != nil {
			return err
		}
	}
	a, err := s.svc.ChangeAssignment(q.ctx, q.caller, survey.AssignmentID(q.Params("id")), change)
	if err != nil {
		return err
	}
	q.etag(a.Rev)
	return q.send(200, asAssignment(a))
}
