package export

import (
	"archive/zip"
	"bufio"
	"bytes"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"github.com/khaosat/khaosat/survey"
)

// dataSheet is a sheet that grows with the responses. Its rows are written as
// XML, compressed at once and spooled to a temporary file, since a workbook's
// parts come in an order that excelize decides; later the compressed bytes go
// into the workbook as they are. What does not fit goes on on a further sheet.
type dataSheet struct {
	title   string // of the sheet
	heading string // stands above the table; "" for a table that begins at the top
	columns []dataColumn
	styles  styles
	footer  string
	header  string // of the printed page
	frozen  int    // columns at the left
	outline bool   // rows have levels, those beneath after what they belong to
	most    int    // rows of a sheet
	bands   []bandRule
	total   int // rows written on all sheets, without headers

	parts []*spool // the last is being written
	*spool
	deflate *flate.Writer
	buf     []byte
	cell    int  // next column in the row at hand
	bold    bool // the row at hand counts everything
}

// spool is one sheet's XML, compressed, in a temporary file.
type spool struct {
	title string
	rows  int // written, the header included
	file  *os.File
	out   *bufio.Writer
	sum   hash.Hash32
	size  uint64
}

// mostRows is how many rows a sheet of Excel's has.
const mostRows = 1 << 20

type dataColumn struct {
	header string
	width  float64
	style  int
}

// bandRule colours the cells of a column that hold a band's code or name.
type bandRule struct {
	column int
	values []string
	dxf    []int
}

// compression is klauspost's level: well under a quarter of the time of the
// standard library's level 6, for files a quarter larger. Level 5 makes them an
// eighth smaller and a workbook take a tenth longer.
const compression = 4

func newSpool(title string) (*spool, error) {
	f, err := os.CreateTemp("", "khaosat-sheet-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // it lives as long as it is open
	return &spool{title: title, file: f, out: bufio.NewWriterSize(f, 1<<16), sum: crc32.NewIEEE()}, nil
}

func (d *dataSheet) column(header string, width float64, style int) {
	d.columns = append(d.columns, dataColumn{header, width, style})
}

// headerAt is the row of the headings.
func (d *dataSheet) headerAt() int {
	if d.heading != "" {
		return headerRow
	}
	return 1
}

// begin starts a sheet: the first, or a further one.
func (d *dataSheet) begin() error {
	title := d.title
	if n := len(d.parts); n > 0 {
		title += "_" + itoa(n+1)
	}
	sp, err := newSpool(title)
	if err != nil {
		return err
	}
	d.parts, d.spool = append(d.parts, sp), sp
	if d.deflate == nil {
		d.buf = make([]byte, 0, 1<<16)
		d.deflate, err = flate.NewWriter(sp.out, compression)
	} else {
		d.deflate.Reset(sp.out)
	}
	if err != nil {
		return err
	}
	return d.prologue()
}

// prologue writes everything before the rows, and the header row.
func (d *dataSheet) prologue() error {
	at := d.headerAt()
	b := append(d.buf, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+
		`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetPr>`...)
	if d.outline {
		b = append(b, `<outlinePr summaryBelow="0"/>`...)
	}
	b = append(b, `<pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0"><pane`...)
	corner := cellName(d.frozen, at+1)
	pane := "bottomLeft"
	if d.frozen > 0 {
		b = append(b, ` xSplit="`+itoa(d.frozen)+`"`...)
		pane = "bottomRight"
	}
	b = append(b, ` ySplit="`+itoa(at)+`" topLeftCell="`+corner+`" activePane="`+pane+`" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"`...)
	if d.outline {
		b = append(b, ` outlineLevelRow="2"`...)
	}
	b = append(b, `/><cols>`...)
	for i, c := range d.columns {
		n := strconv.Itoa(i + 1)
		b = append(b, `<col min="`+n+`" max="`+n+`" width="`+strconv.FormatFloat(c.width, 'f', -1, 64)+`" customWidth="1"/>`...)
	}
	d.buf = append(b, `</cols><sheetData>`...)
	if d.heading != "" {
		d.row("")
		d.styled(d.heading, d.styles.title)
		d.buf = append(d.buf, `</row>`...)
		d.rows = headerRow - 1
	}
	d.row(` ht="` + itoa(d.headerHeight()) + `" customHeight="1"`)
	for _, c := range d.columns {
		d.styled(c.header, d.styles.header)
	}
	return d.end()
}

// headerHeight is enough for the longest heading in its column.
func (d *dataSheet) headerHeight() int {
	lines := 1
	for _, c := range d.columns {
		lines = max(lines, linesOf(c.header, c.width))
	}
	return 4 + 15*lines
}

// linesOf says about how many lines a text takes in a column.
func linesOf(text string, width float64) int {
	lines, room := 1, max(1, int(width-1))
	at := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if at > 0 && at+1+n > room {
			lines, at = lines+1, 0
		}
		if at > 0 {
			at++
		}
		for ; n > room; n -= room {
			lines++
		}
		at += n
	}
	return lines
}

// row begins a row with further attributes.
func (d *dataSheet) row(attributes string) {
	d.rows++
	d.cell = 0
	d.buf = append(d.buf, `<row r="`...)
	d.buf = strconv.AppendInt(d.buf, int64(d.rows), 10)
	d.buf = append(append(append(d.buf, '"'), attributes...), '>')
}

// start begins a row, on a further sheet if this one is full.
func (d *dataSheet) start() error {
	if d.most > 0 && d.rows >= d.most {
		if err := d.finish(); err != nil {
			return err
		}
		if err := d.begin(); err != nil {
			return err
		}
	}
	d.total++
	d.row("")
	return nil
}

// startLines is start for a row whose texts take so many lines.
func (d *dataSheet) startLines(lines int) error {
	if err := d.start(); err != nil || lines <= 1 {
		return err
	}
	d.buf = append(d.buf[:len(d.buf)-1], ` ht="`+itoa(rowHeight*min(lines, 27))+`" customHeight="1">`...)
	return nil
}

// startAt begins a row at a level of the outline, 0 the highest.
func (d *dataSheet) startAt(level int) {
	d.total++
	if level == 0 {
		d.row("")
		return
	}
	d.row(` outlineLevel="` + itoa(level) + `"`)
}

// end finishes a row and hands it on when enough has gathered.
func (d *dataSheet) end() error {
	d.buf = append(d.buf, `</row>`...)
	if len(d.buf) < 1<<15 {
		return nil
	}
	return d.flush()
}

func (d *dataSheet) flush() error {
	_, _ = d.sum.Write(d.buf) // a hash never fails
	d.size += uint64(len(d.buf))
	_, err := d.deflate.Write(d.buf)
	d.buf = d.buf[:0]
	return err
}

func (d *dataSheet) open(style int, kind string) {
	d.buf = append(d.buf, `<c r="`...)
	d.buf = appendColumn(d.buf, d.cell)
	d.buf = strconv.AppendInt(d.buf, int64(d.rows), 10)
	d.buf = append(d.buf, `" s="`...)
	d.buf = strconv.AppendInt(d.buf, int64(style), 10)
	d.buf = append(d.buf, kind...)
	d.cell++
}

// style is that of the next cell.
func (d *dataSheet) style() int {
	if d.bold {
		return d.styles.bold(d.columns[d.cell].style)
	}
	return d.columns[d.cell].style
}

// values writes cells of any sort; nil pointers leave theirs empty.
func (d *dataSheet) values(row []any) {
	for _, v := range row {
		switch v := v.(type) {
		case string:
			d.text(v)
		case int:
			d.integer(int64(v))
		case float64:
			d.number(v)
		case *int:
			if v == nil {
				d.skip()
			} else {
				d.integer(int64(*v))
			}
		case *float64:
			d.numberOrNone(v)
		default:
			d.skip()
		}
	}
}

// numberOrNone writes a number, nothing for nil.
func (d *dataSheet) numberOrNone(f *float64) {
	if f == nil {
		d.skip()
		return
	}
	d.number(*f)
}

// skip leaves a cell empty.
func (d *dataSheet) skip() { d.cell++ }

// text writes a text cell. A text that a spreadsheet would take for a formula,
// were it typed in, is marked so that it stays one even when it is edited.
func (d *dataSheet) text(s string) {
	if s == "" {
		d.skip()
		return
	}
	style := d.style()
	if risky(s) {
		style = d.styles.quoted
	}
	d.styled(s, style)
}

func (d *dataSheet) styled(s string, style int) {
	// Said where it matters only: on every cell it would be a fifth of the file.
	if spaced(s) {
		d.open(style, `" t="inlineStr"><is><t xml:space="preserve">`)
	} else {
		d.open(style, `" t="inlineStr"><is><t>`)
	}
	d.buf = appendXML(d.buf, s)
	d.buf = append(d.buf, `</t></is></c>`...)
}

// spaced reports whether a text has white space that a reader of XML may drop
// unless it is told not to: at an end, or more than single blanks within.
func spaced(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] > ' ' {
			continue
		}
		if s[i] != ' ' || i == 0 || i == len(s)-1 || s[i-1] == ' ' {
			return true
		}
	}
	return false
}

// number writes a number as it is.
func (d *dataSheet) number(f float64) {
	if f != f {
		d.skip()
		return
	}
	d.open(d.style(), `"><v>`)
	d.buf = strconv.AppendFloat(d.buf, f, 'g', -1, 64)
	d.buf = append(d.buf, `</v></c>`...)
}

func (d *dataSheet) integer(n int64) {
	d.open(d.style(), `"><v>`)
	d.buf = strconv.AppendInt(d.buf, n, 10)
	d.buf = append(d.buf, `</v></c>`...)
}

// excelZero is day 0 of a workbook's dates, counted as 1900 was no leap year.
var excelZero = survey.MustDate("1899-12-30")

// date writes a day.
func (d *dataSheet) date(day survey.Date) {
	if day == 0 {
		d.skip()
		return
	}
	d.integer(int64(day - excelZero))
}

// moment writes a time of the wall clock in the zone of t.
func (d *dataSheet) moment(t time.Time) { d.number(excelMoment(t)) }

// excelMoment is a time of the wall clock in the zone of t, as workbooks count.
func excelMoment(t time.Time) float64 {
	_, offset := t.Zone()
	return float64(t.UnixMilli()+int64(offset)*1000)/86400e3 - float64(excelZero)
}

// shortDate is a day as people write it here.
func shortDate(d survey.Date) string { return d.Time().Format("02/01/2006") }

// pagesAcross is how many pages wide a sheet is printed, so that it can be read.
func pagesAcross(width float64) int { return max(1, int(width/pageWidth+0.5)) }

// pageWidth is how wide in characters a page of A4 across is, at the smallest
// that can be read.
const pageWidth = 200

// finish writes what follows the rows and completes the spool.
func (d *dataSheet) finish() error {
	at := d.headerAt()
	last := cellName(len(d.columns)-1, max(at, d.rows))
	d.buf = append(d.buf, `</sheetData><autoFilter ref="A`+itoa(at)+`:`+last+`"/>`...)
	priority := 1
	for _, rule := range d.bands {
		if d.rows <= at {
			break
		}
		column := string(appendColumn(nil, rule.column))
		d.buf = append(d.buf, `<conditionalFormatting sqref="`+column+itoa(at+1)+`:`+column+itoa(d.rows)+`">`...)
		for i, v := range rule.values {
			d.buf = append(d.buf, `<cfRule type="cellIs" dxfId="`+strconv.Itoa(rule.dxf[i])+`" priority="`+strconv.Itoa(priority)+`" operator="equal"><formula>"`...)
			d.buf = appendXML(d.buf, doubleQuotes(v))
			d.buf = append(d.buf, `"</formula></cfRule>`...)
			priority++
		}
		d.buf = append(d.buf, `</conditionalFormatting>`...)
	}
	width := 0.0
	for _, c := range d.columns {
		width += c.width
	}
	d.buf = append(d.buf, `<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>`+
		`<pageSetup paperSize="9" orientation="landscape" fitToWidth="`+itoa(pagesAcross(width))+`" fitToHeight="0"/><headerFooter><oddHeader>`...)
	d.buf = appendXML(d.buf, d.header)
	d.buf = append(d.buf, `</oddHeader><oddFooter>`...)
	d.buf = appendXML(d.buf, d.footer)
	d.buf = append(d.buf, `</oddFooter></headerFooter></worksheet>`...)
	if err := d.flush(); err != nil {
		return err
	}
	if err := d.deflate.Close(); err != nil {
		return err
	}
	err := d.out.Flush()
	d.out = nil // what was finished need not keep its room
	return err
}

// done is finish for the last part: nothing is written any more.
func (d *dataSheet) done() error {
	err := d.finish()
	d.deflate, d.buf = nil, nil
	return err
}

// copyTo puts the spooled sheet into a zip under the name.
func (d *spool) copyTo(z *zip.Writer, name string) error {
	compressed, err := d.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CRC32: d.sum.Sum32(), UncompressedSize64: d.size, CompressedSize64: uint64(compressed)})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, d.file)
	return err
}

func (d *dataSheet) close() {
	for _, sp := range d.parts {
		sp.file.Close()
	}
}

// zipWriter is what excelize writes the workbook's parts to: straight to the
// destination, with the data sheets put in the place of their placeholders.
type zipWriter struct {
	zip    *zip.Writer
	sheets map[string]*spool // by part name
	types  bytes.Buffer      // the list of the parts' content types
}

// contentTypes is the part that lists the other parts; excelize writes its
// entries in an order left to chance.
const contentTypes = "[Content_Types].xml"

func newZipWriter(w io.Writer, sheets map[string]*spool) *zipWriter {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, compression) })
	return &zipWriter{zip: z, sheets: sheets}
}

// Create begins a part.
func (z *zipWriter) Create(name string) (io.Writer, error) {
	if d := z.sheets[name]; d != nil {
		delete(z.sheets, name)
		return io.Discard, d.copyTo(z.zip, name)
	}
	if name == contentTypes {
		return &z.types, nil
	}
	return z.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
}

// AddFS adds the files of a file system.
func (z *zipWriter) AddFS(fsys fs.FS) error { return z.zip.AddFS(fsys) }

// Close finishes the workbook: with the content types sorted, so that the same
// report always gives the same bytes.
func (z *zipWriter) Close() error {
	w, err := z.zip.CreateHeader(&zip.FileHeader{Name: contentTypes, Method: zip.Deflate})
	if err != nil {
		return err
	}
	if _, err := w.Write(sortEntries(z.types.Bytes())); err != nil {
		return err
	}
	return z.zip.Close()
}

// entry is one entry of the list of content types.
var entry = regexp.MustCompile(`<(?:Default|Override) [^>]*?(?:/>|></(?:Default|Override)>)`)

// sortEntries sorts the entries and leaves what is around them as it is.
func sortEntries(b []byte) []byte {
	found := entry.FindAll(b, -1)
	slices.SortFunc(found, bytes.Compare)
	next := 0
	return entry.ReplaceAllFunc(b, func([]byte) []byte {
		next++
		return found[next-1]
	})
}
