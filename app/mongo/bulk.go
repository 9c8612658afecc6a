package mongo

import (
	"context"
	"errors"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// One bulk write is at most this many documents and bytes: enough that the
// exchange does not count, few enough to stay within the time of one operation
// and the server's 48 MB message.
const (
	maxGroup      = 1000
	maxGroupBytes = 8 << 20
)

// pending is a document on its way into the collection.
type pending[T any] struct {
	v   *T
	h   head
	doc bson.Raw
}

// groups marshals documents in order and hands them on in groups. If one is
// too large, those before it are handed on before the error is returned.
func (c *shelf[T]) groups(ctx context.Context, vs []*T, begin func(*T) head, write func([]pending[T]) error) error {
	var group []pending[T]
	size := 0
	flush := func() error {
		if len(group) == 0 {
			return ctx.Err()
		}
		err := write(group)
		group, size = group[:0], 0
		return err
	}
	for _, v := range vs {
		h := begin(v)
		doc, err := c.marshal(v, h)
		if err != nil {
			if before := flush(); before != nil {
				return before
			}
			return err
		}
		if len(group) == maxGroup || size+len(doc) > maxGroupBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		group, size = append(group, pending[T]{v, h, doc}), size+len(doc)
	}
	return flush()
}

// createAll stores new documents in order and says how many it created. Those
// whose id is stored are left as they are. It stops at the first error.
func (c *shelf[T]) createAll(ctx context.Context, vs []*T) (created int, err error) {
	if len(vs) == 0 {
		return 0, ctx.Err()
	}
	// A plain insert cannot take the server's clock by itself, so it is asked for.
	now, err := c.now(ctx)
	if err != nil {
		return 0, err
	}
	begin := func(*T) head {
		h := newHead(1)
		h.Written = now
		return h
	}
	err = c.groups(ctx, vs, begin, func(group []pending[T]) error {
		n, err := c.insert(ctx, group)
		created += n
		return err
	})
	return created, err
}

// insert inserts a group in order, going on behind those that exist.
func (c *shelf[T]) insert(ctx context.Context, group []pending[T]) (created int, err error) {
	count := func(done ...pending[T]) {
		for _, p := range done {
			*c.rev(p.v) = p.h.Rev
		}
		created += len(done)
	}
	for stuck := 0; len(group) > 0; {
		at, insertErr := c.insertOrdered(ctx, group)
		if insertErr == nil {
			count(group...)
			break
		}
		contended := isContended(insertErr)
		if at < 0 || !contended && !mongo.IsDuplicateKeyError(insertErr) || stuck == maxTurns {
			return created, c.failure(ctx, insertErr)
		}
		count(group[:at]...)
		group = group[at:]
		if contended {
			stuck++
			if err := pause(ctx, stuck); err != nil {
				return created, err
			}
			continue
		}
		stored, err := c.heads(ctx, group)
		if err != nil {
			return created, err
		}
		if _, exists := stored[c.id(group[0].v)]; !exists {
			if taken := c.heldElsewhere(ctx, group[0].v); taken != nil {
				return created, taken
			}
			stuck++ // what stood in the way is gone
		}
		rest := group[:0]
		for _, p := range group {
			switch h, exists := stored[c.id(p.v)]; {
			case !exists:
				rest = append(rest, p)
			case h.Write == p.h.Write: // the driver sent it twice, and the first did it
				count(p)
			}
		}
		group = rest
	}
	return created, nil
}

// insertOrdered inserts until the first error and says at which document that
// was; -1 if that cannot be known.
func (c *shelf[T]) insertOrdered(ctx context.Context, group []pending[T]) (int, error) {
	models := make([]mongo.WriteModel, len(group))
	for i, p := range group {
		models[i] = mongo.NewInsertOneModel().SetDocument(p.doc)
	}
	op, cancel := c.limit(ctx)
	defer cancel()
	_, err := c.coll.BulkWrite(op, models, options.BulkWrite().SetOrdered(true))
	var bulk mongo.BulkWriteException
	if errors.As(err, &bulk) && len(bulk.WriteErrors) > 0 && bulk.WriteConcernError == nil {
		return bulk.WriteErrors[0].Index, err
	}
	return -1, err
}

// heads gives the heads of those of a group that are stored, by id.
func (c *shelf[T]) heads(ctx context.Context, group []pending[T]) (map[string]head, error) {
	ids := make(bson.A, len(group))
	for i, p := range group {
		ids[i] = c.id(p.v)
	}
	return c.headsOf(ctx, ids)
}

// headsOf gives the heads of the stored documents among the ids.
func (c *shelf[T]) headsOf(ctx context.Context, ids bson.A) (map[string]head, error) {
	found := make(map[string]head, len(ids))
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
	for raw, err := range c.query(ctx, c.coll, filter, options.Find().SetProjection(headOnly)) {
		if err != nil {
			return nil, err
		}
		var d struct {
			ID   string `bson:"_id"`
			Head head   `bson:",inline"`
		}
		if err := bson.Unmarshal(raw, &d); err != nil {
			return nil, errUnreadable(c.noun, err)
		}
		found[d.ID] = d.Head
	}
	return found, nil
}

// putAll stores documents in order, whatever their stored revision, and sets
// each Rev.
func (c *shelf[T]) putAll(ctx context.Context, vs []*T) error {
	for len(vs) > 0 {
		n := min(len(vs), maxGroup)
		if err := c.putSome(ctx, vs[:n]); err != nil {
			return err
		}
		vs = vs[n:]
	}
	return ctx.Err()
}

// putSome reads the stored revisions and replaces all documents on condition
// of them, in one bulk write. Those for which the condition did not hold,
// because another writer came between or a document is twice among them, are
// put one by one.
func (c *shelf[T]) putSome(ctx context.Context, vs []*T) error {
	ids := make(bson.A, len(vs))
	for i, v := range vs {
		ids[i] = c.id(v)
	}
	stored, err := c.headsOf(ctx, ids)
	if err != nil {
		return err
	}
	begin := func(v *T) head { return newHead(stored[c.id(v)].Rev + 1) }
	return c.groups(ctx, vs, begin, func(group []pending[T]) error {
		rest, err := c.putGroup(ctx, group)
		for _, p := range rest {
			if err == nil {
				err = c.putOne(ctx, p.v)
			}
		}
		return err
	})
}

// putGroup writes each document of a group whose revision is the one before,
// and gives those for which that was not so.
func (c *shelf[T]) putGroup(ctx context.Context, group []pending[T]) (rest []pending[T], err error) {
	models := make([]mongo.WriteModel, len(group))
	for i, p := range group {
		id := c.id(p.v)
		if p.h.Rev == 1 {
			models[i] = mongo.NewUpdateOneModel().SetFilter(absent(id)).SetUpdate(stamped(p.doc)).SetUpsert(true)
		} else {
			models[i] = mongo.NewUpdateOneModel().SetFilter(atRev(id, p.h.Rev-1)).SetUpdate(stamped(p.doc))
		}
	}
	op, cancel := c.limit(ctx)
	defer cancel()
	res, err := c.coll.BulkWrite(op, models, options.BulkWrite().SetOrdered(true))
	if err != nil && !mongo.IsDuplicateKeyError(err) && !isContended(err) {
		return nil, c.failure(ctx, err)
	}
	if err == nil && res.MatchedCount+res.UpsertedCount == int64(len(group)) {
		for _, p := range group {
			*c.rev(p.v) = p.h.Rev
		}
		return nil, nil
	}
	stored, err := c.heads(ctx, group)
	if err != nil {
		return nil, err
	}
	for _, p := range group {
		if stored[c.id(p.v)].Write == p.h.Write {
			*c.rev(p.v) = p.h.Rev
		} else {
			rest = append(rest, p)
		}
	}
	return rest, nil
}

// putOne stores one document whatever its stored revision.
func (c *shelf[T]) putOne(ctx context.Context, v *T) error {
	for {
		stored, err := c.head(ctx, c.id(v))
		if err != nil {
			return err
		}
		if stored == nil {
			err = c.create(ctx, v)
		} else {
			*c.rev(v) = stored.Rev
			err = c.replace(ctx, v)
		}
		switch survey.KindOf(err) {
		case survey.Exists, survey.Conflict, survey.NotFound: // another writer came between
			continue
		}
		return err
	}
}
