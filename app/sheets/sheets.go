// Package sheets reads lists that people keep in Excel: of persons, for one. It
// takes columns in any order, by headers in Vietnamese or English however they
// are written, and says of every cell that is not right where it is and what to
// do. It knows no store and no HTTP.
package sheets

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/survey"
)

const (
	maxFile     = 20 << 20
	maxUnpacked = 100 << 20 // against archives that unpack to more than memory holds
	maxRows     = 10_000
	headerRows  = 10 // in which the headers are looked for
)

// column is one that a list may have. Names are its headers, folded by key.
type column struct {
	id    string
	names []string
}

// table is the sheet of a workbook that holds the list.
type table struct {
	sheet string
	at    map[string]int    // the index of each column that is there, by id
	title map[string]string // its header as it stands
	rows  []line
}

// line is a row that is not empty.
type line struct {
	number int // as Excel shows it, from 1
	cells  []string
}

// cell gives a row's text in a column, without spaces around it.
func (t *table) cell(l line, id string) string {
	i, ok := t.at[id]
	if !ok || i >= len(l.cells) {
		return ""
	}
	// Excel lets people type spaces that do not break, and copies bring others.
	return strings.Join(strings.FieldsFunc(l.cells[i], func(r rune) bool {
		return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff'
	}), " ")
}

// problem makes a problem with a cell.
func (t *table) problem(l line, id, code, value string) survey.Problem {
	return survey.Problem{Severity: survey.SeverityError, Code: code, Value: value,
		Place: survey.Place{Sheet: t.sheet, Row: l.number, Column: t.title[id]}}
}

// read finds the sheet that has the needed columns, any one of each group, and
// reads it. Invalid when the bytes are no workbook (codes "workbook.*"), when no
// sheet has the columns ("sheet.no_columns") or there are too many rows
// ("sheet.too_long").
func read(b []byte, columns []column, needed [][]string) (*table, error) {
	f, err := open(b)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		t, err := find(f, sheet, columns, needed)
		if t != nil || err != nil {
			return t, err
		}
	}
	var want []string
	for _, group := range needed {
		i := slices.IndexFunc(columns, func(c column) bool { return c.id == group[0] })
		want = append(want, columns[i].names[0])
	}
	return nil, &survey.Error{Kind: survey.Invalid, Code: "sheet.no_columns", Args: survey.Args{"columns": strings.Join(want, ", ")}}
}

// open opens a workbook that is one and not too large.
func open(b []byte) (*excelize.File, error) {
	unreadable := func(cause error) error {
		return &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: cause}
	}
	tooLarge := &survey.Error{Kind: survey.Invalid, Code: "workbook.too_large", Args: survey.Args{"max": strconv.Itoa(maxFile), "what": "bytes"}}
	if len(b) > maxFile {
		return nil, tooLarge
	}
	if bytes.HasPrefix(b, []byte{0xD0, 0xCF, 0x11, 0xE0}) {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "workbook.xls"}
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, unreadable(err)
	}
	// What the archive says of its sizes may be a lie.
	left := int64(maxUnpacked)
	for _, part := range archive.File {
		r, err := part.Open()
		if err != nil {
			return nil, unreadable(err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, left+1))
		_ = r.Close()
		if err != nil {
			return nil, unreadable(err)
		}
		if left -= n; left < 0 {
			return nil, tooLarge
		}
	}
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return nil, unreadable(err)
	}
	if len(f.GetSheetList()) == 0 {
		return nil, unreadable(errors.New("no sheets"))
	}
	return f, nil
}

// find looks for the headers in the first rows of a sheet; nil when it has not
// got them.
func find(f *excelize.File, sheet string, columns []column, needed [][]string) (*table, error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, nil // a chart, for one
	}
	defer rows.Close()
	var t *table
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "workbook.unreadable", Err: err}
		}
		if t == nil {
			if t = headers(sheet, cells, columns, needed); t == nil && number == headerRows {
				return nil, nil
			}
			continue
		}
		if !slices.ContainsFunc(cells, func(s string) bool { return strings.TrimSpace(s) != "" }) {
			continue
		}
		if len(t.rows) == maxRows {
			return nil, &survey.Error{Kind: survey.Invalid, Code: "sheet.too_long", Args: survey.Args{"max": strconv.Itoa(maxRows)}}
		}
		t.rows = append(t.rows, line{number, cells})
	}
	return t, rows.Error()
}

func headers(sheet string, cells []string, columns []column, needed [][]string) *table {
	t := &table{sheet: sheet, at: map[string]int{}, title: map[string]string{}}
	for i, text := range cells {
		for _, c := range columns {
			if _, twice := t.at[c.id]; !twice && slices.ContainsFunc(c.names, func(n string) bool { return key(n) == key(text) }) {
				t.at[c.id], t.title[c.id] = i, strings.TrimSpace(text)
			}
		}
	}
	for _, group := range needed {
		if !slices.ContainsFunc(group, func(id string) bool { _, ok := t.at[id]; return ok }) {
			return nil
		}
	}
	return t
}

// key folds a header: letters and digits alone, lower case, no diacritics.
func key(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, survey.Fold(s))
}
