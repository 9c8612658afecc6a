package openrosa

import (
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// kitchenSink has what is hard about XForms.
func kitchenSink() *survey.Template {
	en := func(s string) survey.Text { return survey.Text{"en": s, "vi": s + " (vi)"} }
	return &survey.Template{Code: "sink", Version: 3, Title: en("Sink & <more>"), Languages: []string{"en", "vi"},
		InstanceName: "concat(${who}, ' ', today())", Settings: map[string]string{"style": "pages", "auto_send": "true"},
		Items: []survey.Item{
			{Name: "start", Kind: survey.KindCalculate, Type: "start", Calculation: survey.MetadataTypes["start"]},
			{Name: "audit", Kind: survey.KindCalculate, Type: "audit", Calculation: "''", Parameters: "track-changes=true identify-user=true"},
			{Name: "who", Kind: survey.KindText, Label: en("Who?"), Hint: survey.Text{"en": "only here"}, Default: "'Ann'", Required: "true()", RequiredMessage: en("Needed")},
			{Name: "rows", Kind: survey.KindRepeat, Label: en("Rows"), RepeatCount: "string-length(${who}) + 1", Items: []survey.Item{
				{Name: "inner", Kind: survey.KindGroup, Label: en("Inner"), Relevant: "${who} != ''", Items: []survey.Item{
					{Name: "a", Kind: survey.KindInteger, Label: en("A of ${who}"), Default: "once(random())", Constraint: ". > ${b} and . < 10", ConstraintMessage: en("Over ${b}")},
				}},
				{Name: "b", Kind: survey.KindDecimal, Type: "range", Label: en("B"), Parameters: "start=0 end=2 step=0.5", Relevant: "${a} > indexed-repeat(${a}, ${rows}, 1)"},
				{Name: "place", Kind: survey.KindSelectOne, List: "places", Label: en("Place"), ChoiceFilter: "level = ${a} and name != ${last-saved#who}", Parameters: "randomize=true"},
			}},
			{Name: "total", Kind: survey.KindCalculate, Calculation: "sum(${a}) + count(${rows})"},
			{Name: "rated", Kind: survey.KindRubric, List: "places", Label: en("Rated"), Evidence: ". = 'x'", Applies: "unit('sector') = 'XP' and tagged('CPH')"},
			{Name: "photo", Kind: survey.KindImage, Label: en("Photo"), Media: map[string]survey.Text{"image": {"en": "a.png"}}},
			{Name: "city", Kind: survey.KindText, Type: "select_one_from_file cities.geojson", Label: en("City")},
			{Name: "agree", Kind: survey.KindSelectOne, Type: "acknowledge", List: "acknowledge_ok", Label: en("Agree")},
			{Name: "order", Kind: survey.KindSelectMultiple, Type: "rank", List: "places", Label: en("Order")},
			{Name: "matrix", Kind: survey.KindGroup, Appearance: "table-list", Label: en("Matrix"), Items: []survey.Item{
				{Name: "m1", Kind: survey.KindSelectOne, List: "places", Label: en("M1")}, {Name: "m2", Kind: survey.KindSelectOne, List: "places", Label: en("M2")}}},
			{Name: "fruit", Kind: survey.KindCalculate, Calculation: "pulldata('fruits', 'a', 'b', ${who})"},
			{Name: "when", Kind: survey.KindDateTime, Label: en("When"), Trigger: "${who}", Calculation: "now()"},
		},
		Lists: []survey.ChoiceList{{Name: "places", Choices: []survey.Choice{
			{Name: "x", Label: en("X"), Anchor: en("seen"), Columns: map[string]string{"level": "1"}}, {Name: "y", Label: en("Y"), Anchor: en("not seen"), Media: map[string]survey.Text{"audio": {"vi": "y.mp3"}}}}},
			{Name: "acknowledge_ok", Choices: []survey.Choice{{Name: "OK", Label: en("OK")}}}},
	}
}

// TestTypesOfXForms looks at what is hard, one line for each.
func TestTypesOfXForms(t *testing.T) {
	if _, problems := survey.Compile(kitchenSink(), nil); problems.HasErrors() {
		t.Fatal(problems)
	}
	b, err := XForm(kitchenSink(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(string(b), "&#39;", "'")
	for _, want := range []string{
		`<data id="sink" version="3">`, `<h:title>Sink &amp; &lt;more&gt;</h:title>`, `<who>Ann</who>`,
		`<rows jr:template="">`, `<translation lang="English (en)" default="true()">`, `<translation lang="Tiếng Việt (vi)">`,
		`<bind nodeset="/data/start" type="dateTime" jr:preload="timestamp" jr:preloadParams="start"/>`,
		`<bind nodeset="/data/meta/audit" type="binary" odk:track-changes="true" odk:identify-user="true"/>`,
		`<bind nodeset="/data/rows_count" type="string" readonly="true()" calculate="string-length(/data/who) + 1"/>`,
		`<repeat nodeset="/data/rows" jr:count="/data/rows_count" jr:noAddRemove="true()">`,
		`constraint=". &gt; ../../b and . &lt; 10"`, `relevant="../inner/a &gt; indexed-repeat(/data/rows/inner/a, /data/rows, 1)"`,
		`nodeset="randomize(instance('places')/root/item[level = current()/../inner/a and name != instance('__last-saved')/data/who])"`,
		`<setvalue ref="/data/rows/inner/a" event="odk-instance-first-load odk-new-repeat" value="once(random())"/>`,
		`calculate="sum(/data/rows/inner/a) + count(/data/rows)"`,
		`<range ref="/data/rows/b" start="0" end="2" step="0.5">`,
		`<bind nodeset="/data/rated_note" type="string" required="/data/rated = 'x'"`,
		`<select1 ref="/data/rated" appearance="likert">`, `<value form="guidance">X: seen&#xA;Y: not seen</value>`,
		`orx:max-pixels="1600"`, `<value form="image">jr://images/a.png</value>`, `<value form="audio">jr://audio/y.mp3</value>`,
		`<instance id="cities" src="jr://file/cities.geojson"/>`, `<instance id="fruits" src="jr://file-csv/fruits.csv"/>`,
		`<itemset nodeset="instance('cities')/root/item">`, `<trigger ref="/data/agree">`, `<odk:rank ref="/data/order">`,
		`<group ref="/data/matrix" appearance="field-list">`, `<select1 ref="/data/matrix/m1_labels" appearance="label">`,
		`<select1 ref="/data/matrix/m2" appearance="list-nolabel">`, `<setvalue ref="/data/when" event="xforms-value-changed" value="now()"/>`,
		`A of <output value=" /data/who "/>`, `<submission orx:auto-send="true"/>`, `<h:body class="pages">`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}
