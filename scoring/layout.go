package scoring

import (
	"github.com/khaosat/khaosat/survey"
)

// Codes stand for what an item came to, in packed rows and in histograms. Up to
// firstValue they say why there is no value; from there on they are the index of
// the choice or step plus firstValue.
const (
	codeNotAsked = iota
	codeBlank
	codeNA
	codeNotObserved
	codeNotApplied
	firstValue
)

// Layout says how responses to one template version lie in packed rows.
type Layout struct {
	scorer *Scorer
	items  []layoutItem
	width  int // codes an item may have, at most
	bytes  int // of all items in a row
}

type layoutItem struct {
	slot   int
	name   string
	scored int // index among the scored items, -1
	// points earned by value code less firstValue; nil when they vary.
	points []survey.Points
	// varies: two bytes of points follow the code.
	varies bool
	max    survey.Points
	values int // number of value codes
}

// Layout gives the layout of packed rows for the scorer's template version:
// the scored items in form order, then every other select_one outside of
// repeats whose list is not too long for a byte. It depends on nothing but the version, which never changes.
func (s *Scorer) Layout() *Layout {
	l := &Layout{scorer: s}
	for i := range s.items {
		l.add(s.layoutScored(i))
	}
	for slot := range s.form.Len() {
		item, note := s.form.Item(slot)
		single := item.Kind == survey.KindSelectOne || item.Kind == survey.KindRubric
		if note || !single || item.Points != nil || s.form.InRepeat(slot) || len(s.form.List(slot).Choices) > survey.MaxCode {
			continue
		}
		l.add(layoutItem{slot: slot, name: item.Name, scored: -1, values: len(s.form.List(slot).Choices)})
	}
	return l
}

func (l *Layout) add(it layoutItem) {
	l.items = append(l.items, it)
	l.width = max(l.width, firstValue+it.values)
	l.bytes++
	if it.varies {
		l.bytes += 2
	}
}

func (s *Scorer) layoutScored(i int) layoutItem {
	it := &s.items[i]
	out := layoutItem{slot: it.slot, name: it.item.Name, scored: i, max: it.max}
	fixed := func(p survey.Points) {
		if it.item.Reverse {
			p = it.max - p
		}
		out.points = append(out.points, p)
	}
	switch {
	case len(it.steps) > 0:
		for j := range it.steps {
			out.varies = out.varies || it.steps[j].Points != nil
			fixed(it.steps[j].Value)
		}
		fixed(0) // no step was true
	case it.item.Kind == survey.KindSelectMultiple:
		out.varies = true
	case it.list != nil:
		for j := range it.list.Choices {
			p := survey.Points(0)
			if q := it.list.Choices[j].Points; q != nil {
				p = *q
			}
			fixed(p)
		}
	}
	if out.varies {
		out.points, out.values = nil, 1
	} else {
		out.values = len(out.points)
	}
	return out
}

// code gives the code and, for items whose points vary, the points.
func (l *Layout) code(it *layoutItem, r *Result) (byte, survey.Points) {
	cell := r.filled.Cell(it.slot)
	if !cell.Applies {
		return codeNotApplied, 0
	}
	switch cell.State {
	case survey.NotAsked:
		return codeNotAsked, 0
	case survey.Blank:
		return codeBlank, 0
	case survey.NotApplicable:
		return codeNA, 0
	case survey.NotObserved:
		return codeNotObserved, 0
	}
	if it.scored < 0 {
		return byte(firstValue + int(cell.Choice)), 0
	}
	score := &r.Items[it.scored]
	if it.varies {
		return firstValue, score.Earned
	}
	return byte(firstValue + int(score.Choice)), 0
}
