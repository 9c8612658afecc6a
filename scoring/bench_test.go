package scoring_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// fullForm is worked example 1.
func fullForm(s *scoring.Scorer) survey.Answers {
	var a survey.Answers
	for name, n := range map[string]float64{"members_total": 43, "members_exempt": 3, "members_special_duty": 0, "present": 36, "absent_excused": 4,
		"absent_unexcused": 0, "absent_over_3_running": 0, "speakers": 19, "required_minutes": 120, "tasks_assigned": 4, "tasks_with_owner_and_date": 4} {
		a = a.Set(name, survey.NumberValue(n))
	}
	for name, text := range map[string]string{"meeting_date": "2018-03-05", "actual_start": "19:00", "actual_end": "20:50", "merged_with_other_meeting": "no"} {
		a = a.Set(name, survey.TextValue(text))
	}
	return bestOf(s.Form(), a, nil)
}

// BenchmarkScoreTemplateA scores one whole regular form: putting the answers
// in, calculations, points, caps.
func BenchmarkScoreTemplateA(b *testing.B) {
	s := scorerNamed(b, "SHCB-TK")
	answers := fullForm(s)
	unit := unitTypes[0]
	ctx := survey.Context{Unit: &unit, Now: now}
	b.ReportAllocs()
	for b.Loop() {
		if r := s.Score(answers, ctx); r.Total != 9900 {
			b.Fatalf("the total is %v", r.Total)
		}
	}
}

// BenchmarkSummarizeN summarises a nation's programme, a million responses.
func BenchmarkSummarizeN(b *testing.B) { benchmarkSummarize(b, 1_000_000, 220_000, 3500) }

// BenchmarkSummarizeXL summarises a large province's.
func BenchmarkSummarizeXL(b *testing.B) { benchmarkSummarize(b, 16_500, 15_000, 175) }

func benchmarkSummarize(b *testing.B, rows, units, superiors int) {
	scorer := scorerNamed(b, "SHCB-TK")
	table, perResponse := filledTable(b, scorer, rows, units, superiors)
	for _, q := range []scoring.Query{
		{By: scoring.BySector}, {By: scoring.BySector, Items: true}, {By: scoring.BySuperior, Items: true}, {By: scoring.ByObserver},
	} {
		q.Template = "SHCB-TK"
		b.Run(fmt.Sprintf("by=%s/items=%v", q.By, q.Items), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sum, err := table.Summarize(q)
				surveytest.Must(b, err)
				if sum.Overall.Responses != rows {
					b.Fatalf("%d of %d responses", sum.Overall.Responses, rows)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
			b.ReportMetric(perResponse, "B/response")
		})
	}
}

// filledTable makes a table of rows that vary, one in eleven a second rating,
// and says how many bytes each response takes in it.
func filledTable(b *testing.B, scorer *scoring.Scorer, rows, units, superiors int) (*scoring.Table, float64) {
	lists, err := fixtures.TypeLists()
	surveytest.Must(b, err)
	layout := scorer.Layout()
	random := rand.New(rand.NewPCG(1, 2))
	results := variedResults(scorer, random)
	before := heap()
	table := scoring.NewTable(lists)
	layouts := func(survey.TemplateCode, int) (*scoring.Layout, error) { return layout, nil }
	batch := make([]survey.Row, 0, 4096)
	months := rows/units + 1
	for i := range rows {
		n := i % (rows*10/11 + 1)
		unit := n % units
		r := &survey.Response{TemplateVersion: 1, Observer: survey.PersonID(fmt.Sprintf("observer-%05d", unit*7%40_000)),
			VisitKey: survey.VisitKey{Template: "SHCB-TK", Unit: survey.UnitCode(fmt.Sprintf("C%06d", unit)), Role: survey.RoleObserver,
				Period: fmt.Sprintf("2018-%02d", n/units%max(1, months)+1)},
			MeetingDate: survey.MustDate("2018-01-01") + survey.Date(i%300)}
		if i > n {
			r.Role = survey.RoleSecond
		}
		r.Standing = survey.Standing{UnitFacts: unitTypes[unit%len(unitTypes)], Path: []survey.UnitCode{"TU",
			survey.UnitCode(fmt.Sprintf("S%04d", unit%superiors)), survey.UnitCode(fmt.Sprintf("D%05d", unit%(superiors*17))), r.Unit}}
		packed := layout.Pack(results[random.IntN(len(results))], r)
		batch = append(batch, survey.Row{ID: idOf(i), State: survey.StateSubmitted, Packed: packed})
		if len(batch) == cap(batch) || i == rows-1 {
			surveytest.Must(b, table.Apply(batch, layouts))
			batch = batch[:0]
		}
	}
	table.Compact()
	clear(batch[:cap(batch)])
	return table, float64(heap()-before) / float64(rows)
}

func idOf(i int) survey.ResponseID {
	// Spread like random ones, and cheap to make.
	x, y := uint64(i)*0x9E3779B97F4A7C15, uint64(i)*0xBF58476D1CE4E5B9+1
	return survey.ResponseID(fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(x), uint16(x>>32), x>>48&0xfff, y&0xfff, y>>16))
}

func variedResults(scorer *scoring.Scorer, random *rand.Rand) []*scoring.Result {
	base := fullForm(scorer)
	var out []*scoring.Result
	for range 500 {
		a := append(survey.Answers(nil), base...)
		for _, slot := range scorer.Form().Scored() {
			if list := scorer.Form().List(slot); list != nil && random.IntN(3) == 0 {
				item, _ := scorer.Form().Item(slot)
				a = a.Set(item.Name, survey.TextValue(list.Choices[random.IntN(len(list.Choices))].Name))
			}
		}
		a = a.Set("speakers", survey.NumberValue(float64(random.IntN(37))))
		out = append(out, scorer.Score(a, survey.Context{Now: now}))
	}
	return out
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
