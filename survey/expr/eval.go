package expr

import "math"

// Functions that decide which of their arguments to evaluate, and those on the
// paths that every response takes, are operations of their own.
const (
	opIf op = iota + 100
	opCoalesce
	opNot
	opSelected
	opOnce
)

// Eval evaluates the program. It always gives a value and never panics: what
// has no value is blank. It allocates nothing for references, arithmetic,
// comparisons, and, or, not, if, coalesce and selected.
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
		return Boolean(compare(c.op, &a, &b))
	case opAdd, opSub, opMul, opDiv, opMod:
		return Num(calculate(c.op, c.kids[0].eval(env).Number(), c.kids[1].eval(env).Number()))
	case opNeg:
		return Num(-c.kids[0].eval(env).Number())
	case opUnion:
		a, b := c.kids[0].eval(env), c.kids[1].eval(env)
		return NodeSet(append(append([]Value(nil), a.Nodes()...), b.Nodes()...))
	case opIf:
		if c.kids[0].eval(env).Truth() {
			return c.kids[1].eval(env)
		}
		return c.kids[2].eval(env)
	case opCoalesce:
		if v := c.kids[0].eval(env); !v.IsEmpty() {
			return v
		}
		return c.kids[1].eval(env)
	case opNot:
		return Boolean(!c.kids[0].eval(env).Truth())
	case opSelected:
		a, b := c.kids[0].eval(env), c.kids[1].eval(env)
		return Boolean(selected(&a, &b))
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

// compare compares as XPath 1.0 does. A node-set compares if any member does.
func compare(o op, a, b *Value) bool {
	if a.kind == Nodes {
		for i := range a.nodes {
			if compare(o, &a.nodes[i], b) {
				return true
			}
		}
		return false
	}
	if b.kind == Nodes {
		for i := range b.nodes {
			if compare(o, a, &b.nodes[i]) {
				return true
			}
		}
		return false
	}
	if o != opEq && o != opNe {
		return ordered(o, a, b)
	}
	equal := false
	switch {
	case a.kind == Bool || b.kind == Bool:
		equal = a.Truth() == b.Truth()
	case temporal(a) && temporal(b):
		equal = a.num == b.num
	case temporal(a) || temporal(b):
		x, y := comparable(a, b)
		if x != x || y != y {
			equal = a.Text() == b.Text()
		} else {
			equal = x == y
		}
	case a.kind == Number || b.kind == Number:
		equal = a.Number() == b.Number()
	default:
		equal = a.str == b.str // texts and what is empty
	}
	return equal == (o == opEq)
}

func ordered(o op, a, b *Value) bool {
	x, y := comparable(a, b)
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

func temporal(v *Value) bool { return v.kind == Date || v.kind == DateTime || v.kind == Time }

// comparable gives two values as numbers of the same sort: when one of them is
// a date, a moment or a time, a text on the other side is read as one too.
func comparable(a, b *Value) (float64, float64) {
	return numberBeside(a, b), numberBeside(b, a)
}

func numberBeside(v, other *Value) float64 {
	if v.kind != String {
		return v.Number()
	}
	if other.kind == Time {
		if f, ok := v.timeOfDay(); ok {
			return f
		}
		return math.NaN()
	}
	if f := v.Number(); f == f {
		return f
	}
	if f, ok := v.moment(); ok { // two texts that are dates compare as dates
		return f
	}
	if f, ok := v.timeOfDay(); ok {
		return f
	}
	return math.NaN()
}

// selected reports whether a space-separated list has a member.
func selected(list, member *Value) bool {
	want := member.Text()
	if want == "" {
		return false
	}
	s := list.Text()
	for len(s) > 0 {
		end := 0
		for end < len(s) && s[end] != ' ' {
			end++
		}
		if s[:end] == want {
			return true
		}
		for end < len(s) && s[end] == ' ' {
			end++
		}
		s = s[end:]
	}
	return false
}
