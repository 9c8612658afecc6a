package xlsform

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/khaosat/khaosat/survey"
)

// acknowledgeList is the list of an acknowledge item: the one choice OK.
const acknowledgeList = "acknowledge_ok"

// maxListed are the choices that are taken from a file.
const maxListed = 20_000

// completeLists adds the choices that types ask for without the author's
// writing them down.
func (r *reader) completeLists() {
	t := r.template
	every := func(word func(tag string) string) survey.Text {
		text := survey.Text{}
		for _, tag := range t.Languages {
			text[tag] = word(tag)
		}
		return text
	}
	for _, name := range r.others {
		list := t.List(name)
		if list == nil {
			continue // reported with the item
		}
		if _, there := list.Choice("other"); there == nil {
			list.Choices = append(list.Choices, survey.Choice{Name: "other", Label: every(otherWord)})
		}
	}
	if r.acknowledged && t.List(acknowledgeList) == nil {
		t.Lists = append(t.Lists, survey.ChoiceList{Name: acknowledgeList,
			Choices: []survey.Choice{{Name: "OK", Label: every(func(string) string { return "OK" })}}})
	}
	for _, list := range r.attached {
		if t.List(list.Name) == nil {
			t.Lists = append(t.Lists, list)
		}
	}
}

// otherWord and specifyOther are what or_other shows, in the languages that the
// program speaks; authors who want other words write the choice themselves.
func otherWord(tag string) string {
	if tag == "vi" {
		return "Khác"
	}
	return "Other"
}

func specifyOther(tag string) string {
	if tag == "vi" {
		return "Ghi rõ."
	}
	return "Specify other."
}

// fromFile gives an item the choices of its file, if the file is there. If not,
// the item is a text, and what ODK clients need is kept in its type.
func (s *surveyReader) fromFile(row sheetRow, t rowType, it *survey.Item) {
	at := s.g.place(row, "type", it.Name)
	file := path.Base(strings.ReplaceAll(t.file, `\`, "/"))
	content, attached := s.files[file]
	if !attached || !strings.EqualFold(path.Ext(file), ".csv") {
		it.Kind, it.List = survey.KindText, ""
		s.report(survey.SeverityWarning, "type.file_missing", at, t.file, nil)
		return
	}
	list := strings.TrimSuffix(file, path.Ext(file))
	it.List, it.Type = list, ""
	if slices.ContainsFunc(s.attached, func(l survey.ChoiceList) bool { return l.Name == list }) {
		return
	}
	value, label := "name", "label"
	for _, p := range strings.Fields(it.Parameters) {
		switch key, v, _ := strings.Cut(p, "="); key {
		case "value":
			value = v
		case "label":
			label = v
		}
	}
	choices, err := s.readCSV(content, value, label)
	if err != nil {
		s.fault("file.csv", at, file, survey.Args{"why": err.Error(), "value": file, "name": value, "label": label})
	}
	s.attached = append(s.attached, survey.ChoiceList{Name: list, Choices: choices})
}

// readCSV reads the choices of a CSV file with a header row; value and label
// name the columns.
func (r *reader) readCSV(content []byte, value, label string) ([]survey.Choice, error) {
	if !utf8.Valid(content) {
		return nil, errors.New("not UTF-8")
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xEF\xBB\xBF"))))
	in.FieldsPerRecord = -1
	header, err := in.Read()
	if err != nil {
		return nil, errors.New("no header row")
	}
	if len(header) == 1 && strings.Contains(header[0], ";") { // as Excel saves it in much of Europe and in Viet Nam
		in = csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xEF\xBB\xBF"))))
		in.FieldsPerRecord, in.Comma = -1, ';'
		header, _ = in.Read()
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	at := slices.Index(header, value)
	if at < 0 {
		return nil, errors.New("no column " + value)
	}
	var out []survey.Choice
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if at >= len(record) || record[at] == "" {
			continue
		}
		if len(out) == maxListed {
			return out, errors.New("more than " + strconv.Itoa(maxListed) + " rows")
		}
		ch := survey.Choice{Name: identifier(record[at]), Label: survey.Text{}}
		for i, cell := range record[:min(len(record), len(header))] {
			if cell = tidy(cell); cell == "" || i == at {
				continue
			}
			name, lang := splitHeader(choicesSheet, header[i])
			switch {
			case header[i] == label || name == label && lang != "":
				tag := r.languages.def
				if lang != "" {
					tag = r.languages.tagOf(lang)
				}
				ch.Label[tag] = cell
			case columnName.MatchString(header[i]):
				if ch.Columns == nil {
					ch.Columns = map[string]string{}
				}
				ch.Columns[header[i]] = cell
			}
		}
		if len(ch.Label) == 0 {
			ch.Label[cmp.Or(r.languages.def, unnamed)] = ch.Name
		}
		out = append(out, ch)
	}
}

// reference is a ${name} in an expression.
var reference = regexp.MustCompile(`\$\{\s*([^}\s]+)\s*\}`)

// renameDoubles gives items in different groups that have the same name, which
// XLSForm allows, names of their own, as long as nothing refers to them.
func (r *reader) renameDoubles() {
	t := r.template
	taken, parents := map[string]bool{}, map[string][]string{}
	referred, questions := map[string]bool{}, map[string]bool{}
	t.Walk(func(it *survey.Item, above []*survey.Item) bool {
		taken[it.Name] = true
		questions[it.Name] = questions[it.Name] || it.Kind != survey.KindGroup
		if it.Evidence != "" {
			taken[survey.NoteName(it.Name)] = true
		}
		for _, e := range []string{it.Relevant, it.Required, it.Constraint, it.Calculation, it.Default, it.RepeatCount, it.ChoiceFilter, it.Trigger} {
			for _, m := range reference.FindAllStringSubmatch(e, -1) {
				referred[m[1]] = true
			}
		}
		return true
	})
	seen := map[string]bool{}
	t.Walk(func(it *survey.Item, above []*survey.Item) bool {
		parent := "/"
		if len(above) > 0 {
			parent = above[len(above)-1].Name
		}
		was := it.Name
		// Answers go by the names of questions, so of a group and a question the
		// group gives way.
		group := it.Kind == survey.KindGroup && questions[was]
		if was != "" && (group || seen[was] && !referred[was]) && !slices.Contains(parents[was], parent) {
			for n := 2; ; n++ {
				if name := was + "_" + strconv.Itoa(n); !taken[name] {
					it.Name, taken[name] = name, true
					break
				}
			}
			g := r.grids[surveySheet]
			r.report(survey.SeverityWarning, "item.renamed", g.place(sheetRow{number: it.Row}, "name", was), was, survey.Args{"name": it.Name})
		}
		seen[was] = seen[was] || it.Name == was
		parents[was] = append(parents[was], parent)
		return true
	})
}
