package survey

import (
	"errors"
	"sort"

	"github.com/khaosat/khaosat/survey/expr"
)

// Form is a template made ready for use: names resolved, expressions compiled
// and put in the order in which they depend on each other. It is immutable and
// safe for concurrent use. Slots number the nodes of the form in template
// order; expressions refer to them.
type Form struct {
	Template *Template
	nodes    []node
	slots    map[string]int
	scopes   []scope
	order    []int // slots in an order of evaluation
	checks   []formCheck
	caps     []*expr.Program
	applies  *expr.Program // of the scheme, nil: every unit
	scored   []int         // slots with points, in template order, groups left out
	sections []Section
	meeting  int // slot of the meeting date, -1 if the form has none
}

// MeetingDateItem is the name of the item that holds the day of the meeting;
// the one name the program itself relies on. A form without it is not about a
// meeting, and the day it was filled in stands instead.
const MeetingDateItem = "meeting_date"

// node is one place in the form: a template item, or the note that goes with one.
type node struct {
	item   *Item
	name   string
	kind   ItemKind
	parent int // slot of the enclosing group or repeat, -1 at the top
	scope  int // index in scopes
	local  int // index among the scope's cells
	inner  int // for a repeat: the scope of its children, else -1
	list   *ChoiceList
	note   int // for a note: slot of the item it belongs to, else -1

	relevant, required, constraint, calculation, initial, applies, evidence *expr.Program
	filter                                                                  *expr.Program // of choices
	requireAlways                                                           bool
	steps                                                                   []FormStep
	section                                                                 int // index in sections, -1 outside
}

// scope is a set of nodes that have one value each per instance: the form
// itself (scope 0), or the inside of a repeat.
type scope struct {
	parent int // index of the enclosing scope, -1 for the form
	repeat int // slot of the repeat, -1 for the form
	child  int // ordinal among the parent's scopes
	size   int // number of cells
	nested int // number of scopes directly inside
	names  map[string]int
}

type formCheck struct {
	check *Check
	test  *expr.Program
	slot  int // where the message is shown, -1: the whole form
}

// FormStep is a compiled Step. Fixed points, when Points is nil, are in Value.
type FormStep struct {
	When   *expr.Program
	Points *expr.Program
	Value  Points
}

// Section is a top-level group that holds scored items.
type Section struct {
	Slot   int
	Item   *Item
	Points Points // what its items are worth, for templates without applies
	Scored []int  // slots of its scored items
}

// Slot finds the slot of a name.
func (f *Form) Slot(name string) (int, bool) {
	s, ok := f.slots[name]
	return s, ok
}

// Len is the number of slots.
func (f *Form) Len() int { return len(f.nodes) }

// Item gives the template item in a slot. For an evidence note it is the
// scored item's, and note is true.
func (f *Form) Item(slot int) (item *Item, note bool) {
	n := &f.nodes[slot]
	if n.note >= 0 {
		return f.nodes[n.note].item, true
	}
	return n.item, false
}

// Name gives the name in a slot.
func (f *Form) Name(slot int) string { return f.nodes[slot].name }

// Kind gives the kind of what is in a slot.
func (f *Form) Kind(slot int) ItemKind { return f.nodes[slot].kind }

// List gives the choice list of a slot, nil if it has none.
func (f *Form) List(slot int) *ChoiceList { return f.nodes[slot].list }

// Steps gives the compiled steps of a slot.
func (f *Form) Steps(slot int) []FormStep { return f.nodes[slot].steps }

// Parent gives the slot of the enclosing group or repeat, -1 at the top.
func (f *Form) Parent(slot int) int { return f.nodes[slot].parent }

// InRepeat reports whether a slot can have several instances.
func (f *Form) InRepeat(slot int) bool { return f.nodes[slot].scope > 0 }

// Scored gives the slots of the scored items in template order.
func (f *Form) Scored() []int { return f.scored }

// Sections gives the sections that hold scored items, in template order.
func (f *Form) Sections() []Section { return f.sections }

// SectionOf gives the index in Sections of a scored slot, -1 if it is in none.
func (f *Form) SectionOf(slot int) int { return f.nodes[slot].section }

// Caps gives the compiled conditions of the scheme's caps, in their order.
func (f *Form) Caps() []*expr.Program { return f.caps }

// AppliesTo reports whether the template is meant for the unit.
func (f *Form) AppliesTo(unit *UnitFacts, lists *TypeLists) bool {
	if f.applies == nil {
		return true
	}
	return f.applies.Eval(&env{unit: unit, lists: lists}).Truth()
}

// Compile makes a template ready for use and finds everything that is wrong
// with it, each with its place: names, labels and languages, lists, kinds,
// expressions with positions, circles with their path, points that do not add
// up, bands and caps. Lists may be nil; with them it is checked that the points
// add up for every kind of unit. The form is nil when there are errors.
func Compile(t *Template, lists *TypeLists) (*Form, Problems) {
	c := &compiler{form: &Form{Template: t, slots: map[string]int{}, meeting: -1}, t: t}
	c.checkTexts()
	c.checkLists()
	c.layOut()
	c.compileExpressions()
	c.orderByDependency()
	c.checkReach()
	c.compileScheme()
	c.compileChecks()
	if !c.problems.HasErrors() {
		c.checkSums(lists)
	}
	c.sortProblems()
	if c.problems.HasErrors() {
		return nil, c.problems
	}
	return c.form, c.problems
}

type compiler struct {
	form     *Form
	t        *Template
	problems Problems
	deps     [][]int // for each slot, the slots it is worked out from
}

func (c *compiler) report(sev Severity, code string, place Place, value string, args Args) *Problem {
	c.problems = append(c.problems, Problem{Severity: sev, Code: code, Place: place, Value: value, Args: args})
	return &c.problems[len(c.problems)-1]
}

func (c *compiler) itemError(it *Item, column, code, value string, args Args) *Problem {
	return c.report(SeverityError, code, itemPlace(it, column), value, args)
}

func itemPlace(it *Item, column string) Place {
	return Place{Sheet: "survey", Row: it.Row, Column: column, Item: it.Name}
}

// sortProblems puts problems in the order in which a person meets them.
func (c *compiler) sortProblems() {
	sheets := map[string]int{"settings": 0, "survey": 1, "choices": 2, "checks": 3, "bands": 4, "caps": 5, "scoring": 6}
	sort.SliceStable(c.problems, func(i, j int) bool {
		a, b := c.problems[i].Place, c.problems[j].Place
		if a.Sheet != b.Sheet {
			return sheets[a.Sheet] < sheets[b.Sheet]
		}
		return a.Row < b.Row
	})
}

// layOut gives every item, and every evidence note, its slot and scope.
func (c *compiler) layOut() {
	f := c.form
	f.scopes = []scope{{parent: -1, repeat: -1, names: map[string]int{}}}
	rows := map[string]*Item{}
	var place func(items []Item, parent, scope, section int)
	place = func(items []Item, parent, in, section int) {
		for i := range items {
			it := &items[i]
			c.checkName(it, rows)
			slot := c.addNode(it, it.Name, it.Kind, parent, in, -1)
			n := &f.nodes[slot]
			n.section = section
			if it.Kind.Chooses() {
				n.list = c.t.List(it.List)
			}
			if it.Name == MeetingDateItem && it.Kind == KindDate && in == 0 {
				f.meeting = slot
			}
			switch {
			case it.Kind == KindRepeat:
				inner := len(f.scopes)
				f.scopes = append(f.scopes, scope{parent: in, repeat: slot, child: f.scopes[in].nested, names: map[string]int{}})
				f.scopes[in].nested++
				f.nodes[slot].inner = inner
				place(it.Items, slot, inner, section)
			case it.Kind == KindGroup:
				sub := section
				if sub < 0 && holdsPoints(it.Items) {
					sub = len(f.sections)
					s := Section{Slot: slot, Item: it}
					if it.Points != nil {
						s.Points = *it.Points
					}
					f.sections = append(f.sections, s)
				}
				place(it.Items, slot, in, sub)
			case it.Points != nil:
				f.scored = append(f.scored, slot)
				if section >= 0 {
					f.sections[section].Scored = append(f.sections[section].Scored, slot)
				}
			}
			if it.Evidence != "" && !it.Kind.HasItems() {
				note := c.addNode(it, NoteName(it.Name), KindText, parent, in, slot)
				f.nodes[note].section = section
			}
		}
	}
	place(c.t.Items, -1, 0, -1)
}

func holdsPoints(items []Item) bool {
	for i := range items {
		if (items[i].Points != nil && !items[i].Kind.HasItems()) || holdsPoints(items[i].Items) {
			return true
		}
	}
	return false
}

func (c *compiler) addNode(it *Item, name string, kind ItemKind, parent, in, note int) int {
	f := c.form
	slot := len(f.nodes)
	f.nodes = append(f.nodes, node{item: it, name: name, kind: kind, parent: parent, scope: in,
		local: f.scopes[in].size, inner: -1, note: note, section: -1})
	f.scopes[in].size++
	if _, taken := f.slots[name]; !taken {
		f.slots[name] = slot
	}
	if _, taken := f.scopes[in].names[name]; !taken {
		f.scopes[in].names[name] = slot
	}
	return slot
}

// exprScope answers the expression compiler's questions about names as seen
// from one node.
type exprScope struct {
	form  *Form
	scope int
	self  expr.Type
	dot   bool // whether "." stands for anything
	caps  bool // whether points(), share() and the like may be asked
	unit  bool // whether only the unit may be asked, as in applies
}

// Resolve finds a name.
func (s exprScope) Resolve(name string) (expr.Resolved, bool) {
	if s.unit {
		return expr.Resolved{}, false
	}
	slot, ok := s.form.slots[name]
	if !ok {
		return expr.Resolved{}, false
	}
	n := &s.form.nodes[slot]
	return expr.Resolved{Slot: slot, Type: typeOf(n.kind), Repeat: n.kind == KindRepeat || !s.form.encloses(n.scope, s.scope)}, true
}

// Names lists every name, for suggestions.
func (s exprScope) Names() []string {
	if s.unit {
		return nil
	}
	names := make([]string, 0, len(s.form.nodes))
	for i := range s.form.nodes {
		names = append(names, s.form.nodes[i].name)
	}
	return names
}

// Self is the type of ".".
func (s exprScope) Self() (expr.Type, bool) { return s.self, s.dot }

// Function finds a function of ours.
func (s exprScope) Function(name string) (expr.Function, bool) {
	if fn, ok := unitFunctions[name]; ok {
		return fn, true
	}
	if s.caps {
		fn, ok := scoreFunctions[name]
		return fn, ok
	}
	return expr.Function{}, false
}

// encloses reports whether scope outer is inner or one around it.
func (f *Form) encloses(outer, inner int) bool {
	for s := inner; s >= 0; s = f.scopes[s].parent {
		if s == outer {
			return true
		}
	}
	return false
}

func typeOf(k ItemKind) expr.Type {
	switch k {
	case KindInteger, KindDecimal:
		return expr.NumberType
	case KindDate:
		return expr.DateType
	case KindTime:
		return expr.TimeType
	case KindDateTime:
		return expr.DateTimeType
	case KindSelectOne, KindRubric:
		return expr.ChoiceType
	case KindSelectMultiple:
		return expr.ChoicesType
	case KindGeopoint:
		return expr.GeoType
	case KindImage:
		return expr.MediaType
	case KindText, KindNote:
		return expr.TextType
	}
	return expr.Any // calculate: whatever it works out to
}

// compileExpressions compiles every expression of every item.
func (c *compiler) compileExpressions() {
	f := c.form
	c.deps = make([][]int, len(f.nodes))
	for slot := range f.nodes {
		n := &f.nodes[slot]
		if n.note >= 0 {
			// A note is asked whenever its item is, and required by its rule.
			n.evidence = c.compile(n.item, "evidence", n.item.Evidence, exprScope{form: f, scope: n.scope, self: typeOf(n.item.Kind), dot: true})
			c.depend(slot, n.note)
			continue
		}
		it := n.item
		here := exprScope{form: f, scope: n.scope}
		own := exprScope{form: f, scope: n.scope, self: typeOf(n.kind), dot: true}
		n.relevant = c.compile(it, "relevant", it.Relevant, here)
		n.calculation = c.compile(it, "calculation", it.Calculation, here)
		n.initial = c.compile(it, "default", it.Default, here)
		n.required = c.compile(it, "required", it.Required, here)
		n.constraint = c.compile(it, "constraint", it.Constraint, own)
		n.applies = c.compile(it, "applies", it.Applies, exprScope{form: f, scope: 0, unit: true})
		c.checkChoiceFilter(it)
		n.filter = c.compileFilter(it, here)
		if n.kind == KindCalculate && it.Calculation == "" {
			c.itemError(it, "calculation", "item.no_calculation", "", nil)
		}
		n.requireAlways = it.Required == "" && it.Points != nil && !it.Bonus && !it.Kind.HasItems()
		c.depend(slot, n.parent)
		for _, p := range []*expr.Program{n.relevant, n.calculation, n.initial} {
			if p != nil {
				c.depend(slot, p.Slots()...)
			}
		}
		c.compileSteps(n, own)
	}
}

func (c *compiler) depend(slot int, on ...int) {
	for _, d := range on {
		if d >= 0 {
			c.deps[slot] = append(c.deps[slot], d)
		}
	}
}

func (c *compiler) compileSteps(n *node, own exprScope) {
	if n.kind == KindCalculate {
		own.self = expr.Any
	}
	for _, s := range n.item.Steps {
		step := FormStep{When: c.compile(n.item, "steps", s.When, own)}
		if v, ok := ParsePoints(s.Points); ok {
			step.Value = v
		} else {
			step.Points = c.compile(n.item, "steps", s.Points, own)
		}
		n.steps = append(n.steps, step)
	}
}

func (c *compiler) compile(it *Item, column, source string, s exprScope) *expr.Program {
	if source == "" {
		return nil
	}
	return c.compileAt(itemPlace(it, column), source, s)
}

// compileAt compiles one expression and reports what is wrong with it where it stands.
func (c *compiler) compileAt(at Place, source string, s exprScope) *expr.Program {
	parsed, err := expr.Parse(source)
	if err != nil {
		p := c.report(SeverityError, "expr.syntax", at, source, nil)
		var syntax *expr.SyntaxError
		if errors.As(err, &syntax) {
			p.Place.Pos = &syntax.Pos
			p.Text = Text{"vi": syntax.Message("vi"), "en": syntax.Message("en")}
		}
		return nil
	}
	program, problems := parsed.Compile(s)
	failed := false
	for _, ep := range problems {
		sev := SeverityError
		if ep.Severity == expr.Warning {
			sev = SeverityWarning
		} else {
			failed = true
		}
		pos := ep.Pos
		where := at
		where.Pos = &pos
		p := c.report(sev, "expr."+ep.Code, where, source, nil)
		p.Text = Text{"vi": ep.Message("vi"), "en": ep.Message("en")}
		p.Suggestion = ep.Suggestion
	}
	if failed {
		return nil
	}
	c.checkNotes(at, parsed)
	return program
}

// orderByDependency sorts the slots so that each comes after what it is worked
// out from, template order otherwise, and reports circles with their path.
func (c *compiler) orderByDependency() {
	const (
		unseen = iota
		open
		done
	)
	f := c.form
	state := make([]int, len(f.nodes))
	var stack []int
	reported := map[int]bool{}
	var visit func(slot int)
	visit = func(slot int) {
		switch state[slot] {
		case done:
			return
		case open:
			c.reportCircle(stack, slot, reported)
			return
		}
		state[slot] = open
		stack = append(stack, slot)
		for _, d := range c.deps[slot] {
			visit(d)
		}
		stack = stack[:len(stack)-1]
		state[slot] = done
		f.order = append(f.order, slot)
	}
	for slot := range f.nodes {
		visit(slot)
	}
}

func (c *compiler) reportCircle(stack []int, slot int, reported map[int]bool) {
	from := len(stack) - 1
	for from > 0 && stack[from] != slot {
		from--
	}
	circle := stack[from:]
	for _, s := range circle {
		if reported[s] {
			return
		}
	}
	path := ""
	for _, s := range circle {
		reported[s] = true
		path += c.form.nodes[s].name + " → "
	}
	path += c.form.nodes[slot].name
	it, _ := c.form.Item(circle[0])
	column := "calculation"
	if it.Calculation == "" {
		column = "relevant"
	}
	c.itemError(it, column, "expr.circle", "", Args{"path": path})
}

// compileChecks compiles the rules over the whole form.
func (c *compiler) compileChecks() {
	for i := range c.t.Checks {
		k := &c.t.Checks[i]
		at := Place{Sheet: "checks", Row: k.Row, Column: "test", Item: k.Code}
		fc := formCheck{check: k, slot: -1, test: c.compileAt(at, k.Test, exprScope{form: c.form, scope: 0})}
		if k.Item != "" {
			slot, ok := c.form.slots[k.Item]
			if !ok {
				at.Column = "item"
				c.report(SeverityError, "ref.unknown", at, k.Item, nil).Suggestion = c.closest(k.Item)
			}
			fc.slot = slot
		}
		c.form.checks = append(c.form.checks, fc)
	}
}

func (c *compiler) closest(name string) string {
	return Closest(name, exprScope{form: c.form}.Names())
}
