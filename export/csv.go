package export

import (
	"archive/zip"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"

	"github.com/khaosat/khaosat/survey"
)

// CSVFormat says how the files are written.
type CSVFormat struct {
	// Semicolon separates fields by semicolons and decimals by a comma, as Excel
	// takes files where Vietnamese is set; else it is commas and points.
	Semicolon bool
}

// CSV writes the report's responses as a zip of text files in UTF-8 with a byte
// order mark: responses.csv with a row a response, a file for each repeat with a
// row an entry, codebook.csv, and how to read them with R and SPSS. Numbers are
// not rounded, times are ISO 8601. On an error what was written is no zip.
func CSV(w io.Writer, r *Report, format CSVFormat) error {
	c := &csvZip{format: format, details: &details{w: &writer{report: r, scheme: r.Template.Scheme}, slots: map[*survey.Form][]int{}, marks: missing}}
	if c.details.w.scheme == nil {
		c.details.w.scheme = &survey.Scheme{}
	}
	defer c.close()
	if err := c.write(); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, f := range c.files {
		if err := f.spool.copyTo(z, f.title); err != nil {
			return err
		}
	}
	for _, text := range []struct{ name, content string }{{"read.R", c.scriptR()}, {"read.sps", c.scriptSPSS()}} {
		out, err := z.Create(text.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, text.content); err != nil {
			return err
		}
	}
	return z.Close()
}

// csvZip writes the files beside each other.
type csvZip struct {
	format  CSVFormat
	details *details
	files   []*csvFile
	rows    *csvFile
	header  []string // of rows
	repeats map[string]*csvRepeat
}

// csvRepeat is the file of a repeat.
type csvRepeat struct {
	*csvFile
	name  string
	items []string
}

func (c *csvZip) close() {
	for _, f := range c.files {
		f.file.Close()
	}
}

func (c *csvZip) open(name string) (*csvFile, error) {
	sp, err := newSpool(name)
	if err != nil {
		return nil, err
	}
	f := newCSVFile(sp, c.format)
	c.files = append(c.files, f)
	f.deflate, err = flate.NewWriter(sp.out, compression)
	f.buf = append(f.buf, "\uFEFF"...)
	return f, err
}

func (c *csvZip) write() error {
	var err error
	d, r := c.details, c.details.w.report
	if c.rows, err = c.open("responses.csv"); err != nil {
		return err
	}
	d.rows = c.rows
	d.findColumns()
	c.header = []string{"id", "unit", "unit_name", "path", "structure", "sector", "setting", "tags", "members", "role", "period", "observer", "template_version", "state", "meeting_date", "received_at",
		"earned", "available", "total", "band_before_caps", "caps", "band", "band_label", "deductions"}
	for _, name := range d.sections {
		c.header = append(c.header, name+"_points")
	}
	for i := range d.columns {
		col := &d.columns[i]
		c.header = append(c.header, col.name)
		if col.choose {
			c.header = append(c.header, col.name+"_label")
		}
		if col.scored {
			c.header = append(c.header, col.name+"_points")
		}
	}
	if err := c.rows.strings(c.header...); err != nil {
		return err
	}
	if err := c.openRepeats(); err != nil {
		return err
	}
	for detail, err := range r.Details {
		if err == nil {
			err = c.add(detail)
		}
		if err != nil {
			return err
		}
		if d.w.rows++; r.Progress != nil && d.w.rows%500 == 0 {
			r.Progress(d.w.rows)
		}
	}
	if r.Progress != nil {
		r.Progress(d.w.rows)
	}
	if err := c.codebook(); err != nil {
		return err
	}
	for _, f := range c.files {
		if err := f.finish(); err != nil {
			return err
		}
	}
	return nil
}

// openRepeats begins a file for each repeat. One within another has its entries
// numbered through and says which one of the outer they belong to.
func (c *csvZip) openRepeats() error {
	c.repeats = map[string]*csvRepeat{}
	var err error
	c.details.w.report.Template.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		if it.Kind == survey.KindRepeat && err == nil {
			rep := &csvRepeat{name: it.Name}
			rep.csvFile, err = c.open(it.Name + ".csv")
			c.repeats[it.Name] = rep
			return true
		}
		if it.Kind.HasItems() || it.Kind == survey.KindNote {
			return true
		}
		for i := len(parents) - 1; i >= 0; i-- {
			if parents[i].Kind == survey.KindRepeat {
				rep := c.repeats[parents[i].Name]
				rep.items = append(rep.items, it.Name)
				break
			}
		}
		return true
	})
	for _, rep := range c.repeats {
		if err == nil {
			err = rep.strings(append([]string{"id", "entry", "outer_entry"}, rep.items...)...)
		}
	}
	return err
}

func (c *csvZip) add(x *Detail) error {
	f, r := c.rows, x.Response
	f.text(string(r.ID))
	f.text(string(r.Unit))
	f.text(r.Standing.Name)
	f.text(strings.Join(x.Path[:max(0, len(x.Path)-1)], " › "))
	f.text(r.Standing.Structure)
	f.text(r.Standing.Sector)
	f.text(r.Standing.Setting)
	f.text(strings.Join(r.Standing.Tags, " "))
	f.integer(int64(r.Standing.Members))
	f.text(string(r.Role))
	f.text(r.Period)
	f.text(x.Observer)
	f.integer(int64(r.TemplateVersion))
	f.text(string(r.State))
	f.date(r.MeetingDate)
	f.moment(r.ReceivedAt.In(c.details.w.report.MadeAt.Location()))
	c.details.score(x)
	c.details.items(x)
	if err := f.end(); err != nil {
		return err
	}
	return c.entries(string(r.ID), r.Answers, 0, map[string]int{})
}

// entries writes the rows of the repeats in the answers.
func (c *csvZip) entries(id string, answers survey.Answers, outer int, numbers map[string]int) error {
	for i := range answers {
		a := &answers[i]
		if a.Value.Kind != survey.ValueRows {
			continue
		}
		rep := c.repeats[a.Item]
		for _, entry := range a.Value.Rows {
			numbers[a.Item]++
			if rep != nil {
				rep.text(id)
				rep.integer(int64(numbers[a.Item]))
				if outer > 0 {
					rep.integer(int64(outer))
				} else {
					rep.skip()
				}
				for _, name := range rep.items {
					rep.answer(entry, name)
				}
				if err := rep.end(); err != nil {
					return err
				}
			}
			if err := c.entries(id, entry, numbers[a.Item], numbers); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *csvZip) codebook() error {
	f, err := c.open("codebook.csv")
	if err != nil {
		return err
	}
	lang := c.details.w.report.Language
	if err := f.strings("column", "file", "kind", "section", "points", "asked_when", "label", "choice", "choice_points", "choice_label"); err != nil {
		return err
	}
	number := func(p *float64) {
		if p == nil {
			f.skip()
			return
		}
		f.number(*p)
	}
	for _, e := range Codebook(c.details.w.report.Template) {
		file := "responses.csv"
		if e.Repeat != "" {
			file = e.Repeat + ".csv"
		}
		line := func(choice *survey.Choice) error {
			f.text(e.Column)
			f.text(file)
			f.text(string(e.Kind))
			f.text(e.Section)
			number(e.Points)
			f.text(e.Relevant)
			f.text(e.Label.In(lang))
			if choice != nil {
				f.text(choice.Name)
				var p *float64
				if choice.Points != nil {
					v := choice.Points.Float()
					p = &v
				}
				number(p)
				f.text(choice.Label.In(lang))
			} else {
				f.skip()
				f.skip()
				f.skip()
			}
			return f.end()
		}
		if err := line(nil); err != nil {
			return err
		}
		for i := range e.Choices {
			if err := line(&e.Choices[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// csvFile writes rows as RFC 4180 has them.
type csvFile struct {
	*spool
	deflate   *flate.Writer // nil: rows gather in buf
	separator byte
	comma     bool // decimals
	buf       []byte
	first     bool // no cell in the row at hand yet
}

func newCSVFile(sp *spool, format CSVFormat) *csvFile {
	f := &csvFile{spool: sp, separator: ',', first: true, buf: make([]byte, 0, 1<<16)}
	if format.Semicolon {
		f.separator, f.comma = ';', true
	}
	return f
}

func (f *csvFile) next() {
	if !f.first {
		f.buf = append(f.buf, f.separator)
	}
	f.first = false
}

func (f *csvFile) skip() { f.next() }

// text writes a text. One that a spreadsheet would take for a formula gets an
// apostrophe in front (OWASP, CSV Injection).
func (f *csvFile) text(s string) {
	f.next()
	if s == "" {
		return
	}
	guarded := risky(s)
	quote := guarded || s[0] == ' ' || s[0] == '\'' || s[len(s)-1] == ' '
	if !quote {
		for i := range len(s) {
			if c := s[i]; c == f.separator || c == '"' || c == '\n' || c == '\r' || (f.comma && c == ',') {
				quote = true
				break
			}
		}
	}
	if !quote {
		f.buf = append(f.buf, s...)
		return
	}
	f.buf = append(f.buf, '"')
	if guarded {
		f.buf = append(f.buf, '\'')
	}
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		f.buf = append(append(f.buf, s[:i+1]...), '"')
		s = s[i+1:]
	}
	f.buf = append(append(f.buf, s...), '"')
}

func (f *csvFile) number(v float64) {
	f.next()
	if v != v {
		return
	}
	from := len(f.buf)
	f.buf = strconv.AppendFloat(f.buf, v, 'f', -1, 64)
	if !f.comma {
		return
	}
	for i := from; i < len(f.buf); i++ {
		if f.buf[i] == '.' {
			f.buf[i] = ','
		}
	}
}

func (f *csvFile) integer(n int64) {
	f.next()
	f.buf = strconv.AppendInt(f.buf, n, 10)
}

func (f *csvFile) date(day survey.Date) {
	f.next()
	if day != 0 {
		f.buf = day.Time().AppendFormat(f.buf, time.DateOnly)
	}
}

func (f *csvFile) moment(t time.Time) {
	f.next()
	f.buf = t.AppendFormat(f.buf, "2006-01-02T15:04:05.000Z07:00")
}

// answer writes an answer of an entry of a repeat, nothing where there is none.
func (f *csvFile) answer(entry survey.Answers, name string) {
	v, ok := entry.Get(name)
	switch {
	case !ok || v.IsBlank():
		f.skip()
	case v.Kind == survey.ValueNumber:
		f.number(v.Number)
	case v.Kind == survey.ValueList:
		f.text(strings.Join(v.List, " "))
	default:
		f.text(v.Text)
	}
}

func (f *csvFile) strings(row ...string) error {
	for _, s := range row {
		f.text(s)
	}
	return f.end()
}

func (f *csvFile) end() error {
	f.buf = append(f.buf, '\r', '\n')
	f.first = true
	if f.deflate == nil || len(f.buf) < 1<<15 {
		return nil
	}
	return f.flush()
}

func (f *csvFile) flush() error {
	_, _ = f.sum.Write(f.buf)
	f.size += uint64(len(f.buf))
	_, err := f.deflate.Write(f.buf)
	f.buf = f.buf[:0]
	return err
}

func (f *csvFile) finish() error {
	if err := f.flush(); err != nil {
		return err
	}
	if err := f.deflate.Close(); err != nil {
		return err
	}
	return f.out.Flush()
}
