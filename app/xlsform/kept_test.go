package xlsform

import (
	"reflect"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// TestTypesKeepTheirMeaning reads a row of each type that needs more than its
// kind.
func TestTypesKeepTheirMeaning(t *testing.T) {
	label := survey.Text{"en": "A"}
	item := func(it survey.Item) survey.Item {
		it.Name, it.Label, it.Row = "a", label, 2
		return it
	}
	for cell, want := range map[string]survey.Item{
		"barcode":                      {Kind: survey.KindText, Type: "barcode"},
		"GeoTrace":                     {Kind: survey.KindText, Type: "geotrace"},
		"audio":                        {Kind: survey.KindImage, Type: "audio"},
		"range":                        {Kind: survey.KindInteger, Type: "range"},
		"acknowledge":                  {Kind: survey.KindSelectOne, Type: "acknowledge", List: acknowledgeList},
		"hidden":                       {Kind: survey.KindCalculate, Type: "hidden", Calculation: "''"},
		"get today":                    {Kind: survey.KindCalculate, Type: "today", Calculation: "today()"},
		"phonenumber":                  {Kind: survey.KindCalculate, Type: "phonenumber", Calculation: "''"},
		"phone number":                 {Kind: survey.KindText, Constraint: `regex(., '^\d*$')`},
		"rank l":                       {Kind: survey.KindSelectMultiple, Type: "rank", List: "l"},
		"select_one_external l":        {Kind: survey.KindSelectOne, List: "l"},
		"select_one_from_file p.csv":   {Kind: survey.KindText, Type: "select_one_from_file p.csv"},
		"select all that apply from l": {Kind: survey.KindSelectMultiple, List: "l"},
	} {
		t.Run(cell, func(t *testing.T) {
			tpl, _ := read(t, workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)"), row(cell, "a", "A")), settings()}))
			if want = item(want); len(tpl.Items) != 1 || !reflect.DeepEqual(tpl.Items[0], want) {
				t.Errorf("got %+v\nwant %+v", tpl.Items, want)
			}
		})
	}
}

func TestALoopIsAGroupForEachChoice(t *testing.T) {
	tpl, ps := read(t, workbook(t, []sheetData{
		surveyRows(row("type", "name", "label::English (en)"), row("begin loop over rooms", "each", "Rooms"),
			row("integer", "chairs", "How many chairs are in the %(label)s (%(name)s)?"), row("end loop")),
		{"choices", [][]any{{"list_name", "name", "label::English (en)"}, {"rooms", "hall", "Hall"}, {"rooms", "office", "Office"}}},
		settings()}))
	if got := lines(ps); len(got) != 1 || ps[0].Code != "item.renamed" {
		t.Errorf("problems %q", got)
	}
	en := func(s string) survey.Text { return survey.Text{"en": s} }
	chairs := func(name, label string) []survey.Item {
		return []survey.Item{{Name: name, Kind: survey.KindInteger, Label: en("How many chairs are in the " + label + "?")}}
	}
	want := []survey.Item{{Name: "each", Kind: survey.KindGroup, Label: en("Rooms"), Items: []survey.Item{
		{Name: "hall", Kind: survey.KindGroup, Label: en("Hall"), Items: chairs("chairs", "Hall (hall)")},
		{Name: "office", Kind: survey.KindGroup, Label: en("Office"), Items: chairs("chairs_2", "Office (office)")}}}}
	if withoutRows(tpl); !reflect.DeepEqual(tpl.Items, want) {
		t.Errorf("got\n%+v\nwant\n%+v", tpl.Items, want)
	}
}

func TestListsAreCompleted(t *testing.T) {
	b := workbook(t, []sheetData{
		surveyRows(row("type", "name", "label::English (en)", "choice_filter", "relevant", "parameters"),
			row("select_one colours or_other", "colour", "Colour"),
			row("select_one_from_file places.csv", "place", "Place", "province = ${colour}", "TRUE", "value=code label=title"),
			row("note", "", "Thanks")),
		{"choices", [][]any{{"list_name", "name", "label::English (en)", "warm"}, {"colours", "red", "Red", 1}}},
		settings()})
	files := map[string][]byte{"places.csv": []byte("\xEF\xBB\xBFcode;title;province\n01;Hà Nội;red\n02;;other\n")}
	tpl, ps, err := ReadAttached(b, "f.xlsx", files)
	must(t, err)
	if len(ps) != 0 {
		t.Errorf("problems %v", lines(ps))
	}
	en := func(s string) survey.Text { return survey.Text{"en": s} }
	want := &survey.Template{Code: "F1", State: survey.Draft, Title: en("Form"), Languages: []string{"en"},
		Items: []survey.Item{
			{Name: "colour", Kind: survey.KindSelectOne, List: "colours", Label: en("Colour")},
			{Name: "colour_other", Kind: survey.KindText, Label: en("Specify other."), Relevant: "selected(${colour}, 'other')"},
			{Name: "place", Kind: survey.KindSelectOne, List: "places", Label: en("Place"), Relevant: "true()",
				ChoiceFilter: "province = ${colour}", Parameters: "value=code label=title"},
			{Name: "generated_note_name_4", Kind: survey.KindNote, Label: en("Thanks")},
		},
		Lists: []survey.ChoiceList{
			{Name: "colours", Choices: []survey.Choice{{Name: "red", Label: en("Red"), Columns: map[string]string{"warm": "1"}}, {Name: "other", Label: en("Other")}}},
			{Name: "places", Choices: []survey.Choice{{Name: "01", Label: en("Hà Nội"), Columns: map[string]string{"province": "red"}},
				{Name: "02", Label: en("02"), Columns: map[string]string{"province": "other"}}}},
		}}
	if withoutRows(tpl); !reflect.DeepEqual(tpl, want) {
		t.Errorf("got\n%+v\nwant\n%+v", tpl, want)
	}
	if _, ps := survey.Compile(tpl, nil); ps.HasErrors() {
		t.Errorf("problems %v", lines(ps))
	}
}
