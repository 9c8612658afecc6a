package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

var responses = &kind[survey.Response]{
	trail: func(v *survey.Response) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "response",
	id:    func(r *survey.Response) string { return string(r.ID) },
	rev:   func(r *survey.Response) *int64 { return &r.Rev },
	cut: func(r *survey.Response) {
		r.Events = cutEvents(r.Events)
		r.Comments = append([]survey.Comment(nil), r.Comments...)
		for i := range r.Comments {
			r.Comments[i].At = cutTime(r.Comments[i].At)
		}
		r.Submission = cutSubmission(r.Submission)
		r.Earlier = cutSubmissions(r.Earlier)
		r.Conflicts = cutSubmissions(r.Conflicts)
	},
}

func cutSubmissions(all []survey.Submission) []survey.Submission {
	own := make([]survey.Submission, len(all))
	for i, sub := range all {
		own[i] = cutSubmission(sub)
	}
	return own
}

func cutSubmission(sub survey.Submission) survey.Submission {
	cut := func(t *time.Time) *time.Time {
		if t == nil {
			return nil
		}
		own := cutTime(*t)
		return &own
	}
	sub.ReceivedAt = cutTime(sub.ReceivedAt)
	sub.StartedAt, sub.EndedAt = cut(sub.StartedAt), cut(sub.EndedAt)
	return sub
}

// encoded is a response as its rows in the two tables hold it.
type encoded struct {
	*survey.Response
	doc     string
	visit   string
	path    string
	history any // nil if there is none
	bytes   int
}

func encodeResponse(r *survey.Response, rev int64) (e encoded, err error) {
	e = encoded{Response: r, visit: visitText(r), path: pathText(r.Standing.Path)}
	if e.doc, err = responses.encode(r, rev); err != nil {
		return e, err
	}
	history := encodeHistory(r)
	if history != nil {
		e.history = history
	}
	e.bytes = len(e.doc) + len(r.Raw) + len(history) + len(r.Packed)
	return e, responses.fits(r, e.bytes)
}

// visitText is what no two responses of a unit may share: the visit, or for
// one that holds none something of its own. No code begins with a tilde.
func visitText(r *survey.Response) string {
	if r.HoldsVisit() {
		return r.VisitKey.String()
	}
	return "~" + string(r.ID)
}

// encodeHistory puts the raw bytes of the earlier and the conflicting
// submissions, in this order, into one piece, each after its length.
func encodeHistory(r *survey.Response) (b []byte) {
	for _, list := range [][]survey.Submission{r.Earlier, r.Conflicts} {
		for i := range list {
			b = binary.AppendUvarint(b, uint64(len(list[i].Raw)))
			b = append(b, list[i].Raw...)
		}
	}
	return b
}

// decodeHistory gives the raw bytes back to the submissions.
func decodeHistory(r *survey.Response, b []byte) error {
	for _, list := range [][]survey.Submission{r.Earlier, r.Conflicts} {
		for i := range list {
			n, width := binary.Uvarint(b)
			if width <= 0 || n > uint64(len(b)-width) {
				return errors.New("sqlite: the raw bytes of a stored response's history are cut short")
			}
			end := width + int(n)
			list[i].Raw = b[width:end:end]
			b = b[end:]
		}
	}
	return nil
}

// pathText writes a path so that instr finds a unit in it: between bars, and
// bars within a code escaped.
func pathText(path []survey.UnitCode) string {
	if len(path) == 0 {
		return ""
	}
	var b strings.Builder
	for _, u := range path {
		b.WriteString("|" + escapeBars(u))
	}
	return b.String() + "|"
}

func escapeBars(u survey.UnitCode) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(u), `\`, `\\`), "|", `\b`)
}

// orEmpty keeps nil, which would be NULL, out of the columns.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const (
	insertResponse = `INSERT INTO responses (pos, id, visit, round, template, unit, role, observer, state, path, rev, doc, raw, history)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO NOTHING`
	insertRow      = "INSERT INTO response_rows (round, pos, id, rev, state, packed) VALUES (?, ?, ?, 1, ?, ?)"
	updateResponse = `UPDATE OR IGNORE responses SET pos = ?, visit = ?, round = ?, template = ?, unit = ?, role = ?, observer = ?,
		state = ?, path = ?, rev = ?, doc = ?, raw = ?, history = ? WHERE pos = ?`
	holderOfVisit = "SELECT id FROM responses WHERE unit = ? AND visit = ?"
	updateRow     = "UPDATE response_rows SET round = ?, pos = ?, rev = ?, state = ?, packed = ? WHERE round = ? AND pos = ?"
)

func (e *encoded) create(t *tx) error {
	pos := t.next()
	rows, err := t.exec(insertResponse, pos, string(e.ID), e.visit, string(e.Round), string(e.Template), string(e.Unit),
		string(e.Role), string(e.Observer), string(e.State), e.path, e.doc, orEmpty(e.Raw), e.history)
	if err != nil {
		return err
	}
	if rows == 0 {
		return e.notCreated(t)
	}
	if _, err = t.exec(insertRow, string(e.Round), pos, string(e.ID), string(e.State), orEmpty(e.Packed)); err != nil {
		return err
	}
	return responses.log(t, e.Response)
}

func (e *encoded) notCreated(t *tx) error {
	var rev int64
	found, err := t.one("SELECT rev FROM responses WHERE id = ?", []any{e.ID}, &rev)
	if err != nil {
		return err
	}
	if found {
		return responses.exists(e.Response)
	}
	return e.visitTaken(t)
}

func (e *encoded) visitTaken(t *tx) error {
	var holder string
	if _, err := t.one(holderOfVisit, []any{e.Unit, e.visit}, &holder); err != nil {
		return err
	}
	return refuse(survey.Exists, "visit.taken", survey.Args{"response": holder, "unit": string(e.Unit)})
}

// replace compares the revision before it writes, because the packed row is
// found by where the response stood until now.
func (e *encoded) replace(t *tx) error {
	var rev, oldPos int64
	var oldRound string
	found, err := t.one("SELECT rev, pos, round FROM responses WHERE id = ?", []any{e.ID}, &rev, &oldPos, &oldRound)
	switch {
	case err != nil:
		return err
	case !found:
		return responses.unknown(string(e.ID))
	case rev != e.Rev:
		return responses.stale(e.Response)
	}
	pos := t.next()
	rows, err := t.exec(updateResponse, pos, e.visit, e.Round, e.Template, e.Unit, e.Role, e.Observer,
		e.State, e.path, rev+1, e.doc, orEmpty(e.Raw), e.history, oldPos)
	if err != nil {
		return err
	}
	if rows == 0 {
		return e.visitTaken(t)
	}
	if _, err = t.exec(updateRow, e.Round, pos, rev+1, e.State, orEmpty(e.Packed), oldRound, oldPos); err != nil {
		return err
	}
	return responses.log(t, e.Response)
}

// CreateResponse implements survey.ResponseStore.
func (s *Store) CreateResponse(ctx context.Context, r *survey.Response) error {
	e, err := encodeResponse(r, 1)
	if err != nil {
		return err
	}
	if err = s.write(ctx, e.bytes, e.create); err == nil {
		r.Rev = 1
	}
	return err
}

// ReplaceResponse implements survey.ResponseStore.
func (s *Store) ReplaceResponse(ctx context.Context, r *survey.Response) error {
	e, err := encodeResponse(r, r.Rev+1)
	if err != nil {
		return err
	}
	if err = s.write(ctx, e.bytes, e.replace); err == nil {
		r.Rev++
	}
	return err
}

// CreateResponses implements survey.ResponseStore.
func (s *Store) CreateResponses(ctx context.Context, all []*survey.Response) (created int, err error) {
	return s.bulkCreate(ctx, len(all), func(i int, isNew *bool) (change, int, error) {
		e, err := encodeResponse(all[i], 1)
		return responses.ifAbsent(e.create, isNew), e.bytes, err
	}, func(i int) { all[i].Rev = 1 })
}

const findResponse = `SELECT r.rev, r.doc, r.raw, r.history, w.packed FROM responses r
	JOIN response_rows w ON w.round = r.round AND w.pos = r.pos WHERE r.id = ?`

// Response implements survey.ResponseStore.
func (s *Store) Response(ctx context.Context, id survey.ResponseID) (r *survey.Response, err error) {
	err = s.readers.use(ctx, func(c *conn) error {
		var f fields
		found, err := c.one(findResponse, []any{id}, f.dest()...)
		if err != nil {
			return err
		}
		if !found {
			return responses.unknown(string(id))
		}
		r, err = f.decode()
		return err
	})
	return r, s.failure(err)
}

// fields are the columns that make a response.
type fields struct {
	rev                       int64
	doc, raw, history, packed []byte
	bare                      bool // the last three are left out
}

func (f *fields) dest() []any { return []any{&f.rev, &f.doc, &f.raw, &f.history, &f.packed} }

func (f *fields) size() int { return len(f.doc) + len(f.raw) + len(f.history) + len(f.packed) }

func (f *fields) decode() (*survey.Response, error) {
	r, err := responses.decode(f.rev, f.doc)
	if err != nil {
		return nil, err
	}
	r.Raw, r.Packed = f.raw, f.packed
	if f.bare {
		return r, nil
	}
	return r, decodeHistory(r, f.history)
}

// filterQuery makes the query that follows the responses a filter lets
// through. INDEXED BY says which index is meant instead of leaving it to the
// planner, which knows nothing of how many responses a unit has: the narrowest
// first, and one that is missing is an error, not a slow query.
func filterQuery(f survey.ResponseFilter, pos int64, limit int) (string, []any) {
	q := "SELECT r.pos, r.rev, r.doc, r.raw, r.history, w.packed FROM responses r"
	if f.Bare {
		q = "SELECT r.pos, r.rev, r.doc, NULL, NULL, NULL FROM responses r"
	}
	switch {
	case f.Unit != "":
		q += " INDEXED BY responses_visit"
	case f.Observer != "":
		q += " INDEXED BY responses_observer"
	case f.Round != "":
		q += " INDEXED BY responses_round"
	}
	if !f.Bare {
		q += " CROSS JOIN response_rows w ON w.round = r.round AND w.pos = r.pos"
	}
	q += " WHERE r.pos > ?"
	args := []any{pos}
	narrow := func(condition, value string) {
		if value != "" {
			q += " AND " + condition
			args = append(args, value)
		}
	}
	narrow("r.unit = ?", string(f.Unit))
	narrow("r.observer = ?", string(f.Observer))
	narrow("r.round = ?", string(f.Round))
	narrow("r.template = ?", string(f.Template))
	narrow("r.role = ?", string(f.Role))
	narrow("r.state = ?", string(f.State))
	if f.Under != "" {
		narrow("instr(r.path, ?) > 0", pathText([]survey.UnitCode{f.Under}))
	}
	return q + " ORDER BY r.pos LIMIT ?", append(args, limit)
}

// ResponsesSince implements survey.ResponseStore.
func (s *Store) ResponsesSince(ctx context.Context, f survey.ResponseFilter, after survey.Cursor) iter.Seq2[survey.Change[*survey.Response], error] {
	return behind(ctx, s, after, maxBatch, func(ctx context.Context, c *conn, pos int64, limit int, add addChange[*survey.Response]) error {
		query, args := filterQuery(f, pos, limit)
		return c.each(ctx, query, args, func(rows scanner) (bool, error) {
			var pos int64
			f := fields{bare: f.Bare}
			var doc sql.RawBytes // nothing of it is kept
			if err := rows.Scan(&pos, &f.rev, &doc, &f.raw, &f.history, &f.packed); err != nil {
				return false, err
			}
			f.doc = doc
			r, err := f.decode()
			return err == nil && add(pos, r, f.size()), err
		})
	})
}

const followRows = "SELECT pos, id, rev, state, packed FROM response_rows WHERE round = ? AND pos > ? ORDER BY pos LIMIT ?"

// RowsSince implements survey.ResponseStore.
func (s *Store) RowsSince(ctx context.Context, round survey.RoundCode, after survey.Cursor) iter.Seq2[survey.Change[survey.Row], error] {
	return behind(ctx, s, after, maxRowBatch, func(_ context.Context, c *conn, pos int64, limit int, add addChange[survey.Row]) error {
		return c.each(context.Background(), followRows, []any{round, pos, limit}, func(rows scanner) (bool, error) {
			var pos int64
			var row survey.Row
			if err := rows.Scan(&pos, &row.ID, &row.Rev, &row.State, &row.Packed); err != nil {
				return false, err
			}
			return add(pos, row, len(row.Packed)), nil
		})
	})
}
