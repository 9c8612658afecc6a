package scoring_test

import (
	"fmt"
	"math/big"
	"os"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// manyScorers gives the templates of the program and the foreign one.
func manyScorers(t testing.TB) []*scoring.Scorer {
	var out []*scoring.Scorer
	for _, code := range []survey.TemplateCode{"SHCB-TK", "SHCB-CD", "KS-TCHD", "HD42"} {
		out = append(out, scorerNamed(t, code))
	}
	workbook, err := os.ReadFile("../fixtures/examples/restaurant-inspection.xlsx")
	surveytest.Must(t, err)
	return append(out, scorerOf(t, workbook))
}

// unitTypes are units of which each makes other parts of KS-TCHD apply.
var unitTypes = []survey.UnitFacts{
	{Structure: "CBTT-CS", Sector: "02", Setting: "CC"}, {Structure: "CBTT-CS", Sector: "06B", Setting: "SN"},
	{Structure: "CBTT-CS", Sector: "09A2", Setting: "DN"}, {Structure: "CBCS", Sector: "01", Setting: "AP"},
}

// drawAnswers fills a form with anything that fits the items' kinds, sensible
// or not; blank and N/A among it.
func drawAnswers(t *rapid.T, form *survey.Form) survey.Answers {
	var out survey.Answers
	for slot := range form.Len() {
		item, note := form.Item(slot)
		if note || form.InRepeat(slot) || rapid.IntRange(0, 19).Draw(t, "blank") == 0 {
			continue
		}
		switch item.Kind {
		case survey.KindInteger, survey.KindDecimal:
			out = out.Set(item.Name, survey.NumberValue(float64(rapid.IntRange(-2, 60).Draw(t, item.Name))))
		case survey.KindTime:
			minutes := rapid.IntRange(0, 1439).Draw(t, item.Name)
			out = out.Set(item.Name, survey.TextValue(fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)))
		case survey.KindSelectOne, survey.KindRubric:
			out = out.Set(item.Name, survey.TextValue(rapid.SampledFrom(form.List(slot).Choices).Draw(t, item.Name).Name))
		case survey.KindSelectMultiple:
			var names []string
			for _, c := range form.List(slot).Choices {
				if rapid.Bool().Draw(t, c.Name) {
					names = append(names, c.Name)
				}
			}
			out = out.Set(item.Name, survey.ListValue(names...))
		}
	}
	return out
}

// TestScoresAreBounded: whatever is answered, nothing earns more than there is.
func TestScoresAreBounded(t *testing.T) {
	scorers := manyScorers(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scorers).Draw(t, "template")
		unit := rapid.SampledFrom(unitTypes).Draw(t, "unit")
		r := s.Score(drawAnswers(t, s.Form()), survey.Context{Unit: &unit, Now: now})
		scheme := s.Form().Template.Scheme
		if r.Total < 0 || r.Total > scheme.Total {
			t.Fatalf("the total is %v of %v", r.Total, scheme.Total)
		}
		if r.Available < 0 || r.Available > r.Max || r.Max > scheme.Total {
			t.Fatalf("%v available of %v, %v in all", r.Available, r.Max, scheme.Total)
		}
		for _, l := range r.Lines() {
			if bonus := l.Item.Bonus; !bonus && (l.Earned < 0 || l.Earned > l.Available || l.Available > l.Max) {
				t.Fatalf("%s earned %v of %v, maximum %v", l.Item.Name, l.Earned, l.Available, l.Max)
			}
		}
		if r.Graded() != (r.Shown() != "") || (r.Band >= 0) != (r.Graded() && scheme.Graded) || r.Band < r.BandFirst {
			t.Fatalf("graded %v, shown %q, bands %d and %d before caps", r.Graded(), r.Shown(), r.Band, r.BandFirst)
		}
	})
}

// TestABetterLevelNeverLowersTheTotal raises one choice and leaves the rest.
func TestABetterLevelNeverLowersTheTotal(t *testing.T) {
	scorers := manyScorers(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scorers).Draw(t, "template")
		form := s.Form()
		unit := rapid.SampledFrom(unitTypes).Draw(t, "unit")
		var chosen []int
		for _, slot := range form.Scored() {
			if item, _ := form.Item(slot); form.List(slot) != nil && !item.Reverse && !item.Bonus && item.Kind != survey.KindSelectMultiple {
				chosen = append(chosen, slot)
			}
		}
		slot := rapid.SampledFrom(chosen).Draw(t, "item")
		item, _ := form.Item(slot)
		var levels []survey.Choice
		for _, c := range form.List(slot).Choices {
			if c.Means == "" {
				levels = append(levels, c)
			}
		}
		a, b := rapid.SampledFrom(levels).Draw(t, "one"), rapid.SampledFrom(levels).Draw(t, "other")
		if pointsOf(a) > pointsOf(b) {
			a, b = b, a
		}
		// A few relevance rules look at choices; those of criteria do not.
		answers := drawAnswers(t, form)
		ctx := survey.Context{Unit: &unit, Now: now}
		low := s.Score(slices.Clone(answers).Set(item.Name, survey.TextValue(a.Name)), ctx)
		high := s.Score(slices.Clone(answers).Set(item.Name, survey.TextValue(b.Name)), ctx)
		if low.Available != high.Available {
			t.Fatalf("%s changes what applies: %v and %v", item.Name, low.Available, high.Available)
		}
		if low.Reason != high.Reason || low.Total > high.Total || low.BandFirst < high.BandFirst {
			t.Fatalf("%s from %s to %s lowers %v to %v", item.Name, a.Name, b.Name, low.Total, high.Total)
		}
	})
}

// TestTheOrderOfAnswersDoesNotMatter, of whatever the result holds.
func TestTheOrderOfAnswersDoesNotMatter(t *testing.T) {
	scorers := manyScorers(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scorers).Draw(t, "template")
		answers := drawAnswers(t, s.Form())
		unit := rapid.SampledFrom(unitTypes).Draw(t, "unit")
		ctx := survey.Context{Unit: &unit, Now: now}
		shuffled := rapid.Permutation(answers).Draw(t, "order")
		one, other := s.Score(answers, ctx), s.Score(shuffled, ctx)
		if !reflect.DeepEqual(one.Items, other.Items) || !reflect.DeepEqual(one.Receipt(), other.Receipt()) || !reflect.DeepEqual(one.Sections, other.Sections) {
			t.Fatalf("%+v, and in another order %+v", one.Receipt(), other.Receipt())
		}
	})
}

// TestRescalingIsExact compares totals with fractions worked out apart, rounded
// by the decimal text.
func TestRescalingIsExact(t *testing.T) {
	scorers := manyScorers(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scorers).Draw(t, "template")
		unit := rapid.SampledFrom(unitTypes).Draw(t, "unit")
		r := s.Score(bestOf(s.Form(), drawAnswers(t, s.Form()), nil), survey.Context{Unit: &unit, Now: now})
		if !r.Graded() {
			return
		}
		scheme := s.Form().Template.Scheme
		want := new(big.Rat)
		if scheme.Rescale == survey.RescaleSection {
			weights := new(big.Rat)
			for _, sec := range r.Sections { // every criterion of these is in a section
				if sec.Available > 0 {
					weights.Add(weights, big.NewRat(int64(sec.Max), 1))
					want.Add(want, big.NewRat(int64(sec.Max)*int64(sec.Earned), int64(sec.Available)))
				}
			}
			want.Quo(want, weights)
		} else {
			want.SetFrac64(int64(r.Earned), int64(r.Available))
		}
		want.Mul(want, big.NewRat(int64(scheme.Total), 100))
		// FloatString rounds half away from zero.
		text := want.FloatString(scheme.Decimals)
		if low, high := new(big.Rat), big.NewRat(int64(scheme.Total), 100); want.Cmp(low) < 0 {
			text = low.FloatString(scheme.Decimals)
		} else if want.Cmp(high) > 0 {
			text = high.FloatString(scheme.Decimals)
		}
		if r.Shown() != text {
			t.Fatalf("%v of %v is shown as %s, want %s", r.Earned, r.Available, r.Shown(), text)
		}
	})
}

// TestNinetyIsNinety: 81 of 90 points are 90.00 and reach the band that begins
// there; in binary fractions 100*(0.81/0.9) is not 90.
func TestNinetyIsNinety(t *testing.T) {
	scheme := func(decimals int) *survey.Scheme {
		return &survey.Scheme{Total: 10000, NA: survey.NARescale, Rescale: survey.RescaleOverall, Decimals: decimals, Graded: true,
			Bands: []survey.Band{{Code: "high", Min: 9000, Label: label("h")}, {Code: "low", Min: 0, Label: label("l")}}}
	}
	for _, c := range []struct {
		points   []string // of two criteria: earned, and of the first, earned
		decimals int
		shown    string
		band     string
	}{
		{[]string{"81", "9"}, 2, "90.00", "high"},
		{[]string{"80.99", "9.01"}, 2, "89.99", "low"},
		{[]string{"89.99", "10.01"}, 1, "90.0", "high"}, // shown as 90.0, so it is 90
		{[]string{"89.94", "10.06"}, 1, "89.9", "low"},
		{[]string{"89.5", "10.5"}, 0, "90", "high"},
		{[]string{"89.49", "10.51"}, 0, "89", "low"},
	} {
		got, lost := pts(t, c.points[0]), pts(t, c.points[1])
		na := survey.Points(10000) - *got - *lost // N/A, so that it is rescaled
		items := []survey.Item{criterion("got", *got), criterion("lost", *lost)}
		answers := survey.Answers{}.Set("got", survey.TextValue("all")).Set("lost", survey.TextValue("none"))
		if na > 0 {
			items = append(items, criterion("na", na))
			answers = answers.Set("na", survey.TextValue("na"))
		}
		tpl := &survey.Template{Code: "T", Version: 1, Title: label("t"), Languages: []string{"en"}, Scheme: scheme(c.decimals)}
		for i := range items {
			tpl.Lists = append(tpl.Lists, survey.ChoiceList{Name: items[i].Name, Choices: []survey.Choice{
				{Name: "all", Label: label("a"), Points: items[i].Points}, {Name: "none", Label: label("n"), Points: new(survey.Points)},
				{Name: "na", Label: label("na"), Means: survey.MeansNA}}})
		}
		tpl.Items = items
		r := scorerOfTemplate(t, tpl).Score(answers, survey.Context{Now: now})
		if r.Shown() != c.shown || r.BandCode(r.Band) != c.band {
			t.Errorf("%v of %v is %s, %s; want %s, %s", r.Earned, r.Available, r.Shown(), r.BandCode(r.Band), c.shown, c.band)
		}
	}
}

func label(s string) survey.Text { return survey.Text{"en": s} }

func pts(t testing.TB, s string) *survey.Points {
	p, ok := survey.ParsePoints(s)
	if !ok {
		t.Fatalf("%q is no number of points", s)
	}
	return &p
}

func criterion(name string, worth survey.Points) survey.Item {
	return survey.Item{Name: name, Kind: survey.KindSelectOne, List: name, Label: label(name), Points: &worth}
}

func scorerOfTemplate(t testing.TB, tpl *survey.Template) *scoring.Scorer {
	t.Helper()
	form, problems := survey.Compile(tpl, nil)
	if form == nil {
		t.Fatalf("the template has problems: %v", problems)
	}
	return scoring.NewScorer(form)
}
