package xlsform

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
	"github.com/xuri/excelize/v2"
)

func points(p survey.Points) *survey.Points { return &p }

func TestEveryColumnIsRead(t *testing.T) {
	b := workbook(t, []sheetData{
		{"survey", [][]any{
			{"type", "name", "label::Tiếng Việt (vi)", "label::English (en)", "hint::English (en)", "required", "required_message::English (en)",
				"relevant", "constraint", "constraint_message::English (en)", "calculation", "default", "appearance", "parameters", "repeat_count",
				"read_only", "points", "steps", "na", "reverse", "bonus", "applies", "evidence", "rubric", "tags_list", "role"},
			row("begin_group", "A", "Phần A", "Part A", "", "", "", "${x} = 1", "", "", "", "", "field-list", "", "", "", 5, "", "", "", "", "unit('sector') = '1'"),
			row("select_one A1", "A1", "Mục", "Item", "Look", "yes", "Needed", "", ". != 'x'", "Not x", "", "p4", "likert", "k=v", "", "yes", 3.5, "", "full",
				"yes", "yes", "", ". = 'p0'", "yes", "", ""),
			row("calculate", "A2", "", "", "", "", "", "", "", "", "${x} div 2", "", "", "", "", "", 5, ". >= 0.9 : 5\n true() : 0", "zero"),
			row("end_group"),
			row("begin_repeat", "s", "Ưu điểm", "Strengths", "", "", "", "", "", "", "", "", "", "", "3", "", "", "", "", "", "", "", "", "", "tags", "strength"),
			row("text", "s_text", "Viết", "Write", "", "no", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "text"),
			row("end_repeat"),
			row("integer", "x", "Số", "Number", "", "${s} > 1", "", "", "", "", "", "0"),
		}},
		{"choices", [][]any{
			{"list_name", "name", "label::Tiếng Việt (vi)", "label::English (en)", "points", "na", "anchor::English (en)"},
			row("A1", "p4", "Đủ", "Full", 3.5, "", "All is there"),
			row("A1", "p0", "Không", "None", 0, "", "Nothing is there"),
			row("A1", "na", "Không áp dụng", "Not applicable", "", "yes"),
			row("tags", "t", "Thẻ", "Tag", "", "not_observed"),
		}},
		{"checks", [][]any{{"code", "test", "item", "label::English (en)"}, {"C1", "${x} > 0", "x", "Positive"}}},
		{"bands", [][]any{{"code", "min", "label::English (en)", "color"}, {"low", 0, "Low", "#111111"}, {"high", 90.5, "High"}}},
		{"caps", [][]any{{"code", "when", "band", "label::English (en)"}, {"K1", "points('A1') < 2", "low", "Too few"}}},
		{"scoring", [][]any{{"total", "na_policy", "rescale", "min_available", "decimals", "blank", "graded", "applies", "roles"},
			{5, "full", "section", 80, 1, "zero", "yes", "tagged('X')", "observer self"}}},
		{"settings", [][]any{{"form_title", "heading::English (en)", "form_id", "version", "default_language", "instance_name"},
			{"Phiếu", "Form", "F-1", "2018-01", "Tiếng Việt (vi)", "concat('F', ${x})"}}},
	})
	en := func(s string) survey.Text { return survey.Text{"en": s} }
	both := func(vi, en string) survey.Text { return survey.Text{"vi": vi, "en": en} }
	want := &survey.Template{
		Code: "F-1", Label: "2018-01", State: survey.Draft, Title: both("Phiếu", "Form"), Languages: []string{"vi", "en"}, InstanceName: "concat('F', ${x})",
		Items: []survey.Item{
			{Name: "A", Kind: survey.KindGroup, Label: both("Phần A", "Part A"), Relevant: "${x} = 1", Appearance: "field-list", Points: points(500),
				Applies: "unit('sector') = '1'", Row: 2, Items: []survey.Item{
					{Name: "A1", Kind: survey.KindRubric, List: "A1", Label: both("Mục", "Item"), Hint: en("Look"), Required: "true()",
						RequiredMessage: en("Needed"), Constraint: ". != 'x'", ConstraintMessage: en("Not x"), Default: "'p4'", Appearance: "likert",
						Parameters: "k=v", ReadOnly: true, Points: points(350), NA: survey.NAFull, Reverse: true, Bonus: true, Evidence: ". = 'p0'", Row: 3},
					{Name: "A2", Kind: survey.KindCalculate, Calculation: "${x} div 2", Points: points(500), NA: survey.NAZero,
						Steps: []survey.Step{{When: ". >= 0.9", Points: "5"}, {When: "true()", Points: "0"}}, Row: 4},
				}},
			{Name: "s", Kind: survey.KindRepeat, Label: both("Ưu điểm", "Strengths"), RepeatCount: "3", TagsList: "tags", Role: survey.RoleStrength, Row: 6,
				Items: []survey.Item{{Name: "s_text", Kind: survey.KindText, Label: both("Viết", "Write"), Required: "false()", Role: survey.RoleText, Row: 7}}},
			{Name: "x", Kind: survey.KindInteger, Label: both("Số", "Number"), Required: "${s} > 1", Default: "0", Row: 9},
		},
		Lists: []survey.ChoiceList{
			{Name: "A1", Choices: []survey.Choice{
				{Name: "p4", Label: both("Đủ", "Full"), Points: points(350), Anchor: en("All is there"), Row: 2},
				{Name: "p0", Label: both("Không", "None"), Points: points(0), Anchor: en("Nothing is there"), Row: 3},
				{Name: "na", Label: both("Không áp dụng", "Not applicable"), Means: survey.MeansNA, Row: 4}}},
			{Name: "tags", Choices: []survey.Choice{{Name: "t", Label: both("Thẻ", "Tag"), Means: survey.MeansNotObserved, Row: 5}}},
		},
		Checks: []survey.Check{{Code: "C1", Test: "${x} > 0", Item: "x", Label: en("Positive"), Row: 2}},
		Scheme: &survey.Scheme{Total: 500, NA: survey.NAFull, Rescale: survey.RescaleSection, Blank: survey.BlankZero, Decimals: 1, MinAvailable: 80,
			Graded: true, Applies: "tagged('X')", Roles: []survey.Role{survey.RoleObserver, survey.RoleSelf},
			Bands: []survey.Band{{Code: "high", Min: 9050, Label: en("High"), Row: 3}, {Code: "low", Label: en("Low"), Color: "#111111", Row: 2}},
			Caps:  []survey.Cap{{Code: "K1", When: "points('A1') < 2", Band: "low", Label: en("Too few"), Row: 2}}},
	}
	got, ps := read(t, b)
	if len(ps) > 0 {
		t.Errorf("problems in a workbook without any: %v", lines(ps))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// problemCases are workbooks with something wrong each, and all of what is
// reported.
var problemCases = []struct {
	name   string
	sheets []sheetData
	want   []string
}{
	{"a misspelt survey sheet", []sheetData{{"survay", nil}, settings()},
		[]string{`warning sheet.unknown at survay!0 "survay" (did you mean "survey")`, `error sheet.missing at survey!0 "survey" (did you mean "survay")`}},
	{"no survey sheet", []sheetData{{"Questions", nil}, settings()}, []string{`error sheet.missing at survey!0 "survey"`}},
	{"a sheet for which there is no use yet", []sheetData{surveyRows(row("type", "name", "label::English (en)")), {"entities", nil}, settings()},
		[]string{`warning sheet.not_used at entities!0 "entities"`}},
	{"a misspelt column", []sheetData{surveyRows(row("type", "name", "label::English (en)", "relevent")), settings()},
		[]string{`warning column.unknown at survey!relevent1 "relevent" (did you mean "relevant")`}},
	{"a misspelt column with a language", []sheetData{surveyRows(row("type", "name", "label::English (en)", "hnit::English (en)")), settings()},
		[]string{`warning column.unknown at survey!hnit::English (en)1 "hnit::English (en)" (did you mean "hint::English (en)")`}},
	{"a column of the author's own", []sheetData{surveyRows(row("type", "name", "label::English (en)", "who asked for it")), settings()},
		[]string{`advice column.unknown at survey!who asked for it1 "who asked for it"`}},
	{"columns without effect, one of them filled in",
		[]sheetData{surveyRows(row("type", "name", "label::English (en)", "save_to", "autoplay"), row("text", "a", "A", "x")), settings()},
		[]string{`advice column.not_used at survey!save_to1 "save_to"`}},
	{"a choice filter", []sheetData{surveyRows(row("type", "name", "label::English (en)", "choice_filter"), row("select_one l", "a", "A", "x=1")), settings()},
		nil},
	{"a column twice", []sheetData{surveyRows(row("type", "name", "label::English (en)", "Label :: English (en)")), settings()},
		[]string{`error column.duplicate at survey!Label :: English (en)1 "Label :: English (en)"`}},
	{"one column by two names", []sheetData{surveyRows(row("type", "name", "label::English (en)", "relevant", "relevance")), settings()},
		[]string{`error column.duplicate at survey!relevance1 "relevance"`}},
	{"no column type", []sheetData{surveyRows(row("sort of question", "name", "label::English (en)"), row("text", "a", "A")), settings()},
		[]string{`advice column.unknown at survey!sort of question1 "sort of question"`, `error column.missing at survey!type1 "type"`}},
	{"no column list_name", []sheetData{surveyRows(row("type", "name", "label::English (en)")), {"choices", [][]any{{"lst", "name"}, {"l", "a"}}}, settings()},
		[]string{`error column.missing at choices!list_name1 "list_name"`}},
	{"a misspelt type", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("interger", "a", "A"), row("select_on yn", "b", "B")), settings()},
		[]string{`error type.unsupported at survey!type2 a "interger" (did you mean "integer")`,
			`error type.unsupported at survey!type3 b "select_on yn" (did you mean "select_one yn")`}},
	{"a type for which there is another way", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("rating", "a", "A")), settings()},
		[]string{`error type.unsupported at survey!type2 a "rating" (did you mean "select_one LIST")`}},
	{"types that a page cannot do all of",
		[]sheetData{surveyRows(row("type", "name", "label::English (en)"), row("range", "a", "A"), row("select_one_from_file f.csv", "b", "B"), row("Rank l", "c", "C")), settings()},
		[]string{`warning type.limit.range at survey!type2 a "range"`, `warning type.file_missing at survey!type3 b "f.csv"`,
			`warning type.limit.rank at survey!type4 c "Rank l"`}},
	{"a loop", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin loop over l", "a", "A")), settings()},
		[]string{`error group.not_closed at survey!type2 a "a"`, `error type.loop at survey!type2 a "l"`}},
	{"an item of the same name in another group", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin group", "g", "G"), row("text", "a", "A"),
		row("end group"), row("text", "a", "A")), settings()}, []string{`warning item.renamed at survey!name5 a "a"`}},
	{"a group called as its question", []sheetData{surveyRows(row("type", "name", "label::English (en)", "relevant"), row("begin group", "a", "G"), row("text", "a", "A"),
		row("end group"), row("text", "b", "B", "${a} = 1")), settings()}, []string{`warning item.renamed at survey!name2 a "a"`}},
	{"metadata", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("start", "start"), row("get Phone Number", "p"), row("audit", "audit")), settings()},
		[]string{`advice type.metadata at survey!type3 p "get Phone Number"`,
			`advice type.metadata at survey!type4 audit "audit"`}},
	{"a row without type", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("", "a", "A")), settings()},
		[]string{`error type.missing at survey!type2 a`}},
	{"a select without list", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("select_one", "a", "A")), settings()},
		[]string{`error type.no_list at survey!type2 a "select_one"`}},
	{"a group that is not closed", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin_group", "g"), row("text", "a", "A")), settings()},
		[]string{`error group.not_closed at survey!type2 g "g"`}},
	{"an inner group that is not closed, as the outer end shows", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin_group", "g"),
		row("begin_group", "h"), row("text", "a", "A"), row("end_group", "g"), row("text", "b", "B")), settings()},
		[]string{`error group.not_closed at survey!type3 h "h"`}},
	{"the end of a repeat closing a group", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin group", "g"), row("text", "a", "A"), row("end repeat")), settings()},
		[]string{`error group.mismatch at survey!type4 "end_repeat"`}},
	{"an end without a beginning", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("end_group")), settings()},
		[]string{`error group.not_open at survey!type2 "end_group"`}},
	{"a misspelt beginning is reported, its end is not", []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin grup", "g"), row("text", "a", "A"), row("end group")), settings()},
		[]string{`error type.unsupported at survey!type2 g "begin grup" (did you mean "begin_group")`}},
	{"a rubric that is no select_one", []sheetData{surveyRows(row("type", "name", "label::English (en)", "rubric"), row("text", "a", "A", "yes"), row("text", "b", "B", "no")), settings()},
		[]string{`error rubric.not_select_one at survey!rubric2 a "text"`}},
	{"points that are no number", []sheetData{surveyRows(row("type", "name", "label::English (en)", "points"), row("text", "a", "A", "five"), row("text", "b", "B", 1.125)), settings()},
		[]string{`error points.shape at survey!points2 a "five"`, `error points.shape at survey!points3 b "1.125"`}},
	{"steps without a colon or a side", []sheetData{surveyRows(row("type", "name", "label::English (en)", "steps"), row("calculate", "a", "", ". > 1 = 5; . > 2 : ; : 3; . > 0 : 1")), settings()},
		[]string{`error steps.shape at survey!steps2 a ". > 1 = 5"`, `error steps.shape at survey!steps2 a ". > 2 :"`, `error steps.shape at survey!steps2 a ": 3"`}},
	{"neither yes nor no", []sheetData{surveyRows(row("type", "name", "label::English (en)", "reverse", "bonus", "readonly"), row("text", "a", "A", "maybe", "ja", "?")), settings()},
		[]string{`error cell.yes_no at survey!readonly2 a "?"`, `error cell.yes_no at survey!reverse2 a "maybe"`, `error cell.yes_no at survey!bonus2 a "ja"`}},
	{"an unknown role", []sheetData{surveyRows(row("type", "name", "label::English (en)", "role"), row("text", "a", "A", "strenght")), settings()},
		[]string{`error role.unknown at survey!role2 a "strenght" (did you mean "strength")`}},
	{"a choice without list", []sheetData{surveyRows(row("type", "name", "label::English (en)")),
		{"choices", [][]any{{"list_name", "name", "label::English (en)"}, {"yn", "yes", "Yes"}, {"", "no", "No"}}}, settings()},
		[]string{`error choice.no_list at choices!list_name3 no "no" (did you mean "yn")`}},
	{"two rows of settings", []sheetData{surveyRows(row("type", "name", "label::English (en)")),
		{"settings", [][]any{{"form_title", "form_id"}, {"Form", "F1"}, {"Form", "F2"}}}},
		[]string{`error sheet.one_row at settings!3`}},
	{"no settings", []sheetData{surveyRows(row("type", "name", "label::English (en)")), {"notes", nil}},
		[]string{`warning settings.form_id at settings!form_id0`}},
	{"labels with and without a language", []sheetData{surveyRows(row("type", "name", "label", "label::French (fr)")),
		{"settings", [][]any{{"form_title", "form_id"}, {"Form", "F1"}}}},
		[]string{`warning language.mixed at survey!label1 "label"`}},
	{"a default language without columns", []sheetData{surveyRows(row("type", "name", "label::Tiếng Việt (vi)")), settings()},
		[]string{`warning language.default at settings!default_language2 "English (en)"`}},
	{"a language code that is none", []sheetData{surveyRows(row("type", "name", "label::Klingon (klingon!)", "label::English (en)")), settings()},
		[]string{`warning language.code at survey!label::Klingon (klingon!)1 "Klingon (klingon!)"`}},
	{"bands without scoring", []sheetData{surveyRows(row("type", "name", "label::English (en)")), {"bands", [][]any{{"code", "min"}, {"a", 0}}}, settings()},
		[]string{`error scoring.missing at scoring!0`}},
	{"scoring and bands with odd numbers", []sheetData{surveyRows(row("type", "name", "label::English (en)")),
		{"bands", [][]any{{"code", "min"}, {"a", ""}, {"b", "low"}}},
		{"scoring", [][]any{{"total", "min_available", "decimals", "graded"}, {"all", "most", "two", "perhaps"}}}, settings()},
		[]string{`error cell.whole_number at scoring!decimals2 "two"`, `error cell.percentage at scoring!min_available2 "most"`,
			`error points.shape at scoring!total2 "all"`, `error band.no_min at bands!min2 a`, `error points.shape at bands!min3 b "low"`,
			`error cell.yes_no at scoring!graded2 "perhaps"`}},
}

func TestProblemsAreAllReportedWithTheirPlace(t *testing.T) {
	for _, c := range problemCases {
		t.Run(c.name, func(t *testing.T) {
			_, ps := read(t, workbook(t, c.sheets))
			if got := lines(ps); !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func TestEveryProblemIsWordedInBothLanguages(t *testing.T) {
	for _, c := range problemCases {
		_, ps := read(t, workbook(t, c.sheets))
		for _, p := range ps {
			for _, lang := range message.Languages {
				if text := message.OfProblem(lang, p); !message.Known(lang, p.Code) || strings.Contains(text, "…") && !strings.Contains(p.Value, "…") {
					t.Errorf("%s in %s: %q", p.Code, lang, text)
				}
			}
		}
	}
	for _, code := range []string{"workbook.unreadable", "workbook.password", "workbook.xls", "workbook.too_large", "workbook.cell_too_long",
		"workbook.item_kind", "workbook.more_problems", "group.too_deep"} {
		for _, lang := range message.Languages {
			if !message.Known(lang, code) {
				t.Errorf("%s has no text in %s", code, lang)
			}
		}
	}
}

func TestAnErrorOfExcelIsNoText(t *testing.T) {
	_, ps := read(t, hostileSheet(t, `<row r="1">`+inline("A1", "type")+inline("B1", "name")+inline("C1", "label")+`</row>
		<row r="2">`+inline("A2", "note")+`<c r="B2" t="e"><v>#REF!</v></c>`+inline("C2", "#N/A")+`</row>`))
	if got := lines(ps); !slices.Equal(got, []string{`error cell.error at survey!name2 "#REF!"`}) {
		t.Errorf("got %v", got)
	}
}

func TestBothRowsOfAnUnclosedGroupAreTold(t *testing.T) {
	_, ps := read(t, workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin_repeat", "g"), row("text", "a", "A"), row("text", "b", "B")), settings()}))
	if len(ps) != 1 || !reflect.DeepEqual(ps[0].Args, survey.Args{"kind": "repeat", "row": "2", "last": "4"}) {
		t.Errorf("got %v", ps)
	}
	_, ps = read(t, workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin_group", "g"), row("end_repeat")), settings()}))
	if len(ps) != 1 || !reflect.DeepEqual(ps[0].Args, survey.Args{"kind": "repeat", "open": "group", "name": "g", "row": "2"}) {
		t.Errorf("got %v", ps)
	}
}

func TestItemsSurviveGroupsThatDoNotMatch(t *testing.T) {
	tpl, _ := read(t, workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("begin_group", "g"), row("begin_repeat", "h"),
		row("text", "a", "A"), row("end_group"), row("text", "b", "B")), settings()}))
	var path []string
	tpl.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		path = append(path, strings.Repeat(" ", len(parents))+it.Name)
		return true
	})
	if got := strings.Join(path, "\n"); got != "g\n h\n  a\n b" {
		t.Errorf("got\n%s", got)
	}
}

func TestWorkbooksAreReadLeniently(t *testing.T) {
	want := func(tpl *survey.Template, ps survey.Problems) string {
		if len(ps) > 0 {
			return strings.Join(lines(ps), "; ")
		}
		it := tpl.Item("q")
		if it == nil {
			return "no item q"
		}
		return fmt.Sprintf("%s %s %s", it.Kind, it.Label.In("en"), it.Relevant)
	}
	const plain = "integer A label ${a} = 'x'"
	header := row("type", "name", "label::English (en)", "relevant")
	for _, c := range []struct {
		name   string
		sheets []sheetData
		edit   func(*excelize.File)
		want   string
	}{
		{"letter case and spaces in sheet names", []sheetData{{" Survey ", [][]any{header, {"integer", "q", "A label", "${a} = 'x'"}}},
			{"SETTINGS", settings().rows}}, nil, plain},
		{"letter case, spaces and dashes in headers", []sheetData{surveyRows(row(" Type", "NAME ", "Label :: English (en)", "Relevance"),
			row("integer", "q", "A label", "${a} = 'x'")), settings()}, nil, plain},
		{"the old single colon", []sheetData{surveyRows(row("type", "name", "label:English (en)", "bind:relevant"), row("integer", "q", "A label", "${a} = 'x'")), settings()}, nil, plain},
		{"spaces around cells and types in any case", []sheetData{surveyRows(header, row(" Integer\u00a0", " q\n", "  A label ", " ${a} = 'x' ")), settings()}, nil, plain},
		{"curly quotes", []sheetData{surveyRows(header, row("integer", "q", "A label", "${a} = ‘x’")), settings()}, nil, plain},
		{"blank rows and blank columns between", []sheetData{surveyRows(row(), row("type", "", "name", "label::English (en)", "", "relevant"), row(), row(),
			row("integer", "", "q", "A label", "", "${a} = 'x'")), settings()}, nil, plain},
		{"other sheets, some hidden", []sheetData{surveyRows(header, row("integer", "q", "A label", "${a} = 'x'")), {"Notes for me", [][]any{{"x"}}}, {"_old", nil}, settings()},
			func(f *excelize.File) { _ = f.SetSheetVisible("Notes for me", false) }, plain},
		{"rows that hold only the author's notes", []sheetData{{"survey", [][]any{row("type", "name", "label::English (en)", "relevant"), row("integer", "q", "A label", "${a} = 'x'")}}, settings()},
			func(f *excelize.File) { _ = f.SetCellStr("survey", "J3", "a stray note") }, plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit := c.edit
			if edit == nil {
				edit = func(*excelize.File) {}
			}
			if got := want(read(t, workbook(t, c.sheets, edit))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAFormWithoutIDOrFileNameHasNoCode(t *testing.T) {
	tpl, ps, err := Read(workbook(t, []sheetData{surveyRows(row("type", "name", "label"))}))
	must(t, err)
	if tpl.Code != "" || len(ps) > 0 {
		t.Errorf("got code %q, problems %v", tpl.Code, lines(ps))
	}
	if _, ps := survey.Compile(tpl, nil); !slices.ContainsFunc(ps, func(p survey.Problem) bool { return p.Code == "template.code" }) {
		t.Errorf("nobody tells that the code is missing: %v", lines(ps))
	}
}

func TestTheOnlySheetIsTheSurvey(t *testing.T) {
	tpl, ps, err := ReadNamed(workbook(t, []sheetData{{"Tabelle1", [][]any{{"type", "name", "label"}, {"text", "q", "A"}}}}), `C:\forms\Điều tra (2).xlsx`)
	must(t, err)
	if tpl.Item("q") == nil || tpl.Code != "i-u-tra-2" || !slices.Equal(lines(ps), []string{"warning settings.form_id at settings!form_id0"}) {
		t.Errorf("got %q, %v, problems %v", tpl.Code, tpl.Items, lines(ps))
	}
}

func TestCellsAreReadAsTheirAuthorMeantThem(t *testing.T) {
	b := workbook(t, []sheetData{
		surveyRows(row("type", "name", "label::English (en)", "default", "points", "required"),
			row("decimal", "a", "A"), row("decimal", "b", "B"), row("date", "c", "C"), row("time", "d", "D"), row("text", "e", "E"), row("text", "f", "F")),
		{"choices", [][]any{{"list_name", "name", "label::English (en)", "points"}, {"l", 1, 10, "3,5"}, {"l", "01", "02.0", " 2 "}}},
		{"scoring", [][]any{{"total", "min_available"}, {100, 0.8}}},
		{"settings", [][]any{{"form_title", "form_id", "version"}, {"Form", "F1", 43101}}},
	}, func(f *excelize.File) {
		date, err := f.NewStyle(&excelize.Style{CustomNumFmt: ptr("mmm-yy")})
		must(t, err)
		clock, err := f.NewStyle(&excelize.Style{NumFmt: 20})
		must(t, err)
		share, err := f.NewStyle(&excelize.Style{NumFmt: 9})
		must(t, err)
		two, err := f.NewStyle(&excelize.Style{NumFmt: 2})
		must(t, err)
		must(t, f.SetCellDefault("survey", "D2", "1.1000000000000001"))
		must(t, f.SetCellDefault("survey", "D3", "2.0"))
		must(t, f.SetCellDefault("survey", "D4", "43174"))
		must(t, f.SetCellDefault("survey", "D5", "0.8125"))
		must(t, f.SetCellStr("survey", "D6", "2.0"))
		must(t, f.SetCellStr("survey", "D7", "1.1000000000000001"))
		must(t, f.SetCellDefault("survey", "E2", "0.34999999999999998"))
		must(t, f.SetCellFloat("survey", "E3", 4, -1, 64))
		must(t, f.SetCellBool("survey", "F2", true))
		must(t, f.SetCellStyle("survey", "D4", "D4", date))
		must(t, f.SetCellStyle("survey", "D5", "D5", clock))
		must(t, f.SetCellStyle("survey", "E3", "E3", two))
		must(t, f.SetCellStyle("scoring", "B2", "B2", share))
		must(t, f.SetCellStyle("settings", "C2", "C2", date))
	})
	tpl, ps := read(t, b)
	if len(ps) > 0 {
		t.Errorf("problems: %v", lines(ps))
	}
	got := []string{}
	for _, it := range tpl.Items {
		got = append(got, it.Default)
	}
	for _, ch := range tpl.Lists[0].Choices {
		got = append(got, ch.Name, ch.Label["en"], ch.Points.String())
	}
	got = append(got, tpl.Items[0].Points.String(), tpl.Items[1].Points.String(), tpl.Items[0].Required, tpl.Label, fmt.Sprint(tpl.Scheme.MinAvailable))
	want := []string{"1.1", "2", "'2018-03-15'", "'19:30:00'", "'2.0'", "'1.1000000000000001'", "1", "10", "3.5", "01", "02.0", "2",
		"0.35", "4", "true()", "2018-01-01", "80"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func ptr[T any](v T) *T { return &v }

func TestMergedListNamesHoldForEachChoice(t *testing.T) {
	b := workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)")),
		{"choices", [][]any{{"list_name", "name"}, {"yn", "yes"}, {"", "no"}, {"", "perhaps"}, {"ab", "a"}}}, settings()},
		func(f *excelize.File) { must(t, f.MergeCell("choices", "A2", "A4")) })
	tpl, ps := read(t, b)
	if len(ps) > 0 || len(tpl.Lists) != 2 || len(tpl.Lists[0].Choices) != 3 {
		t.Errorf("got %+v, problems %v", tpl.Lists, lines(ps))
	}
}

func TestRowsThatOnlyStyleTheSheetAreLeftOut(t *testing.T) {
	b := hostileSheet(t, `<row r="1">`+inline("A1", "type")+inline("B1", "name")+inline("C1", "label")+`</row>
		<row r="2">`+inline("A2", "text")+inline("B2", "q")+inline("C2", "A")+`</row>
		<row r="1048575"><c r="A1048575" s="1"/></row> <row r="1048576" ht="12.8"/>`)
	out, err := Annotate(b, survey.Problems{{Code: "text.missing", Place: survey.Place{Sheet: "survey", Row: 2, Column: "label"}}}, words("en"))
	must(t, err)
	if len(out) > 4*len(b) {
		t.Errorf("%d bytes became %d", len(b), len(out))
	}
	tpl, ps := read(t, out)
	if len(ps) > 0 || tpl.Item("q") == nil || comments(t, out)["survey!C2"] == "" {
		t.Errorf("got %+v, problems %v", tpl.Items, lines(ps))
	}
}

func TestLanguages(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []any
		setting string
		want    string // languages, then the label of the only item
	}{
		{"codes", row("label::Tiếng Việt (vi)", "label::English (en)"), "", "[vi en] map[en:B vi:A]"},
		{"the default first", row("label::Tiếng Việt (vi)", "label::English (en)"), "English (en)", "[en vi] map[en:B vi:A]"},
		{"the default by its code or name", row("label::Tiếng Việt (vi)", "label::English (en)"), "english", "[en vi] map[en:B vi:A]"},
		{"a name without code", row("label::French", "label::Local language"), "", "[french local-language] map[french:A local-language:B]"},
		{"a code left out in one place", row("label::French", "label::English (en)", "hint::French (fr)"), "", "[fr en] map[en:B fr:A]"},
		{"an unusual code", row("label::British (en-gb)", "label::Serbian (SR-Latn)"), "", "[en-GB sr-Latn] map[en-GB:A sr-Latn:B]"},
		{"no language", row("label"), "", "[und] map[und:A]"},
		{"no language but a default", row("label"), "Tiếng Việt (vi)", "[vi] map[vi:A]"},
		{"labels without a language are in the default", row("label", "label::French (fr)"), "English (en)", "[en fr] map[en:A fr:B]"},
		{"an unnamed language beside another", row("label", "label::French (fr)"), "", "[und fr] map[fr:B und:A]"},
		{"none at all", row("hint"), "", "[] map[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tpl, _ := read(t, workbook(t, []sheetData{surveyRows(append(row("type", "name"), c.headers...), row("text", "q", "A", "B")),
				{"settings", [][]any{{"form_title", "form_id", "default_language"}, {"Form", "F1", c.setting}}}}))
			if got := fmt.Sprint(tpl.Languages, tpl.Items[0].Label); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestLanguageHeadersAreReadBackAsTheirTag(t *testing.T) {
	for _, tag := range []string{"vi", "en", "fr", "en-GB", "sr-Latn", "zh-Hant", "lo", "und", "french", "local-language", "tiếng-việt", "lao", "qaa"} {
		if got := parseLanguage(survey.LanguageName(tag)).tag; got != tag {
			t.Errorf("%s is written %q and read %q", tag, survey.LanguageName(tag), got)
		}
	}
}

func TestDefaultsAreLiteralUnlessTheyLookDynamic(t *testing.T) {
	for _, c := range []struct {
		kind survey.ItemKind
		cell string
		want string
	}{
		{survey.KindInteger, "0", "0"},
		{survey.KindInteger, "-5", "-5"},
		{survey.KindInteger, "if(${a} < 30, 90, 120)", "if(${a} < 30, 90, 120)"},
		{survey.KindText, "0", "'0'"},
		{survey.KindText, "bread and butter", "'bread and butter'"},
		{survey.KindText, "2018-2019", "'2018-2019'"},
		{survey.KindText, "see annex (a)", "'see annex (a)'"},
		{survey.KindText, "it's", `"it's"`},
		{survey.KindText, `5" and 6'`, `concat('5" and 6', "'", '')`},
		{survey.KindText, "'quoted'", "'quoted'"},
		{survey.KindText, "‘quoted’", "'quoted'"},
		{survey.KindText, "${a}", "${a}"},
		{survey.KindDate, "2018-01-05", "'2018-01-05'"},
		{survey.KindDate, "today()", "today()"},
		{survey.KindDate, "if(today( > , 1", "if(today( > , 1"}, // a formula with a mistake, to be reported
		{survey.KindGeopoint, "21.0 105.8 0 0", "'21.0 105.8 0 0'"},
		{survey.KindSelectOne, "p4", "'p4'"},
		{survey.KindSelectMultiple, "a b", "'a b'"},
		{survey.KindText, "", ""},
	} {
		got := defaultExpression(c.kind, c.cell)
		if got != c.want {
			t.Errorf("%s %q: got %s, want %s", c.kind, c.cell, got, c.want)
		}
		if again := defaultExpression(c.kind, defaultCell(c.kind, got)); again != got {
			t.Errorf("%s: %s is written %q and read %s", c.kind, got, defaultCell(c.kind, got), again)
		}
	}
}

func TestStepsSplitOutsideQuotes(t *testing.T) {
	b := workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)", "steps"),
		row("calculate", "a", "", ". = 'a:b;c' : 5; ${x} = \"d\ne\" : ${y} + 1\n\n true() : 0,5\n")), settings()})
	tpl, ps := read(t, b)
	want := []survey.Step{{When: ". = 'a:b;c'", Points: "5"}, {When: "${x} = \"d\ne\"", Points: "${y} + 1"}, {When: "true()", Points: "0.5"}}
	if len(ps) > 0 || !reflect.DeepEqual(tpl.Items[0].Steps, want) {
		t.Errorf("got %+v, problems %v", tpl.Items[0].Steps, lines(ps))
	}
}

func TestCurlyQuotesAreStraightenedOutsideOfTexts(t *testing.T) {
	for in, want := range map[string]string{
		"${a} = “x”":             `${a} = "x"`,
		"${a} = ’x‘":             "${a} = 'x'",
		"${a} = 'it’s “so”'":     "${a} = 'it’s “so”'",
		"if(${a} = „x“, «y», 1)": `if(${a} = "x", "y", 1)`,
		"${a} = ‘x":              "${a} = 'x",
	} {
		if got := expression(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestDecimalCommas(t *testing.T) {
	for in, want := range map[string]string{"3,5": "3.5", "-0,25": "-0.25", "1,000": "", "3,": "", "1,2,3": ""} {
		r := &reader{template: &survey.Template{}}
		g := newGrid(sheetSpec{name: scoringSheet}, []sheetRow{{1, []string{"total"}}})
		p := r.points(g, sheetRow{2, []string{in}}, "total", "")
		if got := fmt.Sprint(p); p == nil && want != "" || p != nil && got != want {
			t.Errorf("%s: got %v, want %q", in, p, want)
		}
	}
}

func TestWhatIsNoWorkbookIsRefused(t *testing.T) {
	good := workbook(t, []sheetData{surveyRows(row("type", "name", "label")), settings()})
	container := []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
	for _, c := range []struct {
		name  string
		bytes []byte
		code  string
	}{
		{"nothing", nil, "workbook.unreadable"},
		{"text", []byte("type,name,label\ntext,a,A\n"), "workbook.unreadable"},
		{"a workbook cut off", good[:len(good)*2/3], "workbook.unreadable"},
		{"a workbook with a damaged part", damage(t, good), "workbook.unreadable"},
		{"an archive of something else", parts(t, map[string][]byte{"word/document.xml": []byte("<w/>")}), "workbook.unreadable"},
		{"a sheet whose XML is damaged", hostileSheet(t, `<row r="1">`+inline("A1", "type")+`</row><row r="2">&</row>`), "workbook.unreadable"},
		{"a sheet in another encoding", replacePart(t, good, "xl/worksheets/sheet1.xml",
			[]byte(`<?xml version="1.0" encoding="UTF-16"?><worksheet></worksheet>`)), "workbook.unreadable"},
		{"an .xls file", append(slices.Clone(container), make([]byte, 600)...), "workbook.xls"},
		{"a workbook with a password", append(append(slices.Clone(container), make([]byte, 600)...), utf16LE("EncryptedPackage")...), "workbook.password"},
		{"a file too large", make([]byte, maxFile+1), "workbook.too_large"},
		{"a part that unpacks to too much", parts(t, map[string][]byte{"xl/workbook.xml": make([]byte, maxPart+1)}), "workbook.too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tpl, ps, err := Read(c.bytes)
			if survey.CodeOf(err) != c.code || survey.KindOf(err) != survey.Invalid || tpl != nil || ps != nil {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if _, err := Annotate(c.bytes, nil, words("en")); survey.CodeOf(err) != c.code {
				t.Errorf("Annotate: got %v, want %s", err, c.code)
			}
		})
	}
}

// damage flips bytes within the compressed content of the first part.
func damage(t testing.TB, b []byte) []byte {
	t.Helper()
	out := slices.Clone(b)
	from := 30 + int(binary.LittleEndian.Uint16(b[26:])) + int(binary.LittleEndian.Uint16(b[28:]))
	for i := range 20 {
		out[from+10+i] ^= 0xFF
	}
	return out
}

// hostileSheet exchanges the survey sheet of a workbook for other XML.
func hostileSheet(t testing.TB, data string) []byte {
	return replacePart(t, workbook(t, []sheetData{surveyRows(row("type")), settings()}), "xl/worksheets/sheet1.xml",
		[]byte(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`+data+`</sheetData></worksheet>`))
}

func inline(cell, text string) string {
	return `<c r="` + cell + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
}

func TestHostileWorkbooksCostLittle(t *testing.T) {
	const header = `<row r="1"><c r="A1" t="inlineStr"><is><t>type</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c></row>`
	var deep, wide, far, many strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&deep, `<row r="%d">%s%s</row>`, i+2, inline(fmt.Sprintf("A%d", i+2), "begin_group"), inline(fmt.Sprintf("B%d", i+2), fmt.Sprintf("g%d", i)))
		fmt.Fprintf(&far, `<row r="%d">%s</row>`, i+2, inline(fmt.Sprintf("XFD%d", i+2), "x"))
		fmt.Fprintf(&many, `<row r="%d">%s</row>`, i+2, inline(fmt.Sprintf("A%d", i+2), "nosuchtype"))
	}
	merged := `</sheetData><mergeCells>` + strings.Repeat(`<mergeCell ref="A1:XFD1048576"/>`, maxMerged) + `</mergeCells><sheetData>`
	for i := range excelize.MaxColumns {
		name, err := excelize.ColumnNumberToName(i + 1)
		must(t, err)
		wide.WriteString(inline(name+"1", "col"+name))
	}
	for _, c := range []struct{ name, data, code string }{
		{"groups within groups", header + deep.String(), ""},
		{"a header over all columns", `<row r="1">` + wide.String() + `</row>`, ""},
		{"cells far to the right", header + far.String(), "workbook.too_large"},
		{"a row at the far end", header + `<row r="1048576">` + inline("A1048576", "text") + `</row>`, ""},
		{"a row beyond the end", header + `<row r="2000000">` + inline("A1", "text") + `</row>`, "workbook.unreadable"},
		{"rows without numbers", strings.Repeat("<row/>", maxUnnumbered+1), "workbook.too_large"},
		{"merged cells over all the sheet", header + merged, ""},
		{"thousands of unknown types", header + many.String(), ""},
		{"a shared string that does not exist", header + `<row r="2"><c r="A2" t="s"><v>99999</v></c></row>`, ""},
		{"numbers beyond measure", header + `<row r="2"><c r="A2"><v>1e308</v></c><c r="B2"><v>1e400</v></c></row>`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := hostileSheet(t, c.data)
			start := time.Now()
			tpl, ps, err := Read(b)
			if survey.CodeOf(err) != c.code {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if tpl == nil {
				return
			}
			if _, err := Annotate(b, ps, words("en")); err != nil {
				t.Errorf("Annotate: %v", err)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			tpl.Walk(func(it *survey.Item, parents []*survey.Item) bool {
				if len(parents) > maxDepth {
					t.Errorf("%s lies %d deep", it.Name, len(parents))
				}
				return len(parents) <= maxDepth
			})
		})
	}
}

// edited gives a fixture after a change made in it, as an author might.
func edited(t *testing.T, edit func(f *excelize.File)) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(fixture(t, "SHCB-TK")))
	must(t, err)
	defer f.Close()
	edit(f)
	var b bytes.Buffer
	must(t, f.Write(&b))
	return b.Bytes()
}

func fixture(t *testing.T, code survey.TemplateCode) []byte {
	t.Helper()
	all, err := fixtures.Workbooks()
	must(t, err)
	for _, w := range all {
		if w.Code == code {
			return w.Bytes
		}
	}
	t.Fatalf("no fixture %s", code)
	return nil
}

// find gives the cell of a fixture that holds a text in a column.
func find(t *testing.T, f *excelize.File, sheet, header, text string) string {
	t.Helper()
	rows, err := f.GetRows(sheet)
	must(t, err)
	column := slices.Index(rows[0], header)
	for i, r := range rows {
		if column >= 0 && column < len(r) && r[column] == text {
			return columnLetter(column) + fmt.Sprint(i+1)
		}
	}
	t.Fatalf("%s has no %q in column %s", sheet, text, header)
	return ""
}

func TestABrokenFixtureIsToldWhatIsWrong(t *testing.T) {
	set := func(sheet, header, was, is string) func(*excelize.File) {
		return func(f *excelize.File) { must(t, f.SetCellStr(sheet, find(t, f, sheet, header, was), is)) }
	}
	for _, c := range []struct {
		name string
		edit func(*excelize.File)
		want []string // codes and places, without row numbers
	}{
		{"nothing", func(*excelize.File) {}, nil},
		{"the survey sheet is missing", func(f *excelize.File) { must(t, f.DeleteSheet("survey")) }, []string{"sheet.missing survey!"}},
		{"the scoring sheet is missing", func(f *excelize.File) { must(t, f.DeleteSheet("scoring")) }, []string{"scoring.missing scoring!"}},
		{"the settings are missing", func(f *excelize.File) { must(t, f.DeleteSheet("settings")) }, []string{"settings.form_id settings!form_id"}},
		{"a column was renamed", set("survey", "relevant", "relevant", "relevnat"), []string{"column.unknown survey!relevnat"}},
		{"the type column was renamed", set("survey", "type", "type", "sort of question"), []string{"column.unknown survey!sort of question", "column.missing survey!type"}},
		{"points in words", func(f *excelize.File) {
			at := find(t, f, "survey", "name", "B2")
			must(t, f.SetCellStr("survey", pointsColumn(t, f)+at[1:], "năm điểm"))
		}, []string{"points.shape survey!points B2"}},
		{"a section is not closed", func(f *excelize.File) {
			at := find(t, f, "survey", "type", "end_group")
			must(t, f.SetCellStr("survey", at, "end_repeat"))
		}, []string{"group.mismatch survey!type"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, ps := read(t, edited(t, c.edit))
			var got []string
			for _, p := range ps {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s!%s %s", p.Code, p.Place.Sheet, p.Place.Column, p.Place.Item)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	b := fixture(t, "SHCB-TK")
	if _, _, err := Read(b[:len(b)/2]); survey.CodeOf(err) != "workbook.unreadable" {
		t.Errorf("half a file: %v", err)
	}
}

func pointsColumn(t *testing.T, f *excelize.File) string {
	t.Helper()
	return strings.TrimRight(find(t, f, "survey", "points", "points"), "0123456789")
}

func TestProblemsOfMeaningPointAtRows(t *testing.T) {
	var want string
	tpl, ps := read(t, edited(t, func(f *excelize.File) {
		want = find(t, f, "survey", "name", "B2")[1:]
		must(t, f.SetCellInt("survey", pointsColumn(t, f)+want, 77))
	}))
	if len(ps) > 0 {
		t.Fatalf("problems of shape: %v", lines(ps))
	}
	_, ps = survey.Compile(tpl, nil)
	for _, p := range ps {
		if p.Code == "points.top" && p.Place.Sheet == "survey" && fmt.Sprint(p.Place.Row) == want && p.Value == "77" {
			return
		}
	}
	t.Errorf("no problem at row %s: %v", want, lines(ps))
}
