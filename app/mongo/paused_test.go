package mongo_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// A process of its own that the test starts from its own binary: it writes (or
// reads on, and so gives numbers) until its input ends.
const (
	childRole = "KHAOSAT_TEST_CHILD"
	childURI  = "KHAOSAT_TEST_CHILD_URI"
)

func TestMain(m *testing.M) {
	role, index, _ := strings.Cut(os.Getenv(childRole), " ")
	if role == "" {
		os.Exit(m.Run())
	}
	n, _ := strconv.Atoi(index)
	if err := runChild(role, n); err != nil {
		fmt.Fprintln(os.Stderr, role, n, err)
		os.Exit(1)
	}
}

func runChild(role string, index int) error {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var s *mongo.Store
	for s == nil {
		var err error
		if s, err = mongo.Open(ctx, os.Getenv(childURI), mongo.Options{}); err != nil {
			if err = tolerable(ctx, err); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	defer func() { _ = s.Close() }()
	if role == "reader" {
		for cursor := survey.Cursor(""); ctx.Err() == nil; {
			for c, err := range s.RowsSince(ctx, surveytest.RoundCode, cursor) {
				if err != nil {
					if err = tolerable(ctx, err); err != nil {
						return err
					}
					break
				}
				cursor = c.Cursor
			}
			time.Sleep(rand.N(20 * time.Millisecond))
		}
		return nil
	}
	for k := 0; ctx.Err() == nil; k++ {
		r := surveytest.Response(index*100_000 + k)
		err := s.CreateResponse(ctx, r)
		if err == nil && k%2 == 1 {
			err = s.ReplaceResponse(ctx, r)
		}
		if err != nil {
			if err = tolerable(ctx, err); err != nil {
				return err
			}
			continue
		}
		fmt.Println(r.ID, r.Rev) // the acknowledgement
	}
	return nil
}

// tolerable makes no error of what the test itself causes: the child's end, and
// the timeout of an operation that was under way when the child was stopped.
func tolerable(ctx context.Context, err error) error {
	if ctx.Err() != nil || survey.KindOf(err) == survey.Unavailable {
		return nil
	}
	return err
}

// child is a process that can be stopped anywhere.
type child struct {
	cmd   *exec.Cmd
	input io.Closer
	end   sync.WaitGroup // of its output
}

// startChild starts one; what it acknowledges is told line by line.
func startChild(t *testing.T, uri, role string, index int, acknowledge func(id survey.ResponseID, rev int64)) *child {
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childRole+"="+role+" "+strconv.Itoa(index), childURI+"="+uri)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	surveytest.Must(t, err)
	c.input, err = c.cmd.StdinPipe()
	surveytest.Must(t, err)
	surveytest.Must(t, c.cmd.Start())
	c.end.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			id, rev, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.ParseInt(rev, 10, 64)
			if err != nil {
				t.Errorf("a child said %q", lines.Text())
				return
			}
			acknowledge(survey.ResponseID(id), n)
		}
	})
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	surveytest.Must(t, c.cmd.Process.Signal(s))
}

// enoughWritten is how many responses there must be for the test to mean anything.
const enoughWritten = 40

// Writers and readers are stopped at random points for longer than any window
// would be, and go on, while others follow the log from cursor to cursor.
func TestNothingIsMissedOrRepeatedWhoeverIsPaused(t *testing.T) {
	uri := mongotest.DatabaseURI(t)
	s := openURI(t, uri)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))

	var mu sync.Mutex
	acknowledged := map[survey.ResponseID]int64{}
	acknowledge := func(id survey.ResponseID, rev int64) {
		mu.Lock()
		defer mu.Unlock()
		acknowledged[id] = max(acknowledged[id], rev)
	}
	var children []*child
	for i := range 3 {
		children = append(children, startChild(t, uri, "writer", i, acknowledge))
	}
	for i := range 2 {
		children = append(children, startChild(t, uri, "reader", i, acknowledge))
	}
	f := &chain{seen: map[survey.ResponseID]int64{}}
	written := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged)
	}
	begun := time.Now()
	// On a machine that is busy with other tests it takes longer until there is
	// something to miss.
	for round := 0; round < 25 || written() < enoughWritten && time.Since(begun) < 3*time.Minute; round++ {
		if round >= 25 {
			for _, c := range children {
				c.signal(t, syscall.SIGCONT)
			}
		}
		paused := children[rnd.IntN(len(children))]
		paused.signal(t, syscall.SIGSTOP)
		mu.Lock()
		sure := maps.Clone(acknowledged)
		mu.Unlock()
		f.readOn(t, s, sure)
		time.Sleep(time.Duration(rnd.IntN(80)) * time.Millisecond)
		if rnd.IntN(2) == 0 { // or it stays so for some rounds, until the end at most
			paused.signal(t, syscall.SIGCONT)
		}
		time.Sleep(time.Duration(rnd.IntN(40)) * time.Millisecond)
	}
	for _, c := range children {
		c.signal(t, syscall.SIGCONT)
		surveytest.Must(t, c.input.Close())
		c.end.Wait()
		surveytest.Must(t, c.cmd.Wait())
	}
	f.readOn(t, s, acknowledged)
	t.Logf("%d responses were written", len(acknowledged))
	if len(acknowledged) < enoughWritten {
		t.Errorf("only %d responses were written", len(acknowledged))
	}
}

// chain is a follower that keeps its cursor.
type chain struct {
	cursor survey.Cursor
	seen   map[survey.ResponseID]int64
}

// patience is how many readings that each bring something may go by without
// what is wanted: it is replaced under each of them then.
const patience = 50

// readOn reads until all that is wanted has come, or nothing more comes.
func (f *chain) readOn(t *testing.T, s survey.Store, want map[survey.ResponseID]int64) {
	t.Helper()
	more := true
	for turn := 0; more && turn < patience && f.missing(want) != ""; turn++ {
		more = false
		for c, err := range s.RowsSince(t.Context(), surveytest.RoundCode, f.cursor) {
			surveytest.Must(t, err)
			if c.Doc.Rev <= f.seen[c.Doc.ID] {
				t.Fatalf("%s comes with revision %d after %d", c.Doc.ID, c.Doc.Rev, f.seen[c.Doc.ID])
			}
			f.seen[c.Doc.ID], f.cursor, more = c.Doc.Rev, c.Cursor, true
		}
	}
	if id := f.missing(want); id != "" {
		t.Fatalf("%s: revision %d was acknowledged before the reading began, seen is %d", id, want[id], f.seen[id])
	}
}

// missing names a response that has not come as it is wanted, "" if all have.
func (f *chain) missing(want map[survey.ResponseID]int64) survey.ResponseID {
	for id, rev := range want {
		if f.seen[id] < rev {
			return id
		}
	}
	return ""
}
