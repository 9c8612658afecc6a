package survey_test

import (
	"slices"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// TestDifferencesAreTold changes one thing at a time.
func TestDifferencesAreTold(t *testing.T) {
	points := func(n survey.Points) *survey.Points { return &n }
	make := func() *survey.Template {
		label := func(s string) survey.Text { return survey.Text{"en": s} }
		return &survey.Template{Languages: []string{"en"}, Title: label("Form"), Cases: []survey.Case{{Name: "best", Answers: survey.Answers{}, Total: "4.00"}},
			Items: []survey.Item{{Name: "A", Kind: survey.KindGroup, Label: label("Section"), Items: []survey.Item{
				{Name: "a1", Kind: survey.KindSelectOne, List: "l", Label: label("First"), Points: points(400)},
				{Name: "a2", Kind: survey.KindText, Label: label("Second"), Relevant: "${a1} = 'x'"}}}},
			Lists:  []survey.ChoiceList{{Name: "l", Choices: []survey.Choice{{Name: "x", Label: label("X"), Points: points(400)}, {Name: "y", Label: label("Y"), Points: points(0)}}}},
			Checks: []survey.Check{{Code: "c", Test: "true()"}},
			Scheme: &survey.Scheme{Total: 400, Bands: []survey.Band{{Code: "good", Min: 300}, {Code: "poor"}}, Caps: []survey.Cap{{Code: "K1", When: "points('a1') = 0", Band: "poor"}}}}
	}
	first := func(tpl *survey.Template) *survey.Item { return &tpl.Items[0].Items[0] }
	for _, c := range []struct {
		name    string
		bend    func(*survey.Template)
		renamed map[string]string
		want    survey.Difference
		same    bool // answers stay comparable
	}{
		{"an item more", func(t *survey.Template) { t.Items = append(t.Items, survey.Item{Name: "b", Kind: survey.KindDate}) }, nil,
			survey.Difference{Kind: survey.ItemAdded, Name: "b", After: "date"}, true},
		{"an item less", func(t *survey.Template) { t.Items[0].Items = t.Items[0].Items[:1] }, nil,
			survey.Difference{Kind: survey.ItemRemoved, Name: "a2", Before: "text"}, false},
		{"another name, the same label", func(t *survey.Template) { first(t).Name = "a9" }, nil,
			survey.Difference{Kind: survey.ItemRenamed, Name: "a9", Before: "a1", After: "a9"}, true},
		{"another type", func(t *survey.Template) { t.Items[0].Items[1].Kind = survey.KindInteger }, nil,
			survey.Difference{Kind: survey.ItemType, Name: "a2", Field: "type", Before: "text", After: "integer"}, false},
		{"other points", func(t *survey.Template) { first(t).Points = points(500) }, nil,
			survey.Difference{Kind: survey.ItemPoints, Name: "a1", Field: "points", Before: "4", After: "5"}, false},
		{"another title", func(t *survey.Template) { t.Title = survey.Text{"en": "Other"} }, nil,
			survey.Difference{Kind: survey.TitleChanged, Field: "title (en)", Before: "Form", After: "Other", Label: survey.Text{"en": "Other"}}, true},
		{"a test case less", func(t *survey.Template) { t.Cases = nil }, nil,
			survey.Difference{Kind: survey.CaseRemoved, Name: "best", Before: `{"name":"best","answers":{},"unit":{},"total":"4.00"}`}, true},
		{"other logic", func(t *survey.Template) { t.Items[0].Items[1].Relevant = "" }, nil,
			survey.Difference{Kind: survey.ItemLogic, Name: "a2", Field: "relevant", Before: "${a1} = 'x'"}, true},
		{"moved out of its group", func(t *survey.Template) {
			t.Items = append(t.Items, t.Items[0].Items[1])
			t.Items[0].Items = t.Items[0].Items[:1]
		}, nil, survey.Difference{Kind: survey.ItemMoved, Name: "a2", Before: "A"}, true},
		{"another text", func(t *survey.Template) { first(t).Label = survey.Text{"en": "One"} }, nil,
			survey.Difference{Kind: survey.ItemText, Name: "a1", Field: "label (en)", Before: "First", After: "One"}, true},
		{"a choice less", func(t *survey.Template) { t.Lists[0].Choices = t.Lists[0].Choices[:1] }, nil,
			survey.Difference{Kind: survey.ChoiceRemoved, Name: "y", List: "l"}, false},
		{"other points of a choice", func(t *survey.Template) { t.Lists[0].Choices[1].Points = points(100) }, nil,
			survey.Difference{Kind: survey.ChoicePoints, Name: "y", List: "l", Before: "0", After: "1"}, false},
		{"another cap", func(t *survey.Template) { t.Scheme.Caps[0].Band = "good" }, nil,
			survey.Difference{Kind: survey.CapChanged, Name: "K1", Before: "points('a1') = 0 → poor", After: "points('a1') = 0 → good"}, false},
		{"no caps", func(t *survey.Template) { t.Scheme.Caps = nil }, nil,
			survey.Difference{Kind: survey.CapRemoved, Name: "K1", Before: "points('a1') = 0 → poor"}, false},
		{"another threshold", func(t *survey.Template) { t.Scheme.Bands[0].Min = 350 }, nil,
			survey.Difference{Kind: survey.BandChanged, Name: "good", Before: "≥ 3", After: "≥ 3.5"}, false},
		{"another total", func(t *survey.Template) { t.Scheme.Total = 500 }, nil,
			survey.Difference{Kind: survey.SchemeChanged, Field: "total", Before: "4", After: "5"}, false},
		{"another check", func(t *survey.Template) { t.Checks[0].Test = "false()" }, nil,
			survey.Difference{Kind: survey.CheckChanged, Name: "c", Before: "true()", After: "false()"}, true},
		{"a language more", func(t *survey.Template) { t.Languages = append(t.Languages, "vi") }, nil,
			survey.Difference{Kind: survey.LanguagesOther, Before: "en", After: "en, vi"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := make(), make()
			c.bend(b)
			got := survey.Diff(a, b, c.renamed)
			for i := range got {
				got[i].Label = nil
			}
			if len(got) != 1 || got[0].Kind != c.want.Kind || got[0].Name != c.want.Name || got[0].List != c.want.List || got[0].Field != c.want.Field ||
				got[0].Before != c.want.Before || got[0].After != c.want.After {
				t.Errorf("got %+v, want %+v", got, c.want)
			} else if got[0].Comparable() != c.same {
				t.Errorf("comparable: %v", !c.same)
			}
		})
	}
	if got := survey.Diff(make(), make(), nil); len(got) != 0 {
		t.Errorf("the same version differs: %+v", got)
	}
	// Told by the author: another name and another label.
	b := make()
	first(b).Name, first(b).Label = "z", survey.Text{"en": "Other"}
	got := survey.Diff(make(), b, map[string]string{"a1": "z"})
	if !slices.ContainsFunc(got, func(c survey.Difference) bool {
		return c.Kind == survey.ItemRenamed && c.Before == "a1" && c.After == "z"
	}) || len(got) != 2 {
		t.Errorf("got %+v", got)
	}
}
