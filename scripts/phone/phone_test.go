// Package phone measures what an observer waits for on a cheap phone with a slow
// network: until a form can be used, and from a tap until the screen shows it.
// scripts/phone-figures builds and starts the server and runs it.
package phone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/khaosat/khaosat/app/web/browsertest"
)

// password is that of the demonstration's accounts.
const password = "khaosat-demo"

const sessionCookie = "khaosat_session"

// api is a person's way to the server's API.
type api struct{ url, token string }

func signIn(url, name string) (*api, error) {
	a := &api{url: url}
	var answer struct {
		Token string `json:"token"`
	}
	err := a.do("POST", "/api/v1/sign-in", map[string]string{"name": name, "password": password}, &answer)
	a.token = answer.Token
	return a, err
}

func (a *api) do(method, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, a.url+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, b)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(b, answer)
}

// prepare publishes a form of 60 items, opens a round with it and with the
// form of regular meetings, and assigns both to the demonstration's observer.
// It gives the paths of the two forms: the published one and the long one.
func prepare(url string) (regular, long string, err error) {
	admin, err := signIn(url, "admin")
	if err != nil {
		return "", "", err
	}
	const template = "LONG-60"
	if err := admin.do("GET", "/api/v1/rounds/figures", nil, nil); err != nil {
		if err := admin.do("POST", "/api/v1/templates", longForm(template), nil); err != nil {
			return "", "", err
		}
		if err := admin.do("POST", "/api/v1/templates/"+template+"/versions/1/publish", nil, nil); err != nil {
			return "", "", err
		}
		now := time.Now()
		round := map[string]any{"title": text("Đợt đo", "Figures"), "scope": map[string]any{}, "zone": "Asia/Ho_Chi_Minh", "periods": "once",
			"opens": now.AddDate(0, 0, -1).Format(time.DateOnly), "closes": now.AddDate(0, 1, 0).Format(time.DateOnly),
			"templates": []any{map[string]any{"code": "SHCB-TK", "versions": []int{1}}, map[string]any{"code": template, "versions": []int{1}}}}
		if err := admin.do("PUT", "/api/v1/rounds/figures", round, nil); err != nil {
			return "", "", err
		}
		var visits []map[string]string
		for _, t := range []string{"SHCB-TK", template} {
			visits = append(visits, map[string]string{"template": t, "period": "", "unit": "C000003", "role": "observer", "observer": "observer"})
		}
		if err := admin.do("POST", "/api/v1/rounds/figures/assignments", map[string]any{"assignments": visits}, nil); err != nil {
			return "", "", err
		}
	}
	observer, err := signIn(url, "observer")
	if err != nil {
		return "", "", err
	}
	var bundle struct {
		Visits []struct{ Key, Template, Round string }
	}
	if err := observer.do("GET", "/api/v1/phone", nil, &bundle); err != nil {
		return "", "", err
	}
	for _, v := range bundle.Visits {
		switch {
		case v.Round != "figures":
		case v.Template == template:
			long = "/visits/" + v.Key
		default:
			regular = "/visits/" + v.Key
		}
	}
	if regular == "" || long == "" {
		return "", "", fmt.Errorf("the observer's visits are not there")
	}
	return regular, long, nil
}

func text(vi, en string) map[string]string { return map[string]string{"vi": vi, "en": en} }

// longForm has 60 items that can be answered, of the kinds that forms have most:
// ratings with anchors, numbers, choices, and a dozen computed from them.
func longForm(code string) map[string]any {
	item := func(name, kind, label string, more map[string]any) map[string]any {
		out := map[string]any{"name": name, "kind": kind, "label": text(label, label)}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	sections := []any{}
	sum := "0"
	for s := range 6 {
		items := []any{}
		for i := range 2 {
			name := fmt.Sprintf("number_%d_%d", s, i)
			items = append(items, item(name, "integer", "Number of members present", map[string]any{
				"constraint": ". >= 0 and . <= 500", "constraint_message": text("Từ 0 đến 500.", "From 0 to 500.")}))
			sum += " + coalesce(${" + name + "}, 0)"
		}
		items = append(items, item(fmt.Sprintf("sum_%d", s), "calculate", "So far", map[string]any{"calculation": sum}))
		for i := range 6 {
			items = append(items, item(fmt.Sprintf("rating_%d_%d", s, i), "select_one", "How was the discussion led, and did all who wanted to speak have their turn?", map[string]any{"list": "levels"}))
		}
		items = append(items, item(fmt.Sprintf("yes_%d", s), "select_one", "Was a decision taken?", map[string]any{"list": "yes_no"}),
			item(fmt.Sprintf("what_%d", s), "text", "Which one?", map[string]any{"relevant": fmt.Sprintf("${yes_%d} = 'yes'", s)}))
		sections = append(sections, item(fmt.Sprintf("part_%d", s), "group", fmt.Sprintf("Part %d", s+1), map[string]any{"items": items}))
	}
	choice := func(name, vi, en string) map[string]any { return map[string]any{"name": name, "label": text(vi, en)} }
	return map[string]any{"code": code, "version": 1, "title": text("Phiếu 60 mục", "A form of 60 items"), "languages": []string{"vi", "en"}, "items": sections,
		"lists": []any{
			map[string]any{"name": "levels", "choices": []any{choice("a", "Rất tốt", "Very well"), choice("b", "Tốt", "Well"), choice("c", "Chưa tốt", "Not well"), choice("d", "Kém", "Badly")}},
			map[string]any{"name": "yes_no", "choices": []any{choice("yes", "Có", "Yes"), choice("no", "Không", "No")}},
		}}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func percentile(of []float64, p float64) float64 {
	slices.Sort(of)
	return of[min(len(of)-1, int(p*float64(len(of))))]
}

// session signs a browser in, as the page for it does.
func session(url, name string) (string, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequest("POST", url+"/sign-in", strings.NewReader(neturl.Values{"name": {name}, "password": {password}}.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", url)
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == sessionCookie {
			return c.Value, nil
		}
	}
	return "", fmt.Errorf("signing in as %s: %s", name, resp.Status)
}

// watch runs in every page from its beginning and keeps the milliseconds from the
// start of the navigation until a form has been painted and can be pressed.
const watch = `(function look() {
	if (document.querySelector(".q-form .q input, .q-form .q select, .q-form .q textarea")) requestAnimationFrame(() => setTimeout(() => { window.usableAt = performance.now(); }));
	else requestAnimationFrame(look);
})()`

// usable gives what watch has kept.
const usable = `new Promise((done) => (function look() { window.usableAt ? done(usableAt) : setTimeout(look, 100); })())`

// slow makes a page's processor four times slower, and its network what the
// browser's tools call slow 4G: 562 ms a request, 1.44 Mbit/s down.
func slow(p *browsertest.Page) {
	p.Do(browsertest.Command(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4}),
		browsertest.Command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 562.5, DownloadThroughput: 1.44e6 / 8, UploadThroughput: 675e3 / 8}}}))
}

// pause is how long a quick person takes from one tap to the next.
const pause = `new Promise((done) => setTimeout(done, 250))`

// watchTaps keeps how long each press of a finger or a key took until the next
// paint, by the browser's own clock (Event Timing, in steps of 8 ms).
const watchTaps = `(() => {
	window.taps = new Map();
	new PerformanceObserver((list) => {
		for (const e of list.getEntries()) if (e.interactionId) taps.set(e.interactionId, Math.max(taps.get(e.interactionId) ?? 0, e.duration));
	}).observe({ type: "event", durationThreshold: 16, buffered: true });
})()`

// BenchmarkPhone prints its figures as metrics: milliseconds.
func BenchmarkPhone(b *testing.B) {
	addr := os.Getenv("KHAOSAT_FIGURES_ADDR")
	if addr == "" {
		b.Skip("KHAOSAT_FIGURES_ADDR is not set: scripts/phone-figures sets it")
	}
	url := "http://" + addr
	regular, long, err := prepare(url)
	if err != nil {
		b.Fatal(err)
	}
	session, err := session(url, "observer")
	if err != nil {
		b.Fatal(err)
	}
	browser := browsertest.Start(b, b.TempDir())
	open := func() *browsertest.Page {
		p := browser.Open(b, browsertest.Options{URL: url, Noisy: true, Cookies: map[string]string{sessionCookie: session}})
		p.Do(browsertest.Command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch}))
		return p
	}
	for _, form := range []struct{ name, path string }{{"regular", regular}, {"60", long}} {
		b.Run(form.name, func(b *testing.B) {
			var first, later []float64
			for range b.N {
				p := open()
				slow(p)
				var ms float64
				p.Goto(form.path)
				p.Eval(usable, &ms)
				first = append(first, ms)
				p.Wait(`navigator.serviceWorker.controller && khaosatPhone.lacking === 0`)
				p.Goto(form.path)
				p.Eval(usable, &ms)
				later = append(later, ms)
				p.Close() // nothing goes on beside the next
			}
			b.ReportMetric(median(first), "ms-first")
			b.ReportMetric(median(later), "ms-later")
			b.ReportMetric(0, "ns/op")
		})
	}
	b.Run("tap", func(b *testing.B) {
		p := open()
		defer p.Close()
		p.Goto("/visits")
		p.Wait(`navigator.serviceWorker.controller && khaosatPhone.lacking === 0`)
		p.Eval(`(() => { khaosatPhone.bundle.person.display = { form: "whole" }; return khaosatPhone.go(`+strconv.Quote(long)+`); })()`, nil)
		p.Eval(usable, nil)
		p.Eval(watchTaps, nil)
		slow(p)
		var taps int
		p.Eval(`document.querySelectorAll(".q-form input[type=radio]").length`, &taps)
		for i := range b.N {
			// Each tap changes an answer, and so whatever depends on it.
			p.Eval(fmt.Sprintf(`document.querySelectorAll(".q-form input[type=radio]")[%d].scrollIntoView({ block: "center", behavior: "instant" })`, i*5%taps), nil)
			var at struct{ X, Y float64 }
			p.Eval(fmt.Sprintf(`(() => { const r = document.querySelectorAll(".q-form input[type=radio]")[%d].closest("label").getBoundingClientRect(); return { X: r.x + r.width / 2, Y: r.y + r.height / 2 }; })()`, i*5%taps), &at)
			p.Do(chromedp.MouseClickXY(at.X, at.Y))
			p.Eval(pause, nil)
		}
		for i := range 12 {
			p.Eval(fmt.Sprintf(`document.querySelectorAll(".q-form input[type=text], .q-form input[type=number], .q-form input[inputmode]")[%d].focus()`, i), nil)
			p.Do(chromedp.KeyEvent("1"))
			p.Eval(pause, nil)
			p.Do(chromedp.KeyEvent("2"))
			p.Eval(pause, nil)
		}
		var ms []float64
		p.Eval(`new Promise((done) => setTimeout(() => done([...taps.values()]), 300))`, &ms)
		if len(ms) < b.N {
			b.Fatalf("%d interactions were timed, %d were made", len(ms), b.N+24)
		}
		b.ReportMetric(median(ms), "ms-median")
		b.ReportMetric(percentile(ms, 0.95), "ms-p95")
		b.ReportMetric(slices.Max(ms), "ms-max")
		b.ReportMetric(0, "ns/op")
	})
}
