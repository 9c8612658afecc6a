package survey

import (
	"time"

	"github.com/khaosat/khaosat/survey/expr"
)

// ScoreView is what cap expressions may ask of a score in the making. Names
// are those of scored items or of sections.
type ScoreView interface {
	// Points gives what an item or section earned and what it could earn; ok is
	// false when nothing of it was available.
	Points(name string) (earned, available Points, ok bool)
	// MaxPoints gives the points an item or section has in the template.
	MaxPoints(name string) (Points, bool)
	// Available gives the points available in all.
	Available() Points
}

// env answers what expressions ask while a form is evaluated.
type env struct {
	fill  *Filled
	frame *frame
	self  expr.Value
	unit  *UnitFacts
	lists *TypeLists
	now   time.Time
	score ScoreView
	// choice is the one in question while choices are filtered.
	choice *Choice
}

// Column gives a column of the choice in question.
func (e *env) Column(name string) string {
	switch {
	case e.choice == nil:
		return ""
	case name == "name":
		return e.choice.Name
	}
	return e.choice.Columns[name]
}

// Ref gives the value in a slot as seen from the current frame: its own value,
// or the values of all instances when the slot is inside a repeat elsewhere.
func (e *env) Ref(slot int) expr.Value {
	n := &e.fill.form.nodes[slot]
	if n.inner >= 0 { // a repeat stands for its instances
		var rows []expr.Value
		for range e.fill.within(e.frame, n.inner) {
			rows = append(rows, expr.Str(n.name))
		}
		return expr.NodeSet(rows)
	}
	for f := e.frame; f != nil; f = f.parent {
		if f.scope == n.scope {
			return f.cells[n.local].Value
		}
	}
	var values []expr.Value
	for f := range e.fill.within(e.frame, n.scope) {
		if c := &f.cells[n.local]; c.State != NotAsked {
			values = append(values, c.Value)
		}
	}
	return expr.NodeSet(values)
}

// Self gives the value of ".".
func (e *env) Self() expr.Value { return e.self }

// Now gives the host's clock, in the round's zone.
func (e *env) Now() time.Time { return e.now }

// Position gives the 1-based index of the current repeat instance, 0 outside.
func (e *env) Position() int {
	if e.frame == nil || e.frame.scope == 0 {
		return 0
	}
	return e.frame.index + 1
}

// unitFunctions ask about the unit that is assessed. They may be used anywhere;
// in `applies` nothing else may.
var unitFunctions = map[string]expr.Function{
	"unit": {Name: "unit", MinArgs: 1, MaxArgs: 1, Result: expr.TextType, Eval: func(x expr.Env, args []expr.Value) expr.Value {
		e, ok := x.(*env)
		if !ok || e.unit == nil {
			return expr.BlankValue()
		}
		switch args[0].Text() {
		case "sector":
			return expr.Str(e.unit.Sector)
		case "structure":
			return expr.Str(e.unit.Structure)
		case "setting":
			return expr.Str(e.unit.Setting)
		case "members":
			return expr.Num(float64(e.unit.Members))
		}
		return expr.BlankValue()
	}},
	"tagged": {Name: "tagged", MinArgs: 1, MaxArgs: 1, Result: expr.BoolType, Eval: func(x expr.Env, args []expr.Value) expr.Value {
		e, ok := x.(*env)
		return expr.Boolean(ok && e.unit != nil && e.unit.Tagged(args[0].Text()))
	}},
	"under": {Name: "under", MinArgs: 1, MaxArgs: 1, Result: expr.BoolType, Eval: func(x expr.Env, args []expr.Value) expr.Value {
		e, ok := x.(*env)
		return expr.Boolean(ok && e.unit != nil && e.lists != nil && e.lists.SectorUnder(e.unit.Sector, args[0].Text()))
	}},
}

// scoreFunctions ask about the score; only caps may use them. What was not
// available gives blank, so that no comparison with it is true.
var scoreFunctions = map[string]expr.Function{
	"points": {Name: "points", MinArgs: 1, MaxArgs: 1, Result: expr.NumberType, Eval: func(x expr.Env, args []expr.Value) expr.Value {
		if e, ok := x.(*env); ok && e.score != nil {
			if earned, _, ok := e.score.Points(args[0].Text()); ok {
				return expr.Num(earned.Float())
			}
		}
		return expr.BlankValue()
	}},
	"max_points": {Name: "max_points", MinArgs: 1, MaxArgs: 1, Result: expr.NumberType, Eval: func(x expr.Env, args []expr.Value) expr.Value {
		if e, ok := x.(*env); ok && e.score != nil {
			if p, ok := e.score.MaxPoints(args[0].Text()); ok {
				return expr.Num(p.Float())
			}
		}
		return expr.BlankValue()
	}},
	"share": {Name: "share", MinArgs: 1, MaxArgs: 1, Result: expr.NumberType, Eval: func(x expr.Env, args []expr.Value) expr.Value {
		if e, ok := x.(*env); ok && e.score != nil {
			if earned, available, ok := e.score.Points(args[0].Text()); ok && available > 0 {
				return expr.Num(float64(earned) / float64(available))
			}
		}
		return expr.BlankValue()
	}},
	"available": {Name: "available", MinArgs: 0, MaxArgs: 0, Result: expr.NumberType, Eval: func(x expr.Env, _ []expr.Value) expr.Value {
		if e, ok := x.(*env); ok && e.score != nil {
			return expr.Num(e.score.Available().Float())
		}
		return expr.BlankValue()
	}},
}
