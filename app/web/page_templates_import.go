package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"mime/multipart"
	"path"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// changeOfState publishes or retires a template version.
type changeOfState func(context.Context, service.Caller, survey.TemplateCode, int) (*survey.Template, error)

// importTemplatePage is what the page that takes a workbook is drawn from.
type importTemplatePage struct {
	Problem  string
	File     string
	Stored   *survey.Template // nil if nothing was stored
	Problems problemTable
	Counts   map[string]int
	// Workbook is the file in base64, for the copy with comments; "" if it is
	// too large to be sent along.
	Workbook string
	// InTheWay is the draft that storing would replace, nil if there is none;
	// Changes are what would change, and JSON is the template that was read.
	InTheWay *survey.Template
	Changes  []string
	JSON     string
}

// problemLine is a problem as a page shows it.
type problemLine struct {
	Severity                         survey.Severity
	Sheet, Column, Item, Value, Said string
	Row                              int
	// More counts problems of the same kind that are not shown.
	More int
}

// mostAlike is how many problems of one kind a page shows.
const mostAlike = 12

// problemTable is the problems of an input, worded in a language.
type problemTable struct {
	Lang  string
	Lines []problemLine
}

// problemsOf gives the problems that an error carries.
func problemsOf(err error) survey.Problems {
	var e *survey.Error
	if errors.As(err, &e) {
		return e.Problems
	}
	return nil
}

// problemTable words problems; of very many of the same kind only some.
func (q *request) problemTable(ps survey.Problems) problemTable {
	var out []problemLine
	seen := map[string]int{}
	last := map[string]int{}
	for _, p := range ps {
		kind := string(p.Severity) + " " + p.Code
		if seen[kind]++; seen[kind] > mostAlike {
			out[last[kind]].More++
			continue
		}
		last[kind] = len(out)
		value := []rune(p.Value)
		if len(value) > 80 {
			value = append(value[:79], '…')
		}
		out = append(out, problemLine{Severity: p.Severity, Sheet: p.Place.Sheet, Row: p.Place.Row, Column: p.Place.Column, Item: p.Place.Item,
			Value: string(value), Said: message.OfProblem(q.caller.Language, p)})
	}
	return problemTable{q.caller.Language, out}
}

func (s *Server) pageImportTemplate(q *request) error {
	return s.showImportTemplate(q, 200, importTemplatePage{})
}

func (s *Server) showImportTemplate(q *request, status int, data importTemplatePage) error {
	return s.show(q.Ctx, status, "template-import", q.page(q.say("templates.import"), data))
}

// maxSentAlong is the largest workbook, in bytes, that a page holds for the copy
// with comments.
const maxSentAlong = 2 << 20

// pageDoImportTemplate reads a workbook, with the lists that go with it, and
// stores it as a draft unless it has errors; either way all problems are told.
func (s *Server) pageDoImportTemplate(q *request) error {
	file, name, lists, replace, err := q.workbook()
	if err != nil {
		if survey.KindOf(err) != survey.Invalid {
			return err
		}
		return s.showImportTemplate(q, fiber.StatusUnprocessableEntity, importTemplatePage{Problem: message.OfError(q.caller.Language, err)})
	}
	data := importTemplatePage{File: name, Counts: map[string]int{}}
	t, problems, err := s.readTemplate(q, file, name, lists)
	if err == nil && !problems.HasErrors() {
		err = s.importOrAsk(q, t, replace, &data)
	}
	status := 200
	if err != nil || problems.HasErrors() {
		if err != nil && survey.KindOf(err) != survey.Invalid && survey.KindOf(err) != survey.Conflict {
			return err
		}
		status = fiber.StatusUnprocessableEntity
		data.Problem = q.say("templates.not_stored")
		if err != nil {
			data.Problem = message.OfError(q.caller.Language, err)
		}
		if bytes.HasPrefix(file, []byte("PK")) && len(file) <= maxSentAlong && len(problems) > 0 {
			data.Workbook = base64.StdEncoding.EncodeToString(file)
		}
	}
	for _, p := range problems {
		data.Counts[string(p.Severity)]++
	}
	data.Problems = q.problemTable(problems)
	return s.showImportTemplate(q, status, data)
}

// importOrAsk stores a template as a draft. Where that replaces another draft,
// it is first shown what would change, and stored only when the revision of that
// draft comes back.
func (s *Server) importOrAsk(q *request, t *survey.Template, replace int64, data *importTemplatePage) error {
	if replace == 0 {
		d, err := s.svc.DraftInTheWay(q.ctx, q.caller, t)
		if err != nil {
			return err
		}
		if d != nil {
			b, err := json.Marshal(t)
			if err != nil {
				return err
			}
			data.InTheWay, data.JSON = d.Before, string(b)
			for _, one := range d.Differences {
				data.Changes = append(data.Changes, message.OfDifference(q.caller.Language, one))
			}
			return nil
		}
	}
	if _, err := s.svc.ImportOverDraft(q.ctx, q.caller, t, replace); err != nil {
		return err
	}
	data.Stored = t
	return nil
}

// readTemplate reads a workbook or JSON with everything that is wrong with it.
func (s *Server) readTemplate(q *request, file []byte, name string, lists map[string][]byte) (*survey.Template, survey.Problems, error) {
	t := &survey.Template{}
	var problems survey.Problems
	var err error
	if strings.HasPrefix(strings.TrimSpace(string(file[:min(len(file), 64)])), "{") {
		if err = utf8Fault(file); err == nil {
			if err = json.Unmarshal(file, t); err != nil && survey.KindOf(err) != survey.Invalid {
				err = survey.JSONError(file, err)
			}
		}
	} else {
		t, problems, err = xlsform.ReadAttached(file, name, lists)
	}
	if err != nil {
		return nil, problemsOf(err), err
	}
	_, more, err := s.svc.Compile(q.ctx, t)
	return t, append(problems, more...), err
}

// pageAnnotatedTemplate gives the workbook back with a comment on each faulty
// cell.
func (s *Server) pageAnnotatedTemplate(q *request) error {
	form, err := q.formUpTo(2 * maxSentAlong) // base64, and its signs escaped
	if err != nil {
		return err
	}
	file, err := base64.StdEncoding.DecodeString(form.Get("workbook"))
	if err != nil {
		return &survey.Error{Kind: survey.Invalid, Code: "upload.form", Err: err}
	}
	name := path.Base(strings.ReplaceAll(form.Get("name"), `\`, "/"))
	_, problems, err := s.readTemplate(q, file, name, nil)
	if err != nil {
		return err
	}
	b, err := xlsform.Annotate(file, problems, xlsform.Words{
		Problem: func(p survey.Problem) string { return message.OfProblem(q.caller.Language, p) },
		Place:   func(p survey.Place) string { return message.Place(q.caller.Language, p) },
	})
	if err != nil {
		return err
	}
	q.Set(fiber.HeaderContentType, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	q.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{
		"filename": strings.TrimSuffix(name, path.Ext(name)) + "-" + q.say("templates.checked") + ".xlsx"}))
	return q.Send(b)
}

// workbook reads an upload of a workbook with the CSV files that go with it.
// replace is the revision of the draft that the sender agreed to replace, 0 if none.
func (q *request) workbook() (file []byte, name string, lists map[string][]byte, replace int64, err error) {
	lists = map[string][]byte{}
	err = q.parts(2*maxWorkbook, func(part *multipart.Part, content []byte) {
		switch {
		case part.FormName() == "file":
			file, name = content, part.FileName()
		case part.FormName() == "replace":
			replace, _ = strconv.ParseInt(string(content), 10, 64) // no number: nobody agreed
		case part.FileName() != "":
			lists[part.FileName()] = content
		}
	})
	if err != nil {
		return nil, "", nil, 0, err
	}
	if len(file) == 0 {
		return nil, "", nil, 0, &survey.Error{Kind: survey.Invalid, Code: "upload.none"}
	}
	return file, name, lists, replace, nil
}
