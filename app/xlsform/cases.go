package xlsform

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// casesColumns are those of the sheet with a template's test cases. The answers
// are in one cell, as JSON, because repeats have answers within answers.
var casesColumns = []string{"name", "answers", "structure", "sector", "setting", "tags", "members", "total", "band", "caps"}

// readCases reads the test cases.
func (r *reader) readCases() {
	g := r.grids[casesSheet]
	if g == nil {
		return
	}
	for _, row := range g.rows {
		if g.isEmpty(row) {
			continue
		}
		get := func(column string) string { return g.get(row, column) }
		k := survey.Case{Name: get("name"), Total: get("total"), Band: identifier(get("band")), Caps: codes(get("caps")),
			Unit: survey.UnitFacts{Structure: identifier(get("structure")), Sector: identifier(get("sector")), Setting: identifier(get("setting")), Tags: codes(get("tags"))}}
		if cell := get("answers"); cell != "" {
			if err := json.Unmarshal([]byte(cell), &k.Answers); err != nil {
				r.fault("case.answers", g.place(row, "answers", k.Name), cell, nil)
				continue
			}
		}
		if cell := get("members"); cell != "" {
			n, err := strconv.Atoi(cell)
			if err != nil {
				r.fault("cell.whole_number", g.place(row, "members", k.Name), cell, nil)
			}
			k.Unit.Members = n
		}
		r.template.Cases = append(r.template.Cases, k)
	}
}

// codes reads a cell with codes that are separated by spaces or commas.
func codes(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.FieldsFunc(cell, func(c rune) bool { return c == ' ' || c == ',' || c == ';' || c == '\n' })
}

func (w *writer) casesTable() (*table, error) {
	t := &table{sheet: casesSheet, headers: casesColumns}
	for _, k := range w.template.Cases {
		answers := ""
		if k.Answers != nil {
			b, err := json.Marshal(k.Answers)
			if err != nil {
				return nil, err
			}
			answers = string(b)
		}
		members := ""
		if k.Unit.Members != 0 {
			members = strconv.Itoa(k.Unit.Members)
		}
		t.rows = append(t.rows, []any{k.Name, answers, k.Unit.Structure, k.Unit.Sector, k.Unit.Setting, strings.Join(k.Unit.Tags, " "), members,
			k.Total, k.Band, strings.Join(k.Caps, " ")})
	}
	return t, nil
}
