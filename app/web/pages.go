package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/etag"
	"github.com/gofiber/fiber/v2/middleware/filesystem"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

//go:embed templates/*.html static/*
var pageFiles embed.FS

//go:embed openapi.yaml
var openAPI []byte

// pages are the parsed page templates, by name, and what the page about the
// API tells.
type pages struct {
	of    map[string]*template.Template
	api   *apiOutline
	phone string // the version of what runs on phones
}

func loadPages() (*pages, error) {
	p := &pages{of: map[string]*template.Template{}}
	functions := template.FuncMap{"say": message.Say, "args": arguments, "group": inGroup, "all": inAll, "percent": percent, "decimal": decimal, "quartiles": quartiles, "count": count, "part": partOf, "cover": ofCover, "agreed": agreed, "ranked": ranked, "hundred": hundred, "shares": shares, "distribution": distribution, "fixed": fixed, "signed": signed, "between": between, "named": named, "ordinal": ordinal}
	files, err := fs.Glob(pageFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "fields" {
			continue
		}
		t, err := template.New("layout.html").Funcs(functions).ParseFS(pageFiles, "templates/layout.html", "templates/fields.html", file)
		if err != nil {
			return nil, err
		}
		p.of[name] = t
	}
	if p.phone, err = hashPhone(); err != nil {
		return nil, err
	}
	p.api, err = outlineAPI(openAPI)
	return p, err
}

// page is what every page is given.
type page struct {
	Lang   string
	Person *survey.Person
	Title  string
	Data   any

	address *url.URL
	path    string
}

// Switch is the address of the same page in another language.
func (p page) Switch(lang string) string {
	query := p.address.Query()
	query.Set("lang", lang)
	return localPath(p.address.Path) + "?" + query.Encode()
}

// Say gives a message in the page's language.
func (p page) Say(id string) string { return message.Say(p.Lang, id, nil) }

// In gives a text in the page's language.
func (p page) In(t survey.Text) string { return t.In(p.Lang) }

func (s *Server) show(c *fiber.Ctx, status int, name string, p page) error {
	var b bytes.Buffer
	p.address, p.path = &url.URL{Path: "/"}, c.Path()
	if c.Method() == fiber.MethodGet {
		if u, err := url.ParseRequestURI(c.OriginalURL()); err == nil {
			p.address = u
		}
	}
	if lang := c.Query("lang"); lang == p.Lang {
		c.Cookie(&fiber.Cookie{Name: languageCookie, Value: lang, Path: "/", Secure: s.config.Secure, SameSite: "Lax", Expires: time.Now().AddDate(1, 0, 0)})
	}
	if err := s.pages.of[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	if len(c.Response().Header.Peek(fiber.HeaderCacheControl)) == 0 {
		c.Set(fiber.HeaderCacheControl, "private, no-cache")
	}
	c.Set(fiber.HeaderContentLanguage, p.Lang)
	return c.Status(status).Send(b.Bytes())
}

func (q *request) page(title string, data any) page {
	return page{Lang: q.caller.Language, Person: q.caller.Person, Title: title, Data: data}
}

func (s *Server) errorPage(c *fiber.Ctx, problem *problemJSON) error {
	p := page{Lang: s.language(c), Title: problem.Title, Data: problem}
	if q, ok := c.Locals(keyRequest).(*request); ok {
		p.Person = q.caller.Person
	}
	if problem.Status == 401 {
		return c.Redirect("/sign-in?next="+url.QueryEscape(c.OriginalURL()), fiber.StatusSeeOther)
	}
	return s.show(c, problem.Status, "error", p)
}

func (s *Server) serveStatic() {
	static, _ := fs.Sub(pageFiles, "static") // the folder is part of the program
	s.app.Use("/static", etag.New(etag.Config{Weak: true}), filesystem.New(filesystem.Config{Root: http.FS(static), MaxAge: 3600}))
}

func (s *Server) pageHome(q *request) error {
	if q.caller.Person == nil {
		return q.Redirect("/sign-in", fiber.StatusSeeOther)
	}
	if survey.Policy[survey.OpSubmit][q.caller.Person.Role] == survey.Own {
		return q.Redirect("/visits", fiber.StatusSeeOther) // the phone's page is all they need
	}
	rounds, err := s.svc.Rounds(q.ctx, q.caller)
	if err != nil {
		return err
	}
	assignments, err := s.svc.Assignments(q.ctx, q.caller, "")
	if err != nil {
		return err
	}
	return s.show(q.Ctx, 200, "home", q.page("khaosat", struct {
		Rounds       []*survey.Round
		Assignments  []*survey.Assignment
		MaySummarize bool
	}{rounds, assignments, survey.May(q.caller.Person, survey.OpSummarize) != survey.Nothing}))
}

// maxForm is the largest form of a page in bytes.
const maxForm = 64 << 10

// form reads what a page's form sends.
func (q *request) form() (url.Values, error) { return q.formUpTo(maxForm) }

// formUpTo is form for what may be larger, up to the limit in bytes.
func (q *request) formUpTo(limit int64) (url.Values, error) {
	b, err := q.server.body(q.Ctx, limit)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "request.invalid", Err: err}
	}
	return values, nil
}

// localPath keeps a redirect on this server. Browsers read '\' as '/' and leave
// out tabs and line ends, so "/<tab>/example.org" would lead away.
func localPath(next string) string {
	odd := func(r rune) bool { return r == '\\' || unicode.IsControl(r) }
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, odd) {
		return "/"
	}
	return next
}

func (s *Server) pageAPI(q *request) error {
	return s.show(q.Ctx, 200, "api", q.page("API", s.pages.api))
}

func (s *Server) apiDescription(q *request) error {
	q.Set(fiber.HeaderContentType, "application/yaml; charset=utf-8")
	return q.Send(openAPI)
}
