package mongo

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

type jobDoc struct {
	ID       survey.JobID     `bson:"_id"`
	Head     head             `bson:",inline"`
	Kind     survey.JobKind   `bson:"kind"`
	Round    survey.RoundCode `bson:"round"`
	Title    string           `bson:"title,omitempty"`
	Request  string           `bson:"request"`
	Owner    survey.PersonID  `bson:"owner,omitempty"`
	Scope    survey.UnitCode  `bson:"scope,omitempty"`
	State    survey.JobState  `bson:"state"`
	Done     int              `bson:"done,omitempty"`
	Total    int              `bson:"total,omitempty"`
	Code     string           `bson:"code,omitempty"`
	Args     pairs            `bson:"args,omitempty"`
	File     string           `bson:"file,omitempty"`
	SHA256   string           `bson:"sha256,omitempty"`
	Size     int64            `bson:"size,omitempty"`
	Cutoff   *time.Time       `bson:"cutoff,omitempty"`
	Basis    string           `bson:"basis,omitempty"`
	Again    survey.JobID     `bson:"again,omitempty"`
	Worker   string           `bson:"worker,omitempty"`
	Beat     *time.Time       `bson:"beat,omitempty"`
	Tries    int              `bson:"tries,omitempty"`
	Created  time.Time        `bson:"created"`
	Finished *time.Time       `bson:"finished,omitempty"`
	Events   []eventDoc       `bson:"events,omitempty"`
}

func jobDocOf(j *survey.Job, h head) *jobDoc {
	return &jobDoc{ID: j.ID, Head: h, Kind: j.Kind, Round: j.Round, Title: j.Title, Request: j.Request, Owner: j.Owner, Scope: j.Scope, State: j.State,
		Done: j.Done, Total: j.Total, Code: j.Code, Args: pairs(j.Args), File: j.File, SHA256: j.SHA256, Size: j.Size,
		Cutoff: timeOrNil(j.Cutoff), Basis: j.Basis, Again: j.Again, Worker: j.Worker, Beat: timeOrNil(j.Beat), Tries: j.Tries,
		Created: j.Created, Finished: timeOrNil(j.Finished), Events: each(j.Events, eventDocOf)}
}

func (d *jobDoc) job() (*survey.Job, error) {
	return &survey.Job{ID: d.ID, Kind: d.Kind, Round: d.Round, Title: d.Title, Request: d.Request, Owner: d.Owner, Scope: d.Scope, State: d.State,
		Done: d.Done, Total: d.Total, Code: d.Code, Args: survey.Args(d.Args), File: d.File, SHA256: d.SHA256, Size: d.Size,
		Cutoff: timeOrZero(d.Cutoff), Basis: d.Basis, Again: d.Again, Worker: d.Worker, Beat: timeOrZero(d.Beat), Tries: d.Tries,
		Created: d.Created, Finished: timeOrZero(d.Finished), Rev: d.Head.Rev, Events: each(d.Events, eventDoc.event)}, nil
}

func (s *Store) jobShelf() *shelf[survey.Job] {
	return &shelf[survey.Job]{
		Store: s, coll: s.db.Collection(jobsName), noun: "job",
		id:     func(j *survey.Job) string { return string(j.ID) },
		rev:    func(j *survey.Job) *int64 { return &j.Rev },
		encode: func(j *survey.Job, h head) any { return jobDocOf(j, h) },
		decode: decoder((*jobDoc).job),
	}
}

// CreateJob implements survey.JobStore.
func (s *Store) CreateJob(ctx context.Context, j *survey.Job) error { return s.jobs.create(ctx, j) }

// ReplaceJob implements survey.JobStore.
func (s *Store) ReplaceJob(ctx context.Context, j *survey.Job) error { return s.jobs.replace(ctx, j) }

// Job implements survey.JobStore.
func (s *Store) Job(ctx context.Context, id survey.JobID) (*survey.Job, error) {
	return s.jobs.find(ctx, byID(string(id)), string(id))
}

// Jobs implements survey.JobStore.
func (s *Store) Jobs(ctx context.Context) iter.Seq2[*survey.Job, error] {
	return s.jobs.list(ctx, bson.D{}, "created", "_id")
}

// DropJob implements survey.JobStore.
func (s *Store) DropJob(ctx context.Context, id survey.JobID) error {
	op, cancel := s.limit(ctx)
	defer cancel()
	_, err := s.db.Collection(jobsName).DeleteOne(op, byID(string(id)))
	return s.failure(ctx, err)
}

// DropContent implements survey.AttachmentStore: the entry in the list of files
// goes first, since a content is there as long as that is.
func (s *Store) DropContent(ctx context.Context, hash string, job survey.JobID) error {
	op, cancel := s.limit(ctx)
	defer cancel()
	for _, named := range []struct {
		collection string
		by         bson.D
	}{
		{attachmentsName, bson.D{{Key: "sha256", Value: hash}}},
		{jobsName, bson.D{{Key: "_id", Value: bson.D{{Key: "$ne", Value: job}}}, {Key: "$or", Value: bson.A{bson.D{{Key: "sha256", Value: hash}}, bson.D{{Key: "basis", Value: hash}}}}}},
	} {
		err := s.db.Collection(named.collection).FindOne(op, named.by).Err()
		if !errors.Is(err, mongo.ErrNoDocuments) { // named, or not known
			return s.failure(ctx, err)
		}
	}
	var f contentFile
	err := s.db.Collection(contentFilesName).FindOneAndDelete(op, bson.D{{Key: "filename", Value: hash}}).Decode(&f)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	if err != nil {
		return s.failure(ctx, err)
	}
	s.dropParts(ctx, f.ID)
	return nil
}
