package expr

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Kind is the kind of a value.
type Kind uint8

const (
	// NotAsked: the item was not relevant. It behaves as Blank in every
	// operation but keeps its kind where a reference is passed on as it stands.
	NotAsked Kind = iota
	// Blank: asked, and left empty; also the result of what has none.
	Blank
	Number
	String
	Bool
	Date     // days since 1970-01-01
	Time     // fraction of a day
	DateTime // days since 1970-01-01T00:00:00Z
	Nodes    // the values of a reference into a repeat
)

// Value is a value of the language. The zero Value is "not asked".
type Value struct {
	kind  Kind
	num   float64
	str   string
	nodes []Value
}

// NotAskedValue makes the value of an item that was not asked.
func NotAskedValue() Value { return Value{} }

// BlankValue makes the value of an item that was left empty.
func BlankValue() Value { return Value{kind: Blank} }

// Num makes a number.
func Num(f float64) Value { return Value{kind: Number, num: f} }

// Str makes a text.
func Str(s string) Value { return Value{kind: String, str: s} }

// Boolean makes a truth value.
func Boolean(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// DateValue makes a date from whole days since 1970-01-01.
func DateValue(days float64) Value { return Value{kind: Date, num: days} }

// TimeValue makes a time of day from the fraction of a day.
func TimeValue(fraction float64) Value { return Value{kind: Time, num: fraction} }

// DateTimeValue makes a moment from days since 1970-01-01T00:00:00Z.
func DateTimeValue(days float64) Value { return Value{kind: DateTime, num: days} }

// NodeSet makes the value of a reference that stands for many.
func NodeSet(values []Value) Value { return Value{kind: Nodes, nodes: values} }

// Kind gives the value's kind.
func (v Value) Kind() Kind { return v.kind }

// Nodes gives the values of a node-set; of anything else that is not empty, the
// value itself.
func (v Value) Nodes() []Value {
	if v.kind == Nodes {
		return v.nodes
	}
	if v.IsEmpty() {
		return nil
	}
	return []Value{v}
}

// first gives the value that stands for a node-set where one is needed.
func (v Value) first() Value {
	if v.kind != Nodes {
		return v
	}
	if len(v.nodes) == 0 {
		return BlankValue()
	}
	return v.nodes[0].first()
}

// IsEmpty reports whether the value is blank, not asked, an empty text or an
// empty node-set.
func (v Value) IsEmpty() bool {
	switch v.kind {
	case NotAsked, Blank:
		return true
	case String:
		return v.str == ""
	case Nodes:
		return v.first().IsEmpty()
	}
	return false
}

// Number gives the value as XPath's number(): NaN for what is empty or no
// number, days for dates and moments, the fraction of the day for times.
func (v Value) Number() float64 {
	switch v.kind {
	case Number, Bool, Date, Time, DateTime:
		return v.num
	case String:
		return parseNumber(v.str)
	case Nodes:
		return v.first().Number()
	}
	return math.NaN()
}

// parseNumber reads a text as Collect does: digits, a point or a comma, a minus;
// no exponents, no "Infinity". NaN for anything else.
func parseNumber(s string) float64 {
	s = strings.TrimSpace(s)
	if s == "" {
		return math.NaN()
	}
	comma := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-':
		case c == ',':
			comma = true
		default:
			return math.NaN()
		}
	}
	if comma {
		s = strings.ReplaceAll(s, ",", ".")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN()
	}
	return f
}

// tolerance is how close to each other two numbers are taken for equal, and to
// zero or a whole number for just that, so that 6.1 - 7.8 = -1.7 as in Collect.
const tolerance = 1e-12

// Truth gives the value as XPath's boolean(): numbers other than 0 and NaN,
// texts that are not empty, dates; of a node-set, that of its first member.
func (v Value) Truth() bool {
	switch v.kind {
	case Number:
		return math.Abs(v.num) > tolerance
	case Bool:
		return v.num != 0
	case Date, Time, DateTime:
		return true
	case String:
		return v.str != ""
	case Nodes:
		return v.first().Truth()
	}
	return false
}

// Text gives the value as XPath's string(): whole numbers without decimals,
// "NaN" for what is no number, dates as 2018-03-15, times as 19:30:00.000,
// moments in UTC as 2018-03-15T12:30:00.000Z, nothing for what is empty.
func (v Value) Text() string { return v.textIn(time.UTC) }

// textIn is Text with moments written in a zone.
func (v Value) textIn(zone *time.Location) string {
	switch v.kind {
	case Number:
		return formatNumber(v.num)
	case String:
		return v.str
	case Bool:
		return strconv.FormatBool(v.num != 0)
	case Date:
		return dayTime(math.Floor(v.num)).Format("2006-01-02")
	case Time:
		return dayTime(v.num - math.Floor(v.num)).Format("15:04:05.000")
	case DateTime:
		return dayTime(v.num).In(zone).Format("2006-01-02T15:04:05.000Z07:00")
	case Nodes:
		return v.first().textIn(zone)
	}
	return ""
}

const dayMilliseconds = 86400e3

// dayTime gives the moment so many days after 1970, to the nearest millisecond.
func dayTime(days float64) time.Time {
	const most = 4e6 // some eleven thousand years either way
	if days != days {
		days = 0
	}
	return time.UnixMilli(int64(math.Round(max(-most, min(most, days)) * dayMilliseconds))).UTC()
}

func formatNumber(f float64) string {
	switch {
	case f != f:
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if whole := math.Round(f); math.Abs(f-whole) < tolerance && math.Abs(whole) < 1e15 {
		return strconv.FormatInt(int64(whole), 10)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
