package service

import (
	"cmp"
	"context"
	"fmt"

	"github.com/khaosat/khaosat/app/sheets"
	"github.com/khaosat/khaosat/survey"
)

// ImportedAssignment says what becomes of one row.
type ImportedAssignment struct {
	sheets.AssignmentRow
	Outcome  Outcome // added, same or wrong
	Problems survey.Problems
}

// AssignmentImport is the report of an import, a line for each row.
type AssignmentImport struct {
	Rows   []ImportedAssignment
	Counts map[string]int // by outcome
	// Stored says that it was done, not only tried.
	Stored bool
}

// ImportAssignments assigns what a list says. A visit that the same observer has
// already stays as it is, so that the same list imported again changes nothing;
// one that another has is a mistake: it is handed over singly, with a reason.
// Nothing is written in a dry run, or as long as one row has a mistake: then the
// error is Invalid, and the report says where.
func (s *Service) ImportAssignments(ctx context.Context, c Caller, code survey.RoundCode, rows []sheets.AssignmentRow, problems survey.Problems, dryRun bool) (*AssignmentImport, error) {
	if _, err := c.may(survey.OpAssign); err != nil {
		return nil, err
	}
	round, err := s.round(ctx, code)
	if err != nil {
		return nil, err
	}
	check, err := s.newAssignmentCheck(ctx, c)
	if err != nil {
		return nil, err
	}
	report := &AssignmentImport{Counts: map[string]int{}}
	seen, byVisit := map[survey.VisitKey]int{}, map[survey.VisitKey]survey.PersonID{}
	names := map[string]survey.PersonID{}
	var added []*survey.Assignment
	for _, row := range rows {
		line := ImportedAssignment{AssignmentRow: row, Outcome: OutcomeWrong}
		for _, p := range problems {
			if p.Place.Row == row.Row && p.Place.Sheet == row.Sheet {
				line.Problems = append(line.Problems, p)
			}
		}
		wrong := func(code string, args survey.Args) {
			line.Problems = append(line.Problems, survey.Problem{Severity: survey.SeverityError, Code: code, Args: args, Place: survey.Place{Sheet: row.Sheet, Row: row.Row}})
		}
		if !line.Problems.HasErrors() {
			a := &survey.Assignment{ID: survey.AssignmentID(survey.NewID()), Due: row.Due, VisitKey: survey.VisitKey{Round: code,
				Template: cmp.Or(row.Template, round.Templates[0].Code), Unit: row.Unit, Role: row.Role, Period: row.Period}}
			if a.Observer, err = s.idByName(ctx, names, row.Observer); err != nil {
				return nil, err
			}
			if line.Outcome, err = s.importAssignment(ctx, check, a, wrong); err != nil {
				return nil, err
			}
			if first, twice := seen[a.VisitKey]; twice {
				wrong("assignment.twice", survey.Args{"row": fmt.Sprint(first)})
			}
			twin := a.VisitKey
			if twin.Role = twinRole(a.Role); twin.Role != "" && byVisit[twin] == a.Observer && a.Observer != "" {
				wrong("assignment.same_observer", survey.Args{"person": row.Observer, "unit": string(a.Unit)})
			}
			seen[a.VisitKey], byVisit[a.VisitKey] = row.Row, a.Observer
			if line.Problems.HasErrors() {
				line.Outcome = OutcomeWrong
			}
			if line.Outcome == OutcomeAdded {
				added = append(added, a)
			}
		}
		report.Counts[string(line.Outcome)]++
		report.Rows = append(report.Rows, line)
	}
	if dryRun {
		return report, nil
	}
	if report.Counts[string(OutcomeWrong)] > 0 {
		return report, &survey.Error{Kind: survey.Invalid, Code: "assignments.invalid"}
	}
	if err := s.createAssignments(ctx, c, "assignment.made", added); err != nil {
		return report, asConflict(err)
	}
	report.Stored = true
	return report, nil
}

// idByName finds an account's id, asking the store once; the name itself where
// there is none.
func (s *Service) idByName(ctx context.Context, known map[string]survey.PersonID, name string) (survey.PersonID, error) {
	if id, ok := known[name]; ok {
		return id, nil
	}
	p, err := s.PersonByName(ctx, name)
	switch {
	case isNotFound(err):
		known[name] = survey.PersonID(name)
	case err != nil:
		return "", err
	default:
		known[name] = p.ID
	}
	return known[name], nil
}

func (s *Service) importAssignment(ctx context.Context, check *assignmentCheck, a *survey.Assignment, wrong func(string, survey.Args)) (Outcome, error) {
	code, args, err := check.one(ctx, a)
	if survey.KindOf(err) == survey.Forbidden {
		code, args, err = survey.CodeOf(err), argsOf(err), nil // a row outside of the caller's scope
	}
	if err != nil {
		return OutcomeWrong, err
	}
	if code != "" {
		wrong(code, args)
		return OutcomeWrong, nil
	}
	stored, err := s.store.AssignmentFor(ctx, a.VisitKey)
	switch {
	case isNotFound(err):
		return OutcomeAdded, nil
	case err != nil:
		return OutcomeWrong, err
	case stored.Observer == a.Observer && stored.Status.Open():
		return OutcomeSame, nil
	}
	wrong("visit.assigned", survey.Args{"unit": string(a.Unit), "assignment": string(stored.ID)})
	return OutcomeWrong, nil
}
