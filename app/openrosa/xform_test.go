package openrosa_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// templates are those that come with the program, and one with everything that
// they have not.
func templates(t *testing.T) []*survey.Template {
	t.Helper()
	books, err := fixtures.Workbooks()
	if err != nil {
		t.Fatal(err)
	}
	var out []*survey.Template
	for _, b := range books {
		tpl, problems, err := xlsform.Read(b.Bytes)
		if err != nil || problems.HasErrors() {
			t.Fatalf("%s: %v %v", b.Name, err, problems)
		}
		tpl.Version = 3
		out = append(out, tpl)
	}
	tpl := everything()
	if _, problems := survey.Compile(tpl, nil); problems.HasErrors() {
		t.Fatal(problems)
	}
	return append(out, tpl)
}

func everything() *survey.Template {
	both := func(s string) survey.Text { return survey.Text{"en": s, "vi": s + " (vi)"} }
	return &survey.Template{Code: "ALL", Version: 7, Title: both("Everything & <more>"), Languages: []string{"en", "vi"},
		InstanceName: "concat(${who}, ' ', ${day})",
		Lists: []survey.ChoiceList{
			{Name: "levels", Choices: []survey.Choice{{Name: "p1", Label: both("Low"), Anchor: both("nobody speaks")}, {Name: "p2", Label: both("High"), Anchor: both("all speak")}}},
			{Name: "tags", Choices: []survey.Choice{{Name: "a", Label: both("A"), Columns: map[string]string{"zone": "n"}}, {Name: "b", Label: both("B"), Columns: map[string]string{"zone": "s"}}}},
		},
		Items: []survey.Item{
			{Name: "visit_", Kind: survey.KindText, Label: both("a name that the form would take itself")},
			{Name: "who", Kind: survey.KindText, Label: both("Who?"), Required: "true()", RequiredMessage: both("Say who"), Default: "'nobody'"},
			{Name: "day", Kind: survey.KindDate, Label: both("Day"), Default: "today()", Constraint: ". <= today()", ConstraintMessage: both("not in the future")},
			{Name: "hour", Kind: survey.KindTime, Label: both("Hour")},
			{Name: "moment", Kind: survey.KindDateTime, Label: both("Moment")},
			{Name: "n", Kind: survey.KindInteger, Label: both("How many rooms, ${who}?"), Constraint: ". >= 0 and . < 10", Parameters: "start=0 end=9"},
			{Name: "level", Kind: survey.KindRubric, List: "levels", Label: both("Level"), Evidence: ". = 'p1'", Hint: both("look")},
			{Name: "where", Kind: survey.KindGeopoint, Label: both("Where")},
			{Name: "photo", Kind: survey.KindImage, Label: both("Photo"), Parameters: "max-pixels=640"},
			{Name: "intro", Kind: survey.KindNote, Label: both("A note with ${unknown and ]]> in it")},
			{Name: "rooms", Kind: survey.KindRepeat, Label: both("Rooms"), RepeatCount: "${n} + 1", Items: []survey.Item{
				{Name: "inner", Kind: survey.KindGroup, Label: both("Inner"), Items: []survey.Item{
					{Name: "warm", Kind: survey.KindDecimal, Label: both("Warmth"), Default: "${n} * 2"},
					{Name: "cold", Kind: survey.KindCalculate, Calculation: "floor(${warm} div 2) + count(${rooms}) + position(..)"},
				}},
				{Name: "why", Kind: survey.KindText, Label: both("Why"), Relevant: "${cold} > 3 and ${n} > 1"},
				{Name: "things", Kind: survey.KindRepeat, Label: both("Things"), Items: []survey.Item{
					{Name: "thing", Kind: survey.KindSelectMultiple, List: "tags", Label: both("Thing"), Relevant: "${warm} > 1"},
				}},
			}},
			{Name: "when", Kind: survey.KindCalculate, Type: "today", Calculation: "today()"},
			{Name: "pick", Kind: survey.KindSelectOne, List: "tags", Label: both("Pick"), ChoiceFilter: "zone = ${who}", Guidance: both("by zone")},
			{Name: "sum", Kind: survey.KindCalculate, Calculation: "sum(${warm}) - sum(${cold})"},
			{Name: "only", Kind: survey.KindGroup, Label: both("Only for some"), Applies: "unit('sector') = '01' or tagged('CPH') or under('09')", Relevant: "${n} > 0", Items: []survey.Item{
				{Name: "extra", Kind: survey.KindText, Label: both("Extra")},
			}},
		},
		Checks: []survey.Check{
			{Code: "one", Test: "${n} != 3", Item: "n", Label: both("not three")},
			{Code: "two", Test: "${n} != 4", Label: both("not four")},
		},
	}
}

// form is what an engine makes of an XForm before it asks anything.
type form struct {
	nodes     map[string]bool // instance paths
	instances map[string]bool
	binds     map[string]map[string]string
	texts     map[string]map[string]bool // by language
	refs      map[string][]string        // body refs, with their element
	itexts    []string
	raw       string
}

func readForm(t *testing.T, b []byte) *form {
	t.Helper()
	f := &form{nodes: map[string]bool{}, instances: map[string]bool{}, binds: map[string]map[string]string{}, texts: map[string]map[string]bool{}, refs: map[string][]string{}, raw: string(b)}
	var path []string
	lang, instance := "", ""
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return f
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			attrs := map[string]string{}
			for _, a := range tok.Attr {
				attrs[a.Name.Local] = a.Value
				for _, m := range regexp.MustCompile(`jr:itext\('([^']*)'\)`).FindAllStringSubmatch(a.Value, -1) {
					f.itexts = append(f.itexts, m[1])
				}
			}
			path = append(path, tok.Name.Local)
			inModel := slices.Contains(path, "model")
			switch name := tok.Name.Local; {
			case name == "translation":
				lang = attrs["lang"]
				f.texts[lang] = map[string]bool{}
			case name == "text":
				f.texts[lang][attrs["id"]] = true
			case name == "instance" && inModel:
				if instance = attrs["id"]; instance != "" {
					f.instances[instance] = true
				}
			case name == "bind":
				if f.binds[attrs["nodeset"]] != nil {
					t.Errorf("%s is bound twice", attrs["nodeset"])
				}
				f.binds[attrs["nodeset"]] = attrs
			case inModel && instance == "" && slices.Contains(path, "instance"):
				f.nodes["/"+strings.Join(path[slices.Index(path, "instance")+1:], "/")] = true
			case slices.Contains(path, "body") && strings.HasPrefix(attrs["ref"]+attrs["nodeset"], "/"):
				f.refs[attrs["ref"]+attrs["nodeset"]] = append(f.refs[attrs["ref"]+attrs["nodeset"]], name)
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// TestXFormsHoldTogether checks of every template's form what engines refuse it
// for: texts, nodes and lists that are not there.
func TestXFormsHoldTogether(t *testing.T) {
	for _, tpl := range templates(t) {
		for _, visits := range []bool{false, true} {
			b, err := openrosa.XForm(tpl, openrosa.Options{Visits: visits})
			if err != nil {
				t.Fatalf("%s: %v", tpl.Code, err)
			}
			if again, _ := openrosa.XForm(tpl, openrosa.Options{Visits: visits}); !bytes.Equal(b, again) {
				t.Fatalf("%s: other bytes the second time", tpl.Code)
			}
			f := readForm(t, b)
			if len(f.texts) != len(tpl.Languages) {
				t.Errorf("%s: %d languages, want %d", tpl.Code, len(f.texts), len(tpl.Languages))
			}
			for lang, texts := range f.texts {
				for _, id := range f.itexts {
					if !texts[id] {
						t.Errorf("%s: no text %q in %s", tpl.Code, id, lang)
					}
				}
			}
			for at, bind := range f.binds {
				if !f.nodes[at] {
					t.Errorf("%s: a bind for %s, which is not there", tpl.Code, at)
				}
				asked := len(f.refs[at]) > 0
				if !asked && bind["calculate"] == "" && bind["preload"] == "" && !strings.HasSuffix(at, "/meta/audit") {
					t.Errorf("%s: %s is neither asked nor worked out", tpl.Code, at)
				}
				for _, e := range []string{"relevant", "required", "constraint", "calculate"} {
					checkPaths(t, f, at, bind[e])
				}
			}
			for at := range f.refs {
				if !f.nodes[at] {
					t.Errorf("%s: %s is asked and not there", tpl.Code, at)
				}
			}
			for _, m := range regexp.MustCompile(`instance\('([^']*)'\)`).FindAllStringSubmatch(strings.ReplaceAll(f.raw, "&#39;", "'"), -1) {
				if !f.instances[m[1]] {
					t.Errorf("%s: no list %q", tpl.Code, m[1])
				}
			}
			tpl.Walk(func(it *survey.Item, parents []*survey.Item) bool {
				at := "/data"
				for _, p := range parents {
					at += "/" + p.Name
				}
				if at += "/" + it.Name; !f.nodes[at] {
					t.Errorf("%s: %s has no node", tpl.Code, at)
				}
				return true
			})
		}
	}
}

// checkPaths checks that every path in an expression leads somewhere.
func checkPaths(t *testing.T, f *form, at, expression string) {
	t.Helper()
	expression = regexp.MustCompile(`'[^']*'`).ReplaceAllString(expression, "''") // no paths in texts
	expression = regexp.MustCompile(`/root/item\[name = [^\]]*\](/\w+)?`).ReplaceAllString(expression, "")
	for _, p := range regexp.MustCompile(`(?:\.\./)+[\w/.-]+|/data[\w/.-]*`).FindAllString(expression, -1) {
		steps := strings.Split(strings.TrimPrefix(at, "/"), "/")
		if strings.HasPrefix(p, "/") {
			steps = nil
		}
		for _, s := range strings.Split(strings.Trim(p, "/"), "/") {
			if s == ".." {
				steps = steps[:len(steps)-1]
			} else {
				steps = append(steps, s)
			}
		}
		if where := "/" + strings.Join(steps, "/"); !f.nodes[where] {
			t.Errorf("%s: %q leads to %s, which is not there", at, expression, where)
		}
	}
}

// TestXFormOfEverything pins the parts in which engines are particular.
func TestXFormOfEverything(t *testing.T) {
	b, err := openrosa.XForm(everything(), openrosa.Options{Visits: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"/data/visit__":            {"type": "string", "required": "true()"},
		"/data/day":                {"type": "date", "constraint": ". <= today()"},
		"/data/n":                  {"type": "int", "constraint": "(. >= 0 and . < 10) and (/data/n != 3)"},
		"/data/level_note":         {"required": "/data/level = 'p1'"},
		"/data/photo":              {"type": "binary", "max-pixels": "640"},
		"/data/rooms_count":        {"calculate": "/data/n + 1"},
		"/data/rooms/inner/cold":   {"calculate": "(int(../warm div 2) - number(int(../warm div 2) > (../warm div 2))) + count(/data/rooms) + position(..)"},
		"/data/rooms/why":          {"relevant": "../inner/cold > 3 and /data/n > 1"},
		"/data/sum":                {"calculate": "sum(/data/rooms/inner/warm) - sum(/data/rooms/inner/cold)"},
		"/data/rooms/things/thing": {"relevant": "../../inner/warm > 1"},
		"/data/only": {"relevant": "(instance('visits')/root/item[name = /data/visit__]/sector = '01' or " +
			"selected(instance('visits')/root/item[name = /data/visit__]/tags, 'CPH') or selected(instance('visits')/root/item[name = /data/visit__]/sectors, '09')) and (/data/n > 0)"},
		"/data/when":     {"type": "date", "preload": "date", "preloadParams": "today", "calculate": ""},
		"/data/check_2_": {"relevant": "not(/data/n != 4)"},
	}
	f := readForm(t, b)
	for at, attrs := range want {
		for name, value := range attrs {
			if got := f.binds[at][name]; got != value {
				t.Errorf("%s: %s is %q, want %q", at, name, got, value)
			}
		}
	}
	for _, part := range []string{`jr:count="/data/rooms_count"`, `appearance="likert"`, `<value form="guidance">Low: nobody speaks`, `<output value=" /data/who "/>`,
		`<range ref="/data/n" start="0" end="9" step="1">`, `<who>nobody</who>`, `event="odk-instance-first-load" value="today()"`, `/root/item[zone = /data/who]`, `<zone>n</zone>`, `lang="Tiếng Việt (vi)"`,
		`<data id="ALL" version="7">`, `Everything &amp; &lt;more&gt;`, `A note with ${unknown and ]]&gt; in it`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("there is no %s", part)
		}
	}
	if out := os.Getenv("KHAOSAT_XFORM_OUT"); out != "" {
		for _, tpl := range templates(t) {
			b, _ := openrosa.XForm(tpl, openrosa.Options{Visits: true})
			if err := os.WriteFile(out+"/"+string(tpl.Code)+".xml", b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
