package openrosa

import (
	"path"
	"slices"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/expr"
)

// tableList is the appearance of a group whose items are the rows of a table
// with their choices as columns. Clients know it as a field-list whose first
// row shows the choices' labels alone.
const tableList = "table-list"

// noNode reports whether an item has no node among the answers: the log, which
// is part of what is known of the form, and files for formulas.
func noNode(it *survey.Item) bool {
	return it.Type == "audit" || strings.HasSuffix(it.Type, "-external")
}

// bindType gives the data type of an item.
func bindType(it *survey.Item) string {
	switch it.Type {
	case "geotrace", "geoshape", "barcode":
		return it.Type
	case "rank":
		return "odk:rank"
	case "background-audio":
		return "binary"
	case "start", "end":
		return "dateTime"
	case "today":
		return "date"
	case "start-geopoint", "background-geopoint":
		return "geopoint"
	}
	if strings.HasPrefix(it.Type, "osm") {
		return "binary"
	}
	return bindTypes[it.Kind]
}

// preload says which value a client fills in by itself.
func preload(it *survey.Item) []attr {
	if !it.Metadata() {
		return nil
	}
	switch it.Type {
	case "start", "end":
		return []attr{{"jr:preload", "timestamp"}, {"jr:preloadParams", it.Type}}
	case "today":
		return []attr{{"jr:preload", "date"}, {"jr:preloadParams", "today"}}
	case "imei":
		return []attr{{"jr:preload", "property"}, {"jr:preloadParams", "deviceid"}}
	case "deviceid", "username", "email", "phonenumber", "simserial", "subscriberid":
		return []attr{{"jr:preload", "property"}, {"jr:preloadParams", it.Type}}
	}
	return nil
}

// audit says what the client's log is to hold: what the author says, or what
// changed.
func (w *writer) audit() []attr {
	out := []attr{{"odk:track-changes", "true"}}
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		if it.Type == "audit" && it.Parameters != "" {
			out = nil
			for _, name := range []string{"track-changes", "track-changes-reasons", "identify-user", "location-priority", "location-min-interval", "location-max-age"} {
				out = append(out, attr{"odk:" + name, parameter(it.Parameters, name)})
			}
		}
		return true
	})
	return out
}

// actions writes what a client does by itself when a form is begun.
func (w *writer) actions() {
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		switch it.Type {
		case "start-geopoint":
			w.empty("odk:setgeopoint", attr{"ref", w.places[it.Name].String()}, attr{"event", "odk-instance-first-load"})
			w.line()
		case "background-audio":
			w.empty("odk:recordaudio", attr{"ref", w.places[it.Name].String()}, attr{"event", "odk-instance-load"})
			w.line()
		}
		return true
	})
}

// findFiles lists the files beside the form that lists and formulas come from,
// and finds out whether the last filled-in form is looked into.
func (w *writer) findFiles() {
	add := func(file string) {
		if !slices.Contains(w.files, file) {
			w.files = append(w.files, file)
		}
	}
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		switch {
		case it.Type == "csv-external":
			add(it.Name + ".csv")
		case it.Type == "xml-external":
			add(it.Name + ".xml")
		case fileOf(it) != "":
			add(fileOf(it))
		}
		for _, source := range []string{it.Calculation, it.Relevant, it.Constraint, it.Default, it.Required, it.ChoiceFilter} {
			e, err := expr.Parse(source)
			if err != nil {
				continue // reported where expressions are written
			}
			for _, call := range e.Calls() {
				if call.Name == "pulldata" && call.Literal != "" {
					add(strings.TrimSuffix(call.Literal, ".csv") + ".csv")
				}
			}
			for _, ref := range e.Refs() {
				w.lastSaved = w.lastSaved || ref.LastSaved
			}
		}
		return true
	})
}

// fileOf gives the file that an item chooses from, "" if it does not.
func fileOf(it *survey.Item) string {
	for _, typ := range []string{"select_one_from_file ", "select_multiple_from_file "} {
		if name, ok := strings.CutPrefix(it.Type, typ); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

func instanceID(file string) string { return strings.TrimSuffix(path.Base(file), path.Ext(file)) }

// fileAddress is where clients look for a file that goes with the form.
func fileAddress(file string) string {
	if strings.EqualFold(path.Ext(file), ".csv") {
		return "jr://file-csv/" + file
	}
	return "jr://file/" + file
}

// typed writes the question of an item whose type says more than its kind; it
// is false for other items.
func (w *writer) typed(it *survey.Item, at *place) bool {
	switch typ, _, _ := strings.Cut(it.Type, " "); typ {
	case "acknowledge":
		w.question("trigger", at, it.Appearance)
	case "rank":
		w.chooser("odk:rank", it, at, it.Appearance)
	case "select_one_from_file":
		w.chooser("select1", it, at, it.Appearance)
	case "select_multiple_from_file":
		w.chooser("select", it, at, it.Appearance)
	case "audio", "video":
		w.question("upload", at, it.Appearance, attr{"mediatype", typ + "/*"})
	case "file":
		w.question("upload", at, it.Appearance, attr{"mediatype", "application/*"})
	case "osm":
		w.question("upload", at, it.Appearance, attr{"mediatype", "osm/*"})
	case "range":
		p := func(name, def string) attr { return attr{name, firstOf(parameter(it.Parameters, name), def)} }
		w.question("range", at, it.Appearance, p("start", "1"), p("end", "10"), p("step", "1"))
	default:
		return false
	}
	return true
}

// chooser writes a question with choices.
func (w *writer) chooser(element string, it *survey.Item, at *place, appearance string) {
	w.open(element, attr{"ref", at.String()}, attr{"appearance", appearance})
	w.label(at, "label")
	w.label(at, "hint")
	w.itemset(it, at)
	w.triggered(at)
	w.close(element)
	w.line()
}

// itemset says where choices come from, and which of them are shown.
func (w *writer) itemset(it *survey.Item, at *place) {
	from, value, label := it.List, "name", "jr:itext(itextId)"
	if file := fileOf(it); file != "" {
		from, value, label = instanceID(file), "name", "label"
		if strings.EqualFold(path.Ext(file), ".geojson") {
			value, label = "id", "title"
		}
		value, label = firstOf(parameter(it.Parameters, "value"), value), firstOf(parameter(it.Parameters, "label"), label)
	}
	nodeset := "instance('" + from + "')/root/item"
	if it.ChoiceFilter != "" {
		// The dot in a predicate is the choice: the way starts at the question.
		nodeset += "[" + w.xpathIn(it.ChoiceFilter, at, "current()/") + "]"
	}
	if parameter(it.Parameters, "randomize") == "true" {
		if seed := parameter(it.Parameters, "seed"); seed != "" {
			nodeset += ", " + w.xpath(seed, at, nil)
		}
		nodeset = "randomize(" + nodeset + ")"
	}
	w.open("itemset", attr{"nodeset", nodeset})
	w.empty("value", attr{"ref", value})
	w.empty("label", attr{"ref", label})
	w.close("itemset")
}

// xpathIn is xpath with the ways that are relative beginning with base.
func (w *writer) xpathIn(source string, at *place, base string) string {
	e, err := expr.Parse(source)
	if err != nil {
		return w.xpath(source, at, nil) // keeps the error
	}
	return e.FormatWith(expr.Words{Call: w.call, Ref: func(name string) string {
		ref := w.refTo(name, at)
		if strings.HasPrefix(ref, "../") {
			ref = base + ref
		}
		return ref
	}})
}

// triggered writes what is worked out anew when the value at a place changes.
func (w *writer) triggered(at *place) {
	w.template.Walk(func(it *survey.Item, _ []*survey.Item) bool {
		if at.item != nil && it.Trigger != "" && it.Calculation != "" && strings.Contains(it.Trigger, "${"+at.name+"}") {
			to := w.places[it.Name]
			w.empty("setvalue", attr{"ref", to.String()}, attr{"event", "xforms-value-changed"}, attr{"value", w.xpath(it.Calculation, to, nil)})
		}
		return true
	})
}
