package expr

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// What compiling says beyond names: operands that cannot mean what was written,
// and places where Collect would do something else than a reader expects.

// checkOperator gives an operation its type and finds operands that do not fit.
func (c *compiler) checkOperator(n *node, out *code) {
	switch n.op {
	case opOr, opAnd:
		out.typ = BoolType
	case opEq, opNe:
		out.typ = BoolType
		c.checkEquality(n, out)
	case opLt, opLe, opGt, opGe:
		out.typ = BoolType
		c.checkOrder(n, out)
	default:
		out.typ = NumberType
		for i, k := range out.kids {
			c.checkNumber(n.kids[i], k)
		}
		c.checkDates(n, out)
	}
}

func (c *compiler) checkEquality(n *node, out *code) {
	for i, k := range out.kids {
		it, other := n.kids[i], n.kids[1-i]
		if k.many {
			c.report(Warning, it, "many_compared", it.short(), "")
		}
		if other.op != opText || other.text == "" {
			continue
		}
		switch {
		case k.typ == ChoicesType:
			c.report(Warning, it, "choices_equal", it.short(), "")
		case k.typ == NumberType && it.op != opNumber && !isNumber(parseNumber(other.text)),
			k.typ == DateType && !readable(other.text, "2006-01-02"):
			c.report(Warning, other, "never_equal", it.short(), other.short())
		}
	}
}

func (c *compiler) checkOrder(n *node, out *code) {
	for i, k := range out.kids {
		it := n.kids[i]
		if k.many {
			c.report(Warning, it, "many_compared", it.short(), "")
		}
		switch {
		case it.op == opText:
			c.checkOrderedLiteral(it)
		case k.typ == ChoicesType:
			c.report(Error, it, "choices_compare", it.short(), "")
		case k.typ == TextType || k.typ == GeoType || k.typ == MediaType:
			if it.op != opCall { // functions give texts that may well be numbers
				c.report(Error, it, "compare_text", it.short(), "")
			}
		case k.typ == TimeType || k.typ == DateTimeType:
			if out.kids[1-i].typ != DateType {
				c.dayOnly(it, k)
			}
		}
	}
}

// checkOrderedLiteral reports a text literal that is compared by size and is no
// number, with the function that makes one of it if it is a date or a time.
func (c *compiler) checkOrderedLiteral(n *node) {
	if isNumber(parseNumber(n.text)) {
		return
	}
	_, clock := parseClock(n.text)
	_, moment := parseMoment(n.text, time.UTC)
	switch {
	case clock:
		c.report(Error, n, "date_literal", n.short(), "decimal-time("+quote(n.text)+")")
	case moment && strings.Contains(n.text, "T"):
		c.report(Error, n, "date_literal", n.short(), "date-time("+quote(n.text)+")")
	case moment:
		c.report(Error, n, "date_literal", n.short(), "date("+quote(n.text)+")")
	default:
		c.report(Error, n, "compare_text", n.short(), "")
	}
}

// dayOnly warns of a time or moment that is used as a number.
func (c *compiler) dayOnly(n *node, k *code) {
	fn := "decimal-date-time"
	if k.typ == TimeType {
		fn = "decimal-time"
	}
	c.report(Warning, n, "day_only", n.short(), fn+"("+n.short()+")")
}

// checkMoments warns of times and moments among arguments that become numbers.
// Those of a repeat are left alone: no function makes numbers of them all.
func (c *compiler) checkMoments(n *node, out *code) {
	for i, k := range out.kids {
		if !k.many && (k.typ == TimeType || k.typ == DateTimeType) {
			c.dayOnly(n.kids[i], k)
		}
	}
}

// checkNumber reports an operand of arithmetic that is no number.
func (c *compiler) checkNumber(n *node, k *code) {
	if k.many {
		c.report(Warning, n, "many_values", n.short(), "")
	}
	switch k.typ {
	case TextType, ChoicesType, GeoType, MediaType:
		if n.op == opText && isNumber(parseNumber(n.text)) || n.op == opCall {
			return // a number in quotes; a function's text that may be one
		}
		c.report(Error, n, "arithmetic_text", n.short(), "")
	case TimeType, DateTimeType:
		c.dayOnly(n, k)
	}
}

// checkDates reports arithmetic that has no meaning for dates: what does is the
// difference of two, and a number of days more or less.
func (c *compiler) checkDates(n *node, out *code) {
	date := func(i int) bool { return out.kids[i].typ == DateType }
	switch n.op {
	case opAdd:
		if date(0) && date(1) {
			c.report(Error, n, "date_arithmetic", n.short(), "")
		}
	case opMul:
		if date(0) || date(1) {
			c.report(Error, n, "date_arithmetic", n.short(), "")
		}
	}
}

// checkCall gives a call its type and finds arguments that do not fit.
func (c *compiler) checkCall(n *node, out *code, fn builtin) {
	if fn.random {
		c.report(Warning, n, "not_constant", n.text+"()", "")
	}
	if fn.foreign != "" {
		c.report(Warning, n, "not_in_collect", n.text+"()", fn.foreign)
	}
	for i, k := range out.kids {
		if fn.numbers {
			c.checkNumber(n.kids[i], k)
		} else if k.many && !fn.nodes {
			c.report(Warning, n.kids[i], "many_values", n.kids[i].short(), "")
		}
	}
	switch n.text {
	case "if":
		out.typ = unify(n.kids[1:], out.kids[1:])
	case "coalesce":
		out.typ = unify(n.kids, out.kids)
	case "once":
		out.typ = out.kids[0].typ
	case "indexed-repeat":
		out.typ = out.kids[0].typ
	case "number", "min", "max":
		c.checkMoments(n, out)
	case "sum", "count", "count-non-empty":
		c.checkNodes(n)
	case "selected", "is-selected", "selected-at", "count-selected":
		c.checkSelected(n, out)
	case "regex":
		c.checkRegex(n, out)
	}
}

// unify gives the type that all nodes have; an empty text fits any.
func unify(nodes []*node, codes []*code) Type {
	t, known := Any, false
	for i, k := range codes {
		if nodes[i].op == opText && nodes[i].text == "" {
			continue
		}
		if known && k.typ != t {
			return Any
		}
		t, known = k.typ, true
	}
	return t
}

// checkNodes reports an argument that cannot be a set of nodes where Collect
// insists on one.
func (c *compiler) checkNodes(n *node) {
	switch arg := n.kids[0]; arg.op {
	case opRef, opSelf, opPath, opUnion:
	case opCall:
		if arg.text == "instance" || arg.text == "current" || arg.text == "randomize" {
			return
		}
		c.report(Error, arg, "not_nodes", n.text, arg.short())
	default:
		c.report(Error, arg, "not_nodes", n.text, arg.short())
	}
}

func (c *compiler) checkSelected(n *node, out *code) {
	if t := out.kids[0].typ; t == NumberType || t == BoolType || t == DateType || t == TimeType || t == DateTimeType {
		c.report(Error, n.kids[0], "not_choices", n.kids[0].short(), "")
	}
	if n.text == "count-selected" || n.text == "selected-at" {
		return
	}
	if t := out.kids[1].typ; t == NumberType || t == BoolType {
		wanted := n.kids[1]
		instead := "string(" + wanted.short() + ")"
		if wanted.op == opNumber {
			instead = quote(wanted.text)
		}
		c.report(Error, wanted, "selected_text", wanted.short(), instead)
	}
}

func (c *compiler) checkRegex(n *node, out *code) {
	if n.kids[1].op != opText {
		return
	}
	re, err := compileRegex(n.kids[1].text)
	if err != nil {
		c.report(Error, n.kids[1], "bad_regex", strings.TrimPrefix(err.Error(), "error parsing regexp: "), "")
		return
	}
	out.fn = func(env Env, args []Value) Value { return Boolean(re.MatchString(text(env, &args[0]))) }
}

// compileRegex compiles a pattern that must match the whole text, as Java's
// matches() does.
func compileRegex(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // alone, so that its brackets cannot pair with ours
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

// checkQuoted warns of a reference in quotes, which is but a text.
func (c *compiler) checkQuoted(n *node) {
	if strings.Contains(n.text, "${") && c.foreign == 0 {
		c.report(Warning, n, "quoted_reference", n.short(), "")
	}
}

func isNumber(f float64) bool { return f == f }

func readable(s, layout string) bool {
	_, err := time.Parse(layout, s)
	return err == nil
}

// short prints a node for a message, cut to a readable length.
func (n *node) short() string {
	const most = 40
	var b strings.Builder
	n.print(&b, 1, &Words{Ref: writeRef})
	s := b.String()
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
