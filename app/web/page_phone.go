package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// phoneFiles are what a phone keeps to work without a network, the page aside.
var phoneFiles = append([]string{"app.css", "icon.svg"}, phoneModules...)

var phoneModules = append(slices.Clone(phoneFirst), modules("phone-queue", "phone-photos", "phone-plan", "digest", "score")...)

// phoneFirst are the modules that a form cannot be shown without, the largest
// first; the others are fetched when they are needed.
var phoneFirst = modules("engine", "phone", "expr", "phone-form", "moment", "phone-store", "dom")

func modules(names ...string) []string {
	for i := range names {
		names[i] += ".js"
	}
	return names
}

// phoneBundleJSON is what a phone asks for whenever it has a network.
type phoneBundleJSON struct {
	App        string            `json:"app"` // names the version of the program in the browser
	ServerTime time.Time         `json:"server_time"`
	Person     phonePersonJSON   `json:"person"`
	Visits     []phoneVisitJSON  `json:"visits"`
	Rounds     []phoneRoundJSON  `json:"rounds"`
	Lists      *survey.TypeLists `json:"type_lists"`
	Words      map[string]string `json:"words"`
}

type phonePersonJSON struct {
	ID       survey.PersonID    `json:"id"`
	Name     string             `json:"name"`
	Role     survey.AccountRole `json:"role"`
	Language string             `json:"language"`
	Display  survey.Display     `json:"display"`
}

type phoneRoundJSON struct {
	Code      survey.RoundCode       `json:"code"`
	Title     survey.Text            `json:"title"`
	Opens     survey.Date            `json:"opens"`
	Closes    survey.Date            `json:"closes"`
	Closed    bool                   `json:"closed"`
	Zone      string                 `json:"zone"`
	Steady    *steadyJSON            `json:"steady,omitempty"`
	ShowScore bool                   `json:"show_score"`
	Unplanned bool                   `json:"unplanned"`
	Practise  bool                   `json:"practise"` // the practice case is to be passed first
	Templates []survey.RoundTemplate `json:"templates"`
}

// steadyJSON says that from a moment on a zone's clock is always so far ahead of
// UTC; both in milliseconds.
type steadyJSON struct {
	From   int64 `json:"from"`
	Offset int64 `json:"offset"`
}

// steadySince tells from when on a zone's clock never changes, as far as is
// known: nil where it changes now or in years to come.
func steadySince(zone *time.Location, now time.Time) *steadyJSON {
	from, to := now.In(zone).ZoneBounds()
	if !to.IsZero() {
		return nil
	}
	_, offset := now.In(zone).Zone()
	out := &steadyJSON{Offset: int64(offset) * 1000}
	if !from.IsZero() {
		out.From = from.UnixMilli()
	} else {
		out.From = math.MinInt32 * 1000
	}
	return out
}

// phoneVisitJSON is a visit; Key identifies it on the phone, also where nobody
// assigned it.
type phoneVisitJSON struct {
	ownVisitJSON
	Key      string        `json:"key"`
	Returned *returnedJSON `json:"returned"`
}

// returnedJSON is a response that was sent back, with what is needed to mend it.
type returnedJSON struct {
	Revision int64          `json:"revision"`
	Comment  string         `json:"comment"`
	Version  int            `json:"template_version"`
	Answers  survey.Answers `json:"answers"`
}

// phoneWords are the families of texts that the phone says by itself.
var phoneWords = []string{"phone", "answer", "role", "check", "receipt"}

// apiPhone gives a phone all that it keeps.
func (s *Server) apiPhone(q *request) error {
	b, err := s.svc.PhoneBundle(q.ctx, q.caller)
	if err != nil {
		return err
	}
	p := b.Person
	out := phoneBundleJSON{App: s.phoneVersion(), ServerTime: s.svc.Now(), Lists: b.Lists, Words: message.Room(q.caller.Language, phoneWords...),
		Person: phonePersonJSON{p.ID, p.FullName, p.Role, q.caller.Language, p.Display}, Visits: []phoneVisitJSON{}, Rounds: []phoneRoundJSON{}}
	if out.Person.Name == "" {
		out.Person.Name = p.Name
	}
	for _, r := range b.Rounds {
		out.Rounds = append(out.Rounds, phoneRoundJSON{r.Code, r.Title, r.Opens, r.Closes, r.Closed, r.Location().String(), steadySince(r.Location(), s.svc.Now()), r.ShowScore, r.Unplanned, p.MustPractise(r, survey.RoleObserver, s.svc.Now()), r.Templates})
	}
	for _, v := range b.Visits {
		line := phoneVisitJSON{ownVisitJSON: asOwnVisit(v.OwnVisit, b.Lists), Key: v.Key()}
		if r := v.Returned; r != nil {
			line.Returned = &returnedJSON{r.Rev, v.Comment, r.TemplateVersion, r.Answers}
		}
		out.Visits = append(out.Visits, line)
	}
	q.Set(fiber.HeaderCacheControl, "no-store")
	return q.send(200, out)
}

// phoneVersion names the version of what runs in the browser: a hash of it.
func (s *Server) phoneVersion() string { return s.pages.phone }

// hashPhone works out the version from the files and the page.
func hashPhone() (string, error) {
	h := sha256.New()
	for _, name := range append(slices.Clone(phoneFiles), "worker.js") {
		b, err := fs.ReadFile(pageFiles, "static/"+name)
		if err != nil {
			return "", err
		}
		h.Write(b)
	}
	b, err := fs.ReadFile(pageFiles, "templates/phone.html")
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// pagePhone is the page in which the phone's program runs. It is the same for
// everybody, so that it can be kept on a phone that several people share: who
// is signed in, and in which language, the program knows.
func (s *Server) pagePhone(q *request) error {
	p := q.page("khaosat", struct{ Modules []string }{phoneFirst})
	p.Person = nil
	if id := q.Params("visit"); id != "" {
		// The form is on its way before the program that asks for it.
		if v, err := s.svc.Visit(q.ctx, q.caller, survey.AssignmentID(id)); err == nil {
			form := fmt.Sprintf("%s/templates/%s/versions/%d/form", apiPath, url.PathEscape(string(v.Assignment.Template)), v.Compiled.Template.Version)
			if v.Round.ShowScore {
				form += "?scoring=true"
			}
			q.Append(fiber.HeaderLink, "<"+form+">; rel=preload; as=fetch; crossorigin=anonymous")
		}
	}
	// A slow processor reads the head before it reads the page.
	for _, name := range phoneFirst {
		q.Append(fiber.HeaderLink, "</static/"+name+">; rel=modulepreload")
	}
	q.Append(fiber.HeaderLink, "</static/app.css>; rel=preload; as=style")
	return s.show(q.Ctx, 200, "phone", p)
}

// phoneWorker is the program that keeps the page without a network. Its text
// changes with every version, which is how browsers notice a new one.
func (s *Server) phoneWorker(q *request) error {
	b, err := fs.ReadFile(pageFiles, "static/worker.js")
	if err != nil {
		return err
	}
	files := make([]string, len(phoneFiles))
	for i, name := range phoneFiles {
		files[i] = "/static/" + name
	}
	list, err := json.Marshal(files)
	if err != nil {
		return err
	}
	q.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
	q.Set(fiber.HeaderCacheControl, "no-cache")
	return q.SendString(fmt.Sprintf("const version = %q;\nconst files = %s;\n%s", s.phoneVersion(), list, b))
}

// manifest lets a phone put the page on its home screen.
func (s *Server) manifest(q *request) error {
	q.Set(fiber.HeaderContentType, "application/manifest+json")
	q.Set(fiber.HeaderCacheControl, "public, max-age=86400")
	b, err := json.Marshal(map[string]any{"name": "khaosat", "short_name": "khaosat", "start_url": "/visits", "scope": "/", "display": "standalone",
		"background_color": "#f3f6f9", "theme_color": "#1f4e79", "lang": "vi",
		"icons": []map[string]string{{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}}})
	if err != nil {
		return err
	}
	return q.Send(b)
}

// pageVisitList is the list of own visits for browsers without JavaScript; each
// leads to the plain form.
func (s *Server) pageVisitList(q *request) error {
	b, err := s.svc.PhoneBundle(q.ctx, q.caller)
	if err != nil {
		return err
	}
	return s.show(q.Ctx, 200, "visit-list", q.page(message.Say(q.caller.Language, "phone.visits", nil), b))
}

// pageGuide is the observer's guide, for everybody.
func (s *Server) pageGuide(q *request) error {
	return s.show(q.Ctx, 200, "guide", q.page(message.Say(q.caller.Language, "phone.guide_title", nil), nil))
}
