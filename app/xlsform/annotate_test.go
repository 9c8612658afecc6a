package xlsform

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
	"github.com/xuri/excelize/v2"
)

// comments gives all comments of a workbook by "sheet!cell".
func comments(t *testing.T, b []byte) map[string]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	must(t, err)
	defer f.Close()
	out := map[string]string{}
	for _, sheet := range f.GetSheetList() {
		all, err := f.GetComments(sheet)
		must(t, err)
		for _, c := range all {
			text := c.Text
			for _, run := range c.Paragraph {
				if c.Text == "" {
					text += run.Text
				}
			}
			if out[sheet+"!"+c.Cell] != "" {
				t.Errorf("two comments at %s!%s", sheet, c.Cell)
			}
			out[sheet+"!"+c.Cell] = text
		}
	}
	return out
}

func TestEachFaultyCellGetsAComment(t *testing.T) {
	b := workbook(t, []sheetData{
		{"Survey", [][]any{{"Type", "name", "label::Tiếng Việt (vi)", "label::English (en)", "relevance"}, {"interger", "a", "A"}, {"text", "b", "B", "B", "${"}}},
		settings()},
		func(f *excelize.File) {
			must(t, f.AddComment("Survey", excelize.Comment{Cell: "A2", Author: "Lan", Paragraph: []excelize.RichTextRun{{Text: "ask Minh"}}}))
		})
	_, ps := read(t, b)
	fault := func(code string, at survey.Place, args survey.Args) survey.Problem {
		return survey.Problem{Severity: survey.SeverityError, Code: code, Place: at, Args: args}
	}
	ps = append(ps,
		fault("text.language", survey.Place{Sheet: "survey", Row: 2, Column: "label", Item: "a"}, survey.Args{"language": "en", "column": "label"}),
		fault("expr.syntax", survey.Place{Sheet: "survey", Row: 3, Column: "relevant", Item: "b"}, nil),
		fault("na.policy", survey.Place{Sheet: "survey", Row: 3, Column: "na", Item: "b"}, nil), // there is no such column
		fault("band.gap", survey.Place{Sheet: "bands", Row: 2, Column: "min"}, nil),             // there is no such sheet
	)
	out, err := Annotate(b, ps, words("en"))
	must(t, err)
	got := comments(t, out)
	var cells []string
	for cell := range got {
		cells = append(cells, cell)
	}
	slices.Sort(cells)
	if want := []string{"Survey!A1", "Survey!A2", "Survey!A3", "Survey!D2", "Survey!E3"}; !slices.Equal(cells, want) {
		t.Errorf("comments at %v, want %v", cells, want)
	}
	for cell, parts := range map[string][]string{
		"Survey!A2": {message.OfProblem("en", ps[0]), "“integer”", "ask Minh"},
		"Survey!D2": {message.OfProblem("en", ps[len(ps)-4])},
		"Survey!A3": {message.Place("en", ps[len(ps)-2].Place)},
		"Survey!A1": {message.Place("en", ps[len(ps)-1].Place)},
	} {
		for _, part := range parts {
			if !strings.Contains(got[cell], part) {
				t.Errorf("%s says %q, not %q", cell, got[cell], part)
			}
		}
	}
	before, _ := read(t, b)
	after, _ := read(t, out)
	if !reflect.DeepEqual(before, after) {
		t.Error("the annotated workbook reads differently")
	}
}

func TestAFloodOfProblemsIsCounted(t *testing.T) {
	var rows [][]any
	rows = append(rows, row("type", "name", "label::English (en)"))
	for i := range maxAnnotated + 20 {
		rows = append(rows, row("nosuchtype", fmt.Sprintf("a%d", i), "A"))
	}
	b := workbook(t, []sheetData{{"survey", rows}, settings()})
	_, ps := read(t, b)
	for range maxInComment + 5 {
		ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: "item.duplicate", Place: survey.Place{Sheet: "survey", Row: 3, Column: "type"}})
	}
	out, err := Annotate(b, ps, words("vi"))
	must(t, err)
	got := comments(t, out)
	if len(got) != maxAnnotated {
		t.Errorf("%d comments", len(got))
	}
	if first := got["survey!A2"]; !strings.Contains(first, "20") {
		t.Errorf("the first comment does not count the rest: %q", first)
	}
	if third := got["survey!A3"]; !strings.Contains(third, "6") || strings.Count(third, "\n\n") != maxInComment {
		t.Errorf("the comment with too many problems says %q", third)
	}
}
