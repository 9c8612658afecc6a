package web

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// posts sends what a page's form sends.
func (r *rig) posts(page string, as header, values url.Values) *answer {
	r.t.Helper()
	return r.ask("POST", page, values.Encode(), as, header{"Accept", "text/html"},
		header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Sec-Fetch-Site", "same-origin"})
}

// shows checks that texts are on a page.
func (a *answer) shows(t testing.TB, texts ...string) *answer {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(string(a.body), text) {
			t.Errorf("%q is not on the page: %s", text, clip(a.body))
		}
	}
	return a
}

// counted says how many responses a summary counts.
func (r *rig) counted() (n int) {
	r.t.Helper()
	for change, err := range r.svc.Store().RowsSince(context.Background(), "demo-2018", "") {
		ok(r.t, err)
		if len(change.Doc.Packed) > 0 && change.Doc.State.Counts() {
			n++
		}
	}
	return n
}

// What was held for review is attached to a visit with all that it came with,
// counted once, and a visit that has a response takes no other.
func TestWhatWasHeldIsReleased(t *testing.T) {
	r := newRig(t)
	p := newPhone(t, r)
	id, twin := survey.NewID(), survey.NewID()
	sent := strings.Replace(p.xml(id, nil, ""), `version="1"`, `version="99"`, 1) // a version that nobody knows
	p.send(theForm(sent)).told(t, 201)
	p.send(theForm(strings.Replace(sent, id, twin, 1))).told(t, 201)
	before, counted := p.stored(id), r.counted()
	reviewer, outsider, english := r.as("part.reviewer"), r.as("all.analyst"), "?lang=en"
	page := "/review/" + id
	html := header{"Accept", "text/html"}

	// It names no unit that could be read, so that only who has the whole tree sees it.
	r.ask("GET", page, nil, reviewer, html).want(t, 404)
	reviewer = r.as("all.reviewer")
	r.ask("GET", "/review?state=quarantined", nil, reviewer, html).want(t, 200).shows(t, page)
	r.ask("GET", page+english, nil, reviewer, html).want(t, 200).shows(t, "version=&#34;99&#34;", string(p.visits[0].ID), `action="/review/`+id+`/reject"`)
	r.ask("GET", page+english+"&unit="+string(p.visits[1].Unit), nil, reviewer, html).want(t, 200).shows(t, string(p.visits[1].ID))

	to := url.Values{"rev": {"1"}, "assignment": {string(p.visits[0].ID)}}
	r.posts(page+"/release", outsider, to).want(t, 403)
	r.posts(page+"/release", reviewer, url.Values{"rev": {"7"}, "assignment": to["assignment"]}).want(t, 412)
	for range 2 { // a second press changes nothing
		r.posts(page+"/release", reviewer, to).want(t, 303)
	}
	after := p.stored(id)
	if after.State != survey.StateSubmitted || after.Rev != 2 || after.VisitKey != p.visits[0].VisitKey || after.Observer != p.person.ID || after.Receipt == nil || after.TemplateVersion != 1 {
		t.Errorf("it became %+v", after)
	}
	if !bytes.Equal(after.Raw, []byte(sent)) || after.SHA256 != before.SHA256 || !after.ReceivedAt.Equal(before.ReceivedAt) {
		t.Error("its bytes or their time have changed")
	}
	if got := r.counted(); got != counted+1 {
		t.Errorf("%d are counted, want one more than %d", got, counted)
	}
	want := p.stored(r.direct(p))
	if after.Receipt.Total != want.Receipt.Total || after.Receipt.Band != want.Receipt.Band {
		t.Errorf("the score is %v, want that of the same answers sent directly: %v", after.Receipt, want.Receipt)
	}
	r.posts("/review/"+twin+"/release?lang=en", reviewer, to).want(t, 409).shows(t, "already has the response "+id)

	// The other is put aside; the phone that sends it again hears why.
	r.posts("/review/"+twin+"/reject", reviewer, url.Values{"rev": {"1"}, "reason": {" "}}).want(t, 422).shows(t, `id="reason-problem"`)
	for range 2 {
		r.posts("/review/"+twin+"/reject", reviewer, url.Values{"rev": {"1"}, "reason": {"gửi hai lần"}}).want(t, 303)
	}
	if got := p.stored(twin); got.State != survey.StateRejected || got.Rev != 2 || got.PutAside() != "gửi hai lần" {
		t.Errorf("%s at %d: %q", got.State, got.Rev, got.PutAside())
	}
	p.send(theForm(strings.Replace(sent, id, twin, 1))).told(t, 201)
	if got := r.counted(); got != counted+2 { // with the one sent directly
		t.Errorf("%d are counted after one was put aside", got)
	}
	actions := ""
	for _, e := range append(after.Events, p.stored(twin).Events...) {
		actions += e.Action + " "
	}
	if want := "response.quarantined response.released response.quarantined response.rejected "; actions != want {
		t.Errorf("the trail says %q", actions)
	}
}

// direct sends the phone's answers about its second visit in the usual way.
func (r *rig) direct(p *phone) string {
	id := survey.NewID()
	p.send(theForm(strings.Replace(p.xml(id, nil, ""), p.visit, visitOf(p.visits[1]), 1))).told(r.t, 201)
	return id
}

// A form whose answers fail checks is released only when somebody says that they
// have seen it; one for a closed round is released as it stands; a manager of
// another part of the tree finds neither.
func TestWhatFailsChecksIsReleasedOnPurpose(t *testing.T) {
	r := newRig(t)
	unit := r.rated(false)[0]
	form := r.form(unit, survey.RoleSuperior)
	form["source"] = "queue"
	answersOf(form)["A1"] = "nonsense"
	path := newResponse()
	r.ask("PUT", path, form, r.as("all.manager")).want(t, 202)
	release := func(as string, despite bool) *answer {
		return r.ask("POST", path+"/release", map[string]any{"despite": despite}, r.as(as), header{"If-Match", `"1"`})
	}
	release("part.manager", true).problem(t, 404, "response.unknown")
	release("all.reviewer", false).problem(t, 422, "response.invalid")
	page := "/review/" + strings.TrimPrefix(path, "/api/v1/responses/")
	r.posts(page+"/release?lang=en", r.as("all.reviewer"), url.Values{"rev": {"1"}}).want(t, 422).shows(t, `name="despite"`, "A1")
	release("all.reviewer", true).want(t, 200)
	got, err := r.svc.Store().Response(context.Background(), survey.ResponseID(strings.TrimPrefix(path, "/api/v1/responses/")))
	ok(t, err)
	if last := got.Events[len(got.Events)-1]; last.Action != "response.released" || !strings.Contains(last.Detail["problems"], "A1 ") {
		t.Errorf("the trail says %+v", last)
	}

	round, err := r.svc.Round(context.Background(), service.Operator(), "demo-2018")
	ok(t, err)
	closed := *round
	closed.Closed = true
	ok(t, r.svc.SaveRound(context.Background(), service.Operator(), &closed))
	late := r.form(r.rated(false)[1], survey.RoleSuperior)
	late["source"] = "queue"
	path = newResponse()
	r.ask("PUT", path, late, r.as("all.manager")).want(t, 202)
	release("all.reviewer", false).want(t, 200)
}
