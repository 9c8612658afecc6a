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
	roleUnknown          // in no standard
)

// rowType is the type cell of a survey row, made out.
type rowType struct {
	role typeRole
	kind survey.ItemKind
	list string
	// typ is the type as survey.Item.Type has it.
	typ string
	// file is the list's file of a select_one_from_file.
	file string
	// limit names what a page cannot do with it yet: "", "text", "number", ...
	limit string
	// constraint goes with the type, unless the author gives one.
	constraint string
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
	"range, rank LIST, barcode, acknowledge, audio, video, file, geotrace, geoshape, hidden, select_one_from_file FILE.csv, " +
	"begin_group, end_group, begin_repeat, end_repeat, start, end, today, deviceid, username"

// suggestible are the words that a misspelt type may have meant.
func suggestible() []string {
	return []string{"text", "integer", "decimal", "date", "time", "dateTime", "select_one", "select_multiple", "note", "calculate", "image", "geopoint",
		"range", "rank", "barcode", "acknowledge", "audio", "video", "file", "geotrace", "geoshape", "hidden",
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
	if joined == "phone_number" { // a question, unlike phonenumber
		return rowType{kind: survey.KindText, constraint: `regex(., '^\d*$')`}
	}
	if typ := metadataType(joined); typ != "" {
		return rowType{role: roleMeta, kind: survey.KindCalculate, typ: typ}
	}
	if t, ok := keptTypes()[joined]; ok {
		return t
	}
	if t, ok := fileType(lower[0], words); ok {
		return t
	}
	if t, ok := loopOver(lower, words); ok {
		return t
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

// keptTypes are those whose kind here says less than the type, which is kept.
func keptTypes() map[string]rowType {
	text := func(typ string) rowType { return rowType{kind: survey.KindText, typ: typ, limit: "text"} }
	media := func(typ string) rowType { return rowType{kind: survey.KindImage, typ: typ, limit: "media"} }
	acknowledge := rowType{kind: survey.KindSelectOne, typ: "acknowledge", list: acknowledgeList}
	return map[string]rowType{
		"barcode": text("barcode"), "geotrace": text("geotrace"), "geoshape": text("geoshape"), "osm": text("osm"),
		"audio": media("audio"), "video": media("video"), "file": media("file"),
		"range":       {kind: survey.KindDecimal, typ: "range", limit: "range"},
		"acknowledge": acknowledge, "trigger": acknowledge,
		"hidden":       {kind: survey.KindCalculate, typ: "hidden"},
		"csv-external": {kind: survey.KindCalculate, typ: "csv-external", limit: "instance"},
		"xml-external": {kind: survey.KindCalculate, typ: "xml-external", limit: "instance"},
	}
}

// fileType makes out the types that are followed by a file, or by a list that
// is not on the sheet choices.
func fileType(first string, words []string) (rowType, bool) {
	rest := strings.Join(words[1:], " ")
	switch first {
	case "select_one_from_file":
		return rowType{kind: survey.KindSelectOne, typ: first + " " + rest, file: rest, list: rest}, true
	case "select_multiple_from_file":
		return rowType{kind: survey.KindSelectMultiple, typ: first + " " + rest, file: rest, list: rest}, true
	case "select_one_external":
		return rowType{kind: survey.KindSelectOne, list: identifier(rest)}, true
	case "rank":
		return rowType{kind: survey.KindSelectMultiple, typ: "rank", list: identifier(rest), limit: "rank"}, true
	case "osm":
		return rowType{kind: survey.KindText, typ: "osm " + rest, limit: "text"}, true
	}
	return rowType{}, false
}

// metadataType gives the type of what a form client fills in by itself under
// the name of today, "" for other types.
func metadataType(joined string) string {
	joined = strings.TrimPrefix(strings.TrimPrefix(joined, "uri:"), "get_")
	switch joined {
	case "device_id":
		return "deviceid"
	case "phone_number":
		return "phonenumber"
	case "sim_serial", "sim_id":
		return "simserial"
	case "subscriber_id":
		return "subscriberid"
	case "start_time":
		return "start"
	case "end_time":
		return "end"
	}
	if _, known := survey.MetadataTypes[joined]; known {
		return joined
	}
	return ""
}
