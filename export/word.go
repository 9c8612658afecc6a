package export

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Limits of the short report.
const (
	wordItems  = 5  // weakest and strongest criteria
	wordQuotes = 8  // findings of a kind that are quoted
	wordGroups = 40 // lines of a table of groups
)

// Word writes the report as a short text document in Office Open XML (.docx): the
// tables and charts of the workbook that a reader asks for first, with room for
// what people add. It uses the report up. On an error what was written is no
// document.
func Word(w io.Writer, r *Report) error {
	if err := r.Gathered(); err != nil {
		return err
	}
	d := &document{w: &writer{report: r, scheme: r.Template.Scheme}}
	if d.w.scheme == nil {
		d.w.scheme = &survey.Scheme{}
	}
	if err := d.write(); err != nil {
		return err
	}
	return d.pack(w)
}

// document is a text document that is being written.
type document struct {
	w      *writer
	body   bytes.Buffer
	charts [][]byte
	tables int
}

func (d *document) word(key string) string { return d.w.word(key) }

func (d *document) write() error {
	r, lang, s := d.w.report, d.w.report.Language, d.w.report.Summary
	title := r.Title
	if title == "" {
		title = d.word("title.cover")
	}
	d.paragraph("Title", title)
	d.paragraph("Subtitle", r.Round.Title.In(lang))
	about := d.word("m.template") + ": " + r.Template.Title.In(lang) + ". " + d.word("m.dates") + ": " + shortDate(r.Round.Opens) + " – " + shortDate(r.Round.Closes) + "."
	if !r.Cutoff.IsZero() {
		about += " " + d.word("m.cutoff") + ": " + r.Cutoff.In(r.MadeAt.Location()).Format("02/01/2006 15:04") + "."
	}
	for _, l := range r.Narrowed {
		about += " " + l.Name + ": " + l.Value + "."
	}
	d.paragraph("", about)

	d.heading("word.coverage")
	o := &s.Overall
	d.paragraph("", d.say("word.coverage.text", "in_scope", count(o.InScope), "assigned", count(o.Assigned), "observed", count(o.Observed), "coverage", d.percentOf(o.Observed, o.InScope),
		"n", strconv.Itoa(o.N), "mean", d.number(o.Mean), "median", d.number(o.Median)))
	if i := o.MeanInterval; i != nil {
		d.paragraph("", d.say("word.interval", "low", d.number(&i.Low), "high", d.number(&i.High)))
	}
	d.coverageTable()

	d.heading("word.bands")
	d.bandTable(s, d.word("overall"))
	d.bandChart(s)
	for _, sum := range r.Groupings {
		if sum.By == scoring.BySector {
			continue
		}
		d.headingText(d.word("title." + groupingKey(sum.By)))
		d.bandTable(sum, d.word("overall"))
	}
	d.criteria(s)
	d.selfRatings()
	if err := d.findings(); err != nil {
		return err
	}
	d.heading("method")
	for _, l := range d.w.methodLines() {
		if l[0] == d.word("m.rows") {
			continue // is about the workbook
		}
		d.paragraph("", l[0]+": "+l[1])
	}
	d.body.WriteString(`<w:p><w:pPr><w:spacing w:before="480"/><w:ind w:left="4800"/><w:jc w:val="center"/></w:pPr><w:r><w:rPr><w:i/></w:rPr><w:t>`)
	d.text(d.word("word.signed"))
	d.body.WriteString(`</w:t></w:r></w:p>`)
	return nil
}

// say fills in a sentence of words: name, value, ...
func (d *document) say(key string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(d.word(key))
}

func (d *document) decimal(s string) string {
	if d.w.report.Language == "vi" {
		return strings.Replace(s, ".", ",", 1)
	}
	return s
}

// number writes points with the scheme's decimals as people read them.
func (d *document) number(f *float64) string {
	if f == nil {
		return "–"
	}
	return d.decimal(strconv.FormatFloat(*f, 'f', 2, 64))
}

func (d *document) percent(f *float64) string {
	if f == nil {
		return "–"
	}
	return d.decimal(strconv.FormatFloat(100**f, 'f', 1, 64)) + "\u00a0%"
}

func (d *document) percentOf(part, whole *int) string {
	if part == nil || whole == nil {
		return "–"
	}
	return d.percent(shareOf(float64(*part), float64(*whole)))
}

func count(n *int) string {
	if n == nil {
		return "–"
	}
	return strconv.Itoa(*n)
}

func (d *document) text(s string) { d.body.Write(appendXML(nil, plainText(s))) }

// plainText leaves out line breaks, which are no text in a document.
func plainText(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' }), " ")
}

func (d *document) paragraph(style, text string) {
	d.body.WriteString(`<w:p>`)
	if style != "" {
		d.body.WriteString(`<w:pPr><w:pStyle w:val="` + style + `"/></w:pPr>`)
	}
	d.body.WriteString(`<w:r><w:t xml:space="preserve">`)
	d.text(text)
	d.body.WriteString(`</w:t></w:r></w:p>`)
}

func (d *document) heading(key string)       { d.headingText(d.word(key)) }
func (d *document) headingText(title string) { d.paragraph("Heading1", title) }

// column is one of a table: its heading, and its width in twentieths of a point.
type column struct {
	title string
	width int
	text  bool // not a number
}

// table writes a table; bold are the lines that count everything.
func (d *document) table(title string, columns []column, rows [][]string, bold ...int) {
	d.tables++
	d.paragraph("Caption", fmt.Sprintf("%s %d. %s", d.word("word.table"), d.tables, title))
	d.body.WriteString(`<w:tbl><w:tblPr><w:tblStyle w:val="Numbers"/><w:tblW w:w="0" w:type="auto"/><w:tblLook w:val="04A0" w:firstRow="1"/></w:tblPr><w:tblGrid>`)
	for _, c := range columns {
		d.body.WriteString(`<w:gridCol w:w="` + strconv.Itoa(c.width) + `"/>`)
	}
	d.body.WriteString(`</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
	for _, c := range columns {
		d.cell(c, c.title, true, true)
	}
	d.body.WriteString(`</w:tr>`)
	for i, row := range rows {
		d.body.WriteString(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		for k, v := range row {
			d.cell(columns[k], v, slices.Contains(bold, i), false)
		}
		d.body.WriteString(`</w:tr>`)
	}
	d.body.WriteString(`</w:tbl>`)
	d.paragraph("Note", "")
}

func (d *document) cell(c column, text string, bold, head bool) {
	d.body.WriteString(`<w:tc><w:tcPr><w:tcW w:w="` + strconv.Itoa(c.width) + `" w:type="dxa"/>`)
	if head {
		d.body.WriteString(`<w:shd w:val="clear" w:color="auto" w:fill="DCE6F1"/><w:vAlign w:val="center"/>`)
	}
	d.body.WriteString(`</w:tcPr><w:p><w:pPr><w:pStyle w:val="Cell"/>`)
	switch {
	case head:
		d.body.WriteString(`<w:jc w:val="center"/>`)
	case !c.text:
		d.body.WriteString(`<w:jc w:val="right"/>`)
	}
	d.body.WriteString(`</w:pPr><w:r>`)
	if bold {
		d.body.WriteString(`<w:rPr><w:b/></w:rPr>`)
	}
	d.body.WriteString(`<w:t xml:space="preserve">`)
	d.text(text)
	d.body.WriteString(`</w:t></w:r></w:p></w:tc>`)
}

func (d *document) coverageTable() {
	columns := []column{{d.word("group"), 3400, true}, {d.word("in_scope"), 1000, false}, {d.word("assigned"), 1000, false}, {d.word("visited"), 900, false},
		{d.word("coverage"), 1000, false}, {d.word("approved"), 900, false}, {d.word("overdue"), 900, false}}
	var rows [][]string
	var bold []int
	for i := range d.w.report.Coverage {
		l := &d.w.report.Coverage[i]
		if l.Level > 0 || !l.Whole && len(rows) >= wordGroups {
			continue
		}
		name := l.Name
		if l.Whole {
			name, bold = d.word("overall"), append(bold, len(rows))
		}
		rows = append(rows, []string{name, strconv.Itoa(l.InScope), strconv.Itoa(l.Assigned), strconv.Itoa(l.Visited), d.percent(l.Share), strconv.Itoa(l.Approved), strconv.Itoa(l.Overdue)})
	}
	if len(rows) > 0 {
		d.table(d.word("title.progress"), columns, rows, bold...)
	}
}

// bandTable writes a summary: bands with their shares, mean and median.
func (d *document) bandTable(sum *scoring.Summary, whole string) {
	bands := d.w.scheme.Bands
	name := 9100 - 600 - 2*800 - 1150*len(bands)
	columns := []column{{d.word("group"), max(1600, name), true}, {"n", 600, false}}
	for _, b := range bands {
		columns = append(columns, column{b.Label.In(d.w.report.Language), 1150, false})
	}
	columns = append(columns, column{d.word("mean"), 800, false}, column{d.word("median"), 800, false})
	line := func(g *scoring.Group, name string) []string {
		row := []string{name, strconv.Itoa(g.N)}
		for _, b := range bands {
			text := strconv.Itoa(g.Bands[b.Code])
			if share, ok := g.BandShares[b.Code]; ok {
				text += " (" + d.percent(&share) + ")"
			}
			row = append(row, text)
		}
		if g.Small {
			row[0] += " *"
		}
		return append(row, d.number(g.Mean), d.number(g.Median))
	}
	var rows [][]string
	small := false
	for i := range sum.Groups[:min(len(sum.Groups), wordGroups)] {
		g := &sum.Groups[i]
		small = small || g.Small
		rows = append(rows, line(g, d.w.groupName(g)))
	}
	rows = append(rows, line(&sum.Overall, whole))
	d.table(d.word("title."+groupingKey(sum.By)), columns, rows, len(rows)-1)
	if small {
		d.paragraph("Note", "* "+d.word("small"))
	}
	if rest := len(sum.Groups) - wordGroups; rest > 0 {
		d.paragraph("Note", d.say("word.rest", "number", strconv.Itoa(rest)))
	}
}

// criteria writes the weakest and the strongest criteria.
func (d *document) criteria(s *scoring.Summary) {
	var known []scoring.ItemStat
	for _, it := range s.Overall.Items {
		if it.Scored && it.Share != nil && it.N >= scoring.SmallCell {
			known = append(known, it)
		}
	}
	if len(known) == 0 {
		return
	}
	d.heading("title.items")
	slices.SortStableFunc(known, func(a, b scoring.ItemStat) int { return cmp.Compare(*a.Share, *b.Share) })
	columns := []column{{d.word("item"), 800, true}, {d.word("criterion"), 4900, true}, {"n", 800, false}, {d.word("mean_share"), 1300, false}, {d.word("full_share"), 1300, false}}
	lines := func(items []scoring.ItemStat) (rows [][]string) {
		for _, it := range items {
			rows = append(rows, []string{it.Item, plainLabel(it.Label).In(d.w.report.Language), d.decimal(strconv.FormatFloat(it.N, 'f', -1, 64)), d.percent(it.Share), d.percent(shareOf(it.Full, it.N))})
		}
		return rows
	}
	n := min(wordItems, (len(known)+1)/2)
	d.table(d.word("word.weakest"), columns, lines(known[:n]))
	strongest := slices.Clone(known[len(known)-n:])
	slices.Reverse(strongest)
	d.table(d.word("word.strongest"), columns, lines(strongest))
	var names []string
	var values []float64
	for _, it := range s.Overall.Items {
		if it.Scored && it.Share != nil {
			names, values = append(names, it.Item), append(values, *it.Share)
		}
	}
	d.chart(d.word("chart.items"), false, names, []chartSeries{{d.word("mean_share"), "305496", values}})
}

func (d *document) selfRatings() {
	a := d.w.report.Analysis
	if a == nil {
		return
	}
	for _, o := range a.Others {
		if o.Role != survey.RoleSelf || o.Difference == nil {
			continue
		}
		d.heading("title.self")
		d.paragraph("", d.say("word.self", "pairs", strconv.Itoa(o.Pairs), "difference", d.number(&o.Difference.Value), "low", d.number(&o.Difference.Low), "high", d.number(&o.Difference.High)))
	}
	if a.Doubled > 0 && a.Bands.Exact != nil {
		d.heading("title.trust")
		d.paragraph("", d.say("word.trust", "pairs", strconv.Itoa(a.Bands.Pairs), "exact", d.percent(a.Bands.Exact), "within", strconv.Itoa(a.Totals.Within), "doubled", strconv.Itoa(a.Doubled)))
	}
}

// findings quotes a few of what was written, good practice only where it may be
// shared.
func (d *document) findings() error {
	if d.w.report.Details == nil {
		return nil
	}
	quotes := map[survey.ItemRole][]string{}
	full := func(role survey.ItemRole) bool { return len(quotes[role]) >= wordQuotes }
	for x, err := range d.w.report.Details {
		if err != nil {
			return err
		}
		if d.w.rows++; d.w.report.Progress != nil && d.w.rows%500 == 0 {
			d.w.report.Progress(d.w.rows)
		}
		if !x.Response.State.Counts() || x.Response.Role != survey.RoleObserver {
			continue
		}
		for _, f := range x.Result.Filled().Findings() {
			if f.Text == "" || full(f.Role) || f.Role == survey.RoleStrength && f.Share != "yes" {
				continue
			}
			text := "“" + plainText(f.Text) + "”"
			if f.Cause != "" {
				text += " " + d.word("cause") + ": " + plainText(f.Cause)
			}
			if f.Owner != "" {
				text += " " + d.word("owner") + ": " + plainText(f.Owner) + "."
			}
			if f.Due != "" {
				text += " " + d.word("due") + ": " + f.Due + "."
			}
			quotes[f.Role] = append(quotes[f.Role], text+" ("+x.Response.Standing.Name+")")
		}
		if full(survey.RoleStrength) && full(survey.RoleShortcoming) && full(survey.RoleRecommendation) {
			break
		}
	}
	for _, k := range []struct {
		role survey.ItemRole
		key  string
	}{{survey.RoleStrength, "word.good"}, {survey.RoleShortcoming, "word.bad"}, {survey.RoleRecommendation, "word.advice"}} {
		if len(quotes[k.role]) == 0 {
			continue
		}
		d.heading(k.key)
		for _, q := range quotes[k.role] {
			d.paragraph("Quote", "– "+q)
		}
		d.paragraph("Note", d.word("word.quotes"))
	}
	return nil
}

// chartSeries is one row of bars.
type chartSeries struct {
	name, color string
	values      []float64
}

// bandChart draws the shares of bands by group.
func (d *document) bandChart(s *scoring.Summary) {
	if len(d.w.scheme.Bands) == 0 || len(s.Groups) == 0 {
		return
	}
	var names []string
	for i := range s.Groups {
		names = append(names, d.w.groupName(&s.Groups[i]))
	}
	var series []chartSeries
	for _, b := range d.w.scheme.Bands {
		row := chartSeries{name: b.Label.In(d.w.report.Language), color: strings.TrimPrefix(b.Color, "#")}
		for i := range s.Groups {
			row.values = append(row.values, s.Groups[i].BandShares[b.Code])
		}
		series = append(series, row)
	}
	d.chart(d.word("chart.bands"), true, names, series)
}
