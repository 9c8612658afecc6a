package survey

import "time"

// Event is one entry of the audit trail. It is written inside the document it
// is about, in the same atomic write, so that no change is without its trace.
type Event struct {
	At     time.Time `json:"at"`
	By     PersonID  `json:"by,omitempty"` // "" for the program itself
	Action string    `json:"action"`       // e.g. "response.received", stable
	// Detail holds what the action needs to be understood later, e.g. the
	// state before and after.
	Detail Args `json:"detail,omitempty"`
}
