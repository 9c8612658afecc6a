package web

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// statusOf is the one table from kinds of errors to HTTP statuses.
var statusOf = map[survey.Kind]int{
	survey.Internal: 500, survey.Invalid: 422, survey.NotFound: 404, survey.Conflict: 409, survey.Exists: 409,
	survey.Forbidden: 403, survey.Unauthenticated: 401, survey.TooLarge: 413, survey.Unavailable: 503,
}

// codeStatus are codes whose status is more exact than their kind's.
var codeStatus = map[string]int{
	"stale": 412, "template.overtaken": 412,
	"auth.too_many":   429,
	"invitation.used": 410, "invitation.expired": 410, "invitation.revoked": 410, "setup.used": 410, "setup.expired": 410, "setup.revoked": 410,
	"body.not_json": 400, "body.truncated": 400, "body.not_utf8": 400, "request.invalid": 400, "cursor": 400, "page.method": 405, "request.if_match": 428,
}

// problemJSON is an error as RFC 9457 has it.
type problemJSON struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code"`
	RequestID string       `json:"request_id"`
	Errors    []fieldError `json:"errors,omitempty"`
}

// fieldError is one thing wrong with what was sent.
type fieldError struct {
	Pointer    string          `json:"pointer"`
	Code       string          `json:"code"`
	Severity   survey.Severity `json:"severity"`
	Message    string          `json:"message"`
	Suggestion string          `json:"suggestion,omitempty"`
	Item       string          `json:"item,omitempty"`
	Value      string          `json:"value,omitempty"`
	Sheet      string          `json:"sheet,omitempty"`
	Row        int             `json:"row,omitempty"`
	Column     string          `json:"column,omitempty"`
}

// failed answers an error: as a page to a browser that asked for one, else as
// problem+json. What is unforeseen is logged once and not shown.
func (s *Server) failed(c *fiber.Ctx, err error) error {
	err = known(err)
	lang := s.language(c)
	status, code := statusFor(err)
	id, _ := c.Locals(keyRequestID).(string)
	if status == 500 {
		s.log.Error("unforeseen", "id", id, "error", err)
	}
	switch status {
	case 401:
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="khaosat"`)
	case 503:
		c.Set(fiber.HeaderRetryAfter, "30")
		s.log.Warn("unavailable", "id", id, "error", err)
	}
	p := problemJSON{Type: "https://khaosat.org/problems/" + strings.ReplaceAll(code, ".", "/"), Title: message.Say(lang, "status."+statusWord(status), nil),
		Status: status, Detail: message.OfError(lang, err), Code: code, RequestID: id}
	var e *survey.Error
	if errors.As(err, &e) {
		p.Errors = fieldErrors(lang, e.Problems, pointerPrefix(e.Code))
	}
	c.Response().ResetBody()
	if wantsPage(c) {
		return s.errorPage(c, &p)
	}
	c.Status(status)
	if err := c.JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json; charset=utf-8")
	return nil
}

// known turns what Fiber and the context say into our errors.
func known(err error) error {
	var f *fiber.Error
	switch {
	case errors.As(err, &f) && f.Code == 404:
		return &survey.Error{Kind: survey.NotFound, Code: "page.unknown", Err: err}
	case errors.As(err, &f) && f.Code == 405:
		return &survey.Error{Kind: survey.Invalid, Code: "page.method", Err: err}
	case errors.As(err, &f) && f.Code == 413:
		return &survey.Error{Kind: survey.TooLarge, Code: "body.too_large", Args: survey.Args{"limit": "4 MB"}, Err: err}
	case errors.As(err, &f) && f.Code < 500:
		return &survey.Error{Kind: survey.Invalid, Code: "request.invalid", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &survey.Error{Kind: survey.Unavailable, Code: "request.too_slow", Err: err}
	}
	return err
}

func statusFor(err error) (status int, code string) {
	code = survey.CodeOf(err)
	kind := survey.KindOf(err)
	if code == "" {
		code = "kind." + strings.ReplaceAll(kind.String(), " ", "_")
	}
	if status, ok := codeStatus[code]; ok {
		return status, code
	}
	return statusOf[kind], code
}

func statusWord(status int) string {
	switch status {
	case 400:
		return "unreadable"
	case 401:
		return "unauthenticated"
	case 403:
		return "forbidden"
	case 404:
		return "not_found"
	case 409, 412:
		return "conflict"
	case 410:
		return "gone"
	case 413:
		return "too_large"
	case 422:
		return "invalid"
	case 429:
		return "too_many"
	case 503:
		return "unavailable"
	case 500:
		return "internal"
	}
	return "refused"
}

// pointerPrefix is where in a request's body the problems' pointers begin.
func pointerPrefix(code string) string {
	if code == "response.invalid" || code == "answers.invalid" {
		return "/answers"
	}
	return ""
}

func fieldErrors(lang string, ps survey.Problems, prefix string) []fieldError {
	out := make([]fieldError, 0, len(ps))
	for _, p := range ps {
		pointer := p.Place.Pointer
		if pointer != "" || p.Place.Item != "" {
			pointer = prefix + pointer
		}
		out = append(out, fieldError{Pointer: pointer, Code: p.Code, Severity: p.Severity, Message: message.OfProblem(lang, p),
			Suggestion: p.Suggestion, Item: p.Place.Item, Value: p.Value, Sheet: p.Place.Sheet, Row: p.Place.Row, Column: p.Place.Column})
	}
	return out
}
