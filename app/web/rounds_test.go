package web

import (
	"context"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sheets"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

func TestRoundPagesFitAPhone(t *testing.T) {
	r := newRig(t)
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.manager", "a long password"))
	secret, _, err := r.svc.SignIn(context.Background(), "all.manager", "a long password", "", survey.TokenSession)
	ok(t, err)
	visits, err := r.svc.PlannedVisits(context.Background(), service.Operator(), "demo-2018", service.VisitFilter{})
	ok(t, err)
	b := browsertest.Shared(t)
	for name, o := range map[string]browsertest.Options{"360": {}, "360-dark": {Dark: true}, "1280": {Width: 1280, Height: 900}} {
		t.Run(name, func(t *testing.T) {
			o.URL, o.Cookies = r.url, map[string]string{sessionCookie: secret}
			p := b.Open(t, o)
			for _, path := range []string{"/rounds", "/rounds/new", "/rounds/demo-2018/settings", "/rounds/demo-2018/coverage", "/rounds/demo-2018/coverage?under=S0001",
				"/rounds/demo-2018/coverage?by=sector", "/rounds/demo-2018/assignments", "/assignments/" + string(visits[0].ID), "/rounds/demo-2018/assignments/auto"} {
				p.Goto(path)
				wantFits(t, p, path)
				if strings.HasPrefix(path, "/assignments/") {
					path = "/assignment"
				}
				p.Screenshot("rounds-" + name + strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(path))
			}
			p.Goto("/rounds/demo-2018/assignments/auto")
			p.Tap(`button[value="preview"]`)
			p.Wait(`document.querySelector(".figures")`)
			wantFits(t, p, "the preview")
			p.Screenshot("rounds-" + name + "-preview")
		})
	}
}

func TestAssignmentsAreImportedOnceAndWithAReportByRow(t *testing.T) {
	r := newRig(t)
	manager, ctx := service.Caller{Person: r.people["all.manager"]}, context.Background()
	unit := r.rated(true)[0]
	row := func(observer string) []sheets.AssignmentRow {
		return []sheets.AssignmentRow{{Sheet: "A", Row: 2, Unit: unit, Observer: observer, Template: "HD42", Role: survey.RoleSuperior}}
	}
	for i, want := range []service.Outcome{service.OutcomeAdded, service.OutcomeSame} {
		report, err := r.svc.ImportAssignments(ctx, manager, "demo-2018", row("all.observer"), nil, false)
		ok(t, err)
		if report.Rows[0].Outcome != want {
			t.Errorf("import %d: %+v", i, report.Rows[0])
		}
	}
	report, err := r.svc.ImportAssignments(ctx, manager, "demo-2018", row("part.observer"), nil, true)
	ok(t, err)
	if got := report.Rows[0]; got.Outcome != service.OutcomeWrong || got.Problems[0].Code != "visit.assigned" {
		t.Errorf("%+v", got)
	}
	// A substitution repeated is one.
	a, err := r.svc.Store().AssignmentFor(ctx, survey.VisitKey{Round: "demo-2018", Template: "HD42", Unit: unit, Role: survey.RoleSuperior})
	ok(t, err)
	change := service.AssignmentChange{Action: service.Substitute, Reason: "Mưa bão", Unit: r.rated(true)[1], NewID: survey.AssignmentID(survey.NewID()), Rev: a.Rev}
	for range 2 {
		other, err := r.svc.ChangeAssignment(ctx, manager, a.ID, change)
		ok(t, err)
		if other.ID != change.NewID || other.InPlaceOf != a.ID || other.Unit != change.Unit {
			t.Errorf("%+v", other)
		}
	}
	if _, err := r.svc.ChangeAssignment(ctx, manager, a.ID, service.AssignmentChange{Action: service.Cancel, Reason: "x"}); survey.CodeOf(err) != "assignment.state" {
		t.Errorf("cancelled after it was substituted: %v", err)
	}
	b, err := sheets.AssignmentTemplate("vi")
	ok(t, err)
	if _, _, err := sheets.ReadAssignments(b); survey.CodeOf(err) != "sheet.empty" {
		t.Errorf("the empty template: %v", err)
	}
	r.ask("GET", "/rounds/demo-2018/assignments/import", nil, r.as("all.manager")).want(t, 200)
}
