package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// contentFolder is the folder of attached files, in the data folder. Each file
// is named by the hash of its content, below a folder named by the hash's first
// two digits.
const contentFolder = "attachments"

func (s *Store) contents() string { return filepath.Join(filepath.Dir(s.file), contentFolder) }

func (s *Store) contentPath(hash string) string {
	return filepath.Join(s.contents(), hash[:2], hash)
}

// readingError keeps the error of a reader apart from those of the file.
type readingError struct {
	io.Reader
	ctx context.Context
	err error
}

func (r *readingError) Read(p []byte) (int, error) {
	if r.err = r.ctx.Err(); r.err != nil {
		return 0, r.err
	}
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// PutContent implements survey.AttachmentStore. The content goes to a file of
// its own first, is on the disk before it gets its name, and the name is on the
// disk before it is acknowledged.
func (s *Store) PutContent(ctx context.Context, content io.Reader) (hash string, size int64, err error) {
	if err := s.Ping(ctx); err != nil { // closed, or the disk is full
		return "", 0, err
	}
	folder := s.contents()
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", 0, s.fileFailure(err)
	}
	f, err := os.CreateTemp(folder, ".incoming-*")
	if err != nil {
		return "", 0, s.fileFailure(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	sum := sha256.New()
	in := &readingError{Reader: content, ctx: ctx}
	if size, err = io.Copy(io.MultiWriter(f, sum), in); err != nil {
		if in.err != nil {
			return "", 0, in.err
		}
		return "", 0, s.fileFailure(err)
	}
	hash = hex.EncodeToString(sum.Sum(nil))
	if _, there := os.Stat(s.contentPath(hash)); there == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
		return hash, size, s.fileFailure(errors.Join(err, s.syncFolders(hash)))
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return "", 0, s.fileFailure(err)
	}
	if err = os.MkdirAll(filepath.Dir(s.contentPath(hash)), 0o750); err == nil {
		err = os.Rename(f.Name(), s.contentPath(hash))
	}
	if err == nil {
		err = s.syncFolders(hash)
	}
	return hash, size, s.fileFailure(err)
}

// syncFolders makes the names that lead to a content durable.
func (s *Store) syncFolders(hash string) (err error) {
	for _, dir := range []string{filepath.Dir(s.contentPath(hash)), s.contents(), filepath.Dir(s.file)} {
		d, openErr := os.Open(dir)
		if openErr != nil {
			return openErr
		}
		err = errors.Join(err, d.Sync(), d.Close())
	}
	return err
}

// fileFailure turns what the file system says into an error of the domain.
func (s *Store) fileFailure(err error) error {
	if err == nil {
		return nil
	}
	code := "store.io"
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		code = "store.readonly"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		code = "store.full"
	}
	return &survey.Error{Kind: survey.Unavailable, Code: code, Args: survey.Args{"path": s.contents()}, Err: err}
}

// Content implements survey.AttachmentStore.
func (s *Store) Content(ctx context.Context, hash string) (io.ReadSeekCloser, error) {
	if err := s.readers.use(ctx, func(*conn) error { return nil }); err != nil { // closed
		return nil, s.failure(err)
	}
	unknown := refuse(survey.NotFound, "content.unknown", survey.Args{"content": hash})
	if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
		return nil, unknown
	}
	f, err := os.Open(s.contentPath(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unknown
	}
	if err != nil {
		return nil, s.fileFailure(err)
	}
	return f, nil
}

// Attach implements survey.AttachmentStore.
func (s *Store) Attach(ctx context.Context, a *survey.Attachment) error {
	return s.write(ctx, len(a.Name), func(t *tx) error {
		_, err := t.exec("INSERT INTO attachments (response, name, sha256, size, type, at, person) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			string(a.Response), a.Name, a.SHA256, a.Size, a.Type, a.At.UnixMilli(), string(a.By))
		return err
	})
}

const listAttachments = "SELECT name, sha256, size, type, at, person FROM attachments WHERE response = ? ORDER BY name, at, sha256"

// Attachments implements survey.AttachmentStore. A response has few: they are
// read at once.
func (s *Store) Attachments(ctx context.Context, id survey.ResponseID) iter.Seq2[*survey.Attachment, error] {
	return func(yield func(*survey.Attachment, error) bool) {
		var all []*survey.Attachment
		err := s.readers.use(ctx, func(c *conn) error {
			return c.each(ctx, listAttachments, []any{string(id)}, func(rows scanner) (bool, error) {
				a := &survey.Attachment{Response: id}
				var at int64
				err := rows.Scan(&a.Name, &a.SHA256, &a.Size, &a.Type, &at, &a.By)
				a.At = time.UnixMilli(at).UTC()
				all = append(all, a)
				return true, err
			})
		})
		if err != nil {
			yield(nil, s.failure(err))
			return
		}
		for _, a := range all {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

const findForm = "SELECT form FROM forms WHERE code = ? AND version = ?"

// KeepForm implements survey.FormStore.
func (s *Store) KeepForm(ctx context.Context, code survey.TemplateCode, version int, form []byte) ([]byte, error) {
	err := s.write(ctx, len(form), func(t *tx) error {
		_, err := t.exec("INSERT INTO forms (code, version, form) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", string(code), version, form)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Form(ctx, code, version)
}

// Form implements survey.FormStore.
func (s *Store) Form(ctx context.Context, code survey.TemplateCode, version int) (form []byte, err error) {
	err = s.readers.use(ctx, func(c *conn) error {
		found, err := c.one(findForm, []any{string(code), version}, &form)
		if err == nil && !found {
			err = refuse(survey.NotFound, "form.unknown", survey.Args{"form": string(code), "version": strconv.Itoa(version)})
		}
		return err
	})
	return form, s.failure(err)
}
