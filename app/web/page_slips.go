package web

import (
	"net/url"
	"strings"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// slipsPage is what the page of result slips shows.
type slipsPage struct {
	*service.SlipList
	Template, Under, Size string
}

// paperSizes are those that slips are printed on.
var paperSizes = []string{"A4", "A5"}

func (s *Server) pageSlips(q *request) error {
	size, err := choice(q, "size", paperSizes)
	if err != nil {
		return err
	}
	list, err := s.svc.Slips(q.ctx, q.caller, survey.RoundCode(q.Params("round")), survey.TemplateCode(q.Query("template")), survey.UnitCode(strings.TrimSpace(q.Query("under"))))
	if err != nil {
		return err
	}
	if size == "" {
		size = "A5"
	}
	return s.show(q.Ctx, 200, "slips", q.page(q.say("slips.title"), slipsPage{list, q.Query("template"), q.Query("under"), size}))
}

// PaperSizes are those to choose from.
func (slipsPage) PaperSizes() []string { return paperSizes }

// Above names where the unit belongs, without the root and itself.
func (slipsPage) Above(sl service.Slip) string {
	if len(sl.Path) < 3 {
		return ""
	}
	return strings.Join(sl.Path[1:len(sl.Path)-1], " › ")
}

// Day is the day of the meeting as people write it here.
func (slipsPage) Day(sl service.Slip) string {
	return sl.Response.MeetingDate.Time().Format("02/01/2006")
}

// Score is the score as people see it; a dash where there is none.
func (slipsPage) Score(lang string, sl service.Slip) string {
	if !sl.Result.Graded() {
		return none
	}
	if lang == "vi" {
		return strings.Replace(sl.Result.Shown(), ".", ",", 1)
	}
	return sl.Result.Shown()
}

// Band is a band's label by its place in the scheme that the response was graded
// by; "" for none.
func (slipsPage) Band(lang string, sl service.Slip, i int) string {
	scheme := sl.Result.Form().Template.Scheme
	if i < 0 || scheme == nil || i >= len(scheme.Bands) {
		return ""
	}
	return scheme.Bands[i].Label.In(lang)
}

// slipSection is a section with what was earned in it.
type slipSection struct {
	Label  survey.Text
	Earned survey.Points
	Of     survey.Points
}

// Sections are the sections with points, as they stand in the form.
func (slipsPage) Sections(sl service.Slip) []slipSection {
	var out []slipSection
	sl.Result.Form().Template.Walk(func(it *survey.Item, parents []*survey.Item) bool {
		if len(parents) == 0 && it.Kind == survey.KindGroup && it.Points != nil {
			if earned, ok := sl.Result.SectionEarned(it.Name); ok {
				out = append(out, slipSection{it.Label, earned, *it.Points})
			}
		}
		return true
	})
	return out
}

// Lost are the criteria that lost points.
func (slipsPage) Lost(sl service.Slip) []scoring.Line { return sl.Result.Deductions() }

// Findings are what was noted in a role.
func (slipsPage) Findings(sl service.Slip, role string) []survey.Finding {
	var out []survey.Finding
	for _, f := range sl.Result.Filled().Findings() {
		if string(f.Role) == role && f.Text != "" {
			out = append(out, f)
		}
	}
	return out
}

// pageMakeFeed makes a link for programs and shows it this once.
func (s *Server) pageMakeFeed(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	secret, err := s.svc.MakeFeed(q.ctx, q.caller, form.Get("label"))
	if err != nil {
		return err
	}
	round := q.Params("round")
	q.Set("Cache-Control", "no-store")
	return s.show(q.Ctx, 200, "feed", q.page(q.say("feed.title"), struct{ Address, Back string }{
		s.feedBase(q) + secret + "/rounds/" + url.PathEscape(round) + "/summary.csv?by=sector", filesOf(survey.RoundCode(round))}))
}
