package mongo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Contents are kept as GridFS lays them out (bucket "contents", the file name is
// the hash), so that any tool can read them. The driver's own bucket is not
// used: it holds 16 MB for every file that is being sent.
const (
	contentFilesName  = "contents.files"
	contentChunksName = "contents.chunks"
	contentChunk      = 255 << 10 // GridFS's own size
)

type contentFile struct {
	ID        primitive.ObjectID `bson:"_id"`
	Length    int64              `bson:"length"`
	ChunkSize int32              `bson:"chunkSize"`
	Uploaded  time.Time          `bson:"uploadDate"`
	Name      string             `bson:"filename"`
}

type contentPart struct {
	ID   primitive.ObjectID `bson:"_id"`
	File primitive.ObjectID `bson:"files_id"`
	N    int32              `bson:"n"`
	Data []byte             `bson:"data"`
}

// PutContent implements survey.AttachmentStore. A content is there once its
// entry in the list of files is, which is written last.
func (s *Store) PutContent(ctx context.Context, content io.Reader) (string, int64, error) {
	id, sum, size := primitive.NewObjectID(), sha256.New(), int64(0)
	buf := make([]byte, contentChunk)
	for n := int32(0); ; n++ {
		if err := ctx.Err(); err != nil {
			s.dropParts(ctx, id)
			return "", 0, err
		}
		read, err := readPart(content, buf)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			s.dropParts(ctx, id)
			return "", 0, err
		}
		if read > 0 {
			_, _ = sum.Write(buf[:read]) // a hash takes everything
			size += int64(read)
			part := contentPart{primitive.NewObjectID(), id, n, buf[:read]}
			if err := s.insertOnce(ctx, contentChunksName, part.ID, part); err != nil {
				s.dropParts(ctx, id)
				return "", 0, err
			}
		}
		if last {
			break
		}
	}
	hash := hex.EncodeToString(sum.Sum(nil))
	err := s.insertOnce(ctx, contentFilesName, id, contentFile{id, size, contentChunk, time.Now().UTC(), hash})
	if survey.KindOf(err) == survey.Exists { // the same content is there
		s.dropParts(ctx, id)
		err = nil
	}
	return hash, size, err
}

// readPart reads until the buffer is full. Unlike io.ReadFull it gives the reader's
// own error, so that one that was cut off does not look like one at its end.
func readPart(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var read int
		read, err = r.Read(buf[n:])
		n += read
	}
	return n, err
}

// insertOnce inserts a document; Exists when another holds what is unique.
func (s *Store) insertOnce(ctx context.Context, collection string, id primitive.ObjectID, doc any) error {
	return s.failure(ctx, untangle(ctx, func() error {
		op, cancel := s.limit(ctx)
		defer cancel()
		_, err := s.db.Collection(collection).InsertOne(op, doc)
		if !mongo.IsDuplicateKeyError(err) {
			return err
		}
		// Perhaps the driver sent it twice, and the first did it.
		if n, countErr := s.db.Collection(collection).CountDocuments(op, bson.D{{Key: "_id", Value: id}}); countErr != nil || n == 1 {
			return countErr
		}
		return refuse(survey.Exists, "content.exists", nil)
	}))
}

// dropParts removes what was written of a content that is not kept. What a
// process that was killed leaves is in nobody's way.
func (s *Store) dropParts(ctx context.Context, id primitive.ObjectID) {
	op, cancel := s.limit(context.WithoutCancel(ctx))
	defer cancel()
	_, _ = s.db.Collection(contentChunksName).DeleteMany(op, bson.D{{Key: "files_id", Value: id}})
}

// Content implements survey.AttachmentStore.
func (s *Store) Content(ctx context.Context, hash string) (io.ReadSeekCloser, error) {
	op, cancel := s.limit(ctx)
	defer cancel()
	var f contentFile
	err := s.db.Collection(contentFilesName).FindOne(op, bson.D{{Key: "filename", Value: hash}}).Decode(&f)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, refuse(survey.NotFound, "content.unknown", survey.Args{"content": hash})
	}
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	return &contentReader{s: s, ctx: ctx, file: f, n: -1}, nil
}

// contentReader reads a content part by part.
type contentReader struct {
	s    *Store
	ctx  context.Context
	file contentFile
	at   int64
	n    int64 // the part in data, -1 for none
	data []byte
}

func (r *contentReader) Read(p []byte) (int, error) {
	if r.at >= r.file.Length {
		return 0, io.EOF
	}
	if n := r.at / int64(r.file.ChunkSize); n != r.n {
		op, cancel := r.s.limit(r.ctx)
		defer cancel()
		var part contentPart
		err := r.s.db.Collection(contentChunksName).FindOne(op, bson.D{{Key: "files_id", Value: r.file.ID}, {Key: "n", Value: n}}).Decode(&part)
		if err != nil {
			return 0, r.s.failure(r.ctx, err)
		}
		r.n, r.data = n, part.Data
	}
	from := r.at % int64(r.file.ChunkSize)
	if from >= int64(len(r.data)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, r.data[from:])
	r.at += int64(n)
	return n, nil
}

func (r *contentReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.file.Length
	}
	if offset < 0 {
		return r.at, errors.New("mongo: a position before the beginning")
	}
	r.at = offset
	return offset, nil
}

func (r *contentReader) Close() error { return nil }

type attachmentDoc struct {
	ID       string    `bson:"_id"`
	Response string    `bson:"response"`
	Name     string    `bson:"name"`
	SHA256   string    `bson:"sha256"`
	Size     int64     `bson:"size"`
	Type     string    `bson:"type"`
	At       time.Time `bson:"at"`
	By       string    `bson:"by"`
}

// Attach implements survey.AttachmentStore.
func (s *Store) Attach(ctx context.Context, a *survey.Attachment) error {
	id := string(a.Response) + "/" + a.SHA256 + "/" + a.Name
	doc := attachmentDoc{id, string(a.Response), a.Name, a.SHA256, a.Size, a.Type, a.At.UTC().Truncate(time.Millisecond), string(a.By)}
	return s.failure(ctx, untangle(ctx, func() error {
		op, cancel := s.limit(ctx)
		defer cancel()
		_, err := s.db.Collection(attachmentsName).InsertOne(op, doc)
		if mongo.IsDuplicateKeyError(err) {
			return nil
		}
		return err
	}))
}

// Attachments implements survey.AttachmentStore.
func (s *Store) Attachments(ctx context.Context, id survey.ResponseID) iter.Seq2[*survey.Attachment, error] {
	order := bson.D{{Key: "name", Value: 1}, {Key: "at", Value: 1}, {Key: "sha256", Value: 1}}
	return func(yield func(*survey.Attachment, error) bool) {
		for raw, err := range s.query(ctx, s.db.Collection(attachmentsName), bson.D{{Key: "response", Value: string(id)}}, options.Find().SetSort(order)) {
			var d attachmentDoc
			if err == nil {
				err = bson.Unmarshal(raw, &d)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&survey.Attachment{Response: id, Name: d.Name, SHA256: d.SHA256, Size: d.Size, Type: d.Type, At: d.At.UTC(), By: survey.PersonID(d.By)}, nil) {
				return
			}
		}
	}
}

type formDoc struct {
	ID   string `bson:"_id"`
	Form []byte `bson:"form"`
}

// KeepForm implements survey.FormStore.
func (s *Store) KeepForm(ctx context.Context, code survey.TemplateCode, version int, form []byte) ([]byte, error) {
	id := templateID(code, version)
	err := untangle(ctx, func() error {
		op, cancel := s.limit(ctx)
		defer cancel()
		_, err := s.db.Collection(formsName).InsertOne(op, formDoc{id, bytes.Clone(form)})
		if mongo.IsDuplicateKeyError(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	return s.Form(ctx, code, version)
}

// Form implements survey.FormStore.
func (s *Store) Form(ctx context.Context, code survey.TemplateCode, version int) ([]byte, error) {
	op, cancel := s.limit(ctx)
	defer cancel()
	var d formDoc
	err := s.db.Collection(formsName).FindOne(op, byID(templateID(code, version))).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, refuse(survey.NotFound, "form.unknown", survey.Args{"form": string(code), "version": strconv.Itoa(version)})
	}
	return d.Form, s.failure(ctx, err)
}
