package scoring_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

var now = time.Date(2024, 6, 1, 9, 0, 0, 0, time.UTC)

// scorerOf compiles a workbook.
func scorerOf(t testing.TB, workbook []byte) *scoring.Scorer {
	t.Helper()
	tpl, problems, err := xlsform.Read(workbook)
	surveytest.Must(t, err)
	tpl.Version = 1
	form, more := survey.Compile(tpl, nil)
	if problems = append(problems, more...); len(problems) > 0 {
		t.Fatalf("the template has problems: %v", problems)
	}
	return scoring.NewScorer(form)
}

// scorerNamed compiles one of the templates that come with the program.
func scorerNamed(t testing.TB, code survey.TemplateCode) *scoring.Scorer {
	t.Helper()
	workbooks, err := fixtures.Workbooks()
	surveytest.Must(t, err)
	for _, w := range workbooks {
		if w.Code == code {
			return scorerOf(t, w.Bytes)
		}
	}
	t.Fatalf("there is no template %s", code)
	return nil
}

// TestScoringCases scores every file of testdata. A line is a keyword and what
// it says; "best" answers all other chosen criteria with the most points.
func TestScoringCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	surveytest.Must(t, err)
	if len(files) == 0 {
		t.Fatal("there are no cases")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { testCase(t, file) })
	}
}

func testCase(t *testing.T, file string) {
	f, err := os.Open(file)
	surveytest.Must(t, err)
	defer f.Close()
	var scorer *scoring.Scorer
	var answers survey.Answers
	var blank []string
	var result *scoring.Result
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		keyword, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		rest = strings.TrimSpace(rest)
		switch keyword {
		case "template":
			scorer = scorerNamed(t, survey.TemplateCode(rest))
		case "facts", "choices":
			for _, pair := range strings.Fields(rest) {
				name, value, _ := strings.Cut(pair, "=")
				answers = answers.Set(name, valueOf(value))
			}
		case "blank":
			blank = strings.Fields(rest)
		case "best":
			answers = bestOf(scorer.Form(), answers, blank)
			result = scorer.Score(answers, survey.Context{Now: now})
		default:
			wantOfCase(t, result, keyword, rest)
		}
	}
	if result == nil {
		t.Fatal("the case scores nothing")
	}
}

// valueOf reads a value: a number where it is one, else text.
func valueOf(s string) survey.Value {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return survey.NumberValue(f)
	}
	return survey.TextValue(s)
}

// bestOf answers every chosen criterion that has no answer yet, except some.
func bestOf(form *survey.Form, answers survey.Answers, except []string) survey.Answers {
	for _, slot := range form.Scored() {
		item, _ := form.Item(slot)
		if _, given := answers.Get(item.Name); given || form.List(slot) == nil || slices.Contains(except, item.Name) {
			continue
		}
		best := slices.MaxFunc(form.List(slot).Choices, func(a, b survey.Choice) int { return int(pointsOf(a) - pointsOf(b)) })
		answers = answers.Set(item.Name, survey.TextValue(best.Name))
	}
	return answers
}

func pointsOf(c survey.Choice) survey.Points {
	if c.Points == nil {
		return -1
	}
	return *c.Points
}

// wantOfCase checks one line of what a case expects.
func wantOfCase(t *testing.T, r *scoring.Result, keyword, rest string) {
	var got string
	switch keyword {
	case "":
		return
	case "points", "sections":
		wantPoints(t, r, rest)
		return
	case "earned":
		got = r.Earned.String()
	case "available":
		got = r.Available.String()
	case "total":
		got = r.Shown()
	case "first":
		got = r.BandCode(r.BandFirst)
	case "band":
		got = r.BandCode(r.Band)
	case "not_graded":
		got = string(r.Reason)
		if r.Graded() || r.Shown() != "" || r.Band != -1 || r.BandFirst != -1 {
			t.Errorf("it has the total %q and the band %d, want none", r.Shown(), r.Band)
		}
	case "caps":
		got = strings.Join(capCodes(r), " ")
	default:
		t.Fatalf("a case says %q", keyword)
	}
	if got != rest {
		t.Errorf("%s is %q, want %q", keyword, got, rest)
	}
}

func wantPoints(t *testing.T, r *scoring.Result, pairs string) {
	for _, pair := range strings.Fields(pairs) {
		name, want, _ := strings.Cut(pair, "=")
		slot, known := r.Form().Slot(name)
		if !known {
			t.Fatalf("there is no %s", name)
		}
		got, _ := r.SectionEarned(name)
		if score := r.ItemAt(slot); score != nil {
			got = score.Earned
		}
		if got.String() != want {
			t.Errorf("%s earned %s, want %s", name, got, want)
		}
	}
}

func capCodes(r *scoring.Result) []string {
	codes := []string{}
	for _, c := range r.FiredCaps() {
		codes = append(codes, c.Code)
	}
	return codes
}

// TestAForeignWorkbookIsScored scores a restaurant inspection, whose bands,
// caps, steps, bonus and N/A rules are unlike those of any of our templates.
func TestAForeignWorkbookIsScored(t *testing.T) {
	workbook, err := os.ReadFile("../fixtures/examples/restaurant-inspection.xlsx")
	surveytest.Must(t, err)
	scorer := scorerOf(t, workbook)
	b, err := os.ReadFile("../fixtures/examples/restaurant-inspection.cases.json")
	surveytest.Must(t, err)
	var cases []struct {
		Name, Why string
		Answers   survey.Answers
		Expect    struct {
			Total, Available *float64
			Band             *string
			BandFirst        *string `json:"band_before_caps"`
			Caps             []string
		}
	}
	surveytest.Must(t, json.Unmarshal(b, &cases))
	if len(cases) == 0 {
		t.Fatal("there are no cases")
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r := scorer.Score(c.Answers, survey.Context{Now: now})
			total := ""
			if c.Expect.Total != nil {
				total = fmt.Sprintf("%.1f", *c.Expect.Total)
			}
			if r.Shown() != total || r.Available.Float() != *c.Expect.Available {
				t.Errorf("total %q of %v available, want %q of %v: %s", r.Shown(), r.Available, total, *c.Expect.Available, c.Why)
			}
			if r.BandCode(r.Band) != text(c.Expect.Band) || r.BandCode(r.BandFirst) != text(c.Expect.BandFirst) {
				t.Errorf("band %q, before caps %q, want %q and %q", r.BandCode(r.Band), r.BandCode(r.BandFirst), text(c.Expect.Band), text(c.Expect.BandFirst))
			}
			if !slices.Equal(capCodes(r), c.Expect.Caps) {
				t.Errorf("caps %v, want %v", capCodes(r), c.Expect.Caps)
			}
		})
	}
}
