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

// Report is everything a workbook shows. It computes no figure of its own.
type Report struct {
	Round *survey.Round
	// Template is the current version of the template the report is about.
	Template *survey.Template
	Language string // "vi" or "en"
	Lists    *survey.TypeLists
	// Title is the name of a report that was given one; "" for none.
	Title string
	// Narrowed says what the report was narrowed down to, for people.
	Narrowed []Line
	// AsOf is the day as of which the tree was counted; MadeAt the moment of
	// writing, in the round's zone; Cutoff the moment up to which responses
	// count, zero for none.
	AsOf    survey.Date
	MadeAt  time.Time
	Cutoff  time.Time
	Version string // of the program

	// Summary is the summary by sector, with items.
	Summary *scoring.Summary
	// Groupings are the summaries that have a sheet each, in their order.
	Groupings []*scoring.Summary
	// Superiors is the tree of the committees; nil for no such sheet.
	Superiors []TreeGroup
	Analysis  *scoring.Analysis // nil for no such sheet
	Selves    []SelfRating
	Coverage  []CoverageLine // the overall line last
	Behind    []BehindLine
	// Late are the responses that came in or changed after the cut-off.
	Late []Late

	// Gather are the steps that fill in what is added up (Summary and what follows
	// it, but for Late); none if that has been done. They may run beside Details.
	Gather []func() error

	// Details yields one entry a response of the template, returned ones included.
	// It is gone through once, and an entry is good until the next one is asked
	// for; nil for no such sheets.
	Details iter.Seq2[*Detail, error]
	// Values says how choices are written on the sheet of visits.
	Values Values
	// SheetRows is how many rows a sheet may have; 0 is what Excel takes.
	SheetRows int
	// Progress is told how many rows have been written; it may be nil.
	Progress func(rows int)
}

// Gathered makes sure that what is added up is there.
func (r *Report) Gathered() error {
	for len(r.Gather) > 0 {
		if err := r.gatherNext(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) gatherNext() error {
	step := r.Gather[0]
	r.Gather = r.Gather[1:]
	return step()
}

// Line is a name with a value.
type Line struct{ Name, Value string }

// Values says how the choices of a question are written.
type Values string

const (
	ValuesBoth   Values = ""       // the code, and a column with the label
	ValuesCodes  Values = "codes"  // the code alone
	ValuesLabels Values = "labels" // the label in the place of the code
)

// TreeGroup is a line of a summary within the tree: Level 0 is a committee under
// the root, 1 one beneath it.
type TreeGroup struct {
	Level int
	scoring.Group
}

// CoverageLine tells how far a round has come with the units of one committee.
type CoverageLine struct {
	Level      int
	Code, Name string
	Whole      bool // everything together
	InScope    int
	Assigned   int
	Visited    int
	Submitted  int
	Returned   int
	Approved   int
	Overdue    int
	Share      *float64 // Visited of InScope
}

// BehindLine is an observer with visits that should have taken place.
type BehindLine struct {
	Name           string
	Overdue, Asked int
	Oldest         survey.Date
}

// SelfRating is what a unit says of itself beside what was observed.
type SelfRating struct {
	scoring.Beside
	UnitName, Path, Observer string
}

// Late is a response that came in or changed after the cut-off of a report.
type Late struct {
	ID       survey.ResponseID
	Unit     survey.UnitCode
	UnitName string
	Role     survey.Role
	Date     survey.Date
	At       time.Time // in the round's zone
	// What is "new" for one that came in later, "sent_again" for one with newer
	// content, "reviewed" for one whose state is another.
	What string
}

// Detail is one response with its score.
type Detail struct {
	Response *survey.Response
	Result   *scoring.Result
	Observer string   // the observer's name
	Path     []string // names from the root down to the unit
	// Followed tells what became of the recommendations, in the order of the
	// findings; empty where nothing is known.
	Followed []string
}
