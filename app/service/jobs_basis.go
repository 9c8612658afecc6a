package service

import (
	"archive/zip"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// keptThings is what a report keeps of all that the store has no history of, so
// that it can be made again. Responses have their history in themselves.
type keptThings struct {
	Round  *survey.Round              `json:"round"`
	Lists  *survey.TypeLists          `json:"lists"`
	Units  []*survey.Unit             `json:"units"`
	Visits []survey.AssignedVisit     `json:"visits"`
	Names  map[survey.PersonID]string `json:"names"`
}

// keepBasis stores how things are now, and gives the hash of the content.
func (s *Service) keepBasis(ctx context.Context, round *survey.Round) (string, error) {
	tree, lists, err := s.Tree(ctx)
	if err != nil {
		return "", err
	}
	k := keptThings{Round: round, Lists: lists, Names: map[survey.PersonID]string{}}
	for _, u := range tree.Units() {
		bare := *u
		bare.Events = nil
		k.Units = append(k.Units, &bare)
	}
	p, release, err := s.planned(ctx, round)
	if err != nil {
		return "", err
	}
	for _, v := range p.visits {
		k.Visits = append(k.Visits, v)
	}
	release()
	for p, err := range s.store.People(ctx) {
		if err != nil {
			return "", err
		}
		k.Names[p.ID] = nameOf(p)
	}
	in, out := io.Pipe()
	go func() {
		z := gzip.NewWriter(out)
		err := json.NewEncoder(z).Encode(&k)
		out.CloseWithError(errors.Join(err, z.Close()))
	}()
	hash, _, err := s.store.PutContent(ctx, in)
	in.CloseWithError(io.ErrClosedPipe)
	return hash, err
}

// keptBasis is how things were for a report.
func (s *Service) keptBasis(ctx context.Context, c Caller, j *survey.Job, o *ExportOptions) (*basis, error) {
	content, err := s.store.Content(ctx, j.Basis)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	z, err := gzip.NewReader(content)
	if err != nil {
		return nil, err
	}
	var k keptThings
	if err := json.NewDecoder(z).Decode(&k); err != nil {
		return nil, err
	}
	b := &basis{round: k.Round, tree: survey.NewTree(k.Units), lists: k.Lists, cutoff: j.Cutoff, visits: k.Visits, names: k.Names,
		query: scoring.Query{Template: o.Template, Filter: o.Filter}}
	if b.visits == nil {
		b.visits = []survey.AssignedVisit{}
	}
	rt, _ := b.round.Template(o.Template)
	if b.current, err = s.Form(ctx, rt.Code, rt.Current()); err != nil {
		return nil, err
	}
	if err := s.narrow(c, &b.query); err != nil {
		return nil, err
	}
	b.table = scoring.NewTable(b.lists)
	b.table.Assign(b.visits)
	if err := s.populate(ctx, b.table, b.round, b.tree, b.lists); err != nil {
		return nil, err
	}
	return b, s.fillAsOf(ctx, b)
}

// fillAsOf fills a basis' table with the responses as they were at its moment,
// and lists those that came in or changed since.
func (s *Service) fillAsOf(ctx context.Context, b *basis) error {
	layouts := func(code survey.TemplateCode, version int) (*scoring.Layout, error) {
		c, err := s.Form(ctx, code, version)
		if err != nil {
			return nil, err
		}
		return c.Layout, nil
	}
	type placed struct {
		row survey.Row
		key survey.VisitKey
	}
	var found []placed
	for change, err := range s.store.ResponsesSince(ctx, survey.ResponseFilter{Round: b.round.Code, Template: b.query.Template, Bare: true}, "") {
		if err != nil {
			return err
		}
		now := change.Doc
		then := b.asOf(now)
		if late := b.lateness(now, then); late != "" && !now.State.Held() && passes(&b.query.Filter, now, b.lists) {
			b.late = append(b.late, export.Late{ID: now.ID, Unit: now.Unit, UnitName: now.Standing.Name, Role: now.Role, Date: now.MeetingDate,
				At: changedAt(now, b.cutoff).In(b.round.Location()), What: late})
		}
		if then == nil || then.State.Held() {
			continue
		}
		compiled, err := s.Form(ctx, then.Template, then.TemplateVersion)
		if err != nil {
			return err
		}
		result := compiled.Scorer.Score(then.Answers, survey.Context{Unit: &then.Standing.UnitFacts, Lists: b.lists, Now: then.ReceivedAt})
		found = append(found, placed{survey.Row{ID: then.ID, Rev: then.Rev, State: then.State, Packed: compiled.Layout.Pack(result, then)}, then.VisitKey})
		s.giveWay(ctx)
	}
	// An order that later writes do not change, so that rows and the last digits
	// of sums are the same whenever the report is made.
	slices.SortFunc(found, func(x, y placed) int {
		return cmp.Or(strings.Compare(string(x.key.Unit), string(y.key.Unit)), strings.Compare(x.key.Period, y.key.Period),
			slices.Index(survey.RatingRoles, x.key.Role)-slices.Index(survey.RatingRoles, y.key.Role), strings.Compare(string(x.row.ID), string(y.row.ID)))
	})
	slices.SortFunc(b.late, func(x, y export.Late) int {
		return cmp.Or(strings.Compare(string(x.Unit), string(y.Unit)), strings.Compare(string(x.ID), string(y.ID)))
	})
	rows := make([]survey.Row, 0, rowsAtOnce)
	for from := 0; from < len(found); from += rowsAtOnce {
		rows = rows[:0]
		for _, p := range found[from:min(from+rowsAtOnce, len(found))] {
			rows = append(rows, p.row)
			b.order = append(b.order, p.row.ID)
		}
		if err := b.table.Apply(rows, layouts); err != nil {
			return err
		}
	}
	b.table.Compact()
	return nil
}

// keptResponses yields the responses of a basis as they were, in its order.
func (s *Service) keptResponses(ctx context.Context, b *basis) iter.Seq2[*survey.Response, error] {
	return func(yield func(*survey.Response, error) bool) {
		for _, id := range b.order {
			r, err := s.store.Response(ctx, id)
			if err == nil {
				r = b.asOf(r)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// asOf gives a response as it was at the basis' moment, in the place where its
// unit stood in the tree that was kept; nil if it had not come in.
func (b *basis) asOf(r *survey.Response) *survey.Response {
	then := r.AsOf(b.cutoff)
	if then == nil {
		return nil
	}
	if at, err := b.tree.Standing(then.Unit, then.MeetingDate); err == nil {
		then.Standing = *at
	}
	return then
}

func (b *basis) lateness(now, then *survey.Response) string {
	switch {
	case then == nil:
		return "new"
	case then.SHA256 != now.SHA256:
		return "sent_again"
	case then.State != now.State:
		return "reviewed"
	}
	return ""
}

// changedAt is when a response first changed after a moment.
func changedAt(r *survey.Response, after time.Time) time.Time {
	for i := range r.Events {
		if r.Events[i].At.After(after) {
			return r.Events[i].At
		}
	}
	return r.ReceivedAt
}

// mostSuperiors bounds how many workbooks go into one zip.
const mostSuperiors = 1000

// writeSuperiors writes a zip with a workbook for each superior at a level.
func (s *Service) writeSuperiors(ctx context.Context, c Caller, o *Order, b *basis, w io.Writer) error {
	by := scoring.BySuperior
	if o.Level > 1 {
		by = scoring.Grouping(string(by) + ":" + string(rune('0'+o.Level)))
	}
	q := b.query
	q.By = by
	table, err := s.tableOf(ctx, b)
	if err != nil {
		return err
	}
	sum, err := table.Summarize(q)
	if err != nil {
		return err
	}
	if len(sum.Groups) > mostSuperiors {
		return &survey.Error{Kind: survey.Invalid, Code: "job.too_many_superiors", Args: survey.Args{"number": strconv.Itoa(len(sum.Groups)), "limit": strconv.Itoa(mostSuperiors)}}
	}
	label := s.labelsOf(ctx, b.tree, b.lists, b.round.Closes)
	z := zip.NewWriter(w)
	for i, g := range sum.Groups {
		one, options := *b, o.ExportOptions
		one.query.Filter.Under = []survey.UnitCode{survey.UnitCode(g.Group)}
		one.query.Filter.Within = c.Person.Scope
		options.Filter.Under, options.Progress = one.query.Filter.Under, nil
		name := label(scoring.BySuperior, g.Group).In(o.Language)
		if options.Title == "" {
			options.Title = name
		}
		r, err := s.reportOf(ctx, c, &options, &one)
		if err != nil {
			return err
		}
		if !b.cutoff.IsZero() {
			r.MadeAt = b.cutoff.In(b.round.Location())
		}
		r.Late = nil
		file, err := z.CreateHeader(&zip.FileHeader{Name: fileName(g.Group+" "+name) + ".xlsx", Method: zip.Store, Modified: r.MadeAt})
		if err != nil {
			return err
		}
		if err := export.Workbook(file, r); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress("files", i+1, len(sum.Groups))
		}
	}
	return z.Close()
}

// fileName leaves out what some systems have no place for in a name.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80])
	}
	return strings.Trim(s, " .")
}

// giveWay lets people go first: work that nobody waits for at a page pauses while
// requests are being answered, for a moment at a time.
func (s *Service) giveWay(ctx context.Context) {
	for waited := 0; s.visitors.Load() > 0 && waited < 20 && ctx.Err() == nil; waited++ {
		time.Sleep(time.Millisecond)
	}
}

// Enter says that somebody waits for an answer; the function that it gives says
// that they do not any more.
func (s *Service) Enter() func() {
	s.visitors.Add(1)
	return func() { s.visitors.Add(-1) }
}
