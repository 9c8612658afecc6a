package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// errDatabaseClosed stands for a store that was closed under its caller.
var errDatabaseClosed = errors.New("sqlite: the store is closed")

func closedError(file string) error {
	return &survey.Error{Kind: survey.Unavailable, Code: "store.closed", Args: survey.Args{"path": file}}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// conn is one connection with the statements that were prepared on it. One
// goroutine uses it at a time.
type conn struct {
	*sql.Conn
	prepared map[string]*sql.Stmt
}

func openConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, prepared: map[string]*sql.Stmt{}}, nil
}

// close gives back the statements and the connection. To close the database
// would not: a connection that was taken out is its taker's.
func (c *conn) close() (err error) {
	for _, st := range c.prepared {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, c.Conn.Close())
}

// stmt prepares a statement once. The texts are constants of this package, or
// one of the few hundred that filters can make, so the map stays small.
//
// Statements run without the caller's context unless they may take long: the
// driver starts a goroutine for every one that can be cancelled, which costs
// more than most statements do. The context is looked at before and after.
func (c *conn) stmt(query string) (*sql.Stmt, error) {
	if st := c.prepared[query]; st != nil {
		return st, nil
	}
	st, err := c.PrepareContext(context.Background(), query)
	if err == nil {
		c.prepared[query] = st
	}
	return st, err
}

// exec runs a statement and gives the number of rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	st, err := c.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// one reads the only row of a query; found is false when there is none.
func (c *conn) one(query string, args []any, dest ...any) (found bool, err error) {
	st, err := c.stmt(query)
	if err != nil {
		return false, err
	}
	err = st.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls scan for every row of a query until it says stop.
func (c *conn) each(ctx context.Context, query string, args []any, scan func(scanner) (more bool, err error)) (err error) {
	st, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if more, err := scan(rows); err != nil || !more {
			return err
		}
	}
	return rows.Err()
}

// pool is the connections that read. Each read takes one for as long as it
// collects a batch, never while a caller looks at what came. The one that came
// back last goes out first: its cache is the warmest, and under little load the
// caches of the others take no memory.
type pool struct {
	free   chan struct{} // a token for each connection that is not out
	closed chan struct{}

	mu   sync.Mutex
	idle []*conn
}

func openPool(ctx context.Context, db *sql.DB, size int) (*pool, error) {
	p := &pool{free: make(chan struct{}, size), closed: make(chan struct{})}
	for range size {
		c, err := openConn(ctx, db)
		if err != nil {
			for _, c := range p.idle {
				err = errors.Join(err, c.close())
			}
			return nil, err
		}
		p.put(c)
	}
	return p, nil
}

// put makes a connection free.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	p.free <- struct{}{}
}

// pick gives the connection for a token that was taken.
func (p *pool) pick() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	c := p.idle[last]
	p.idle = p.idle[:last]
	return c
}

// use runs f on a free connection.
func (p *pool) use(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-p.closed:
		return errDatabaseClosed
	default:
	}
	select {
	case <-p.free:
		c := p.pick()
		defer p.put(c)
		if err := f(c); err == nil || ctx.Err() == nil {
			return err
		}
		return ctx.Err() // whatever SQLite calls having been interrupted
	case <-p.closed:
		return errDatabaseClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause runs f while no read is in hand. Only one goroutine may call it, and
// not together with close.
func (p *pool) pause(f func()) {
	for range cap(p.free) {
		<-p.free
	}
	f()
	for range cap(p.free) {
		p.free <- struct{}{}
	}
}

// close waits for the reads in hand and lets nothing more begin.
func (p *pool) close() (err error) {
	close(p.closed)
	for range cap(p.free) {
		<-p.free
		err = errors.Join(err, p.pick().close())
	}
	return err
}
