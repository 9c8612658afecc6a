package xlsform

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/khaosat/khaosat/survey"
	"github.com/xuri/excelize/v2"
)

// Write makes a workbook of a template, which Read reads back as an equal one:
// but for its version number, state and events, which a workbook does not hold,
// and texts in languages that the template does not list. The same template
// always gives the same bytes. It is an Invalid survey.Error if an item has no
// XLSForm type or a text is longer than a cell can hold.
func Write(t *survey.Template) ([]byte, error) {
	w, err := newWriter(t)
	if err != nil {
		return nil, err
	}
	defer w.file.Close()
	survey, err := w.surveyTable()
	if err != nil {
		return nil, err
	}
	tables := []*table{survey, w.choicesTable(), w.checksTable()}
	if t.Scheme != nil {
		tables = append(tables, w.bandsTable(), w.capsTable(), w.scoringTable())
	}
	cases, err := w.casesTable()
	if err != nil {
		return nil, err
	}
	tables = append(tables, cases)
	tables = append(tables, w.settingsTable())
	for i, tb := range tables {
		if len(tb.rows) == 0 && tb.sheet != surveySheet {
			continue
		}
		if err := w.write(tb, i == 0); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := w.file.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writer writes one template.
type writer struct {
	template            *survey.Template
	file                *excelize.File
	head, body, section int // style ids
}

func newWriter(t *survey.Template) (*writer, error) {
	w := &writer{template: t, file: excelize.NewFile()}
	top := &excelize.Alignment{Vertical: "top", WrapText: true}
	for _, s := range []struct {
		id    *int
		style excelize.Style
	}{
		{&w.head, excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: top, Fill: solid("D9E2F3"),
			Border: []excelize.Border{{Type: "bottom", Style: 1, Color: "8EA9DB"}}}},
		{&w.body, excelize.Style{Alignment: top}},
		{&w.section, excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: top, Fill: solid("F2F2F2")}},
	} {
		id, err := w.file.NewStyle(&s.style)
		if err != nil {
			return nil, err
		}
		*s.id = id
	}
	return w, w.file.SetDocProps(&excelize.DocProperties{Creator: "khaosat", Title: t.Title.In("", t.Languages...), Subject: string(t.Code)})
}

func solid(color string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
}

// table is a sheet to be written. Its cells are string, int, float64,
// survey.Points or *survey.Points; "" and a nil pointer leave a cell empty.
type table struct {
	sheet   string
	headers []string
	rows    [][]any
	shaded  map[int]bool // rows that begin a section, 0-based
}

// textHeaders gives the headers of a column in each language.
func (w *writer) textHeaders(name string) []string {
	out := make([]string, len(w.template.Languages))
	for i, tag := range w.template.Languages {
		out[i] = name + "::" + w.template.LanguageName(tag)
		if i == 0 && tag == unnamed {
			out[i] = name
		}
	}
	return out
}

// textCells gives the cells that belong under textHeaders.
func (w *writer) textCells(t survey.Text) []any {
	out := make([]any, len(w.template.Languages))
	for i, tag := range w.template.Languages {
		out[i] = t[tag]
	}
	return out
}

// yesCell writes what a cell says by default as nothing.
func yesCell(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}

func requiredCell(condition string) string {
	switch condition {
	case "true()":
		return "yes"
	case "false()":
		return "no"
	}
	return condition
}

// surveyTable has a row for each item, and one more at the end of each group.
func (w *writer) surveyTable() (*table, error) {
	t := &table{sheet: surveySheet, headers: []string{"type", "name"}, shaded: map[int]bool{}}
	for _, name := range []string{"label", "hint", "guidance_hint"} {
		t.headers = append(t.headers, w.textHeaders(name)...)
	}
	t.headers = append(t.headers, "required")
	t.headers = append(t.headers, w.textHeaders("required_message")...)
	t.headers = append(t.headers, "relevant", "constraint")
	t.headers = append(t.headers, w.textHeaders("constraint_message")...)
	t.headers = append(t.headers, "calculation", "default", "appearance", "parameters", "repeat_count", "read_only",
		"choice_filter", "trigger", "points", "steps", "na", "reverse", "bonus", "applies", "evidence", "rubric", "tags_list", "role", "was")
	t.headers = append(t.headers, w.mediaHeaders()...)
	if err := w.addItems(t, w.template.Items); err != nil {
		return nil, err
	}
	// type, name and the labels stay though they be empty: labels tell the languages.
	t.dropEmptyColumns(2 + len(w.template.Languages))
	return t, nil
}

func (w *writer) addItems(t *table, items []survey.Item) error {
	for i := range items {
		it := &items[i]
		typ, err := typeCell(it)
		if err != nil {
			return err
		}
		if it.Kind.HasItems() {
			t.shaded[len(t.rows)] = true
		}
		t.rows = append(t.rows, w.itemCells(typ, it))
		if !it.Kind.HasItems() {
			continue
		}
		if err := w.addItems(t, it.Items); err != nil {
			return err
		}
		t.rows = append(t.rows, []any{"end_" + string(it.Kind)})
	}
	return nil
}

func (w *writer) itemCells(typ string, it *survey.Item) []any {
	row := []any{typ, it.Name}
	row = append(row, w.textCells(it.Label)...)
	row = append(row, w.textCells(it.Hint)...)
	row = append(row, w.textCells(it.Guidance)...)
	row = append(row, requiredCell(it.Required))
	row = append(row, w.textCells(it.RequiredMessage)...)
	row = append(row, it.Relevant, it.Constraint)
	row = append(row, w.textCells(it.ConstraintMessage)...)
	calculation := it.Calculation
	if it.Metadata() || strings.HasSuffix(it.Type, "-external") {
		calculation = "" // goes with the type
	}
	row = append(row, calculation, defaultCell(it.Kind, it.Default), it.Appearance, it.Parameters, it.RepeatCount, yesCell(it.ReadOnly),
		it.ChoiceFilter, it.Trigger, it.Points, stepsCell(it.Steps), string(it.NA), yesCell(it.Reverse), yesCell(it.Bonus), it.Applies, it.Evidence,
		yesCell(it.Kind == survey.KindRubric), it.TagsList, string(it.Role), it.Was)
	return append(row, w.mediaCells(it.Media)...)
}

// mediaHeaders gives the headers of all media columns in each language.
func (w *writer) mediaHeaders() []string {
	var out []string
	for _, name := range mediaColumns {
		out = append(out, w.textHeaders(strings.ReplaceAll(name, "_", "-"))...)
	}
	return out
}

func (w *writer) mediaCells(media map[string]survey.Text) []any {
	var out []any
	for _, name := range mediaColumns {
		out = append(out, w.textCells(media[strings.ReplaceAll(name, "_", "-")])...)
	}
	return out
}

// typeCell gives the XLSForm type of an item.
func typeCell(it *survey.Item) (string, error) {
	switch {
	case it.Type == "":
	case it.Kind.Chooses() && it.Type != "acknowledge":
		return it.Type + " " + it.List, nil
	default:
		return it.Type, nil
	}
	switch it.Kind {
	case survey.KindSelectOne, survey.KindRubric:
		return "select_one " + it.List, nil
	case survey.KindSelectMultiple:
		return "select_multiple " + it.List, nil
	case survey.KindGroup, survey.KindRepeat:
		return "begin_" + string(it.Kind), nil
	case survey.KindDateTime:
		return "dateTime", nil
	case survey.KindNote, survey.KindText, survey.KindInteger, survey.KindDecimal, survey.KindDate, survey.KindTime, survey.KindCalculate,
		survey.KindImage, survey.KindGeopoint:
		return string(it.Kind), nil
	}
	return "", &survey.Error{Kind: survey.Invalid, Code: "workbook.item_kind", Args: survey.Args{"item": it.Name, "kind": string(it.Kind)}}
}

// dropEmptyColumns removes the columns from the one given on that have no cell.
func (t *table) dropEmptyColumns(from int) {
	keep := make([]bool, len(t.headers))
	for _, row := range t.rows {
		for i, cell := range row {
			keep[i] = keep[i] || !isEmptyCell(cell)
		}
	}
	filter := func(row []any) []any {
		var out []any
		for i, cell := range row {
			if i < from || keep[i] {
				out = append(out, cell)
			}
		}
		return out
	}
	for i := range t.rows {
		t.rows[i] = filter(t.rows[i])
	}
	var headers []string
	for i, h := range t.headers {
		if i < from || keep[i] {
			headers = append(headers, h)
		}
	}
	t.headers = headers
}

func isEmptyCell(cell any) bool {
	switch v := cell.(type) {
	case string:
		return v == ""
	case *survey.Points:
		return v == nil
	}
	return false
}

func (w *writer) choicesTable() *table {
	t := &table{sheet: choicesSheet, headers: append([]string{"list_name", "name"}, w.textHeaders("label")...)}
	t.headers = append(t.headers, "points", "na")
	t.headers = append(t.headers, w.textHeaders("anchor")...)
	t.headers = append(t.headers, w.mediaHeaders()...)
	own := w.ownColumns()
	t.headers = append(t.headers, own...)
	for _, list := range w.template.Lists {
		for _, ch := range list.Choices {
			means := string(ch.Means)
			if ch.Means == survey.MeansNA {
				means = "yes"
			}
			row := append([]any{list.Name, ch.Name}, w.textCells(ch.Label)...)
			row = append(row, ch.Points, means)
			row = append(append(row, w.textCells(ch.Anchor)...), w.mediaCells(ch.Media)...)
			for _, column := range own {
				row = append(row, ch.Columns[column])
			}
			t.rows = append(t.rows, row)
		}
	}
	t.dropEmptyColumns(2 + len(w.template.Languages))
	return t
}

// ownColumns lists the authors' own columns of all choices.
func (w *writer) ownColumns() []string {
	all := map[string]bool{}
	for _, list := range w.template.Lists {
		for _, ch := range list.Choices {
			for column := range ch.Columns {
				all[column] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (w *writer) checksTable() *table {
	t := &table{sheet: checksSheet, headers: append([]string{"code", "test", "item"}, w.textHeaders("label")...)}
	for _, c := range w.template.Checks {
		t.rows = append(t.rows, append([]any{c.Code, c.Test, c.Item}, w.textCells(c.Label)...))
	}
	return t
}

func (w *writer) bandsTable() *table {
	t := &table{sheet: bandsSheet, headers: append(append([]string{"code", "min"}, w.textHeaders("label")...), "color")}
	for _, b := range w.template.Scheme.Bands {
		t.rows = append(t.rows, append(append([]any{b.Code, b.Min}, w.textCells(b.Label)...), b.Color))
	}
	return t
}

func (w *writer) capsTable() *table {
	t := &table{sheet: capsSheet, headers: append([]string{"code", "when", "band"}, w.textHeaders("label")...)}
	for _, c := range w.template.Scheme.Caps {
		t.rows = append(t.rows, append([]any{c.Code, c.When, c.Band}, w.textCells(c.Label)...))
	}
	return t
}

func (w *writer) scoringTable() *table {
	s := w.template.Scheme
	roles := make([]string, len(s.Roles))
	for i, r := range s.Roles {
		roles[i] = string(r)
	}
	graded := "no"
	if s.Graded {
		graded = "yes"
	}
	return &table{
		sheet:   scoringSheet,
		headers: []string{"total", "na_policy", "rescale", "min_available", "decimals", "blank", "graded", "applies", "roles"},
		rows: [][]any{{s.Total, string(s.NA), string(s.Rescale), s.MinAvailable, s.Decimals, string(s.Blank), graded, s.Applies,
			strings.Join(roles, " ")}},
	}
}

func (w *writer) settingsTable() *table {
	tpl := w.template
	t := &table{sheet: settingsSheet, rows: [][]any{nil}}
	add := func(header string, cell any) {
		t.headers = append(t.headers, header)
		t.rows[0] = append(t.rows[0], cell)
	}
	language := ""
	for i, tag := range tpl.Languages {
		if i == 0 {
			add("form_title", tpl.Title[tag])
			if tag != unnamed {
				language = w.template.LanguageName(tag)
			}
			continue
		}
		add(translatedTitle+"::"+w.template.LanguageName(tag), tpl.Title[tag])
	}
	add("form_id", string(tpl.Code))
	add("version", tpl.Label)
	add("default_language", language)
	add("instance_name", tpl.InstanceName)
	for _, name := range keptSettings {
		if v := tpl.Settings[name]; v != "" {
			add(name, v)
		}
	}
	return t
}

// write adds a sheet with a bold header row that stays in view.
func (w *writer) write(t *table, first bool) error {
	if first {
		if err := w.file.SetSheetName(w.file.GetSheetName(0), t.sheet); err != nil {
			return err
		}
	} else if _, err := w.file.NewSheet(t.sheet); err != nil {
		return err
	}
	for i, header := range t.headers {
		if err := w.cell(t, i, 1, header); err != nil {
			return err
		}
	}
	for r, row := range t.rows {
		for i, cell := range row {
			if err := w.cell(t, i, r+2, cell); err != nil {
				return err
			}
		}
	}
	return w.format(t)
}

func (w *writer) format(t *table) error {
	const frozenColumns = 2 // what a row is about
	last := columnLetter(len(t.headers) - 1)
	styles := []struct{ from, to, style int }{{1, 1, w.head}}
	if len(t.rows) > 0 {
		styles = append(styles, struct{ from, to, style int }{2, len(t.rows) + 1, w.body})
	}
	for i := range t.rows {
		if t.shaded[i] {
			styles = append(styles, struct{ from, to, style int }{i + 2, i + 2, w.section})
		}
	}
	for _, s := range styles {
		if err := w.file.SetCellStyle(t.sheet, "A"+strconv.Itoa(s.from), last+strconv.Itoa(s.to), s.style); err != nil {
			return err
		}
	}
	for i, header := range t.headers {
		name, _ := splitHeader(t.sheet, header)
		if err := w.file.SetColWidth(t.sheet, columnLetter(i), columnLetter(i), columnWidth(name)); err != nil {
			return err
		}
	}
	panes := &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}
	if t.sheet == surveySheet || t.sheet == choicesSheet {
		panes = &excelize.Panes{Freeze: true, XSplit: frozenColumns, YSplit: 1, TopLeftCell: "C2", ActivePane: "bottomRight"}
	}
	return w.file.SetPanes(t.sheet, panes)
}

// columnWidth gives the width of a column in characters.
func columnWidth(name string) float64 {
	switch name {
	case "label", "anchor", "form_title", "test", "when":
		return 44
	case "answers", "hint", "constraint_message", "required_message", "calculation", "steps", "relevant", "constraint", "applies", "evidence":
		return 30
	case "type", "name", "list_name", "default", "default_language", "instance_name", "roles", "tags_list", "appearance", "parameters":
		return 22
	}
	return 12
}

// maxCellText is how many UTF-16 units Excel keeps in a cell.
const maxCellText = 32767

// escapedUnit is what Excel reads as one character, such as "_x0041_".
var escapedUnit = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)

func (w *writer) cell(t *table, column, row int, value any) error {
	if isEmptyCell(value) {
		return nil
	}
	at := columnLetter(column) + strconv.Itoa(row)
	switch v := value.(type) {
	case string:
		v = escapedUnit.ReplaceAllString(v, "_x005F_x${1}_")
		if len(v) > maxCellText && len(utf16.Encode([]rune(v))) > maxCellText {
			return &survey.Error{Kind: survey.Invalid, Code: "workbook.cell_too_long",
				Args: survey.Args{"sheet": t.sheet, "cell": at, "max": strconv.Itoa(maxCellText)}}
		}
		return w.file.SetCellStr(t.sheet, at, v)
	case *survey.Points:
		return w.file.SetCellFloat(t.sheet, at, v.Float(), -1, 64)
	case survey.Points:
		return w.file.SetCellFloat(t.sheet, at, v.Float(), -1, 64)
	case float64:
		return w.file.SetCellFloat(t.sheet, at, v, -1, 64)
	case int:
		return w.file.SetCellInt(t.sheet, at, int64(v))
	}
	return fmt.Errorf("xlsform: no way to write a %T", value)
}
