package openrosa

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/khaosat/khaosat/survey"
)

// body writes the questions.
func (w *writer) body() {
	if w.options.Visits {
		at := w.at(w.visit)
		w.open("select1", attr{"ref", at.String()}, attr{"appearance", "minimal autocomplete"})
		w.empty("label", attr{"ref", "jr:itext('" + textID(at, "label") + "')"})
		w.open("itemset", attr{"nodeset", "instance('" + visitsInstance + "')/root/item"})
		w.empty("value", attr{"ref", "name"})
		w.empty("label", attr{"ref", "label"})
		w.close("itemset")
		w.close("select1")
		w.line()
	}
	w.questions(w.template.Items)
	for i := range w.template.Checks {
		if w.checkedBeside(&w.template.Checks[i]) == nil {
			w.question("input", w.at(w.checkName(i)), "")
		}
	}
}

func (w *writer) questions(items []survey.Item) {
	for i := range items {
		it := &items[i]
		at := w.places[it.Name]
		switch it.Kind {
		case survey.KindGroup:
			w.open("group", attr{"ref", at.String()}, attr{"appearance", strings.ReplaceAll(groupAppearance(it), tableList, "field-list")})
			w.label(at, "label")
			w.line()
			w.questions(it.Items)
			w.close("group")
			w.line()
		case survey.KindRepeat:
			w.repeat(it, at)
		case survey.KindCalculate:
		default:
			w.control(it, at)
			if it.Evidence != "" {
				w.question("input", w.places[survey.NoteName(it.Name)], "multiline")
			}
		}
	}
}

// screenful is how many questions a group may have to be put on one screen.
const screenful = 12

// groupAppearance is the author's; a plain group of few questions is one screen.
func groupAppearance(g *survey.Item) string {
	plain := func(it survey.Item) bool { return !it.Kind.HasItems() }
	if g.Appearance == "" && len(g.Items) <= screenful && !slices.ContainsFunc(g.Items, func(it survey.Item) bool { return !plain(it) }) {
		return "field-list"
	}
	return g.Appearance
}

func (w *writer) repeat(it *survey.Item, at *place) {
	count, fixed := "", ""
	if it.RepeatCount != "" {
		fixed = "true()"
		if name := w.plainRef(it.RepeatCount); name != "" {
			count = at.ref(w.places[name])
		} else {
			count = (&place{path: append(at.path[:len(at.path)-1:len(at.path)-1], w.counts[it.Name])}).String()
		}
	}
	w.open("group", attr{"ref", at.String()})
	w.label(at, "label")
	w.open("repeat", attr{"nodeset", at.String()}, attr{"appearance", it.Appearance}, attr{"jr:count", count}, attr{"jr:noAddRemove", fixed})
	w.line()
	w.questions(it.Items)
	w.defaults(it.Items)
	w.close("repeat")
	w.close("group")
	w.line()
}

// defaults works out those of a new instance of a repeat.
func (w *writer) defaults(items []survey.Item) {
	for i := range items {
		it := &items[i]
		if it.Kind == survey.KindGroup {
			w.defaults(it.Items)
		} else if _, ok := fixedDefault(it); !ok && it.Kind != survey.KindRepeat {
			at := w.places[it.Name]
			w.empty("setvalue", attr{"ref", at.String()}, attr{"event", "odk-instance-first-load odk-new-repeat"}, attr{"value", w.xpath(it.Default, at, nil)})
		}
	}
}

// label writes the reference to a node's text, if there is one.
func (w *writer) label(at *place, what string) {
	if ref := w.ifSaid(textID(at, what)); ref != "" {
		w.empty(strings.TrimPrefix(what, "jr:"), attr{"ref", ref})
	}
}

// question writes a control with nothing but its texts.
func (w *writer) question(element string, at *place, appearance string, more ...attr) {
	w.open(element, append([]attr{{"ref", at.String()}, {"appearance", appearance}}, more...)...)
	w.label(at, "label")
	w.label(at, "hint")
	w.triggered(at)
	w.close(element)
	w.line()
}

// control writes an item's question.
func (w *writer) control(it *survey.Item, at *place) {
	if w.typed(it, at) {
		return
	}
	switch it.Kind {
	case survey.KindSelectOne, survey.KindRubric, survey.KindSelectMultiple:
		element := "select1"
		if it.Kind == survey.KindSelectMultiple {
			element = "select"
		}
		appearance := w.choiceAppearance(it)
		if head := w.heads[it.Name]; head != "" {
			w.open(element, attr{"ref", (&place{path: append(at.path[:len(at.path)-1:len(at.path)-1], head)}).String()}, attr{"appearance", "label"})
			w.itemset(it, at)
			w.close(element)
			w.line()
		}
		if w.inTable[it.Name] {
			appearance = "list-nolabel"
		}
		w.chooser(element, it, at, appearance)
	case survey.KindImage:
		w.question("upload", at, it.Appearance, attr{"mediatype", "image/*"})
	case survey.KindInteger, survey.KindDecimal:
		start, end, step := parameter(it.Parameters, "start"), parameter(it.Parameters, "end"), parameter(it.Parameters, "step")
		if start != "" && end != "" {
			w.question("range", at, it.Appearance, attr{"start", start}, attr{"end", end}, attr{"step", firstOf(step, "1")})
			return
		}
		w.question("input", at, it.Appearance)
	default:
		w.question("input", at, it.Appearance)
	}
}

// likert bounds when a rubric is laid out as a scale: few levels, short names.
const (
	likertLevels = 7
	likertName   = 14 // characters
)

func (w *writer) choiceAppearance(it *survey.Item) string {
	list := w.template.List(it.List)
	if it.Appearance != "" || it.Kind != survey.KindRubric || list == nil || len(list.Choices) > likertLevels {
		return it.Appearance
	}
	for i := range list.Choices {
		for _, label := range list.Choices[i].Label {
			if utf8.RuneCountInString(label) > likertName {
				return ""
			}
		}
	}
	return "likert"
}
