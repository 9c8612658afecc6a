package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
)

var errOverLimit = errors.New("body over its limit")

// readAtMost reads everything, or gives errOverLimit after limit bytes.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if n > limit {
		return nil, errOverLimit
	}
	return b.Bytes(), err
}

// body reads a request's body up to the limit; TooLarge beyond it.
func (s *Server) body(c *fiber.Ctx, limit int64) ([]byte, error) {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	announced := c.Request().Header.ContentLength() // negative when it was not
	if int64(announced) > limit {
		return nil, tooLarge(limit)
	}
	b, err := readAtMost(stream, limit)
	if errors.Is(err, errOverLimit) {
		return nil, tooLarge(limit)
	}
	if err == nil {
		c.Locals(keyBodyEnded, true)
	}
	// When the client hangs up, the stream ends as if that were all.
	if err == nil && announced > len(b) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		c.Context().SetConnectionClose()
		return nil, &survey.Error{Kind: survey.Invalid, Code: "body.truncated", Err: err}
	}
	return b, nil
}

// stream gives a request's body to be read as it comes, up to the limit;
// TooLarge at once when more is announced. Reading gives an error when the
// client hangs up before its end.
func (s *Server) stream(c *fiber.Ctx, limit int64) (io.Reader, error) {
	announced := int64(c.Request().Header.ContentLength())
	if announced > limit {
		return nil, survey.ErrAttachmentTooLarge()
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return bytes.NewReader(nil), nil
	}
	return &bodyReader{c, stream, announced}, nil
}

type bodyReader struct {
	ctx  *fiber.Ctx
	from io.Reader
	left int64 // of what was announced; below zero when nothing was
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	chunked := r.left < 0
	if !chunked {
		r.left -= int64(n)
	}
	ended := errors.Is(err, io.EOF) && (chunked || r.left <= 0)
	if ended {
		r.ctx.Locals(keyBodyEnded, true)
	}
	if err == nil || ended {
		return n, err
	}
	r.ctx.Context().SetConnectionClose()
	return n, &survey.Error{Kind: survey.Invalid, Code: "body.truncated", Err: err}
}

// leaveNothing reads away what the handler left of a body. Else the client
// would be cut off while it is sending, and what is left would be taken for the
// next request on the connection. Too much of it, and the connection is closed.
func (s *Server) leaveNothing(c *fiber.Ctx) {
	stream := c.Context().RequestBodyStream()
	// To read on behind the end of a body in chunks would be to wait for the
	// next request.
	if stream == nil || c.Response().Header.ConnectionClose() || c.Locals(keyBodyEnded) != nil {
		return
	}
	n, err := io.Copy(io.Discard, io.LimitReader(stream, mostDrained))
	if n == mostDrained || err != nil {
		c.Context().SetConnectionClose()
	}
}

func tooLarge(limit int64) error {
	return &survey.Error{Kind: survey.TooLarge, Code: "body.too_large", Args: survey.Args{"limit": fmt.Sprintf("%.1f MB", float64(limit)/1e6)}}
}

// utf8Fault gives an error with the place of the first byte that is no UTF-8.
// The JSON decoder would replace it in silence.
func utf8Fault(b []byte) error {
	if utf8.Valid(b) {
		return nil
	}
	pos := 0
	for pos < len(b) {
		r, n := utf8.DecodeRune(b[pos:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		pos += n
	}
	return &survey.Error{Kind: survey.Invalid, Code: "body.not_utf8", Args: survey.Args{"pos": strconv.Itoa(pos + 1)}}
}

func stack() []byte { return debug.Stack() }
