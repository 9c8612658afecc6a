package web

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// responsesShown is how many responses a page lists.
const responsesShown = 50

type reviewList struct {
	Responses []*survey.Response
	Names     map[survey.PersonID]string
	Rounds    []*survey.Round
	Filter    service.ReviewFilter
	// Observer is the sign-in name that the filter was given.
	Observer string
	States   []survey.ReviewState
	Roles    []survey.Role
	Next     template.URL // the query of the next page, "" on the last
	Problem  string
}

// pageReviewList lists responses in the order of their last change.
func (s *Server) pageReviewList(q *request) error {
	rounds, err := s.svc.Rounds(q.ctx, q.caller)
	if err != nil {
		return err
	}
	field := func(name string) string { return strings.TrimSpace(q.Query(name)) }
	data := reviewList{Rounds: rounds, States: survey.ReviewStates, Roles: survey.RatingRoles, Observer: field("observer")}
	data.Filter.ResponseFilter = survey.ResponseFilter{Round: survey.RoundCode(field("round")), Template: survey.TemplateCode(field("template")),
		Unit: survey.UnitCode(field("unit")), Under: survey.UnitCode(field("under")), Role: survey.Role(field("role")), State: survey.ReviewState(field("state"))}
	data.Filter.Incomplete, data.Filter.Disagreeing = field("needs") == "files", field("needs") == "ruling"
	if data.Observer != "" {
		p, err := s.svc.PersonByName(q.ctx, data.Observer)
		if survey.KindOf(err) == survey.NotFound {
			data.Problem = message.OfError(q.caller.Language, err)
			return s.show(q.Ctx, 404, "review-list", q.page(q.say("review.title"), data))
		}
		if err != nil {
			return err
		}
		data.Filter.Observer = p.ID
	}
	found, err := s.svc.ReviewList(q.ctx, q.caller, data.Filter, survey.Cursor(q.Query("after")), responsesShown)
	if err != nil {
		return err
	}
	data.Responses = found.Responses
	if data.Names, err = s.svc.ReviewNames(q.ctx, q.caller, found.Responses); err != nil {
		return err
	}
	if found.More {
		query := url.Values{"after": {string(found.Next)}}
		for _, name := range []string{"round", "template", "unit", "under", "role", "state", "observer", "needs"} {
			if v := field(name); v != "" {
				query.Set(name, v)
			}
		}
		data.Next = template.URL("?" + query.Encode())
	}
	return s.show(q.Ctx, 200, "review-list", q.page(q.say("review.title"), data))
}

// reviewLine is an item of a response under review.
type reviewLine struct {
	Item, Path, Label string
	Heading           bool // a group, or a row of a repeat
	// State is a message for why there is no value, "" if there is one.
	State, Value string
	File         *service.File
	Missing      string // the name of a file that has not come
	Score        *scoring.ItemScore
	Comments     []survey.Comment
}

type reviewPage struct {
	mistakes
	*service.ReviewView
	Done     string
	Lines    []reviewLine
	About    []survey.Comment // about the form as a whole
	Reasons  []fieldError
	Faults   []fieldError // what speaks against a release
	Decides  bool         // it waits for a decision
	Reopens  bool         // it is approved, and the caller may open it again
	Held     *heldPage    // nil for one that is not held for review
	Scheme   *survey.Scheme
	FileBase string
	// Comment and Items are what was typed into a form that is shown again.
	Comment string
	Items   map[string]string
}

// Person gives somebody's name, a dash for the program itself.
func (p reviewPage) Person(id survey.PersonID) string {
	if name := p.Names[id]; name != "" {
		return name
	}
	return none
}

func (s *Server) pageReview(q *request) error {
	return s.review(q, 200, reviewPage{})
}

func (s *Server) review(q *request, status int, data reviewPage) error {
	id, err := survey.ParseResponseID(q.Params("response"))
	if err != nil {
		return err
	}
	if data.ReviewView, err = s.svc.ReviewView(q.ctx, q.caller, id); err != nil {
		return err
	}
	r := data.Response
	data.FileBase = apiPath + "/responses/" + string(id) + "/attachments/"
	data.Reasons = fieldErrors(q.caller.Language, r.Reasons, "")
	data.Decides = r.State == survey.StateSubmitted
	data.Reopens = r.State == survey.StateApproved && q.caller.Person.Role != survey.Reviewer
	if done := q.Query("done"); slices.Contains([]string{"approve", "return", "release", "reject", "adjudicate"}, done) {
		data.Done = q.say("review.done_" + done)
	}
	if r.State.Held() {
		if err := s.held(q, &data); err != nil {
			return err
		}
	}
	for _, c := range r.Comments {
		if c.Item == "" {
			data.About = append(data.About, c)
		}
	}
	if data.Result != nil {
		data.Scheme = data.Compiled.Template.Scheme
		b := &reviewBuilder{lang: q.caller.Language, view: data.ReviewView}
		b.add(data.Result.Filled().Lines())
		data.Lines = b.lines
	}
	title := r.Standing.Name
	if title == "" {
		title = q.say("review.title")
	}
	return s.show(q.Ctx, status, "review", q.page(title, data))
}

// reviewBuilder makes the lines of a page of a filled-in form.
type reviewBuilder struct {
	lang  string
	view  *service.ReviewView
	lines []reviewLine
}

func (b *reviewBuilder) add(lines []survey.Line) {
	form := b.view.Compiled.Form
	for i := range lines {
		l := &lines[i]
		kind := form.Kind(l.Slot)
		if !l.Cell.Applies || kind == survey.KindNote {
			continue
		}
		_, note := form.Item(l.Slot)
		if note && l.Cell.State == survey.NotAsked {
			continue
		}
		line := reviewLine{Item: form.Name(l.Slot), Path: l.Path, Label: l.Label(b.lang), Heading: kind.HasItems()}
		if note {
			line.Label = message.Say(b.lang, "form.evidence_of", survey.Args{"of": line.Label})
		}
		if l.Cell.State != survey.Answered && !kind.HasItems() || l.Cell.State == survey.NotAsked {
			line.State = "state." + l.Cell.State.String()
		}
		if l.Cell.State == survey.Answered || l.Cell.State == survey.NotApplicable {
			line.Value = b.value(l, kind)
		}
		if !form.InRepeat(l.Slot) && !note {
			line.Score = b.view.Result.ItemAt(l.Slot)
		}
		if kind == survey.KindImage && line.Value != "" {
			b.file(&line)
		}
		for _, c := range b.view.Response.Comments {
			if c.Item == line.Item {
				line.Comments = append(line.Comments, c)
			}
		}
		b.lines = append(b.lines, line)
		if l.Cell.State == survey.NotAsked {
			continue
		}
		b.add(l.Lines)
		for n, row := range l.Rows {
			b.lines = append(b.lines, reviewLine{Path: line.Path + "/" + strconv.Itoa(n), Label: line.Label + " " + strconv.Itoa(n+1), Heading: true})
			b.add(row)
		}
	}
}

// value writes an answer: the labels of choices, else what was entered.
func (b *reviewBuilder) value(l *survey.Line, kind survey.ItemKind) string {
	if kind.HasItems() {
		return ""
	}
	text := l.Cell.Value.Text()
	list := b.view.Compiled.Form.List(l.Slot)
	if list == nil || !kind.Chooses() {
		return text
	}
	names := []string{text}
	if kind == survey.KindSelectMultiple {
		names = strings.Fields(text)
	}
	for i, name := range names {
		if _, choice := list.Choice(name); choice != nil {
			names[i] = choice.Label.In(b.lang, b.view.Compiled.Template.Languages...)
		}
	}
	return strings.Join(names, "; ")
}

func (b *reviewBuilder) file(line *reviewLine) {
	for _, f := range b.view.Files.Items {
		if f.Name == line.Value && !f.Conflict {
			line.File = f
			return
		}
	}
	line.Missing = line.Value
}

// Points writes what an item earned of what was available.
func (p reviewPage) Points(s *scoring.ItemScore) string {
	return s.Earned.String() + " / " + s.Available.String()
}

// Address gives where a file is to be had.
func (p reviewPage) Address(f *service.File) string { return p.FileBase + url.PathEscape(f.Name) }

// Shown reports whether a file may be shown in the page.
func (p reviewPage) Shown(f *service.File) bool { return survey.ShownInline(f.Type) }

// ApartText writes by how many points two ratings differ.
func (p reviewPage) ApartText(lang string) string {
	f, _ := p.Apart.Float64()
	return number(lang, f, 2)
}

// deciding reads what a form about a response sends: which one, the revision
// that was looked at (none is stale), and the fields.
func (q *request) deciding() (id survey.ResponseID, rev int64, form url.Values, err error) {
	if id, err = survey.ParseResponseID(q.Params("response")); err != nil {
		return id, 0, nil, err
	}
	form, err = q.formUpTo(1 << 20) // comments about every item
	rev, _ = strconv.ParseInt(form.Get("rev"), 10, 64)
	return id, rev, form, err
}

// pageDecide takes a decision. Whoever decided about what somebody else has
// changed since is shown the response as it stands now, with what was typed.
func (s *Server) pageDecide(q *request) error {
	id, rev, form, err := q.deciding()
	if err != nil {
		return err
	}
	v := service.Verdict{Decision: service.Decision(form.Get("decision")), Comment: form.Get("comment"), Items: map[string]string{}}
	for name := range form {
		if item, ok := strings.CutPrefix(name, "item/"); ok && strings.TrimSpace(form.Get(name)) != "" {
			v.Items[item] = form.Get(name)
		}
	}
	if v.Decision != service.Approve && v.Decision != service.Return {
		return &survey.Error{Kind: survey.Invalid, Code: "request.invalid"}
	}
	if _, err := s.svc.Review(q.ctx, q.caller, id, rev, v); err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.review(q, status, reviewPage{mistakes: m, Comment: v.Comment, Items: v.Items})
	}
	return q.Redirect("/review/"+string(id)+"?done="+string(v.Decision), fiber.StatusSeeOther)
}
