package export

import (
	"strconv"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

func itoa(n int) string { return strconv.Itoa(n) }

// headerRow is the row of the headings on the summary sheets; row 1 is the title.
const headerRow = 3

// table writes a titled table cell by cell on a sheet of its own.
type table struct {
	w       *writer
	sheet   string
	columns []tableColumn
	row     int
}

type tableColumn struct {
	header string
	width  float64
	style  int
	total  int // style in the total row
}

func (w *writer) newTable(sheetKey, titleKey string, columns []tableColumn) (*table, error) {
	sheet := w.word(sheetKey)
	f := w.file
	if list := f.GetSheetList(); len(list) == 1 && list[0] == "Sheet1" {
		if err := f.SetSheetName("Sheet1", sheet); err != nil {
			return nil, err
		}
	} else if _, err := f.NewSheet(sheet); err != nil {
		return nil, err
	}
	t := &table{w: w, sheet: sheet, columns: columns, row: headerRow}
	if err := f.SetCellStr(sheet, "A1", w.word(titleKey)+" — "+w.report.Round.Title.In(w.report.Language)); err != nil {
		return nil, err
	}
	if err := f.SetCellStyle(sheet, "A1", "A1", w.styles.title); err != nil {
		return nil, err
	}
	for i, c := range columns {
		if err := t.put(i, headerRow, c.header, w.styles.header); err != nil {
			return nil, err
		}
		name := string(appendColumn(nil, i))
		if err := f.SetColWidth(sheet, name, name, c.width); err != nil {
			return nil, err
		}
	}
	return t, f.SetRowHeight(sheet, headerRow, 64)
}

func (t *table) put(column, row int, value any, style int) error {
	cell := cellName(column, row)
	var err error
	switch v := value.(type) {
	case string:
		if v != "" && risky(v) {
			style = t.w.styles.quoted
		}
		err = t.w.file.SetCellStr(t.sheet, cell, v)
	case *int:
		if v != nil {
			err = t.w.file.SetCellValue(t.sheet, cell, *v)
		}
	case *float64:
		if v != nil {
			err = t.w.file.SetCellValue(t.sheet, cell, *v)
		}
	default:
		err = t.w.file.SetCellValue(t.sheet, cell, v)
	}
	if err != nil {
		return err
	}
	return t.w.file.SetCellStyle(t.sheet, cell, cell, style)
}

// add writes the next row.
func (t *table) add(values []any, total bool) error {
	t.row++
	for i, v := range values {
		style := t.columns[i].style
		if total {
			style = t.columns[i].total
		}
		if err := t.put(i, t.row, v, style); err != nil {
			return err
		}
	}
	return nil
}

// finish freezes the header, adds the filter and sets the page up. The rows
// before the totals are filtered.
func (t *table) finish(frozen, lastFiltered int) error {
	f, last := t.w.file, len(t.columns)-1
	if err := f.SetPanes(t.sheet, &excelize.Panes{Freeze: true, XSplit: frozen, YSplit: headerRow, TopLeftCell: cellName(frozen, headerRow+1), ActivePane: "bottomRight"}); err != nil {
		return err
	}
	if lastFiltered > headerRow {
		if err := f.AutoFilter(t.sheet, "A"+itoa(headerRow)+":"+cellName(last, lastFiltered), nil); err != nil {
			return err
		}
	}
	return t.w.pageSetup(t.sheet, headerRow)
}

func (w *writer) pageSetup(sheet string, titleRow int) error {
	a4, landscape, one, many, yes := 9, "landscape", 1, 0, true
	if err := w.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &one, FitToHeight: &many}); err != nil {
		return err
	}
	if err := w.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &yes}); err != nil {
		return err
	}
	if err := w.file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: w.footer()}); err != nil {
		return err
	}
	return w.printTitles(sheet, titleRow)
}

func (w *writer) footer() string {
	page := "Trang"
	if w.report.Language == "en" {
		page = "Page"
	}
	return "&L" + string(w.report.Round.Code) + "&C" + page + " &P / &N&R" + w.report.MadeAt.Format("2006-01-02 15:04")
}

func (w *writer) summarySheets() error {
	for _, s := range []struct {
		sheet, title string
		sum          *scoring.Summary
		chart        bool
	}{
		{"sheet.sector", "title.sector", w.report.BySector, true},
		{"sheet.superior", "title.superior", w.report.BySuperior, false},
		{"sheet.structure", "title.structure", w.report.ByStructure, false},
	} {
		if err := w.summarySheet(s.sheet, s.title, s.sum, s.chart); err != nil {
			return err
		}
	}
	return w.itemSheet()
}

// fixedColumns is how many columns of a summary sheet come before the bands.
const fixedColumns = 9

// summarySheet writes a summary, a line a group, each percentage beside its
// numerator and denominator.
func (w *writer) summarySheet(sheetKey, titleKey string, sum *scoring.Summary, chart bool) error {
	s := &w.styles
	count := func(key string, width float64) tableColumn {
		return tableColumn{w.word(key), width, s.integer, s.totalInteger}
	}
	number := func(key string) tableColumn { return tableColumn{w.word(key), 8, s.points, s.totalPoints} }
	columns := []tableColumn{
		{w.word("code"), 8, s.text, s.total}, {w.word("group"), 38, s.text, s.total},
		count("in_scope", 8), count("assigned", 8), count("observed", 8), {w.word("coverage"), 8, s.percent, s.totalPercent},
		count("visits", 7), count("not_graded", 7), count("n", 7),
	}
	bands := w.scheme.Bands
	for _, b := range bands {
		label := b.Label.In(w.report.Language)
		columns = append(columns, tableColumn{label, 8, s.integer, s.totalInteger}, tableColumn{label + " %", 8, s.percent, s.totalPercent})
	}
	for _, b := range bands {
		columns = append(columns, tableColumn{b.Label.In(w.report.Language) + " (" + w.word("before") + ")", 8, s.integer, s.totalInteger})
	}
	for _, key := range []string{"mean", "sd", "min", "q1", "median", "q3", "max"} {
		columns = append(columns, number(key))
	}
	columns = append(columns, count("doubled", 7), count("to_adjudicate", 8), tableColumn{w.word("remark"), 16, s.text, s.total})
	t, err := w.newTable(sheetKey, titleKey, columns)
	if err != nil {
		return err
	}
	for i := range sum.Groups {
		if err := t.add(w.groupRow(&sum.Groups[i]), false); err != nil {
			return err
		}
	}
	lastGroup := t.row
	overall := sum.Overall
	overall.Label = survey.Text{w.report.Language: w.word("overall")}
	if err := t.add(w.groupRow(&overall), true); err != nil {
		return err
	}
	if err := t.finish(2, lastGroup); err != nil {
		return err
	}
	if chart && lastGroup > headerRow && len(bands) > 0 {
		return w.bandChart(t, lastGroup)
	}
	return nil
}

func (w *writer) groupRow(g *scoring.Group) []any {
	notGraded := 0
	for _, n := range g.NotGraded {
		notGraded += n
	}
	var coverage *float64
	if g.InScope != nil && g.Observed != nil && *g.InScope > 0 {
		c := float64(*g.Observed) / float64(*g.InScope)
		coverage = &c
	}
	row := []any{g.Group, g.Label.In(w.report.Language), g.InScope, g.Assigned, g.Observed, coverage, g.Visits, notGraded, g.N}
	for _, b := range w.scheme.Bands {
		row = append(row, g.Bands[b.Code])
		if share, ok := g.BandShares[b.Code]; ok {
			row = append(row, share)
		} else {
			row = append(row, (*float64)(nil))
		}
	}
	for _, b := range w.scheme.Bands {
		row = append(row, g.BandsFirst[b.Code])
	}
	row = append(row, g.Mean, g.SD, g.Min, g.Q1, g.Median, g.Q3, g.Max, g.Doubled, g.ToAdjudicate)
	if g.Small {
		return append(row, w.word("small"))
	}
	return append(row, "")
}

// axisFont keeps the words on a chart's axes dark enough to print.
var axisFont = excelize.Font{Family: "Calibri", Size: 9, Color: "262626"}

// bandChart draws the shares of the bands as stacked bars, one a type.
func (w *writer) bandChart(t *table, last int) error {
	var series []excelize.ChartSeries
	ref := func(column int) string {
		c := string(appendColumn(nil, column))
		return "'" + t.sheet + "'!$" + c + "$" + itoa(headerRow+1) + ":$" + c + "$" + itoa(last)
	}
	for i, b := range w.scheme.Bands {
		column := fixedColumns + 2*i
		s := excelize.ChartSeries{Name: "'" + t.sheet + "'!$" + string(appendColumn(nil, column)) + "$" + itoa(headerRow), Categories: ref(1), Values: ref(column)}
		if len(b.Color) == 7 {
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{b.Color[1:]}}
		}
		series = append(series, s)
	}
	return w.file.AddChart(t.sheet, "A"+itoa(t.row+3), &excelize.Chart{Type: excelize.BarPercentStacked, Series: series,
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: w.word("chart.bands")}}}, Legend: excelize.ChartLegend{Position: "bottom"},
		Dimension: excelize.ChartDimension{Width: 1100, Height: uint(160 + 26*(last-headerRow))},
		YAxis:     excelize.ChartAxis{MajorGridLines: true, Font: axisFont}, XAxis: excelize.ChartAxis{ReverseOrder: true, Font: axisFont}})
}

// itemSheet writes what every criterion came to, over all types.
func (w *writer) itemSheet() error {
	s := &w.styles
	// A visit rated twice counts half for each rating, so counts may end in .5.
	count := func(key string) tableColumn { return tableColumn{w.word(key), 11, s.halves, s.totalPoints} }
	t, err := w.newTable("sheet.items", "title.items", []tableColumn{
		{w.word("section"), 9, s.text, s.total}, {w.word("item"), 9, s.text, s.total}, {w.word("criterion"), 62, s.wrap, s.total}, {w.word("points"), 9, s.points, s.totalPoints},
		count("item_n"), {w.word("mean_share"), 12, s.percent, s.totalPercent}, count("full"), {w.word("full_share"), 11, s.percent, s.totalPercent},
		count("zero"), {w.word("zero_share"), 11, s.percent, s.totalPercent}, count("na"), count("not_observed"), count("blank"), count("not_asked"),
	})
	if err != nil {
		return err
	}
	sections := w.sectionOfItems()
	for _, it := range w.report.BySector.Overall.Items {
		if !it.Scored {
			continue
		}
		var points *float64
		if item := w.report.Template.Item(it.Item); item != nil && item.Points != nil {
			p := item.Points.Float()
			points = &p
		}
		if err := t.add([]any{sections[it.Item], it.Item, it.Label.In(w.report.Language), points, it.N, it.Share, it.Full, shareOf(it.Full, it.N), it.Zero, shareOf(it.Zero, it.N),
			it.NA, it.NotObserved, it.Blank, it.NotAsked}, false); err != nil {
			return err
		}
	}
	lastItem := t.row
	if err := t.finish(3, lastItem); err != nil {
		return err
	}
	if lastItem == headerRow {
		return nil
	}
	if err := w.sectionTable(t, sections, lastItem); err != nil {
		return err
	}
	return w.file.SetConditionalFormat(t.sheet, "F"+itoa(headerRow+1)+":F"+itoa(lastItem), []excelize.ConditionalFormatOptions{
		{Type: "data_bar", Criteria: "=", MinType: "num", MinValue: "0", MaxType: "num", MaxValue: "1", BarColor: "#8EA9DB"}})
}

func shareOf(part, whole float64) *float64 {
	if whole == 0 {
		return nil
	}
	share := part / whole
	return &share
}

// sectionOfItems names the section that each scored item is in.
func (w *writer) sectionOfItems() map[string]string {
	out := map[string]string{}
	w.report.Template.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		if len(parents) > 0 && it.Points != nil && !it.Kind.HasItems() {
			out[it.Name] = parents[0].Name
		}
		return true
	})
	return out
}

// sectionTable writes below the criteria how the sections came out, weighted by
// the criteria's points, with a chart.
func (w *writer) sectionTable(t *table, sections map[string]string, lastItem int) error {
	type sum struct{ earned, points float64 }
	sums := map[string]*sum{}
	var order []string
	for _, it := range w.report.BySector.Overall.Items {
		item := w.report.Template.Item(it.Item)
		if !it.Scored || it.Share == nil || item == nil || item.Points == nil || sections[it.Item] == "" {
			continue
		}
		name := sections[it.Item]
		if sums[name] == nil {
			sums[name] = &sum{}
			order = append(order, name)
		}
		p := item.Points.Float()
		sums[name].earned += p * *it.Share
		sums[name].points += p
	}
	first := t.row + 3
	t.row = first - 1
	for _, name := range order {
		label := name
		if g := w.report.Template.Item(name); g != nil {
			label = g.Label.In(w.report.Language)
		}
		share := sums[name].earned / sums[name].points
		if err := t.add([]any{name, "", label, sums[name].points, "", share}, false); err != nil {
			return err
		}
	}
	if len(order) == 0 {
		return nil
	}
	ref := func(column string) string {
		return "'" + t.sheet + "'!$" + column + "$" + itoa(first) + ":$" + column + "$" + itoa(t.row)
	}
	one, zero := 1.0, 0.0
	return w.file.AddChart(t.sheet, "A"+itoa(t.row+3), &excelize.Chart{Type: excelize.Col,
		Series: []excelize.ChartSeries{{Name: w.word("mean_share"), Categories: ref("C"), Values: ref("F"), Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"305496"}}}},
		Title:  excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: w.word("chart.sections")}}}, Legend: excelize.ChartLegend{Position: "none"},
		Dimension: excelize.ChartDimension{Width: 900, Height: 320}, XAxis: excelize.ChartAxis{Font: axisFont},
		YAxis: excelize.ChartAxis{MajorGridLines: true, Maximum: &one, Minimum: &zero, Font: axisFont, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0%"}}})
}
