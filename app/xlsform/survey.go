package xlsform

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// maxDepth bounds groups within groups.
const maxDepth = 20

// openGroup is a group or repeat whose end has not come yet.
type openGroup struct {
	item    survey.Item
	skipped bool // too deep: its items go to the group around it
}

// surveyReader builds the items of a survey sheet.
type surveyReader struct {
	*reader
	g    *grid
	root []survey.Item
	open []openGroup
}

func (r *reader) readSurvey() {
	g := r.grids[surveySheet]
	if g == nil {
		return
	}
	at := survey.Place{Sheet: surveySheet, Row: g.headerRow}
	for _, needed := range []string{"type", "name"} {
		if g.column(needed) == nil {
			at.Column = needed
			r.fault("column.missing", at, needed, nil)
		}
	}
	if g.column("type") == nil {
		return // every row would be reported
	}
	s := &surveyReader{reader: r, g: g}
	for _, row := range g.rows {
		if !g.isEmpty(row) {
			s.row(row)
		}
	}
	s.closeRest()
	r.template.Items = s.root
}

func (s *surveyReader) row(row sheetRow) {
	cell := s.g.get(row, "type")
	name := identifier(s.g.get(row, "name"))
	at := s.g.place(row, "type", name)
	if cell == "" {
		if s.onlyNotes(row) {
			s.report(survey.SeverityAdvice, "row.no_type", at, "", nil) // a remark of the author's
			return
		}
		s.fault("type.missing", at, "", nil)
		return
	}
	t := parseType(cell)
	if name == "" { // as other tools name them
		switch {
		case t.role == roleItem && t.kind == survey.KindNote:
			name = "generated_note_name_" + strconv.Itoa(row.number)
		case t.role == roleBegin && t.kind == survey.KindGroup:
			name = "generated_group_name_" + strconv.Itoa(row.number)
		}
	}
	switch t.role {
	case roleBegin:
		it := s.group(row, name, t.kind)
		it.Type, it.List = t.typ, t.list
		s.begin(it)
	case roleEnd:
		s.end(row, name, t.kind)
	case roleMeta:
		if name == "" {
			name = t.typ
		}
		it := s.item(row, name, t)
		if it.Calculation = survey.MetadataTypes[t.typ]; it.Calculation == "''" {
			s.report(survey.SeverityAdvice, "type.metadata", at, cell, nil)
		}
		s.add(it)
	case roleUnknown:
		s.unknown(row, name, cell, t)
	default:
		it := s.item(row, name, t)
		s.add(it)
		if t.orOther && it.Kind.Chooses() {
			s.others = append(s.others, t.list)
			s.add(s.other(it))
		}
	}
}

// unknown reports a type that does not exist. One that nearly begins or ends a
// group is taken to do so, or each row that follows would be reported too.
func (s *surveyReader) unknown(row sheetRow, name, cell string, t rowType) {
	p := s.fault("type.unsupported", s.g.place(row, "type", name), cell, survey.Args{"types": supportedTypes})
	p.Suggestion = t.suggestion
	group, ok := groupType(t.suggestion)
	switch {
	case ok && group.role == roleBegin:
		s.begin(s.group(row, name, group.kind))
	case ok:
		s.end(row, name, group.kind)
	default:
		s.add(s.item(row, name, t))
	}
}

// add puts an item into the innermost group that is open.
func (s *surveyReader) add(items ...survey.Item) {
	if n := len(s.open); n > 0 {
		s.open[n-1].item.Items = append(s.open[n-1].item.Items, items...)
		return
	}
	s.root = append(s.root, items...)
}

func (s *surveyReader) begin(it survey.Item) {
	deep := len(s.open) >= maxDepth
	if len(s.open) == maxDepth { // those within need not be told as well
		s.fault("group.too_deep", s.g.place(sheetRow{number: it.Row}, "type", it.Name), it.Name, survey.Args{"max": strconv.Itoa(maxDepth)})
	}
	s.open = append(s.open, openGroup{item: it, skipped: deep})
}

// end closes the innermost group. An end that carries the name of a group
// further out shows that those within were never closed.
func (s *surveyReader) end(row sheetRow, name string, kind survey.ItemKind) {
	at := s.g.place(row, "type", name)
	if len(s.open) == 0 {
		s.fault("group.not_open", at, "end_"+string(kind), survey.Args{"kind": string(kind)})
		return
	}
	if name != "" {
		named := func(o openGroup) bool { return o.item.Name == name && o.item.Kind == kind }
		if i := slices.IndexFunc(s.open, named); i >= 0 && !named(s.open[len(s.open)-1]) {
			for len(s.open) > i+1 {
				s.notClosed(row.number - 1)
			}
		}
	}
	if inner := &s.open[len(s.open)-1].item; inner.Kind != kind {
		s.fault("group.mismatch", at, "end_"+string(kind), survey.Args{"kind": string(kind), "open": string(inner.Kind), "name": inner.Name,
			"row": strconv.Itoa(inner.Row)})
	}
	s.close()
}

func (s *surveyReader) close() {
	last := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	if last.skipped {
		s.add(last.item.Items...)
		return
	}
	s.add(last.item)
}

// notClosed reports the innermost group as never closed, and closes it. last is
// the row after which its end is missing at the latest.
func (s *surveyReader) notClosed(last int) {
	it := &s.open[len(s.open)-1].item
	s.fault("group.not_closed", s.g.place(sheetRow{number: it.Row}, "type", it.Name), it.Name,
		survey.Args{"kind": string(it.Kind), "row": strconv.Itoa(it.Row), "last": strconv.Itoa(last)})
	s.close()
}

func (s *surveyReader) closeRest() {
	for len(s.open) > 0 {
		s.notClosed(s.g.rows[len(s.g.rows)-1].number)
	}
}

func (s *surveyReader) group(row sheetRow, name string, kind survey.ItemKind) survey.Item {
	it := s.columns(row, name, kind)
	s.rubric(row, &it)
	return it
}

// item reads a row that is no group.
func (s *surveyReader) item(row sheetRow, name string, t rowType) survey.Item {
	it := s.columns(row, name, t.kind)
	it.List, it.Type = t.list, t.typ
	it.Constraint = cmp.Or(it.Constraint, t.constraint)
	at := s.g.place(row, "type", name)
	if t.kind.Chooses() && t.list == "" {
		s.fault("type.no_list", at, s.g.get(row, "type"), survey.Args{"lists": s.listNames()})
		it.Kind = survey.KindUnknown
	}
	switch {
	case t.typ == "acknowledge":
		it.List = acknowledgeList
		s.acknowledged = true
	case t.typ == "hidden":
		it.Calculation, it.Default = cmp.Or(it.Calculation, it.Default, "''"), ""
	case strings.HasSuffix(t.typ, "-external"):
		it.Calculation = "''"
	case t.kind == survey.KindImage && t.typ == "" && !strings.Contains(it.Parameters, "max-pixels"):
		s.report(survey.SeverityAdvice, "image.size", s.g.place(row, "parameters", name), "", nil)
	case t.typ == "range":
		if !strings.Contains(it.Parameters, ".") {
			it.Kind = survey.KindInteger
		}
	case t.file != "":
		s.fromFile(row, t, &it)
	}
	if t.limit != "" && it.Type != "" {
		s.report(survey.SeverityWarning, "type.limit."+t.limit, at, s.g.get(row, "type"), nil)
	}
	s.rubric(row, &it)
	return it
}

// onlyNotes reports whether a row without type and name says nothing but what
// its author noted beside.
func (s *surveyReader) onlyNotes(row sheetRow) bool {
	for _, name := range []string{"name", "label", "calculation", "relevant"} {
		for _, i := range s.g.byName[name] {
			if s.g.columns[i].cell(row) != "" {
				return false
			}
		}
	}
	return true
}

// other makes the text item that goes with a choice "other", as or_other asks.
func (s *surveyReader) other(of survey.Item) survey.Item {
	label := survey.Text{}
	for _, tag := range s.template.Languages {
		label[tag] = specifyOther(tag)
	}
	return survey.Item{Name: of.Name + "_other", Kind: survey.KindText, Label: label,
		Relevant: "selected(${" + of.Name + "}, 'other')", Row: of.Row}
}

// rubric makes a select_one a rubric item where the column says so.
func (s *surveyReader) rubric(row sheetRow, it *survey.Item) {
	if !s.yes(s.g, row, "rubric", it.Name) {
		return
	}
	switch it.Kind {
	case survey.KindSelectOne:
		it.Kind = survey.KindRubric
	case survey.KindUnknown: // reported already
	default:
		s.fault("rubric.not_select_one", s.g.place(row, "rubric", it.Name), s.g.get(row, "type"), nil)
	}
}

// columns reads the cells that any row may have.
func (s *surveyReader) columns(row sheetRow, name string, kind survey.ItemKind) survey.Item {
	get := func(column string) string { return s.g.get(row, column) }
	return survey.Item{
		Name: name, Kind: kind, Row: row.number,
		Label: s.g.texts(row, "label"), Hint: s.g.texts(row, "hint"),
		Guidance: s.g.texts(row, "guidance_hint"), Media: s.g.media(row),
		Relevant: binding(get("relevant")),
		Required: condition(get("required")), RequiredMessage: s.g.texts(row, "required_message"),
		Constraint: binding(get("constraint")), ConstraintMessage: s.g.texts(row, "constraint_message"),
		Calculation: binding(get("calculation")), Default: defaultExpression(kind, get("default")),
		Appearance: get("appearance"), Parameters: get("parameters"), RepeatCount: expression(get("repeat_count")),
		ReadOnly:     s.yes(s.g, row, "read_only", name),
		ChoiceFilter: expression(get("choice_filter")), Trigger: get("trigger"),
		Points: s.points(s.g, row, "points", name), Steps: s.steps(s.g, row, name), NA: survey.NAPolicy(lowerWord(get("na"))),
		Reverse: s.yes(s.g, row, "reverse", name), Bonus: s.yes(s.g, row, "bonus", name),
		Applies: expression(get("applies")), Evidence: condition(get("evidence")),
		Role: s.role(row, name), TagsList: identifier(get("tags_list")), Was: identifier(get("was")),
	}
}

// role reads the part that an item plays in findings.
func (s *surveyReader) role(row sheetRow, name string) survey.ItemRole {
	cell := s.g.get(row, "role")
	role := survey.ItemRole(lowerWord(cell))
	known := []string{"", string(survey.RoleStrength), string(survey.RoleShortcoming), string(survey.RoleRecommendation), string(survey.RoleTags),
		string(survey.RoleText), string(survey.RoleCause), string(survey.RoleShare), string(survey.RoleOwner), string(survey.RoleDue)}
	if !slices.Contains(known, string(role)) {
		s.fault("role.unknown", s.g.place(row, "role", name), cell, nil).Suggestion = survey.Closest(string(role), known[1:])
		return ""
	}
	return role
}
