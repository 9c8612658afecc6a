package survey

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// Identities are types of their own, so that a swapped pair does not compile.
type (
	// TemplateCode names a template over all its versions, e.g. "SHCB-TK".
	TemplateCode string
	// UnitCode names a unit of the organisation tree, e.g. "Q01-P05-C012".
	UnitCode string
	// RoundCode names a round, e.g. "demo-2018".
	RoundCode string
	// PersonID identifies an account; a UUID.
	PersonID string
	// AssignmentID identifies an assignment; a UUID.
	AssignmentID string
	// ResponseID identifies a response; a UUID made by the client that filled it in.
	ResponseID string
	// JobID identifies an ordered file; a UUID made by the client that orders it.
	JobID string
)

// codeShape is what template, round and unit codes look like: they stand in
// URLs, file names and sheet cells, so they stay plain.
var codeShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$`)

// ValidCode reports whether s may be the code of a template, round or unit:
// 1 to 64 letters, digits, '_', '.', '-', the first a letter or digit.
func ValidCode(s string) bool { return codeShape.MatchString(s) }

// ParseResponseID reads a response's UUID in its usual form, in either letter
// case, with or without the prefix "uuid:" that OpenRosa clients write. The
// result is lower case without prefix. Invalid if it is no UUID.
func ParseResponseID(s string) (ResponseID, error) {
	id, err := uuid.Parse(strings.TrimPrefix(s, "uuid:"))
	if err != nil || len(strings.TrimPrefix(s, "uuid:")) != 36 {
		return "", &Error{Kind: Invalid, Code: "response.id", Args: Args{"value": s}}
	}
	return ResponseID(id.String()), nil
}

// NewID makes a random UUID for anything that khaosat itself identifies.
func NewID() string { return uuid.NewString() }
