package service

import (
	"context"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// AuditQuery narrows the audit log down; empty fields do not narrow.
type AuditQuery struct {
	By     string // a sign-in name
	Kind   survey.ObjectKind
	ID     string
	Action string
	Round  survey.RoundCode
	Unit   survey.UnitCode
	// From and To are the first and last day, in the usual zone.
	From, To survey.Date
}

// AuditLine is an entry of the log with the words that people need.
type AuditLine struct {
	*survey.AuditEntry
	// ByName and ByFull are the sign-in and full name of who did it; empty for the
	// program itself and for whoever runs it on the machine.
	ByName, ByFull string
	// Object is what it is about, for people: a name.
	About string
	// Account is the sign-in name of the account it is about, "" if it is not.
	Account string
}

// AuditPage is a page of the log with the cursor behind it.
type AuditPage struct {
	Lines []AuditLine
	Next  survey.Cursor
	// More says that there is more, or may be: a page ends early when what the
	// caller may see is far between.
	More bool
}

// auditLooked is how many entries one page looks at.
const auditLooked = 20_000

// Audit reads the audit log, the newest first. Whoever has the whole tree as an
// administrator reads all of it; others what is about units, visits, responses
// and rounds in their scope, and administrators of a part also the accounts of
// that part.
func (s *Service) Audit(ctx context.Context, c Caller, q AuditQuery, before survey.Cursor, limit int) (*AuditPage, error) {
	if _, err := c.may(survey.OpReadAudit); err != nil {
		return nil, err
	}
	f := survey.AuditFilter{Kind: q.Kind, ID: q.ID, Action: q.Action, Round: q.Round, Unit: q.Unit}
	if q.By != "" {
		p, err := s.PersonByName(ctx, q.By)
		if err != nil {
			return nil, err
		}
		f.By = p.ID
	}
	zone := s.location(&survey.Round{Zone: survey.DefaultZone})
	if q.From != 0 {
		f.From = beginOf(q.From, zone)
	}
	if q.To != 0 {
		f.To = beginOf(q.To+1, zone)
	}
	people, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	sight, err := s.auditSight(ctx, c, people)
	if err != nil {
		return nil, err
	}
	page := &AuditPage{Next: before}
	looked := 0
	for e, err := range s.store.Events(ctx, f, before) {
		if err != nil {
			return nil, err
		}
		if len(page.Lines) == limit || looked == auditLooked {
			page.More = true
			break
		}
		looked++
		page.Next = e.Cursor()
		if sight.sees(e) {
			page.Lines = append(page.Lines, sight.line(e))
		}
	}
	return page, nil
}

func beginOf(d survey.Date, zone *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// auditSight is what a caller may see of the log.
type auditSight struct {
	caller Caller
	tree   *survey.Tree
	people map[survey.PersonID]*survey.Person
	rounds map[survey.RoundCode]*survey.Round
	covers map[survey.RoundCode]bool
}

func (s *Service) auditSight(ctx context.Context, c Caller, people map[survey.PersonID]*survey.Person) (*auditSight, error) {
	v := &auditSight{caller: c, people: people, rounds: map[survey.RoundCode]*survey.Round{}, covers: map[survey.RoundCode]bool{}}
	var err error
	if v.tree, _, err = s.Tree(ctx); err != nil {
		return nil, err
	}
	for r, err := range s.store.Rounds(ctx) {
		if err != nil {
			return nil, err
		}
		v.rounds[r.Code] = r
		v.covers[r.Code] = s.coversRound(ctx, c, r) == nil
	}
	return v, nil
}

// sees reports whether the caller may see an entry.
func (v *auditSight) sees(e *survey.AuditEntry) bool {
	admin := v.caller.Person.Role == survey.Admin
	if admin && v.caller.Person.Scope == "" {
		return true
	}
	switch e.Object.Kind {
	case survey.ObjectPerson, survey.ObjectToken:
		p := v.account(e)
		return admin && p != nil && v.caller.coversScope(v.tree, p.Scope)
	case survey.ObjectTemplate:
		return admin
	case survey.ObjectRound:
		return v.covers[e.Object.Round]
	}
	standing := v.standing(e.Object.Unit)
	if standing == nil {
		return v.caller.Person.Scope == "" // of no known unit
	}
	return v.caller.Person.Covers(standing)
}

func (v *auditSight) standing(code survey.UnitCode) *survey.Standing {
	standing, err := v.tree.Standing(code, 0)
	if err != nil {
		return nil
	}
	return standing
}

// account finds the account that an entry is about, nil if it is about none.
func (v *auditSight) account(e *survey.AuditEntry) *survey.Person {
	switch e.Object.Kind {
	case survey.ObjectPerson:
		return v.people[survey.PersonID(e.Object.ID)]
	case survey.ObjectToken:
		return v.people[e.Object.Person]
	}
	return nil
}

func (v *auditSight) line(e *survey.AuditEntry) AuditLine {
	l := AuditLine{AuditEntry: e, About: e.Object.ID}
	if p := v.people[e.By]; p != nil {
		l.ByName, l.ByFull = p.Name, nameOf(p)
	}
	switch e.Object.Kind {
	case survey.ObjectPerson, survey.ObjectToken:
		l.About = ""
		if p := v.account(e); p != nil {
			l.About, l.Account = nameOf(p), p.Name
		}
		if e.Object.Kind == survey.ObjectToken {
			e.Object.ID = "" // it is of no use to anybody, and tells of a secret
		}
	case survey.ObjectUnit, survey.ObjectAssignment, survey.ObjectResponse:
		l.About = string(e.Object.Unit)
		if u := v.standing(e.Object.Unit); u != nil {
			l.About = u.Name
		}
	}
	for k, value := range e.Detail { // the trail names people by their ids
		if p := v.people[survey.PersonID(value)]; p != nil {
			e.Detail[k] = nameOf(p)
		}
	}
	return l
}
