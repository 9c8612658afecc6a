package expr

import (
	"math"
	"strings"
)

// Functions that decide which of their arguments to evaluate, and those on the
// paths that every response takes, are operations of their own.
const (
	opIf op = iota + 100
	opCoalesce
	opNot
	opSelected
	opCountSelected
	opOnce
)

// Eval evaluates the program. It always gives a value and never panics: what
// has no value is blank. It allocates nothing for references, arithmetic,
// comparisons, and, or, not, if, coalesce, selected and count-selected.
func (p *Program) Eval(env Env) Value { return p.root.eval(env) }

func (c *code) eval(env Env) Value {
	switch c.op {
	case opNumber, opText:
		return c.value
	case opRef:
		return env.Ref(c.slot)
	case opSelf:
		return env.Self()
	case opOr:
		return Boolean(c.kids[0].eval(env).Truth() || c.kids[1].eval(env).Truth())
	case opAnd:
		return Boolean(c.kids[0].eval(env).Truth() && c.kids[1].eval(env).Truth())
	case opEq, opNe, opLt, opLe, opGt, opGe:
		a, b := c.kids[0].eval(env), c.kids[1].eval(env)
		return Boolean(compare(env, c.op, &a, &b))
	case opAdd, opSub, opMul, opDiv, opMod:
		a, b := c.kids[0].eval(env), c.kids[1].eval(env)
		return Num(calculate(c.op, number(env, &a), number(env, &b)))
	case opNeg:
		v := c.kids[0].eval(env)
		return Num(-number(env, &v))
	case opUnion:
		var members []Value
		for _, k := range c.kids {
			members = append(members, k.eval(env).Nodes()...)
		}
		return NodeSet(members)
	case opIf:
		if c.kids[0].eval(env).Truth() {
			return c.kids[1].eval(env)
		}
		return c.kids[2].eval(env)
	case opCoalesce:
		if v := c.kids[0].eval(env); !v.missing() {
			return v
		}
		return c.kids[1].eval(env)
	case opNot:
		return Boolean(!c.kids[0].eval(env).Truth())
	case opSelected:
		a, b := c.kids[0].eval(env), c.kids[1].eval(env)
		return Boolean(selected(text(env, &a), text(env, &b)))
	case opCountSelected:
		v := c.kids[0].eval(env)
		return Num(float64(countWords(text(env, &v))))
	case opOnce:
		if v := env.Self(); !v.IsEmpty() {
			return v
		}
		return c.kids[0].eval(env)
	case opCall:
		return c.call(env)
	}
	return BlankValue()
}

func (c *code) call(env Env) Value {
	if c.args != nil || len(c.kids) == 0 {
		return c.fn(env, c.args)
	}
	args := make([]Value, len(c.kids))
	for i, k := range c.kids {
		args[i] = k.eval(env)
	}
	return c.fn(env, args)
}

// number gives a value as a number where it is reckoned with: as Number does,
// but for moments the days that the host's clock shows.
func number(env Env, v *Value) float64 {
	switch v.kind {
	case DateTime:
		return wall(env, v.num)
	case Nodes:
		first := v.first()
		return number(env, &first)
	}
	return v.Number()
}

// text gives a value as a text: as Text does, but moments in the host's zone.
func text(env Env, v *Value) string {
	switch v.kind {
	case String:
		return v.str
	case DateTime, Nodes:
		return v.textIn(env.Now().Location())
	}
	return v.Text()
}

// missing reports whether coalesce() passes over the value: when it is empty or
// not a number.
func (v Value) missing() bool {
	first := v.first()
	return first.IsEmpty() || (first.kind == Number && first.num != first.num)
}

// calculate does arithmetic as XPath does: in doubles, mod with the sign of the
// dividend.
func calculate(o op, a, b float64) float64 {
	switch o {
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return a / b
	}
	return math.Mod(a, b)
}

// compare compares two values. A node-set compares if any member does; one
// without members is empty.
func compare(env Env, o op, a, b *Value) bool {
	if a.kind == Nodes && len(a.nodes) > 0 {
		for i := range a.nodes {
			if compare(env, o, &a.nodes[i], b) {
				return true
			}
		}
		return false
	}
	if b.kind == Nodes && len(b.nodes) > 0 {
		for i := range b.nodes {
			if compare(env, o, a, &b.nodes[i]) {
				return true
			}
		}
		return false
	}
	switch o {
	case opEq:
		return equal(env, a, b)
	case opNe:
		return !equal(env, a, b)
	}
	return ordered(env, o, a, b)
}

// equal is XPath's =: as truth values if one of the two is one, else as numbers
// if one is, else as texts; dates and times as what they stand for.
func equal(env Env, a, b *Value) bool {
	switch {
	case a.kind == Bool || b.kind == Bool:
		return a.Truth() == b.Truth()
	case a.kind == Number || b.kind == Number:
		return same(number(env, a), number(env, b))
	case a.kind == DateTime && b.kind == DateTime:
		return same(a.num, b.num)
	case a.kind == Time || b.kind == Time:
		x, okX := timeOfDay(env, a)
		y, okY := timeOfDay(env, b)
		return okX && okY && same(x, y)
	case a.kind == DateTime && b.kind == String || a.kind == String && b.kind == DateTime:
		x, okX := moment(env, a)
		y, okY := moment(env, b)
		return okX && okY && same(x, y)
	case temporal(a) && temporal(b): // a date beside a moment: the moment's day
		return math.Floor(number(env, a)) == math.Floor(number(env, b))
	}
	return text(env, a) == text(env, b)
}

func same(a, b float64) bool { return a == b || math.Abs(a-b) < tolerance }

// ordered compares by size, always as numbers. Beside a date, a moment counts
// as its day, so that one of today is not after today().
func ordered(env Env, o op, a, b *Value) bool {
	x, y := number(env, a), number(env, b)
	switch {
	case a.kind == DateTime && b.kind == DateTime:
		x, y = a.num, b.num
	case a.kind == Date && b.kind == DateTime, a.kind == DateTime && b.kind == Date:
		x, y = math.Floor(x), math.Floor(y)
	}
	switch o {
	case opLt:
		return x < y
	case opLe:
		return x <= y
	case opGt:
		return x > y
	}
	return x >= y
}

func temporal(v *Value) bool { return v.kind == Date || v.kind == DateTime }

// selected reports whether a space-separated list has a member.
func selected(list, member string) bool {
	member = strings.TrimSpace(member)
	if member == "" {
		return list == ""
	}
	for at := 0; ; {
		i := strings.Index(list[at:], member)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(member)
		if (start == 0 || list[start-1] == ' ') && (end == len(list) || list[end] == ' ') {
			return true
		}
		at = start + 1
	}
}

// nextWord cuts the first word off a space-separated list.
func nextWord(list string) (word, rest string) {
	list = strings.TrimLeft(list, " ")
	word, rest, _ = strings.Cut(list, " ")
	return word, rest
}

func countWords(list string) int {
	n := 0
	for {
		var word string
		if word, list = nextWord(list); word == "" {
			return n
		}
		n++
	}
}
