package web

import (
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// entry is one line of the navigation: it is shown to those for whom its
// operation goes at least that far.
type entry struct {
	path  string // of a page; it is marked as the current one there and beneath
	label string // its message
	op    survey.Operation
	least survey.Reach
}

// navigation is what the menu offers, in its order.
var navigation = []entry{
	{"/", "page.rounds", survey.OpReadAssignments, survey.InScope},
	{"/visits", "phone.visits", survey.OpSubmit, survey.Own},
	{"/templates", "editor.templates", survey.OpWriteTemplates, survey.InScope},
	{"/rounds", "nav.rounds", survey.OpSummarize, survey.InScope},
	{"/review", "review.title", survey.OpReview, survey.InScope},
	{"/people", "nav.people", survey.OpManagePeople, survey.InScope},
	{"/audit", "audit.title", survey.OpReadAudit, survey.InScope},
}

// navLine is an entry as the layout draws it.
type navLine struct {
	Path, Label string
	Current     bool
}

// Nav gives the entries that the person may use; none when nobody is signed in.
func (p page) Nav() []navLine {
	var out []navLine
	for _, e := range navigation {
		if survey.May(p.Person, e.op) >= e.least {
			out = append(out, navLine{e.path, p.Say(e.label), e.current(p.path)})
		}
	}
	return out
}

// current reports whether the address is the entry's page or beneath it.
func (e entry) current(path string) bool {
	if e.path == "/" {
		return path == "/"
	}
	rest, ok := strings.CutPrefix(path, e.path)
	return ok && (rest == "" || rest[0] == '/')
}

// Display is how the person wants the page to look.
func (p page) Display() survey.Display {
	if p.Person == nil {
		return survey.Display{}
	}
	return p.Person.Display
}

// On reports whether the page is the one at the address.
func (p page) On(path string) bool { return p.path == path }
