package expr_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey/expr"
)

func TestVectorsEvaluate(t *testing.T) {
	v := readVectors(t)
	if len(v.Evaluate) < 220 {
		t.Errorf("only %d vectors were read", len(v.Evaluate))
	}
	for _, c := range v.Evaluate {
		w := worldOf(c.Values)
		w.now, w.position = v.Defaults.Now, c.Position
		if c.Now != nil {
			w.now = *c.Now
		}
		if c.Self != nil {
			w.self, w.selfType, w.hasSelf = c.Self.Value, c.Self.typ, true
		}
		got := compile(t, c.Expr, w).Eval(env{w})
		if !agree(got, c.Result.Value) {
			t.Errorf("%s with %v: got %s, want %s", c.Expr, c.Values, show(got), show(c.Result.Value))
		}
	}
}

func show(v expr.Value) string { return fmt.Sprintf("%d:%q", v.Kind(), v.Text()) }

func TestVectorsOfSyntaxErrors(t *testing.T) {
	for _, c := range readVectors(t).Syntax {
		_, err := expr.Parse(c.Expr)
		var got *expr.SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("%q parsed", c.Expr)
			continue
		}
		if got.Code != c.Error.Code || got.Pos != c.Error.Pos {
			t.Errorf("%q: got %s at %d, want %s at %d", c.Expr, got.Code, got.Pos, c.Error.Code, c.Error.Pos)
		}
	}
}

func TestVectorsPrint(t *testing.T) {
	for _, c := range readVectors(t).Print {
		for _, source := range []string{c.Expr, c.Canonical} {
			e, err := expr.Parse(source)
			if err != nil {
				t.Errorf("%s: %v", source, err)
				continue
			}
			if got := e.String(); got != c.Canonical {
				t.Errorf("%s: got %s, want %s", source, got, c.Canonical)
			}
		}
	}
}

func TestVectorsCompile(t *testing.T) {
	types := map[string]expr.Type{
		"any": expr.Any, "number": expr.NumberType, "text": expr.TextType, "bool": expr.BoolType, "date": expr.DateType,
		"time": expr.TimeType, "datetime": expr.DateTimeType, "choice": expr.ChoiceType, "choices": expr.ChoicesType,
		"geo": expr.GeoType, "media": expr.MediaType,
	}
	for _, c := range readVectors(t).Compile {
		names := map[string]value{}
		for name, typ := range c.Types {
			plain, many := strings.CutSuffix(typ, "*")
			names[name] = value{typ: types[plain], many: many}
		}
		w := worldOf(names)
		if c.Self != nil {
			w.selfType, w.hasSelf = types[*c.Self], true
		}
		e, err := expr.Parse(c.Expr)
		if err != nil {
			t.Errorf("%s: %v", c.Expr, err)
			continue
		}
		program, problems := e.Compile(w)
		got := []problem{}
		failed := false
		for _, p := range problems {
			severity := ""
			if p.Severity == expr.Warning {
				severity = "warning"
			} else {
				failed = true
			}
			got = append(got, problem{p.Code, p.Suggestion, severity, p.Pos, p.Len})
		}
		if !slices.Equal(got, c.Problems) {
			t.Errorf("%s:\n got %v\nwant %v", c.Expr, got, c.Problems)
		}
		if (program == nil) != failed {
			t.Errorf("%s: a program comes exactly when there is no error", c.Expr)
		}
	}
}

// TestVectorsUseEveryFunction asks that a new function comes with a vector.
func TestVectorsUseEveryFunction(t *testing.T) {
	used := map[string]bool{}
	for _, c := range readVectors(t).Evaluate {
		e, err := expr.Parse(c.Expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range e.Calls() {
			used[call.Name] = true
		}
	}
	for _, name := range expr.FunctionNames() {
		if !used[name] {
			t.Errorf("no vector calls %s()", name)
		}
	}
}

func TestEveryMessageIsInBothLanguages(t *testing.T) {
	for code, m := range expr.Messages() {
		if m[0] == "" || m[1] == "" || m[0] == m[1] {
			t.Errorf("%s: %q", code, m)
		}
		for _, hole := range []string{"{arg}", "{instead}"} {
			if strings.Contains(m[0], hole) != strings.Contains(m[1], hole) {
				t.Errorf("%s: only one language names %s", code, hole)
			}
		}
	}
	for code := range codesSeen(t) {
		if _, ok := expr.Messages()[code]; !ok {
			t.Errorf("%s has no message", code)
		}
	}
}

// TestEveryMessageIsSeen finds messages that nothing says any more, and codes
// that no vector brings about.
func TestEveryMessageIsSeen(t *testing.T) {
	seen := codesSeen(t)
	for _, source := range []string{strings.Repeat("1+", expr.MaxLength/2) + "1", strings.Repeat("(", 250), strings.Repeat("9", 400)} {
		_, err := expr.Parse(source)
		var syntax *expr.SyntaxError
		if !errors.As(err, &syntax) {
			t.Fatalf("%.20s…: %v", source, err)
		}
		seen[syntax.Code] = true
	}
	for _, code := range slices.Sorted(maps.Keys(expr.Messages())) {
		if !seen[code] {
			t.Errorf("no vector brings about %s", code)
		}
	}
}

// TestEveryCodeInTheSourceHasAMessage reads the codes out of the package itself,
// so that one no test brings about is found too.
func TestEveryCodeInTheSourceHasAMessage(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:Code: |\.report\(\w+, [^"\n]*?)"(\w+)"`)
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(source), -1) {
			found[m[1]] = true
		}
	}
	got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(expr.Messages()))
	if !slices.Equal(got, want) {
		t.Errorf("the source reports\n%v, messages exist for\n%v", got, want)
	}
}

func codesSeen(t *testing.T) map[string]bool {
	seen := map[string]bool{}
	v := readVectors(t)
	for _, c := range v.Syntax {
		seen[c.Error.Code] = true
	}
	for _, c := range v.Compile {
		for _, p := range c.Problems {
			seen[p.Code] = true
		}
	}
	return seen
}

func TestMessagesSayWhatToDo(t *testing.T) {
	_, err := expr.Parse("${a} == 1")
	if got, want := err.Error(), "“==” is not used here; write “=”."; got != want {
		t.Errorf("got %s", got)
	}
	_, err = expr.Parse("${ a } = 1")
	if got, want := err.(*expr.SyntaxError).Message("vi"), "Bỏ dấu cách trong ngoặc: viết ${a}."; got != want {
		t.Errorf("got %s", got)
	}
	w := worldOf(map[string]value{"d": {typ: expr.DateType}, "t": {typ: expr.TimeType}})
	for source, want := range map[string]string{
		"${d} > '2018-01-01'":     "'2018-01-01' is a text, so it cannot be compared by size; write date('2018-01-01').",
		"${t} > now()":            "ODK Collect looks only at the day of ${t} here, not at the time; write decimal-time(${t}).",
		"round(1, 2, 3)":          "The function round takes 1–2 arguments.",
		"selected-at('a b', 1, )": "",
	} {
		e, err := expr.Parse(source)
		if err != nil {
			if want != "" {
				t.Errorf("%s: %v", source, err)
			}
			continue
		}
		_, problems := e.Compile(w)
		if got := problems[0].Message("en"); got != want {
			t.Errorf("%s: got %s", source, got)
		}
	}
}

func TestRefsAndCallsAreFoundWithTheirPlaces(t *testing.T) {
	e, err := expr.Parse("points('B2') > ${á} and instance('r')/i[n = ${b}]/l = ${last-saved#c} or f(1, g(${á}))")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(e.Refs()), "[{á 15 false} {b 44 false} {c 54 true} {á 80 false}]"; got != want {
		t.Errorf("got refs %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(e.Calls()), "[{points 0 B2} {instance 24 r} {f 73 } {g 78 }]"; got != want {
		t.Errorf("got calls %s, want %s", got, want)
	}
}

func TestFormatWritesReferencesAsTheCallerWants(t *testing.T) {
	e, err := expr.Parse("${a} + count(${last-saved#b})")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Format(func(name string) string { return " /data/" + name + " " }), " /data/a  + count( /data/last-saved#b )"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestSlotsAreReadOnceEachAndInOrder(t *testing.T) {
	w := worldOf(map[string]value{"a": {}, "b": {}, "c": {}})
	if got := compile(t, "if(${c} = 1, ${a}, ${c})", w).Slots(); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("got %v", got)
	}
}

func TestFunctionsOfTheHostAreCalled(t *testing.T) {
	w := worldOf(map[string]value{"a": {Value: expr.Num(21), typ: expr.NumberType}})
	if got := compile(t, "twice(${a})", w).Eval(env{w}); got.Number() != 42 {
		t.Errorf("got %v", got.Number())
	}
	e, err := expr.Parse("twice()")
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := e.Compile(w); len(problems) != 1 || problems[0].Code != "argument_count" {
		t.Errorf("got %v", problems)
	}
}

func TestWhatNeedsAFormClientIsBlank(t *testing.T) {
	w := worldOf(map[string]value{"a": {Value: expr.Str("x"), typ: expr.ChoiceType}})
	for _, source := range []string{
		"pulldata('f', 'c', 'k', ${a})", "instance('r')/root/item[name = ${a}]/label", "jr:choice-name(${a}, '${a}')",
		"${last-saved#a}", "../b", "/data/a", "current()/../a", "random()", "randomize(instance('r')/root/item)", "area(${a})",
	} {
		if got := compile(t, source, w).Eval(env{w}); got.Kind() != expr.Blank {
			t.Errorf("%s: got %s", source, show(got))
		}
	}
}

func TestAMomentShowsTheClockOfTheZoneAcrossSummerTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	w := worldOf(map[string]value{"t": {Value: expr.DateTimeValue(days(time.Date(2018, 7, 1, 22, 30, 0, 0, time.UTC))), typ: expr.DateTimeType}})
	w.now = time.Date(2018, 1, 1, 0, 0, 0, 0, zone) // winter; the moment is in summer
	for source, want := range map[string]string{
		"string(${t})":                       "2018-07-02T00:30:00.000+02:00",
		"string(date(${t}))":                 "2018-07-02",
		"format-date(${t}, '%H:%M')":         "00:30",
		"string(decimal-time(${t}) * 1440)":  "30",
		"string(date-time('2018-07-02'))":    "2018-07-02T00:00:00.000+02:00",
		"string(${t} >= date('2018-07-02'))": "true",
	} {
		if got := compile(t, source, w).Eval(env{w}).Text(); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}

func TestDeepNestingAndLengthAreBounded(t *testing.T) {
	for name, source := range map[string]string{
		"parentheses": strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
		"calls":       strings.Repeat("not(", 5000) + "1" + strings.Repeat(")", 5000),
		"minuses":     strings.Repeat("-", 5000) + "1",
		"predicates":  strings.Repeat("a[", 5000) + "1" + strings.Repeat("]", 5000),
	} {
		_, err := expr.Parse(source)
		var syntax *expr.SyntaxError
		if !errors.As(err, &syntax) || syntax.Code != "too_deep" {
			t.Errorf("%s: %v", name, err)
		}
	}
	nested := strings.Repeat("if(1, 2, ", 150) + "3" + strings.Repeat(")", 150)
	if _, err := expr.Parse(nested); err != nil {
		t.Errorf("what a person may write is refused: %v", err)
	}
	long := strings.TrimSuffix(strings.Repeat("1 + ", expr.MaxLength/4), " + ")
	w := worldOf(nil)
	if got := compile(t, long, w).Eval(env{w}).Number(); got != float64(expr.MaxLength/4) {
		t.Errorf("got %v", got)
	}
}

// TestALongUnionTakesTimeByItsLength would take minutes if each | copied all
// members before it.
func TestALongUnionTakesTimeByItsLength(t *testing.T) {
	values, names := map[string]value{}, []string{}
	for i := range 3000 {
		name := fmt.Sprintf("n%d", i)
		names = append(names, "${"+name+"}")
		values[name] = value{Value: expr.NodeSet(slices.Repeat([]expr.Value{expr.Num(1)}, 50)), typ: expr.NumberType, many: true}
	}
	w := worldOf(values)
	p := compile(t, "count("+strings.Join(names, "|")+")", w)
	start := time.Now()
	if got := p.Eval(env{w}).Number(); got != 150000 {
		t.Errorf("got %v", got)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestAProgramIsSafeForConcurrentUse(t *testing.T) {
	w := worldOf(map[string]value{"a": {Value: expr.Num(3), typ: expr.NumberType}})
	w.now = time.Date(2018, 3, 15, 0, 0, 0, 0, time.UTC)
	p := compile(t, "concat(round(${a} div 7, 2), regex('x1', '[a-z][0-9]'), format-date(today(), '%Y'), max(1, 2))", w)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got := p.Eval(env{w}).Text(); got != "0.43true20182" {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosestFindsWhatWasMeant(t *testing.T) {
	names := []string{"present", "expected", "absent_excused", "a"}
	for name, want := range map[string]string{
		"presnet": "present", "Present": "present", "expectd": "expected", "zzzzzz": "", "": "", "absent_excsued": "absent_excused",
	} {
		if got := expr.Closest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
