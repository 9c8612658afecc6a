package export

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// methodSheet says how everything was counted.
func (w *writer) methodSheet() error {
	sheet := w.word("sheet.method")
	if _, err := w.file.NewSheet(sheet); err != nil {
		return err
	}
	t := &table{w: w, sheet: sheet, columns: []tableColumn{{w.word("field"), 34, w.styles.wrap, 0}, {w.word("value"), 110, w.styles.wrap, 0}}, row: headerRow}
	if err := w.file.SetCellStr(sheet, "A1", w.word("method")); err != nil {
		return err
	}
	if err := w.file.SetCellStyle(sheet, "A1", "A1", w.styles.title); err != nil {
		return err
	}
	for i, c := range t.columns {
		if err := t.put(i, headerRow, c.header, w.styles.header); err != nil {
			return err
		}
		name := string(appendColumn(nil, i))
		if err := w.file.SetColWidth(sheet, name, name, c.width); err != nil {
			return err
		}
	}
	for _, line := range w.methodLines() {
		if err := t.add([]any{line[0], line[1]}, false); err != nil {
			return err
		}
	}
	if err := w.file.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: headerRow, TopLeftCell: cellName(0, headerRow+1), ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := w.page(sheet, "landscape", 1); err != nil {
		return err
	}
	return w.printTitles(sheet, headerRow, 0)
}

func (w *writer) methodLines() [][2]string {
	r, s, lang := w.report, w.scheme, w.report.Language
	versions := strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Summary.Versions), " ", ", "), "[]")
	fill := strings.NewReplacer("{total}", s.Total.String(), "{decimals}", itoa(s.Decimals)).Replace
	lines := [][2]string{
		{w.word("m.round"), string(r.Round.Code) + " — " + r.Round.Title.In(lang)},
		{w.word("m.template"), string(r.Template.Code) + " — " + r.Template.Title.In(lang) + " (" + versions + ")"},
		{w.word("m.dates"), r.Round.Opens.String() + " – " + r.Round.Closes.String()},
		{w.word("m.made"), r.MadeAt.Format("2006-01-02 15:04:05 -07:00") + " (" + r.Round.Location().String() + ")"},
		{w.word("m.program"), "khaosat " + r.Version},
	}
	if !r.Cutoff.IsZero() {
		lines = append(lines, [2]string{w.word("m.cutoff"), r.Cutoff.In(r.MadeAt.Location()).Format("2006-01-02 15:04:05 -07:00")})
	}
	for _, l := range r.Narrowed {
		lines = append(lines, [2]string{w.word("m.narrowed") + ": " + l.Name, l.Value})
	}
	lines = append(lines, [][2]string{
		{w.word("m.tree"), r.AsOf.String()},
		{w.word("m.rows"), itoa(w.rows)},
		{w.word("m.count"), w.word("m.count.text")},
		{w.word("m.score"), fill(w.word("m.score." + string(s.Rescale)))},
		{w.word("m.na"), w.word("m.na." + string(s.NA))},
		{w.word("m.min"), fmt.Sprintf("%g %%", s.MinAvailable)},
	}...)
	var bands []string
	for _, b := range s.Bands {
		bands = append(bands, fmt.Sprintf("%s (%s) ≥ %s", b.Label.In(lang), b.Code, b.Min))
	}
	lines = append(lines, [2]string{w.word("m.bands"), strings.Join(bands, "; ")})
	for _, c := range s.Caps {
		band := c.Band
		if i := s.Band(c.Band); i >= 0 {
			band = s.Bands[i].Label.In(lang)
		}
		lines = append(lines, [2]string{w.word("m.cap") + " " + c.Code, c.Label.In(lang) + " → " + w.word("m.cap_max") + " " + band + ". " + c.When})
	}
	return append(lines,
		[2]string{w.word("m.denominator"), w.word("m.denominator.text")},
		[2]string{w.word("m.quantile"), w.word("m.quantile.text")},
		[2]string{w.word("m.marks"), w.word("m.marks.text")})
}
