package web

import (
	"fmt"
	"html/template"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

// odkCard sets up one person's ODK Collect; it is shown once.
type odkCard struct {
	Person       *survey.Person
	Link, Secret string
	QR           template.HTML
}

type odkCardsPage struct {
	Cards   []odkCard
	Address string // for clients that ask for name and password
	Back    string
}

// pageOwnODK makes a code for the observer's own phone.
func (s *Server) pageOwnODK(q *request) error {
	if _, err := q.ownForm(); err != nil {
		return err
	}
	return s.odkCards(q, []string{q.caller.Person.Name}, "/account")
}

// pageODKCards makes codes for the people who were chosen, as cards to print.
func (s *Server) pageODKCards(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	names := form["name"]
	if len(names) == 0 || len(names) > mostInvitations {
		return &survey.Error{Kind: survey.Invalid, Code: "invitation.none", Args: survey.Args{"most": fmt.Sprint(mostInvitations)}}
	}
	return s.odkCards(q, names, "/people")
}

func (s *Server) odkCards(q *request, names []string, back string) error {
	q.unshared()
	data := odkCardsPage{Address: q.away() + odkPath, Back: back}
	for _, name := range names {
		secret, err := s.svc.CreateOpenRosaToken(q.ctx, q.caller, name, "ODK")
		if err != nil {
			return err
		}
		p, err := s.svc.PersonByName(q.ctx, name)
		if err != nil {
			return err
		}
		c := odkCard{Person: p, Secret: secret, Link: data.Address + "/" + secret}
		code, err := openrosa.Settings{URL: c.Link, Project: "Khaosat", Language: p.Language}.Code()
		if err == nil {
			c.QR, err = qrPicture(code)
		}
		if err != nil {
			return err
		}
		data.Cards = append(data.Cards, c)
	}
	return s.show(q.Ctx, fiber.StatusOK, "odk-cards", q.page(q.say("openrosa.cards"), data))
}
