package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// readTemplate reads a template from a workbook or JSON file, or takes one of
// those that come with the program by its code.
func readTemplate(name string) (*survey.Template, survey.Problems, error) {
	if workbooks, err := fixtures.Workbooks(); err == nil {
		for _, w := range workbooks {
			if strings.EqualFold(string(w.Code), name) {
				return xlsform.Read(w.Bytes)
			}
		}
	}
	b, err := readFile(name)
	if err != nil {
		return nil, nil, err
	}
	if strings.EqualFold(filepath.Ext(name), ".json") {
		t := &survey.Template{}
		if err := decodeJSON(b, t); err != nil {
			return nil, nil, err
		}
		return t, nil, nil
	}
	attached, err := filesBeside(name)
	if err != nil {
		return nil, nil, err
	}
	return xlsform.ReadAttached(b, name, attached)
}

// mostBeside bounds a folder that was made for a form.
const mostBeside = 100

// filesBeside reads the CSV files in the folder of a workbook, from which it may
// take its lists.
func filesBeside(name string) (map[string][]byte, error) {
	found, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*.csv"))
	if err != nil || len(found) > mostBeside {
		return nil, nil
	}
	out := map[string][]byte{}
	for _, file := range found {
		if info, err := os.Stat(file); err != nil || info.Size() > xlsform.MaxFile {
			continue
		}
		if out[filepath.Base(file)], err = readFile(file); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readFile(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, &survey.Error{Kind: survey.Invalid, Code: "file.unreadable", Args: survey.Args{"file": name}, Err: err}
	}
	return b, nil
}

// decodeJSON reads JSON into v and says where it is not right.
func decodeJSON(b []byte, v any) error {
	err := json.Unmarshal(b, v)
	if err == nil || survey.KindOf(err) == survey.Invalid {
		return err
	}
	return survey.JSONError(b, err)
}

// compileTemplate reads and compiles a template; the problems of both are told.
func (t *terminal) compileTemplate(name string) (*survey.Form, survey.Problems, error) {
	tpl, problems, err := readTemplate(name)
	if err != nil {
		return nil, nil, err
	}
	lists, err := fixtures.TypeLists()
	if err != nil {
		return nil, nil, err
	}
	form, more := survey.Compile(tpl, lists)
	problems = append(problems, more...)
	return form, problems, problems.Err("template.invalid")
}

type scoreCommand struct {
	Template string `arg:"" help:"Code of a template that comes with the program, or a workbook (.xlsx) or JSON file."`
	Answers  string `arg:"" help:"JSON file with the answers: one object, item names and values." type:"existingfile"`
	Unit     string `help:"JSON file with the unit's facts: sector, structure, setting, tags." type:"existingfile"`
	Explain  bool   `help:"Show every item with its points and why."`
	JSON     bool   `name:"json" help:"Write JSON."`
}

// scoreJSON is what `score --json` writes.
type scoreJSON struct {
	Template       survey.TemplateCode `json:"template"`
	Total          *float64            `json:"total"`
	Band           *string             `json:"band"`
	BandBeforeCaps *string             `json:"band_before_caps"`
	Caps           []string            `json:"caps"`
	Available      survey.Points       `json:"available"`
	Earned         survey.Points       `json:"earned"`
	Max            survey.Points       `json:"max"`
	Graded         bool                `json:"graded"`
	NotGraded      scoring.Reason      `json:"not_graded,omitempty"`
	Sections       []sectionJSON       `json:"sections"`
	Items          []itemJSON          `json:"items,omitempty"`
	Missing        []string            `json:"missing,omitempty"`
	Problems       survey.Problems     `json:"problems,omitempty"`
}

type sectionJSON struct {
	Section   string        `json:"section"`
	Label     survey.Text   `json:"label,omitempty"`
	Earned    survey.Points `json:"earned"`
	Available survey.Points `json:"available"`
	Max       survey.Points `json:"max"`
}

type itemJSON struct {
	Item      string        `json:"item"`
	State     string        `json:"state"`
	Value     string        `json:"value,omitempty"`
	Earned    survey.Points `json:"earned"`
	Available survey.Points `json:"available"`
	Max       survey.Points `json:"max"`
}

// Run scores. Answers that do not fit the form are listed and end with status 1;
// rules of the form that are not met (a required fact left out, say) are told
// but do not stop the score.
func (c *scoreCommand) Run(t *terminal) error {
	form, _, err := t.compileTemplate(c.Template)
	if err != nil {
		return err
	}
	b, err := readFile(c.Answers)
	if err != nil {
		return err
	}
	var answers survey.Answers
	if err := decodeJSON(b, &answers); err != nil {
		return err
	}
	lists, err := fixtures.TypeLists()
	if err != nil {
		return err
	}
	var unit survey.UnitFacts
	if c.Unit != "" {
		if b, err = readFile(c.Unit); err == nil {
			err = decodeJSON(b, &unit)
		}
		if err != nil {
			return err
		}
	}
	if !form.AppliesTo(&unit, lists) {
		return &survey.Error{Kind: survey.Invalid, Code: "score.unit", Args: survey.Args{"template": string(form.Template.Code)}}
	}
	filled := form.Fill(answers, survey.Context{Unit: &unit, Lists: lists, Now: time.Now()})
	if err := filled.Problems().Err("answers.do_not_fit"); err != nil {
		return err
	}
	result := scoring.NewScorer(form).ScoreFilled(filled)
	problems := filled.Validate()
	if c.JSON {
		return writeJSON(t.out, c.json(result, problems))
	}
	c.print(t, result, problems)
	return nil
}

func (c *scoreCommand) json(r *scoring.Result, problems survey.Problems) scoreJSON {
	out := scoreJSON{Template: r.Form().Template.Code, Available: r.Available, Earned: r.Earned, Max: r.Max, Graded: r.Graded(),
		NotGraded: r.Reason, Caps: []string{}, Sections: []sectionJSON{}, Problems: problems}
	if r.Graded() {
		total := r.Total.Float()
		out.Total = &total
	}
	if r.Band >= 0 {
		band, first := r.BandCode(r.Band), r.BandCode(r.BandFirst)
		out.Band, out.BandBeforeCaps = &band, &first
	}
	for _, k := range r.FiredCaps() {
		out.Caps = append(out.Caps, k.Code)
	}
	for i, s := range r.Form().Sections() {
		if sec := r.Sections[i]; sec.Max > 0 {
			out.Sections = append(out.Sections, sectionJSON{s.Item.Name, s.Item.Label, sec.Earned, sec.Available, sec.Max})
		}
	}
	for _, it := range r.Missing() {
		out.Missing = append(out.Missing, it.Name)
	}
	if c.Explain {
		for _, l := range r.Lines() {
			out.Items = append(out.Items, itemJSON{l.Item.Name, l.State.String(), l.Value, l.Earned, l.Available, l.Max})
		}
	}
	return out
}

func (c *scoreCommand) print(t *terminal, r *scoring.Result, problems survey.Problems) {
	tpl := r.Form().Template
	say := func(id string, args survey.Args) string { return message.Say(t.lang, id, args) }
	fmt.Fprintf(t.out, "%s · %s\n", tpl.Code, tpl.Title.In(t.lang))
	if r.Graded() {
		fmt.Fprintln(t.out, say("score.total", survey.Args{"total": r.Shown(), "of": tpl.Scheme.Total.String(), "earned": r.Earned.String(), "available": r.Available.String()}))
	} else {
		fmt.Fprintln(t.out, say("score.not_graded", survey.Args{"why": say("reason."+string(r.Reason), nil)}))
		for _, it := range r.Missing() {
			fmt.Fprintf(t.out, "  %s  %s\n", it.Name, it.Label.In(t.lang))
		}
	}
	if r.Band >= 0 {
		bands := tpl.Scheme.Bands
		fmt.Fprintln(t.out, say("score.band", survey.Args{"band": bands[r.Band].Label.In(t.lang), "first": bands[r.BandFirst].Label.In(t.lang)}))
		for _, k := range r.FiredCaps() {
			fmt.Fprintf(t.out, "  %s  %s\n", k.Code, k.Label.In(t.lang))
		}
	}
	for i, s := range r.Form().Sections() {
		if sec := r.Sections[i]; sec.Max > 0 {
			fmt.Fprintf(t.out, "%-6s %6s / %-5s %s\n", s.Item.Name, sec.Earned, sec.Available, s.Item.Label.In(t.lang))
		}
	}
	if c.Explain {
		fmt.Fprintln(t.out)
		for _, l := range r.Lines() {
			fmt.Fprintf(t.out, "%-6s %6s / %-5s %s\n", l.Item.Name, l.Earned, l.Available, explainLine(t.lang, &l))
		}
	}
	if len(problems) > 0 {
		fmt.Fprintln(t.err, say("score.problems", nil))
		printProblems(t.err, t.lang, problems)
	}
}

// explainLine says in words what an item came to.
func explainLine(lang string, l *scoring.Line) string {
	var b bytes.Buffer
	b.WriteString(l.Item.Label.In(lang))
	switch {
	case l.State != survey.Answered:
		b.WriteString(" — " + message.Say(lang, "state."+l.State.String(), nil))
	case l.Option != nil:
		b.WriteString(" — " + l.Option.Label.In(lang))
	case l.Step != nil:
		fmt.Fprintf(&b, " — %s (%s)", l.Value, l.Step.When)
	case l.Value != "":
		b.WriteString(" — " + l.Value)
	}
	return b.String()
}

func writeJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
