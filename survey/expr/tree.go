package expr

import (
	"encoding/json"
	"math"
)

// operators are the names of operations in a tree; those of functions are the
// functions' own.
var operators = map[op]string{
	opRef: "$", opSelf: ".", opOr: "or", opAnd: "and", opEq: "=", opNe: "!=", opLt: "<", opLe: "<=", opGt: ">", opGe: ">=",
	opAdd: "+", opSub: "-", opMul: "*", opDiv: "div", opMod: "mod", opNeg: "neg", opUnion: "|",
}

// MarshalJSON writes the program as a tree for an evaluator in another language:
// a number, a text and null (blank) stand for themselves, everything else is a
// list of a name and what it is applied to:
//
//	["$", 7]                         the value in slot 7
//	["."]                            the item's own value
//	["and", [">", ["$", 7], 2], …]   an operation: or and = != < <= > >= + - * div mod neg |
//	["count-selected", ["$", 7]]     a function of the language or of the host
func (p *Program) MarshalJSON() ([]byte, error) { return json.Marshal(p.root.tree()) }

func (c *code) tree() any {
	switch c.op {
	case opNumber:
		if math.IsInf(c.value.num, 0) { // a literal of hundreds of digits
			return []any{"div", 1, 0}
		}
		return c.value.num
	case opText:
		if c.value.kind == Blank {
			return nil
		}
		return c.value.str
	case opRef:
		return []any{operators[opRef], c.slot}
	}
	name := operators[c.op]
	if c.name != "" {
		name = c.name
	}
	out := []any{name}
	for _, k := range c.kids {
		out = append(out, k.tree())
	}
	return out
}
