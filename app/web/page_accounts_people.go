package web

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// peopleShown is how many accounts a page lists.
const peopleShown = 200

type peoplePage struct {
	Done   string
	People []*survey.Person
	Filter service.PeopleFilter
	Found  int          // that pass the filter
	Next   template.URL // the query of the next page, "" on the last
	// Chosen says that all are ticked; ChooseAll is the query that does so.
	Chosen    bool
	ChooseAll template.URL
	Roles     []survey.AccountRole
}

func (s *Server) pagePeople(q *request) error {
	all, err := s.svc.People(q.ctx, q.caller)
	if err != nil {
		return err
	}
	data := peoplePage{Done: q.done(), Filter: service.PeopleFilter{Text: q.Query("q"), Role: survey.AccountRole(q.Query("role")), State: q.Query("state")}, Roles: survey.AccountRoles}
	data.Chosen = q.Query("chosen") == "all"
	after := q.Query("after")
	query := url.Values{"q": {data.Filter.Text}, "role": {string(data.Filter.Role)}, "state": {data.Filter.State}, "after": {after}, "chosen": {"all"}}
	data.ChooseAll = template.URL("?" + query.Encode())
	for _, p := range all {
		if !data.Filter.Matches(p) {
			continue
		}
		data.Found++
		if p.Name <= after {
			continue
		}
		if len(data.People) < peopleShown {
			data.People = append(data.People, p)
		} else if data.Next == "" {
			query.Del("chosen")
			query.Set("after", data.People[peopleShown-1].Name)
			data.Next = template.URL("?" + query.Encode())
		}
	}
	return s.show(q.Ctx, 200, "people", q.page(q.say("nav.people"), data))
}

type personPage struct {
	mistakes
	Done      string
	Person    *survey.Person
	New       bool
	Self      bool
	Roles     []survey.AccountRole
	Devices   []service.Device
	Superiors []service.UnitChoice
	// ScopeName and HomeName are the names of the units, "" for unknown ones.
	ScopeName, HomeName string
	// Password is a new one that is shown this once.
	Password    string
	MinPassword int
}

func (s *Server) pageNewPerson(q *request) error {
	return s.person(q, 200, personPage{New: true, Person: &survey.Person{Role: survey.Observer}})
}

func (s *Server) person(q *request, status int, data personPage) error {
	data.Roles, data.MinPassword = survey.AccountRoles, service.MinPassword
	title := q.say("accounts.new_person")
	if !data.New {
		title = data.Person.FullName
		if title == "" {
			title = data.Person.Name
		}
		data.Self = data.Person.ID == q.caller.Person.ID
		var err error
		if data.Devices, err = s.svc.Devices(q.ctx, q.caller, data.Person.Name, q.session); err != nil {
			return err
		}
	}
	var err error
	if data.Superiors, err = s.svc.Superiors(q.ctx, q.caller); err != nil {
		return err
	}
	tree, _, err := s.svc.Tree(q.ctx)
	if err != nil {
		return err
	}
	named := func(code survey.UnitCode) string {
		if standing, err := tree.Standing(code, 0); err == nil {
			return standing.Name
		}
		return ""
	}
	data.ScopeName, data.HomeName = named(data.Person.Scope), named(data.Person.Home)
	return s.show(q.Ctx, status, "people-person", q.page(title, data))
}

// personOf reads the fields that a new and a changed account have in common. A
// unit may be given by its name.
func (q *request) personOf(form url.Values) (p survey.Person, err error) {
	field := func(name string) string { return strings.Join(strings.Fields(form.Get(name)), " ") }
	p = survey.Person{FullName: field("full_name"), Role: survey.AccountRole(field("role")), Language: field("language")}
	if p.Scope, err = q.server.svc.UnitNamed(q.ctx, survey.UnitCode(field("scope"))); err != nil {
		return p, err
	}
	p.Home, err = q.server.svc.UnitNamed(q.ctx, survey.UnitCode(field("home")))
	return p, err
}

func (s *Server) pageAddPerson(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	p, err := q.personOf(form)
	if err != nil {
		return err
	}
	p.Name = strings.ToLower(strings.TrimSpace(form.Get("name")))
	if err := s.svc.AddPerson(q.ctx, q.caller, &p, form.Get("password")); err != nil {
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.person(q, status, personPage{mistakes: m, New: true, Person: &p})
	}
	return q.Redirect("/people/"+p.Name+"?done=added", fiber.StatusSeeOther)
}

func (s *Server) pagePerson(q *request) error {
	p, err := s.svc.ManagedPerson(q.ctx, q.caller, q.Params("name"))
	if err != nil {
		return err
	}
	return s.person(q, 200, personPage{Done: q.done(), Person: p})
}

func (s *Server) pageChangePerson(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	name := q.Params("name")
	wanted, err := q.personOf(form)
	if err != nil {
		return err
	}
	rev, _ := strconv.ParseInt(form.Get("rev"), 10, 64) // a form without one changes what is there
	err = s.svc.ChangePerson(q.ctx, q.caller, name, service.PersonChange{FullName: wanted.FullName, Role: wanted.Role, Scope: wanted.Scope,
		Home: wanted.Home, Language: wanted.Language, Rev: rev})
	if err == nil {
		return q.Redirect("/people/"+name+"?done=saved", fiber.StatusSeeOther)
	}
	m, status, err := q.mistaken(err)
	if err != nil {
		return err
	}
	p, err := s.svc.ManagedPerson(q.ctx, q.caller, name)
	if err != nil {
		return err
	}
	shown := *p
	shown.FullName, shown.Role, shown.Scope, shown.Home, shown.Language = wanted.FullName, wanted.Role, wanted.Scope, wanted.Home, wanted.Language
	return s.person(q, status, personPage{mistakes: m, Person: &shown})
}

func (s *Server) pageDisablePerson(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	name, disabled := q.Params("name"), form.Get("disabled") == "true"
	if err := s.svc.SetDisabled(q.ctx, q.caller, name, disabled); err != nil {
		return err
	}
	done := "enabled"
	if disabled {
		done = "disabled"
	}
	return q.Redirect("/people/"+name+"?done="+done, fiber.StatusSeeOther)
}

// pageResetPassword sets the password that was typed, or a random one, which is
// shown once: in the answer itself, which nothing keeps.
func (s *Server) pageResetPassword(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	q.unshared()
	name, password, shown := q.Params("name"), form.Get("password"), ""
	if password == "" {
		shown, err = s.svc.NewPassword(q.ctx, q.caller, name)
	} else {
		err = s.svc.ResetPassword(q.ctx, q.caller, name, password)
	}
	data, status := personPage{Password: shown}, 200
	if err != nil {
		var failed error
		if data.mistakes, status, failed = q.mistaken(err); failed != nil {
			return failed
		}
	} else if shown == "" {
		data.Done = q.say("accounts.done_password")
	}
	if data.Person, err = s.svc.ManagedPerson(q.ctx, q.caller, name); err != nil {
		return err
	}
	return s.person(q, status, data)
}

func (s *Server) pageSignOutDevice(q *request) error {
	if _, err := q.form(); err != nil {
		return err
	}
	name := q.Params("name")
	if err := s.svc.SignOutDevice(q.ctx, q.caller, name, q.Params("device")); err != nil {
		return err
	}
	return q.Redirect("/people/"+name+"?done=device", fiber.StatusSeeOther)
}
