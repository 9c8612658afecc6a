package service

import (
	"context"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Decision is what a reviewer decides.
type Decision string

const (
	Approve Decision = "approve"
	Return  Decision = "return"
)

// Verdict is a decision with what is said about it.
type Verdict struct {
	Decision Decision
	// Comment is about the form as a whole, Items about single items by name.
	Comment string
	Items   map[string]string
}

// Review approves a response or returns it with comments: about the form, about
// items, or both. An approved one is locked; to return it is to open it again,
// which takes a manager or an administrator and a comment about the form.
// Conflict when the revision is not the stored one or the state does not allow it.
func (s *Service) Review(ctx context.Context, c Caller, id survey.ResponseID, rev int64, v Verdict) (*survey.Response, error) {
	r, err := s.forReview(ctx, c, id)
	if err != nil {
		return nil, err
	}
	if r.Rev != rev {
		return nil, stale(rev, r.Rev)
	}
	if r.State != survey.StateSubmitted && !(r.State == survey.StateApproved && v.Decision == Return) {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "review.state", Args: survey.Args{"state": string(r.State)}}
	}
	reopened := r.State == survey.StateApproved
	if reopened && c.Person.Role == survey.Reviewer {
		return nil, &survey.Error{Kind: survey.Forbidden, Code: "review.reopen"}
	}
	comments, err := s.comments(ctx, c, r, v)
	if err != nil {
		return nil, err
	}
	if v.Decision == Return && (len(comments) == 0 || reopened && comments[0].Item != "") {
		return nil, wrongComment("review.comment", "/comment", "")
	}
	next, action := survey.StateApproved, "response.approved"
	if v.Decision == Return {
		next, action = survey.StateReturned, "response.returned"
	}
	r.Comments = append(r.Comments, comments...)
	if v.Decision == Approve {
		for i := range r.Comments {
			r.Comments[i].Resolved = true
		}
	}
	r.Events = append(r.Events, s.event(c, action, survey.Args{"before": string(r.State), "comment": v.Comment, "items": strconv.Itoa(len(v.Items))}))
	r.State = next
	return r, s.store.ReplaceResponse(ctx, r)
}

// forReview reads a response that the caller may decide about; NotFound for any
// other.
func (s *Service) forReview(ctx context.Context, c Caller, id survey.ResponseID) (*survey.Response, error) {
	reach, err := c.may(survey.OpReview)
	if err != nil {
		return nil, err
	}
	r, err := s.store.Response(ctx, id)
	if err != nil {
		return nil, err
	}
	visible, err := s.visible(ctx, c, reach, r)
	if err == nil && !visible {
		err = noResponse(id)
	}
	return r, err
}

func wrongComment(code, pointer, value string) error {
	return &survey.Error{Kind: survey.Invalid, Code: code, Problems: survey.Problems{{
		Severity: survey.SeverityError, Code: code, Value: value, Place: survey.Place{Pointer: pointer}}}}
}

// comments makes the comments of a verdict: the one about the form first, then
// those about items in template order.
func (s *Service) comments(ctx context.Context, c Caller, r *survey.Response, v Verdict) ([]survey.Comment, error) {
	var out []survey.Comment
	add := func(item, text, pointer string) error {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		if len(text) > survey.MaxComment || len(r.Comments)+len(out) >= survey.MaxComments {
			return wrongComment("review.comment_long", pointer, item)
		}
		out = append(out, survey.Comment{Item: item, Text: text, By: c.id(), At: s.Now(), SHA256: r.SHA256})
		return nil
	}
	if err := add("", v.Comment, "/comment"); err != nil || len(v.Items) == 0 {
		return out, err
	}
	compiled, err := s.Form(ctx, r.Template, r.TemplateVersion)
	if err != nil {
		return nil, err
	}
	known := 0
	for slot := range compiled.Form.Len() {
		name := compiled.Form.Name(slot)
		text, there := v.Items[name]
		if !there {
			continue
		}
		known++
		if err := add(name, text, "/items/"+survey.EscapePointer(name)); err != nil {
			return nil, err
		}
	}
	if known < len(v.Items) {
		for name := range v.Items {
			if _, there := compiled.Form.Slot(name); !there {
				return nil, wrongComment("review.no_item", "/items/"+survey.EscapePointer(name), name)
			}
		}
	}
	return out, nil
}

// ReviewView is a response with all that it takes to decide about it.
type ReviewView struct {
	Response *survey.Response
	// Compiled and Result are nil when the form of a response that is held is
	// unknown: then only what came in can be shown. The score of one that is held
	// means nothing.
	Compiled *Compiled
	Result   *scoring.Result
	Files    *AttachmentList
	// Names are those of the people in it, by id.
	Names map[survey.PersonID]string
	// Other is the other rating of a double one, once both are in.
	Other *survey.Response
	// Apart is by how many points they differ, nil unless both are graded.
	Apart *big.Rat
	// Disagree says that somebody has to decide between the two, and Adjudicated
	// that somebody has.
	Disagree, Adjudicated bool
}

// ReviewView opens a response for review.
func (s *Service) ReviewView(ctx context.Context, c Caller, id survey.ResponseID) (*ReviewView, error) {
	if _, err := c.may(survey.OpReview); err != nil {
		return nil, err
	}
	r, err := s.Response(ctx, c, id)
	if err != nil {
		return nil, err
	}
	v := &ReviewView{Response: r, Names: map[survey.PersonID]string{}}
	if v.Files, err = s.attachmentsOf(ctx, id, r); err != nil {
		return nil, err
	}
	if r.State.Held() {
		if v.Compiled, err = s.Form(ctx, r.Template, r.TemplateVersion); isNotFound(err) || len(r.Answers) == 0 {
			v.Compiled = nil
		} else if err != nil {
			return nil, err
		} else if v.Result, err = s.Rescore(ctx, r); err != nil {
			return nil, err
		}
	} else {
		if v.Compiled, err = s.Form(ctx, r.Template, r.TemplateVersion); err != nil {
			return nil, err
		}
		if v.Result, err = s.Rescore(ctx, r); err != nil {
			return nil, err
		}
		if err := s.compareDouble(ctx, v); err != nil {
			return nil, err
		}
	}
	people := []survey.PersonID{r.Observer, r.ReceivedBy}
	for _, e := range r.Events {
		people = append(people, e.By)
	}
	for _, k := range r.Comments {
		people = append(people, k.By)
	}
	return v, s.nameAll(ctx, v.Names, people)
}

func (s *Service) compareDouble(ctx context.Context, v *ReviewView) error {
	visit := v.Response.VisitKey
	other, double := counterpart(visit.Role)
	if !double {
		return nil
	}
	visit.Role = other
	var err error
	if v.Other, err = s.ofVisit(ctx, visit); err != nil || v.Other == nil {
		return err
	}
	v.Disagree = survey.Disagree(v.Response.Receipt, v.Other.Receipt)
	if v.Response.Receipt != nil && v.Other.Receipt != nil {
		v.Apart, _ = survey.Apart(v.Response.Receipt, v.Other.Receipt)
	}
	visit.Role = survey.RoleAdjudicator
	decided, err := s.ofVisit(ctx, visit)
	v.Adjudicated = decided != nil
	return err
}

// nameAll fills in the names of people; an account that is gone keeps its id.
func (s *Service) nameAll(ctx context.Context, names map[survey.PersonID]string, people []survey.PersonID) error {
	slices.Sort(people)
	for _, id := range slices.Compact(people) {
		if id == "" {
			continue
		}
		p, err := s.store.Person(ctx, id)
		switch {
		case isNotFound(err):
			names[id] = string(id)
		case err != nil:
			return err
		case p.FullName != "":
			names[id] = p.FullName
		default:
			names[id] = p.Name
		}
	}
	return nil
}

// ReviewFilter narrows a list of responses under review down.
type ReviewFilter struct {
	survey.ResponseFilter
	// Incomplete leaves those that name files which have not come.
	Incomplete bool
	// Disagreeing leaves lead ratings so far from the second that somebody has to
	// decide, and nobody has.
	Disagreeing bool
}

// reviewLooked is how many responses one page of a narrowed list looks at.
const reviewLooked = 5000

// ReviewList pages through the responses that match the filter and that the
// caller may see, in the order of their last change. A page may end early, and
// say that there is more, when what matches is far between.
func (s *Service) ReviewList(ctx context.Context, c Caller, f ReviewFilter, after survey.Cursor, limit int) (*ResponsePage, error) {
	if _, err := c.may(survey.OpReview); err != nil {
		return nil, err
	}
	if f.Disagreeing {
		if f.Role != "" && f.Role != survey.RoleObserver {
			return &ResponsePage{Next: after}, nil
		}
		f.Role = survey.RoleObserver
	}
	if !f.Incomplete && !f.Disagreeing {
		return s.Responses(ctx, c, f.ResponseFilter, after, limit)
	}
	out := &ResponsePage{Next: after, More: true}
	for looked := 0; out.More && looked < reviewLooked && len(out.Responses) < limit; looked += limit {
		page, err := s.Responses(ctx, c, f.ResponseFilter, out.Next, limit-len(out.Responses))
		if err != nil {
			return nil, err
		}
		for _, r := range page.Responses {
			fits, err := s.needsAttention(ctx, r, f)
			if err != nil {
				return nil, err
			}
			if fits {
				out.Responses = append(out.Responses, r)
			}
		}
		out.Next, out.More = page.Next, page.More
	}
	return out, nil
}

func (s *Service) needsAttention(ctx context.Context, r *survey.Response, f ReviewFilter) (bool, error) {
	if f.Incomplete {
		files, err := s.attachmentsOf(ctx, r.ID, r)
		if err != nil || len(files.Missing) == 0 {
			return false, err
		}
	}
	if !f.Disagreeing {
		return true, nil
	}
	v := &ReviewView{Response: r}
	if r.State.Held() {
		return false, nil
	}
	err := s.compareDouble(ctx, v)
	return v.Disagree && !v.Adjudicated && r.State.Counts() && v.Other.State.Counts(), err
}

// ReviewNames gives the names of the observers of responses, by id.
func (s *Service) ReviewNames(ctx context.Context, c Caller, rs []*survey.Response) (map[survey.PersonID]string, error) {
	if _, err := c.may(survey.OpReview); err != nil {
		return nil, err
	}
	var people []survey.PersonID
	for _, r := range rs {
		people = append(people, r.Observer)
	}
	names := map[survey.PersonID]string{}
	return names, s.nameAll(ctx, names, people)
}
