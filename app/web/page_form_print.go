package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// paperRows is how many empty entries of a repeat stand on paper.
const paperRows = 3

// printedForm is what form-print.html draws.
type printedForm struct {
	Title, Code string
	// Unit, Round, Due, Role and Observer are filled in for a visit, "" otherwise.
	Unit, Round, Due, Role, Observer string
	Fields                           []plainField
	Entry                            string // where it can be typed in afterwards
}

// PaperRows are the numbers of the empty entries of a repeat.
func (printedForm) PaperRows() []int {
	out := make([]int, paperRows)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// pagePrintTemplate shows a template version as a blank sheet.
func (s *Server) pagePrintTemplate(q *request) error {
	version, err := q.version()
	if err != nil {
		return err
	}
	filled, err := s.svc.PrintedForm(q.ctx, q.caller, survey.TemplateCode(q.Params("code")), version)
	if err != nil {
		return err
	}
	return s.showPrinted(q, filled, printedForm{})
}

// pagePrintVisit shows the blank form of a visit, with what is known filled in.
func (s *Server) pagePrintVisit(q *request) error {
	v, err := s.svc.Visit(q.ctx, q.caller, survey.AssignmentID(q.Params("id")))
	if err != nil {
		return err
	}
	lang := q.caller.Language
	p := printedForm{Unit: v.Unit.Name + " (" + string(v.Unit.Unit) + ")", Round: v.Round.Title.In(lang), Due: v.Assignment.Due.String(),
		Role: message.Say(lang, "form.role."+string(v.Assignment.Role), nil), Observer: fullName(v.Observer),
		Entry: "/visits/" + string(v.Assignment.ID) + "/plain"}
	if due := v.Assignment.Due; due != 0 {
		p.Due = due.Time().Format("02/01/2006")
	}
	return s.showPrinted(q, s.svc.FillVisit(v, nil), p)
}

func (s *Server) showPrinted(q *request, filled *survey.Filled, p printedForm) error {
	lang := q.caller.Language
	t := filled.Form().Template
	p.Title, p.Code = t.Title.In(lang, t.Languages...), fmt.Sprintf("%s · %d", t.Code, t.Version)
	b := &paperBuilder{plainBuilder{lang: lang, zone: time.UTC, form: filled.Form()}, filled, p.Unit != ""}
	p.Fields = b.items(t.Items, "")
	return s.show(q.Ctx, 200, "form-print", q.page(p.Title, p))
}

// paperBuilder makes the fields of a blank sheet: everything that may be asked
// of the unit, whatever else is answered.
type paperBuilder struct {
	plainBuilder
	filled *survey.Filled
	known  bool // whether the unit is
}

func (b *paperBuilder) items(items []survey.Item, prefix string) []plainField {
	var out []plainField
	languages := b.form.Template.Languages
	for i := range items {
		it := &items[i]
		slot, found := b.form.Slot(it.Name)
		if !found || it.Kind == survey.KindCalculate || (b.known && !b.applies(slot)) {
			continue
		}
		f := plainField{ID: fieldID(prefix + it.Name), Name: it.Name, Kind: it.Kind, Label: paperText(it.Label.In(b.lang, languages...)), Hint: paperText(it.Hint.In(b.lang, languages...)),
			Conditional: it.Relevant != "", Long: strings.Contains(it.Appearance, "multiline")}
		if list := b.form.List(slot); list != nil {
			for _, c := range list.Choices {
				f.Choices = append(f.Choices, plainChoice{c.Name, c.Label.In(b.lang, languages...), c.Anchor.In(b.lang, languages...)})
			}
		}
		f.Fields = b.items(it.Items, prefix+it.Name+"/")
		if it.Kind == survey.KindGroup && len(f.Fields) == 0 {
			continue
		}
		out = append(out, f)
		if it.Evidence != "" && !it.Kind.HasItems() {
			out = append(out, plainField{ID: f.ID + "-note", Kind: survey.KindText, Conditional: true,
				Label: message.Say(b.lang, "form.evidence_of", survey.Args{"of": f.Label})})
		}
	}
	return out
}

// applies reports whether the unit is asked for what is in the slot, or for the
// repeat around it.
func (b *paperBuilder) applies(slot int) bool {
	for b.form.InRepeat(slot) {
		slot = b.form.Parent(slot)
	}
	return b.filled.Cell(slot).Applies
}

// paperText leaves room where a text names another answer.
func paperText(s string) string {
	for {
		from := strings.Index(s, "${")
		if from < 0 {
			return s
		}
		to := strings.IndexByte(s[from:], '}')
		if to < 0 {
			return s
		}
		s = s[:from] + "……" + s[from+to+1:]
	}
}
