package expr_test

import (
	"testing"

	"github.com/khaosat/khaosat/survey/expr"
)

// hot are expressions of the sorts that every response evaluates by the dozen.
var hot = map[string]string{
	"ratio":    "${a} div ${b} >= 0.9",
	"branches": "${a} = 1 or ${a} = 2 or (${a} >= 3 and ${b} < 4) or ${c} = 'x' or not(${c} = 'yes') and ${b} != ''",
	"if":       "if(${a} > 0, coalesce(${b}, 0) div ${a}, '')",
	"selected": "selected(${d}, 'youth') or count-selected(${d}) >= 2",
	"self":     ". >= 0 and (${b} = '' or . <= ${b})",
	"date":     "${e} >= ${e} - 30",
}

func hotWorld() *world {
	w := worldOf(map[string]value{
		"a": {Value: expr.Num(3), typ: expr.NumberType}, "b": {Value: expr.Num(4), typ: expr.NumberType},
		"c": {Value: expr.Str("yes"), typ: expr.ChoiceType}, "d": {Value: expr.Str("women union"), typ: expr.ChoicesType},
		"e": {Value: expr.DateValue(17605), typ: expr.DateType},
	})
	w.self, w.hasSelf = expr.Num(2), true
	return w
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	for name, source := range hot {
		w := hotWorld()
		p := compile(t, source, w)
		var e expr.Env = env{w}
		if n := testing.AllocsPerRun(100, func() { p.Eval(e) }); n != 0 {
			t.Errorf("%s: %v allocations: %s", name, n, source)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	for name, source := range hot {
		b.Run(name, func(b *testing.B) {
			w := hotWorld()
			p := compile(b, source, w)
			var e expr.Env = env{w}
			b.ReportAllocs()
			for b.Loop() {
				p.Eval(e)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := expr.Parse(hot["branches"]); err != nil {
			b.Fatal(err)
		}
	}
}
