package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// Where a round asks for it, no form opens and no rating is taken in before its
// observer has passed the practice case; what a phone filled in is held. The right
// answers stay with those who set them.
func TestObserversPractiseFirst(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	html := header{"Accept", "text/html"}
	unit := r.rated(true)[0]
	a := &survey.Assignment{VisitKey: survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleSecond}, Observer: r.people["all.observer"].ID}
	if stored, err := r.svc.Store().AssignmentFor(ctx, a.VisitKey); err == nil {
		t.Fatalf("it is assigned: %+v", stored)
	}
	ok(t, r.svc.Assign(ctx, service.Operator(), []*survey.Assignment{a}))
	form := r.form(unit, survey.RoleSecond)
	manager, observer := r.as("all.manager"), r.as("all.observer")
	page, set := "/practice/demo-2018", "/rounds/demo-2018/practice"

	r.ask("GET", page, nil, observer, html).want(t, 404)
	right := url.Values{"practice:template": {"SHCB-TK"}, "practice:text": {"Chi bộ họp đúng giờ."}, "practice:exact": {"90"}, "practice:within": {"5"}, "practice:months": {"0"}, "do": {"save"}}
	answers := url.Values{}
	enter(answers, "", answersOf(form))
	for name := range answers {
		right[name] = answers[name]
	}
	wrong := url.Values{}
	for name := range right {
		wrong[name] = right[name]
	}
	wrong.Set("practice:text", " ")
	r.posts(set+"?lang=en", manager, wrong).want(t, 422).shows(t, "Describe the meeting")
	for range 2 {
		r.posts(set, manager, right).want(t, 303)
	}
	round, err := r.svc.Store().Round(ctx, "demo-2018")
	ok(t, err)
	if round.Practice == nil || round.Practice.Number != 1 {
		t.Fatalf("the case is %+v", round.Practice)
	}
	for _, door := range []string{"/api/v1/rounds/demo-2018", "/api/v1/rounds", "/api/v1/phone"} {
		if body := string(r.ask("GET", door, nil, observer).want(t, 200).body); strings.Contains(body, `"practice":`) {
			t.Errorf("%s tells the right answers", door)
		}
	}

	// Told, and refused before anything is filled in.
	plain := "/visits/" + string(a.ID) + "/plain"
	r.ask("GET", "/visits/list", nil, observer, html).want(t, 200).shows(t, page)
	if got := r.ask("GET", plain, nil, observer, html).want(t, 303).header.Get("Location"); !strings.HasPrefix(got, page) {
		t.Errorf("it leads to %s", got)
	}
	r.ask("PUT", newResponse(), form, observer).problem(t, 403, "practice.missing")
	form["source"] = "queue"
	held := newResponse()
	r.ask("PUT", held, form, observer).want(t, 202)
	delete(form, "source")

	low := url.Values{}
	for name := range answers {
		low[name] = answers[name]
	}
	for _, name := range []string{"A1", "A2", "C2", "D2", "E3"} {
		if low.Has(name) && answers.Get(name) != lowest(t, r, name) {
			low.Set(name, lowest(t, r, name))
		}
		low.Set(name+"_note", "Căn cứ")
	}
	low.Set("do", "send")
	r.posts(page+"?lang=en", observer, low).want(t, 200).shows(t, "Not passed", `class="differs"`)
	r.ask("PUT", newResponse(), form, observer).problem(t, 403, "practice.missing")
	answers.Set("do", "send")
	r.posts(page+"?lang=en", observer, answers).want(t, 200).shows(t, "Passed:")
	r.ask("GET", plain, nil, observer, html).want(t, 200)
	r.ask("GET", set+"?lang=en", nil, manager, html).want(t, 200).shows(t, "all.observer", "not passed")

	// A change of the description asks for it anew; saving the round's settings does not.
	saved := *round
	ok(t, r.svc.SaveRound(ctx, service.Operator(), &saved))
	r.ask("GET", plain, nil, observer, html).want(t, 200)
	right.Set("practice:text", "Chi bộ họp muộn.")
	r.posts(set, manager, right).want(t, 303)
	r.ask("GET", plain, nil, observer, html).want(t, 303)
	r.posts(set, manager, url.Values{"do": {"delete"}}).want(t, 303)
	r.ask("GET", plain, nil, observer, html).want(t, 200)
	r.ask("PUT", newResponse(), form, observer).want(t, 201)
}

// enter puts answers into the fields of a page.
func enter(fields url.Values, prefix string, answers map[string]any) {
	for name, v := range answers {
		name = prefix + name
		switch v := v.(type) {
		case string:
			fields.Set(name, v)
		case float64:
			fields.Set(name, strconv.FormatFloat(v, 'f', -1, 64))
		case []any:
			for i, one := range v {
				if row, ok := one.(map[string]any); ok {
					fields.Set("rows:"+name, strconv.Itoa(len(v)))
					enter(fields, name+"/"+strconv.Itoa(i)+"/", row)
				} else {
					fields.Add(name, one.(string))
				}
			}
		}
	}
}
