// Load measures khaosat against the figures it has to reach. Every figure is
// printed as one line of tab-separated fields: name, goal, measured, baseline,
// ratio; scripts/bench runs them all and lays out the table.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// job is one thing the program does; the flags are its own.
type job struct {
	about string
	run   func(ctx context.Context, flags *flag.FlagSet, args []string) error
}

func jobs() map[string]job {
	return map[string]job{
		"prepare": {"plan submissions for a data folder", prepare},
		"submit":  {"send a plan's submissions to a running server", submit},
		"bare":    {"write what a plan left in the database with a bare loop", bare},
		"start":   {"start a server and wait until it is ready", start},
		"table":   {"fill and query a round's table", table},
		"summary": {"time the summary of a running server", summaryOverHTTP},
		"beside":  {"time a page of a running server alone and while it makes a file", beside},
		"raw":     {"write a sheet and CSV of a million responses, and the sheet with a bare stream writer", raw},
		"export":  {"write a workbook with the program and with a bare stream writer", workbook},
	}
}

func main() {
	all := jobs()
	if len(os.Args) < 2 || all[os.Args[1]].run == nil {
		fmt.Fprintln(os.Stderr, "load JOB [flags]")
		for name, j := range all {
			fmt.Fprintf(os.Stderr, "  %-8s %s\n", name, j.about)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name := os.Args[1]
	if err := all[name].run(ctx, flag.NewFlagSet("load "+name, flag.ExitOnError), os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "load %s: %v\n", name, err)
		os.Exit(1)
	}
}
