package xlsform

import (
	"regexp"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"golang.org/x/text/unicode/norm"
)

// identifier reads a cell with a name or code: composed letters, single spaces.
func identifier(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

// yesNo reads a truth value in the ways that XLSForm knows.
func yesNo(s string) (yes, ok bool) {
	switch strings.ToLower(s) {
	case "", "no", "false", "false()", "0":
		return false, true
	case "yes", "true", "true()", "1":
		return true, true
	}
	return false, false
}

// yes reads a cell that is yes or no.
func (r *reader) yes(g *grid, row sheetRow, column, item string) bool {
	s := g.get(row, column)
	yes, ok := yesNo(s)
	if !ok {
		r.fault("cell.yes_no", g.place(row, column, item), s, nil)
	}
	return yes
}

// condition reads a cell with an expression for which yes and no may stand.
func condition(s string) string {
	if yes, ok := yesNo(s); ok && s != "" {
		if yes {
			return "true()"
		}
		return "false()"
	}
	return expression(s)
}

// binding reads a cell with an expression for which yes and no may be written
// as words. Unlike in a condition, numbers stay numbers.
func binding(s string) string {
	switch strings.ToLower(s) {
	case "yes", "true", "true()":
		return "true()"
	case "no", "false", "false()":
		return "false()"
	}
	return expression(s)
}

// decimalComma is a number with a comma before one or two decimals; with three
// digits it may be a thousand.
var decimalComma = regexp.MustCompile(`^([+-]?\d+),(\d{1,2})$`)

// points reads a number of points; nil when the cell is empty or no number.
func (r *reader) points(g *grid, row sheetRow, column, item string) *survey.Points {
	s := g.get(row, column)
	if s == "" {
		return nil
	}
	p, ok := survey.ParsePoints(decimalComma.ReplaceAllString(s, "$1.$2"))
	if !ok {
		r.fault("points.shape", g.place(row, column, item), s, nil)
		return nil
	}
	return &p
}

// expression straightens the quotes that word processors and spreadsheets make
// round, except inside a text that is already in straight quotes.
func expression(s string) string {
	if !strings.ContainsAny(s, "“”„‟‘’‚‛«»") {
		return s
	}
	var b strings.Builder
	var open rune // the quote the literal began with, straightened
	straight := false
	for _, c := range s {
		switch q := straightQuote(c); {
		case open == 0 && q != 0:
			open, straight = q, q == c
			b.WriteRune(q)
		case open != 0 && (c == open || !straight && q == open):
			b.WriteRune(open)
			open = 0
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// straightQuote gives the straight quote for any quote, 0 for other characters.
func straightQuote(c rune) rune {
	switch c {
	case '"', '“', '”', '„', '‟', '«', '»':
		return '"'
	case '\'', '‘', '’', '‚', '‛':
		return '\''
	}
	return 0
}

// splitOutside splits at any of the separators that is outside quotes and
// braces.
func splitOutside(s, separators string) []string {
	var out []string
	var quote rune
	braces, from := 0, 0
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{':
			braces++
		case c == '}':
			braces = max(0, braces-1)
		case braces == 0 && strings.ContainsRune(separators, c):
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// steps reads "condition : points" entries, one a line or separated by ';'.
func (r *reader) steps(g *grid, row sheetRow, item string) []survey.Step {
	var out []survey.Step
	for _, entry := range splitOutside(expression(g.get(row, "steps")), "\n;") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		parts := splitOutside(entry, ":")
		last := len(parts) - 1
		when, points := strings.TrimSpace(strings.Join(parts[:last], ":")), strings.TrimSpace(parts[last])
		if when == "" || points == "" {
			r.fault("steps.shape", g.place(row, "steps", item), entry, nil)
			continue
		}
		out = append(out, survey.Step{When: when, Points: decimalComma.ReplaceAllString(points, "$1.$2")})
	}
	return out
}

// stepsCell is the opposite of steps. A line break within a condition means no
// more than a space there and is written as one.
func stepsCell(steps []survey.Step) string {
	lines := make([]string, len(steps))
	for i, s := range steps {
		lines[i] = strings.Join(splitOutside(s.When, "\n"), " ") + " : " + strings.Join(splitOutside(s.Points, "\n"), " ")
	}
	return strings.Join(lines, "\n")
}

// functionCall is a name directly before a parenthesis.
var functionCall = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_.-]*\(`)

// defaultExpression makes an expression of a default. In XLSForm it is taken
// literally unless it looks dynamic: it has a reference, calls a function, or
// is in quotes itself.
func defaultExpression(kind survey.ItemKind, s string) string {
	switch {
	case s == "":
		return ""
	case kind == survey.KindInteger || kind == survey.KindDecimal:
		return expression(s) // a number is its own expression
	case strings.Contains(s, "${") || functionCall.MatchString(s) || isQuoted(expression(s)):
		return expression(s)
	}
	return quote(s)
}

// defaultCell is the opposite: it writes a literal without quotes where it is
// read back as the same.
func defaultCell(kind survey.ItemKind, e string) string {
	if isQuoted(e) {
		if literal := e[1 : len(e)-1]; literal == tidy(literal) && defaultExpression(kind, literal) == e {
			return literal
		}
	}
	return e
}

// isQuoted reports whether an expression is one text literal.
func isQuoted(s string) bool {
	return len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && strings.IndexByte(s[1:], s[0]) == len(s)-2
}

// quote makes a text literal. There are no escapes in the language, so a text
// with both kinds of quotes is put together from parts.
func quote(s string) string {
	switch {
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	case !strings.Contains(s, `"`):
		return `"` + s + `"`
	}
	parts := strings.Split(s, "'")
	for i := range parts {
		parts[i] = "'" + parts[i] + "'"
	}
	return "concat(" + strings.Join(parts, `, "'", `) + ")"
}
