package web

import (
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
	Language string             `json:"language"`
}

func asPerson(p *survey.Person) personJSON {
	return personJSON{p.ID, p.Name, p.FullName, p.Role, p.Scope, p.Language}
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
