package service

import (
	"context"
	"math/big"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Dispute is a meeting that was rated twice, so differently that somebody has to
// decide.
type Dispute struct {
	// Ratings are the lead observer's and the second's.
	Ratings [2]*survey.Response
	Results [2]*scoring.Result
	// Compiled is the form of the deciding rating: the lead's version.
	Compiled *Compiled
	Round    *survey.Round
	Lists    *survey.TypeLists
	Names    map[survey.PersonID]string
	Apart    *big.Rat // nil unless both are graded
}

// Dispute opens a disputed meeting, found by one of its two ratings, for somebody
// to decide who is neither of the observers. Conflict while there is one rating
// only, when the two are close enough, or when somebody has decided.
func (s *Service) Dispute(ctx context.Context, c Caller, id survey.ResponseID) (*Dispute, error) {
	v, err := s.ReviewView(ctx, c, id)
	if err != nil {
		return nil, err
	}
	r := v.Response
	refuse := func(code string) error { return &survey.Error{Kind: survey.Conflict, Code: code} }
	switch {
	case r.State.Held() || v.Other == nil || !r.State.Counts() || !v.Other.State.Counts():
		return nil, refuse("review.one_rating")
	case r.Observer == c.id() || v.Other.Observer == c.id():
		return nil, &survey.Error{Kind: survey.Forbidden, Code: "review.own_rating"}
	case v.Adjudicated:
		return nil, refuse("review.adjudicated_before")
	case !v.Disagree:
		return nil, refuse("review.close_enough")
	}
	d := &Dispute{Ratings: [2]*survey.Response{r, v.Other}, Names: v.Names, Apart: v.Apart}
	if r.Role == survey.RoleSecond {
		d.Ratings[0], d.Ratings[1] = v.Other, r
	}
	if d.Compiled, err = s.Form(ctx, d.Ratings[0].Template, d.Ratings[0].TemplateVersion); err != nil {
		return nil, err
	}
	if d.Round, err = s.round(ctx, r.Round); err != nil {
		return nil, err
	}
	if _, d.Lists, err = s.Tree(ctx); err != nil {
		return nil, err
	}
	for i, rating := range d.Ratings {
		// Both as the same form, so that they stand side by side.
		d.Results[i] = d.Compiled.Scorer.Score(rating.Answers, survey.Context{Unit: &rating.Standing.UnitFacts, Lists: d.Lists, Now: rating.ReceivedAt})
	}
	return d, s.nameAll(ctx, d.Names, []survey.PersonID{d.Ratings[0].Observer, d.Ratings[1].Observer})
}

// FillDispute fills answers into the form of a dispute as they would be on receipt now.
func (s *Service) FillDispute(d *Dispute, answers survey.Answers) *survey.Filled {
	return d.Compiled.Form.Fill(answers, survey.Context{Unit: &d.Ratings[0].Standing.UnitFacts, Lists: d.Lists, Now: s.now().In(s.location(d.Round))})
}

// Ruling is the rating that decides between two.
type Ruling struct {
	ID      survey.ResponseID // made by the client; the same again is the same ruling
	Answers survey.Answers
	Raw     []byte
	Reason  string
}

// Adjudicate stores the rating that counts instead of two that disagree, found by
// one of them: a response of its own in the role of adjudicator, by the caller.
// The two stay as they are. Errors as Dispute's, and Invalid with all problems
// when answers are not right.
func (s *Service) Adjudicate(ctx context.Context, c Caller, id survey.ResponseID, ruling *Ruling) (*Accepted, error) {
	if _, err := c.may(survey.OpReview); err != nil {
		return nil, err
	}
	if again := s.repeated(ctx, c, &Incoming{ID: ruling.ID, Raw: ruling.Raw}); again != nil && again.Response.Role == survey.RoleAdjudicator {
		return again, nil
	}
	d, err := s.Dispute(ctx, c, id)
	if err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(ruling.Reason)
	if reason == "" {
		return nil, wrongComment("review.ruling_reason", "/reason", "")
	}
	lead := d.Ratings[0]
	in := &Incoming{ID: ruling.ID, Round: lead.Round, Template: lead.Template, Version: lead.TemplateVersion, Unit: lead.Unit, Role: survey.RoleAdjudicator,
		Observer: c.Person.Name, MeetingDate: lead.MeetingDate, Answers: ruling.Answers, Raw: ruling.Raw, Source: survey.SourceAPI, decides: true,
		Detail: survey.Args{"reason": clipped(reason, survey.MaxComment), "lead": string(lead.ID), "second": string(d.Ratings[1].ID)}}
	r, warnings, err := s.prepare(ctx, c, survey.InScope, in)
	if err != nil {
		return nil, err
	}
	if r.Period != lead.Period {
		return nil, wrongComment("review.other_period", "/"+survey.MeetingDateItem, r.MeetingDate.String())
	}
	// The files come first: a ruling that is there is whole, and is not made again.
	if err := s.takeFiles(ctx, c, r, d); err != nil {
		return nil, err
	}
	done, err := s.create(ctx, c, r)
	if err != nil {
		return nil, err
	}
	done.Warnings = warnings
	return done, nil
}

// takeFiles gives a ruling the files that its answers took from the ratings.
func (s *Service) takeFiles(ctx context.Context, c Caller, r *survey.Response, d *Dispute) error {
	list, err := s.attachmentsOf(ctx, r.ID, r)
	if err != nil {
		return err
	}
	missing := map[string]bool{}
	for _, name := range list.Missing {
		missing[name] = true
	}
	for _, rating := range d.Ratings {
		for a, err := range s.store.Attachments(ctx, rating.ID) {
			if err != nil {
				return err
			}
			if !missing[a.Name] {
				continue
			}
			own := *a
			own.Response, own.At, own.By = r.ID, s.Now(), c.id()
			if err := s.store.Attach(ctx, &own); err != nil {
				return err
			}
		}
	}
	return nil
}
