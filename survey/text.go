package survey

import (
	"slices"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Text is something a person reads, by language tag ("vi", "en").
type Text map[string]string

// In gives the text in lang; failing that in the first of the fallbacks that
// has one, then in whatever language comes first by tag. "" if there is none.
func (t Text) In(lang string, fallbacks ...string) string {
	if s := t[lang]; s != "" {
		return s
	}
	for _, f := range fallbacks {
		if s := t[f]; s != "" {
			return s
		}
	}
	tags := make([]string, 0, len(t))
	for tag := range t {
		tags = append(tags, tag)
	}
	sort.Strings(tags)
	for _, tag := range tags {
		if t[tag] != "" {
			return t[tag]
		}
	}
	return ""
}

// IsZero reports whether there is no text in any language.
func (t Text) IsZero() bool {
	for _, s := range t {
		if s != "" {
			return false
		}
	}
	return true
}

// Fold gives a text in lower case without diacritics, for searching and for
// matching what people typed: "Nguyễn Đức" is "nguyen duc".
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ' || r == 'Đ':
			return 'd'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}

// Search finds texts by words in any order, whatever their accents.
type Search []string

// NewSearch takes what is searched for apart; of nothing but white space comes a
// search that finds everything.
func NewSearch(s string) Search { return strings.Fields(Fold(s)) }

// Finds reports whether each of the words stands in one of the texts.
func (s Search) Finds(texts ...string) bool {
	if len(s) == 0 {
		return true
	}
	in := Fold(strings.Join(texts, " "))
	return !slices.ContainsFunc(s, func(word string) bool { return !strings.Contains(in, word) })
}
