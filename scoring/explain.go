package scoring

import (
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// Graded reports whether there is a total.
func (r *Result) Graded() bool { return r.Reason == Scored }

// Form gives the form that was scored.
func (r *Result) Form() *survey.Form { return r.scorer.form }

// Filled gives the filled-in form that was scored.
func (r *Result) Filled() *survey.Filled { return r.filled }

// Shown gives the total with exactly the scheme's decimals, "95.74"; "" when
// there is none.
func (r *Result) Shown() string {
	if !r.Graded() {
		return ""
	}
	return ShowPoints(r.Total, r.scorer.scheme.Decimals)
}

// ShowPoints writes points with a fixed number of decimals, 0 to 2.
func ShowPoints(p survey.Points, decimals int) string {
	s := p.String()
	whole, fraction, _ := strings.Cut(s, ".")
	if decimals == 0 {
		return whole
	}
	return whole + "." + (fraction + "00")[:decimals]
}

// BandCode gives the code of a band by its index, "" for -1.
func (r *Result) BandCode(i int) string {
	if i < 0 {
		return ""
	}
	return r.scorer.scheme.Bands[i].Code
}

// FiredCaps lists the caps that fired, in the scheme's order.
func (r *Result) FiredCaps() []survey.Cap {
	var out []survey.Cap
	for i := range r.scorer.scheme.Caps {
		if r.Caps&(1<<i) != 0 {
			out = append(out, r.scorer.scheme.Caps[i])
		}
	}
	return out
}

// Receipt gives the score in the form in which it is kept with a response.
func (r *Result) Receipt() *survey.Receipt {
	out := &survey.Receipt{Total: r.Shown(), Available: r.Available.String(), Band: r.BandCode(r.Band),
		BandFirst: r.BandCode(r.BandFirst), NotGraded: string(r.Reason)}
	for _, c := range r.FiredCaps() {
		out.Caps = append(out.Caps, c.Code)
	}
	return out
}

// Line is one scored item in an explanation.
type Line struct {
	Item  *survey.Item
	State survey.AnswerState
	ItemScore
	// Value is what was answered or worked out, as text; Choice is the option
	// taken, nil for items that do not choose; Step the step that was true.
	Value  string
	Option *survey.Choice
	Step   *survey.Step
}

// Lost is what the item could have earned more.
func (s *ItemScore) Lost() survey.Points { return s.Available - s.Earned }

// Lines explains every scored item that applies, in template order.
func (r *Result) Lines() []Line {
	lines := make([]Line, 0, len(r.Items))
	for i := range r.Items {
		if r.Items[i].Applies {
			lines = append(lines, r.line(i))
		}
	}
	return lines
}

func (r *Result) line(i int) Line {
	it := &r.scorer.items[i]
	l := Line{Item: it.item, State: r.Items[i].State, ItemScore: r.Items[i]}
	if c := r.filled.Cell(it.slot); c.State == survey.Answered {
		l.Value = c.Value.Text()
		if it.list != nil && c.Choice >= 0 {
			l.Option = &it.list.Choices[c.Choice]
		}
	}
	if n := int(l.ItemScore.Choice); len(it.steps) > 0 && n >= 0 && n < len(it.steps) {
		l.Step = &it.item.Steps[n]
	}
	return l
}

// Deductions lists the items that earned less than was available, in template order.
func (r *Result) Deductions() []Line {
	lost := func(i int) bool { return r.Items[i].Applies && r.Items[i].Lost() > 0 }
	n := 0
	for i := range r.Items {
		if lost(i) {
			n++
		}
	}
	out := make([]Line, 0, n)
	for i := range r.Items {
		if lost(i) {
			out = append(out, r.line(i))
		}
	}
	return out
}

// Missing lists the scored items that make a response incomplete: those that
// apply and were left blank, unless a blank is simply worth nothing.
func (r *Result) Missing() []*survey.Item {
	var out []*survey.Item
	for i := range r.Items {
		if r.scorer.stops(i, &r.Items[i]) {
			out = append(out, r.scorer.items[i].item)
		}
	}
	return out
}

// ItemAt gives the score of the scored item in a slot of the form, nil if it is
// not scored.
func (r *Result) ItemAt(slot int) *ItemScore {
	for i := range r.scorer.items {
		if r.scorer.items[i].slot == slot {
			return &r.Items[i]
		}
	}
	return nil
}

// SectionEarned gives what a section earned; ok is false when the form has no
// such section or nothing of it was available.
func (r *Result) SectionEarned(name string) (survey.Points, bool) {
	earned, _, ok := view{r}.Points(name)
	return earned, ok
}
