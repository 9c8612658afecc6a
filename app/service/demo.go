package service

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// DemoPassword opens the demonstration accounts. It is no secret: it is printed
// with them, and a demonstration belongs on the own machine.
const DemoPassword = "khaosat-demo"

// DemoAccounts are the accounts that the demonstration brings. The observer is
// one of the generated ones.
var DemoAccounts = []survey.Person{
	{Name: "admin", FullName: "Quản trị viên", Role: survey.Admin, Language: "vi"},
	{Name: "analyst", FullName: "Chuyên viên tổng hợp", Role: survey.Analyst, Language: "vi"},
	{Name: "observer", FullName: "Người quan sát", Role: survey.Observer, Language: "vi"},
}

// Progress tells how far a long piece of work has come: what is being done, and
// how many of how many are done. It may be nil.
type Progress func(what string, done, total int)

func (p Progress) tell(what string, done, total int) {
	if p != nil {
		p(what, done, total)
	}
}

// LoadFixtures stores the type lists and publishes the templates that come with
// the program, as far as they are not stored yet.
func (s *Service) LoadFixtures(ctx context.Context) error {
	lists, err := s.store.TypeLists(ctx)
	if err != nil {
		return err
	}
	if lists.Rev == 0 {
		if lists, err = fixtures.TypeLists(); err != nil {
			return err
		}
		if err := s.ReplaceTypeLists(ctx, Operator(), lists); err != nil {
			return err
		}
	}
	workbooks, err := fixtures.Workbooks()
	if err != nil {
		return err
	}
	for _, w := range workbooks {
		if _, err := s.store.Template(ctx, w.Code, 1); !isNotFound(err) {
			if err != nil {
				return err
			}
			continue
		}
		t, problems, err := xlsform.Read(w.Bytes)
		if err == nil {
			err = problems.Err("template.invalid")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		if _, err := s.ImportTemplate(ctx, Operator(), t); err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		if _, err := s.PublishTemplate(ctx, Operator(), t.Code, t.Version); err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	return nil
}

// DemoLoaded reports whether the demonstration is in the store, whole.
func (s *Service) DemoLoaded(ctx context.Context) (bool, error) {
	_, err := s.store.Round(ctx, fixtures.DemoRound)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// LoadDemo stores generated data: templates, tree, accounts, assignments,
// responses and, last of all, the round, which marks that everything is there.
// All ids follow from the seed, so a load that was broken off goes on when it
// is begun again.
func (s *Service) LoadDemo(ctx context.Context, d *fixtures.Demo, progress Progress) error {
	if err := s.LoadFixtures(ctx); err != nil {
		return err
	}
	if err := s.putUnits(ctx, d.Units(), progress); err != nil {
		return err
	}
	if err := s.store.CreatePeople(ctx, d.People()); err != nil {
		return err
	}
	if err := s.addDemoAccounts(ctx); err != nil {
		return err
	}
	if err := s.putAssignments(ctx, d, progress); err != nil {
		return err
	}
	forms, err := s.demoForms(ctx, d.Round)
	if err != nil {
		return err
	}
	if err := s.putRatings(ctx, d, forms, progress); err != nil {
		return err
	}
	return s.SaveRound(ctx, Operator(), d.Round)
}

// bulk is how many documents go into one grouped write.
const bulk = 500

func (s *Service) putUnits(ctx context.Context, units []*survey.Unit, progress Progress) error {
	lists, err := s.store.TypeLists(ctx)
	if err != nil {
		return err
	}
	if err := survey.NewTree(units).Check(lists).Err("units.invalid"); err != nil {
		return err
	}
	for from := 0; from < len(units); from += bulk {
		to := min(from+bulk, len(units))
		if err := s.store.PutUnits(ctx, units[from:to]); err != nil {
			return err
		}
		progress.tell("units", to, len(units))
	}
	s.forgetTree()
	return nil
}

func (s *Service) addDemoAccounts(ctx context.Context) error {
	for _, account := range DemoAccounts {
		p, err := s.store.PersonByName(ctx, account.Name)
		switch {
		case isNotFound(err):
			p = &account
			if err := s.AddPerson(ctx, Operator(), p, DemoPassword); err != nil {
				return err
			}
		case err != nil:
			return err
		case p.PasswordHash == "":
			p.FullName, p.PasswordHash = account.FullName, hashPassword(DemoPassword)
			if err := s.store.ReplacePerson(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) putAssignments(ctx context.Context, d *fixtures.Demo, progress Progress) error {
	batch := make([]*survey.Assignment, 0, bulk)
	done := 0
	put := func() error {
		err := s.store.CreateAssignments(ctx, batch)
		done += len(batch)
		progress.tell("assignments", done, d.Size.Visits)
		batch = batch[:0]
		return err
	}
	for a := range d.Assignments() {
		if batch = append(batch, a); len(batch) == bulk {
			if err := put(); err != nil {
				return err
			}
		}
	}
	return put()
}

// demoForms compiles what the round uses and fills in its templates.
func (s *Service) demoForms(ctx context.Context, r *survey.Round) (map[survey.TemplateCode]*Compiled, error) {
	out := map[survey.TemplateCode]*Compiled{}
	workbooks, err := fixtures.Workbooks()
	if err != nil {
		return nil, err
	}
	r.Templates = nil
	for _, w := range workbooks {
		c, err := s.Form(ctx, w.Code, 1)
		if err != nil {
			return nil, err
		}
		out[w.Code] = c
		r.Templates = append(r.Templates, survey.RoundTemplate{Code: w.Code, Versions: []int{1}})
	}
	return out, nil
}

// putRatings scores and stores all ratings, on every core.
func (s *Service) putRatings(ctx context.Context, d *fixtures.Demo, compiled map[survey.TemplateCode]*Compiled, progress Progress) error {
	forms := map[survey.TemplateCode]*survey.Form{}
	for code, c := range compiled {
		forms[code] = c.Form
	}
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return err
	}
	work := make(chan []*fixtures.Rating)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(work)
		return batches(d.Ratings(forms), bulk, func(b []*fixtures.Rating) error {
			select {
			case work <- b:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	stored := make(chan int)
	writers, wctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		writers.Go(func() error {
			for ratings := range work {
				responses := make([]*survey.Response, len(ratings))
				for i, r := range ratings {
					made, err := s.fromRating(d.Round, compiled[r.Template], tree, lists, r)
					if err != nil {
						return err
					}
					responses[i] = made
				}
				if _, err := s.store.CreateResponses(wctx, responses); err != nil {
					return err
				}
				stored <- len(responses)
			}
			return nil
		})
	}
	group.Go(func() error { defer close(stored); return writers.Wait() })
	done := 0
	for n := range stored {
		done += n
		progress.tell("responses", done, max(done, d.Size.Visits))
	}
	return group.Wait()
}

func batches[T any](all iter.Seq[T], size int, take func([]T) error) error {
	batch := make([]T, 0, size)
	for v := range all {
		if batch = append(batch, v); len(batch) == size {
			if err := take(batch); err != nil {
				return err
			}
			batch = make([]T, 0, size)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return take(batch)
}

// fromRating makes the response that would be stored had the rating been sent.
func (s *Service) fromRating(round *survey.Round, c *Compiled, tree *survey.Tree, lists *survey.TypeLists, r *fixtures.Rating) (*survey.Response, error) {
	unit, err := tree.Standing(r.Unit, r.MeetingDate)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(struct {
		Round    survey.RoundCode    `json:"round"`
		Template survey.TemplateCode `json:"template"`
		Version  int                 `json:"template_version"`
		Unit     survey.UnitCode     `json:"unit"`
		Role     survey.Role         `json:"role"`
		Answers  survey.Answers      `json:"answers"`
	}{round.Code, r.Template, c.Template.Version, r.Unit, r.Role, r.Answers})
	if err != nil {
		return nil, err
	}
	filled := c.Form.Fill(r.Answers, survey.Context{Unit: &unit.UnitFacts, Lists: lists, Now: r.ReceivedAt})
	result := c.Scorer.ScoreFilled(filled)
	return s.made(c, result, &survey.Response{ID: r.ID,
		VisitKey:        survey.VisitKey{Round: round.Code, Template: r.Template, Unit: r.Unit, Role: r.Role, Period: round.Periods.Period(r.MeetingDate)},
		TemplateVersion: c.Template.Version, Observer: r.Observer, Standing: *unit, MeetingDate: r.MeetingDate, State: r.State,
		Submission: survey.Submission{Raw: raw, SHA256: survey.HashRaw(raw), Answers: filled.Answers(), Source: survey.SourceImport,
			ReceivedAt: r.ReceivedAt, ReceivedBy: r.Observer},
		Events: []survey.Event{{At: r.ReceivedAt, By: r.Observer, Action: "response.received", Detail: survey.Args{"source": string(survey.SourceImport)}}},
	}), nil
}

// made gives a response its score: the receipt and the packed row.
func (s *Service) made(c *Compiled, result *scoring.Result, r *survey.Response) *survey.Response {
	r.Receipt = result.Receipt()
	r.Packed = c.Layout.Pack(result, r)
	return r
}

// DemoSize and DemoSeed are what `serve --demo` loads.
const (
	DemoSize = "M"
	DemoSeed = 156
)

// EnsureDemo loads the demonstration unless it is there already. It says
// whether it did.
func (s *Service) EnsureDemo(ctx context.Context, progress Progress) (bool, error) {
	loaded, err := s.DemoLoaded(ctx)
	if err != nil || loaded {
		return false, err
	}
	size, _ := fixtures.SizeNamed(DemoSize)
	d, err := fixtures.NewDemo(size, DemoSeed)
	if err != nil {
		return false, err
	}
	return true, s.LoadDemo(ctx, d, progress)
}
