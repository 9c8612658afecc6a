package xlsform

import (
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// typeRole is what a row of the survey sheet does.
type typeRole uint8

const (
	roleItem    typeRole = iota
	roleBegin            // opens a group or repeat
	roleEnd              // closes one
	roleMeta             // what a form client fills in by itself
	roleForeign          // in the XLSForm standard, but not supported
	roleUnknown          // in no standard
)

// rowType is the type cell of a survey row, made out.
type rowType struct {
	role typeRole
	kind survey.ItemKind
	list string
	// orOther: the list is followed by or_other.
	orOther bool
	// suggestion is a type that may have been meant by an unknown one.
	suggestion string
}

// itemTypes are the types that become an item of their own kind, as written.
func itemTypes() map[string]survey.ItemKind {
	return map[string]survey.ItemKind{
		"note": survey.KindNote, "text": survey.KindText, "integer": survey.KindInteger, "decimal": survey.KindDecimal,
		"date": survey.KindDate, "time": survey.KindTime, "datetime": survey.KindDateTime, "calculate": survey.KindCalculate,
		"image": survey.KindImage, "geopoint": survey.KindGeopoint,
		// Older names.
		"string": survey.KindText, "int": survey.KindInteger, "date_time": survey.KindDateTime, "photo": survey.KindImage,
		"location": survey.KindGeopoint, "gps": survey.KindGeopoint,
	}
}

// supportedTypes is what messages list.
const supportedTypes = "text, integer, decimal, date, time, dateTime, select_one LIST, select_multiple LIST, note, calculate, image, geopoint, " +
	"begin_group, end_group, begin_repeat, end_repeat"

// suggestible are the words that a misspelt type may have meant.
func suggestible() []string {
	return []string{"text", "integer", "decimal", "date", "time", "dateTime", "select_one", "select_multiple", "note", "calculate", "image", "geopoint",
		"begin_group", "end_group", "begin_repeat", "end_repeat"}
}

// selectWords are the ways to write that an item chooses from a list, the
// longer before those they begin with.
func selectWords() []struct {
	words []string
	kind  survey.ItemKind
} {
	type entry = struct {
		words []string
		kind  survey.ItemKind
	}
	one, multiple := survey.KindSelectOne, survey.KindSelectMultiple
	return []entry{
		{[]string{"select_one"}, one},
		{[]string{"select1"}, one},
		{[]string{"select", "one", "from"}, one},
		{[]string{"select", "one"}, one},
		{[]string{"select_multiple"}, multiple},
		{[]string{"select", "multiple", "from"}, multiple},
		{[]string{"select", "multiple"}, multiple},
		{[]string{"select", "all", "that", "apply", "from"}, multiple},
		{[]string{"select", "all", "that", "apply"}, multiple},
		{[]string{"select_all_that_apply_from"}, multiple},
		{[]string{"select_all_that_apply"}, multiple},
	}
}

// parseType makes out a type cell. Letter case, and spaces for '_', do not
// matter.
func parseType(cell string) rowType {
	words := strings.Fields(cell)
	lower := strings.Fields(strings.ToLower(cell))
	joined := strings.Join(lower, "_")
	if t, ok := groupType(joined); ok {
		return t
	}
	if kind, ok := itemTypes()[joined]; ok {
		return rowType{kind: kind}
	}
	if isMetadata(joined) {
		return rowType{role: roleMeta}
	}
	if isForeign(lower[0]) || isForeign(joined) || strings.HasPrefix(joined, "begin_loop") {
		return rowType{role: roleForeign, kind: survey.KindUnknown}
	}
	for _, s := range selectWords() {
		if len(lower) >= len(s.words) && slices.Equal(lower[:len(s.words)], s.words) {
			return selectType(s.kind, words[len(s.words):])
		}
	}
	return unknownType(lower, words)
}

func groupType(joined string) (rowType, bool) {
	switch joined {
	case "begin_group":
		return rowType{role: roleBegin, kind: survey.KindGroup}, true
	case "begin_repeat":
		return rowType{role: roleBegin, kind: survey.KindRepeat}, true
	case "end_group":
		return rowType{role: roleEnd, kind: survey.KindGroup}, true
	case "end_repeat":
		return rowType{role: roleEnd, kind: survey.KindRepeat}, true
	}
	return rowType{}, false
}

func selectType(kind survey.ItemKind, rest []string) rowType {
	t := rowType{kind: kind}
	lower := strings.ToLower(strings.Join(rest, " "))
	for _, suffix := range []string{"or_other", "or specify other", "or_specify_other"} {
		if strings.HasSuffix(lower, " "+suffix) {
			t.orOther = true
			rest = rest[:len(rest)-len(strings.Fields(suffix))]
			break
		}
	}
	t.list = identifier(strings.Join(rest, " "))
	return t
}

// unknownType suggests what may have been meant, keeping a list's name.
func unknownType(lower, words []string) rowType {
	t := rowType{role: roleUnknown, kind: survey.KindUnknown}
	if len(words) > 1 {
		if meant := survey.Closest(lower[0], []string{"select_one", "select_multiple"}); meant != "" {
			t.suggestion = meant + " " + strings.Join(words[1:], " ")
			return t
		}
	}
	switch lower[0] {
	case "rating", "scale", "likert":
		t.suggestion = "select_one LIST"
	case "number":
		t.suggestion = "decimal"
	case "boolean", "yesno", "yes_no":
		t.suggestion = "select_one yes_no"
	default:
		t.suggestion = survey.Closest(strings.Join(lower, "_"), suggestible())
	}
	return t
}

// isMetadata reports whether the type is one that a form client fills in by
// itself; what a response needs of these is kept with it anyway.
func isMetadata(joined string) bool {
	joined = strings.TrimPrefix(strings.TrimPrefix(joined, "uri:"), "get_")
	switch joined {
	case "start", "end", "today", "deviceid", "device_id", "username", "email", "phonenumber", "phone_number", "simserial", "sim_serial", "sim_id",
		"subscriberid", "subscriber_id", "imei", "audit", "start_time", "end_time", "start-geopoint":
		return true
	}
	return false
}

// isForeign reports whether the type is in the XLSForm standard but not
// supported.
func isForeign(word string) bool {
	switch word {
	case "range", "rank", "geotrace", "geoshape", "audio", "video", "file", "barcode", "acknowledge", "trigger", "hidden",
		"select_one_from_file", "select_multiple_from_file", "select_one_external", "csv-external", "xml-external", "osm",
		"background-audio", "background-geopoint", "end_loop":
		return true
	}
	return false
}
