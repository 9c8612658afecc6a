package web

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sheets"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// maxPeople is the largest list of people in bytes, as a workbook and as the
// rows that go back and forth with the page.
const maxPeople = 4 << 20

type importPage struct {
	mistakes
	Report *service.PeopleImport
	Lines  []importLine
	// Rows are what was read, for the second step: nothing is kept in between.
	Rows string
	// Work is how many accounts the second step writes.
	Work int
	// Added are the names of those that are new, by sheets of cards.
	Added [][]string
}

// importLine is a row of the report.
type importLine struct {
	service.ImportedPerson
	Said []string
}

func (s *Server) pageImportPeople(q *request) error {
	return s.importPeople(q, 200, importPage{})
}

func (s *Server) importPeople(q *request, status int, data importPage) error {
	if r := data.Report; r != nil {
		data.Work = r.Counts[string(service.OutcomeAdded)] + r.Counts[string(service.OutcomeChanged)]
		var added []string
		// Those with mistakes first: they are what there is to do.
		for _, wrong := range []bool{true, false} {
			for _, row := range r.Rows {
				if (row.Outcome == service.OutcomeWrong) != wrong {
					continue
				}
				line := importLine{ImportedPerson: row}
				for _, p := range row.Problems {
					said := message.OfProblem(q.caller.Language, p)
					if p.Place.Column != "" {
						said = message.Say(q.caller.Language, "place.column", survey.Args{"value": p.Place.Column}) + ": " + said
					}
					line.Said = append(line.Said, said)
				}
				data.Lines = append(data.Lines, line)
				if r.Stored && row.Outcome == service.OutcomeAdded {
					added = append(added, row.Name)
				}
			}
		}
		data.Added = slices.Collect(slices.Chunk(added, mostInvitations))
	}
	return s.show(q.Ctx, status, "people-import", q.page(q.say("accounts.import_title"), data))
}

// pageCheckPeople reads a workbook and reports what importing it would do.
func (s *Server) pageCheckPeople(q *request) error {
	b, _, _, err := q.upload("file", maxPeople)
	var rows []sheets.PersonRow
	var problems survey.Problems
	if err == nil {
		rows, problems, err = sheets.ReadPeople(b)
	}
	if err != nil {
		m, status, err := q.mistaken(err)
		if err != nil || status == fiber.StatusRequestEntityTooLarge {
			return firstError(err, tooLarge(maxPeople))
		}
		return s.importPeople(q, status, importPage{mistakes: m})
	}
	report, err := s.svc.ImportPeople(q.ctx, q.caller, rows, problems, true)
	if err != nil {
		return err
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return s.importPeople(q, 200, importPage{Report: report, Rows: string(text)})
}

// pageStorePeople does what the report said.
func (s *Server) pageStorePeople(q *request) error {
	form, err := q.formUpTo(4 * maxPeople) // as a form, letters with diacritics take three times their bytes
	if err != nil {
		return err
	}
	var rows []sheets.PersonRow
	if err := json.Unmarshal([]byte(form.Get("rows")), &rows); err != nil {
		return &survey.Error{Kind: survey.Invalid, Code: "upload.form", Err: err}
	}
	report, err := s.svc.ImportPeople(q.ctx, q.caller, rows, nil, false)
	if err != nil {
		if report == nil {
			return err
		}
		m, status, err := q.mistaken(err)
		if err != nil {
			return err
		}
		return s.importPeople(q, status, importPage{mistakes: m, Report: report})
	}
	return s.importPeople(q, 200, importPage{Report: report})
}

func (s *Server) pagePeopleTemplate(q *request) error {
	b, err := sheets.PeopleTemplate(q.caller.Language)
	if err != nil {
		return err
	}
	name := map[string]string{"vi": "tai-khoan.xlsx"}[q.caller.Language]
	if name == "" {
		name = "people.xlsx"
	}
	q.Set(fiber.HeaderContentType, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	q.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return q.Send(b)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
