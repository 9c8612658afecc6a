package web

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// groupings are those a page offers.
var groupings = []scoring.Grouping{scoring.BySector, scoring.ByRollup, scoring.BySuperior, "superior:2", scoring.ByStructure, scoring.BySetting, scoring.ByTag, scoring.ByPeriod}

// summaryPage is what the page of a round shows.
type summaryPage struct {
	*service.RoundSummary
	Groupings []scoring.Grouping
	Roles     []survey.Role
	Lists     *survey.TypeLists
	Filter    scoring.Filter
	Items     []scoring.ItemStat // criteria, in form order
	Facts     []scoring.ItemStat // other questions with a choice
	Weakest   []scoring.ItemStat
	Strongest []scoring.ItemStat
	Caps      []capCost
	Crossed   *crossTable
	MayExport bool
	address   url.Values
}

// capCost is a cap with how often it fired.
type capCost struct {
	Code  string
	Label survey.Text
	Count int
	Share float64 // of visits with a band
}

// crossTable is a table of two groupings.
type crossTable struct {
	And     scoring.Grouping
	Columns []scoring.Group // the groups of the second grouping
	Rows    []crossRow
}

type crossRow struct {
	Group scoring.Group
	Cells []*scoring.Group // by column; nil where there is no visit
}

// extremes is how many criteria are shown as the weakest and the strongest.
const extremes = 5

func (s *Server) pageSummary(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	query.Items = true
	and := query.And
	query.And = ""
	sum, err := s.svc.Summary(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	_, lists, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	data := summaryPage{RoundSummary: sum, Groupings: groupings, Roles: survey.RatingRoles, Lists: lists, Filter: query.Filter,
		MayExport: survey.May(q.caller.Person, survey.OpExport) != survey.Nothing}
	data.address, _ = url.ParseQuery(string(q.Context().QueryArgs().QueryString()))
	for _, it := range sum.Overall.Items {
		switch {
		case it.Scored:
			data.Items = append(data.Items, it)
		case it.N > 0 && len(it.Values) > 0:
			data.Facts = append(data.Facts, it)
		}
	}
	data.rankItems()
	data.costOfCaps()
	if and != "" && and != sum.By {
		query.And, query.Items = and, false
		if data.Crossed, err = s.cross(q, query, sum.Summary); err != nil {
			return err
		}
	}
	return s.show(q.Ctx, 200, "summary", q.page(sum.Round.Title.In(q.caller.Language), data))
}

// rankItems picks the criteria that earn the least and the most of their points.
func (d *summaryPage) rankItems() {
	var known []scoring.ItemStat
	for _, it := range d.Items {
		if it.Share != nil && it.N >= scoring.SmallCell {
			known = append(known, it)
		}
	}
	slices.SortStableFunc(known, func(a, b scoring.ItemStat) int { return cmp.Compare(*a.Share, *b.Share) })
	n := min(extremes, len(known)/2)
	d.Weakest = known[:n]
	d.Strongest = slices.Clone(known[len(known)-n:])
	slices.Reverse(d.Strongest)
}

// costOfCaps lists the caps that fired, the one that did most often first.
func (d *summaryPage) costOfCaps() {
	for code, n := range d.Overall.Caps {
		c := capCost{Code: code, Count: n, Share: float64(n) / float64(max(1, d.Overall.Banded))}
		for _, of := range d.Scheme.Caps {
			if of.Code == code {
				c.Label = of.Label
			}
		}
		d.Caps = append(d.Caps, c)
	}
	slices.SortFunc(d.Caps, func(a, b capCost) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Code, b.Code)) })
}

// cross makes the table of two groupings; by is the summary of the first alone.
func (s *Server) cross(q *request, query scoring.Query, by *scoring.Summary) (*crossTable, error) {
	crossed, err := s.svc.Summary(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return nil, err
	}
	query.By, query.And = query.And, ""
	columns, err := s.svc.Summary(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return nil, err
	}
	out := &crossTable{And: query.By, Columns: columns.Groups}
	at := map[string]int{}
	for i, g := range columns.Groups {
		at[g.Group] = i
	}
	for _, g := range by.Groups {
		row := crossRow{Group: g, Cells: make([]*scoring.Group, len(columns.Groups))}
		for i := range crossed.Groups {
			if c := &crossed.Groups[i]; c.Group == g.Group && c.Visits > 0 {
				row.Cells[at[c.And]] = c
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// Chosen reports whether a filter has the value.
func (d summaryPage) Chosen(name, value string) bool { return slices.Contains(d.address[name], value) }

// Given is what a filter was given as.
func (d summaryPage) Given(name string) string { return d.address.Get(name) }

// Behind is the address of the list of visits that a group counts; "" where
// the grouping cannot be filtered by.
func (d summaryPage) Behind(g scoring.Group) string {
	return "/rounds/" + url.PathEscape(string(d.Round.Code)) + "/behind?" + d.narrowed(d.By, g.Group).Encode()
}

// narrowed is the page's own query, narrowed to a group.
func (d summaryPage) narrowed(by scoring.Grouping, group string) url.Values {
	out := url.Values{"template": {string(d.Template)}, "role": {string(d.Role)}}
	for _, name := range []string{"sector", "structure", "setting", "tag", "under", "observer", "period", "state", "from", "to"} {
		for _, v := range d.address[name] {
			if v != "" {
				out.Add(name, v)
			}
		}
	}
	if group == "" {
		return out
	}
	switch by {
	case scoring.BySector, scoring.ByRollup:
		out.Set("sector", group)
	case scoring.ByStructure, scoring.BySetting, scoring.ByTag, scoring.ByObserver, scoring.ByPeriod:
		out.Set(string(by), group)
	default:
		out.Set("under", group)
	}
	return out
}

// Bars gives a group's bands as shares of a hundred, for the bar.
func (d summaryPage) Bars(g scoring.Group) []bandBar {
	var out []bandBar
	x := 0.0
	for i, b := range d.Scheme.Bands {
		w := 100 * g.BandShares[b.Code]
		bar := bandBar{X: x, Width: w, Label: b.Label, Count: g.Bands[b.Code], First: g.BandsFirst[b.Code], Share: g.BandShares[b.Code], Class: "band-" + string(rune('0'+i%6))}
		if i, known := g.BandIntervals[b.Code]; known {
			bar.Interval = &i
		}
		out = append(out, bar)
		x += w
	}
	return out
}

type bandBar struct {
	X, Width, Share float64
	Label           survey.Text
	Count           int
	First           int // before caps
	Interval        *scoring.Interval
	Class           string
}

// Lost is how many visits fewer have the band because of caps.
func (b bandBar) Lost() int { return b.Count - b.First }

// share is a line of a distribution.
type share struct {
	Name  string
	Count float64
	Share float64
}

// distribution gives a question's answers, the most frequent first.
func distribution(it scoring.ItemStat) []share {
	var out []share
	for name, n := range it.Values {
		out = append(out, share{name, n, n / it.N})
	}
	slices.SortFunc(out, func(a, b share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out
}

// groupLine is what the line of a group is drawn from.
type groupLine struct {
	Page  page
	Group scoring.Group
	Data  summaryPage
	Whole bool // the last line, with everything
}

func inGroup(p page, g scoring.Group, d summaryPage) groupLine { return groupLine{p, g, d, false} }
func inAll(p page, d summaryPage) groupLine                    { return groupLine{p, d.Overall, d, true} }

// pageBehind lists the visits behind a figure.
func (s *Server) pageBehind(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	list, err := s.svc.VisitsBehind(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	back := "/rounds/" + url.PathEscape(string(list.Round.Code))
	return s.show(q.Ctx, 200, "summary-behind", q.page(q.say("analysis.behind"), struct {
		*service.VisitList
		Back string
	}{list, back}))
}

// Narrowed reports whether a filter is set, so that it is shown open.
func (d summaryPage) Narrowed() bool {
	return slices.ContainsFunc([]string{"sector", "structure", "setting", "tag", "under", "from", "to"}, func(name string) bool { return d.Given(name) != "" })
}

// rankedItems are a few criteria in an order.
type rankedItems struct {
	Page  page
	Items []scoring.ItemStat
}

func ranked(p page, items []scoring.ItemStat) rankedItems { return rankedItems{p, items} }

// hundred gives a share as a part of a hundred, for the length of a bar.
func hundred(f *float64) float64 { return 100 * *f }

// shares writes an interval of shares.
func shares(lang string, i *scoring.Interval) string {
	return number(lang, 100*i.Low, 0) + "–" + number(lang, 100*i.High, 0) + " %"
}
