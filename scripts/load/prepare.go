package main

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// template is the form that submissions are measured with.
const template survey.TemplateCode = "SHCB-TK"

// clients is how many connections send at once.
const clients = 32

// plan is everything that is sent, made before the clock runs.
type plan struct {
	Admin       string // token of the administrator
	Round       survey.Round
	Assignments [][]byte // bodies, some thousand assignments each
	Requests    [clients][]submission
}

type submission struct {
	ID    survey.ResponseID
	Token string
	Body  []byte
}

// prepare opens a data folder that holds a demonstration and plans a second
// round over the same tree: the same answers, sent by 32 observers. The
// server must not be running.
func prepare(ctx context.Context, flags *flag.FlagSet, args []string) error {
	data := flags.String("data", "", "data folder with a demonstration")
	size := flags.String("size", "L", "size of the demonstration")
	round := flags.String("round", "load", "code of the round to plan")
	out := flags.String("out", "plan.gob", "file to write")
	_ = flags.Parse(args)

	store, err := sqlite.Open(ctx, *data, sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	svc := service.New(store, service.Options{})
	p, err := makePlan(ctx, svc, *size, survey.RoundCode(*round))
	if err != nil {
		return err
	}
	f, err := os.Create(*out)
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(f).Encode(p); err != nil {
		return err
	}
	return f.Close()
}

func makePlan(ctx context.Context, svc *service.Service, sizeName string, code survey.RoundCode) (*plan, error) {
	size, ok := fixtures.SizeNamed(sizeName)
	if !ok {
		return nil, fmt.Errorf("no size %q", sizeName)
	}
	demo, err := fixtures.NewDemo(size, service.DemoSeed)
	if err != nil {
		return nil, err
	}
	form, err := svc.Form(ctx, template, 1)
	if err != nil {
		return nil, err
	}
	tree, lists, err := svc.Tree(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{Round: *demo.Round}
	p.Round.Code, p.Round.Templates = code, []survey.RoundTemplate{{Code: template, Versions: []int{1}}}
	if p.Admin, err = svc.CreateToken(ctx, service.Operator(), "admin", "load"); err != nil {
		return nil, err
	}
	var tokens [clients]string
	for i := range tokens {
		if tokens[i], err = svc.CreateToken(ctx, service.Operator(), demo.People()[i].Name, "load"); err != nil {
			return nil, err
		}
	}
	var assignments []map[string]string
	next := 0
	for r := range demo.Ratings(map[survey.TemplateCode]*survey.Form{template: form.Form}) {
		if r.Role != survey.RoleObserver && r.Role != survey.RoleSecond {
			continue
		}
		unit, err := tree.Standing(r.Unit, r.MeetingDate)
		if err != nil {
			return nil, err
		}
		filled := form.Form.Fill(r.Answers, survey.Context{Unit: &unit.UnitFacts, Lists: lists, Now: r.ReceivedAt})
		if filled.Validate().Err("") != nil {
			continue // the demonstration leaves blanks that the API refuses
		}
		client := next % clients
		next++
		body, err := json.Marshal(map[string]any{"round": code, "template": r.Template, "template_version": 1,
			"unit": r.Unit, "role": r.Role, "answers": r.Answers})
		if err != nil {
			return nil, err
		}
		p.Requests[client] = append(p.Requests[client], submission{ID: survey.ResponseID(survey.NewID()), Token: tokens[client], Body: body})
		assignments = append(assignments, map[string]string{"template": string(r.Template), "unit": string(r.Unit), "role": string(r.Role),
			"period": p.Round.Periods.Period(r.MeetingDate), "observer": demo.People()[client].Name})
	}
	for from := 0; from < len(assignments); from += 2000 {
		body, err := json.Marshal(map[string]any{"assignments": assignments[from:min(from+2000, len(assignments))]})
		if err != nil {
			return nil, err
		}
		p.Assignments = append(p.Assignments, body)
	}
	return p, nil
}

func readPlan(file string) (*plan, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &plan{}
	return p, gob.NewDecoder(f).Decode(p)
}
