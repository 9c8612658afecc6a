package expr

import (
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

func parseNumber(s string) float64 {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return math.NaN()
	}
	for i := range len(s) {
		// Only what XPath and Collect read as a number: no hex, no "inf".
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return math.NaN()
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// Truth gives the value as XPath's boolean(): numbers other than 0 and NaN,
// texts that are not empty, node-sets that have a member.
func (v Value) Truth() bool {
	switch v.kind {
	case Number, Bool:
		return v.num != 0 && v.num == v.num
	case Date, Time, DateTime:
		return true
	case String:
		return v.str != ""
	case Nodes:
		return len(v.nodes) > 0
	}
	return false
}

// Text gives the value as XPath's string(): whole numbers without decimals,
// nothing for NaN, dates as 2018-03-15, times as 19:30:00.000.
func (v Value) Text() string {
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
		return dayTime(v.num).Format("2006-01-02T15:04:05.000Z")
	case Nodes:
		return v.first().Text()
	}
	return ""
}

// dayTime gives the moment so many days after 1970, to the nearest millisecond.
func dayTime(days float64) time.Time {
	const most = 4e6 // some eleven thousand years either way
	return time.UnixMilli(int64(math.Round(max(-most, min(most, days)) * 86400e3))).UTC()
}

func formatNumber(f float64) string {
	switch {
	case f != f:
		return ""
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0" // also for -0
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// moment reads the value as a date or moment in days; ok is false if it is none.
func (v Value) moment() (float64, bool) {
	switch v.kind {
	case Date, DateTime, Number:
		return v.num, v.num == v.num
	case String:
		return parseMoment(v.str)
	case Nodes:
		return v.first().moment()
	}
	return 0, false
}

var momentLayouts = []string{"2006-01-02", time.RFC3339Nano, "2006-01-02T15:04:05.999", "2006-01-02T15:04"}

func parseMoment(s string) (float64, bool) {
	if len(s) < 8 || len(s) > 40 {
		return 0, false
	}
	for _, layout := range momentLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.UnixMilli()) / 86400e3, true
		}
	}
	return 0, false
}

// timeOfDay reads the value as a time of day, as a fraction of it.
func (v Value) timeOfDay() (float64, bool) {
	switch v.kind {
	case Time:
		return v.num, true
	case DateTime:
		return v.num - math.Floor(v.num), true
	case Number:
		return v.num - math.Floor(v.num), v.num == v.num
	case String:
		s := v.str
		if i := strings.IndexAny(s, "T "); i >= 0 {
			s = s[i+1:]
		}
		if i := strings.IndexAny(s, "Z+-"); i >= 0 {
			s = s[:i] // the wall clock of whoever wrote it
		}
		for _, layout := range []string{"15:04", "15:04:05", "15:04:05.999"} {
			if t, err := time.Parse(layout, s); err == nil {
				return float64(t.Hour()*3600e3+t.Minute()*60e3+t.Second()*1e3+t.Nanosecond()/1e6) / 86400e3, true
			}
		}
	case Nodes:
		return v.first().timeOfDay()
	}
	return 0, false
}
