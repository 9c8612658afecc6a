package service

import (
	"context"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Revision is one content that a response has had.
type Revision struct {
	*survey.Submission
	Number int // from 1
	// Result is its score as the response's form and unit have it now.
	Result *scoring.Result
	// Receipt is that score as it is shown.
	Receipt *survey.Receipt
}

// Revisions gives a response under review with all contents that it has had,
// the oldest first.
func (s *Service) Revisions(ctx context.Context, c Caller, id survey.ResponseID) (*ReviewView, []Revision, error) {
	v, err := s.ReviewView(ctx, c, id)
	if err != nil {
		return nil, nil, err
	}
	r := v.Response
	if v.Compiled == nil || r.State.Held() {
		return nil, nil, noResponse(id)
	}
	var out []Revision
	var people []survey.PersonID
	for i := range len(r.Earlier) + 1 {
		sub := &r.Submission
		if i < len(r.Earlier) {
			sub = &r.Earlier[i]
		}
		then := *r
		then.Submission = *sub
		result, err := s.Rescore(ctx, &then)
		if err != nil {
			return nil, nil, err
		}
		people = append(people, sub.ReceivedBy)
		out = append(out, Revision{sub, i + 1, result, result.Receipt()})
	}
	return v, out, s.nameAll(ctx, v.Names, people)
}
