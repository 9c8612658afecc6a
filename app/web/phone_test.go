package web

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

// day is an observer's day: visits that are assigned, and a phone.
type day struct {
	*rig
	t     *testing.T
	units []survey.UnitCode
	who   string
	// session is that of all phones, once one has signed in.
	session string
}

// newDay assigns n visits to an observer.
func newDay(t *testing.T, n int) *day {
	t.Helper()
	d := &day{rig: newRig(t), t: t, who: "all.observer"}
	d.units = d.rated(false)[:n]
	var as []*survey.Assignment
	for _, u := range d.units {
		as = append(as, &survey.Assignment{VisitKey: survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: u, Role: survey.RoleSuperior}, Observer: d.people[d.who].ID})
	}
	ok(t, d.svc.Assign(context.Background(), service.Operator(), as))
	return d
}

// phone opens the list of visits on a phone that is signed in, and waits until
// it would also work without a network.
func (d *day) phone(b *browsertest.Browser, o browsertest.Options) *browsertest.Page {
	d.t.Helper()
	if d.session == "" {
		d.session = d.sessionOf(d.t, d.who)
	}
	o.URL, o.Cookies = d.url, map[string]string{sessionCookie: d.session, languageCookie: "en"}
	p := b.Open(d.t, o)
	p.Goto("/visits")
	p.Wait(`document.querySelectorAll(".visit").length === ` + fmt.Sprint(len(d.units)))
	p.Wait(`navigator.serviceWorker.controller && khaosatPhone.lacking === 0`)
	return p
}

// open opens the form of a visit on the phone.
func (d *day) open(p *browsertest.Page, unit survey.UnitCode) {
	d.t.Helper()
	p.Eval(`khaosatPhone.go("/visits/" + khaosatPhone.bundle.visits.find(v => v.unit === `+quote(string(unit))+`).key)`, nil)
	t0 := time.Now()
	for time.Since(t0) < 20*time.Second {
		var is bool
		if p.Eval(`Boolean(document.querySelector(".q-form"))`, &is); is {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.t.Fatalf("the form did not open: %s %v", p.Text("#phone"), p.Errors())
}

// answer fills in everything but the item that is left out, as taps would.
func (d *day) answer(p *browsertest.Page, unit survey.UnitCode, leave string) {
	d.t.Helper()
	answers := answersOf(d.form(unit, survey.RoleSuperior))
	delete(answers, leave)
	b, err := json.Marshal(answers)
	ok(d.t, err)
	p.Eval(`(async () => { const f = khaosatPhone.form; for (const [name, value] of Object.entries(`+string(b)+`)) { if (f.engine.get(name)?.kind === "calculate") continue; f.engine.set(name, value); await f.changed(name); } f.refreshAll(); })()`, nil)
}

// send presses Send and waits for what becomes of it.
func (d *day) send(p *browsertest.Page, state string) {
	d.t.Helper()
	p.Eval(`(() => { const f = khaosatPhone.form; f.show(f.sections.length - 1); })()`, nil)
	p.Eval(`document.querySelector(".q-nav .primary").click()`, nil)
	p.Wait(`document.querySelector(".missing:not([hidden]) .problem, .visits")`)
	d.waitKept(p, `d.state === `+quote(state))
}

// waitKept waits until a draft on the phone is as the condition says, in
// JavaScript about d.
func (d *day) waitKept(p *browsertest.Page, condition string) {
	d.t.Helper()
	for range 600 {
		var is bool
		p.Eval(`(async () => { const s = await import("/static/phone-store.js"); return (await s.drafts(khaosatPhone.bundle.person.id)).some(d => `+condition+`); })()`, &is)
		if is {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.t.Fatalf("no draft is as %s", condition)
}

// stored gives the responses of the observer, and fails if a visit has two.
func (d *day) stored() map[survey.UnitCode]*survey.Response {
	d.t.Helper()
	out := map[survey.UnitCode]*survey.Response{}
	for change, err := range d.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Observer: d.people[d.who].ID}, "") {
		ok(d.t, err)
		if out[change.Doc.Unit] != nil {
			d.t.Errorf("two responses about %s", change.Doc.Unit)
		}
		out[change.Doc.Unit] = change.Doc
	}
	return out
}

// kept gives the bytes that the phone fixed for each unit.
func (d *day) kept(p *browsertest.Page) map[survey.UnitCode]string {
	d.t.Helper()
	var drafts []struct {
		Unit survey.UnitCode `json:"unit"`
		Body string          `json:"body"`
	}
	p.Eval(`(async () => { const s = await import("/static/phone-store.js"); return s.drafts(khaosatPhone.bundle.person.id); })()`, &drafts)
	out := map[survey.UnitCode]string{}
	for _, dr := range drafts {
		out[dr.Unit] = dr.Body
	}
	return out
}

func (d *day) sameBytes(p *browsertest.Page, want int) {
	d.t.Helper()
	stored := d.stored()
	if len(stored) != want {
		d.t.Errorf("%d responses are stored, want %d", len(stored), want)
	}
	for unit, body := range d.kept(p) {
		if body == "" {
			continue // not finished
		}
		if r := stored[unit]; r == nil || string(r.Raw) != body {
			d.t.Errorf("%s is not stored byte for byte", unit)
		}
	}
}

func TestAnObserversDay(t *testing.T) {
	d := newDay(t, 3)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	p.Screenshot("visits-360")

	// The whole form, without a network, with a mistake that is told.
	p.Offline(true)
	d.open(p, d.units[0])
	p.Screenshot("form-360")
	d.answer(p, d.units[0], "present")
	p.Eval(`khaosatPhone.form.showMissing()`, nil)
	p.Wait(`[...document.querySelectorAll(".missing li")].some(li => li.textContent.includes("Members present"))`)
	p.Screenshot("form-missing-360")
	p.Eval(`document.querySelector(".missing li button").click()`, nil)
	p.Eval(`khaosatPhone.form.show(4)`, nil)
	p.Screenshot("form-rubric-360")
	var present any = answersOf(d.form(d.units[0], survey.RoleSuperior))["present"]
	p.Eval(fmt.Sprintf(`(async () => { khaosatPhone.form.engine.set("present", %v); await khaosatPhone.form.changed("present"); khaosatPhone.form.refreshAll(); })()`, present), nil)
	d.send(p, "waiting")
	if n := len(d.stored()); n != 0 {
		t.Fatalf("%d are stored without a network", n)
	}
	p.Wait(`document.querySelector(".visit-waiting")`)
	p.Screenshot("visits-waiting-360")

	// The page is loaded anew without a network, and sends by itself when there is one.
	p.Goto("/visits")
	p.Wait(`document.querySelector(".visit-waiting")`)
	p.Offline(false)
	p.Eval(`dispatchEvent(new Event("online"))`, nil)
	p.Wait(`document.querySelector(".visit-sent")`)
	d.sameBytes(p, 1)
	p.Screenshot("visits-sent-360")

	// A form that is returned comes back with the reason, is mended and sent again.
	r := d.stored()[d.units[0]]
	_, err := d.svc.Review(t.Context(), service.Operator(), r.ID, r.Rev, service.Verdict{Decision: service.Return, Comment: "Số có mặt chưa khớp."})
	ok(t, err)
	p.Goto("/visits")
	p.Wait(`document.querySelector(".visit-returned")?.textContent.includes("Số có mặt")`)
	d.open(p, d.units[0])
	p.Wait(`document.querySelector(".note")?.textContent.includes("Số có mặt")`)
	p.Eval(`(async () => { const f = khaosatPhone.form; f.engine.set("strengths", [...(f.engine.draft().strengths ?? []), {strength_text: "Đã sửa."}]); await f.changed("strengths"); })()`, nil)
	d.send(p, "received")
	again := d.stored()[d.units[0]]
	if again.State != survey.StateSubmitted || len(again.Earlier) != 1 {
		t.Errorf("the mended form is %s with %d earlier revisions", again.State, len(again.Earlier))
	}
}

// Two tabs with one form keep each other's answers, and a browser that is killed
// while somebody types keeps what was typed.
func TestTwoTabsAndAKilledBrowser(t *testing.T) {
	d := newDay(t, 1)
	profile := t.TempDir()
	b := browsertest.Start(t, profile)
	one := d.phone(b, browsertest.Options{Noisy: true, SameProfile: true})
	d.open(one, d.units[0])
	two := b.Open(t, browsertest.Options{URL: d.url, Noisy: true, SameProfile: true})
	two.Goto("/visits")
	two.Wait(`globalThis.khaosatPhone?.lacking === 0`)
	d.open(two, d.units[0])
	set := func(p *browsertest.Page, name string, value int) {
		t.Helper()
		p.Eval(fmt.Sprintf(`(async () => { const f = khaosatPhone.form; f.engine.set(%q, %d); await f.changed(%q); })()`, name, value, name), nil)
	}
	set(one, "members_total", 40)
	set(two, "members_exempt", 3)
	one.Wait(`khaosatPhone.form.engine.get("members_exempt").value === 3`)
	two.Wait(`khaosatPhone.form.engine.get("members_total").value === 40`)
	two.Eval(`khaosatPhone.form.jump("members_special_duty")`, nil)
	two.Type(`[data-path="members_special_duty"] input`, "7")
	d.waitKept(two, `d.answers.members_special_duty === 7`)
	b.Kill()

	b = browsertest.Start(t, profile)
	p := b.Open(t, browsertest.Options{URL: d.url, Noisy: true, SameProfile: true})
	p.Goto("/visits")
	p.Wait(`document.querySelector(".visit-drafts")`)
	d.open(p, d.units[0])
	var got []any
	p.Eval(`["members_total", "members_exempt", "members_special_duty"].map(n => khaosatPhone.form.engine.get(n).value)`, &got)
	if fmt.Sprint(got) != "[40 3 7]" {
		t.Errorf("after the kill there is %v", got)
	}
}

// A session that ends keeps the queue and asks to sign in.
func TestASessionThatEndsKeepsTheQueue(t *testing.T) {
	d := newDay(t, 1)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	d.open(p, d.units[0])
	d.answer(p, d.units[0], "")
	ok(t, d.svc.ResetPassword(t.Context(), service.Operator(), d.who, "another long password")) // ends all sessions
	d.send(p, "waiting")
	p.Wait(`document.querySelector('a[href^="/sign-in"]')`)
	p.Screenshot("visits-signed-out-360")
	p.Cookie(sessionCookie, d.sessionOf(t, d.who))
	p.Goto("/visits")
	p.Wait(`document.querySelector(".visit-sent")`)
	d.sameBytes(p, 1)
}

// The first load of a form takes little of a slow network, and nothing from
// any other host. With KHAOSAT_PICTURES it also takes the guide's pictures.
func TestWhatAPhoneLoads(t *testing.T) {
	d := newDay(t, 4)
	b := browsertest.Shared(t)
	p := d.phone(b, browsertest.Options{Noisy: true})
	d.open(p, d.units[0])
	total, names := 0, []string{}
	for _, path := range append([]string{"/visits", "/worker.js", "/manifest.webmanifest", "/api/v1/phone", "/api/v1/templates/SHCB-TK/versions/1/form"}, staticPaths()...) {
		a := d.ask("GET", path, nil, d.as(d.who), header{"Accept-Encoding", "br"}).want(t, 200)
		total += len(a.body)
		names = append(names, fmt.Sprintf("%s %d", path, len(a.body)))
	}
	t.Logf("%d bytes: %v", total, names)
	if total > 100e3 {
		t.Errorf("the first load takes %d bytes, at most 100,000 are allowed", total)
	}
	var elsewhere []string
	p.Eval(`performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith("blob:"))`, &elsewhere)
	if len(elsewhere) > 0 {
		t.Errorf("asked of other hosts: %v", elsewhere)
	}
	d.answer(p, d.units[1], "")
	p.Eval(`khaosatPhone.go("/visits")`, nil)
	for _, lang := range []string{"vi", "en"} {
		p.Goto("/visits?lang=" + lang)
		p.Wait(`document.documentElement.lang === ` + quote(lang) + ` && document.querySelector(".visit-drafts")`)
		p.Screenshot("guide-visits-" + lang)
		d.open(p, d.units[0])
		p.Eval(`khaosatPhone.form.show(4)`, nil)
		p.Screenshot("guide-form-" + lang)
		p.Eval(`khaosatPhone.go("/visits")`, nil)
	}
}

func staticPaths() (out []string) {
	for _, name := range phoneFiles {
		out = append(out, "/static/"+name)
	}
	return out
}

// Photos go with their form, each once, whatever stands between the phone and
// the server; what is no receipt of the server's leaves them on the phone.
func TestPhotosAndAPortalThatAnswersForTheServer(t *testing.T) {
	d := newDay(t, 1)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	d.open(p, d.units[0])
	d.answer(p, d.units[0], "")
	p.Eval(`(async () => {
		const { takePhoto } = await import("/static/phone-photos.js");
		const canvas = new OffscreenCanvas(2400, 1800);
		const c = canvas.getContext("2d");
		for (let i = 0; i < 400; i++) { c.fillStyle = "hsl(" + i + " 80% 50%)"; c.fillRect((i * 37) % 2400, (i * 91) % 1800, 300, 200); }
		const file = new File([await canvas.convertToBlob({type: "image/png"})], "minutes.png", {type: "image/png"});
		const f = khaosatPhone.form;
		const name = await takePhoto(f.draft, "photo", file);
		f.engine.set("photo", name);
		await f.changed("photo");
		f.refreshAll();
		// A café's sign-in page answers everything with 200 and a page.
		const real = fetch;
		globalThis.portal = true;
		globalThis.fetch = (url, o) => globalThis.portal && o?.method === "PUT" ? Promise.resolve(new Response("<!doctype html><title>Wi-Fi</title>", {status: 200, headers: {"Content-Type": "text/html"}})) : real(url, o);
	})()`, nil)
	d.send(p, "waiting")
	d.waitKept(p, `d.attempts > 0`)
	// The form gets through, the photo does not yet.
	p.Eval(`(() => { const real = fetch; globalThis.portal = false; globalThis.fetch = (url, o) => String(url).includes("attachments") && o?.method === "PUT" && !globalThis.through ? Promise.resolve(new Response("<!doctype html>", {status: 200})) : real(url, o); })()`, nil)
	p.Eval(`khaosatPhone.sendQueue(true)`, nil)
	d.waitKept(p, `d.receipt && d.state === "waiting"`)
	p.Eval(`(globalThis.through = true, khaosatPhone.sendQueue(true))`, nil)
	d.waitKept(p, `d.state === "received"`)
	d.sameBytes(p, 1)
	r := d.stored()[d.units[0]]
	files, err := d.svc.Attachments(t.Context(), service.Operator(), r.ID)
	ok(t, err)
	if len(files.Items) != 1 || !files.Complete() {
		t.Fatalf("%d files are stored, complete %v", len(files.Items), files.Complete())
	}
	if size := files.Items[0].Size; size == 0 || size > 1<<20 {
		t.Errorf("the photo was not shrunk: %d bytes", size)
	}
}

// Thirty forms that waited go in one go, and the same file of them on another
// phone stores nothing twice.
func TestManyWaitingFormsFromTwoPhones(t *testing.T) {
	const n = 30
	d := newDay(t, n)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	p.Offline(true)
	for _, u := range d.units {
		d.open(p, u)
		d.answer(p, u, "")
		p.Eval(`(async () => { const f = khaosatPhone.form; await f.send(); })()`, nil)
	}
	var file string
	p.Eval(`(async () => { const s = await import("/static/phone-store.js"); return JSON.stringify({khaosat: "phone", version: 1, person: khaosatPhone.bundle.person.id, drafts: await s.drafts(khaosatPhone.bundle.person.id), photos: []}); })()`, &file)
	p.Offline(false)
	other := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	other.Eval(`khaosatPhone.importFile(new File([`+quote(file)+`], "a.khaosat"))`, nil)
	p.Eval(`khaosatPhone.sendQueue(true)`, nil)
	for _, phone := range []*browsertest.Page{p, other} {
		states := ""
		for range 120 {
			phone.Eval(`Object.entries(Object.groupBy(khaosatPhone.drafts, d => d.state)).map(([k, v]) => k + " " + v.length + " " + (v[0].problem || v[0].refused?.detail || "")).join()`, &states)
			if states == fmt.Sprintf("received %d ", n) {
				break
			}
			time.Sleep(time.Second)
		}
		if states != fmt.Sprintf("received %d ", n) {
			t.Fatalf("on a phone there are: %s", states)
		}
	}
	d.sameBytes(p, n)
}

// On a phone that two observers share each has an own list and an own queue, and
// a tab that is still open sends nothing in the name of who signed in meanwhile.
func TestTwoObserversOnOnePhone(t *testing.T) {
	d := newDay(t, 1)
	d.account(&survey.Person{Name: "second", Role: survey.Observer})
	unit := d.rated(false)[1]
	ok(t, d.svc.Assign(t.Context(), service.Operator(), []*survey.Assignment{{VisitKey: survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleSuperior}, Observer: d.people["second"].ID}}))
	b := browsertest.Start(t, t.TempDir())
	one := d.phone(b, browsertest.Options{Noisy: true, SameProfile: true})
	one.Offline(true)
	d.open(one, d.units[0])
	d.answer(one, d.units[0], "")
	d.send(one, "waiting")

	// The second observer signs in; the first one's tab finds the network again.
	one.Cookie(sessionCookie, d.sessionOf(t, "second"))
	one.Offline(false)
	one.Eval(`khaosatPhone.sendQueue(true)`, nil)
	// Whichever the tab notices first: that it may not send, or who is signed in.
	one.Wait(`khaosatPhone.bundle.person.name === "second" || khaosatPhone.drafts.some(d => d.problem === "signed-out")`)
	two := b.Open(t, browsertest.Options{URL: d.url, Noisy: true, SameProfile: true})
	two.Goto("/visits")
	two.Wait(`globalThis.khaosatPhone?.bundle?.person.name === "second" && khaosatPhone.lacking === 0`)
	two.Wait(`document.querySelectorAll(".visit").length === 1 && !document.querySelector(".visit-waiting")`)
	d.open(two, unit)
	d.answer(two, unit, "")
	d.send(two, "received")
	two.Wait(`khaosatPhone.drafts.every(d => d.state === "received")`)
	if n := len(d.stored()); n != 0 {
		t.Fatalf("%d forms of the first observer are stored before they signed in again", n)
	}
	one.Close()

	two.Cookie(sessionCookie, d.sessionOf(t, d.who))
	two.Goto("/visits")
	two.Wait(`globalThis.khaosatPhone?.bundle?.person.name === ` + quote(d.who) + ` && khaosatPhone.drafts.some(d => d.person === khaosatPhone.bundle.person.id && d.state === "received")`)
	d.sameBytes(two, 1)
	d.who = "second"
	if r := d.stored()[unit]; len(d.stored()) != 1 || r == nil {
		t.Errorf("the second observer's form is %+v", r)
	}
}

// The choices of an item may depend on an answer before it.
func TestChoicesOnAPhoneFollowWhatIsAnswered(t *testing.T) {
	d := newDay(t, 1)
	p := d.phone(browsertest.Shared(t), browsertest.Options{})
	var offered []string
	p.Eval(`(async () => {
		const { open } = await import("/static/engine.js");
		const { FormView } = await import("/static/phone-form.js");
		const list = (i, item) => ({ ...item, list: i });
		const form = {
			code: "T", version: 1, title: { en: "T" }, languages: ["en"], order: [0, 1], lists: [
				{ name: "p", choices: [{ name: "north", label: { en: "North" } }, { name: "south", label: { en: "South" } }] },
				{ name: "d", choices: [{ name: "a", label: { en: "A" }, columns: { p: "north" } }, { name: "b", label: { en: "B" }, columns: { p: "south" } }] }],
			items: [list(0, { name: "province", kind: "select_one", label: { en: "Province" } }), list(1, { name: "district", kind: "select_one", label: { en: "District" } })],
		};
		const engine = open(form, { lang: "en" });
		const choices = engine.get.bind(engine);
		// The filter itself is the engine's, which has its own tests.
		engine.get = (path) => { const is = choices(path); if (path === "district") is.choices = is.choices.filter((c) => choices("province").value === (c.name === "a" ? "north" : "south")); return is; };
		const view = new FormView({ say: (id) => id, lang: "en" }, { engine, draft: "x", title: "T", place: "T", whole: true, changed() {}, send() {}, back() {} });
		view.draw(document.getElementById("phone"));
		const names = () => [...document.querySelectorAll('[data-path="district"] .q-choice')].map((c) => c.textContent).join("");
		const out = [names()];
		for (const n of ["north", "south"]) { engine.set("province", n); view.refreshAll(); out.push(names()); }
		return out;
	})()`, &offered)
	if fmt.Sprint(offered) != "[ A B]" {
		t.Errorf("offered were %q", offered)
	}
}

// A photo that the server will never take is not sent for ever: the form is
// received, the person is told which and why, and decides.
func TestAPhotoThatTheServerRefuses(t *testing.T) {
	d := newDay(t, 1)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	d.open(p, d.units[0])
	d.answer(p, d.units[0], "")
	p.Eval(`(async () => {
		const store = await import("/static/phone-store.js");
		const f = khaosatPhone.form;
		const blob = new Blob(["no picture"], {type: "image/jpeg"});
		await store.keepPhoto({draft: f.draft, name: "photo-1.jpg", path: "photo", blob, type: blob.type, size: blob.size, sha256: await store.digest("other bytes", "base64"), taken: Date.now()}); // as if the phone's memory had lost some
		f.engine.set("photo", "photo-1.jpg");
		await f.changed("photo");
		f.refreshAll();
	})()`, nil)
	d.send(p, "refused")
	d.sameBytes(p, 1)
	d.waitKept(p, `d.receipt && d.refused.photos.length === 1 && d.refused.photos[0].detail`)
	p.Eval(`khaosatPhone.go("/visits/" + khaosatPhone.bundle.visits[0].key)`, nil)
	p.Wait(`document.querySelector(".card .problem")?.textContent.length > 10`)
	p.Screenshot("visits-photo-refused-360")
	p.Eval(`void (globalThis.confirm = () => true)`, nil)
	p.Tap(".actions button:not(.primary)")
	d.waitKept(p, `d.state === "received" && d.given_up.length === 1`)
	d.sameBytes(p, 1)
}

// What an observer changes about the plan: without a network it waits on the
// phone, and what the server does not take is told.
func TestThePlanIsChangedOnAPhone(t *testing.T) {
	ctx := context.Background()
	d := newDay(t, 3)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	p.Eval(`document.querySelector("details.phone-more summary").click()`, nil)
	p.Wait(`document.querySelector(".plan select[name=visit]")`)
	p.Screenshot("plan-360")
	round, err := d.svc.Store().Round(ctx, "demo-2018")
	ok(t, err)
	last := round.Closes
	put := func(unit survey.UnitCode, what, due, reason string) {
		p.Eval(`(() => {
			const f = document.querySelector(".plan form");
			f.visit.value = khaosatPhone.bundle.visits.find(v => v.unit === `+quote(string(unit))+`).key;
			f.what.value = `+quote(what)+`;
			f.what.dispatchEvent(new Event("change"));
			f.due.value = `+quote(due)+`;
			f.reason.value = `+quote(reason)+`;
			f.requestSubmit();
		})()`, nil)
	}
	status := func(unit survey.UnitCode) survey.Assignment {
		t.Helper()
		a, err := d.svc.Store().AssignmentFor(ctx, survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleSuperior})
		ok(t, err)
		return *a
	}
	p.Offline(true)
	put(d.units[0], "postpone", last.String(), "Bí thư đi công tác")
	put(d.units[1], "cancel", "", "Không đủ người")
	p.Wait(`document.querySelector(".visits").textContent.includes("Put off to ` + last.Time().Format("02/01/2006") + `, not sent yet") && document.querySelector(".visits").textContent.includes("Does not take place, not sent yet")`)
	p.Goto("/visits") // it is on the phone, not in the page
	p.Wait(`document.querySelector(".visits")?.textContent.includes("Does not take place, not sent yet")`)
	if a := status(d.units[0]); a.Status != survey.AssignmentPlanned {
		t.Fatalf("it is %s without a network", a.Status.Word())
	}
	p.Offline(false)
	p.Eval(`dispatchEvent(new Event("online"))`, nil)
	p.Wait(`document.querySelector("#part-cancelled") && !document.querySelector(".visits").textContent.includes("not sent yet")`)
	if a := status(d.units[0]); a.Status != survey.AssignmentPostponed || a.Due != last || a.Reason != "Bí thư đi công tác" {
		t.Errorf("the first is %s, due %s, for %q", a.Status.Word(), a.Due, a.Reason)
	}
	if a := status(d.units[1]); a.Status != survey.AssignmentCancelled || len(a.Events) != 2 {
		t.Errorf("the second is %s after %d events", a.Status.Word(), len(a.Events))
	}

	// A day outside of the round.
	p.Eval(`document.querySelector("details.phone-more summary").click()`, nil)
	p.Wait(`document.querySelector(".plan select[name=visit]")`)
	p.Eval(`document.querySelector(".plan form").noValidate = true`, nil)
	put(d.units[2], "postpone", "2030-01-01", "sau")
	p.Wait(`[...document.querySelectorAll(".visits .problem")].some(e => e.textContent.includes("outside of the round"))`)
	p.Screenshot("plan-refused-360")

	// A second form for the same meeting.
	p.Eval(`(() => {
		const f = document.querySelector(".plan form:last-of-type");
		f.form.value = JSON.stringify(["demo-2018", "SHCB-CD"]);
		f.form.dispatchEvent(new Event("change"));
		f.unit.value = `+quote(string(d.units[2]))+`;
		f.requestSubmit();
	})()`, nil)
	p.Wait(`document.querySelector(".q-form")`)
	var template string
	p.Eval(`khaosatPhone.bundle.visits.find(v => location.pathname.endsWith(v.key)).template`, &template)
	if template != "SHCB-CD" {
		t.Errorf("the form that opens is %s", template)
	}
}

// A secretary gives the unit's own scores without an assignment: on the phone,
// without a network meanwhile, and as a plain page.
func TestARespondentsDay(t *testing.T) {
	r := newRig(t)
	unit := r.rated(false)[0]
	r.account(&survey.Person{Name: "secretary", Role: survey.Respondent, Scope: unit})
	session := r.sessionOf(t, "secretary")
	p := browsertest.Shared(t).Open(t, browsertest.Options{Noisy: true, URL: r.url, Cookies: map[string]string{sessionCookie: session, languageCookie: "en"}})
	p.Goto("/visits")
	p.Wait(`document.querySelector(".visit") && navigator.serviceWorker.controller && khaosatPhone.lacking === 0`)
	p.Screenshot("respondent-360")
	var own []struct{ Key, Template, Role string }
	p.Eval(`khaosatPhone.bundle.visits.map(v => ({Key: v.key, Template: v.template, Role: v.role}))`, &own)
	if len(own) < 2 {
		t.Fatalf("the forms about the own unit are %+v", own)
	}
	p.Offline(true)
	answers, err := json.Marshal(answersOf(r.form(unit, survey.RoleMembers)))
	ok(t, err)
	p.Eval(`khaosatPhone.go("/visits/" + encodeURIComponent(khaosatPhone.bundle.visits.find(v => v.template === "SHCB-TK" && v.role === "members").key))`, nil)
	p.Wait(`document.querySelector(".q-form")`)
	p.Eval(`(async () => { const f = khaosatPhone.form; for (const [name, value] of Object.entries(`+string(answers)+`)) { if (f.engine.get(name)?.kind === "calculate") continue; f.engine.set(name, value); await f.changed(name); } f.refreshAll(); f.show(f.sections.length - 1); })()`, nil)
	p.Eval(`document.querySelector(".q-nav .primary").click()`, nil)
	p.Wait(`document.querySelector(".visit-waiting")`)
	p.Offline(false)
	p.Eval(`dispatchEvent(new Event("online"))`, nil)
	p.Wait(`document.querySelector(".visit-sent") && !document.querySelector(".visit-waiting")`)
	stored := 0
	for change, err := range r.svc.Store().ResponsesSince(t.Context(), survey.ResponseFilter{Unit: unit, Role: survey.RoleMembers}, "") {
		ok(t, err)
		stored++
		if change.Doc.Observer != r.people["secretary"].ID || change.Doc.State != survey.StateSubmitted {
			t.Errorf("it is %s's, %s", change.Doc.Observer, change.Doc.State)
		}
	}
	if stored != 1 {
		t.Errorf("%d are stored", stored)
	}

	// Without JavaScript.
	headers := []header{{"Cookie", sessionCookie + "=" + session}, {"Accept", "text/html"}, {"Accept-Language", "en"}}
	list := string(r.ask("GET", "/visits/list", nil, headers...).want(t, 200).body)
	for _, v := range own {
		path := "/visits/" + v.Key + "/plain"
		if !strings.Contains(list, `href="`+path) {
			t.Errorf("%s is not on the list", path)
		}
		r.ask("GET", path, nil, headers...).want(t, 200)
	}
	r.ask("GET", "/visits/"+strings.Replace(own[0].Key, string(unit), string(r.rated(false)[1]), 1)+"/plain", nil, headers...).want(t, 404)
}

// A phone that cannot send writes a file, photos included; an admin reads it, and
// whatever comes later of the same forms is no second response.
func TestAPhonesFileIsReadByAnAdmin(t *testing.T) {
	d := newDay(t, 2)
	p := d.phone(browsertest.Shared(t), browsertest.Options{Noisy: true})
	p.Offline(true)
	d.open(p, d.units[0])
	d.answer(p, d.units[0], "")
	p.Eval(`(async () => {
		const { takePhoto } = await import("/static/phone-photos.js");
		const canvas = new OffscreenCanvas(60, 40);
		canvas.getContext("2d").fillRect(5, 5, 20, 20);
		const f = khaosatPhone.form;
		const name = await takePhoto(f.draft, "photo", new File([await canvas.convertToBlob({type: "image/png"})], "minutes.png", {type: "image/png"}));
		f.engine.set("photo", name);
		await f.changed("photo");
		f.refreshAll();
	})()`, nil)
	d.send(p, "waiting")
	d.open(p, d.units[1]) // begun, and not finished
	d.answer(p, d.units[1], "present")
	p.Eval(`khaosatPhone.go("/visits")`, nil)
	var file string
	p.Eval(`(async () => {
		let blob;
		const real = URL.createObjectURL;
		URL.createObjectURL = (b) => { blob = b; return real.call(URL, b); };
		await khaosatPhone.exportFile();
		URL.createObjectURL = real;
		return blob.text();
	})()`, &file)

	admin := browsertest.Shared(t).Open(t, browsertest.Options{Noisy: true, URL: d.url, Cookies: map[string]string{sessionCookie: d.sessionOf(t, "all.admin"), languageCookie: "en"}})
	admin.Goto("/people/phone-file")
	read := func(content string) {
		admin.Eval(`(() => {
			const box = new DataTransfer();
			box.items.add(new File([`+quote(content)+`], "a.khaosat"));
			document.querySelector("#file").files = box.files;
		})()`, nil)
		admin.Tap(`form[action="/people/phone-file"] button`)
	}
	read("no such file")
	admin.Wait(`document.querySelector(".problem[role=alert]")`)
	read(file)
	admin.Wait(`document.querySelectorAll("ul.cards li").length === 2`)
	admin.Screenshot("phone-file-360")
	if text := admin.Text("ul.cards"); !strings.Contains(text, "Not finished") {
		t.Errorf("nothing is said of the form that is not finished: %s", text)
	}
	stored := d.stored()
	r := stored[d.units[0]]
	if len(stored) != 1 || r == nil || r.Observer != d.people[d.who].ID || r.State != survey.StateSubmitted {
		t.Fatalf("%d are stored: %+v", len(stored), r)
	}
	d.sameBytes(p, 1)
	files, err := d.svc.Attachments(t.Context(), service.Operator(), r.ID)
	ok(t, err)
	if len(files.Items) != 1 || !files.Complete() {
		t.Errorf("%d files are stored, complete %v", len(files.Items), files.Complete())
	}
	read(file)
	admin.Wait(`[...document.querySelectorAll("ul.cards li")].some(li => li.textContent.includes("has this form already"))`)
	p.Offline(false)
	p.Eval(`dispatchEvent(new Event("online"))`, nil)
	d.waitKept(p, `d.state === "received"`)
	d.sameBytes(p, 1)
}
