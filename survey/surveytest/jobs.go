package surveytest

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// Job makes job n, which has all there may be.
func Job(n int, bend ...func(*survey.Job)) *survey.Job {
	at := func(minutes int) time.Time { return Received.Add(time.Duration(minutes) * time.Minute) }
	return bent(&survey.Job{
		ID: survey.JobID(ID("job", n)), Kind: survey.JobWorkbook, Round: RoundCode, Title: "Báo cáo quý I", Request: `{"language":"vi"}`,
		Owner: survey.PersonID(ID("person", n)), Scope: "TW", State: survey.JobFailed, Done: 5, Total: 10, Code: "job.interrupted", Args: survey.Args{"a.b": "ghi chú"},
		File: "round.xlsx", SHA256: survey.HashRaw([]byte("file")), Size: 1 << 40, Cutoff: at(1), Basis: survey.HashRaw([]byte("basis")), Again: survey.JobID(ID("job", n+1)),
		Worker: "w", Beat: at(2), Tries: 2, Created: at(0), Finished: at(3), Events: []survey.Event{Event("job.ordered")},
	}, bend)
}

func testJobs(t *testing.T, opener Opener) {
	s := opener(t)()
	d := document[survey.Job]{
		noun:    "job",
		make:    func(n int) *survey.Job { return Job(n) },
		create:  s.CreateJob,
		replace: s.ReplaceJob,
		read:    func(ctx context.Context, v *survey.Job) (*survey.Job, error) { return s.Job(ctx, v.ID) },
		rev:     func(v *survey.Job) *int64 { return &v.Rev },
	}
	d.mark, d.marks, d.setTime = byEvents(func(v *survey.Job) *[]survey.Event { return &v.Events })
	testDocument(t, d)

	t.Run("all come ordered by creation, then id, and dropped ones do not", func(t *testing.T) {
		s := opener(t)()
		ctx := t.Context()
		var want []string
		for i, id := range byteOrder {
			for _, minute := range []int{1, 0} {
				name := string(rune('a'+minute)) + id
				Must(t, s.CreateJob(ctx, Job(i, func(j *survey.Job) {
					j.ID, j.Created = survey.JobID(name), Received.Add(time.Duration(minute)*time.Minute)
				})))
			}
		}
		for _, minute := range []int{0, 1} {
			for _, id := range byteOrder {
				want = append(want, string(rune('a'+minute))+id)
			}
		}
		order := func() (got []string) {
			for _, v := range Collect(t, s.Jobs(ctx)) {
				got = append(got, string(v.ID))
			}
			return got
		}
		wantOrder(t, order(), want)
		Must(t, s.DropJob(ctx, survey.JobID(want[0])))
		Must(t, s.DropJob(ctx, survey.JobID(want[0])))
		wantOrder(t, order(), want[1:])
		_, err := s.Job(ctx, survey.JobID(want[0]))
		WantError(t, err, survey.NotFound, "job.unknown")
	})
	t.Run("an empty job stays empty", func(t *testing.T) {
		bare := &survey.Job{ID: "bare", Args: survey.Args{}}
		Must(t, s.CreateJob(t.Context(), bare))
		got, err := s.Job(t.Context(), "bare")
		Must(t, err)
		WantSame(t, got, &survey.Job{ID: "bare", Rev: 1})
	})
	t.Run("a content is dropped unless it is attached or another job has it", func(t *testing.T) {
		s := opener(t)()
		ctx := t.Context()
		put := func(text string) string {
			hash, _, err := s.PutContent(ctx, strings.NewReader(text))
			Must(t, err)
			return hash
		}
		free, attached := put(strings.Repeat("free ", 200_000)), put("attached")
		Must(t, s.Attach(ctx, &survey.Attachment{Response: survey.ResponseID(ID("response", 1)), Name: "a.jpg", SHA256: attached, Size: 8, At: Received}))
		for _, hash := range []string{free, attached, free, "nothing", survey.HashRaw([]byte("never was"))} {
			Must(t, s.DropContent(ctx, hash, ""))
		}
		// A report that is made again is often the same file.
		report, basis := put("report"), put("basis")
		Must(t, s.CreateJob(ctx, &survey.Job{ID: "first", Created: Received, SHA256: report, Basis: basis}))
		Must(t, s.CreateJob(ctx, &survey.Job{ID: "again", Created: Received, SHA256: report, Basis: basis}))
		for range 2 {
			Must(t, s.DropContent(ctx, report, "again"))
			Must(t, s.DropContent(ctx, basis, "again"))
			for _, hash := range []string{report, basis} {
				content, err := s.Content(ctx, hash)
				if err != nil {
					t.Fatalf("the other job has lost its content: %v", err)
				}
				content.Close()
			}
		}
		Must(t, s.DropJob(ctx, "first"))
		for _, hash := range []string{report, basis} {
			Must(t, s.DropContent(ctx, hash, "again"))
			_, err := s.Content(ctx, hash)
			WantError(t, err, survey.NotFound, "content.unknown")
		}
		_, err := s.Content(ctx, free)
		WantError(t, err, survey.NotFound, "content.unknown")
		content, err := s.Content(ctx, attached)
		Must(t, err)
		defer content.Close()
		if b, err := io.ReadAll(content); err != nil || string(b) != "attached" {
			t.Errorf("what is attached reads %q (%v)", b, err)
		}
		if again := put(strings.Repeat("free ", 200_000)); again != free {
			t.Errorf("stored again as %s, was %s", again, free)
		}
		if content, err := s.Content(ctx, free); err != nil {
			t.Errorf("stored again after it was dropped: %v", err)
		} else {
			content.Close()
		}
	})
}
