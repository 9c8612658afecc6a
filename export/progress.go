package export

// progressSheet tells how far the round has come, by committee, and who is behind.
func (w *writer) progressSheet() (*dataSheet, error) {
	s := &w.styles
	d := w.newDataSheet("sheet.progress", "title.progress")
	d.frozen, d.outline = 2, true
	d.column(w.word("code"), 12, s.text)
	d.column(w.word("group"), 44, s.text)
	for _, key := range []string{"in_scope", "assigned", "visited"} {
		d.column(w.word(key), 11, s.integer)
	}
	d.column(w.word("coverage"), 11, s.percent)
	for _, key := range []string{"submitted", "returned", "approved", "overdue"} {
		d.column(w.word(key), 11, s.integer)
	}
	if err := d.begin(); err != nil {
		return d, err
	}
	for i := range w.report.Coverage {
		l := &w.report.Coverage[i]
		d.startAt(l.Level)
		name := l.Name
		if l.Whole {
			name = w.word("overall")
			d.bold = true
		}
		d.text(l.Code)
		d.text(indent(l.Level) + name)
		for _, n := range []int{l.InScope, l.Assigned, l.Visited} {
			d.integer(int64(n))
		}
		d.numberOrNone(l.Share)
		for _, n := range []int{l.Submitted, l.Returned, l.Approved, l.Overdue} {
			d.integer(int64(n))
		}
		d.bold = false
		if err := d.end(); err != nil {
			return d, err
		}
	}
	return d, d.done()
}

// indent sets a line within the tree off from what it belongs to.
func indent(level int) string { return "        "[:4*min(level, 2)] }

// behindSheet lists the observers who are behind.
func (w *writer) behindSheet() error {
	s := &w.styles
	t, err := w.newTable("sheet.behind", "title.behind", []tableColumn{{w.word("observer"), 34, s.text, s.total}, {w.word("overdue"), 12, s.integer, s.totalInteger},
		{w.word("assigned"), 12, s.integer, s.totalInteger}, {w.word("oldest"), 14, s.date, s.total}})
	if err != nil {
		return err
	}
	for _, l := range w.report.Behind {
		var oldest any = ""
		if l.Oldest != 0 {
			oldest = int(l.Oldest - excelZero)
		}
		if err := t.add([]any{l.Name, l.Overdue, l.Asked, oldest}, false); err != nil {
			return err
		}
	}
	return t.finish(1, t.row)
}

// selfSheet sets what units say of themselves beside what was observed.
func (w *writer) selfSheet() (*dataSheet, error) {
	s := &w.styles
	d := w.newDataSheet("sheet.self", "title.self")
	d.frozen = 2
	for _, c := range []struct {
		key   string
		width float64
		style int
	}{{"unit", 14, s.text}, {"unit_name", 34, s.text}, {"path", 38, s.text}, {"sector", 9, s.text}, {"period", 10, s.text}, {"meeting_date", 12, s.date}, {"observer", 22, s.text},
		{"observed_total", 11, s.points}, {"observed_band", 13, s.text}, {"self_total", 11, s.points}, {"self_band", 13, s.text}, {"self_difference", 12, s.points}} {
		d.column(w.word(c.key), c.width, c.style)
	}
	d.bands = []bandRule{w.bandLabels(8), w.bandLabels(10)}
	if err := d.begin(); err != nil {
		return d, err
	}
	for i := range w.report.Selves {
		r := &w.report.Selves[i]
		if err := d.start(); err != nil {
			return d, err
		}
		d.text(string(r.Lead.Unit))
		d.text(r.UnitName)
		d.text(r.Path)
		d.text(r.Lead.Sector)
		d.text(r.Lead.Period)
		d.date(r.Lead.Date)
		d.text(r.Observer)
		d.numberOrNone(r.Lead.Total)
		d.text(w.bandLabel(r.Lead.Band))
		d.numberOrNone(r.Other.Total)
		d.text(w.bandLabel(r.Other.Band))
		d.number(r.Difference)
		if err := d.end(); err != nil {
			return d, err
		}
	}
	return d, d.done()
}

// bandLabel gives a band's name by its code.
func (w *writer) bandLabel(code string) string {
	if i := w.scheme.Band(code); i >= 0 {
		return w.scheme.Bands[i].Label.In(w.report.Language)
	}
	return code
}

// bandLabels colours the bands' names in a column.
func (w *writer) bandLabels(column int) bandRule {
	rule := bandRule{column: column, dxf: w.dxf}
	for _, b := range w.scheme.Bands {
		rule.values = append(rule.values, b.Label.In(w.report.Language))
	}
	return rule
}

// lateSheet lists what came in or changed after the cut-off.
func (w *writer) lateSheet() error {
	s := &w.styles
	t, err := w.newTable("sheet.late", "title.late", []tableColumn{{w.word("id"), 38, s.text, s.total}, {w.word("unit"), 14, s.text, s.total}, {w.word("unit_name"), 40, s.text, s.total},
		{w.word("role"), 18, s.text, s.total}, {w.word("meeting_date"), 12, s.date, s.total}, {w.word("late_at"), 18, s.moment, s.total}, {w.word("late_what"), 26, s.text, s.total}})
	if err != nil {
		return err
	}
	for i := range w.report.Late {
		l := &w.report.Late[i]
		if err := t.add([]any{string(l.ID), string(l.Unit), l.UnitName, w.word("role." + string(l.Role)), int(l.Date - excelZero), excelMoment(l.At), w.word("late." + l.What)}, false); err != nil {
			return err
		}
	}
	return t.finish(1, t.row)
}
