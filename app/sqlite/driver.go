package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// This file is the only one that knows the driver: another one is put in its
// place by changing the two imports, dataSource and the codes.

const driverName = "sqlite"

// dataSource gives the driver's address of a database file. Settings stand in
// it, because a PRAGMA that is executed reaches one connection of the pool
// only; busy_timeout comes first, so that it holds for the others.
func dataSource(file string, busy time.Duration, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{
		"busy_timeout(" + milliseconds(busy) + ")",
		"journal_mode(WAL)",
		// NORMAL would lose the last commits in a power cut, after they were
		// acknowledged.
		"synchronous(FULL)",
		"foreign_keys(ON)",
	}, pragmas...)}
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") { // a Windows drive
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// driverCode gives SQLite's result code of an error without its extension, 0
// if the error is not SQLite's.
func driverCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// failure turns what the driver says into an error of the domain. What is that
// already, and the context's own errors, pass as they are.
func (s *Store) failure(err error) error {
	var known *survey.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, errDatabaseClosed):
		return closedError(s.file)
	}
	fail := func(kind survey.Kind, code string) error {
		return &survey.Error{Kind: kind, Code: code, Args: survey.Args{"path": s.file}, Err: err}
	}
	switch driverCode(err) {
	case lib.SQLITE_FULL:
		return fail(survey.Unavailable, "store.full")
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
		return fail(survey.Unavailable, "store.locked")
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_CANTOPEN:
		return fail(survey.Unavailable, "store.readonly")
	case lib.SQLITE_IOERR, lib.SQLITE_NOMEM:
		return fail(survey.Unavailable, "store.io")
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return fail(survey.Invalid, "store.not_database")
	case lib.SQLITE_TOOBIG:
		return fail(survey.TooLarge, "store.too_large")
	}
	return fail(survey.Internal, "store.internal")
}

// isBusy reports whether an error says that another connection has the lock.
func isBusy(err error) bool { return driverCode(err) == lib.SQLITE_BUSY }

// spoils reports whether an error of one statement means that the whole
// transaction cannot be trusted: SQLite may have rolled it back already.
func spoils(err error) bool {
	switch driverCode(err) {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_BUSY, lib.SQLITE_INTERRUPT,
		lib.SQLITE_READONLY, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_CANTOPEN:
		return true
	}
	return false
}
