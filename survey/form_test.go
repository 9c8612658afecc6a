package survey_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

func pts(s string) *survey.Points {
	p, ok := survey.ParsePoints(s)
	if !ok {
		panic(s)
	}
	return &p
}

func both(s string) survey.Text { return survey.Text{"vi": s, "en": s} }

// small is a template with one of everything that matters here.
func small() *survey.Template {
	return &survey.Template{
		Code: "T", Version: 1, Title: both("t"), Languages: []string{"vi", "en"},
		Lists: []survey.ChoiceList{
			{Name: "yn", Choices: []survey.Choice{{Name: "yes", Label: both("y"), Points: pts("4")}, {Name: "no", Label: both("n"), Points: pts("0")},
				{Name: "na", Label: both("na"), Means: survey.MeansNA}}},
		},
		Items: []survey.Item{
			{Name: "total", Kind: survey.KindInteger, Label: both("l"), Required: "true()", Constraint: ". >= 0", ConstraintMessage: both("not negative")},
			{Name: "present", Kind: survey.KindInteger, Label: both("l"), Default: "${total}"},
			{Name: "share", Kind: survey.KindCalculate, Calculation: "${present} div ${total}", Points: pts("6"),
				Steps: []survey.Step{{When: ". >= 0.9", Points: "6"}, {When: "true()", Points: "0"}}},
			{Name: "why", Kind: survey.KindText, Label: both("l"), Relevant: "${share} < 0.5"},
			{Name: "S", Kind: survey.KindGroup, Label: both("s"), Points: pts("4"), Items: []survey.Item{
				{Name: "A1", Kind: survey.KindSelectOne, List: "yn", Label: both("l"), Points: pts("4"), Evidence: ". = 'no'"},
			}},
			{Name: "rooms", Kind: survey.KindRepeat, Label: both("r"), Items: []survey.Item{
				{Name: "seats", Kind: survey.KindInteger, Label: both("l")},
				{Name: "double", Kind: survey.KindCalculate, Calculation: "${seats} * 2"},
			}},
			{Name: "all_seats", Kind: survey.KindCalculate, Calculation: "sum(${double})"},
		},
		Scheme: &survey.Scheme{Total: 1000, NA: survey.NARescale, Rescale: survey.RescaleOverall, Decimals: 2, Graded: true,
			Bands: []survey.Band{{Code: "good", Min: 5000, Label: both("g")}, {Code: "poor", Min: 0, Label: both("p")}}},
	}
}

func answers(t *testing.T, s string) survey.Answers {
	t.Helper()
	var a survey.Answers
	if err := json.Unmarshal([]byte(s), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func compile(t *testing.T, tpl *survey.Template) *survey.Form {
	t.Helper()
	f, ps := survey.Compile(tpl, nil)
	if f == nil {
		t.Fatal(ps)
	}
	return f
}

func codes(ps survey.Problems) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Code+"@"+p.Place.Item)
	}
	return strings.Join(out, " ")
}

func TestFillKeepsTheFiveStatesApart(t *testing.T) {
	f := compile(t, small())
	fl := f.Fill(answers(t, `{"total": 40, "present": 36, "A1": "na", "rooms": [{"seats": 3}, {"seats": 4}, {}]}`), survey.Context{Now: time.Now()})
	state := func(name string) survey.AnswerState {
		slot, _ := f.Slot(name)
		return fl.Cell(slot).State
	}
	if state("why") != survey.NotAsked || state("A1") != survey.NotApplicable || state("share") != survey.Answered {
		t.Fatalf("why %v, A1 %v, share %v", state("why"), state("A1"), state("share"))
	}
	slot, _ := f.Slot("all_seats")
	if got := fl.Cell(slot).Value.Number(); got != 14 {
		t.Errorf("sum over the repeat = %v, want 14", got)
	}
	kept, _ := json.Marshal(fl.Answers())
	want := `{"total":40,"present":36,"share":0.9,"A1":"na","A1_note":null,"rooms":[{"seats":3,"double":6},{"seats":4,"double":8},{"seats":null,"double":null}],"all_seats":14}`
	if string(kept) != want {
		t.Errorf("kept\n%s, want\n%s", kept, want)
	}
}

func TestDefaultStandsOnlyForWhatWasNotGiven(t *testing.T) {
	f := compile(t, small())
	slot, _ := f.Slot("present")
	if c := f.Fill(answers(t, `{"total": 40}`), survey.Context{}).Cell(slot); c.Value.Number() != 40 {
		t.Errorf("not given: %v, want the default 40", c.Value.Text())
	}
	if c := f.Fill(answers(t, `{"total": 40, "present": null}`), survey.Context{}).Cell(slot); c.State != survey.Blank {
		t.Errorf("given as blank: %v, want blank", c.State)
	}
}

func TestValidateReportsEverythingAtOnceInFormOrder(t *testing.T) {
	f := compile(t, small())
	fl := f.Fill(answers(t, `{"A1": "no", "totl": 1, "present": "x", "total": -1, "rooms": [{"seats": 1.5}], "why": "x"}`), survey.Context{})
	got := codes(fl.Validate())
	want := "answer.constraint@total answer.not_number@present answer.not_asked@why answer.evidence_required@A1_note answer.not_integer@seats answer.unknown_item@totl"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, p := range fl.Problems() {
		if p.Place.Item == "seats" && p.Place.Pointer != "/rooms/0/seats" {
			t.Errorf("pointer %q", p.Place.Pointer)
		}
		if p.Place.Item == "totl" && p.Suggestion != "total" {
			t.Errorf("suggestion %q", p.Suggestion)
		}
	}
}

func TestCompileFindsEveryMistake(t *testing.T) {
	cases := map[string]struct {
		spoil func(t *survey.Template)
		want  string
	}{
		"unknown name":             {func(t *survey.Template) { t.Items[3].Relevant = "${shar} < 1" }, "expr.unknown_name"},
		"syntax":                   {func(t *survey.Template) { t.Items[3].Relevant = "${share} == 1" }, "expr.syntax"},
		"type":                     {func(t *survey.Template) { t.Items[3].Relevant = "${why} > 3" }, "expr.compare_text"},
		"circle":                   {func(t *survey.Template) { t.Items[6].Calculation = "${all_seats} + 1" }, "expr.circle"},
		"circle through relevance": {func(t *survey.Template) { t.Items[1].Relevant = "${share} > 1" }, "expr.circle"},
		"duplicate name":           {func(t *survey.Template) { t.Items[1].Name = "total" }, "item.duplicate"},
		"note's name taken":        {func(t *survey.Template) { t.Items[3].Name = "A1_note" }, "item.duplicate"},
		"bad name":                 {func(t *survey.Template) { t.Items[3].Name = "đếm số" }, "item.name"},
		"points do not add up":     {func(t *survey.Template) { t.Scheme.Total = 1100 }, "points.total_sum"},
		"section does not add up":  {func(t *survey.Template) { t.Items[4].Points = pts("5") }, "points.section_sum"},
		"level without points":     {func(t *survey.Template) { t.Lists[0].Choices[1].Points = nil }, "choice.no_points"},
		"top below maximum":        {func(t *survey.Template) { t.Lists[0].Choices[0].Points = pts("3") }, "points.top"},
		"cap naming no band": {func(t *survey.Template) {
			t.Scheme.Caps = []survey.Cap{{Code: "K", When: "true()", Band: "god", Label: both("k")}}
		}, "cap.band"},
		"cap naming no item": {func(t *survey.Template) {
			t.Scheme.Caps = []survey.Cap{{Code: "K", When: "points('A2') = 0", Band: "poor", Label: both("k")}}
		}, "score_call.unknown"},
		"label missing in a language": {func(t *survey.Template) { delete(t.Items[0].Label, "en") }, "text.language"},
		"choice label missing":        {func(t *survey.Template) { t.Lists[0].Choices[0].Label = nil }, "text.missing"},
		"rubric without anchors":      {func(t *survey.Template) { t.Items[4].Items[0].Kind = survey.KindRubric }, "text.missing"},
		"unknown list":                {func(t *survey.Template) { t.Items[4].Items[0].List = "yn2" }, "list.unknown"},
		"no calculation":              {func(t *survey.Template) { t.Items[2].Calculation = "" }, "item.no_calculation"},
		"scored in a repeat":          {func(t *survey.Template) { t.Items[5].Items[0].Points = pts("1") }, "points.no_source"},
		"bands out of order":          {func(t *survey.Template) { t.Scheme.Bands[1].Min = 6000 }, "band.order"},
		"no lowest band":              {func(t *survey.Template) { t.Scheme.Bands[1].Min = 100 }, "band.gap"},
		"unknown kind":                {func(t *survey.Template) { t.Items[0].Kind = "rating" }, "item.kind"},
		"policy":                      {func(t *survey.Template) { t.Items[4].Items[0].NA = "ful" }, "na.policy"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			tpl := small()
			c.spoil(tpl)
			_, ps := survey.Compile(tpl, nil)
			if !strings.Contains(codes(ps), c.want+"@") {
				t.Errorf("got %s, want %s", codes(ps), c.want)
			}
		})
	}
}

func TestCompileReportsAllMistakesNotOnlyTheFirst(t *testing.T) {
	tpl := small()
	tpl.Items[0].Label = nil
	tpl.Items[3].Relevant = "${nope} and ${neither}"
	tpl.Scheme.Bands[0].Code = ""
	_, ps := survey.Compile(tpl, nil)
	if got := codes(ps); strings.Count(got, "expr.unknown_name") != 2 || !strings.Contains(got, "text.missing@total") || !strings.Contains(got, "band.code") {
		t.Errorf("got %s", got)
	}
}

func TestCircleIsReportedWithItsPath(t *testing.T) {
	tpl := small()
	tpl.Items[1].Relevant = "${share} > 1"
	_, ps := survey.Compile(tpl, nil)
	for _, p := range ps {
		if p.Code == "expr.circle" && p.Args["path"] == "present → share → present" {
			return
		}
	}
	t.Errorf("no circle with its path in %v", ps)
}

func TestAnswersJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"a":2}`:                    "answers.twice",
		`{"a":{"b":1}}`:                    "answers.object_value",
		`{"a":[1]}`:                        "answers.mixed_array",
		`{"a":["x",{}]}`:                   "answers.mixed_array",
		`[1]`:                              "answers.not_object",
		`{"a":1e999}`:                      "answers.number",
		strings.Repeat(`{"a":[`, 40) + "1": "answers.too_deep",
	} {
		var a survey.Answers
		err := a.UnmarshalJSON([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}
