// Package message is what khaosat says to people, in Vietnamese and English.
// Every text has an id; errors and problems carry the id as their code.
package message

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/khaosat/khaosat/survey"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// The catalogue is cut into a file for each room of the program and language:
// general.vi.json, phone.en.json.
//
//go:embed *.json
var files embed.FS

// Languages are the tags khaosat speaks, the default first.
var Languages = []string{"vi", "en"}

var matcher = language.NewMatcher([]language.Tag{language.Vietnamese, language.English})

// Match chooses one of Languages for what a person prefers, given as language
// tags or Accept-Language headers, the most important first. The default is
// Vietnamese.
func Match(preferred ...string) string {
	var tags []language.Tag
	for _, p := range preferred {
		if parsed, _, err := language.ParseAcceptLanguage(p); err == nil {
			tags = append(tags, parsed...)
		}
	}
	if len(tags) == 0 {
		return Languages[0]
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return Languages[0]
	}
	return Languages[i]
}

var localizers = sync.OnceValue(func() map[string]*i18n.Localizer {
	bundle := i18n.NewBundle(language.Vietnamese)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	out := make(map[string]*i18n.Localizer, len(Languages))
	// The files are part of the program; a test loads them, so none fails here.
	names, _ := fs.Glob(files, "*.json")
	for _, name := range names {
		_, _ = bundle.LoadMessageFileFS(files, name)
	}
	for _, lang := range Languages {
		out[lang] = i18n.NewLocalizer(bundle, lang)
	}
	return out
})

// Say gives the text of id in lang, filled with args. An id without a text is
// returned as it stands, so that nothing is ever blank; Known tells.
func Say(lang, id string, args survey.Args) string {
	s, ok := say(lang, id, args, nil)
	if !ok {
		return id
	}
	return s
}

// Count is Say for a text that depends on a number, which it shows as {{.count}}.
func Count(lang, id string, n int, args survey.Args) string {
	with := survey.Args{"count": fmt.Sprint(n)}
	for k, v := range args {
		with[k] = v
	}
	s, ok := say(lang, id, with, n)
	if !ok {
		return id
	}
	return s
}

// Room gives the texts of whole families of ids ("editor", for editor.save and
// the rest), by id, for programs that run in a browser. Placeholders stay as
// they are: {{.name}}.
func Room(lang string, families ...string) map[string]string {
	out := map[string]string{}
	names, _ := fs.Glob(files, "*."+lang+".json")
	for _, name := range names {
		var texts map[string]json.RawMessage
		b, err := files.ReadFile(name)
		if err != nil || json.Unmarshal(b, &texts) != nil {
			continue // a test loads them all
		}
		for id, raw := range texts {
			family, _, _ := strings.Cut(id, ".")
			var text string
			if slices.Contains(families, family) && json.Unmarshal(raw, &text) == nil {
				out[id] = text
			}
		}
	}
	return out
}

// Known reports whether id has a text in lang.
func Known(lang, id string) bool {
	_, ok := say(lang, id, survey.Args{}, nil)
	return ok
}

func say(lang, id string, args survey.Args, count any) (string, bool) {
	l := localizers()[lang]
	if l == nil {
		l = localizers()[Languages[0]]
	}
	if l == nil {
		return "", false
	}
	s, err := l.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: map[string]string(args), PluralCount: count})
	if err != nil || s == "" {
		return "", false
	}
	return strings.ReplaceAll(s, "<no value>", "…"), true
}

// OfError gives what a person is told of an error: its code's text; for one
// without a code or from elsewhere, a general sentence that gives nothing away.
func OfError(lang string, err error) string {
	var e *survey.Error
	if errors.As(err, &e) && e.Kind != survey.Internal && e.Code != "" && Known(lang, e.Code) {
		return Say(lang, e.Code, e.Args)
	}
	return Say(lang, "kind."+strings.ReplaceAll(survey.KindOf(err).String(), " ", "_"), nil)
}

// OfProblem gives the sentence for a problem, with the suggestion if there is
// one, but without its place.
func OfProblem(lang string, p survey.Problem) string {
	s := p.Text.In(lang)
	if s == "" {
		args := survey.Args{"value": p.Value, "item": p.Place.Item}
		for k, v := range p.Args {
			args[k] = v
		}
		s = Say(lang, p.Code, args)
	}
	if p.Suggestion != "" {
		s += " " + Say(lang, "problem.did_you_mean", survey.Args{"suggestion": p.Suggestion})
	}
	return s
}

// Place gives where a problem is, in words: "survey, row 12, column relevant".
// "" when the problem has no place.
func Place(lang string, p survey.Place) string {
	var parts []string
	add := func(id string, value string) {
		parts = append(parts, Say(lang, id, survey.Args{"value": value}))
	}
	if p.Sheet != "" {
		add("place.sheet", p.Sheet)
	}
	if p.Row > 0 {
		add("place.row", fmt.Sprint(p.Row))
	}
	if p.Column != "" {
		add("place.column", p.Column)
	}
	if p.Item != "" {
		add("place.item", p.Item)
	} else if p.Pointer != "" {
		parts = append(parts, p.Pointer)
	}
	if p.Pos != nil {
		add("place.pos", fmt.Sprint(*p.Pos+1))
	}
	return strings.Join(parts, ", ")
}

// OfDifference says what changed between two versions of a template.
func OfDifference(lang string, d survey.Difference) string {
	shown := func(s string) string {
		if s == "" {
			return Say(lang, "diff.nothing", nil)
		}
		return "“" + s + "”"
	}
	name := d.Name
	if label := d.Label.In(lang); label != "" && d.Kind != survey.ItemText && d.Kind != survey.ChoiceText {
		name += " (" + label + ")"
	}
	return Say(lang, "diff."+string(d.Kind), survey.Args{"name": name, "list": d.List, "field": d.Field, "before": shown(d.Before), "after": shown(d.After)})
}
