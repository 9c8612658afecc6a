package web

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

// editorOf opens the editor on a draft of a template, signed in as an admin.
func (r *rig) editorOf(t *testing.T, code survey.TemplateCode, o browsertest.Options) *browsertest.Page {
	t.Helper()
	_, err := r.svc.BeginDraft(t.Context(), service.Operator(), code, "", nil)
	ok(t, err)
	o.URL, o.Cookies = r.url, map[string]string{sessionCookie: r.sessionOf(t, "all.admin"), languageCookie: "en"}
	p := browsertest.Shared(t).Open(t, o)
	p.Goto("/templates/" + string(code) + "/edit")
	p.Wait(`document.querySelectorAll("#outline .line").length > 3 && document.querySelector("#problem-count").textContent`)
	return p
}

// sessionOf signs an account in and gives the secret of its session.
func (r *rig) sessionOf(t *testing.T, name string) string {
	t.Helper()
	const password = "a long password"
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), name, password))
	secret, _, err := r.svc.SignIn(context.Background(), name, password, "", survey.TokenSession)
	ok(t, err)
	return secret
}

func (r *rig) draft(t *testing.T, code survey.TemplateCode) *survey.Template {
	t.Helper()
	d, err := r.svc.Template(t.Context(), service.Operator(), code, 0)
	ok(t, err)
	return d
}

func TestAnAdminEditsATemplateInTheBrowser(t *testing.T) {
	r := newRig(t)
	p := r.editorOf(t, "SHCB-TK", browsertest.Options{Width: 1280, Height: 900})
	p.Screenshot("editor-1280")
	saved := func() { t.Helper(); p.Wait(`document.querySelector("#saved").textContent.startsWith("Saved")`) }

	// A new item behind the first, with a mistake that is told beside the field
	// while one types, and is gone when it is mended.
	p.Eval(`document.querySelector("#outline .line").click()`, nil)
	p.Tap("#add")
	name := `[...document.querySelectorAll("#panel .field")].find(f => f.querySelector("label").textContent === "Name").querySelector("input")`
	set := func(input, value string) {
		t.Helper()
		p.Eval(`(() => { const i = `+input+`; i.value = `+quote(value)+`; i.dispatchEvent(new Event("input", {bubbles: true})); i.dispatchEvent(new Event("change", {bubbles: true})); })()`, nil)
	}
	set(name, "A1")
	p.Wait(`document.querySelector("#panel .field-problems .problem")?.textContent`)
	p.Wait(`document.querySelector("#outline .line[aria-selected=true]").classList.contains("wrong")`)
	p.Screenshot("editor-problem-1280")
	set(name, "tea")
	set(`document.querySelector("#panel .texts input[lang=vi]")`, "Có trà không?")
	set(`document.querySelector("#panel .texts input[lang=en]")`, "Was there tea?")
	p.Wait(`document.querySelector("#problem-count").textContent === "Nothing is wrong."`)
	saved()
	if it := r.draft(t, "SHCB-TK").Item("tea"); it == nil || it.Label["vi"] != "Có trà không?" {
		t.Fatalf("the draft has %+v", it)
	}

	// A condition from pickers is an expression.
	p.Eval(`[...document.querySelectorAll("#panel details")].find(d => d.querySelector(".condition")).open = true`, nil)
	p.Eval(`document.querySelector("#panel .condition .terms button").click()`, nil)
	set(`document.querySelectorAll("#panel .condition .term select")[0]`, "present")
	set(`document.querySelectorAll("#panel .condition .term select")[1]`, "<")
	set(`document.querySelector("#panel .condition .term input")`, "10")
	var expression string
	p.Eval(`document.querySelector("#panel .condition .expression").value`, &expression)
	if expression != "${present} < 10" {
		t.Errorf("the condition is %q", expression)
	}
	p.Wait(`document.querySelector("#saved").textContent.startsWith("Saved")`)
	if it := r.draft(t, "SHCB-TK").Item("tea"); it.Relevant != expression {
		t.Errorf("the draft asks when %q", it.Relevant)
	}

	// What was done is undone and done again; the keyboard moves items.
	p.Tap("#undo")
	p.Tap("#redo")
	p.Eval(`document.querySelector("#outline .line[aria-selected=true]").focus()`, nil)
	order := func() (out string) {
		p.Eval(`[...document.querySelectorAll("#outline .line code")].slice(0, 4).map(c => c.textContent).join()`, &out)
		return out
	}
	before := order()
	p.Eval(`document.querySelector("#outline .line[aria-selected=true]").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp", altKey: true, bubbles: true}))`, nil)
	if after := order(); after == before {
		t.Errorf("the item did not move: %s", after)
	}
	saved()

	// A test case is kept from the preview and run when the template is published.
	p.Eval(`document.querySelector("#preview .p-choice input").click()`, nil)
	p.Wait(`document.querySelector("#preview .score h3")`)
	p.Eval(`document.querySelector("#preview .score > button").click()`, nil)
	p.Wait(`document.querySelector("#panel .right")`)
	p.Screenshot("editor-cases-1280")
	saved()
	if n := len(r.draft(t, "SHCB-TK").Cases); n != 1 {
		t.Errorf("%d cases are kept, want 1", n)
	}
	p.Eval(`document.querySelector("#tab-scoring").click()`, nil)
	p.Screenshot("editor-scoring-1280")
	p.Tap("#publish")
	p.Wait(`document.querySelector("form[action$='/edit']")`)
	if d := r.draft(t, "SHCB-TK"); d.State != survey.Published || d.Version != 2 {
		t.Errorf("it is %s, version %d", d.State, d.Version)
	}
}

// Two admins at one draft are told about each other, and neither's work is lost.
func TestTwoAdminsAtOneDraft(t *testing.T) {
	r := newRig(t)
	p := r.editorOf(t, "SHCB-TK", browsertest.Options{Width: 360, Height: 800, Noisy: true}) // the console tells of the 412
	p.Screenshot("editor-360")
	other := r.draft(t, "SHCB-TK")
	other.Label = "theirs"
	_, err := r.svc.SaveDraft(t.Context(), service.Caller{Person: r.people["all.admin"], Language: "en"}, other)
	ok(t, err)
	p.Eval(`document.querySelector("#tab-settings").click()`, nil)
	p.Eval(`(() => { const i = document.querySelector("#panel .texts input[lang=en]"); i.value = "Mine"; i.dispatchEvent(new Event("input", {bubbles: true})); })()`, nil)
	p.Wait(`document.querySelector("#notices [data-kind=overtaken]")`)
	p.Screenshot("editor-overtaken-360")
	if d := r.draft(t, "SHCB-TK"); d.Label != "theirs" || d.Title["en"] == "Mine" {
		t.Errorf("theirs was overwritten: %q %q", d.Label, d.Title["en"])
	}
	p.Eval(`document.querySelectorAll("#notices [data-kind=overtaken] button")[2].click()`, nil) // mine over theirs
	p.Wait(`document.querySelector("#saved").textContent.startsWith("Saved")`)
	if d := r.draft(t, "SHCB-TK"); d.Title["en"] != "Mine" {
		t.Errorf("mine was not saved: %q", d.Title["en"])
	}
}

// What could not be sent is still there when the page is opened again.
func TestADraftSurvivesALostNetwork(t *testing.T) {
	r := newRig(t)
	p := r.editorOf(t, "SHCB-TK", browsertest.Options{Width: 1280, Height: 900, Noisy: true})
	p.Offline(true)
	p.Eval(`document.querySelector("#tab-settings").click()`, nil)
	p.Eval(`(() => { const i = document.querySelector("#panel .texts input[lang=en]"); i.value = "Typed in a lift"; i.dispatchEvent(new Event("input", {bubbles: true})); })()`, nil)
	p.Wait(`document.querySelector("#notices [data-kind=offline]")`)
	p.Offline(false)
	p.Eval(`(() => { window.onbeforeunload = null; })()`, nil)
	p.Eval(`document.querySelector("#notices [data-kind=offline] button").click()`, nil)
	p.Wait(`document.querySelector("#saved").textContent.startsWith("Saved")`)
	if d := r.draft(t, "SHCB-TK"); d.Title["en"] != "Typed in a lift" {
		t.Errorf("the title is %q", d.Title["en"])
	}
}

// quote writes a text as JavaScript.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
