package survey

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// JSONError turns what the JSON decoder says into an Invalid Error that tells
// where the fault is: cut off, misshapen at a character, or of the wrong type.
func JSONError(body []byte, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && syntax.Error() == endOfInput:
		return &Error{Kind: Invalid, Code: "body.truncated", Err: err}
	case errors.As(err, &syntax):
		return &Error{Kind: Invalid, Code: "body.not_json", Args: Args{"pos": strconv.FormatInt(syntax.Offset, 10)}, Err: err}
	case errors.As(err, &typ):
		pointer := ""
		if typ.Field != "" {
			pointer = "/" + strings.ReplaceAll(typ.Field, ".", "/")
		}
		args := Args{"value": typ.Value, "wanted": jsonWord(typ.Type.Kind().String())}
		return &Error{Kind: Invalid, Code: "body.type", Args: args, Err: err, Problems: Problems{{
			Severity: SeverityError, Code: "body.type", Args: args, Place: Place{Pointer: pointer}}}}
	}
	return &Error{Kind: Invalid, Code: "body.not_json", Args: Args{"pos": "1"}, Err: err}
}

// endOfInput is the only way to tell that the decoder ran out of bytes: a wrong
// last byte has the same offset.
const endOfInput = "unexpected end of JSON input"

// jsonWord names a Go kind as JSON calls it.
func jsonWord(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"), strings.HasPrefix(kind, "float"):
		return "number"
	case kind == "slice", kind == "array":
		return "array"
	case kind == "struct", kind == "map":
		return "object"
	case kind == "bool":
		return "boolean"
	}
	return kind
}
