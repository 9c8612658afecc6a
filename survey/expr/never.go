package expr

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Domain is what is known of a value before there is one. Any value may also be
// blank. The zero Domain says nothing.
type Domain struct {
	// Choices are the only texts that the value can be; nil: unknown.
	Choices []string
	// Many: the value is any number of the choices, separated by spaces.
	Many bool
	// Number: the value is a number from Low to High; whole if Whole says so.
	Number, Whole bool
	Low, High     float64
}

// Never reports whether no values whatever make all conditions true. domain
// tells what is known of a slot, call of a function of the host that is called
// with one text (or none). It only says yes where that is certain: conditions
// that do more than compare values with constants are left out of account, as
// are values of which nothing is known.
func Never(conditions []*Program, domain func(slot int) Domain, call func(name, argument string) (Domain, bool)) bool {
	r := &reasoner{domain: domain, call: call, pseudo: map[string]int{}}
	var simple []*code
	for _, p := range conditions {
		for _, c := range p.root.conjuncts(nil) {
			if c = r.simplify(c); c != nil {
				simple = append(simple, c)
			}
		}
	}
	for _, group := range connected(simple) {
		if r.contradictory(group) {
			return true
		}
	}
	return false
}

// conjuncts takes a chain of "and" apart.
func (c *code) conjuncts(to []*code) []*code {
	if c.op != opAnd {
		return append(to, c)
	}
	return c.kids[1].conjuncts(c.kids[0].conjuncts(to))
}

// reasoner tries conditions with every value that can make a difference.
type reasoner struct {
	domain func(slot int) Domain
	call   func(name, argument string) (Domain, bool)
	// pseudo gives calls of the host slots of their own, below 0.
	pseudo  map[string]int
	domains map[int]Domain
}

// simplify gives a condition in which calls of the host are slots, nil if it is
// beyond what can be reasoned about.
func (r *reasoner) simplify(c *code) *code {
	switch c.op {
	case opOr, opAnd, opNot:
		out := *c
		out.kids = make([]*code, len(c.kids))
		for i, k := range c.kids {
			if out.kids[i] = r.simplify(k); out.kids[i] == nil {
				return nil
			}
		}
		return &out
	case opCall:
		if c.name == "true" || c.name == "false" {
			return c
		}
	case opSelected:
		// Within a text of several words a member may be found across them.
		list, member := r.term(c.kids[0]), c.kids[1]
		if list != nil && member.op == opText && r.known(list).Choices != nil && !strings.ContainsAny(member.value.str, " \t") {
			out := *c
			out.kids = []*code{list, member}
			return &out
		}
	case opEq, opNe, opLt, opLe, opGt, opGe:
		a, b := c.kids[0], c.kids[1]
		left, right := r.term(a), r.term(b)
		switch {
		case literal(a) && literal(b):
			return c
		case left != nil && literal(b) && r.comparable(left, b):
			right = b
		case right != nil && literal(a) && r.comparable(right, a):
			left = a
		case left != nil && right != nil && r.oneOf(left) && r.oneOf(right):
		default:
			return nil
		}
		out := *c
		out.kids = []*code{left, right}
		return &out
	}
	return nil
}

// literal reports whether a node is a literal, or one with a sign.
func literal(c *code) bool {
	return c.op == opNumber || c.op == opText || c.op == opNeg && c.kids[0].op == opNumber
}

// term gives a value of which something is known: a reference, a call of the
// host as a slot, or either with a constant for when it is blank. nil for others.
func (r *reasoner) term(c *code) *code {
	switch c.op {
	case opRef:
		if !c.many && r.at(c.slot).known() {
			return c
		}
	case opCoalesce:
		if of := r.term(c.kids[0]); of != nil && literal(c.kids[1]) && r.known(of).Number {
			out := *c
			out.kids = []*code{of, c.kids[1]}
			return &out
		}
	case opCall:
		argument := ""
		if len(c.kids) > 1 || len(c.kids) == 1 && c.kids[0].op != opText {
			return nil
		} else if len(c.kids) == 1 {
			argument = c.kids[0].value.str
		}
		d, ok := r.call(c.name, argument)
		if !ok || !d.known() {
			return nil
		}
		key := c.name + "\x00" + argument
		if r.pseudo[key] == 0 {
			r.pseudo[key] = -len(r.pseudo) - 1
		}
		slot := r.pseudo[key]
		r.set(slot, d)
		return &code{op: opRef, slot: slot, typ: c.typ}
	}
	return nil
}

func (d *Domain) known() bool { return d.Number || d.Choices != nil }

func (r *reasoner) set(slot int, d Domain) {
	if r.domains == nil {
		r.domains = map[int]Domain{}
	}
	r.domains[slot] = d
}

func (r *reasoner) at(slot int) *Domain {
	d, ok := r.domains[slot]
	if !ok {
		d = r.domain(slot)
		r.set(slot, d)
	}
	return &d
}

// known gives the domain of a term.
func (r *reasoner) known(c *code) *Domain {
	if c.op == opCoalesce {
		return r.known(c.kids[0])
	}
	return r.at(c.slot)
}

// oneOf reports whether a term is one of a few texts.
func (r *reasoner) oneOf(c *code) bool {
	d := r.known(c)
	return d.Choices != nil && !d.Many
}

// comparable reports whether the values tried cover every way in which a term
// can compare with a constant. The choices of a select_multiple come in any
// order, so only whether there are any can be told.
func (r *reasoner) comparable(c, with *code) bool {
	d := r.known(c)
	return !d.Many || with.op == opText && with.value.str == ""
}

// connected puts conditions that share slots together.
func connected(conditions []*code) [][]*code {
	type group struct {
		slots map[int]bool
		all   []*code
	}
	var groups []*group
	for _, c := range conditions {
		g := &group{slots: map[int]bool{}, all: []*code{c}}
		c.eachSlot(func(slot int) { g.slots[slot] = true })
		var apart []*group
		for _, other := range groups {
			shares := false
			for slot := range g.slots {
				shares = shares || other.slots[slot]
			}
			if !shares {
				apart = append(apart, other)
				continue
			}
			for slot := range other.slots {
				g.slots[slot] = true
			}
			g.all = append(g.all, other.all...)
		}
		groups = append(apart, g)
	}
	out := make([][]*code, len(groups))
	for i, g := range groups {
		out[i] = g.all
	}
	return out
}

func (c *code) eachSlot(visit func(slot int)) {
	if c.op == opRef {
		visit(c.slot)
	}
	for _, k := range c.kids {
		k.eachSlot(visit)
	}
}

// mostTried bounds how many combinations of values are tried.
const mostTried = 20_000

// contradictory reports whether no combination of values makes all true.
func (r *reasoner) contradictory(conditions []*code) bool {
	var slots []int
	var numbers []float64
	var texts []string
	for _, c := range conditions {
		c.eachSlot(func(slot int) {
			if !slices.Contains(slots, slot) {
				slots = append(slots, slot)
			}
		})
		c.eachConstant(func(v Value) {
			texts = append(texts, v.str)
			if n := v.Number(); n == n {
				numbers = append(numbers, n)
			}
		})
	}
	candidates, combinations := make([][]Value, len(slots)), 1
	for i, slot := range slots {
		candidates[i] = r.at(slot).values(numbers, texts)
		if combinations *= len(candidates[i]); combinations > mostTried {
			return false
		}
	}
	env := &trial{values: map[int]Value{}}
	for n := range combinations {
		for i, slot := range slots {
			env.values[slot] = candidates[i][n%len(candidates[i])]
			n /= len(candidates[i])
		}
		if !slices.ContainsFunc(conditions, func(c *code) bool { return !c.eval(env).Truth() }) {
			return false
		}
	}
	return true
}

func (c *code) eachConstant(visit func(Value)) {
	switch {
	case c.op == opNeg:
		visit(Num(-c.kids[0].value.num))
	case c.op == opNumber || c.op == opText:
		visit(c.value)
	default:
		for _, k := range c.kids {
			k.eachConstant(visit)
		}
	}
}

// values are those of a domain that can make a difference to comparisons with
// the given constants.
func (d *Domain) values(numbers []float64, texts []string) []Value {
	out := []Value{BlankValue()}
	switch {
	case d.Many:
		var named []string
		other := ""
		for _, name := range d.Choices {
			if slices.Contains(texts, name) {
				named = append(named, name)
			} else {
				other = name
			}
		}
		if len(named) > 14 {
			return make([]Value, mostTried+1) // more than are tried
		}
		for set := range 1 << len(named) {
			var chosen []string
			for i, name := range named {
				if set>>i&1 == 1 {
					chosen = append(chosen, name)
				}
			}
			out = append(out, Str(strings.Join(chosen, " ")))
			if other != "" {
				out = append(out, Str(strings.Join(append(chosen, other), " ")))
			}
		}
	case d.Choices != nil:
		for _, name := range d.Choices {
			out = append(out, Str(name))
		}
	default:
		for _, n := range d.points(numbers) {
			out = append(out, Num(n))
		}
	}
	return out
}

// points are the numbers of the domain at and between the given ones.
func (d *Domain) points(numbers []float64) []float64 {
	marks := slices.Clone(numbers)
	for _, end := range []float64{d.Low, d.High, 0} {
		if !math.IsInf(end, 0) {
			marks = append(marks, end)
		}
	}
	slices.Sort(marks)
	marks = slices.Compact(marks)
	all := []float64{marks[0] - 1, marks[len(marks)-1] + 1}
	for i, m := range marks {
		all = append(all, m)
		if d.Whole {
			all = append(all, math.Floor(m), math.Ceil(m), math.Floor(m)+1, math.Ceil(m)-1)
		} else if i > 0 {
			all = append(all, (marks[i-1]+m)/2)
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(n float64) bool {
		return n < d.Low || n > d.High || d.Whole && n != math.Floor(n)
	})
}

// trial is an Env of values that are tried.
type trial struct{ values map[int]Value }

func (t *trial) Ref(slot int) Value { return t.values[slot] }
func (t *trial) Self() Value        { return BlankValue() }
func (t *trial) Now() time.Time     { return time.Time{} }
func (t *trial) Position() int      { return 0 }
