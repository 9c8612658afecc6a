package openrosa

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// Reader reads filled-in forms of one template version. It is immutable and
// safe for concurrent use.
type Reader struct{ l *layout }

// NewReader makes a reader for a template.
func NewReader(t *survey.Template) *Reader { return &Reader{newLayout(t)} }

// Submission is what a filled-in form says.
type Submission struct {
	// Visit is the chosen line of visits.csv (its "name"), "" if none was chosen.
	Visit string
	// StartedAt and EndedAt are the client's clock, Device its id; nil and "" if
	// it did not say.
	StartedAt, EndedAt *time.Time
	Device             string
	// Answers are as the JSON API would be sent them: calculations left out,
	// items that were not asked absent, blank ones null.
	Answers survey.Answers
	// Calculated are the results of calculations that the client worked out, of
	// the same shape.
	Calculated survey.Answers
	// Attachments are the files that answers name, in form order, each once.
	Attachments []string
	// Unknown are the paths of nodes that the template does not know, or that
	// stand twice, at most 20. Their values are in the raw bytes alone.
	Unknown []string
}

// Read reads a document that is an instance of the reader's template.
func (r *Reader) Read(d *Document) *Submission {
	s := &submissionReader{layout: r.l, out: &Submission{}, files: map[string]bool{}}
	root := d.root
	s.out.Visit = root.textOf(r.l.visit)
	s.out.StartedAt, s.out.EndedAt = moment(root.textOf(r.l.start)), moment(root.textOf(r.l.end))
	s.out.Device = root.textOf(r.l.device)
	own := map[string]bool{r.l.visit: true, r.l.start: true, r.l.end: true, r.l.device: true, r.l.score: true, "meta": true}
	for i := range r.l.template.Checks {
		own[r.l.checkName(i)] = true
	}
	s.out.Answers, s.out.Calculated, _ = s.level(root, r.l.template.Items, "/"+rootName, own)
	if d.Audit != "" && !s.files[d.Audit] {
		s.out.Attachments = append(s.out.Attachments, d.Audit)
	}
	return s.out
}

type submissionReader struct {
	*layout
	out   *Submission
	files map[string]bool
}

const maxUnknown = 20

func (s *submissionReader) unknown(path string) {
	if len(s.out.Unknown) < maxUnknown {
		s.out.Unknown = append(s.out.Unknown, path)
	}
}

// level reads the nodes inside a group or a repeat instance. Any says whether
// there was an answer among them.
func (s *submissionReader) level(e *element, items []survey.Item, path string, own map[string]bool) (answers, calculated survey.Answers, any bool) {
	byName := make(map[string][]*element, len(e.children))
	for _, c := range e.children {
		byName[c.name] = append(byName[c.name], c)
	}
	for i := range items {
		it := &items[i]
		if head := s.heads[it.Name]; head != "" {
			delete(byName, head)
		}
		own := byName[it.Name]
		delete(byName, it.Name)
		if it.Kind == survey.KindRepeat {
			if count := s.counts[it.Name]; count != "" {
				delete(byName, count)
			}
			rows, worked, some := s.rows(own, it, path+"/"+it.Name)
			if len(own) > 0 {
				answers = append(answers, survey.Answer{Item: it.Name, Value: survey.RowsValue(rows...)})
				calculated = append(calculated, survey.Answer{Item: it.Name, Value: survey.RowsValue(worked...)})
			}
			any = any || some
			continue
		}
		for i := range own {
			if i > 0 {
				s.unknown(path + "/" + it.Name)
			}
		}
		if len(own) > 0 {
			switch it.Kind {
			case survey.KindGroup:
				a, c, some := s.level(own[0], it.Items, path+"/"+it.Name, nil)
				answers, calculated, any = append(answers, a...), append(calculated, c...), any || some
			case survey.KindNote:
			case survey.KindCalculate:
				if it.Metadata() { // the client's own
					if v := s.value(survey.KindText, own[0].text); !v.IsBlank() {
						answers = append(answers, survey.Answer{Item: it.Name, Value: v})
					}
				} else if own[0].text != "" {
					calculated = append(calculated, survey.Answer{Item: it.Name, Value: survey.TextValue(own[0].text)})
				}
			default:
				v := s.value(it.Kind, own[0].text)
				answers = append(answers, survey.Answer{Item: it.Name, Value: v})
				any = any || !v.IsBlank()
			}
		}
		if it.Evidence == "" || it.Kind.HasItems() {
			continue
		}
		name := survey.NoteName(it.Name)
		if own := byName[name]; len(own) > 0 {
			v := s.value(survey.KindText, own[0].text)
			answers, any = append(answers, survey.Answer{Item: name, Value: v}), any || !v.IsBlank()
		}
		delete(byName, name)
	}
	for _, c := range e.children {
		if _, left := byName[c.name]; left && !own[c.name] {
			delete(byName, c.name)
			s.unknown(path + "/" + c.name)
		}
	}
	return answers, calculated, any
}

// rows reads the instances of a repeat. One in which nothing was answered is
// none: clients make the first by themselves. Where their number is worked out,
// all stay.
func (s *submissionReader) rows(own []*element, it *survey.Item, path string) (rows, worked []survey.Answers, any bool) {
	for _, e := range own {
		a, c, some := s.level(e, it.Items, path, nil)
		if !some && it.RepeatCount == "" {
			continue
		}
		rows, worked, any = append(rows, a), append(worked, c), any || some
	}
	return rows, worked, any
}

var number = regexp.MustCompile(`^[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?$`)

// value reads a node's text by its item's kind. What does not fit stays a text,
// which the rules of the form then tell of.
func (s *submissionReader) value(k survey.ItemKind, text string) survey.Value {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return survey.Value{}
	}
	switch k {
	case survey.KindInteger, survey.KindDecimal:
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil && number.MatchString(trimmed) {
			return survey.NumberValue(f)
		}
	case survey.KindSelectMultiple:
		return survey.ListValue(strings.Fields(trimmed)...)
	case survey.KindDate:
		if len(trimmed) > 10 && trimmed[10] == 'T' {
			return survey.TextValue(trimmed[:10])
		}
	case survey.KindTime:
		return survey.TextValue(wallClock(trimmed))
	case survey.KindDateTime:
		if t := moment(trimmed); t != nil {
			return survey.TextValue(t.Format(time.RFC3339Nano))
		}
	case survey.KindGeopoint:
		return survey.TextValue(strings.Join(strings.Fields(trimmed), " "))
	case survey.KindImage:
		if !s.files[trimmed] {
			s.files[trimmed] = true
			s.out.Attachments = append(s.out.Attachments, trimmed)
		}
	case survey.KindText:
		return survey.TextValue(text)
	}
	return survey.TextValue(trimmed)
}

// wallClock writes a time of day as our page does: by the clock on the wall,
// without offset and without a zero fraction.
func wallClock(s string) string {
	clock, _, _ := strings.Cut(s, "Z")
	if i := strings.IndexAny(clock, "+-"); i >= 0 {
		clock = clock[:i]
	}
	t, err := time.Parse("15:04:05.999999999", clock)
	if err != nil {
		return s
	}
	switch {
	case t.Nanosecond() != 0:
		return t.Format("15:04:05.000")
	case t.Second() != 0:
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// tolerance is how far a client's arithmetic may be from ours, by the size of
// the number.
const tolerance = 1e-9

// Differences tells where results that a client worked out differ from ours, of
// which ours are among the kept answers. Items whose calculation asks for the
// clock, or for chance, are left out.
func (r *Reader) Differences(calculated, kept survey.Answers) survey.Problems {
	var out survey.Problems
	r.compare(calculated, kept, "", &out)
	return out
}

var fleeting = regexp.MustCompile(`\b(?:now|today|once|uuid|random|property|version)\s*\(`)

func (r *Reader) compare(calculated, kept survey.Answers, pointer string, out *survey.Problems) {
	for _, c := range calculated {
		at := pointer + "/" + survey.EscapePointer(c.Item)
		ours, _ := kept.Get(c.Item)
		if c.Value.Kind == survey.ValueRows {
			for i, row := range c.Value.Rows {
				if i < len(ours.Rows) {
					r.compare(row, ours.Rows[i], at+"/"+strconv.Itoa(i), out)
				}
			}
			continue
		}
		if p := r.l.places[c.Item]; p == nil || fleeting.MatchString(p.item.Calculation) || same(c.Value.Text, ours) {
			continue
		}
		b, _ := ours.MarshalJSON()
		*out = append(*out, survey.Problem{Severity: survey.SeverityWarning, Code: "openrosa.calculation_differs", Value: c.Value.Text,
			Args: survey.Args{"ours": string(b)}, Place: survey.Place{Pointer: at, Item: c.Item}})
	}
}

func same(theirs string, ours survey.Value) bool {
	switch ours.Kind {
	case survey.ValueNumber:
		f, err := strconv.ParseFloat(strings.TrimSpace(theirs), 64)
		return err == nil && math.Abs(f-ours.Number) <= tolerance*math.Max(1, math.Abs(ours.Number))
	case survey.ValueBlank:
		return strings.TrimSpace(theirs) == "" || theirs == "NaN"
	}
	return strings.TrimSpace(theirs) == strings.TrimSpace(ours.Text)
}
