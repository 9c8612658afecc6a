package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"os"

	"github.com/khaosat/khaosat/survey"
)

var jobs = &kind[survey.Job]{
	noun: "job",
	id:   func(j *survey.Job) string { return string(j.ID) },
	rev:  func(j *survey.Job) *int64 { return &j.Rev },
	cut: func(j *survey.Job) {
		j.Cutoff, j.Beat, j.Created, j.Finished = cutTime(j.Cutoff), cutTime(j.Beat), cutTime(j.Created), cutTime(j.Finished)
		j.Events = cutEvents(j.Events)
	},
}

// CreateJob implements survey.JobStore.
func (s *Store) CreateJob(ctx context.Context, j *survey.Job) error {
	return create(ctx, s, jobs, j, func(t *tx, doc string) (int64, error) {
		return t.exec("INSERT INTO jobs (id, created, rev, doc) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING", j.ID, cutTime(j.Created).UnixMilli(), doc)
	}, nil)
}

// ReplaceJob implements survey.JobStore.
func (s *Store) ReplaceJob(ctx context.Context, j *survey.Job) error {
	return replace(ctx, s, jobs, j, func(t *tx, doc string) (int64, error) {
		return t.exec("UPDATE jobs SET created = ?, rev = rev + 1, doc = ? WHERE id = ? AND rev = ?", cutTime(j.Created).UnixMilli(), doc, j.ID, j.Rev)
	}, "SELECT rev FROM jobs WHERE id = ?", []any{j.ID}, nil)
}

// Job implements survey.JobStore.
func (s *Store) Job(ctx context.Context, id survey.JobID) (*survey.Job, error) {
	return find(ctx, s, jobs, string(id), "SELECT rev, doc FROM jobs WHERE id = ?", id)
}

const listJobs = "SELECT rev, doc FROM jobs WHERE (created, id) > (?, ?) ORDER BY created, id LIMIT ?"

// Jobs implements survey.JobStore.
func (s *Store) Jobs(ctx context.Context) iter.Seq2[*survey.Job, error] {
	return list(ctx, s, jobs, listJobs, func(last *survey.Job) []any {
		if last == nil {
			return []any{beforeAll, ""}
		}
		return []any{last.Created.UnixMilli(), last.ID}
	})
}

// DropJob implements survey.JobStore.
func (s *Store) DropJob(ctx context.Context, id survey.JobID) error {
	return s.write(ctx, len(id), func(t *tx) error {
		_, err := t.exec("DELETE FROM jobs WHERE id = ?", id)
		return err
	})
}

const (
	attachedContent = "SELECT 1 FROM attachments WHERE sha256 = ? LIMIT 1"
	// There are few jobs, and contents are seldom dropped.
	contentOfJob = "SELECT 1 FROM jobs WHERE id <> ? AND ? IN (doc ->> '$.sha256', doc ->> '$.basis') LIMIT 1"
)

// DropContent implements survey.AttachmentStore.
func (s *Store) DropContent(ctx context.Context, hash string, job survey.JobID) error {
	if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
		return nil // nothing has such a name
	}
	return s.write(ctx, len(hash), func(t *tx) error {
		var one int
		named, err := t.one(attachedContent, []any{hash}, &one)
		if err == nil && !named {
			named, err = t.one(contentOfJob, []any{job, hash}, &one)
		}
		if err != nil || named {
			return err
		}
		if err := os.Remove(s.contentPath(hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.fileFailure(err)
		}
		return nil
	})
}
