package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"unicode/utf8"

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

// drain reads on and throws away, at most so many bytes.
func drain(r io.Reader, most int64) { _, _ = io.Copy(io.Discard, io.LimitReader(r, most)) }

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
