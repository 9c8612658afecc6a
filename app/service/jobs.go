package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/survey"
)

// Order says what file is wanted.
type Order struct {
	Kind survey.JobKind `json:"kind"`
	ExportOptions
	// Semicolon is for files of text: see export.CSVFormat.
	Semicolon bool `json:"semicolon,omitempty"`
	// Level is the level of the superiors that get a workbook each; 1 is right
	// under the root.
	Level int `json:"level,omitempty"`
	// AsOf is the moment that a report with a title is frozen at; zero for now.
	AsOf time.Time `json:"as_of,omitzero"`
}

const (
	// jobKept is how long a file stays that is no report.
	jobKept = 24 * time.Hour
	// jobBeat is how often a process says that it is at work on a job, and
	// jobSilence after how long without a word another takes it over.
	jobBeat, jobSilence = 2 * time.Second, 30 * time.Second
	// jobTries is how many processes may begin a job.
	jobTries = 3
	// openJobs is how many files one person may have waited for at once.
	openJobs = 10
	// mostTitle bounds the name of a report, in bytes.
	mostTitle = 200
)

func noJob(id survey.JobID) error {
	return &survey.Error{Kind: survey.NotFound, Code: "job.unknown", Args: survey.Args{"job": string(id)}}
}

func invalidOrder(code, pointer, value string) error {
	return &survey.Error{Kind: survey.Invalid, Code: code, Args: survey.Args{"value": value}, Problems: survey.Problems{{
		Severity: survey.SeverityError, Code: code, Value: value, Args: survey.Args{"value": value}, Place: survey.Place{Pointer: pointer}}}}
}

// OrderFile orders a file under an id that the client made: the same id again is
// the same order. With a title it is a report, frozen at a moment and kept;
// without one the file stays for a day.
func (s *Service) OrderFile(ctx context.Context, c Caller, id survey.JobID, o Order) (*survey.Job, error) {
	if _, err := c.may(survey.OpExport); err != nil {
		return nil, err
	}
	id, before, err := s.ordered(ctx, c, id)
	if err != nil || before != nil {
		return before, err
	}
	if !slices.Contains(survey.JobKinds, o.Kind) {
		return nil, invalidOrder("job.kind", "/kind", string(o.Kind))
	}
	if o.Level < 0 || o.Level > 5 {
		return nil, invalidOrder("job.level", "/level", "")
	}
	if o.Title = strings.TrimSpace(o.Title); len(o.Title) > mostTitle {
		return nil, invalidOrder("job.title", "/title", o.Title)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	round, err := s.round(ctx, o.Round)
	if err != nil {
		return nil, err
	}
	if o.Template == "" {
		o.Template = round.Templates[0].Code
	}
	if _, ok := round.Template(o.Template); !ok {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "round.not_its_template", Args: survey.Args{"template": string(o.Template), "round": string(round.Code)}}
	}
	waiting := 0
	for j, err := range s.store.Jobs(ctx) {
		if err != nil {
			return nil, err
		}
		if j.Owner == c.id() && !j.State.Over() {
			waiting++
		}
	}
	if waiting >= openJobs {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "job.too_many"}
	}
	now := s.Now()
	j := &survey.Job{ID: id, Kind: o.Kind, Round: o.Round, Title: o.Title, Owner: c.id(), Scope: c.Person.Scope, State: survey.JobQueued, Created: now}
	if j.Kept() {
		j.Cutoff = now
		if !o.AsOf.IsZero() {
			if j.Cutoff = o.AsOf.UTC().Truncate(time.Millisecond); j.Cutoff.After(now) {
				return nil, invalidOrder("job.as_of", "/as_of", o.AsOf.Format(time.RFC3339))
			}
		}
		if j.Basis, err = s.keepBasis(ctx, round); err != nil {
			return nil, err
		}
	}
	request, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	j.Request = string(request)
	return s.queue(ctx, c, j)
}

// ordered gives the id of an order as it is kept, and the job if the order came
// before.
func (s *Service) ordered(ctx context.Context, c Caller, id survey.JobID) (survey.JobID, *survey.Job, error) {
	if _, err := uuid.Parse(string(id)); err != nil || len(id) != 36 {
		return "", nil, invalidOrder("job.id", "/id", string(id))
	}
	id = survey.JobID(strings.ToLower(string(id)))
	j, err := s.Job(ctx, c, id)
	if isNotFound(err) {
		return id, nil, nil
	}
	return id, j, err
}

func (s *Service) queue(ctx context.Context, c Caller, j *survey.Job) (*survey.Job, error) {
	j.Events = []survey.Event{s.event(c, "job.ordered", survey.Args{"kind": string(j.Kind), "round": string(j.Round)})}
	err := s.store.CreateJob(ctx, j)
	if survey.KindOf(err) == survey.Exists { // ordered twice at once
		return s.Job(ctx, c, j.ID)
	}
	if err != nil {
		return nil, err
	}
	s.wakeJobs()
	return j, nil
}

// MakeAgain makes a report anew, as it was at its moment, under an id that the
// client made. What came in or changed since is listed apart.
func (s *Service) MakeAgain(ctx context.Context, c Caller, of, id survey.JobID) (*survey.Job, error) {
	first, err := s.Job(ctx, c, of)
	if err != nil {
		return nil, err
	}
	if !first.Kept() {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "job.not_a_report"}
	}
	id, before, err := s.ordered(ctx, c, id)
	if err != nil || before != nil {
		return before, err
	}
	return s.queue(ctx, c, &survey.Job{ID: id, Kind: first.Kind, Round: first.Round, Title: first.Title, Request: first.Request, Owner: c.id(), Scope: first.Scope,
		State: survey.JobQueued, Cutoff: first.Cutoff, Basis: first.Basis, Again: first.ID, Created: s.Now()})
}

// sees reports whether the caller may see a job: the own ones, and reports about
// what lies in the caller's scope.
func (s *Service) sees(ctx context.Context, c Caller, j *survey.Job) bool {
	if j.Owner == c.id() && (c.Person.Scope == "" || c.Person.Scope == j.Scope) {
		return true
	}
	if !j.Kept() {
		return false
	}
	if c.Person.Scope == "" || c.Person.Scope == j.Scope {
		return true
	}
	if j.Scope == "" {
		return false
	}
	tree, _, err := s.Tree(ctx)
	if err != nil {
		return false
	}
	at, err := tree.Standing(j.Scope, survey.DateOf(j.Created))
	return err == nil && at.Under(c.Person.Scope)
}

// Job gives a job that the caller may see.
func (s *Service) Job(ctx context.Context, c Caller, id survey.JobID) (*survey.Job, error) {
	if _, err := c.may(survey.OpExport); err != nil {
		return nil, err
	}
	j, err := s.store.Job(ctx, id)
	if isNotFound(err) || err == nil && !s.sees(ctx, c, j) {
		return nil, noJob(id)
	}
	return j, err
}

// Jobs lists a round's jobs that the caller may see, the latest first.
func (s *Service) Jobs(ctx context.Context, c Caller, round survey.RoundCode) ([]*survey.Job, error) {
	if _, err := c.may(survey.OpExport); err != nil {
		return nil, err
	}
	if _, err := s.round(ctx, round); err != nil {
		return nil, err
	}
	out := []*survey.Job{}
	for j, err := range s.store.Jobs(ctx) {
		if err != nil {
			return nil, err
		}
		if j.Round == round && s.sees(ctx, c, j) {
			out = append(out, j)
		}
	}
	slices.Reverse(out)
	return out, nil
}

// CancelJob stops a job that is not over; its owner may. To cancel twice is to
// cancel once.
func (s *Service) CancelJob(ctx context.Context, c Caller, id survey.JobID) (*survey.Job, error) {
	for {
		j, err := s.Job(ctx, c, id)
		if err != nil {
			return nil, err
		}
		if j.Owner != c.id() {
			return nil, &survey.Error{Kind: survey.Forbidden, Code: "job.not_yours"}
		}
		if j.State.Over() {
			return j, nil
		}
		j.State, j.Finished = survey.JobCancelled, s.Now()
		j.Events = append(j.Events, s.event(c, "job.cancelled", nil))
		err = s.store.ReplaceJob(ctx, j)
		if survey.KindOf(err) == survey.Conflict {
			continue
		}
		return j, err
	}
}

// OpenFile opens the file of a job that is done. The caller closes it.
func (s *Service) OpenFile(ctx context.Context, c Caller, id survey.JobID) (*survey.Job, io.ReadSeekCloser, error) {
	j, err := s.Job(ctx, c, id)
	if err != nil {
		return nil, nil, err
	}
	if j.State != survey.JobDone || s.expired(j) {
		return nil, nil, &survey.Error{Kind: survey.Conflict, Code: "job.no_file"}
	}
	content, err := s.store.Content(ctx, j.SHA256)
	return j, content, err
}

// FileUntil says until when a finished job's file can be fetched; zero for good.
func (s *Service) FileUntil(j *survey.Job) time.Time {
	if j.Kept() || j.Finished.IsZero() {
		return time.Time{}
	}
	return j.Finished.Add(jobKept)
}

func (s *Service) expired(j *survey.Job) bool {
	until := s.FileUntil(j)
	return !until.IsZero() && s.Now().After(until)
}

// wakeJobs tells the process's own worker that there is something to do.
func (s *Service) wakeJobs() {
	select {
	case s.jobs <- struct{}{}:
	default:
	}
}

// RunJobs makes ordered files, one after the other, until the context ends. A job
// that it is at then goes back to the queue. Any number of processes may do so.
func (s *Service) RunJobs(ctx context.Context) {
	worker := survey.NewID()
	tick := time.NewTicker(jobBeat)
	defer tick.Stop()
	for ctx.Err() == nil {
		j, err := s.nextJob(ctx, worker)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("jobs could not be looked for", "error", err)
		case j != nil:
			s.runJob(ctx, j)
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.jobs:
		case <-tick.C:
		}
	}
}

// nextJob takes the oldest job that waits, or that a process fell silent over,
// and clears away what is past its time; nil if there is none.
func (s *Service) nextJob(ctx context.Context, worker string) (*survey.Job, error) {
	var all []*survey.Job
	for j, err := range s.store.Jobs(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, j)
	}
	for _, j := range all {
		now := s.Now()
		switch {
		case j.State.Over() && !j.Kept() && s.expired(j):
			if err := s.clearJob(ctx, j); err != nil {
				return nil, err
			}
			continue
		case j.State == survey.JobQueued:
		case j.State == survey.JobRunning && now.Sub(j.Beat) > jobSilence:
		default:
			continue
		}
		j.Worker, j.Beat, j.Tries = worker, now, j.Tries+1
		j.State, j.Done, j.Total = survey.JobRunning, 0, 0
		if j.Tries > jobTries {
			j.State, j.Finished, j.Code = survey.JobFailed, now, "job.interrupted"
		}
		err := s.store.ReplaceJob(ctx, j)
		if survey.KindOf(err) == survey.Conflict {
			continue // another process was first
		}
		if err != nil || j.State == survey.JobRunning {
			return j, err
		}
	}
	return nil, nil
}

// clearJob forgets a job and its file.
func (s *Service) clearJob(ctx context.Context, j *survey.Job) error {
	if err := s.store.DropContent(ctx, j.SHA256, j.ID); err != nil {
		return err
	}
	return s.store.DropJob(ctx, j.ID)
}

// errJobTaken ends the work on a job that was cancelled, or that another process
// has taken over.
var errJobTaken = errors.New("the job is not ours any more")

// runJob makes a job's file, and says meanwhile that we are at work, and how far.
func (s *Service) runJob(ctx context.Context, j *survey.Job) {
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	progress := make(chan [2]int, 1)
	done := make(chan struct{})
	beat := *j // the file is made from the job meanwhile
	go func() {
		defer close(done)
		tick := time.NewTicker(jobBeat)
		defer tick.Stop()
		var at [2]int
		for {
			select {
			case <-work.Done():
				return
			case at = <-progress:
				continue
			case <-tick.C:
			}
			next := beat
			next.Beat, next.Done, next.Total = s.Now(), at[0], at[1]
			// A write that is cut short may have been made all the same, and the job
			// would have a revision that we do not know of.
			whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobSilence/3)
			err := s.store.ReplaceJob(whole, &next)
			cancel()
			switch {
			case err == nil:
				beat = next
			case survey.KindOf(err) == survey.Conflict || isNotFound(err):
				stop(errJobTaken)
				return
			}
		}
	}()
	err := s.makeFile(work, j, func(_ string, rows, total int) {
		select {
		case <-progress:
		default:
		}
		select {
		case progress <- [2]int{rows, total}:
		default:
		}
	})
	taken := errors.Is(context.Cause(work), errJobTaken)
	stop(nil)
	<-done
	j.Rev, j.Beat, j.Done, j.Total = beat.Rev, beat.Beat, beat.Done, beat.Total
	if taken {
		if err == nil && j.SHA256 != "" {
			_ = s.store.DropContent(context.WithoutCancel(ctx), j.SHA256, j.ID)
		}
		return
	}
	s.finishJob(ctx, j, err)
}

// finishJob notes how a job ended.
func (s *Service) finishJob(ctx context.Context, j *survey.Job, err error) {
	switch {
	case err == nil:
		j.State, j.Finished = survey.JobDone, s.Now()
		if j.Total > 0 {
			j.Done = j.Total
		}
		j.Events = append(j.Events, survey.Event{At: s.Now(), Action: "job.done", Detail: survey.Args{"sha256": j.SHA256}})
	case ctx.Err() != nil: // we are being stopped: somebody else goes on
		j.State, j.Worker = survey.JobQueued, ""
		j.Tries--
	default:
		var e *survey.Error
		j.State, j.Finished, j.Code, j.Args = survey.JobFailed, s.Now(), "job.failed", nil
		if errors.As(err, &e) && e.Code != "" {
			j.Code, j.Args = e.Code, e.Args
		}
		j.Events = append(j.Events, survey.Event{At: s.Now(), Action: "job.failed", Detail: survey.Args{"code": j.Code}})
		s.log.Warn("a file could not be made", "job", string(j.ID), "error", err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.store.ReplaceJob(last, j); err != nil {
		s.log.Warn("the end of a job was not noted", "job", string(j.ID), "error", err)
		// Without an answer the end may have been noted, and then the file is wanted.
		if refused := survey.KindOf(err) == survey.Conflict || isNotFound(err); refused && j.State == survey.JobDone {
			_ = s.store.DropContent(last, j.SHA256, j.ID)
		}
	}
}

// makeFile writes a job's file to the store and notes its name, hash and size.
func (s *Service) makeFile(ctx context.Context, j *survey.Job, progress Progress) error {
	var o Order
	if err := json.Unmarshal([]byte(j.Request), &o); err != nil {
		return err
	}
	c, err := s.ownerOf(ctx, j)
	if err != nil {
		return err
	}
	o.Progress = progress
	in, out := io.Pipe()
	go func() { out.CloseWithError(s.writeFile(ctx, c, j, &o, out)) }()
	hash, size, err := s.store.PutContent(ctx, in)
	in.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // the writer ends too
	if err != nil {
		return err
	}
	name := string(j.Round)
	if j.Kept() {
		name += "-" + j.Cutoff.Format("2006-01-02")
	}
	j.File, j.SHA256, j.Size = name+fileEnding(j.Kind), hash, size
	return nil
}

func fileEnding(k survey.JobKind) string {
	switch k {
	case survey.JobCSV:
		return ".csv.zip"
	case survey.JobSuperiors:
		return ".zip"
	case survey.JobWord:
		return ".docx"
	}
	return ".xlsx"
}

// ownerOf is on whose behalf a job runs: its owner as they are now, with the
// scope that the order was given with.
func (s *Service) ownerOf(ctx context.Context, j *survey.Job) (Caller, error) {
	c := Operator()
	if j.Owner != "" {
		p, err := s.store.Person(ctx, j.Owner)
		if err != nil {
			return c, err
		}
		own := *p
		if own.Scope != j.Scope && !(j.Kept() && s.sees(ctx, Caller{Person: p}, j)) {
			return c, &survey.Error{Kind: survey.Forbidden, Code: "job.scope_changed"}
		}
		c.Person = &own
	}
	c.Person.Scope = j.Scope
	return c, nil
}

// WriteFile makes a file at once. On an error what was written is no file.
func (s *Service) WriteFile(ctx context.Context, c Caller, o Order, w io.Writer) error {
	return s.writeFile(ctx, c, &survey.Job{Kind: o.Kind, Round: o.Round}, &o, w)
}

func (s *Service) writeFile(ctx context.Context, c Caller, j *survey.Job, o *Order, w io.Writer) error {
	if _, err := c.may(survey.OpExport); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	var b *basis
	var err error
	if j.Kept() {
		b, err = s.keptBasis(ctx, c, j, &o.ExportOptions)
	} else {
		b, err = s.liveBasis(ctx, c, &o.ExportOptions)
	}
	if err != nil {
		return err
	}
	b.gentle = b.gentle || j.ID != ""
	switch j.Kind {
	case survey.JobCSV:
		r, err := s.rawReport(ctx, &o.ExportOptions, b)
		if err != nil {
			return err
		}
		return export.CSV(w, r, export.CSVFormat{Semicolon: o.Semicolon})
	case survey.JobSuperiors:
		return s.writeSuperiors(ctx, c, o, b, w)
	}
	if j.Kind == survey.JobWord {
		o.Summary = false // findings are quoted
	}
	r, err := s.reportOf(ctx, c, &o.ExportOptions, b)
	if err != nil {
		return err
	}
	if j.Kept() {
		// The same report made again is the same file, if nothing came late.
		r.MadeAt = j.Cutoff.In(b.round.Location())
		if j.Again == "" {
			r.Late = nil
		}
	}
	if j.Kind == survey.JobWord {
		return export.Word(w, r)
	}
	return export.Workbook(w, r)
}
