package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// serveInstead makes the test's own program behave as khaosat, so that a server
// can be a process that is killed.
const serveInstead = "KHAOSAT_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(serveInstead) != "" {
		main()
	}
	code := m.Run()
	browsertest.Stop()
	os.Exit(code)
}

// TestPhoneLosesNothingUnderFaults lets an observer fill in and send forms with
// photos while connections are cut, the network goes away, the server is killed
// and started again, and the browser is killed in the middle of a form, all at
// random moments. A ledger outside of the browser keeps what was entered. In the
// end every visit is stored once, with these answers and these photos.
//
// KHAOSAT_FAULT_SUBMISSIONS says how many forms (docs/figures.md has a run of
// 500), KHAOSAT_FAULT_SEED repeats the choices of an earlier run.
func TestPhoneLosesNothingUnderFaults(t *testing.T) {
	stores := map[string][]string{"SQLite": {"--data", t.TempDir()}}
	if uri := os.Getenv("KHAOSAT_TEST_MONGODB_URI"); uri != "" {
		stores["MongoDB"] = []string{"--mongodb-uri", databaseOfItsOwn(t, uri)}
	}
	for name, flags := range stores {
		t.Run(name, func(t *testing.T) { sendUnderFaults(t, flags) })
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	surveytest.Must(t, err)
	return n
}

// entered is what the ledger keeps of a form.
type entered struct {
	words, count string // as in the answers' JSON
	photo        string // SHA-256 of the photo, "" for none
}

func sendUnderFaults(t *testing.T, flags []string) {
	forms := number(t, "KHAOSAT_FAULT_SUBMISSIONS", 16)
	seed := uint64(number(t, "KHAOSAT_FAULT_SEED", int(time.Now().UnixNano()%1e9)))
	t.Logf("seed %d, %d forms", seed, forms)
	random := rand.New(rand.NewPCG(seed, 1))

	server := &process{t: t, flags: flags}
	server.start()
	t.Cleanup(server.kill)
	admin := &caller{t: t, url: server.url()}
	admin.signIn("admin")
	units := admin.planFaults(forms)

	w := newWire(t, server.addr)
	url := "http://" + w.listener.Addr().String()
	session := admin.session("observer", url)
	profile := t.TempDir()
	var browser *browsertest.Browser
	var p *browsertest.Page
	open := func() {
		browser = browsertest.Start(t, profile)
		p = browser.Open(t, browsertest.Options{URL: url, SameProfile: true, Noisy: true, Cookies: map[string]string{"khaosat_session": session}})
		p.Goto("/visits")
		p.Wait(`globalThis.khaosatPhone?.bundle && navigator.serviceWorker.controller && document.querySelector(".visit")`)
	}
	open()
	p.Wait(`khaosatPhone.lacking === 0`)

	stop, stopped := make(chan struct{}), make(chan struct{})
	kills := 0
	go func() {
		defer close(stopped)
		random := rand.New(rand.NewPCG(seed, 2))
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(200+random.IntN(2500)) * time.Millisecond):
			}
			switch random.IntN(6) {
			case 0, 1, 2:
				w.cut()
			case 3, 4:
				w.set(false)
				time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
				w.set(true)
			default:
				server.kill()
				time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
				server.start()
				kills++
			}
		}
	}()

	ledger := map[string]entered{}
	browserKills := 0
	for i, unit := range units {
		e := entered{words: strconv.Quote(fmt.Sprintf("Góp ý thứ %d: “thẳng thắn”, %08x", i, random.Uint32())), count: strconv.Itoa(random.IntN(1000))}
		show := func() {
			p.Eval(`khaosatPhone.go("/visits/" + khaosatPhone.bundle.visits.find(v => v.round === "faults" && v.unit === `+strconv.Quote(unit)+`).key)`, nil)
			p.Wait(`document.querySelector(".q-form .q")`)
		}
		show()
		enter := func(name, value string) {
			p.Eval(`(async () => { const f = khaosatPhone.form; f.engine.set("`+name+`", `+value+`); await f.changed("`+name+`"); f.refreshAll(); })()`, nil)
		}
		enter("words", e.words)
		if random.IntN(15) == 0 {
			browser.Kill()
			browserKills++
			open()
			show()
			var kept string
			p.Eval(`khaosatPhone.form.engine.draft().words`, &kept)
			if strconv.Quote(kept) != e.words {
				t.Fatalf("%s: after the browser was killed the phone has %q, entered was %s", unit, kept, e.words)
			}
		}
		enter("count", e.count)
		if random.IntN(4) == 0 {
			p.Eval(fmt.Sprintf(`(async () => {
				const store = await import("/static/phone-store.js");
				const f = khaosatPhone.form;
				const bytes = new Uint8Array(%d);
				for (let i = 0; i < bytes.length; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
				const blob = new Blob([bytes], {type: "image/jpeg"});
				await store.keepPhoto({draft: f.draft, name: "photo-1.jpg", path: "photo", blob, type: blob.type, size: blob.size, sha256: await store.digest(bytes, "base64"), taken: Date.now()});
				f.engine.set("photo", "photo-1.jpg");
				await f.changed("photo");
				return store.digest(bytes);
			})()`, 20000+random.IntN(300000)), &e.photo)
		}
		ledger[unit] = e
		p.Eval(`khaosatPhone.form.send()`, nil)
	}
	close(stop)
	<-stopped

	left := ""
	for range 180 {
		p.Eval(`khaosatPhone.sendQueue(true)`, nil)
		p.Eval(`(async () => { const s = await import("/static/phone-store.js"); return (await s.drafts(khaosatPhone.bundle.person.id)).filter(d => d.state !== "received").map(d => [d.unit, d.state, d.problem, d.refused?.detail].join(" ")).join("\n"); })()`, &left)
		if left == "" {
			break
		}
		time.Sleep(time.Second)
	}
	if left != "" {
		t.Fatalf("not received:\n%s", left)
	}
	admin.compareWithLedger(ledger)
	t.Logf("%d forms, %d kills of the server, %d of the browser, %d connections cut", forms, kills, browserKills, w.cuts)
}

// --- the server as a process -----------------------------------------------------

type process struct {
	t     *testing.T
	flags []string
	addr  string
	mu    sync.Mutex
	cmd   *exec.Cmd
}

func (p *process) url() string { return "http://" + p.addr }

// start runs the server, on the same address every time, until it is ready.
func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.addr == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		surveytest.Must(p.t, err)
		p.addr = l.Addr().String()
		surveytest.Must(p.t, l.Close())
	}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve", "--demo", "--addr", p.addr}, p.flags...)...)
	p.cmd.Env = append(os.Environ(), serveInstead+"=1")
	said := &bytes.Buffer{}
	p.cmd.Stdout, p.cmd.Stderr = said, said
	surveytest.Must(p.t, p.cmd.Start())
	for began := time.Now(); time.Since(began) < 3*time.Minute; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(p.url() + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	p.t.Errorf("the server is not ready: %s", said)
}

// kill ends the server with no chance to save anything.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// --- the network -----------------------------------------------------------------

// wire passes connections on to the server, and breaks them.
type wire struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	up       bool
	open     map[net.Conn]bool
	cuts     int
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	surveytest.Must(t, err)
	w := &wire{listener: l, to: to, up: true, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); w.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.pass(c)
		}
	}()
	return w
}

func (w *wire) pass(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer s.Close()
	w.mu.Lock()
	if !w.up {
		w.mu.Unlock()
		return
	}
	w.open[c], w.open[s] = true, true
	w.mu.Unlock()
	go func() {
		_, _ = io.Copy(s, c)
		_ = s.Close()
		_ = c.Close()
	}()
	_, _ = io.Copy(c, s)
	w.mu.Lock()
	delete(w.open, c)
	delete(w.open, s)
	w.mu.Unlock()
}

// cut breaks all connections, whatever is on its way.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
		w.cuts++
	}
	clear(w.open)
}

// set takes the network away, or gives it back.
func (w *wire) set(up bool) {
	w.mu.Lock()
	w.up = up
	w.mu.Unlock()
	if !up {
		w.cut()
	}
}

// --- the separate client ---------------------------------------------------------

type caller struct {
	t          *testing.T
	url, token string
}

func (c *caller) signIn(name string) {
	c.t.Helper()
	var answer struct{ Token string }
	c.do("POST", "/api/v1/sign-in", map[string]string{"name": name, "password": "khaosat-demo"}, &answer)
	c.token = answer.Token
}

// do sends a request and reads its answer, as bytes where answer is a *[]byte.
func (c *caller) do(method, path string, body, answer any) {
	c.t.Helper()
	sent, err := json.Marshal(body)
	surveytest.Must(c.t, err)
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, bytes.NewReader(sent))
	surveytest.Must(c.t, err)
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	surveytest.Must(c.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	surveytest.Must(c.t, err)
	if resp.StatusCode >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, b)
	}
	switch to := answer.(type) {
	case nil:
	case *[]byte:
		*to = b
	default:
		surveytest.Must(c.t, json.Unmarshal(b, answer))
	}
}

// session signs a browser in by the page for it and gives its cookie.
func (c *caller) session(name, origin string) string {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), "POST", origin+"/sign-in", strings.NewReader("name="+name+"&password=khaosat-demo"))
	surveytest.Must(c.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", origin)
	resp, err := http.DefaultTransport.RoundTrip(req)
	surveytest.Must(c.t, err)
	defer resp.Body.Close()
	for _, cookie := range resp.Cookies() {
		if cookie.Name == "khaosat_session" {
			return cookie.Value
		}
	}
	c.t.Fatalf("signing in as %s: %s", name, resp.Status)
	return ""
}

// planFaults opens a round with a short form and assigns so many visits to the
// observer; it gives their units.
func (c *caller) planFaults(n int) []string {
	c.t.Helper()
	text := func(s string) map[string]string { return map[string]string{"vi": s, "en": s} }
	item := func(name, kind string) map[string]any {
		return map[string]any{"name": name, "kind": kind, "label": text(name)}
	}
	c.do("POST", "/api/v1/templates", map[string]any{"code": "FAULTS", "version": 1, "title": text("Faults"), "languages": []string{"vi", "en"},
		"items": []any{item("words", "text"), item("count", "integer"), item("photo", "image")}}, nil)
	c.do("POST", "/api/v1/templates/FAULTS/versions/1/publish", nil, nil)
	now := time.Now()
	c.do("PUT", "/api/v1/rounds/faults", map[string]any{"title": text("Faults"), "scope": map[string]any{}, "zone": "Asia/Ho_Chi_Minh", "periods": "once",
		"opens": now.AddDate(0, 0, -2).Format(time.DateOnly), "closes": now.AddDate(0, 1, 0).Format(time.DateOnly),
		"templates": []any{map[string]any{"code": "FAULTS", "versions": []int{1}}}}, nil)
	var units []string
	var assignments []map[string]string
	for after := ""; len(units) < n; {
		var page struct {
			Items []struct{ Unit string }
			Next  string
		}
		c.do("GET", "/api/v1/units?limit=500&after="+after, nil, &page)
		for _, u := range page.Items {
			if strings.HasPrefix(u.Unit, "C") && len(units) < n {
				units = append(units, u.Unit)
				assignments = append(assignments, map[string]string{"template": "FAULTS", "unit": u.Unit, "role": "observer", "observer": "observer", "period": ""})
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(units) < n {
		c.t.Fatalf("the demonstration has %d chapters, wanted are %d", len(units), n)
	}
	c.do("POST", "/api/v1/rounds/faults/assignments", map[string]any{"assignments": assignments}, nil)
	return units
}

// compareWithLedger reads everything back that the server has.
func (c *caller) compareWithLedger(ledger map[string]entered) {
	c.t.Helper()
	type response struct {
		ID, Unit string
		Answers  struct {
			Words json.RawMessage
			Count json.RawMessage
			Photo string
		}
	}
	found := map[string]int{}
	for after := ""; ; {
		var page struct {
			Items []response
			Next  string
			More  bool
		}
		c.do("GET", "/api/v1/responses?round=faults&limit=500&after="+after, nil, &page)
		for _, r := range page.Items {
			found[r.Unit]++
			want := ledger[r.Unit]
			var full response
			c.do("GET", "/api/v1/responses/"+r.ID, nil, &full)
			var words, entered string
			surveytest.Must(c.t, json.Unmarshal(full.Answers.Words, &words))
			surveytest.Must(c.t, json.Unmarshal([]byte(want.words), &entered))
			if words != entered || string(full.Answers.Count) != want.count {
				c.t.Errorf("%s: stored are %q and %s, entered were %q and %s", r.Unit, words, full.Answers.Count, entered, want.count)
			}
			if (full.Answers.Photo != "") != (want.photo != "") {
				c.t.Errorf("%s: the photo is %q, the ledger has %q", r.Unit, full.Answers.Photo, want.photo)
			}
			if want.photo != "" {
				var photo []byte
				c.do("GET", "/api/v1/responses/"+r.ID+"/attachments/"+full.Answers.Photo, nil, &photo)
				if sum := sha256.Sum256(photo); hex.EncodeToString(sum[:]) != want.photo {
					c.t.Errorf("%s: the photo was altered", r.Unit)
				}
			}
		}
		if after = page.Next; !page.More || after == "" {
			break
		}
	}
	for unit := range ledger {
		if found[unit] != 1 {
			c.t.Errorf("%s is stored %d times", unit, found[unit])
		}
	}
	if len(found) != len(ledger) {
		c.t.Errorf("%d units are stored, entered were %d", len(found), len(ledger))
	}
}
