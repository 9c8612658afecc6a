package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

// repeats is how often a summary is computed; the median counts.
const repeats = 31

// table fills the table of the demonstration's round from the store, as a
// server does for its first summary, and then summarises by sector. Prints
// tab-separated: responses, seconds of reading the rows alone, seconds of the
// cold fill, bytes a response without and with the ids, milliseconds of a summary.
func table(ctx context.Context, flags *flag.FlagSet, args []string) error {
	data := flags.String("data", "", "data folder with a demonstration")
	_ = flags.Parse(args)
	store, err := sqlite.Open(ctx, *data, sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	reading := time.Now()
	for _, err := range store.RowsSince(ctx, fixtures.DemoRound, "") {
		if err != nil {
			return err
		}
	}
	bareReading := time.Since(reading)

	svc := service.New(store, service.Options{})
	if _, _, err := svc.Tree(ctx); err != nil { // what a server has before
		return err
	}
	round, err := store.Round(ctx, fixtures.DemoRound)
	if err != nil {
		return err
	}
	before := heap()
	begin := time.Now()
	t, err := svc.Table(ctx, round)
	if err != nil {
		return err
	}
	fill := time.Since(begin)
	used := heap() - before
	n := t.Len()
	ids := idBytes(n)
	if n == 0 {
		return fmt.Errorf("the round has no responses")
	}
	summary, err := median(func() error {
		_, err := t.Summarize(scoring.Query{Template: template, Role: survey.RoleObserver, By: scoring.BySector})
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d\t%.2f\t%.2f\t%.0f\t%.0f\t%.2f\n", n, bareReading.Seconds(), fill.Seconds(),
		float64(used-ids)/float64(n), float64(used)/float64(n), float64(summary.Microseconds())/1000)
	runtime.KeepAlive(svc)
	return nil
}

// heap gives the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// idBytes is what n ids take that lead from a row to its response and back: a
// column of them and an index, as the table has. It is measured on ids of its
// own, since a table does not say which of its bytes are for what.
func idBytes(n int) int64 {
	type ref struct {
		block uint16
		row   uint32
	}
	before := heap()
	index := map[[16]byte]ref{}
	for i := range n {
		index[uuid.New()] = ref{block: uint16(i >> 16), row: uint32(i)}
	}
	used := heap() - before
	runtime.KeepAlive(index)
	return used + int64(n)*int64(len(uuid.UUID{}))
}

func median(do func() error) (time.Duration, error) {
	took := make([]time.Duration, repeats)
	for i := range took {
		begin := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// summaryOverHTTP prints the median milliseconds of the demonstration's summary
// by sector, asked of a running server whose table is warm.
func summaryOverHTTP(ctx context.Context, flags *flag.FlagSet, args []string) error {
	addr := flags.String("addr", "127.0.0.1:8080", "address of the server")
	token := flags.String("token", os.Getenv("KHAOSAT_TOKEN"), "API token")
	_ = flags.Parse(args)
	ask := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet,
			"http://"+*addr+"/api/v1/rounds/"+string(fixtures.DemoRound)+"/summary?by=sector", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+*token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %.300s", resp.Status, answer)
		}
		return err
	}
	if err := ask(); err != nil { // fills the table
		return err
	}
	took, err := median(ask)
	if err == nil {
		fmt.Printf("%.2f\n", float64(took.Microseconds())/1000)
	}
	return err
}
