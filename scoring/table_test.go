package scoring_test

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

const inspection survey.TemplateCode = "RESTAURANT"

// twoVersions gives the foreign template and a second version of it, whose caps
// are fewer and in another order, whose bands begin elsewhere, and which lacks
// a question.
func twoVersions(t testing.TB) []*scoring.Scorer {
	workbook, err := os.ReadFile("../fixtures/examples/restaurant-inspection.xlsx")
	surveytest.Must(t, err)
	read := func() *survey.Template {
		tpl, _, err := xlsform.Read(workbook)
		surveytest.Must(t, err)
		return tpl
	}
	first, second := read(), read()
	first.Version, second.Version = 1, 2
	slices.Reverse(second.Scheme.Caps)
	second.Scheme.Caps = second.Scheme.Caps[1:]
	second.Scheme.Bands[1].Min = 10000
	service := slices.IndexFunc(second.Items, func(it survey.Item) bool { return it.Name == "service" })
	second.Items[service].Items = slices.DeleteFunc(second.Items[service].Items, func(it survey.Item) bool { return it.Name == "local_suppliers" })
	return []*scoring.Scorer{scorerOfTemplate(t, first), scorerOfTemplate(t, second)}
}

// filed is a response as it lies in the model of the table.
type filed struct {
	response *survey.Response
	result   *scoring.Result
}

// model is a table that recomputes everything by loops.
type model struct {
	scorers []*scoring.Scorer
	layouts []*scoring.Layout
	filed   map[survey.ResponseID]filed
}

func (m *model) source(code survey.TemplateCode, version int) (*scoring.Layout, error) {
	if code != inspection || version < 1 || version > len(m.layouts) {
		return nil, fmt.Errorf("no template %s of version %d", code, version)
	}
	return m.layouts[version-1], nil
}

var paths = [][]survey.UnitCode{{"R", "S1", "u"}, {"R", "S1", "D1", "u"}, {"R", "S2", "u"}, {"R", "u"}}

// draw makes a response of one of a few ids; a new one of an id replaces it.
func (m *model) draw(t *rapid.T) (survey.Row, filed) {
	id := rapid.IntRange(0, 24).Draw(t, "id")
	key := survey.ResponseID(surveytest.ID("table", id))
	// The id decides about unit, period and role, so that no visit has two
	// ratings of one role, as stores guarantee.
	unit := survey.UnitCode(fmt.Sprintf("u%d", id/5%3))
	role := []survey.Role{survey.RoleObserver, survey.RoleSecond, survey.RoleAdjudicator, survey.RoleSelf, survey.RoleObserver}[id%5]
	period := []string{"2024-01", "2024-02"}[id/15]
	if id%5 == 4 {
		unit += "x" // a unit whose lead rates alone
	}
	path := slices.Clone(rapid.SampledFrom(paths).Draw(t, "path"))
	path[len(path)-1] = unit
	version := rapid.IntRange(1, 2).Draw(t, "version")
	facts := rapid.SampledFrom(unitTypes).Draw(t, "facts")
	if rapid.Bool().Draw(t, "tagged") {
		facts.Tags = []string{"A", "B"}[:rapid.IntRange(1, 2).Draw(t, "tags")]
	}
	r := &survey.Response{ID: key, TemplateVersion: version, Observer: survey.PersonID(rapid.SampledFrom([]string{"p", "q"}).Draw(t, "observer")),
		VisitKey:    survey.VisitKey{Template: inspection, Unit: unit, Role: role, Period: period},
		Standing:    survey.Standing{Unit: unit, Path: path, UnitFacts: facts},
		MeetingDate: survey.MustDate("2024-01-05") + survey.Date(rapid.IntRange(0, 3).Draw(t, "day")),
		State:       rapid.SampledFrom([]survey.ReviewState{survey.StateSubmitted, survey.StateApproved, survey.StateReturned}).Draw(t, "state")}
	scorer := m.scorers[version-1]
	answers := drawAnswers(t, scorer.Form())
	if rapid.IntRange(0, 3).Draw(t, "whole") > 0 {
		answers = bestOf(scorer.Form(), answers, nil)
	}
	result := scorer.Score(answers, survey.Context{Unit: &facts, Now: now})
	return survey.Row{ID: key, State: r.State, Packed: m.layouts[version-1].Pack(result, r)}, filed{r, result}
}

// TestSummariesEqualANaiveRecount: after rows came, were replaced and went, in
// batches of any size, every summary is what loops over the responses find.
func TestSummariesEqualANaiveRecount(t *testing.T) {
	scorers := twoVersions(t)
	layouts := []*scoring.Layout{scorers[0].Layout(), scorers[1].Layout()}
	lists, err := fixtures.TypeLists()
	surveytest.Must(t, err)
	rapid.Check(t, func(t *rapid.T) {
		m := &model{scorers: scorers, layouts: layouts, filed: map[survey.ResponseID]filed{}}
		table := scoring.NewTable(lists)
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var rows []survey.Row
			for range rapid.IntRange(0, 12).Draw(t, "rows") {
				row, f := m.draw(t)
				m.filed[row.ID] = f
				if rapid.IntRange(0, 9).Draw(t, "quarantined") == 0 {
					row.Packed, row.State = nil, survey.StateQuarantined
					delete(m.filed, row.ID)
				}
				rows = append(rows, row)
			}
			if err := table.Apply(rows, m.source); err != nil {
				t.Fatal(err)
			}
			if table.Len() != len(m.filed) {
				t.Fatalf("%d rows, want %d", table.Len(), len(m.filed))
			}
			m.compare(t, table)
			m.crossed(t, table)
			m.intervals(t, table)
		}
		// The same rows, packed again and put into a new table in another order.
		var rows []survey.Row
		for id, f := range m.filed {
			rows = append(rows, survey.Row{ID: id, State: f.response.State, Packed: layouts[f.response.TemplateVersion-1].Pack(f.result, f.response)})
		}
		again := scoring.NewTable(lists)
		if err := again.Apply(rows, m.source); err != nil {
			t.Fatal(err)
		}
		again.Compact()
		for _, q := range queries(t) {
			one, other := summarize(t, table, q), summarize(t, again, q)
			if !reflect.DeepEqual(one, other) {
				t.Fatalf("the rows in order give\n%+v\nin another\n%+v", one, other)
			}
		}
	})
}

func summarize(t *rapid.T, table *scoring.Table, q scoring.Query) *scoring.Summary {
	sum, err := table.Summarize(q)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// queries draws a query for every grouping.
func queries(t *rapid.T) []scoring.Query {
	var out []scoring.Query
	filter := scoring.Filter{}
	if rapid.Bool().Draw(t, "filtered") {
		filter = scoring.Filter{Under: []survey.UnitCode{"S1", "u2"}, States: []survey.ReviewState{survey.StateApproved, survey.StateReturned},
			From: survey.MustDate("2024-01-06")}
	}
	role := rapid.SampledFrom([]survey.Role{"", survey.RoleSecond, survey.RoleSelf}).Draw(t, "role")
	single := rapid.Bool().Draw(t, "single")
	for _, by := range append(slices.Clone(scoring.Groupings), "superior:2") {
		out = append(out, scoring.Query{Template: inspection, Role: role, By: by, ByResponse: single, Items: true, Filter: filter})
	}
	return out
}

// crossed groups two ways and holds every group to what loops find in both.
func (m *model) crossed(t *rapid.T, table *scoring.Table) {
	groupings := append(slices.Clone(scoring.Groupings), "superior:2")
	q := scoring.Query{Template: inspection, By: rapid.SampledFrom(groupings).Draw(t, "by"), And: rapid.SampledFrom(groupings).Draw(t, "and"), Items: true}
	sum := summarize(t, table, q)
	groups := map[[2]string][]naiveVisit{}
	for _, v := range m.visits(q) {
		for _, a := range groupsOf(q.By, v.ratings[0].response) {
			for _, b := range groupsOf(q.And, v.ratings[0].response) {
				groups[[2]string{a, b}] = append(groups[[2]string{a, b}], v)
			}
		}
	}
	if len(sum.Groups) != len(groups) {
		t.Fatalf("%s and %s: %d groups, want %d", q.By, q.And, len(sum.Groups), len(groups))
	}
	for i := range sum.Groups {
		g := &sum.Groups[i]
		recount(t, q, g.Group+" and "+g.And, g, groups[[2]string{g.Group, g.And}])
	}
}

// intervals holds that the interval of a mean that is
// worked out from sums is that of the single totals.
func (m *model) intervals(t *rapid.T, table *scoring.Table) {
	q := scoring.Query{Template: inspection, Role: survey.RoleSelf, By: scoring.BySector, Intervals: true}
	sum := summarize(t, table, q)
	var y []float64
	var who []int
	for _, v := range m.visits(q) {
		if f := v.ratings[0]; f.result.Graded() {
			y, who = append(y, float64(f.result.Total)/100), append(who, int(f.response.Observer[0]))
		}
	}
	want, ok := scoring.ClusteredMean(y, nil, who, scoring.Level)
	got := sum.Overall.MeanInterval
	if (got != nil) != ok || ok && (math.Abs(got.Low-want.Low) > 1e-6 || math.Abs(got.High-want.High) > 1e-6) {
		t.Fatalf("interval %+v of %v by %v, want %+v", got, y, who, want)
	}
	if len(sum.Overall.BandIntervals) > 0 != (sum.Overall.Banded > 0) {
		t.Fatalf("intervals of bands %+v of %d", sum.Overall.BandIntervals, sum.Overall.Banded)
	}
}

// compare recounts what is drawn to be asked.
func (m *model) compare(t *rapid.T, table *scoring.Table) {
	for _, q := range queries(t) {
		sum := summarize(t, table, q)
		visits := m.visits(q)
		recount(t, q, "overall", &sum.Overall, visits)
		groups := map[string][]naiveVisit{}
		for _, v := range visits {
			for _, code := range groupsOf(q.By, v.ratings[0].response) {
				groups[code] = append(groups[code], v)
			}
		}
		if len(sum.Groups) != len(groups) {
			t.Fatalf("by %s: %d groups, want %d", q.By, len(sum.Groups), len(groups))
		}
		total := 0
		for i := range sum.Groups {
			recount(t, q, sum.Groups[i].Group, &sum.Groups[i], groups[sum.Groups[i].Group])
			total += sum.Groups[i].Visits
		}
		if q.By != scoring.ByTag && total != sum.Overall.Visits {
			t.Fatalf("by %s: the groups have %d visits, all together %d", q.By, total, sum.Overall.Visits)
		}
	}
}

func groupsOf(by scoring.Grouping, r *survey.Response) []string {
	at := func(depth int) []string { return []string{string(r.Standing.Path[min(depth, len(r.Standing.Path)-1)])} }
	switch by {
	case scoring.BySector:
		return []string{r.Standing.Sector}
	case scoring.ByRollup:
		return []string{map[string]string{"02": "XA", "06B": "CQ", "09A2": "DN", "01": "XA"}[r.Standing.Sector]}
	case scoring.BySuperior:
		return at(1)
	case "superior:2":
		return at(2)
	case scoring.ByParent:
		return at(len(r.Standing.Path) - 2)
	case scoring.ByStructure:
		return []string{r.Standing.Structure}
	case scoring.BySetting:
		return []string{r.Standing.Setting}
	case scoring.ByTag:
		return r.Standing.Tags
	case scoring.ByObserver:
		return []string{string(r.Observer)}
	case scoring.ByPeriod:
		return []string{r.Period}
	}
	return []string{""}
}

type naiveVisit struct{ ratings []filed }

func passes(f scoring.Filter, r *survey.Response) bool {
	state := r.State.Counts()
	if len(f.States) > 0 {
		state = slices.Contains(f.States, r.State)
	}
	under := len(f.Under) == 0 || slices.ContainsFunc(f.Under, r.Standing.Under)
	return state && under && r.MeetingDate >= f.From
}

// visits brings together the ratings that count as one visit.
func (m *model) visits(q scoring.Query) []naiveVisit {
	var out []naiveVisit
	byVisit := map[string]map[survey.Role]filed{}
	for _, f := range m.filed {
		role := q.Role
		if role == "" {
			role = survey.RoleObserver
		}
		if !passes(q.Filter, f.response) {
			continue
		}
		if role != survey.RoleObserver || q.ByResponse {
			if f.response.Role == role {
				out = append(out, naiveVisit{[]filed{f}})
			}
			continue
		}
		key := string(f.response.Unit) + f.response.Period
		if byVisit[key] == nil {
			byVisit[key] = map[survey.Role]filed{}
		}
		byVisit[key][f.response.Role] = f
	}
	for _, ratings := range byVisit {
		var use []filed
		for _, role := range []survey.Role{survey.RoleObserver, survey.RoleSecond} {
			if f, ok := ratings[role]; ok {
				use = append(use, f)
			}
		}
		if f, ok := ratings[survey.RoleAdjudicator]; ok {
			use = []filed{f}
		}
		if use != nil {
			out = append(out, naiveVisit{use})
		}
	}
	return out
}

// recount compares a line with its visits.
func recount(t *rapid.T, q scoring.Query, group string, g *scoring.Group, visits []naiveVisit) {
	var totals []float64
	responses, doubled, disputed := 0, 0, 0
	bands, first, caps, reasons := map[string]int{}, map[string]int{}, map[string]int{}, map[scoring.Reason]int{}
	units := map[survey.UnitCode]bool{}
	items := map[string]*scoring.ItemStat{}
	for _, v := range visits {
		responses += len(v.ratings)
		units[v.ratings[0].response.Unit] = true
		var graded []*scoring.Result
		for _, f := range v.ratings {
			if f.result.Graded() {
				graded = append(graded, f.result)
			}
			countItems(items, f.result, 1/float64(len(v.ratings)))
		}
		if len(v.ratings) == 2 {
			doubled++
		}
		if len(graded) == 0 {
			reasons[v.ratings[0].result.Reason]++
			continue
		}
		r := graded[0]
		total, band, before, fired := r.Total.Float(), r.Band, r.BandFirst, capCodes(r)
		scheme := r.Form().Template.Scheme
		if len(graded) == 2 {
			other := graded[1]
			if math.Abs(total-other.Total.Float()) > 10.0000001 || r.BandCode(r.Band) != other.BandCode(other.Band) {
				disputed++
			}
			total = (total + other.Total.Float()) / 2
			tenths := math.Floor((float64(r.Total)+float64(other.Total))/20 + 0.5) // one decimal is shown
			before = scoring.BandFor(scheme, survey.Points(tenths*10))
			band = before
			for _, code := range capCodes(other) {
				if known := slices.ContainsFunc(scheme.Caps, func(c survey.Cap) bool { return c.Code == code }); known && !slices.Contains(fired, code) {
					fired = append(fired, code)
				}
			}
			for _, c := range scheme.Caps {
				if slices.Contains(fired, c.Code) {
					band = max(band, scheme.Band(c.Band))
				}
			}
		}
		totals = append(totals, total)
		bands[scheme.Bands[band].Code]++
		first[scheme.Bands[before].Code]++
		for _, code := range fired {
			caps[code]++
		}
	}
	fail := func(what string, got, want any) {
		t.Fatalf("by %s, %q: %s is %v, want %v", q.By, group, what, got, want)
	}
	for what, pair := range map[string][2]int{"responses": {g.Responses, responses}, "visits": {g.Visits, len(visits)}, "n": {g.N, len(totals)},
		"doubled": {g.Doubled, doubled}, "disputed": {g.ToAdjudicate, disputed}} {
		if pair[0] != pair[1] {
			fail(what, pair[0], pair[1])
		}
	}
	if g.Observed != nil && *g.Observed != len(units) {
		fail("observed", *g.Observed, len(units))
	}
	for what, pair := range map[string][2]map[string]int{"bands": {g.Bands, bands}, "bands before caps": {g.BandsFirst, first}, "caps": {g.Caps, caps}} {
		for _, code := range strings.Fields("platinum gold silver bronze closed PESTS SAFETY FAULTS SEWAGE COLD") {
			if pair[0][code] != pair[1][code] {
				fail(what+" "+code, pair[0][code], pair[1][code])
			}
		}
	}
	for reason, n := range reasons {
		if g.NotGraded[reason] != n {
			fail("not graded "+string(reason), g.NotGraded[reason], n)
		}
	}
	moments(t, g, totals, fail)
	compareItems(g, items, fail)
}

// moments compares what is worked out of the totals.
func moments(t *rapid.T, g *scoring.Group, totals []float64, fail func(string, any, any)) {
	near := func(what string, got *float64, want float64) {
		if got == nil || math.Abs(*got-want) > 1e-9 {
			fail(what, got, want)
		}
	}
	n := float64(len(totals))
	if n == 0 {
		if g.Mean != nil || g.SD != nil || g.Median != nil {
			t.Fatal("there is a mean of nothing")
		}
		return
	}
	slices.Sort(totals)
	mean, squares := 0.0, 0.0
	for _, x := range totals {
		mean += x / n
	}
	for _, x := range totals {
		squares += (x - mean) * (x - mean)
	}
	near("mean", g.Mean, mean)
	if n > 1 {
		near("sd", g.SD, math.Sqrt(squares/(n-1)))
	} else if g.SD != nil {
		t.Fatal("there is a deviation of one")
	}
	near("lowest", g.Min, totals[0])
	near("median", g.Median, (totals[(len(totals)-1)/2]+totals[len(totals)/2])/2)
	near("highest", g.Max, totals[len(totals)-1])
}

// countItems counts one rating's criteria.
func countItems(items map[string]*scoring.ItemStat, r *scoring.Result, weight float64) {
	for _, l := range r.Lines() {
		it := items[l.Item.Name]
		if it == nil {
			it = &scoring.ItemStat{Share: new(float64)}
			items[l.Item.Name] = it
		}
		switch l.State {
		case survey.Answered:
			it.N += weight
			*it.Share += weight * l.Earned.Float() / l.Item.Points.Float()
			if l.Earned == *l.Item.Points {
				it.Full += weight
			}
			if l.Earned == 0 {
				it.Zero += weight
			}
		case survey.Blank:
			it.Blank += weight
		case survey.NotApplicable:
			it.NA += weight
		case survey.NotAsked:
			it.NotAsked += weight
		case survey.NotObserved:
			it.NotObserved += weight
		}
	}
}

func compareItems(g *scoring.Group, items map[string]*scoring.ItemStat, fail func(string, any, any)) {
	for i := range g.Items {
		got, want := &g.Items[i], items[g.Items[i].Item]
		if !got.Scored {
			continue
		}
		if want == nil {
			want = &scoring.ItemStat{Share: new(float64)}
		}
		for what, pair := range map[string][2]float64{"n": {got.N, want.N}, "blank": {got.Blank, want.Blank}, "n/a": {got.NA, want.NA},
			"not asked": {got.NotAsked, want.NotAsked}, "full": {got.Full, want.Full}, "zero": {got.Zero, want.Zero}} {
			if pair[0] != pair[1] {
				fail(got.Item+" "+what, pair[0], pair[1])
			}
		}
		if want.N > 0 && math.Abs(*got.Share-*want.Share/want.N) > 1e-9 {
			fail(got.Item+" share", *got.Share, *want.Share/want.N)
		}
	}
}
