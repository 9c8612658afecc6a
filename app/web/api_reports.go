package web

import (
	"bufio"
	"context"
	"net/url"
	"os"
	"time"

	"github.com/khaosat/khaosat/app/service"
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

// exportTime is how long a workbook may take.
const exportTime = 10 * time.Minute

// apiExport gives the workbook. A workbook cannot be partly right, so it is
// written to a temporary file first: a failure is then a proper answer and the
// length is known.
func (s *Server) apiExport(q *request) error {
	lang := q.Query("lang")
	if lang == "" {
		lang = "vi"
	}
	round := survey.RoundCode(q.Params("round"))
	f, err := os.CreateTemp("", "khaosat-*.xlsx")
	if err != nil {
		return err
	}
	// The name goes at once: whatever happens, nothing is left behind.
	_ = os.Remove(f.Name())
	ctx, cancel := context.WithTimeout(context.Background(), exportTime)
	defer cancel()
	o := service.ExportOptions{Round: round, Template: survey.TemplateCode(q.Query("template")), Language: lang}
	w := bufio.NewWriterSize(f, 1<<18)
	err = s.svc.Export(ctx, q.caller, o, w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		f.Close()
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		f.Close()
		return err
	}
	name := string(round) + ".xlsx"
	q.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	q.Set("Content-Disposition", `attachment; filename="`+name+`"; filename*=UTF-8''`+url.PathEscape(name))
	q.Set("Cache-Control", "no-store")
	return q.SendStream(f, int(info.Size()))
}
