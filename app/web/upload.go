package web

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
)

// upload reads a form with a file, as a page sends it, up to the limit in bytes:
// the file in the field, its name, and the other fields. Invalid with code
// "upload.none" when no file was chosen.
func (q *request) upload(field string, limit int64) (file []byte, name string, form url.Values, err error) {
	form = url.Values{}
	err = q.parts(limit+maxForm, func(part *multipart.Part, content []byte) {
		if part.FormName() == field {
			file, name = content, part.FileName()
		} else {
			form.Add(part.FormName(), string(content))
		}
	})
	if err != nil {
		return nil, "", nil, err
	}
	if len(file) == 0 {
		return nil, "", form, &survey.Error{Kind: survey.Invalid, Code: "upload.none"}
	}
	return file, name, form, nil
}

// parts hands on the parts of a form with files, up to the limit in bytes for
// all of it.
func (q *request) parts(limit int64, take func(part *multipart.Part, content []byte)) error {
	b, err := q.server.body(q.Ctx, limit)
	if err != nil {
		return err
	}
	unreadable := func(cause error) error {
		return &survey.Error{Kind: survey.Invalid, Code: "upload.form", Err: cause}
	}
	kind, params, err := mime.ParseMediaType(q.Get(fiber.HeaderContentType))
	if err != nil || kind != "multipart/form-data" {
		return unreadable(err)
	}
	parts := multipart.NewReader(bytes.NewReader(b), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return unreadable(err)
		}
		take(part, content)
	}
}
