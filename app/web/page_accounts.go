package web

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// say gives a message in the caller's language.
func (q *request) say(id string) string { return message.Say(q.caller.Language, id, nil) }

// ownForm reads a form that only a page of this server may send, also when
// nobody is signed in.
func (q *request) ownForm() (url.Values, error) {
	if !sameOrigin(q.Ctx) {
		return nil, &survey.Error{Kind: survey.Forbidden, Code: "auth.other_site"}
	}
	return q.form()
}

// browser is from where somebody signs in.
func (q *request) browser() service.Browser {
	return service.Browser{Address: q.address(), Label: deviceLabel(q.Get(fiber.HeaderUserAgent)), Session: q.session}
}

// keepSession hands the browser its session.
func (q *request) keepSession(secret string, expires time.Time) {
	q.Cookie(&fiber.Cookie{Name: sessionCookie, Value: secret, Path: "/", HTTPOnly: true, Secure: q.server.config.Secure, SameSite: "Lax", Expires: expires})
}

// unshared keeps an answer that holds a secret out of every cache.
func (q *request) unshared() { q.Set(fiber.HeaderCacheControl, "no-store") }

// mistakes are what a form is shown again with: a sentence for the whole and
// one for each field, by the pointer of its problem without the '/'.
type mistakes struct {
	Problem string
	Of      map[string]string
}

// mistaken turns an error that whoever filled in a form can act on into
// mistakes; other errors come back.
func (q *request) mistaken(err error) (mistakes, int, error) {
	var e *survey.Error
	if !errors.As(err, &e) || e.Kind == survey.Unavailable || e.Kind == survey.Internal || e.Kind == survey.NotFound {
		return mistakes{}, 0, err
	}
	m := mistakes{Problem: message.OfError(q.caller.Language, err), Of: map[string]string{}}
	for _, p := range e.Problems {
		m.Of[strings.TrimPrefix(p.Place.Pointer, "/")] = message.OfProblem(q.caller.Language, p)
	}
	status, _ := statusFor(err)
	return m, status, nil
}

// doneNotes are what a page may say after something was done, by what the
// address carries.
var doneNotes = map[string]string{
	"saved": "accounts.done_saved", "added": "accounts.done_added", "disabled": "accounts.done_disabled", "enabled": "accounts.done_enabled",
	"assigned": "rounds.done_assigned", "password": "accounts.done_password", "device": "accounts.done_device",
}

// done gives the sentence about what was just done, "" if there is none.
func (q *request) done() string {
	if id, ok := doneNotes[q.Query("done")]; ok {
		return q.say(id)
	}
	return ""
}

type signInPage struct {
	Next, Name, Problem string
	NoAccounts          bool
}

func (s *Server) pageSignIn(q *request) error {
	empty, err := s.svc.NeedsSetup(q.ctx)
	if err != nil {
		return err
	}
	return s.show(q.Ctx, 200, "sign-in", q.page(q.say("page.sign_in"), signInPage{Next: q.Query("next"), NoAccounts: empty}))
}

func (s *Server) pageDoSignIn(q *request) error {
	form, err := q.ownForm()
	if err != nil {
		return err
	}
	name, next := form.Get("name"), localPath(form.Get("next"))
	secret, expires, err := s.svc.SignInBrowser(q.ctx, q.browser(), name, form.Get("password"))
	if err != nil {
		if survey.KindOf(err) == survey.Unavailable || survey.KindOf(err) == survey.Internal {
			return err
		}
		status, _ := statusFor(err)
		return s.show(q.Ctx, status, "sign-in", q.page(q.say("page.sign_in"), signInPage{Next: next, Name: name, Problem: message.OfError(q.caller.Language, err)}))
	}
	q.keepSession(secret, expires)
	return q.Redirect(next, fiber.StatusSeeOther)
}

func (s *Server) pageSignOut(q *request) error {
	if q.session != "" {
		if err := s.svc.SignOut(q.ctx, q.session); err != nil {
			return err
		}
	}
	q.ClearCookie(sessionCookie)
	return q.Redirect("/sign-in", fiber.StatusSeeOther)
}

type setupPage struct {
	mistakes
	Name, FullName string
	MinPassword    int
}

func (s *Server) pageSetup(q *request) error {
	q.unshared()
	if err := s.svc.OpenSetup(q.ctx, q.Params("secret"), q.address()); err != nil {
		return err
	}
	return s.show(q.Ctx, 200, "setup", q.page(q.say("accounts.setup"), setupPage{Name: "admin", MinPassword: service.MinPassword}))
}

func (s *Server) pageDoSetup(q *request) error {
	form, err := q.ownForm()
	if err != nil {
		return err
	}
	p := &survey.Person{Name: strings.ToLower(strings.TrimSpace(form.Get("name"))), FullName: strings.TrimSpace(form.Get("full_name")), Language: q.caller.Language}
	secret, expires, err := s.svc.Setup(q.ctx, q.Params("secret"), p, form.Get("password"), q.browser())
	if survey.KindOf(err) == survey.Invalid {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.show(q.Ctx, status, "setup", q.page(q.say("accounts.setup"), setupPage{m, p.Name, p.FullName, service.MinPassword}))
	}
	if err != nil {
		return err
	}
	q.keepSession(secret, expires)
	return q.Redirect("/", fiber.StatusSeeOther)
}

type accountPage struct {
	mistakes
	Done                         string
	Person                       *survey.Person
	Devices                      []service.Device
	Themes, TextSizes, FormViews []string
	MinPassword                  int
}

func (s *Server) pageAccount(q *request) error { return s.account(q, 200, mistakes{}) }

func (s *Server) account(q *request, status int, m mistakes) error {
	p := q.caller.Person
	devices, err := s.svc.Devices(q.ctx, q.caller, p.Name, q.session)
	if err != nil {
		return err
	}
	return s.show(q.Ctx, status, "account", q.page(q.say("accounts.account"), accountPage{m, q.done(), p, devices,
		survey.Themes, survey.TextSizes, survey.FormViews, service.MinPassword}))
}

// pageSaveDisplay keeps the choices that the form has and leaves the others, so
// that other pages can offer one of them; "next" is where it goes on.
func (s *Server) pageSaveDisplay(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	set := func(to *string, name string) {
		if form.Has(name) {
			*to = form.Get(name)
		}
	}
	err = s.svc.SetOwnDisplay(q.ctx, q.caller, func(language *string, d *survey.Display) {
		set(language, "language")
		set(&d.Theme, "theme")
		set(&d.Text, "text")
		set(&d.Form, "form")
	})
	if err != nil {
		return err
	}
	if form.Has("language") {
		// The browser's switch would win over the choice that was just made.
		q.ClearCookie(languageCookie)
	}
	next := "/account?done=saved"
	if form.Has("next") {
		next = localPath(form.Get("next"))
	}
	return q.Redirect(next, fiber.StatusSeeOther)
}

func (s *Server) pageChangePassword(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	if err := s.svc.ChangeOwnPassword(q.ctx, q.caller, form.Get("old"), form.Get("new"), q.session, q.address()); err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.account(q, status, m)
	}
	return q.Redirect("/account?done=password", fiber.StatusSeeOther)
}

func (s *Server) pageSignOutOwnDevice(q *request) error {
	if _, err := q.form(); err != nil {
		return err
	}
	if err := s.svc.SignOutDevice(q.ctx, q.caller, q.caller.Person.Name, q.Params("device")); err != nil {
		return err
	}
	return q.Redirect("/account?done=device", fiber.StatusSeeOther)
}
