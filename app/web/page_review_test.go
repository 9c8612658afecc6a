package web

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// A response is returned with comments on the form and on an item, sent anew by
// its observer, approved, and then locked to all but managers.
func TestAResponseIsReturnedSentAnewAndApproved(t *testing.T) {
	r := newRig(t)
	form := r.asksFor(r.rated(true)[0], survey.RoleSuperior, "all.observer")
	path := newResponse()
	page := "/review/" + strings.TrimPrefix(path, "/api/v1/responses/")
	observer, reviewer := r.as("all.observer"), r.as("part.reviewer")
	html := header{"Accept", "text/html"}
	r.ask("PUT", path, form, observer).want(t, 201)
	decide := func(as header, values url.Values) *answer {
		return r.ask("POST", page, values.Encode(), as, html, header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Sec-Fetch-Site", "same-origin"})
	}
	shows := func(a *answer, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(string(a.body), text) {
				t.Errorf("%q is not on the page: %s", text, clip(a.body))
			}
		}
	}
	shows(r.ask("GET", "/review?lang=en&state=submitted&role=superior", nil, reviewer, html).want(t, 200), page, "waiting for review")
	shows(r.ask("GET", page+"?lang=en", nil, reviewer, html).want(t, 200), `name="item/A1"`, "Return to the observer")

	shows(decide(reviewer, url.Values{"rev": {"1"}, "decision": {"return"}}).want(t, 422), `role="alert"`)
	decide(reviewer, url.Values{"rev": {"1"}, "decision": {"return"}, "item/NOTHING": {"?"}}).want(t, 422)
	decide(reviewer, url.Values{"rev": {"1"}, "decision": {"return"}, "comment": {"Xin xem lại"}, "item/A1": {"Ghi rõ giờ"}}).want(t, 303)
	// Somebody else was faster: what was typed is still there.
	shows(decide(r.as("all.manager"), url.Values{"rev": {"1"}, "decision": {"approve"}, "comment": {"của tôi"}}).want(t, 412), "của tôi")

	got := into[struct {
		State    survey.ReviewState
		Comments []survey.Comment
	}](t, r.ask("GET", path, nil, observer).want(t, 200))
	if got.State != survey.StateReturned || len(got.Comments) != 2 || got.Comments[0].Item != "" || got.Comments[1].Item != "A1" || got.Comments[1].Text != "Ghi rõ giờ" || got.Comments[1].By != r.people["part.reviewer"].ID {
		t.Errorf("the observer sees %+v", got)
	}
	r.ask("PUT", path, form, observer, header{"If-Match", `"2"`}).want(t, 201)
	decide(reviewer, url.Values{"rev": {"3"}, "decision": {"approve"}}).want(t, 303)
	shows(r.ask("GET", page+"?lang=en", nil, reviewer, html).want(t, 200), "settled", "Xin xem lại", "sent anew")
	form["started_at"] = "2018-01-07T19:00:00+07:00"
	r.ask("PUT", path, form, observer, header{"If-Match", `"4"`}).problem(t, 409, "response.locked")

	decide(reviewer, url.Values{"rev": {"4"}, "decision": {"return"}, "comment": {"lại"}}).want(t, 403)
	decide(r.as("part.manager"), url.Values{"rev": {"4"}, "decision": {"return"}, "item/A1": {"chỉ mục"}}).want(t, 422)
	decide(r.as("part.manager"), url.Values{"rev": {"4"}, "decision": {"return"}, "comment": {"Theo đề nghị của chi bộ"}}).want(t, 303)
}

// Whoever owes the second rating of a meeting learns nothing of the first by any
// door, whatever the account may do otherwise, until both are in.
func TestADoubleRatingIsBlindAtEveryDoor(t *testing.T) {
	r := newRig(t)
	var unit survey.UnitCode
	for _, unit = range r.rated(false) {
		visit := survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleSecond}
		if _, err := r.svc.Store().AssignmentFor(context.Background(), visit); err != nil {
			break // nobody has it yet
		}
	}
	first := ""
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Unit: unit, Template: "SHCB-TK", Role: survey.RoleObserver}, "") {
		ok(t, err)
		first = "/api/v1/responses/" + string(change.Doc.ID)
	}
	second := r.asksFor(unit, survey.RoleSecond, "all.manager")
	manager := r.as("all.manager")
	id := strings.TrimPrefix(first, "/api/v1/responses/")
	lists := func() bool {
		a := r.ask("GET", "/api/v1/responses?role=observer&template=SHCB-TK&unit="+string(unit), nil, manager).want(t, 200)
		return strings.Contains(string(a.body), id)
	}
	doors := []string{first, first + "?raw=true", first + "/attachments", "/review/" + id}
	for _, door := range doors {
		r.ask("GET", door, nil, manager).want(t, 404)
		r.ask("GET", door, nil, r.as("all.reviewer")).want(t, 200)
		if a := r.ask("GET", door, nil, r.as("all.observer")); a.status != 403 && a.status != 404 {
			t.Errorf("%s as an observer: %d", door, a.status)
		}
	}
	r.ask("PUT", first+"/attachments/a.jpg", "x", manager).want(t, 404)
	r.ask("POST", first+"/review", map[string]string{"decision": "approve"}, manager, header{"If-Match", `"1"`}).want(t, 404)
	if lists() {
		t.Error("it is listed")
	}
	r.ask("PUT", newResponse(), second, manager).want(t, 201)
	for _, door := range doors {
		r.ask("GET", door, nil, manager).want(t, 200)
	}
	if !lists() {
		t.Error("it is not listed when both are in")
	}
	view, err := r.svc.ReviewView(context.Background(), service.Caller{Person: r.people["all.reviewer"], Language: "en"}, survey.ResponseID(id))
	ok(t, err)
	if view.Other == nil || view.Other.Role != survey.RoleSecond || view.Disagree {
		t.Errorf("the reviewer sees %+v", view)
	}
}
