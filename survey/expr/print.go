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
	return e.FormatWith(Words{Ref: ref})
}

// Words say how an expression is written for another host.
type Words struct {
	// Ref writes a reference; those to last-saved values have the name
	// "last-saved#name".
	Ref func(name string) string
	// Self is written for "."; "" leaves the dot.
	Self string
	// Call writes a call of the function with its arguments, each as it is
	// printed; ok is false for one that stays as it is. Nil leaves them all. What
	// it writes has to bind as closely as a call does.
	Call func(name string, args []string) (call string, ok bool)
}

// FormatWith is String in the host's words.
func (e *Expr) FormatWith(w Words) string {
	var b strings.Builder
	e.root.print(&b, 1, &w)
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

func (n *node) print(b *strings.Builder, level int, w *Words) {
	if n.level() < level {
		b.WriteByte('(')
		n.print(b, 1, w)
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
		b.WriteString(w.Ref(name))
	case opSelf:
		if w.Self != "" {
			b.WriteString(w.Self)
			return
		}
		b.WriteByte('.')
	case opCall:
		if call, ok := n.callIn(w); ok {
			b.WriteString(call)
			return
		}
		b.WriteString(n.text)
		b.WriteByte('(')
		for i, k := range n.kids {
			if i > 0 {
				b.WriteString(", ")
			}
			k.print(b, 1, w)
		}
		b.WriteByte(')')
	case opPath:
		n.printPath(b, w)
	case opNeg:
		b.WriteByte('-')
		n.kids[0].print(b, levelNeg, w)
	default:
		o := binary[n.op]
		n.kids[0].print(b, o.level, w)
		b.WriteString(" " + o.symbol + " ")
		n.kids[1].print(b, o.level+1, w)
	}
}

// callIn gives a call as the host writes it, if it has its own way.
func (n *node) callIn(w *Words) (string, bool) {
	if w.Call == nil {
		return "", false
	}
	args := make([]string, len(n.kids))
	for i, k := range n.kids {
		var b strings.Builder
		k.print(&b, 1, w)
		args[i] = b.String()
	}
	return w.Call(n.text, args)
}

func (n *node) printPath(b *strings.Builder, w *Words) {
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
		base.print(b, 1, w)
		b.WriteByte(')')
	} else {
		base.print(b, levelPrimary, w)
	}
	if n.text != "[" {
		b.WriteString(n.text)
		return
	}
	b.WriteByte('[')
	n.kids[1].print(b, 1, w)
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
