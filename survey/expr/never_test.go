package expr_test

import (
	"math"
	"testing"

	"github.com/khaosat/khaosat/survey/expr"
)

// knownScope has a yes/no choice, a choice of several, two numbers and a text.
type knownScope struct{}

var knownNames = []string{"yn", "many", "n", "d", "t"}

func (knownScope) Resolve(name string) (expr.Resolved, bool) {
	types := []expr.Type{expr.ChoiceType, expr.ChoicesType, expr.NumberType, expr.NumberType, expr.TextType}
	for i, n := range knownNames {
		if n == name {
			return expr.Resolved{Slot: i, Type: types[i]}, true
		}
	}
	return expr.Resolved{}, false
}
func (knownScope) Names() []string         { return knownNames }
func (knownScope) Self() (expr.Type, bool) { return expr.Any, false }
func (knownScope) Function(name string) (expr.Function, bool) {
	return expr.Function{Name: name, MinArgs: 1, MaxArgs: 1, Result: expr.NumberType,
		Eval: func(expr.Env, []expr.Value) expr.Value { return expr.BlankValue() }}, name == "points"
}

func TestNeverSaysWhatCannotBeTrue(t *testing.T) {
	domain := func(slot int) expr.Domain {
		all := expr.Domain{Number: true, Low: math.Inf(-1), High: math.Inf(1)}
		switch knownNames[slot] {
		case "yn":
			return expr.Domain{Choices: []string{"yes", "no", "3"}}
		case "many":
			return expr.Domain{Choices: []string{"a", "b", "c"}, Many: true}
		case "n":
			all.Whole = true
			return all
		case "d":
			return all
		}
		return expr.Domain{}
	}
	call := func(name, argument string) (expr.Domain, bool) {
		return expr.Domain{Number: true, Low: 0, High: 4}, name == "points" && argument == "B2"
	}
	for source, never := range map[string]bool{
		"false()": true, "true()": false, "1 = 2": true, "1 = 1": false, "'a' = 'b'": true,
		"${yn} = 'yes'": false, "${yn} = 'maybe'": true, "${yn} = ''": false, "${yn} != 'yes'": false, "${yn} = 3": false, "${yn} > 3": true,
		"${yn} = 'yes' and ${yn} = 'no'": true, "${yn} = 'yes' or ${yn} = 'no'": false,
		"not(${yn} = 'yes') and ${yn} != 'no' and ${yn} != '3'": false, // blank
		"${yn} = 'yes' and (${yn} = 'no' or ${n} > 3)":          false,
		"${yn} = 'yes' and (${yn} = 'no' or 1 > 3)":             true,
		"selected(${yn}, 'yes')":                                false, "selected(${yn}, 'ye')": true,
		"selected(${many}, 'a') and selected(${many}, 'b')":      false,
		"selected(${many}, 'a') and not(selected(${many}, 'a'))": true,
		"selected(${many}, 'd')":                                 true, "${many} = '' and selected(${many}, 'a')": true,
		"${many} = 'b a'": false, // in which order is not known
		"${n} > 3":        false, "${n} > 3 and ${n} < 4": true, "${d} > 3 and ${d} < 4": false, "${d} > 4 and ${d} < 3": true,
		"${n} > 10 and ${n} < 3": true, "${n} = '' and ${n} > 3": true, "${n} = 3.5": true, "${d} = 3.5": false,
		"coalesce(${n}, 0) < 1 and ${n} != 0": false, "coalesce(${n}, 0) > 3 and ${n} = ''": true,
		"${n} + 1 > 3 and ${n} + 1 < 2":               false, // more than is reasoned about
		"${t} = 'x' and ${t} = 'y'":                   false, // likewise
		"${n} > 3 and ${t} = 'x' and ${n} < 2":        true,
		"${n} < -3 and ${n} > -5":                     false,
		"points('B2') < 0":                            true,
		"points('B2') > 4":                            true,
		"points('B2') >= 4":                           false,
		"points('B2') < 2 and points('B2') > 1":       false,
		"points('C9') < 0":                            false, // of which nothing is known
		"points('B2') < 2 and ${yn} = 'perhaps'":      true,
		"points('B2') < 2 or ${yn} = 'perhaps'":       false,
		"count-selected(${many}) > 9":                 false,
		"regex(${t}, 'x') and ${yn} = 'no'":           false,
		"if(${yn} = 'x', 1, 0) = 1 and ${yn} = 'yes'": false,
	} {
		parsed, err := expr.Parse(source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		p, problems := parsed.Compile(knownScope{})
		if p == nil {
			t.Fatalf("%s: %v", source, problems)
		}
		if got := expr.Never([]*expr.Program{p}, domain, call); got != never {
			t.Errorf("Never(%s) = %v", source, got)
		}
	}
}
