package openrosa

import (
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// Options say what a form is made for; the zero value makes one that stands
// alone.
type Options struct {
	// Visits makes the form begin with the choice of one of the observer's own
	// visits, from visits.csv; what depends on the unit is asked by it.
	Visits bool
}

// ContentType is what forms and the protocol's documents are sent as; clients
// look for it.
const ContentType = "text/xml; charset=utf-8"

// XForm writes a template, which must compile, as an ODK XForm. The same
// template and options always give the same bytes.
func XForm(t *survey.Template, o Options) ([]byte, error) {
	w := &writer{layout: newLayout(t), options: o, texts: map[string]int{}}
	w.collect()
	w.open("h:html", attr{"xmlns", "http://www.w3.org/2002/xforms"}, attr{"xmlns:h", "http://www.w3.org/1999/xhtml"},
		attr{"xmlns:jr", "http://openrosa.org/javarosa"}, attr{"xmlns:orx", "http://openrosa.org/xforms"},
		attr{"xmlns:odk", "http://www.opendatakit.org/xforms"}, attr{"xmlns:xsd", "http://www.w3.org/2001/XMLSchema"})
	w.line()
	w.open("h:head")
	w.element("h:title", t.Title.In("", t.Languages...))
	w.line()
	w.open("model", attr{"odk:xforms-version", "1.0.0"})
	w.line()
	w.findFiles()
	w.itext()
	w.instances()
	w.binds()
	w.close("model")
	w.close("h:head")
	w.line()
	w.open("h:body", attr{"class", t.Settings["style"]})
	w.line()
	w.body()
	w.close("h:body")
	w.close("h:html")
	w.line()
	if w.err != nil {
		return nil, w.err
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + w.String()), nil
}

// writer holds a form in the making.
type writer struct {
	markup
	*layout
	options   Options
	err       error // the first
	list      []itextEntry
	texts     map[string]int // by id, the place in list
	lists     []*survey.ChoiceList
	lastSaved bool
	files     []string // that lists and formulas come from, beside the form
}

// itextEntry is one text with its id and, for a hint, the guidance with it.
type itextEntry struct {
	id             string
	text, guidance survey.Text
	media          map[string]survey.Text
	at             *place // from where references in the text are seen
}

// say files a text and gives the reference to it.
func (w *writer) say(at *place, id string, text, guidance survey.Text) string {
	if _, twice := w.texts[id]; !twice {
		w.texts[id] = len(w.list)
		w.list = append(w.list, itextEntry{id: id, text: text, guidance: guidance, at: at})
	}
	return "jr:itext('" + id + "')"
}

// show adds files to what an id says.
func (w *writer) show(id string, media map[string]survey.Text) {
	if i, ok := w.texts[id]; ok {
		w.list[i].media = media
	}
}

// textID names a text of a node.
func textID(at *place, what string) string { return at.String() + ":" + what }

// spoken is a text from our own catalogue in the template's languages.
func (w *writer) spoken(id string, args func(lang string) survey.Args) survey.Text {
	out := survey.Text{}
	for _, tag := range w.template.Languages {
		base, _, _ := strings.Cut(tag, "-")
		spoken := "en"
		if base == "vi" {
			spoken = "vi"
		}
		var a survey.Args
		if args != nil {
			a = args(tag)
		}
		out[tag] = message.Say(spoken, id, a)
	}
	return out
}

// collect files every text, so that the itext can be written first.
func (w *writer) collect() {
	used := map[string]bool{}
	if w.options.Visits {
		at := w.at(w.visit)
		w.say(at, textID(at, "label"), w.spoken("openrosa.visit", nil), nil)
		w.say(at, textID(at, "jr:requiredMsg"), w.spoken("openrosa.visit_required", nil), nil)
	}
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		w.collectItem(it)
		w.collectList(w.template.List(it.List), it.Kind.Chooses() && it.Type != "acknowledge", used)
		return true
	})
	// Formulas may look into lists that nothing chooses from.
	formulas := w.formulas()
	for i := range w.template.Lists {
		l := &w.template.Lists[i]
		w.collectList(l, strings.Contains(formulas, "instance('"+l.Name+"')"), used)
	}
	for i := range w.template.Checks {
		if c := &w.template.Checks[i]; w.checkedBeside(c) == nil {
			at := w.at(w.checkName(i))
			w.say(at, textID(at, "label"), c.Label, nil)
		}
	}
}

func (w *writer) collectList(l *survey.ChoiceList, wanted bool, used map[string]bool) {
	if l == nil || !wanted || used[l.Name] {
		return
	}
	used[l.Name] = true
	w.lists = append(w.lists, l)
	for i := range l.Choices {
		w.say(nil, choiceID(l, i), choiceLabel(&l.Choices[i]), nil)
		w.show(choiceID(l, i), l.Choices[i].Media)
	}
}

// formulas is every expression of the template, for looking into.
func (w *writer) formulas() string {
	var b strings.Builder
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		for _, e := range []string{it.Calculation, it.Relevant, it.Constraint, it.ChoiceFilter, it.Default, it.Required, it.RepeatCount} {
			b.WriteString(e + "\n")
		}
		return true
	})
	return b.String()
}

// checkName is the node of a check that no item can carry.
func (l *layout) checkName(i int) string { return "check_" + strconv.Itoa(i+1) + "_" }

func choiceID(l *survey.ChoiceList, i int) string { return l.Name + "-" + strconv.Itoa(i) }

func choiceLabel(c *survey.Choice) survey.Text {
	if c.Label.IsZero() {
		return survey.Text{"": c.Name}
	}
	return c.Label
}

func (w *writer) collectItem(it *survey.Item) {
	at := w.places[it.Name]
	if it.Kind == survey.KindCalculate {
		return
	}
	label := it.Label
	if label.IsZero() && !it.Kind.HasItems() && len(it.Media) == 0 {
		label = survey.Text{"": it.Name} // clients refuse a question without one
	}
	if !label.IsZero() || len(it.Media) > 0 {
		w.say(at, textID(at, "label"), label, nil)
		w.show(textID(at, "label"), it.Media)
	}
	if guidance := w.anchors(it); !it.Hint.IsZero() || !guidance.IsZero() {
		w.say(at, textID(at, "hint"), it.Hint, guidance)
	}
	if !it.RequiredMessage.IsZero() {
		w.say(at, textID(at, "jr:requiredMsg"), it.RequiredMessage, nil)
	}
	if m := w.constraintMessage(it); !m.IsZero() {
		w.say(at, textID(at, "jr:constraintMsg"), m, nil)
	}
	if it.Evidence != "" && !it.Kind.HasItems() {
		note := w.places[survey.NoteName(it.Name)]
		w.say(note, textID(note, "label"), w.noteLabel(it), nil)
		w.say(note, textID(note, "jr:requiredMsg"), w.spoken("answer.evidence_required", func(lang string) survey.Args {
			return survey.Args{"of": it.Label.In(lang, w.template.Languages...)}
		}), nil)
	}
}

func (w *writer) noteLabel(it *survey.Item) survey.Text {
	return w.spoken("openrosa.note", func(lang string) survey.Args {
		return survey.Args{"item": it.Label.In(lang, w.template.Languages...)}
	})
}

// anchors is the author's guidance, and what is seen or heard at each level, for
// those who ask for it.
func (w *writer) anchors(it *survey.Item) survey.Text {
	list := w.template.List(it.List)
	if !it.Kind.Chooses() || list == nil {
		return it.Guidance
	}
	out := survey.Text{}
	for _, tag := range w.template.Languages {
		var lines []string
		if s := it.Guidance.In(tag, w.template.Languages...); s != "" {
			lines = append(lines, s)
		}
		for i := range list.Choices {
			if c := &list.Choices[i]; !c.Anchor.IsZero() {
				lines = append(lines, c.Label.In(tag, w.template.Languages...)+": "+c.Anchor.In(tag, w.template.Languages...))
			}
		}
		if len(lines) > 0 {
			out[tag] = strings.Join(lines, "\n")
		}
	}
	return out
}

// mediaForms are what may stand beside a label, and the folders in which clients
// look for it.
var mediaForms = []struct{ form, folder string }{{"image", "images"}, {"big-image", "images"}, {"audio", "audio"}, {"video", "video"}}

// checkedBeside gives the item at whose constraint a rule over the whole form
// is checked, nil if there is none that clients would check it at.
func (w *writer) checkedBeside(c *survey.Check) *survey.Item {
	p := w.places[c.Item]
	if p == nil || p.note || len(p.repeats) > 0 || p.item.ReadOnly || p.item.Kind.HasItems() ||
		p.item.Kind == survey.KindNote || p.item.Kind == survey.KindCalculate {
		return nil
	}
	return p.item
}

// constraintMessage is the item's own, and after it those of the rules that are
// checked beside the item.
func (w *writer) constraintMessage(it *survey.Item) survey.Text {
	out := survey.Text{}
	for _, tag := range w.template.Languages {
		var parts []string
		if s := it.ConstraintMessage.In(tag, w.template.Languages...); s != "" {
			parts = append(parts, s)
		}
		for i := range w.template.Checks {
			if c := &w.template.Checks[i]; w.checkedBeside(c) == it {
				parts = append(parts, c.Label.In(tag, w.template.Languages...))
			}
		}
		if len(parts) > 0 {
			out[tag] = strings.Join(parts, "\n")
		}
	}
	return out
}

// languageName is a language as the author calls it: what the observer chooses
// from.
func (w *writer) languageName(tag string) string {
	if tag == "und" {
		return "default"
	}
	return w.template.LanguageName(tag)
}

// itext writes every text in every language.
func (w *writer) itext() {
	w.open("itext")
	w.line()
	for i, tag := range w.template.Languages {
		first := ""
		if i == 0 {
			first = "true()"
		}
		w.open("translation", attr{"lang", w.languageName(tag)}, attr{"default", first})
		w.line()
		for _, e := range w.list {
			w.open("text", attr{"id", e.id})
			if !e.text.IsZero() || len(e.media) == 0 {
				w.open("value")
				w.spell(e.text.In(tag, w.template.Languages...), e.at)
				w.close("value")
			}
			for _, m := range mediaForms {
				if file := e.media[m.form].In(tag, w.template.Languages...); file != "" {
					w.element("value", "jr://"+m.folder+"/"+file, attr{"form", m.form})
				}
			}
			if !e.guidance.IsZero() {
				w.open("value", attr{"form", "guidance"})
				w.spell(e.guidance.In(tag, w.template.Languages...), e.at)
				w.close("value")
			}
			w.close("text")
			w.line()
		}
		w.close("translation")
		w.line()
	}
	w.close("itext")
	w.line()
}

// spell writes a text in which references show values.
func (w *writer) spell(s string, at *place) {
	for {
		before, rest, found := strings.Cut(s, "${")
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		to := w.places[name]
		if !closed || to == nil || at == nil {
			w.text(before + "${")
			s = rest
			continue
		}
		w.text(before)
		w.empty("output", attr{"value", " " + at.ref(to) + " "})
		s = after
	}
	w.text(s)
}
