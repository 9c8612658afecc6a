package service

import (
	"context"

	"github.com/khaosat/khaosat/survey"
)

// Response gives one response. For observers only their own, and NotFound, not
// Forbidden, for those of others, so that ids cannot be probed.
func (s *Service) Response(ctx context.Context, c Caller, id survey.ResponseID) (*survey.Response, error) {
	reach, err := c.may(survey.OpReadResponses)
	if err != nil {
		return nil, err
	}
	unknown := &survey.Error{Kind: survey.NotFound, Code: "response.unknown", Args: survey.Args{"response": string(id)}}
	r, err := s.store.Response(ctx, id)
	if isNotFound(err) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	visible, err := s.visible(ctx, c, reach, r)
	if err != nil {
		return nil, err
	}
	if !visible {
		return nil, unknown
	}
	return r, nil
}

func canRead(c Caller, reach survey.Reach, r *survey.Response) bool {
	if reach == survey.Own {
		return r.Observer == c.id() || r.ReceivedBy == c.id()
	}
	if r.State.Held() && len(r.Standing.Path) == 0 {
		return c.Person.Scope == "" // of no known unit: for those with the whole tree
	}
	return c.Person.Covers(&r.Standing)
}

// ResponsePage is a page of responses with the cursor behind it.
type ResponsePage struct {
	Responses []*survey.Response
	Next      survey.Cursor
	// More says that there was more when the page was made.
	More bool
}

// Responses pages through the responses that match the filter and that the
// caller may read, in the order of their last change, after the cursor. A
// response that is changed while one pages comes again with its new revision;
// nothing is missed and no revision comes twice.
func (s *Service) Responses(ctx context.Context, c Caller, f survey.ResponseFilter, after survey.Cursor, limit int) (*ResponsePage, error) {
	reach, err := c.may(survey.OpReadResponses)
	if err != nil {
		return nil, err
	}
	if reach == survey.Own {
		f.Observer = c.id()
	} else if f.Under == "" {
		f.Under = c.Person.Scope
	}
	page := &ResponsePage{Next: after}
	for change, err := range s.store.ResponsesSince(ctx, f, after) {
		if err != nil {
			return nil, err
		}
		if len(page.Responses) == limit {
			page.More = true
			break
		}
		page.Next = change.Cursor
		visible, err := s.visible(ctx, c, reach, change.Doc)
		if err != nil {
			return nil, err
		}
		if visible {
			page.Responses = append(page.Responses, change.Doc)
		}
	}
	return page, nil
}
