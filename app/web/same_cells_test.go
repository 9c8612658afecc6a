package web

import (
	"bytes"
	"encoding/xml"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey/message"
)

// pageTable reads the table with the caption or heading of the id: the headings,
// and each row's cells as text.
func pageTable(t *testing.T, page, id string) (head []string, rows [][]string) {
	t.Helper()
	at := strings.Index(page, `id="`+id+`"`)
	if at < 0 {
		t.Fatalf("the page has no %s", id)
	}
	from := strings.LastIndex(page[:at], "<table")
	if next := strings.Index(page[at:], "<table"); from < 0 || strings.Contains(page[from:at], "</table>") {
		from = at + next
	}
	d := xml.NewDecoder(strings.NewReader(page[from : from+strings.Index(page[from:], "</table>")+len("</table>")]))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var row []string
	var cell *strings.Builder
	inHead := false
	for {
		token, err := d.Token()
		if err != nil {
			return head, rows
		}
		switch v := token.(type) {
		case xml.StartElement:
			switch v.Name.Local {
			case "thead":
				inHead = true
			case "tr":
				row = nil
			case "th", "td":
				cell = &strings.Builder{}
			}
		case xml.CharData:
			if cell != nil {
				cell.WriteString(" " + string(v))
			}
		case xml.EndElement:
			switch v.Name.Local {
			case "th", "td":
				row = append(row, strings.Join(strings.Fields(cell.String()), " "))
				cell = nil
			case "tr":
				if inHead {
					head = append(head, row...)
				} else {
					rows = append(rows, row)
				}
			case "thead":
				inHead = false
			}
		}
	}
}

var figure = regexp.MustCompile(`-?\d+(\.\d+)?`)

// sheetRows reads a sheet of a workbook by the headings in its third row.
func sheetRows(t *testing.T, f *excelize.File, sheet string) []map[string]string {
	t.Helper()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	ok(t, err)
	var out []map[string]string
	for _, row := range rows[3:] {
		line := map[string]string{}
		for i, v := range row {
			if i < len(rows[2]) {
				line[rows[2][i]] = v
			}
		}
		out = append(out, line)
	}
	return out
}

// TestThePageAndTheWorkbookShowTheSame compares every figure of the summary page
// that the workbook has too, to the last digit that the page shows.
func TestThePageAndTheWorkbookShowTheSame(t *testing.T) {
	r := newRig(t)
	body := r.ask("GET", "/api/v1/rounds/demo-2018/export.xlsx?lang=en&by=sector,superior,structure,setting,tag,rollup,period", nil, r.as("all.analyst")).want(t, 200).body
	f, err := excelize.OpenReader(bytes.NewReader(body))
	ok(t, err)
	defer f.Close()
	say := func(id string) string { return message.Say("en", id, nil) }
	compared := 0
	// same takes the figures of a cell of the page and the cells of the workbook.
	same := func(where, cell string, want ...string) {
		t.Helper()
		shown := figure.FindAllString(cell, -1)
		for i, w := range want {
			if i >= len(shown) {
				if w != "" {
					t.Errorf("%s: the page shows %q, the workbook %v", where, cell, want)
				}
				return
			}
			got, _ := strconv.ParseFloat(shown[i], 64)
			value, err := strconv.ParseFloat(w, 64)
			_, decimals, _ := strings.Cut(shown[i], ".")
			if err != nil || math.Abs(got-value) > 0.5*math.Pow10(-len(decimals))+1e-9 {
				t.Errorf("%s: the page shows %s, the workbook %q", where, shown[i], w)
			}
			compared++
		}
	}
	hundred := func(s string) string {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return s
		}
		return strconv.FormatFloat(100*v, 'f', -1, 64)
	}
	for by, sheet := range map[string]string{"sector": "By_type", "superior": "By_superior", "structure": "By_structure", "setting": "By_setting", "tag": "By_tag", "rollup": "By_type_group", "period": "By_period"} {
		page := string(r.ask("GET", "/rounds/demo-2018?lang=en&by="+by, nil, r.as("all.analyst")).want(t, 200).body)
		head, rows := pageTable(t, page, "groups")
		lines := slices.DeleteFunc(sheetRows(t, f, sheet), func(l map[string]string) bool { return strings.HasPrefix(l["Group"], " ") })
		column := func(name string) int {
			t.Helper()
			i := slices.Index(head, name)
			if i < 0 {
				t.Fatalf("no column %q on the page: %q", name, head)
			}
			return i
		}
		if len(rows) < 2 && by != "period" {
			t.Fatalf("%s: %d rows", by, len(rows))
		}
		for i, row := range rows {
			if i >= len(lines) {
				t.Errorf("%s has %d lines, the page %d", sheet, len(lines), len(rows))
				break
			}
			l, where := lines[i], sheet+" "+row[0]
			if l["Code"] != "" && !strings.HasPrefix(row[0], l["Code"]) {
				t.Errorf("%s: the page has %q, the workbook %q", sheet, row[0], l["Code"])
			}
			same(where+" coverage", row[column(say("summary.observed")+" / "+say("summary.in_scope"))], l["Observed"], l["In scope"])
			same(where+" n", row[column("n")], l["Graded (n)"])
			same(where+" mean", row[column(say("summary.mean"))], l["Mean"], l["Mean: 95 % from"], l["Mean: 95 % to"])
			same(where+" sd", row[column(say("summary.sd"))], l["SD"])
			same(where+" median", row[column(say("summary.median"))], l["Median"])
			same(where+" quartiles", row[column("Q1–Q3")], l["Quartile 1"], l["Quartile 3"])
			for _, band := range []string{"Good", "Fair", "Average", "Poor"} {
				same(where+" "+band, row[column(band)], l[band], hundred(l[band+" %"]))
			}
		}
		if by != "sector" {
			continue
		}
		items := map[string]map[string]string{}
		for _, l := range sheetRows(t, f, "Criteria") {
			items[l["Item"]] = l
		}
		head, rows = pageTable(t, page, "criteria")
		for _, row := range rows {
			item, _, _ := strings.Cut(row[0], " ")
			l := items[item]
			for name, want := range map[string]string{"n": l["Rated (n)"], say("page.share"): hundred(l["Mean share of maximum"]), say("page.full"): l["Full points"], say("page.zero"): l["No points"],
				say("state.na"): l["Not applicable"], say("state.not_observed"): l["Not observed"], say("state.blank"): l["Blank"], say("state.not_asked"): l["Not asked"]} {
				same("Criteria "+item+" "+name, row[column(name)], want)
			}
		}
		if len(rows) != 24 {
			t.Errorf("%d criteria", len(rows))
		}
	}
	caller := service.Caller{Person: r.people["all.analyst"], Language: "en"}
	cov, err := r.svc.Coverage(t.Context(), caller, "demo-2018", service.CoverageQuery{})
	ok(t, err)
	progress := map[string]map[string]string{}
	for _, l := range sheetRows(t, f, "Progress") {
		progress[l["Code"]] = l
	}
	for _, c := range append(cov.Lines, service.CoverageLine{CoverageCount: cov.Total}) {
		for name, n := range map[string]int{"In scope": c.InScope, "Assigned": c.Assigned, "Visited": c.Visited, "To review": c.Submitted, "Returned": c.Returned, "Approved": c.Approved, "Overdue": c.Overdue} {
			same("Progress "+c.Code+" "+name, strconv.Itoa(n), progress[c.Code][name])
		}
	}
	trust, err := r.svc.Analysis(t.Context(), caller, "demo-2018", scoring.Query{})
	ok(t, err)
	cells, err := f.GetRows("Reliability", excelize.Options{RawCellValue: true})
	ok(t, err)
	for _, c := range trust.Items {
		i := slices.IndexFunc(cells, func(row []string) bool { return len(row) > 9 && row[0] == c.Item })
		if i < 0 {
			t.Errorf("Reliability has no line for %s", c.Item)
			continue
		}
		same("Reliability "+c.Item, strconv.Itoa(c.Pairs), cells[i][2])
		for k, v := range map[int]*float64{4: c.Exact, 5: c.Adjacent, 6: c.Kappa, 7: c.AC1, 8: c.AC2} {
			if v != nil {
				same("Reliability "+c.Item, strconv.FormatFloat(*v, 'f', 9, 64), cells[i][k])
			}
		}
	}
	if compared < 600 {
		t.Errorf("only %d figures were compared", compared)
	}
}
