package sqlite

import (
	"os"
	"path/filepath"
	"time"
)

// turn lets processes on one data folder write by turns. SQLite's write lock
// has no queue: whoever finds it taken sleeps and tries again, and against a
// server that takes it anew at once after every commit, a command beside it
// would try for seconds. So a writer first takes a lock on a file of its own,
// waits for the write lock while holding it, and lets go of it then. Whoever
// waits holds the turn, and the one that has just written stands behind.
//
// It is a courtesy: what must hold does by SQLite's lock alone. Where a file
// cannot be locked, or somebody sits on the turn, writers go on without it.
type turn struct {
	file *os.File // nil where turns cannot be taken
}

// turnName is the file's name in the data folder. It stays empty.
const turnName = "khaosat.turn"

// turnPatience is how long to wait for the turn before going on without it.
const turnPatience = time.Second

// pollEvery is how long to sleep between two tries to take a lock.
const pollEvery = time.Millisecond

func openTurn(dir string) *turn {
	file, err := os.OpenFile(filepath.Join(dir, turnName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return &turn{}
	}
	return &turn{file}
}

// take waits for the turn, for as long as patience lasts.
func (t *turn) take() {
	for deadline := time.Now().Add(turnPatience); t.file != nil; time.Sleep(pollEvery) {
		if taken, busy := tryLock(t.file); taken || !busy || time.Now().After(deadline) {
			return
		}
	}
}

// pass lets the next one have the turn; harmless if it was not taken.
func (t *turn) pass() {
	if t.file != nil {
		unlock(t.file)
	}
}

func (t *turn) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
