package expr_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/khaosat/khaosat/survey/expr"
)

// sources draws expressions as people might type them: needless parentheses,
// odd spaces, either sort of quotes.
func sources() *rapid.Generator[string] {
	leaf := rapid.SampledFrom([]string{
		"1", "0.5", ".5", "12.", "'x'", `"it's"`, "''", "“đ”", "${a}", "${b-c.d}", "${last-saved#a}", ".", "..", "(/)", "a", "*", "//a/@b",
		"today()", "true()", "position(..)", "instance('r')/root/item[n = ${a}]/l", "/data/text()", "or", "div",
	})
	space := rapid.SampledFrom([]string{" ", "  ", "\t", "\u00a0"})
	operator := rapid.SampledFrom([]string{"or", "AND", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "|", "≤", "−"})
	function := rapid.SampledFrom([]string{"if", "round", "concat", "not", "selected", "jr:choice-name", "count"})
	var tree func(depth int) *rapid.Generator[string]
	tree = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return leaf
		}
		inner := rapid.Deferred(func() *rapid.Generator[string] { return tree(depth - 1) })
		return rapid.Custom(func(t *rapid.T) string {
			gap := space.Draw(t, "space")
			switch rapid.IntRange(0, 6).Draw(t, "form") {
			case 0:
				return leaf.Draw(t, "leaf")
			case 1, 2:
				return inner.Draw(t, "left") + gap + operator.Draw(t, "operator") + gap + inner.Draw(t, "right")
			case 3:
				return "(" + inner.Draw(t, "inner") + gap + ")"
			case 4:
				// XPath's union takes no sign on its right without parentheses.
				return "(-" + gap + "(" + inner.Draw(t, "inner") + "))"
			case 5:
				return "(" + inner.Draw(t, "base") + ")[" + inner.Draw(t, "predicate") + "]/x"
			}
			args := rapid.SliceOfN(inner, 0, 3).Draw(t, "args")
			return function.Draw(t, "function") + "(" + strings.Join(args, ","+gap) + ")"
		})
	}
	return tree(4)
}

func TestPrintingIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := sources().Draw(t, "source")
		e, err := expr.Parse(source)
		if err != nil {
			t.Fatalf("%q does not parse: %v", source, err)
		}
		checkPrint(t, e)
	})
}

// checkPrint asks that what is printed parses, prints the same again, and has
// the same references and calls.
func checkPrint(t fataler, e *expr.Expr) {
	printed := e.String()
	again, err := expr.Parse(printed)
	if err != nil {
		var syntax *expr.SyntaxError
		if len(printed) > expr.MaxLength { // spaces were added
			return
		}
		t.Fatalf("%q does not parse: %v %v", printed, err, syntax)
	}
	if twice := again.String(); twice != printed {
		t.Fatalf("%q prints as %q", printed, twice)
	}
	if a, b := e.Refs(), again.Refs(); len(a) != len(b) {
		t.Fatalf("%q: %v became %v", printed, a, b)
	}
	if a, b := e.Calls(), again.Calls(); len(a) != len(b) {
		t.Fatalf("%q: %v became %v", printed, a, b)
	}
}

func TestPrintingKeepsTheMeaning(t *testing.T) {
	w := worldOf(map[string]value{"a": {Value: expr.Num(3)}, "b-c.d": {Value: expr.Str("x y")}})
	w.now, w.hasSelf, w.self = time.Date(2018, 3, 15, 12, 0, 0, 0, time.UTC), true, expr.Num(2)
	compiled := 0
	rapid.Check(t, func(t *rapid.T) {
		e, err := expr.Parse(sources().Draw(t, "source"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := expr.Parse(e.String())
		if err != nil {
			t.Fatal(err)
		}
		p, _ := e.Compile(w)
		q, _ := again.Compile(w)
		if (p == nil) != (q == nil) {
			t.Fatalf("%s compiles only once", e)
		}
		if p == nil {
			return
		}
		compiled++
		if a, b := p.Eval(env{w}), q.Eval(env{w}); !agree(a, b) {
			t.Fatalf("%s: %s became %s", e, show(a), show(b))
		}
	})
	if compiled == 0 {
		t.Error("nothing compiled, so nothing was compared")
	}
}

// TestRoundingIsThatOfDecimals compares with arithmetic in integers, which is
// exact: halves go up.
func TestRoundingIsThatOfDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thousandths := rapid.Int64Range(-1e9, 1e9).Draw(t, "thousandths")
		w := worldOf(map[string]value{"a": {Value: expr.Num(float64(thousandths) / 1000), typ: expr.NumberType}})
		for source, unit := range map[string]int64{"round(${a}, 2)": 10, "round(${a}, 1)": 100, "round(${a})": 1000, "round(${a}, -1)": 10000} {
			units := floorDiv(2*thousandths+unit, 2*unit)
			want := float64(units*unit) / 1000
			if got := compile(t, source, w).Eval(env{w}).Number(); got != want {
				t.Fatalf("%s of %v: got %v, want %v", source, float64(thousandths)/1000, got, want)
			}
		}
	})
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func TestMinutesBetweenTwoTimesAreWhole(t *testing.T) {
	w := worldOf(map[string]value{"a": {typ: expr.TimeType}, "b": {typ: expr.TimeType}})
	p := compile(t, "round((decimal-time(${b}) - decimal-time(${a})) * 1440)", w)
	for from := 0; from < 1440; from += 7 {
		for to := range 1440 {
			w.values[0], w.values[1] = expr.TimeValue(float64(from)/1440), expr.TimeValue(float64(to)/1440)
			if got := p.Eval(env{w}).Number(); got != float64(to-from) {
				t.Fatalf("from minute %d to %d: got %v", from, to, got)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	v := readVectors(f)
	for _, c := range v.Evaluate {
		f.Add(c.Expr)
	}
	for _, c := range v.Syntax {
		f.Add(c.Expr)
	}
	for _, c := range v.Print {
		f.Add(c.Expr)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := expr.Parse(source)
		if err != nil {
			pos := err.(*expr.SyntaxError).Pos
			if pos < 0 || pos > len([]rune(source)) {
				t.Fatalf("error at %d", pos)
			}
			return
		}
		checkPrint(t, e)
	})
}

func FuzzEval(f *testing.F) {
	v := readVectors(f)
	for _, c := range v.Evaluate {
		f.Add(c.Expr, uint32(0), 1.5, "a b", "2018-03-15")
	}
	for _, c := range v.Compile {
		f.Add(c.Expr, uint32(0x65174321), -1e300, "19:30", "x")
	}
	f.Fuzz(func(t *testing.T, source string, types uint32, number float64, text, other string) {
		e, err := expr.Parse(source)
		if err != nil {
			return
		}
		w := &world{
			names: []string{"a", "b", "d", "n", "t", "x"}, types: map[string]expr.Type{}, many: map[string]bool{"n": true},
			hasSelf: true, self: expr.Str(other), now: time.Date(2018, 3, 15, 20, 0, 0, 0, time.FixedZone("", 7*3600)), position: 1,
			values: []expr.Value{
				expr.Num(number), expr.Str(text), expr.DateValue(number), expr.NodeSet([]expr.Value{expr.Str(other), expr.NotAskedValue(), expr.Num(number)}),
				expr.TimeValue(number), expr.DateTimeValue(number),
			},
		}
		for i, name := range w.names { // four bits each; what is declared need not be what comes
			w.types[name] = expr.Type(types >> (4 * i) & 15 % uint32(expr.MediaType+1))
		}
		w.selfType = expr.Type(types >> 28 % uint32(expr.MediaType+1))
		p, problems := e.Compile(w)
		for _, q := range problems {
			if q.Pos < 0 || q.Len <= 0 || q.Pos+q.Len > len([]rune(source)) {
				t.Fatalf("%s from %d for %d", q.Code, q.Pos, q.Len)
			}
			if q.Message("vi") == q.Code || q.Message("en") == q.Code {
				t.Fatalf("%s has no message", q.Code)
			}
		}
		if p == nil {
			return
		}
		got := p.Eval(env{w})
		if s := got.Text(); len(s) > 1<<24 {
			t.Fatalf("%d bytes", len(s))
		}
		if got.Kind() == expr.Bool && got.Number() != 0 && got.Number() != 1 {
			t.Fatalf("a truth value of %v", got.Number())
		}
		_ = math.IsNaN(got.Number())
	})
}
