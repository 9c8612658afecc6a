// Khaosat collects surveys and assessments by observation, scores them and adds
// them up by type of organisation.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // rounds have time zones; not every machine has their files

	"github.com/alecthomas/kong"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// Exit statuses.
const (
	exitDone        = 0
	exitProblems    = 1 // the input has problems, which were listed
	exitUsage       = 2
	exitEnvironment = 3 // the database, the disk or the network failed
)

// version is set by the release build.
var version = "0.1.0-dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// commands is the command line.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Demo     demoCommand     `cmd:"" help:"Load generated demonstration data of a given size."`
	Template templateCommand `cmd:"" help:"Check, import, publish and export templates."`
	Units    unitsCommand    `cmd:"" help:"Import the organisation tree."`
	Export   exportCommand   `cmd:"" help:"Write a round's workbook."`
	Summary  summaryCommand  `cmd:"" help:"Show a round's summary."`
	Score    scoreCommand    `cmd:"" help:"Score one set of answers, without a database."`
	User     userCommand     `cmd:"" help:"Add, reset, disable and list accounts."`
	Token    tokenCommand    `cmd:"" help:"Make API tokens."`
	Health   healthCommand   `cmd:"" help:"Ask a running server whether it is ready; for container health checks."`

	Lang    string           `help:"Language of messages: vi or en." env:"KHAOSAT_LANG" default:"${lang}"`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

// terminal is what a command talks to.
type terminal struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	err    io.Writer
	lang   string
	status int
}

// say prints a message of the catalogue to the error stream.
func (t *terminal) say(id string, args survey.Args) {
	fmt.Fprintln(t.err, message.Say(t.lang, id, args))
}

// exitSignal ends the parsing of the command line where kong would exit.
type exitSignal int

// run is main without the process: it gives the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			s, ok := r.(exitSignal)
			if !ok {
				panic(r)
			}
			status = int(s)
		}
	}()
	var cli commands
	lang := message.Match(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
	parser, err := kong.New(&cli, kong.Name("khaosat"), kong.UsageOnError(), kong.Writers(out, errOut),
		kong.Description("Collects surveys and assessments by observation. Data lies in SQLite (--data) or MongoDB (--mongodb-uri)."),
		kong.Vars{"version": version, "lang": lang, "data": defaultData},
		kong.Exit(func(code int) { panic(exitSignal(code)) }))
	if err != nil {
		fmt.Fprintln(errOut, err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errOut, "khaosat:", err)
		fmt.Fprintln(errOut, "khaosat --help")
		return exitUsage
	}
	t := &terminal{ctx: ctx, in: in, out: out, err: errOut, lang: message.Match(cli.Lang)}
	if err := parsed.Run(t); err != nil {
		return t.fail(err)
	}
	return t.status
}

// fail says what went wrong, all of it, and gives the exit status.
func (t *terminal) fail(err error) int {
	var e *survey.Error
	if !errors.As(err, &e) {
		fmt.Fprintln(t.err, "khaosat:", err)
		return exitEnvironment
	}
	fmt.Fprintln(t.err, "khaosat:", message.OfError(t.lang, err))
	printProblems(t.err, t.lang, e.Problems)
	switch e.Kind {
	case survey.Invalid, survey.NotFound, survey.Conflict, survey.Exists, survey.Forbidden, survey.Unauthenticated, survey.TooLarge:
		return exitProblems
	case survey.Internal:
		fmt.Fprintln(t.err, err)
	}
	return exitEnvironment
}

// printProblems lists problems, one a line, with their place.
func printProblems(w io.Writer, lang string, ps survey.Problems) {
	for _, p := range ps {
		where := message.Place(lang, p.Place)
		if where != "" {
			where += ": "
		}
		fmt.Fprintf(w, "  %s: %s%s\n", message.Say(lang, "severity."+string(p.Severity), nil), where, message.OfProblem(lang, p))
	}
}
