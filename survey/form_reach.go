package survey

import (
	"math"
	"slices"

	"github.com/khaosat/khaosat/survey/expr"
)

// checkReach finds items that no answers can bring up. What lies within a group
// that nobody reaches is not told as well.
func (c *compiler) checkReach() {
	lost := make([]bool, len(c.form.nodes))
	conditions := make([][]*expr.Program, len(c.form.nodes))
	for slot := range c.form.nodes {
		n := &c.form.nodes[slot]
		if n.parent >= 0 {
			lost[slot], conditions[slot] = lost[n.parent], conditions[n.parent]
		}
		if n.note >= 0 || n.relevant == nil || lost[slot] {
			continue
		}
		conditions[slot] = append(slices.Clip(conditions[slot]), n.relevant)
		if expr.Never(conditions[slot], c.domain, noCalls) {
			lost[slot] = true
			c.report(SeverityWarning, "item.unreachable", itemPlace(n.item, "relevant"), n.item.Relevant, nil)
		}
	}
}

func noCalls(string, string) (expr.Domain, bool) { return expr.Domain{}, false }

// domain tells what is known of the answers to an item: those of a calculation
// can be anything.
func (c *compiler) domain(slot int) expr.Domain {
	n := &c.form.nodes[slot]
	switch n.kind {
	case KindInteger, KindDecimal:
		return expr.Domain{Number: true, Whole: n.kind == KindInteger, Low: math.Inf(-1), High: math.Inf(1)}
	case KindSelectOne, KindRubric, KindSelectMultiple:
		if n.list == nil || len(n.list.Choices) == 0 {
			break
		}
		d := expr.Domain{Many: n.kind == KindSelectMultiple}
		for i := range n.list.Choices {
			d.Choices = append(d.Choices, n.list.Choices[i].Name)
		}
		return d
	}
	return expr.Domain{}
}

// checkCap finds a cap that no answers can make fire, or that takes nothing
// away when it does.
func (c *compiler) checkCap(k *Cap, when *expr.Program, at Place) {
	if when != nil && expr.Never([]*expr.Program{when}, c.domain, c.scoreDomain) {
		c.report(SeverityWarning, "cap.never", at, k.When, nil)
	}
	if c.t.Scheme.Band(k.Band) == 0 {
		at.Column = "band"
		c.report(SeverityWarning, "cap.top", at, k.Band, nil)
	}
}

// scoreDomain tells between what figures a question about the score is answered.
func (c *compiler) scoreDomain(function, name string) (expr.Domain, bool) {
	between := func(low, high Points) (expr.Domain, bool) {
		return expr.Domain{Number: true, Low: low.Float(), High: high.Float()}, true
	}
	var low, high, top Points
	fixed, found := true, false
	for _, slot := range c.form.scored {
		n := &c.form.nodes[slot]
		if function != "available" && n.name != name && (n.section < 0 || c.form.sections[n.section].Item.Name != name) {
			continue
		}
		found = true
		l, h, ok := c.pointsOf(n)
		low, high, fixed = low+l, high+h, fixed && ok
		top += max(0, *n.item.Points)
	}
	switch {
	case !found:
	case function == "available" || function == "max_points":
		return between(0, top)
	case !fixed:
	case function == "points":
		return between(low, high)
	case function == "share" && low == 0:
		return expr.Domain{Number: true, High: 1}, true
	}
	return expr.Domain{}, false
}

// pointsOf gives the least and the most that an item can earn; false where that
// depends on more than its choices and steps.
func (c *compiler) pointsOf(n *node) (low, high Points, ok bool) {
	if n.item.Bonus || n.item.Reverse || *n.item.Points < 0 {
		return 0, 0, false
	}
	high = *n.item.Points
	add := func(p Points) {
		low, high = min(low, p), max(high, p)
	}
	for i := range n.steps {
		if n.steps[i].Points != nil {
			return 0, 0, false
		}
		add(n.steps[i].Value)
	}
	if len(n.steps) == 0 && n.list != nil {
		sum := Points(0)
		for i := range n.list.Choices {
			if p := n.list.Choices[i].Points; p != nil {
				add(*p)
				sum += min(0, *p)
			}
		}
		if n.kind == KindSelectMultiple {
			low = sum
		}
	}
	return low, high, true
}

// checkNotes finds references to notes, which nobody answers.
func (c *compiler) checkNotes(at Place, parsed *expr.Expr) {
	for _, ref := range parsed.Refs() {
		slot, ok := c.form.slots[ref.Name]
		if !ok || ref.LastSaved {
			continue
		}
		if it := c.form.nodes[slot].item; c.form.nodes[slot].kind == KindNote && it.Calculation == "" && it.Default == "" {
			where := at
			where.Pos = &ref.Pos
			c.report(SeverityWarning, "ref.note", where, ref.Name, nil)
		}
	}
}
