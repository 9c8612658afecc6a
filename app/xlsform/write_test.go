package xlsform

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

// roundTrip writes a template and reads it back.
func roundTrip(t rapid.TB, tpl *survey.Template) (*survey.Template, survey.Problems) {
	t.Helper()
	b, err := Write(tpl)
	if err != nil {
		t.Fatal(err)
	}
	got, ps, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return withoutRows(got), ps
}

func TestFixturesSurviveWritingAndReading(t *testing.T) {
	all, err := fixtures.Workbooks()
	must(t, err)
	examples, err := filepath.Glob("../../fixtures/examples/*.xlsx")
	must(t, err)
	for _, name := range examples {
		b, err := os.ReadFile(name)
		must(t, err)
		all = append(all, fixtures.Workbook{Name: filepath.Base(name), Bytes: b})
	}
	if len(examples) == 0 || len(all) == len(examples) {
		t.Fatal("there are no fixtures")
	}
	for _, w := range all {
		t.Run(w.Name, func(t *testing.T) {
			tpl, ps, err := ReadNamed(w.Bytes, w.Name)
			must(t, err)
			if len(ps) > 0 {
				t.Errorf("problems in a fixture: %v", lines(ps))
			}
			if w.Code != "" && tpl.Code != w.Code {
				t.Errorf("the code is %s", tpl.Code)
			}
			got, ps := roundTrip(t, tpl)
			if len(ps) > 0 || !reflect.DeepEqual(got, withoutRows(tpl)) {
				t.Errorf("it came back different; problems %v", lines(ps))
			}
		})
	}
}

func TestWritingIsDeterministic(t *testing.T) {
	tpl, _, err := Read(fixture(t, "SHCB-TK"))
	must(t, err)
	first, err := Write(tpl)
	must(t, err)
	for range 5 {
		again, err := Write(tpl)
		must(t, err)
		if !bytes.Equal(first, again) {
			t.Fatal("the same template gave other bytes")
		}
	}
}

func TestAnyTemplateSurvivesWritingAndReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := templates().Draw(t, "template")
		got, ps := roundTrip(t, want)
		if ps.HasErrors() {
			t.Fatalf("problems: %v", lines(ps))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got\n%+v\nwant\n%+v", got, want)
		}
	})
}

// drawer makes the parts of a template.
type drawer struct {
	t         *rapid.T
	languages []string
	names     int
}

func templates() *rapid.Generator[*survey.Template] {
	return rapid.Custom(func(t *rapid.T) *survey.Template {
		d := &drawer{t: t, languages: rapid.SampledFrom([][]string{{"vi"}, {"und"}, {"en", "vi"}, {"vi", "en", "french"}, {"und", "fr"}}).Draw(t, "languages")}
		tpl := &survey.Template{Code: "F-1", State: survey.Draft, Label: d.line("label"), Title: d.text("title"), Languages: d.languages,
			InstanceName: d.expr("instance_name"), Items: d.items(0)}
		for i := range d.number("lists", 0, 3) {
			tpl.Lists = append(tpl.Lists, d.list([]string{"yn", "scale 4", "thẻ"}[i]))
		}
		for range d.number("checks", 0, 2) {
			tpl.Checks = append(tpl.Checks, survey.Check{Code: d.name(), Test: d.expr("test"), Item: d.name(), Label: d.text("check")})
		}
		if tpl.Title == nil {
			tpl.Title = survey.Text{d.languages[0]: "F-1"} // what it is called without
		}
		if d.flip("settings") {
			tpl.Settings = map[string]string{"style": "pages", "auto_send": "true"}
		}
		for range d.number("cases", 0, 2) {
			k := survey.Case{Name: d.name(), Total: rapid.SampledFrom([]string{"", "75.50", "9"}).Draw(t, "total"), Band: "b", Caps: []string{"K1", "K2"},
				Unit: survey.UnitFacts{Sector: "XP", Tags: []string{"CPH"}, Members: d.number("members", 0, 3)}}
			k.Answers = survey.Answers{{Item: "a", Value: survey.TextValue(d.line("answer"))}, {Item: "n", Value: survey.NumberValue(2.5)},
				{Item: "m", Value: survey.ListValue("x", "y")}, {Item: "r", Value: survey.RowsValue(survey.Answers{{Item: "in", Value: survey.TextValue("1")}})}}
			tpl.Cases = append(tpl.Cases, k)
		}
		if d.flip("scheme") {
			tpl.Scheme = d.scheme()
		}
		return tpl
	})
}

func (d *drawer) number(label string, from, to int) int {
	return rapid.IntRange(from, to).Draw(d.t, label)
}
func (d *drawer) flip(label string) bool { return rapid.Bool().Draw(d.t, label) }

func (d *drawer) name() string {
	d.names++
	// Never the same twice: items of the same name in two groups are renamed.
	return rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_.-]{0,5}`).Draw(d.t, "name") + "_" + strconv.Itoa(d.names)
}

// line is a text as people write it, with what spreadsheets are touchy about.
func (d *drawer) line(label string) string {
	s := rapid.OneOf(
		rapid.SampledFrom([]string{"", "Chi bộ họp đúng hạn?", "=1+1", "+84", "@x", "-2", "2.0", "0012", "1e5", "TRUE", "yes", "_x0041_", "a\nb",
			"<b>&amp;</b>", `"so" it's`, "“so”", "90%", "2018-01-05", "{{.x}}", "${x}", "#tag", "🙂"}),
		rapid.StringOf(rapid.RuneFrom([]rune("aăâbđê ơ:;\n'\"“_x0."))),
	).Draw(d.t, label)
	return tidy(s)
}

func (d *drawer) text(label string) survey.Text {
	var t survey.Text
	for _, tag := range d.languages {
		if s := d.line(label); s != "" {
			if t == nil {
				t = survey.Text{}
			}
			t[tag] = s
		}
	}
	return t
}

func (d *drawer) expr(label string) string {
	return rapid.SampledFrom([]string{"", ". >= 0.9", "${a} = 'x'", "points('B2') < 2 and ${b} != \"it's; a:b\"", "count(${s}) > 1\nor true()",
		"regex(., '^[a-z]+$')", "if(${a} < 30, 90, 120)", "5"}).Draw(d.t, label)
}

// def gives a default in the form in which it is read.
func (d *drawer) def(kind survey.ItemKind) string {
	return defaultExpression(kind, rapid.SampledFrom([]string{"", "0", "-5", "2018-01-05", "today()", "it's", `5" and 6'`, "'x'", "${a} + 1", "p4", "a b"}).Draw(d.t, "default"))
}

func (d *drawer) points(label string) *survey.Points {
	if !d.flip(label) {
		return nil
	}
	p := survey.Points(rapid.Int64Range(-100_000, 100_000).Draw(d.t, label))
	return &p
}

func (d *drawer) steps() []survey.Step {
	var out []survey.Step
	for range d.number("steps", 0, 3) {
		when := rapid.SampledFrom([]string{". >= 0.9", "true()", ". = 'a:b;c'", "${a} = \"\n\""}).Draw(d.t, "when")
		out = append(out, survey.Step{When: when, Points: rapid.SampledFrom([]string{"5", "0.5", "${a} + 1"}).Draw(d.t, "points")})
	}
	return out
}

func (d *drawer) items(depth int) []survey.Item {
	var out []survey.Item
	for range d.number("items", 0, 4) {
		kind := rapid.SampledFrom(survey.ItemKinds).Draw(d.t, "kind")
		if kind.HasItems() && depth == 3 {
			continue
		}
		it := survey.Item{
			Name: d.name(), Kind: kind, Label: d.text("label"), Hint: d.text("hint"), Relevant: d.expr("relevant"),
			Required:        rapid.SampledFrom([]string{"", "true()", "false()", "${a} = 1"}).Draw(d.t, "required"),
			RequiredMessage: d.text("required_message"), Constraint: d.expr("constraint"), ConstraintMessage: d.text("constraint_message"),
			Calculation: d.expr("calculation"), Default: d.def(kind), Appearance: d.line("appearance"), Parameters: d.line("parameters"),
			RepeatCount: d.expr("repeat_count"), ReadOnly: d.flip("read_only"), Points: d.points("points"), Steps: d.steps(),
			NA:      rapid.SampledFrom([]survey.NAPolicy{"", survey.NARescale, survey.NAFull, survey.NAZero}).Draw(d.t, "na"),
			Reverse: d.flip("reverse"), Bonus: d.flip("bonus"), Applies: d.expr("applies"), Evidence: d.expr("evidence"),
			Guidance: d.text("guidance"), Media: d.media(), ChoiceFilter: d.expr("choice_filter"),
			Trigger: rapid.SampledFrom([]string{"", "${a}"}).Draw(d.t, "trigger"),
			Role:    rapid.SampledFrom([]survey.ItemRole{"", survey.RoleStrength, survey.RoleText}).Draw(d.t, "role"),
		}
		switch {
		case kind == survey.KindText:
			it.Type = rapid.SampledFrom([]string{"", "barcode", "geotrace", "select_one_from_file places.csv"}).Draw(d.t, "type")
		case kind == survey.KindSelectMultiple:
			it.Type = rapid.SampledFrom([]string{"", "rank"}).Draw(d.t, "type")
		case kind == survey.KindCalculate && d.flip("metadata"):
			it.Type = rapid.SampledFrom([]string{"start", "today", "deviceid", "audit"}).Draw(d.t, "type")
			it.Calculation = survey.MetadataTypes[it.Type]
		}
		if kind.Chooses() {
			it.List = rapid.SampledFrom([]string{"yn", "scale 4", "thẻ"}).Draw(d.t, "list")
			it.TagsList = rapid.SampledFrom([]string{"", "yn"}).Draw(d.t, "tags_list")
			it.Was = rapid.SampledFrom([]string{"", "A1_old"}).Draw(d.t, "was")
		}
		if kind.HasItems() {
			it.Items = d.items(depth + 1)
		}
		out = append(out, it)
	}
	return out
}

func (d *drawer) media() map[string]survey.Text {
	if t := d.text("media"); t != nil && d.flip("with media") {
		return map[string]survey.Text{rapid.SampledFrom([]string{"image", "big-image", "audio", "video"}).Draw(d.t, "form"): t}
	}
	return nil
}

func (d *drawer) columns() map[string]string {
	if s := d.line("column"); s != "" && d.flip("with columns") {
		return map[string]string{rapid.SampledFrom([]string{"province", "Cấp", "pop_2019"}).Draw(d.t, "header"): s}
	}
	return nil
}

func (d *drawer) list(name string) survey.ChoiceList {
	list := survey.ChoiceList{Name: name}
	for range d.number("choices", 1, 4) {
		list.Choices = append(list.Choices, survey.Choice{
			Name: rapid.SampledFrom([]string{"yes", "1", "01", "p3_5", "2.0", "no"}).Draw(d.t, "choice"), Label: d.text("label"), Points: d.points("points"),
			Means:  rapid.SampledFrom([]survey.Meaning{"", survey.MeansNA, survey.MeansNotObserved}).Draw(d.t, "means"),
			Anchor: d.text("anchor"), Media: d.media(), Columns: d.columns(),
		})
	}
	return list
}

func (d *drawer) scheme() *survey.Scheme {
	s := &survey.Scheme{
		Total: survey.Points(rapid.Int64Range(0, 1_000_000).Draw(d.t, "total")), NA: survey.NAFull, Rescale: survey.RescaleSection,
		Blank:    rapid.SampledFrom([]survey.BlankPolicy{survey.BlankNotGraded, survey.BlankZero}).Draw(d.t, "blank"),
		Decimals: d.number("decimals", 0, 2), MinAvailable: rapid.SampledFrom([]float64{0, 80, 66.7}).Draw(d.t, "min_available"),
		Graded: d.flip("graded"), Applies: d.expr("applies"),
		Roles: rapid.SampledFrom([][]survey.Role{nil, {survey.RoleObserver}, survey.RatingRoles}).Draw(d.t, "roles"),
	}
	for i := range d.number("bands", 0, 3) {
		s.Bands = append(s.Bands, survey.Band{Code: d.name(), Min: survey.Points(9000 - 1234*i), Label: d.text("band"), Color: "#AABBCC"})
	}
	for range d.number("caps", 0, 2) {
		s.Caps = append(s.Caps, survey.Cap{Code: d.name(), When: d.expr("when"), Band: d.name(), Label: d.text("cap")})
	}
	return s
}

func TestWhatAWorkbookCannotHoldIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		item survey.Item
		code string
	}{
		{"an item of unknown kind", survey.Item{Name: "a", Kind: survey.KindUnknown}, "workbook.item_kind"},
		{"a text longer than a cell", survey.Item{Name: "a", Kind: survey.KindNote, Label: survey.Text{"en": strings.Repeat("ă", maxCellText+1)}}, "workbook.cell_too_long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Write(&survey.Template{Code: "F", Languages: []string{"en"}, Items: []survey.Item{c.item}})
			if survey.CodeOf(err) != c.code || survey.KindOf(err) != survey.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWorkbooksAreNiceToOpen(t *testing.T) {
	tpl, _, err := Read(fixture(t, "SHCB-TK"))
	must(t, err)
	b, err := Write(tpl)
	must(t, err)
	f, err := excelize.OpenReader(bytes.NewReader(b))
	must(t, err)
	defer f.Close()
	if got := strings.Join(f.GetSheetList(), " "); got != "survey choices checks bands caps scoring settings" {
		t.Errorf("sheets: %s", got)
	}
	for _, sheet := range f.GetSheetList() {
		panes, err := f.GetPanes(sheet)
		must(t, err)
		id, err := f.GetCellStyle(sheet, "A1")
		must(t, err)
		style, err := f.GetStyle(id)
		must(t, err)
		if !panes.Freeze || panes.YSplit != 1 || style.Font == nil || !style.Font.Bold || style.Alignment == nil || !style.Alignment.WrapText {
			t.Errorf("%s: panes %+v, header style %+v", sheet, panes, style)
		}
	}
	for _, formula := range []string{"=1+1", "+1", "@x"} {
		tpl.Title["vi"] = formula
		b, err := Write(tpl)
		must(t, err)
		f, err := excelize.OpenReader(bytes.NewReader(b))
		must(t, err)
		if got, _ := f.GetCellFormula("settings", "A2"); got != "" {
			t.Errorf("%s became the formula %s", formula, got)
		}
		must(t, f.Close())
	}
}
