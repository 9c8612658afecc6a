package export

import (
	"github.com/khaosat/khaosat/scoring"
)

// reliabilitySheet tells how far the ratings can be trusted.
func (w *writer) reliabilitySheet() error {
	a, s := w.report.Analysis, &w.styles
	b, err := w.newBlocks("sheet.trust", "title.trust", 14, 44, 11, 11, 11, 11, 11, 11, 11, 11, 11, 16)
	if err != nil {
		return err
	}
	text := func(key string) tableColumn { return tableColumn{w.word(key), 0, s.text, s.total} }
	wide := func(key string) tableColumn { return tableColumn{w.word(key), 0, s.wrap, s.total} }
	count := func(key string) tableColumn { return tableColumn{w.word(key), 0, s.integer, s.totalInteger} }
	number := func(key string) tableColumn { return tableColumn{w.word(key), 0, s.points, s.totalPoints} }
	percent := func(key string) tableColumn { return tableColumn{w.word(key), 0, s.percent, s.totalPercent} }

	if err := b.block(w.word("trust.pairs"), "", text("field"), wide("value"), number("figure"), number("low"), number("high"), count("count")); err != nil {
		return err
	}
	within := shareOf(float64(a.Totals.Within), float64(a.Doubled))
	rows := [][]any{{"", w.word("trust.ratings"), "", "", "", a.Ratings}, {"", w.word("trust.doubled"), "", "", "", a.Doubled}}
	rows = append(rows, estimateRow(w.word("trust.difference"), a.Totals.Difference))
	rows = append(rows, []any{"", w.word("trust.within"), within, "", "", a.Totals.Within})
	if icc := a.Totals.ICC; icc != nil {
		rows = append(rows, []any{"", "ICC(1)", icc.Value, icc.Low, icc.High, icc.Units})
	}
	if p := a.PostStratified; p != nil {
		rows = append(rows, estimateRow(w.word("trust.stratified"), &p.Estimate), []any{"", w.word("trust.covered"), p.Covered})
	}
	rows = append(rows, []any{"", w.word("trust.parts"), "", "", "", a.Parts}, []any{"", w.word("trust.between"), a.Between}, []any{"", w.word("trust.inside"), a.Within})
	for _, row := range rows {
		if err := b.add(row, false); err != nil {
			return err
		}
	}

	if err := b.block(w.word("trust.agreement"), w.word("trust.agreement.note"), text("item"), wide("criterion"), count("pairs"), count("one_sided"), percent("exact"), percent("adjacent"),
		number("kappa"), number("ac1"), number("ac2"), number("alpha_ordinal"), number("alpha_interval"), text("remark")); err != nil {
		return err
	}
	for i, c := range append([]scoring.Categories{a.Bands}, a.Items...) {
		label := c.Label.In(w.report.Language)
		if i == 0 {
			label = w.word("band")
		}
		remark := ""
		if c.TooFew {
			remark = w.word("too_few")
		}
		if err := b.add([]any{c.Item, label, c.Pairs, c.OneSided, c.Exact, c.Adjacent, c.Kappa, c.AC1, c.AC2, c.Ordinal, c.Interval, remark}, false); err != nil {
			return err
		}
	}

	if err := b.block(w.word("trust.consistency"), "", text("item"), wide("criterion"), number("item_rest"), number("alpha_without")); err != nil {
		return err
	}
	if c := a.Consistency; c == nil {
		if err := b.none("too_few"); err != nil {
			return err
		}
	} else {
		for _, it := range c.Items {
			label := ""
			if item := w.report.Template.Item(it.Item); item != nil {
				label = item.Label.In(w.report.Language)
			}
			if err := b.add([]any{it.Item, label, it.Rest, it.Dropped}, false); err != nil {
				return err
			}
		}
		if err := b.add([]any{"Cronbach α", "", "", c.Alpha}, true); err != nil {
			return err
		}
	}

	if err := b.block(w.word("trust.adjusted"), w.word("trust.adjusted.note"), text("code"), wide("group"), count("ratings"), count("observers"), number("raw_mean"), number("low"), number("high"), number("adjusted_mean")); err != nil {
		return err
	}
	for _, l := range a.Adjusted {
		label := l.Label.In(w.report.Language)
		if l.Whole {
			label = w.word("overall")
		}
		var low, high *float64
		if l.RawInterval != nil {
			low, high = &l.RawInterval.Low, &l.RawInterval.High
		}
		if err := b.add([]any{l.Group, label, l.N, l.Observers, l.Raw, low, high, l.Adjusted}, l.Whole); err != nil {
			return err
		}
	}

	if err := b.block(w.word("trust.observers"), w.word("trust.observers.note"), text("field"), wide("observer"), count("ratings"), number("mean"), number("sd"), number("severity_raw"), number("severity"), number("se"), number("drift"), text("remark")); err != nil {
		return err
	}
	for _, o := range a.Observers {
		var n any = ""
		var raw, shrunk, se, drift *float64
		remark := ""
		if v := o.Severity; v != nil {
			n, raw, shrunk, se = v.N, &v.Raw, &v.Shrunk, &v.SE
			if v.Notable {
				remark = w.word("notable")
			}
		}
		if o.Drift != nil {
			drift = &o.Drift.Value
		}
		if err := b.add([]any{"", o.Label.In(w.report.Language), n, o.Mean, o.SD, raw, shrunk, se, drift, remark}, false); err != nil {
			return err
		}
	}
	return w.page(b.sheet, "landscape", 1)
}

// estimateRow is a figure with its interval and how many are behind it.
func estimateRow(name string, e *scoring.Estimate) []any {
	if e == nil {
		return []any{"", name}
	}
	return []any{"", name, e.Value, e.Low, e.High, e.N}
}
