package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// maxDocument is the most bytes that one document may take, its raw bytes
// included. It is MongoDB's limit, so that data can move between the stores.
const maxDocument = 16 << 20

// kind is what the store needs to know about one sort of document.
type kind[T any] struct {
	noun string          // in codes and arguments: "template"
	id   func(*T) string // the identity, for people
	rev  func(*T) *int64
	cut  func(*T) // cuts the times of a copy; what it points to is not the copy's own
	// trail gives the document's events and what they are about; nil for one
	// without a trail.
	trail func(*T) (survey.Object, []survey.Event)
}

// encode gives the document as JSON, with the revision it will have and its
// times cut. The revision that counts is the one in the table's own column.
func (k *kind[T]) encode(v *T, rev int64) (string, error) {
	own := *v
	*k.rev(&own) = rev
	k.cut(&own)
	doc, err := json.Marshal(&own)
	if err != nil {
		return "", &survey.Error{Kind: survey.Invalid, Code: "store.document", Args: survey.Args{k.noun: k.id(v)}, Err: err}
	}
	return string(doc), k.fits(v, len(doc))
}

// fits gives TooLarge if the document takes more than maxDocument.
func (k *kind[T]) fits(v *T, bytes int) error {
	if bytes <= maxDocument {
		return nil
	}
	return refuse(survey.TooLarge, "store.too_large", survey.Args{
		k.noun: k.id(v), "bytes": strconv.Itoa(bytes), "limit": strconv.Itoa(maxDocument),
	})
}

func (k *kind[T]) decode(rev int64, doc []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(doc, v); err != nil {
		return nil, fmt.Errorf("sqlite: a stored %s cannot be read: %w", k.noun, err)
	}
	*k.rev(v) = rev
	return v, nil
}

func (k *kind[T]) unknown(id string) error {
	return refuse(survey.NotFound, k.noun+".unknown", survey.Args{k.noun: id})
}

func (k *kind[T]) exists(v *T) error {
	return refuse(survey.Exists, k.noun+".exists", survey.Args{k.noun: k.id(v)})
}

func (k *kind[T]) stale(v *T) error {
	return refuse(survey.Conflict, "stale", survey.Args{k.noun: k.id(v)})
}

// find reads one document. The query gives its revision and the document.
func find[T any](ctx context.Context, s *Store, k *kind[T], id, query string, args ...any) (v *T, err error) {
	err = s.readers.use(ctx, func(c *conn) error {
		var rev int64
		var doc []byte
		found, err := c.one(query, args, &rev, &doc)
		if err != nil {
			return err
		}
		if !found {
			return k.unknown(id)
		}
		v, err = k.decode(rev, doc)
		return err
	})
	return v, s.failure(err)
}

// put runs the statement that writes a document and gives the rows it changed.
type put func(t *tx, doc string) (rows int64, err error)

// creation is the change that stores a new document, and its size. The
// statement leaves alone what is there; other, if there is one, then says
// whether something else than the identity was in the way.
func (k *kind[T]) creation(v *T, insert put, other func(*tx) error) (change, int, error) {
	doc, err := k.encode(v, 1)
	return func(t *tx) error {
		rows, err := insert(t, doc)
		if err != nil {
			return err
		}
		if rows == 1 {
			return k.log(t, v)
		}
		if other != nil {
			if err := other(t); err != nil {
				return err
			}
		}
		return k.exists(v)
	}, len(doc), err
}

// create stores a new document; see creation.
func create[T any](ctx context.Context, s *Store, k *kind[T], v *T, insert put, other func(*tx) error) error {
	c, bytes, err := k.creation(v, insert, other)
	if err != nil {
		return err
	}
	if err = s.write(ctx, bytes, c); err == nil {
		*k.rev(v) = 1
	}
	return err
}

// ifAbsent makes of a creation a change that also succeeds, doing nothing, when
// the identity is stored; created says which it was.
func (k *kind[T]) ifAbsent(create change, created *bool) change {
	return func(t *tx) error {
		err := create(t)
		*created = err == nil
		if survey.CodeOf(err) == k.noun+".exists" {
			return nil
		}
		return err
	}
}

// createMany stores those of the documents that are new, and says how many
// were. An error is about the first document that could be neither stored nor
// left alone; those before it are stored.
func createMany[T any](ctx context.Context, s *Store, k *kind[T], all []*T, insert func(*T) put, other func(*T) func(*tx) error) (created int, err error) {
	return s.bulkCreate(ctx, len(all), func(i int, isNew *bool) (change, int, error) {
		c, bytes, err := k.creation(all[i], insert(all[i]), other(all[i]))
		return k.ifAbsent(c, isNew), bytes, err
	}, func(i int) { *k.rev(all[i]) = 1 })
}

// bulkCreate is bulk for changes that may find their document stored already:
// prepare's change says through isNew whether it was, and stored is told of
// the new ones only.
func (s *Store) bulkCreate(ctx context.Context, n int, prepare func(i int, isNew *bool) (change, int, error), stored func(i int)) (created int, err error) {
	isNew := make([]bool, n)
	err = s.bulk(ctx, n, func(i int) (change, int, error) { return prepare(i, &isNew[i]) }, func(i int) {
		if isNew[i] {
			created++
			stored(i)
		}
	})
	return created, err
}

// replace stores a document in place of the revision that was read. The
// statement compares it; if no row was changed, stored asks with the key for
// the revision there is, and other, if there is one, says what else than the
// revision was in the way.
func replace[T any](ctx context.Context, s *Store, k *kind[T], v *T, update put, stored string, key []any, other func(*tx) error) error {
	doc, err := k.encode(v, *k.rev(v)+1)
	if err != nil {
		return err
	}
	err = s.write(ctx, len(doc), func(t *tx) error {
		rows, err := update(t, doc)
		if err != nil {
			return err
		}
		if rows == 1 {
			return k.log(t, v)
		}
		if err := k.current(t, v, stored, key); err != nil || other == nil {
			return err
		}
		return other(t)
	})
	if err == nil {
		*k.rev(v)++
	}
	return err
}

// current refuses a document that is not stored, or not in this revision.
func (k *kind[T]) current(t *tx, v *T, stored string, key []any) error {
	var rev int64
	found, err := t.one(stored, key, &rev)
	switch {
	case err != nil:
		return err
	case !found:
		return k.unknown(k.id(v))
	case rev != *k.rev(v):
		return k.stale(v)
	}
	return nil
}

// Batches begin small, for callers that stop early or find little that is new,
// and grow: four times as many rows each, up to a bound of rows and of bytes.
const (
	firstBatch    = 16
	maxBatch      = 512  // of documents
	maxRowBatch   = 4096 // of packed rows
	maxBatchBytes = 4 << 20
)

// load reads up to limit rows behind the one given (nil: from the beginning)
// and calls add for each, which says stop when the batch has become too large.
type load[T any] func(ctx context.Context, c *conn, last *T, limit int, add func(v T, bytes int) (more bool)) error

// inBatches yields what load finds, batch by batch. Between batches it holds
// neither a connection nor a view of the database: a slow caller keeps nobody
// waiting, one that leaves early has nothing to release, and the log can be
// taken into the database while a long reading goes on.
func inBatches[T any](ctx context.Context, s *Store, most int, load load[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var batch []T
		var last *T
		for limit := firstBatch; ; limit = min(limit*4, most) {
			batch = batch[:0]
			bytes := 0
			err := s.readers.use(ctx, func(c *conn) error {
				return load(ctx, c, last, limit, func(v T, n int) bool {
					batch = append(batch, v)
					bytes += n
					return bytes < maxBatchBytes
				})
			})
			for _, v := range batch {
				if !yield(v, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, s.failure(err))
				return
			}
			if len(batch) < limit && bytes < maxBatchBytes {
				return
			}
			behind := batch[len(batch)-1]
			last = &behind
		}
	}
}

// list yields documents in the order of a key. query gives revision and
// document of up to ?limit rows behind the key of the last one; args makes its
// arguments.
func list[T any](ctx context.Context, s *Store, k *kind[T], query string, args func(last *T) []any) iter.Seq2[*T, error] {
	return inBatches(ctx, s, maxBatch, func(ctx context.Context, c *conn, last **T, limit int, add func(*T, int) bool) error {
		var behind *T
		if last != nil {
			behind = *last
		}
		return c.each(ctx, query, append(args(behind), limit), func(rows scanner) (bool, error) {
			var rev int64
			var doc []byte
			if err := rows.Scan(&rev, &doc); err != nil {
				return false, err
			}
			v, err := k.decode(rev, doc)
			return err == nil && add(v, len(doc)), err
		})
	})
}

// scanner is a row of a result.
type scanner interface{ Scan(dest ...any) error }

// follow yields the documents that were written behind a cursor. query gives
// position, revision and document of up to ?limit rows behind a position, in
// order; args makes its arguments.
func follow[T any](ctx context.Context, s *Store, k *kind[T], after survey.Cursor, query string, args func(pos int64) []any) iter.Seq2[survey.Change[*T], error] {
	return behind(ctx, s, after, maxBatch, func(ctx context.Context, c *conn, pos int64, limit int, add addChange[*T]) error {
		return c.each(ctx, query, append(args(pos), limit), func(rows scanner) (bool, error) {
			var pos, rev int64
			var doc []byte
			if err := rows.Scan(&pos, &rev, &doc); err != nil {
				return false, err
			}
			v, err := k.decode(rev, doc)
			return err == nil && add(pos, v, len(doc)), err
		})
	})
}

// addChange takes a document and its position into a batch.
type addChange[T any] func(pos int64, doc T, bytes int) (more bool)

// behind is inBatches for readings that a cursor can go on from.
func behind[T any](ctx context.Context, s *Store, after survey.Cursor, most int,
	load func(ctx context.Context, c *conn, pos int64, limit int, add addChange[T]) error) iter.Seq2[survey.Change[T], error] {
	type placed struct {
		pos int64
		doc T
	}
	return func(yield func(survey.Change[T], error) bool) {
		pos, err := s.position(ctx, after)
		if err != nil {
			yield(survey.Change[T]{}, s.failure(err))
			return
		}
		seq := inBatches(ctx, s, most, func(ctx context.Context, c *conn, last *placed, limit int, add func(placed, int) bool) error {
			from := pos
			if last != nil {
				from = last.pos
			}
			return load(ctx, c, from, limit, func(pos int64, doc T, bytes int) bool { return add(placed{pos, doc}, bytes) })
		})
		for p, err := range seq {
			if err != nil {
				yield(survey.Change[T]{}, err)
				return
			}
			if !yield(survey.Change[T]{Doc: p.doc, Cursor: s.cursor(p.pos)}, nil) {
				return
			}
		}
	}
}

// cursor makes the cursor behind a position: the name of the database and the
// position. The name keeps a cursor from being taken to another database.
func (s *Store) cursor(pos int64) survey.Cursor {
	return survey.Cursor(s.id + "-" + strconv.FormatInt(pos, 36))
}

// position reads a cursor that this database made.
func (s *Store) position(ctx context.Context, cursor survey.Cursor) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	invalid := refuse(survey.Invalid, "cursor", survey.Args{"cursor": fmt.Sprintf("%.40q", string(cursor))})
	prefix := len(s.id) + 1
	if len(cursor) <= prefix {
		return 0, invalid
	}
	pos, err := strconv.ParseInt(string(cursor[prefix:]), 36, 64)
	if err != nil || pos < 1 || s.cursor(pos) != cursor {
		return 0, invalid
	}
	// A position that was never given out comes from a copy of this database
	// that has gone further: to go on from it would miss what is written here.
	var newest int64
	err = s.readers.use(ctx, func(c *conn) error {
		_, err := c.one("SELECT pos FROM sequence", nil, &newest)
		return err
	})
	if err == nil && pos > newest {
		return 0, invalid
	}
	return pos, err
}

// cutTime gives a time as it is kept.
func cutTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// cutEvents gives events with their times cut.
func cutEvents(events []survey.Event) []survey.Event {
	own := make([]survey.Event, len(events))
	for i, e := range events {
		e.At = cutTime(e.At)
		own[i] = e
	}
	return own
}

// beforeAll is a number before every other that a column of a key can hold.
const beforeAll = -1 << 63
