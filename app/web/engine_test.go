package web

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/survey/expr"
)

// engines opens a page of the server on which its modules can be imported.
func engines(t *testing.T) *browsertest.Page {
	t.Helper()
	r := newRig(t)
	p := browsertest.Shared(t).Open(t, browsertest.Options{URL: r.url, Width: 1280, Height: 800})
	p.Goto("/sign-in")
	return p
}

// vectorScope declares the names of a vector by the kinds of its values.
type vectorScope struct {
	names []string
	kinds map[string]string
}

func (s vectorScope) Resolve(name string) (expr.Resolved, bool) {
	slot, known := slices.BinarySearch(s.names, name)
	return expr.Resolved{Slot: slot, Repeat: s.kinds[name] == "nodes"}, known
}
func (s vectorScope) Names() []string                       { return s.names }
func (s vectorScope) Self() (expr.Type, bool)               { return expr.Any, true }
func (s vectorScope) Function(string) (expr.Function, bool) { return expr.Function{}, false }

// TestTheBrowserEvaluatesEveryVector runs fixtures/expressions.json, which the
// evaluator in Go passes, through the one in the browser.
func TestTheBrowserEvaluatesEveryVector(t *testing.T) {
	p := engines(t)
	b, err := os.ReadFile("../../fixtures/expressions.json")
	ok(t, err)
	var file struct {
		Defaults struct{ Now time.Time }
		Evaluate []struct {
			Expr     string
			Values   map[string]map[string]json.RawMessage
			Self     map[string]json.RawMessage
			Now      *time.Time
			Position int
			Result   map[string]json.RawMessage
		}
	}
	ok(t, json.Unmarshal(b, &file))
	type vector struct {
		Expr     string                       `json:"expr"`
		Tree     *expr.Program                `json:"tree"`
		Values   []map[string]json.RawMessage `json:"values"`
		Self     map[string]json.RawMessage   `json:"self"`
		Now      int64                        `json:"now"`
		Zone     string                       `json:"zone"`
		Position int                          `json:"position"`
		Result   map[string]json.RawMessage   `json:"result"`
	}
	var vectors []vector
	for _, v := range file.Evaluate {
		scope := vectorScope{kinds: map[string]string{}}
		for name, value := range v.Values {
			scope.names = append(scope.names, name)
			for kind := range value {
				scope.kinds[name] = kind
			}
		}
		slices.Sort(scope.names)
		parsed, err := expr.Parse(v.Expr)
		if err != nil {
			t.Fatalf("%s: %v", v.Expr, err)
		}
		program, problems := parsed.Compile(scope)
		if program == nil {
			t.Fatalf("%s: %v", v.Expr, problems)
		}
		now := file.Defaults.Now
		if v.Now != nil {
			now = *v.Now
		}
		one := vector{Expr: v.Expr, Tree: program, Self: v.Self, Now: now.UnixMilli(), Zone: now.Format("-07:00"), Position: v.Position, Result: v.Result, Values: []map[string]json.RawMessage{}}
		for _, name := range scope.names {
			one.Values = append(one.Values, v.Values[name])
		}
		vectors = append(vectors, one)
	}
	if len(vectors) < 300 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	sent, err := json.Marshal(vectors)
	ok(t, err)
	var wrong []string
	p.Eval(`(async (vectors) => {
		const x = await import('/static/expr.js');
		const { DAY, parseMoment, parseClock, dayNumber } = await import('/static/moment.js');
		const utc = new x.Clock(0, '+00:00');
		const value = (v) => {
			if (!v) return x.BLANK;
			const [[kind, raw]] = Object.entries(v);
			switch (kind) {
				case 'number': return x.num(Number(raw));
				case 'text': case 'choice': case 'choices': return x.str(raw);
				case 'bool': return x.bool(raw);
				case 'blank': return x.BLANK;
				case 'not_asked': return x.NOT_ASKED;
				case 'date': return x.date(dayNumber(...raw.split('-').map(Number)));
				case 'time': return x.time(parseClock(raw));
				case 'datetime': return x.datetime(parseMoment(raw, utc));
				case 'nodes': return x.nodeSet(raw.map(value));
			}
			throw new Error(kind);
		};
		const show = (v) => v.kind === 'nodes' ? v.nodes.map(show).join() : v.kind + ' ' + (v.n ?? v.s ?? '');
		const agree = (a, b) => {
			if (a.kind !== b.kind) return false;
			if (a.kind === 'number') return Object.is(a.n, b.n) || a.n === b.n || Math.abs(a.n - b.n) <= 1e-12 * Math.max(1, Math.abs(b.n));
			if (a.kind === 'datetime') return Math.abs(a.n - b.n) * DAY < 1;
			return x.textOf(a, { clock: utc }) === x.textOf(b, { clock: utc });
		};
		const wrong = [];
		for (const v of vectors) {
			const values = v.values.map(value);
			const env = { ref: (slot) => values[slot], self: value(v.self), clock: new x.Clock(v.now, v.zone), position: v.position };
			try {
				const got = x.evaluate(v.tree, env), want = value(v.result);
				if (!agree(got, want)) wrong.push(v.expr + ': ' + show(got) + ', want ' + show(want));
			} catch (e) {
				wrong.push(v.expr + ': ' + e.stack);
			}
		}
		return wrong;
	})(`+string(sent)+`)`, &wrong)
	for _, w := range wrong {
		t.Error(w)
	}
	t.Logf("%d vectors", len(vectors))
}
