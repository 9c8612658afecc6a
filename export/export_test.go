package export_test

import (
	"bytes"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

func both(s string) survey.Text { return survey.Text{"vi": s, "en": s} }

func points(s string) *survey.Points {
	p, _ := survey.ParsePoints(s)
	return &p
}

// nasty are texts that a workbook must keep as they are, as text.
var nasty = []string{"=1+1", "+84 28", "-1", "@SUM(A1)", "_x0041_", "a<b>&\"c\"", "tab\there", "đ Ệ 会 🏫", strings.Repeat("dài ", 8000)}

// report makes a report about one response for each nasty text.
func report(t *testing.T, lang string) *export.Report {
	t.Helper()
	tpl := &survey.Template{Code: "T", Version: 1, State: survey.Published, Title: both("t"), Languages: []string{"vi", "en"},
		Lists: []survey.ChoiceList{{Name: "yn", Choices: []survey.Choice{{Name: "yes", Label: both("có"), Points: points("10")}, {Name: "no", Label: both("không"), Points: points("0")},
			{Name: "na", Label: both("không áp dụng"), Means: survey.MeansNA}}}},
		Items: []survey.Item{
			{Name: "S", Kind: survey.KindGroup, Label: both("phần"), Points: points("10"), Items: []survey.Item{{Name: "A1", Kind: survey.KindSelectOne, List: "yn", Label: both("a1"), Points: points("10")}}},
			{Name: "why", Kind: survey.KindText, Label: both("why"), Relevant: "${A1} != 'na'"},
			{Name: "present", Kind: survey.KindInteger, Label: both("n")},
			{Name: "good", Kind: survey.KindRepeat, Label: both("g"), Role: survey.RoleStrength, Items: []survey.Item{{Name: "good_text", Kind: survey.KindText, Label: both("x"), Role: survey.RoleText}}},
		},
		Scheme: &survey.Scheme{Total: 1000, NA: survey.NARescale, Rescale: survey.RescaleOverall, Decimals: 2, Graded: true, MinAvailable: 0,
			Bands: []survey.Band{{Code: "tot", Min: 500, Label: both("Tốt"), Color: "#70ad47"}, {Code: "kem", Min: 0, Label: both("Kém"), Color: "#c00000"}}}}
	form, ps := survey.Compile(tpl, nil)
	if form == nil {
		t.Fatal(ps)
	}
	lists := &survey.TypeLists{Structures: []survey.Structure{{TypeCode: survey.TypeCode{Code: "CB", Label: both("chi bộ")}, Assessed: true}},
		Sectors: []survey.Sector{{TypeCode: survey.TypeCode{Code: "02", Label: both("Phường")}}}}
	scorer := scoring.NewScorer(form)
	layout := scorer.Layout()
	table := scoring.NewTable(lists)
	zone, _ := time.LoadLocation("Asia/Ho_Chi_Minh")
	var details []*export.Detail
	var rows []survey.Row
	for i, text := range nasty {
		choice := []string{"yes", "no", "na"}[i%3]
		answers := survey.Answers{{Item: "A1", Value: survey.TextValue(choice)}, {Item: "why", Value: survey.TextValue(text)},
			{Item: "good", Value: survey.RowsValue(survey.Answers{{Item: "good_text", Value: survey.TextValue(text)}})}}
		if i%2 == 0 {
			answers = answers.Set("present", survey.NumberValue(float64(i)))
		}
		r := &survey.Response{ID: survey.ResponseID("00000000-0000-4000-8000-00000000000" + string(rune('0'+i))), TemplateVersion: 1, State: survey.StateSubmitted, MeetingDate: survey.MustDate("2018-03-05"),
			VisitKey: survey.VisitKey{Round: "R", Template: "T", Unit: "C", Role: survey.RoleObserver, Period: string(rune('a' + i))},
			Standing: survey.Standing{Unit: "C", Name: text, Path: []survey.UnitCode{"TU", "Q", "C"}, UnitFacts: survey.UnitFacts{Structure: "CB", Sector: "02"}}}
		r.ReceivedAt = time.Date(2018, 3, 5, 14, 30, 0, 0, time.UTC)
		r.Answers = answers
		result := scorer.Score(answers, survey.Context{})
		rows = append(rows, survey.Row{ID: r.ID, Rev: 1, State: r.State, Packed: layout.Pack(result, r)})
		details = append(details, &export.Detail{Response: r, Result: result, Observer: "Người quan sát", Path: []string{"Thành ủy", "Quận", text}})
	}
	if err := table.Apply(rows, func(survey.TemplateCode, int) (*scoring.Layout, error) { return layout, nil }); err != nil {
		t.Fatal(err)
	}
	sum := func(by scoring.Grouping) *scoring.Summary {
		s, err := table.Summarize(scoring.Query{Template: "T", By: by, Items: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	analysis, err := table.Analyse(scoring.Query{Template: "T"})
	if err != nil {
		t.Fatal(err)
	}
	return &export.Report{Round: &survey.Round{Code: "R", Title: both("đợt"), Opens: survey.MustDate("2018-01-01"), Closes: survey.MustDate("2018-06-30")},
		Template: tpl, Language: lang, Lists: lists, AsOf: survey.MustDate("2018-06-30"), MadeAt: time.Date(2018, 7, 1, 9, 0, 0, 0, zone), Version: "test",
		Summary: sum(scoring.BySector), Groupings: []*scoring.Summary{sum(scoring.BySector), sum(scoring.BySuperior), sum(scoring.ByStructure)},
		Superiors: []export.TreeGroup{{Level: 0, Group: sum(scoring.BySuperior).Groups[0]}, {Level: 1, Group: sum(scoring.BySuperior).Groups[0]}},
		Analysis:  analysis, Coverage: []export.CoverageLine{{Code: "Q", Name: "Quận", InScope: 9}, {Whole: true, InScope: 9}},
		Behind: []export.BehindLine{{Name: "Ánh", Overdue: 1, Asked: 2, Oldest: survey.MustDate("2018-05-01")}},
		Late:   []export.Late{{ID: "x", Unit: "C", Role: survey.RoleObserver, Date: survey.MustDate("2018-05-01"), At: time.Date(2018, 7, 1, 9, 0, 0, 0, zone), What: "new"}},
		Details: func(yield func(*export.Detail, error) bool) {
			for _, d := range details {
				if !yield(d, nil) {
					return
				}
			}
		}}
}

var _ iter.Seq2[*export.Detail, error]

func write(t *testing.T, r *export.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := export.Workbook(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestNastyTextsStayTextsAndStayWhole(t *testing.T) {
	f := open(t, write(t, report(t, "vi")))
	rows, err := f.GetRows("ChiTiet")
	if err != nil {
		t.Fatal(err)
	}
	why := -1
	for i, h := range rows[0] {
		if h == "why" {
			why = i
		}
	}
	for i, text := range nasty {
		want := text
		if i%3 == 2 {
			want = "[z]" // not asked when not applicable
		}
		if got := rows[i+1][why]; got != want {
			t.Errorf("row %d: %.40q, want %.40q", i+1, got, want)
		}
		cell, _ := excelize.CoordinatesToCellName(3, i+2)
		if kind, _ := f.GetCellType("ChiTiet", cell); kind != excelize.CellTypeInlineString {
			t.Errorf("%s is %v, want a text", cell, kind)
		}
		if formula, _ := f.GetCellFormula("ChiTiet", cell); formula != "" {
			t.Errorf("%s became a formula: %q", cell, formula)
		}
	}
	good, _ := f.GetRows("CachLamHay")
	if len(good) != len(nasty)+1 {
		t.Errorf("%d findings, want %d", len(good)-1, len(nasty))
	}
}

func TestMissingIsToldApart(t *testing.T) {
	f := open(t, write(t, report(t, "en")))
	rows, _ := f.GetRows("Visits")
	column := map[string]int{}
	for i, h := range rows[0] {
		column[h] = i
	}
	if got := rows[3][column["A1"]]; got != "[na]" {
		t.Errorf("not applicable shows as %q", got)
	}
	if got := rows[2][column["present"]]; got != "[b]" {
		t.Errorf("blank shows as %q", got)
	}
	if got := rows[3][column["why"]]; got != "[z]" {
		t.Errorf("not asked shows as %q", got)
	}
	if got := rows[1][column["present"]]; got != "0" {
		t.Errorf("a value of zero shows as %q", got)
	}
}

func TestSummarySheetsShowTheSummary(t *testing.T) {
	r := report(t, "vi")
	f := open(t, write(t, r))
	rows, err := f.GetRows("TongHop_LoaiHinh", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	header, line := rows[2], rows[3]
	get := func(name string) string {
		for i, h := range header {
			if h == name {
				return line[i]
			}
		}
		t.Fatalf("no column %q in %v", name, header)
		return ""
	}
	// 9 visits, a third each yes, no, not applicable; what is not applicable
	// alone leaves nothing to grade.
	for name, want := range map[string]string{"Mã": "02", "Nhóm": "Phường", "Lượt dự": "9", "Có điểm (n)": "6", "Chưa xếp điểm": "3", "Tốt": "3", "Tốt %": "0.5", "Kém": "3", "Trung bình": "5", "Trung vị": "5"} {
		if want == "Phường" {
			continue // labels of groups are given by the service
		}
		if got := get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestTheSameReportGivesTheSameBytes(t *testing.T) {
	if !bytes.Equal(write(t, report(t, "vi")), write(t, report(t, "vi"))) {
		t.Error("two workbooks of one report differ")
	}
}

func TestPageSetUp(t *testing.T) {
	f := open(t, write(t, report(t, "vi")))
	for _, sheet := range f.GetSheetList() {
		layout, err := f.GetPageLayout(sheet)
		if err != nil {
			t.Fatal(err)
		}
		orientation := "landscape"
		if sheet == "TrangBia" {
			orientation = "portrait"
		}
		if layout.Size == nil || *layout.Size != 9 || layout.Orientation == nil || *layout.Orientation != orientation {
			t.Errorf("%s is not A4 %s", sheet, orientation)
		}
		if foot, _ := f.GetHeaderFooter(sheet); foot == nil || !strings.Contains(foot.OddFooter, "&P / &N") || !strings.Contains(foot.OddHeader, "đợt") {
			t.Errorf("%s has no header or no page numbers: %+v", sheet, foot)
		}
		if sheet == "TrangBia" || sheet == "DoTinCay" {
			continue // several small tables, no headings to repeat
		}
		panes, _ := f.GetPanes(sheet)
		if !panes.Freeze {
			t.Errorf("%s has no frozen header", sheet)
		}
		titles := false
		for _, name := range f.GetDefinedName() {
			titles = titles || (name.Name == "_xlnm.Print_Titles" && name.Scope == sheet)
		}
		if !titles {
			t.Errorf("%s does not repeat its header on each page", sheet)
		}
	}
	if props, _ := f.GetDocProps(); props.Title != "đợt" || !strings.HasPrefix(props.Creator, "khaosat") {
		t.Errorf("document properties %+v", props)
	}
}

func TestABrokenSourceIsAnError(t *testing.T) {
	r := report(t, "vi")
	boom := &survey.Error{Kind: survey.Unavailable, Code: "store.unreachable"}
	r.Details = func(yield func(*export.Detail, error) bool) { yield(nil, boom) }
	if err := export.Workbook(&bytes.Buffer{}, r); survey.KindOf(err) != survey.Unavailable {
		t.Errorf("got %v", err)
	}
}
