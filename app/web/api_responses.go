package web

import (
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// submitBody is a filled-in form as it is sent.
type submitBody struct {
	Round           string         `json:"round" validate:"required,code"`
	Template        string         `json:"template" validate:"required,code"`
	TemplateVersion int            `json:"template_version" validate:"omitempty,min=1"`
	Unit            string         `json:"unit" validate:"required,code"`
	Role            string         `json:"role" validate:"omitempty,oneof=observer second self members superior adjudicator"`
	Observer        string         `json:"observer" validate:"omitempty,max=64"`
	MeetingDate     string         `json:"meeting_date" validate:"omitempty,datetime=2006-01-02"`
	StartedAt       string         `json:"started_at" validate:"omitempty,datetime=2006-01-02T15:04:05Z07:00"`
	EndedAt         string         `json:"ended_at" validate:"omitempty,datetime=2006-01-02T15:04:05Z07:00"`
	Source          string         `json:"source" validate:"omitempty,oneof=api queue"`
	Answers         survey.Answers `json:"answers" validate:"required"`
}

// receiptJSON is the acknowledgement of a response: the same for every repeat.
type receiptJSON struct {
	ID              survey.ResponseID   `json:"id"`
	Round           survey.RoundCode    `json:"round"`
	Template        survey.TemplateCode `json:"template"`
	TemplateVersion int                 `json:"template_version"`
	Unit            survey.UnitCode     `json:"unit"`
	Role            survey.Role         `json:"role"`
	Period          string              `json:"period"`
	State           survey.ReviewState  `json:"state"`
	Conflict        bool                `json:"conflict"`
	Revision        int64               `json:"revision"`
	ReceivedAt      time.Time           `json:"received_at"`
	SHA256          string              `json:"sha256"`
	Score           *survey.Receipt     `json:"score"`
	Message         string              `json:"message"`
	Warnings        []fieldError        `json:"warnings"`
	Reasons         []fieldError        `json:"reasons,omitempty"`
}

// apiSubmit takes in a response. 201 says that it is durable, and the very same
// answer comes for every repeat; 202 that it was kept, but for somebody to
// review: in quarantine, or as other content under an id that is taken.
func (s *Server) apiSubmit(q *request) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	var body submitBody
	raw, err := q.read(&body)
	if err != nil {
		return err
	}
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	in, err := body.incoming(id, raw, rev)
	if err != nil {
		return err
	}
	done, err := s.svc.Submit(q.ctx, q.caller, in)
	s.metrics.responses.WithLabelValues(string(in.Source), outcome(done, err)).Inc()
	if err != nil {
		return err
	}
	status, said := 201, receiptWord(done)
	if said != "receipt.received" {
		status = 202
	}
	r := done.Response
	q.etag(r.Rev)
	return q.send(status, receiptJSON{ID: r.ID, Round: r.Round, Template: r.Template, TemplateVersion: r.TemplateVersion, Unit: r.Unit, Role: r.Role,
		Period: r.Period, State: r.State, Conflict: done.Conflict, Revision: r.Rev, ReceivedAt: r.ReceivedAt, SHA256: r.SHA256, Score: r.Receipt,
		Message:  message.Say(q.caller.Language, said, survey.Args{"unit": r.Standing.Name, "reason": r.PutAside()}),
		Warnings: fieldErrors(q.caller.Language, done.Warnings, "/answers"), Reasons: fieldErrors(q.caller.Language, r.Reasons, "")})
}

// incoming is the form as the service takes it in; rev is the revision that it
// replaces, 0 for none.
func (body *submitBody) incoming(id survey.ResponseID, raw []byte, rev int64) (*service.Incoming, error) {
	day, err := survey.ParseDate(body.MeetingDate)
	if err != nil {
		return nil, err
	}
	in := &service.Incoming{ID: id, Round: survey.RoundCode(body.Round), Template: survey.TemplateCode(body.Template), Version: body.TemplateVersion,
		Unit: survey.UnitCode(body.Unit), Role: survey.Role(body.Role), Observer: body.Observer, MeetingDate: day, Answers: body.Answers,
		Raw: raw, Source: survey.SourceAPI, StartedAt: clock(body.StartedAt), EndedAt: clock(body.EndedAt), Replaces: rev}
	if body.Source == string(survey.SourceQueue) {
		in.Source, in.FromDevice = survey.SourceQueue, true
	}
	return in, nil
}

// clock reads a time whose shape has been checked, nil if there is none.
func clock(s string) *time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil
	}
	return &t
}

// outcome names what became of a response, for the metrics.
func outcome(done *service.Accepted, err error) string {
	switch {
	case err != nil:
		return "refused_" + survey.KindOf(err).String()
	case done.Conflict:
		return "conflict"
	case done.Repeated:
		return "repeated"
	}
	return string(done.Response.State)
}

// responseJSON is a response as it is read.
type responseJSON struct {
	*survey.Response
	Reasons   []fieldError `json:"reasons,omitempty"`
	Earlier   int          `json:"earlier_revisions"`
	Conflicts int          `json:"conflicts"`
}

func (q *request) asResponse(r *survey.Response) responseJSON {
	return responseJSON{Response: r, Reasons: fieldErrors(q.caller.Language, r.Reasons, ""), Earlier: len(r.Earlier), Conflicts: len(r.Conflicts)}
}

// apiResponse gives a response; with raw=true the bytes as they came.
func (s *Server) apiResponse(q *request) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	raw, err := q.flag("raw")
	if err != nil {
		return err
	}
	r, err := s.svc.Response(q.ctx, q.caller, id)
	if err != nil {
		return err
	}
	q.etag(r.Rev)
	if raw {
		q.Set("Content-Type", "application/octet-stream")
		q.Set("Content-Disposition", `attachment; filename="`+string(r.ID)+`.json"`)
		return q.Send(r.Raw)
	}
	return q.send(200, q.asResponse(r))
}

func (s *Server) apiResponses(q *request) error {
	limit, err := q.number("limit", 100, 1, 1000)
	if err != nil {
		return err
	}
	role, err := choice(q, "role", survey.RatingRoles)
	if err != nil {
		return err
	}
	state, err := choice(q, "state", survey.ReviewStates)
	if err != nil {
		return err
	}
	f := survey.ResponseFilter{Round: survey.RoundCode(q.Query("round")), Template: survey.TemplateCode(q.Query("template")), Unit: survey.UnitCode(q.Query("unit")),
		Under: survey.UnitCode(q.Query("under")), Observer: survey.PersonID(q.Query("observer")), Role: role, State: state}
	page, err := s.svc.Responses(q.ctx, q.caller, f, survey.Cursor(q.Query("after")), limit)
	if err != nil {
		return err
	}
	out := make([]responseJSON, len(page.Responses))
	for i, r := range page.Responses {
		out[i] = q.asResponse(r)
	}
	return q.send(200, struct {
		Items []responseJSON `json:"items"`
		Next  survey.Cursor  `json:"next"`
		More  bool           `json:"more"`
	}{out, page.Next, page.More})
}

type reviewBody struct {
	Decision string `json:"decision" validate:"required,oneof=approve return"`
	Comment  string `json:"comment" validate:"max=4000"`
	// Items are comments about single items, by name.
	Items map[string]string `json:"items"`
}

// apiReview approves a response or returns it; If-Match names the revision
// that was looked at.
func (s *Server) apiReview(q *request) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	var body reviewBody
	if _, err := q.read(&body); err != nil {
		return err
	}
	rev, err := q.ifMatch()
	if err != nil {
		return err
	}
	if rev == 0 {
		return &survey.Error{Kind: survey.Invalid, Code: "request.if_match"}
	}
	r, err := s.svc.Review(q.ctx, q.caller, id, rev, service.Verdict{Decision: service.Decision(body.Decision), Comment: body.Comment, Items: body.Items})
	if err != nil {
		return err
	}
	q.etag(r.Rev)
	return q.send(200, q.asResponse(r))
}
