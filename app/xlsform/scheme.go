package xlsform

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

func (r *reader) readChecks() {
	g := r.grids[checksSheet]
	if g == nil {
		return
	}
	for _, row := range g.rows {
		if g.isEmpty(row) {
			continue
		}
		r.template.Checks = append(r.template.Checks, survey.Check{Code: identifier(g.get(row, "code")), Test: expression(g.get(row, "test")),
			Item: identifier(g.get(row, "item")), Label: g.texts(row, "label"), Row: row.number})
	}
}

// readScheme reads the sheets scoring, bands and caps. A workbook with none of
// them is a plain survey.
func (r *reader) readScheme() {
	g := r.grids[scoringSheet]
	var row sheetRow
	found := false
	if g != nil {
		row, found = r.firstRow(g)
	}
	if !found {
		for _, name := range []string{bandsSheet, capsSheet} {
			if other := r.grids[name]; other != nil && len(other.rows) > 0 {
				r.fault("scoring.missing", survey.Place{Sheet: scoringSheet}, "", survey.Args{"sheet": name})
				return
			}
		}
		return
	}
	scheme := &survey.Scheme{
		NA:           survey.NAPolicy(cmp.Or(lowerWord(g.get(row, "na_policy")), string(survey.NARescale))),
		Rescale:      survey.RescaleMode(cmp.Or(lowerWord(g.get(row, "rescale")), string(survey.RescaleOverall))),
		Blank:        blankPolicy(g.get(row, "blank")),
		Decimals:     r.decimals(g, row),
		MinAvailable: r.percentage(g, row, "min_available"),
		Applies:      expression(g.get(row, "applies")),
		Roles:        roles(g.get(row, "roles")),
	}
	if total := r.points(g, row, "total", ""); total != nil {
		scheme.Total = *total
	}
	scheme.Bands = r.bands()
	scheme.Caps = r.caps()
	scheme.Graded = len(scheme.Bands) > 0
	if g.get(row, "graded") != "" {
		scheme.Graded = r.yes(g, row, "graded", "")
	}
	r.template.Scheme = scheme
}

// blankPolicy reads the column blank; "not_graded" may stand for the empty one.
func blankPolicy(cell string) survey.BlankPolicy {
	if word := lowerWord(cell); word != "not_graded" {
		return survey.BlankPolicy(word)
	}
	return survey.BlankNotGraded
}

// defaultDecimals is how scores are shown if the scheme does not say.
const defaultDecimals = 2

func (r *reader) decimals(g *grid, row sheetRow) int {
	cell := g.get(row, "decimals")
	if cell == "" {
		return defaultDecimals
	}
	n, err := strconv.Atoi(cell)
	if err != nil {
		r.fault("cell.whole_number", g.place(row, "decimals", ""), cell, nil)
		return defaultDecimals
	}
	return n
}

// percentage reads "80" or "80%".
func (r *reader) percentage(g *grid, row sheetRow, column string) float64 {
	cell := g.get(row, column)
	if cell == "" {
		return 0
	}
	number := strings.TrimSpace(strings.TrimSuffix(cell, "%"))
	if f, err := strconv.ParseFloat(decimalComma.ReplaceAllString(number, "$1.$2"), 64); err == nil && f == f {
		return f
	}
	r.fault("cell.percentage", g.place(row, column, ""), cell, nil)
	return 0
}

func roles(cell string) []survey.Role {
	var out []survey.Role
	for _, word := range codes(strings.ToLower(cell)) {
		out = append(out, survey.Role(word))
	}
	return out
}

// bands reads the bands and puts them from high to low.
func (r *reader) bands() []survey.Band {
	g := r.grids[bandsSheet]
	if g == nil {
		return nil
	}
	var out []survey.Band
	for _, row := range g.rows {
		if g.isEmpty(row) {
			continue
		}
		b := survey.Band{Code: identifier(g.get(row, "code")), Label: g.texts(row, "label"), Color: g.get(row, "color"), Row: row.number}
		if minimum := r.points(g, row, "min", b.Code); minimum != nil {
			b.Min = *minimum
		} else if g.get(row, "min") == "" {
			r.fault("band.no_min", g.place(row, "min", b.Code), "", nil)
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b survey.Band) int { return cmp.Compare(b.Min, a.Min) })
	return out
}

func (r *reader) caps() []survey.Cap {
	g := r.grids[capsSheet]
	if g == nil {
		return nil
	}
	var out []survey.Cap
	for _, row := range g.rows {
		if g.isEmpty(row) {
			continue
		}
		out = append(out, survey.Cap{Code: identifier(g.get(row, "code")), When: expression(g.get(row, "when")), Band: identifier(g.get(row, "band")),
			Label: g.texts(row, "label"), Row: row.number})
	}
	return out
}
