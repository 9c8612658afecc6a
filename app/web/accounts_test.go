package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

var (
	fromPage = []header{{"Sec-Fetch-Site", "same-origin"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "text/html"}}
	asBrowse = header{"Accept", "text/html"}
)

// send sends a page's form.
func (r *rig) send(path string, form url.Values, headers ...header) *answer {
	r.t.Helper()
	return r.ask("POST", path, form.Encode(), append(append([]header(nil), fromPage...), headers...)...)
}

// invite makes an invitation and gives the path of its link.
func (r *rig) invite(name string) string {
	r.t.Helper()
	made, err := r.svc.Invite(context.Background(), service.Operator(), []string{name})
	ok(r.t, err)
	return "/invitation/" + made[0].Secret
}

// cookies gives the cookies that an answer sets, by name.
func cookies(a *answer) map[string]*http.Cookie {
	out := map[string]*http.Cookie{}
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		out[c.Name] = c
	}
	return out
}

func withCookies(pairs ...string) header {
	var all []string
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, pairs[i]+"="+pairs[i+1])
	}
	return header{"Cookie", strings.Join(all, "; ")}
}

// isSignedIn reports whose session it is, "" if nobody's.
func (r *rig) isSignedIn(session string) string {
	r.t.Helper()
	a := r.ask("GET", "/api/v1/me", nil, withCookies(sessionCookie, session))
	if a.status != 200 {
		return ""
	}
	return into[personJSON](r.t, a).Name
}

// press opens an invitation in a browser that has no cookies and presses the button.
func (r *rig) press(path string) (session, browser string, a *answer) {
	r.t.Helper()
	browser = cookies(r.ask("GET", path, nil, asBrowse).want(r.t, 200))[browserCookie].Value
	a = r.send(path, nil, withCookies(browserCookie, browser))
	if c := cookies(a)[sessionCookie]; c != nil {
		session = c.Value
	}
	return session, browser, a
}

func TestAnInvitationIsUsedUpByThePressAlone(t *testing.T) {
	r := newRig(t)
	path := r.invite("all.observer")
	for _, agent := range []string{"facebookexternalhit/1.1", "ZaloPC-win32-24v500", "WhatsApp/2.23", "Mozilla/5.0 (Linux; Android 13) Chrome/120", ""} {
		a := r.ask("GET", path, nil, asBrowse, header{"User-Agent", agent}).want(t, 200)
		if cookies(a)[sessionCookie] != nil || a.header.Get("Cache-Control") != "no-store" || !strings.Contains(string(a.body), `<form method="post"`) {
			t.Errorf("%s is shown %s", agent, clip(a.body))
		}
		r.ask("HEAD", path, nil)
	}
	r.ask("POST", path, "", header{"Sec-Fetch-Site", "cross-site"}).problem(t, 403, "auth.other_site")
	r.ask("POST", path, "", fromPage[0]).problem(t, 422, "invitation.no_cookies")

	session, browser, a := r.press(path)
	a.want(t, 303)
	if got := r.isSignedIn(session); got != "all.observer" {
		t.Fatalf("signed in as %q", got)
	}
	if c := cookies(a)[sessionCookie]; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || time.Until(c.Expires) < 89*24*time.Hour {
		t.Errorf("cookie %+v", c)
	}
	// The answer may have got lost: the same browser may ask again, no other.
	again := r.send(path, nil, withCookies(browserCookie, browser)).want(t, 303)
	if r.isSignedIn(cookies(again)[sessionCookie].Value) != "all.observer" {
		t.Error("the phone that asked again is not signed in")
	}
	for _, other := range [][]header{nil, {withCookies(browserCookie, "another")}} {
		a := r.send(path, nil, other...)
		a.want(t, 410)
		if !strings.Contains(string(a.body), "đã được dùng") || cookies(a)[sessionCookie] != nil {
			t.Errorf("another phone is told %s", clip(a.body))
		}
	}
	r.ask("GET", path, nil, asBrowse).want(t, 410)
	if strings.Contains(r.logged.String(), strings.TrimPrefix(path, "/invitation/")) || !strings.Contains(r.logged.String(), "route=/invitation/:secret") {
		t.Error("the log has the secret, or not the route")
	}
}

func TestOfTwoPhonesThatPressAtOnceOneIsSignedIn(t *testing.T) {
	r := newRig(t)
	for range 5 {
		path := r.invite("all.observer")
		var wait sync.WaitGroup
		status := make([]int, 6)
		for i := range status {
			wait.Go(func() {
				a, err := r.try("POST", path, "", append([]header{withCookies(browserCookie, survey.NewID())}, fromPage...)...)
				if err == nil {
					status[i] = a.status
				}
			})
		}
		wait.Wait()
		in := 0
		for _, s := range status {
			if s == 303 {
				in++
			} else if s != 410 {
				t.Errorf("status %d", s)
			}
		}
		if in != 1 {
			t.Errorf("%d phones were signed in: %v", in, status)
		}
	}
}

func TestAnInvitationThatDoesNotWorkSaysWhy(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	replaced := r.invite("all.observer")
	newest := r.invite("all.observer")
	r.account(&survey.Person{Name: "gone", Role: survey.Observer})
	disabled := r.invite("gone")
	ok(t, r.svc.SetDisabled(ctx, service.Operator(), "gone", true))
	old := service.NewSecret()
	ok(t, r.svc.Store().CreateToken(ctx, &survey.Token{Hash: survey.HashRaw([]byte(old)), Person: r.people["all.observer"].ID, Purpose: survey.TokenInvitation,
		Created: time.Now().Add(-8 * 24 * time.Hour), Expires: time.Now().Add(-24 * time.Hour)}))
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/invitation/nonsense":                    {404, "invitation.unknown"},
		"/invitation/" + r.tokens["all.observer"]: {404, "invitation.unknown"}, // a token of another purpose
		replaced:             {410, "invitation.revoked"},
		disabled:             {410, "invitation.revoked"},
		"/invitation/" + old: {410, "invitation.expired"},
		"/setup/" + strings.TrimPrefix(newest, "/invitation/"): {404, "setup.unknown"},
	} {
		r.ask("GET", path, nil).problem(t, want.status, want.code)
		r.ask("POST", path, "", fromPage[0], withCookies(browserCookie, "b")).problem(t, want.status, want.code)
	}
	r.ask("GET", newest, nil, asBrowse).want(t, 200)
	r.ask("GET", strings.ToUpper(newest), nil, asBrowse).want(t, 200) // typed from paper
	if _, err := r.svc.Invite(ctx, service.Operator(), []string{"gone"}); survey.CodeOf(err) != "invitation.disabled" {
		t.Errorf("a disabled account was invited: %v", err)
	}
}

func TestAPhoneStaysSignedInUntilItsLastRoundCloses(t *testing.T) {
	r := newRig(t)
	ctx, operator := context.Background(), service.Operator()
	round, err := r.svc.Round(ctx, operator, "demo-2018")
	ok(t, err)
	far := survey.DateOf(time.Now().AddDate(0, 5, 0))
	open := *round
	open.Code, open.Rev, open.Closes, open.Closed = "far", 0, far, false
	ok(t, r.svc.SaveRound(ctx, operator, &open))
	ok(t, r.svc.Assign(ctx, operator, []*survey.Assignment{{ID: survey.AssignmentID(survey.NewID()), Observer: r.people["all.observer"].ID,
		VisitKey: survey.VisitKey{Round: "far", Template: open.Templates[0].Code, Unit: r.rated(true)[0], Role: survey.RoleObserver}}}))
	_, _, a := r.press(r.invite("all.observer"))
	want := time.Date(far.Time().Year(), far.Time().Month(), far.Time().Day()+1, 0, 0, 0, 0, open.Location())
	if got := cookies(a)[sessionCookie].Expires; !got.Equal(want) {
		t.Errorf("signed in until %s, the round closes at the end of %s", got, far)
	}
}

func TestAppsWithABrowserOfTheirOwnAreNamed(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Linux; Android 12; SM-A125F; wv) AppleWebKit/537.36 Chrome/114 Mobile Safari/537.36 Zalo android/12110512 ZaloTheme/light": "Zalo",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Mobile/15E148 Zalo iOS/620 ZaloLanguage/vn":                      "Zalo",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 16_6) Mobile/15E148 [FBAN/MessengerForiOS;FBAV/428]":                                                 "Messenger",
		"Mozilla/5.0 (Linux; Android 13; wv) Chrome/119 Mobile [FB_IAB/Orca-Android;FBAV/437;]":                                                  "Messenger",
		"Mozilla/5.0 (Linux; Android 13; wv) Chrome/119 Mobile [FB_IAB/FB4A;FBAV/441;]":                                                          "Facebook",
		"Mozilla/5.0 (Linux; Android 11; vivo 1906; wv) AppleWebKit/537.36 Version/4.0 Chrome/101 Mobile":                                        "app",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/124.0.0.0 Mobile Safari/537.36":                                            "",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1":                    "",
		"": "",
	} {
		if got := innerBrowser(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
	r := newRig(t)
	path := r.invite("all.observer")
	inside := string(r.ask("GET", path, nil, asBrowse, header{"User-Agent", "Mozilla/5.0 (Linux; Android 12; wv) Chrome/114 Zalo android/121"}).want(t, 200).body)
	if !strings.Contains(inside, "bên trong Zalo") || !strings.Contains(inside, `href="intent://`) {
		t.Errorf("no advice inside Zalo: %s", inside)
	}
	if outside := string(r.ask("GET", path, nil, asBrowse, header{"User-Agent", "Mozilla/5.0 (Linux; Android 10; K) Chrome/124 Mobile Safari/537.36"}).want(t, 200).body); strings.Contains(outside, "intent://") {
		t.Error("advice in a real browser")
	}
}

// A secret that somebody else put into the browser must not become a session,
// and the session that was there before ends.
func TestSigningInAlwaysMakesANewSession(t *testing.T) {
	r := newRig(t)
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.admin", "a long password"))
	signIn := func(cookie string) string {
		a := r.send("/sign-in", url.Values{"name": {"all.admin"}, "password": {"a long password"}}, withCookies(sessionCookie, cookie), header{"User-Agent", "Mozilla/5.0 (Linux; Android 10; K) Chrome/124"}).want(t, 303)
		return cookies(a)[sessionCookie].Value
	}
	planted := service.NewSecret()
	first := signIn(planted)
	if first == planted || r.isSignedIn(planted) != "" || r.isSignedIn(first) != "all.admin" {
		t.Error("a planted session was taken over")
	}
	second := signIn(first)
	if second == first || r.isSignedIn(first) != "" || r.isSignedIn(second) != "all.admin" {
		t.Error("the session before goes on")
	}
	_, browser, _ := r.press(r.invite("all.observer"))
	path := r.invite("all.observer")
	a := r.send(path, nil, withCookies(browserCookie, browser, sessionCookie, second)).want(t, 303)
	if r.isSignedIn(second) != "" || r.isSignedIn(cookies(a)[sessionCookie].Value) != "all.observer" {
		t.Error("an invitation leaves the session of the one before")
	}
}

func TestDevicesAreSeenAndSignedOut(t *testing.T) {
	r := newRig(t)
	phone, _, _ := r.press(r.invite("all.observer"))
	lost, _, _ := r.press(r.invite("all.observer"))
	r.ask("GET", "/account", nil, asBrowse, withCookies(sessionCookie, lost)).want(t, 200)
	devices, err := r.svc.Devices(context.Background(), service.Operator(), "all.observer", lost)
	ok(t, err)
	var id string
	for _, d := range devices {
		if d.This {
			id = d.ID
		}
	}
	page := string(r.ask("GET", "/account", nil, asBrowse, withCookies(sessionCookie, phone)).want(t, 200).body)
	if !strings.Contains(page, "/account/devices/"+id+"/sign-out") {
		t.Errorf("the lost phone is not listed: %s", clip([]byte(page)))
	}
	// Not somebody else's.
	r.send("/account/devices/"+id+"/sign-out", nil, r.as("part.observer")).want(t, 303)
	if r.isSignedIn(lost) == "" {
		t.Fatal("somebody else signed the phone out")
	}
	r.send("/account/devices/"+id+"/sign-out", nil, withCookies(sessionCookie, phone)).want(t, 303)
	if r.isSignedIn(lost) != "" || r.isSignedIn(phone) != "all.observer" {
		t.Error("the wrong phone is signed out")
	}
	r.send("/people/all.observer/devices/"+tokenID(phone)+"/sign-out", nil, r.as("all.admin")).want(t, 303)
	if r.isSignedIn(phone) != "" {
		t.Error("an admin could not sign the phone out")
	}
}

func tokenID(secret string) string { return survey.HashRaw([]byte(secret))[:16] }

func TestTheFirstAccountIsMadeByALinkThatWorksOnce(t *testing.T) {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "store"), sqlite.Options{})
	ok(t, err)
	svc := service.New(store, service.Options{})
	r := &rig{t: t, svc: svc, logged: &logBuffer{}, tokens: map[string]string{}, people: map[string]*survey.Person{}}
	r.serve(store)
	if body := string(r.ask("GET", "/sign-in", nil, asBrowse).want(t, 200).body); !strings.Contains(body, "chưa có tài khoản") {
		t.Error("nobody is told that there are no accounts")
	}
	secret, err := svc.MakeSetup(ctx)
	ok(t, err)
	other, err := svc.MakeSetup(ctx)
	ok(t, err)
	path := "/setup/" + secret
	r.ask("GET", path, nil, asBrowse).want(t, 200)
	r.ask("GET", "/setup/nonsense", nil).problem(t, 404, "setup.unknown")
	// What is wrong is told, and the link still works.
	for _, wrong := range []url.Values{{"name": {"Quản trị"}, "password": {"a long password"}}, {"name": {"admin"}, "password": {"short"}}, {"name": {"admin"}}} {
		a := r.send(path, wrong).want(t, 422)
		if !strings.Contains(string(a.body), `class="problem"`) {
			t.Errorf("%v: %s", wrong, clip(a.body))
		}
	}
	a := r.send(path, url.Values{"name": {"Admin "}, "full_name": {"Trần Văn Quản"}, "password": {"a long password"}}).want(t, 303)
	if got := r.isSignedIn(cookies(a)[sessionCookie].Value); got != "admin" {
		t.Errorf("signed in as %q", got)
	}
	p, err := store.PersonByName(ctx, "admin")
	ok(t, err)
	if p.Role != survey.Admin || p.Scope != "" || p.FullName != "Trần Văn Quản" {
		t.Errorf("made %+v", p)
	}
	for _, dead := range []string{secret, other} {
		r.ask("GET", "/setup/"+dead, nil).problem(t, 410, "setup.used")
		r.send("/setup/"+dead, url.Values{"name": {"second"}, "password": {"a long password"}}).want(t, 410)
	}
	if none, err := svc.MakeSetup(ctx); err != nil || none != "" {
		t.Errorf("a further set-up link was made: %v", err)
	}
	if strings.Contains(r.logged.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestAnAdminOfAPartManagesOnlyThatPart(t *testing.T) {
	r := newRig(t)
	part, all := r.as("part.admin"), r.as("all.admin")
	list := string(r.ask("GET", "/people", nil, asBrowse, part).want(t, 200).body)
	if !strings.Contains(list, "/people/part.observer") || strings.Contains(list, "/people/all.observer") {
		t.Error("the list is not that of the part")
	}
	r.ask("GET", "/people/all.admin", nil, part).problem(t, 404, "person.unknown")
	for path, form := range map[string]url.Values{
		"/people/all.admin": {"role": {"observer"}}, "/people/all.admin/password": {"password": {"a long password"}},
		"/people/all.observer/disabled": {"disabled": {"true"}}, "/people/invitations": {"name": {"all.admin"}},
		"/people/all.admin/devices/" + tokenID(r.tokens["all.admin"]) + "/sign-out": {},
	} {
		r.send(path, form, part).want(t, 404)
	}
	r.ask("GET", "/api/v1/me", nil, all).want(t, 200)
	for _, scope := range []string{"", "S0002"} {
		a := r.send("/people", url.Values{"name": {"wider"}, "role": {"admin"}, "scope": {scope}}, part).want(t, 422)
		if !strings.Contains(string(a.body), "phải nằm trong phạm vi") {
			t.Errorf("scope %q: %s", scope, clip(a.body))
		}
		r.send("/people/part.observer", url.Values{"role": {"observer"}, "scope": {scope}}, part).want(t, 422)
	}
	r.send("/people", url.Values{"name": {"theirs"}, "role": {"observer"}, "scope": {string(partOfTree)}}, part).want(t, 303)
	// Nobody locks themselves out, or lets themselves in.
	r.send("/people/part.admin", url.Values{"role": {"observer"}, "scope": {string(partOfTree)}}, part).want(t, 403)
	r.send("/people/part.admin/disabled", url.Values{"disabled": {"true"}}, part).want(t, 403)
}

func TestPeopleAreAddedChangedAndFound(t *testing.T) {
	r := newRig(t)
	admin := r.as("all.admin")
	a := r.send("/people", url.Values{"name": {"Nguyễn"}, "role": {"chief"}, "scope": {"NOWHERE"}, "password": {"short"}, "full_name": {`<b>"Ánh"</b>`}}, admin).want(t, 422)
	for _, part := range []string{"không hợp lệ", "Không có vai trò", "NOWHERE", "ít nhất 8", "&lt;b&gt;"} {
		if !strings.Contains(string(a.body), part) {
			t.Errorf("not told %q", part)
		}
	}
	r.send("/people", url.Values{"name": {"nguyen.anh"}, "role": {"observer"}, "full_name": {"Nguyễn Thị Ánh"}, "home": {" s0001"}, "scope": {strings.ToUpper(r.standing("S0002").Name)}}, admin).want(t, 303)
	r.send("/people", url.Values{"name": {"nguyen.anh"}, "role": {"observer"}}, admin).want(t, 409)
	for query, found := range map[string]bool{"q=anh+nguyen": true, "q=%C3%81NH": true, "q=s0001+anh&role=observer&state=active": true, "q=anh&role=admin": false, "q=anh&state=disabled": false, "q=khong": false} {
		body := string(r.ask("GET", "/people?"+query, nil, asBrowse, admin).want(t, 200).body)
		if strings.Contains(body, "/people/nguyen.anh") != found {
			t.Errorf("%s: found is not %v", query, found)
		}
	}
	// A unit may be given by its name, or its code as people type it.
	if p := r.names()["nguyen.anh"]; p.Home != "S0001" || p.Scope != "S0002" {
		t.Errorf("home %q, scope %q", p.Home, p.Scope)
	}
	page := string(r.ask("GET", "/people/nguyen.anh", nil, asBrowse, admin).want(t, 200).body)
	rev := regexp.MustCompile(`name="rev" value="(\d+)"`).FindStringSubmatch(page)
	if rev == nil {
		t.Fatal("the page has no revision")
	}
	r.send("/people/nguyen.anh", url.Values{"rev": {rev[1]}, "role": {"reviewer"}, "full_name": {"Nguyễn Ánh"}, "language": {"en"}}, admin).want(t, 303)
	r.send("/people/nguyen.anh", url.Values{"rev": {rev[1]}, "role": {"admin"}}, admin).want(t, 412)
	p, err := r.svc.PersonByName(context.Background(), "nguyen.anh")
	ok(t, err)
	last := p.Events[len(p.Events)-1]
	if p.Role != survey.Reviewer || p.FullName != "Nguyễn Ánh" || last.Action != "person.changed" || last.By != r.people["all.admin"].ID || last.Detail["role"] != "observer → reviewer" {
		t.Errorf("changed to %+v", p)
	}
	// A new password is shown once, opens the account, and closes what was open.
	session, _, _ := r.press(r.invite("nguyen.anh"))
	shown := r.send("/people/nguyen.anh/password", nil, admin).want(t, 200)
	password := regexp.MustCompile(`<code class="secret">([^<]+)</code>`).FindSubmatch(shown.body)
	if password == nil || shown.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("no password in %s", clip(shown.body))
	}
	if r.isSignedIn(session) != "" {
		t.Error("the phone is still signed in")
	}
	signedIn := r.send("/sign-in", url.Values{"name": {"nguyen.anh"}, "password": {string(password[1])}}).want(t, 303)
	r.send("/people/nguyen.anh/disabled", url.Values{"disabled": {"true"}}, admin).want(t, 303)
	if r.isSignedIn(cookies(signedIn)[sessionCookie].Value) != "" {
		t.Error("a disabled account is signed in")
	}
	r.send("/sign-in", url.Values{"name": {"nguyen.anh"}, "password": {string(password[1])}}).want(t, 401)
}

func TestChoicesOfDisplayFollowThePerson(t *testing.T) {
	r := newRig(t)
	me := r.as("all.observer")
	r.send("/account/display", url.Values{"language": {"en"}, "theme": {"dark"}, "text": {"larger"}, "form": {"whole"}}, me).want(t, 303)
	if body := string(r.ask("GET", "/account", nil, asBrowse, me).want(t, 200).body); !strings.Contains(body, `<html lang="en" data-theme="dark" data-text="larger">`) {
		t.Errorf("the page begins %s", body[:200])
	}
	r.send("/account/display", url.Values{"theme": {"pink"}}, me).want(t, 422)
	// Another page may offer one choice alone.
	if a := r.send("/account/display", url.Values{"form": {"sections"}, "next": {"/rounds/x"}}, me).want(t, 303); a.header.Get("Location") != "/rounds/x" {
		t.Errorf("leads to %s", a.header.Get("Location"))
	}
	p, err := r.svc.PersonByName(context.Background(), "all.observer")
	ok(t, err)
	if want := (survey.Display{Theme: "dark", Text: "larger", Form: "sections"}); p.Display != want || p.Language != "en" {
		t.Errorf("keeps %+v", p.Display)
	}

	// The own password asks for the old one, and ends the other sessions.
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.analyst", "a long password"))
	session := func() string {
		return cookies(r.send("/sign-in", url.Values{"name": {"all.analyst"}, "password": {"a long password"}}).want(t, 303))[sessionCookie].Value
	}
	mine, other := session(), session()
	change := func(old, new string) *answer {
		return r.send("/account/password", url.Values{"old": {old}, "new": {new}}, withCookies(sessionCookie, mine))
	}
	change("wrong", "another long one").want(t, 422)
	change("a long password", "short").want(t, 422)
	change("a long password", "another long one").want(t, 303)
	if r.isSignedIn(mine) != "all.analyst" || r.isSignedIn(other) != "" {
		t.Error("the wrong sessions ended")
	}
	r.send("/account/password", url.Values{"old": {""}, "new": {"another long one"}}, me).want(t, 422)
}

func TestGuessingIsSlowedDownInAllProcessesTogether(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	guess := func(name, password string) *answer {
		return r.ask("POST", "/api/v1/sign-in", map[string]string{"name": name, "password": password})
	}
	guess("admin", service.DemoPassword).want(t, 200)
	for range 5 {
		guess("admin", "guess").problem(t, 401, "auth.refused")
	}
	wait := guess("admin", service.DemoPassword).problem(t, 429, "auth.too_many")
	if !strings.Contains(wait.Detail, "giây") {
		t.Errorf("told %q", wait.Detail)
	}
	// Another process, or this one after a restart, knows.
	other := service.New(r.svc.Store(), service.Options{})
	if _, _, err := other.SignIn(ctx, "ADMIN ", service.DemoPassword, "127.0.0.1", survey.TokenAPI); survey.CodeOf(err) != "auth.too_many" {
		t.Errorf("another process lets the guessing go on: %v", err)
	}
	// Addresses are believed from proxies only.
	r.ask("POST", "/api/v1/sign-in", map[string]string{"name": "admin", "password": "guess"}, header{"X-Forwarded-For", "203.0.113.9"}).problem(t, 429, "auth.too_many")
	// Its owner is elsewhere and gets in; another account here does, too.
	if _, _, err := other.SignIn(ctx, "admin", service.DemoPassword, "203.0.113.7", survey.TokenAPI); err != nil {
		t.Errorf("the owner is shut out: %v", err)
	}
	guess("analyst", service.DemoPassword).want(t, 200)
	// Many at once are no more than many in turn.
	var wg sync.WaitGroup
	refused := make(chan string, 40)
	for range 40 {
		wg.Go(func() {
			_, _, err := other.SignIn(ctx, "observer", "guess", "203.0.113.8", survey.TokenAPI)
			refused <- survey.CodeOf(err)
		})
	}
	wg.Wait()
	close(refused)
	count := map[string]int{}
	for code := range refused {
		count[code]++
	}
	if count["auth.refused"] > 5 || count["auth.refused"]+count["auth.too_many"] != 40 {
		t.Errorf("of 40 guesses at once %v", count)
	}
	// One address that tries many names is slowed down too.
	late := 0
	for i := range 40 {
		if _, _, err := other.SignIn(ctx, fmt.Sprint("name", i), "guess", "203.0.113.10", survey.TokenAPI); survey.CodeOf(err) == "auth.too_many" {
			late++
		}
	}
	if late < 5 {
		t.Errorf("only %d of 40 names were refused", late)
	}
}

// The pages as people see them; KHAOSAT_PICTURES keeps the pictures.
func TestAccountPagesFitAPhone(t *testing.T) {
	r := newRig(t)
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.admin", "a long password"))
	secret, _, err := r.svc.SignIn(context.Background(), "all.admin", "a long password", "", survey.TokenSession)
	ok(t, err)
	b := browsertest.Shared(t)
	for name, o := range map[string]browsertest.Options{"360": {}, "360-dark": {Dark: true}, "1280": {Width: 1280, Height: 900}} {
		t.Run(name, func(t *testing.T) {
			o.URL, o.Cookies = r.url, map[string]string{sessionCookie: secret}
			p := b.Open(t, o)
			for _, path := range []string{"/people", "/people/new", "/people/all.observer", "/account", "/"} {
				p.Goto(path)
				wantFits(t, p, path)
				p.Screenshot("accounts-" + name + strings.ReplaceAll(path, "/", "-"))
			}
			if name != "1280" {
				p.Tap(".menu summary")
				p.Screenshot("accounts-" + name + "-menu")
			}
			p.Goto("/people/all.observer")
			p.Tap(`form[action="/people/invitations"] button`)
			p.Wait(`document.querySelector(".qr")`)
			p.Screenshot("accounts-" + name + "-cards")
			link, err := url.Parse(p.Text("code.link"))
			ok(t, err)
			visitor := b.Open(t, browsertest.Options{URL: r.url, Width: o.Width, Height: o.Height, Dark: o.Dark})
			visitor.Goto(link.Path)
			visitor.Screenshot("accounts-" + name + "-invitation")
			visitor.Tap("main form button")
			visitor.Wait(`location.pathname === "/visits"`)
			visitor.Goto("/account")
			if !strings.Contains(visitor.Text("main"), "all.observer") {
				t.Errorf("signed in as %s", visitor.Text("main"))
			}
			visitor.Forget()
		})
	}
}

// wantFits fails when a page has to be moved sideways.
func wantFits(t *testing.T, p *browsertest.Page, path string) {
	t.Helper()
	var over int
	if p.Eval("document.documentElement.scrollWidth - document.documentElement.clientWidth", &over); over > 0 {
		t.Errorf("%s is %d pixels too wide", path, over)
	}
}
