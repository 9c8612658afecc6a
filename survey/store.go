package survey

import (
	"context"
	"io"
	"iter"
	"time"
)

// Store keeps everything khaosat must not lose. The sentences below are its
// contract; package surveytest checks each of them on every store.
//
// Durability. When a method that writes returns nil, the write survives a
// power cut. A method that returns an error has written nothing, except that
// after Unavailable the write may or may not have happened; every write can
// be repeated safely.
//
// Atomicity. One document is written at a time; there are no transactions
// over several. A document's audit events travel inside it.
//
// Revisions. Create stores a document that must not exist yet and sets its Rev
// to 1: Exists if one with the same identity is stored, and then nothing is
// written. Replace stores a document whose Rev is the one that was read and
// adds one to it: Conflict (code "stale") if the stored revision differs,
// NotFound if there is none, and then nothing is written. On success the Rev
// in the caller's document is the stored one.
//
// Reading. What a method returns belongs to the caller. Absent documents give
// NotFound. Times come back in UTC, cut to whole milliseconds; nil and empty
// lists are the same. Orders are those of bytes, whatever the database's
// collation. An iterator's error is its last pair; leaving an iterator early
// releases everything it holds.
//
// Failures. A database that cannot be reached, a full or read-only disk and a
// closed store give Unavailable; a cancelled context gives its own error; a
// document above 16 MiB gives TooLarge (code "store.too_large"). Nothing is ever
// dropped in silence. Closing twice is harmless.
//
// Codes. What is absent has the code "<noun>.unknown", what is there already
// "<noun>.exists" (a taken sign-in name "person.name_taken"), where the noun is
// template, unit, person, token, round, assignment, response or job.
type Store interface {
	TemplateStore
	UnitStore
	PersonStore
	TryStore
	RoundStore
	AssignmentStore
	ResponseStore
	AttachmentStore
	FormStore
	JobStore
	AuditStore

	// Ping checks that the database answers and can be written to; Unavailable if not.
	Ping(ctx context.Context) error
	// Name says which database this is, for people: "SQLite 3.54 (data/khaosat.db)".
	Name() string
	// Close finishes what is in hand and releases the database.
	Close() error
}

// TemplateStore keeps template versions, identified by code and version.
type TemplateStore interface {
	CreateTemplate(ctx context.Context, t *Template) error
	ReplaceTemplate(ctx context.Context, t *Template) error
	Template(ctx context.Context, code TemplateCode, version int) (*Template, error)
	// Templates yields all versions ordered by code, then version.
	Templates(ctx context.Context) iter.Seq2[*Template, error]
}

// UnitStore keeps the type lists and the organisation tree.
type UnitStore interface {
	// TypeLists gives the lists; empty ones with Rev 0 when none were stored.
	TypeLists(ctx context.Context) (*TypeLists, error)
	// ReplaceTypeLists stores the lists; Conflict if Rev is not the stored one
	// (0: none stored yet).
	ReplaceTypeLists(ctx context.Context, l *TypeLists) error

	// PutUnits stores units, each atomically and whatever its stored revision:
	// new ones are created, others replaced, and each Rev is set. It is what
	// imports use. After an error the units before it are stored.
	PutUnits(ctx context.Context, units []*Unit) error
	// ReplaceUnit is the optimistic write of one unit.
	ReplaceUnit(ctx context.Context, u *Unit) error
	Unit(ctx context.Context, code UnitCode) (*Unit, error)
	// UnitsSince yields units created or replaced since the cursor ("" is the
	// beginning), each with the cursor behind it; see Cursor.
	UnitsSince(ctx context.Context, after Cursor) iter.Seq2[Change[*Unit], error]
}

// PersonStore keeps accounts and what was handed out to them.
type PersonStore interface {
	// CreatePerson gives Exists when the id or the name is taken.
	CreatePerson(ctx context.Context, p *Person) error
	ReplacePerson(ctx context.Context, p *Person) error
	Person(ctx context.Context, id PersonID) (*Person, error)
	PersonByName(ctx context.Context, name string) (*Person, error)
	// People yields all accounts ordered by name.
	People(ctx context.Context) iter.Seq2[*Person, error]
	// CreatePeople stores many new accounts; those whose id exists are left as
	// they are.
	CreatePeople(ctx context.Context, people []*Person) error

	CreateToken(ctx context.Context, t *Token) error
	ReplaceToken(ctx context.Context, t *Token) error
	Token(ctx context.Context, hash string) (*Token, error)
	// TokensOf yields a person's tokens ordered by creation, then hash.
	TokensOf(ctx context.Context, p PersonID) iter.Seq2[*Token, error]
}

// TryStore counts tries at guessing a secret, so that a limit holds over
// restarts and for all processes together. Keys are up to 64 plain characters.
type TryStore interface {
	// AddTries adds n, which may be negative, to the tries of a key, and gives
	// them as they are then. The count never goes below zero. When the last try
	// is as long ago as within, or longer, the count begins at zero first, and
	// the store may forget such tries of any key. The time of the last try
	// becomes at, if n is above zero. Of concurrent calls all count; a
	// number may also hold those of calls at the same time, so that at most k of
	// them are told k or less.
	AddTries(ctx context.Context, key string, n int, at time.Time, within time.Duration) (Tries, error)
	// Tries gives the tries of a key, however old; the zero Tries if there are none.
	Tries(ctx context.Context, key string) (Tries, error)
}

// Tries are how often something was tried, and when last.
type Tries struct {
	Count int
	Last  time.Time
}

// RoundStore keeps rounds.
type RoundStore interface {
	CreateRound(ctx context.Context, r *Round) error
	ReplaceRound(ctx context.Context, r *Round) error
	Round(ctx context.Context, code RoundCode) (*Round, error)
	// Rounds yields all rounds ordered by code.
	Rounds(ctx context.Context) iter.Seq2[*Round, error]
}

// AssignmentStore keeps assignments. A visit (VisitKey) has at most one.
type AssignmentStore interface {
	// CreateAssignments stores new assignments, each atomically. One whose id
	// exists is left as it is; one whose visit is assigned under another id
	// gives Exists (code "visit.assigned"), after those before it are stored.
	CreateAssignments(ctx context.Context, as []*Assignment) error
	ReplaceAssignment(ctx context.Context, a *Assignment) error
	Assignment(ctx context.Context, id AssignmentID) (*Assignment, error)
	// AssignmentFor finds the assignment of a visit.
	AssignmentFor(ctx context.Context, visit VisitKey) (*Assignment, error)
	// AssignmentsOf yields an observer's assignments ordered by round, due
	// date, then id. An empty round means all rounds.
	AssignmentsOf(ctx context.Context, observer PersonID, round RoundCode) iter.Seq2[*Assignment, error]
	// AssignmentsSince yields a round's assignments created or replaced since
	// the cursor.
	AssignmentsSince(ctx context.Context, round RoundCode, after Cursor) iter.Seq2[Change[*Assignment], error]
	// VisitsSince yields of the same changes only what coverage is counted from,
	// without touching the documents: the visit, the assignment's id, its observer,
	// its due date and its status.
	VisitsSince(ctx context.Context, round RoundCode, after Cursor) iter.Seq2[Change[AssignedVisit], error]
}

// ResponseStore keeps responses.
type ResponseStore interface {
	// CreateResponse stores a new response. Exists with code "response.exists"
	// when the id is stored; Exists with code "visit.taken" and the argument
	// "response" (the id of the one that holds it) when another response holds
	// the same visit. Of any number of concurrent calls for one id, or for one
	// visit, exactly one succeeds. A response that holds no visit
	// (Response.HoldsVisit) collides by id only.
	CreateResponse(ctx context.Context, r *Response) error
	// ReplaceResponse is the optimistic write; it gives Exists with code
	// "visit.taken" when the response now claims a visit that another holds.
	ReplaceResponse(ctx context.Context, r *Response) error
	// CreateResponses stores many new responses, each atomically, at the speed
	// of grouped writes. Those whose id is stored are left as they are; it says
	// how many were created. It is what generators and restores use; a taken
	// visit is an error as above, after those before it are stored.
	CreateResponses(ctx context.Context, rs []*Response) (created int, err error)
	Response(ctx context.Context, id ResponseID) (*Response, error)

	// ResponsesSince yields whole responses that match the filter and were
	// created or replaced since the cursor, in the order of their last write.
	ResponsesSince(ctx context.Context, f ResponseFilter, after Cursor) iter.Seq2[Change[*Response], error]
	// RowsSince yields the packed rows of a round's responses that were created
	// or replaced since the cursor, in the order of their last write, without
	// touching the documents.
	RowsSince(ctx context.Context, round RoundCode, after Cursor) iter.Seq2[Change[Row], error]
}

// AttachmentStore keeps the files that go with responses: contents by their
// hash, and apart from them which response has which under what name.
type AttachmentStore interface {
	// PutContent stores what it reads to the end and gives its SHA-256 (lower-case
	// hex) and length. It is never in memory as a whole, however large, and the
	// same content is kept once. An error of the reader is given as it is, and
	// then nothing is stored.
	PutContent(ctx context.Context, content io.Reader) (sha256 string, size int64, err error)
	// Content opens a stored content; NotFound (code "content.unknown") if there
	// is none of the hash. The caller closes it.
	Content(ctx context.Context, sha256 string) (io.ReadSeekCloser, error)
	// DropContent forgets a content, on behalf of a job ("" for none). It is left
	// as it is when an attachment names it, or another job as its file or basis;
	// one that is not there is no error. Nobody may be about to attach the same
	// content.
	DropContent(ctx context.Context, sha256 string, job JobID) error
	// Attach notes that a stored content goes with a response, which need not be
	// stored yet, under a name. The same again is left as it is; another content
	// under the same name is kept beside the first.
	Attach(ctx context.Context, a *Attachment) error
	// Attachments yields a response's attachments ordered by name, then time,
	// then hash.
	Attachments(ctx context.Context, id ResponseID) iter.Seq2[*Attachment, error]
}

// FormStore keeps forms as they were handed out to clients, which must get the
// same bytes for ever.
type FormStore interface {
	// KeepForm stores the bytes of a template version's form unless some are
	// stored, and gives the stored ones: of concurrent callers all get the same.
	KeepForm(ctx context.Context, code TemplateCode, version int, form []byte) ([]byte, error)
	// Form gives the stored bytes; NotFound (code "form.unknown") if there are none.
	Form(ctx context.Context, code TemplateCode, version int) ([]byte, error)
}

// JobStore keeps ordered files; their contents are an AttachmentStore's.
type JobStore interface {
	CreateJob(ctx context.Context, j *Job) error
	ReplaceJob(ctx context.Context, j *Job) error
	Job(ctx context.Context, id JobID) (*Job, error)
	// Jobs yields all jobs ordered by creation, then id.
	Jobs(ctx context.Context) iter.Seq2[*Job, error]
	// DropJob forgets a job; one that is not there is no error.
	DropJob(ctx context.Context, id JobID) error
}

// AuditStore reads the trails of all documents as one log, but for those of
// ordered files, which are forgotten in time. There is nothing to write: an event
// is in the log as soon as its document is stored.
type AuditStore interface {
	// Events yields the events of all documents that match, the newest first
	// (AuditEntry.Before), from behind a cursor that an entry gave (Invalid, code
	// "cursor", for any other; "" is the newest). Round, unit and person are those
	// of the document as it stands. An event that is stored while one reads, or
	// goes on from a cursor, comes only if its place is still ahead.
	Events(ctx context.Context, f AuditFilter, before Cursor) iter.Seq2[*AuditEntry, error]
}

// ResponseFilter narrows down responses; empty fields do not narrow.
type ResponseFilter struct {
	Round    RoundCode
	Template TemplateCode
	Unit     UnitCode
	Under    UnitCode // the unit or one above it, as of the meeting date
	Observer PersonID
	Role     Role
	State    ReviewState
	// Bare leaves out what is seldom asked of many responses at once: the raw bytes
	// of all submissions and the packed row come empty.
	Bare bool
}

// Row is what summaries need of a response.
type Row struct {
	ID     ResponseID
	Rev    int64
	State  ReviewState
	Packed []byte // empty for a response that is held for review
}

// Cursor marks a position in the order of writes. It is opaque, made by the
// store, plain ASCII, and stays valid as long as the store exists; "" is the
// beginning. An Invalid error (code "cursor") answers one the store did not
// make.
//
// Following. Whoever reads on from the last cursor until nothing more comes
// sees every write that was acknowledged before the reading began, each
// document in its newest state, and no (document, revision) twice along one
// chain of cursors, however many writers are busy in however many processes,
// and even if one of them is paused at any point for any time. No clock has a
// part in it: positions are numbers that the database gives, in the write itself
// (SQLite) or when a reader first finds the write (MongoDB).
type Cursor string

// Change is a document with the cursor behind it.
type Change[T any] struct {
	Doc    T
	Cursor Cursor
}
