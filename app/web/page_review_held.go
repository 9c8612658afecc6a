package web

import (
	"errors"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// heldPage is what the page of a response adds when it is held for review: what
// came in, and the visits it may belong to.
type heldPage struct {
	Facts  []heldFact
	Raw    string // the bytes as text, "" if they are none
	Cut    bool   // Raw is only the beginning
	Unit   string // of which visits are looked for
	Places []service.HeldPlace
	chosen survey.AssignmentID
	picked bool // chosen is what somebody chose, "" included
}

// heldFact is something that a response says of itself; Name is a message.
type heldFact struct{ Name, Value string }

// Chosen reports whether a place is the one that is proposed: what was chosen,
// else the first that is free.
func (h *heldPage) Chosen(p service.HeldPlace) bool {
	if h.picked {
		return p.ID == h.chosen
	}
	return p.Taken == "" && p.ID == h.Places[0].ID
}

// ChosenNone reports whether it is proposed to leave the response where it says.
func (h *heldPage) ChosenNone() bool {
	if h.picked {
		return h.chosen == ""
	}
	return len(h.Places) == 0 || h.Places[0].Taken != ""
}

func (s *Server) held(q *request, data *reviewPage) error {
	r := data.Response
	h := data.Held
	if h == nil {
		h = &heldPage{Unit: q.Query("unit")}
		data.Held = h
	}
	h.Raw, h.Cut = service.RawText(r.Raw)
	fact := func(name, value string) {
		if value != "" {
			h.Facts = append(h.Facts, heldFact{name, value})
		}
	}
	fact("review.round", string(r.Round))
	fact("review.template", string(r.Template))
	if r.TemplateVersion > 0 {
		fact("review.version", strconv.Itoa(r.TemplateVersion))
	}
	fact("review.unit", string(r.Unit))
	fact("review.role", q.say("role."+string(r.Role)))
	fact("review.sender", data.Person(r.ReceivedBy))
	fact("review.received", q.page("", nil).Moment(r.ReceivedAt))
	for _, e := range r.Events {
		if e.Action == "response.quarantined" {
			fact("review.client", e.Detail["client"])
			fact("review.device", e.Detail["device"])
		}
	}
	var err error
	h.Places, err = s.svc.HeldPlaces(q.ctx, q.caller, r, survey.UnitCode(h.Unit))
	return err
}

// pageRelease attaches a held response to a visit.
func (s *Server) pageRelease(q *request) error {
	id, rev, form, err := q.deciding()
	if err != nil {
		return err
	}
	to := service.Release{Assignment: survey.AssignmentID(form.Get("assignment")), Despite: form.Get("despite") == "yes"}
	if _, err := s.svc.Release(q.ctx, q.caller, id, rev, to); err != nil {
		m, status, failed := q.mistaken(err)
		if failed != nil {
			return failed
		}
		data := reviewPage{mistakes: m, Held: &heldPage{Unit: form.Get("unit"), chosen: to.Assignment, picked: true}}
		var e *survey.Error
		if errors.As(err, &e) && e.Code == "response.invalid" {
			data.Problem = ""
			data.Faults = fieldErrors(q.caller.Language, e.Problems, "")
		}
		return s.review(q, status, data)
	}
	return q.Redirect("/review/"+string(id)+"?done=release", fiber.StatusSeeOther)
}

// pageReject puts a held response aside.
func (s *Server) pageReject(q *request) error {
	id, rev, form, err := q.deciding()
	if err != nil {
		return err
	}
	if _, err := s.svc.Reject(q.ctx, q.caller, id, rev, form.Get("reason")); err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.review(q, status, reviewPage{mistakes: m, Comment: form.Get("reason")})
	}
	return q.Redirect("/review/"+string(id)+"?done=reject", fiber.StatusSeeOther)
}

type releaseBody struct {
	Assignment string `json:"assignment" validate:"omitempty,max=64"`
	Despite    bool   `json:"despite"`
}

// apiRelease attaches a held response to a visit; If-Match names the revision
// that was looked at.
func (s *Server) apiRelease(q *request) error {
	var body releaseBody
	return s.apiOfHeld(q, &body, func(id survey.ResponseID, rev int64) (*survey.Response, error) {
		return s.svc.Release(q.ctx, q.caller, id, rev, service.Release{Assignment: survey.AssignmentID(body.Assignment), Despite: body.Despite})
	})
}

type rejectBody struct {
	Reason string `json:"reason" validate:"required,max=4000"`
}

// apiReject puts a held response aside.
func (s *Server) apiReject(q *request) error {
	var body rejectBody
	return s.apiOfHeld(q, &body, func(id survey.ResponseID, rev int64) (*survey.Response, error) {
		return s.svc.Reject(q.ctx, q.caller, id, rev, body.Reason)
	})
}

func (s *Server) apiOfHeld(q *request, body any, do func(survey.ResponseID, int64) (*survey.Response, error)) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	if _, err := q.read(body); err != nil {
		return err
	}
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	if rev == 0 {
		return &survey.Error{Kind: survey.Invalid, Code: "request.if_match"}
	}
	r, err := do(id, rev)
	if err != nil {
		return err
	}
	q.etag(r.Rev)
	return q.send(200, q.asResponse(r))
}
