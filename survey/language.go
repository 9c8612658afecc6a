package survey

import (
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// LanguageName gives a language tag as XLSForm writes languages, with the
// language's own name: "Tiếng Việt (vi)". What is no tag is given as it stands.
func LanguageName(tag string) string {
	t, err := language.Parse(tag)
	if err != nil || t.String() != tag {
		return tag
	}
	name := []rune(display.Self.Name(t))
	if len(name) == 0 {
		return tag + " (" + tag + ")"
	}
	name[0] = unicode.ToUpper(name[0])
	return string(name) + " (" + tag + ")"
}

// LanguageName gives a language of the template as its author calls it.
func (t *Template) LanguageName(tag string) string {
	if name := t.LanguageNames[tag]; name != "" {
		return name
	}
	return LanguageName(tag)
}
