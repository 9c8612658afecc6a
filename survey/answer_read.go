package survey

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
)

// maxNesting bounds repeats within repeats in what is read.
const maxNesting = 16

// UnmarshalJSON reads the object. An item given twice, a value of no known
// shape or a nesting beyond 16 levels is Invalid, with a pointer.
func (a *Answers) UnmarshalJSON(b []byte) error {
	// One copy for all texts: each of them is a part of it.
	r := answerReader{s: string(b)}
	out, err := r.document()
	if errors.Is(err, errNotJSON) {
		// encoding/json says where; it calls here with nothing but JSON.
		var anything any
		return errors.Join(json.Unmarshal(b, &anything), err)
	}
	if err == nil {
		*a = out
	}
	return err
}

func answerShapeError(pointer, code string) error {
	return &Error{Kind: Invalid, Code: "answers.invalid", Problems: Problems{{
		Severity: SeverityError, Code: code, Place: Place{Pointer: pointer},
	}}}
}

// errNotJSON ends the reading of what is not JSON at all.
var errNotJSON = errors.New("answers are not JSON")

// answerReader reads answers from JSON. Every response passes through it, from
// the network and again from the store, and encoding/json's tokens take five
// times as long. It trusts the input to be JSON as far as that is harmless:
// what encoding/json hands over has been checked.
type answerReader struct {
	s   string
	pos int
}

// next skips white space and gives the byte there, 0 at the end.
func (r *answerReader) next() byte {
	for ; r.pos < len(r.s); r.pos++ {
		switch c := r.s[r.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// skip passes over the byte, or fails.
func (r *answerReader) skip(c byte) error {
	if r.next() != c {
		return errNotJSON
	}
	r.pos++
	return nil
}

// more goes to the next member of an object or array: past the comma, or past
// the end, when it gives false.
func (r *answerReader) more(first bool, end byte) (bool, error) {
	switch c := r.next(); {
	case c == end:
		r.pos++
		return false, nil
	case first:
		return true, nil
	}
	return true, r.skip(',')
}

func (r *answerReader) document() (Answers, error) {
	switch r.next() {
	case '{':
		return r.answers("", 0)
	case 'n':
		return nil, r.word("null")
	case 0:
		return nil, errNotJSON
	}
	return nil, answerShapeError("", "answers.not_object")
}

// answerRoom is where the answers of an object gather until it is known how many
// there are.
type answerRoom struct {
	out  Answers
	seen map[string]struct{}
}

var answerRooms = sync.Pool{New: func() any { return &answerRoom{seen: map[string]struct{}{}} }}

// mostRoom is how many answers a room is kept for.
const mostRoom = 512

func (room *answerRoom) clear() {
	if cap(room.out) > mostRoom {
		return
	}
	clear(room.out)
	room.out = room.out[:0]
	clear(room.seen)
	answerRooms.Put(room)
}

// answers reads one object: the answers of a response or of a repeat instance.
func (r *answerReader) answers(pointer string, depth int) (Answers, error) {
	if depth > maxNesting {
		return nil, answerShapeError(pointer, "answers.too_deep")
	}
	r.pos++ // the brace
	room := answerRooms.Get().(*answerRoom)
	defer room.clear()
	for {
		if more, err := r.more(len(room.out) == 0, '}'); err != nil {
			return nil, err
		} else if !more {
			return append(make(Answers, 0, len(room.out)), room.out...), nil
		}
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		if err := r.skip(':'); err != nil {
			return nil, err
		}
		if _, twice := room.seen[name]; twice {
			return nil, answerShapeError(pointer+"/"+EscapePointer(name), "answers.twice")
		}
		room.seen[name] = struct{}{}
		v, err := r.value(pointer, name, depth)
		if err != nil {
			return nil, err
		}
		room.out = append(room.out, Answer{name, v})
	}
}

// value reads the value of the item with the name, in the object at pointer.
func (r *answerReader) value(pointer, name string, depth int) (Value, error) {
	switch c := r.next(); c {
	case '"':
		s, err := r.text()
		return TextValue(s), err
	case 'n':
		return Value{}, r.word("null")
	case 't':
		return Value{Kind: ValueBool, Number: 1}, r.word("true")
	case 'f':
		return Value{Kind: ValueBool}, r.word("false")
	case '[':
		return r.array(pointer+"/"+EscapePointer(name), depth)
	case '{':
		return Value{}, answerShapeError(pointer+"/"+EscapePointer(name), "answers.object_value")
	default:
		from := r.pos
		for r.pos < len(r.s) && strings.IndexByte("+-.0123456789Ee", r.s[r.pos]) >= 0 {
			r.pos++
		}
		if r.pos == from {
			return Value{}, errNotJSON
		}
		f, err := strconv.ParseFloat(r.s[from:r.pos], 64)
		if err != nil { // out of range
			return Value{}, answerShapeError(pointer+"/"+EscapePointer(name), "answers.number")
		}
		return NumberValue(f), nil
	}
}

// array reads a list of texts or the instances of a repeat.
func (r *answerReader) array(pointer string, depth int) (Value, error) {
	r.pos++ // the bracket
	v := Value{Kind: ValueList}
	for i := 0; ; i++ {
		if more, err := r.more(i == 0, ']'); err != nil || !more {
			return v, err
		}
		switch c := r.next(); {
		case c == '"' && v.Kind == ValueList:
			s, err := r.text()
			if err != nil {
				return v, err
			}
			v.List = append(v.List, s)
		case c == '{' && len(v.List) == 0:
			v.Kind = ValueRows
			row, err := r.answers(pointer+"/"+strconv.Itoa(i), depth+1)
			if err != nil {
				return v, err
			}
			v.Rows = append(v.Rows, row)
		case c == 0:
			return v, errNotJSON
		default:
			return v, answerShapeError(pointer+"/"+strconv.Itoa(i), "answers.mixed_array")
		}
	}
}

func (r *answerReader) word(w string) error {
	if !strings.HasPrefix(r.s[r.pos:], w) {
		return errNotJSON
	}
	r.pos += len(w)
	return nil
}

// text reads a string. One with escapes, or with bytes that are no UTF-8, is
// left to encoding/json.
func (r *answerReader) text() (string, error) {
	if err := r.skip('"'); err != nil {
		return "", err
	}
	from, plain := r.pos, true
	for ; r.pos < len(r.s); r.pos++ {
		switch c := r.s[r.pos]; {
		case c == '"':
			inner := r.s[from:r.pos]
			r.pos++
			if plain || plainText(inner) {
				return inner, nil
			}
			var s string
			if err := json.Unmarshal([]byte(r.s[from-1:r.pos]), &s); err != nil {
				return "", errNotJSON
			}
			return s, nil
		case c == '\\':
			plain = false
			r.pos++ // whatever is escaped ends nothing
		case c < 0x20 || c >= 0x80:
			plain = false
		}
	}
	return "", errNotJSON
}
