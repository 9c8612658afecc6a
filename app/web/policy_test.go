package web

import (
	"context"
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// mayUse says which roles get past the door of each route, by their first
// letters; Admin, Manager, analYst, Reviewer, Observer, resPondent. A dot stands
// for a route that is open to anyone, K for those with keys of their own
// (odk_test.go).
var mayUse = map[string]string{
	"POST /api/v1/sign-in":                                      ".",
	"GET /api/v1/openapi.yaml":                                  ".",
	"POST /api/v1/sign-out":                                     "AMYROP",
	"GET /api/v1/me":                                            "AMYROP",
	"GET /api/v1/templates":                                     "AMYROP",
	"POST /api/v1/templates":                                    "A",
	"GET /api/v1/templates/:code":                               "AMYROP",
	"POST /api/v1/templates/:code/versions/:version/publish":    "A",
	"GET /api/v1/templates/:code/versions/:version/file":        "AMYROP",
	"GET /api/v1/templates/:code/versions/:version/differences": "AMYROP",
	"POST /api/v1/templates/:code/versions/:version/retire":     "A",
	"GET /visits/:id/plain":                                     "AMOP",
	"POST /visits/:id/plain":                                    "AMOP",
	"GET /visits/:id/receipt":                                   "AMOP",
	"GET /visits/:id/print":                                     "AMOP",
	"GET /templates/:code/versions/:version/print":              "AMYROP",
	"GET /api/v1/templates/:code/versions/:version/form":        "AMYROP",
	"GET /api/v1/type-lists":                                    "AMYROP",
	"GET /api/v1/units":                                         "AMYROP",
	"POST /api/v1/units":                                        "A",
	"GET /api/v1/units/:code":                                   "AMYROP",
	"GET /api/v1/rounds":                                        "AMYROP",
	"GET /api/v1/rounds/:round":                                 "AMYROP",
	"PUT /api/v1/rounds/:round":                                 "AM",
	"GET /api/v1/rounds/:round/assignments":                     "AMYROP",
	"POST /api/v1/rounds/:round/assignments":                    "AM",
	"GET /api/v1/rounds/:round/summary":                         "AMYR",
	"GET /api/v1/rounds/:round/analysis":                        "AMYR",
	"GET /rounds/:round/behind":                                 "AMYR",
	"GET /rounds/:round/quality":                                "AMYR",
	"POST /rounds/:round/quality/dismissed":                     "AMR",
	"GET /rounds/:round/analysis":                               "AMYR",
	"GET /api/v1/rounds/:round/export.xlsx":                     "AMY",
	"GET /api/v1/rounds/:round/export.csv.zip":                  "AMY",
	"GET /api/v1/rounds/:round/files":                           "AMY",
	"PUT /api/v1/rounds/:round/files/:id":                       "AMY",
	"GET /api/v1/files/:id":                                     "AMY",
	"GET /api/v1/files/:id/file":                                "AMY",
	"POST /api/v1/files/:id/cancel":                             "AMY",
	"POST /api/v1/files/:id/again":                              "AMY",
	"GET /api/v1/rounds/:round/summary.csv":                     "AMYR",
	"POST /api/v1/feeds":                                        "AMYR",
	"GET /data/:token/rounds/:round/summary.csv":                "K",
	"GET /data/:token/rounds/:round/summary.json":               "K",
	"POST /rounds/:round/feeds":                                 "AMYR",
	"GET /rounds/:round/slips":                                  "AMY",
	"GET /rounds/:round/files":                                  "AMY",
	"POST /rounds/:round/files":                                 "AMY",
	"GET /files/:id/file":                                       "AMY",
	"POST /files/:id/cancel":                                    "AMY",
	"POST /files/:id/again":                                     "AMY",
	"GET /api/v1/assignments":                                   "AMYROP",
	"GET /api/v1/scope-count":                                   "AM",
	"GET /rounds":                                               "AMYR",
	"GET /rounds/new":                                           "AM",
	"POST /rounds":                                              "AM",
	"GET /rounds/:round/settings":                               "AM",
	"POST /rounds/:round/settings":                              "AM",
	"GET /rounds/:round/coverage":                               "AMYR",
	"GET /rounds/:round/assignments":                            "AMYR",
	"POST /rounds/:round/assignments":                           "AM",
	"GET /rounds/:round/assignments/auto":                       "AM",
	"POST /rounds/:round/assignments/auto":                      "AM",
	"GET /rounds/:round/assignments/import":                     "AM",
	"POST /rounds/:round/assignments/import":                    "AM",
	"GET /rounds/:round/assignments/import/template.xlsx":       "AM",
	"GET /assignments/:id":                                      "AMYR",
	"POST /assignments/:id":                                     "AM",
	"POST /api/v1/rounds/:round/visits":                         "AMO",
	"POST /api/v1/assignments/:id/change":                       "AMO",
	"GET /api/v1/responses":                                     "AMYROP",
	"GET /api/v1/responses/:id":                                 "AMYROP",
	"PUT /api/v1/responses/:id":                                 "AMOP",
	"POST /api/v1/responses/:id/review":                         "AMR",
	"GET /api/v1/responses/:id/attachments":                     "AMYROP",
	"GET /api/v1/responses/:id/attachments/:name":               "AMYROP",
	"PUT /api/v1/responses/:id/attachments/:name":               "AMOP",
	"GET /review":                                               "AMR",
	"GET /review/:response":                                     "AMR",
	"POST /review/:response":                                    "AMR",
	"POST /api/v1/responses/:id/release":                        "AMR",
	"POST /api/v1/responses/:id/reject":                         "AMR",
	"GET /audit":                                                "AM",
	"GET /api/v1/audit":                                         "AM",
	"GET /rounds/:round/practice":                               "AM",
	"POST /rounds/:round/practice":                              "AM",
	"GET /practice/:round":                                      "AMOP",
	"POST /practice/:round":                                     "AMOP",
	"GET /review/:response/revisions":                           "AMR",
	"GET /review/:response/adjudicate":                          "AMR",
	"POST /review/:response/adjudicate":                         "AMR",
	"POST /review/:response/release":                            "AMR",
	"POST /review/:response/reject":                             "AMR",
	"POST /api/v1/templates/check":                              "A",
	"POST /api/v1/templates/try":                                "A",
	"PUT /api/v1/templates/:code/versions/:version":             "A",
	"GET /templates":                                            "A",
	"GET /new-template":                                         "A",
	"POST /new-template":                                        "A",
	"GET /templates/:code":                                      "A",
	"GET /templates/:code/versions/:version/file":               "A",
	"POST /templates/:code/versions/:version/publish":           "A",
	"POST /templates/:code/versions/:version/retire":            "A",
	"GET /template-import":                                      "A",
	"POST /template-import":                                     "A",
	"POST /template-import/annotated":                           "A",
	"GET /templates/:code/edit":                                 "A",
	"POST /templates/:code/edit":                                "A",
	"GET /api/v1/phone":                                         "AMOP",
	"GET /visits":                                               "AMOP",
	"GET /visits/list":                                          "AMOP",
	"GET /visits/calendar.ics":                                  "AMOP",
	"GET /visits/:visit":                                        "AMOP",
	"GET /guide/templates":                                      ".",
	"GET /guide":                                                ".",
	"GET /worker.js":                                            ".",
	"GET /manifest.webmanifest":                                 ".",
	"GET /":                                                     ".",
	"GET /sign-in":                                              ".",
	"POST /sign-in":                                             ".",
	"POST /sign-out":                                            "AMYROP",
	"GET /rounds/:round":                                        "AMYR",
	"GET /api":                                                  ".",
	"GET /setup/:secret":                                        ".",
	"POST /setup/:secret":                                       ".",
	"GET /invitation/:secret":                                   ".",
	"POST /invitation/:secret":                                  ".",
	"GET /account":                                              "AMYROP",
	"POST /account/display":                                     "AMYROP",
	"POST /account/password":                                    "AMYROP",
	"POST /account/devices/:device/sign-out":                    "AMYROP",
	"GET /api/v1/people":                                        "A",
	"POST /api/v1/people":                                       "A",
	"GET /api/v1/people/:name":                                  "A",
	"PUT /api/v1/people/:name":                                  "A",
	"POST /api/v1/people/:name/invitation":                      "A",
	"GET /people":                                               "A",
	"POST /people":                                              "A",
	"GET /people/new":                                           "A",
	"POST /people/invitations":                                  "A",
	"GET /people/phone-file":                                    "A",
	"POST /people/phone-file":                                   "A",
	"GET /people/import":                                        "A",
	"POST /people/import":                                       "A",
	"GET /people/import/template.xlsx":                          "A",
	"POST /people/import/rows":                                  "A",
	"GET /people/:name":                                         "A",
	"POST /people/:name":                                        "A",
	"POST /people/:name/disabled":                               "A",
	"POST /people/:name/password":                               "A",
	"POST /people/:name/devices/:device/sign-out":               "A",
	"POST /account/odk":                                         "AMYROP",
	"POST /people/odk":                                          "A",
	"GET /openrosa/:token/formList":                             "K",
	"HEAD /openrosa/:token/formList":                            "K",
	"GET /openrosa/:token/forms/:code/:version/form.xml":        "K",
	"GET /openrosa/:token/forms/:code/:version/manifest":        "K",
	"GET /openrosa/:token/forms/:code/:version/visits.csv":      "K",
	"HEAD /openrosa/:token/submission":                          "K",
	"POST /openrosa/:token/submission":                          "K",
	"GET /openrosa/formList":                                    "K",
	"HEAD /openrosa/formList":                                   "K",
	"GET /openrosa/forms/:code/:version/form.xml":               "K",
	"GET /openrosa/forms/:code/:version/manifest":               "K",
	"GET /openrosa/forms/:code/:version/visits.csv":             "K",
	"HEAD /openrosa/submission":                                 "K",
	"POST /openrosa/submission":                                 "K",
}

var letterOf = map[survey.AccountRole]string{survey.Admin: "A", survey.Manager: "M", survey.Analyst: "Y", survey.Reviewer: "R", survey.Observer: "O", survey.Respondent: "P"}

// addressOf fills in a route's address with things that exist, all of them in
// the part of the tree.
func addressOf(path string) string {
	return strings.NewReplacer(":code", "S0001", ":version", "1", ":round", "demo-2018", ":id", survey.NewID(), ":response", survey.NewID(), ":name", "all.observer", ":device", "0123456789abcdef", ":secret", "nonsense").Replace(path)
}

func TestEveryRouteLetsInTheRolesItShould(t *testing.T) {
	r := newRig(t)
	walked := 0
	for _, route := range r.server.routes() {
		name := route.method + " " + route.path
		letters, known := mayUse[name]
		if !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		if letters == "K" { // to whom no other door's key is of use
			for _, h := range []header{r.as("all.admin"), {"Authorization", "Basic YWxsLmFkbWluOm5vbnNlbnNl"}} {
				if a := r.ask(route.method, strings.Replace(route.path, ":token", r.tokens["all.observer"], 1), nil, h); a.status != 401 && a.status != 403 {
					t.Errorf("%s: %d", name, a.status)
				}
			}
			walked += len(survey.AccountRoles) * 2
			continue
		}
		for _, role := range survey.AccountRoles {
			for _, account := range []string{"all.", "part."} {
				walked++
				// Signing out would end the walk; a token that is made for it does.
				headers := []header{r.as(account + string(role))}
				if strings.HasSuffix(route.path, "sign-out") {
					headers = []header{{"Authorization", "Bearer " + r.token(account+string(role))}}
				}
				a := r.ask(route.method, addressOf(route.path), bodyFor(route.method), append(headers, header{"Sec-Fetch-Site", "same-origin"})...)
				let := letters == "." || strings.Contains(letters, letterOf[role])
				switch {
				case !let:
					a.problem(t, 403, "auth.role")
				case account == "part." && ofWholeRound[name]:
					a.problem(t, 403, "auth.round_scope")
				case a.status == 401 && !strings.Contains(route.path, "sign-in"), a.status == 403, a.status >= 500:
					t.Errorf("%s as %s%s: %d %s", name, account, role, a.status, a.body)
				}
			}
		}
		for _, signedOut := range [][]header{nil, {{"Authorization", "Bearer "}}, {{"Authorization", "Bearer nonsense"}}, {{"Authorization", "Basic YTpi"}}, {{"Cookie", sessionCookie + "=nonsense"}, {"Sec-Fetch-Site", "same-origin"}}} {
			a := r.ask(route.method, addressOf(route.path), bodyFor(route.method), signedOut...)
			if letters != "." {
				a.want(t, 401)
				if a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: no WWW-Authenticate", name)
				}
			}
		}
	}
	if want := len(mayUse) * len(survey.AccountRoles) * 2; walked != want {
		t.Errorf("%d walked, want %d", walked, want)
	}
}

// aboutOne are the names in a path that stand for one thing which lies in some
// part of the tree.
var aboutOne = []string{"/units/:", "/responses/:", "/people/:", "/assignments/:", "/visits/:", ":unit", ":assignment", ":response", ":person"}

// elsewhere says that a test of its own shows how a route keeps to the scope.
const elsewhere = "elsewhere"

// ofWholeRound has the routes that are closed to whoever is in charge of a part
// of the round's units only, whatever they ask for.
var ofWholeRound = map[string]bool{
	"GET /rounds/:round/practice":  true,
	"POST /rounds/:round/practice": true,
}

// outOfScope has every route about one thing, with the body to send: enough for
// the request to come to the question whether the thing lies in the scope.
var outOfScope = map[string]string{
	"GET /visits/:visit":                          elsewhere, // the same page for everybody
	"GET /api/v1/units/:code":                     "",
	"GET /api/v1/responses/:id":                   "",
	"PUT /api/v1/responses/:id":                   elsewhere, // TestNobodySeesOrChangesWhatLiesOutsideOfTheScope
	"GET /api/v1/responses/:id/attachments":       "",
	"GET /api/v1/responses/:id/attachments/:name": elsewhere, // TestAttachmentsComeBeforeTheirResponseAndAreReadByWhoMayReadIt
	"PUT /api/v1/responses/:id/attachments/:name": "x",
	"GET /review/:response":                       "",
	"POST /review/:response":                      "decision=approve&rev=1",
	"POST /api/v1/responses/:id/release":          `{}`,
	"POST /api/v1/responses/:id/reject":           `{"reason": "x"}`,
	"POST /review/:response/release":              "rev=1",
	"GET /review/:response/revisions":             "",
	"GET /review/:response/adjudicate":            "",
	"POST /review/:response/adjudicate":           "id=x",
	"POST /review/:response/reject":               "rev=1&reason=x",
	"POST /api/v1/responses/:id/review":           `{"decision": "approve"}`,
	"POST /api/v1/assignments/:id/change":         `{"action": "postpone", "due": "2018-01-30", "reason": "bão"}`,
	"GET /visits/:id/plain":                       "",
	"POST /visits/:id/plain":                      "response=x",
	"GET /visits/:id/receipt":                     "",
	"GET /visits/:id/print":                       "",
	"GET /api/v1/people/:name":                    "",
	"PUT /api/v1/people/:name":                    `{"role": "observer", "scope": "S0001"}`,
	"POST /api/v1/people/:name/invitation":        "",
	"GET /assignments/:id":                        "",
	"POST /assignments/:id":                       "action=cancel&reason=b%C3%A3o",
	"GET /people/:name":                           "",
	"POST /people/:name":                          "role=observer&scope=S0001",
	"POST /people/:name/disabled":                 "disabled=true",
	"POST /people/:name/password":                 "password=a+long+password",
	"POST /people/:name/devices/:device/sign-out": "",
}

// Whoever has a part of the tree is refused everything about one thing outside
// of it, and let in to the same inside.
func TestEveryRouteAboutOneThingKeepsToTheScope(t *testing.T) {
	r := newRig(t)
	r.account(&survey.Person{Name: "inside", Role: survey.Observer, Scope: partOfTree})
	r.account(&survey.Person{Name: "outside", Role: survey.Observer, Scope: "S0002"})
	address := map[bool]*strings.Replacer{}
	for inside, name := range map[bool]string{true: "inside", false: "outside"} {
		unit := r.rated(inside)[0]
		id := strings.TrimPrefix(r.responseAbout(unit), "/api/v1/responses/")
		address[inside] = strings.NewReplacer("/visits/:id", "/visits/"+r.assignmentOf(unit), "/assignments/:id", "/assignments/"+r.assignmentOf(unit), ":assignment", r.assignmentOf(unit), ":code", string(unit), ":unit", string(unit), ":id", id, ":response", id, ":name", name, ":person", name, ":device", "0123456789abcdef", ":round", "demo-2018")
	}
	for _, route := range r.server.routes() {
		name := route.method + " " + route.path
		body, known := outOfScope[name]
		one := slices.ContainsFunc(aboutOne, func(s string) bool { return strings.Contains(route.path, s) })
		switch {
		case one && !known:
			t.Errorf("%s is about one thing and not in the table of scopes", name)
			continue
		case !known || body == elsewhere:
			continue
		}
		for _, role := range survey.AccountRoles {
			reach := survey.Policy[route.op][role]
			if reach == survey.Nothing {
				continue
			}
			ask := func(inside bool) *answer {
				kind := "application/x-www-form-urlencoded"
				if strings.HasPrefix(body, "{") {
					kind = "application/json"
				}
				return r.ask(route.method, address[inside].Replace(route.path), body, r.as("part."+string(role)),
					header{"Sec-Fetch-Site", "same-origin"}, header{"If-Match", `"1"`}, header{"Content-Type", kind})
			}
			if a := ask(false); a.status != 403 && a.status != 404 {
				t.Errorf("%s outside as part.%s: %d %s", name, role, a.status, clip(a.body))
			}
			if a := ask(true); reach == survey.InScope && (a.status == 403 || a.status == 404) {
				t.Errorf("%s inside as part.%s: %d %s", name, role, a.status, clip(a.body))
			}
		}
	}
	for name := range outOfScope {
		if _, there := mayUse[name]; !there {
			t.Errorf("%s is in the table of scopes and no route", name)
		}
	}
}

// assignmentOf gives the id of an assignment of the unit.
func (r *rig) assignmentOf(unit survey.UnitCode) string {
	r.t.Helper()
	for change, err := range r.svc.Store().AssignmentsSince(context.Background(), "demo-2018", "") {
		ok(r.t, err)
		if change.Doc.Unit == unit {
			return string(change.Doc.ID)
		}
	}
	r.t.Fatalf("no assignment of %s", unit)
	return ""
}

// The menu offers what opens, to everybody.
func TestTheMenuLeadsToPagesThatOpen(t *testing.T) {
	r := newRig(t)
	for _, role := range survey.AccountRoles {
		p := page{Lang: "en", Person: &survey.Person{Role: role}, path: "/"}
		lines := p.Nav()
		if len(lines) == 0 {
			t.Errorf("%s has no menu", role)
		}
		for _, line := range lines {
			a := r.ask("GET", line.Path, nil, r.as("part."+string(role)), header{"Accept", "text/html"}, header{"Accept-Language", "en"})
			marked := strings.Contains(string(a.body), `aria-current="page">`+html.EscapeString(line.Label))
			if a.status != 200 || !marked && line.Path != "/visits" { // the phone's page has no menu: it is the same for everybody
				t.Errorf("%s, %s as %s: %d", line.Label, line.Path, role, a.status)
			}
		}
	}
}

func bodyFor(method string) any {
	if method == "GET" {
		return nil
	}
	return "{}"
}

// token makes a further token for an account.
func (r *rig) token(name string) string {
	r.t.Helper()
	secret, err := r.svc.CreateToken(context.Background(), service.Operator(), name, "another")
	ok(r.t, err)
	return secret
}

func TestDeadTokensOpenNothing(t *testing.T) {
	r := newRig(t)
	ctx, operator := context.Background(), service.Operator()
	r.account(&survey.Person{Name: "disabled", Role: survey.Admin})
	r.account(&survey.Person{Name: "revoked", Role: survey.Admin})
	r.account(&survey.Person{Name: "session", Role: survey.Admin})
	for _, name := range []string{"disabled", "revoked", "session"} {
		r.ask("GET", "/api/v1/me", nil, r.as(name)).want(t, 200)
	}
	ok(t, r.svc.SetDisabled(ctx, operator, "disabled", true))
	r.ask("POST", "/api/v1/sign-out", nil, r.as("revoked")).want(t, 204)
	// A browser's session is no API token, nor the other way about.
	ok(t, r.svc.ResetPassword(ctx, operator, "session", "a long password"))
	secret, _, err := r.svc.SignIn(ctx, "session", "a long password", "", survey.TokenSession)
	ok(t, err)
	cookie := r.tokens["session"]
	r.tokens["session"] = secret
	for _, route := range r.server.routes() {
		if strings.ContainsAny(mayUse[route.method+" "+route.path], ".K") {
			continue
		}
		path := addressOf(route.path)
		for _, name := range []string{"disabled", "revoked", "session"} {
			r.ask(route.method, path, bodyFor(route.method), r.as(name)).problem(t, 401, "auth.token")
		}
		r.ask(route.method, path, bodyFor(route.method), header{"Cookie", sessionCookie + "=" + cookie}, header{"Sec-Fetch-Site", "same-origin"}).problem(t, 401, "auth.required")
	}
	ok(t, r.svc.SetDisabled(ctx, operator, "disabled", false))
	r.ask("GET", "/api/v1/me", nil, r.as("disabled")).want(t, 200)
}

func TestNobodySeesOrChangesWhatLiesOutsideOfTheScope(t *testing.T) {
	r := newRig(t)
	inside, outside := r.rated(true), r.rated(false)
	theirs := r.responseAbout(outside[0])
	ours := r.responseAbout(inside[0])
	revision := header{"If-Match", r.ask("GET", theirs, nil, r.as("all.admin")).want(t, 200).header.Get("Etag")}
	for _, role := range survey.AccountRoles {
		name := "part." + string(role)
		me := r.as(name)
		r.ask("GET", "/api/v1/units/"+string(outside[0]), nil, me).problem(t, 403, "auth.scope")
		r.ask("GET", "/api/v1/units/"+string(inside[0]), nil, me).want(t, 200)
		for _, query := range []string{"", "?under=TU", "?under=S0002", "?under=" + string(outside[0])} {
			units := into[struct{ Items []survey.Standing }](t, r.ask("GET", "/api/v1/units"+query, nil, me).want(t, 200))
			for _, u := range units.Items {
				if !u.Under(partOfTree) {
					t.Errorf("%s sees the unit %s with %q", name, u.Unit, query)
				}
			}
			list := into[struct {
				Items []struct{ Standing survey.Standing }
			}](t, r.ask("GET", "/api/v1/responses"+query, nil, me).want(t, 200))
			for _, response := range list.Items {
				if !response.Standing.Under(partOfTree) {
					t.Errorf("%s sees a response about %s with %q", name, response.Standing.Unit, query)
				}
			}
			own := survey.Policy[survey.OpReadResponses][role] == survey.Own
			if empty := len(list.Items) == 0; query == "" && empty != own {
				t.Errorf("%s sees %d responses", name, len(list.Items))
			}
		}
		// What one may not know of does not exist.
		r.ask("GET", theirs, nil, me).problem(t, 404, "response.unknown")
		r.ask("GET", theirs+"?raw=true", nil, me).problem(t, 404, "response.unknown")
		for _, a := range into[struct{ Items []assignmentJSON }](t, r.ask("GET", "/api/v1/rounds/demo-2018/assignments", nil, me).want(t, 200)).Items {
			standing := r.standing(a.Unit)
			if !standing.Under(partOfTree) {
				t.Errorf("%s sees the assignment of %s", name, a.Unit)
			}
		}
		if survey.Policy[survey.OpReview][role] != survey.Nothing {
			r.ask("POST", theirs+"/review", map[string]string{"decision": "approve"}, me, revision).problem(t, 404, "response.unknown")
		}
		if survey.Policy[survey.OpReadResponses][role] == survey.InScope {
			r.ask("GET", ours, nil, me).want(t, 200)
		} else {
			r.ask("GET", ours, nil, me).problem(t, 404, "response.unknown")
		}
		form := r.form(outside[1], survey.RoleSuperior)
		switch survey.Policy[survey.OpSubmit][role] {
		case survey.InScope:
			r.ask("PUT", newResponse(), form, me).problem(t, 403, "auth.scope")
			r.ask("PUT", theirs, form, me, revision).want(t, 403)
		case survey.Own:
			r.ask("PUT", newResponse(), form, me).problem(t, 403, "visit.not_assigned")
			r.ask("PUT", newResponse(), r.form(inside[1], survey.RoleSuperior), me).problem(t, 403, "visit.not_assigned")
		}
		if survey.Policy[survey.OpSummarize][role] != survey.Nothing {
			got := into[summaryCounts](t, r.ask("GET", "/api/v1/rounds/demo-2018/summary?under=TU", nil, me).want(t, 200))
			if all := into[summaryCounts](t, r.ask("GET", "/api/v1/rounds/demo-2018/summary?under=S0001", nil, r.as("all.admin")).want(t, 200)); got != all || got.Overall.Visits == 0 {
				t.Errorf("%s is told of %+v, the part has %+v", name, got, all)
			}
			none := into[summaryCounts](t, r.ask("GET", "/api/v1/rounds/demo-2018/summary?under=S0002", nil, me).want(t, 200))
			if none.Overall.Visits != 0 || none.Overall.Responses != 0 {
				t.Errorf("%s is told of %+v outside of the scope", name, none)
			}
		}
	}
}

type summaryCounts struct {
	Overall struct {
		Responses, Visits, N int
		InScope              int `json:"in_scope"`
	}
}

func (r *rig) standing(code survey.UnitCode) *survey.Standing {
	r.t.Helper()
	tree, _, err := r.svc.Tree(context.Background())
	ok(r.t, err)
	s, err := tree.Standing(code, 0)
	ok(r.t, err)
	return s
}

// responseAbout gives the address of a response about the unit.
func (r *rig) responseAbout(unit survey.UnitCode) string {
	r.t.Helper()
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Unit: unit}, "") {
		ok(r.t, err)
		return "/api/v1/responses/" + string(change.Doc.ID)
	}
	r.t.Fatalf("no response about %s", unit)
	return ""
}

func TestManagersOfAPartPlanOnlyThatPart(t *testing.T) {
	r := newRig(t)
	outside := r.rated(false)[0]
	manager, admin := r.as("part.manager"), r.as("part.admin")
	round := r.ask("GET", "/api/v1/rounds/demo-2018", nil, manager).want(t, 200)
	revision := header{"If-Match", round.header.Get("Etag")}
	body := into[map[string]any](t, round)

	r.ask("PUT", "/api/v1/rounds/demo-2018", body, manager, revision).problem(t, 403, "auth.round_scope")
	body["scope"] = map[string]any{"under": []string{"S0002"}}
	r.ask("PUT", "/api/v1/rounds/theirs", body, manager).problem(t, 403, "auth.scope")
	body["scope"] = map[string]any{}
	made := into[survey.Round](t, r.ask("PUT", "/api/v1/rounds/ours", body, manager).want(t, 201))
	if len(made.Scope.Under) != 1 || made.Scope.Under[0] != partOfTree {
		t.Errorf("the round is about %v", made.Scope.Under)
	}
	r.ask("PUT", "/api/v1/rounds/ours", body, manager, header{"If-Match", `"1"`}).want(t, 200)

	assignment := map[string]any{"assignments": []any{map[string]any{"template": "SHCB-TK", "unit": string(outside), "role": "superior", "observer": "all.observer"}}}
	r.ask("POST", "/api/v1/rounds/demo-2018/assignments", assignment, manager).problem(t, 403, "auth.scope")

	unit := map[string]any{"code": string(outside), "spans": []any{map[string]any{"name": "Renamed", "parent": "S0002", "structure": "CBCS", "sector": "01", "setting": "AP"}}}
	r.ask("POST", "/api/v1/units", map[string]any{"units": []any{unit}}, admin).problem(t, 403, "auth.scope")
	unit["spans"].([]any)[0].(map[string]any)["parent"] = string(partOfTree) // nor can it be taken over
	r.ask("POST", "/api/v1/units", map[string]any{"units": []any{unit}}, admin).problem(t, 403, "auth.scope")
	unit["code"] = "NEW-1"
	r.ask("POST", "/api/v1/units", map[string]any{"units": []any{unit}}, admin).want(t, 200)
}

func TestObserversSendTheirOwnVisitsAndRespondentsTheirOwnUnit(t *testing.T) {
	r := newRig(t)
	unit := r.rated(false)[0]
	form := r.form(unit, survey.RoleSuperior)
	observer := r.as("all.observer")
	r.ask("PUT", newResponse(), form, observer).problem(t, 403, "visit.not_assigned")
	r.ask("POST", "/api/v1/rounds/demo-2018/assignments", map[string]any{"assignments": []any{
		map[string]any{"template": "SHCB-TK", "unit": string(unit), "role": "superior", "observer": "all.observer"}}}, r.as("all.manager")).want(t, 201)
	if own := into[struct{ Items []assignmentJSON }](t, r.ask("GET", "/api/v1/assignments", nil, observer).want(t, 200)); len(own.Items) != 1 {
		t.Errorf("own assignments %+v", own)
	}
	path := newResponse()
	r.ask("PUT", path, form, observer).want(t, 201)
	r.ask("GET", path, nil, observer).want(t, 200)
	r.ask("GET", path, nil, r.as("part.observer")).problem(t, 404, "response.unknown")
	form["observer"] = "all.manager"
	r.ask("PUT", newResponse(), form, observer).problem(t, 403, "auth.on_behalf")

	r.account(&survey.Person{Name: "secretary", Role: survey.Respondent, Scope: unit})
	secretary := r.as("secretary")
	self := r.form(unit, survey.RoleSelf)
	self["template"] = "HD42"
	if a := r.ask("PUT", newResponse(), self, secretary); a.status == 403 {
		t.Errorf("a respondent may not rate the own unit: %s", a.body)
	}
	r.ask("PUT", newResponse(), r.form(r.rated(false)[1], survey.RoleSelf), secretary).want(t, 403)
}

// A browser sends its cookie from wherever the request is made; only the own
// pages may change anything with it.
func TestASessionChangesNothingFromAnotherSite(t *testing.T) {
	r := newRig(t)
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.admin", "a long password"))
	secret, _, err := r.svc.SignIn(context.Background(), "all.admin", "a long password", "", survey.TokenSession)
	ok(t, err)
	cookie := header{"Cookie", sessionCookie + "=" + secret}
	r.ask("GET", "/api/v1/me", nil, cookie, header{"Sec-Fetch-Site", "cross-site"}).want(t, 200)
	for _, from := range [][]header{nil, {{"Sec-Fetch-Site", "cross-site"}}, {{"Sec-Fetch-Site", "same-site"}}, {{"Origin", "http://evil.example"}}, {{"Origin", "null"}}} {
		for route, path := range bodyRoutes(r.server) {
			if strings.Contains(path, "sign-in") || strings.HasPrefix(path, "/openrosa/") {
				continue // a cookie opens neither
			}
			r.ask(strings.Fields(route)[0], path, "{}", append([]header{cookie}, from...)...).problem(t, 403, "auth.other_site")
		}
	}
	r.ask("POST", "/sign-in", "name=all.admin&password=a+long+password", header{"Sec-Fetch-Site", "cross-site"}).problem(t, 403, "auth.other_site")
	r.ask("POST", "/api/v1/sign-out", nil, cookie, header{"Origin", r.url}).want(t, 204)
	r.ask("GET", "/api/v1/me", nil, cookie).problem(t, 401, "auth.required")
}

func TestTheSessionCookieIsOutOfReachOfScripts(t *testing.T) {
	r := newRig(t)
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.admin", "a long password"))
	signIn := func(next string) *answer {
		return r.ask("POST", "/sign-in", "name=all.admin&password=a+long+password&next="+next,
			header{"Sec-Fetch-Site", "same-origin"}, header{"Content-Type", "application/x-www-form-urlencoded"}).want(t, 303)
	}
	cookies := (&http.Response{Header: signIn("/rounds/demo-2018").header}).Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || time.Until(cookies[0].Expires) < 13*24*time.Hour {
		t.Errorf("cookies %+v", cookies)
	}
	for next, want := range map[string]string{"/rounds/demo-2018": "/rounds/demo-2018", "https://evil.example": "/", "//evil.example": "/", "/%5Cevil.example": "/", "": "/", "/%0d%0aX: y": "/", "/%09/evil.example": "/"} {
		if got := signIn(next).header.Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}
