package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// childFolder is the environment variable that makes the test binary write
// into a data folder until it is killed, instead of running tests.
const childFolder = "KHAOSAT_TEST_WRITE_UNTIL_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled creates and replaces responses from 16 callers, and prints
// "number revision" for each write that was acknowledged.
func writeUntilKilled(dir string) error {
	s, err := Open(context.Background(), dir, Options{})
	if err != nil {
		return err
	}
	const callers = 16
	errs := make(chan error, callers)
	var out sync.Mutex
	base := int(time.Now().UnixNano()/1000%1_000_000) * 1000
	for c := range callers {
		go func() {
			for n := base + c; ; n += callers {
				for rev := range 3 {
					r := killResponse(n, int64(rev))
					write := s.CreateResponse
					if rev > 0 {
						write = s.ReplaceResponse
					}
					if err := write(context.Background(), r); err != nil {
						errs <- err
						return
					}
					out.Lock()
					fmt.Println(n, r.Rev)
					out.Unlock()
				}
			}
		}()
	}
	return <-errs
}

// killResponse is response n as it was read in revision rev, about to be
// written: what it holds depends on both.
func killResponse(n int, rev int64) *survey.Response {
	return surveytest.Response(n, func(r *survey.Response) {
		r.Unit = survey.UnitCode(fmt.Sprint("U", n))
		r.Rev = rev
		r.Submission = surveytest.Submission(strings.Repeat(fmt.Sprint(n, " in revision ", rev+1, "\x00\xff"), 100))
		for earlier := range rev {
			r.Earlier = append(r.Earlier, surveytest.Submission(fmt.Sprint(n, " in revision ", earlier+1)))
		}
		r.Packed = fmt.Appendf(nil, "%d in revision %d", n, rev+1)
	})
}

// TestKilledKeepsWhatWasAcknowledged kills a writing process at a random
// moment, several times on one data folder, and looks for every byte of every
// response that it had acknowledged.
func TestKilledKeepsWhatWasAcknowledged(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	acknowledged := map[int]int64{}
	for range 4 {
		before := len(acknowledged)
		killAfter(t, dir, time.Duration(50+rnd.IntN(400))*time.Millisecond, acknowledged)
		t.Logf("killed after %d new responses were acknowledged", len(acknowledged)-before)
		wantAcknowledged(t, dir, acknowledged)
	}
	if len(acknowledged) == 0 {
		t.Error("the child wrote nothing")
	}
}

// startChild starts a process that writes into the data folder, and gives its
// acknowledgements as they come.
func startChild(t *testing.T, dir string) (child *exec.Cmd, acknowledgements iter.Seq2[int, int64]) {
	t.Helper()
	child = exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	surveytest.Must(t, err)
	surveytest.Must(t, child.Start())
	return child, func(yield func(int, int64) bool) {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n int
			var rev int64
			// A line that was cut short by the kill was not read by anybody.
			if got, _ := fmt.Sscanf(lines.Text()+"\n", "%d %d\n", &n, &rev); got == 2 && !yield(n, rev) {
				return
			}
		}
	}
}

// killAfter starts a writing process, kills it some time after its first
// acknowledgement and notes what it had acknowledged.
func killAfter(t *testing.T, dir string, after time.Duration, acknowledged map[int]int64) {
	t.Helper()
	child, acknowledgements := startChild(t, dir)
	first := true
	for n, rev := range acknowledgements {
		acknowledged[n] = max(acknowledged[n], rev)
		if first {
			first = false
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

func wantAcknowledged(t *testing.T, dir string, acknowledged map[int]int64) {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{})
	surveytest.Must(t, err)
	defer func() { surveytest.Must(t, s.Close()) }()
	for n, rev := range acknowledged {
		got, err := s.Response(t.Context(), surveytest.Response(n).ID)
		surveytest.Must(t, err)
		if got.Rev < rev || got.Rev > rev+1 { // one more may have been written, unacknowledged
			t.Fatalf("response %d has revision %d, acknowledged was %d", n, got.Rev, rev)
		}
		want := killResponse(n, got.Rev-1)
		want.Rev = got.Rev
		surveytest.WantSame(t, got, want)
		acknowledged[n] = got.Rev
	}
	rows := map[survey.ResponseID]survey.Row{}
	for _, c := range surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, "")) {
		rows[c.Doc.ID] = c.Doc
	}
	stored := surveytest.Collect(t, s.ResponsesSince(t.Context(), survey.ResponseFilter{}, ""))
	if len(rows) != len(stored) {
		t.Errorf("%d rows for %d responses", len(rows), len(stored))
	}
	for _, c := range stored {
		surveytest.WantSame(t, rows[c.Doc.ID], survey.Row{ID: c.Doc.ID, Rev: c.Doc.Rev, State: c.Doc.State, Packed: c.Doc.Packed})
	}
	if check := integrity(t, s); check != "ok" {
		t.Errorf("the database is damaged: %s", check)
	}
}

func integrity(t *testing.T, s *Store) (check string) {
	t.Helper()
	surveytest.Must(t, s.readers.use(t.Context(), func(c *conn) error {
		_, err := c.one("PRAGMA integrity_check", nil, &check)
		return err
	}))
	return check
}

// TestCrashImageKeepsWhatWasAcknowledged opens a copy of the files as they
// stand while the store is in use: what a power cut would leave, had the disk
// kept everything it was asked to.
func TestCrashImageKeepsWhatWasAcknowledged(t *testing.T) {
	dir, image := t.TempDir(), t.TempDir()
	s := openDir(t, dir, Options{})
	for i := range 20 {
		surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(i)))
	}
	for _, name := range []string{FileName, FileName + "-wal"} { // not the shared memory: that is gone
		// By another process: to close a descriptor of the live database in
		// this one would drop SQLite's locks on it.
		surveytest.Must(t, exec.Command("cp", filepath.Join(dir, name), image).Run())
	}
	copied := openDir(t, image, Options{})
	if got := len(surveytest.Collect(t, copied.RowsSince(t.Context(), surveytest.RoundCode, ""))); got != 20 {
		t.Errorf("%d rows are in the image, want 20", got)
	}
}
