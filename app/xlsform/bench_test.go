package xlsform_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
)

// largeForm is a workbook of 500 questions in 5 languages, with groups, logic,
// choices, anchors and points.
func largeForm(t testing.TB) []byte {
	languages := []string{"Tiếng Việt (vi)", "English (en)", "Français (fr)", "Español (es)", "Português (pt)"}
	texts := func(column string) (out []any) {
		for _, l := range languages {
			out = append(out, column+"::"+l)
		}
		return out
	}
	every := func(format string, args ...any) (out []any) {
		for _, l := range languages {
			out = append(out, fmt.Sprintf(format, args...)+" – "+l)
		}
		return out
	}
	row := func(parts ...any) (out []any) {
		for _, p := range parts {
			if many, ok := p.([]any); ok {
				out = append(out, many...)
			} else {
				out = append(out, p)
			}
		}
		return out
	}
	blank := make([]any, len(languages))
	rows := [][]any{row("type", "name", texts("label"), texts("hint"), texts("constraint_message"), "required", "relevant", "constraint", "points", "rubric")}
	choices := [][]any{row("list_name", "name", texts("label"), texts("anchor"), "points")}
	for section := range 20 {
		rows = append(rows, row("begin_group", fmt.Sprintf("s%d", section), every("Section %d of the assessment", section), blank, blank, "", "", "", 10))
		for i := range 25 {
			name := fmt.Sprintf("q%d_%d", section, i)
			label, hint := every("Question %d of section %d: what do you see and hear?", i, section), every("Look at the minutes before you answer question %d.", i)
			switch i % 5 {
			case 0:
				list := "l" + name
				rows = append(rows, row("select_one "+list, name, label, hint, blank, "yes", "", "", 2, "yes"))
				for level := range 3 {
					choices = append(choices, row(list, fmt.Sprintf("l%d", level), every("Level %d", level), every("At level %d one sees this and hears that.", level), level))
				}
			case 1:
				rows = append(rows, row("integer", name, label, hint, every("From 0 to 500"), "yes", "", ". >= 0 and . <= 500"))
			case 2:
				rows = append(rows, row("text", name, label, hint, blank, "", fmt.Sprintf("${q%d_%d} > 10 and ${q%d_%d} = 'l1'", section, i-1, section, i-2)))
			case 3:
				rows = append(rows, row("select_multiple topics", name, label, hint, blank, "", fmt.Sprintf("${q%d_%d} != 'l0'", section, i-3)))
			default:
				rows = append(rows, row("date", name, label, hint, every("Not later than today"), "", "", ". <= today()"))
			}
		}
		rows = append(rows, []any{"end_group"})
	}
	for i := range 12 {
		choices = append(choices, row("topics", fmt.Sprintf("t%d", i), every("Topic %d", i), blank))
	}
	return book(t, map[string][][]any{"survey": rows, "choices": choices,
		"scoring":  {{"total", "decimals"}, {200, 2}},
		"settings": {{"form_title", "form_id", "default_language"}, {"Large", "LARGE", languages[0]}}})
}

// BenchmarkLargeForm reads and checks a workbook of 500 questions in 5
// languages. Goal: under 300 ms and 100 MB; B/op is all that was allocated,
// peak-MB the most that the heap grew by.
func BenchmarkLargeForm(b *testing.B) {
	workbook := largeForm(b)
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	for b.Loop() {
		tpl, ps, err := xlsform.Read(workbook)
		if err != nil || len(ps) > 0 {
			b.Fatal(err, ps)
		}
		if _, ps := survey.Compile(tpl, nil); len(ps) > 0 {
			b.Fatal(ps)
		}
		runtime.ReadMemStats(&after)
		peak = max(peak, after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))
	}
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	b.ReportMetric(float64(len(workbook))/1e3, "file-kB")
}
