package export

// blocks writes several small tables below each other on one sheet.
type blocks struct {
	*table
	widths []float64
}

func (w *writer) newBlocks(sheetKey, titleKey string, widths ...float64) (*blocks, error) {
	sheet := w.word(sheetKey)
	if _, err := w.file.NewSheet(sheet); err != nil {
		return nil, err
	}
	b := &blocks{&table{w: w, sheet: sheet, row: 1}, widths}
	for i, width := range widths {
		name := string(appendColumn(nil, i))
		if err := w.file.SetColWidth(sheet, name, name, width); err != nil {
			return nil, err
		}
	}
	return b, b.put(0, 1, w.word(titleKey)+" — "+w.report.Round.Title.In(w.report.Language), w.styles.title)
}

// block begins a table under a heading; a note under it may be "".
func (b *blocks) block(heading, note string, columns ...tableColumn) error {
	b.row += 2
	if err := b.put(0, b.row, heading, b.w.styles.heading); err != nil {
		return err
	}
	if note != "" {
		b.row++
		if err := b.put(0, b.row, note, b.w.styles.note); err != nil {
			return err
		}
	}
	b.row++
	b.columns = columns
	for i := range columns {
		b.columns[i].width = b.widths[i]
	}
	lines := 1
	for i, c := range columns {
		if err := b.put(i, b.row, c.header, b.w.styles.header); err != nil {
			return err
		}
		lines = max(lines, linesOf(c.header, b.widths[i]))
	}
	return b.w.file.SetRowHeight(b.sheet, b.row, float64(4+15*lines))
}

// none says in the place of rows why there are none.
func (b *blocks) none(key string) error {
	b.row++
	return b.put(0, b.row, b.w.word(key), b.w.styles.note)
}
