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

// leaveNothing reads away what the handler left of a body. Else the client
// would be cut off while it is sending, and what is left would be taken for the
// next request on the connection. Too much of it, and the connection is closed.
func (s *Server) leaveNothing(c *fiber.Ctx) {
	stream := c.Context().RequestBodyStream()
	if stream == nil || c.Response().Header.ConnectionClose() {
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
