package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

// The pages of review in the states that are rare: they fit a phone and a desktop,
// and break no rule of accessibility. With KHAOSAT_PICTURES they leave pictures.
func TestThePagesOfReviewFitTheirScreens(t *testing.T) {
	rules := axe(t)
	r := newRig(t)
	p := newPhone(t, r)
	held := survey.NewID()
	p.send(theForm(strings.Replace(p.xml(held, nil, ""), `version="1"`, `version="99"`, 1))).told(t, 201)
	unit, lead := r.unpaired()
	form := r.asksFor(unit, survey.RoleSecond, "all.manager")
	for _, name := range []string{"A1", "C2", "D2"} {
		answersOf(form)[name] = lowest(t, r, name)
	}
	answersOf(form)["C2_note"], answersOf(form)["D2_note"] = "Căn cứ", "Căn cứ"
	second := newResponse()
	r.ask("PUT", second, form, r.as("all.manager")).want(t, 201)
	r.ask("POST", second+"/review", map[string]any{"decision": "return", "comment": "Xin xem lại", "items": map[string]string{"A1": "Ghi rõ giờ"}}, r.as("all.reviewer"), header{"If-Match", `"1"`}).want(t, 200)
	answersOf(form)["A1"] = lowest(t, r, "A1")
	answersOf(form)["E3"], answersOf(form)["E3_note"] = lowest(t, r, "E3"), "Căn cứ"
	r.ask("PUT", second, form, r.as("all.manager"), header{"If-Match", `"2"`}).want(t, 201)
	practice := url.Values{"practice:text": {"Chi bộ họp lúc 19 giờ 30, có 18 trên 20 đảng viên.\nBí thư chủ trì."}, "practice:exact": {"80"}, "practice:within": {"10"}, "practice:months": {"12"}, "do": {"save"}}
	enter(practice, "", answersOf(form))
	r.posts("/rounds/demo-2018/practice", r.as("all.manager"), practice).want(t, 303)

	cookies := map[string]string{sessionCookie: r.sessionOf(t, "all.admin"), languageCookie: "vi"}
	for _, screen := range []struct {
		name string
		o    browsertest.Options
	}{{"360", browsertest.Options{Width: 360, Height: 800}}, {"1280", browsertest.Options{Width: 1280, Height: 900, Dark: true}}} {
		screen.o.URL, screen.o.Cookies = r.url, cookies
		page := browsertest.Shared(t).Open(t, screen.o)
		for name, path := range map[string]string{
			"review-held": "/review/" + held, "review-list": "/review", "review-one": "/review/" + strings.TrimPrefix(second, "/api/v1/responses/"),
			"review-revisions": "/review/" + strings.TrimPrefix(second, "/api/v1/responses/") + "/revisions", "review-adjudicate": "/review/" + string(lead) + "/adjudicate",
			"audit": "/audit", "practice-case": "/rounds/demo-2018/practice", "practice": "/practice/demo-2018", "quality": "/rounds/demo-2018/quality",
		} {
			page.Goto(path)
			var title string
			page.Eval(`document.querySelector("h1").textContent`, &title)
			var wide int
			page.Eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`, &wide)
			if wide > 0 {
				t.Errorf("%s at %s (%s) is %d pixels too wide", name, screen.name, title, wide)
			}
			page.Screenshot(name + "-" + screen.name)
			if screen.o.Dark != (name == "review-held" || name == "audit") {
				continue // each page once
			}
			page.Eval("(() => {"+rules+"; return 1; })()", nil)
			var found []string
			page.Eval(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ")).join("; ")))`, &found)
			if len(found) > 0 {
				t.Errorf("%s at %s:\n%s", name, screen.name, strings.Join(found, "\n"))
			}
		}
	}
}
