package expr

import (
	"strings"
	"unicode"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNumber
	tokText
	tokRef
	tokName
	tokSymbol
)

// token is one word of the source; pos and end are rune offsets.
type token struct {
	kind     tokenKind
	text     string // of a text, what is between the quotes; of a reference, the name
	pos, end int
}

func (t token) is(symbol string) bool { return t.kind == tokSymbol && t.text == symbol }

// scan cuts the source into tokens; the last is tokEnd.
func scan(src []rune) ([]token, error) {
	s := &scanner{src: src}
	for {
		t, err := s.token()
		if err != nil {
			return nil, err
		}
		t.end = s.at
		s.tokens = append(s.tokens, t)
		switch {
		case t.kind == tokEnd:
			return s.tokens, nil
		case t.is("("):
			s.open++
		case t.is(")"):
			s.open--
		}
	}
}

type scanner struct {
	src    []rune
	at     int
	open   int // parentheses
	tokens []token
}

// peek gives the rune so many places ahead, 0 at the end.
func (s *scanner) peek(ahead int) rune {
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

// space also covers the invisible characters that come with copied text.
func space(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' }

func (s *scanner) token() (token, error) {
	for s.at < len(s.src) && space(s.src[s.at]) {
		s.at++
	}
	if s.at == len(s.src) {
		return token{kind: tokEnd, pos: s.at}, nil
	}
	switch r := s.src[s.at]; {
	case r == '$':
		return s.reference()
	case closing(r) != "":
		return s.literal()
	case digit(r) || (r == '.' && digit(s.peek(1))):
		return s.number()
	case nameStart(r):
		return s.name(), nil
	}
	return s.symbol()
}

func (s *scanner) reference() (token, error) {
	pos := s.at
	if s.peek(1) != '{' {
		return token{}, &SyntaxError{Pos: pos, Code: "reference", Arg: "$"}
	}
	end := pos
	for end < len(s.src) && s.src[end] != '}' {
		end++
	}
	if end == len(s.src) {
		return token{}, &SyntaxError{Pos: pos, Code: "reference_not_closed"}
	}
	name := string(s.src[pos+2 : end])
	s.at = end + 1
	if trimmed := strings.TrimFunc(name, space); trimmed != name && trimmed != "" {
		return token{}, &SyntaxError{Pos: pos, Code: "reference_spaces", Arg: trimmed}
	}
	if !isName(strings.TrimPrefix(name, lastSaved)) {
		return token{}, &SyntaxError{Pos: pos, Code: "reference", Arg: "${" + name + "}"}
	}
	return token{kind: tokRef, text: name, pos: pos}, nil
}

// lastSaved marks, before a name, the value in the form that was saved before.
const lastSaved = "last-saved#"

func isName(s string) bool {
	for i, r := range s {
		if !namePart(r) || (i == 0 && !nameStart(r)) {
			return false
		}
	}
	return s != ""
}

// closing gives the quotes that may close a text that a quote opens: typographic
// ones are taken for the plain ones that were meant. "" if r is no quote.
func closing(r rune) string {
	switch r {
	case '\'':
		return "'"
	case '"':
		return `"`
	case '‘', '’', '‚', '‛':
		return "'‘’‛"
	case '“', '”', '„', '‟':
		return `"“”‟`
	}
	return ""
}

// literal reads a text. One that opens with a plain quote closes with the same;
// with a typographic one only if no plain one follows.
func (s *scanner) literal() (token, error) {
	pos := s.at
	quotes := closing(s.src[pos])
	end := s.closes(pos+1, quotes)
	if end < 0 && quotes == "'" {
		end = s.closes(pos+1, closing('’'))
	}
	if end < 0 && quotes == `"` {
		end = s.closes(pos+1, closing('”'))
	}
	if end < 0 {
		return token{}, &SyntaxError{Pos: pos, Code: "text_not_closed", Arg: string(s.src[pos])}
	}
	s.at = end + 1
	return token{kind: tokText, text: string(s.src[pos+1 : end]), pos: pos}, nil
}

func (s *scanner) closes(from int, quotes string) int {
	for i := from; i < len(s.src); i++ {
		if strings.ContainsRune(quotes, s.src[i]) {
			return i
		}
	}
	return -1
}

func (s *scanner) digits() {
	for digit(s.peek(0)) {
		s.at++
	}
}

func (s *scanner) number() (token, error) {
	pos := s.at
	s.digits()
	if s.peek(0) == '.' && s.peek(1) != '.' {
		s.at++
		s.digits()
	}
	if s.peek(0) == ',' && digit(s.peek(1)) && s.open <= 0 { // inside, a comma separates arguments
		return token{}, &SyntaxError{Pos: s.at, Code: "decimal_comma"}
	}
	return token{kind: tokNumber, text: string(s.src[pos:s.at]), pos: pos}, nil
}

// name reads a name, with its prefix as in jr:choice-name or its axis as in
// child::x.
func (s *scanner) name() token {
	pos := s.at
	s.nameParts()
	switch {
	case s.peek(0) == ':' && s.peek(1) == ':' && (nameStart(s.peek(2)) || s.peek(2) == '*'):
		s.at += 3
		s.nameParts()
	case s.peek(0) == ':' && (nameStart(s.peek(1)) || s.peek(1) == '*'):
		s.at += 2
		s.nameParts()
	}
	return token{kind: tokName, text: string(s.src[pos:s.at]), pos: pos}
}

func (s *scanner) nameParts() {
	for s.at < len(s.src) && namePart(s.src[s.at]) {
		s.at++
	}
}

// slips are operators of other languages, with what to write here.
var slips = []struct{ wrong, right string }{
	{"==", "="}, {"&&", "and"}, {"||", "or"}, {"<>", "!="}, {"=>", ">="}, {"=<", "<="},
}

// signs are what word processors make of operators.
var signs = map[rune]string{'≤': "<=", '≥': ">=", '≠': "!=", '−': "-", '–': "-", '×': "*"}

func (s *scanner) symbol() (token, error) {
	pos := s.at
	two := string(s.src[pos:min(len(s.src), pos+2)])
	for _, slip := range slips {
		if two == slip.wrong {
			return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: slip.wrong, Instead: slip.right}
		}
	}
	switch two {
	case "<=", ">=", "!=", "..", "//":
		s.at += 2
		return token{kind: tokSymbol, text: two, pos: pos}, nil
	}
	one := s.src[pos]
	s.at++
	if sign, ok := signs[one]; ok {
		return token{kind: tokSymbol, text: sign, pos: pos}, nil
	}
	switch one {
	case '(', ')', '[', ']', ',', '+', '-', '*', '/', '|', '=', '<', '>', '.', '@':
		return token{kind: tokSymbol, text: string(one), pos: pos}, nil
	case '!':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: "!", Instead: "not( )"}
	case '%':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: "%", Instead: "mod"}
	case '÷':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: "÷", Instead: "div"}
	case ';':
		return token{}, &SyntaxError{Pos: pos, Code: "slip", Arg: ";", Instead: ","}
	}
	return token{}, &SyntaxError{Pos: pos, Code: "character", Arg: string(one)}
}
