package web

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// pairLine is a place of two filled-in forms side by side; a side that the place
// is no part of is nil.
type pairLine struct {
	Path, Label string
	Heading     bool
	A, B        *reviewLine
	Differs     bool
	// Field is for an answer of one's own, Choice which of the three was chosen.
	Field  *plainField
	Choice string
	// Whole says that it is a repeat, which is taken as a whole.
	Whole bool
}

// pairs puts two lists of lines side by side. They are of one form, so that what
// both have stands in the same order.
func pairs(a, b []reviewLine) []pairLine {
	index := func(lines []reviewLine) map[string]bool {
		out := map[string]bool{}
		for _, l := range lines {
			out[l.Path] = true
		}
		return out
	}
	inA, inB := index(a), index(b)
	var out []pairLine
	for i, j := 0, 0; i < len(a) || j < len(b); {
		var p pairLine
		switch {
		case i < len(a) && (j == len(b) || !inB[a[i].Path]):
			p.A = &a[i]
			i++
		case i == len(a) || !inA[b[j].Path]:
			p.B = &b[j]
			j++
		default:
			p.A, p.B = &a[i], &b[j]
			i, j = i+1, j+1
		}
		one := p.A
		if one == nil {
			one = p.B
		}
		p.Path, p.Label, p.Heading = one.Path, one.Label, one.Heading
		p.Differs = p.A == nil || p.B == nil || p.A.Value != p.B.Value || p.A.State != p.B.State
		out = append(out, p)
	}
	return out
}

// Points writes the points of one side, "" if the item has none there.
func (l pairLine) Points(side *reviewLine) string {
	if side == nil || side.Score == nil || !side.Score.Applies {
		return ""
	}
	return side.Score.Earned.String() + " / " + side.Score.Available.String()
}

// revisionsPage compares two contents of a response.
type revisionsPage struct {
	*service.ReviewView
	Revisions []service.Revision
	A, B      service.Revision
	Lines     []pairLine
	All       bool // also what is the same in both
	Changed   int
}

// Person gives somebody's name.
func (p revisionsPage) Person(id survey.PersonID) string { return p.Names[id] }

// pageRevisions shows what changed between two revisions of a response, the last
// two unless others are asked for.
func (s *Server) pageRevisions(q *request) error {
	id, err := survey.ParseResponseID(q.Params("response"))
	if err != nil {
		return err
	}
	data := revisionsPage{All: q.Query("all") != ""}
	if data.ReviewView, data.Revisions, err = s.svc.Revisions(q.ctx, q.caller, id); err != nil {
		return err
	}
	n := len(data.Revisions)
	a, err := q.number("a", max(1, n-1), 1, n)
	if err != nil {
		return err
	}
	b, err := q.number("b", n, 1, n)
	if err != nil {
		return err
	}
	data.A, data.B = data.Revisions[a-1], data.Revisions[b-1]
	lines := func(v service.Revision) []reviewLine {
		view := *data.ReviewView
		view.Result = v.Result
		b := &reviewBuilder{lang: q.caller.Language, view: &view}
		b.add(v.Result.Filled().Lines())
		return b.lines
	}
	for _, p := range pairs(lines(data.A), lines(data.B)) {
		if p.Differs {
			data.Changed++
		}
		if p.Differs || data.All {
			data.Lines = append(data.Lines, p)
		}
	}
	return s.show(q.Ctx, 200, "review-revisions", q.page(q.say("review.compare"), data))
}

// disputePage lets somebody decide between two ratings.
type disputePage struct {
	*service.Dispute
	ID       survey.ResponseID // of the rating by which it was opened
	NewID    string            // of the ruling
	Lines    []pairLine        // those that differ, or that need an answer
	Same     []pairLine
	Reason   string
	Problems []plainProblem
	Refused  string
}

// Own reports whether an answer of one's own was chosen at a place.
func (p *disputePage) Own(path string) bool {
	for _, l := range p.Lines {
		if l.Path == path {
			return l.Choice == "own"
		}
	}
	return false
}

// Person gives somebody's name.
func (p disputePage) Person(id survey.PersonID) string { return p.Names[id] }

// ApartText writes by how many points the two differ.
func (p disputePage) ApartText(lang string) string {
	f, _ := p.Apart.Float64()
	return number(lang, f, 2)
}

func (s *Server) pageAdjudicate(q *request) error {
	id, err := survey.ParseResponseID(q.Params("response"))
	if err != nil {
		return err
	}
	d, err := s.svc.Dispute(q.ctx, q.caller, id)
	if err != nil {
		return err
	}
	return s.dispute(q, 200, &disputePage{Dispute: d, ID: id, NewID: survey.NewID()}, d.Ratings[0].Answers, nil, nil)
}

// dispute draws the page: what both say, the choices made, and fields with the
// answers as they would be.
func (s *Server) dispute(q *request, status int, p *disputePage, merged survey.Answers, choices map[string]string, problems survey.Problems) error {
	lang := q.caller.Language
	side := func(i int) []reviewLine {
		b := &reviewBuilder{lang: lang, view: &service.ReviewView{Response: &survey.Response{}, Compiled: p.Compiled, Result: p.Results[i], Files: &service.AttachmentList{}}}
		b.add(p.Results[i].Filled().Lines())
		return b.lines
	}
	filled := s.svc.FillDispute(p.Dispute, merged)
	b := &plainBuilder{lang: lang, zone: p.Round.Location(), form: p.Compiled.Form, problems: map[string][]string{}}
	labels := map[string]string{}
	collectLabels(filled.Lines(), lang, labels)
	form := &plainForm{}
	for _, problem := range problems {
		form.problem(b, lang, labels, problem)
	}
	p.Problems = form.Problems
	fields := map[string]plainField{}
	var order []string
	var collect func([]plainField)
	collect = func(list []plainField) {
		for _, f := range list {
			if f.Kind == survey.KindGroup {
				collect(f.Fields)
				continue
			}
			fields[f.Name] = f
			order = append(order, f.Name)
		}
	}
	collect(b.fields(filled.Lines()))
	differs, known := map[string]bool{}, map[string]bool{}
	all := pairs(side(0), side(1))
	for _, l := range all {
		top, _, _ := strings.Cut(l.Path, "/")
		differs[top] = differs[top] || l.Differs
		known[top] = true
	}
	for _, l := range all {
		slot, there := p.Compiled.Form.Slot(l.Path)
		top, _, inner := strings.Cut(l.Path, "/")
		switch {
		case there && p.Compiled.Form.Kind(slot) == survey.KindCalculate:
			continue // it follows from the others
		case !l.Heading && !inner && differs[top]:
			if f, ok := fields[l.Path]; ok && f.Kind != survey.KindImage {
				l.Field = &f
			}
			l.Choice = choices[l.Path]
			p.Lines = append(p.Lines, l)
		case there && p.Compiled.Form.Kind(slot) == survey.KindRepeat && differs[top]:
			l.Whole, l.Heading, l.Choice = true, false, choices[l.Path]
			p.Lines = append(p.Lines, l)
		case inner && differs[top]:
			p.Lines = append(p.Lines, l)
		default:
			p.Same = append(p.Same, l)
		}
	}
	for _, name := range order { // asked by this mixture of answers alone
		if f := fields[name]; !known[name] && f.Kind != survey.KindNote && f.Kind != survey.KindImage && f.Kind != survey.KindRepeat && len(f.Kept) == 0 {
			p.Lines = append(p.Lines, pairLine{Path: name, Label: f.Label, Field: &f, Choice: "own", Differs: true})
		}
	}
	return s.show(q.Ctx, status, "review-adjudicate", q.page(q.say("review.adjudicate"), p))
}

// Chooses reports whether a line offers a choice: it is an answer of the form's
// own level, or a whole repeat.
func (l pairLine) Chooses() bool { return l.Whole || !l.Heading && !strings.Contains(l.Path, "/") }

// pageDoAdjudicate stores the rating that decides.
func (s *Server) pageDoAdjudicate(q *request) error {
	id, _, fields, err := q.deciding()
	if err != nil {
		return err
	}
	// The same press again finds the dispute settled: the ruling is known by its id.
	d, err := s.svc.Dispute(q.ctx, q.caller, id)
	if survey.CodeOf(err) == "review.adjudicated_before" {
		if made, failed := s.svc.Response(q.ctx, q.caller, survey.ResponseID(fields.Get("id"))); failed == nil && made.Role == survey.RoleAdjudicator {
			return q.Redirect("/review/"+string(made.ID)+"?done=adjudicate", fiber.StatusSeeOther)
		}
	}
	if err != nil {
		return err
	}
	newID, err := survey.ParseResponseID(fields.Get("id"))
	if err != nil {
		return err
	}
	s.localTimes(&service.Visit{Compiled: d.Compiled, Round: d.Round}, fields)
	merged, choices := mergeRatings(d, fields)
	p := &disputePage{Dispute: d, ID: id, NewID: string(newID), Reason: fields.Get("reason")}
	raw, err := json.Marshal(map[string]any{"round": d.Round.Code, "template": d.Ratings[0].Template, "template_version": d.Ratings[0].TemplateVersion,
		"unit": d.Ratings[0].Unit, "role": survey.RoleAdjudicator, "lead": d.Ratings[0].ID, "second": d.Ratings[1].ID, "choices": choices, "answers": merged})
	if err != nil {
		return err
	}
	if n := undecided(d, choices); n > 0 {
		p.Refused = message.Say(q.caller.Language, "review.undecided", survey.Args{"n": strconv.Itoa(n)})
		return s.dispute(q, 422, p, merged, choices, nil)
	}
	done, err := s.svc.Adjudicate(q.ctx, q.caller, id, &service.Ruling{ID: newID, Answers: merged, Raw: raw, Reason: p.Reason})
	if err != nil {
		m, status, failed := q.mistaken(err)
		if failed != nil {
			return failed
		}
		p.Refused = m.Problem
		var problems survey.Problems
		if survey.CodeOf(err) == "response.invalid" {
			for _, problem := range s.svc.FillDispute(d, merged).Validate() {
				if problem.Severity == survey.SeverityError {
					problems = append(problems, problem)
				}
			}
		} else if reason := m.Of["reason"]; reason != "" {
			p.Refused = reason
		}
		return s.dispute(q, status, p, merged, choices, problems)
	}
	return q.Redirect("/review/"+string(done.Response.ID)+"?done=adjudicate", fiber.StatusSeeOther)
}

// mergeRatings makes answers of those chosen: of the lead's where nothing was.
func mergeRatings(d *service.Dispute, fields url.Values) (survey.Answers, map[string]string) {
	own := d.Compiled.Form.ReadFields(fields, func(string) int { return 0 })
	choices := map[string]string{}
	merged := survey.Answers{}
	for slot := range d.Compiled.Form.Len() {
		name := d.Compiled.Form.Name(slot)
		kind := d.Compiled.Form.Kind(slot)
		if d.Compiled.Form.InRepeat(slot) || kind == survey.KindGroup || kind == survey.KindNote || kind == survey.KindCalculate {
			continue
		}
		from := d.Ratings[0].Answers
		switch choice := fields.Get("choose:" + name); choice {
		case "a", "b", "own":
			choices[name] = choice
			if choice == "b" {
				from = d.Ratings[1].Answers
			} else if choice == "own" {
				from = own
			}
		}
		if v, there := from.Get(name); there {
			merged = merged.Set(name, v)
		}
	}
	return merged, choices
}

// undecided counts the places at which the two differ and nothing was chosen.
func undecided(d *service.Dispute, choices map[string]string) (n int) {
	for slot := range d.Compiled.Form.Len() {
		name := d.Compiled.Form.Name(slot)
		kind := d.Compiled.Form.Kind(slot)
		if d.Compiled.Form.InRepeat(slot) || kind == survey.KindGroup || kind == survey.KindNote || kind == survey.KindCalculate || choices[name] != "" {
			continue
		}
		a, inA := d.Ratings[0].Answers.Get(name)
		b, inB := d.Ratings[1].Answers.Get(name)
		left, err1 := json.Marshal(a)
		right, err2 := json.Marshal(b)
		blank := (!inA || a.IsBlank()) && (!inB || b.IsBlank())
		if !blank && (inA != inB || err1 != nil || err2 != nil || string(left) != string(right)) {
			n++
		}
	}
	return n
}
