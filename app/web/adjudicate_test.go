package web

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// unpaired finds a unit whose lead rating has no second and no assignment for one.
func (r *rig) unpaired() (survey.UnitCode, survey.ResponseID) {
	r.t.Helper()
	for _, unit := range r.rated(true) {
		visit := survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleSecond}
		if _, err := r.svc.Store().AssignmentFor(context.Background(), visit); err != nil {
			return unit, survey.ResponseID(strings.TrimPrefix(r.responseAbout(unit), "/api/v1/responses/"))
		}
	}
	r.t.Fatal("every unit is paired")
	return "", ""
}

// Two ratings that are far apart are decided by somebody else, place by place; the
// ruling is a response of its own and counts instead of the two.
func TestADisputeIsDecided(t *testing.T) {
	r := newRig(t)
	unit, lead := r.unpaired()
	html := header{"Accept", "text/html"}
	page := "/review/" + string(lead) + "/adjudicate"
	reviewer := r.as("part.reviewer")
	r.ask("GET", page, nil, reviewer, html).want(t, 409) // there is one rating only

	form := r.asksFor(unit, survey.RoleSecond, "all.manager")
	first := map[string]any{}
	for name, v := range answersOf(form) {
		first[name] = v
	}
	rubric := regexp.MustCompile(`^[A-Z]\d+$`)
	for name, v := range first {
		if _, ok := v.(string); ok && rubric.MatchString(name) {
			answersOf(form)[name] = lowest(t, r, name)
		}
	}
	for _, name := range []string{"C2_note", "D2_note", "E3_note"} { // who gives the least says why
		answersOf(form)[name] = "Căn cứ"
	}
	second := newResponse()
	r.ask("PUT", second, form, r.as("all.manager")).want(t, 201)
	r.ask("GET", page, nil, r.as("all.manager"), html).want(t, 403) // who gave one of the two
	r.ask("GET", "/review?needs=ruling&unit="+string(unit), nil, reviewer, html).want(t, 200).shows(t, string(lead))
	r.ask("GET", "/review/"+string(lead)+"?lang=en", nil, reviewer, html).want(t, 200).shows(t, page)
	shown := r.ask("GET", page+"?lang=en", nil, reviewer, html).want(t, 200)

	chosen := url.Values{"id": {survey.NewID()}, "rev": {"0"}}
	offered := regexp.MustCompile(`name="choose:([^"]+)" value="a"`).FindAllStringSubmatch(string(shown.body), -1)
	if len(offered) < 3 {
		t.Fatalf("only %d places are offered: %s", len(offered), clip(shown.body))
	}
	r.posts(page+"?lang=en", reviewer, chosen).want(t, 422).shows(t, "Nothing is chosen at")
	want := map[string]any{}
	n := 0
	for _, m := range offered {
		name := m[1]
		if !rubric.MatchString(name) {
			chosen.Set("choose:"+name, "b")
			continue
		}
		n++
		switch n {
		case 1:
			chosen.Set("choose:"+name, "b")
			want[name] = answersOf(form)[name]
		case 2:
			chosen.Set("choose:"+name, "own")
			chosen.Set(name, lowest(t, r, name))
			want[name] = lowest(t, r, name)
		default:
			chosen.Set("choose:"+name, "a")
			want[name] = first[name]
		}
	}
	r.posts(page+"?lang=en", reviewer, chosen).want(t, 422).shows(t, "Say why")
	chosen.Set("reason", "Biên bản cho thấy khác")
	before := r.undecidedMeetings(t)
	for range 2 { // a second press changes nothing
		r.posts(page, reviewer, chosen).want(t, 303)
	}
	made, err := r.svc.Store().Response(context.Background(), survey.ResponseID(chosen.Get("id")))
	ok(t, err)
	if made.Role != survey.RoleAdjudicator || made.Rev != 1 || made.Observer != r.people["part.reviewer"].ID || made.Unit != unit || made.Events[0].Detail["reason"] != "Biên bản cho thấy khác" {
		t.Errorf("the ruling is %+v", made)
	}
	for name, v := range want {
		if got, _ := made.Answers.Get(name); v != nil && got.Text != v {
			if text, isText := v.(string); isText {
				t.Errorf("%s is %q, want %q", name, got.Text, text)
			}
		}
	}
	if after := r.undecidedMeetings(t); after != before-1 {
		t.Errorf("%d meetings wait for a ruling, want one less than %d", after, before)
	}
	chosen.Set("id", survey.NewID())
	r.posts(page, reviewer, chosen).want(t, 409)
	r.ask("GET", "/review?needs=ruling&unit="+string(unit), nil, reviewer, html).want(t, 200).shows(t, `class="empty"`)
}

// lowest gives the choice of an item with the fewest points.
func lowest(t *testing.T, r *rig, item string) string {
	t.Helper()
	template, err := r.svc.Store().Template(context.Background(), "SHCB-TK", 1)
	ok(t, err)
	form, problems := survey.Compile(template, nil)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	slot, _ := form.Slot(item)
	list := form.List(slot)
	if list == nil {
		t.Fatalf("%s has no choices", item)
	}
	name, least := "", survey.Points(1<<40)
	for i := range list.Choices {
		if c := &list.Choices[i]; c.Means == "" && c.Points != nil && *c.Points < least {
			name, least = c.Name, *c.Points
		}
	}
	return name
}

// undecidedMeetings counts the meetings that the summary says are to be adjudicated.
func (r *rig) undecidedMeetings(t *testing.T) int {
	t.Helper()
	s := into[struct {
		Overall struct {
			ToAdjudicate int `json:"to_adjudicate"`
		} `json:"overall"`
	}](t, r.ask("GET", "/api/v1/rounds/demo-2018/summary?by=sector&template=SHCB-TK", nil, r.as("all.analyst")).want(t, 200))
	return s.Overall.ToAdjudicate
}

// What changed between two revisions is marked, with the score before and after.
func TestRevisionsSideBySide(t *testing.T) {
	r := newRig(t)
	form := r.asksFor(r.rated(true)[0], survey.RoleSuperior, "all.observer")
	path := newResponse()
	page := "/review/" + strings.TrimPrefix(path, "/api/v1/responses/") + "/revisions"
	html := header{"Accept", "text/html"}
	r.ask("PUT", path, form, r.as("all.observer")).want(t, 201)
	before := into[receiptJSON](t, r.ask("PUT", path, form, r.as("all.observer")).want(t, 201))
	r.ask("POST", path+"/review", map[string]any{"decision": "return", "comment": "A1?"}, r.as("all.reviewer"), header{"If-Match", `"1"`}).want(t, 200)
	answersOf(form)["A1"] = lowest(t, r, "A1")
	after := into[receiptJSON](t, r.ask("PUT", path, form, r.as("all.observer"), header{"If-Match", `"2"`}).want(t, 201))
	a := r.ask("GET", page+"?lang=en", nil, r.as("part.reviewer"), html).want(t, 200)
	if before.Score.Total == after.Score.Total {
		a.shows(t, "0 places differ")
		return
	}
	a.shows(t, `class="differs"`, before.Score.Total, after.Score.Total)
	if n := strings.Count(string(a.body), `<tr class="differs"`); n < 1 || n > 3 {
		t.Errorf("%d places are marked", n)
	}
	r.ask("GET", page+"?a=2&b=2&all=1&lang=en", nil, r.as("part.reviewer"), html).want(t, 200).shows(t, "0 places differ")
	r.ask("GET", page+"?a=9", nil, r.as("part.reviewer"), html).want(t, 422)
}
