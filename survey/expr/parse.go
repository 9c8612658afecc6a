package expr

import (
	"strconv"
	"strings"
	"unicode"
)

// MaxLength is the longest expression in bytes.
const MaxLength = 32 << 10

// maxDepth bounds nesting, so that hostile input cannot exhaust the stack.
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
	opPath // a location path; its text is kept as written
)

// node is one node of the tree.
type node struct {
	op   op
	pos  int
	num  float64
	text string // literal, name of reference or function, or a path's text
	last bool   // of a reference: last-saved
	kids []*node
}

// symbols of binary operators, and how tightly they bind.
var binary = map[op]struct {
	symbol string
	level  int
}{
	opOr: {"or", 1}, opAnd: {"and", 2}, opEq: {"=", 3}, opNe: {"!=", 3}, opLt: {"<", 4}, opLe: {"<=", 4}, opGt: {">", 4}, opGe: {">=", 4},
	opAdd: {"+", 5}, opSub: {"-", 5}, opMul: {"*", 6}, opDiv: {"div", 6}, opMod: {"mod", 6}, opUnion: {"|", 8},
}

const levelNeg, levelPrimary = 7, 9

// operatorOf finds a binary operator by its symbol.
func operatorOf(symbol string) (op, bool) {
	for o, b := range binary {
		if b.symbol == symbol {
			return o, true
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
	tokens, err := scan(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, expr: &Expr{}}
	root, err := p.binary(1)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, p.unexpected(t)
	}
	p.expr.root = root
	return p.expr, nil
}

// Refs gives every reference in the order in which they stand.
func (e *Expr) Refs() []Ref { return e.refs }

// Calls gives every function call in the order in which they stand.
func (e *Expr) Calls() []Call { return e.calls }

type parser struct {
	tokens []token
	at     int
	depth  int
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

func (p *parser) is(symbol string) bool {
	t := p.peek()
	return t.kind == tokSymbol && t.text == symbol
}

func (p *parser) unexpected(t token) error {
	if t.kind == tokEnd {
		return &SyntaxError{Pos: t.pos, Code: "ends_early"}
	}
	if t.kind == tokSymbol && t.text == ")" {
		return &SyntaxError{Pos: t.pos, Code: "not_opened"}
	}
	return &SyntaxError{Pos: t.pos, Code: "unexpected", Arg: t.text}
}

func (p *parser) binary(level int) (*node, error) {
	if level == levelNeg {
		return p.negation()
	}
	if level == levelPrimary {
		return p.primary()
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth*10 {
		return nil, &SyntaxError{Pos: p.peek().pos, Code: "too_deep"}
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		o, ok := p.operator(t)
		if !ok || binary[o].level != level {
			return left, nil
		}
		p.next()
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = &node{op: o, pos: t.pos, kids: []*node{left, right}}
	}
}

// operator tells whether a token is a binary operator where one may stand.
func (p *parser) operator(t token) (op, bool) {
	if t.kind == tokSymbol || t.kind == tokName {
		return operatorOf(t.text)
	}
	return 0, false
}

func (p *parser) negation() (*node, error) {
	if !p.is("-") {
		return p.binary(levelNeg + 1)
	}
	t := p.next()
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth*10 {
		return nil, &SyntaxError{Pos: t.pos, Code: "too_deep"}
	}
	inner, err := p.negation()
	if err != nil {
		return nil, err
	}
	return &node{op: opNeg, pos: t.pos, kids: []*node{inner}}, nil
}

func (p *parser) primary() (*node, error) {
	t := p.next()
	switch t.kind {
	case tokNumber:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, &SyntaxError{Pos: t.pos, Code: "number", Arg: t.text}
		}
		return &node{op: opNumber, pos: t.pos, num: f, text: t.text}, nil
	case tokText:
		return &node{op: opText, pos: t.pos, text: t.text}, nil
	case tokRef:
		name, last := strings.CutPrefix(t.text, "last-saved#")
		p.expr.refs = append(p.expr.refs, Ref{Name: name, Pos: t.pos, LastSaved: last})
		n := &node{op: opRef, pos: t.pos, text: name, last: last}
		return p.steps(n)
	case tokName:
		if p.is("(") {
			return p.call(t)
		}
		return p.path(t)
	case tokSymbol:
		switch t.text {
		case "(":
			inner, err := p.binary(1)
			if err != nil {
				return nil, err
			}
			if !p.is(")") {
				if end := p.peek(); end.kind != tokEnd {
					return nil, p.unexpected(end)
				}
				return nil, &SyntaxError{Pos: t.pos, Code: "not_closed"}
			}
			p.next()
			return p.steps(inner)
		case ".":
			return p.steps(&node{op: opSelf, pos: t.pos})
		case "..", "/", "//", "*", "@":
			return p.path(t)
		}
	}
	p.at = max(0, p.at-1)
	if t.kind == tokEnd {
		p.at = len(p.tokens) - 1
	}
	return nil, p.unexpected(t)
}

func (p *parser) call(name token) (*node, error) {
	open := p.next()
	n := &node{op: opCall, pos: name.pos, text: name.text}
	call := len(p.expr.calls)
	p.expr.calls = append(p.expr.calls, Call{Name: name.text, Pos: name.pos})
	for !p.is(")") {
		arg, err := p.binary(1)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, arg)
		if p.is(",") {
			p.next()
			if p.is(")") {
				return nil, p.unexpected(p.peek())
			}
			continue
		}
		if !p.is(")") {
			if p.peek().kind == tokEnd {
				return nil, &SyntaxError{Pos: open.pos, Code: "not_closed"}
			}
			return nil, p.unexpected(p.peek())
		}
	}
	p.next()
	if len(n.kids) > 0 && n.kids[0].op == opText {
		p.expr.calls[call].Literal = n.kids[0].text
	}
	return p.steps(n)
}

// path reads a location path that begins with the token: ../name, /data/x.
// Paths are kept as written; only their references and calls are noted.
func (p *parser) path(first token) (*node, error) {
	n := &node{op: opPath, pos: first.pos, text: first.text}
	if first.kind == tokSymbol && (first.text == "/" || first.text == "//" || first.text == "@") {
		if t := p.peek(); t.kind == tokName || (t.kind == tokSymbol && (t.text == "*" || t.text == "@" || t.text == "..")) {
			p.next()
			n.text += t.text
		} else if first.text != "/" {
			return nil, p.unexpected(t)
		}
	}
	return p.steps(n)
}

// steps reads what may follow a primary: [predicates] and /steps.
func (p *parser) steps(n *node) (*node, error) {
	for {
		switch {
		case p.is("["):
			open := p.next()
			inner, err := p.binary(1)
			if err != nil {
				return nil, err
			}
			if !p.is("]") {
				return nil, &SyntaxError{Pos: open.pos, Code: "not_closed"}
			}
			p.next()
			n = &node{op: opPath, pos: n.pos, text: "[", kids: []*node{n, inner}}
		case p.is("/") || p.is("//"):
			slash := p.next()
			t := p.next()
			at := ""
			if t.kind == tokSymbol && t.text == "@" {
				at, t = "@", p.next()
			}
			if t.kind != tokName && !(t.kind == tokSymbol && (t.text == "*" || t.text == ".." || t.text == ".")) {
				if t.kind != tokEnd {
					p.at--
				}
				return nil, p.unexpected(t)
			}
			text := slash.text + at + t.text
			if t.kind == tokName && p.is("(") { // a node test such as text()
				p.next()
				if !p.is(")") {
					return nil, p.unexpected(p.peek())
				}
				p.next()
				text += "()"
			}
			n = &node{op: opPath, pos: n.pos, text: text, kids: []*node{n}}
		default:
			return n, nil
		}
	}
}

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNumber
	tokText
	tokRef
	tokName
	tokSymbol
)

type token struct {
	kind tokenKind
	text string
	pos  int // rune offset
}

// comparisons that word processors write as one sign.
var comparisons = map[rune]string{'≤': "<=", '≥': ">=", '≠': "!="}

// straightRune turns what word processors make of quotes and signs into what was meant.
var straightRune = map[rune]rune{'‘': '\'', '’': '\'', '“': '"', '”': '"', '\u00a0': ' ', '−': '-'}

// scan cuts the source into tokens.
func scan(src string) ([]token, error) {
	runes := []rune(src)
	for i, r := range runes {
		if s, ok := straightRune[r]; ok {
			runes[i] = s
		}
	}
	s := &scanner{src: runes}
	for {
		t, err := s.token()
		if err != nil {
			return nil, err
		}
		s.tokens = append(s.tokens, t)
		if t.kind == tokEnd {
			return s.tokens, nil
		}
	}
}

type scanner struct {
	src    []rune
	at     int
	tokens []token
}

func (s *scanner) rune(ahead int) rune {
	if s.at+ahead < len(s.src) {
		return s.src[s.at+ahead]
	}
	return 0
}

func nameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }
func namePart(r rune) bool {
	return nameStart(r) || unicode.IsDigit(r) || r == '-' || r == '.' || unicode.Is(unicode.Mn, r)
}
func digit(r rune) bool { return r >= '0' && r <= '9' }

func (s *scanner) token() (token, error) {
	for s.at < len(s.src) && unicode.IsSpace(s.src[s.at]) {
		s.at++
	}
	pos := s.at
	if s.at == len(s.src) {
		return token{kind: tokEnd, pos: pos}, nil
	}
	r := s.src[s.at]
	switch {
	case r == '$':
		return s.reference(pos)
	case r == '\'' || r == '"':
		for s.at++; s.at < len(s.src); s.at++ {
			if s.src[s.at] == r {
				s.at++
				return token{tokText, string(s.src[pos+1 : s.at-1]), pos}, nil
			}
		}
		return token{}, &SyntaxError{Pos: pos, Code: "text_not_closed", Arg: string(r)}
	case digit(r) || (r == '.' && digit(s.rune(1))):
		return s.number(pos)
	case nameStart(r):
		return s.name(pos), nil
	}
	return s.symbol(pos)
}

func (s *scanner) reference(pos int) (token, error) {
	if s.rune(1) != '{' {
		return token{}, &SyntaxError{Pos: pos, Code: "reference", Arg: "$"}
	}
	end := s.at
	for end < len(s.src) && s.src[end] != '}' {
		end++
	}
	if end == len(s.src) {
		return token{}, &SyntaxError{Pos: pos, Code: "reference_not_closed"}
	}
	name := string(s.src[s.at+2 : end])
	s.at = end + 1
	if trimmed := strings.TrimSpace(name); trimmed != name && trimmed != "" {
		return token{}, &SyntaxError{Pos: pos, Code: "reference_spaces", Arg: trimmed}
	}
	plain := strings.TrimPrefix(name, "last-saved#")
	if plain == "" || !nameStart([]rune(plain)[0]) || strings.ContainsFunc(plain, func(r rune) bool { return !namePart(r) }) {
		return token{}, &SyntaxError{Pos: pos, Code: "reference", Arg: "${" + name + "}"}
	}
	return token{tokRef, name, pos}, nil
}

func (s *scanner) number(pos int) (token, error) {
	for digit(s.rune(0)) {
		s.at++
	}
	if s.rune(0) == '.' && s.rune(1) != '.' {
		for s.at++; digit(s.rune(0)); {
			s.at++
		}
	}
	if s.rune(0) == ',' && digit(s.rune(1)) && !s.inCall() {
		return token{}, &SyntaxError{Pos: s.at, Code: "decimal_comma"}
	}
	return token{tokNumber, string(s.src[pos:s.at]), pos}, nil
}

// inCall reports whether the scanner stands between a function's parentheses,
// where a comma separates arguments.
func (s *scanner) inCall() bool {
	open := 0
	for _, t := range s.tokens {
		if t.kind != tokSymbol {
			continue
		}
		switch t.text {
		case "(":
			open++
		case ")":
			open--
		}
	}
	return open > 0
}

func (s *scanner) name(pos int) token {
	for s.at < len(s.src) && namePart(s.src[s.at]) {
		s.at++
	}
	// A namespace prefix, as in jr:choice-name.
	if s.rune(0) == ':' && s.rune(1) != ':' && nameStart(s.rune(1)) {
		for s.at++; s.at < len(s.src) && namePart(s.src[s.at]); {
			s.at++
		}
	} else if s.rune(0) == ':' && s.rune(1) == ':' { // an axis, as in child::x
		for s.at += 2; s.at < len(s.src) && (namePart(s.src[s.at]) || s.src[s.at] == '*'); {
			s.at++
		}
	}
	return token{tokName, string(s.src[pos:s.at]), pos}
}

// slips are operators of other languages, with what to write here.
var slips = []struct{ wrong, right string }{
	{"==", "="}, {"&&", "and"}, {"||", "or"}, {"<>", "!="}, {"=>", ">="}, {"=<", "<="},
}

func (s *scanner) symbol(pos int) (token, error) {
	for _, slip := range slips {
		if string(s.src[pos:min(len(s.src), pos+2)]) == slip.wrong {
			return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: slip.wrong, Instead: slip.right}
		}
	}
	two := string(s.src[pos:min(len(s.src), pos+2)])
	switch two {
	case "<=", ">=", "!=", "..", "//":
		s.at += 2
		return token{tokSymbol, two, pos}, nil
	}
	one := s.src[pos]
	s.at++
	if c, ok := comparisons[one]; ok {
		return token{tokSymbol, c, pos}, nil
	}
	switch one {
	case '(', ')', '[', ']', ',', '+', '-', '*', '/', '|', '=', '<', '>', '.', '@':
		return token{tokSymbol, string(one), pos}, nil
	case '!':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: "!", Instead: "not( )"}
	case '%':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: "%", Instead: "mod"}
	case ';':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: ";", Instead: ","}
	}
	return token{}, &SyntaxError{Pos: pos, Code: "character", Arg: string(one)}
}
