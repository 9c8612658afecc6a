package expr

import (
	"slices"
	"strconv"
	"strings"
)

// MaxLength is the longest expression in bytes.
const MaxLength = 32 << 10

// maxDepth bounds how deep parentheses, calls, predicates and minuses nest.
const maxDepth = 200

// Expr is a parsed expression. It is immutable.
type Expr struct {
	root  *node
	refs  []Ref
	calls []Call
}

// Ref is one ${name} in an expression; Pos is its 0-based rune offset.
// LastSaved marks ${last-saved#name}.
type Ref struct {
	Name      string
	Pos       int
	LastSaved bool
}

// Call is one function call. Literal is its first argument when that is a text
// literal.
type Call struct {
	Name    string
	Pos     int
	Literal string
}

// op is what a node does.
type op uint8

const (
	opNumber op = iota
	opText
	opRef
	opSelf // .
	opCall
	opOr
	opAnd
	opEq
	opNe
	opLt
	opLe
	opGt
	opGe
	opAdd
	opSub
	opMul
	opDiv
	opMod
	opNeg
	opUnion
	opPath // a step of a location path; its text is kept as written
)

// node is one node of the tree; pos and end are the rune offsets of what it
// was read from, without parentheses around it.
type node struct {
	op       op
	pos, end int
	num      float64
	text     string // literal, name of reference or function, or a step: "/x", "[" for a predicate
	last     bool   // of a reference: last-saved
	kids     []*node
}

// binary holds the symbols of the binary operators and how tightly they bind;
// the level of what is no binary operator is 0.
var binary = [...]struct {
	symbol string
	level  int
}{
	opOr: {"or", 1}, opAnd: {"and", 2}, opEq: {"=", 3}, opNe: {"!=", 3}, opLt: {"<", 4}, opLe: {"<=", 4}, opGt: {">", 4}, opGe: {">=", 4},
	opAdd: {"+", 5}, opSub: {"-", 5}, opMul: {"*", 6}, opDiv: {"div", 6}, opMod: {"mod", 6}, opUnion: {"|", 8}, opPath: {},
}

const levelNeg, levelPrimary = 7, 9

// operatorOf gives the binary operator that a token stands for. Words count in
// any letter case, as in Collect.
func operatorOf(t token) (op, bool) {
	if t.kind != tokSymbol && t.kind != tokName {
		return 0, false
	}
	for o, b := range binary {
		if b.level > 0 && strings.EqualFold(b.symbol, t.text) {
			return op(o), true
		}
	}
	return 0, false
}

// Parse reads an expression. The error is a *SyntaxError with the place and,
// where it can be told, what to write instead. It never panics.
func Parse(src string) (*Expr, error) {
	if len(src) > MaxLength {
		return nil, &SyntaxError{Code: "too_long"}
	}
	runes := []rune(src)
	tokens, err := scan(runes)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 1 {
		return nil, &SyntaxError{Code: "empty"}
	}
	p := &parser{src: runes, tokens: tokens, expr: &Expr{}}
	root, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokEnd {
		return nil, p.unexpected()
	}
	p.expr.root = root
	return p.expr, nil
}

// Refs gives every reference in the order in which they stand.
func (e *Expr) Refs() []Ref { return slices.Clone(e.refs) }

// Calls gives every function call in the order in which they stand.
func (e *Expr) Calls() []Call { return slices.Clone(e.calls) }

type parser struct {
	src    []rune
	tokens []token
	at     int
	depth  int // of nesting
	open   int // brackets
	expr   *Expr
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

// last gives the end of the token read last.
func (p *parser) last() int { return p.tokens[p.at-1].end }

// skip reads a symbol if it is next.
func (p *parser) skip(symbol string) bool {
	if !p.peek().is(symbol) {
		return false
	}
	p.at++
	return true
}

// unexpected is the error that the next token cannot stand where it does.
func (p *parser) unexpected() error {
	t := p.peek()
	switch {
	case t.kind == tokEnd:
		return &SyntaxError{Pos: t.pos, Code: "ends_early"}
	case p.open == 0 && (t.is(")") || t.is("]")):
		return &SyntaxError{Pos: t.pos, Code: "not_opened"}
	}
	return &SyntaxError{Pos: t.pos, Code: "unexpected", Arg: string(p.src[t.pos:t.end])}
}

// bracketed reads an expression and the bracket that closes the one just read.
func (p *parser) bracketed(open token, closing string) (*node, error) {
	p.open++
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	return n, p.close(open, closing)
}

// close reads the bracket that closes the one at open.
func (p *parser) close(open token, closing string) error {
	if p.skip(closing) {
		p.open--
		return nil
	}
	if p.peek().kind == tokEnd {
		return &SyntaxError{Pos: open.pos, Code: "not_closed"}
	}
	return p.unexpected()
}

func (p *parser) enter() error {
	p.depth++
	if p.depth > maxDepth {
		return &SyntaxError{Pos: p.peek().pos, Code: "too_deep"}
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) expression() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.binary(1)
}

func (p *parser) binary(level int) (*node, error) {
	switch level {
	case levelNeg:
		return p.negation()
	case levelPrimary:
		return p.primary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		o, ok := operatorOf(p.peek())
		if !ok || binary[o].level != level {
			return left, nil
		}
		p.next()
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = &node{op: o, pos: left.pos, end: right.end, kids: []*node{left, right}}
	}
}

func (p *parser) negation() (*node, error) {
	t := p.peek()
	if !p.skip("-") {
		return p.binary(levelNeg + 1)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	inner, err := p.negation()
	if err != nil {
		return nil, err
	}
	return &node{op: opNeg, pos: t.pos, end: inner.end, kids: []*node{inner}}, nil
}

func (p *parser) primary() (*node, error) {
	t := p.peek()
	switch t.kind {
	case tokNumber:
		p.next()
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, &SyntaxError{Pos: t.pos, Code: "number", Arg: t.text}
		}
		return &node{op: opNumber, pos: t.pos, end: t.end, num: f, text: t.text}, nil
	case tokText:
		p.next()
		return &node{op: opText, pos: t.pos, end: t.end, text: t.text}, nil
	case tokRef:
		p.next()
		name, last := strings.CutPrefix(t.text, lastSaved)
		p.expr.refs = append(p.expr.refs, Ref{Name: name, Pos: t.pos, LastSaved: last})
		return p.steps(&node{op: opRef, pos: t.pos, end: t.end, text: name, last: last})
	case tokName:
		if p.tokens[p.at+1].is("(") {
			return p.call()
		}
		return p.path(token{pos: t.pos})
	case tokSymbol:
		switch t.text {
		case "(":
			return p.parenthesis()
		case ".":
			p.next()
			return p.steps(&node{op: opSelf, pos: t.pos, end: t.end})
		case "/", "//":
			p.next()
			return p.path(t)
		case "..", "*", "@":
			return p.path(token{pos: t.pos})
		}
	}
	return nil, p.unexpected()
}

func (p *parser) parenthesis() (*node, error) {
	inner, err := p.bracketed(p.next(), ")")
	if err != nil {
		return nil, err
	}
	return p.steps(inner)
}

func (p *parser) call() (*node, error) {
	name, open := p.next(), p.next()
	n := &node{op: opCall, pos: name.pos, text: name.text}
	index := len(p.expr.calls)
	p.expr.calls = append(p.expr.calls, Call{Name: name.text, Pos: name.pos})
	p.open++
	if !p.peek().is(")") {
		for {
			arg, err := p.expression()
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, arg)
			if !p.skip(",") {
				break
			}
		}
	}
	if err := p.close(open, ")"); err != nil {
		return nil, err
	}
	n.end = p.last()
	if len(n.kids) > 0 && n.kids[0].op == opText {
		p.expr.calls[index].Literal = n.kids[0].text
	}
	return p.steps(n)
}

// path reads a location path, after the slash with which it may begin: ../name,
// /data/x. Paths are kept as written; only their references and calls are noted.
func (p *parser) path(slash token) (*node, error) {
	n := &node{op: opPath, pos: slash.pos, text: slash.text}
	if slash.text != "/" || startsStep(p.peek()) { // "/" alone is the root
		step, err := p.step()
		if err != nil {
			return nil, err
		}
		n.text += step
	}
	n.end = p.last()
	return p.steps(n)
}

// startsStep reports whether a token may begin a step after a slash.
func startsStep(t token) bool {
	if t.kind == tokSymbol {
		return t.text == "*" || t.text == ".." || t.text == "." || t.text == "@"
	}
	return t.kind == tokName
}

// step reads one step of a path: name, *, @name, .., . or a node test such as text().
func (p *parser) step() (string, error) {
	at := ""
	if p.skip("@") {
		at = "@"
	}
	t := p.peek()
	if !startsStep(t) || t.is("@") {
		return "", p.unexpected()
	}
	p.next()
	if t.kind == tokName && p.peek().is("(") {
		p.open++
		if err := p.close(p.next(), ")"); err != nil {
			return "", err
		}
		return at + t.text + "()", nil
	}
	return at + t.text, nil
}

// steps reads what may follow a primary: [predicates] and /steps.
func (p *parser) steps(n *node) (*node, error) {
	for {
		t := p.peek()
		switch {
		case p.skip("["):
			inner, err := p.bracketed(t, "]")
			if err != nil {
				return nil, err
			}
			n = &node{op: opPath, pos: n.pos, end: p.last(), text: "[", kids: []*node{n, inner}}
		case p.skip("/") || p.skip("//"):
			step, err := p.step()
			if err != nil {
				return nil, err
			}
			n = &node{op: opPath, pos: n.pos, end: p.last(), text: t.text + step, kids: []*node{n}}
		default:
			return n, nil
		}
	}
}
