package web

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// assignmentsShown is how many assignments a page lists.
const assignmentsShown = 100

type assignmentsPage struct {
	roundTabs
	mistakes
	Done    string
	Filter  service.VisitFilter
	Visits  []service.PlannedVisit
	Found   int
	From    int
	Next    template.URL
	Before  template.URL
	States  []string
	Roles   []survey.Role
	Periods []string
	// Given is what was typed into the form for one assignment.
	Given url.Values
	NewID string
}

func (s *Server) pageAssignments(q *request) error {
	return s.assignmentsPage(q, 200, assignmentsPage{Done: q.done(), Given: url.Values{}})
}

func (s *Server) assignmentsPage(q *request, status int, data assignmentsPage) error {
	var err error
	if data.roundTabs, err = s.roundTabs(q, "assignments"); err != nil {
		return err
	}
	f := service.VisitFilter{Text: q.Query("q"), Template: survey.TemplateCode(q.Query("template")), Role: survey.Role(q.Query("role")),
		Period: q.Query("period"), State: q.Query("state"), Under: survey.UnitCode(q.Query("under"))}
	if err := oneOf("state", append([]string{""}, service.VisitStates...), f.State); err != nil {
		return err
	}
	all, err := s.svc.PlannedVisits(q.ctx, q.caller, data.Round.Code, f)
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(q.Query("from")) // anything else begins at the beginning
	from = max(0, min(from, len(all)))
	data.Filter, data.Found, data.From = f, len(all), from
	data.Visits = all[from:min(len(all), from+assignmentsShown)]
	at := func(from int) template.URL {
		v := url.Values{"q": {f.Text}, "template": {string(f.Template)}, "role": {string(f.Role)}, "period": {f.Period}, "state": {f.State}, "under": {string(f.Under)}, "from": {strconv.Itoa(from)}}
		return template.URL("?" + v.Encode())
	}
	if from+assignmentsShown < len(all) {
		data.Next = at(from + assignmentsShown)
	}
	if from > 0 {
		data.Before = at(max(0, from-assignmentsShown))
	}
	data.States, data.Roles, data.Periods, data.NewID = service.VisitStates, survey.RatingRoles, data.Round.Months(), survey.NewID()
	return s.show(q.Ctx, status, "assignments", q.page(data.Round.Title.In(q.caller.Language), data))
}

// Last is the number of the last visit on the page.
func (p assignmentsPage) Last() int { return p.From + len(p.Visits) }

// First is the number of the first.
func (p assignmentsPage) First() int { return min(p.From+1, p.Found) }

// pageAssign assigns one visit by hand.
func (s *Server) pageAssign(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	a, err := s.assignmentOf(q, form)
	if err == nil {
		err = s.svc.Assign(q.ctx, q.caller, []*survey.Assignment{a})
	}
	if err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		if said := m.Of["0"]; said != "" {
			m.Problem = said
		}
		return s.assignmentsPage(q, status, assignmentsPage{mistakes: m, Given: form})
	}
	return q.Redirect("/rounds/"+string(a.Round)+"/assignments?done=assigned&q="+url.QueryEscape(string(a.Unit)), fiber.StatusSeeOther)
}

func (s *Server) assignmentOf(q *request, form url.Values) (*survey.Assignment, error) {
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	due, err := survey.ParseDate(field("due"))
	if err != nil {
		return nil, err
	}
	observer, err := s.personID(q, field("observer"))
	return &survey.Assignment{ID: survey.AssignmentID(field("id")), Observer: observer, Due: due,
		VisitKey: survey.VisitKey{Round: survey.RoundCode(q.Params("round")), Template: survey.TemplateCode(field("template")),
			Unit: survey.UnitCode(field("unit")), Role: survey.Role(field("role")), Period: field("period")}}, err
}

type assignmentPage struct {
	roundTabs
	mistakes
	Done         string
	Assignment   *survey.Assignment
	UnitName     string
	ObserverName string
	SignIn       string
	Actions      []service.AssignmentAction
	History      []historyLine
	NewID        string
	Given        url.Values
}

// historyLine is an event as people read it.
type historyLine struct {
	survey.Event
	Who    string
	What   string
	Detail []string
}

func (s *Server) pageAssignment(q *request) error {
	return s.assignmentPage(q, 200, assignmentPage{Done: q.done(), Given: url.Values{}})
}

func (s *Server) assignmentPage(q *request, status int, data assignmentPage) error {
	a, err := s.svc.Assignment(q.ctx, q.caller, survey.AssignmentID(q.Params("id")))
	if err != nil {
		return err
	}
	round, err := s.svc.Round(q.ctx, q.caller, a.Round)
	if err != nil {
		return err
	}
	data.Assignment, data.NewID = a, survey.NewID()
	data.roundTabs = roundTabs{round, "assignments", survey.May(q.caller.Person, survey.OpAssign) != survey.Nothing, s.svc.MayChangeRound(q.ctx, q.caller, round)}
	tree, _, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	data.UnitName = string(a.Unit)
	if unit, err := tree.Standing(a.Unit, round.Closes); err == nil {
		data.UnitName = unit.Name
	}
	names, err := s.svc.NamesOf(q.ctx, peopleOf(a)...)
	if err != nil {
		return err
	}
	data.ObserverName, data.SignIn = names[a.Observer].FullName, names[a.Observer].Name
	for _, action := range service.AssignmentActions {
		if a.Status.Open() != (action == service.Restore) {
			data.Actions = append(data.Actions, action)
		}
	}
	for i := len(a.Events) - 1; i >= 0; i-- {
		e := a.Events[i]
		line := historyLine{Event: e, Who: names[e.By].FullName, What: q.say(e.Action)}
		for name, id := range map[string]string{"observer": "rounds.detail_observer", "unit": "rounds.detail_unit", "due": "rounds.detail_due"} {
			if value := e.Detail[name]; value != "" && (e.Action != "assignment.made" || name == "observer") {
				for who, p := range names {
					value = strings.ReplaceAll(value, string(who), p.FullName)
				}
				line.Detail = append(line.Detail, message.Say(q.caller.Language, id, survey.Args{"value": value}))
			}
		}
		slices.Sort(line.Detail)
		data.History = append(data.History, line)
	}
	return s.show(q.Ctx, status, "assignment", q.page(data.UnitName, data))
}

// peopleOf are those that an assignment's history names.
func peopleOf(a *survey.Assignment) []survey.PersonID {
	out := []survey.PersonID{a.Observer}
	for _, e := range a.Events {
		out = append(out, e.By)
		for _, id := range strings.Split(e.Detail["observer"], " → ") {
			out = append(out, survey.PersonID(id))
		}
	}
	return out
}

func (s *Server) pageChangeAssignment(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	due, err := survey.ParseDate(field("due"))
	if err != nil {
		return err
	}
	change := service.AssignmentChange{Action: service.AssignmentAction(field("action")), Reason: field("reason"), Due: due,
		Unit: survey.UnitCode(field("unit")), NewID: survey.AssignmentID(field("new_id"))}
	change.Rev, _ = strconv.ParseInt(field("rev"), 10, 64) // a form without one changes what is there
	if name := field("observer"); name != "" {
		if change.Observer, err = s.personID(q, name); err != nil {
			return err
		}
	}
	a, err := s.svc.ChangeAssignment(q.ctx, q.caller, survey.AssignmentID(q.Params("id")), change)
	if err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.assignmentPage(q, status, assignmentPage{mistakes: m, Given: form})
	}
	return q.Redirect("/assignments/"+string(a.ID)+"?done=saved", fiber.StatusSeeOther)
}

type autoPage struct {
	roundTabs
	mistakes
	Observers []*survey.Person
	Given     url.Values
	Periods   []string
	Result    *service.AutoAssigned
	Stored    bool
	Loads     []loadLine
	Left      []leftLine
	LeftAll   int
	Least     int
	Highest   int
}

type loadLine struct {
	Name, SignIn string
	Count        int
}

type leftLine struct {
	survey.LeftVisit
	Name, Why string
}

// Chosen reports whether an observer is ticked: all are, as long as nothing was
// sent.
func (p autoPage) Chosen(name string) bool {
	if !p.Given.Has("template") {
		return true
	}
	for _, n := range p.Given["observer"] {
		if n == name {
			return true
		}
	}
	return false
}

// shownLeft is how many of the visits that nobody can take the page lists.
const shownLeft = 200

func (s *Server) pageAutoAssign(q *request) error {
	return s.autoPage(q, 200, autoPage{Given: url.Values{}})
}

func (s *Server) autoPage(q *request, status int, data autoPage) error {
	var err error
	if data.roundTabs, err = s.roundTabs(q, "assignments"); err != nil {
		return err
	}
	if data.Observers, err = s.svc.AssignableObservers(q.ctx, q.caller); err != nil {
		return err
	}
	data.Periods = data.Round.Months()
	if data.Result != nil {
		if err := s.autoReport(q, &data); err != nil {
			return err
		}
	}
	return s.show(q.Ctx, status, "assign-auto", q.page(data.Round.Title.In(q.caller.Language), data))
}

// autoReport puts a result into words.
func (s *Server) autoReport(q *request, data *autoPage) error {
	tree, _, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	for i, p := range data.Result.Observers {
		n := data.Result.Loads[i]
		data.Loads = append(data.Loads, loadLine{p.FullName, p.Name, n})
		if i == 0 {
			data.Least = n
		}
		data.Least, data.Highest = min(data.Least, n), max(data.Highest, n)
	}
	data.LeftAll = len(data.Result.Left)
	for _, l := range data.Result.Left[:min(shownLeft, data.LeftAll)] {
		line := leftLine{LeftVisit: l, Name: string(l.Unit), Why: q.say(l.Code)}
		if unit, err := tree.Standing(l.Unit, data.Round.Closes); err == nil {
			line.Name = unit.Name
		}
		data.Left = append(data.Left, line)
	}
	return nil
}

// maxAutoForm is the largest form in which observers are ticked, in bytes.
const maxAutoForm = 16 * maxForm

// pageDoAutoAssign shows what would be assigned, or assigns it.
func (s *Server) pageDoAutoAssign(q *request) error {
	form, err := q.formUpTo(maxAutoForm)
	if err != nil {
		return err
	}
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	in := service.AutoAssign{Round: survey.RoundCode(q.Params("round")), Template: survey.TemplateCode(field("template")), Period: field("period"),
		Under: survey.UnitCode(field("under")), Observers: form["observer"]}
	if in.Due, err = survey.ParseDate(field("due")); err != nil {
		return err
	}
	if most := field("most"); most != "" {
		if in.Most, err = strconv.Atoi(most); err != nil {
			in.Most = -1
		}
	}
	in.Seed, _ = strconv.ParseInt(field("seed"), 10, 64) // none leaves it to the round
	if len(in.Observers) == 0 {
		in.Observers = []string{""} // nobody is ticked: that is not everybody
	}
	result, err := s.svc.AssignAutomatically(q.ctx, q.caller, in, field("do") != "assign")
	data := autoPage{Given: form, Result: result, Stored: err == nil && field("do") == "assign"}
	if err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.autoPage(q, status, autoPage{mistakes: m, Given: form})
	}
	return s.autoPage(q, 200, data)
}
