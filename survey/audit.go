package survey

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// ObjectKind says what sort of document something is.
type ObjectKind string

const (
	ObjectTemplate   ObjectKind = "template"
	ObjectUnit       ObjectKind = "unit"
	ObjectPerson     ObjectKind = "person"
	ObjectToken      ObjectKind = "token"
	ObjectRound      ObjectKind = "round"
	ObjectAssignment ObjectKind = "assignment"
	ObjectResponse   ObjectKind = "response"
)

// ObjectKinds lists the sorts of documents that have a trail.
var ObjectKinds = []ObjectKind{ObjectTemplate, ObjectUnit, ObjectPerson, ObjectToken, ObjectRound, ObjectAssignment, ObjectResponse}

// Object is a document that a trail is about, with what places it; what does not
// apply is empty. ID is the document's identity, of a template its code and
// version with a space between them.
type Object struct {
	Kind   ObjectKind `json:"kind"`
	ID     string     `json:"id"`
	Round  RoundCode  `json:"round,omitempty"`
	Unit   UnitCode   `json:"unit,omitempty"`
	Person PersonID   `json:"person,omitempty"` // whose token it is
}

// Object gives what the trail of a template version is about.
func (t *Template) Object() Object {
	return Object{Kind: ObjectTemplate, ID: string(t.Code) + " " + strconv.Itoa(t.Version)}
}

// Object gives what the trail of a unit is about.
func (u *Unit) Object() Object { return Object{Kind: ObjectUnit, ID: string(u.Code), Unit: u.Code} }

// Object gives what the trail of an account is about.
func (p *Person) Object() Object { return Object{Kind: ObjectPerson, ID: string(p.ID)} }

// Object gives what the trail of a token is about.
func (t *Token) Object() Object { return Object{Kind: ObjectToken, ID: t.Hash, Person: t.Person} }

// Object gives what the trail of a round is about.
func (r *Round) Object() Object { return Object{Kind: ObjectRound, ID: string(r.Code), Round: r.Code} }

// Object gives what the trail of an assignment is about.
func (a *Assignment) Object() Object {
	return Object{Kind: ObjectAssignment, ID: string(a.ID), Round: a.Round, Unit: a.Unit}
}

// Object gives what the trail of a response is about.
func (r *Response) Object() Object {
	return Object{Kind: ObjectResponse, ID: string(r.ID), Round: r.Round, Unit: r.Unit}
}

// AuditEntry is one event with the document it is about.
type AuditEntry struct {
	Event
	Object Object
	N      int // which of the document's events it is, from 0
}

// Before reports whether the entry comes later in the audit log, which begins
// with the newest: by time, then kind, id and number.
func (e *AuditEntry) Before(o *AuditEntry) bool {
	switch {
	case !e.At.Equal(o.At):
		return e.At.Before(o.At)
	case e.Object.Kind != o.Object.Kind:
		return e.Object.Kind < o.Object.Kind
	case e.Object.ID != o.Object.ID:
		return e.Object.ID < o.Object.ID
	}
	return e.N < o.N
}

// AuditFilter narrows the audit log down; empty fields do not narrow.
type AuditFilter struct {
	By     PersonID
	Kind   ObjectKind
	ID     string // together with Kind
	Action string
	Round  RoundCode
	Unit   UnitCode
	// From and To bound the time: not before From, and before To.
	From, To time.Time
}

// Passes reports whether the entry passes the filter.
func (f *AuditFilter) Passes(e *AuditEntry) bool {
	return (f.By == "" || f.By == e.By) && (f.Kind == "" || f.Kind == e.Object.Kind) && (f.ID == "" || f.ID == e.Object.ID) &&
		(f.Action == "" || f.Action == e.Action) && (f.Round == "" || f.Round == e.Object.Round) && (f.Unit == "" || f.Unit == e.Object.Unit) &&
		(f.From.IsZero() || !e.At.Before(f.From)) && (f.To.IsZero() || e.At.Before(f.To))
}

// Cursor marks the place behind the entry.
func (e *AuditEntry) Cursor() Cursor {
	place := strings.Join([]string{strconv.FormatInt(e.At.UnixMilli(), 10), string(e.Object.Kind), strconv.Itoa(e.N), e.Object.ID}, " ")
	return Cursor(base64.RawURLEncoding.EncodeToString([]byte(place)))
}

// AuditPlace reads a cursor of the audit log: an entry at its place, nil for "".
// Invalid (code "cursor") if it is none.
func AuditPlace(c Cursor) (*AuditEntry, error) {
	if c == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	parts := strings.SplitN(string(b), " ", 4)
	if err == nil && len(parts) == 4 {
		ms, err1 := strconv.ParseInt(parts[0], 10, 64)
		n, err2 := strconv.Atoi(parts[2])
		if err1 == nil && err2 == nil {
			return &AuditEntry{Event: Event{At: time.UnixMilli(ms).UTC()}, Object: Object{Kind: ObjectKind(parts[1]), ID: parts[3]}, N: n}, nil
		}
	}
	return nil, &Error{Kind: Invalid, Code: "cursor", Args: Args{"cursor": strconv.Quote(string(c[:min(len(c), 40)]))}}
}
