package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// ReviewState is where a response stands.
type ReviewState string

const (
	// StateSubmitted: received, and counted.
	StateSubmitted ReviewState = "submitted"
	// StateReturned: sent back to its observer with a comment; not counted.
	StateReturned ReviewState = "returned"
	// StateApproved: checked, locked, and counted.
	StateApproved ReviewState = "approved"
	// StateQuarantined: received from a device that could not mend it, held for
	// review; not counted, and it holds no visit.
	StateQuarantined ReviewState = "quarantined"
	// StateRejected: held for review, and put aside by a reviewer with a reason;
	// not counted, and it holds no visit. It may still be released.
	StateRejected ReviewState = "rejected"
)

// ReviewStates lists them in their usual order.
var ReviewStates = []ReviewState{StateSubmitted, StateReturned, StateApproved, StateQuarantined, StateRejected}

// Held reports whether the response is kept apart from all others: it has no
// visit and no score until somebody releases it.
func (s ReviewState) Held() bool { return s == StateQuarantined || s == StateRejected }

// Counts reports whether responses in this state enter summaries by default.
func (s ReviewState) Counts() bool { return s == StateSubmitted || s == StateApproved }

// Source says by which door a response came.
type Source string

const (
	SourceAPI      Source = "api"
	SourceQueue    Source = "queue" // a device's offline queue
	SourceOpenRosa Source = "openrosa"
	SourceImport   Source = "import"
)

// Response is one filled-in form with all its history, as one document.
type Response struct {
	ID ResponseID `json:"id"`
	VisitKey
	TemplateVersion int      `json:"template_version"`
	Observer        PersonID `json:"observer,omitempty"`
	// Standing is the unit as of MeetingDate. It is derived from the tree and
	// rebuilt when the tree's history is corrected.
	Standing    Standing    `json:"standing"`
	MeetingDate Date        `json:"meeting_date"`
	State       ReviewState `json:"state"`
	// Reasons say why a response is held for review.
	Reasons Problems `json:"reasons,omitempty"`

	Submission // the current content

	// Receipt is the score that was shown when this content came in: evidence,
	// never recomputed in place. Nil while held.
	Receipt *Receipt `json:"receipt,omitempty"`

	// Earlier are the submissions that later ones replaced, oldest first.
	Earlier []Submission `json:"earlier,omitempty"`
	// Conflicts are other contents that came in under the same id. They are
	// kept for review and never dropped.
	Conflicts []Submission `json:"conflicts,omitempty"`
	// Comments are what reviewers said, oldest first.
	Comments []Comment `json:"comments,omitempty"`
	Events   []Event   `json:"events,omitempty"`

	// Packed is the derived row from which summaries are made (scoring.Pack);
	// empty while held. DerivedRev counts how often it was derived anew.
	Packed     []byte `json:"-"`
	DerivedRev int64  `json:"derived_rev,omitempty"`

	// Rev counts writes; the store sets it and compares it (0: not stored yet).
	Rev int64 `json:"rev"`
}

// Submission is one content that came in for a response.
type Submission struct {
	// Raw are the bytes as they came, and SHA256 their hash in lower-case hex.
	Raw    []byte `json:"-"`
	SHA256 string `json:"sha256"`
	// Answers are what was read from Raw; empty when it could not be read.
	Answers    Answers   `json:"answers,omitempty"`
	Source     Source    `json:"source"`
	ReceivedAt time.Time `json:"received_at"`
	ReceivedBy PersonID  `json:"received_by,omitempty"`
	// StartedAt and EndedAt are the client's own clock, if it said.
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// Receipt is a score as it was shown.
type Receipt struct {
	// Total and Available are points as decimal text with the scheme's
	// decimals; Total is "" when not graded.
	Total     string   `json:"total,omitempty"`
	Available string   `json:"available"`
	Band      string   `json:"band,omitempty"`
	BandFirst string   `json:"band_before_caps,omitempty"`
	Caps      []string `json:"caps,omitempty"`
	NotGraded string   `json:"not_graded,omitempty"` // the reason's code
}

// HoldsVisit reports whether the response occupies its visit.
func (r *Response) HoldsVisit() bool { return !r.State.Held() }

// PutAside gives the reason for which a rejected response was put aside, "" for
// any other.
func (r *Response) PutAside() string {
	if r.State != StateRejected || len(r.Comments) == 0 {
		return ""
	}
	return r.Comments[len(r.Comments)-1].Text
}

// HashRaw gives the SHA-256 of raw bytes in lower-case hex.
func HashRaw(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
