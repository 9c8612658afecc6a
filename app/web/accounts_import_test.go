package web

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey"
)

func peopleWorkbook(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range append([][]any{{"Họ và tên", "Tên đăng nhập", "Vai trò", "Phạm vi", "Nơi sinh hoạt"}}, rows...) {
		ok(t, f.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row))
	}
	b, err := f.WriteToBuffer()
	ok(t, err)
	return b.Bytes()
}

// uploadPeople sends a workbook as the page does.
func (r *rig) uploadPeople(as header, file []byte) *answer {
	r.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "people.xlsx")
	ok(r.t, err)
	_, _ = part.Write(file)
	ok(r.t, w.Close())
	return r.ask("POST", "/people/import", b.Bytes(), as, asBrowse, header{"Sec-Fetch-Site", "same-origin"}, header{"Content-Type", w.FormDataContentType()})
}

var rowsField = regexp.MustCompile(`name="rows" value="([^"]*)"`)

// importPeople goes through both steps, and gives the report of the second.
func (r *rig) importPeople(as header, file []byte) string {
	r.t.Helper()
	checked := r.uploadPeople(as, file).want(r.t, 200)
	rows := rowsField.FindSubmatch(checked.body)
	if rows == nil {
		r.t.Fatalf("nothing to import: %s", clip(checked.body))
	}
	return string(r.send("/people/import/rows", url.Values{"rows": {html.UnescapeString(string(rows[1]))}}, as).want(r.t, 200).body)
}

func (r *rig) names() map[string]*survey.Person {
	r.t.Helper()
	people, err := r.svc.People(context.Background(), service.Operator())
	ok(r.t, err)
	out := map[string]*survey.Person{}
	for _, p := range people {
		out[p.Name] = p
	}
	return out
}

func TestAListOfPeopleIsImportedOnce(t *testing.T) {
	r := newRig(t)
	admin := r.as("all.admin")
	before := len(r.names())
	file := peopleWorkbook(t,
		[]any{"Nguyễn Thị Ánh", nil, nil, nil, "S0001"}, []any{"Nguyễn Thị Ánh", nil, nil, nil, r.standing("S0002").Name},
		[]any{"Đỗ Văn Đức", "do.duc", "Quản lý", "S0001"}, []any{nil, "all.observer", "Duyệt phiếu"})
	checked := string(r.uploadPeople(admin, file).want(t, 200).body)
	if !strings.Contains(checked, "thêm 3, sửa 1, giữ nguyên 0, lỗi 0") || len(r.names()) != before {
		t.Errorf("the check says %s", clip([]byte(checked)))
	}
	done := r.importPeople(admin, file)
	if !strings.Contains(done, "thêm 3, sửa 1") || strings.Count(done, `type="hidden" name="name"`) != 3 {
		t.Errorf("the import says %s", done)
	}
	people := r.names()
	for name, want := range map[string]survey.Person{
		"nguyen.thi.anh": {FullName: "Nguyễn Thị Ánh", Role: survey.Observer, Home: "S0001"}, "nguyen.thi.anh2": {FullName: "Nguyễn Thị Ánh", Role: survey.Observer, Home: "S0002"},
		"do.duc": {FullName: "Đỗ Văn Đức", Role: survey.Manager, Scope: "S0001"}, "all.observer": {Role: survey.Reviewer},
	} {
		p := people[name]
		if p == nil || p.FullName != want.FullName || p.Role != want.Role || p.Home != want.Home || p.Scope != want.Scope {
			t.Errorf("%s is %+v", name, p)
			continue
		}
		if last := p.Events[len(p.Events)-1]; last.By != r.people["all.admin"].ID {
			t.Errorf("%s: the trail shows %+v", name, last)
		}
	}
	if len(people) != before+3 {
		t.Errorf("%d accounts, want %d", len(people), before+3)
	}
	// The same again changes nothing, and offers nothing to do.
	again := string(r.uploadPeople(admin, file).want(t, 200).body)
	if !strings.Contains(again, "thêm 0, sửa 0, giữ nguyên 4, lỗi 0") || rowsField.MatchString(again) {
		t.Errorf("again: %s", clip([]byte(again)))
	}
}

func TestAListOfPeopleWithMistakesIsReportedByRow(t *testing.T) {
	r := newRig(t)
	before := len(r.names())
	a := r.uploadPeople(r.as("part.admin"), peopleWorkbook(t,
		[]any{"Một", "mot", "Quan sát viên", "S0001"}, []any{"Hai", "mot", nil, "S0001"}, []any{"Ba", "BA BA", "Trùm", "NOWHERE", "NOWHERE"},
		[]any{"Bốn", "bon", nil, "S0002"}, []any{nil, "all.observer"}, []any{"***", nil, nil, "S0001"}, []any{nil, "part.admin", "Quan sát viên"})).want(t, 200)
	body := html.UnescapeString(string(a.body))
	for _, part := range []string{"thêm 1, sửa 0, giữ nguyên 0, lỗi 6", "đã có ở dòng 2", "“ba ba” không hợp lệ", "Không có vai trò “Trùm”", "cột Vai trò", "NOWHERE",
		"phải nằm trong phạm vi của bạn", "thuộc người ngoài phạm vi", "Không lập được tên đăng nhập", "Không thể tự đổi vai trò"} {
		if !strings.Contains(body, part) {
			t.Errorf("not told %q", part)
		}
	}
	if rowsField.MatchString(body) {
		t.Error("a list with mistakes can be imported")
	}
	// Nor by sending the rows without having looked.
	r.send("/people/import/rows", url.Values{"rows": {`[{"sheet":"x","row":2,"name":"good","scope":"S0001"},{"sheet":"x","row":3,"name":"A B","scope":"S0001"}]`}}, r.as("part.admin")).want(t, 422)
	if len(r.names()) != before {
		t.Error("something was stored")
	}
	for name, file := range map[string][]byte{"text": []byte("Họ tên"), "nothing": nil, "cut": peopleWorkbook(t)[:300]} {
		if a := r.uploadPeople(r.as("all.admin"), file); a.status != 422 || !strings.Contains(string(a.body), `role="alert"`) {
			t.Errorf("%s: %d %s", name, a.status, clip(a.body))
		}
	}
	r.send("/people/import", url.Values{"file": {"x"}}, r.as("all.admin")).want(t, 422)
}

func TestPeopleAreImportedInABrowser(t *testing.T) {
	r := newRig(t)
	ok(t, r.svc.ResetPassword(context.Background(), service.Operator(), "all.admin", "a long password"))
	secret, _, err := r.svc.SignIn(context.Background(), "all.admin", "a long password", "", survey.TokenSession)
	ok(t, err)
	file := filepath.Join(t.TempDir(), "people.xlsx")
	p := browsertest.Shared(t).Open(t, browsertest.Options{URL: r.url, Cookies: map[string]string{sessionCookie: secret, languageCookie: "vi"}})
	send := func(rows ...[]any) {
		ok(t, os.WriteFile(file, peopleWorkbook(t, rows...), 0o600))
		p.Goto("/people/import")
		p.Do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
		p.Tap(`form[enctype] button`)
		p.Wait(`document.querySelector("#report")`)
	}
	send([]any{"Nguyễn Thị Ánh", nil, "Trùm"}, []any{"Trần Văn Bình", nil, nil, "S9999"}, []any{"Lê Quốc Cường"})
	wantFits(t, p, "report with mistakes")
	p.Screenshot("accounts-360-import-mistakes")
	send([]any{"Nguyễn Thị Ánh", nil, nil, nil, "S0001"}, []any{"Trần Văn Bình", nil, "Quản lý"}, []any{"Lê Quốc Cường"})
	p.Screenshot("accounts-360-import-checked")
	p.Tap(`form[action="/people/import/rows"] button`)
	p.Wait(`document.querySelector("form[action='/people/invitations']")`)
	p.Screenshot("accounts-360-import-done")
	p.Tap(`form[action="/people/invitations"] button`)
	p.Wait(`document.querySelectorAll(".qr").length === 3`)
	p.Screenshot("accounts-360-import-cards")
	if dir := os.Getenv("KHAOSAT_PICTURES"); dir != "" {
		ok(t, os.WriteFile(filepath.Join(dir, "accounts-cards.pdf"), p.Paper(), 0o600))
	}
	if r.names()["tran.van.binh"] == nil {
		t.Error("not imported")
	}
}
