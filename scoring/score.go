// Package scoring turns a filled-in form into points and a band, explains every
// number, and adds up a round's scores by any grouping.
//
// Rounding. Points are whole hundredths and every share and total is worked out
// as an exact fraction. One rounding happens, at the end: the total is rounded
// half away from zero to the scheme's decimals, and it is this rounded number
// that is shown, that the band is taken from and that enters summaries. So a
// score shown as 90.00 is never below 90, and 89.995 with two decimals is 90.00
// and reaches a band that begins at 90.
package scoring

import (
	"math/big"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// Scorer scores responses to one template version. It is immutable and safe
// for concurrent use.
type Scorer struct {
	form   *survey.Form
	scheme *survey.Scheme
	items  []scorerItem
	names  map[string]nameRef
}

type scorerItem struct {
	slot    int
	section int
	max     survey.Points
	policy  survey.NAPolicy
	item    *survey.Item
	list    *survey.ChoiceList
	steps   []survey.FormStep
}

// nameRef is what a name in points('X') stands for.
type nameRef struct {
	section bool
	index   int
}

// NewScorer makes a scorer for a form. A form without a scheme gives a scorer
// whose results have no total.
func NewScorer(form *survey.Form) *Scorer {
	s := &Scorer{form: form, scheme: form.Template.Scheme, names: map[string]nameRef{}}
	if s.scheme == nil {
		s.scheme = &survey.Scheme{}
		return s
	}
	for i := range form.Sections() {
		s.names[form.Sections()[i].Item.Name] = nameRef{section: true, index: i}
	}
	for i, slot := range form.Scored() {
		item, _ := form.Item(slot)
		it := scorerItem{slot: slot, section: form.SectionOf(slot), max: *item.Points, policy: item.NA, item: item,
			list: form.List(slot), steps: form.Steps(slot)}
		if it.policy == "" {
			it.policy = s.scheme.NA
		}
		s.items = append(s.items, it)
		s.names[item.Name] = nameRef{index: i}
	}
	return s
}

// Form gives the form.
func (s *Scorer) Form() *survey.Form { return s.form }

// Reason says why a response has no total.
type Reason string

const (
	// Scored: it has one.
	Scored Reason = ""
	// Incomplete: a scored item was left blank.
	Incomplete Reason = "incomplete"
	// TooFewAvailable: less than min_available percent of the points were available.
	TooFewAvailable Reason = "too_few_available"
	// NoScheme: the template is not scored, or no scored item applies to the unit.
	NoScheme Reason = "no_scheme"
)

// ItemScore is what one scored item came to.
type ItemScore struct {
	// State tells the reasons apart why there is or is not a value. Applies is
	// false when the item is no part of the form for the unit; then nothing of
	// it counts.
	State   survey.AnswerState
	Applies bool
	// Choice is the index of the choice taken or of the step that was true
	// (len(steps) if none was), -1 when neither decided.
	Choice int16
	// Earned of Available points count; Max is what the item is worth. All are
	// zero when it does not apply.
	Earned, Available, Max survey.Points
}

// SectionScore adds up a section's items.
type SectionScore struct {
	Earned, Available, Max survey.Points
}

// Result is a score with everything that led to it.
type Result struct {
	scorer *Scorer
	filled *survey.Filled
	// Items are in the order of the form's scored items, Sections in that of
	// its sections.
	Items    []ItemScore
	Sections []SectionScore
	// Earned, Available and Max add up all items.
	Earned, Available, Max survey.Points
	// Reason is Scored when there is a total.
	Reason Reason
	// Total is the score as shown: rounded to the scheme's decimals.
	Total survey.Points
	// Band and BandFirst are indexes into the scheme's bands (0 is the highest),
	// after and before caps; -1 when no band is given.
	Band, BandFirst int
	// Caps has bit i set when the scheme's cap i fired.
	Caps uint32
}

// Score fills the answers into the scorer's form and scores them. It is pure:
// the same answers, unit and moment always give the same result.
func (s *Scorer) Score(answers survey.Answers, ctx survey.Context) *Result {
	return s.ScoreFilled(s.form.Fill(answers, ctx))
}

// ScoreFilled scores a form that is already filled in.
func (s *Scorer) ScoreFilled(fl *survey.Filled) *Result {
	r := &Result{scorer: s, filled: fl, Band: -1, BandFirst: -1,
		Items: make([]ItemScore, len(s.items)), Sections: make([]SectionScore, len(s.form.Sections()))}
	incomplete := false
	for i := range s.items {
		it := &s.items[i]
		score := &r.Items[i]
		s.scoreItem(it, fl, score)
		incomplete = incomplete || s.stops(i, score)
		r.Earned += score.Earned
		r.Available += score.Available
		r.Max += score.Max
		if it.section >= 0 {
			sec := &r.Sections[it.section]
			sec.Earned += score.Earned
			sec.Available += score.Available
			sec.Max += score.Max
		}
	}
	switch {
	case r.Max == 0:
		r.Reason = NoScheme
	case incomplete:
		r.Reason = Incomplete
	case r.Available == 0 || float64(r.Available)*100 < s.scheme.MinAvailable*float64(r.Max):
		r.Reason = TooFewAvailable
	default:
		r.Total = s.total(r)
		s.grade(r)
	}
	return r
}

// stops reports whether item i, being blank, keeps the response from being graded.
func (s *Scorer) stops(i int, score *ItemScore) bool {
	return score.Applies && score.State == survey.Blank && !s.items[i].item.Bonus && s.scheme.Blank != survey.BlankZero
}

// scoreItem works out one item.
func (s *Scorer) scoreItem(it *scorerItem, fl *survey.Filled, out *ItemScore) {
	cell := fl.Cell(it.slot)
	out.State, out.Applies, out.Choice = cell.State, cell.Applies, -1
	if !cell.Applies {
		return
	}
	if it.item.Bonus {
		if cell.State == survey.Answered {
			out.Earned = s.earned(it, fl, cell, out)
		}
		return
	}
	out.Max, out.Available = it.max, it.max
	switch cell.State {
	case survey.Answered:
		out.Earned = s.earned(it, fl, cell, out)
	case survey.Blank:
		// Earns nothing; whether it stops the grading is the scheme's matter.
	case survey.NotObserved:
		out.Available = 0
	default: // not applicable or not asked
		switch it.policy {
		case survey.NAFull:
			out.Earned = it.max
		case survey.NAZero:
		default:
			out.Available = 0
		}
	}
}

// earned gives the points of an answered item. No step true means none.
func (s *Scorer) earned(it *scorerItem, fl *survey.Filled, cell *survey.Cell, out *ItemScore) survey.Points {
	var p survey.Points
	switch {
	case len(it.steps) > 0:
		out.Choice = int16(len(it.steps))
		for i := range it.steps {
			step := &it.steps[i]
			if !fl.Eval(step.When, it.slot, nil).Truth() {
				continue
			}
			out.Choice = int16(i)
			p = step.Value
			if step.Points != nil {
				p = within(pointsOf(fl.Eval(step.Points, it.slot, nil).Number()), it)
			}
			break
		}
	case it.item.Kind == survey.KindSelectMultiple:
		for _, name := range strings.Fields(cell.Value.Text()) {
			if _, ch := it.list.Choice(name); ch != nil && ch.Points != nil {
				p += *ch.Points
			}
		}
		p = within(p, it)
	case cell.Choice >= 0:
		out.Choice = cell.Choice
		if points := it.list.Choices[cell.Choice].Points; points != nil {
			p = *points
		}
	}
	if it.item.Reverse {
		p = it.max - p
	}
	return p
}

// within keeps points that are worked out between nothing and the item's
// maximum; of a bonus item, between its maximum deduction and addition.
func within(p survey.Points, it *scorerItem) survey.Points {
	low, high := survey.Points(0), it.max
	if it.item.Bonus {
		low = min(-it.max, it.max)
		high = max(-it.max, it.max)
	}
	return max(low, min(high, p))
}

// pointsOf rounds a worked-out number half away from zero to hundredths.
func pointsOf(f float64) survey.Points {
	if f != f { // not a number: nothing earned
		return 0
	}
	if f < 0 {
		return -pointsOf(-f)
	}
	if f > 1e9 {
		f = 1e9
	}
	return survey.Points(f*100 + 0.5)
}

// total works out the score as shown, between 0 and the scheme's total.
func (s *Scorer) total(r *Result) survey.Points {
	var t survey.Points
	if s.scheme.Rescale == survey.RescaleSection {
		t = s.totalBySection(r)
	} else {
		// total x earned / available, in units of the last shown decimal.
		unit := decimalUnit(s.scheme.Decimals)
		t = survey.Points(divRound(int64(s.scheme.Total)*int64(r.Earned), int64(r.Available)*unit) * unit)
	}
	return max(0, min(s.scheme.Total, t))
}

// decimalUnit is the last shown decimal in hundredths: 100, 10 or 1.
func decimalUnit(decimals int) int64 {
	switch decimals {
	case 0:
		return 100
	case 1:
		return 10
	}
	return 1
}

// divRound divides and rounds half away from zero; d > 0.
func divRound(n, d int64) int64 {
	if n < 0 {
		return -divRound(-n, d)
	}
	return (2*n + d) / (2 * d)
}

// totalBySection rescales within each section and then across them, each
// weighted by what its items are worth: total x sum(W e/a) / sum(W), over the
// sections with anything available. Items in no section form one of their own.
func (s *Scorer) totalBySection(r *Result) survey.Points {
	loose := SectionScore{Earned: r.Earned, Available: r.Available, Max: r.Max}
	sum, weights := new(big.Rat), int64(0)
	add := func(sec SectionScore) {
		if sec.Available <= 0 {
			return
		}
		weights += int64(sec.Max)
		sum.Add(sum, big.NewRat(int64(sec.Max)*int64(sec.Earned), int64(sec.Available)))
	}
	for _, sec := range r.Sections {
		add(sec)
		loose.Earned -= sec.Earned
		loose.Available -= sec.Available
		loose.Max -= sec.Max
	}
	add(loose)
	if weights == 0 {
		return 0
	}
	unit := decimalUnit(s.scheme.Decimals)
	sum.Mul(sum, big.NewRat(int64(s.scheme.Total), weights*unit))
	return survey.Points(roundRat(sum) * unit)
}

// roundRat rounds half away from zero.
func roundRat(x *big.Rat) int64 {
	n := new(big.Int).Mul(new(big.Int).Abs(x.Num()), big.NewInt(2))
	n.Add(n, x.Denom())
	n.Quo(n, new(big.Int).Mul(x.Denom(), big.NewInt(2)))
	if x.Sign() < 0 {
		n.Neg(n)
	}
	return n.Int64()
}

// grade finds the band and lowers it by the caps that fire. All caps are
// evaluated; the lowest wins; the score itself stays.
func (s *Scorer) grade(r *Result) {
	if !s.scheme.Graded {
		return
	}
	r.BandFirst = BandFor(s.scheme, r.Total)
	r.Band = r.BandFirst
	for i, when := range s.form.Caps() {
		if !r.filled.Eval(when, -1, view{r}).Truth() {
			continue
		}
		r.Caps |= 1 << i
		r.Band = max(r.Band, s.scheme.Band(s.scheme.Caps[i].Band))
	}
}

// BandFor gives the index of the highest band whose minimum the shown score
// reaches; the lowest band if it reaches none, -1 if the scheme has no bands.
func BandFor(scheme *survey.Scheme, shown survey.Points) int {
	for i := range scheme.Bands {
		if shown >= scheme.Bands[i].Min {
			return i
		}
	}
	return len(scheme.Bands) - 1
}

// view answers the questions of cap expressions about a result.
type view struct{ r *Result }

// Points gives what an item or section earned of what was available; ok is
// false when there is none of that name or nothing of it was available.
func (v view) Points(name string) (earned, available survey.Points, ok bool) {
	r := v.r
	ref, known := r.scorer.names[name]
	if !known {
		return 0, 0, false
	}
	if ref.section {
		sec := &r.Sections[ref.index]
		return sec.Earned, sec.Available, sec.Available > 0
	}
	it := &r.Items[ref.index]
	return it.Earned, it.Available, it.Available > 0
}

// MaxPoints gives what an item or section is worth for this unit.
func (v view) MaxPoints(name string) (survey.Points, bool) {
	r := v.r
	ref, known := r.scorer.names[name]
	if !known {
		return 0, false
	}
	if ref.section {
		return r.Sections[ref.index].Max, true
	}
	return r.Items[ref.index].Max, true
}

// Available gives the points available in all.
func (v view) Available() survey.Points { return v.r.Available }
