package export

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

// coverSheet is the first page: what the workbook is about, the figures that are
// asked for first, and where everything is.
func (w *writer) coverSheet(contents []Line) error {
	f, r, lang, s := w.file, w.report, w.report.Language, &w.styles
	sheet := w.word("sheet.cover")
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	t := &table{w: w, sheet: sheet}
	for i, width := range []float64{30, 16, 16, 58} {
		name := string(appendColumn(nil, i))
		if err := f.SetColWidth(sheet, name, name, width); err != nil {
			return err
		}
	}
	title := r.Title
	if title == "" {
		title = w.word("title.cover")
	}
	lines := []Line{
		{w.word("m.round"), string(r.Round.Code) + " — " + r.Round.Title.In(lang)},
		{w.word("m.template"), string(r.Template.Code) + " — " + r.Template.Title.In(lang)},
		{w.word("m.dates"), shortDate(r.Round.Opens) + " – " + shortDate(r.Round.Closes)},
	}
	if !r.Cutoff.IsZero() {
		lines = append(lines, Line{w.word("m.cutoff"), r.Cutoff.In(r.MadeAt.Location()).Format("02/01/2006 15:04:05")})
	}
	lines = append(lines, r.Narrowed...)
	lines = append(lines, Line{w.word("m.made"), r.MadeAt.Format("02/01/2006 15:04")}, Line{w.word("m.program"), "khaosat " + r.Version})
	if err := t.put(0, 1, title, s.title); err != nil {
		return err
	}
	if err := f.MergeCell(sheet, "A1", "D1"); err != nil {
		return err
	}
	t.row = 2
	for _, l := range lines {
		t.row++
		if err := t.put(0, t.row, l.Name, s.label); err != nil {
			return err
		}
		if err := t.put(1, t.row, l.Value, s.wrap); err != nil {
			return err
		}
		if err := f.MergeCell(sheet, "B"+itoa(t.row), "D"+itoa(t.row)); err != nil {
			return err
		}
		if n := linesOf(l.Value, 90); n > 1 {
			if err := f.SetRowHeight(sheet, t.row, float64(15*n)); err != nil {
				return err
			}
		}
	}
	if err := w.coverFigures(t); err != nil {
		return err
	}
	t.row += 2
	if err := t.put(0, t.row, w.word("contents"), s.heading); err != nil {
		return err
	}
	for _, c := range contents {
		t.row++
		cell := "A" + itoa(t.row)
		if err := t.put(0, t.row, c.Name, s.link); err != nil {
			return err
		}
		if err := f.SetCellHyperLink(sheet, cell, "'"+c.Name+"'!A1", "Location"); err != nil {
			return err
		}
		if err := t.put(1, t.row, c.Value, s.text); err != nil {
			return err
		}
	}
	no := false
	if err := f.SetSheetView(sheet, 0, &excelize.ViewOptions{ShowGridLines: &no}); err != nil {
		return err
	}
	return w.page(sheet, "portrait", 1)
}

// coverFigures writes coverage and bands of everything, with a chart.
func (w *writer) coverFigures(t *table) error {
	s, g := &w.styles, &w.report.Summary.Overall
	t.row += 2
	if err := t.put(0, t.row, w.word("key_figures"), s.heading); err != nil {
		return err
	}
	var coverage *float64
	if g.InScope != nil {
		coverage = shareOf(float64(*g.Observed), float64(*g.InScope))
	}
	line := func(key string, value any, style int) error {
		t.row++
		if err := t.put(0, t.row, w.word(key), s.label); err != nil {
			return err
		}
		return t.put(1, t.row, value, style)
	}
	for _, l := range []struct {
		key   string
		value any
		style int
	}{{"in_scope", g.InScope, s.integer}, {"assigned", g.Assigned, s.integer}, {"observed", g.Observed, s.integer}, {"coverage", coverage, s.percent},
		{"n", g.N, s.integer}, {"mean", g.Mean, s.points}, {"median", g.Median, s.points}} {
		if err := line(l.key, l.value, l.style); err != nil {
			return err
		}
	}
	if len(w.scheme.Bands) == 0 {
		return nil
	}
	t.row += 2
	for i, h := range []string{w.word("band"), w.word("count"), "%"} {
		if err := t.put(i, t.row, h, s.header); err != nil {
			return err
		}
	}
	first := t.row + 1
	for _, b := range w.scheme.Bands {
		t.row++
		var share *float64
		if v, ok := g.BandShares[b.Code]; ok {
			share = &v
		}
		for i, cell := range []struct {
			value any
			style int
		}{{b.Label.In(w.report.Language), s.text}, {g.Bands[b.Code], s.integer}, {share, s.percent}} {
			if err := t.put(i, t.row, cell.value, cell.style); err != nil {
				return err
			}
		}
	}
	if err := w.bandFormat(t.sheet, "A"+itoa(first)+":A"+itoa(t.row)); err != nil {
		return err
	}
	plain := false
	ref := func(column string) string {
		return fmt.Sprintf("'%s'!$%s$%d:$%s$%d", t.sheet, column, first, column, t.row)
	}
	return w.file.AddChart(t.sheet, "D"+itoa(first-10), &excelize.Chart{Type: excelize.Col,
		Series: []excelize.ChartSeries{{Name: w.word("count"), Categories: ref("A"), Values: ref("B"), Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"305496"}}}},
		Title:  excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: w.word("chart.bands_all")}}}, Legend: excelize.ChartLegend{Position: "none"}, VaryColors: &plain,
		PlotArea: excelize.ChartPlotArea{ShowVal: true}, XAxis: excelize.ChartAxis{Font: axisFont}, YAxis: excelize.ChartAxis{MajorGridLines: true, Font: axisFont},
		Dimension: excelize.ChartDimension{Width: 410, Height: 270}})
}

// bandFormat colours cells that hold a band's name.
func (w *writer) bandFormat(sheet, cells string) error {
	var rules []excelize.ConditionalFormatOptions
	for i, b := range w.scheme.Bands {
		id := w.dxf[i]
		rules = append(rules, excelize.ConditionalFormatOptions{Type: "cell", Criteria: "==", Format: &id, Value: `"` + doubleQuotes(b.Label.In(w.report.Language)) + `"`})
	}
	if len(rules) == 0 {
		return nil
	}
	return w.file.SetConditionalFormat(sheet, cells, rules)
}
