package web

import (
	"bytes"
	"encoding/base64"
	"html"
	"mime/multipart"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

// sendWorkbook sends a workbook as the page does.
func (r *rig) sendWorkbook(t *testing.T, name string, b []byte) *answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	ok(t, err)
	_, err = part.Write(b)
	ok(t, err)
	ok(t, w.Close())
	return r.ask("POST", "/template-import?lang=en", body.Bytes(), r.as("all.admin"), header{"Content-Type", w.FormDataContentType()}, header{"Accept", "text/html"})
}

// bent gives a fixture with other texts in some cells of the survey sheet.
func bentWorkbook(t *testing.T, code string, cells map[string]string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../fixtures/templates/" + code + ".xlsx")
	ok(t, err)
	f, err := excelize.OpenReader(bytes.NewReader(b))
	ok(t, err)
	defer f.Close()
	for at, text := range cells {
		sheet, cell, _ := strings.Cut(at, "!")
		ok(t, f.SetCellStr(sheet, cell, text))
	}
	var out bytes.Buffer
	ok(t, f.Write(&out))
	return out.Bytes()
}

func TestAnAdminImportsPublishesAndCompares(t *testing.T) {
	r := newRig(t)
	page := func(path string, status int) string {
		t.Helper()
		return string(r.ask("GET", path, nil, r.as("all.admin"), header{"Accept", "text/html"}).want(t, status).body)
	}
	// With mistakes nothing is stored, all is told, and the copy has comments.
	wrong := bentWorkbook(t, "SHCB-TK", map[string]string{"survey!A5": "interger", "survey!B6": "two words", "caps!B2": "points('nobody') = 0"})
	got := string(r.sendWorkbook(t, "mẫu.xlsx", wrong).want(t, 422).body)
	for _, want := range []string{"interger", "two words", "nobody", "row 5", "row 6", "/template-import/annotated"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	copied := r.ask("POST", "/template-import/annotated?lang=en", url.Values{"name": {"mẫu.xlsx"}, "workbook": {base64.StdEncoding.EncodeToString(wrong)}}.Encode(),
		r.as("all.admin"), header{"Content-Type", "application/x-www-form-urlencoded"}).want(t, 200)
	f, err := excelize.OpenReader(bytes.NewReader(copied.body))
	ok(t, err)
	comments, err := f.GetComments("survey")
	ok(t, err)
	if len(comments) < 2 {
		t.Errorf("%d comments", len(comments))
	}
	ok(t, f.Close())
	before, err := r.svc.Template(t.Context(), service.Operator(), "SHCB-TK", 0)
	ok(t, err)

	// Without, it is a draft, which is published and compared.
	right := bentWorkbook(t, "SHCB-TK", map[string]string{"survey!C3": "Nhãn mới"})
	if got := string(r.sendWorkbook(t, "a.xlsx", right).want(t, 200).body); !strings.Contains(got, "/versions/2/publish") {
		t.Errorf("got %s", got)
	}
	r.ask("POST", "/templates/SHCB-TK/versions/2/publish", "", r.as("all.admin"), header{"Content-Type", "application/x-www-form-urlencoded"}).want(t, 303)
	after, err := r.svc.Template(t.Context(), service.Operator(), "SHCB-TK", 2)
	ok(t, err)
	if after.State != survey.Published || after.Version != before.Version+1 {
		t.Fatalf("%s %d", after.State, after.Version)
	}
	if got := page("/templates/SHCB-TK?version=2&against=1&lang=en", 200); !strings.Contains(got, "Nhãn mới") || !strings.Contains(got, "responses were filled in with version 1") {
		t.Errorf("the changes are not told")
	}
	for _, format := range service.TemplateFormats {
		if b := page("/templates/SHCB-TK/versions/2/file?format="+format, 200); len(b) < 1000 {
			t.Errorf("%s: %d bytes", format, len(b))
		}
	}
	r.ask("POST", "/templates/SHCB-TK/versions/2/retire", "", r.as("all.admin"), header{"Content-Type", "application/x-www-form-urlencoded"}).want(t, 303)
	page("/templates/SHCB-TK/versions/2/file?format=pdf", 422)
	page("/templates/NOPE", 404)
	r.sendWorkbook(t, "x.xlsx", []byte("PK no zip")).want(t, 422)
}

// hidden gives the value of a hidden field of a page.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `name="`+name+`" value="`)
	value, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		t.Fatalf("the page has no field %s", name)
	}
	return html.UnescapeString(value)
}

func TestADraftIsNotReplacedUnasked(t *testing.T) {
	r := newRig(t)
	r.sendWorkbook(t, "a.xlsx", bentWorkbook(t, "SHCB-TK", nil)).want(t, 200)
	// A second import shows what would change and stores nothing.
	other := bentWorkbook(t, "SHCB-TK", map[string]string{"settings!A2": "Phiếu khác"})
	page := string(r.sendWorkbook(t, "b.xlsx", other).want(t, 200).body)
	stored := func() string {
		got, err := r.svc.Template(t.Context(), service.Operator(), "SHCB-TK", 2)
		ok(t, err)
		return got.Title["vi"]
	}
	if was := stored(); was == "Phiếu khác" || !strings.Contains(page, "Replace the draft of SHCB-TK, version 2?") {
		t.Fatalf("the draft is called %q, and the page does not ask", was)
	}
	if !strings.Contains(page, "now “Phiếu khác”") {
		t.Error("the page does not say that the title would be another")
	}
	agree := func(replace string) *answer {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		ok(t, w.WriteField("file", hidden(t, page, "file")))
		ok(t, w.WriteField("replace", replace))
		ok(t, w.Close())
		return r.ask("POST", "/template-import?lang=en", body.Bytes(), r.as("all.admin"), header{"Content-Type", w.FormDataContentType()}, header{"Accept", "text/html"})
	}
	// Somebody else saved in between: nothing is overwritten.
	agree("99").want(t, 422)
	if stored() == "Phiếu khác" {
		t.Error("a draft that the sender has not seen was replaced")
	}
	agree(hidden(t, page, "replace")).want(t, 200)
	if stored() != "Phiếu khác" {
		t.Error("the draft was not replaced")
	}
}

func TestTemplatePagesLookRight(t *testing.T) {
	r := newRig(t)
	for name, o := range map[string]browsertest.Options{"phone": {Width: 360, Height: 800}, "desktop": {Width: 1280, Height: 900}} {
		o.URL, o.Cookies = r.url, map[string]string{sessionCookie: r.sessionOf(t, "all.admin"), languageCookie: "en"}
		p := browsertest.Shared(t).Open(t, o)
		p.Goto("/templates/SHCB-TK")
		p.Screenshot("template-" + name)
		var wide bool
		p.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
		if wide {
			t.Errorf("%s: the page is wider than the screen", name)
		}
		p.Goto("/template-import")
		p.Screenshot("template-import-" + name)
		p.Goto("/guide/templates")
		p.Screenshot("guide-templates-" + name)
		p.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
		if wide {
			t.Errorf("%s: the guide is wider than the screen", name)
		}
		p.Close()
	}
}
