package export

import (
	"strconv"
	"strings"

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
	if _, err := f.NewSheet(sheet); err != nil {
		return nil, err
	}
	t := &table{w: w, sheet: sheet, columns: columns, row: headerRow}
	if err := f.SetCellStr(sheet, "A1", w.word(titleKey)+" — "+w.report.Round.Title.In(w.report.Language)); err != nil {
		return nil, err
	}
	if err := f.SetCellStyle(sheet, "A1", "A1", w.styles.title); err != nil {
		return nil, err
	}
	lines := 1
	for i, c := range columns {
		lines = max(lines, linesOf(c.header, c.width))
		if err := t.put(i, headerRow, c.header, w.styles.header); err != nil {
			return nil, err
		}
		name := string(appendColumn(nil, i))
		if err := f.SetColWidth(sheet, name, name, c.width); err != nil {
			return nil, err
		}
	}
	return t, f.SetRowHeight(sheet, headerRow, float64(4+15*lines))
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
	lines := 1
	for i, v := range values {
		c := &t.columns[i]
		style := c.style
		if total {
			style = c.total
		}
		if text, ok := v.(string); ok && style == t.w.styles.wrap {
			lines = max(lines, linesOf(text, c.width))
		}
		if err := t.put(i, t.row, v, style); err != nil {
			return err
		}
	}
	if lines == 1 {
		return nil
	}
	// Said, since not every program finds the height of wrapped text by itself.
	return t.w.file.SetRowHeight(t.sheet, t.row, float64(rowHeight*lines))
}

// rowHeight is that of a line of text, in points.
const rowHeight = 15

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
	width := 0.0
	for _, c := range t.columns {
		width += c.width
	}
	if err := t.w.page(t.sheet, "landscape", pagesAcross(width)); err != nil {
		return err
	}
	return t.w.printTitles(t.sheet, headerRow, frozen)
}

// page sets a sheet up for A4, so many pages wide.
func (w *writer) page(sheet, orientation string, across int) error {
	a4, many, yes := 9, 0, true
	if err := w.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &orientation, FitToWidth: &across, FitToHeight: &many}); err != nil {
		return err
	}
	if err := w.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &yes}); err != nil {
		return err
	}
	left, top, bottom, head := 0.4, 0.6, 0.6, 0.3
	if err := w.file.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &left, Right: &left, Top: &top, Bottom: &bottom, Header: &head, Footer: &head}); err != nil {
		return err
	}
	return w.file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddHeader: w.header(), OddFooter: w.footer()})
}

// mostHeader bounds what stands on top of each printed page; Excel takes 255
// characters in all.
const mostHeader = 120

func (w *writer) header() string {
	title := []rune(w.report.Round.Title.In(w.report.Language))
	if len(title) > mostHeader {
		title = append(title[:mostHeader], '…')
	}
	return "&L" + strings.ReplaceAll(string(title), "&", "&&") + "&R&A"
}

func (w *writer) footer() string {
	page := "Trang"
	if w.report.Language == "en" {
		page = "Page"
	}
	return "&L" + strings.ReplaceAll(string(w.report.Round.Code), "&", "&&") + "&C" + page + " &P / &N&R" + w.report.MadeAt.Format("02/01/2006 15:04")
}

// newDataSheet makes a sheet that is written row by row. With a title it stands
// above the table.
func (w *writer) newDataSheet(sheetKey, titleKey string) *dataSheet {
	d := &dataSheet{title: w.word(sheetKey), styles: w.styles, header: w.header(), footer: w.footer(), most: w.report.SheetRows}
	if d.most <= 0 {
		d.most = mostRows
	}
	if titleKey != "" {
		d.heading = w.word(titleKey) + " — " + w.report.Round.Title.In(w.report.Language)
	}
	return d
}

// fixedColumns is how many columns of a summary sheet come before the bands.
const fixedColumns = 9

// groupColumns are the columns of a summary, each percentage beside its numerator
// and denominator.
func (w *writer) groupColumns() []tableColumn {
	s := &w.styles
	count := func(key string, width float64) tableColumn {
		return tableColumn{w.word(key), width, s.integer, s.totalInteger}
	}
	number := func(key string) tableColumn { return tableColumn{w.word(key), 8.5, s.points, s.totalPoints} }
	columns := []tableColumn{
		{w.word("code"), 14, s.text, s.total}, {w.word("group"), 42, s.text, s.total},
		count("in_scope", 9), count("assigned", 9), count("observed", 9), {w.word("coverage"), 8.5, s.percent, s.totalPercent},
		count("visits", 8), count("not_graded", 8), count("n", 8),
	}
	bands := w.scheme.Bands
	for _, b := range bands {
		label := b.Label.In(w.report.Language)
		columns = append(columns, tableColumn{label, 8, s.integer, s.totalInteger}, tableColumn{label + " %", 8, s.percent, s.totalPercent})
	}
	for _, b := range bands {
		columns = append(columns, tableColumn{b.Label.In(w.report.Language) + " (" + w.word("before") + ")", 8.5, s.integer, s.totalInteger})
	}
	for _, key := range []string{"mean", "mean_low", "mean_high", "sd", "min", "q1", "median", "q3", "max"} {
		columns = append(columns, number(key))
	}
	return append(columns, count("doubled", 8), count("to_adjudicate", 8.5), tableColumn{w.word("remark"), 18, s.text, s.total})
}

// groupName is what a group is called.
func (w *writer) groupName(g *scoring.Group) string {
	name := g.Label.In(w.report.Language)
	if name == "" && g.Group == "" {
		return w.word("no_group")
	}
	return name
}

// mostBars is how many groups a chart of bars shows at most.
const mostBars = 60

// summarySheet writes a summary, a line a group.
func (w *writer) summarySheet(sheetKey, titleKey string, sum *scoring.Summary) error {
	t, err := w.newTable(sheetKey, titleKey, w.groupColumns())
	if err != nil {
		return err
	}
	for i := range sum.Groups {
		if err := t.add(w.groupRow(&sum.Groups[i], w.groupName(&sum.Groups[i])), false); err != nil {
			return err
		}
	}
	lastGroup := t.row
	if err := t.add(w.groupRow(&sum.Overall, w.word("overall")), true); err != nil {
		return err
	}
	if err := t.finish(2, lastGroup); err != nil {
		return err
	}
	if lastGroup > headerRow && len(w.scheme.Bands) > 0 && lastGroup-headerRow <= mostBars {
		if err := w.meanScale(t, lastGroup); err != nil {
			return err
		}
		return w.bandChart(t, lastGroup)
	}
	return nil
}

// meanScale draws a bar behind each mean, from nothing to the most there is.
func (w *writer) meanScale(t *table, last int) error {
	column := string(appendColumn(nil, w.meanColumn()))
	return w.file.SetConditionalFormat(t.sheet, column+itoa(headerRow+1)+":"+column+itoa(last), []excelize.ConditionalFormatOptions{
		{Type: "data_bar", Criteria: "=", MinType: "num", MinValue: "0", MaxType: "num", MaxValue: w.scheme.Total.String(), BarColor: "#8EA9DB"}})
}

func (w *writer) meanColumn() int { return fixedColumns + 3*len(w.scheme.Bands) }

// superiorSheet writes the committees as the tree has them, those beneath behind
// the one they belong to and a level further in.
func (w *writer) superiorSheet() (*dataSheet, error) {
	d := w.newDataSheet("sheet.superior", "title.superior")
	d.frozen, d.outline = 2, true
	for _, c := range w.groupColumns() {
		d.column(c.header, c.width, c.style)
	}
	if err := d.begin(); err != nil {
		return d, err
	}
	line := func(level int, g *scoring.Group, name string) error {
		d.startAt(level)
		d.values(w.groupRow(g, indent(level)+name))
		return d.end()
	}
	for i := range w.report.Superiors {
		g := &w.report.Superiors[i]
		if err := line(g.Level, &g.Group, w.groupName(&g.Group)); err != nil {
			return d, err
		}
	}
	d.bold = true
	if err := line(0, &w.report.Summary.Overall, w.word("overall")); err != nil {
		return d, err
	}
	return d, d.done()
}

func (w *writer) groupRow(g *scoring.Group, name string) []any {
	notGraded := 0
	for _, n := range g.NotGraded {
		notGraded += n
	}
	var coverage *float64
	if g.InScope != nil && g.Observed != nil && *g.InScope > 0 {
		c := float64(*g.Observed) / float64(*g.InScope)
		coverage = &c
	}
	row := []any{g.Group, name, g.InScope, g.Assigned, g.Observed, coverage, g.Visits, notGraded, g.N}
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
	var low, high *float64
	if g.MeanInterval != nil {
		low, high = &g.MeanInterval.Low, &g.MeanInterval.High
	}
	row = append(row, g.Mean, low, high, g.SD, g.Min, g.Q1, g.Median, g.Q3, g.Max, g.Doubled, g.ToAdjudicate)
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
	for _, it := range w.report.Summary.Overall.Items {
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
	for _, it := range w.report.Summary.Overall.Items {
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
