package survey

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says what sort of thing went wrong; callers decide by it what to do.
type Kind uint8

const (
	// Internal is anything unforeseen; its text is logged, never shown.
	Internal Kind = iota
	// Invalid: the sender can mend it; Problems say where.
	Invalid
	// NotFound: there is no such thing, or none the caller may know of.
	NotFound
	// Conflict: someone else was first (a stale revision, a taken visit).
	Conflict
	// Exists: a thing with this identity is already stored.
	Exists
	// Forbidden: the caller is known and may not do this.
	Forbidden
	// Unauthenticated: the caller is not known.
	Unauthenticated
	// TooLarge: over an announced limit.
	TooLarge
	// Unavailable: the store is away; try again later.
	Unavailable
)

var kindNames = [...]string{"internal", "invalid", "not found", "conflict", "exists",
	"forbidden", "unauthenticated", "too large", "unavailable"}

// String names the kind for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Args are the values that a message names; each is shown as it stands.
type Args map[string]string

// Error is an error a caller can act on. Code is stable and names the message
// in the catalogue (package message); Args fill it; Problems list what is
// wrong with an input; Err is the cause, for the log only.
type Error struct {
	Kind     Kind
	Code     string
	Args     Args
	Problems Problems
	Err      error
}

// Error gives a line for logs and tests; people see the catalogue's message.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Code != "" {
		b.WriteString(": " + e.Code)
	}
	keys := make([]string, 0, len(e.Args))
	for k := range e.Args {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, " %s=%q", k, e.Args[k])
	}
	for i, p := range e.Problems {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-i)
			break
		}
		b.WriteString("; " + p.String())
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Kind: k}) and {Kind: k, Code: c} work.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && (t.Code == "" || t.Code == e.Code)
}

// KindOf gives the kind of the first Error in err's chain, Internal if none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf gives the code of the first Error in err's chain, "" if none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
