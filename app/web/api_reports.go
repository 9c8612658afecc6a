package web

import (
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// query reads what a summary is asked for.
func (q *request) query() (scoring.Query, error) {
	out := scoring.Query{Template: survey.TemplateCode(q.Query("template")), By: scoring.Grouping(q.Query("by")), And: scoring.Grouping(q.Query("and"))}
	f := &out.Filter
	f.Under, f.Sectors, f.Structures, f.Settings = list[survey.UnitCode](q, "under"), list[string](q, "sector"), list[string](q, "structure"), list[string](q, "setting")
	f.Tags, f.Observers, f.Periods, f.States = list[string](q, "tag"), list[survey.PersonID](q, "observer"), list[string](q, "period"), list[survey.ReviewState](q, "state")
	var err error
	if out.Role, err = choice(q, "role", survey.RatingRoles); err != nil {
		return out, err
	}
	if out.ByResponse, err = q.flag("by_response"); err != nil {
		return out, err
	}
	if out.Items, err = q.flag("items"); err != nil {
		return out, err
	}
	if f.From, err = q.date("from"); err != nil {
		return out, err
	}
	if f.To, err = q.date("to"); err != nil {
		return out, err
	}
	return out, oneOf("state", survey.ReviewStates, f.States...)
}

// apiSummary gives a round's summary.
func (s *Server) apiSummary(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	sum, err := s.svc.Summary(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	if sum.Versions == nil {
		sum.Versions = []int{} // nothing was counted
	}
	return q.send(200, struct {
		Round survey.RoundCode `json:"round"`
		AsOf  survey.Date      `json:"as_of"`
		Bands []bandJSON       `json:"band_list"`
		*scoring.Summary
	}{sum.Round.Code, sum.AsOf, asBands(sum.Scheme), sum.Summary})
}

// apiAnalysis tells how far a round's ratings can be trusted.
func (s *Server) apiAnalysis(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	a, err := s.svc.Analysis(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	return q.send(200, struct {
		Round survey.RoundCode `json:"round"`
		AsOf  survey.Date      `json:"as_of"`
		*scoring.Analysis
	}{a.Round.Code, a.AsOf, a.Analysis})
}

type bandJSON struct {
	Code  string        `json:"code"`
	Min   survey.Points `json:"min"`
	Label survey.Text   `json:"label"`
	Color string        `json:"color"`
}

func asBands(scheme *survey.Scheme) []bandJSON {
	out := []bandJSON{}
	for _, b := range scheme.Bands {
		out = append(out, bandJSON{b.Code, b.Min, b.Label, b.Color})
	}
	return out
}
