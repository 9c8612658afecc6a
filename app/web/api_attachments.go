package web

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// attachmentTime is how long a file may be on its way; a phone on a bad network
// needs longer than other requests.
const attachmentTime = 10 * time.Minute

// apiPutAttachment takes in a file of a response as it comes. 201 says that it
// is durable, and the same answer comes for every repeat; 202 that other content
// came first under the name and this was kept beside it.
func (s *Server) apiPutAttachment(q *request) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	hash, err := contentDigest(q.Get("Content-Digest"))
	if err != nil {
		return err
	}
	content, err := s.stream(q.Ctx, survey.MaxAttachment)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.ctx), attachmentTime)
	defer cancel()
	a, err := s.svc.PutAttachment(ctx, q.caller, id, q.Params("name"), hash, content)
	if err != nil {
		return err
	}
	status := 201
	if a.Conflict {
		status = 202
	}
	return q.send(status, a)
}

// contentDigest reads the SHA-256 of a Content-Digest header (RFC 9530) as
// lower-case hex, "" if it has none.
func contentDigest(h string) (string, error) {
	for member := range strings.SplitSeq(h, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if !strings.EqualFold(name, "sha-256") {
			continue
		}
		value, opened := strings.CutPrefix(value, ":")
		value, closed := strings.CutSuffix(value, ":")
		sum, err := base64.StdEncoding.DecodeString(value)
		if err != nil || !opened || !closed || len(sum) != 32 {
			return "", &survey.Error{Kind: survey.Invalid, Code: "attachment.digest_shape"}
		}
		return hex.EncodeToString(sum), nil
	}
	return "", nil
}

func (s *Server) apiAttachments(q *request) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	list, err := s.svc.Attachments(q.ctx, q.caller, id)
	if err != nil {
		return err
	}
	return q.send(200, struct {
		Items    []*service.File `json:"items"`
		Expected []string        `json:"expected"`
		Missing  []string        `json:"missing"`
		Complete bool            `json:"complete"`
	}{listed(list.Items), listed(list.Expected), listed(list.Missing), list.Complete()})
}

// listed gives an empty list for none, which JSON would write as null.
func listed[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// apiAttachment gives a file, whole or a range. Photos may be shown by a
// browser; everything else is handed over to be saved, whatever it says it is.
func (s *Server) apiAttachment(q *request) error {
	id, err := survey.ParseResponseID(q.Params("id"))
	if err != nil {
		return err
	}
	// What is read is read after the handler has returned.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.ctx), attachmentTime)
	a, content, err := s.svc.OpenAttachment(ctx, q.caller, id, q.Params("name"), q.Query("sha256"))
	if err != nil {
		cancel()
		return err
	}
	stream := &attachmentStream{content, content, cancel}
	kind, disposition := fiber.MIMEOctetStream, "attachment"
	if survey.ShownInline(a.Type) {
		kind, disposition = a.Type, "inline"
	}
	sum, _ := hex.DecodeString(a.SHA256)
	q.Set(fiber.HeaderContentType, kind)
	q.Set(fiber.HeaderContentDisposition, disposition+"; filename*=UTF-8''"+strings.ReplaceAll(url.QueryEscape(a.Name), "+", "%20"))
	q.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	q.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
	q.Set(fiber.HeaderCacheControl, "private, no-cache")
	q.Set(fiber.HeaderAcceptRanges, "bytes")
	q.Set(fiber.HeaderETag, `"`+a.SHA256+`"`)
	q.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	if strings.Contains(q.Get(fiber.HeaderIfNoneMatch), a.SHA256) {
		return closeWith(stream, q.SendStatus(fiber.StatusNotModified))
	}
	asked := q.Get(fiber.HeaderRange)
	if h := q.Get(fiber.HeaderIfRange); h != "" && !strings.Contains(h, a.SHA256) {
		asked = "" // of another content: the whole is sent
	}
	// Several ranges at once may be answered with the whole.
	if !strings.HasPrefix(asked, "bytes=") || strings.Contains(asked, ",") {
		q.Context().SetBodyStream(stream, int(a.Size))
		return nil
	}
	from, to, err := fasthttp.ParseByteRange([]byte(asked), int(a.Size))
	if err != nil {
		q.Set(fiber.HeaderContentRange, "bytes */"+strconv.FormatInt(a.Size, 10))
		return closeWith(stream, q.SendStatus(fiber.StatusRequestedRangeNotSatisfiable))
	}
	if _, err := content.Seek(int64(from), io.SeekStart); err != nil {
		return closeWith(stream, err)
	}
	stream.Reader = io.LimitReader(content, int64(to-from+1))
	q.Set(fiber.HeaderContentRange, "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(to)+"/"+strconv.FormatInt(a.Size, 10))
	q.Status(fiber.StatusPartialContent).Context().SetBodyStream(stream, to-from+1)
	return nil
}

// attachmentStream is a content that is let go of when it has been sent.
type attachmentStream struct {
	io.Reader
	content io.Closer
	cancel  context.CancelFunc
}

// Close implements io.Closer.
func (r *attachmentStream) Close() error {
	r.cancel()
	return r.content.Close()
}

func closeWith(c io.Closer, err error) error {
	if closing := c.Close(); err == nil {
		err = closing
	}
	return err
}
