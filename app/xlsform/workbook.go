package xlsform

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/xuri/excelize/v2"
)

// What is read of a workbook is bounded, so that a hostile one costs little.
// The largest real template seen has 500 questions and unpacks to under 2 MB.
const (
	maxFile     = MaxFile  // bytes of the file itself
	maxParts    = 2_000    // files in the archive
	maxUnpacked = 64 << 20 // bytes of all its parts, images included
	maxPart     = 16 << 20 // bytes of one part
	maxRows     = 20_000   // filled rows of a sheet
	maxRow      = 100_000  // the last row that is looked at
	maxColumns  = 1_000    // columns of a sheet that are looked at
	maxCells    = 500_000  // cells of a sheet, and the gaps before them
	maxMerged   = 5_000    // merged blocks of a sheet
	blankRows   = 60       // a sheet ends after so many empty rows
	blankHeader = 20       // and a header row after so many empty cells
	// maxUnnumbered are the rows of a sheet that do not say which they are.
	maxUnnumbered = 5_000
)

// MaxFile is the largest workbook or list that is read, in bytes.
const MaxFile = 16 << 20

func unreadable(cause error) error {
	return &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: cause}
}

func tooLarge(what string, limit int) error {
	return &survey.Error{Kind: survey.Invalid, Code: "workbook.too_large",
		Args: survey.Args{"what": what, "max": strconv.Itoa(limit)}}
}

// openWorkbook opens the bytes of an .xlsx or .xlsm file. The error says in
// plain words what else they are, or that they are more than is sensible.
func openWorkbook(b []byte) (*book, error) {
	if len(b) > maxFile {
		return nil, tooLarge("bytes", maxFile)
	}
	// The container of .xls files and of .xlsx files behind a password.
	if bytes.HasPrefix(b, []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}) {
		code := "workbook.xls"
		if bytes.Contains(b, utf16LE("EncryptedPackage")) {
			code = "workbook.password"
		}
		return nil, &survey.Error{Kind: survey.Invalid, Code: code}
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, unreadable(err)
	}
	if err := measure(archive); err != nil {
		return nil, err
	}
	// The XML limit equals the whole, so that nothing is put in temporary files.
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return nil, unreadable(err)
	}
	if len(f.GetSheetList()) == 0 {
		return nil, unreadable(errors.New("the archive holds no sheets"))
	}
	return examine(f)
}

func utf16LE(ascii string) []byte {
	out := make([]byte, 0, 2*len(ascii))
	for i := range len(ascii) {
		out = append(out, ascii[i], 0)
	}
	return out
}

// measure unpacks every part without keeping it, because what a zip says of
// its own sizes may be a lie.
func measure(archive *zip.Reader) error {
	if len(archive.File) > maxParts {
		return tooLarge("parts", maxParts)
	}
	left := int64(maxUnpacked)
	for _, part := range archive.File {
		r, err := part.Open()
		if err != nil {
			return unreadable(err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, maxPart+1))
		_ = r.Close()
		if err != nil {
			return unreadable(fmt.Errorf("%s: %w", part.Name, err))
		}
		if left -= n; n > maxPart || left < 0 {
			return tooLarge("unpacked bytes", maxUnpacked)
		}
	}
	return nil
}

// sheetRow is a row that is not empty: its 1-based number as Excel shows it,
// and the cells from column A on.
type sheetRow struct {
	number int
	cells  []string
}

// book is a workbook that has been found fit to be read.
type book struct {
	*excelize.File
	facts    map[string]*sheetFacts // by sheet name
	date1904 bool
	styles   map[int]numberStyle
}

// examine scans every worksheet of the workbook.
func examine(f *excelize.File) (*book, error) {
	b := &book{File: f, facts: map[string]*sheetFacts{}, styles: map[int]numberStyle{}}
	byPart := map[string]*sheetFacts{}
	var err error
	f.Pkg.Range(func(name, content any) bool {
		data, ok := content.([]byte)
		if !ok {
			return true
		}
		var facts *sheetFacts
		var kept []byte
		if facts, kept, err = scanPart(data); err != nil {
			return false
		}
		if facts != nil {
			byPart[name.(string)] = facts
		}
		if kept != nil {
			f.Pkg.Store(name, kept)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	part := func(name string) []byte {
		content, _ := f.Pkg.Load(name)
		data, _ := content.([]byte)
		return data
	}
	for sheet, name := range sheetParts(part) {
		b.facts[sheet] = byPart[name]
	}
	props, err := f.GetWorkbookProps()
	if err != nil {
		return nil, unreadable(err)
	}
	b.date1904 = props.Date1904 != nil && *props.Date1904
	return b, nil
}

// rows gives the rows of a sheet that are not empty, with every cell as the
// text its author meant. It stops after blankRows empty ones.
func (b *book) rows(sheet string) ([]sheetRow, error) {
	raw, err := b.Rows(sheet)
	if err != nil {
		return nil, unreadable(err)
	}
	defer raw.Close()
	var out []sheetRow
	blank, filled := 0, 0
	for number := 1; blank < blankRows && raw.Next(); number++ {
		cells, err := raw.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return nil, unreadable(err)
		}
		if !b.clean(sheet, number, cells) {
			blank++
			continue
		}
		blank = 0
		out = append(out, sheetRow{number, cells})
		if len(out) > maxRows {
			return nil, tooLarge("rows", maxRows)
		}
		if filled += len(cells); filled > maxCells {
			return nil, tooLarge("cells", maxCells)
		}
	}
	if err := raw.Error(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}

// clean brings the cells of a row into the form in which they are read, and
// reports whether any is filled.
func (b *book) clean(sheet string, row int, cells []string) bool {
	filled := false
	for i, raw := range cells {
		if raw == "" {
			continue
		}
		if facts := b.facts[sheet]; facts != nil {
			raw = b.text(raw, facts.cells[cellAt{row, i}])
		}
		cells[i] = tidy(raw)
		filled = filled || cells[i] != ""
	}
	return filled
}

// text gives what a cell shows that is not stored as text, without the
// rounding of its number format.
func (b *book) text(raw string, facts cellFacts) string {
	switch facts.kind {
	case cellText, cellError:
		return raw
	case cellBool:
		if raw == "0" || strings.EqualFold(raw, "false") {
			return "FALSE"
		}
		return "TRUE"
	}
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return raw
	}
	switch b.numberStyle(facts.style) {
	case styleDate:
		if t, err := excelize.ExcelDateToTime(v, b.date1904); err == nil {
			return dateText(t, v)
		}
	case stylePercent:
		return numberText(v*100) + "%"
	}
	return numberText(v)
}

// numberText writes a number with the 15 digits that Excel computes with; it
// stores 17: 1.1 as 1.1000000000000001.
func numberText(v float64) string {
	if short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64); err == nil {
		v = short
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// numberStyle is what a number format makes of a number.
type numberStyle uint8

const (
	stylePlain numberStyle = iota
	styleDate
	stylePercent
)

func (b *book) numberStyle(id int) numberStyle {
	if id == 0 {
		return stylePlain
	}
	known, ok := b.styles[id]
	if !ok {
		if style, err := b.GetStyle(id); err == nil { // a damaged style is none
			known = styleOf(style)
		}
		b.styles[id] = known
	}
	return known
}

func styleOf(s *excelize.Style) numberStyle {
	switch n := s.NumFmt; {
	case s.CustomNumFmt != nil:
		return formatOf(*s.CustomNumFmt)
	case n == 9 || n == 10:
		return stylePercent
	case n >= 14 && n <= 22, n >= 27 && n <= 36, n >= 45 && n <= 47, n >= 50 && n <= 58:
		return styleDate
	}
	return stylePlain
}

// dateText writes a moment as XLSForm does: a date, a time of day, or both.
func dateText(t time.Time, serial float64) string {
	switch whole := math.Floor(serial); {
	case serial == whole:
		return t.Format("2006-01-02")
	case whole == 0:
		return t.Round(time.Second).Format("15:04:05")
	default:
		return t.Round(time.Second).Format("2006-01-02T15:04:05")
	}
}

// formatOf makes out a number format code by what stands outside of quotes,
// brackets and escapes: a part of a date, or a percent sign.
func formatOf(code string) numberStyle {
	var skipTo rune
	escaped := false
	for _, c := range code {
		switch {
		case escaped:
			escaped = false
		case skipTo != 0:
			if c == skipTo {
				skipTo = 0
			}
		case c == '\\':
			escaped = true
		case c == '"':
			skipTo = '"'
		case c == '[':
			skipTo = ']'
		case c == '%':
			return stylePercent
		case strings.ContainsRune("yYmMdDhHsS", c):
			return styleDate
		}
	}
	return stylePlain
}

// tidier replaces what Excel and web pages put in cells without anyone seeing.
var tidier = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u200b", "", "\ufeff", "")

func tidy(s string) string {
	return strings.TrimSpace(tidier.Replace(s))
}

// mergedRows gives, for the rows of a 0-based column that lie within a merged block,
// the first row of the block.
func (f *sheetFacts) mergedRows(col int) map[int]int {
	out := map[int]int{}
	for _, m := range f.merged {
		if col < m.from.col || col > m.to.col {
			continue
		}
		for row := m.from.row; row <= min(m.to.row, maxRow); row++ {
			out[row] = m.from.row
		}
	}
	return out
}
