package mongo

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// maxDocument is the most bytes that one document may take. MongoDB's limit is
// 16 MiB; the rest is left for the command around it.
const maxDocument = 16<<20 - 64<<10

// shelf is one collection: how its documents are made, and the writes and
// reads that are the same for all of them.
type shelf[T any] struct {
	*Store
	coll *mongo.Collection
	noun string          // in codes and arguments: "template"
	id   func(*T) string // the _id
	rev  func(*T) *int64
	// encode gives the value to be marshalled, decode reads one back.
	encode func(*T, head) any
	decode func(bson.Raw) (*T, error)
	// key is what must be unique besides the id, "" if there is nothing; taken
	// looks for another document that holds it: the error that names it, nil if
	// there is none. Both are nil where nothing else is ever unique.
	key    func(*T) string
	taken  func(context.Context, *T) error
	claims claims
}

func (c *shelf[T]) args(v *T) survey.Args { return survey.Args{c.noun: c.id(v)} }

func (c *shelf[T]) exists(v *T) error {
	return refuse(survey.Exists, c.noun+".exists", c.args(v))
}

// marshal gives the document as it will be stored; TooLarge if it cannot be.
func (c *shelf[T]) marshal(v *T, h head) (bson.Raw, error) {
	raw, err := bson.Marshal(c.encode(v, h))
	if err != nil {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "store.document", Args: c.args(v), Err: err}
	}
	if len(raw) > maxDocument {
		args := c.args(v)
		args["bytes"], args["limit"] = strconv.Itoa(len(raw)), strconv.Itoa(maxDocument)
		return nil, refuse(survey.TooLarge, "store.too_large", args)
	}
	return raw, nil
}

// stamped is the update that makes a document what doc says, with the server's
// clock at the write. The literal keeps texts that begin with '$' what they are.
func stamped(doc bson.Raw) mongo.Pipeline {
	return mongo.Pipeline{{{Key: "$replaceWith", Value: bson.D{{Key: "$mergeObjects", Value: bson.A{
		bson.D{{Key: "$literal", Value: doc}},
		bson.D{{Key: "written", Value: "$$NOW"}},
	}}}}}}
}

func byID(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }

func atRev(id string, rev int64) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "rev", Value: rev}}
}

// absent matches no stored document, so that an upsert inserts or fails.
func absent(id string) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "rev", Value: bson.D{{Key: "$exists", Value: false}}}}
}

// create stores a document that must not exist yet.
func (c *shelf[T]) create(ctx context.Context, v *T) error {
	h := newHead(1)
	doc, err := c.marshal(v, h)
	if err != nil {
		return err
	}
	for range maxTurns {
		if err = c.update(ctx, v, absent(c.id(v)), stamped(doc), true); err == nil {
			*c.rev(v) = 1
			return nil
		}
		if !mongo.IsDuplicateKeyError(err) {
			break
		}
		stored, readErr := c.head(ctx, c.id(v))
		switch {
		case readErr != nil:
			return readErr
		case stored == nil:
			if taken := c.heldElsewhere(ctx, v); taken != nil {
				return taken
			}
		case stored.Write == h.Write:
			*c.rev(v) = 1
			return nil
		default:
			return c.exists(v)
		}
	}
	return c.failure(ctx, err)
}

// heldElsewhere gives the error of taken, nil where nothing else is unique.
func (c *shelf[T]) heldElsewhere(ctx context.Context, v *T) error {
	if c.taken == nil {
		return nil
	}
	return c.taken(ctx, v)
}

// errNoMatch is what update gives when no document matches the filter.
var errNoMatch = errors.New("no document matches")

// update writes v, or nothing and gives errNoMatch or the driver's error.
func (c *shelf[T]) update(ctx context.Context, v *T, filter bson.D, update any, upsert bool) error {
	key := ""
	if c.key != nil {
		key = c.key(v)
	}
	wait, cancel := c.limit(ctx)
	defer cancel()
	leave, err := c.claims.enter(wait, key)
	if err != nil {
		return err
	}
	defer leave()
	return untangle(ctx, func() error {
		op, cancel := c.limit(ctx)
		defer cancel()
		res, err := c.coll.UpdateOne(op, filter, update, options.Update().SetUpsert(upsert))
		if err == nil && res.MatchedCount+res.UpsertedCount == 0 {
			return errNoMatch
		}
		return err
	})
}

// replace is the optimistic write.
func (c *shelf[T]) replace(ctx context.Context, v *T) error {
	h := newHead(*c.rev(v) + 1)
	doc, err := c.marshal(v, h)
	if err != nil {
		return err
	}
	for range maxTurns {
		err = c.update(ctx, v, atRev(c.id(v), *c.rev(v)), stamped(doc), false)
		switch {
		case err == nil:
			*c.rev(v) = h.Rev
			return nil
		case errors.Is(err, errNoMatch):
			return c.lost(ctx, v, h)
		case !mongo.IsDuplicateKeyError(err):
			return c.failure(ctx, err)
		}
		if taken := c.heldElsewhere(ctx, v); taken != nil {
			return taken
		}
	}
	return c.failure(ctx, err)
}

// lost says why an optimistic write found nothing to replace.
func (c *shelf[T]) lost(ctx context.Context, v *T, h head) error {
	stored, err := c.head(ctx, c.id(v))
	switch {
	case err != nil:
		return err
	case stored == nil:
		return c.unknown(c.id(v))
	case stored.Write == h.Write: // the driver sent it twice, and the first did it
		*c.rev(v) = h.Rev
		return nil
	}
	return refuse(survey.Conflict, "stale", c.args(v))
}

func (c *shelf[T]) unknown(id string) error {
	return refuse(survey.NotFound, c.noun+".unknown", survey.Args{c.noun: id})
}

// head reads a stored document's head, nil if there is no such document.
func (c *shelf[T]) head(ctx context.Context, id string) (*head, error) {
	op, cancel := c.limit(ctx)
	defer cancel()
	var h head
	err := c.coll.FindOne(op, byID(id), options.FindOne().SetProjection(headOnly)).Decode(&h)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	return &h, c.failure(ctx, err)
}

var headOnly = bson.D{{Key: "rev", Value: 1}, {Key: "written", Value: 1}, {Key: "write", Value: 1}}

// holder gives the id of the document that matches, "" if there is none.
func (c *shelf[T]) holder(ctx context.Context, filter bson.D) (string, error) {
	op, cancel := c.limit(ctx)
	defer cancel()
	var found struct {
		ID string `bson:"_id"`
	}
	err := c.coll.FindOne(op, filter, options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 1}})).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return "", nil
	}
	return found.ID, c.failure(ctx, err)
}

// find reads the document that matches; NotFound in the name of id if none does.
func (c *shelf[T]) find(ctx context.Context, filter bson.D, id string) (*T, error) {
	op, cancel := c.limit(ctx)
	defer cancel()
	raw, err := c.coll.FindOne(op, filter).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, c.unknown(id)
	}
	if err != nil {
		return nil, c.failure(ctx, err)
	}
	return c.read(raw)
}

func (c *shelf[T]) read(raw bson.Raw) (*T, error) {
	v, err := c.decode(raw)
	if err != nil {
		return nil, errUnreadable(c.noun, err)
	}
	return v, nil
}

// list yields the documents that match, in the order of the keys.
func (c *shelf[T]) list(ctx context.Context, filter bson.D, keys ...string) iter.Seq2[*T, error] {
	order := make(bson.D, len(keys))
	for i, k := range keys {
		order[i] = bson.E{Key: k, Value: 1}
	}
	return func(yield func(*T, error) bool) {
		for raw, err := range c.query(ctx, c.coll, filter, options.Find().SetSort(order)) {
			var v *T
			if err == nil {
				v, err = c.read(raw)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// query yields the documents that a find gives; they are valid until the next.
// The time a caller takes between two of them does not count as the server's.
func (s *Store) query(ctx context.Context, coll *mongo.Collection, filter bson.D, o *options.FindOptions) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		op, cancel := s.limit(ctx)
		cur, err := coll.Find(op, filter, o)
		cancel()
		if err != nil {
			yield(nil, s.failure(ctx, err))
			return
		}
		defer s.closeCursor(ctx, cur)
		for {
			more, err := s.next(ctx, cur)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more || !yield(cur.Current, nil) {
				return
			}
		}
	}
}

func (s *Store) next(ctx context.Context, cur *mongo.Cursor) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if cur.RemainingBatchLength() > 0 { // in memory: no exchange, no timer
		return cur.Next(ctx), s.failure(ctx, cur.Err())
	}
	op, cancel := s.limit(ctx)
	defer cancel()
	more := cur.Next(op)
	return more, s.failure(ctx, cur.Err())
}

// closeCursor frees what a reading that was left early holds on the server,
// even if it was left because its context ended.
func (s *Store) closeCursor(ctx context.Context, cur *mongo.Cursor) {
	op, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = cur.Close(op) // the server forgets an idle cursor by itself
}
