package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// rig is a real server: a SQLite file with the small demonstration, the service
// over it, and a listener on this machine.
type rig struct {
	t      testing.TB
	svc    *service.Service
	server *Server
	url    string
	logged *logBuffer
	// tokens are the secrets by the account's name.
	tokens map[string]string
	people map[string]*survey.Person
}

// logBuffer is a log that a test can read while the server writes.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// demoStore makes the folder with the demonstration once; tests copy it.
var demoStore = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "khaosat-web-")
	if err != nil {
		return "", err
	}
	store, err := sqlite.Open(context.Background(), dir, sqlite.Options{})
	if err != nil {
		return "", err
	}
	size, _ := fixtures.SizeNamed("S")
	d, err := fixtures.NewDemo(size, 156)
	if err != nil {
		return "", err
	}
	svc := service.New(store, service.Options{Log: slog.New(slog.DiscardHandler)})
	if err := svc.LoadDemo(context.Background(), d, nil); err != nil {
		return "", err
	}
	return dir, store.Close()
})

func TestMain(m *testing.M) {
	code := m.Run()
	browsertest.Stop()
	if dir, err := demoStore(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// partOfTree is the unit that the accounts named part.ROLE have in their scope;
// those named all.ROLE have the whole tree.
const partOfTree survey.UnitCode = "S0001"

// newRig serves a copy of the demonstration of its own.
func newRig(t testing.TB) *rig {
	t.Helper()
	from, err := demoStore()
	ok(t, err)
	dir := filepath.Join(t.TempDir(), "store")
	ok(t, os.CopyFS(dir, os.DirFS(from)))
	store, err := sqlite.Open(context.Background(), dir, sqlite.Options{})
	ok(t, err)
	return newRigOn(t, store)
}

// newRigOn serves a store that holds the demonstration; the server closes it in
// the end.
func newRigOn(t testing.TB, store survey.Store) *rig {
	t.Helper()
	r := &rig{t: t, logged: &logBuffer{}, tokens: map[string]string{}, people: map[string]*survey.Person{}}
	log := slog.New(slog.NewTextHandler(r.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.svc = service.New(store, service.Options{Log: log})
	for _, role := range survey.AccountRoles {
		r.account(&survey.Person{Name: "all." + string(role), Role: role})
		r.account(&survey.Person{Name: "part." + string(role), Role: role, Scope: partOfTree})
	}
	r.serve(store)
	return r
}

// serve puts a server over the rig's service, until the test ends.
func (r *rig) serve(store survey.Store) {
	r.t.Helper()
	t := r.t
	var err error
	r.server, err = New(r.svc, Config{Log: slog.New(slog.NewTextHandler(r.logged, &slog.HandlerOptions{Level: slog.LevelDebug})), Version: "test"})
	ok(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	r.url = "http://" + l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(l) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = r.server.Shutdown(ctx)
		<-served
		ok(t, store.Close())
	})
}

// account adds an account without a password and a token for it.
func (r *rig) account(p *survey.Person) {
	r.t.Helper()
	ok(r.t, r.svc.AddPerson(context.Background(), service.Operator(), p, ""))
	secret, err := r.svc.CreateToken(context.Background(), service.Operator(), p.Name, "test")
	ok(r.t, err)
	r.tokens[p.Name], r.people[p.Name] = secret, p
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// header is a line to send with a request.
type header struct{ name, value string }

// as gives the header that signs a request in.
func (r *rig) as(name string) header {
	token, found := r.tokens[name]
	if !found {
		r.t.Fatalf("no account %q", name)
	}
	return header{"Authorization", "Bearer " + token}
}

// ask sends a request: a string or bytes as they stand, anything else as JSON.
func (r *rig) ask(method, path string, body any, headers ...header) *answer {
	r.t.Helper()
	a, err := r.try(method, path, body, headers...)
	ok(r.t, err)
	return a
}

func (r *rig) try(method, path string, body any, headers ...header) (*answer, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	case io.Reader:
		reader = b
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(raw)
	}
	q, err := http.NewRequest(method, r.url+path, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		q.Header.Set(h.name, h.value)
	}
	response, err := noRedirects.Do(q)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, b}, err
}

var noRedirects = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want stops the test unless the answer has the status.
func (a *answer) want(t testing.TB, status int) *answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, clip(a.body))
	}
	return a
}

func clip(b []byte) string {
	if len(b) > 2000 {
		return string(b[:2000]) + "…"
	}
	return string(b)
}

// into decodes the answer.
func into[T any](t testing.TB, a *answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v in %s", err, clip(a.body))
	}
	return v
}

// problem decodes a refusal and checks what every refusal has.
func (a *answer) problem(t testing.TB, status int, code string) problemJSON {
	t.Helper()
	a.want(t, status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	p := into[problemJSON](t, a)
	if p.Code != code {
		t.Errorf("code %q, want %q: %s", p.Code, code, a.body)
	}
	if p.Status != status || p.Title == "" || p.Detail == "" || p.Type == "" || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-ID") {
		t.Errorf("incomplete problem: %s", a.body)
	}
	for _, text := range append([]string{p.Title, p.Detail}, messages(p)...) {
		if strings.Contains(text, "…") || strings.Contains(text, "<no value>") || text == p.Code || text == "" {
			t.Errorf("message is not filled in: %q in %s", text, a.body)
		}
	}
	return p
}

func messages(p problemJSON) []string {
	out := make([]string, len(p.Errors))
	for i, e := range p.Errors {
		out[i] = e.Message
	}
	return out
}

// form gives a response that is accepted: a copy of one of the demonstration's,
// about a unit of which the role has not been rated.
func (r *rig) form(unit survey.UnitCode, role survey.Role) map[string]any {
	r.t.Helper()
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Template: "SHCB-TK", Unit: unit, Role: survey.RoleObserver}, "") {
		ok(r.t, err)
		raw, err := json.Marshal(change.Doc.Answers)
		ok(r.t, err)
		var answers map[string]any
		ok(r.t, json.Unmarshal(raw, &answers))
		return map[string]any{"round": "demo-2018", "template": "SHCB-TK", "unit": string(unit), "role": string(role),
			"meeting_date": change.Doc.MeetingDate.String(), "answers": answers}
	}
	r.t.Fatalf("no response about %s", unit)
	return nil
}

// rated lists units with a complete observer's rating, those of the part of the
// tree or the others.
func (r *rig) rated(inPart bool) []survey.UnitCode {
	r.t.Helper()
	var out []survey.UnitCode
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Template: "SHCB-TK", Role: survey.RoleObserver}, "") {
		ok(r.t, err)
		if change.Doc.State.Counts() && change.Doc.Receipt.NotGraded == "" && change.Doc.Standing.Under(partOfTree) == inPart {
			out = append(out, change.Doc.Unit)
		}
	}
	if len(out) < 5 {
		r.t.Fatalf("only %d units", len(out))
	}
	return out
}

// answersOf gives the answers of a form, to be changed.
func answersOf(form map[string]any) map[string]any { return form["answers"].(map[string]any) }

func newResponse() string { return "/api/v1/responses/" + survey.NewID() }

func readerOf(t testing.TB, v any) io.Reader {
	t.Helper()
	b, err := json.Marshal(v)
	ok(t, err)
	return bytes.NewReader(b)
}
