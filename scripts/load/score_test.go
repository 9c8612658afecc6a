package main

import (
	"testing"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// BenchmarkScore scores the generated answers to the form for regular
// meetings, from the answers as they came: filled in, the facts computed, every
// item scored, caps applied. The explanation is made only when it is asked for.
func BenchmarkScore(b *testing.B) {
	store, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	svc := service.New(store, service.Options{})
	if err := svc.LoadFixtures(b.Context()); err != nil {
		b.Fatal(err)
	}
	form, err := svc.Form(b.Context(), template, 1)
	if err != nil {
		b.Fatal(err)
	}
	_, lists, err := svc.Tree(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	size, _ := fixtures.SizeNamed("S")
	demo, err := fixtures.NewDemo(size, service.DemoSeed)
	if err != nil {
		b.Fatal(err)
	}
	tree := survey.NewTree(demo.Units())
	var answers []survey.Answers
	var contexts []survey.Context
	for r := range demo.Ratings(map[survey.TemplateCode]*survey.Form{template: form.Form}) {
		unit, err := tree.Standing(r.Unit, r.MeetingDate)
		if err != nil {
			b.Fatal(err)
		}
		answers = append(answers, r.Answers)
		contexts = append(contexts, survey.Context{Unit: &unit.UnitFacts, Lists: lists, Now: r.ReceivedAt})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := i % len(answers)
		if form.Scorer.Score(answers[n], contexts[n]).Max == 0 {
			b.Fatal("a form without points")
		}
	}
}
