package xlsform

import (
	"regexp"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"golang.org/x/text/unicode/norm"
)

// Names of the sheets.
const (
	surveySheet   = "survey"
	choicesSheet  = "choices"
	externalSheet = "external_choices"
	settingsSheet = "settings"
	checksSheet   = "checks"
	bandsSheet    = "bands"
	capsSheet     = "caps"
	scoringSheet  = "scoring"
	casesSheet    = "cases"
)

// translatedTitle is our column for the title in languages other than the
// default one: the standard has none, and a form_title with a language would
// make other tools refuse the workbook.
const translatedTitle = "heading"

// mediaColumns hold file names of pictures and sounds beside a label.
var mediaColumns = []string{"image", "big_image", "audio", "video"}

// keptSettings are settings that ODK clients heed and that are kept for them.
var keptSettings = []string{"style", "auto_send", "auto_delete", "allow_choice_duplicates"}

// sheetSpec says what columns a sheet may have.
type sheetSpec struct {
	name string
	// columns have one value; texts one for each language.
	columns, texts []string
	// unused are columns of the XLSForm standard that have no effect here, with
	// how serious that is when one is filled in.
	unused map[string]survey.Severity
	// free: the author may have columns of their own, for choice filters.
	free bool
}

// sheetSpecs are the sheets that are read, in the order in which they are
// written.
func sheetSpecs() []sheetSpec {
	const advice, warning = survey.SeverityAdvice, survey.SeverityWarning
	return []sheetSpec{
		{
			name: surveySheet,
			columns: []string{"type", "name", "required", "relevant", "constraint", "calculation", "default", "appearance", "parameters",
				"repeat_count", "read_only", "choice_filter", "trigger", "points", "steps", "na", "reverse", "bonus", "applies", "evidence", "rubric", "tags_list", "role", "was"},
			texts: append([]string{"label", "hint", "guidance_hint", "required_message", "constraint_message"}, mediaColumns...),
			unused: map[string]survey.Severity{"media": advice, "autoplay": advice, "save_to": advice, "bind": advice, "rows": advice,
				"body": advice, "instance": advice, "control": advice, "disabled": warning},
		},
		{
			name:    choicesSheet,
			columns: []string{"list_name", "name", "points", "na"},
			texts:   append([]string{"label", "anchor"}, mediaColumns...),
			unused:  map[string]survey.Severity{"media": advice},
			free:    true,
		},
		{
			name:    externalSheet,
			columns: []string{"list_name", "name"},
			texts:   append([]string{"label"}, mediaColumns...),
			free:    true,
		},
		{name: checksSheet, columns: []string{"code", "test", "item"}, texts: []string{"label"}},
		{name: bandsSheet, columns: []string{"code", "min", "color"}, texts: []string{"label"}},
		{name: capsSheet, columns: []string{"code", "when", "band"}, texts: []string{"label"}},
		{name: scoringSheet, columns: []string{"total", "na_policy", "rescale", "min_available", "decimals", "blank", "graded", "applies", "roles"}},
		{name: casesSheet, columns: casesColumns},
		{
			name:    settingsSheet,
			columns: append([]string{"form_id", "version", "default_language", "instance_name"}, keptSettings...),
			texts:   []string{"form_title"},
			unused: map[string]survey.Severity{"public_key": warning, "submission_url": warning, "name": advice, "client_editable": advice, "clean_text_values": advice,
				"omit_instanceid": advice, "namespaces": advice, "attribute": advice, "instance_xmlns": advice, "prefix": advice, "delimiter": advice,
				"sms_keyword": advice, "sms_separator": advice, "sms_allow_media": advice, "sms_date_format": advice,
				"sms_datetime_format": advice, "sms_response": advice, "compact_prefix": advice, "compact_delimiter": advice},
		},
	}
}

// alias gives the canonical name of a column that XLSForm, or an older form of
// it, also calls by another name. Both are in the shape that headerWords gives.
func alias(sheet, name string) string {
	switch sheet {
	case surveySheet:
		switch name {
		case "caption":
			return "label"
		case "relevance":
			return "relevant"
		case "calculate":
			return "calculation"
		case "readonly":
			return "read_only"
		case "count":
			return "repeat_count"
		case "constraining_message", "constraint_msg", "constraintmsg":
			return "constraint_message"
		case "required_msg", "requiredmsg":
			return "required_message"
		case "command":
			return "type"
		case "tag":
			return "name"
		}
	case choicesSheet, externalSheet:
		switch name {
		case "list":
			return "list_name"
		case "value":
			return "name"
		case "caption":
			return "label"
		}
	case settingsSheet:
		switch name {
		case "title", "set_form_title", translatedTitle:
			return "form_title"
		case "id_string", "set_form_id":
			return "form_id"
		}
	case bandsSheet:
		if name == "colour" {
			return "color"
		}
	}
	return name
}

// bindAlias gives the column that an XForms bind attribute of old workbooks
// means ("bind::relevant", "bind:jr:constraintMsg"); "" if it means none.
func bindAlias(attribute string) string {
	switch strings.ToLower(attribute) {
	case "relevant", "required", "constraint", "type":
		return strings.ToLower(attribute)
	case "calculate":
		return "calculation"
	case "readonly":
		return "read_only"
	case "jr:constraintmsg":
		return "constraint_message"
	case "jr:requiredmsg":
		return "required_message"
	}
	return ""
}

// column is one column of a sheet.
type column struct {
	header string // as its author wrote it
	name   string // canonical
	// language is what stands after "::"; "" if nothing does.
	language string
	index    int // 0-based
}

// splitHeader takes "Label :: English (en)" apart into its canonical name and
// its language.
func splitHeader(sheet, header string) (name, language string) {
	header = norm.NFC.String(header)
	if strings.EqualFold(strings.TrimSpace(header), "jr:count") {
		return "repeat_count", ""
	}
	name, language, found := strings.Cut(header, "::")
	if !found {
		// A single colon is how it was written once.
		name, language, _ = strings.Cut(header, ":")
	}
	name, language = headerWords(name), strings.TrimSpace(language)
	if name == "bind" && sheet == surveySheet {
		attribute, rest, _ := strings.Cut(language, "::")
		if canonical := bindAlias(strings.TrimSpace(attribute)); canonical != "" {
			return canonical, strings.TrimSpace(rest)
		}
	}
	if name == "media" { // media::image::French
		form, rest, _ := strings.Cut(language, "::")
		if form = headerWords(form); slices.Contains(mediaColumns, form) {
			return form, strings.TrimSpace(rest)
		}
	}
	return alias(sheet, name), language
}

// headerWords brings a header into the form "list_name".
func headerWords(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '-' || r == '_' })
	return strings.Join(words, "_")
}

// grid is a sheet with its columns found.
type grid struct {
	spec      sheetSpec
	headerRow int // 1-based
	columns   []column
	byName    map[string][]int // indices into columns
	rows      []sheetRow
	languages *languages
	facts     *sheetFacts // nil if nothing is known
	merged    map[int]int // rows of merged cells in list_name, once looked up
}

// newGrid takes the first row as the header.
func newGrid(spec sheetSpec, rows []sheetRow) *grid {
	g := &grid{spec: spec, headerRow: 1, byName: map[string][]int{}}
	if len(rows) == 0 {
		return g
	}
	g.headerRow, g.rows = rows[0].number, rows[1:]
	blank := 0
	for i, header := range rows[0].cells[:min(len(rows[0].cells), maxColumns)] {
		if header == "" {
			if blank++; blank >= blankHeader {
				break
			}
			continue
		}
		blank = 0
		name, language := splitHeader(spec.name, header)
		g.byName[name] = append(g.byName[name], len(g.columns))
		g.columns = append(g.columns, column{header: header, name: name, language: language, index: i})
	}
	return g
}

// cell gives the text of a row in a column.
func (c *column) cell(row sheetRow) string {
	if c.index < len(row.cells) {
		return row.cells[c.index]
	}
	return ""
}

// column finds a column without language, nil if there is none.
func (g *grid) column(name string) *column {
	for _, i := range g.byName[name] {
		if c := &g.columns[i]; c.language == "" {
			return c
		}
	}
	return nil
}

// get gives the text of a row in the column of that name.
func (g *grid) get(row sheetRow, name string) string {
	if c := g.column(name); c != nil {
		return c.cell(row)
	}
	return ""
}

// header gives the header of a column as its author wrote it, or its canonical
// name if the sheet has no such column.
func (g *grid) header(name string) string {
	if c := g.column(name); c != nil {
		return c.header
	}
	return name
}

// texts gives what a row says in a column's languages, nil if nothing.
func (g *grid) texts(row sheetRow, name string) survey.Text {
	var t survey.Text
	for _, i := range g.byName[name] {
		c := &g.columns[i]
		s := c.cell(row)
		if s == "" {
			continue
		}
		if t == nil {
			t = survey.Text{}
		}
		if tag := g.tag(c); t[tag] == "" {
			t[tag] = s
		}
	}
	return t
}

// media gives the file names in a row by what they are, nil if there are none.
func (g *grid) media(row sheetRow) map[string]survey.Text {
	var out map[string]survey.Text
	for _, name := range mediaColumns {
		if t := g.texts(row, name); t != nil {
			if out == nil {
				out = map[string]survey.Text{}
			}
			out[strings.ReplaceAll(name, "_", "-")] = t
		}
	}
	return out
}

// own gives what a row says in the author's own columns, by header; nil if nothing.
func (g *grid) own(row sheetRow) map[string]string {
	var out map[string]string
	for i := range g.columns {
		c := &g.columns[i]
		if _, unused := g.spec.unused[c.name]; unused || g.spec.has(c) || c.language != "" || !columnName.MatchString(c.header) {
			continue
		}
		if s := c.cell(row); s != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[c.header] = s
		}
	}
	return out
}

// columnName is what can be the name of a column in a choice filter.
var columnName = regexp.MustCompile(`^[\pL_][\pL\pM\pN_.-]*$`)

// tag gives the language tag of a column with texts.
func (g *grid) tag(c *column) string {
	if c.language == "" {
		return g.languages.def
	}
	return g.languages.tagOf(c.language)
}

// isText reports whether a column has a text in each language.
func (s *sheetSpec) isText(name string) bool { return slices.Contains(s.texts, name) }

// has reports whether the column is one that is read.
func (s *sheetSpec) has(c *column) bool {
	return s.isText(c.name) || c.language == "" && slices.Contains(s.columns, c.name)
}

// names lists all the columns that are read.
func (s *sheetSpec) names() []string { return slices.Concat(s.columns, s.texts) }

// isEmpty reports whether a row says nothing in any column that is read.
func (g *grid) isEmpty(row sheetRow) bool {
	for i := range g.columns {
		if c := &g.columns[i]; g.spec.has(c) && c.cell(row) != "" {
			return false
		}
	}
	return true
}
