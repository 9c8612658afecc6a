package web

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// TestAFlagExplainsItselfAndIsSetAsideWithAReason follows one odd visit from the
// page on which it shows to the trail in which the reason stays.
func TestAFlagExplainsItselfAndIsSetAsideWithAReason(t *testing.T) {
	r := newRig(t)
	ctx, admin := context.Background(), service.Caller{Person: r.people["all.admin"], Language: "en"}
	list, err := r.svc.VisitsBehind(ctx, admin, "demo-2018", scoring.Query{})
	ok(t, err)
	odd, err := r.svc.Store().Response(ctx, list.Visits[0].ID)
	ok(t, err)
	begun := time.Date(2018, 1, 15, 18, 30, 0, 0, time.UTC) // half past one in the round's zone
	odd.StartedAt = &begun
	ok(t, r.svc.Store().ReplaceResponse(ctx, odd))

	flagOf := func() (found *service.Flag) {
		t.Helper()
		q, err := r.svc.Quality(ctx, admin, "demo-2018", scoring.Query{})
		ok(t, err)
		for i := range q.Flags {
			if q.Flags[i].Response == odd.ID && q.Flags[i].Kind == "hour" {
				found = &q.Flags[i]
			}
		}
		return found
	}
	if f := flagOf(); f == nil || f.Dismissed != nil || f.Args["time"] != "01:30" {
		t.Fatalf("the flag is %+v", f)
	}
	page := string(r.ask("GET", "/rounds/demo-2018/quality?lang=en", nil, r.as("all.reviewer")).want(t, 200).body)
	if !strings.Contains(page, "begun at 01:30") || !strings.Contains(page, "/responses/"+string(odd.ID)) {
		t.Error("the page does not say why")
	}
	set := func(account, reason string) *answer {
		form := url.Values{"response": {string(odd.ID)}, "flag": {"hour"}, "template": {string(odd.Template)}, "reason": {reason}}
		return r.ask("POST", "/rounds/demo-2018/quality/dismissed", form.Encode(), r.as(account), header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Sec-Fetch-Site", "same-origin"})
	}
	set("all.analyst", "no matter").want(t, 403)
	set("all.reviewer", " ").want(t, 422)
	set("all.reviewer", "The clock of the phone was wrong.").want(t, 303)
	set("all.reviewer", "Once more.").want(t, 303)
	if f := flagOf(); f == nil || f.Dismissed == nil || f.Dismissed.Detail["reason"] != "The clock of the phone was wrong." {
		t.Fatalf("the flag is %+v", f)
	}
	after, err := r.svc.Store().Response(ctx, odd.ID)
	ok(t, err)
	if after.SHA256 != odd.SHA256 || after.State != odd.State || len(after.Events) != len(odd.Events)+1 {
		t.Error("setting a flag aside changed more than the trail")
	}
	if outside := set("part.reviewer", "x"); !odd.Standing.Under(partOfTree) && outside.status != 404 {
		t.Errorf("out of scope: %d", outside.status)
	}
}

// TestDoubtsAreInWhatTheyAreAbout: self ratings far above the observer's are
// those that the two lists show.
func TestDoubtsAreInWhatTheyAreAbout(t *testing.T) {
	r := newRig(t)
	ctx, admin := context.Background(), service.Caller{Person: r.people["all.admin"], Language: "en"}
	round, err := r.svc.Store().Round(ctx, "demo-2018")
	ok(t, err)
	table, err := r.svc.Table(ctx, round)
	ok(t, err)
	totals := func(role survey.Role) map[survey.UnitCode]float64 {
		out := map[survey.UnitCode]float64{}
		rated, _ := table.List(scoring.Query{Template: round.Templates[0].Code, Role: role}, 1<<20)
		for _, v := range rated {
			if v.Graded() {
				out[v.Unit] = *v.Total
			}
		}
		return out
	}
	leads, want := totals(survey.RoleObserver), 0
	for unit, self := range totals(survey.RoleSelf) {
		if lead, both := leads[unit]; both && self-lead >= 15 {
			want++
		}
	}
	q, err := r.svc.Quality(ctx, admin, "demo-2018", scoring.Query{})
	ok(t, err)
	got := 0
	for _, f := range q.Flags {
		if f.Kind == "self" {
			got++
		}
	}
	if got != want || want == 0 {
		t.Errorf("%d self ratings far above, want %d (and some)", got, want)
	}
}
