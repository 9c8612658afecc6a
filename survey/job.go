package survey

import "time"

// JobState is how far an ordered file has come.
type JobState string

const (
	JobQueued    JobState = "queued"
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// Over reports whether nothing more happens to the job.
func (s JobState) Over() bool { return s == JobDone || s == JobFailed || s == JobCancelled }

// JobKind says what file is made.
type JobKind string

const (
	JobWorkbook  JobKind = "workbook"  // the workbook of a round
	JobCSV       JobKind = "csv"       // the responses as a zip of text files
	JobSuperiors JobKind = "superiors" // a zip with a workbook for each superior
	JobWord      JobKind = "word"      // the short report as a text document
)

// JobKinds lists what can be ordered.
var JobKinds = []JobKind{JobWorkbook, JobCSV, JobSuperiors, JobWord}

// Job is a file that somebody ordered: it is made while they do something else,
// and kept for a day, or for good if it is a report.
type Job struct {
	// ID is a UUID made by whoever orders, so that to order again is no second
	// order.
	ID    JobID     `json:"id"`
	Kind  JobKind   `json:"kind"`
	Round RoundCode `json:"round"`
	// Title is the name of a report that is kept; "" for a file that goes.
	Title string `json:"title,omitempty"`
	// Request is what was asked for, as JSON; whoever runs the job reads it.
	Request string `json:"request"`
	// Owner ordered the file; Scope is the unit that bounds what is in it, ""
	// for the whole tree.
	Owner PersonID `json:"owner,omitempty"`
	Scope UnitCode `json:"scope,omitempty"`
	State JobState `json:"state"`
	// Done of Total rows have been written; Total is 0 as long as it is unknown.
	Done  int `json:"done,omitempty"`
	Total int `json:"total,omitempty"`
	// Code and Args say why the job failed.
	Code string `json:"code,omitempty"`
	Args Args   `json:"args,omitempty"`
	// File is the name of the file; SHA256 and Size are those of its content.
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
	// Cutoff is the moment up to which responses count, and Basis the hash of the
	// content with what was true of everything else then; both are of reports.
	Cutoff time.Time `json:"cutoff,omitzero"`
	Basis  string    `json:"basis,omitempty"`
	// Again is the report that this one was made anew of.
	Again JobID `json:"again,omitempty"`
	// Worker is the process that runs the job, Beat when it last said so, Tries
	// how many processes have begun it.
	Worker string    `json:"worker,omitempty"`
	Beat   time.Time `json:"beat,omitzero"`
	Tries  int       `json:"tries,omitempty"`

	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished,omitzero"`
	Rev      int64     `json:"rev"`
	Events   []Event   `json:"events,omitempty"`
}

// Kept reports whether the file stays for good.
func (j *Job) Kept() bool { return j.Title != "" }
