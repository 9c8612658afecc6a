package service

import (
	"context"

	"github.com/khaosat/khaosat/survey"
)

// ClientForm gives a template version as data for a client that fills it in,
// with its points and scheme or without. Final says that it never changes: a
// draft's may.
func (s *Service) ClientForm(ctx context.Context, c Caller, code survey.TemplateCode, version int, scored bool) (form *survey.ClientForm, final bool, err error) {
	if _, err := c.may(survey.OpReadTemplates); err != nil {
		return nil, false, err
	}
	compiled, err := s.Form(ctx, code, version)
	if err != nil {
		return nil, false, err
	}
	return compiled.Form.Client(scored), compiled.Template.State != survey.Draft, nil
}
