package openrosa

import (
	"fmt"
	"strings"

	"github.com/khaosat/khaosat/survey/expr"
)

// visitFact is the XPath of a column of the chosen visit.
func (w *writer) visitFact(column string) string {
	return fmt.Sprintf("instance('%s')/root/item[name = /%s/%s]/%s", visitsInstance, rootName, w.visit, column)
}

// xpath writes an expression as it stands at a place. With self, "." means that
// place instead.
func (w *writer) xpath(source string, at *place, self *place) string {
	if source == "" {
		return ""
	}
	e, err := expr.Parse(source)
	if err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("openrosa: %s: %q: %w", at, source, err)
		}
		return ""
	}
	words := expr.Words{Ref: func(name string) string { return w.refTo(name, at) }, Call: func(name string, args []string) (string, bool) {
		if name == "indexed-repeat" { // clients want to know from outside which item and which repeats
			for i := range args {
				if i == 0 || i%2 == 1 {
					args[i] = at.absolute(args[i])
				}
			}
			return name + "(" + strings.Join(args, ", ") + ")", true
		}
		return w.call(name, args)
	}}
	if self != nil {
		words.Self = at.ref(self)
	}
	return e.FormatWith(words)
}

// refTo writes a reference as seen from a place.
func (w *writer) refTo(name string, at *place) string {
	if saved, ok := strings.CutPrefix(name, "last-saved#"); ok {
		if to := w.places[saved]; to != nil {
			w.lastSaved = true
			return "instance('__last-saved')" + to.String()
		}
	}
	to := w.places[name]
	if to == nil {
		if w.err == nil {
			w.err = fmt.Errorf("openrosa: %s: there is no %q", at, name)
		}
		return "''"
	}
	return at.ref(to)
}

// call writes the functions that are ours, or that clients lack, in terms of
// theirs.
func (w *writer) call(name string, args []string) (string, bool) {
	switch name {
	case "unit":
		switch fact := strings.Trim(args[0], `'"`); fact {
		case "sector", "structure", "setting", "members":
			if w.options.Visits {
				return w.visitFact(fact), true
			}
		}
		return "string('')", true
	case "tagged", "under":
		if !w.options.Visits {
			return "false()", true
		}
		column := map[string]string{"tagged": "tags", "under": "sectors"}[name]
		return "selected(" + w.visitFact(column) + ", " + args[0] + ")", true
	case "index":
		return "position(..)", true
	case "is-selected":
		return "selected(" + strings.Join(args, ", ") + ")", true
	case "floor": // clients have int() alone, which cuts towards zero
		return fmt.Sprintf("(int(%s) - number(int(%[1]s) > (%[1]s)))", args[0]), true
	case "ceiling":
		return fmt.Sprintf("(int(%s) + number(int(%[1]s) < (%[1]s)))", args[0]), true
	}
	return "", false
}

// both is the condition that both are true; "" is always true.
func both(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + ") and (" + b + ")"
}
