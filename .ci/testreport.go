//go:build ignore

// Testreport reads the output of go test -json and prints what a person wants
// to see of it: everything a failed test said, the tests that were skipped with
// their reasons, and the summary line of each package last.
//
// It exits 1 if a test failed or was skipped: on the machine that runs every
// test, a skipped test is one that nobody runs.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is a record of go test -json (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // set instead of Package where the build speaks
	Test       string
	Output     string
}

// subject is a test of a package, or the package itself where Test is empty.
type subject struct{ Package, Test string }

// report is what is known of the run so far.
type report struct {
	said     map[subject][]string
	outcome  map[string]int // tests by how they ended
	failures int            // failed packages, tests and builds
	skipped  []string
	summary  []string // the last line of each package
	other    []string // what the compiler and the go command said
}

func main() {
	r := &report{said: map[subject][]string{}, outcome: map[string]int{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !r.print(os.Stdout) {
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			r.other = append(r.other, lines.Text())
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	at := subject{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.said[at] = append(r.said[at], e.Output)
	case "build-output":
		r.other = append(r.other, strings.TrimRight(e.Output, "\n"))
	case "build-fail":
		r.failures++
	case "pass", "fail", "skip":
		r.end(at, e.Action)
	}
}

// end settles a test or a package. What a passed test said is dropped, which
// keeps memory small over a long run.
func (r *report) end(at subject, action string) {
	said := r.said[at]
	delete(r.said, at)
	if action == "fail" {
		r.failures++
		fmt.Print(strings.Join(said, ""))
	}
	if at.Test == "" {
		r.summary = append(r.summary, packageLine(at.Package, action, said))
		return
	}
	r.outcome[action]++
	if action == "skip" {
		reason := strings.Join(slices.DeleteFunc(said, isFrame), "")
		r.skipped = append(r.skipped, fmt.Sprintf("%s %s: %s", at.Package, at.Test, strings.TrimSpace(reason)))
	}
}

// isFrame says whether go test itself wrote the line.
func isFrame(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ")
}

// packageLine is the line that go test ends a package with.
func packageLine(name, action string, said []string) string {
	for _, line := range slices.Backward(said) {
		for _, mark := range []string{"ok", "FAIL", "?", "\t"} {
			if strings.HasPrefix(line, mark) && strings.Contains(line, name) {
				return strings.TrimRight(line, "\n")
			}
		}
	}
	return action + "\t" + name
}

// print writes the report and says whether all is well.
func (r *report) print(out io.Writer) bool {
	for _, line := range r.other {
		fmt.Fprintln(out, line)
	}
	for _, line := range r.skipped {
		fmt.Fprintln(out, "SKIPPED", line)
	}
	slices.Sort(r.summary)
	for _, line := range r.summary {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "%d tests passed, %d failed, %d skipped\n", r.outcome["pass"], r.outcome["fail"], len(r.skipped))
	if len(r.summary) == 0 {
		fmt.Fprintln(out, "no package was tested")
		return false
	}
	return r.failures == 0 && len(r.skipped) == 0
}
