package survey

import (
	"regexp"
	"strconv"
	"strings"
)

// Line is one place of a filled-in form as a page or a sheet of paper shows it.
type Line struct {
	Slot int
	// Path names it among the fields of a page: "present", "speakers/0/name".
	Path string
	Cell *Cell
	// Given is what was put in, or the default that was taken; nil for neither.
	Given *Value
	// Required says that it must not be blank.
	Required bool
	// Lines are what is in a group, Rows the instances of a repeat.
	Lines []Line
	Rows  [][]Line

	filled *Filled
	frame  *frame
}

// Lines gives the whole form in template order, with what is not asked: the
// cells tell. Evidence notes follow their items.
func (fl *Filled) Lines() []Line { return fl.lines(fl.frames[0][0], -1, "") }

func (fl *Filled) lines(fr *frame, parent int, prefix string) []Line {
	var out []Line
	for slot := range fl.form.nodes {
		n := &fl.form.nodes[slot]
		if n.scope != fr.scope || n.parent != parent {
			continue
		}
		l := Line{Slot: slot, Path: prefix + n.name, Cell: &fr.cells[n.local], filled: fl, frame: fr}
		l.Given = l.Cell.given
		switch {
		case n.inner >= 0:
			for _, row := range fl.frames[n.inner] {
				if row.parent == fr {
					l.Rows = append(l.Rows, fl.lines(row, slot, l.Path+"/"+strconv.Itoa(row.index)+"/"))
				}
			}
		case n.kind == KindGroup:
			l.Lines = fl.lines(fr, slot, prefix)
		case n.kind != KindNote && l.Cell.State != NotAsked:
			fl.env.frame, fl.env.score, fl.env.self = fr, nil, l.Cell.Value
			l.Required = fl.isRequired(n, fr)
		}
		out = append(out, l)
	}
	return out
}

// Label gives the label in a language, of an evidence note its item's, with the
// values of other items put in where it names them: ${present}.
func (l *Line) Label(lang string) string { return l.say(l.node().item.Label, lang) }

// Hint gives the hint in a language.
func (l *Line) Hint(lang string) string {
	if l.node().note >= 0 {
		return ""
	}
	return l.say(l.node().item.Hint, lang)
}

func (l *Line) node() *node { return &l.filled.form.nodes[l.Slot] }

var inserted = regexp.MustCompile(`\$\{\s*([^}\s]+)\s*\}`)

func (l *Line) say(text Text, lang string) string {
	said := text.In(lang, l.filled.form.Template.Languages...)
	if !strings.Contains(said, "${") {
		return said
	}
	return inserted.ReplaceAllStringFunc(said, func(found string) string {
		slot, known := l.filled.form.slots[inserted.FindStringSubmatch(found)[1]]
		if !known {
			return found
		}
		n := &l.filled.form.nodes[slot]
		if c := l.filled.cell(slot, l.frame); c != nil {
			return n.shown(c, lang, l.filled.form.Template.Languages)
		}
		var all []string
		for f := range l.filled.within(l.frame, n.scope) {
			if s := n.shown(&f.cells[n.local], lang, l.filled.form.Template.Languages); s != "" {
				all = append(all, s)
			}
		}
		return strings.Join(all, ", ")
	})
}

// shown gives a cell's value as people read it: labels of choices, days in the
// usual order of the language.
func (n *node) shown(c *Cell, lang string, languages []string) string {
	if c.State == NotAsked || c.State == Blank || n.kind.HasItems() {
		return ""
	}
	text := c.Value.Text()
	switch {
	case n.list != nil:
		names := []string{text}
		if n.kind == KindSelectMultiple {
			names = splitChoices(text)
		}
		for i, name := range names {
			if _, choice := n.list.Choice(name); choice != nil {
				names[i] = choice.Label.In(lang, languages...)
			}
		}
		return strings.Join(names, ", ")
	case n.kind == KindDate && lang == "vi":
		return Date(c.Value.Number()).Time().Format("02/01/2006")
	case n.kind == KindTime && len(text) > 5:
		return text[:5]
	case (n.kind == KindInteger || n.kind == KindDecimal || n.kind == KindCalculate) && lang == "vi":
		return strings.Replace(text, ".", ",", 1)
	}
	return text
}

// ReadFields makes answers of the fields of a page: each by the path of a Line,
// with its values as they were sent. Of a repeat, rows tells how many instances
// were sent. What does not fit is taken as the text that it is, so that Fill
// tells of it. An item without a field was not given.
func (f *Form) ReadFields(fields map[string][]string, rows func(path string) int) Answers {
	return f.readFields(0, "", fields, rows)
}

func (f *Form) readFields(in int, prefix string, fields map[string][]string, rows func(string) int) Answers {
	var out Answers
	for slot := range f.nodes {
		n := &f.nodes[slot]
		if n.scope != in {
			continue
		}
		path := prefix + n.name
		if n.inner >= 0 {
			count := rows(path)
			if count == 0 {
				continue
			}
			v := RowsValue()
			for i := range count {
				v.Rows = append(v.Rows, f.readFields(n.inner, path+"/"+strconv.Itoa(i)+"/", fields, rows))
			}
			out = append(out, Answer{n.name, v})
			continue
		}
		if sent, given := fields[path]; given && n.kind != KindGroup && n.kind != KindNote && n.kind != KindCalculate {
			out = append(out, Answer{n.name, n.fieldValue(sent)})
		}
	}
	return out
}

// fieldValue makes a value of what a field sent.
func (n *node) fieldValue(sent []string) Value {
	var filled []string
	for _, s := range sent {
		if s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")); s != "" {
			filled = append(filled, s)
		}
	}
	if len(filled) == 0 {
		return Value{}
	}
	switch n.kind {
	case KindSelectMultiple:
		return ListValue(filled...)
	case KindInteger, KindDecimal:
		// A decimal comma is what many people write.
		if v, err := strconv.ParseFloat(strings.Replace(filled[0], ",", ".", 1), 64); err == nil && v-v == 0 {
			return NumberValue(v)
		}
	}
	return TextValue(filled[0])
}
