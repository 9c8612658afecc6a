package mongo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// log gives the documents of one collection their positions and reads them in
// that order. The package comment says how and why that is right.
type log struct {
	*Store
	coll *mongo.Collection
	// turn lets one goroutine of this process number at a time: two would do
	// the same work.
	turn chan struct{}
}

func (s *Store) newLog(collection string) *log {
	return &log{Store: s, coll: s.db.Collection(collection), turn: make(chan struct{}, 1)}
}

// unnumberedDoc is what numbering needs of a document.
type unnumberedDoc struct {
	ID    string             `bson:"_id"`
	Write primitive.ObjectID `bson:"write"`
}

// number gives a position to every document that is visible without one.
func (l *log) number(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	docs, err := l.unnumbered(ctx)
	for err == nil && len(docs) > 0 {
		n := min(len(docs), numberGroup)
		err = l.assign(ctx, docs[:n])
		docs = docs[n:]
	}
	return err
}

// unnumbered lists what has no position yet. All of it is listed before any
// of it is numbered, so that writers who are faster cannot keep a reader busy
// without end.
func (l *log) unnumbered(ctx context.Context) ([]unnumberedDoc, error) {
	o := options.Find().
		SetSort(bson.D{{Key: "written", Value: 1}, {Key: "write", Value: 1}}).
		SetProjection(bson.D{{Key: "write", Value: 1}})
	var docs []unnumberedDoc
	for raw, err := range l.query(ctx, l.coll, isUnnumbered, o) {
		if err != nil {
			return nil, err
		}
		var d unnumberedDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return nil, errUnreadable(l.coll.Name(), err)
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// assign gives positions to documents that were listed.
func (l *log) assign(ctx context.Context, docs []unnumberedDoc) error {
	first, err := l.take(ctx, len(docs))
	if err != nil {
		return err
	}
	return l.set(ctx, docs, first)
}

// numberGroup is how many documents are numbered by one command. The server
// looks each of them up in a list of this length.
const numberGroup = 250

// set sets the positions of documents that were listed before the numbers were
// taken. One that was replaced or numbered since stays as it is, and its
// number is not used: the mark tells that it is no longer what was listed.
func (l *log) set(ctx context.Context, docs []unnumberedDoc, first int64) error {
	ids, marks := make(bson.A, len(docs)), make(bson.A, len(docs))
	for i, d := range docs {
		ids[i], marks[i] = d.ID, d.Write
	}
	filter := append(bson.D{
		{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}},
		{Key: "write", Value: bson.D{{Key: "$in", Value: marks}}},
	}, isUnnumbered...)
	number := bson.D{{Key: "$add", Value: bson.A{first, bson.D{{Key: "$indexOfArray", Value: bson.A{marks, "$write"}}}}}}
	update := mongo.Pipeline{{{Key: "$set", Value: bson.D{{Key: "pos", Value: number}}}}}
	err := untangle(ctx, func() error { // those that were set are not set again
		op, cancel := l.limit(ctx)
		defer cancel()
		_, err := l.coll.UpdateMany(op, filter, update)
		return err
	})
	return l.failure(ctx, err)
}

// counter is the document that numbers are taken from; it is there from the
// start (migrations.go).
type counter struct {
	Last int64 `bson:"last"`
}

func (l *log) counters() *mongo.Collection { return l.db.Collection(countersName) }

// take takes n numbers from the counter and gives the first of them.
func (l *log) take(ctx context.Context, n int) (int64, error) {
	update := bson.D{{Key: "$inc", Value: bson.D{{Key: "last", Value: int64(n)}}}}
	o := options.FindOneAndUpdate().SetReturnDocument(options.After)
	var c counter
	err := untangle(ctx, func() error {
		op, cancel := l.limit(ctx)
		defer cancel()
		return l.counters().FindOneAndUpdate(op, byID(l.coll.Name()), update, o).Decode(&c)
	})
	return c.Last - int64(n) + 1, l.failure(ctx, err)
}

// end gives the last number that was taken.
func (l *log) end(ctx context.Context) (int64, error) {
	op, cancel := l.limit(ctx)
	defer cancel()
	var c counter
	err := l.counters().FindOne(op, byID(l.coll.Name())).Decode(&c)
	return c.Last, l.failure(ctx, err)
}

// Documents and packed rows are asked for in pages of this many. Between pages
// nothing is held on the server, so a caller may take any time.
const (
	documentPage = 500
	rowPage      = 5000
)

// pages are the options for reading page by page; nil fields mean all.
func pages(size int, fields bson.D) *options.FindOptions {
	o := options.Find().SetSort(bson.D{{Key: "pos", Value: 1}}).SetLimit(int64(size)).SetBatchSize(int32(size))
	if fields != nil {
		o.SetProjection(fields)
	}
	return o
}

// maxPasses bounds how often one reading goes on for the sake of what was
// replaced under it, once it has yielded something.
const maxPasses = 8

// since yields the documents that match and come after the cursor, each with
// the cursor behind it.
func (l *log) since(ctx context.Context, filter bson.D, after survey.Cursor, o *options.FindOptions) iter.Seq2[survey.Change[bson.Raw], error] {
	return func(yield func(survey.Change[bson.Raw], error) bool) {
		r := &reading{log: l, filter: filter, options: o}
		var err error
		if r.pos, err = l.positionOf(after); err == nil {
			for again := true; again && err == nil; {
				again, err = r.pass(ctx, yield)
			}
		}
		if err != nil {
			yield(survey.Change[bson.Raw]{}, err)
		}
	}
}

// reading is one reading of the log on its way.
type reading struct {
	*log
	filter  bson.D
	options *options.FindOptions // with a limit
	pos     int64                // all up to here has been read
	passes  int
	yielded bool
}

// pass reads what is there now, and reports whether another pass is due: when
// a document was replaced before this one came to it, and so went out of its
// sight to the end of the log. Its caller is told that nothing more comes only
// if there is no such document.
func (r *reading) pass(ctx context.Context, yield func(survey.Change[bson.Raw], error) bool) (again bool, err error) {
	end, err := r.settle(ctx)
	if err != nil || r.pos == end { // nothing is unread, so nothing can have gone out of sight
		return false, err
	}
	for full := true; full; {
		n := int64(0)
		for raw, err := range r.query(ctx, r.coll, between(r.filter, r.pos, end), r.options) {
			if err != nil {
				return false, err
			}
			if r.pos, err = position(raw); err != nil {
				return false, err
			}
			n++
			r.yielded = true
			if !yield(survey.Change[bson.Raw]{Doc: raw, Cursor: r.cursor(r.pos)}, nil) {
				return false, nil
			}
		}
		full = n == *r.options.Limit
	}
	r.pos = end
	r.passes++
	if r.yielded && r.passes >= maxPasses {
		return false, nil
	}
	return r.replacedBeyond(ctx, end)
}

// settle makes sure that what is stored up to now has its position, and gives
// the end of what may be read: nothing can get a position up to it any more.
func (r *reading) settle(ctx context.Context) (end int64, err error) {
	if err = r.number(ctx); err != nil {
		return 0, err
	}
	if end, err = r.end(ctx); err != nil || r.pos == end {
		return end, err
	}
	if r.pos > end {
		// The cursor comes from a copy of this database that has gone further:
		// to go on from it would miss what is written here.
		return 0, errCursor(r.cursor(r.pos))
	}
	return end, r.number(ctx)
}

// replacedBeyond reports whether a document that matches has a position beyond
// the end, or none yet, and is not new. It is one query, so that a document
// does not slip from the one to the other while it is looked for.
func (r *reading) replacedBeyond(ctx context.Context, end int64) (bool, error) {
	filter := append(r.filter[:len(r.filter):len(r.filter)],
		bson.E{Key: "rev", Value: bson.D{{Key: "$gt", Value: 1}}},
		bson.E{Key: "$or", Value: bson.A{isUnnumbered, bson.D{{Key: "pos", Value: bson.D{{Key: "$gt", Value: end}}}}}})
	o := options.Find().SetLimit(1).SetProjection(bson.D{{Key: "_id", Value: 1}})
	for _, err := range r.query(ctx, r.coll, filter, o) {
		return err == nil, err
	}
	return false, nil
}

func between(filter bson.D, after, end int64) bson.D {
	span := bson.E{Key: "pos", Value: bson.D{{Key: "$gt", Value: after}, {Key: "$lte", Value: end}}}
	return append(filter[:len(filter):len(filter)], span)
}

// cursor makes the cursor behind a position: the database, the collection and
// the position, so that it is not taken to another.
func (l *log) cursor(pos int64) survey.Cursor {
	return survey.Cursor(l.id + "-" + l.coll.Name() + "-" + strconv.FormatInt(pos, 36))
}

// position gives the position of a stored document.
func position(raw bson.Raw) (int64, error) {
	if pos, ok := raw.Lookup("pos").AsInt64OK(); ok {
		return pos, nil
	}
	return 0, errUnreadable("document", errors.New("its pos is no number"))
}

// positionOf reads a cursor that this log made; "" is the beginning.
func (l *log) positionOf(cursor survey.Cursor) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	prefix := len(l.cursor(0)) - 1
	if len(cursor) <= prefix {
		return 0, errCursor(cursor)
	}
	pos, err := strconv.ParseInt(string(cursor[prefix:]), 36, 64)
	if err != nil || pos <= 0 || l.cursor(pos) != cursor {
		return 0, errCursor(cursor)
	}
	return pos, nil
}

func errCursor(cursor survey.Cursor) error {
	return refuse(survey.Invalid, "cursor", survey.Args{"cursor": fmt.Sprintf("%.40q", string(cursor))})
}

// follow is since with the documents read; fields is a projection, nil for all.
func follow[T any](ctx context.Context, c *shelf[T], l *log, filter, fields bson.D, after survey.Cursor) iter.Seq2[survey.Change[*T], error] {
	return func(yield func(survey.Change[*T], error) bool) {
		for change, err := range l.since(ctx, filter, after, pages(documentPage, fields)) {
			var v *T
			if err == nil {
				v, err = c.read(change.Doc)
			}
			if err != nil {
				yield(survey.Change[*T]{}, err)
				return
			}
			if !yield(survey.Change[*T]{Doc: v, Cursor: change.Cursor}, nil) {
				return
			}
		}
	}
}
