package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Incoming is a filled-in form as it comes in, by whatever door.
type Incoming struct {
	ID       survey.ResponseID
	Round    survey.RoundCode
	Template survey.TemplateCode
	Version  int // 0: the round's current version
	Unit     survey.UnitCode
	Role     survey.Role // "": observer
	// Observer is on whose behalf the form is sent, by name; "" is the caller.
	Observer string
	// MeetingDate stands for forms without an item for it; zero: today.
	MeetingDate survey.Date
	Answers     survey.Answers
	// Raw are the bytes as they came; they are kept untouched.
	Raw                []byte
	Source             survey.Source
	StartedAt, EndedAt *time.Time
	// Replaces is the revision of the stored response that this content
	// replaces; 0 for a new response.
	Replaces int64
	// Detail goes into the trail: the client's name, its device.
	Detail survey.Args
	// Compare, if not nil, tells where the client's own results differ from the
	// answers as they are kept; it goes into the trail too.
	Compare func(kept survey.Answers) survey.Problems
	// FromDevice says that the sender is a device's queue, at which nobody can
	// mend anything: what cannot be taken in is then held for review.
	FromDevice bool
	// decides says that it is an adjudicator's rating: it may come when the round
	// is closed.
	decides bool
}

// Accepted is what came of an incoming form.
type Accepted struct {
	Response *survey.Response
	// Conflict says that the id is taken by other content: this one was kept
	// beside it for review.
	Conflict bool
	// Repeated says that the very same content had come in before.
	Repeated bool
	// Warnings are problems that stop nothing.
	Warnings survey.Problems
}

// Submit takes in a filled-in form: permission, validation, score, and then one
// durable write. The same content again gives the same answer; other content
// under the same id is kept as a conflict. What the sender can mend is refused
// as Invalid, Forbidden, NotFound or Conflict; from a device's queue it is
// quarantined instead, and only a caller who may not submit at all is refused.
func (s *Service) Submit(ctx context.Context, c Caller, in *Incoming) (*Accepted, error) {
	reach, err := c.may(survey.OpSubmit)
	if err != nil {
		return nil, err
	}
	if in.Role == "" {
		in.Role = survey.RoleObserver
	}
	r, warnings, err := s.prepare(ctx, c, reach, in)
	if err == nil {
		var done *Accepted
		if in.Replaces > 0 {
			done, err = s.replace(ctx, c, r, in.Replaces)
		} else {
			done, err = s.create(ctx, c, r)
		}
		if err == nil {
			done.Warnings = warnings
			return done, nil
		}
	}
	// A repeat must get the first answer even if the form would now be refused:
	// the round may have closed in between.
	if again := s.repeated(ctx, c, in); again != nil {
		return again, nil
	}
	if in.FromDevice && canBeHeld(err) {
		return s.quarantine(ctx, c, in, err)
	}
	return nil, err
}

// canBeHeld reports whether a refusal is one that a device cannot mend; a store
// that is away is not, and the device keeps the form.
func canBeHeld(err error) bool {
	switch survey.KindOf(err) {
	case survey.Invalid, survey.NotFound, survey.Conflict, survey.Forbidden, survey.Exists:
		return true
	}
	return false
}

// prepare checks everything and makes the response that would be stored.
func (s *Service) prepare(ctx context.Context, c Caller, reach survey.Reach, in *Incoming) (*survey.Response, survey.Problems, error) {
	round, err := s.round(ctx, in.Round)
	if err != nil {
		return nil, nil, err
	}
	if round.Closed && !in.decides {
		return nil, nil, &survey.Error{Kind: survey.Conflict, Code: "round.closed", Args: survey.Args{"round": string(round.Code)}}
	}
	compiled, err := s.formFor(ctx, round, in)
	if err != nil {
		return nil, nil, err
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := s.now().In(s.location(round))
	// The unit's type decides which items are asked, and the meeting date, one
	// of the answers, decides as of which day; it is read first.
	day := meetingDate(in, now)
	unit, err := s.unitFor(tree, lists, round, compiled, in, day)
	if err != nil {
		return nil, nil, err
	}
	observer, err := s.mayRate(ctx, c, reach, round, unit, in, day)
	if err != nil {
		return nil, nil, err
	}
	if err := s.hasPractised(ctx, c, round, observer, in); err != nil {
		return nil, nil, err
	}
	filled := compiled.Form.Fill(in.Answers, survey.Context{Unit: &unit.UnitFacts, Lists: lists, Now: now})
	problems := filled.Validate()
	if asked := filled.MeetingDate(); asked != 0 {
		problems = append(problems, outsideOfRound(round, asked)...)
	} else if err := outsideOfRound(round, in.MeetingDate).Err("response.date"); err != nil {
		return nil, nil, err // the form has no such item: it was said beside the answers
	}
	if err := problems.Err("response.invalid"); err != nil {
		return nil, nil, err
	}
	r := &survey.Response{
		ID:              in.ID,
		VisitKey:        survey.VisitKey{Round: round.Code, Template: in.Template, Unit: unit.Unit, Role: in.Role, Period: round.Periods.Period(day)},
		TemplateVersion: compiled.Template.Version, Observer: observer, Standing: *unit, MeetingDate: day,
		State: survey.StateSubmitted,
		Submission: survey.Submission{Raw: in.Raw, SHA256: survey.HashRaw(in.Raw), Answers: filled.Answers(), Source: in.Source,
			ReceivedAt: s.Now(), ReceivedBy: c.id(), StartedAt: in.StartedAt, EndedAt: in.EndedAt},
	}
	s.made(compiled, compiled.Scorer.ScoreFilled(filled), r)
	r.Events = []survey.Event{s.event(c, "response.received", in.trace(survey.Args{"source": string(in.Source), "sha256": r.SHA256}))}
	if in.Compare != nil {
		if found := in.Compare(r.Answers); len(found) > 0 {
			r.Events = append(r.Events, s.event(c, "response.calculation_differs", differing(found)))
			problems = append(problems, found...)
		}
	}
	return r, problems, nil
}

// trace adds what the sender said of itself to an entry of the trail.
func (in *Incoming) trace(args survey.Args) survey.Args {
	for k, v := range in.Detail {
		if v != "" {
			args[k] = v
		}
	}
	return args
}

// differing says in which items, and by what, a client's results differ.
func differing(found survey.Problems) survey.Args {
	args := survey.Args{}
	for i := range found {
		if i == 10 {
			args["more"] = strconv.Itoa(len(found) - i)
			break
		}
		args[found[i].Place.Pointer] = found[i].Value + " / " + found[i].Args["ours"]
	}
	return args
}

// outsideOfRound tells of a meeting date that the round is not about.
func outsideOfRound(round *survey.Round, d survey.Date) survey.Problems {
	if d == 0 || (d >= round.Opens && d <= round.Closes) {
		return nil
	}
	return survey.Problems{{Severity: survey.SeverityError, Code: "answer.date_outside_round", Value: d.String(),
		Args:  survey.Args{"opens": round.Opens.String(), "closes": round.Closes.String()},
		Place: survey.Place{Pointer: "/" + survey.MeetingDateItem, Item: survey.MeetingDateItem}}}
}

// formFor finds the template version of an incoming form and checks that the
// round uses it.
func (s *Service) formFor(ctx context.Context, round *survey.Round, in *Incoming) (*Compiled, error) {
	rt, ok := round.Template(in.Template)
	if !ok {
		codes := make([]string, len(round.Templates))
		for i := range round.Templates {
			codes[i] = string(round.Templates[i].Code)
		}
		return nil, &survey.Error{Kind: survey.Invalid, Code: "round.not_its_template", Args: survey.Args{"template": string(in.Template), "round": string(round.Code)},
			Problems: survey.Problems{{Severity: survey.SeverityError, Code: "round.not_its_template", Value: string(in.Template),
				Args:  survey.Args{"template": string(in.Template), "round": string(round.Code)},
				Place: survey.Place{Pointer: "/template"}, Suggestion: survey.Closest(string(in.Template), codes)}}}
	}
	if in.Version == 0 {
		in.Version = rt.Current()
	}
	if !rt.Allows(in.Version) {
		args := survey.Args{"template": string(in.Template), "version": strconv.Itoa(in.Version), "current": strconv.Itoa(rt.Current())}
		return nil, &survey.Error{Kind: survey.Invalid, Code: "response.version", Args: args, Problems: survey.Problems{{
			Severity: survey.SeverityError, Code: "response.version", Value: strconv.Itoa(in.Version), Args: args, Place: survey.Place{Pointer: "/template_version"}}}}
	}
	compiled, err := s.Form(ctx, in.Template, in.Version)
	if err != nil {
		return nil, err
	}
	if scheme := compiled.Template.Scheme; !slices.Contains(survey.RatingRoles, in.Role) || (scheme != nil && !mayRateIn(scheme, in.Role)) {
		args := survey.Args{"role": string(in.Role), "template": string(in.Template)}
		return nil, &survey.Error{Kind: survey.Invalid, Code: "response.role", Args: args, Problems: survey.Problems{{
			Severity: survey.SeverityError, Code: "response.role", Value: string(in.Role), Args: args, Place: survey.Place{Pointer: "/role"}}}}
	}
	return compiled, nil
}

// mayRateIn reports whether a scheme takes ratings of the role. Where there are
// second ratings, somebody decides between the two.
func mayRateIn(scheme *survey.Scheme, role survey.Role) bool {
	return scheme.Allows(role) || role == survey.RoleAdjudicator && scheme.Allows(survey.RoleSecond)
}

// meetingDate reads the day from the answers, before anything else is known.
func meetingDate(in *Incoming, now time.Time) survey.Date {
	if v, ok := in.Answers.Get(survey.MeetingDateItem); ok && v.Kind == survey.ValueText {
		if d, err := survey.ParseDate(v.Text); err == nil && d != 0 {
			return d
		}
	}
	if in.MeetingDate != 0 {
		return in.MeetingDate
	}
	return survey.DateOf(now)
}

// unitFor finds the unit as of the day and checks that the round and the
// template are about it.
func (s *Service) unitFor(tree *survey.Tree, lists *survey.TypeLists, round *survey.Round, f *Compiled, in *Incoming, day survey.Date) (*survey.Standing, error) {
	at := func(code string, args survey.Args) error {
		return &survey.Error{Kind: survey.Invalid, Code: code, Args: args, Problems: survey.Problems{{
			Severity: survey.SeverityError, Code: code, Value: string(in.Unit), Args: args, Place: survey.Place{Pointer: "/unit"}}}}
	}
	unit, err := tree.Standing(in.Unit, day)
	if err != nil {
		var e *survey.Error
		errors.As(err, &e)
		return nil, at(e.Code, e.Args)
	}
	if !round.Scope.Contains(lists, unit) {
		return nil, at("unit.out_of_scope", survey.Args{"unit": string(in.Unit), "round": string(round.Code)})
	}
	if !f.Form.AppliesTo(&unit.UnitFacts, lists) {
		return nil, at("unit.not_for_template", survey.Args{"unit": string(in.Unit), "template": string(in.Template)})
	}
	return unit, nil
}

// mayRate checks that the caller may send this rating and finds its observer.
func (s *Service) mayRate(ctx context.Context, c Caller, reach survey.Reach, round *survey.Round, unit *survey.Standing, in *Incoming, day survey.Date) (survey.PersonID, error) {
	visit := survey.VisitKey{Round: round.Code, Template: in.Template, Unit: unit.Unit, Role: in.Role, Period: round.Periods.Period(day)}
	if reach == survey.InScope {
		if err := c.covers(unit); err != nil {
			return "", err
		}
		if in.Observer == "" {
			a, err := s.store.AssignmentFor(ctx, visit)
			if isNotFound(err) {
				return c.id(), nil
			}
			if err != nil {
				return "", err
			}
			return a.Observer, nil
		}
		p, err := s.PersonByName(ctx, in.Observer)
		if err != nil {
			return "", err
		}
		return p.ID, nil
	}
	if in.Observer != "" && in.Observer != c.Person.Name {
		return "", &survey.Error{Kind: survey.Forbidden, Code: "auth.on_behalf"}
	}
	if c.Person.Role == survey.Respondent && unit.Unit == c.Person.Scope && (in.Role == survey.RoleSelf || in.Role == survey.RoleMembers) {
		return c.id(), nil // a secretary rates the own unit without being assigned
	}
	a, err := s.store.AssignmentFor(ctx, visit)
	if err != nil && !isNotFound(err) {
		return "", err
	}
	if a == nil || a.Observer != c.id() {
		return "", &survey.Error{Kind: survey.Forbidden, Code: "visit.not_assigned",
			Args: survey.Args{"unit": string(unit.Unit), "role": string(in.Role), "template": string(in.Template), "round": string(round.Code)}}
	}
	return c.id(), nil
}

// create stores a new response, or finds out why it cannot.
func (s *Service) create(ctx context.Context, c Caller, r *survey.Response) (*Accepted, error) {
	err := s.store.CreateResponse(ctx, r)
	if err == nil {
		return &Accepted{Response: r}, nil
	}
	if survey.CodeOf(err) != "response.exists" {
		if survey.KindOf(err) == survey.Exists {
			// The visit is taken: the sender sees by which response.
			return nil, &survey.Error{Kind: survey.Conflict, Code: survey.CodeOf(err), Args: argsOf(err)}
		}
		return nil, err
	}
	return s.settleSameID(ctx, c, r)
}

func argsOf(err error) survey.Args {
	var e *survey.Error
	if errors.As(err, &e) {
		return e.Args
	}
	return nil
}

// settleSameID answers content that came under an id that is stored: the same
// content gets the first answer, other content is kept beside it.
func (s *Service) settleSameID(ctx context.Context, c Caller, r *survey.Response) (*Accepted, error) {
	for {
		stored, err := s.store.Response(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		if stored.ReceivedBy != c.id() && c.Person.Role != survey.Admin && stored.Observer != c.id() {
			// Somebody else's response must not be shown, nor its existence used
			// to store things under it.
			return nil, &survey.Error{Kind: survey.Conflict, Code: "response.id_taken", Args: survey.Args{"response": string(r.ID)}}
		}
		if sameContent(stored, r) {
			return &Accepted{Response: stored, Repeated: true}, nil
		}
		if slices.ContainsFunc(stored.Conflicts, func(k survey.Submission) bool { return k.SHA256 == r.SHA256 }) {
			return &Accepted{Response: stored, Conflict: true}, nil
		}
		if len(stored.Conflicts) >= maxConflicts {
			return nil, &survey.Error{Kind: survey.Conflict, Code: "response.too_many_conflicts", Args: survey.Args{"response": string(r.ID)}}
		}
		stored.Conflicts = append(stored.Conflicts, r.Submission)
		stored.Events = append(stored.Events, s.event(c, "response.conflict_kept", survey.Args{"sha256": r.SHA256}))
		switch err := s.store.ReplaceResponse(ctx, stored); {
		case err == nil:
			return &Accepted{Response: stored, Conflict: true}, nil
		case survey.KindOf(err) != survey.Conflict:
			return nil, err
		}
		// Somebody changed it in between: look again.
	}
}

// maxConflicts bounds what is kept beside one response; a client that sends
// still other contents under one id is told.
const maxConflicts = 20

// sameContent reports whether two submissions say the same: byte for byte, or
// the same answers about the same visit written differently.
func sameContent(stored, r *survey.Response) bool {
	if stored.SHA256 == r.SHA256 {
		return true
	}
	for i := range stored.Earlier {
		if stored.Earlier[i].SHA256 == r.SHA256 {
			return true // a late repeat of what was since replaced
		}
	}
	if stored.VisitKey != r.VisitKey || stored.TemplateVersion != r.TemplateVersion || len(r.Answers) == 0 {
		return false
	}
	return sameAnswers(stored.Answers, r.Answers)
}

// sameAnswers reports whether answers say the same.
func sameAnswers(a, b survey.Answers) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// repeated gives the first answer to content that is stored already, nil if it
// is not.
func (s *Service) repeated(ctx context.Context, c Caller, in *Incoming) *Accepted {
	stored, err := s.store.Response(ctx, in.ID)
	if err != nil || stored.ReceivedBy != c.id() {
		return nil
	}
	hash := survey.HashRaw(in.Raw)
	if stored.SHA256 == hash {
		return &Accepted{Response: stored, Repeated: true}
	}
	if slices.ContainsFunc(stored.Earlier, func(e survey.Submission) bool { return e.SHA256 == hash }) {
		return &Accepted{Response: stored, Repeated: true}
	}
	return nil
}

// replace puts new content in place of a stored response's, which keeps the old.
func (s *Service) replace(ctx context.Context, c Caller, r *survey.Response, rev int64) (*Accepted, error) {
	stored, err := s.store.Response(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(c, stored); err != nil {
		return nil, err
	}
	if stored.Rev != rev {
		return nil, stale(rev, stored.Rev)
	}
	next := *stored
	next.VisitKey, next.TemplateVersion, next.Standing, next.MeetingDate = r.VisitKey, r.TemplateVersion, r.Standing, r.MeetingDate
	next.Earlier = append(next.Earlier, stored.Submission)
	next.Submission, next.Receipt, next.Packed = r.Submission, r.Receipt, r.Packed
	next.State, next.Reasons = survey.StateSubmitted, nil
	next.Events = append(next.Events, s.event(c, "response.edited", survey.Args{"sha256": r.SHA256, "before": string(stored.State)}))
	if err := s.store.ReplaceResponse(ctx, &next); err != nil {
		if survey.KindOf(err) == survey.Exists {
			return nil, &survey.Error{Kind: survey.Conflict, Code: survey.CodeOf(err), Args: argsOf(err)}
		}
		return nil, err
	}
	return &Accepted{Response: &next}, nil
}

func stale(sent, stored int64) error {
	return &survey.Error{Kind: survey.Conflict, Code: "stale",
		Args: survey.Args{"sent": strconv.FormatInt(sent, 10), "stored": strconv.FormatInt(stored, 10)}}
}

// mayChange reports whether the caller may replace the response's content: its
// observer until it is approved, and whoever may rate in scope.
func (s *Service) mayChange(c Caller, stored *survey.Response) error {
	if stored.State == survey.StateApproved {
		return &survey.Error{Kind: survey.Conflict, Code: "response.locked", Args: survey.Args{"response": string(stored.ID)}}
	}
	if stored.Observer == c.id() || stored.ReceivedBy == c.id() {
		return nil
	}
	if survey.May(c.Person, survey.OpSubmit) == survey.InScope {
		return c.covers(&stored.Standing)
	}
	return &survey.Error{Kind: survey.NotFound, Code: "response.unknown", Args: survey.Args{"response": string(stored.ID)}}
}

// quarantine keeps a form that cannot be taken in, with the reason, for
// somebody to decide about.
func (s *Service) quarantine(ctx context.Context, c Caller, in *Incoming, why error) (*Accepted, error) {
	var e *survey.Error
	errors.As(why, &e)
	reasons := e.Problems
	if len(reasons) == 0 {
		reasons = survey.Problems{{Severity: survey.SeverityError, Code: e.Code, Args: e.Args}}
	}
	r := &survey.Response{
		ID:              in.ID,
		VisitKey:        survey.VisitKey{Round: in.Round, Template: in.Template, Unit: in.Unit, Role: in.Role},
		TemplateVersion: in.Version, Observer: c.id(), MeetingDate: in.MeetingDate,
		State: survey.StateQuarantined, Reasons: reasons,
		Submission: survey.Submission{Raw: in.Raw, SHA256: survey.HashRaw(in.Raw), Answers: in.Answers, Source: in.Source,
			ReceivedAt: s.Now(), ReceivedBy: c.id(), StartedAt: in.StartedAt, EndedAt: in.EndedAt},
	}
	s.standHeld(ctx, r)
	r.Events = []survey.Event{s.event(c, "response.quarantined", in.trace(survey.Args{"reason": e.Code, "sha256": r.SHA256}))}
	return s.create(ctx, c, r)
}

// Rescore works out a stored response's score anew, from its answers, its
// template version and its unit as of the meeting date.
func (s *Service) Rescore(ctx context.Context, r *survey.Response) (*scoring.Result, error) {
	compiled, err := s.Form(ctx, r.Template, r.TemplateVersion)
	if err != nil {
		return nil, err
	}
	_, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	return compiled.Scorer.Score(r.Answers, survey.Context{Unit: &r.Standing.UnitFacts, Lists: lists, Now: r.ReceivedAt}), nil
}
