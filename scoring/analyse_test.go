package scoring_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// TestAnAnalysisEqualsANaiveRecount: counts, differences and means are what loops
// over the responses find, and adjusting takes away no more than severity.
func TestAnAnalysisEqualsANaiveRecount(t *testing.T) {
	scorers := twoVersions(t)
	layouts := []*scoring.Layout{scorers[0].Layout(), scorers[1].Layout()}
	lists, err := fixtures.TypeLists()
	surveytest.Must(t, err)
	rapid.Check(t, func(t *rapid.T) {
		m := &model{scorers: scorers, layouts: layouts, filed: map[survey.ResponseID]filed{}}
		table := scoring.NewTable(lists)
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			row, f := m.draw(t)
			m.filed[row.ID] = f
			if err := table.Apply([]survey.Row{row}, m.source); err != nil {
				t.Fatal(err)
			}
		}
		q := scoring.Query{Template: inspection, By: rapid.SampledFrom(scoring.Groupings).Draw(t, "by")}
		if rapid.Bool().Draw(t, "filtered") {
			q.Filter = scoring.Filter{Under: []survey.UnitCode{"S1", "u2"}, From: survey.MustDate("2024-01-06")}
		}
		got, err := table.Analyse(q)
		if err != nil {
			t.Fatal(err)
		}
		totals := map[survey.VisitKey]map[survey.Role]float64{}
		var all []float64
		for _, f := range m.filed {
			r := f.response
			inside := len(q.Filter.Under) == 0 || slices.ContainsFunc(q.Filter.Under, r.Standing.Under)
			if !r.State.Counts() || f.result.Reason != scoring.Scored || !inside || r.MeetingDate < q.Filter.From {
				continue
			}
			visit := r.VisitKey
			visit.Role = ""
			if totals[visit] == nil {
				totals[visit] = map[survey.Role]float64{}
			}
			totals[visit][r.Role] = float64(f.result.Total) / 100
			if r.Role == survey.RoleObserver || r.Role == survey.RoleSecond {
				all = append(all, float64(f.result.Total)/100)
			}
		}
		doubled, within, selves := 0, 0, 0
		second, self := 0.0, 0.0
		for _, of := range totals {
			lead, rated := of[survey.RoleObserver]
			if other, also := of[survey.RoleSecond]; rated && also {
				doubled++
				second += other - lead
				if math.Abs(other-lead) <= 10 {
					within++
				}
			}
			if other, also := of[survey.RoleSelf]; rated && also {
				selves++
				self += other - lead
			}
		}
		if got.Ratings != len(all) || got.Doubled != doubled || got.Totals.Within != within {
			t.Fatalf("%d ratings, %d doubled, %d within ten; want %d, %d, %d", got.Ratings, got.Doubled, got.Totals.Within, len(all), doubled, within)
		}
		if d := got.Totals.Difference; (d != nil) != (doubled > 1) || d != nil && math.Abs(d.Value-second/float64(doubled)) > 1e-9 {
			t.Fatalf("difference %+v of %d", d, doubled)
		}
		if (len(got.Others) == 1) != (selves > 0) || selves > 1 && math.Abs(got.Others[0].Difference.Value-self/float64(selves)) > 1e-9 {
			t.Fatalf("others %+v, want %d", got.Others, selves)
		}
		for _, c := range append(slices.Clone(got.Items), got.Bands) {
			if c.Pairs+c.OneSided > doubled || c.TooFew != (c.Pairs < 10) || c.TooFew == (c.Exact != nil) {
				t.Fatalf("agreement %+v of %d", c, doubled)
			}
		}
		if len(all) == 0 {
			if len(got.Adjusted) != 0 || len(got.Observers) != 0 {
				t.Fatalf("lines about nothing: %+v", got)
			}
			return
		}
		whole := got.Adjusted[len(got.Adjusted)-1]
		if mean := sum(all) / float64(len(all)); !whole.Whole || whole.N != len(all) || math.Abs(whole.Raw-mean) > 1e-9 {
			t.Fatalf("overall %+v, want %d of mean %v", whole, len(all), mean)
		}
		taken := 0.0
		for _, o := range got.Observers {
			if o.Severity != nil {
				taken += o.Severity.Shrunk * float64(o.Severity.N)
			}
		}
		if whole.Adjusted != nil && math.Abs((whole.Raw-*whole.Adjusted)*float64(whole.N)-taken) > 1e-6 {
			t.Fatalf("adjusting took %v, severity is %v", whole.Raw-*whole.Adjusted, taken)
		}
	})
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}
