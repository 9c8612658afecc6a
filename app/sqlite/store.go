// Package sqlite keeps khaosat's data in one SQLite file in a data folder: the
// embedded store, for an installation that is one machine. See survey.Store
// for what it promises.
//
// One goroutine writes, and groups what concurrent callers want written into
// common commits (writer.go); a bounded number of connections reads, in
// batches (conn.go, document.go). Several processes may use one data folder at
// once: SQLite's write lock puts their transactions in a row.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// FileName is the name of the database in the data folder.
const FileName = "khaosat.db"

// Options are what may be chosen when a store is opened. The zero value is a
// good choice.
type Options struct {
	// Readers bounds the connections that read; 0 means 4.
	Readers int
	// Cache is how many KiB of pages each of them keeps; 0 means 8,192. Who reads
	// everything once needs hardly any.
	Cache int
	// BusyTimeout is how long to wait for another process that is writing
	// before giving Unavailable; 0 means 10 s.
	BusyTimeout time.Duration
}

// Store is a survey.Store in a SQLite file.
type Store struct {
	file    string
	name    string
	id      string // names this database in cursors
	dbs     []*sql.DB
	turn    *turn
	writing *conn // the writer's, once there is one
	writer  *writer
	readers *pool

	closing sync.Once
	closed  error
}

var _ survey.Store = (*Store)(nil)

// Open opens the database in the data folder dir, making both if they are not
// there, and brings its schema up to date.
//
// Unavailable with code "store.readonly", "store.full", "store.locked" (another
// process does not let go of it) or "store.io"; Invalid with code
// "store.not_folder", "store.not_database", "store.foreign" (another program's
// database) or "store.newer" (a newer khaosat's). Each names the "path".
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	if opts.Readers <= 0 {
		opts.Readers = 4
	}
	if opts.Cache <= 0 {
		opts.Cache = 8192
	}
	if opts.BusyTimeout <= 0 {
		opts.BusyTimeout = 10 * time.Second
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := prepareFolder(dir); err != nil {
		return nil, err
	}
	s := &Store{file: filepath.Join(dir, FileName)}
	if err := s.open(ctx, opts); err != nil {
		err = s.failure(err)
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

// prepareFolder makes the data folder and tries whether files can be made in
// it. SQLite itself would say no more than that it cannot open the database.
func prepareFolder(dir string) error {
	err := os.MkdirAll(dir, 0o750)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".khaosat-probe-*"); err == nil {
			return errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	fail := func(kind survey.Kind, code string) error {
		return &survey.Error{Kind: kind, Code: code, Args: survey.Args{"path": dir}, Err: err}
	}
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return fail(survey.Invalid, "store.not_folder")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fail(survey.Unavailable, "store.readonly")
	case errors.Is(err, syscall.ENOSPC):
		return fail(survey.Unavailable, "store.full")
	}
	return fail(survey.Unavailable, "store.io")
}

// writerPragmas are the settings of the connection that writes. The log is
// taken into the database every 8,192 pages (32 MB) only: pages that many
// commits touched are then written back once. What undoes a savepoint is kept
// in memory; in a temporary file it would cost a third of all writing.
var writerPragmas = []string{"wal_autocheckpoint(8192)", "journal_size_limit(67108864)", "cache_size(-32768)", "temp_store(MEMORY)"}

func (s *Store) open(ctx context.Context, opts Options) error {
	file, err := filepath.Abs(s.file)
	if err != nil {
		return err
	}
	connect := func(size int, pragmas ...string) (*sql.DB, error) {
		db, err := sql.Open(driverName, dataSource(file, opts.BusyTimeout, pragmas...))
		if err == nil {
			s.dbs = append(s.dbs, db)
			db.SetMaxOpenConns(size)
		}
		return db, err
	}
	writing, err := connect(1, writerPragmas...)
	if err != nil {
		return err
	}
	if s.writing, err = openConn(ctx, writing); err != nil {
		return err
	}
	if err := s.migrate(ctx, s.writing); err != nil {
		return err
	}
	if err := s.identify(s.writing); err != nil {
		return err
	}
	reading, err := connect(opts.Readers, "query_only(ON)", fmt.Sprintf("cache_size(-%d)", opts.Cache))
	if err != nil {
		return err
	}
	if s.readers, err = openPool(ctx, reading, opts.Readers); err != nil {
		return err
	}
	s.turn = openTurn(filepath.Dir(file))
	s.writer, err = startWriter(s.writing, s.readers, s.turn, opts.BusyTimeout, s.failure)
	return err
}

// identify reads what the store says of itself, and makes sure that the log is
// in use: without it readers and the writer would shut each other out.
func (s *Store) identify(c *conn) error {
	var mode, version string
	if _, err := c.one("PRAGMA journal_mode", nil, &mode); err != nil {
		return err
	}
	if mode != "wal" {
		return refuse(survey.Unavailable, "store.no_wal", survey.Args{"path": s.file, "mode": mode})
	}
	if _, err := c.one("SELECT store, sqlite_version() FROM sequence", nil, &s.id, &version); err != nil {
		return err
	}
	s.name = "SQLite " + version + " (" + s.file + ")"
	return nil
}

// Name implements survey.Store.
func (s *Store) Name() string { return s.name }

// Ping implements survey.Store: it writes.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, 0, func(t *tx) error {
		_, err := t.exec("UPDATE sequence SET pos = pos")
		return err
	})
}

// Close implements survey.Store.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = s.release() })
	return s.closed
}

// release finishes what is in hand and closes what was opened, which after a
// failure of Open may be a part only. The connection that writes is the last:
// it takes the log into the database.
func (s *Store) release() (err error) {
	if s.writer != nil {
		s.writer.close()
	}
	if s.readers != nil {
		err = s.readers.close()
	}
	if s.writing != nil {
		err = errors.Join(err, s.writing.close())
	}
	for i := len(s.dbs) - 1; i >= 0; i-- {
		err = errors.Join(err, s.dbs[i].Close())
	}
	if s.turn != nil {
		err = errors.Join(err, s.turn.close())
	}
	return err
}
