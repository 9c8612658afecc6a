package expr_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey/expr"
)

// vectors is fixtures/expressions.json, which describes itself.
type vectors struct {
	About    []string
	Defaults struct{ Now time.Time }
	Evaluate []struct {
		Expr     string
		Values   map[string]value
		Self     *value
		Now      *time.Time
		Position int
		Result   value
	}
	Syntax []struct {
		Expr  string
		Error struct {
			Code string
			Pos  int
		}
	}
	Print []struct{ Expr, Canonical string }

	Compile []struct {
		Expr     string
		Types    map[string]string
		Self     *string
		Problems []problem
	}
}

type problem struct {
	Code, Suggestion, Severity string
	Pos, Len                   int
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	f, err := os.Open("../../fixtures/expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var v vectors
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// value is a value as the vectors write it, with the type that its kind implies.
type value struct {
	expr.Value
	typ  expr.Type
	many bool
}

func (v *value) UnmarshalJSON(b []byte) error {
	var kinds map[string]json.RawMessage
	if err := json.Unmarshal(b, &kinds); err != nil {
		return err
	}
	if len(kinds) != 1 {
		return fmt.Errorf("%s: a value has one kind", b)
	}
	for kind, raw := range kinds {
		return v.read(kind, raw)
	}
	return nil
}

func (v *value) read(kind string, raw json.RawMessage) error {
	var s string
	_ = json.Unmarshal(raw, &s) // "" for what is no text
	switch kind {
	case "number":
		f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
		*v = value{Value: expr.Num(f), typ: expr.NumberType}
		return err
	case "text":
		*v = value{Value: expr.Str(s), typ: expr.TextType}
	case "choice":
		*v = value{Value: expr.Str(s), typ: expr.ChoiceType}
	case "choices":
		*v = value{Value: expr.Str(s), typ: expr.ChoicesType}
	case "bool":
		*v = value{Value: expr.Boolean(string(raw) == "true"), typ: expr.BoolType}
	case "blank":
		*v = value{Value: expr.BlankValue()}
	case "not_asked":
		*v = value{Value: expr.NotAskedValue()}
	case "date":
		t, err := time.Parse("2006-01-02", s)
		*v = value{Value: expr.DateValue(days(t)), typ: expr.DateType}
		return err
	case "time":
		t, err := time.Parse("15:04:05", s)
		*v = value{Value: expr.TimeValue(float64(t.Hour()*3600+t.Minute()*60+t.Second()) / 86400), typ: expr.TimeType}
		return err
	case "datetime":
		t, err := time.Parse(time.RFC3339Nano, s)
		*v = value{Value: expr.DateTimeValue(days(t)), typ: expr.DateTimeType}
		return err
	case "nodes":
		var members []value
		if err := json.Unmarshal(raw, &members); err != nil {
			return err
		}
		*v = value{Value: expr.NodeSet(nil), many: true}
		nodes := make([]expr.Value, len(members))
		for i, m := range members {
			nodes[i] = m.Value
			if i == 0 {
				v.typ = m.typ
			}
		}
		v.Value = expr.NodeSet(nodes)
	default:
		return fmt.Errorf("there is no kind %q", kind)
	}
	return nil
}

func days(t time.Time) float64 { return float64(t.UnixMilli()) / 86400e3 }

// agree reports whether two values are the same, numbers within 1e-12.
func agree(got, want expr.Value) bool {
	if got.Kind() != want.Kind() {
		return false
	}
	switch got.Kind() {
	case expr.Number:
		a, b := got.Number(), want.Number()
		return a == b || (a != a && b != b) || math.Abs(a-b) <= 1e-12*math.Max(1, math.Abs(b))
	case expr.DateTime:
		return math.Abs(got.Number()-want.Number())*86400e3 < 1
	}
	return got.Text() == want.Text()
}

// world is the scope and the environment of a test: names in alphabetical order.
type world struct {
	names    []string
	types    map[string]expr.Type
	many     map[string]bool
	selfType expr.Type
	hasSelf  bool

	values   []expr.Value
	self     expr.Value
	now      time.Time
	position int
}

func worldOf(values map[string]value) *world {
	w := &world{types: map[string]expr.Type{}, many: map[string]bool{}, self: expr.BlankValue(), now: time.Now()}
	for name, v := range values {
		w.names = append(w.names, name)
		w.types[name], w.many[name] = v.typ, v.many
	}
	slices.Sort(w.names)
	for _, name := range w.names {
		w.values = append(w.values, values[name].Value)
	}
	return w
}

func (w *world) Resolve(name string) (expr.Resolved, bool) {
	slot, ok := slices.BinarySearch(w.names, name)
	return expr.Resolved{Slot: slot, Type: w.types[name], Repeat: w.many[name]}, ok
}

func (w *world) Names() []string         { return w.names }
func (w *world) Self() (expr.Type, bool) { return w.selfType, w.hasSelf }

// Function has one function of the host: twice(x).
func (w *world) Function(name string) (expr.Function, bool) {
	return expr.Function{Name: "twice", MinArgs: 1, MaxArgs: 1, Result: expr.NumberType, Eval: func(_ expr.Env, a []expr.Value) expr.Value {
		return expr.Num(2 * a[0].Number())
	}}, name == "twice"
}

// env is the environment that a world makes.
type env struct{ *world }

func (e env) Ref(slot int) expr.Value { return e.values[slot] }
func (e env) Self() expr.Value        { return e.self }
func (e env) Now() time.Time          { return e.now }
func (e env) Position() int           { return e.position }

// fataler is a test of either sort.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// compile compiles what has no errors.
func compile(t fataler, source string, s expr.Scope) *expr.Program {
	t.Helper()
	e, err := expr.Parse(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	p, problems := e.Compile(s)
	if p == nil {
		t.Fatalf("%s: %v", source, problems)
	}
	return p
}
