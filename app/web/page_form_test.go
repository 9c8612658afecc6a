package web

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

// assigned gives an account a visit that nobody has rated, and answers that fit it.
func (r *rig) assigned(account string) (survey.AssignmentID, survey.UnitCode, survey.Answers) {
	r.t.Helper()
	unit := r.rated(true)[0]
	form := r.form(unit, survey.RoleSecond)
	a := &survey.Assignment{Observer: r.people[account].ID, VisitKey: survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleSecond}}
	a.Period = "2018-03"
	for _, period := range []string{"", "2018-03"} {
		a.Period = period
		if err := r.svc.Assign(context.Background(), service.Operator(), []*survey.Assignment{a}); err == nil {
			break
		} else if period != "" {
			r.t.Fatal(err)
		}
	}
	raw, err := json.Marshal(answersOf(form))
	ok(r.t, err)
	var answers survey.Answers
	ok(r.t, json.Unmarshal(raw, &answers))
	return a.ID, unit, answers
}

// asFields writes answers as a page's form sends them.
func asFields(answers survey.Answers, prefix string, into url.Values) {
	for _, a := range answers {
		name := prefix + a.Item
		switch a.Value.Kind {
		case survey.ValueNumber:
			b, _ := a.Value.MarshalJSON()
			into.Set(name, strings.Replace(string(b), ".", ",", 1))
		case survey.ValueList:
			into[name] = append([]string{""}, a.Value.List...)
		case survey.ValueRows:
			into.Set("rows:"+name, string(rune('0'+len(a.Value.Rows))))
			for i, row := range a.Value.Rows {
				asFields(row, name+"/"+string(rune('0'+i))+"/", into)
			}
		default:
			into.Set(name, a.Value.Text)
		}
	}
}

// plainJSON is a value without the order of its members.
func plainJSON(t *testing.T, v survey.Value) (out any) {
	t.Helper()
	b, err := v.MarshalJSON()
	ok(t, err)
	ok(t, json.Unmarshal(b, &out))
	return out
}

var responseField = regexp.MustCompile(`name="response" value="([^"]+)"`)

// TestThePlainFormIsSentOnce fills in a form as a browser without JavaScript
// does, and presses each button, the last one twice.
func TestThePlainFormIsSentOnce(t *testing.T) {
	r := newRig(t)
	visit, unit, answers := r.assigned("all.observer")
	path := "/visits/" + string(visit) + "/plain"
	headers := []header{{"Cookie", sessionCookie + "=" + r.session("all.observer")}, {"Sec-Fetch-Site", "same-origin"}, {"Accept", "text/html"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Accept-Language", "en"}}
	page := r.ask("GET", path, nil, headers...).want(t, 200)
	id := responseField.FindSubmatch(page.body)
	if id == nil {
		t.Fatalf("no response id in %s", clip(page.body))
	}
	fields := url.Values{"response": {string(id[1])}, "rev": {"0"}}
	press := func(button string) *answer {
		f := url.Values{"do": {button}}
		for k, v := range fields {
			f[k] = v
		}
		return r.ask("POST", path, f.Encode(), headers...)
	}
	// Nothing filled in: the list says what is missing and leads to it.
	empty := press("check").want(t, 200)
	if n := strings.Count(string(empty.body), `<li><a href="#f-`); n < 20 {
		t.Errorf("%d things are missing: %s", n, clip(empty.body))
	}
	press("send").want(t, 422)
	// An entry more, and what was entered stays.
	fields.Set("present", "đông")
	more := press("add:strengths").want(t, 200)
	for _, want := range []string{`name="rows:strengths" value="1"`, `name="strengths/0/`, `value="đông"`} {
		if !strings.Contains(string(more.body), want) {
			t.Errorf("%s is not on the page", want)
		}
	}
	if wrong := press("check"); !strings.Contains(string(wrong.body), "is not a number") {
		t.Error("nothing is said of a word where a number belongs")
	}
	asFields(answers, "", fields)
	if checked := press("check").want(t, 200); !strings.Contains(string(checked.body), "Nothing is missing") {
		t.Errorf("problems: %s", regexp.MustCompile(`(?s)<section class="card verdict.*?</section>`).Find(checked.body))
	}
	first := press("send").want(t, 303)
	second := press("send").want(t, 303)
	if first.header.Get("Location") != second.header.Get("Location") {
		t.Errorf("two receipts: %s and %s", first.header.Get("Location"), second.header.Get("Location"))
	}
	stored := 0
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Unit: unit, Role: survey.RoleSecond}, "") {
		ok(t, err)
		stored++
		c, err := r.svc.Form(context.Background(), "SHCB-TK", change.Doc.TemplateVersion)
		ok(t, err)
		for _, a := range withoutCalculations(answers, c.Form) {
			got, _ := change.Doc.Answers.Get(a.Item)
			if x, y := plainJSON(t, got), plainJSON(t, a.Value); !reflect.DeepEqual(x, y) {
				t.Errorf("%s is stored as %v, want %v", a.Item, x, y)
			}
		}
	}
	if stored != 1 {
		t.Errorf("%d responses are stored", stored)
	}
	receipt := r.ask("GET", first.header.Get("Location"), nil, headers...).want(t, 200)
	if !strings.Contains(string(receipt.body), string(id[1])) {
		t.Error("the receipt does not name the response")
	}
	// Others neither see the visit nor send it; whoever covers it enters it for the observer.
	for _, name := range []string{"part.observer", "part.respondent"} {
		r.ask("GET", path, nil, header{"Cookie", sessionCookie + "=" + r.session(name)}).want(t, 404)
	}
	if a := r.ask("GET", path, nil, header{"Cookie", sessionCookie + "=" + r.session("all.manager")}, header{"Accept-Language", "en"}).want(t, 200); !strings.Contains(string(a.body), "Entered for all.observer") {
		t.Error("the page does not say for whom it is entered")
	}
	r.ask("POST", path, fields.Encode(), append(slices.Clone(headers[:1]), header{"Sec-Fetch-Site", "cross-site"})...).want(t, 403)
}

// TestThePlainFormInABrowser looks at the page without JavaScript, in both
// sizes, and at the paper that comes out.
func TestThePlainFormInABrowser(t *testing.T) {
	r := newRig(t)
	visit, _, _ := r.assigned("all.observer")
	session := r.session("all.observer")
	for _, lang := range []string{"vi", "en"} {
		p := browsertest.Shared(t).Open(t, browsertest.Options{URL: r.url, Dark: lang == "en", Cookies: map[string]string{sessionCookie: session, languageCookie: lang}})
		p.Do(browsertest.Command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
		p.Goto("/visits/" + string(visit) + "/plain")
		p.Screenshot("plain-360-" + lang)
		p.Tap(".plain-end [value=check]")
		p.Wait(`document.querySelectorAll(".verdict a").length > 20`)
		p.Screenshot("plain-checked-360-" + lang)
		var lost []string
		p.Eval(`[...document.querySelectorAll(".verdict a")].map((a) => a.hash).filter((h) => !document.querySelector(h))`, &lost)
		if len(lost) > 0 {
			t.Errorf("the list leads nowhere: %v", lost)
		}
		var wide int
		if p.Eval("document.documentElement.scrollWidth", &wide); wide > 360 {
			t.Errorf("the page is %d wide", wide)
		}
		p.Resize(1280, 900)
		p.Screenshot("plain-checked-1280-" + lang)
		p.Goto("/visits/" + string(visit) + "/print")
		p.Screenshot("print-1280-" + lang)
		pdf := p.Paper()
		if pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); pages < 2 || pages > 14 {
			t.Errorf("%d pages", pages)
		}
		if dir := os.Getenv("KHAOSAT_PICTURES"); dir != "" {
			ok(t, os.WriteFile(dir+"/print-"+lang+".pdf", pdf, 0o600))
		}
	}
}

// TestThePlainFormTakesPhotos sends photos as a browser without JavaScript does:
// with whatever button is pressed, kept at once, each once.
func TestThePlainFormTakesPhotos(t *testing.T) {
	r := newRig(t)
	visit, _, answers := r.assigned("all.observer")
	path := "/visits/" + string(visit) + "/plain"
	headers := []header{{"Cookie", sessionCookie + "=" + r.session("all.observer")}, {"Sec-Fetch-Site", "same-origin"}, {"Accept", "text/html"}, {"Accept-Language", "en"}}
	page := string(r.ask("GET", path, nil, headers...).want(t, 200).body)
	if !strings.Contains(page, `enctype="multipart/form-data"`) || !strings.Contains(page, `name="file:photo"`) {
		t.Fatalf("there is no place for a photo: %s", clip([]byte(page)))
	}
	id := responseField.FindStringSubmatch(page)[1]
	fields := url.Values{"response": {id}, "rev": {"0"}}
	asFields(answers, "", fields)
	var picture bytes.Buffer
	ok(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 30))))
	press := func(button string, file []byte) *answer {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, values := range fields {
			for _, v := range values {
				ok(t, w.WriteField(name, v))
			}
		}
		ok(t, w.WriteField("do", button))
		part, err := w.CreateFormFile("file:photo", "hội trường.png")
		ok(t, err)
		_, err = part.Write(file) // none: the field was left as it is
		ok(t, err)
		ok(t, w.Close())
		return r.ask("POST", path, b.String(), append(slices.Clone(headers), header{"Content-Type", w.FormDataContentType()})...)
	}
	hidden := regexp.MustCompile(`name="photo" value="([^"]+)"`)
	if wrong := press("send", []byte("%PDF-1.4 no picture")).want(t, 422); !strings.Contains(string(wrong.body), "is not a picture") || hidden.Match(wrong.body) {
		t.Errorf("nothing is said of a file that is no picture")
	}
	kept := hidden.FindSubmatch(press("check", picture.Bytes()).want(t, 200).body)
	if kept == nil {
		t.Fatal("the photo is not kept")
	}
	fields.Set("photo", string(kept[1]))
	fields.Set("drop:photo", "1")
	if again := press("check", nil); hidden.Match(again.body) {
		t.Error("the photo that was removed is still there")
	}
	fields.Del("drop:photo")
	press("send", nil).want(t, 303)
	press("send", nil).want(t, 303)
	files, err := r.svc.Attachments(t.Context(), service.Operator(), survey.ResponseID(id))
	ok(t, err)
	if len(files.Items) != 1 || !files.Complete() || files.Items[0].Type != "image/png" || files.Items[0].Size != int64(picture.Len()) {
		t.Fatalf("%d files are stored, complete %v", len(files.Items), files.Complete())
	}
	content, err := r.svc.Store().Content(t.Context(), files.Items[0].SHA256)
	ok(t, err)
	defer content.Close()
	if stored, err := io.ReadAll(content); err != nil || !bytes.Equal(stored, picture.Bytes()) {
		t.Errorf("the photo is not stored byte for byte: %v", err)
	}
}
