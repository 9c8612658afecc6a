package scoring_test

import (
	"slices"
	"testing"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// bonusForm has a criterion and a bonus whose points are worked out.
func bonusForm(t testing.TB, blank survey.BlankPolicy) *scoring.Scorer {
	bonus := survey.Item{Name: "bonus", Kind: survey.KindInteger, Label: label("b"), Points: pts(t, "5"), Bonus: true,
		Steps: []survey.Step{{When: "true()", Points: "."}}}
	return scorerOfTemplate(t, &survey.Template{Code: "T", Version: 1, Title: label("t"), Languages: []string{"en"},
		Scheme: &survey.Scheme{Total: 1000, NA: survey.NARescale, Rescale: survey.RescaleOverall, Decimals: 2, Blank: blank},
		Lists:  []survey.ChoiceList{{Name: "main", Choices: []survey.Choice{{Name: "yes", Label: label("y"), Points: pts(t, "10")}, {Name: "no", Label: label("n"), Points: pts(t, "0")}}}},
		Items:  []survey.Item{criterion("main", 1000), bonus}})
}

func TestOnlyWhatStopsTheGradingIsMissing(t *testing.T) {
	for _, c := range []struct {
		policy  survey.BlankPolicy
		missing []string
	}{{survey.BlankNotGraded, []string{"main"}}, {survey.BlankZero, nil}} {
		r := bonusForm(t, c.policy).Score(nil, survey.Context{Now: now})
		var missing []string
		for _, it := range r.Missing() {
			missing = append(missing, it.Name)
		}
		if !slices.Equal(missing, c.missing) || r.Graded() != (c.missing == nil) {
			t.Errorf("blanks %q: %v are missing, want %v; graded %v", c.policy, missing, c.missing, r.Graded())
		}
	}
}

// TestWhatABonusTakesAwayIsInItsShare: a bonus may be negative, and its mean
// share must say so.
func TestWhatABonusTakesAwayIsInItsShare(t *testing.T) {
	s := bonusForm(t, "")
	layout := s.Layout()
	table := scoring.NewTable(&survey.TypeLists{})
	for i, bonus := range []float64{-4, 1} {
		r := &survey.Response{ID: survey.ResponseID(surveytest.ID("bonus", i)), TemplateVersion: 1, MeetingDate: survey.MustDate("2024-01-05"),
			VisitKey: survey.VisitKey{Template: "T", Unit: survey.UnitCode(rune('a' + i)), Role: survey.RoleObserver},
			Standing: survey.Standing{Path: []survey.UnitCode{survey.UnitCode(rune('a' + i))}}}
		result := s.Score(survey.Answers{}.Set("main", survey.TextValue("yes")).Set("bonus", survey.NumberValue(bonus)), survey.Context{Now: now})
		surveytest.Must(t, table.Apply([]survey.Row{{ID: r.ID, State: survey.StateSubmitted, Packed: layout.Pack(result, r)}},
			func(survey.TemplateCode, int) (*scoring.Layout, error) { return layout, nil }))
	}
	sum, err := table.Summarize(scoring.Query{Template: "T", By: scoring.ByNothing, Items: true})
	surveytest.Must(t, err)
	if got := *sum.Overall.Items[1].Share; got != -0.3 {
		t.Errorf("the mean of -4 and 1 of 5 points is the share %v, want -0.3", got)
	}
}

func TestADamagedRowIsRefused(t *testing.T) {
	s := scorerNamed(t, "SHCB-TK")
	layout := s.Layout()
	r := &survey.Response{ID: survey.ResponseID(surveytest.ID("damaged", 1)), TemplateVersion: 1,
		VisitKey: survey.VisitKey{Template: "SHCB-TK", Unit: "u", Role: survey.RoleObserver}, Standing: survey.Standing{Path: []survey.UnitCode{"u"}}}
	whole := layout.Pack(s.Score(fullForm(s), survey.Context{Now: now}), r)
	layouts := func(survey.TemplateCode, int) (*scoring.Layout, error) { return layout, nil }
	table := scoring.NewTable(&survey.TypeLists{})
	for n := 1; n < len(whole); n++ {
		if err := table.Apply([]survey.Row{{ID: r.ID, State: survey.StateSubmitted, Packed: whole[:n]}}, layouts); err == nil {
			t.Errorf("the first %d of %d bytes were taken for a row", n, len(whole))
		}
	}
	surveytest.Must(t, table.Apply([]survey.Row{{ID: r.ID, State: survey.StateSubmitted, Packed: whole}}, layouts))
	if err := table.Apply([]survey.Row{{ID: r.ID, State: survey.StateSubmitted, Packed: whole[:9]}}, layouts); err == nil {
		t.Error("a cut row was taken for one")
	}
	sum, err := table.Summarize(scoring.Query{Template: "SHCB-TK"})
	surveytest.Must(t, err)
	if sum.Overall.N != 1 || table.Len() != 1 {
		t.Errorf("%d of %d rows count after a damaged one came, want the whole one that was there", sum.Overall.N, table.Len())
	}
}
