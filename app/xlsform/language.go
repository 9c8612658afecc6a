package xlsform

import (
	"strings"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// unnamed is the tag of texts in a workbook that names no language.
const unnamed = "und"

// languageName is a language as a workbook names it: "Tiếng Việt (vi)" has the
// name "Tiếng Việt" and the tag "vi". A name without a code stands for itself:
// "French" has the tag "french" and is not coded.
type languageName struct {
	name, tag string
	coded     bool
	// known is false for a code that is no language tag.
	known bool
}

func parseLanguage(s string) languageName {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	open := strings.LastIndexByte(s, '(')
	if open < 0 || !strings.HasSuffix(s, ")") {
		return languageName{name: s, tag: slug(s), known: true}
	}
	code := strings.TrimSpace(s[open+1 : len(s)-1])
	l := languageName{name: strings.TrimSpace(s[:open]), tag: slug(code), coded: true}
	if t, err := language.Parse(code); err == nil {
		l.tag, l.known = t.String(), true
	}
	return l
}

// slug makes a key of a name: lower case, words joined by '-', only letters,
// digits, '-' and '_'. The slug of a slug is itself.
func slug(s string) string {
	keep := func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}
	if s = strings.Join(strings.Fields(strings.Map(keep, s)), "-"); s == "" {
		return unnamed
	}
	return s
}

// languages are all the languages that the headers of a workbook name.
type languages struct {
	// def is the tag of the default language, which texts without a language
	// are in.
	def string
	// tags are in the order of their first column.
	tags []string
	// byName finds the tag of a language that is named with a code elsewhere,
	// for headers that leave the code out.
	byName map[string]string
}

func (l *languages) tagOf(header string) string {
	parsed := parseLanguage(header)
	if parsed.coded {
		return parsed.tag
	}
	if tag, ok := l.byName[strings.ToLower(parsed.name)]; ok {
		return tag
	}
	return parsed.tag
}
