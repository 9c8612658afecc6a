package web

import (
	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// analysisPage is what the page about trust in ratings shows.
type analysisPage struct {
	*service.RoundAnalysis
	Groupings []scoring.Grouping
	// Wide is the largest severity, for the length of bars.
	Wide float64
}

func (s *Server) pageAnalysis(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	a, err := s.svc.Analysis(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	data := analysisPage{RoundAnalysis: a, Groupings: groupings}
	for _, o := range a.Observers {
		if o.Severity != nil {
			data.Wide = max(data.Wide, o.Severity.Shrunk, -o.Severity.Shrunk)
		}
	}
	return s.show(q.Ctx, 200, "analysis", q.page(q.say("analysis.title"), data))
}

// SeverityBar draws one observer's severity from the middle of 100.
func (d analysisPage) SeverityBar(o scoring.ObserverLine) (bar struct{ X, Width float64 }) {
	if o.Severity == nil || d.Wide == 0 {
		return bar
	}
	bar.X, bar.Width = 50, 50*o.Severity.Shrunk/d.Wide
	if bar.Width < 0 {
		bar.Width = -bar.Width
		bar.X -= bar.Width
	}
	return bar
}

// agreedLine is what a line of agreement is drawn from.
type agreedLine struct {
	Page page
	Of   scoring.Categories
}

func agreed(p page, c scoring.Categories) agreedLine { return agreedLine{p, c} }

// fixed writes a number with so many decimals.
func fixed(lang string, f float64, decimals int) string { return number(lang, f, decimals) }

// signed writes a difference with its sign.
func signed(lang string, f float64) string {
	s := number(lang, f, 2)
	switch {
	case f > 0:
		return "+" + s
	case f < 0:
		return "−" + s[1:]
	}
	return s
}

// between writes an interval.
func between(lang string, i any) string {
	switch v := i.(type) {
	case scoring.Interval:
		return "[" + number(lang, v.Low, 2) + "; " + number(lang, v.High, 2) + "]"
	case *scoring.Interval:
		if v != nil {
			return between(lang, *v)
		}
	}
	return none
}
