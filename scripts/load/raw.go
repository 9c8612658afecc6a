package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// rawColumns is how many columns the raw sheet has.
const rawColumns = 40

// raw writes the sheet of visits with so many responses of a form that makes it
// 40 columns wide, the same as CSV, and the same cells with excelize's stream
// writer. Prints tab-separated: seconds of the sheet, peak MB of the heap above
// what there was before, seconds of the stream writer, rows a second of the CSV.
func raw(_ context.Context, flags *flag.FlagSet, args []string) error {
	n := flags.Int("rows", 1_000_000, "responses")
	keep := flags.String("keep", "", "folder in which the workbook stays; a temporary one that goes")
	baseline := flags.Bool("baseline", true, "write the cells with a stream writer too")
	_ = flags.Parse(args)
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "khaosat-load-*"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	report, err := rawReport(*n)
	if err != nil {
		return err
	}
	before, stop, peak := heapNow(), make(chan struct{}), make(chan uint64)
	go watchHeap(stop, peak)
	begin := time.Now()
	if err := toFile(filepath.Join(dir, "raw.xlsx"), func(w io.Writer) error { return export.Workbook(w, report) }); err != nil {
		return err
	}
	sheet := time.Since(begin)
	close(stop)
	above := <-peak - before

	if report, err = rawReport(*n); err != nil {
		return err
	}
	begin = time.Now()
	if err := export.CSV(io.Discard, report, export.CSVFormat{}); err != nil {
		return err
	}
	csv := time.Since(begin)

	bare := time.Duration(0)
	if *baseline {
		sample, err := readCells(filepath.Join(dir, "raw.xlsx"), 1001)
		if err != nil {
			return err
		}
		if len(sample[0]) != rawColumns {
			return fmt.Errorf("the sheet is %d columns wide", len(sample[0]))
		}
		begin = time.Now()
		if err := streamMany(filepath.Join(dir, "bare.xlsx"), sample, *n); err != nil {
			return err
		}
		bare = time.Since(begin)
	}
	fmt.Printf("%.2f\t%.1f\t%.2f\t%.0f\n", sheet.Seconds(), float64(above)/(1<<20), bare.Seconds(), float64(*n)/csv.Seconds())
	return nil
}

func toFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<18)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func watchHeap(stop chan struct{}, out chan uint64) {
	most := uint64(0)
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-stop:
			out <- most
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// rawReport makes a report with n responses: a thousand different ones over and
// over, so that to make them costs nothing.
func rawReport(n int) (*export.Report, error) {
	both := func(s string) survey.Text { return survey.Text{"vi": s, "en": s} }
	ten := survey.Points(1000)
	t := &survey.Template{Code: "RAW", Version: 1, State: survey.Published, Title: both("Phiếu"), Languages: []string{"vi", "en"},
		Lists: []survey.ChoiceList{{Name: "l", Choices: []survey.Choice{{Name: "yes", Label: both("Có, đầy đủ"), Points: &ten}, {Name: "no", Label: both("Không")}}}},
		Items: []survey.Item{{Name: "S", Kind: survey.KindGroup, Label: both("Phần"), Points: &ten, Items: []survey.Item{{Name: "A1", Kind: survey.KindSelectOne, List: "l", Label: both("A1"), Points: &ten}}}},
		Scheme: &survey.Scheme{Total: 1000, NA: survey.NARescale, Rescale: survey.RescaleOverall, Decimals: 2, Graded: true,
			Bands: []survey.Band{{Code: "tot", Min: 500, Label: both("Tốt"), Color: "#70ad47"}, {Code: "kem", Label: both("Kém"), Color: "#c00000"}}}}
	zero := survey.Points(0)
	t.Lists[0].Choices[1].Points = &zero
	// 23 columns of the visit, one section, three of A1.
	for i := range rawColumns - 23 - 1 - 3 {
		t.Items = append(t.Items, survey.Item{Name: "n" + strconv.Itoa(i), Kind: survey.KindInteger, Label: both("n")})
	}
	form, problems := survey.Compile(t, nil)
	if form == nil {
		return nil, problems.Err("template.problems")
	}
	scorer := scoring.NewScorer(form)
	lists := &survey.TypeLists{}
	var made []*export.Detail
	for i := range 1000 {
		answers := survey.Answers{{Item: "A1", Value: survey.TextValue([]string{"yes", "no"}[i%2])}}
		for k := range rawColumns - 27 {
			answers = answers.Set("n"+strconv.Itoa(k), survey.NumberValue(float64(i*k)))
		}
		unit := survey.UnitCode("C" + strconv.Itoa(100000+i))
		r := &survey.Response{ID: survey.ResponseID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), TemplateVersion: 1, State: survey.StateSubmitted, MeetingDate: survey.MustDate("2018-03-05"),
			VisitKey: survey.VisitKey{Round: "R", Template: "RAW", Unit: unit, Role: survey.RoleObserver},
			Standing: survey.Standing{Unit: unit, Name: "Chi bộ Khu phố " + strconv.Itoa(i), Path: []survey.UnitCode{"TU", "Q", unit}, UnitFacts: survey.UnitFacts{Structure: "CBTT", Sector: "02", Setting: "KP"}}}
		r.Answers, r.ReceivedAt = answers, time.Date(2018, 3, 5, 14, 30, 0, 0, time.UTC)
		made = append(made, &export.Detail{Response: r, Result: scorer.Score(answers, survey.Context{}), Observer: "Nguyễn Thị Ánh", Path: []string{"Thành ủy", "Quận ủy 1", r.Standing.Name}})
	}
	table := scoring.NewTable(lists)
	sum, err := table.Summarize(scoring.Query{Template: "RAW", Items: true})
	if err != nil {
		return nil, err
	}
	return &export.Report{Round: &survey.Round{Code: "R", Title: both("Đợt")}, Template: t, Language: "vi", Lists: lists, MadeAt: time.Now(), Version: "load", Summary: sum, Groupings: []*scoring.Summary{sum},
		Details: func(yield func(*export.Detail, error) bool) {
			for i := range n {
				if !yield(made[i%len(made)], nil) {
					return
				}
			}
		}}, nil
}

// streamMany writes the sample's rows over and over.
func streamMany(file string, sample [][]any, n int) error {
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	for i := range n + 1 {
		row := sample[0]
		if i > 0 {
			row = sample[1+(i-1)%(len(sample)-1)]
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.SaveAs(file)
}
