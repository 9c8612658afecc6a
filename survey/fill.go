package survey

import (
	"iter"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/khaosat/khaosat/survey/expr"
)

// Context is what a filled-in form depends on besides its answers.
type Context struct {
	Unit  *UnitFacts // nil when the unit is not known
	Lists *TypeLists // for under(); may be nil
	Now   time.Time  // the moment of filling in, in the round's zone
}

// Filled is a form with answers: every item has its state and value, skip
// logic, defaults and calculations done. It belongs to one goroutine.
type Filled struct {
	form   *Form
	env    env
	frames [][]*frame // by scope, in document order
	found  []foundProblem
}

// frame holds the values of one scope instance.
type frame struct {
	scope   int
	index   int // among its siblings
	parent  *frame
	cells   []Cell
	pointer string
}

// Cell is what stands for one node in one instance.
type Cell struct {
	State AnswerState
	// Applies is false when the item is no part of the form for this unit.
	Applies bool
	// Choice is the index of the choice taken by a select_one or rubric, else -1.
	Choice int16
	Value  expr.Value
	given  *Value
}

type foundProblem struct {
	slot, index int
	problem     Problem
}

// Fill puts answers into the form. It never fails: what does not fit is left
// blank and reported by Problems.
func (f *Form) Fill(answers Answers, ctx Context) *Filled {
	fl := &Filled{form: f, frames: make([][]*frame, len(f.scopes))}
	fl.env = env{fill: fl, unit: ctx.Unit, lists: ctx.Lists, now: ctx.Now}
	if fl.env.unit == nil {
		fl.env.unit = &UnitFacts{}
	}
	fl.take(answers, 0, nil, 0, "")
	for _, slot := range f.order {
		n := &f.nodes[slot]
		for _, fr := range fl.frames[n.scope] {
			fl.evaluate(slot, n, fr)
		}
	}
	return fl
}

// frames are used again: a form has thousands of bytes of cells, and where many
// are scored one after the other they would be most of the garbage.
var frames = sync.Pool{New: func() any { return new(frame) }}

// Release says that nobody will look at the form any more, so that its memory
// may be used for the next one. It need not be called; nothing of the form, what
// its methods gave included, may be used afterwards.
func (fl *Filled) Release() {
	for _, list := range fl.frames {
		for _, fr := range list {
			clear(fr.cells)
			*fr = frame{cells: fr.cells[:0]}
			frames.Put(fr)
		}
	}
	fl.frames = nil
}

// take lays the given values of one instance into a new frame.
func (fl *Filled) take(answers Answers, in int, parent *frame, index int, pointer string) {
	sc := &fl.form.scopes[in]
	fr := frames.Get().(*frame)
	cells := fr.cells
	if cap(cells) < sc.size {
		cells = make([]Cell, sc.size)
	}
	*fr = frame{scope: in, index: index, parent: parent, cells: cells[:sc.size], pointer: pointer}
	fl.frames[in] = append(fl.frames[in], fr)
	for i := range answers {
		a := &answers[i]
		slot, known := sc.names[a.Item]
		if !known {
			fl.unknownItem(a.Item, in, pointer)
			continue
		}
		n := &fl.form.nodes[slot]
		fr.cells[n.local].given = &a.Value
		if n.inner < 0 {
			continue
		}
		at := pointer + "/" + EscapePointer(a.Item)
		if a.Value.Kind != ValueRows && !a.Value.IsBlank() {
			fl.report(slot, fr, Problem{Severity: SeverityError, Code: "answer.not_rows"})
			continue
		}
		for row := range a.Value.Rows {
			fl.take(a.Value.Rows[row], n.inner, fr, row, at+"/"+strconv.Itoa(row))
		}
	}
}

func (fl *Filled) unknownItem(name string, in int, pointer string) {
	p := Problem{Severity: SeverityError, Code: "answer.unknown_item", Value: name,
		Place: Place{Pointer: pointer + "/" + EscapePointer(name), Item: name}}
	if slot, elsewhere := fl.form.slots[name]; elsewhere {
		p.Code = "answer.wrong_level"
		p.Args = Args{"parent": ""}
		if up := fl.form.scopes[fl.form.nodes[slot].scope].repeat; up >= 0 {
			p.Args["parent"] = fl.form.nodes[up].name
		}
	} else {
		names := make([]string, 0, len(fl.form.scopes[in].names))
		for n := range fl.form.scopes[in].names {
			names = append(names, n)
		}
		sort.Strings(names) // so that the suggestion does not depend on chance
		p.Suggestion = Closest(name, names)
	}
	fl.found = append(fl.found, foundProblem{slot: len(fl.form.nodes), problem: p})
}

// report files a problem about a node in a frame.
func (fl *Filled) report(slot int, fr *frame, p Problem) {
	n := &fl.form.nodes[slot]
	if p.Severity == "" {
		p.Severity = SeverityError
	}
	p.Place = Place{Pointer: fr.pointer + "/" + EscapePointer(n.name), Item: n.name}
	fl.found = append(fl.found, foundProblem{slot: slot, index: fr.index, problem: p})
}

// within yields the frames of a scope that lie inside the given frame; all of
// them when the frame does not enclose the scope.
func (fl *Filled) within(around *frame, scope int) iter.Seq[*frame] {
	return func(yield func(*frame) bool) {
		// The widest instance that encloses both decides.
		var common *frame
		for f := around; f != nil; f = f.parent {
			if fl.form.encloses(f.scope, scope) {
				common = f
				break
			}
		}
		for _, f := range fl.frames[scope] {
			if common != nil && !f.inside(common) {
				continue
			}
			if !yield(f) {
				return
			}
		}
	}
}

func (f *frame) inside(outer *frame) bool {
	for p := f; p != nil; p = p.parent {
		if p == outer {
			return true
		}
	}
	return false
}

// cell finds the cell of a slot as seen from a frame that is in the slot's
// scope or inside it.
func (fl *Filled) cell(slot int, from *frame) *Cell {
	n := &fl.form.nodes[slot]
	for f := from; f != nil; f = f.parent {
		if f.scope == n.scope {
			return &f.cells[n.local]
		}
	}
	return nil
}

// evaluate settles one node in one instance. All it depends on is settled.
func (fl *Filled) evaluate(slot int, n *node, fr *frame) {
	c := &fr.cells[n.local]
	c.Choice = -1
	asked := true
	c.Applies = true
	if n.parent >= 0 {
		up := fl.cell(n.parent, fr)
		asked, c.Applies = up.State != NotAsked, up.Applies
	}
	if n.note >= 0 {
		of := fl.cell(n.note, fr)
		asked, c.Applies = of.State != NotAsked, of.Applies
	}
	fl.env.frame = fr
	if c.Applies && n.applies != nil {
		c.Applies = n.applies.Eval(&fl.env).Truth()
	}
	if asked && c.Applies && n.relevant != nil {
		fl.env.self = c.Value
		asked = n.relevant.Eval(&fl.env).Truth()
	}
	if !asked || !c.Applies {
		fl.notAsked(slot, n, fr, c)
		return
	}
	switch {
	case n.kind.HasItems():
		c.State = Answered
	case n.kind == KindNote:
		c.State, c.Value = Blank, expr.BlankValue()
	case n.kind == KindCalculate && c.given != nil && n.item.Metadata() && fl.readMetadata(n, c):
	case n.kind == KindCalculate:
		c.settle(n.calculation.Eval(&fl.env))
	case c.given != nil:
		fl.read(slot, n, fr, c)
	case n.initial != nil:
		fl.readDefault(slot, n, fr, c)
	default:
		c.State, c.Value = Blank, expr.BlankValue()
	}
}

func (fl *Filled) notAsked(slot int, n *node, fr *frame, c *Cell) {
	if c.given != nil && !c.given.IsBlank() && n.kind != KindCalculate && !n.kind.HasItems() {
		fl.report(slot, fr, Problem{Severity: SeverityWarning, Code: "answer.not_asked"})
	}
	c.State, c.Value, c.given = NotAsked, expr.NotAskedValue(), nil
}

// readMetadata takes what a client filled in by itself. It is false for what is
// not of the shape, which the calculation then stands in for.
func (fl *Filled) readMetadata(n *node, c *Cell) bool {
	if c.given.Kind != ValueText || c.given.Text == "" || textFault(c.given.Text) != "" {
		return false
	}
	s := c.given.Text
	switch n.item.Type {
	case "today":
		d, err := time.Parse(dateLayout, s)
		if err != nil {
			return false
		}
		c.Value = expr.DateValue(float64(DateOf(d)))
	case "start", "end":
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return false
		}
		c.Value = expr.DateTimeValue(float64(t.UnixMilli()) / 86400e3)
	default:
		c.Value = expr.Str(s)
	}
	c.State = Answered
	return true
}

// settle takes what a calculation came to; nothing, and what is no number, is blank.
func (c *Cell) settle(v expr.Value) {
	if v.IsEmpty() || (v.Kind() == expr.Number && v.Number() != v.Number()) {
		c.State, c.Value = Blank, expr.BlankValue()
		return
	}
	c.State, c.Value = Answered, v
}

// readDefault takes the value of a default expression as if it had been given.
func (fl *Filled) readDefault(slot int, n *node, fr *frame, c *Cell) {
	v := n.initial.Eval(&fl.env)
	if v.IsEmpty() {
		c.State, c.Value = Blank, expr.BlankValue()
		return
	}
	given := TextValue(v.Text())
	if n.kind == KindInteger || n.kind == KindDecimal {
		given = NumberValue(v.Number())
	}
	c.given = &given
	if v.Kind() == expr.Number && v.Number() != v.Number() {
		c.given = nil
		c.State, c.Value = Blank, expr.BlankValue()
		return
	}
	fl.read(slot, n, fr, c)
}

// Form gives the form.
func (fl *Filled) Form() *Form { return fl.form }

// Cell gives the cell of a slot outside of repeats.
func (fl *Filled) Cell(slot int) *Cell {
	n := &fl.form.nodes[slot]
	if n.scope != 0 {
		return nil
	}
	return &fl.frames[0][0].cells[n.local]
}

// Given reports whether the cell's item was in the answers or took a default.
func (c *Cell) Given() bool { return c.given != nil }

// Eval evaluates one of the form's programs at the top of the form, with "."
// standing for the value in slot (-1: nothing) and the score's functions
// answered by score, which may be nil.
func (fl *Filled) Eval(p *expr.Program, slot int, score ScoreView) expr.Value {
	fl.env.frame, fl.env.score, fl.env.self = fl.frames[0][0], score, expr.BlankValue()
	if slot >= 0 {
		fl.env.self = fl.Cell(slot).Value
	}
	return p.Eval(&fl.env)
}

// MeetingDate gives the day of the meeting, zero when the form has none or it
// was left blank.
func (fl *Filled) MeetingDate() Date {
	if fl.form.meeting < 0 {
		return 0
	}
	if c := fl.Cell(fl.form.meeting); c.State == Answered {
		return Date(c.Value.Number())
	}
	return 0
}

// Answers gives the answers as they are kept: in template order, items that
// were not asked left out, blank ones null, calculations included.
func (fl *Filled) Answers() Answers { return fl.answersOf(fl.frames[0][0]) }

func (fl *Filled) answersOf(fr *frame) Answers {
	sc := &fl.form.scopes[fr.scope]
	out := make(Answers, 0, sc.size)
	for slot := range fl.form.nodes {
		n := &fl.form.nodes[slot]
		if n.scope != fr.scope || n.kind == KindGroup || n.kind == KindNote {
			continue
		}
		c := &fr.cells[n.local]
		switch {
		case c.State == NotAsked:
		case n.inner >= 0:
			v := RowsValue()
			for _, child := range fl.frames[n.inner] {
				if child.parent == fr {
					v.Rows = append(v.Rows, fl.answersOf(child))
				}
			}
			out = append(out, Answer{n.name, v})
		case c.State == Blank:
			out = append(out, Answer{Item: n.name})
		default:
			out = append(out, Answer{n.name, c.kept(n.kind)})
		}
	}
	return out
}

// kept gives the value in the shape in which it is stored.
func (c *Cell) kept(k ItemKind) Value {
	if k == KindCalculate {
		if c.Value.Kind() == expr.Number {
			return NumberValue(c.Value.Number())
		}
		return TextValue(c.Value.Text())
	}
	if c.given != nil {
		if k == KindSelectMultiple && c.given.Kind == ValueText {
			return ListValue(splitChoices(c.given.Text)...)
		}
		return *c.given
	}
	return Value{}
}

// Problems gives what did not fit when the answers were put in, in form order.
// Validate adds the rules of the form to it.
func (fl *Filled) Problems() Problems {
	sort.SliceStable(fl.found, func(i, j int) bool {
		if fl.found[i].slot != fl.found[j].slot {
			return fl.found[i].slot < fl.found[j].slot
		}
		return fl.found[i].index < fl.found[j].index
	})
	out := make(Problems, len(fl.found))
	for i := range fl.found {
		out[i] = fl.found[i].problem
	}
	return out
}
