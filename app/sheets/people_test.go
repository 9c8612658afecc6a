package sheets_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/sheets"
	"github.com/khaosat/khaosat/survey"
)

// workbook makes a workbook with rows on its second sheet; the first has a cover.
func workbook(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	ok(t, f.SetCellStr("Sheet1", "A1", "Bìa"))
	_, err := f.NewSheet("Danh sách")
	ok(t, err)
	for i, row := range rows {
		ok(t, f.SetSheetRow("Danh sách", fmt.Sprint("A", i+1), &row))
	}
	b, err := f.WriteToBuffer()
	ok(t, err)
	return b.Bytes()
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPeopleAreReadHoweverTheColumnsAreWritten(t *testing.T) {
	want := []sheets.PersonRow{
		{Sheet: "Danh sách", Row: 4, FullName: "Nguyễn Thị Ánh", Role: survey.Observer, Home: "007"},
		{Sheet: "Danh sách", Row: 6, Name: "tran.b", FullName: "Trần Văn B", Role: survey.Manager, Scope: "Q01", Language: "en"},
		{Sheet: "Danh sách", Row: 7, Name: "c", Role: survey.Respondent},
	}
	for name, rows := range map[string][][]any{
		"vi": {{"DANH SÁCH TÀI KHOẢN"}, {}, {"STT", "HỌ VÀ TÊN", "Vai trò", "tên đăng nhập ", "Phạm vi", "Mã chi bộ", "Ngôn ngữ"},
			{1, " Nguyễn  Thị\u00a0Ánh", "quan sát viên", nil, "Toàn bộ", "007"}, {nil, " "}, {2, "Trần Văn B", "Quản lý", "Tran.B", "Q01", nil, "Tiếng Anh"}, {3, nil, "Bí thư", "c"}},
		"en": {{}, {}, {"Username", "Unit", "Full name", "ROLE", "Scope", "Lang"},
			{nil, "007", "Nguyễn Thị Ánh", "Observer"}, {}, {"tran.b", nil, "Trần Văn B", "manager", "Q01", "EN"}, {"c", nil, nil, "secretary", "all"}},
	} {
		got, problems, err := sheets.ReadPeople(workbook(t, rows...))
		ok(t, err)
		if len(problems) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s gives\n%+v\n%v, want\n%+v", name, got, problems, want)
		}
	}
}

func TestEveryCellThatIsNotRightIsNamed(t *testing.T) {
	_, problems, err := sheets.ReadPeople(workbook(t, []any{"Họ tên", "Vai trò", "Ngôn ngữ"}, []any{"A", "Quan sat vien"}, []any{"B", "Quan sát vien x", "fr"}, []any{nil, "Observer"}))
	ok(t, err)
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%s %s %d %s %q %s", p.Code, p.Place.Sheet, p.Place.Row, p.Place.Column, p.Value, p.Suggestion))
	}
	want := []string{`person.role Danh sách 3 Vai trò "Quan sát vien x" Quan sát viên`, `person.language Danh sách 3 Ngôn ngữ "fr" `, `person.no_name Danh sách 4 Họ tên "" `}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("problems\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatIsNoListOfPeopleIsRefused(t *testing.T) {
	good := workbook(t, []any{"Họ tên"}, []any{"A"})
	for code, b := range map[string][]byte{
		"workbook.unreadable": []byte("Họ tên\nA"), "workbook.xls": {0xD0, 0xCF, 0x11, 0xE0, 0xA1}, "sheet.no_columns": workbook(t, []any{"Vai trò"}, []any{"x"}),
		"sheet.empty": workbook(t, []any{"Họ tên"}, []any{" "}),
	} {
		if _, _, err := sheets.ReadPeople(b); survey.CodeOf(err) != code || survey.KindOf(err) != survey.Invalid {
			t.Errorf("%v, want %s", err, code)
		}
	}
	for n := range good { // cut off anywhere: an error, no panic
		if n%97 == 0 {
			if _, _, err := sheets.ReadPeople(good[:n]); survey.CodeOf(err) != "workbook.unreadable" {
				t.Errorf("cut at %d: %v", n, err)
			}
		}
	}
}

func TestTheTemplateIsReadBack(t *testing.T) {
	for _, lang := range []string{"vi", "en", "fr"} {
		b, err := sheets.PeopleTemplate(lang)
		ok(t, err)
		if _, _, err := sheets.ReadPeople(b); survey.CodeOf(err) != "sheet.empty" {
			t.Errorf("%s: the empty template gives %v", lang, err)
		}
		f, err := excelize.OpenReader(bytes.NewReader(b))
		ok(t, err)
		sheet := f.GetSheetList()[0]
		rules, err := f.GetDataValidations(sheet)
		ok(t, err)
		if len(rules) != 1 {
			t.Fatalf("%d rules", len(rules))
		}
		// Each role that the template offers is understood.
		for i, role := range strings.Split(strings.Trim(rules[0].Formula1, `"`), ",") {
			ok(t, f.SetSheetRow(sheet, fmt.Sprint("A", i+2), &[]string{"Nguyễn Văn A", "", role}))
		}
		filled, err := f.WriteToBuffer()
		ok(t, err)
		rows, problems, err := sheets.ReadPeople(filled.Bytes())
		ok(t, err)
		if len(problems) > 0 || len(rows) != len(survey.AccountRoles) {
			t.Errorf("%s: %d rows, %v", lang, len(rows), problems)
		}
		for i, row := range rows {
			if row.Role != survey.AccountRoles[i] {
				t.Errorf("%s: role %s, want %s", lang, row.Role, survey.AccountRoles[i])
			}
		}
		ok(t, f.Close())
	}
}
