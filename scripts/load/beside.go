package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// beside asks a running server for pages, first alone and then while it makes the
// raw data of the round, and prints tab-separated: the 95th percentile in
// milliseconds alone, beside, and the rows that were written meanwhile. The
// account's token is in KHAOSAT_TOKEN.
func beside(ctx context.Context, flags *flag.FlagSet, args []string) error {
	addr := flags.String("addr", "127.0.0.1:8080", "where the server listens")
	kind := flags.String("kind", "csv", "the file that is made meanwhile")
	path := flags.String("path", "/rounds/"+string(fixtures.DemoRound), "the page")
	span := flags.Duration("for", 20*time.Second, "how long to ask, each time")
	_ = flags.Parse(args)
	ask := func(method, path, body string, into any) error {
		r, err := http.NewRequestWithContext(ctx, method, "http://"+*addr+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+os.Getenv("KHAOSAT_TOKEN"))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err == nil && answer.StatusCode >= 300 {
			err = fmt.Errorf("%s %s: %s\n%s", method, path, answer.Status, b)
		}
		if err == nil && into != nil {
			err = json.Unmarshal(b, into)
		}
		return err
	}
	measure := func() (float64, error) {
		var took []time.Duration
		for end := time.Now().Add(*span); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			begin := time.Now()
			if err := ask("GET", *path, "", nil); err != nil {
				return 0, err
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		return float64(took[len(took)*95/100].Microseconds()) / 1000, nil
	}
	if err := ask("GET", *path, "", nil); err != nil { // the table is filled
		return err
	}
	alone, err := measure()
	if err != nil {
		return err
	}
	id := survey.NewID()
	if err := ask("PUT", "/api/v1/rounds/"+string(fixtures.DemoRound)+"/files/"+id, `{"kind": "`+*kind+`"}`, nil); err != nil {
		return err
	}
	var job struct {
		State survey.JobState
		Done  int
	}
	for job.State != survey.JobRunning || job.Done == 0 {
		if err := ask("GET", "/api/v1/files/"+id, "", &job); err != nil {
			return err
		}
		if job.State.Over() {
			return errors.New("the file was finished before anything could be measured")
		}
		time.Sleep(100 * time.Millisecond)
	}
	from := job.Done
	during, err := measure()
	if err != nil {
		return err
	}
	if err := ask("GET", "/api/v1/files/"+id, "", &job); err != nil {
		return err
	}
	if job.State != survey.JobRunning {
		return errors.New("the file was finished before the measuring was")
	}
	rows := job.Done - from
	if err := ask("POST", "/api/v1/files/"+id+"/cancel", "", nil); err != nil {
		return err
	}
	fmt.Printf("%.1f\t%.1f\t%d\n", alone, during, rows)
	return nil
}
