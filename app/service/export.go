package service

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// ProgramVersion is written into workbooks.
var ProgramVersion = "0.1.0"

// ExportOptions say which workbook is wanted.
type ExportOptions struct {
	Round    survey.RoundCode
	Template survey.TemplateCode // "": the round's first
	Language string              // "vi" (default) or "en"
	Progress Progress
}

// Export writes a round's workbook: the same numbers as the summaries, from the
// same table, and a row for every response of the template in the caller's
// scope. On an error what was written is no workbook.
func (s *Service) Export(ctx context.Context, c Caller, o ExportOptions, w io.Writer) error {
	if _, err := c.may(survey.OpExport); err != nil {
		return err
	}
	if o.Language == "" {
		o.Language = "vi"
	}
	if o.Language != "vi" && o.Language != "en" {
		return &survey.Error{Kind: survey.Invalid, Code: "export.language", Args: survey.Args{"value": o.Language}}
	}
	r := &export.Report{Language: o.Language, Version: ProgramVersion}
	for _, part := range []struct {
		by   scoring.Grouping
		into **scoring.Summary
	}{{scoring.BySector, &r.BySector}, {scoring.BySuperior, &r.BySuperior}, {scoring.ByStructure, &r.ByStructure}} {
		sum, err := s.summarize(ctx, c, o.Round, scoring.Query{Template: o.Template, By: part.by, Items: part.by == scoring.BySector})
		if err != nil {
			return err
		}
		*part.into, r.Round, r.AsOf = sum.Summary, sum.Round, sum.AsOf
	}
	rt, _ := r.Round.Template(r.BySector.Template)
	current, err := s.Form(ctx, rt.Code, rt.Current())
	if err != nil {
		return err
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	r.Template, r.Lists, r.MadeAt = current.Template, lists, s.Now().In(r.Round.Location())
	r.Details = s.details(ctx, c, r.Round, rt.Code, tree, lists)
	if o.Progress != nil {
		total := r.BySector.Overall.Responses
		r.Progress = func(rows int) { o.Progress("rows", rows, max(rows, total)) }
	}
	return export.Workbook(w, r)
}

// details yields the responses to a template with their scores. Reading,
// scoring and what the caller does with the rows go on side by side.
func (s *Service) details(ctx context.Context, c Caller, round *survey.Round, template survey.TemplateCode, tree *survey.Tree, lists *survey.TypeLists) iter.Seq2[*export.Detail, error] {
	f := survey.ResponseFilter{Round: round.Code, Template: template, Under: c.Person.Scope}
	return func(yield func(*export.Detail, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		responses := ahead(ctx, func(yield func(*survey.Response, error) bool) {
			for change, err := range s.store.ResponsesSince(ctx, f, "") {
				if !yield(change.Doc, err) || err != nil {
					return
				}
			}
		})
		namer := &detailNames{s: s, tree: tree, people: map[survey.PersonID]string{}}
		scored := ahead(ctx, func(yield func(*export.Detail, error) bool) {
			for r, err := range responses {
				var d *export.Detail
				if err == nil {
					if r.State == survey.StateQuarantined {
						continue
					}
					d, err = s.detail(ctx, r, lists, namer)
				}
				if !yield(d, err) || err != nil {
					return
				}
			}
		})
		for d, err := range scored {
			if !yield(d, err) || err != nil {
				return
			}
		}
		if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
			yield(nil, err)
		}
	}
}

// batchAhead and batchesAhead bound how far ahead of its reader a sequence runs.
const (
	batchAhead   = 32
	batchesAhead = 3
)

// ahead runs a sequence on a goroutine of its own, somewhat ahead of whoever
// reads it, until the context ends. It is read once.
func ahead[T any](ctx context.Context, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type batch struct {
		values []T
		err    error
	}
	batches := make(chan batch, batchesAhead)
	go func() {
		defer close(batches)
		send := func(b batch) bool {
			select {
			case batches <- b:
				return true
			case <-ctx.Done():
				return false
			}
		}
		var b batch
		for v, err := range seq {
			if err != nil {
				b.err = err
				break
			}
			if b.values = append(b.values, v); len(b.values) == batchAhead {
				if !send(b) {
					return
				}
				b = batch{}
			}
		}
		send(b)
	}()
	return func(yield func(T, error) bool) {
		for b := range batches {
			for _, v := range b.values {
				if !yield(v, nil) {
					return
				}
			}
			if b.err != nil {
				var none T
				yield(none, b.err)
				return
			}
		}
	}
}

func (s *Service) detail(ctx context.Context, r *survey.Response, lists *survey.TypeLists, n *detailNames) (*export.Detail, error) {
	compiled, err := s.Form(ctx, r.Template, r.TemplateVersion)
	if err != nil {
		return nil, err
	}
	result := compiled.Scorer.Score(r.Answers, survey.Context{Unit: &r.Standing.UnitFacts, Lists: lists, Now: r.ReceivedAt})
	return &export.Detail{Response: r, Result: result, Observer: n.person(ctx, r.Observer), Path: n.path(&r.Standing, r.MeetingDate)}, nil
}

// detailNames finds names for ids, each once.
type detailNames struct {
	s      *Service
	tree   *survey.Tree
	people map[survey.PersonID]string
}

func (n *detailNames) person(ctx context.Context, id survey.PersonID) string {
	name, known := n.people[id]
	if !known {
		if p, err := n.s.store.Person(ctx, id); err == nil {
			name = p.FullName
			if name == "" {
				name = p.Name
			}
		}
		n.people[id] = name
	}
	return name
}

// path names the units above as of the day.
func (n *detailNames) path(unit *survey.Standing, day survey.Date) []string {
	names := make([]string, len(unit.Path))
	for i, code := range unit.Path {
		names[i] = string(code)
		if u := n.tree.Unit(code); u != nil {
			if span := u.On(day); span != nil {
				names[i] = span.Name
			}
		}
	}
	return names
}
