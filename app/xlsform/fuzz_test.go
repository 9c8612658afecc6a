package xlsform

import (
	"testing"
	"unicode/utf8"

	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// FuzzSheet looks for workbooks that bring the reader down. The zip container
// defeats blind mutation, so the parts that matter are mutated on their own.
func FuzzSheet(f *testing.F) {
	all, err := fixtures.Workbooks()
	must(f, err)
	for _, w := range all {
		f.Add(w.Bytes, "")
	}
	f.Add([]byte("PK\x03\x04"), "")
	f.Add([]byte{}, `<row r="1"><c r="A1" t="inlineStr"><is><t>type</t></is></c></row><row r="2"><c r="A2" t="d"><v>2018-01-05</v></c></row>`)
	f.Add([]byte{}, `<row r="1"><c r="A1" t="str"><v>type</v></c></row><row r="2"><c r="A2" s="3"><v>45000.5</v></c><c r="B2" t="b"><v>1</v></c></row>`)
	f.Fuzz(func(t *testing.T, b []byte, data string) {
		if data != "" {
			b = hostileSheet(t, data)
		}
		tpl, ps, err := ReadNamed(b, "fuzz.xlsx")
		if err != nil {
			if survey.KindOf(err) != survey.Invalid || survey.CodeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if tpl == nil {
			t.Fatal("neither a template nor an error")
		}
		if _, err := Annotate(b, ps, words("vi")); err != nil && survey.CodeOf(err) == "" {
			t.Fatalf("no annotation of what could be read: %v", err)
		}
		if out, err := Write(tpl); err == nil {
			if _, _, err := Read(out); err != nil {
				t.Fatalf("what was written cannot be read: %v", err)
			}
		}
	})
}

// FuzzText looks for cells whose parts are not read back from what is written.
func FuzzText(f *testing.F) {
	for _, s := range []string{"select_one yn or_other", "begin grup", "“x” : 5; ‘y’ : 2", `5" and 6'`, "if(${a}, 'b:c', \"d;e\") : 3,5", "label::English (en)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s = tidy(s); s == "" || !utf8.ValidString(s) {
			return
		}
		parseType(s)
		splitHeader(surveySheet, s)
		if tag := slug(s); slug(tag) != tag {
			t.Errorf("the slug of %q is not stable: %q", s, tag)
		}
		if e := expression(s); expression(e) != e {
			t.Errorf("straightening %q twice gives %q and %q", s, e, expression(e))
		}
		for _, kind := range []survey.ItemKind{survey.KindText, survey.KindInteger} {
			e := defaultExpression(kind, s)
			if again := defaultExpression(kind, defaultCell(kind, e)); again != e {
				t.Errorf("the default %q is %s and comes back as %s", s, e, again)
			}
		}
	})
}
