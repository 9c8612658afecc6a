package surveytest

import (
	"context"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

func testRounds(t *testing.T, opener Opener) {
	s := opener(t)()
	d := document[survey.Round]{
		noun:    "round",
		make:    func(n int) *survey.Round { return Round(survey.RoundCode(ID("round", n))) },
		create:  s.CreateRound,
		replace: s.ReplaceRound,
		read: func(ctx context.Context, v *survey.Round) (*survey.Round, error) {
			return s.Round(ctx, v.Code)
		},
		rev: func(v *survey.Round) *int64 { return &v.Rev },
	}
	d.mark, d.marks, d.setTime = byEvents(func(v *survey.Round) *[]survey.Event { return &v.Events })
	testDocument(t, d)

	t.Run("all come ordered by the bytes of the code", func(t *testing.T) {
		s := opener(t)()
		for i := range byteOrder {
			Must(t, s.CreateRound(t.Context(), Round(survey.RoundCode(byteOrder[i*5%len(byteOrder)]))))
		}
		var got []string
		for _, v := range Collect(t, s.Rounds(t.Context())) {
			got = append(got, string(v.Code))
			WantSame(t, v, Round(v.Code, func(v *survey.Round) { v.Rev = 1 }))
		}
		wantOrder(t, got, byteOrder)
	})
	t.Run("nil and empty lists are the same", func(t *testing.T) {
		bare := &survey.Round{Code: "bare", Templates: []survey.RoundTemplate{}, Title: survey.Text{}}
		Must(t, s.CreateRound(t.Context(), bare))
		got, err := s.Round(t.Context(), "bare")
		Must(t, err)
		WantSame(t, got, &survey.Round{Code: "bare", Rev: 1})
	})
}
