package web

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// dataPath begins the addresses that programs refresh tables from; a secret
// follows. Addresses are not logged, only the routes.
const dataPath = "/data"

// feed is in front of the addresses with a secret: it lets in whoever has one.
func (s *Server) feed(do func(*request) error) func(*request) error {
	return func(q *request) error {
		p, err := s.svc.Authenticate(q.ctx, q.Params("token"), survey.TokenFeed)
		if err != nil {
			return err
		}
		q.caller.Person = p
		q.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		return do(q)
	}
}

// apiSummaryCSV gives a round's summary as one flat table.
func (s *Server) apiSummaryCSV(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	separator, err := choice(q, "separator", []string{"comma", "semicolon"})
	if err != nil {
		return err
	}
	sum, err := s.svc.Summary(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := sum.WriteCSV(&b, q.caller.Language, service.CSVFormat{Semicolon: separator == "semicolon"}); err != nil {
		return err
	}
	q.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	q.Set(fiber.HeaderCacheControl, "private, no-cache")
	return q.Send(b.Bytes())
}

// apiMakeFeed makes a link for programs.
func (s *Server) apiMakeFeed(q *request) error {
	var in struct {
		Label string `json:"label"`
	}
	if _, err := q.read(&in); err != nil {
		return err
	}
	secret, err := s.svc.MakeFeed(q.ctx, q.caller, in.Label)
	if err != nil {
		return err
	}
	return q.send(201, struct {
		Address string `json:"address"`
		Token   string `json:"token"`
	}{s.feedBase(q) + secret, secret})
}

func (s *Server) feedBase(q *request) string {
	return q.away() + dataPath + "/"
}
