package web

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// request is what a handler works with.
type request struct {
	*fiber.Ctx
	server *Server
	ctx    context.Context
	caller service.Caller
	// session is the secret of the browser session the caller came with, "".
	session string
}

// sessionCookie holds a browser's session.
const sessionCookie = "khaosat_session"

// personHeader names whose form a phone sends, by the person's id. Somebody else
// may have signed in on the phone since: the form waits for its own person then.
const personHeader = "Khaosat-Person"

// door is in front of every route: it finds out who is asking, turns away whom
// the policy does not let in, and hands the request on.
func (s *Server) door(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q := &request{Ctx: c, server: s, ctx: c.UserContext()}
		if err := s.identify(q); err != nil {
			return err
		}
		if r.op != "" {
			if q.caller.Person == nil {
				return &survey.Error{Kind: survey.Unauthenticated, Code: "auth.required"}
			}
			if whose := q.Get(personHeader); whose != "" && whose != string(q.caller.Person.ID) {
				return &survey.Error{Kind: survey.Unauthenticated, Code: "auth.other_person"}
			}
			if survey.May(q.caller.Person, r.op) == survey.Nothing {
				return &survey.Error{Kind: survey.Forbidden, Code: "auth.role", Args: survey.Args{"role": string(q.caller.Person.Role), "operation": string(r.op)}}
			}
		}
		q.caller.Language = s.language(c)
		if strings.HasPrefix(r.path, apiPath) {
			if err := q.asked(strings.Fields(r.query)); err != nil {
				return err
			}
		}
		if !isSlow(r.path) {
			defer s.svc.Enter()()
		}
		return r.do(q)
	}
}

// identify finds the caller by token or, for a browser, by session. A session
// opens what changes something only to the pages of this server: browsers say
// where a request comes from.
func (s *Server) identify(q *request) error {
	q.Locals(keyRequest, q)
	if secret, ok := strings.CutPrefix(q.Get(fiber.HeaderAuthorization), "Bearer "); ok {
		p, err := s.svc.Authenticate(q.ctx, strings.TrimSpace(secret), survey.TokenAPI)
		if err != nil {
			return err
		}
		q.caller.Person = p
		return nil
	}
	secret := q.Cookies(sessionCookie)
	if secret == "" {
		return nil
	}
	if q.Method() != fiber.MethodGet && q.Method() != fiber.MethodHead && !sameOrigin(q.Ctx) {
		return &survey.Error{Kind: survey.Forbidden, Code: "auth.other_site"}
	}
	p, err := s.svc.Authenticate(q.ctx, secret, survey.TokenSession)
	if survey.KindOf(err) == survey.Unauthenticated {
		return nil // an old cookie is as good as none
	}
	q.caller.Person, q.session = p, secret
	return err
}

// sameOrigin reports whether a browser's request comes from a page of this
// server (Fetch Metadata; Origin for browsers without it).
func sameOrigin(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == string(c.Context().Host())
}

// languageCookie holds the language that a browser was switched to.
const languageCookie = "khaosat_lang"

// language is the one that the address, the browser's switch or the person
// chose, else the one that the client asks for.
func (s *Server) language(c *fiber.Ctx) string {
	chosen := []string{c.Query("lang"), c.Cookies(languageCookie)}
	if q, ok := c.Locals(keyRequest).(*request); ok && q.caller.Person != nil {
		chosen = append(chosen, q.caller.Person.Language)
	}
	for _, lang := range chosen {
		if slices.Contains(message.Languages, lang) {
			return lang
		}
	}
	return message.Match(c.Get(fiber.HeaderAcceptLanguage))
}

// address is where the request comes from: behind a proxy that is believed, the
// last address in X-Forwarded-For, which is the one the proxy itself saw.
func (q *request) address() string {
	if forwarded := q.Get(fiber.HeaderXForwardedFor); forwarded != "" && q.IsProxyTrusted() {
		return strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:])
	}
	return q.Context().RemoteIP().String()
}

func wantsPage(c *fiber.Ctx) bool {
	return !strings.HasPrefix(c.Path(), apiPath) && strings.Contains(c.Get(fiber.HeaderAccept), "text/html")
}

// read decodes a JSON body into v and checks its shape.
func (q *request) read(v any) ([]byte, error) {
	b, err := q.server.body(q.Ctx, q.server.config.MaxJSON)
	if err != nil {
		return nil, err
	}
	return b, q.decode(b, v)
}

// decode decodes JSON into v and checks its shape.
func (q *request) decode(b []byte, v any) error {
	if err := utf8Fault(b); err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		if survey.KindOf(err) == survey.Invalid {
			return err
		}
		return survey.JSONError(b, err)
	}
	return q.server.shape.check(v)
}

// list reads a query parameter that may stand several times or hold commas.
func list[T ~string](q *request, name string) []T {
	var out []T
	for _, v := range q.Context().QueryArgs().PeekMulti(name) {
		for _, part := range strings.Split(string(v), ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, T(part))
			}
		}
	}
	return out
}

// number reads a whole number within bounds from a query parameter.
func (q *request) number(name string, otherwise, low, high int) (int, error) {
	s := q.Query(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, parameter(name, s, survey.Args{"low": strconv.Itoa(low), "high": strconv.Itoa(high)}, "parameter.number")
	}
	return n, nil
}

// date reads a day from a query parameter.
func (q *request) date(name string) (survey.Date, error) {
	d, err := survey.ParseDate(q.Query(name))
	if err != nil {
		return 0, parameter(name, q.Query(name), nil, "date.shape")
	}
	return d, nil
}

// flag reads true or false from a query parameter; false if it is not given.
func (q *request) flag(name string) (bool, error) {
	s, err := choice(q, name, []string{"true", "false"})
	return s == "true", err
}

// choice reads a query parameter that is one of a list; "" if it is not given.
func choice[T ~string](q *request, name string, among []T) (T, error) {
	s := T(q.Query(name))
	if s == "" {
		return "", nil
	}
	return s, oneOf(name, among, s)
}

// oneOf gives an error when a value of a query parameter is not on the list.
func oneOf[T ~string](name string, among []T, values ...T) error {
	words := make([]string, len(among))
	for i, a := range among {
		words[i] = string(a)
	}
	for _, v := range values {
		if !slices.Contains(among, v) {
			return suggested(parameter(name, string(v), survey.Args{"choices": strings.Join(words, ", ")}, "parameter.choice"), string(v), words)
		}
	}
	return nil
}

// asked turns away query parameters that the route does not know: a misspelt
// filter must not count as none.
func (q *request) asked(names []string) error {
	var err error
	q.Context().QueryArgs().VisitAll(func(key, _ []byte) {
		name := string(key)
		if err == nil && name != "lang" && !slices.Contains(names, name) {
			err = suggested(parameter(name, name, nil, "parameter.unknown"), name, names)
		}
	})
	return err
}

// parameter makes the error for a query parameter that is not right.
func parameter(name, value string, args survey.Args, code string) *survey.Error {
	return &survey.Error{Kind: survey.Invalid, Code: "request.parameter", Args: survey.Args{"name": name}, Problems: survey.Problems{{
		Severity: survey.SeverityError, Code: code, Value: value, Args: args, Place: survey.Place{Item: name}}}}
}

// suggested adds what was likely meant to the error for a query parameter.
func suggested(e *survey.Error, value string, among []string) error {
	e.Problems[0].Suggestion = survey.Closest(value, among)
	return e
}

// ifMatch reads the revision that a change is based on; 0 if none is given.
func (q *request) ifMatch() (int64, error) {
	h := strings.Trim(strings.TrimPrefix(q.Get(fiber.HeaderIfMatch), "W/"), `"`)
	if h == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(h, 10, 64)
	if err != nil || n < 1 {
		return 0, parameter("If-Match", h, nil, "parameter.revision")
	}
	return n, nil
}

// etag tells a document's revision.
func (q *request) etag(rev int64) { q.Set(fiber.HeaderETag, `"`+strconv.FormatInt(rev, 10)+`"`) }

// send answers with JSON.
func (q *request) send(status int, v any) error { return q.Status(status).JSON(v) }
