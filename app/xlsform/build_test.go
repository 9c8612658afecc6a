package xlsform

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
	"github.com/xuri/excelize/v2"
)

// sheetData is a sheet of a workbook under test: a header row and more rows.
type sheetData struct {
	name string
	rows [][]any
}

func row(cells ...any) []any { return cells }

// workbook makes the bytes of a workbook; edit may do what rows cannot.
func workbook(t testing.TB, sheets []sheetData, edit ...func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, s := range sheets {
		if i == 0 {
			must(t, f.SetSheetName("Sheet1", s.name))
		} else {
			_, err := f.NewSheet(s.name)
			must(t, err)
		}
		for r, cells := range s.rows {
			at, err := excelize.CoordinatesToCellName(1, r+1)
			must(t, err)
			must(t, f.SetSheetRow(s.name, at, &cells))
		}
	}
	for _, e := range edit {
		e(f)
	}
	var b bytes.Buffer
	must(t, f.Write(&b))
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settings is a settings sheet that leaves nothing to complain about.
func settings() sheetData {
	return sheetData{"settings", [][]any{{"form_title", "form_id", "default_language"}, {"Form", "F1", "English (en)"}}}
}

func surveyRows(rows ...[]any) sheetData { return sheetData{"survey", rows} }

func read(t testing.TB, b []byte) (*survey.Template, survey.Problems) {
	t.Helper()
	tpl, ps, err := ReadNamed(b, "file.xlsx")
	must(t, err)
	return tpl, ps
}

// words are the catalogue's, in a language.
func words(lang string) Words {
	return Words{
		Problem: func(p survey.Problem) string { return message.OfProblem(lang, p) },
		Place:   func(p survey.Place) string { return message.Place(lang, p) },
	}
}

// lines gives the problems as text, with the arguments they need to be worded.
func lines(ps survey.Problems) []string {
	out := []string{}
	for _, p := range ps {
		out = append(out, p.String())
	}
	return out
}

// withoutRows forgets where everything was read from.
func withoutRows(tpl *survey.Template) *survey.Template {
	tpl.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		it.Row = 0
		return true
	})
	for i := range tpl.Lists {
		for j := range tpl.Lists[i].Choices {
			tpl.Lists[i].Choices[j].Row = 0
		}
	}
	for i := range tpl.Checks {
		tpl.Checks[i].Row = 0
	}
	if s := tpl.Scheme; s != nil {
		for i := range s.Bands {
			s.Bands[i].Row = 0
		}
		for i := range s.Caps {
			s.Caps[i].Row = 0
		}
	}
	return tpl
}

// parts makes a zip archive.
func parts(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, err := w.Create(name)
		must(t, err)
		_, err = f.Write(content)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// replacePart gives a workbook with one of its parts exchanged.
func replacePart(t testing.TB, b []byte, name string, content []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	files := map[string][]byte{}
	for _, part := range r.File {
		rc, err := part.Open()
		must(t, err)
		var buf bytes.Buffer
		_, err = buf.ReadFrom(rc)
		must(t, err)
		files[part.Name] = buf.Bytes()
	}
	if _, there := files[name]; !there {
		t.Fatalf("the workbook has no part %s", name)
	}
	files[name] = content
	return parts(t, files)
}
