package expr

import (
	"slices"
	"time"
)

// Type is what is known of a value before there is one.
type Type uint8

const (
	// Any: nothing is known.
	Any Type = iota
	// NumberType: integers and decimals.
	NumberType
	// TextType: text that is not the name of a choice.
	TextType
	// BoolType: true or false.
	BoolType
	// DateType: a day.
	DateType
	// TimeType: a time of day.
	TimeType
	// DateTimeType: a moment.
	DateTimeType
	// ChoiceType: the name of a choice, which may look like a number.
	ChoiceType
	// ChoicesType: names of choices, separated by spaces.
	ChoicesType
	// GeoType: points, "latitude longitude altitude accuracy", separated by semicolons.
	GeoType
	// MediaType: the name of a file.
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
	// Self is the type of "."; ok is false if there is no value of its own.
	Self() (t Type, ok bool)
	// Function finds a function the host adds.
	Function(name string) (Function, bool)
}

// ColumnScope is a Scope in which a bare name is a column of the choice in
// question, as in the choice filters of XLSForm.
type ColumnScope interface {
	Scope
	// Columns says so by being there.
	Columns()
}

// ColumnEnv is an Env that knows the columns of a choice.
type ColumnEnv interface {
	Env
	// Column gives a column's value, "" where there is none.
	Column(name string) string
}

func column(env Env, args []Value) Value {
	if e, ok := env.(ColumnEnv); ok {
		return Str(e.Column(args[0].str))
	}
	return BlankValue()
}

// Function is a function the host adds to the language; it cannot replace one
// that the language has. MaxArgs below 0 sets no limit.
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
func (p *Program) Slots() []int { return slices.Clone(p.slots) }

// code is a compiled node.
type code struct {
	op    op
	slot  int
	value Value  // of a literal
	name  string // of a function
	fn    func(env Env, args []Value) Value
	kids  []*code
	args  []Value // of a call whose arguments are all literals
	typ   Type
	many  bool // a node-set
}

// blank is the code of what always evaluates to blank.
func blank(t Type) *code { return &code{op: opText, value: BlankValue(), typ: t} }

// Compile resolves names and checks types. It finds all problems, not only the
// first; with a problem of severity Error the program is nil.
func (e *Expr) Compile(s Scope) (*Program, []Problem) {
	c := &compiler{scope: s, slots: map[int]bool{}}
	root := c.node(e.root)
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Pos - b.Pos })
	if slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Severity == Error }) {
		return nil, c.problems
	}
	p := &Program{root: root}
	for slot := range c.slots {
		p.slots = append(p.slots, slot)
	}
	slices.Sort(p.slots)
	return p, c.problems
}

type compiler struct {
	scope    Scope
	slots    map[int]bool
	problems []Problem
	// foreign counts the paths around: within them, "." and bare names mean
	// other nodes, and what is not supported has been said.
	foreign int
}

// report notes a problem with a node. arg names what it is about.
func (c *compiler) report(sev Severity, n *node, code, arg, instead string) *Problem {
	c.problems = append(c.problems, Problem{
		Pos: n.pos, Len: n.end - n.pos, Code: code, Severity: sev, Arg: arg, Instead: instead,
	})
	return &c.problems[len(c.problems)-1]
}

func (c *compiler) node(n *node) *code {
	switch n.op {
	case opNumber:
		return &code{op: opNumber, value: Num(n.num), typ: NumberType}
	case opText:
		c.checkQuoted(n)
		return &code{op: opText, value: Str(n.text), typ: TextType}
	case opSelf:
		return c.self(n)
	case opRef:
		return c.reference(n)
	case opCall:
		return c.call(n)
	case opPath:
		return c.path(n)
	case opUnion:
		return c.union(n)
	}
	out := &code{op: n.op, kids: c.nodes(n.kids)}
	c.checkOperator(n, out)
	return out
}

func (c *compiler) nodes(kids []*node) []*code {
	out := make([]*code, len(kids))
	for i, k := range kids {
		out[i] = c.node(k)
	}
	return out
}

// union makes one operation of a chain of unions. A reference named twice counts
// once: a union is a set.
func (c *compiler) union(n *node) *code {
	if c.foreign == 0 {
		c.report(Warning, n, "union", n.short(), "")
	}
	operands := n.operands(nil)
	all := c.nodes(operands)
	out := &code{op: opUnion, typ: unify(operands, all), many: true}
	seen := map[int]bool{}
	for _, k := range all {
		if k.op == opRef {
			if seen[k.slot] {
				continue
			}
			seen[k.slot] = true
		}
		out.kids = append(out.kids, k)
	}
	return out
}

// operands adds what a chain of unions unites to a list.
func (n *node) operands(to []*node) []*node {
	if n.op != opUnion {
		return append(to, n)
	}
	return n.kids[1].operands(n.kids[0].operands(to))
}

func (c *compiler) self(n *node) *code {
	t, ok := c.scope.Self()
	if c.foreign > 0 {
		t = Any
	} else if !ok {
		c.report(Error, n, "no_self", "", "")
	}
	return &code{op: opSelf, typ: t}
}

func (c *compiler) reference(n *node) *code {
	if n.last {
		c.unsupported(n)
		return blank(Any)
	}
	r, ok := c.scope.Resolve(n.text)
	if !ok {
		c.report(Error, n, "unknown_name", n.text, "").Suggestion = c.closest(n.text, c.scope.Names)
		return blank(Any)
	}
	c.slots[r.Slot] = true
	return &code{op: opRef, slot: r.Slot, typ: r.Type, many: r.Repeat}
}

// path keeps a location path as it stands; it evaluates to blank. What it
// refers to is still resolved, so that misspelt names are found.
func (c *compiler) path(n *node) *code {
	if isName(n.text) && len(n.kids) == 0 && c.foreign == 0 {
		if _, columns := c.scope.(ColumnScope); columns {
			return &code{op: opCall, name: "column", fn: column, kids: []*code{{op: opText, value: Str(n.text), typ: TextType}}, args: []Value{Str(n.text)}}
		}
		c.bareName(n)
		return blank(Any)
	}
	c.unsupported(n)
	c.foreign++
	c.nodes(n.kids)
	c.foreign--
	return blank(Any)
}

// bareName reports a name without ${}: a child of the item itself, which has
// none, so that something else was meant.
func (c *compiler) bareName(n *node) {
	severity := Error
	if n.text == "null" { // what authors write for blank, and so it evaluates
		severity = Warning
	}
	p := c.report(severity, n, "bare_name", n.text, "")
	if severity == Warning {
		p.Suggestion = "''"
		return
	}
	if _, ok := c.scope.Resolve(n.text); ok {
		p.Suggestion = "${" + n.text + "}"
	} else if fn, ok := builtins[n.text]; ok && fn.min == 0 {
		p.Suggestion = n.text + "()"
	} else if name := c.closest(n.text, c.scope.Names); name != "" {
		p.Suggestion = "${" + name + "}"
	}
}

// closest is Closest, but gives up after so many problems that nobody reads on.
func (c *compiler) closest(name string, candidates func() []string) string {
	const most = 100
	if len(c.problems) > most {
		return ""
	}
	return Closest(name, candidates())
}

func (c *compiler) unsupported(n *node) {
	if c.foreign == 0 {
		c.report(Warning, n, "unsupported", n.short(), "")
	}
}

func (c *compiler) call(n *node) *code {
	fn, ok := c.function(n.text)
	if !ok {
		c.nodes(n.kids)
		c.report(Error, n, "unknown_function", n.text, "").Suggestion = c.closest(n.text, builtinNames)
		return blank(Any)
	}
	if !fn.takes(len(n.kids)) {
		c.nodes(n.kids)
		c.report(Error, n, "argument_count", n.text, fn.count())
		return blank(fn.typ)
	}
	if n.text == "position" && len(n.kids) == 1 && n.kids[0].isParent() {
		return &code{op: opCall, name: n.text, fn: fn.eval, typ: fn.typ}
	}
	if !fn.supported() || n.text == "position" && len(n.kids) > 0 {
		c.unsupported(n)
		c.foreign++
		c.nodes(n.kids)
		c.foreign--
		return blank(fn.typ)
	}
	out := &code{op: opCall, name: n.text, fn: fn.eval, typ: fn.typ, kids: c.nodes(n.kids)}
	if fn.special != 0 {
		out.op = fn.special
	}
	if n.text == "indexed-repeat" && (len(n.kids) > 3 || !out.kids[0].many) {
		c.unsupported(n) // nested repeats, and other instances seen from within one
		return blank(Any)
	}
	c.checkCall(n, out, fn)
	out.foldArguments(n)
	return out
}

// function finds a function of the language or of the host.
func (c *compiler) function(name string) (builtin, bool) {
	if fn, ok := builtins[name]; ok {
		return fn, true
	}
	host, ok := c.scope.Function(name)
	return builtin{min: host.MinArgs, max: host.MaxArgs, typ: host.Result, eval: host.Eval}, ok
}

// foldArguments keeps arguments that are all literals, so that calls with them
// need not make a list each time.
func (c *code) foldArguments(n *node) {
	for _, k := range n.kids {
		if k.op != opText && k.op != opNumber {
			return
		}
	}
	for _, k := range c.kids {
		c.args = append(c.args, k.value)
	}
}

// isParent reports whether a node is the path "..", the repeat around.
func (n *node) isParent() bool { return n.op == opPath && n.text == ".." && len(n.kids) == 0 }
