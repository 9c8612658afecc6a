package service

import (
	"context"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

// Responses that are held for review: somebody attaches them to the visit they
// belong to, or puts them aside with a reason. The id, the bytes and the time
// they came with stay.

// standHeld notes of a response that is to be held what is known of its unit
// and day, so that those find it who review there. What is not known stays
// empty, and only who has the whole tree sees it.
func (s *Service) standHeld(ctx context.Context, r *survey.Response) {
	day := meetingDate(&Incoming{Answers: r.Answers, MeetingDate: r.MeetingDate}, r.ReceivedAt)
	tree, _, err := s.Tree(ctx)
	if err != nil || r.Unit == "" {
		return // it is taken in all the same
	}
	if unit, err := tree.Standing(r.Unit, day); err == nil {
		r.Standing = *unit
	}
}

// Release says what becomes of a response that was held for review.
type Release struct {
	// Assignment is the visit it belongs to; "" leaves it at the one it names
	// itself.
	Assignment survey.AssignmentID
	// Despite takes it in although answers fail the form's checks.
	Despite bool
}

// Release makes of a response that is held an ordinary one: of the visit it
// belongs to, with a score, and counted. Whoever sent it stays its observer.
// Invalid with the problems (code "response.invalid") when answers fail the
// form's checks and that was not said to be in order; Conflict when the visit has
// a response already, or the same person gave the other of two blind ratings.
// To release it to the same visit again changes nothing.
func (s *Service) Release(ctx context.Context, c Caller, id survey.ResponseID, rev int64, to Release) (*survey.Response, error) {
	r, err := s.forReview(ctx, c, id)
	if err != nil {
		return nil, err
	}
	if !r.State.Held() {
		for _, e := range slices.Backward(r.Events) {
			if e.Action == "response.released" {
				if e.Detail["assignment"] == string(to.Assignment) {
					return r, nil
				}
				break
			}
		}
		return nil, notHeld(r)
	}
	if r.Rev != rev {
		return nil, stale(rev, r.Rev)
	}
	visit := r.VisitKey
	if to.Assignment != "" {
		a, err := s.store.Assignment(ctx, to.Assignment)
		if err != nil {
			return nil, err
		}
		visit = a.VisitKey
	}
	next, problems, err := s.released(ctx, c, r, visit, to.Assignment != "")
	if err != nil {
		return nil, err
	}
	if problems.HasErrors() && !to.Despite {
		return nil, problems.Err("response.invalid")
	}
	if err := s.notRatedBySame(ctx, next); err != nil {
		return nil, err
	}
	detail := survey.Args{"before": string(r.State), "assignment": string(to.Assignment), "visit": next.VisitKey.String()}
	if problems.HasErrors() {
		detail["problems"] = named(problems)
	}
	next.Events = append(next.Events, s.event(c, "response.released", detail))
	err = s.store.ReplaceResponse(ctx, next)
	if survey.KindOf(err) == survey.Exists {
		err = &survey.Error{Kind: survey.Conflict, Code: survey.CodeOf(err), Args: argsOf(err)}
	}
	return next, err
}

func notHeld(r *survey.Response) error {
	return &survey.Error{Kind: survey.Conflict, Code: "review.not_held", Args: survey.Args{"state": string(r.State)}}
}

// named lists the first few problems for the trail.
func named(ps survey.Problems) string {
	var out []string
	for _, p := range ps {
		if p.Severity == survey.SeverityError && len(out) < 20 {
			out = append(out, p.Place.Item+" "+p.Code)
		}
	}
	return strings.Join(out, "; ")
}

// released makes the response that a held one becomes at a visit, with what is
// wrong with its answers. Assigned says that the visit, its period included, is
// that of an assignment.
func (s *Service) released(ctx context.Context, c Caller, r *survey.Response, visit survey.VisitKey, assigned bool) (*survey.Response, survey.Problems, error) {
	round, err := s.round(ctx, visit.Round)
	if err != nil {
		return nil, nil, err
	}
	in := &Incoming{ID: r.ID, Round: visit.Round, Template: visit.Template, Version: r.TemplateVersion, Unit: visit.Unit, Role: visit.Role,
		MeetingDate: r.MeetingDate, Answers: r.Answers, Raw: r.Raw}
	rt, _ := round.Template(visit.Template)
	if visit.Template != r.Template || !rt.Allows(in.Version) {
		in.Version = 0 // the one for new forms: what it does not know stays in the raw bytes
	}
	compiled, err := s.formFor(ctx, round, in)
	if err != nil {
		return nil, nil, err
	}
	if r.Source == survey.SourceOpenRosa {
		if in.Answers, err = s.readAgain(compiled, r.Raw); err != nil {
			return nil, nil, err
		}
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := r.ReceivedAt.In(s.location(round))
	day := meetingDate(in, now)
	unit, err := s.unitFor(tree, lists, round, compiled, in, day)
	if err != nil {
		return nil, nil, err
	}
	if err := c.covers(unit); err != nil {
		return nil, nil, err
	}
	filled := compiled.Form.Fill(in.Answers, survey.Context{Unit: &unit.UnitFacts, Lists: lists, Now: now})
	problems := append(filled.Validate(), outsideOfRound(round, day)...)
	if period := round.Periods.Period(day); !assigned {
		visit.Period = period
	} else if visit.Period != period {
		problems = append(problems, survey.Problem{Severity: survey.SeverityError, Code: "review.other_period", Value: day.String(),
			Args: survey.Args{"period": visit.Period}, Place: survey.Place{Pointer: "/" + survey.MeetingDateItem, Item: survey.MeetingDateItem}})
	}
	next := *r
	next.VisitKey, next.TemplateVersion, next.Standing, next.MeetingDate = visit, compiled.Template.Version, *unit, day
	next.Answers, next.State, next.Reasons = filled.Answers(), survey.StateSubmitted, nil
	return s.made(compiled, compiled.Scorer.ScoreFilled(filled), &next), problems, nil
}

// readAgain reads the raw bytes of an OpenRosa client as a template's.
func (s *Service) readAgain(compiled *Compiled, raw []byte) (survey.Answers, error) {
	doc, err := openrosa.Open(raw)
	if err != nil {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "review.unreadable", Err: err}
	}
	if doc.Encrypted {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "review.encrypted"}
	}
	return s.reader(compiled).Read(doc).Answers, nil
}

// notRatedBySame answers Conflict when the observer gave the other rating of a
// blind double one too.
func (s *Service) notRatedBySame(ctx context.Context, r *survey.Response) error {
	other, double := counterpart(r.Role)
	if !double {
		return nil
	}
	visit := r.VisitKey
	visit.Role = other
	found, err := s.ofVisit(ctx, visit)
	if err != nil || found == nil || found.Observer != r.Observer {
		return err
	}
	return &survey.Error{Kind: survey.Conflict, Code: "review.same_observer", Args: survey.Args{"response": string(found.ID)}}
}

// Reject puts a response that is held aside for good, with a reason that its
// observer reads. To do it again changes nothing.
func (s *Service) Reject(ctx context.Context, c Caller, id survey.ResponseID, rev int64, reason string) (*survey.Response, error) {
	r, err := s.forReview(ctx, c, id)
	if err != nil {
		return nil, err
	}
	switch reason = strings.TrimSpace(reason); {
	case r.State == survey.StateRejected:
		return r, nil
	case r.State != survey.StateQuarantined:
		return nil, notHeld(r)
	case r.Rev != rev:
		return nil, stale(rev, r.Rev)
	case reason == "":
		return nil, wrongComment("review.reject_reason", "/reason", "")
	case len(reason) > survey.MaxComment || len(r.Comments) >= survey.MaxComments:
		return nil, wrongComment("review.comment_long", "/reason", "")
	}
	r.Comments = append(r.Comments, survey.Comment{Text: reason, By: c.id(), At: s.Now(), SHA256: r.SHA256})
	r.Events = append(r.Events, s.event(c, "response.rejected", survey.Args{"before": string(r.State), "comment": reason}))
	r.State = survey.StateRejected
	return r, s.store.ReplaceResponse(ctx, r)
}

// HeldPlace is a visit to which a held response may belong.
type HeldPlace struct {
	*survey.Assignment
	UnitName, ObserverName string
	// Taken is the response that holds the visit, "" if none does.
	Taken survey.ResponseID
}

// placesListed bounds how many visits are offered for a held response.
const placesListed = 60

// HeldPlaces lists visits in the caller's scope to which a held response may
// belong: the one it names, those of whoever sent it and, if a unit is given,
// those of that unit. Those that nobody has rated come first.
func (s *Service) HeldPlaces(ctx context.Context, c Caller, r *survey.Response, unit survey.UnitCode) ([]HeldPlace, error) {
	if _, err := c.may(survey.OpReview); err != nil {
		return nil, err
	}
	var found []*survey.Assignment
	add := func(a *survey.Assignment) {
		fits := r.Template == "" || a.Template == r.Template
		if fits && len(found) < placesListed && !slices.ContainsFunc(found, func(b *survey.Assignment) bool { return b.ID == a.ID }) {
			found = append(found, a)
		}
	}
	if unit != "" {
		if err := s.visitsOfUnit(ctx, c, unit, add); err != nil {
			return nil, err
		}
	}
	if a, err := s.store.AssignmentFor(ctx, r.VisitKey); err == nil {
		add(a)
	} else if !isNotFound(err) {
		return nil, err
	}
	for a, err := range s.store.AssignmentsOf(ctx, r.Observer, "") {
		if err != nil {
			return nil, err
		}
		add(a)
	}
	return s.heldPlaces(ctx, c, found)
}

func (s *Service) visitsOfUnit(ctx context.Context, c Caller, unit survey.UnitCode, add func(*survey.Assignment)) error {
	rounds, err := s.Rounds(ctx, c)
	if err != nil {
		return err
	}
	for _, round := range rounds {
		p, release, err := s.planned(ctx, round)
		if err != nil {
			return err
		}
		var ids []survey.AssignmentID
		for id, v := range p.visits {
			if v.Unit == unit {
				ids = append(ids, id)
			}
		}
		release()
		slices.Sort(ids)
		for _, id := range ids {
			a, err := s.store.Assignment(ctx, id)
			if err != nil {
				return err
			}
			add(a)
		}
	}
	return nil
}

func (s *Service) heldPlaces(ctx context.Context, c Caller, found []*survey.Assignment) ([]HeldPlace, error) {
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	names := map[survey.PersonID]string{}
	var people []survey.PersonID
	var out []HeldPlace
	for _, a := range found {
		round, err := s.round(ctx, a.Round)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		standing, err := tree.Standing(a.Unit, round.Closes)
		if err != nil || !c.Person.Covers(standing) {
			continue
		}
		p := HeldPlace{Assignment: a, UnitName: standing.Name}
		holder, err := s.ofVisit(ctx, a.VisitKey)
		if err != nil {
			return nil, err
		}
		if holder != nil {
			p.Taken = holder.ID
		}
		people = append(people, a.Observer)
		out = append(out, p)
	}
	if err := s.nameAll(ctx, names, people); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].ObserverName = names[out[i].Observer]
	}
	slices.SortStableFunc(out, func(a, b HeldPlace) int { return taken(a) - taken(b) })
	return out, nil
}

func taken(p HeldPlace) int {
	if p.Taken != "" {
		return 1
	}
	return 0
}

// RawText gives raw bytes as text to be read by people, cut after some length;
// "" if they are no text.
func RawText(raw []byte) (text string, cut bool) {
	const shown = 100_000
	if len(raw) > shown {
		raw, cut = raw[:shown], true
	}
	text = strings.ToValidUTF8(string(raw), "\uFFFD")
	if strings.Count(text, "\uFFFD") > len(text)/20+1 {
		return "", false
	}
	return text, cut
}
