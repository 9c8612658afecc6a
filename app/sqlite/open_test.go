package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// raw opens the database file of a data folder past the store.
func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driverName, dataSource(filepath.Join(dir, FileName), time.Second))
	surveytest.Must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { surveytest.Must(t, db.Close()) })
	return db
}

func execute(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), query)
	surveytest.Must(t, err)
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string) (open string)
		kind    survey.Kind
		code    string
	}{
		{"a file where the folder should be", func(t *testing.T, dir string) string {
			file := filepath.Join(dir, "file")
			surveytest.Must(t, os.WriteFile(file, nil, 0o600))
			return file
		}, survey.Invalid, "store.not_folder"},
		{"a folder within a file", func(t *testing.T, dir string) string {
			surveytest.Must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
			return filepath.Join(dir, "file", "data")
		}, survey.Invalid, "store.not_folder"},
		{"a file that is no database", func(t *testing.T, dir string) string {
			surveytest.Must(t, os.WriteFile(filepath.Join(dir, FileName), []byte("This is not a database, and long enough to say so."), 0o600))
			return dir
		}, survey.Invalid, "store.not_database"},
		{"another program's database", func(t *testing.T, dir string) string {
			execute(t, raw(t, dir), "CREATE TABLE theirs (x)")
			return dir
		}, survey.Invalid, "store.foreign"},
		{"a newer khaosat's database", func(t *testing.T, dir string) string {
			surveytest.Must(t, openDir(t, dir, Options{}).Close())
			execute(t, raw(t, dir), "INSERT INTO migrations VALUES (1000, '1000_later', 0)")
			return dir
		}, survey.Invalid, "store.newer"},
		{"a database that another process keeps to itself", func(t *testing.T, dir string) string {
			db := raw(t, dir)
			execute(t, db, "PRAGMA locking_mode = EXCLUSIVE")
			execute(t, db, "CREATE TABLE migrations (number)")
			return dir
		}, survey.Unavailable, "store.locked"},
		{"a folder where the database should be", func(t *testing.T, dir string) string {
			surveytest.Must(t, os.Mkdir(filepath.Join(dir, FileName), 0o700))
			return dir
		}, survey.Unavailable, "store.readonly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.prepare(t, t.TempDir())
			s, err := Open(t.Context(), dir, Options{BusyTimeout: 50 * time.Millisecond})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it opens"), s.Close()))
			}
			surveytest.WantError(t, err, c.kind, c.code)
			var e *survey.Error
			if errors.As(err, &e); e.Args["path"] == "" {
				t.Error("the error does not name the path")
			}
		})
	}
}

func TestOpenMakesTheFolder(t *testing.T) {
	for _, name := range []string{"a/b/c", "has space", "50% #1?x=y&z", "đợt khảo sát", "quote'\"s"} {
		dir := filepath.Join(t.TempDir(), filepath.FromSlash(name))
		s := openDir(t, dir, Options{})
		surveytest.Must(t, s.CreateRound(t.Context(), surveytest.Round("r")))
		surveytest.Must(t, s.Close())
		if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestOpenWithCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Open(ctx, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want the context's", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made all the same")
	}
}

func TestManyOpenAnEmptyFolderAtOnce(t *testing.T) {
	dir := t.TempDir()
	stores := make([]*Store, 8)
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() {
			s, err := Open(t.Context(), dir, Options{})
			if err != nil {
				t.Errorf("opener %d: %v", i, err)
				return
			}
			stores[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for i, s := range stores {
		if s.id != stores[0].id {
			t.Errorf("opener %d sees database %s, the first one %s", i, s.id, stores[0].id)
		}
		surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(i)))
	}
	for _, s := range stores {
		if got := len(surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, ""))); got != len(stores) {
			t.Errorf("%d rows, want %d", got, len(stores))
		}
		surveytest.Must(t, s.Close())
	}
}

func TestCursorOfAnotherDatabaseIsInvalid(t *testing.T) {
	cursorOf := func(s *Store, n int) survey.Cursor {
		for i := range n {
			surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(i)))
		}
		all := surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, ""))
		return all[len(all)-1].Cursor
	}
	s, other := openTemp(t, Options{}), openTemp(t, Options{})
	last := cursorOf(s, 3)
	_ = cursorOf(other, 9)
	for name, cursor := range map[string]survey.Cursor{
		"another database's": survey.Cursor(other.id) + last[len(s.id):],
		"one not reached":    s.cursor(1000),
		"a negative one":     s.cursor(-1),
		"one in capitals":    survey.Cursor(s.id + "-00" + string(last[len(s.id)+1:])),
	} {
		for _, err := range s.RowsSince(t.Context(), surveytest.RoundCode, cursor) {
			surveytest.WantError(t, err, survey.Invalid, "cursor")
		}
		if len(surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, last))) != 0 {
			t.Errorf("%s: more comes behind the last cursor", name)
		}
	}
}

// TestCloseLeavesOneFile: what was in the log has been taken into the database,
// so that the file alone can be copied.
func TestCloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir, Options{})
	surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(1)))
	surveytest.Must(t, s.Close())
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(filepath.Join(dir, FileName+suffix)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", FileName+suffix, err)
		}
	}
}
