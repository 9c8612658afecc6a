package web

import (
	"bytes"
	"html"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// guideSheets reads the tables of the guide for authors as the sheets that they
// show, by what stands in their corners.
func guideSheets(t *testing.T, lang string) map[string][][]string {
	t.Helper()
	b, err := os.ReadFile("../../docs/guide-templates." + lang + ".md")
	ok(t, err)
	corners := map[string]string{"type|name": "survey", "list_name|name": "choices", "code|min": "bands", "code|when": "caps", "total|decimals": "scoring",
		"form_title|heading::English (en)": "settings", "name|answers": "cases"}
	sheets, sheet := map[string][][]string{}, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			sheet = ""
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case sheet == "":
			if sheet = corners[cells[0]+"|"+cells[1]]; sheet == "" {
				t.Fatalf("the guide has a table that is no sheet: %s", line)
			}
		case strings.HasPrefix(cells[0], "---"):
			continue
		}
		sheets[sheet] = append(sheets[sheet], cells)
	}
	if len(sheets) != len(corners) {
		t.Fatalf("the guide shows only %d sheets", len(sheets))
	}
	return sheets
}

// TestTheGuideForAuthorsIsTrue types in what the guide shows, as its reader
// would, in both languages.
func TestTheGuideForAuthorsIsTrue(t *testing.T) {
	for _, lang := range []string{"vi", "en"} {
		t.Run(lang, func(t *testing.T) {
			r := newRig(t)
			typed := func(bend func(sheets map[string][][]string)) []byte {
				sheets := guideSheets(t, lang)
				bend(sheets)
				f := excelize.NewFile()
				defer f.Close()
				for name, rows := range sheets {
					_, err := f.NewSheet(name)
					ok(t, err)
					for i, row := range rows {
						at, err := excelize.CoordinatesToCellName(1, i+1)
						ok(t, err)
						ok(t, f.SetSheetRow(name, at, &row))
					}
				}
				ok(t, f.DeleteSheet("Sheet1"))
				var b bytes.Buffer
				ok(t, f.Write(&b))
				return b.Bytes()
			}
			page := string(r.sendWorkbook(t, "meeting.xlsx", typed(func(map[string][][]string) {})).want(t, 200).body)
			if strings.Contains(page, `id="found"`) {
				t.Errorf("the guide's form has problems:\n%s", page)
			}
			admin := service.Operator()
			stored, err := r.svc.Template(t.Context(), admin, "MEETING", 1)
			ok(t, err)
			_, err = r.svc.PublishTemplate(t.Context(), admin, "MEETING", 1)
			ok(t, err)
			// The filled form comes to what the text says, item by item.
			form, err := r.svc.Form(t.Context(), "MEETING", 1)
			ok(t, err)
			got := form.Scorer.Score(stored.Cases[0].Answers, survey.Context{})
			want := map[string]string{"share": "20", "on_time": "20", "minutes": "0", "discussion": "40"}
			for _, line := range got.Lines() {
				if line.Earned.String() != want[line.Item.Name] {
					t.Errorf("%s earns %s", line.Item.Name, line.Earned)
				}
			}
			if len(got.Lines()) != len(want) || got.Shown() != "80" || got.BandCode(got.BandFirst) != "good" || got.BandCode(got.Band) != "fair" {
				t.Errorf("%d lines, %s, %s, %s", len(got.Lines()), got.Shown(), got.BandCode(got.BandFirst), got.BandCode(got.Band))
			}
			// Publishing refuses a form that scores otherwise than its author did.
			r.sendWorkbook(t, "meeting.xlsx", typed(func(s map[string][][]string) { s["cases"][1][2] = "79" })).want(t, 200)
			if _, err = r.svc.PublishTemplate(t.Context(), admin, "MEETING", 2); survey.CodeOf(err) != "template.cases" {
				t.Errorf("a case that comes to something else: %v", err)
			}
			// The page in the program shows the same cells.
			guide := string(r.ask("GET", "/guide/templates?lang="+lang, nil, header{"Accept", "text/html"}).want(t, 200).body)
			guide = html.UnescapeString(guide)
			for sheet, rows := range guideSheets(t, lang) {
				for _, row := range rows {
					for _, cell := range row {
						if !strings.Contains(guide, "<td>"+cell+"</td>") && !strings.Contains(guide, `<th scope="col">`+cell+"</th>") {
							t.Errorf("the page does not show %q of the sheet %s", cell, sheet)
						}
					}
				}
			}
		})
	}
}
