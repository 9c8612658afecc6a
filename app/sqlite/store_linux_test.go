package sqlite

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// asNobody runs f as a user who owns nothing, on a thread of its own; root
// may write everywhere, and would hide what the tests are about.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := syscall.Setfsuid(65534); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	surveytest.Must(t, openDir(t, dir, Options{}).Close())
	for above := dir; strings.HasPrefix(above, os.TempDir()+"/"); above = filepath.Dir(above) {
		surveytest.Must(t, os.Chmod(above, 0o755)) // to be seen, not written
	}
	surveytest.Must(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { surveytest.Must(t, os.Chmod(dir, 0o755)) })
	var existing, missing error
	asNobody(t, func() {
		_, existing = Open(t.Context(), dir, Options{})
		_, missing = Open(t.Context(), filepath.Join(dir, "sub"), Options{})
	})
	surveytest.WantError(t, existing, survey.Unavailable, "store.readonly")
	surveytest.WantError(t, missing, survey.Unavailable, "store.readonly")
}

// TestFullDiskForReal fills a small file system. It needs leave to mount one.
func TestFullDiskForReal(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a file system cannot be mounted here (%v); TestFullDisk covers what SQLite itself says", err)
	}
	t.Cleanup(func() { surveytest.Must(t, syscall.Unmount(dir, 0)) })
	s := openDir(t, dir, Options{})
	ctx := t.Context()
	ballast := filepath.Join(dir, "ballast")
	surveytest.Must(t, os.WriteFile(ballast, make([]byte, 1<<20), 0o600))
	stored := 0
	for {
		r := surveytest.Response(stored, func(r *survey.Response) { r.Raw = make([]byte, 100_000) })
		err := s.CreateResponse(ctx, r)
		if err != nil {
			surveytest.WantError(t, err, survey.Unavailable, "store.full")
			break
		}
		stored++
	}
	surveytest.WantError(t, s.CreateResponse(ctx, surveytest.Response(1000, func(r *survey.Response) { r.Raw = make([]byte, 1<<20) })),
		survey.Unavailable, "store.full")
	count := func() {
		t.Helper()
		rows := surveytest.Collect(t, s.RowsSince(ctx, surveytest.RoundCode, ""))
		all := surveytest.Collect(t, s.ResponsesSince(ctx, survey.ResponseFilter{}, ""))
		if len(rows) != stored || len(all) != stored {
			t.Errorf("%d rows and %d responses are stored, want %d", len(rows), len(all), stored)
		}
	}
	count()
	surveytest.Must(t, os.Remove(ballast))
	surveytest.Must(t, s.CreateResponse(ctx, surveytest.Response(stored)))
	stored++
	count()
	if check := integrity(t, s); check != "ok" {
		t.Errorf("the database is damaged: %s", check)
	}
}

// TestPausedWriterIsNotMissed stops and continues a writing process at random
// moments, with and without the write lock in its hands. Meanwhile this
// process writes too and follows: whatever was acknowledged must be seen, once.
func TestPausedWriterIsNotMissed(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	s := openDir(t, dir, Options{BusyTimeout: 5 * time.Millisecond})
	child, acknowledgements := startChild(t, dir)
	var mu sync.Mutex
	acknowledged := map[survey.ResponseID]int64{}
	note := func(id survey.ResponseID, rev int64) {
		mu.Lock()
		defer mu.Unlock()
		acknowledged[id] = max(acknowledged[id], rev)
	}
	started, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		first := sync.OnceFunc(func() { close(started) })
		for n, rev := range acknowledgements {
			note(surveytest.Response(n).ID, rev)
			first()
		}
	}()
	<-started
	seen := map[survey.ResponseID]int64{}
	cursor := survey.Cursor("")
	catchUp := func() {
		t.Helper()
		mu.Lock()
		want := maps.Clone(acknowledged)
		mu.Unlock()
		for c, err := range s.RowsSince(t.Context(), surveytest.RoundCode, cursor) {
			surveytest.Must(t, err)
			if c.Doc.Rev <= seen[c.Doc.ID] {
				t.Fatalf("%s comes with revision %d after %d", c.Doc.ID, c.Doc.Rev, seen[c.Doc.ID])
			}
			seen[c.Doc.ID], cursor = c.Doc.Rev, c.Cursor
		}
		for id, rev := range want {
			if seen[id] < rev {
				t.Fatalf("%s: saw revision %d, acknowledged was %d", id, seen[id], rev)
			}
		}
	}
	locked := 0
	for i := range 60 {
		surveytest.Must(t, child.Process.Signal(syscall.SIGSTOP))
		r := killResponse(-i-1, 0)
		switch err := s.CreateResponse(t.Context(), r); survey.CodeOf(err) {
		case "store.locked":
			locked++
		default:
			surveytest.Must(t, err)
			note(r.ID, 1)
		}
		catchUp()
		surveytest.Must(t, child.Process.Signal(syscall.SIGCONT))
		time.Sleep(time.Duration(rnd.IntN(20_000)) * time.Microsecond)
		catchUp()
	}
	surveytest.Must(t, child.Process.Kill())
	_ = child.Wait()
	<-ended
	catchUp()
	t.Logf("%d responses were seen; the stopped writer held the lock %d times of 60", len(seen), locked)
	if locked == 0 || locked == 60 {
		t.Error("the writer was always stopped at the same point")
	}
}
