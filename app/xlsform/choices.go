package xlsform

import (
	"cmp"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// lowerWord reads a cell with one of a few words.
func lowerWord(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(s)), "_")
}

// listNames gives the names of the lists on the choices sheet, for messages.
func (r *reader) listNames() string {
	const most = 20
	g := r.grids[choicesSheet]
	if g == nil {
		return ""
	}
	var names []string
	for _, row := range g.rows {
		if name := identifier(g.get(row, "list_name")); name != "" && !slices.Contains(names, name) {
			if len(names) == most {
				names = append(names, "…")
				break
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// readChoices reads the sheet choices, and external_choices, whose lists are
// choices like any other here.
func (r *reader) readChoices() {
	lists := map[string]int{}
	for _, sheet := range []string{choicesSheet, externalSheet} {
		r.readChoicesOf(r.grids[sheet], lists)
	}
}

func (r *reader) readChoicesOf(g *grid, lists map[string]int) {
	if g == nil || len(g.columns) == 0 {
		return
	}
	for _, needed := range []string{"list_name", "name"} {
		if g.column(needed) == nil {
			r.fault("column.missing", survey.Place{Sheet: g.spec.name, Row: g.headerRow, Column: needed}, needed, nil)
			return // every row would be reported
		}
	}
	above := ""
	for _, row := range g.rows {
		if g.isEmpty(row) {
			continue
		}
		ch := r.choice(g, row)
		list := r.listOf(g, row)
		if list == "" {
			r.fault("choice.no_list", g.place(row, "list_name", ch.Name), ch.Name, nil).Suggestion = above
			continue
		}
		above = list
		i, ok := lists[list]
		if !ok {
			i = len(r.template.Lists)
			lists[list] = i
			r.template.Lists = append(r.template.Lists, survey.ChoiceList{Name: list})
		}
		r.template.Lists[i].Choices = append(r.template.Lists[i].Choices, ch)
	}
}

// listOf gives the list of a choice. Authors like to merge the cells of a list's
// name down its choices.
func (r *reader) listOf(g *grid, row sheetRow) string {
	c := g.column("list_name")
	list := identifier(c.cell(row))
	if list != "" || g.facts == nil {
		return list
	}
	if g.merged == nil {
		g.merged = g.facts.mergedRows(c.index)
	}
	top := g.merged[row.number]
	if i, found := slices.BinarySearchFunc(g.rows, top, func(r sheetRow, n int) int { return cmp.Compare(r.number, n) }); found {
		list = identifier(c.cell(g.rows[i]))
	}
	return list
}

func (r *reader) choice(g *grid, row sheetRow) survey.Choice {
	name := identifier(g.get(row, "name"))
	return survey.Choice{Name: name, Label: g.texts(row, "label"), Points: r.points(g, row, "points", name),
		Means: meaning(g.get(row, "na")), Anchor: g.texts(row, "anchor"),
		Media: g.media(row), Columns: g.own(row), Row: row.number}
}

// meaning reads the column na of a choice. A word it does not know is kept, to
// be reported with the rest of the choice.
func meaning(cell string) survey.Meaning {
	if yes, ok := yesNo(cell); ok {
		if yes {
			return survey.MeansNA
		}
		return ""
	}
	return survey.Meaning(lowerWord(cell))
}
