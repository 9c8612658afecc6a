package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/khaosat/khaosat/app/sheets"
	"github.com/khaosat/khaosat/survey"
)

// Outcome is what an import does with a row.
type Outcome string

const (
	OutcomeAdded   Outcome = "added"
	OutcomeChanged Outcome = "changed"
	OutcomeSame    Outcome = "same"
	OutcomeWrong   Outcome = "wrong"
)

// ImportedPerson says what becomes of one row.
type ImportedPerson struct {
	sheets.PersonRow // with the sign-in name that the account has or gets
	Outcome          Outcome
	Problems         survey.Problems
}

// PeopleImport is the report of an import, a line for each row.
type PeopleImport struct {
	Rows   []ImportedPerson
	Counts map[string]int // by outcome
	// Stored says that it was done, not only tried.
	Stored bool
}

// ImportPeople adds and changes accounts as a list says. A row is the account
// with its sign-in name; one without is the account with the same full name and
// own unit, or a new one whose name is made of the full name. So the same list
// imported again changes nothing. Blank cells leave what is stored. Problems are
// those found in reading the list. Nothing is written in a dry run, or as long as
// one row has a mistake: then the error is Invalid, and the report says where.
func (s *Service) ImportPeople(ctx context.Context, c Caller, rows []sheets.PersonRow, problems survey.Problems, dryRun bool) (*PeopleImport, error) {
	if _, err := c.may(survey.OpManagePeople); err != nil {
		return nil, err
	}
	m, err := s.matcher(ctx, c)
	if err != nil {
		return nil, err
	}
	report := &PeopleImport{Counts: map[string]int{}}
	var added, changed []*survey.Person
	for _, row := range rows {
		row.Scope, row.Home = m.units.named(m.tree, row.Scope), m.units.named(m.tree, row.Home)
		line := ImportedPerson{PersonRow: row}
		for _, p := range problems {
			if p.Place.Row == row.Row && p.Place.Sheet == row.Sheet {
				line.Problems = append(line.Problems, p)
			}
		}
		p, err := s.importRow(ctx, c, m, &line)
		if err != nil {
			return nil, err
		}
		switch line.Outcome {
		case OutcomeAdded:
			added = append(added, p)
		case OutcomeChanged:
			changed = append(changed, p)
		}
		report.Counts[string(line.Outcome)]++
		report.Rows = append(report.Rows, line)
	}
	if dryRun {
		return report, nil
	}
	if report.Counts[string(OutcomeWrong)] > 0 {
		return report, &survey.Error{Kind: survey.Invalid, Code: "person.import_invalid"}
	}
	defer s.bearers.forget()
	if err := s.store.CreatePeople(ctx, added); err != nil {
		return report, err
	}
	for _, p := range changed {
		if err := s.store.ReplacePerson(ctx, p); err != nil {
			return report, err
		}
	}
	report.Stored = true
	return report, nil
}

// matcher finds the account that a row is about.
type matcher struct {
	byName map[string]*survey.Person
	byFull map[string][]*survey.Person // by the folded full name
	hidden map[string]bool             // names outside of the caller's scope
	rows   map[string]int              // the row that has taken a name
	tree   *survey.Tree
	units  unitIndex
}

func (s *Service) matcher(ctx context.Context, c Caller) (*matcher, error) {
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	m := &matcher{map[string]*survey.Person{}, map[string][]*survey.Person{}, map[string]bool{}, map[string]int{}, tree, indexUnits(tree)}
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return nil, err
		}
		if !c.coversScope(tree, p.Scope) {
			m.hidden[p.Name] = true
			continue
		}
		m.byName[p.Name] = p
		full := survey.Fold(p.FullName)
		m.byFull[full] = append(m.byFull[full], p)
	}
	return m, nil
}

// find gives the account of a row, nil for a new one, and settles its name. It
// reports what stands in the way.
func (m *matcher) find(row *sheets.PersonRow, report func(code, value string, args survey.Args)) *survey.Person {
	var found *survey.Person
	if row.Name == "" {
		var same []*survey.Person
		for _, p := range m.byFull[survey.Fold(row.FullName)] {
			if _, taken := m.rows[p.Name]; !taken && (row.Home == "" || p.Home == row.Home) {
				same = append(same, p)
			}
		}
		switch len(same) {
		case 0:
			row.Name = m.freeName(row.FullName)
			if row.Name == "" {
				report("person.no_sign_in_name", row.FullName, nil)
			}
		case 1:
			found, row.Name = same[0], same[0].Name
		default:
			report("person.ambiguous", row.FullName, nil)
		}
	} else {
		found = m.byName[row.Name]
	}
	if row.Name == "" {
		return nil
	}
	if m.hidden[row.Name] {
		report("person.elsewhere", row.Name, nil)
	}
	if earlier, taken := m.rows[row.Name]; taken {
		report("person.twice", row.Name, survey.Args{"row": fmt.Sprint(earlier)})
	} else {
		m.rows[row.Name] = row.Row
	}
	return found
}

// freeName makes a sign-in name of a full name that nobody has: nguyen.thi.anh,
// nguyen.thi.anh2. "" if nothing can be made of it.
func (m *matcher) freeName(full string) string {
	words := strings.FieldsFunc(survey.Fold(full), func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	base := strings.Join(words, ".")
	if len(base) > 60 {
		base = strings.TrimRight(base[:60], ".")
	}
	if base == "" {
		return ""
	}
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name += fmt.Sprint(n)
		}
		_, taken := m.rows[name]
		if m.byName[name] == nil && !m.hidden[name] && !taken && !slices.Contains(reservedNames, name) {
			return name
		}
	}
}

// importRow finds out what becomes of a row, and gives the account to be written.
func (s *Service) importRow(ctx context.Context, c Caller, m *matcher, line *ImportedPerson) (*survey.Person, error) {
	report := func(code, value string, args survey.Args) {
		line.Problems = append(line.Problems, survey.Problem{Severity: survey.SeverityError, Code: code, Value: value, Args: args,
			Place: survey.Place{Sheet: line.Sheet, Row: line.Row}})
	}
	line.Outcome = OutcomeWrong
	stored := m.find(&line.PersonRow, report)
	if line.Name == "" || m.hidden[line.Name] {
		return nil, nil
	}
	p := &survey.Person{ID: survey.PersonID(survey.NewID()), Name: line.Name, Role: survey.Observer}
	if stored != nil {
		own := *stored
		p = &own
	}
	before := personDetail(p)
	if line.FullName != "" {
		p.FullName = line.FullName
	}
	if line.Role != "" {
		p.Role = line.Role
	}
	if line.Scope != "" {
		p.Scope = line.Scope
	}
	if line.Home != "" {
		p.Home = line.Home
	}
	if line.Language != "" {
		p.Language = line.Language
	}
	if stored != nil && p.ID == c.id() && (p.Role != stored.Role || p.Scope != stored.Scope) {
		report("person.own_role", "", nil)
	}
	err := s.checkPerson(ctx, c, p, "")
	if e := (*survey.Error)(nil); errors.As(err, &e) && e.Kind == survey.Invalid {
		for _, problem := range e.Problems {
			problem.Place = survey.Place{Sheet: line.Sheet, Row: line.Row, Item: problem.Place.Item}
			line.Problems = append(line.Problems, problem)
		}
	} else if err != nil {
		return nil, err
	}
	if line.Problems.HasErrors() {
		return nil, nil
	}
	after := personDetail(p)
	switch {
	case stored == nil:
		line.Outcome = OutcomeAdded
		p.Events = []survey.Event{s.event(c, "person.added", after)}
	case maps.Equal(before, after):
		line.Outcome = OutcomeSame
	default:
		line.Outcome = OutcomeChanged
		p.Events = append(slices.Clone(p.Events), s.event(c, "person.changed", changedArgs(before, after)))
	}
	if line.Outcome != OutcomeSame && p.Scope == "" && p.Role != survey.Observer && p.Role != survey.Respondent {
		report("person.whole_tree", "", nil)
		line.Problems[len(line.Problems)-1].Severity = survey.SeverityWarning
	}
	return p, nil
}
