package service

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/khaosat/khaosat/survey"
)

type cachedRound struct {
	round *survey.Round
	at    time.Time
}

// roundCache keeps rounds for the path that every response takes.
type roundCache struct {
	mu sync.Mutex
	of map[survey.RoundCode]cachedRound
}

// roundFreshness is how long another process may go on with a round that was
// changed here.
const roundFreshness = time.Second

// round gives a round as of now, at most a second behind other processes. It
// must not be changed.
func (s *Service) round(ctx context.Context, code survey.RoundCode) (*survey.Round, error) {
	s.rounds.mu.Lock()
	c, ok := s.rounds.of[code]
	s.rounds.mu.Unlock()
	if ok && time.Since(c.at) < roundFreshness {
		return c.round, nil
	}
	r, err := s.store.Round(ctx, code)
	if isNotFound(err) {
		return nil, &survey.Error{Kind: survey.NotFound, Code: "round.unknown", Args: survey.Args{"round": string(code)}}
	}
	if err != nil {
		return nil, err
	}
	s.rounds.mu.Lock()
	s.rounds.of[code] = cachedRound{r, time.Now()}
	s.rounds.mu.Unlock()
	return r, nil
}

// location gives a round's time zone, loaded once.
func (s *Service) location(r *survey.Round) *time.Location {
	if known, ok := s.zones.Load(r.Zone); ok {
		return known.(*time.Location)
	}
	loc := r.Location()
	s.zones.Store(r.Zone, loc)
	return loc
}

func (s *Service) forgetRound(code survey.RoundCode) {
	s.rounds.mu.Lock()
	delete(s.rounds.of, code)
	s.rounds.mu.Unlock()
}

// Rounds lists all rounds ordered by code.
func (s *Service) Rounds(ctx context.Context, c Caller) ([]*survey.Round, error) {
	if _, err := c.may(survey.OpReadRounds); err != nil {
		return nil, err
	}
	var out []*survey.Round
	for r, err := range s.store.Rounds(ctx) {
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Round gives one round.
func (s *Service) Round(ctx context.Context, c Caller, code survey.RoundCode) (*survey.Round, error) {
	if _, err := c.may(survey.OpReadRounds); err != nil {
		return nil, err
	}
	return s.round(ctx, code)
}

// SaveRound creates a round (Rev 0) or replaces it (the Rev that was read).
// Invalid with all problems when something in it does not exist.
func (s *Service) SaveRound(ctx context.Context, c Caller, r *survey.Round) error {
	if _, err := c.may(survey.OpWriteRounds); err != nil {
		return err
	}
	if err := s.checkRound(ctx, c, r); err != nil {
		return err
	}
	defer s.forgetRound(r.Code)
	if r.Rev == 0 {
		r.Practice = nil
		r.Events = []survey.Event{s.event(c, "round.created", nil)}
		return s.store.CreateRound(ctx, r)
	}
	before, err := s.store.Round(ctx, r.Code)
	if err != nil {
		return err
	}
	if err := s.coversRound(ctx, c, before); err != nil {
		return err
	}
	r.Practice = before.Practice // it has a door of its own
	r.Events = append(before.Events, s.event(c, "round.changed", survey.Args{
		"opens": r.Opens.String(), "closes": r.Closes.String(), "closed": fmt.Sprint(r.Closed)}))
	return s.store.ReplaceRound(ctx, r)
}

// coversRound answers Forbidden unless all that the round is about lies in the
// caller's scope: a manager of a part does not change what others work with.
func (s *Service) coversRound(ctx context.Context, c Caller, r *survey.Round) error {
	if c.Person.Scope == "" {
		return nil
	}
	outside := &survey.Error{Kind: survey.Forbidden, Code: "auth.round_scope", Args: survey.Args{"round": string(r.Code), "scope": string(c.Person.Scope)}}
	if len(r.Scope.Under) == 0 {
		return outside
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	for _, code := range r.Scope.Under {
		if unit, err := tree.Standing(code, r.Closes); err != nil || !c.Person.Covers(unit) {
			return outside
		}
	}
	return nil
}

// reservedRounds are pages beside those of single rounds.
var reservedRounds = []string{"new"}

// checkRound fills in what is left to default and finds everything wrong.
func (s *Service) checkRound(ctx context.Context, c Caller, r *survey.Round) error {
	var ps survey.Problems
	report := func(pointer, code, value string, args survey.Args) {
		ps = append(ps, survey.Problem{Severity: survey.SeverityError, Code: code, Value: value, Args: args, Place: survey.Place{Pointer: pointer}})
	}
	if r.Zone == "" {
		r.Zone = survey.DefaultZone
	}
	if r.Periods == "" {
		r.Periods = survey.PeriodOnce
	}
	if !survey.ValidCode(string(r.Code)) || slices.Contains(reservedRounds, string(r.Code)) {
		report("/code", "round.code", string(r.Code), nil)
	}
	if r.Title.IsZero() {
		report("/title", "text.missing", "", nil)
	}
	if _, err := time.LoadLocation(r.Zone); err != nil {
		report("/zone", "round.zone", r.Zone, nil)
	}
	if r.Periods != survey.PeriodOnce && r.Periods != survey.PeriodMonthly {
		report("/periods", "round.periods", string(r.Periods), nil)
	}
	if r.Opens == 0 || r.Closes == 0 || r.Closes < r.Opens {
		report("/closes", "round.dates", r.Closes.String(), nil)
	}
	if r.DoubleShare < 0 || r.DoubleShare > 1 {
		report("/double_share", "round.double_share", fmt.Sprint(r.DoubleShare), nil)
	}
	if len(r.Templates) == 0 {
		report("/templates", "round.no_template", "", nil)
	}
	for i, rt := range r.Templates {
		at := fmt.Sprintf("/templates/%d", i)
		if len(rt.Versions) == 0 || !slices.IsSorted(rt.Versions) {
			report(at+"/versions", "round.versions", string(rt.Code), nil)
		}
		for j, v := range rt.Versions {
			t, err := s.store.Template(ctx, rt.Code, v)
			switch {
			case isNotFound(err):
				report(fmt.Sprintf("%s/versions/%d", at, j), "round.template_unknown", string(rt.Code), survey.Args{"version": fmt.Sprint(v)})
			case err != nil:
				return err
			case t.State == survey.Draft:
				report(fmt.Sprintf("%s/versions/%d", at, j), "round.template_draft", string(rt.Code), survey.Args{"version": fmt.Sprint(v)})
			}
		}
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	for i, u := range r.Scope.Under {
		standing, err := tree.Standing(u, r.Closes)
		if err != nil {
			report(fmt.Sprintf("/scope/under/%d", i), "unit.unknown", string(u), survey.Args{"unit": string(u)})
		} else if err := c.covers(standing); err != nil {
			return err
		}
	}
	if len(r.Scope.Under) == 0 && c.Person.Scope != "" {
		r.Scope.Under = []survey.UnitCode{c.Person.Scope} // a manager's round stays in the manager's subtree
	}
	for i, code := range r.Scope.Sectors {
		_, sector := lists.Sector(code)
		_, rollup := lists.Rollup(code)
		if !sector && !rollup {
			report(fmt.Sprintf("/scope/sectors/%d", i), "unit.not_listed", code, survey.Args{"axis": "sector", "unit": ""})
		}
	}
	for _, axis := range []struct {
		name  string
		codes []string
		known func(string) bool
	}{
		{"structure", r.Scope.Structures, func(c string) bool { _, ok := lists.Structure(c); return ok }},
		{"setting", r.Scope.Settings, func(c string) bool { _, ok := lists.Setting(c); return ok }},
		{"tag", r.Scope.Tags, func(c string) bool { _, ok := lists.Tag(c); return ok }},
	} {
		for i, code := range axis.codes {
			if !axis.known(code) {
				report(fmt.Sprintf("/scope/%ss/%d", axis.name, i), "unit.not_listed", code, survey.Args{"axis": axis.name, "unit": ""})
			}
		}
	}
	return ps.Err("round.invalid")
}
