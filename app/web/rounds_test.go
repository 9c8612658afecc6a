package web

import (
	"context"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/service"
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
