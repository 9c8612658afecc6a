package export

import (
	"strings"
	"time"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Marks that stand where an item has no value, so that the reasons stay apart.
const (
	markNotAsked    = "[z]"
	markBlank       = "[b]"
	markNA          = "[na]"
	markNotObserved = "[no]"
)

var missing = [5]string{survey.NotAsked: markNotAsked, survey.Blank: markBlank, survey.NotApplicable: markNA, survey.NotObserved: markNotObserved}

// detailColumn is an item on the sheet of visits: its value (the code of a
// choice, or its label), then the choice's label, then the points.
type detailColumn struct {
	name   string
	kind   survey.ItemKind
	scored bool
	choose bool // the choice's label has a column of its own
	label  bool // it is written with its choices' labels
	note   bool // it is the note of the item before
}

// cells takes the cells of a row one after the other.
type cells interface {
	text(string)
	number(float64)
	integer(int64)
	date(survey.Date)
	moment(time.Time)
	skip()
}

// details writes the sheet of visits and the sheets of findings.
type details struct {
	w        *writer
	visits   *dataSheet
	rows     cells // where a visit's row goes: visits, or a file of its own
	findings map[survey.ItemRole]*dataSheet
	columns  []detailColumn
	sections []string
	// slots translates the columns into the slots of a version, -1 where it has
	// no such item.
	slots map[*survey.Form][]int
	marks [5]string
}

// spoolDetails goes once through the responses and writes the rows of every
// data sheet. The sheets come back even with an error, to be closed.
func (w *writer) spoolDetails() ([]*dataSheet, error) {
	d := &details{w: w, findings: map[survey.ItemRole]*dataSheet{}, slots: map[*survey.Form][]int{},
		marks: missing}
	var sheets []*dataSheet
	make := func(key string) *dataSheet {
		s := w.newDataSheet(key, "")
		sheets = append(sheets, s)
		return s
	}
	d.visits = make("sheet.detail")
	d.rows = d.visits
	for _, f := range []struct {
		role survey.ItemRole
		key  string
	}{{survey.RoleStrength, "sheet.good"}, {survey.RoleShortcoming, "sheet.bad"}, {survey.RoleRecommendation, "sheet.advice"}} {
		d.findings[f.role] = make(f.key)
	}
	if err := d.begin(); err != nil {
		return sheets, err
	}
	for detail, err := range w.report.Details {
		if err == nil {
			err = d.add(detail)
		}
		if err != nil {
			return sheets, err
		}
		if w.rows++; w.report.Progress != nil && w.rows%500 == 0 {
			w.report.Progress(w.rows)
		}
	}
	for _, s := range sheets {
		if err := s.done(); err != nil {
			return sheets, err
		}
	}
	return sheets, nil
}

func (d *details) begin() error {
	w, s := d.w, &d.w.styles
	v := d.visits
	text := func(key string, width float64) { v.column(w.word(key), width, s.text) }
	text("id", 14)
	text("unit", 13)
	text("unit_name", 30)
	text("path", 38)
	text("structure", 11)
	text("sector", 9)
	text("sector_label", 24)
	text("setting", 9)
	text("tags", 9)
	text("role", 13)
	text("observer", 20)
	v.column(w.word("version"), 9, s.integer)
	text("state", 11)
	v.column(w.word("meeting_date"), 12, s.date)
	v.column(w.word("received"), 16, s.moment)
	total := len(v.columns)
	for _, key := range []string{"earned", "available", "total"} {
		v.column(w.word(key), 10, s.points)
	}
	text("band_first", 14)
	text("caps", 14)
	text("band_code", 12)
	text("band", 14)
	text("deductions", 60)
	d.bandRules(total + 3)
	d.findColumns()
	for _, name := range d.sections {
		v.column(name+" "+plainLabel(w.report.Template.Item(name).Label).In(w.report.Language), 12, s.points)
	}
	for i := range d.columns {
		d.columnsOf(&d.columns[i])
	}
	v.frozen = 3
	if err := v.begin(); err != nil {
		return err
	}
	return d.beginFindings()
}

// bandRules colours the columns of bands.
func (d *details) bandRules(first int) {
	labels := bandRule{column: first, dxf: d.w.dxf}
	codes := bandRule{column: first + 2, dxf: d.w.dxf}
	final := bandRule{column: first + 3, dxf: d.w.dxf}
	for _, b := range d.w.scheme.Bands {
		labels.values = append(labels.values, b.Label.In(d.w.report.Language))
		final.values = append(final.values, b.Label.In(d.w.report.Language))
		codes.values = append(codes.values, b.Code)
	}
	d.visits.bands = []bandRule{labels, codes, final}
}

// findColumns finds the sections with points and the items with one value a visit.
func (d *details) findColumns() {
	d.w.report.Template.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		if len(parents) == 0 && it.Kind == survey.KindGroup && it.Points != nil {
			d.sections = append(d.sections, it.Name)
		}
		for _, p := range parents {
			if p.Kind == survey.KindRepeat {
				return true // repeats are not one value a visit
			}
		}
		if it.Kind.HasItems() || it.Kind == survey.KindNote {
			return true
		}
		values := d.w.report.Values
		one := it.Kind == survey.KindSelectOne || it.Kind == survey.KindRubric
		d.columns = append(d.columns, detailColumn{name: it.Name, kind: it.Kind, scored: it.Points != nil, choose: one && values == ValuesBoth,
			label: values == ValuesLabels && (one || it.Kind == survey.KindSelectMultiple)})
		if it.Evidence != "" {
			d.columns = append(d.columns, detailColumn{name: survey.NoteName(it.Name), kind: survey.KindText, note: true})
		}
		return true
	})
}

// columnsOf adds an item's columns to the sheet.
func (d *details) columnsOf(c *detailColumn) {
	s, v := &d.w.styles, d.visits
	style, width := s.text, 10.0
	switch {
	case c.kind == survey.KindInteger:
		style = s.integer
	case c.kind == survey.KindDate:
		style, width = s.date, 12
	case c.note || c.kind == survey.KindText:
		width = 24
	case c.label:
		width = 24
	}
	v.column(c.name, width, style)
	if c.choose {
		v.column(c.name+" "+d.w.word("choice_label"), 18, s.text)
	}
	if c.scored {
		v.column(c.name+" "+strings.ToLower(d.w.word("earned")), 9, s.points)
	}
}

// slotsOf finds the columns' slots in a version of the template.
func (d *details) slotsOf(f *survey.Form) []int {
	if slots, ok := d.slots[f]; ok {
		return slots
	}
	slots := make([]int, len(d.columns))
	for i, c := range d.columns {
		slot, ok := f.Slot(c.name)
		if !ok || f.InRepeat(slot) {
			slot = -1
		}
		slots[i] = slot
	}
	d.slots[f] = slots
	return slots
}

func (d *details) add(x *Detail) error {
	w, v, r := d.w, d.visits, x.Response
	lang := w.report.Language
	if err := v.start(); err != nil {
		return err
	}
	v.text(string(r.ID))
	v.text(string(r.Unit))
	v.text(r.Standing.Name)
	v.text(strings.Join(x.Path[:max(0, len(x.Path)-1)], " › "))
	v.text(r.Standing.Structure)
	v.text(r.Standing.Sector)
	sector, _ := w.report.Lists.Sector(r.Standing.Sector)
	v.text(sector.Label.In(lang))
	v.text(r.Standing.Setting)
	v.text(strings.Join(r.Standing.Tags, " "))
	v.text(w.word("role." + string(r.Role)))
	v.text(x.Observer)
	v.integer(int64(r.TemplateVersion))
	v.text(w.word("state." + string(r.State)))
	v.date(r.MeetingDate)
	v.moment(r.ReceivedAt.In(w.report.MadeAt.Location()))
	d.score(x)
	d.items(x)
	if err := v.end(); err != nil {
		return err
	}
	advice := 0
	for _, f := range x.Result.Filled().Findings() {
		followed := ""
		if f.Role == survey.RoleRecommendation {
			if advice < len(x.Followed) {
				followed = x.Followed[advice]
			}
			advice++
		}
		if err := d.finding(x, &f, followed); err != nil {
			return err
		}
	}
	return nil
}

func (d *details) score(x *Detail) {
	v, r, lang := d.rows, x.Result, d.w.report.Language
	v.number(r.Earned.Float())
	v.number(r.Available.Float())
	if r.Graded() {
		v.number(r.Total.Float())
	} else {
		v.skip()
	}
	bands := r.Form().Template.Scheme
	label := func(i int) string {
		if i < 0 {
			return ""
		}
		return bands.Bands[i].Label.In(lang)
	}
	v.text(label(r.BandFirst))
	caps := ""
	for _, c := range r.FiredCaps() {
		if caps != "" {
			caps += ", "
		}
		caps += c.Code
	}
	v.text(caps)
	v.text(r.BandCode(r.Band))
	v.text(label(r.Band))
	v.text(d.deductions(r))
	for _, name := range d.sections {
		earned, ok := r.SectionEarned(name)
		if !ok {
			v.skip()
			continue
		}
		v.number(earned.Float())
	}
}

// deductions says for which items how many points were lost, and why there is
// no total if there is none.
func (d *details) deductions(r *scoring.Result) string {
	var b strings.Builder
	if !r.Graded() {
		b.WriteString(d.w.word("reason." + string(r.Reason)))
	}
	lang := d.w.report.Language
	for _, l := range r.Deductions() {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(l.Item.Name + " −" + l.Lost().String())
		switch {
		case l.Option != nil:
			b.WriteString(" (" + l.Option.Label.In(lang) + ")")
		case l.State == survey.Blank:
			b.WriteString(" (" + d.w.word("blank") + ")")
		case l.Value != "":
			b.WriteString(" (" + shortNumber(l.Value) + ")")
		}
	}
	return b.String()
}

// shortNumber cuts a long decimal for reading; the exact value has a column of
// its own.
func shortNumber(s string) string {
	if dot := strings.IndexByte(s, '.'); dot >= 0 && len(s) > dot+4 {
		return s[:dot+4]
	}
	return s
}

// items writes the items' columns.
func (d *details) items(x *Detail) {
	v, lang := d.rows, d.w.report.Language
	filled := x.Result.Filled()
	form := filled.Form()
	for i, slot := range d.slotsOf(form) {
		c := &d.columns[i]
		if slot < 0 {
			v.text(markNotAsked) // this version does not ask it
			skipIf(v, c.choose)
			skipIf(v, c.scored)
			continue
		}
		cell := filled.Cell(slot)
		switch {
		case cell.State != survey.Answered:
			v.text(d.marks[cell.State])
		case c.label:
			v.text(choiceLabels(form.List(slot), cell, lang))
		case c.kind == survey.KindInteger || c.kind == survey.KindDecimal:
			v.number(cell.Value.Number())
		case c.kind == survey.KindDate:
			v.date(survey.Date(cell.Value.Number()))
		case c.kind == survey.KindCalculate:
			if f := cell.Value.Number(); f == f {
				v.number(f)
			} else {
				v.text(cell.Value.Text())
			}
		default:
			v.text(cell.Value.Text())
		}
		if c.choose {
			if cell.Choice >= 0 {
				v.text(form.List(slot).Choices[cell.Choice].Label.In(lang))
			} else {
				v.skip()
			}
		}
		if c.scored {
			if it := x.Result.ItemAt(slot); it != nil && it.Available > 0 {
				v.number(it.Earned.Float())
			} else {
				v.skip()
			}
		}
	}
}

// choiceLabels names what was chosen; a choice that the list does not have keeps
// its code.
func choiceLabels(list *survey.ChoiceList, cell *survey.Cell, lang string) string {
	if cell.Choice >= 0 && int(cell.Choice) < len(list.Choices) {
		return list.Choices[cell.Choice].Label.In(lang)
	}
	names := strings.Fields(cell.Value.Text())
	for i, name := range names {
		if _, choice := list.Choice(name); choice != nil {
			names[i] = choice.Label.In(lang)
		}
	}
	return strings.Join(names, "; ")
}

func skipIf(row cells, yes bool) {
	if yes {
		row.skip()
	}
}

// The widths of the columns with texts of findings.
const textWidth, causeWidth = 60, 36

func (d *details) beginFindings() error {
	w, s := d.w, &d.w.styles
	for role, sheet := range d.findings {
		for _, c := range []struct {
			key   string
			width float64
		}{{"unit", 13}, {"unit_name", 30}, {"path", 38}, {"sector", 9}, {"sector_label", 24}} {
			sheet.column(w.word(c.key), c.width, s.text)
		}
		sheet.column(w.word("meeting_date"), 12, s.date)
		for _, c := range []struct {
			key   string
			width float64
		}{{"role", 13}, {"tag", 16}, {"tag_label", 30}} {
			sheet.column(w.word(c.key), c.width, s.text)
		}
		sheet.column(w.word("text"), textWidth, s.wrap)
		switch role {
		case survey.RoleStrength:
			sheet.column(w.word("may_share"), 12, s.text)
		case survey.RoleShortcoming:
			sheet.column(w.word("cause"), causeWidth, s.wrap)
		default:
			sheet.column(w.word("owner"), 24, s.text)
			sheet.column(w.word("due"), 12, s.text)
			sheet.column(w.word("status"), 20, s.text)
		}
		sheet.column(w.word("id"), 14, s.text)
		sheet.frozen = 2
		if err := sheet.begin(); err != nil {
			return err
		}
	}
	return nil
}

func (d *details) finding(x *Detail, f *survey.Finding, followed string) error {
	w, r := d.w, x.Response
	sheet := d.findings[f.Role]
	lines := linesOf(f.Text, textWidth)
	if f.Role == survey.RoleShortcoming {
		lines = max(lines, linesOf(f.Cause, causeWidth))
	}
	if err := sheet.startLines(lines); err != nil {
		return err
	}
	sheet.text(string(r.Unit))
	sheet.text(r.Standing.Name)
	sheet.text(strings.Join(x.Path[:max(0, len(x.Path)-1)], " › "))
	sheet.text(r.Standing.Sector)
	sector, _ := w.report.Lists.Sector(r.Standing.Sector)
	sheet.text(sector.Label.In(w.report.Language))
	sheet.date(r.MeetingDate)
	sheet.text(w.word("role." + string(r.Role)))
	sheet.text(strings.Join(f.Tags, " "))
	sheet.text(tagLabels(x.Result.Form().Template.List(f.List), f.Tags, w.report.Language))
	sheet.text(f.Text)
	switch f.Role {
	case survey.RoleStrength:
		sheet.text(f.Share)
	case survey.RoleShortcoming:
		sheet.text(f.Cause)
	default:
		sheet.text(f.Owner)
		sheet.text(f.Due)
		sheet.text(followed)
	}
	sheet.text(string(r.ID))
	return sheet.end()
}

func tagLabels(list *survey.ChoiceList, tags []string, lang string) string {
	if list == nil {
		return ""
	}
	var labels []string
	for _, t := range tags {
		if _, ch := list.Choice(t); ch != nil {
			labels = append(labels, ch.Label.In(lang))
		}
	}
	return strings.Join(labels, ", ")
}
