package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/khaosat/khaosat/app/sqlite"
)

// The tables that a submission is written to, and their columns.
var bareTables = []struct {
	name    string
	columns []string
}{
	{"responses", []string{"pos", "id", "visit", "round", "template", "unit", "role", "observer", "state", "path", "rev", "doc", "raw", "history"}},
	{"response_rows", []string{"round", "pos", "id", "rev", "state", "packed"}},
}

// bareRow is one response: its values in each of the tables.
type bareRow [2][]any

// bare is what submissions are compared with: the rows that the server wrote
// for a round are written again, byte for byte, into an empty database with the
// same schema, indexes and durability, by a loop that does nothing else, in
// groups formed by 32 callers. It prints the rate alone.
func bare(ctx context.Context, flags *flag.FlagSet, args []string) error {
	data := flags.String("data", "", "data folder with the round")
	round := flags.String("round", "load", "round whose rows are written")
	_ = flags.Parse(args)
	rows, err := readRows(ctx, *data, *round)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fmt.Errorf("round %s has no responses", *round)
	}
	// Beside the data, so that both are on the same disk.
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(*data)), "bare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	empty, err := sqlite.Open(ctx, dir, sqlite.Options{}) // for its tables
	if err != nil {
		return err
	}
	if err := empty.Close(); err != nil {
		return err
	}
	db, err := openBare(dir)
	if err != nil {
		return err
	}
	defer db.Close()
	rate, err := writeRows(ctx, db, rows)
	if err == nil {
		fmt.Printf("%.0f\n", rate)
	}
	return err
}

// openBare opens the database file with the driver that package sqlite brings.
func openBare(dir string) (*sql.DB, error) {
	file, err := filepath.Abs(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
}

func readRows(ctx context.Context, data, round string) ([]bareRow, error) {
	db, err := openBare(data)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var all []bareRow
	for i, t := range bareTables {
		rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name+" WHERE round = ? ORDER BY pos", round)
		if err != nil {
			return nil, err
		}
		for n := 0; rows.Next(); n++ {
			values := make([]any, len(t.columns))
			into := make([]any, len(t.columns))
			for j := range values {
				into[j] = &values[j]
			}
			if err := rows.Scan(into...); err != nil {
				return nil, err
			}
			if i == 0 {
				all = append(all, bareRow{})
			}
			all[n][i] = values
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// bareJob is a row on its way to the disk.
type bareJob struct {
	row  *bareRow
	done chan error
}

func writeRows(ctx context.Context, db *sql.DB, rows []bareRow) (float64, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	var inserts [len(bareRow{})]*sql.Stmt
	for i, t := range bareTables {
		inserts[i], err = conn.PrepareContext(ctx, "INSERT INTO "+t.name+" ("+strings.Join(t.columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(t.columns)-1)+")")
		if err != nil {
			return 0, err
		}
	}
	queue := make(chan bareJob, clients)
	go func() {
		for first := range queue {
			group := []bareJob{first}
			for n := len(queue); n > 0; n-- {
				group = append(group, <-queue)
			}
			err := writeGroup(conn, inserts[:], group)
			for _, j := range group {
				j.done <- err
			}
		}
	}()
	defer close(queue)

	var next atomic.Int64
	var wg sync.WaitGroup
	var failed [clients]error
	begin := time.Now()
	for c := range clients {
		wg.Go(func() {
			done := make(chan error, 1)
			for failed[c] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(rows) {
					return
				}
				queue <- bareJob{&rows[i], done}
				failed[c] = <-done
			}
		})
	}
	wg.Wait()
	return float64(len(rows)) / time.Since(begin).Seconds(), errors.Join(failed[:]...)
}

func writeGroup(conn *sql.Conn, inserts []*sql.Stmt, group []bareJob) error {
	// A context that can be cancelled would cost a goroutine a statement.
	ctx := context.Background()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, j := range group {
		for i, insert := range inserts {
			if _, err := insert.ExecContext(ctx, j.row[i]...); err != nil {
				return err
			}
		}
	}
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}
