package web

import (
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sheets"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

type assignImportPage struct {
	roundTabs
	mistakes
	Report *service.AssignmentImport
	Lines  []assignImportLine
	// Rows are what was read, for the second step: nothing is kept in between.
	Rows string
}

// assignImportLine is a row of the report.
type assignImportLine struct {
	service.ImportedAssignment
	Said []string
}

func (s *Server) pageImportAssignments(q *request) error {
	return s.importAssignments(q, 200, assignImportPage{})
}

func (s *Server) importAssignments(q *request, status int, data assignImportPage) error {
	var err error
	if data.roundTabs, err = s.roundTabs(q, "assignments"); err != nil {
		return err
	}
	if data.Report != nil {
		// Those with mistakes first: they are what there is to do.
		for _, wrong := range []bool{true, false} {
			for _, row := range data.Report.Rows {
				if (row.Outcome == service.OutcomeWrong) != wrong {
					continue
				}
				line := assignImportLine{ImportedAssignment: row}
				for _, p := range row.Problems {
					line.Said = append(line.Said, message.OfProblem(q.caller.Language, p))
				}
				data.Lines = append(data.Lines, line)
			}
		}
	}
	return s.show(q.Ctx, status, "assign-import", q.page(q.say("rounds.import"), data))
}

// pageCheckAssignments reads a workbook and reports what importing it would do;
// with the rows of that report it does it.
func (s *Server) pageCheckAssignments(q *request) error {
	b, _, form, err := q.upload("file", maxPeople)
	var rows []sheets.AssignmentRow
	var problems survey.Problems
	store := form.Get("rows") != ""
	switch {
	case store:
		if err = json.Unmarshal([]byte(form.Get("rows")), &rows); err != nil {
			err = &survey.Error{Kind: survey.Invalid, Code: "upload.form", Err: err}
		}
	case err == nil:
		rows, problems, err = sheets.ReadAssignments(b)
	}
	var report *service.AssignmentImport
	if err == nil {
		report, err = s.svc.ImportAssignments(q.ctx, q.caller, survey.RoundCode(q.Params("round")), rows, problems, !store)
	}
	data := assignImportPage{Report: report}
	if err != nil {
		m, status, err := q.mistaken(err)
		if err != nil || status == fiber.StatusRequestEntityTooLarge {
			return firstError(err, tooLarge(maxPeople))
		}
		data.mistakes = m
		return s.importAssignments(q, status, data)
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	if !store {
		data.Rows = string(text)
	}
	return s.importAssignments(q, 200, data)
}

func (s *Server) pageAssignmentTemplate(q *request) error {
	b, err := sheets.AssignmentTemplate(q.caller.Language)
	if err != nil {
		return err
	}
	name := map[string]string{"vi": "phan-cong", "en": "assignments"}[q.caller.Language] + ".xlsx"
	q.Set(fiber.HeaderContentType, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	q.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return q.Send(b)
}
