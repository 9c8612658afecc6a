package export

import (
	"io"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// SummaryCSV writes a summary as one flat table in UTF-8 with a byte order mark,
// for programs that refresh their data from an address: a line a group, the
// overall line last with "all" as its kind. The headings are the same in every
// language.
func SummaryCSV(w io.Writer, sum *scoring.Summary, scheme *survey.Scheme, lang string, format CSVFormat) error {
	f := newCSVFile(nil, format)
	f.buf = append(f.buf, "\uFEFF"...)
	header := []string{"line", "by", "group", "label"}
	if sum.And != "" {
		header = append(header, "and", "and_group", "and_label")
	}
	header = append(header, "in_scope", "assigned", "observed", "responses", "visits", "approved", "n", "mean", "mean_low", "mean_high", "sd", "min", "q1", "median", "q3", "max", "banded")
	for _, b := range scheme.Bands {
		header = append(header, "n_"+b.Code, "share_"+b.Code, "before_caps_"+b.Code)
	}
	header = append(header, "small")
	if err := f.strings(header...); err != nil {
		return err
	}
	whole := func(n *int) {
		if n == nil {
			f.skip()
			return
		}
		f.integer(int64(*n))
	}
	number := func(v *float64) {
		if v == nil {
			f.skip()
			return
		}
		f.number(*v)
	}
	line := func(kind string, g *scoring.Group) error {
		f.text(kind)
		f.text(string(sum.By))
		f.text(g.Group)
		f.text(g.Label.In(lang))
		if sum.And != "" {
			f.text(string(sum.And))
			f.text(g.And)
			f.text(g.AndLabel.In(lang))
		}
		whole(g.InScope)
		whole(g.Assigned)
		whole(g.Observed)
		for _, n := range []int{g.Responses, g.Visits, g.Approved, g.N} {
			f.integer(int64(n))
		}
		number(g.Mean)
		if g.MeanInterval != nil {
			f.number(g.MeanInterval.Low)
			f.number(g.MeanInterval.High)
		} else {
			f.skip()
			f.skip()
		}
		for _, v := range []*float64{g.SD, g.Min, g.Q1, g.Median, g.Q3, g.Max} {
			number(v)
		}
		f.integer(int64(g.Banded))
		for _, b := range scheme.Bands {
			f.integer(int64(g.Bands[b.Code]))
			if share, ok := g.BandShares[b.Code]; ok {
				f.number(share)
			} else {
				f.skip()
			}
			f.integer(int64(g.BandsFirst[b.Code]))
		}
		small := "0"
		if g.Small {
			small = "1"
		}
		f.text(small)
		return f.end()
	}
	for i := range sum.Groups {
		if err := line("group", &sum.Groups[i]); err != nil {
			return err
		}
	}
	if err := line("all", &sum.Overall); err != nil {
		return err
	}
	_, err := w.Write(f.buf)
	return err
}
