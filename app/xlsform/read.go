// Package xlsform reads and writes templates as XLSForm workbooks: the sheets
// survey, choices and settings as other tools know them, and beside them our
// own columns and sheets for scoring (checks, bands, caps, scoring), which
// other tools ignore.
package xlsform

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/unicode/norm"
)

// Read reads a template from the bytes of an .xlsx or .xlsm workbook.
//
// The problems are all those of shape: sheets, columns, types, groups, numbers.
// What is wrong with the meaning (names, formulas, missing texts, sums) is left
// to survey.Compile, which finds the rows in the template. A template is given
// with problems too, as far as it could be made out.
//
// The error, an Invalid survey.Error with a code "workbook.…", is for bytes
// that are no workbook or more than is sensible; then there is no template.
func Read(workbook []byte) (*survey.Template, survey.Problems, error) {
	return ReadNamed(workbook, "")
}

// ReadNamed is Read for a workbook whose file name is known. The name makes the
// template's code if the settings have no form_id, as XLSForm allows.
func ReadNamed(workbook []byte, fileName string) (*survey.Template, survey.Problems, error) {
	return ReadAttached(workbook, fileName, nil)
}

// ReadAttached is ReadNamed for a workbook with the files that go with it, by
// name: the CSV lists of select_one_from_file, whose choices are taken over.
func ReadAttached(workbook []byte, fileName string, files map[string][]byte) (t *survey.Template, ps survey.Problems, err error) {
	defer func() {
		// The library has a history of panics on damaged workbooks.
		if cause := recover(); cause != nil {
			t, ps, err = nil, nil, unreadable(fmt.Errorf("panic: %v", cause))
		}
	}()
	f, err := openWorkbook(workbook)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	r := &reader{template: &survey.Template{State: survey.Draft}, grids: map[string]*grid{}, fileName: fileName, files: files}
	if err := r.readSheets(f); err != nil {
		return nil, nil, err
	}
	r.findLanguages()
	r.checkColumns()
	r.readSettings()
	r.readSurvey()
	r.readChoices()
	r.completeLists()
	r.expandLoops()
	r.renameDoubles()
	r.readChecks()
	r.readScheme()
	r.readCases()
	return r.template, r.problems, nil
}

// reader collects the template and the problems of one workbook.
type reader struct {
	template  *survey.Template
	problems  survey.Problems
	fileName  string
	grids     map[string]*grid // by canonical sheet name
	languages languages
	files     map[string][]byte // attached lists, by file name
	attached  []survey.ChoiceList
	// others are lists to which or_other adds a choice.
	others []string
	// acknowledged: an item needs the list of one choice, OK.
	acknowledged bool
}

func (r *reader) report(severity survey.Severity, code string, at survey.Place, value string, args survey.Args) *survey.Problem {
	r.problems = append(r.problems, survey.Problem{Severity: severity, Code: code, Place: at, Value: value, Args: args})
	return &r.problems[len(r.problems)-1]
}

func (r *reader) fault(code string, at survey.Place, value string, args survey.Args) *survey.Problem {
	return r.report(survey.SeverityError, code, at, value, args)
}

// place gives where a row's cell in the named column is.
func (g *grid) place(row sheetRow, column, item string) survey.Place {
	return survey.Place{Sheet: g.spec.name, Row: row.number, Column: g.header(column), Item: item}
}

// readSheets finds the sheets, in any letter case and order, and their columns.
func (r *reader) readSheets(b *book) error {
	actual := b.GetSheetList()
	specs := sheetSpecs()
	found := matchSheets(actual, specs)
	// The only sheet of a workbook is the survey, whatever it is called.
	if found[surveySheet] == "" && len(actual) == 1 && len(found) == 0 {
		found[surveySheet] = actual[0]
	}
	r.reportSheets(actual, specs, found)
	for _, spec := range specs {
		if found[spec.name] == "" {
			continue
		}
		rows, err := b.rows(found[spec.name])
		if err != nil {
			return err
		}
		g := newGrid(spec, rows)
		if spec.name == casesSheet && g.column("answers") == nil {
			continue // a sheet of the author's own that happens to be called so
		}
		g.facts, g.languages = b.facts[found[spec.name]], &r.languages
		r.grids[spec.name] = g
	}
	return nil
}

// matchSheets gives the actual name of each sheet by its canonical name.
func matchSheets(actual []string, specs []sheetSpec) map[string]string {
	found := map[string]string{}
	for _, sheet := range actual {
		name := strings.ToLower(strings.TrimSpace(sheet))
		if slices.ContainsFunc(specs, func(s sheetSpec) bool { return s.name == name }) && found[name] == "" {
			found[name] = sheet
		}
	}
	return found
}

// reportSheets reports sheets that are missing or whose names look misspelt.
// Other sheets are nobody's business: authors keep notes on them.
func (r *reader) reportSheets(actual []string, specs []sheetSpec, found map[string]string) {
	var missing []string
	for _, spec := range specs {
		if found[spec.name] == "" {
			missing = append(missing, spec.name)
		}
	}
	for _, sheet := range actual {
		name := strings.ToLower(strings.TrimSpace(sheet))
		if found[name] == sheet || found[surveySheet] == sheet || strings.HasPrefix(name, "_") {
			continue
		}
		at := survey.Place{Sheet: sheet}
		switch name {
		case "external_choices":
			continue
		case "entities", "osm":
			r.report(survey.SeverityWarning, "sheet.not_used", at, sheet, nil)
			continue
		}
		if meant := survey.Closest(name, missing); meant != "" {
			r.report(survey.SeverityWarning, "sheet.unknown", at, sheet, nil).Suggestion = meant
		}
	}
	if found[surveySheet] == "" {
		r.fault("sheet.missing", survey.Place{Sheet: surveySheet}, surveySheet, survey.Args{"sheets": strings.Join(actual, ", ")}).
			Suggestion = survey.Closest(surveySheet, actual)
	}
}

// findLanguages lists the languages of all headers, the default first.
func (r *reader) findLanguages() {
	r.languages.byName = map[string]string{}
	for _, spec := range sheetSpecs() {
		r.eachText(spec.name, func(_ *grid, c *column) {
			if l := parseLanguage(c.language); c.language != "" && l.coded && l.name != "" {
				if name := strings.ToLower(l.name); r.languages.byName[name] == "" {
					r.languages.byName[name] = l.tag
				}
			}
		})
	}
	var plain *grid // with labels that name no language
	for _, spec := range sheetSpecs() {
		r.eachText(spec.name, func(g *grid, c *column) {
			switch {
			case c.language != "":
				r.addLanguage(g, c)
			case c.name == "label" && (spec.name == surveySheet || spec.name == choicesSheet) && plain == nil:
				plain = g
			}
		})
	}
	if r.chooseDefault(plain) {
		others := slices.DeleteFunc(slices.Clone(r.languages.tags), func(tag string) bool { return tag == r.languages.def })
		r.template.Languages = append([]string{r.languages.def}, others...)
	}
}

// eachText visits the columns of a sheet that hold texts.
func (r *reader) eachText(sheet string, visit func(*grid, *column)) {
	g := r.grids[sheet]
	if g == nil {
		return
	}
	for i := range g.columns {
		if c := &g.columns[i]; g.spec.isText(c.name) {
			visit(g, c)
		}
	}
}

func (r *reader) addLanguage(g *grid, c *column) {
	tag := r.languages.tagOf(c.language)
	if slices.Contains(r.languages.tags, tag) {
		return
	}
	r.languages.tags = append(r.languages.tags, tag)
	name := strings.Join(strings.Fields(norm.NFC.String(c.language)), " ")
	if parsed := parseLanguage(name); parsed.tag == tag && parsed.name != "" && name != survey.LanguageName(tag) {
		if r.template.LanguageNames == nil {
			r.template.LanguageNames = map[string]string{}
		}
		r.template.LanguageNames[tag] = name
	}
	if !parseLanguage(c.language).known {
		r.report(survey.SeverityWarning, "language.code", survey.Place{Sheet: g.spec.name, Row: g.headerRow, Column: c.header}, c.language, nil)
	}
}

// chooseDefault settles the default language: the one of the settings; else
// the unnamed one, if labels without a language stand alone or beside others;
// else the first. plain is a sheet with such labels, nil if there is none. It is
// false if there are no languages at all.
func (r *reader) chooseDefault(plain *grid) bool {
	l := &r.languages
	g, setting := r.grids[settingsSheet], ""
	if g != nil && len(g.rows) > 0 {
		setting = g.get(g.rows[0], "default_language")
	}
	l.def = unnamed
	if len(l.tags) > 0 {
		l.def = l.tags[0]
	}
	if setting != "" {
		if tag := l.tagOf(setting); slices.Contains(l.tags, tag) || len(l.tags) == 0 || plain != nil {
			l.def = tag
		} else {
			r.report(survey.SeverityWarning, "language.default", g.place(g.rows[0], "default_language", ""), setting,
				survey.Args{"languages": strings.Join(l.tags, ", ")}).Suggestion = survey.Closest(tag, l.tags)
		}
		return true
	}
	if plain != nil && len(l.tags) > 0 {
		if len(plain.byName["label"]) > 1 {
			l.def = unnamed
		}
		header := plain.header("label")
		r.report(survey.SeverityWarning, "language.mixed", survey.Place{Sheet: plain.spec.name, Row: plain.headerRow, Column: header},
			header, survey.Args{"languages": strings.Join(l.tags, ", ")})
	}
	return plain != nil || len(l.tags) > 0
}

// checkColumns reports columns that are there twice, that have no effect, or
// that nobody reads, which is usually a slip of the pen.
func (r *reader) checkColumns() {
	for _, spec := range sheetSpecs() {
		g := r.grids[spec.name]
		if g == nil {
			continue
		}
		seen := map[string]*column{}
		for i := range g.columns {
			r.checkColumn(g, &g.columns[i], seen)
		}
	}
}

func (r *reader) checkColumn(g *grid, c *column, seen map[string]*column) {
	at := survey.Place{Sheet: g.spec.name, Row: g.headerRow, Column: c.header}
	severity, unused := g.spec.unused[c.name]
	switch {
	case g.spec.has(c):
		key := c.name
		if g.spec.isText(c.name) {
			key += "::" + g.tag(c)
		}
		if first := seen[key]; first != nil {
			r.fault("column.duplicate", at, c.header, survey.Args{"first": first.header, "letter": columnLetter(first.index)})
			return
		}
		seen[key] = c
		r.checkCells(g, c)
	case unused:
		if slices.ContainsFunc(g.rows, func(row sheetRow) bool { return c.cell(row) != "" }) {
			r.report(severity, "column.not_used", at, c.header, nil)
		}
	default:
		meant := survey.Closest(c.name, g.spec.names())
		if c.language == "" && meant != "" && g.column(meant) != nil {
			meant = "" // that column is there already
		}
		switch {
		case meant != "":
			r.report(survey.SeverityWarning, "column.unknown", at, c.header, nil).Suggestion = suggestHeader(meant, c)
		case !g.spec.free:
			r.report(survey.SeverityAdvice, "column.unknown", at, c.header, nil)
		}
	}
}

func suggestHeader(name string, c *column) string {
	if c.language == "" {
		return name
	}
	return name + "::" + c.language
}

// checkCells reports cells that hold an error of Excel, and empties them.
func (r *reader) checkCells(g *grid, c *column) {
	if g.facts == nil {
		return
	}
	for _, row := range g.rows {
		if s := c.cell(row); s != "" && g.facts.cells[cellAt{row.number, c.index}].kind == cellError {
			r.fault("cell.error", survey.Place{Sheet: g.spec.name, Row: row.number, Column: c.header}, s, nil)
			row.cells[c.index] = ""
		}
	}
}

func columnLetter(index int) string {
	letter, err := excelize.ColumnNumberToName(index + 1)
	if err != nil {
		return strconv.Itoa(index + 1)
	}
	return letter
}

// firstRow gives the row of a sheet that has only one, and reports any more.
func (r *reader) firstRow(g *grid) (sheetRow, bool) {
	var first sheetRow
	found := false
	for _, row := range g.rows {
		switch {
		case g.isEmpty(row):
		case !found:
			first, found = row, true
		default:
			r.fault("sheet.one_row", survey.Place{Sheet: g.spec.name, Row: row.number}, "", survey.Args{"first": strconv.Itoa(first.number)})
		}
	}
	return first, found
}

func (r *reader) readSettings() {
	t := r.template
	g := r.grids[settingsSheet]
	at := survey.Place{Sheet: settingsSheet, Column: "form_id"}
	if g != nil {
		if row, ok := r.firstRow(g); ok {
			t.Code = survey.TemplateCode(g.get(row, "form_id"))
			t.Label = g.get(row, "version")
			t.InstanceName = expression(g.get(row, "instance_name"))
			t.Title = g.texts(row, "form_title")
			for _, name := range keptSettings {
				if v := g.get(row, name); v != "" {
					if t.Settings == nil {
						t.Settings = map[string]string{}
					}
					t.Settings[name] = v
				}
			}
			at = g.place(row, "form_id", "")
		}
	}
	defer r.settleTitle()
	if t.Code != "" {
		if code := codeOf(string(t.Code)); code != t.Code && code != "" {
			r.report(survey.SeverityWarning, "settings.form_id_shape", at, string(t.Code), survey.Args{"code": string(code)})
			t.Code = code
		}
		return
	}
	if t.Code = codeFromFile(r.fileName); t.Code != "" { // else it is told with what else is wrong with codes
		r.report(survey.SeverityWarning, "settings.form_id", at, "", survey.Args{"code": string(t.Code)})
	}
}

var notInCode = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// codeFromFile makes a template code of a file name: "Điều tra (2).xlsx" gives
// "i-u-tra-2". "" if nothing is left.
func codeFromFile(name string) survey.TemplateCode {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return codeOf(strings.TrimSuffix(base, path.Ext(base)))
}

// settleTitle calls a form without a title by its code, as other tools do.
func (r *reader) settleTitle() {
	if t := r.template; t.Title.IsZero() && t.Code != "" && len(t.Languages) > 0 {
		t.Title = survey.Text{t.Languages[0]: string(t.Code)}
	}
}

// codeOf makes a template code of any text.
func codeOf(base string) survey.TemplateCode {
	code := strings.Trim(notInCode.ReplaceAllString(base, "-"), "-_.")
	if len(code) > 64 {
		code = code[:64]
	}
	return survey.TemplateCode(code)
}
