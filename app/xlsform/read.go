// Package xlsform reads templates from XLSForm workbooks: the sheets survey,
// choices and settings as other tools know them, and beside them our own columns
// and sheets for scoring (bands, caps, checks, scoring), which other tools
// ignore. Everything wrong is reported at once, with sheet, row and column.
package xlsform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/expr"
)

// Read reads a template from the bytes of an .xlsx workbook. The problems are of
// shape only: survey.Compile finds what is wrong with the meaning. The error is
// for bytes that are no workbook; then there is no template.
func Read(workbook []byte) (*survey.Template, survey.Problems, error) {
	f, err := openWorkbook(workbook)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	r := &reader{template: &survey.Template{State: survey.Draft}, sheets: map[string]*sheet{}}
	for _, name := range []string{"survey", "choices", "settings", "bands", "caps", "checks", "scoring"} {
		actual, found := findSheet(f, name)
		if !found {
			continue
		}
		s, err := readSheet(f, actual)
		if err != nil {
			return nil, nil, err
		}
		r.sheets[name] = s
		r.checkColumns(name, s)
	}
	if r.sheets["survey"] == nil {
		p := r.report(survey.SeverityError, "workbook.no_survey", survey.Place{Sheet: "survey"}, strings.Join(f.GetSheetList(), ", "), nil)
		p.Suggestion = survey.Closest("survey", f.GetSheetList())
		return r.template, r.problems, nil
	}
	r.readSettings()
	r.readChoices()
	r.readSurvey()
	r.readChecks()
	r.readScheme()
	return r.template, r.problems, nil
}

type reader struct {
	template *survey.Template
	sheets   map[string]*sheet
	problems survey.Problems
	tag      string // of the default language
}

func (r *reader) report(sev survey.Severity, code string, at survey.Place, value string, args survey.Args) *survey.Problem {
	r.problems = append(r.problems, survey.Problem{Severity: sev, Code: code, Place: at, Value: value, Args: args})
	return &r.problems[len(r.problems)-1]
}

// known are the columns of each sheet. A second list has those that XLSForm
// allows and that mean nothing here yet; they are kept out without a word of
// error.
var known = map[string][2][]string{
	"survey": {
		{"type", "name", "label", "hint", "required", "required_message", "relevant", "constraint", "constraint_message", "calculation",
			"default", "appearance", "parameters", "repeat_count", "read_only", "points", "steps", "na", "reverse", "bonus", "applies", "evidence",
			"rubric", "tags_list", "role"},
		{"guidance_hint", "choice_filter", "trigger", "image", "big_image", "audio", "video", "media", "autoplay", "save_to", "note", "notes", "comment",
			"comments", "bind", "body", "instance", "disabled"},
	},
	"choices":  {{"list_name", "name", "label", "points", "na", "anchor"}, {"image", "big_image", "audio", "video", "media", "note", "notes", "geometry"}},
	"settings": {{"form_title", "form_id", "version", "default_language", "instance_name", "heading"}, {"style", "public_key", "submission_url", "auto_send", "auto_delete", "name", "allow_choice_duplicates", "client_editable", "clean_text_values", "omit_instanceid", "namespaces", "attribute", "sms_keyword", "sms_separator"}},
	"bands":    {{"code", "min", "label", "color"}, nil},
	"caps":     {{"code", "when", "band", "label"}, nil},
	"checks":   {{"code", "test", "item", "label"}, nil},
	"scoring":  {{"total", "na_policy", "rescale", "min_available", "decimals", "blank", "graded", "applies", "roles"}, nil},
}

// checkColumns reports columns nobody reads: usually a slip of the pen.
func (r *reader) checkColumns(name string, s *sheet) {
	k := known[name]
	for _, c := range s.columns {
		if slices.Contains(k[0], c.name) {
			continue
		}
		at := survey.Place{Sheet: name, Row: 1, Column: c.header}
		if slices.Contains(k[1], c.name) {
			r.report(survey.SeverityAdvice, "column.not_used", at, c.header, nil)
			continue
		}
		if name == "choices" {
			continue // any column there may serve to filter choices
		}
		r.report(survey.SeverityWarning, "column.unknown", at, c.header, nil).Suggestion = survey.Closest(c.name, k[0])
	}
}

func (r *reader) readSettings() {
	t := r.template
	s := r.sheets["settings"]
	if s != nil && len(s.rows) > 0 {
		row := s.rows[0]
		if language := s.get(row, "default_language"); language != "" {
			r.tag = languageTag(language)
		}
		r.findLanguages()
		t.Code = survey.TemplateCode(s.get(row, "form_id"))
		t.Label = s.get(row, "version")
		t.InstanceName = s.get(row, "instance_name")
		t.Title = s.texts(row, "form_title", r.tag)
		for tag, heading := range s.texts(row, "heading", r.tag) {
			if t.Title == nil {
				t.Title = survey.Text{}
			}
			t.Title[tag] = heading
		}
		return
	}
	r.findLanguages()
	r.report(survey.SeverityError, "settings.missing", survey.Place{Sheet: "settings"}, "", nil)
}

// findLanguages lists the languages that labels come in, the default first.
func (r *reader) findLanguages() {
	var tags []string
	plain := false
	for _, name := range []string{"survey", "choices"} {
		if s := r.sheets[name]; s != nil {
			for _, c := range s.columns {
				if c.name != "label" {
					continue
				}
				if c.language == "" {
					plain = true
				} else if tag := languageTag(c.language); !slices.Contains(tags, tag) {
					tags = append(tags, tag)
				}
			}
		}
	}
	if r.tag == "" {
		if plain || len(tags) == 0 {
			r.tag = "und" // a language that nobody named
		} else {
			r.tag = tags[0]
		}
	}
	if plain && len(tags) > 0 && r.tag == "und" {
		r.report(survey.SeverityWarning, "language.mixed", survey.Place{Sheet: "survey", Row: 1, Column: "label"}, "", survey.Args{"languages": strings.Join(tags, ", ")})
	}
	out := []string{r.tag}
	for _, tag := range tags {
		if tag != r.tag {
			out = append(out, tag)
		}
	}
	r.template.Languages = out
}

// points reads a number of points; nil when the cell is empty.
func (r *reader) points(s string, at survey.Place) *survey.Points {
	if s == "" {
		return nil
	}
	p, ok := survey.ParsePoints(s)
	if !ok {
		r.report(survey.SeverityError, "points.shape", at, s, nil)
		return nil
	}
	return &p
}

// yes reads a truth value as XLSForm writes them.
func (r *reader) yes(s string, at survey.Place) bool {
	switch strings.ToLower(s) {
	case "", "no", "false", "false()", "0":
		return false
	case "yes", "true", "true()", "1", "x":
		return true
	}
	r.report(survey.SeverityError, "cell.yes_no", at, s, nil)
	return false
}

func (r *reader) readChoices() {
	s := r.sheets["choices"]
	if s == nil {
		return
	}
	for _, row := range s.rows {
		list := s.get(row, "list_name")
		at := func(column string) survey.Place {
			return survey.Place{Sheet: "choices", Row: row.number, Column: column}
		}
		if list == "" {
			r.report(survey.SeverityError, "choice.no_list", at("list_name"), s.get(row, "name"), nil)
			continue
		}
		l := r.template.List(list)
		if l == nil {
			r.template.Lists = append(r.template.Lists, survey.ChoiceList{Name: list})
			l = &r.template.Lists[len(r.template.Lists)-1]
		}
		ch := survey.Choice{Name: s.get(row, "name"), Label: s.texts(row, "label", r.tag), Anchor: s.texts(row, "anchor", r.tag), Row: row.number,
			Points: r.points(s.get(row, "points"), at("points"))}
		switch na := strings.ToLower(s.get(row, "na")); na {
		case "", "no", "false":
		case "yes", "true", "na", "x", "1":
			ch.Means = survey.MeansNA
		case "not_observed", "not observed":
			ch.Means = survey.MeansNotObserved
		default:
			ch.Means = survey.Meaning(na)
		}
		l.Choices = append(l.Choices, ch)
	}
}

// kinds are the question types that become an item of their own kind.
var kinds = map[string]survey.ItemKind{
	"text": survey.KindText, "string": survey.KindText, "integer": survey.KindInteger, "int": survey.KindInteger, "decimal": survey.KindDecimal,
	"date": survey.KindDate, "time": survey.KindTime, "datetime": survey.KindDateTime, "note": survey.KindNote, "calculate": survey.KindCalculate,
	"image": survey.KindImage, "photo": survey.KindImage, "geopoint": survey.KindGeopoint, "location": survey.KindGeopoint, "gps": survey.KindGeopoint,
	"select_one": survey.KindSelectOne, "select_multiple": survey.KindSelectMultiple,
}

// metadata are the types that a form client fills in by itself; a response
// carries what they hold anyway.
var metadata = []string{"start", "end", "today", "deviceid", "username", "email", "phonenumber", "simserial", "subscriberid", "audit", "start-geopoint", "hidden"}

// open is a group or repeat that is not closed yet.
type open struct {
	item *survey.Item
	word string // group or repeat
}

func (r *reader) readSurvey() {
	s := r.sheets["survey"]
	root := survey.Item{}
	stack := []open{{item: &root}}
	for _, row := range s.rows {
		typ := strings.ToLower(strings.Join(strings.Fields(s.get(row, "type")), " "))
		at := survey.Place{Sheet: "survey", Row: row.number, Column: "type", Item: s.get(row, "name")}
		if typ == "" {
			r.report(survey.SeverityError, "type.missing", at, "", nil)
			continue
		}
		switch verb, word := groupWords(typ); verb {
		case "begin":
			it := r.item(s, row)
			it.Kind = survey.KindGroup
			if word == "repeat" {
				it.Kind = survey.KindRepeat
			}
			stack = append(stack, open{item: &it, word: word})
		case "end":
			top := stack[len(stack)-1]
			if len(stack) == 1 {
				r.report(survey.SeverityError, "group.not_open", at, typ, nil)
				continue
			}
			if top.word != word {
				r.report(survey.SeverityError, "group.mismatch", at, typ, survey.Args{"open": top.word, "name": top.item.Name, "row": strconv.Itoa(top.item.Row)})
			}
			stack = stack[:len(stack)-1]
			parent := stack[len(stack)-1].item
			parent.Items = append(parent.Items, *top.item)
		default:
			if it, ok := r.question(s, row, typ, at); ok {
				parent := stack[len(stack)-1].item
				parent.Items = append(parent.Items, it)
			}
		}
	}
	for len(stack) > 1 {
		top := stack[len(stack)-1]
		last := 0
		if len(s.rows) > 0 {
			last = s.rows[len(s.rows)-1].number
		}
		r.report(survey.SeverityError, "group.not_closed", survey.Place{Sheet: "survey", Row: top.item.Row, Column: "type", Item: top.item.Name}, "begin_"+top.word,
			survey.Args{"last": strconv.Itoa(last)})
		stack = stack[:len(stack)-1]
		parent := stack[len(stack)-1].item
		parent.Items = append(parent.Items, *top.item)
	}
	r.template.Items = root.Items
}

// groupWords takes "begin group", "end_repeat" and the like apart.
func groupWords(typ string) (verb, word string) {
	parts := strings.FieldsFunc(typ, func(c rune) bool { return c == ' ' || c == '_' })
	if len(parts) == 2 && (parts[0] == "begin" || parts[0] == "end") && (parts[1] == "group" || parts[1] == "repeat") {
		return parts[0], parts[1]
	}
	return "", ""
}

// question reads a row that is no group. It gives no item for metadata.
func (r *reader) question(s *sheet, row sheetRow, typ string, at survey.Place) (survey.Item, bool) {
	word, rest, _ := strings.Cut(typ, " ")
	if slices.Contains(metadata, word) {
		r.report(survey.SeverityAdvice, "type.metadata", at, word, nil)
		return survey.Item{}, false
	}
	// Older spellings: "select one LIST", "select1 LIST", "select all that apply LIST".
	for _, old := range []struct{ was, is string }{{"select one from ", "select_one "}, {"select one ", "select_one "}, {"select1 ", "select_one "},
		{"select all that apply from ", "select_multiple "}, {"select all that apply ", "select_multiple "}, {"select multiple ", "select_multiple "}} {
		if strings.HasPrefix(typ, old.was) {
			typ = old.is + strings.TrimPrefix(typ, old.was)
			word, rest, _ = strings.Cut(typ, " ")
		}
	}
	it := r.item(s, row)
	kind, ok := kinds[word]
	if !ok {
		names := make([]string, 0, len(kinds))
		for k := range kinds {
			names = append(names, k)
		}
		slices.Sort(names)
		r.report(survey.SeverityError, "type.unsupported", at, typ, survey.Args{"types": strings.Join(names, ", ")}).Suggestion = survey.Closest(word, names)
		it.Kind = survey.KindUnknown
		return it, true
	}
	it.Kind = kind
	if kind.Chooses() {
		// The list's name keeps its letter case, which typ has lost.
		fields := strings.Fields(s.get(row, "type"))
		it.List = fields[len(fields)-1]
		if rest == "" {
			it.List = ""
			r.report(survey.SeverityError, "type.no_list", at, typ, nil)
		}
		if strings.EqualFold(it.List, "or_other") {
			it.List = fields[len(fields)-2]
			r.report(survey.SeverityError, "type.or_other", at, typ, nil)
		}
	}
	rubricAt := at
	rubricAt.Column = "rubric"
	if r.yes(s.get(row, "rubric"), rubricAt) {
		if kind != survey.KindSelectOne {
			r.report(survey.SeverityError, "rubric.not_select_one", rubricAt, typ, nil)
		} else {
			it.Kind = survey.KindRubric
		}
	}
	it.Default = defaultExpression(kind, it.Default)
	return it, true
}

// item reads the columns that every row may have.
func (r *reader) item(s *sheet, row sheetRow) survey.Item {
	name := s.get(row, "name")
	at := func(column string) survey.Place {
		return survey.Place{Sheet: "survey", Row: row.number, Column: column, Item: name}
	}
	it := survey.Item{
		Name: name, Row: row.number,
		Label: s.texts(row, "label", r.tag), Hint: s.texts(row, "hint", r.tag),
		Relevant: s.get(row, "relevant"), Constraint: s.get(row, "constraint"), ConstraintMessage: s.texts(row, "constraint_message", r.tag),
		RequiredMessage: s.texts(row, "required_message", r.tag), Calculation: s.get(row, "calculation"), Default: s.get(row, "default"),
		Appearance: s.get(row, "appearance"), Parameters: s.get(row, "parameters"), RepeatCount: s.get(row, "repeat_count"),
		Points: r.points(s.get(row, "points"), at("points")), NA: survey.NAPolicy(strings.ToLower(s.get(row, "na"))),
		Reverse: r.yes(s.get(row, "reverse"), at("reverse")), Bonus: r.yes(s.get(row, "bonus"), at("bonus")),
		Applies: s.get(row, "applies"), Evidence: s.get(row, "evidence"), TagsList: s.get(row, "tags_list"),
		Role: survey.ItemRole(s.get(row, "role")), ReadOnly: r.yes(s.get(row, "read_only"), at("read_only")),
	}
	switch required := s.get(row, "required"); strings.ToLower(required) {
	case "":
	case "yes", "true", "true()", "1", "x":
		it.Required = "true()"
	case "no", "false", "false()", "0":
		it.Required = "false()"
	default:
		it.Required = required
	}
	it.Steps = r.steps(s.get(row, "steps"), at("steps"))
	return it
}

// steps reads "condition : points" entries, one a line or separated by ';'.
func (r *reader) steps(cell string, at survey.Place) []survey.Step {
	var out []survey.Step
	for _, entry := range splitOutsideQuotes(cell, "\n;") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		parts := splitOutsideQuotes(entry, ":")
		if len(parts) < 2 {
			r.report(survey.SeverityError, "steps.shape", at, entry, nil)
			continue
		}
		points := strings.TrimSpace(parts[len(parts)-1])
		when := strings.TrimSpace(strings.Join(parts[:len(parts)-1], ":"))
		if points == "" || when == "" {
			r.report(survey.SeverityError, "steps.shape", at, entry, nil)
			continue
		}
		out = append(out, survey.Step{When: when, Points: points})
	}
	return out
}

// splitOutsideQuotes splits at any of the separators that is not inside quotes.
func splitOutsideQuotes(s, separators string) []string {
	var out []string
	var quote rune
	from := 0
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.ContainsRune(separators, c):
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// defaultExpression turns a default, which XLSForm writes literally unless it
// is dynamic, into an expression.
func defaultExpression(kind survey.ItemKind, s string) string {
	if s == "" || strings.Contains(s, "${") {
		return s
	}
	if kind == survey.KindInteger || kind == survey.KindDecimal {
		return s // a number is its own expression
	}
	if e, err := expr.Parse(s); err == nil && len(e.Calls()) > 0 {
		return s
	}
	if strings.Contains(s, "'") {
		return `"` + s + `"`
	}
	return "'" + s + "'"
}

func (r *reader) readChecks() {
	s := r.sheets["checks"]
	if s == nil {
		return
	}
	for _, row := range s.rows {
		r.template.Checks = append(r.template.Checks, survey.Check{Code: s.get(row, "code"), Test: s.get(row, "test"), Item: s.get(row, "item"),
			Label: s.texts(row, "label", r.tag), Row: row.number})
	}
}

func (r *reader) readScheme() {
	s := r.sheets["scoring"]
	if s == nil || len(s.rows) == 0 {
		return
	}
	row := s.rows[0]
	at := func(column string) survey.Place {
		return survey.Place{Sheet: "scoring", Row: row.number, Column: column}
	}
	scheme := &survey.Scheme{
		NA: survey.NAPolicy(orDefault(s.get(row, "na_policy"), string(survey.NARescale))), Rescale: survey.RescaleMode(orDefault(s.get(row, "rescale"), string(survey.RescaleOverall))),
		Blank: survey.BlankPolicy(s.get(row, "blank")), Applies: s.get(row, "applies"), Decimals: 2, Graded: true,
	}
	if p := r.points(s.get(row, "total"), at("total")); p != nil {
		scheme.Total = *p
	}
	if d := s.get(row, "decimals"); d != "" {
		n, err := strconv.Atoi(d)
		if err != nil {
			r.report(survey.SeverityError, "scheme.decimals", at("decimals"), d, nil)
		}
		scheme.Decimals = n
	}
	if m := s.get(row, "min_available"); m != "" {
		f, err := strconv.ParseFloat(strings.TrimSuffix(m, "%"), 64)
		if err != nil {
			r.report(survey.SeverityError, "scheme.min_available", at("min_available"), m, nil)
		}
		scheme.MinAvailable = f
	}
	if g := s.get(row, "graded"); g != "" {
		scheme.Graded = r.yes(g, at("graded"))
	}
	for _, role := range strings.Fields(s.get(row, "roles")) {
		scheme.Roles = append(scheme.Roles, survey.Role(role))
	}
	r.readBands(scheme)
	r.readCaps(scheme)
	r.template.Scheme = scheme
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return strings.ToLower(s)
}

func (r *reader) readBands(scheme *survey.Scheme) {
	s := r.sheets["bands"]
	if s == nil {
		return
	}
	for _, row := range s.rows {
		at := survey.Place{Sheet: "bands", Row: row.number, Column: "min", Item: s.get(row, "code")}
		b := survey.Band{Code: s.get(row, "code"), Label: s.texts(row, "label", r.tag), Color: s.get(row, "color"), Row: row.number}
		if p := r.points(s.get(row, "min"), at); p != nil {
			b.Min = *p
		} else if s.get(row, "min") == "" {
			r.report(survey.SeverityError, "band.no_min", at, "", nil)
		}
		scheme.Bands = append(scheme.Bands, b)
	}
	// From high to low, whatever the order on the sheet.
	slices.SortStableFunc(scheme.Bands, func(a, b survey.Band) int { return int(b.Min - a.Min) })
}

func (r *reader) readCaps(scheme *survey.Scheme) {
	s := r.sheets["caps"]
	if s == nil {
		return
	}
	for _, row := range s.rows {
		scheme.Caps = append(scheme.Caps, survey.Cap{Code: s.get(row, "code"), When: s.get(row, "when"), Band: s.get(row, "band"),
			Label: s.texts(row, "label", r.tag), Row: row.number})
	}
}
