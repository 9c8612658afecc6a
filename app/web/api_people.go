package web

import (
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

type signInBody struct {
	Name     string `json:"name" validate:"required,max=64"`
	Password string `json:"password" validate:"required,max=1024"`
}

type personJSON struct {
	ID       survey.PersonID    `json:"id"`
	Name     string             `json:"name"`
	FullName string             `json:"full_name"`
	Role     survey.AccountRole `json:"role"`
	Scope    survey.UnitCode    `json:"scope"`
	Home     survey.UnitCode    `json:"home"`
	Language string             `json:"language"`
	Display  displayJSON        `json:"display"`
	Disabled bool               `json:"disabled"`
}

// displayJSON is survey.Display with nothing left out.
type displayJSON struct {
	Theme string `json:"theme"`
	Text  string `json:"text"`
	Form  string `json:"form"`
}

func asPerson(p *survey.Person) personJSON {
	return personJSON{p.ID, p.Name, p.FullName, p.Role, p.Scope, p.Home, p.Language, displayJSON(p.Display), p.Disabled}
}

// apiSignIn changes a name and password for a token that lasts two weeks.
func (s *Server) apiSignIn(q *request) error {
	var body signInBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	secret, p, err := s.svc.SignIn(q.ctx, body.Name, body.Password, q.address(), survey.TokenAPI)
	if err != nil {
		return err
	}
	return q.send(200, struct {
		Token  string     `json:"token"`
		Person personJSON `json:"person"`
	}{secret, asPerson(p)})
}

func (s *Server) apiSignOut(q *request) error {
	secret := q.session
	if secret == "" {
		secret = bearer(q)
	}
	if err := s.svc.SignOut(q.ctx, secret); err != nil {
		return err
	}
	return q.SendStatus(204)
}

func bearer(q *request) string {
	const prefix = "Bearer "
	if h := q.Get("Authorization"); len(h) > len(prefix) {
		return h[len(prefix):]
	}
	return ""
}

func (s *Server) apiMe(q *request) error { return q.send(200, asPerson(q.caller.Person)) }

// apiPeople lists accounts by name, a page at a time.
func (s *Server) apiPeople(q *request) error {
	limit, err := q.number("limit", 200, 1, 2000)
	if err != nil {
		return err
	}
	role, err := choice(q, "role", survey.AccountRoles)
	if err != nil {
		return err
	}
	state, err := choice(q, "state", []string{"active", "disabled"})
	if err != nil {
		return err
	}
	all, err := s.svc.People(q.ctx, q.caller)
	if err != nil {
		return err
	}
	filter, after := service.PeopleFilter{Text: q.Query("q"), Role: role, State: state}, q.Query("after")
	items, next := []personJSON{}, ""
	for _, p := range all {
		if p.Name <= after || !filter.Matches(p) {
			continue
		}
		if len(items) == limit {
			next = items[limit-1].Name
			break
		}
		items = append(items, asPerson(p))
	}
	return q.send(200, struct {
		Items []personJSON `json:"items"`
		Next  string       `json:"next"`
	}{items, next})
}

// personBody is an account as it is sent.
type personBody struct {
	FullName string             `json:"full_name" validate:"max=200"`
	Role     survey.AccountRole `json:"role" validate:"required"`
	Scope    survey.UnitCode    `json:"scope" validate:"omitempty,code"`
	Home     survey.UnitCode    `json:"home" validate:"omitempty,code"`
	Language string             `json:"language" validate:"omitempty,oneof=vi en"`
}

// newPersonBody is a new account as it is sent.
type newPersonBody struct {
	Name     string `json:"name" validate:"required,max=64"`
	Password string `json:"password" validate:"max=1024"`
	personBody
}

func (s *Server) apiAddPerson(q *request) error {
	var body newPersonBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	p := &survey.Person{Name: body.Name, FullName: body.FullName, Role: body.Role, Scope: body.Scope, Home: body.Home, Language: body.Language}
	if err := s.svc.AddPerson(q.ctx, q.caller, p, body.Password); err != nil {
		return err
	}
	q.etag(p.Rev)
	return q.send(201, asPerson(p))
}

func (s *Server) apiPerson(q *request) error {
	p, err := s.svc.ManagedPerson(q.ctx, q.caller, q.Params("name"))
	if err != nil {
		return err
	}
	q.etag(p.Rev)
	return q.send(200, asPerson(p))
}

func (s *Server) apiChangePerson(q *request) error {
	var body personBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	err = s.svc.ChangePerson(q.ctx, q.caller, q.Params("name"), service.PersonChange{FullName: body.FullName, Role: body.Role, Scope: body.Scope,
		Home: body.Home, Language: body.Language, Rev: rev})
	if err != nil {
		return err
	}
	return s.apiPerson(q)
}

// apiInvite makes an invitation; its link is shown this once.
func (s *Server) apiInvite(q *request) error {
	made, err := s.svc.Invite(q.ctx, q.caller, []string{q.Params("name")})
	if err != nil {
		return err
	}
	q.unshared()
	return q.send(201, struct {
		Link    string    `json:"link"`
		Expires time.Time `json:"expires"`
	}{q.away() + "/invitation/" + made[0].Secret, made[0].Expires})
}
