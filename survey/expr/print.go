package expr

import "strings"

// String prints the expression in its canonical form: single spaces around
// operators, no needless parentheses. Parsing it and printing again gives the
// same text.
func (e *Expr) String() string {
	return e.Format(writeRef)
}

// Format is String with references written by the caller, as XForms needs.
// References to last-saved values get their name as "last-saved#name".
func (e *Expr) Format(ref func(name string) string) string {
	var b strings.Builder
	e.root.print(&b, 1, ref)
	return b.String()
}

func (n *node) level() int {
	if n.op == opNeg {
		return levelNeg
	}
	if level := binary[n.op].level; level > 0 {
		return level
	}
	return levelPrimary
}

func (n *node) print(b *strings.Builder, level int, ref func(string) string) {
	if n.level() < level {
		b.WriteByte('(')
		n.print(b, 1, ref)
		b.WriteByte(')')
		return
	}
	switch n.op {
	case opNumber:
		b.WriteString(n.text)
	case opText:
		b.WriteString(quote(n.text))
	case opRef:
		name := n.text
		if n.last {
			name = lastSaved + name
		}
		b.WriteString(ref(name))
	case opSelf:
		b.WriteByte('.')
	case opCall:
		b.WriteString(n.text)
		b.WriteByte('(')
		for i, k := range n.kids {
			if i > 0 {
				b.WriteString(", ")
			}
			k.print(b, 1, ref)
		}
		b.WriteByte(')')
	case opPath:
		n.printPath(b, ref)
	case opNeg:
		b.WriteByte('-')
		n.kids[0].print(b, levelNeg, ref)
	default:
		o := binary[n.op]
		n.kids[0].print(b, o.level, ref)
		b.WriteString(" " + o.symbol + " ")
		n.kids[1].print(b, o.level+1, ref)
	}
}

func (n *node) printPath(b *strings.Builder, ref func(string) string) {
	if n.text == "/" { // what follows would be read as its step
		b.WriteString("(/)")
		return
	}
	if len(n.kids) == 0 {
		b.WriteString(n.text)
		return
	}
	base := n.kids[0]
	if base.op == opNumber || base.op == opText { // takes no steps without parentheses
		b.WriteByte('(')
		base.print(b, 1, ref)
		b.WriteByte(')')
	} else {
		base.print(b, levelPrimary, ref)
	}
	if n.text != "[" {
		b.WriteString(n.text)
		return
	}
	b.WriteByte('[')
	n.kids[1].print(b, 1, ref)
	b.WriteByte(']')
}

// quote writes a text literal. XPath has no escapes: a text with one sort of
// quote is put in the other; the parser cannot make one with both.
func quote(s string) string {
	if strings.Contains(s, "'") {
		return `"` + s + `"`
	}
	return "'" + s + "'"
}

// writeRef writes a reference as it stands in forms.
func writeRef(name string) string { return "${" + name + "}" }
