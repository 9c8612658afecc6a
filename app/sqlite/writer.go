package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// A commit costs a wait for the disk, however much it writes. So one goroutine
// does all writing and takes everything that is waiting into one transaction:
// the more callers, the more share a commit. Each change has a savepoint of
// its own, so that one that is refused fails alone.

// maxGroup and maxGroupBytes bound one transaction, and with it the time that
// another process has to wait and the growth of the log.
const (
	maxGroup      = 512
	maxGroupBytes = 16 << 20
)

// change is one atomic write. Its error must be a survey.Error when it means
// "refused", so that the savepoint is rolled back and the group goes on.
type change func(*tx) error

// tx is the write transaction in hand.
type tx struct {
	*conn
	pos int64 // the last position given out
}

// next gives out the next position in the order of writes. BEGIN IMMEDIATE
// holds the database's only write lock from before the sequence is read until
// after the commit, so positions are in the order of commits, whatever number
// of processes write: when a reader sees a position, every smaller one is
// visible already or never will be (its change was rolled back). That is why a
// reader that goes on behind the last position it saw cannot miss a write.
func (t *tx) next() int64 {
	t.pos++
	return t.pos
}

// request is some changes on their way through the writer. They are made in
// order; after one that fails the rest is left out.
type request struct {
	changes []change
	bytes   int
	done    chan struct{} // closed when made and err are final
	made    int           // how many changes were made
	err     error
}

func (r *request) finish(err error) {
	if err != nil {
		r.err = err
	}
	close(r.done)
}

// writer owns the connection that writes.
type writer struct {
	conn     *conn
	readers  *pool // kept waiting while the log is folded; see foldLog
	turn     *turn
	patience time.Duration     // how long to wait for other processes
	fail     func(error) error // turns the driver's errors into the domain's
	folding  folding

	mu      sync.Mutex
	waiting []*request
	closed  bool
	wake    chan struct{} // holds a token when something is waiting, or closed was set
	stopped chan struct{} // closed when the goroutine has ended
}

// startWriter takes over the connection.
func startWriter(c *conn, readers *pool, t *turn, patience time.Duration, fail func(error) error) (*writer, error) {
	// begin waits for the write lock itself, at shorter intervals than SQLite.
	if _, err := c.exec("PRAGMA busy_timeout = 0"); err != nil {
		return nil, err
	}
	w := &writer{conn: c, readers: readers, turn: t, patience: patience, fail: fail, folding: defaultFolding(),
		wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go w.run()
	return w, nil
}

// write makes the changes and returns when they are on the disk. It says how
// many were made; those before one that failed are.
func (w *writer) write(ctx context.Context, bytes int, changes ...change) (made int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(changes) == 0 {
		return 0, nil
	}
	r := &request{changes: changes, bytes: bytes, done: make(chan struct{})}
	if !w.enqueue(r) {
		return 0, errDatabaseClosed
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if w.withdraw(r) {
			return 0, ctx.Err()
		}
		<-r.done // it is being written: what happened must be told
	}
	return r.made, r.err
}

func (w *writer) enqueue(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.waiting = append(w.waiting, r)
	w.signal()
	return true
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// withdraw takes a request back; false if its writing has begun.
func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.waiting, r)
	if i < 0 {
		return false
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return true
}

// take gives the requests that go into the next transaction.
func (w *writer) take() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, changes, bytes := 0, 0, 0
	for _, r := range w.waiting {
		if n > 0 && (changes+len(r.changes) > maxGroup || bytes+r.bytes > maxGroupBytes) {
			break
		}
		n, changes, bytes = n+1, changes+len(r.changes), bytes+r.bytes
	}
	group := slices.Clone(w.waiting[:n])
	w.waiting = slices.Delete(w.waiting, 0, n)
	if len(w.waiting) > 0 {
		w.signal()
	}
	return group
}

// pending reports whether requests are waiting, and whether more may come.
func (w *writer) pending() (some, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting) > 0, !w.closed
}

// close finishes what is waiting and lets nothing more begin.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.stopped
}

func (w *writer) run() {
	defer close(w.stopped)
	for range w.wake {
		some, open := w.pending()
		for some {
			w.commitGroup()
			some, open = w.pending()
		}
		if !open {
			return
		}
	}
}

// commitGroup makes one transaction of what is waiting. Requests are taken
// only once the write lock is held, so that while another process has it they
// can be withdrawn.
func (w *writer) commitGroup() {
	t, err := w.begin()
	group := w.take()
	if err == nil {
		err = w.makeAll(t, group)
	}
	if err == nil {
		err = t.commit()
	}
	if err != nil {
		_, _ = w.conn.exec("ROLLBACK") // fails if SQLite has rolled back already
		err = w.fail(err)
	}
	changes, bytes := 0, 0
	for _, r := range group {
		if err != nil {
			r.made = 0
		}
		changes, bytes = changes+r.made, bytes+r.bytes
		r.finish(err)
	}
	w.foldLog(changes, bytes)
}

// begin waits until no other process is writing.
func (w *writer) begin() (*tx, error) {
	w.turn.take()
	defer w.turn.pass()
	for deadline := time.Now().Add(w.patience); ; time.Sleep(pollEvery) {
		// IMMEDIATE: a transaction that begins by reading and then writes would
		// be refused, without waiting, if another wrote in between.
		_, err := w.conn.exec("BEGIN IMMEDIATE")
		if err == nil {
			t := &tx{conn: w.conn}
			_, err = t.one("SELECT pos FROM sequence", nil, &t.pos)
			return t, err
		}
		if !isBusy(err) || time.Now().After(deadline) {
			return nil, err
		}
	}
}

func (t *tx) commit() error {
	if _, err := t.exec("UPDATE sequence SET pos = ?1 WHERE pos <> ?1", t.pos); err != nil {
		return err
	}
	_, err := t.exec("COMMIT")
	return err
}

// makeAll makes the changes of a group. An error means that the transaction as
// a whole is spoilt; what concerns one request is kept in it.
func (w *writer) makeAll(t *tx, group []*request) error {
	for _, r := range group {
		for _, c := range r.changes {
			err := t.savepoint(c)
			if spoils(err) {
				return err
			}
			if err != nil {
				r.err = w.fail(err)
				break
			}
			r.made++
		}
	}
	return nil
}

// savepoint makes one change or nothing of it.
func (t *tx) savepoint(c change) error {
	if _, err := t.exec("SAVEPOINT one"); err != nil {
		return err
	}
	err := c(t)
	if err != nil {
		if spoils(err) {
			return err
		}
		if _, undo := t.exec("ROLLBACK TO one"); undo != nil {
			return errors.Join(undo, err)
		}
	}
	if _, released := t.exec("RELEASE one"); released != nil {
		return released
	}
	return err
}

// part is the documents of a bulk write that go into one request.
type part struct {
	from    int
	changes []change
	bytes   int
	err     error // why the document behind them cannot be written
}

// maxPart and maxPartBytes bound a part, so that single writes find their way
// in between.
const (
	maxPart      = 256
	maxPartBytes = 4 << 20
)

func makePart(from, n int, prepare func(i int) (change, int, error)) (p part) {
	p.from = from
	for i := from; i < n && len(p.changes) < maxPart && p.bytes < maxPartBytes; i++ {
		c, bytes, err := prepare(i)
		if err != nil {
			p.err = err
			break
		}
		p.changes, p.bytes = append(p.changes, c), p.bytes+bytes
	}
	return p
}

// bulk writes n documents, preparing some while those before them are on their
// way to the disk. prepare gives the change for document i and its size;
// stored is told, in order, of each that was made. The first error ends it,
// and every document before that one is stored.
func (s *Store) bulk(ctx context.Context, n int, prepare func(i int) (change, int, error), stored func(i int)) error {
	p := makePart(0, n, prepare)
	for {
		next := make(chan part, 1)
		go func() {
			if p.err == nil {
				next <- makePart(p.from+len(p.changes), n, prepare)
			} else {
				next <- part{}
			}
		}()
		made, err := s.writer.write(ctx, p.bytes, p.changes...)
		following := <-next // in any case: prepare must not run on behind the caller's back
		for i := range made {
			stored(p.from + i)
		}
		if err == nil {
			err = p.err
		}
		if err != nil {
			return s.failure(err)
		}
		if p = following; len(p.changes) == 0 && p.err == nil {
			return nil
		}
	}
}

// write makes one change.
func (s *Store) write(ctx context.Context, bytes int, c change) error {
	_, err := s.writer.write(ctx, bytes, c)
	return s.failure(err)
}

// refuse makes the error of a change that is not made.
func refuse(kind survey.Kind, code string, args survey.Args) error {
	return &survey.Error{Kind: kind, Code: code, Args: args}
}
