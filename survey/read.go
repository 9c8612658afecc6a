package survey

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/khaosat/khaosat/survey/expr"
)

// MaxText is the longest text answer in UTF-16 code units: what one cell of a
// workbook holds, so that an export never cuts an answer.
const MaxText = 32767

// read turns a given value into the cell's value by the item's kind.
func (fl *Filled) read(slot int, n *node, fr *frame, c *Cell) {
	given := c.given
	c.State, c.Value = Blank, expr.BlankValue()
	if given.IsBlank() {
		return
	}
	wrong := func(code string) {
		fl.report(slot, fr, Problem{Code: code, Value: given.shown()})
	}
	switch n.kind {
	case KindInteger, KindDecimal:
		switch {
		case given.Kind != ValueNumber:
			wrong("answer.not_number")
		case n.kind == KindInteger && (given.Number != math.Trunc(given.Number) || math.Abs(given.Number) > 1e15):
			wrong("answer.not_integer")
		default:
			c.State, c.Value = Answered, expr.Num(given.Number)
		}
	case KindSelectOne, KindRubric:
		fl.readChoice(slot, n, fr, c)
	case KindSelectMultiple:
		fl.readChoices(slot, n, fr, c)
	default:
		if given.Kind != ValueText {
			wrong("answer.not_text")
			return
		}
		fl.readText(slot, n, fr, c)
	}
}

// shown gives a short form of a value for messages.
func (v *Value) shown() string {
	s := ""
	switch v.Kind {
	case ValueNumber:
		s = strconv.FormatFloat(v.Number, 'f', -1, 64)
	case ValueText:
		s = v.Text
	case ValueBool:
		s = strconv.FormatBool(v.Number != 0)
	case ValueList:
		s = strings.Join(v.List, " ")
	case ValueRows:
		s = "[…]"
	}
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:59]) + "…"
	}
	return s
}

func (fl *Filled) readChoice(slot int, n *node, fr *frame, c *Cell) {
	if c.given.Kind != ValueText {
		fl.report(slot, fr, Problem{Code: "answer.not_choice", Value: c.given.shown(), Args: Args{"choices": choiceNames(n.list)}})
		return
	}
	i, choice := n.list.Choice(c.given.Text)
	if choice == nil {
		fl.unknownChoice(slot, n, fr, c.given.Text)
		return
	}
	c.Choice = int16(i)
	c.Value = expr.Str(choice.Name)
	c.State = stateOf(choice)
}

func stateOf(ch *Choice) AnswerState {
	switch ch.Means {
	case MeansNA:
		return NotApplicable
	case MeansNotObserved:
		return NotObserved
	}
	return Answered
}

func (fl *Filled) unknownChoice(slot int, n *node, fr *frame, name string) {
	names := make([]string, len(n.list.Choices))
	for i := range n.list.Choices {
		names[i] = n.list.Choices[i].Name
	}
	v := TextValue(name)
	fl.report(slot, fr, Problem{Code: "answer.unknown_choice", Value: v.shown(),
		Args: Args{"choices": choiceNames(n.list)}, Suggestion: Closest(name, names)})
}

func choiceNames(l *ChoiceList) string {
	var b strings.Builder
	for i := range l.Choices {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == 12 {
			b.WriteString("…")
			break
		}
		b.WriteString(l.Choices[i].Name)
	}
	return b.String()
}

func splitChoices(s string) []string { return strings.Fields(s) }

func (fl *Filled) readChoices(slot int, n *node, fr *frame, c *Cell) {
	var names []string
	switch c.given.Kind {
	case ValueList:
		names = c.given.List
	case ValueText:
		names = splitChoices(c.given.Text)
	default:
		fl.report(slot, fr, Problem{Code: "answer.not_choices", Value: c.given.shown(), Args: Args{"choices": choiceNames(n.list)}})
		return
	}
	state := Answered
	for i, name := range names {
		_, choice := n.list.Choice(name)
		if choice == nil {
			fl.unknownChoice(slot, n, fr, name)
			return
		}
		for _, before := range names[:i] {
			if before == name {
				fl.report(slot, fr, Problem{Code: "answer.choice_twice", Value: name})
				return
			}
		}
		if choice.Means != "" {
			if len(names) > 1 {
				fl.report(slot, fr, Problem{Code: "answer.na_with_others", Value: name})
				return
			}
			state = stateOf(choice)
		}
	}
	c.State, c.Value = state, expr.Str(strings.Join(names, " "))
}

func (fl *Filled) readText(slot int, n *node, fr *frame, c *Cell) {
	s := c.given.Text
	wrong := func(code string, args Args) {
		fl.report(slot, fr, Problem{Code: code, Value: c.given.shown(), Args: args})
	}
	if code := textFault(s); code != "" {
		wrong(code, Args{"max": strconv.Itoa(MaxText)})
		return
	}
	switch n.kind {
	case KindDate:
		d, err := time.Parse(dateLayout, s)
		if err != nil {
			wrong("answer.not_date", nil)
			return
		}
		c.Value = expr.DateValue(float64(DateOf(d)))
	case KindTime:
		f, ok := parseTimeOfDay(s)
		if !ok {
			wrong("answer.not_time", nil)
			return
		}
		c.Value = expr.TimeValue(f)
	case KindDateTime:
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			wrong("answer.not_datetime", nil)
			return
		}
		c.Value = expr.DateTimeValue(float64(t.UnixMilli()) / 86400e3)
	case KindGeopoint:
		if !validGeopoint(s) {
			wrong("answer.not_geopoint", nil)
			return
		}
		c.Value = expr.Str(s)
	default:
		c.Value = expr.Str(s)
	}
	c.State = Answered
}

// textFault gives the code of what is wrong with a text, "" if nothing is.
func textFault(s string) string {
	if len(s) > MaxText && utf16Len(s) > MaxText {
		return "answer.text_too_long"
	}
	if !utf8.ValidString(s) {
		return "answer.not_utf8"
	}
	for _, r := range s {
		if (r < 0x20 && r != '\t' && r != '\n' && r != '\r') || r == 0xFFFE || r == 0xFFFF {
			return "answer.control_character"
		}
	}
	return ""
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// parseTimeOfDay reads HH:MM, HH:MM:SS or HH:MM:SS.mmm, with an offset or 'Z'
// behind it or not, as the fraction of the day by the wall clock.
func parseTimeOfDay(s string) (float64, bool) {
	if i := strings.IndexAny(s, "Zz+-"); i >= 0 {
		offset := s[i:]
		if _, err := time.Parse("Z07:00", strings.ToUpper(offset)); err != nil {
			return 0, false
		}
		s = s[:i]
	}
	for _, layout := range []string{"15:04", "15:04:05", "15:04:05.000"} {
		if t, err := time.Parse(layout, s); err == nil {
			ms := t.Hour()*3600e3 + t.Minute()*60e3 + t.Second()*1e3 + t.Nanosecond()/1e6
			return float64(ms) / 86400e3, true
		}
	}
	return 0, false
}

// validGeopoint reads "lat lon [altitude [accuracy]]".
func validGeopoint(s string) bool {
	parts := strings.Fields(s)
	if len(parts) < 2 || len(parts) > 4 {
		return false
	}
	limits := [...]float64{90, 180, 1e6, 1e7}
	for i, p := range parts {
		f, err := strconv.ParseFloat(p, 64)
		if err != nil || math.IsNaN(f) || math.Abs(f) > limits[i] {
			return false
		}
	}
	return true
}
