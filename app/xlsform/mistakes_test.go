package xlsform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// mistake is a small workbook with one of the mistakes that authors make, and
// the problem they have to be told: "severity code sheet!column row".
type mistake struct {
	name   string
	sheets map[string][][]any
	want   string
	did    string // suggestion
	says   string // part of the English message
}

// form is a survey sheet under a header, with a list of yes and no and one of
// four levels.
func form(header string, rows ...[]any) map[string][][]any {
	head := []any{}
	for _, h := range strings.Fields(header) {
		head = append(head, h)
	}
	return map[string][][]any{"survey": append([][]any{head}, rows...), "choices": {{"list_name", "name", "label", "points", "anchor"},
		{"yes_no", "yes", "Yes", 1, "Seen"}, {"yes_no", "no", "No", 0, "Not seen"},
		{"scale4", "1", "One", 1, "a"}, {"scale4", "2", "Two", 2, "b"}, {"scale4", "3", "Three", 3, "c"}, {"scale4", "4", "Four", 4, "d"}},
		"settings": {{"form_title", "form_id"}, {"A form", "T"}}}
}

// with adds sheets to a form.
func with(sheets map[string][][]any, name string, rows ...[]any) map[string][][]any {
	sheets[name] = rows
	return sheets
}

func r(cells ...any) []any { return cells }

// scored is a form of one item worth a point, under a scheme with caps.
func scored(caps ...[]any) map[string][][]any {
	f := form("type name label points", r("select_one yes_no", "q", "Q", 1))
	f = with(f, "scoring", r("total", "decimals", "graded"), r(1, 0, "yes"))
	f = with(f, "bands", r("code", "min", "label"), r("high", 1, "High"), r("low", 0, "Low"))
	return with(f, "caps", append([][]any{r("code", "when", "band", "label")}, caps...)...)
}

var mistakes = []mistake{
	{"unknown type", form("type name label", r("rating", "q", "Q")), "error type.unsupported survey!type 2", "select_one LIST", "rating"},
	{"no list", form("type name label", r("select_one", "q", "Q")), "error type.no_list survey!type 2", "", "yes_no, scale4"},
	{"list not on the sheet", form("type name label", r("select_one yes_on", "q", "Q")), "error list.unknown survey!type 2", "yes_no", "yes_on"},
	{"unknown column", form("type name label relevent", r("text", "q", "Q", "1 = 1")), "warning column.unknown survey!relevent 1", "relevant", "relevent"},
	{"no label", form("type name label", r("text", "a", "A"), r("text", "q", "")), "error text.missing survey!label 3", "", ""},
	{"syntax", form("type name label relevant", r("text", "q", "Q"), r("text", "b", "B", "${q} == 'x' and (")), "error expr.syntax survey!relevant 3", "", "=="},
	{"circle", form("type name calculation", r("calculate", "a", "${b} + 1"), r("calculate", "b", "${a} + 1")), "error expr.circle survey!calculation 2", "", "a"},
	{"languages mixed", form("type name label label::French", r("text", "q", "Q", "Q")), "warning language.mixed survey!label 1", "", "label"},
	{"language with gaps", form("type name label::English label::French", r("text", "q", "Q", "")), "warning text.language survey!label 2", "", ""},
	{"bad reference", form("type name label relevant", r("text", "name", "Q"), r("text", "b", "B", "${nmae} = 'x'")), "error expr.unknown_name survey!relevant 3", "name", "nmae"},
	{"reference to a note", form("type name label relevant", r("note", "n", "N"), r("text", "b", "B", "${n} = 'x'")), "warning ref.note survey!relevant 3", "", "note"},
	{"reference into a repeat", form("type name label relevant", r("begin repeat", "g", "G"), r("text", "in", "In"), r("end repeat"), r("text", "b", "B", "${in} = 'x'")),
		"warning expr.many_compared survey!relevant 5", "", "repeat"},
	{"name that two groups have", form("type name label relevant", r("begin group", "g", "G"), r("text", "a", "A"), r("end group"), r("begin group", "h", "H"), r("text", "a", "A"), r("end group"), r("text", "b", "B", "${a} = 'x'")),
		"error item.duplicate survey!name 6", "", "3"},
	{"group not closed", form("type name label", r("begin group", "g", "G"), r("text", "a", "A")), "error group.not_closed survey!type 2", "", "3"},
	{"end of another kind", form("type name label", r("begin group", "g", "G"), r("text", "a", "A"), r("end repeat")), "error group.mismatch survey!type 4", "", "“g”"},
	{"choice twice", with(form("type name label", r("select_one l", "q", "Q")), "choices", r("list_name", "name", "label"), r("l", "a", "A"), r("l", "a", "A")),
		"error choice.duplicate choices!name 3", "", "2"},
	{"space in a choice", with(form("type name label", r("select_multiple l", "q", "Q")), "choices", r("list_name", "name", "label"), r("l", "y es", "A"), r("l", "b", "B")),
		"error choice.space choices!name 2", "y_es", ""},
	{"rated choice without label", with(scored(), "choices", r("list_name", "name", "label", "points"), r("yes_no", "yes", "", 1), r("yes_no", "no", "No", 0)),
		"error text.missing choices!label 2", "", ""},
	{"picture without a size", form("type name label", r("image", "p", "P")), "advice image.size survey!parameters 2", "", "max-pixels=1600"},
	{"levels that are no levels", with(form("type name label points rubric", r("select_one l", "q", "Q", 4, "yes")), "choices", r("list_name", "name", "label", "points", "anchor"), r("l", "1", "One", 1, "a"), r("l", "5", "Five", 5, "b")),
		"error points.top survey!points 2", "", "5"},
	{"type error", form("type name label relevant", r("text", "t", "T"), r("text", "b", "B", "${t} > 3")), "error expr.compare_text survey!relevant 3", "", ""},
	{"scoring that does not add up", with(scored(), "scoring", r("total", "decimals", "graded"), r(10, 0, "yes")), "error points.total_sum scoring!total 2", "", "10"},
	{"cap that can never fire", scored(r("K", "points('q') > 1", "low", "K")), "warning cap.never caps!when 2", "", "points('q') > 1"},
	{"cap that limits nothing", scored(r("K", "points('q') < 1", "high", "K")), "warning cap.top caps!band 2", "", "high"},
	{"cap on what is not there", scored(r("K", "points('qq') < 1", "low", "K")), "error score_call.unknown caps!when 2", "q", "qq"},
	{"item that nobody reaches", form("type name label relevant", r("select_one yes_no", "a", "A"), r("text", "b", "B", "${a} = 'maybe'")),
		"warning item.unreachable survey!relevant 3", "", "${a} = 'maybe'"},
	{"item that nobody reaches in its group", form("type name label relevant", r("integer", "n", "N"), r("begin group", "g", "G", "${n} > 10"), r("text", "b", "B", "${n} < 3"), r("end group")),
		"warning item.unreachable survey!relevant 4", "", "${n} < 3"},
	{"choice without points", with(scored(), "choices", r("list_name", "name", "label", "points"), r("yes_no", "yes", "Yes", 1), r("yes_no", "no", "No")),
		"error choice.no_points choices!points 3", "", "yes_no"},
	{"rubric without anchors", with(form("type name label rubric", r("select_one l", "q", "Q", "yes")), "choices", r("list_name", "name", "label"), r("l", "1", "One"), r("l", "2", "Two")),
		"error text.missing choices!anchor 2", "", ""},
}

func TestEveryMistakeOfAuthorsIsExplained(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			tpl, ps, err := xlsform.Read(book(t, m.sheets))
			if err != nil {
				t.Fatal(err)
			}
			_, more := survey.Compile(tpl, nil)
			ps = append(ps, more...)
			var got []string
			for _, p := range ps {
				line := fmt.Sprintf("%s %s %s!%s %d", p.Severity, p.Code, p.Place.Sheet, p.Place.Column, p.Place.Row)
				got = append(got, line)
				if line != m.want {
					continue
				}
				if p.Suggestion != m.did {
					t.Errorf("did you mean %q, want %q", p.Suggestion, m.did)
				}
				if said := message.OfProblem("en", p); !strings.Contains(said, m.says) {
					t.Errorf("it says %q, without %q", said, m.says)
				}
				if vi := message.OfProblem("vi", p); vi == "" || vi == message.OfProblem("en", p) {
					t.Errorf("in Vietnamese it says %q", vi)
				}
			}
			if !slices.Contains(got, m.want) {
				t.Errorf("got %q, want %s", got, m.want)
			}
		})
	}
}

// TestAFormWithoutMistakesIsToldNothing keeps the checks from crying wolf.
func TestAFormWithoutMistakesIsToldNothing(t *testing.T) {
	tpl, ps, err := xlsform.Read(book(t, scored(r("K", "points('q') < 1 and ${q} = 'no'", "low", "K"))))
	if err != nil {
		t.Fatal(err)
	}
	if _, more := survey.Compile(tpl, nil); len(ps)+len(more) > 0 {
		t.Error(ps, more)
	}
}
