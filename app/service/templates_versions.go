package service

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
)

// mostCounted bounds how many responses are looked at to say how many a change
// concerns.
const mostCounted = 20_000

// TemplateDifference is what changed from one version to another.
type TemplateDifference struct {
	Before, After *survey.Template
	Differences   []survey.Difference
	// Responses are those of the earlier version; More says that there are more
	// than were counted.
	Responses int
	More      bool
}

// CompareTemplates tells what changed between two versions of a template.
// renamed maps names of items of the earlier to names of the later where the
// author knows better. NotFound if there is no such version.
func (s *Service) CompareTemplates(ctx context.Context, c Caller, code survey.TemplateCode, before, after int, renamed map[string]string) (*TemplateDifference, error) {
	if _, err := c.may(survey.OpReadTemplates); err != nil {
		return nil, err
	}
	a, err := s.store.Template(ctx, code, before)
	if err != nil {
		return nil, err
	}
	b, err := s.store.Template(ctx, code, after)
	if err != nil {
		return nil, err
	}
	if len(renamed) == 0 {
		if renamed, err = s.renamedBetween(ctx, code, before, after); err != nil {
			return nil, err
		}
	}
	out := &TemplateDifference{Before: a, After: b, Differences: survey.Diff(a, b, renamed)}
	seen := 0
	for change, err := range s.store.ResponsesSince(ctx, survey.ResponseFilter{Template: code}, "") {
		if err != nil {
			return nil, err
		}
		if change.Doc.TemplateVersion == before {
			out.Responses++
		}
		if seen++; seen == mostCounted {
			out.More = true
			break
		}
	}
	return out, nil
}

// renamedBetween follows the names of items from an earlier version to a later
// one, through those in between.
func (s *Service) renamedBetween(ctx context.Context, code survey.TemplateCode, before, after int) (map[string]string, error) {
	all := map[string]string{}
	for version := before + 1; version <= after; version++ {
		t, err := s.store.Template(ctx, code, version)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		step := survey.Renamed(t)
		for from, to := range all {
			if now := step[to]; now != "" {
				all[from] = now
				delete(step, to)
			}
		}
		for from, to := range step {
			if all[from] == "" {
				all[from] = to
			}
		}
	}
	return all, nil
}

// RetireTemplate takes a published version out of use: new rounds cannot choose
// it, responses with it stay. Conflict when the version is not published.
func (s *Service) RetireTemplate(ctx context.Context, c Caller, code survey.TemplateCode, version int) (*survey.Template, error) {
	if _, err := c.may(survey.OpWriteTemplates); err != nil {
		return nil, err
	}
	t, err := s.store.Template(ctx, code, version)
	if err != nil {
		return nil, err
	}
	if t.State != survey.Published {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "template.not_published",
			Args: survey.Args{"template": string(code), "version": strconv.Itoa(version)}}
	}
	t.State = survey.Retired
	t.Events = append(t.Events, s.event(c, "template.retired", nil))
	return t, s.store.ReplaceTemplate(ctx, t)
}

// TemplateFormats are the files that a template can be written as.
var TemplateFormats = []string{"xlsform", "xform", "json"}

// TemplateFile writes a template as a file: an XLSForm workbook, an ODK XForm,
// or JSON, any of which another installation can be given (the first and the
// last to read back). name is what to call it.
func TemplateFile(t *survey.Template, format string) (content []byte, name, contentType string, err error) {
	base := fmt.Sprintf("%s-%d", t.Code, t.Version)
	switch format {
	case "xlsform":
		content, err = xlsform.Write(t)
		return content, base + ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", err
	case "xform":
		content, err = XForm(t)
		return content, base + ".xml", "text/xml; charset=utf-8", err
	}
	bare := *t
	bare.Events = nil
	content, err = json.MarshalIndent(&bare, "", "  ")
	return append(content, '\n'), base + ".json", "application/json", err
}
