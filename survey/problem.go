package survey

import (
	"fmt"
	"strings"
)

// Severity grades a problem.
type Severity string

const (
	// SeverityError stops what was asked for.
	SeverityError Severity = "error"
	// SeverityWarning is likely a mistake, but nothing stops.
	SeverityWarning Severity = "warning"
	// SeverityAdvice is a way to do better.
	SeverityAdvice Severity = "advice"
)

// Place says where in an input a problem is. Pointer is an RFC 6901 JSON
// pointer into the JSON form of what was sent; Item is the name of the item
// concerned; Sheet, Row (1-based) and Column (a header or letter) stand when
// the input was a workbook; Pos is a 0-based rune offset within an expression.
type Place struct {
	Pointer string `json:"pointer,omitempty"`
	Item    string `json:"item,omitempty"`
	Sheet   string `json:"sheet,omitempty"`
	Row     int    `json:"row,omitempty"`
	Column  string `json:"column,omitempty"`
	Pos     *int   `json:"pos,omitempty"`
}

// Problem is one thing wrong with an input. Code names the message in the
// catalogue and Args fill it; Suggestion is a value that would likely be right
// ("did you mean"). Text, where set, is a message that is already worded, by
// language, and is used instead of the catalogue's: the constraint message of
// a template, for one.
type Problem struct {
	Severity   Severity `json:"severity"`
	Code       string   `json:"code"`
	Place      Place    `json:"place"`
	Value      string   `json:"value,omitempty"`
	Args       Args     `json:"args,omitempty"`
	Suggestion string   `json:"suggestion,omitempty"`
	Text       Text     `json:"text,omitempty"`
}

// String gives a line for logs and tests.
func (p Problem) String() string {
	var where []string
	if p.Place.Sheet != "" {
		where = append(where, fmt.Sprintf("%s!%s%d", p.Place.Sheet, p.Place.Column, p.Place.Row))
	}
	if p.Place.Item != "" {
		where = append(where, p.Place.Item)
	}
	if p.Place.Pointer != "" {
		where = append(where, p.Place.Pointer)
	}
	s := fmt.Sprintf("%s %s at %s", p.Severity, p.Code, strings.Join(where, " "))
	if p.Value != "" {
		s += fmt.Sprintf(" %q", p.Value)
	}
	if p.Suggestion != "" {
		s += fmt.Sprintf(" (did you mean %q)", p.Suggestion)
	}
	return s
}

// Problems are collected, never thrown one by one.
type Problems []Problem

// HasErrors reports whether any of them stops what was asked for.
func (ps Problems) HasErrors() bool {
	for _, p := range ps {
		if p.Severity == SeverityError {
			return true
		}
	}
	return false
}

// Err gives nil when no problem is an error, else an Invalid Error that
// carries all of them under the given code.
func (ps Problems) Err(code string) error {
	if !ps.HasErrors() {
		return nil
	}
	return &Error{Kind: Invalid, Code: code, Problems: ps}
}
