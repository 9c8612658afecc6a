//go:build xlsforms

package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/expr"
)

// shapeOf is what two XForms have to agree in: what each answer is and when it
// is asked, the choices, and the languages.
type shapeOf struct {
	Binds     map[string]string // by the last step of the path, with the logic
	Choices   map[string]int    // how many lists and items there are, by name
	Languages []string
	Asked     map[string]bool // lists that questions take their choices from
}

var (
	spaces   = regexp.MustCompile(`\s+`)
	pathTo   = regexp.MustCompile(`(?:/|\.\./)[A-Za-z0-9_./-]*?([A-Za-z_][A-Za-z0-9_.-]*)([^A-Za-z0-9_./-]|$)`)
	numbered = regexp.MustCompile(`_\d+$`)
)

// ofOurs are what our forms have beyond the workbook,
// and two items for which pyxform writes no bind: an acknowledgement by its old
// name, and the label of a table-list.
var ofOurs = []string{"visit_", "start_", "end_", "deviceid_", "my_trigger", "table_list_question_labels"}

// logic brings an expression into a form in which two writers agree: paths by
// their last step, no spaces, no brackets that are not needed.
func logic(s string) string {
	s = pathTo.ReplaceAllString(strings.ReplaceAll(s, "current()/", ""), "$${$1}$2")
	if parsed, err := expr.Parse(s); err == nil {
		s = parsed.String()
	}
	return strings.ReplaceAll(spaces.ReplaceAllString(s, ""), `"`, "'")
}

func readShape(t *testing.T, r io.Reader) shapeOf {
	t.Helper()
	out := shapeOf{Binds: map[string]string{}, Choices: map[string]int{}, Asked: map[string]bool{}}
	relevant, binds := map[string]string{}, map[string]string{} // by path
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			slices.Sort(out.Languages)
			for path, bind := range binds {
				// A condition may stand at the group or at each item in it.
				var when []string
				for at := path; at != ""; at = at[:strings.LastIndexByte(at, '/')] {
					if relevant[at] != "" && !slices.Contains(when, relevant[at]) {
						when = append(when, relevant[at])
					}
				}
				slices.Sort(when)
				out.Binds[path[strings.LastIndexByte(path, '/')+1:]] = bind + " relevant=" + strings.Join(when, " & ")
			}
			return out
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		get := func(name string) string {
			for _, a := range e.Attr {
				if a.Name.Local == name {
					return a.Value
				}
			}
			return ""
		}
		switch e.Name.Local {
		case "bind":
			path := get("nodeset")
			if when := logic(get("relevant")); when != "" {
				relevant[path] = when
			}
			// A group has nothing to ask, and is left out where it has no condition;
			// what is calculated or only shown cannot be required.
			if get("type") != "" && !strings.Contains(path, "/meta/") {
				required := get("required") != "" && get("required") != "false()" && get("calculate") == "" && get("readonly") != "true()"
				binds[path] = fmt.Sprintf("%s constraint=%s calculate=%s required=%v", get("type"), logic(get("constraint")), logic(get("calculate")), required)
			}
		case "translation":
			out.Languages = append(out.Languages, get("lang"))
		case "itemset":
			_, list, _ := strings.Cut(get("nodeset"), "instance('")
			list, _, _ = strings.Cut(list, "'")
			out.Asked[list] = true
		case "instance":
			if id := get("id"); id != "" {
				out.Choices[id]++
			}
		}
	}
}

// TestOtherPeoplesFormsKeepTheirMeaning imports workbooks that others wrote and
// compares the XForms made of them with those of pyxform. KHAOSAT_XLSFORMS is a
// folder of workbooks with a folder xform of what pyxform made of them; they are
// no part of this repository, and so neither is the test of the usual ones:
// go test -tags xlsforms ./app -run OtherPeoples.
func TestOtherPeoplesFormsKeepTheirMeaning(t *testing.T) {
	folder := os.Getenv("KHAOSAT_XLSFORMS")
	if folder == "" {
		t.Fatal("KHAOSAT_XLSFORMS is not set")
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.xls*"))
	if err != nil || len(names) == 0 {
		t.Fatal(err, names)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := os.Open(filepath.Join(folder, "xform", strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))+".xml"))
			refused := err != nil // by pyxform
			tpl, ps, err := xlsform.ReadNamed(b, filepath.Base(name))
			if err != nil {
				if code := survey.CodeOf(err); !refused && code != "workbook.xls" {
					t.Errorf("refused: %v", err)
				} else {
					t.Log(code)
				}
				return
			}
			_, more := survey.Compile(tpl, nil)
			if filepath.Base(name) == "xlsform__bad_calc.xlsx" { // a sentence for a formula, which no client can load
				refused = true
			}
			for _, p := range append(ps, more...) {
				if p.Severity == survey.SeverityError && !refused {
					t.Errorf("%v", p)
				}
			}
			if refused || append(ps, more...).HasErrors() {
				return
			}
			defer theirs.Close()
			ours, err := service.XForm(tpl)
			if err != nil {
				t.Fatal(err)
			}
			want, got := readShape(t, theirs), readShape(t, strings.NewReader(string(ours)))
			for _, bind := range slices.Sorted(maps.Keys(want.Binds)) {
				if strings.HasPrefix(bind, "reserved_name_for_field_list_labels") {
					continue // what pyxform makes of a table-list for clients; pages draw the table
				}
				if got.Binds[bind] != want.Binds[bind] {
					t.Errorf("%s:\n got %s\nwant %s", bind, got.Binds[bind], want.Binds[bind])
				}
			}
			for _, bind := range slices.Sorted(maps.Keys(got.Binds)) {
				if _, there := want.Binds[bind]; !there && !numbered.MatchString(bind) && !slices.Contains(ofOurs, bind) {
					t.Errorf("%s is not in theirs: %s", bind, got.Binds[bind])
				}
			}
			for list := range want.Choices { // those that nobody asks for may be missing
				if got.Choices[list] == 0 && want.Asked[list] {
					t.Errorf("the list %s is missing", list)
				}
			}
			// A language in which nothing is written is one for us.
			if slices.ContainsFunc(want.Languages, func(l string) bool { return !slices.Contains(got.Languages, l) }) {
				t.Errorf("languages: got %q, want %q", got.Languages, want.Languages)
			}
		})
	}
}
