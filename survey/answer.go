package survey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// AnswerState tells apart the reasons why there is or is not a value. The five
// are kept apart everywhere, exports included.
type AnswerState uint8

const (
	// NotAsked: the item was not relevant, or does not apply to the unit.
	NotAsked AnswerState = iota
	// Blank: asked, and left empty.
	Blank
	// NotApplicable: a choice that says so was taken.
	NotApplicable
	// NotObserved: a choice that says so was taken.
	NotObserved
	// Answered: there is a value.
	Answered
)

var answerStateNames = [...]string{"not_asked", "blank", "na", "not_observed", "answered"}

// String gives the state's name in JSON and exports.
func (s AnswerState) String() string { return answerStateNames[s] }

// ValueKind is the shape of a value as it travels, before the template's item
// kind has been looked at.
type ValueKind uint8

const (
	// ValueBlank is JSON null.
	ValueBlank ValueKind = iota
	// ValueNumber is a JSON number, finite.
	ValueNumber
	// ValueText is a JSON string: text, a choice, a date, a time, a file name, a point.
	ValueText
	// ValueList is a JSON array of strings: the choices of a select_multiple.
	ValueList
	// ValueRows is a JSON array of objects: the instances of a repeat.
	ValueRows
	// ValueBool is a JSON true or false; no item kind takes one, it exists to be
	// told about.
	ValueBool
)

// Value is one value as it travels.
type Value struct {
	Kind   ValueKind
	Number float64
	Text   string
	List   []string
	Rows   []Answers
}

// NumberValue makes a numeric value.
func NumberValue(f float64) Value { return Value{Kind: ValueNumber, Number: f} }

// TextValue makes a text value; "" stays a text.
func TextValue(s string) Value { return Value{Kind: ValueText, Text: s} }

// ListValue makes the value of a select_multiple.
func ListValue(s ...string) Value { return Value{Kind: ValueList, List: s} }

// RowsValue makes the value of a repeat.
func RowsValue(rows ...Answers) Value { return Value{Kind: ValueRows, Rows: rows} }

// IsBlank reports whether the value holds nothing.
func (v Value) IsBlank() bool {
	switch v.Kind {
	case ValueBlank:
		return true
	case ValueText:
		return v.Text == ""
	case ValueList:
		return len(v.List) == 0
	case ValueRows:
		return len(v.Rows) == 0
	}
	return false
}

// Answer is the value given to one item.
type Answer struct {
	Item  string
	Value Value
}

// Answers are the answers of one response, or of one repeat instance. In JSON
// they are one object: {"present": 36, "A1": "p4", "note": null,
// "strengths": [{"strength_text": "..."}]}. An item that is absent was not
// given; null was given as blank. Order is kept.
type Answers []Answer

// Get finds the value given to an item.
func (a Answers) Get(item string) (Value, bool) {
	for i := range a {
		if a[i].Item == item {
			return a[i].Value, true
		}
	}
	return Value{}, false
}

// Set replaces the value of an item, or adds it at the end.
func (a Answers) Set(item string, v Value) Answers {
	for i := range a {
		if a[i].Item == item {
			a[i].Value = v
			return a
		}
	}
	return append(a, Answer{item, v})
}

// MarshalJSON writes the object in order.
func (a Answers) MarshalJSON() ([]byte, error) { return a.appendJSON(nil) }

func (a Answers) appendJSON(b []byte) ([]byte, error) {
	b = append(b, '{')
	for i := range a {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, a[i].Item)
		b = append(b, ':')
		var err error
		if b, err = a[i].Value.appendJSON(b); err != nil {
			return nil, fmt.Errorf("%s: %w", a[i].Item, err)
		}
	}
	return append(b, '}'), nil
}

// appendString appends a JSON string. Most texts need no escapes and are
// copied; the others are left to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			if c >= utf8.RuneSelf && plainText(s[i:]) {
				break
			}
			var buf bytes.Buffer
			enc := json.NewEncoder(&buf)
			enc.SetEscapeHTML(false)
			_ = enc.Encode(s) // a string always encodes
			return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plainText reports whether a text is valid UTF-8 and needs no escapes in JSON.
func plainText(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == '"' || r == '\\' || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return false
		}
	}
	return true
}

// MarshalJSON writes the value in its JSON shape.
func (v Value) MarshalJSON() ([]byte, error) { return v.appendJSON(nil) }

func (v Value) appendJSON(b []byte) ([]byte, error) {
	switch v.Kind {
	case ValueNumber:
		if math.IsNaN(v.Number) || math.IsInf(v.Number, 0) {
			return nil, fmt.Errorf("%v is no JSON number", v.Number)
		}
		return strconv.AppendFloat(b, v.Number, 'f', -1, 64), nil
	case ValueText:
		return appendString(b, v.Text), nil
	case ValueBool:
		return strconv.AppendBool(b, v.Number != 0), nil
	case ValueList:
		b = append(b, '[')
		for i, s := range v.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']'), nil
	case ValueRows:
		b = append(b, '[')
		for i, row := range v.Rows {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = row.appendJSON(b); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	return append(b, "null"...), nil
}

// EscapePointer escapes one reference token of a JSON pointer (RFC 6901).
func EscapePointer(token string) string {
	for i := range len(token) {
		if token[i] == '~' || token[i] == '/' {
			var b []byte
			for j := range len(token) {
				switch token[j] {
				case '~':
					b = append(b, "~0"...)
				case '/':
					b = append(b, "~1"...)
				default:
					b = append(b, token[j])
				}
			}
			return string(b)
		}
	}
	return token
}
