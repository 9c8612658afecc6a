package export

import (
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// codebookSheet says what every column of the sheet of visits means: a line a
// question, its choices beneath.
func (w *writer) codebookSheet() error {
	s, f := &w.styles, w.file
	points := tableColumn{w.word("points"), 9, s.points, s.totalPoints}
	t, err := w.newTable("sheet.codebook", "title.codebook", []tableColumn{{w.word("column"), 24, s.text, s.total}, {w.word("question"), 70, s.wrap, s.total}, {w.word("kind"), 16, s.text, s.total},
		{w.word("section"), 9, s.text, s.total}, points, {w.word("choice_code"), 14, s.text, s.total}, {w.word("choice"), 46, s.wrap, s.total}, {w.word("choice_points"), 10, s.points, s.totalPoints},
		{w.word("asked_when"), 40, s.wrap, s.total}})
	if err != nil {
		return err
	}
	for _, e := range Codebook(w.report.Template) {
		values := []any{e.Column, e.Label.In(w.report.Language), w.word("kind." + string(e.Kind)), e.Section, e.Points, "", "", "", e.Relevant}
		if err := t.add(values, false); err != nil {
			return err
		}
		for _, c := range e.Choices {
			var p *float64
			if c.Points != nil {
				v := c.Points.Float()
				p = &v
			}
			if err := t.add([]any{e.Column, "", "", "", "", c.Name, c.Label.In(w.report.Language), p, ""}, false); err != nil {
				return err
			}
			if err := f.SetRowOutlineLevel(t.sheet, t.row, 1); err != nil {
				return err
			}
		}
	}
	return t.finish(1, t.row)
}

// CodebookEntry describes a question as it stands in tables of answers.
type CodebookEntry struct {
	Column   string // the item's name
	Label    survey.Text
	Kind     survey.ItemKind
	Section  string   // the outermost group it is in
	Repeat   string   // the repeat it is in; "" for none
	Points   *float64 // nil: not scored
	Relevant string   // when it is asked; "" for always
	Choices  []survey.Choice
}

// Codebook lists the questions of a template in their order, notes apart.
func Codebook(t *survey.Template) []CodebookEntry {
	var out []CodebookEntry
	t.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		if it.Kind.HasItems() || it.Kind == survey.KindNote {
			return true
		}
		e := CodebookEntry{Column: it.Name, Label: plainLabel(it.Label), Kind: it.Kind}
		var when []string
		for _, p := range parents {
			if p.Relevant != "" {
				when = append(when, p.Relevant)
			}
			if p.Kind == survey.KindRepeat {
				e.Repeat = p.Name
			}
		}
		if it.Relevant != "" {
			when = append(when, it.Relevant)
		}
		e.Relevant = strings.Join(when, "\n")
		if len(parents) > 0 {
			e.Section = parents[0].Name
		}
		if it.Points != nil {
			p := it.Points.Float()
			e.Points = &p
		}
		if list := t.List(it.List); list != nil {
			e.Choices = list.Choices
		}
		out = append(out, e)
		if it.Evidence != "" {
			note := e
			note.Column, note.Kind, note.Points, note.Choices, note.Relevant = survey.NoteName(it.Name), survey.KindText, nil, nil, it.Evidence
			out = append(out, note)
		}
		return true
	})
	return out
}

// plainLabel leaves a blank where a label names another answer.
func plainLabel(label survey.Text) survey.Text {
	out := survey.Text{}
	for lang, s := range label {
		for {
			from := strings.Index(s, "${")
			to := -1
			if from >= 0 {
				to = strings.IndexByte(s[from:], '}')
			}
			if to < 0 {
				break
			}
			s = s[:from] + "…" + s[from+to+1:]
		}
		out[lang] = s
	}
	return out
}
