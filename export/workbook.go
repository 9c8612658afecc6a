package export

import (
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/survey"
)

// styles are the cell styles of the workbook.
type styles struct {
	title, header, text, quoted, wrap, integer, halves, points, percent, date, moment, total, totalPercent, totalPoints, totalInteger int
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

// Workbook writes the report as an .xlsx workbook. On an error what was written
// is no workbook.
func Workbook(w io.Writer, r *Report) error {
	b := &writer{report: r, file: excelize.NewFile(), scheme: r.Template.Scheme}
	defer b.file.Close()
	if b.scheme == nil {
		b.scheme = &survey.Scheme{}
	}
	if err := b.makeStyles(); err != nil {
		return err
	}
	data, err := b.spoolDetails()
	defer func() {
		for _, d := range data {
			d.close()
		}
	}()
	if err != nil {
		return err
	}
	if err := b.summarySheets(); err != nil {
		return err
	}
	parts, err := b.placeholders(data)
	if err != nil {
		return err
	}
	if err := b.methodSheet(); err != nil {
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

// placeholders makes an empty sheet for each data sheet, so that excelize lists
// it, and tells which parts of the file they are.
func (w *writer) placeholders(data []*dataSheet) (map[string]*dataSheet, error) {
	parts := map[string]*dataSheet{}
	for _, d := range data {
		if _, err := w.file.NewSheet(d.title); err != nil {
			return nil, err
		}
		part, err := w.partOf(d.title)
		if err != nil {
			return nil, err
		}
		parts[part] = d
		if err := w.printTitles(d.title, 1); err != nil {
			return nil, err
		}
	}
	return parts, nil
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

func (w *writer) printTitles(sheet string, row int) error {
	return w.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", Scope: sheet,
		RefersTo: "'" + sheet + "'!$" + itoa(row) + ":$" + itoa(row)})
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
