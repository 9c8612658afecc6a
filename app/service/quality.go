package service

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// What is odd about when a form was filled in; the others are scoring's.
const (
	doubtFast = "fast" // filled in faster than anybody can watch a meeting
	doubtHour = "hour" // begun in the night
	doubtLate = "late" // changed long after the meeting
)

const (
	fastShare  = 1.0 / 3 // of the median time
	fewestTime = 20      // timed forms from which a median is worth something
	nightFrom  = 23      // o'clock in the round's zone
	nightTo    = 5
	lateDays   = 30
	// mostRead is how many responses are read whole for what the table does
	// not hold; beyond, only what is in the table is looked at.
	mostRead = 20_000
)

// Flag is one thing that is odd about a response or an observer. It never
// changes data.
type Flag struct {
	Kind     string
	Response survey.ResponseID // "" for one about an observer
	Unit     string            // its name
	Observer string            // their name
	Date     survey.Date
	// Args explain the flag: the numbers that raised it.
	Args survey.Args
	// Dismissed is the event that set it aside; nil for none.
	Dismissed *survey.Event
}

// Quality is what is odd in a round.
type Quality struct {
	Round    *survey.Round
	Template survey.TemplateCode
	Flags    []Flag
	// Partly says that there were too many responses to look at their times.
	Partly bool
}

// dismissed is the action of the event that sets a flag aside.
const dismissed = "quality.dismissed"

// Quality looks for what is odd in a round's responses inside the caller's scope.
func (s *Service) Quality(ctx context.Context, c Caller, code survey.RoundCode, q scoring.Query) (*Quality, error) {
	if _, err := c.may(survey.OpSummarize); err != nil {
		return nil, err
	}
	round, table, _, err := s.tableFor(ctx, c, code, &q)
	if err != nil {
		return nil, err
	}
	label, err := s.groupLabels(ctx, round.Closes)
	if err != nil {
		return nil, err
	}
	unit := func(u survey.UnitCode) string {
		return cmp.Or(label(scoring.BySuperior, string(u)).In(c.Language), string(u))
	}
	observer := func(o survey.PersonID) string {
		return cmp.Or(label(scoring.ByObserver, string(o)).In(c.Language), string(o))
	}
	out := &Quality{Round: round, Template: q.Template, Partly: table.Len() > mostRead}
	number := func(f float64) string {
		text := strconv.FormatFloat(f, 'f', -1, 64)
		if f != float64(int(f)) {
			text = strconv.FormatFloat(f, 'f', 2, 64)
		}
		if c.Language == "vi" {
			text = strings.Replace(text, ".", ",", 1)
		}
		return text
	}
	for _, d := range table.Doubts(q) {
		f := Flag{Kind: string(d.Kind), Response: d.Of.ID, Observer: observer(d.Of.Observer), Date: d.Of.Date,
			Args: survey.Args{"number": number(d.Number), "usual": number(d.Usual)}}
		if d.Of.Unit != "" {
			f.Unit = unit(d.Of.Unit)
		}
		if d.Other != nil {
			f.Args["other"] = unit(d.Other.Unit)
			if d.Other.Total != nil {
				f.Args["total"] = number(*d.Other.Total)
			}
		}
		out.Flags = append(out.Flags, f)
	}
	if !out.Partly {
		if err := s.oddTimes(ctx, c, q, out, unit, observer); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out.Flags, func(a, b Flag) int {
		set := func(f Flag) int {
			if f.Dismissed != nil {
				return 1
			}
			return 0
		}
		return cmp.Or(set(a)-set(b), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Observer, b.Observer), int(a.Date-b.Date))
	})
	return out, nil
}

// oddTimes adds what the times of forms say, and what was set aside.
func (s *Service) oddTimes(ctx context.Context, c Caller, q scoring.Query, out *Quality, unit func(survey.UnitCode) string, observer func(survey.PersonID) string) error {
	type timed struct {
		flag Flag
		took time.Duration
	}
	var forms []timed
	var took []float64
	aside := map[survey.ResponseID]map[string]*survey.Event{}
	zone := out.Round.Location()
	filter := survey.ResponseFilter{Round: out.Round.Code, Template: q.Template, Under: c.Person.Scope, Bare: true}
	for change, err := range s.store.ResponsesSince(ctx, filter, "") {
		if err != nil {
			return err
		}
		r := change.Doc
		for i := range r.Events {
			if e := &r.Events[i]; e.Action == dismissed {
				if aside[r.ID] == nil {
					aside[r.ID] = map[string]*survey.Event{}
				}
				aside[r.ID][e.Detail["flag"]] = e
			}
		}
		if !r.State.Counts() || r.Role != survey.RoleObserver && r.Role != survey.RoleSecond {
			continue
		}
		flag := func(kind string, args survey.Args) Flag {
			return Flag{Kind: kind, Response: r.ID, Unit: unit(r.Unit), Observer: observer(r.Observer), Date: r.MeetingDate, Args: args}
		}
		if r.StartedAt != nil {
			if local := r.StartedAt.In(zone); local.Hour() >= nightFrom || local.Hour() < nightTo {
				out.Flags = append(out.Flags, flag(doubtHour, survey.Args{"time": local.Format("15:04")}))
			}
		}
		if r.StartedAt != nil && r.EndedAt != nil && r.EndedAt.After(*r.StartedAt) {
			d := r.EndedAt.Sub(*r.StartedAt)
			took = append(took, d.Minutes())
			forms = append(forms, timed{flag(doubtFast, nil), d})
		}
		if days := int(survey.DateOf(r.ReceivedAt.In(zone)) - r.MeetingDate); len(r.Earlier) > 0 && days > lateDays {
			out.Flags = append(out.Flags, flag(doubtLate, survey.Args{"days": strconv.Itoa(days)}))
		}
	}
	if len(took) >= fewestTime {
		slices.Sort(took)
		usual := scoring.Quantile(took, 0.5)
		for _, f := range forms {
			if f.took.Minutes() < fastShare*usual {
				f.flag.Args = survey.Args{"minutes": strconv.Itoa(int(f.took.Minutes())), "usual": strconv.Itoa(int(usual))}
				out.Flags = append(out.Flags, f.flag)
			}
		}
	}
	for i := range out.Flags {
		out.Flags[i].Dismissed = aside[out.Flags[i].Response][out.Flags[i].Kind]
	}
	return nil
}

// DismissFlag sets a flag of a response aside, with a reason that stays in its
// trail. The answers stay as they are. Doing it again changes nothing.
func (s *Service) DismissFlag(ctx context.Context, c Caller, id survey.ResponseID, kind, reason string) error {
	reach, err := c.may(survey.OpReview)
	if err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return &survey.Error{Kind: survey.Invalid, Code: "quality.reason", Problems: survey.Problems{{
			Severity: survey.SeverityError, Code: "quality.reason", Place: survey.Place{Pointer: "/reason"}}}}
	}
	unknown := &survey.Error{Kind: survey.NotFound, Code: "response.unknown", Args: survey.Args{"response": string(id)}}
	r, err := s.store.Response(ctx, id)
	if isNotFound(err) {
		return unknown
	}
	if err != nil {
		return err
	}
	if !canRead(c, reach, r) {
		return unknown
	}
	for _, e := range r.Events {
		if e.Action == dismissed && e.Detail["flag"] == kind {
			return nil
		}
	}
	r.Events = append(r.Events, s.event(c, dismissed, survey.Args{"flag": kind, "reason": strings.TrimSpace(reason)}))
	return s.store.ReplaceResponse(ctx, r)
}
