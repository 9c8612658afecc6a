package xlsform_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
)

// book makes a workbook from sheets of rows.
func book(t testing.TB, sheets map[string][][]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	names := make([]string, 0, len(sheets))
	for name := range sheets {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if i == 0 {
			if err := f.SetSheetName("Sheet1", name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for r, row := range sheets[name] {
			cell, _ := excelize.CoordinatesToCellName(1, r+1)
			if err := f.SetSheetRow(name, cell, &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func settings() [][]any {
	return [][]any{{"form_title", "form_id", "default_language", "heading::Tiếng Việt (vi)"}, {"A form", "T", "English (en)", "Một mẫu"}}
}

func find(ps survey.Problems, code string) *survey.Problem {
	for i := range ps {
		if ps[i].Code == code {
			return &ps[i]
		}
	}
	return nil
}

func TestHeadersAndTypesAreReadLeniently(t *testing.T) {
	tpl, ps, err := xlsform.Read(book(t, map[string][][]any{
		"Survey ":  {{" Type", "NAME", "Label:: English (en)", "caption::Tiếng Việt (vi)", "relevance", "Required"}, {"begin group", "g", "Group", "Nhóm"}, {"select one from yn", "q", "Question", "Câu", "", "yes"}, {}, {"Integer", "n", "Number", "Số", "${q} = ‘yes’"}, {"end_group"}},
		"CHOICES":  {{"list name", "value", "label::English (en)", "label::Tiếng Việt (vi)"}, {"yn", "yes", "Yes", "Có"}, {"yn", 1.0, "One", "Một"}},
		"settings": settings(),
		"notes":    {{"anything"}},
	}))
	if err != nil || len(ps) != 0 {
		t.Fatal(err, ps)
	}
	if _, more := survey.Compile(tpl, nil); len(more) != 0 {
		t.Fatal(more)
	}
	g := tpl.Items[0]
	if g.Kind != survey.KindGroup || len(g.Items) != 2 || g.Items[0].Kind != survey.KindSelectOne || g.Items[0].Required != "true()" || g.Items[1].Row != 5 {
		t.Errorf("read %+v", g)
	}
	if tpl.Lists[0].Choices[1].Name != "1" || tpl.Title["vi"] != "Một mẫu" || !slices.Equal(tpl.Languages, []string{"en", "vi"}) {
		t.Errorf("read %+v, %v, %v", tpl.Lists[0], tpl.Title, tpl.Languages)
	}
}

func TestEveryMistakeIsToldWithItsPlace(t *testing.T) {
	head := []any{"type", "name", "label::English (en)", "label::Tiếng Việt (vi)"}
	cases := []struct {
		name   string
		survey [][]any
		code   string
		row    int
		column string
		did    string // suggestion
	}{
		{"unknown type", [][]any{head, {"integr", "a", "A", "A"}}, "type.unsupported", 2, "type", "integer"},
		{"no list", [][]any{head, {"select_one", "a", "A", "A"}}, "type.no_list", 2, "type", ""},
		{"unknown column", [][]any{append(slices.Clone(head), "relevent"), {"text", "a", "A", "A", "1"}}, "column.unknown", 1, "relevent", "relevant"},
		{"unclosed group", [][]any{head, {"begin_group", "g", "G", "G"}, {"text", "a", "A", "A"}}, "group.not_closed", 2, "type", ""},
		{"closed twice", [][]any{head, {"text", "a", "A", "A"}, {"end_group"}}, "group.not_open", 3, "type", ""},
		{"repeat closes group", [][]any{head, {"begin_group", "g", "G", "G"}, {"text", "a", "A", "A"}, {"end_repeat"}}, "group.mismatch", 4, "type", ""},
		{"points", [][]any{append(slices.Clone(head), "points"), {"text", "a", "A", "A", "five"}}, "points.shape", 2, "points", ""},
		{"steps", [][]any{append(slices.Clone(head), "steps"), {"integer", "a", "A", "A", ". > 1"}}, "steps.shape", 2, "steps", ""},
		{"yes or no", [][]any{append(slices.Clone(head), "reverse"), {"integer", "a", "A", "A", "maybe"}}, "cell.yes_no", 2, "reverse", ""},
		{"no type", [][]any{head, {"", "a", "A", "A"}}, "type.missing", 2, "type", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, ps, err := xlsform.Read(book(t, map[string][][]any{"survey": c.survey, "settings": settings()}))
			if err != nil {
				t.Fatal(err)
			}
			p := find(ps, c.code)
			if p == nil || p.Place.Sheet != "survey" || p.Place.Row != c.row || p.Place.Column != c.column || p.Suggestion != c.did {
				t.Errorf("got %v, want %s at row %d, column %s (did you mean %q)", ps, c.code, c.row, c.column, c.did)
			}
		})
	}
}

func TestAllMistakesComeAtOnce(t *testing.T) {
	_, ps, err := xlsform.Read(book(t, map[string][][]any{"survey": {{"type", "name", "labl"}, {"integr", "a"}, {"select_one", "b"}, {"begin group", "g"}}, "settings": settings()}))
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"column.unknown", "type.unsupported", "type.no_list", "group.not_closed"} {
		if find(ps, code) == nil {
			t.Errorf("no %s in %v", code, ps)
		}
	}
}

func TestNoWorkbookIsRefusedWithAReason(t *testing.T) {
	whole, err := os.ReadFile("../../fixtures/templates/SHCB-TK.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, _ := z.Create("xl/worksheets/sheet1.xml")
	zeros := make([]byte, 1<<20)
	for range 200 {
		w.Write(zeros) //nolint:errcheck // into memory
	}
	z.Close()
	for name, c := range map[string]struct {
		bytes []byte
		code  string
	}{
		"nothing":     {nil, "workbook.unreadable"},
		"text":        {[]byte("type,name,label\n"), "workbook.unreadable"},
		"cut off":     {whole[:len(whole)/2], "workbook.unreadable"},
		"old xls":     {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest"), "workbook.xls"},
		"zip bomb":    {bomb.Bytes(), "workbook.too_large"},
		"another zip": {func() []byte { var b bytes.Buffer; zip.NewWriter(&b).Close(); return b.Bytes() }(), "workbook.unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := xlsform.Read(c.bytes)
			if survey.KindOf(err) != survey.Invalid || survey.CodeOf(err) != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestABrokenFixtureIsExplained(t *testing.T) {
	f, err := excelize.OpenFile("../../fixtures/templates/SHCB-TK.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.DeleteSheet("choices"); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	tpl, ps, err := xlsform.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	_, more := survey.Compile(tpl, nil)
	if p := find(append(ps, more...), "list.unknown"); p == nil || p.Place.Row == 0 {
		t.Errorf("the missing sheet is not told: %v", append(ps, more...))
	}
}

func TestFixturesReadWithoutAWord(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/*/*.xlsx")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tpl, ps, err := xlsform.Read(b)
		if err != nil || len(ps) != 0 {
			t.Errorf("%s: %v %v", name, err, ps)
			continue
		}
		if _, more := survey.Compile(tpl, nil); len(more) != 0 {
			t.Errorf("%s: %v", name, more)
		}
	}
}

// FuzzRead gives the reader damaged workbooks: it must refuse or report them,
// never panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte("PK"), 0)
	small := book(f, map[string][][]any{"survey": {{"type", "name", "label"}, {"text", "a", "A"}}, "settings": settings()})
	f.Add(small, 40)
	f.Fuzz(func(t *testing.T, b []byte, flip int) {
		if len(b) > 0 && flip > 0 {
			b = slices.Clone(b)
			b[flip%len(b)] ^= byte(flip)
		}
		tpl, _, err := xlsform.Read(b)
		if err == nil {
			survey.Compile(tpl, nil)
		}
	})
}

// FuzzCells puts any text into the cells of a form.
func FuzzCells(f *testing.F) {
	f.Add("select_one yn", "${a} > 1", ". >= 1 : 2; true() : 0", "begin group")
	f.Fuzz(func(t *testing.T, typ, formula, steps, more string) {
		for _, s := range []string{typ, formula, steps, more} {
			if len(s) > 2000 || strings.ContainsAny(s, "\x00") {
				return
			}
		}
		tpl, _, err := xlsform.Read(book(t, map[string][][]any{
			"survey":   {{"type", "name", "label", "relevant", "calculation", "steps", "points", "constraint"}, {typ, "a", "A", formula, formula, steps, more, formula}, {more, "b", "B", formula}, {typ, typ, steps}},
			"settings": settings(), "caps": {{"code", "when", "band"}, {more, formula, typ}}, "scoring": {{"total", "decimals"}, {more, steps}}}))
		if err == nil {
			if form, _ := survey.Compile(tpl, nil); form != nil {
				form.Fill(nil, survey.Context{}).Validate()
			}
		}
	})
}
