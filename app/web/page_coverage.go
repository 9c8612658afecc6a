package web

import (
	"fmt"
	"html/template"
	"net/url"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// unitsInScope says how many of how many units are in scope.
func unitsInScope(lang string, units, all int) string {
	return message.Say(lang, "rounds.in_scope_of", survey.Args{"n": fmt.Sprint(units), "all": fmt.Sprint(all)})
}

type coveragePage struct {
	roundTabs
	*service.Coverage
	Round   *survey.Round // both of the above have one
	Roles   []survey.Role
	Periods []string
	Week    []service.PlannedVisit
	Due     int // all that are due within the week
	WeekEnd survey.Date
}

// shownDue is how many of the visits due this week the page names.
const shownDue = 30

func (s *Server) pageCoverage(q *request) error {
	tabs, err := s.roundTabs(q, "coverage")
	if err != nil {
		return err
	}
	cov, err := s.svc.Coverage(q.ctx, q.caller, tabs.Round.Code, service.CoverageQuery{Template: survey.TemplateCode(q.Query("template")),
		Role: survey.Role(q.Query("role")), Period: q.Query("period"), Under: survey.UnitCode(q.Query("under")), BySector: q.Query("by") == "sector"})
	if err != nil {
		return err
	}
	data := coveragePage{roundTabs: tabs, Coverage: cov, Round: tabs.Round, Roles: survey.RatingRoles, Periods: tabs.Round.Months(), WeekEnd: cov.Today + 6}
	data.Week, err = s.svc.PlannedVisits(q.ctx, q.caller, tabs.Round.Code, service.VisitFilter{State: "open", Under: cov.Under, From: cov.Today, To: data.WeekEnd})
	if err != nil {
		return err
	}
	if data.Due = len(data.Week); data.Due > shownDue {
		data.Week = data.Week[:shownDue]
	}
	return s.show(q.Ctx, 200, "coverage", q.page(tabs.Round.Title.In(q.caller.Language), data))
}

// Of is the query of the same page about another unit.
func (p coveragePage) Of(under string) template.URL {
	return p.query(under, p.BySector)
}

// By is the query of the same page grouped otherwise.
func (p coveragePage) By(sector bool) template.URL { return p.query(string(p.Under), sector) }

func (p coveragePage) query(under string, sector bool) template.URL {
	v := url.Values{"template": {string(p.Template)}, "role": {string(p.Role)}, "period": {p.Period}, "under": {under}}
	if sector {
		v.Set("by", "sector")
	}
	return template.URL("?" + v.Encode())
}

// OverdueOf is the address of the list of the visits that an observer owes.
func (p coveragePage) OverdueOf(name string) template.URL {
	return template.URL("/rounds/" + string(p.Round.Code) + "/assignments?" + url.Values{"state": {"overdue"}, "q": {name}}.Encode())
}

// partOf writes a part of a whole in percent; a dash for none of none.
func partOf(lang string, part, whole int) string {
	if whole == 0 {
		return none
	}
	return percent(lang, float64(part)/float64(whole))
}

// coverLine is what a line of the table of coverage is drawn from.
type coverLine struct {
	Page  page
	Count service.CoverageCount
}

func ofCover(p page, n service.CoverageCount) coverLine { return coverLine{p, n} }
