package export

import (
	"errors"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/sync/errgroup"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// styles are the cell styles of the workbook.
type styles struct {
	title, heading, note, label, link, header, text, quoted, wrap, integer, halves, points, percent, date, moment, total, totalPercent, totalPoints, totalInteger int
}

// bold gives the style of a line that counts everything.
func (s *styles) bold(style int) int {
	switch style {
	case s.integer, s.halves:
		return s.totalInteger
	case s.points:
		return s.totalPoints
	case s.percent:
		return s.totalPercent
	}
	return s.total
}

// writer builds one workbook.
type writer struct {
	report *Report
	file   *excelize.File
	styles styles
	dxf    []int // of the bands, in the scheme's order
	scheme *survey.Scheme
	rows   int
}

// Workbook writes the report as an .xlsx workbook, gathers it if need be, and uses
// it up: what was long in it is gone afterwards. On an error what was written is no
// workbook.
func Workbook(w io.Writer, r *Report) error {
	b := &writer{report: r, file: excelize.NewFile(), scheme: r.Template.Scheme}
	defer b.file.Close()
	if b.scheme == nil {
		b.scheme = &survey.Scheme{}
	}
	if err := b.makeStyles(); err != nil {
		return err
	}
	var data []*dataSheet
	defer func() {
		for _, d := range data {
			d.close()
		}
	}()
	// What is added up is gathered beside the rows, if that has not been done.
	var early []*dataSheet
	var beside errgroup.Group
	gather := func() (err error) {
		early, err = b.spoolEarly()
		return err
	}
	if len(r.Gather) > 0 && r.Details != nil {
		beside.Go(gather)
	} else if err := gather(); err != nil {
		data = early
		return err
	}
	var err error
	if r.Details != nil {
		data, err = b.spoolDetails()
	}
	err = errors.Join(beside.Wait(), err)
	data = append(early, data...)
	if err != nil {
		return err
	}
	if r.Details != nil && r.Progress != nil {
		r.Progress(b.rows)
	}
	parts, err := b.sheets(data)
	if err != nil {
		return err
	}
	if err := b.properties(); err != nil {
		return err
	}
	// excelize gathers what it is given to write; our writer takes the parts
	// before that and sends them straight on.
	z := newZipWriter(w, parts)
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return z })
	return b.file.Write(io.Discard)
}

func (w *writer) makeStyles() error {
	font := func(bold bool) *excelize.Font { return &excelize.Font{Family: "Calibri", Size: 11, Bold: bold} }
	border := []excelize.Border{{Type: "bottom", Color: "8EA9C1", Style: 1}}
	fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DCE6F1"}}
	top := []excelize.Border{{Type: "top", Color: "305496", Style: 1}}
	format := func(s string) *string { return &s }
	s := &w.styles
	for _, def := range []struct {
		into  *int
		style excelize.Style
	}{
		{&s.title, excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 14, Bold: true, Color: "1F3864"}}},
		{&s.heading, excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 12, Bold: true, Color: "1F3864"}}},
		{&s.note, excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 10, Italic: true, Color: "404040"}}},
		{&s.label, excelize.Style{Font: font(true), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.link, excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 11, Underline: "single", Color: "1F4E9E"}}},
		{&s.header, excelize.Style{Font: font(true), Fill: fill, Border: border, Alignment: &excelize.Alignment{WrapText: true, Vertical: "center", Horizontal: "center"}}},
		{&s.text, excelize.Style{Font: font(false), NumFmt: 49, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.quoted, excelize.Style{Font: font(false), NumFmt: 49, Alignment: &excelize.Alignment{Vertical: "top", ReadingOrder: 1}}},
		{&s.wrap, excelize.Style{Font: font(false), NumFmt: 49, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}},
		{&s.integer, excelize.Style{Font: font(false), CustomNumFmt: format("#,##0"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.halves, excelize.Style{Font: font(false), CustomNumFmt: format("#,##0.0"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.points, excelize.Style{Font: font(false), CustomNumFmt: format("0.00"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.percent, excelize.Style{Font: font(false), CustomNumFmt: format("0.0%"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.date, excelize.Style{Font: font(false), CustomNumFmt: format("yyyy-mm-dd"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.moment, excelize.Style{Font: font(false), CustomNumFmt: format("yyyy-mm-dd hh:mm"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.total, excelize.Style{Font: font(true), Border: top}},
		{&s.totalInteger, excelize.Style{Font: font(true), Border: top, CustomNumFmt: format("#,##0")}},
		{&s.totalPoints, excelize.Style{Font: font(true), Border: top, CustomNumFmt: format("0.00")}},
		{&s.totalPercent, excelize.Style{Font: font(true), Border: top, CustomNumFmt: format("0.0%")}},
	} {
		id, err := w.file.NewStyle(&def.style)
		if err != nil {
			return err
		}
		*def.into = id
	}
	if err := w.markQuoted(); err != nil {
		return err
	}
	for _, band := range w.scheme.Bands {
		color := strings.TrimPrefix(band.Color, "#")
		if len(color) != 6 {
			color = "E7E6E6"
		}
		id, err := w.file.NewConditionalStyle(&excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}, Font: &excelize.Font{Color: "000000"}})
		if err != nil {
			return err
		}
		w.dxf = append(w.dxf, id)
	}
	return nil
}

// markQuoted gives the style of risky texts the attribute quotePrefix, for
// which excelize has no setting of its own: it keeps a text a text when the cell
// is edited.
func (w *writer) markQuoted() error {
	yes := true
	w.file.Styles.CellXfs.Xf[w.styles.quoted].QuotePrefix = &yes
	return nil
}

// spoolEarly gathers what is added up, and writes the long sheets of it as soon
// as they are there, so that their rows need not stay in memory. The sheets come
// back even with an error, to be closed.
func (w *writer) spoolEarly() ([]*dataSheet, error) {
	r := w.report
	var out []*dataSheet
	spool := func(there bool, sheet func() (*dataSheet, error)) error {
		if !there {
			return nil
		}
		d, err := sheet()
		out = append(out, d)
		return err
	}
	selves := false
	for {
		last := len(r.Gather) == 0
		if !last {
			if err := r.gatherNext(); err != nil {
				return out, err
			}
		}
		if err := spool(r.Superiors != nil, w.superiorSheet); err != nil {
			return out, err
		}
		// Its sheet is there even if nobody gave a score of the own.
		now := !selves && (last || r.Selves != nil)
		selves = selves || now
		if err := spool(now, w.selfSheet); err != nil {
			return out, err
		}
		if err := spool(r.Coverage != nil, w.progressSheet); err != nil {
			return out, err
		}
		r.Superiors, r.Selves, r.Coverage = nil, nil, nil
		if last {
			return out, nil
		}
	}
}

// sheets makes all sheets in their order, and tells which parts of the file are
// spooled. Spools that are made on the way are added to data.
func (w *writer) sheets(data []*dataSheet) (map[string]*spool, error) {
	r := w.report
	parts := map[string]*spool{}
	// The cover comes first and lists the others, which are made after it.
	var contents []Line
	listed := func(key, what string) { contents = append(contents, Line{w.word(key), what}) }
	spooled := map[string]*dataSheet{}
	for _, d := range data {
		spooled[d.title] = d
	}
	type step struct {
		key, title string
		make       func() error
	}
	var steps []step
	add := func(key, title string, make func() error) { steps = append(steps, step{key, title, make}) }
	streamed := func(key, title string) bool {
		d := spooled[w.word(key)]
		if d != nil {
			add(key, w.word(title), func() error { return w.placeholder(d, parts) })
		}
		return d != nil
	}
	for _, sum := range r.Groupings {
		key := groupingKey(sum.By)
		if streamed("sheet."+key, "title."+key) {
			continue
		}
		add("sheet."+key, w.word("title."+key), func() error { return w.summarySheet("sheet."+key, "title."+key, sum) })
	}
	add("sheet.items", w.word("title.items"), w.itemSheet)
	for _, key := range []string{"sheet.detail", "sheet.good", "sheet.bad", "sheet.advice"} {
		streamed(key, "about."+key)
	}
	streamed("sheet.self", "title.self")
	if r.Analysis != nil {
		add("sheet.trust", w.word("title.trust"), w.reliabilitySheet)
	}
	streamed("sheet.progress", "title.progress")
	if len(r.Behind) > 0 {
		add("sheet.behind", w.word("title.behind"), w.behindSheet)
	}
	if len(r.Late) > 0 {
		add("sheet.late", w.word("title.late"), w.lateSheet)
	}
	add("sheet.method", w.word("method"), w.methodSheet)
	add("sheet.codebook", w.word("title.codebook"), w.codebookSheet)
	for _, s := range steps {
		listed(s.key, s.title)
	}
	if err := w.coverSheet(contents); err != nil {
		return nil, err
	}
	for _, s := range steps {
		if err := s.make(); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// groupingKey is the key of a grouping's words.
func groupingKey(by scoring.Grouping) string { return strings.ReplaceAll(string(by), ":", "_") }

// placeholder makes empty sheets for a data sheet's parts, so that excelize lists
// them.
func (w *writer) placeholder(d *dataSheet, parts map[string]*spool) error {
	for _, sp := range d.parts {
		if _, err := w.file.NewSheet(sp.title); err != nil {
			return err
		}
		part, err := w.partOf(sp.title)
		if err != nil {
			return err
		}
		parts[part] = sp
		if err := w.printTitles(sp.title, d.headerAt(), d.frozen); err != nil {
			return err
		}
	}
	return nil
}

// partOf finds the part that excelize writes a sheet to.
func (w *writer) partOf(sheet string) (string, error) {
	// Sheets are numbered in the order in which they were made, and the first
	// was there from the start.
	for i, name := range w.file.GetSheetList() {
		if name == sheet {
			return "xl/worksheets/sheet" + itoa(i+1) + ".xml", nil
		}
	}
	return "", excelize.ErrSheetNotExist{SheetName: sheet}
}

// printTitles repeats the row of headings, and the first columns if there are
// any to repeat, on every printed page.
func (w *writer) printTitles(sheet string, row, columns int) error {
	refers := "'" + sheet + "'!$" + itoa(row) + ":$" + itoa(row)
	if columns > 0 {
		refers = "'" + sheet + "'!$A:$" + string(appendColumn(nil, columns-1)) + "," + refers
	}
	return w.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", Scope: sheet, RefersTo: refers})
}

func (w *writer) properties() error {
	r := w.report
	made := r.MadeAt.UTC().Format("2006-01-02T15:04:05Z")
	if err := w.file.SetDocProps(&excelize.DocProperties{Title: r.Round.Title.In(r.Language), Subject: string(r.Round.Code) + " " + string(r.Template.Code),
		Creator: "khaosat " + r.Version, LastModifiedBy: "khaosat " + r.Version, Created: made, Modified: made, Language: r.Language}); err != nil {
		return err
	}
	if err := w.file.SetAppProps(&excelize.AppProperties{Application: "khaosat", AppVersion: "1.0000"}); err != nil {
		return err
	}
	w.file.SetActiveSheet(0)
	return nil
}
