package xlsform

import (
	"archive/zip"
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/survey"
)

// What is read of a workbook is bounded, so that a hostile one costs little.
const (
	maxFile     = 20 << 20  // of the file itself
	maxUnpacked = 100 << 20 // of all its parts together
	maxRows     = 20000     // of a sheet
	blankRows   = 60        // after so many empty rows in a row a sheet ends
	blankCells  = 20        // after so many empty headers in a row the header ends
)

// openWorkbook opens the bytes of an .xlsx file. Invalid with a plain reason if
// they are none, or more than is sensible.
func openWorkbook(b []byte) (*excelize.File, error) {
	refuse := func(code string, err error) error {
		return &survey.Error{Kind: survey.Invalid, Code: code, Err: err}
	}
	if len(b) > maxFile {
		return nil, refuse("workbook.too_large", nil)
	}
	if bytes.HasPrefix(b, []byte{0xD0, 0xCF, 0x11, 0xE0}) {
		// The container of .xls, and of .xlsx behind a password.
		if bytes.Contains(b, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00i\x00o\x00n\x00I\x00n\x00f\x00o")) {
			return nil, refuse("workbook.password", nil)
		}
		return nil, refuse("workbook.xls", nil)
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, refuse("workbook.unreadable", err)
	}
	if err := measure(archive); err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return nil, refuse("workbook.unreadable", err)
	}
	return f, nil
}

// measure unpacks every part without keeping it: what a zip says of its own
// sizes may be a lie.
func measure(archive *zip.Reader) error {
	left := int64(maxUnpacked)
	for _, part := range archive.File {
		r, err := part.Open()
		if err != nil {
			return &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: err}
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, left+1))
		r.Close()
		if err != nil {
			return &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: err}
		}
		if left -= n; left < 0 {
			return &survey.Error{Kind: survey.Invalid, Code: "workbook.too_large"}
		}
	}
	return nil
}

// sheet is a sheet as rows of cells by column.
type sheet struct {
	name    string // as the user wrote it
	columns []column
	rows    []sheetRow
}

// column is one header: its canonical name, and for texts the language ("" when
// it names none).
type column struct {
	name, language string
	header         string // as the user wrote it
	at             int    // 0-based
}

type sheetRow struct {
	number int // 1-based, as Excel shows it
	cells  map[int]string
}

// findSheet finds a sheet by its name, letter case and spaces aside.
func findSheet(f *excelize.File, name string) (string, bool) {
	for _, s := range f.GetSheetList() {
		if strings.EqualFold(strings.TrimSpace(s), name) {
			return s, true
		}
	}
	return "", false
}

// readSheet reads a sheet row by row. The first row that is not empty is the header.
func readSheet(f *excelize.File, name string) (*sheet, error) {
	out := &sheet{name: name}
	rows, err := f.Rows(name)
	if err != nil {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: err}
	}
	defer rows.Close()
	blank := 0
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: err}
		}
		row := sheetRow{number: number, cells: map[int]string{}}
		for i, c := range cells {
			if c = clean(c); c != "" {
				row.cells[i] = c
			}
		}
		if len(row.cells) == 0 {
			if blank++; blank >= blankRows && out.columns != nil {
				break
			}
			if number > maxRows {
				break
			}
			continue
		}
		blank = 0
		if out.columns == nil {
			out.header(cells)
			continue
		}
		if len(out.rows) >= maxRows {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "workbook.too_many_rows", Args: survey.Args{"sheet": name, "max": strconv.Itoa(maxRows)}}
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// clean straightens quotes and non-breaking spaces and trims the ends, and
// writes a whole number that Excel keeps as 2.0 as 2.
func clean(s string) string {
	s = strings.TrimSpace(strings.NewReplacer("\u00a0", " ", "\r\n", "\n", "\ufeff", "").Replace(s))
	if whole, fraction, found := strings.Cut(s, "."); found && strings.Trim(fraction, "0") == "" {
		if _, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return whole
		}
	}
	return s
}

func (s *sheet) header(cells []string) {
	blank := 0
	for i, h := range cells {
		h = strings.TrimSpace(h)
		if h == "" {
			if blank++; blank >= blankCells {
				return
			}
			continue
		}
		blank = 0
		name, language := h, ""
		for _, sep := range []string{"::", ":"} {
			if a, b, found := strings.Cut(h, sep); found && !strings.EqualFold(a, "jr") && !strings.EqualFold(a, "bind") && !strings.EqualFold(a, "body") {
				name, language = strings.TrimSpace(a), strings.TrimSpace(b)
				break
			}
		}
		name = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(name, "-", "_")), "_"))
		if canonical, ok := aliases[name]; ok {
			name = canonical
		}
		s.columns = append(s.columns, column{name: name, language: language, header: h, at: i})
	}
}

// aliases are other names of columns that XLSForm knows.
var aliases = map[string]string{
	"caption": "label", "relevance": "relevant", "calculate": "calculation", "required?": "required", "readonly": "read_only",
	"constraint_msg": "constraint_message", "constraining_message": "constraint_message", "required_msg": "required_message",
	"list": "list_name", "value": "name", "command": "type", "tag": "name", "count": "repeat_count", "title": "form_title", "id_string": "form_id",
	"set_form_title": "form_title", "set_form_id": "form_id",
}

// get gives the cell of a column without language.
func (s *sheet) get(r sheetRow, name string) string {
	for _, c := range s.columns {
		if c.name == name && c.language == "" {
			if v := r.cells[c.at]; v != "" {
				return v
			}
		}
	}
	return ""
}

// texts gives the cells of a column in all its languages, by tag; one without a
// language counts as the default's.
func (s *sheet) texts(r sheetRow, name, defaultTag string) survey.Text {
	var t survey.Text
	for _, c := range s.columns {
		v := r.cells[c.at]
		if c.name != name || v == "" {
			continue
		}
		tag := defaultTag
		if c.language != "" {
			tag = languageTag(c.language)
		}
		if t == nil {
			t = survey.Text{}
		}
		t[tag] = v
	}
	return t
}

// languageTag gives the tag in "Tiếng Việt (vi)"; a language without a code
// stands for itself in lower case.
func languageTag(s string) string {
	if open := strings.LastIndexByte(s, '('); open >= 0 && strings.HasSuffix(s, ")") {
		return strings.ToLower(strings.TrimSpace(s[open+1 : len(s)-1]))
	}
	return strings.ToLower(strings.Join(strings.Fields(s), "-"))
}
