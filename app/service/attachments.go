package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// maxAttachments bounds the files of one response.
const maxAttachments = 500

// File is a file of a response.
type File struct {
	*survey.Attachment
	// Conflict says that another content came first under the same name; this
	// one is kept beside it.
	Conflict bool `json:"conflict,omitempty"`
}

// AttachmentList are the files of a response, beside those that its answers name.
type AttachmentList struct {
	Items []*File
	// Expected are the names in the answers, in template order, and Missing those
	// of them that have not come. Both are empty as long as there is no response.
	Expected, Missing []string
}

// Complete reports whether everything that the answers name is there.
func (l *AttachmentList) Complete() bool { return len(l.Missing) == 0 }

// find gives the file with the name and the hash, or the first with the name if
// the hash is ""; nil if there is none.
func (l *AttachmentList) find(name, hash string) *File {
	for _, f := range l.Items {
		if f.Name == name && (hash == "" || f.SHA256 == hash) {
			return f
		}
	}
	return nil
}

func noResponse(id survey.ResponseID) error {
	return &survey.Error{Kind: survey.NotFound, Code: "response.unknown", Args: survey.Args{"response": string(id)}}
}

// PutAttachment keeps a file for a response, which may still be on its way: then
// whoever may submit may send it, and it belongs to the response if the same
// person sends that. The hash, in lower-case hex, is checked unless it is "".
// The same again gives the same answer; other content under the same name is
// kept beside the first. Once a response is approved only what its answers name
// is taken in.
func (s *Service) PutAttachment(ctx context.Context, c Caller, id survey.ResponseID, name, hash string, content io.Reader) (*File, error) {
	reach, err := c.may(survey.OpSubmit)
	if err != nil {
		return nil, err
	}
	if !survey.ValidFileName(name) {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "attachment.name", Args: survey.Args{"name": strings.ToValidUTF8(name, "?")}}
	}
	r, err := s.store.Response(ctx, id)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if r != nil {
		visible, err := s.visible(ctx, c, reach, r)
		if err != nil {
			return nil, err
		}
		if !visible {
			return nil, noResponse(id)
		}
	}
	list, err := s.attachmentsOf(ctx, id, r)
	if err != nil {
		return nil, err
	}
	if len(list.Items) >= maxAttachments && (hash == "" || list.find(name, hash) == nil) {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "attachment.too_many"}
	}
	if r != nil && r.State == survey.StateApproved && !slices.Contains(list.Expected, name) {
		return nil, &survey.Error{Kind: survey.Conflict, Code: "response.locked", Args: survey.Args{"response": string(id)}}
	}
	reading := &checkedReader{content: content, hash: sha256.New(), name: name, want: hash}
	a := &survey.Attachment{Response: id, Name: name, By: c.id()}
	if a.SHA256, a.Size, err = s.store.PutContent(ctx, reading); err != nil {
		return nil, err
	}
	a.Type, a.At = http.DetectContentType(reading.head), s.Now()
	if err := s.store.Attach(ctx, a); err != nil {
		return nil, err
	}
	if list, err = s.attachmentsOf(ctx, id, r); err != nil {
		return nil, err
	}
	return list.find(name, a.SHA256), nil
}

// checkedReader reads a content on, and gives an error instead of its end when
// it is too large or is not what it should be, so that it is not stored.
type checkedReader struct {
	content    io.Reader
	hash       hash.Hash
	size       int64
	head       []byte // the first bytes, from which the media type is found
	name, want string
}

// sniffed is how many bytes http.DetectContentType looks at.
const sniffed = 512

// Read implements io.Reader.
func (r *checkedReader) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	r.hash.Write(p[:n])
	r.size += int64(n)
	if room := sniffed - len(r.head); room > 0 {
		r.head = append(r.head, p[:min(n, room)]...)
	}
	switch {
	case r.size > survey.MaxAttachment:
		return 0, survey.ErrAttachmentTooLarge()
	case errors.Is(err, io.EOF) && r.want != "" && r.want != hex.EncodeToString(r.hash.Sum(nil)):
		return 0, &survey.Error{Kind: survey.Invalid, Code: "attachment.digest", Args: survey.Args{"name": r.name}}
	}
	return n, err
}

// Attachments lists the files of a response that the caller may read; before the
// response has come, those that the caller sent.
func (s *Service) Attachments(ctx context.Context, c Caller, id survey.ResponseID) (*AttachmentList, error) {
	r, err := s.Response(ctx, c, id)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if r != nil {
		return s.attachmentsOf(ctx, id, r)
	}
	if stored, err := s.store.Response(ctx, id); err == nil && stored != nil {
		return nil, noResponse(id) // there is one, and not for the caller
	}
	list, err := s.attachmentsOf(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	list.Items = slices.DeleteFunc(list.Items, func(f *File) bool { return f.By != c.id() })
	if len(list.Items) == 0 {
		return nil, noResponse(id)
	}
	return list, nil
}

// attachmentsOf reads the files of a response, nil for one that has not come.
func (s *Service) attachmentsOf(ctx context.Context, id survey.ResponseID, r *survey.Response) (*AttachmentList, error) {
	list := &AttachmentList{}
	for a, err := range s.store.Attachments(ctx, id) {
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, &File{Attachment: a, Conflict: list.find(a.Name, "") != nil})
	}
	if r == nil {
		return list, nil
	}
	compiled, err := s.Form(ctx, r.Template, r.TemplateVersion)
	if isNotFound(err) {
		return list, nil // held for review just because of that
	}
	if err != nil {
		return nil, err
	}
	list.Expected = compiled.Template.ExpectedAttachments(r.Answers)
	for _, name := range list.Expected {
		if list.find(name, "") == nil {
			list.Missing = append(list.Missing, name)
		}
	}
	return list, nil
}

// OpenAttachment opens a file of a response for reading, the first under its
// name or, with a hash, the one with that content. The caller closes it.
func (s *Service) OpenAttachment(ctx context.Context, c Caller, id survey.ResponseID, name, hash string) (*File, io.ReadSeekCloser, error) {
	list, err := s.Attachments(ctx, c, id)
	if err != nil {
		return nil, nil, err
	}
	f := list.find(name, hash)
	if f == nil {
		return nil, nil, &survey.Error{Kind: survey.NotFound, Code: "attachment.unknown", Args: survey.Args{"attachment": name}}
	}
	content, err := s.store.Content(ctx, f.SHA256)
	if err != nil {
		return nil, nil, err
	}
	// The type is what the content shows; a client's word for it is not enough
	// to show it in a page.
	head := make([]byte, sniffed)
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, errors.Join(err, content.Close())
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return nil, nil, errors.Join(err, content.Close())
	}
	f.Type = http.DetectContentType(head[:n])
	return f, content, nil
}
