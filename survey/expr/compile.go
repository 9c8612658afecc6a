package expr

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

// Type is what is known of a value before there is one.
type Type uint8

const (
	Any Type = iota
	NumberType
	TextType
	BoolType
	DateType
	TimeType
	DateTimeType
	ChoiceType  // the name of a choice, which may look like a number
	ChoicesType // names of choices, separated by spaces
	GeoType
	MediaType
)

// Resolved is what a reference stands for. Repeat says that from here it stands
// for many values.
type Resolved struct {
	Slot   int
	Type   Type
	Repeat bool
}

// Scope answers what names mean where an expression stands.
type Scope interface {
	Resolve(name string) (Resolved, bool)
	// Names lists all names, for suggestions.
	Names() []string
	// Self is the type of "."; with HasSelf false there is none.
	Self() (t Type, ok bool)
	// Function finds a function the host adds.
	Function(name string) (Function, bool)
}

// Function is a function the host adds to the language.
type Function struct {
	Name             string
	MinArgs, MaxArgs int
	Result           Type
	// Eval must not keep args.
	Eval func(env Env, args []Value) Value
}

// Env answers what an expression asks while it is evaluated.
type Env interface {
	// Ref gives the value in a slot, a node-set for a reference into a repeat.
	Ref(slot int) Value
	// Self gives the value of ".".
	Self() Value
	// Now gives the host's clock, in the zone in which dates are meant.
	Now() time.Time
	// Position is the 1-based index of the current repeat instance, 0 outside.
	Position() int
}

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	root  *code
	slots []int
}

// Slots gives the slots that the program reads, each once, ascending.
func (p *Program) Slots() []int { return p.slots }

// code is a compiled node.
type code struct {
	op    op
	slot  int
	value Value // of a literal
	fn    func(env Env, args []Value) Value
	kids  []*code
	args  []Value // of a call whose arguments are all literals
	typ   Type
	many  bool // a node-set
	what  string
}

// Compile resolves names and checks types. It finds all problems, not only the
// first; with a problem of severity Error the program is nil.
func (e *Expr) Compile(s Scope) (*Program, []Problem) {
	c := &compiler{scope: s, slots: map[int]bool{}}
	root := c.node(e.root)
	for _, p := range c.problems {
		if p.Severity == Error {
			return nil, c.sorted()
		}
	}
	p := &Program{root: root}
	for slot := range c.slots {
		p.slots = append(p.slots, slot)
	}
	slices.Sort(p.slots)
	return p, c.sorted()
}

type compiler struct {
	scope    Scope
	slots    map[int]bool
	problems []Problem
}

func (c *compiler) sorted() []Problem {
	sort.SliceStable(c.problems, func(i, j int) bool { return c.problems[i].Pos < c.problems[j].Pos })
	return c.problems
}

func (c *compiler) report(sev Severity, pos int, code, arg, instead string) *Problem {
	c.problems = append(c.problems, Problem{Pos: pos, Code: code, Severity: sev, Arg: arg, Instead: instead})
	return &c.problems[len(c.problems)-1]
}

func (c *compiler) node(n *node) *code {
	switch n.op {
	case opNumber:
		return &code{op: opNumber, value: Num(n.num), typ: NumberType, what: n.text}
	case opText:
		return &code{op: opText, value: Str(n.text), typ: TextType, what: quote(n.text)}
	case opSelf:
		t, ok := c.scope.Self()
		if !ok {
			c.report(Error, n.pos, "no_self", "", "")
		}
		return &code{op: opSelf, typ: t, what: "."}
	case opRef:
		return c.reference(n)
	case opCall:
		return c.call(n)
	case opPath:
		return c.unsupported(n)
	}
	out := &code{op: n.op, what: "( )"}
	for _, k := range n.kids {
		out.kids = append(out.kids, c.node(k))
	}
	c.checkOperator(n, out)
	return out
}

func (c *compiler) reference(n *node) *code {
	what := "${" + n.text + "}"
	if n.last {
		c.report(Warning, n.pos, "unsupported", "${last-saved#"+n.text+"}", "")
		return &code{op: opText, value: BlankValue(), what: what}
	}
	r, ok := c.scope.Resolve(n.text)
	if !ok {
		p := c.report(Error, n.pos, "unknown_name", n.text, "")
		p.Suggestion = Closest(n.text, c.scope.Names())
		return &code{op: opText, what: what}
	}
	c.slots[r.Slot] = true
	return &code{op: opRef, slot: r.Slot, typ: r.Type, many: r.Repeat, what: what}
}

// unsupported keeps a path as it stands; it evaluates to blank. What it refers
// to is still resolved, so that misspelt names are found.
func (c *compiler) unsupported(n *node) *code {
	for _, k := range n.kids {
		if k.op != opPath {
			c.node(k)
		} else {
			c.unsupported(k)
		}
	}
	if !slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Pos == n.pos && p.Code == "unsupported" }) {
		var b strings.Builder
		n.print(&b, 1, func(name string) string { return "${" + name + "}" })
		c.report(Warning, n.pos, "unsupported", b.String(), "")
	}
	return &code{op: opText, value: BlankValue()}
}

// checkOperator gives an operation its type and finds operands that do not fit.
func (c *compiler) checkOperator(n *node, out *code) {
	switch n.op {
	case opOr, opAnd, opEq, opNe:
		out.typ = BoolType
		if n.op == opEq || n.op == opNe {
			c.checkEquality(n, out)
		}
	case opLt, opLe, opGt, opGe:
		out.typ = BoolType
		for i, k := range out.kids {
			c.checkOrdered(n.kids[i], k)
		}
	case opUnion:
		out.many = true
		out.typ = out.kids[0].typ
	default:
		out.typ = NumberType
		for i, k := range out.kids {
			if t := k.typ; t == DateType || t == DateTimeType || t == TimeType {
				out.typ = Any // a date plus days is used as a date
			}
			c.checkNumber(n.kids[i], k)
		}
	}
}

func (c *compiler) checkEquality(n *node, out *code) {
	for i, k := range out.kids {
		other := out.kids[1-i]
		if k.typ == ChoicesType && other.op == opText && other.value.str != "" {
			c.report(Warning, n.kids[i].pos, "choices_equal", k.what, "")
		}
	}
}

func (c *compiler) checkOrdered(n *node, k *code) {
	switch k.typ {
	case TextType, GeoType, MediaType:
		if k.op == opText {
			if v := k.value; v.Number() == v.Number() {
				return // a number in quotes
			}
			if _, ok := k.value.moment(); ok {
				return
			}
			if _, ok := k.value.timeOfDay(); ok {
				return
			}
		}
		if k.op == opCall {
			return // functions give texts that may well be dates or numbers
		}
		c.report(Error, n.pos, "compare_text", k.what, "")
	case ChoicesType:
		c.report(Error, n.pos, "choices_compare", k.what, "")
	}
}

func (c *compiler) checkNumber(n *node, k *code) {
	switch k.typ {
	case TextType, ChoicesType, GeoType, MediaType, BoolType:
		if k.op == opText && k.value.Number() == k.value.Number() {
			return
		}
		if k.op == opCall || (k.typ == BoolType && k.op != opRef) {
			return // true counts as 1, and texts from functions may be numbers
		}
		c.report(Error, n.pos, "arithmetic_text", k.what, "")
	}
	if k.many {
		c.report(Warning, n.pos, "many_values", k.what, "")
	}
}

func (c *compiler) call(n *node) *code {
	out := &code{op: opCall, what: n.text + "( )"}
	for _, k := range n.kids {
		out.kids = append(out.kids, c.node(k))
	}
	fn, ok := builtins[n.text]
	if !ok {
		var host Function
		if host, ok = c.scope.Function(n.text); ok {
			fn = builtin{min: host.MinArgs, max: host.MaxArgs, typ: host.Result, eval: host.Eval}
		}
	}
	if !ok {
		p := c.report(Error, n.pos, "unknown_function", n.text, "")
		names := make([]string, 0, len(builtins))
		for name := range builtins {
			names = append(names, name)
		}
		sort.Strings(names)
		p.Suggestion = Closest(n.text, names)
		return out
	}
	if len(n.kids) < fn.min || (fn.max >= 0 && len(n.kids) > fn.max) {
		c.report(Error, n.pos, "argument_count", n.text, countWords(fn))
		return out
	}
	out.typ, out.fn, out.op = fn.typ, fn.eval, opCall
	if fn.special != 0 {
		out.op = fn.special
	}
	if fn.eval == nil && fn.special == 0 {
		c.report(Warning, n.pos, "unsupported", n.text+"()", "")
		return &code{op: opText, value: BlankValue()}
	}
	if fn.random {
		c.report(Warning, n.pos, "not_constant", n.text+"()", "")
	}
	c.checkArguments(n, out, fn)
	return out
}

func countWords(fn builtin) string {
	switch {
	case fn.max < 0:
		return fmt.Sprintf("≥ %d", fn.min)
	case fn.min == fn.max:
		return fmt.Sprint(fn.min)
	}
	return fmt.Sprintf("%d–%d", fn.min, fn.max)
}

func (c *compiler) checkArguments(n *node, out *code, fn builtin) {
	literal := len(out.kids) > 0
	for i, k := range out.kids {
		if fn.numbers {
			c.checkNumber(n.kids[i], k)
		}
		literal = literal && (k.op == opText || k.op == opNumber)
	}
	if n.text == "if" && out.kids[1].typ == out.kids[2].typ {
		out.typ = out.kids[1].typ
	}
	if n.text == "coalesce" && out.kids[0].typ == out.kids[1].typ {
		out.typ = out.kids[0].typ
	}
	if n.text == "once" {
		out.typ = out.kids[0].typ
	}
	if n.text == "regex" && out.kids[1].op == opText {
		re, err := compileRegex(out.kids[1].value.str)
		if err != nil {
			c.report(Error, n.kids[1].pos, "bad_regex", err.Error(), "")
			return
		}
		out.fn = func(_ Env, args []Value) Value { return Boolean(re.MatchString(args[0].Text())) }
	}
	if literal {
		for _, k := range out.kids {
			out.args = append(out.args, k.value)
		}
	}
}

// compileRegex compiles a pattern that must match the whole text, as Java's
// matches() does.
func compileRegex(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > 1000 {
		return nil, fmt.Errorf("longer than 1000 characters")
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}
