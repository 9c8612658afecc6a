package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

func TestASummaryIsTheOneOfTheService(t *testing.T) {
	r := newRig(t)
	for query, q := range map[string]scoring.Query{
		"":                                    {},
		"by=structure&items=true&role=second": {By: scoring.ByStructure, Items: true, Role: survey.RoleSecond},
		"by=superior:1&under=S0001,S0002&state=approved&from=2018-01-05&to=2018-01-20": {By: "superior:1", Filter: scoring.Filter{
			Under: []survey.UnitCode{"S0001", "S0002"}, States: []survey.ReviewState{survey.StateApproved}, From: survey.MustDate("2018-01-05"), To: survey.MustDate("2018-01-20")}},
		"by=setting&sector=01&sector=02&by_response=true&tag=CPH&structure=CBCS&setting=CC": {By: scoring.BySetting, ByResponse: true, Filter: scoring.Filter{
			Sectors: []string{"01", "02"}, Tags: []string{"CPH"}, Structures: []string{"CBCS"}, Settings: []string{"CC"}}},
		"template=KS-TCHD&by=observer&observer=x&period=2018-01": {Template: "KS-TCHD", By: scoring.ByObserver, Filter: scoring.Filter{
			Observers: []survey.PersonID{"x"}, Periods: []string{"2018-01"}}},
	} {
		got := into[map[string]any](t, r.ask("GET", "/api/v1/rounds/demo-2018/summary?"+query, nil, r.as("all.analyst")).want(t, 200))
		sum, err := r.svc.Summary(context.Background(), service.Caller{Person: r.people["all.analyst"]}, "demo-2018", q)
		ok(t, err)
		if sum.Versions == nil {
			sum.Versions = []int{}
		}
		b, err := json.Marshal(sum.Summary)
		ok(t, err)
		var want map[string]any
		ok(t, json.Unmarshal(b, &want))
		for key, value := range want {
			a, _ := json.Marshal(got[key])
			if b, _ := json.Marshal(value); !bytes.Equal(a, b) {
				t.Errorf("%q: %s is\n%s, of the service\n%s", query, key, clip(a), clip(b))
			}
		}
	}
}

func TestTheWorkbookOpens(t *testing.T) {
	r := newRig(t)
	sheets := map[string]string{}
	for _, lang := range []string{"vi", "en"} {
		a := r.ask("GET", "/api/v1/rounds/demo-2018/export.xlsx?lang="+lang, nil, r.as("all.analyst")).want(t, 200)
		if got := a.header.Get("Content-Disposition"); got != `attachment; filename="demo-2018.xlsx"; filename*=UTF-8''demo-2018.xlsx` {
			t.Errorf("disposition %q", got)
		}
		f, err := excelize.OpenReader(bytes.NewReader(a.body))
		ok(t, err)
		sheets[lang] = strings.Join(f.GetSheetList(), ", ")
		rows, err := f.GetRows(f.GetSheetList()[0])
		ok(t, err)
		if len(rows) < 5 {
			t.Errorf("%d rows", len(rows))
		}
		ok(t, f.Close())
	}
	if sheets["vi"] == sheets["en"] {
		t.Errorf("the same sheets in both languages: %s", sheets["vi"])
	}
	r.ask("GET", "/api/v1/rounds/demo-2018/export.xlsx?lang=fr", nil, r.as("all.analyst")).problem(t, 422, "export.language")
}

func TestErrorsSpeakTheLanguageAskedFor(t *testing.T) {
	r := newRig(t)
	for _, language := range []string{"vi", "en"} {
		r.account(&survey.Person{Name: "speaks." + language, Role: survey.Admin, Language: language})
	}
	for name, c := range map[string]struct {
		account, query, want string
		headers              []header
	}{
		"nothing said":             {"all.admin", "", "vi", nil},
		"the client's language":    {"all.admin", "", "en", header1("Accept-Language", "en-GB,en;q=0.9,vi;q=0.5")},
		"one that is not spoken":   {"all.admin", "", "vi", header1("Accept-Language", "fr")},
		"the account's goes first": {"speaks.vi", "", "vi", header1("Accept-Language", "en")},
		"the account's alone":      {"speaks.en", "", "en", nil},
		"the address above all":    {"speaks.vi", "?lang=en", "en", header1("Accept-Language", "vi")},
		"the browser's switch":     {"speaks.vi", "", "en", header1("Cookie", "khaosat_lang=en")},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.ask("GET", "/api/v1/rounds/nowhere"+c.query, nil, append(c.headers, r.as(c.account))...).problem(t, 404, "round.unknown")
			if got := map[bool]string{true: "vi", false: "en"}[p.Title == "Không tìm thấy"]; got != c.want {
				t.Errorf("%s speaks %s: %+v", name, got, p)
			}
		})
	}
}

func TestARequestKeepsItsID(t *testing.T) {
	r := newRig(t)
	a := r.ask("GET", "/healthz", nil, header{"X-Request-ID", "abc-1_2.3"})
	if got := a.header.Get("X-Request-ID"); got != "abc-1_2.3" {
		t.Errorf("id %q", got)
	}
	for _, odd := range []string{"", strings.Repeat("a", 65), "a b", `"><script>`, "é"} {
		a := r.ask("GET", "/healthz", nil, header{"X-Request-ID", odd})
		if got := a.header.Get("X-Request-ID"); got == odd || len(got) != 36 {
			t.Errorf("id %q for %q", got, odd)
		}
	}
	p := r.ask("GET", "/api/v1/nowhere", nil, header{"X-Request-ID", "find-me"}).problem(t, 404, "page.unknown")
	if p.RequestID != "find-me" || !strings.Contains(r.logged.String(), "id=find-me") {
		t.Errorf("problem %+v", p)
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	r := newRig(t)
	const password = "correct-horse-battery"
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.admin", password))
	signedIn := into[struct{ Token string }](t, r.ask("POST", "/api/v1/sign-in", map[string]string{"name": "all.admin", "password": password}).want(t, 200))
	bearer := header{"Authorization", "Bearer " + signedIn.Token}
	r.ask("GET", "/api/v1/me?token="+signedIn.Token, nil, bearer).problem(t, 422, "request.parameter")
	r.ask("POST", "/api/v1/sign-in", map[string]string{"name": "all.admin", "password": password + "x"}).want(t, 401)
	r.ask("POST", "/api/v1/sign-in", `{"name": 1, "password": "`+password+`"}`).want(t, 422)
	page := r.ask("POST", "/sign-in", "name=all.admin&password="+password, header{"Sec-Fetch-Site", "same-origin"}, header{"Content-Type", "application/x-www-form-urlencoded"}).want(t, 303)
	session := (&http.Response{Header: page.header}).Cookies()[0].Value
	r.ask("GET", "/api/v1/"+signedIn.Token, nil, bearer).want(t, 404)
	r.ask("POST", "/api/v1/sign-out", nil, bearer).want(t, 204)
	logged := r.logged.String()
	if !strings.Contains(logged, "route=/api/v1/sign-in status=200") {
		t.Error("the requests are not logged")
	}
	for name, secret := range map[string]string{"password": password, "token": signedIn.Token, "session": session, "test token": r.tokens["all.admin"]} {
		if strings.Contains(logged, secret) {
			t.Errorf("the %s is in the log", name)
		}
	}
	// Nor are they shown again.
	for _, path := range []string{"/api/v1/me", "/metrics"} {
		a := r.ask("GET", path, nil, r.as("all.admin")).want(t, 200)
		if bytes.Contains(a.body, []byte(password)) || bytes.Contains(a.body, []byte("argon2")) || bytes.Contains(a.body, []byte(signedIn.Token)) {
			t.Errorf("%s shows a secret", path)
		}
	}
}

func TestOperatorsAreToldHowItGoes(t *testing.T) {
	r := newRig(t)
	r.ask("GET", "/healthz", nil).want(t, 200)
	r.ask("GET", "/readyz", nil).want(t, 200)
	r.ask("PUT", newResponse(), r.form(r.rated(true)[0], survey.RoleSuperior), r.as("all.admin")).want(t, 201)
	metrics := string(r.ask("GET", "/metrics", nil).want(t, 200).body)
	for _, line := range []string{
		`khaosat_http_requests_total{method="PUT",route="/api/v1/responses/:id",status="201"} 1`,
		`khaosat_responses_total{outcome="submitted",source="api"} 1`,
		`khaosat_build_info{version="test"} 1`,
		`khaosat_http_request_seconds_count{route="/healthz"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no line %s", line)
		}
	}
	ok(t, r.svc.Store().Close())
	a := r.ask("GET", "/readyz", nil)
	a.problem(t, 503, "store.closed")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	r.ask("GET", "/healthz", nil).want(t, 200)
}

func TestPagesAreSafeAndInBothLanguages(t *testing.T) {
	r := newRig(t)
	html := header{"Accept", "text/html"}
	if a := r.ask("GET", "/rounds/demo-2018?by=tag", nil, html).want(t, 303); a.header.Get("Location") != "/sign-in?next=%2Frounds%2Fdemo-2018%3Fby%3Dtag" {
		t.Errorf("leads to %q", a.header.Get("Location"))
	}
	for path, words := range map[string]map[string]string{
		"/sign-in":                       {"vi": "Đăng nhập", "en": "Sign in"},
		"/":                              {"vi": "Dự sinh hoạt chi bộ 2018", "en": "Chapter meeting visits 2018"},
		"/rounds/demo-2018?by=structure": {"vi": "Chi bộ cơ sở", "en": "Stand-alone chapter"},
		"/api":                           {"vi": "openapi.yaml", "en": "openapi.yaml"},
	} {
		for lang, word := range words {
			a := r.ask("GET", path, nil, html, r.as("all.analyst"), header{"Accept-Language", lang}).want(t, 200)
			body := string(a.body)
			if !strings.Contains(body, word) || !strings.Contains(body, `<html lang="`+lang+`">`) || a.header.Get("Content-Language") != lang {
				t.Errorf("%s in %s: %s", path, lang, clip(a.body))
			}
			if strings.Contains(body, "<script") || strings.Contains(body, "style=") || strings.Contains(body, "<no value>") || strings.Contains(body, "%!") {
				t.Errorf("%s has what it should not", path)
			}
			if !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'self'") || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: headers %v", path, a.header)
			}
		}
	}
	a := r.ask("GET", "/rounds/nowhere?x=%3Cscript%3E", nil, html, r.as("all.analyst")).want(t, 404)
	if !strings.Contains(string(a.body), a.header.Get("X-Request-ID")) || strings.Contains(string(a.body), "<script") {
		t.Errorf("error page %s", a.body)
	}
	for _, query := range []string{"by=colour", "role=chief", "template=X", "from=x"} {
		r.ask("GET", "/rounds/demo-2018?"+query, nil, html, r.as("all.analyst")).want(t, 422)
	}
}

func TestTheLanguageSwitchKeepsThePageAndIsKept(t *testing.T) {
	r := newRig(t)
	a := r.ask("GET", "/rounds/demo-2018?by=structure&lang=en", nil, header{"Accept", "text/html"}, r.as("all.analyst")).want(t, 200)
	if !strings.Contains(string(a.body), `href="/rounds/demo-2018?by=structure&amp;lang=vi"`) {
		t.Errorf("the switch forgets the page: %s", clip(a.body))
	}
	cookies := (&http.Response{Header: a.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != languageCookie || cookies[0].Value != "en" {
		t.Errorf("cookies %+v", cookies)
	}
}
