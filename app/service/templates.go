package service

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Compiled is a template version ready for use.
type Compiled struct {
	Template *survey.Template
	Form     *survey.Form
	Scorer   *scoring.Scorer
	Layout   *scoring.Layout
}

type formKey struct {
	code    survey.TemplateCode
	version int
}

// formCache keeps compiled versions. Published versions never change, so they
// are kept for good; drafts are compiled anew.
type formCache struct {
	mu sync.Mutex
	of map[formKey]*Compiled
}

// Compile makes a template ready for use, with the installation's type lists.
// The problems are complete even when there is no result.
func (s *Service) Compile(ctx context.Context, t *survey.Template) (*Compiled, survey.Problems, error) {
	_, lists, err := s.Tree(ctx)
	if err != nil {
		return nil, nil, err
	}
	form, problems := survey.Compile(t, lists)
	if form == nil {
		return nil, problems, nil
	}
	return newCompiled(form), problems, nil
}

func newCompiled(form *survey.Form) *Compiled {
	scorer := scoring.NewScorer(form)
	return &Compiled{Template: form.Template, Form: form, Scorer: scorer, Layout: scorer.Layout()}
}

// Form gives a stored template version ready for use. NotFound if there is none.
func (s *Service) Form(ctx context.Context, code survey.TemplateCode, version int) (*Compiled, error) {
	s.forms.mu.Lock()
	c := s.forms.of[formKey{code, version}]
	s.forms.mu.Unlock()
	if c != nil {
		return c, nil
	}
	t, err := s.store.Template(ctx, code, version)
	if err != nil {
		return nil, err
	}
	// The sums were checked against the lists when it was published.
	form, problems := survey.Compile(t, nil)
	if form == nil {
		return nil, problems.Err("template.invalid")
	}
	c = newCompiled(form)
	if t.State != survey.Draft {
		s.forms.mu.Lock()
		s.forms.of[formKey{code, version}] = c
		s.forms.mu.Unlock()
	}
	return c, nil
}

// ImportTemplate stores a template as a draft: as the next version of its code,
// or in place of the draft that is already there. Invalid, with all problems,
// when it has errors.
func (s *Service) ImportTemplate(ctx context.Context, c Caller, t *survey.Template) (survey.Problems, error) {
	return s.importTemplate(ctx, c, t, func(*survey.Template) error { return nil })
}

// ImportOverDraft is ImportTemplate for somebody who has seen which draft it
// replaces: the revision of that draft, 0 if there was none. Conflict, code
// "template.overtaken", when there is another now.
func (s *Service) ImportOverDraft(ctx context.Context, c Caller, t *survey.Template, rev int64) (survey.Problems, error) {
	return s.importTemplate(ctx, c, t, func(draft *survey.Template) error {
		if draft == nil && rev == 0 || draft != nil && draft.Rev == rev {
			return nil
		}
		if draft == nil {
			draft = t
		}
		return s.overtaken(ctx, draft)
	})
}

// DraftInTheWay gives the draft that an import of the template would replace,
// with what would change; nil if there is none.
func (s *Service) DraftInTheWay(ctx context.Context, c Caller, t *survey.Template) (*TemplateDifference, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	latest, err := s.latestVersion(ctx, t.Code)
	if err != nil || latest == nil || latest.State != survey.Draft {
		return nil, err
	}
	return &TemplateDifference{Before: latest, After: t, Differences: survey.Diff(latest, t, map[string]string{})}, nil
}

func (s *Service) importTemplate(ctx context.Context, c Caller, t *survey.Template, over func(draft *survey.Template) error) (survey.Problems, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	_, problems, err := s.Compile(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := problems.Err("template.invalid"); err != nil {
		return problems, err
	}
	latest, err := s.latestVersion(ctx, t.Code)
	if err != nil {
		return problems, err
	}
	t.State = survey.Draft
	detail := survey.Args{"template": string(t.Code)}
	if latest == nil || latest.State != survey.Draft {
		err = over(nil)
	} else {
		err = over(latest)
	}
	if err != nil {
		return problems, err
	}
	if latest != nil && latest.State == survey.Draft {
		t.Version, t.Rev = latest.Version, latest.Rev
		t.Events = append(latest.Events, s.event(c, "template.redrafted", detail))
		return problems, s.store.ReplaceTemplate(ctx, t)
	}
	t.Version, t.Rev = 1, 0
	if latest != nil {
		t.Version = latest.Version + 1
	}
	t.Events = []survey.Event{s.event(c, "template.imported", detail)}
	return problems, s.store.CreateTemplate(ctx, t)
}

func (s *Service) latestVersion(ctx context.Context, code survey.TemplateCode) (*survey.Template, error) {
	var latest *survey.Template
	for t, err := range s.store.Templates(ctx) {
		if err != nil {
			return nil, err
		}
		if t.Code == code {
			latest = t
		}
	}
	return latest, nil
}

// PublishTemplate freezes a draft. Conflict when the version is not a draft.
func (s *Service) PublishTemplate(ctx context.Context, c Caller, code survey.TemplateCode, version int) (*survey.Template, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	t, err := s.store.Template(ctx, code, version)
	if err != nil {
		return nil, err
	}
	if t.State != survey.Draft {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "template.not_draft",
			Args: survey.Args{"template": string(code), "version": strconv.Itoa(version)}}
	}
	compiled, problems, err := s.Compile(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := problems.Err("template.invalid"); err != nil {
		return nil, err
	}
	failed, err := s.RunCases(ctx, compiled)
	if err != nil {
		return nil, err
	}
	if err := failed.Err("template.cases"); err != nil {
		return nil, err
	}
	t.State = survey.Published
	t.Events = append(t.Events, s.event(c, "template.published", nil))
	return t, s.store.ReplaceTemplate(ctx, t)
}

// Templates lists all template versions the caller may read, ordered by code
// and version.
func (s *Service) Templates(ctx context.Context, c Caller) ([]*survey.Template, error) {
	if _, err := c.may(survey.OpReadTemplates); err != nil {
		return nil, err
	}
	var out []*survey.Template
	for t, err := range s.store.Templates(ctx) {
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// Template gives one version; version 0 is the latest.
func (s *Service) Template(ctx context.Context, c Caller, code survey.TemplateCode, version int) (*survey.Template, error) {
	if _, err := c.may(survey.OpReadTemplates); err != nil {
		return nil, err
	}
	if version > 0 {
		return s.store.Template(ctx, code, version)
	}
	t, err := s.latestVersion(ctx, code)
	if err == nil && t == nil {
		err = &survey.Error{Kind: survey.NotFound, Code: "template.unknown", Args: survey.Args{"template": string(code)}}
	}
	return t, err
}

// isNotFound reports whether err says that there is no such thing.
func isNotFound(err error) bool { return errors.Is(err, &survey.Error{Kind: survey.NotFound}) }
