package survey

import "github.com/khaosat/khaosat/survey/expr"

// filterScope is where the conditions stand by which choices are shown.
type filterScope struct{ exprScope }

// Columns says that bare names are columns of the choice.
func (filterScope) Columns() {}

// compileFilter compiles the condition by which choices are shown. What is wrong
// with it has been reported; what only ODK clients can do gives none, and all
// choices are shown.
func (c *compiler) compileFilter(it *Item, here exprScope) *expr.Program {
	if it.ChoiceFilter == "" {
		return nil
	}
	parsed, err := expr.Parse(it.ChoiceFilter)
	if err != nil {
		return nil
	}
	program, problems := parsed.Compile(filterScope{here})
	for _, p := range problems {
		if p.Code == "unsupported" { // it would come to blank, and hide everything
			return nil
		}
	}
	return program
}

// Choices gives the choices that are offered: those that meet the item's filter,
// and the ones that are taken.
func (l *Line) Choices() []Choice {
	n := l.node()
	if n.list == nil {
		return nil
	}
	if n.filter == nil {
		return n.list.Choices
	}
	taken := map[string]bool{}
	for _, name := range splitChoices(l.Cell.Value.Text()) {
		taken[name] = true
	}
	e := &l.filled.env
	e.frame, e.score, e.self = l.frame, nil, l.Cell.Value
	var out []Choice
	for i := range n.list.Choices {
		e.choice = &n.list.Choices[i]
		if taken[e.choice.Name] || n.filter.Eval(e).Truth() {
			out = append(out, *e.choice)
		}
	}
	e.choice = nil
	return out
}
