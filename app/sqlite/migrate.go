package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step from one version of the schema to the next.
// A published one is never changed; what is wrong in it is mended by a later one.
type migration struct {
	number int
	name   string
	sql    string
}

// migrations gives the steps in order: the files' names are their numbers.
func migrations() ([]migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	all := make([]migration, len(files))
	for i, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "migrations/"), ".sql")
		digits, _, _ := strings.Cut(name, "_")
		number, err := strconv.Atoi(digits)
		if err != nil || number != i+1 {
			return nil, fmt.Errorf("sqlite: migration %s is not number %d", file, i+1)
		}
		sql, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all[i] = migration{number, name, string(sql)}
	}
	return all, nil
}

// migrate brings the schema up to date, in one transaction: of several
// processes that start at once the first does it and the others wait. A
// database made by a newer khaosat is left alone.
func (s *Store) migrate(ctx context.Context, c *conn) (err error) {
	all, err := migrations()
	if err != nil {
		return err
	}
	if done, err := s.version(c); err != nil || done == len(all) {
		return err
	}
	if _, err = c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	done, err := s.version(c)
	if err != nil {
		return err
	}
	if done > len(all) {
		return refuse(survey.Invalid, "store.newer", survey.Args{
			"path": s.file, "version": strconv.Itoa(done), "known": strconv.Itoa(len(all)),
		})
	}
	for _, m := range all[done:] {
		if err = m.apply(ctx, c); err != nil {
			return fmt.Errorf("sqlite: migration %s: %w", m.name, err)
		}
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return err
}

func (m migration) apply(ctx context.Context, c *conn) error {
	if m.number == 1 {
		_, err := c.ExecContext(ctx, "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL) STRICT")
		if err != nil {
			return err
		}
	}
	if _, err := c.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	_, err := c.ExecContext(ctx, "INSERT INTO migrations (number, name, applied) VALUES (?, ?, ?)",
		m.number, m.name, time.Now().UnixMilli())
	return err
}

// version gives the number of the last migration that was applied; 0 for an
// empty database. Invalid for a database that is somebody else's.
func (s *Store) version(c *conn) (version int, err error) {
	var tables, ours int
	ctx := context.Background()
	err = c.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(name = 'migrations'), 0) FROM sqlite_schema WHERE type = 'table'").
		Scan(&tables, &ours)
	if err != nil || tables == 0 {
		return 0, err
	}
	if ours == 0 {
		return 0, refuse(survey.Invalid, "store.foreign", survey.Args{"path": s.file})
	}
	err = c.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM migrations").Scan(&version)
	return version, err
}
