package web

import (
	"os"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/web/browsertest"
)

// axe gives the rules of accessibility as a script: KHAOSAT_AXE is the path of
// axe.min.js of the npm package axe-core.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("KHAOSAT_AXE")
	if path == "" {
		if os.Getenv("KHAOSAT_CI") == "1" {
			t.Fatal("KHAOSAT_AXE is not set")
		}
		t.Skip("KHAOSAT_AXE is not set: it is the path of axe.min.js of the npm package axe-core")
	}
	b, err := os.ReadFile(path)
	ok(t, err)
	return string(b)
}

func TestNoPageBreaksARuleOfAccessibility(t *testing.T) {
	rules := axe(t)
	d := newDay(t, 2)
	check := func(p *browsertest.Page, name string) {
		t.Helper()
		p.Eval("(() => {"+rules+"; return 1; })()", nil)
		var found []string
		p.Eval(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ")).join("; ")))`, &found)
		if len(found) > 0 {
			t.Errorf("%s:\n%s", name, strings.Join(found, "\n"))
		}
	}
	phone := d.phone(browsertest.Shared(t), browsertest.Options{})
	check(phone, "visits")
	d.open(phone, d.units[0])
	check(phone, "the first section of a form")
	phone.Eval(`khaosatPhone.form.show(4)`, nil)
	check(phone, "a section with rubrics")
	phone.Eval(`khaosatPhone.form.showMissing()`, nil)
	check(phone, "what is missing")
	phone.Goto("/guide")
	check(phone, "guide")
	desk := d.editorOf(t, "SHCB-TK", browsertest.Options{Width: 1280, Height: 900})
	check(desk, "editor")
	desk.Eval(`document.querySelector("#tab-scoring").click()`, nil)
	check(desk, "editor, scoring")
	response := strings.TrimPrefix(d.responseAbout(d.rated(true)[0]), "/api/v1/responses/")
	for _, path := range []string{"/", "/templates", "/templates/SHCB-TK", "/new-template", "/template-import", "/rounds/demo-2018", "/rounds/demo-2018/analysis",
		"/rounds/demo-2018/quality", "/rounds/demo-2018/files", "/rounds/demo-2018/slips?under=S0001", "/rounds/demo-2018/coverage", "/rounds/demo-2018/assignments", "/review", "/review/" + response, "/audit", "/people", "/people/all.observer", "/account", "/api"} {
		desk.Goto(path)
		check(desk, path)
	}
}
