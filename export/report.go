// Package export writes what analysts hand in: the Excel workbook of a round. It
// takes plain values and iterators, so that it needs neither a store nor a
// server, and it streams: memory does not grow with the number of responses.
package export

import (
	"iter"
	"time"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// Report is everything a workbook shows.
type Report struct {
	Round *survey.Round
	// Template is the current version of the template the report is about.
	Template *survey.Template
	Language string // "vi" or "en"
	Lists    *survey.TypeLists
	// AsOf is the day as of which the tree was counted; MadeAt the moment of
	// writing, in the round's zone.
	AsOf    survey.Date
	MadeAt  time.Time
	Version string // of the program
	// The summaries, all with items; they are shown as they are.
	BySector, BySuperior, ByStructure *scoring.Summary
	// Details yields one entry a response of the template, returned ones
	// included. It is gone through once.
	Details iter.Seq2[*Detail, error]
	// Progress is told how many rows have been written; it may be nil.
	Progress func(rows int)
}

// Detail is one response with its score.
type Detail struct {
	Response *survey.Response
	Result   *scoring.Result
	Observer string   // the observer's name
	Path     []string // names from the root down to the unit
}
