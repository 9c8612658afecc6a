package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
)

// roundTabs is the navigation among the pages of one round.
type roundTabs struct {
	Round     *survey.Round
	At        string // the last part of the page's address
	MayAssign bool
	MayChange bool
}

func (s *Server) roundTabs(q *request, at string) (roundTabs, error) {
	r, err := s.svc.Round(q.ctx, q.caller, survey.RoundCode(q.Params("round")))
	if err != nil {
		return roundTabs{}, err
	}
	return roundTabs{r, at, survey.May(q.caller.Person, survey.OpAssign) != survey.Nothing, s.svc.MayChangeRound(q.ctx, q.caller, r)}, nil
}

func (s *Server) pageRounds(q *request) error {
	rounds, err := s.svc.Rounds(q.ctx, q.caller)
	if err != nil {
		return err
	}
	// The latest first.
	slices.SortStableFunc(rounds, func(x, y *survey.Round) int { return cmp.Compare(y.Closes, x.Closes) })
	return s.show(q.Ctx, 200, "rounds", q.page(q.say("nav.rounds"), struct {
		Rounds  []*survey.Round
		MayMake bool
	}{rounds, survey.May(q.caller.Person, survey.OpWriteRounds) != survey.Nothing}))
}

// roundPage is the form of a round's settings.
type roundPage struct {
	roundTabs
	mistakes
	Done    string
	New     bool
	Choices []templateChoice
	First   survey.TemplateCode
	Lists   *survey.TypeLists
	Under   string
	// Units of All are in scope.
	Units, All int
	Percent    string
}

// templateChoice is a version that a round may use.
type templateChoice struct {
	*survey.Template
	Chosen bool
}

// Value names the version in the form.
func (c templateChoice) Value() string { return fmt.Sprintf("%s:%d", c.Code, c.Version) }

// Has reports whether a code is on a list.
func (roundPage) Has(list []string, code string) bool { return slices.Contains(list, code) }

func (s *Server) round(q *request, status int, data roundPage) error {
	templates, err := s.svc.Templates(q.ctx, q.caller)
	if err != nil {
		return err
	}
	for _, t := range templates {
		rt, used := data.Round.Template(t.Code)
		chosen := used && rt.Allows(t.Version)
		if t.State == survey.Published || chosen {
			data.Choices = append(data.Choices, templateChoice{t, chosen})
		}
	}
	if len(data.Round.Templates) > 0 {
		data.First = data.Round.Templates[0].Code
	}
	if data.Lists, err = s.svc.TypeLists(q.ctx, q.caller); err != nil {
		return err
	}
	if data.Units, data.All, err = s.svc.CountScope(q.ctx, q.caller, data.Round.Scope, data.Round.Closes); err != nil {
		return err
	}
	under := make([]string, len(data.Round.Scope.Under))
	for i, u := range data.Round.Scope.Under {
		under[i] = string(u)
	}
	data.Under = strings.Join(under, " ")
	data.Percent = strconv.FormatFloat(100*data.Round.DoubleShare, 'f', -1, 64)
	title := q.say("rounds.new")
	if !data.New {
		title = data.Round.Title.In(q.caller.Language)
	}
	return s.show(q.Ctx, status, "round-settings", q.page(title, data))
}

func (s *Server) pageNewRound(q *request) error {
	today := s.svc.Today(&survey.Round{})
	r := &survey.Round{Zone: survey.DefaultZone, Periods: survey.PeriodOnce, Opens: today, Closes: today + 60}
	if q.caller.Person.Scope != "" {
		r.Scope.Under = []survey.UnitCode{q.caller.Person.Scope}
	}
	return s.round(q, 200, roundPage{New: true, roundTabs: roundTabs{Round: r}})
}

// roundOf reads what the form says of a round. A date or number that cannot be
// read is left out and so told of by the check of the whole.
func roundOf(form url.Values) *survey.Round {
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	r := &survey.Round{Code: survey.RoundCode(field("code")), Title: survey.Text{}, Zone: field("zone"), Periods: survey.PeriodRule(field("periods")),
		ShowScore: field("show_score") != "", Unplanned: field("unplanned") != "",
		Scope: survey.Scope{Structures: form["structure"], Sectors: form["sector"], Settings: form["setting"], Tags: form["tag"]}}
	for _, lang := range []string{"vi", "en"} {
		if title := field("title_" + lang); title != "" {
			r.Title[lang] = title
		}
	}
	r.Opens, _ = survey.ParseDate(field("opens"))
	r.Closes, _ = survey.ParseDate(field("closes"))
	percent, err := strconv.ParseFloat(strings.Replace(cmp.Or(field("double"), "0"), ",", ".", 1), 64)
	if r.DoubleShare = percent / 100; err != nil {
		r.DoubleShare = -1
	}
	r.Seed, _ = strconv.ParseInt(field("seed"), 10, 64)
	for _, code := range strings.FieldsFunc(form.Get("under"), func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }) {
		r.Scope.Under = append(r.Scope.Under, survey.UnitCode(code))
	}
	for _, choice := range form["template"] {
		code, version, _ := strings.Cut(choice, ":")
		n, err := strconv.Atoi(version)
		if err != nil {
			continue
		}
		at := slices.IndexFunc(r.Templates, func(t survey.RoundTemplate) bool { return string(t.Code) == code })
		if at < 0 {
			at = len(r.Templates)
			r.Templates = append(r.Templates, survey.RoundTemplate{Code: survey.TemplateCode(code)})
		}
		r.Templates[at].Versions = append(r.Templates[at].Versions, n)
	}
	for i := range r.Templates {
		slices.Sort(r.Templates[i].Versions)
	}
	// The most important form stands first.
	slices.SortStableFunc(r.Templates, func(x, y survey.RoundTemplate) int {
		rank := func(t survey.RoundTemplate) int {
			if string(t.Code) == form.Get("first") {
				return 0
			}
			return 1
		}
		return rank(x) - rank(y)
	})
	return r
}

func (s *Server) pageMakeRound(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	r := roundOf(form)
	if form.Has("count") {
		return s.round(q, 200, roundPage{New: true, roundTabs: roundTabs{Round: r}})
	}
	if err := s.svc.SaveRound(q.ctx, q.caller, r); err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.round(q, status, roundPage{mistakes: m, New: true, roundTabs: roundTabs{Round: r}})
	}
	return q.Redirect("/rounds/"+string(r.Code)+"/settings?done=saved", fiber.StatusSeeOther)
}

func (s *Server) pageRoundSettings(q *request) error {
	tabs, err := s.roundTabs(q, "settings")
	if err != nil {
		return err
	}
	return s.round(q, 200, roundPage{roundTabs: tabs, Done: q.done()})
}

// pageSaveRound saves the settings, or closes the round or opens it again.
func (s *Server) pageSaveRound(q *request) error {
	tabs, err := s.roundTabs(q, "settings")
	if err != nil {
		return err
	}
	form, err := q.form()
	if err != nil {
		return err
	}
	if form.Has("closed") {
		if err := s.svc.CloseRound(q.ctx, q.caller, tabs.Round.Code, form.Get("closed") == "true"); err != nil {
			return err
		}
		return q.Redirect("/rounds/"+string(tabs.Round.Code)+"/settings?done=saved", fiber.StatusSeeOther)
	}
	r := roundOf(form)
	r.Code, r.Closed = tabs.Round.Code, tabs.Round.Closed
	r.Rev, _ = strconv.ParseInt(form.Get("rev"), 10, 64)
	if r.Rev == 0 {
		r.Rev = tabs.Round.Rev
	}
	tabs.Round = r
	if form.Has("count") {
		return s.round(q, 200, roundPage{roundTabs: tabs})
	}
	if err := s.svc.SaveRound(q.ctx, q.caller, r); err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.round(q, status, roundPage{mistakes: m, roundTabs: tabs})
	}
	return q.Redirect("/rounds/"+string(r.Code)+"/settings?done=saved", fiber.StatusSeeOther)
}

// apiCountScope counts the units that a scope is about.
func (s *Server) apiCountScope(q *request) error {
	day, err := q.date("date")
	if err != nil {
		return err
	}
	scope := survey.Scope{Under: list[survey.UnitCode](q, "under"), Structures: list[string](q, "structure"), Sectors: list[string](q, "sector"),
		Settings: list[string](q, "setting"), Tags: list[string](q, "tag")}
	units, all, err := s.svc.CountScope(q.ctx, q.caller, scope, day)
	if err != nil {
		return err
	}
	return q.send(200, struct {
		Units int    `json:"units"`
		All   int    `json:"all"`
		Text  string `json:"text"`
	}{units, all, unitsInScope(q.caller.Language, units, all)})
}
