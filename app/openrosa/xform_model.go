package openrosa

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/expr"
)

// instances writes the main instance and the lists.
func (w *writer) instances() {
	t := w.template
	w.open("instance")
	w.line()
	w.open(rootName, attr{"id", string(t.Code)}, attr{"version", strconv.Itoa(t.Version)})
	for _, name := range []string{w.start, w.end, w.device} {
		w.empty(name)
	}
	if w.options.Visits {
		w.empty(w.visit)
	}
	w.nodes(t.Items)
	for i := range t.Checks {
		if w.checkedBeside(&t.Checks[i]) == nil {
			w.empty(w.checkName(i))
		}
	}
	w.open("meta")
	w.empty("audit")
	w.empty("instanceID")
	w.empty("instanceName")
	w.close("meta")
	w.close(rootName)
	w.line()
	w.close("instance")
	w.line()
	for _, l := range w.lists {
		w.open("instance", attr{"id", l.Name})
		w.open("root")
		w.line()
		for i := range l.Choices {
			w.open("item")
			w.element("itextId", choiceID(l, i))
			w.element("name", l.Choices[i].Name)
			for _, column := range slices.Sorted(maps.Keys(l.Choices[i].Columns)) {
				if column != "name" && column != "itextId" {
					w.element(column, l.Choices[i].Columns[column])
				}
			}
			for _, column := range slices.Sorted(maps.Keys(l.Choices[i].Columns)) {
				w.element(column, l.Choices[i].Columns[column])
			}
			w.close("item")
			w.line()
		}
		w.close("root")
		w.close("instance")
		w.line()
	}
	if w.lastSaved {
		w.empty("instance", attr{"id", "__last-saved"}, attr{"src", "jr://instance/last-saved"})
		w.line()
	}
	for _, file := range w.files {
		w.empty("instance", attr{"id", instanceID(file)}, attr{"src", fileAddress(file)})
		w.line()
	}
	if w.options.Visits {
		w.empty("instance", attr{"id", visitsInstance}, attr{"src", "jr://file-csv/" + VisitsFile})
		w.line()
	}
}

// nodes writes the items' nodes. A repeat is there as its template only, so
// that a form begins without instances of it, as our own page does.
func (w *writer) nodes(items []survey.Item) {
	for i := range items {
		it := &items[i]
		switch {
		case it.Kind.HasItems():
			if it.Kind == survey.KindRepeat {
				if count := w.counts[it.Name]; count != "" {
					w.empty(count)
				}
				w.WriteString("<" + it.Name + ` jr:template="">`)
			} else {
				w.open(it.Name)
			}
			w.nodes(it.Items)
			w.close(it.Name)
		case noNode(it):
		default:
			if it.Kind.Chooses() && w.heads[it.Name] != "" {
				w.empty(w.heads[it.Name])
			}
			if fixed, ok := fixedDefault(it); ok && fixed != "" {
				w.element(it.Name, fixed)
			} else {
				w.empty(it.Name)
			}
			if it.Evidence != "" {
				w.empty(survey.NoteName(it.Name))
			}
		}
	}
}

var literal = regexp.MustCompile(`^(?:'([^']*)'|"([^"]*)"|(-?[0-9]+(?:\.[0-9]+)?))$`)

// fixedDefault gives the default that is written into the instance; ok is false
// for one that has to be worked out.
func fixedDefault(it *survey.Item) (string, bool) {
	if it.Default == "" {
		return "", true
	}
	e, err := expr.Parse(it.Default)
	if err != nil {
		return "", false // reported where expressions are written
	}
	m := literal.FindStringSubmatch(e.String())
	if m == nil {
		return "", false
	}
	return m[1] + m[2] + m[3], true
}

// bindTypes are the kinds' data types.
var bindTypes = map[survey.ItemKind]string{
	survey.KindNote: "string", survey.KindText: "string", survey.KindInteger: "int", survey.KindDecimal: "decimal",
	survey.KindDate: "date", survey.KindTime: "time", survey.KindDateTime: "dateTime",
	survey.KindSelectOne: "string", survey.KindSelectMultiple: "string", survey.KindRubric: "string",
	survey.KindCalculate: "string", survey.KindImage: "binary", survey.KindGeopoint: "geopoint",
}

// defaultMaxPixels keeps photos to what a telephone network carries; the longer
// side.
const defaultMaxPixels = "1600"

// binds writes what holds for each node.
func (w *writer) binds() {
	bind := func(at string, attrs ...attr) {
		w.empty("bind", append([]attr{{"nodeset", at}}, attrs...)...)
		w.line()
	}
	root := "/" + rootName + "/"
	bind(root+w.start, attr{"type", "dateTime"}, attr{"jr:preload", "timestamp"}, attr{"jr:preloadParams", "start"})
	bind(root+w.end, attr{"type", "dateTime"}, attr{"jr:preload", "timestamp"}, attr{"jr:preloadParams", "end"})
	bind(root+w.device, attr{"type", "string"}, attr{"jr:preload", "property"}, attr{"jr:preloadParams", "deviceid"})
	if w.options.Visits {
		bind(root+w.visit, attr{"type", "string"}, attr{"required", "true()"},
			attr{"jr:requiredMsg", w.ifSaid(textID(w.at(w.visit), "jr:requiredMsg"))})
	}
	var setvalues []attr
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		w.bindItem(it, bind)
		if fixed, ok := fixedDefault(it); !ok && fixed == "" {
			setvalues = append(setvalues, attr{w.places[it.Name].String(), w.xpath(it.Default, w.places[it.Name], nil)})
		}
		return true
	})
	for i := range w.template.Checks {
		c := &w.template.Checks[i]
		if w.checkedBeside(c) == nil {
			at := w.at(w.checkName(i))
			bind(at.String(), attr{"type", "string"}, attr{"readonly", "true()"}, attr{"relevant", "not(" + w.xpath(c.Test, at, nil) + ")"})
		}
	}
	bind(root+"meta/audit", append([]attr{{"type", "binary"}}, w.audit()...)...)
	bind(root+"meta/instanceID", attr{"type", "string"}, attr{"readonly", "true()"}, attr{"jr:preload", "uid"})
	bind(root+"meta/instanceName", attr{"type", "string"}, attr{"calculate", w.instanceName()})
	for _, s := range setvalues {
		if len(w.inRepeat(s.name)) == 0 { // those inside are in the repeat, in the body
			w.empty("setvalue", attr{"ref", s.name}, attr{"event", "odk-instance-first-load"}, attr{"value", s.value})
			w.line()
		}
	}
	w.actions()
	if s := w.template.Settings; s["auto_send"] != "" || s["auto_delete"] != "" {
		w.empty("submission", attr{"orx:auto-send", s["auto_send"]}, attr{"orx:auto-delete", s["auto_delete"]})
		w.line()
	}
}

func (w *writer) inRepeat(path string) []int {
	return w.places[path[strings.LastIndexByte(path, '/')+1:]].repeats
}

// instanceName names a filled-in form for people.
func (w *writer) instanceName() string {
	at := &place{path: []string{rootName, "meta", "instanceName"}}
	if w.template.InstanceName != "" {
		return w.xpath(w.template.InstanceName, at, nil)
	}
	parts := []string{"'" + string(w.template.Code) + "'"}
	if w.options.Visits {
		parts = []string{w.visitFact("label")}
	}
	if p := w.places[survey.MeetingDateItem]; p != nil && len(p.repeats) == 0 && p.item.Kind == survey.KindDate {
		parts = append(parts, "' '", p.String())
	}
	if len(parts) == 1 {
		return "string(" + parts[0] + ")"
	}
	return "concat(" + strings.Join(parts, ", ") + ")"
}

// ifSaid gives the reference to a text if there is one of the id.
func (w *writer) ifSaid(id string) string {
	if _, ok := w.texts[id]; !ok {
		return ""
	}
	return "jr:itext('" + id + "')"
}

func (w *writer) bindItem(it *survey.Item, bind func(string, ...attr)) {
	at := w.places[it.Name]
	relevant := both(w.xpath(it.Applies, at, nil), w.xpath(it.Relevant, at, nil))
	if it.Kind.HasItems() {
		if count := w.counts[it.Name]; count != "" {
			beside := &place{path: append(at.path[:len(at.path)-1:len(at.path)-1], count), repeats: at.repeats[:len(at.repeats)-1]}
			bind(beside.String(), attr{"type", "string"}, attr{"readonly", "true()"}, attr{"calculate", w.xpath(it.RepeatCount, beside, nil)})
		}
		if relevant != "" {
			bind(at.String(), attr{"relevant", relevant})
		}
		return
	}
	if noNode(it) {
		return
	}
	if head := w.heads[it.Name]; head != "" {
		bind((&place{path: append(at.path[:len(at.path)-1:len(at.path)-1], head)}).String(), attr{"type", "string"})
	}
	attrs := append([]attr{{"type", bindType(it)}}, preload(it)...)
	if it.ReadOnly || it.Kind == survey.KindNote {
		attrs = append(attrs, attr{"readonly", "true()"})
	}
	if it.Kind != survey.KindNote && it.Kind != survey.KindCalculate {
		attrs = append(attrs, attr{"required", w.required(it, at)}, attr{"jr:requiredMsg", w.ifSaid(textID(at, "jr:requiredMsg"))})
	}
	attrs = append(attrs, attr{"relevant", relevant})
	if it.Kind != survey.KindCalculate {
		attrs = append(attrs, attr{"constraint", w.constraint(it, at)}, attr{"jr:constraintMsg", w.ifSaid(textID(at, "jr:constraintMsg"))})
	}
	if !it.Metadata() && it.Trigger == "" && (it.Type != "hidden" || it.Calculation != "''") {
		attrs = append(attrs, attr{"calculate", w.xpath(it.Calculation, at, nil)})
	}
	attrs = append(attrs, attr{"odk:quality", parameter(it.Parameters, "quality")})
	if it.Kind == survey.KindImage && it.Type == "" {
		attrs = append(attrs, attr{"orx:max-pixels", firstOf(parameter(it.Parameters, "max-pixels"), defaultMaxPixels)})
	}
	bind(at.String(), attrs...)
	if it.Evidence != "" {
		note := w.places[survey.NoteName(it.Name)]
		bind(note.String(), attr{"type", "string"}, attr{"required", w.xpath(it.Evidence, note, at)},
			attr{"jr:requiredMsg", w.ifSaid(textID(note, "jr:requiredMsg"))}, attr{"relevant", both(w.xpath(it.Applies, note, nil), w.xpath(it.Relevant, note, nil))})
	}
}

// required says when an item must not be blank: as the author says, and a
// scored item always unless the author says otherwise.
func (w *writer) required(it *survey.Item, at *place) string {
	if it.Required == "" && it.Points != nil && !it.Bonus {
		return "true()"
	}
	return w.xpath(it.Required, at, nil)
}

// constraint is the item's own and that of the rules that are checked beside it.
func (w *writer) constraint(it *survey.Item, at *place) string {
	out := w.xpath(it.Constraint, at, nil)
	for i := range w.template.Checks {
		if c := &w.template.Checks[i]; w.checkedBeside(c) == it {
			out = both(out, w.xpath(c.Test, at, nil))
		}
	}
	return out
}

// parameter reads one "name=value" of the parameters column.
func parameter(parameters, name string) string {
	for _, word := range strings.FieldsFunc(parameters, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' }) {
		if k, v, ok := strings.Cut(word, "="); ok && strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

func firstOf(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
