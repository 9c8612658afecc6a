package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// The plain form is a whole form as one page of HTML: for browsers without
// JavaScript, and for typing in what was filled in on paper. It keeps nothing
// between requests: what was entered travels with each press of a button.

// plainForm is what form-plain.html draws.
type plainForm struct {
	Visit    *service.Visit
	ID       survey.AssignmentID
	Title    string
	Response string // the id under which the form is sent, made once for the page
	Rev      int64  // the stored revision that it replaces, 0 if none
	SentAt   string // when that was received
	Observer string // on whose behalf it is entered, "" for the own
	Fields   []plainField
	Problems []plainProblem
	Checked  bool
	Refused  string // why it could not be taken in, as a whole
	// Photos says that the form has places for files, Unkept why one that came with
	// the page was not kept, by path.
	Photos bool
	Unkept map[string]string
}

// plainProblem is a line of the list of what is missing or wrong; ID is where
// it leads, "" for the form as a whole.
type plainProblem struct{ ID, Label, Text string }

// plainField is one place of the form.
type plainField struct {
	ID, Name     string
	Kind         survey.ItemKind
	Label, Hint  string
	Value        string
	Chosen       []string
	Choices      []plainChoice
	Required     bool
	ReadOnly     bool
	Long         bool
	Problems     []string
	Fields       []plainField   // of a group
	Rows         [][]plainField // of a repeat
	Conditional  bool           // asked depending on other answers; for paper
	Kept         []string       // what was entered before it was hidden
	Upload       bool           // a file may be sent with the page
	Input, Style string         // type and inputmode of the input
}

type plainChoice struct{ Name, Label, Anchor string }

// Describes names what explains a field, for aria-describedby.
func (f plainField) Describes() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	if len(f.Problems) > 0 {
		ids = append(ids, f.ID+"-problem")
	}
	return strings.Join(ids, " ")
}

// Anchored reports whether the choices describe themselves at length.
func (f plainField) Anchored() bool {
	return slices.ContainsFunc(f.Choices, func(c plainChoice) bool { return c.Anchor != "" })
}

// Short reports whether the answer has room beside the question on paper.
func (f plainField) Short() bool {
	switch f.Kind {
	case survey.KindInteger, survey.KindDecimal, survey.KindDate, survey.KindTime, survey.KindDateTime:
		return true
	}
	return false
}

// Takes reports whether a choice was taken.
func (f plainField) Takes(name string) bool { return slices.Contains(f.Chosen, name) }

func fieldID(path string) string { return "f-" + strings.ReplaceAll(path, "/", "-") }

// plainBuilder makes fields of a filled-in form.
type plainBuilder struct {
	lang     string
	zone     *time.Location
	form     *survey.Form
	problems map[string][]string
	entered  map[string][]string // what a page sent, by path; nil at first
	uploads  bool                // files may be sent with the page
}

func (b *plainBuilder) fields(lines []survey.Line) []plainField {
	var out []plainField
	for i := range lines {
		l := &lines[i]
		kind := b.form.Kind(l.Slot)
		f := plainField{ID: fieldID(l.Path), Name: l.Path, Kind: kind}
		if l.Cell.State == survey.NotAsked {
			if f.Kept = b.entered[l.Path]; kind.HasItems() {
				// What was entered inside travels on under its own names.
				out = append(out, b.fields(l.Lines)...)
				for _, row := range l.Rows {
					out = append(out, b.fields(row)...)
				}
			}
			if len(f.Kept) > 0 {
				out = append(out, f)
			}
			continue
		}
		b.fill(&f, l, kind)
		if kind == survey.KindCalculate || (kind == survey.KindGroup && len(f.Fields) == 0) {
			continue
		}
		out = append(out, f)
	}
	return out
}

func (b *plainBuilder) fill(f *plainField, l *survey.Line, kind survey.ItemKind) {
	item, note := b.form.Item(l.Slot)
	f.Label, f.Hint, f.Required = l.Label(b.lang), l.Hint(b.lang), l.Required
	f.ReadOnly = item.ReadOnly && !note
	f.Upload = b.uploads && kind == survey.KindImage
	f.Conditional = item.Relevant != "" && !note
	f.Problems = b.problems["/"+l.Path]
	f.Long = note || strings.Contains(item.Appearance, "multiline")
	if note {
		f.Label, f.Conditional = message.Say(b.lang, "form.evidence_of", survey.Args{"of": f.Label}), true
	}
	languages := b.form.Template.Languages
	for _, c := range l.Choices() {
		f.Choices = append(f.Choices, plainChoice{c.Name, c.Label.In(b.lang, languages...), c.Anchor.In(b.lang, languages...)})
	}
	f.Fields = b.fields(l.Lines)
	for _, row := range l.Rows {
		f.Rows = append(f.Rows, b.fields(row))
	}
	b.value(f, l.Given, kind)
}

// value writes what was given into the field, as it is to be corrected.
func (b *plainBuilder) value(f *plainField, given *survey.Value, kind survey.ItemKind) {
	f.Input, f.Style = "text", ""
	switch kind {
	case survey.KindInteger:
		f.Style = "numeric"
	case survey.KindDecimal:
		f.Style = "decimal"
	case survey.KindDate:
		f.Input = "date"
	case survey.KindTime:
		f.Input = "time"
	case survey.KindDateTime:
		f.Input = "datetime-local"
	}
	if given == nil {
		return
	}
	switch given.Kind {
	case survey.ValueNumber:
		f.Value = strconv.FormatFloat(given.Number, 'f', -1, 64)
		if b.lang == "vi" {
			f.Value = strings.Replace(f.Value, ".", ",", 1)
		}
	case survey.ValueText:
		f.Value, f.Chosen = given.Text, []string{given.Text}
		if kind == survey.KindSelectMultiple {
			f.Chosen = strings.Fields(given.Text)
		}
	case survey.ValueList:
		f.Chosen = given.List
	}
	switch kind {
	case survey.KindTime:
		if len(f.Value) > 5 && f.Value[2] == ':' {
			f.Value = f.Value[:5] // with seconds and a zone, browsers show nothing
		}
	case survey.KindDateTime:
		if t, err := time.Parse(time.RFC3339Nano, f.Value); err == nil {
			f.Value = t.In(b.zone).Format("2006-01-02T15:04")
		}
	}
}

// pagePlain shows a visit's form, with what was sent before if it may be changed.
func (s *Server) pagePlain(q *request) error {
	v, err := s.svc.Visit(q.ctx, q.caller, survey.AssignmentID(q.Params("id")))
	if err != nil {
		return err
	}
	if v.Practise && v.Observer.ID == q.caller.Person.ID {
		return q.Redirect("/practice/"+url.PathEscape(string(v.Round.Code))+"?first=1", fiber.StatusSeeOther)
	}
	if v.Stored != nil && v.Stored.State == survey.StateApproved {
		return q.Redirect(receiptPath(v.Assignment.ID, v.Stored.ID, false), fiber.StatusSeeOther)
	}
	p := &plainForm{Visit: v, Response: survey.NewID()}
	var answers survey.Answers
	if v.Stored != nil {
		p.Response, p.Rev, answers = string(v.Stored.ID), v.Stored.Rev, v.Stored.Answers
	}
	return s.showPlain(q, 200, p, answers, nil)
}

// showPlain fills the answers in and draws the page.
func (s *Server) showPlain(q *request, status int, p *plainForm, answers survey.Answers, entered map[string][]string) error {
	v := p.Visit
	lang := q.caller.Language
	filled := s.svc.FillVisit(v, answers)
	b := &plainBuilder{lang: lang, zone: v.Round.Location(), form: v.Compiled.Form, problems: map[string][]string{}, entered: entered, uploads: true}
	labels := map[string]string{}
	collectLabels(filled.Lines(), lang, labels)
	if p.Checked {
		for _, problem := range filled.Validate() {
			if problem.Severity != survey.SeverityError {
				continue
			}
			p.problem(b, lang, labels, problem)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(p.Unkept)) {
		b.problems["/"+path] = append(b.problems["/"+path], p.Unkept[path])
		p.Problems = append(p.Problems, plainProblem{fieldID(path), labels[path], p.Unkept[path]})
	}
	for slot := range v.Compiled.Form.Len() {
		p.Photos = p.Photos || v.Compiled.Form.Kind(slot) == survey.KindImage
	}
	p.ID, p.Title = v.Assignment.ID, v.Compiled.Template.Title.In(lang, v.Compiled.Template.Languages...)
	p.Fields = b.fields(filled.Lines())
	if v.Stored != nil && p.Rev > 0 {
		p.SentAt = q.page("", nil).Moment(v.Stored.ReceivedAt)
	}
	if v.Assignment.Observer != q.caller.Person.ID {
		p.Observer = fullName(v.Observer)
	}
	return s.show(q.Ctx, status, "form-plain", q.page(p.Title, p))
}

// fullName is how a person is called on paper.
func fullName(p *survey.Person) string {
	if p.FullName != "" {
		return p.FullName
	}
	return p.Name
}

// problem notes a problem beside its field and in the list.
func (p *plainForm) problem(b *plainBuilder, lang string, labels map[string]string, problem survey.Problem) {
	text := message.OfProblem(lang, problem)
	path := strings.TrimPrefix(problem.Place.Pointer, "/")
	b.problems[problem.Place.Pointer] = append(b.problems[problem.Place.Pointer], text)
	line := plainProblem{Label: labels[path], Text: text}
	if line.Label != "" {
		line.ID = fieldID(path)
	}
	p.Problems = append(p.Problems, line)
}

func collectLabels(lines []survey.Line, lang string, into map[string]string) {
	for i := range lines {
		into[lines[i].Path] = lines[i].Label(lang)
		collectLabels(lines[i].Lines, lang, into)
		for _, row := range lines[i].Rows {
			collectLabels(row, lang, into)
		}
	}
}

// maxRows bounds the instances of a repeat that a page sends.
const maxRows = 200

// pagePlainDo does what a button of the plain form says: check, send, or add or
// remove an entry.
func (s *Server) pagePlainDo(q *request) error {
	if !sameOrigin(q.Ctx) {
		return &survey.Error{Kind: survey.Forbidden, Code: "auth.other_site"}
	}
	fields, files, err := s.plainFields(q)
	if err != nil {
		return err
	}
	v, err := s.svc.Visit(q.ctx, q.caller, survey.AssignmentID(q.Params("id")))
	if err != nil {
		return err
	}
	id, err := survey.ParseResponseID(fields.Get("response"))
	if err != nil {
		return err
	}
	p := &plainForm{Visit: v, Response: string(id)}
	p.Rev, _ = strconv.ParseInt(fields.Get("rev"), 10, 64)
	s.localTimes(v, fields)
	if err := s.keepFiles(q, p, fields, files); err != nil {
		return err
	}
	answers := v.Compiled.Form.ReadFields(fields, func(path string) int {
		n, _ := strconv.Atoi(fields.Get("rows:" + path))
		return max(0, min(maxRows, n))
	})
	do, at, _ := strings.Cut(fields.Get("do"), ":")
	switch do {
	case "add":
		return s.showPlain(q, 200, p, addRow(answers, at), nil)
	case "remove":
		// The rows behind move up, so that what was hidden in them has no name to
		// travel under: the answers hold all of it.
		return s.showPlain(q, 200, p, removeRow(answers, at), nil)
	case "send":
		if len(p.Unkept) > 0 {
			p.Checked = true
			return s.showPlain(q, fiber.StatusUnprocessableEntity, p, answers, fields)
		}
		return s.sendPlain(q, p, id, answers, fields)
	}
	p.Checked = true
	return s.showPlain(q, 200, p, answers, fields)
}

// maxPlain bounds what the plain form sends at once, photos included.
const maxPlain = 40 << 20

// plainFile is a file that came with the plain form, for the item at a path.
type plainFile struct {
	path, name string
	declared   string // media type, as the browser sees it
	content    []byte
}

// plainFields reads what the plain form sends: with files if it has places for them.
func (s *Server) plainFields(q *request) (url.Values, []plainFile, error) {
	fields := url.Values{}
	if !strings.HasPrefix(q.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		body, err := s.body(q.Ctx, s.config.MaxJSON)
		if err == nil {
			if fields, err = url.ParseQuery(string(body)); err != nil {
				err = &survey.Error{Kind: survey.Invalid, Code: "request.invalid", Err: err}
			}
		}
		return fields, nil, err
	}
	var files []plainFile
	err := q.parts(maxPlain, func(part *multipart.Part, content []byte) {
		path, isFile := strings.CutPrefix(part.FormName(), "file:")
		switch {
		case !isFile:
			fields.Add(part.FormName(), string(content))
		case len(content) > 0:
			files = append(files, plainFile{path, part.FileName(), part.Header.Get(fiber.HeaderContentType), content})
		}
	})
	return fields, files, err
}

// keepFiles keeps the photos that came with a page, whichever button was pressed: a
// browser never sends a file twice by itself. What is no photo is told of.
func (s *Server) keepFiles(q *request, p *plainForm, fields url.Values, files []plainFile) error {
	for name := range fields {
		if path, is := strings.CutPrefix(name, "drop:"); is {
			fields.Del(path)
		}
	}
	p.Unkept = map[string]string{}
	for _, f := range files {
		slot, known := p.Visit.Compiled.Form.Slot(f.path[strings.LastIndexByte(f.path, '/')+1:])
		if !known || p.Visit.Compiled.Form.Kind(slot) != survey.KindImage {
			continue
		}
		kind, ending, _ := strings.Cut(http.DetectContentType(f.content), "/")
		if ending == "octet-stream" {
			// A format that is too new to be known, as those of phones often are.
			kind, ending, _ = strings.Cut(f.declared, "/")
		}
		if kind != "image" {
			p.Unkept[f.path] = message.Say(q.caller.Language, "form.not_photo", survey.Args{"name": f.name})
			continue
		}
		sum := sha256.Sum256(f.content)
		name := strings.ReplaceAll(f.path, "/", "_") + "-" + hex.EncodeToString(sum[:5]) + "." + strings.Replace(ending, "jpeg", "jpg", 1)
		_, err := s.svc.PutAttachment(q.ctx, q.caller, survey.ResponseID(p.Response), name, hex.EncodeToString(sum[:]), bytes.NewReader(f.content))
		if err == nil {
			fields.Set(f.path, name)
			continue
		}
		switch survey.KindOf(err) {
		case survey.Invalid, survey.Conflict, survey.TooLarge:
			p.Unkept[f.path] = message.OfError(q.caller.Language, err)
		default:
			return err
		}
	}
	return nil
}

// sendPlain hands the form in. The same press again gives the same receipt.
func (s *Server) sendPlain(q *request, p *plainForm, id survey.ResponseID, answers survey.Answers, fields url.Values) error {
	v := p.Visit
	a := v.Assignment
	raw, err := json.Marshal(struct {
		Round    survey.RoundCode    `json:"round"`
		Template survey.TemplateCode `json:"template"`
		Version  int                 `json:"template_version"`
		Unit     survey.UnitCode     `json:"unit"`
		Role     survey.Role         `json:"role"`
		Answers  survey.Answers      `json:"answers"`
	}{a.Round, a.Template, v.Compiled.Template.Version, a.Unit, a.Role, answers})
	if err != nil {
		return err
	}
	done, err := s.svc.Submit(q.ctx, q.caller, &service.Incoming{ID: id, Round: a.Round, Template: a.Template, Version: v.Compiled.Template.Version,
		Unit: a.Unit, Role: a.Role, Answers: answers, Raw: raw, Source: survey.SourceAPI, Replaces: p.Rev})
	s.metrics.responses.WithLabelValues(string(survey.SourceAPI), outcome(done, err)).Inc()
	if err == nil {
		return q.Redirect(receiptPath(a.ID, done.Response.ID, done.Conflict), fiber.StatusSeeOther)
	}
	switch survey.KindOf(err) {
	case survey.Invalid, survey.Conflict, survey.Exists, survey.Forbidden, survey.NotFound:
	default:
		return err
	}
	// What was entered must not be lost to a page that only says no.
	p.Checked, p.Refused = true, message.OfError(q.caller.Language, err)
	status, _ := statusFor(err)
	return s.showPlain(q, status, p, answers, fields)
}

func receiptPath(visit survey.AssignmentID, id survey.ResponseID, conflict bool) string {
	path := "/visits/" + url.PathEscape(string(visit)) + "/receipt?response=" + url.QueryEscape(string(id))
	if conflict {
		path += "&kept=conflict"
	}
	return path
}

// localTimes makes moments of what a field for a date and time sends, which has
// no zone: the round's is meant.
func (s *Server) localTimes(v *service.Visit, fields url.Values) {
	for name, values := range fields {
		last := name[strings.LastIndexByte(name, '/')+1:]
		slot, known := v.Compiled.Form.Slot(last)
		if !known || v.Compiled.Form.Kind(slot) != survey.KindDateTime {
			continue
		}
		for i := range values {
			if t, err := time.ParseInLocation("2006-01-02T15:04", values[i], v.Round.Location()); err == nil {
				values[i] = t.Format(time.RFC3339)
			}
		}
	}
}

// addRow adds an empty instance to the repeat at a path.
func addRow(answers survey.Answers, path string) survey.Answers {
	return editRows(answers, path, func(rows []survey.Answers) []survey.Answers {
		if len(rows) >= maxRows {
			return rows
		}
		return append(rows, survey.Answers{})
	})
}

// removeRow removes the instance at a path.
func removeRow(answers survey.Answers, path string) survey.Answers {
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return answers
	}
	return editRows(answers, path[:cut], func(rows []survey.Answers) []survey.Answers {
		if i, err := strconv.Atoi(path[cut+1:]); err == nil && i >= 0 && i < len(rows) {
			return slices.Delete(rows, i, i+1)
		}
		return rows
	})
}

// editRows changes the instances of the repeat at a path.
func editRows(answers survey.Answers, path string, edit func([]survey.Answers) []survey.Answers) survey.Answers {
	name, rest, deeper := strings.Cut(path, "/")
	v, _ := answers.Get(name)
	if !deeper {
		return answers.Set(name, survey.RowsValue(edit(v.Rows)...))
	}
	index, rest, _ := strings.Cut(rest, "/")
	if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(v.Rows) {
		v.Rows[i] = editRows(v.Rows[i], rest, edit)
		return answers.Set(name, v)
	}
	return answers
}

// receiptPage is what form-receipt.html draws.
type receiptPage struct {
	Visit    *service.Visit
	Response *survey.Response
	Title    string
	Message  string
	At       string
	Score    string
	Band     string
	Editable bool
}

// pageReceipt tells what became of a form that was sent.
func (s *Server) pageReceipt(q *request) error {
	v, err := s.svc.Visit(q.ctx, q.caller, survey.AssignmentID(q.Params("id")))
	if err != nil {
		return err
	}
	id, err := survey.ParseResponseID(q.Query("response"))
	if err != nil {
		return err
	}
	r, err := s.svc.Response(q.ctx, q.caller, id)
	if err != nil {
		return err
	}
	lang := q.caller.Language
	said := receiptWord(&service.Accepted{Response: r, Conflict: q.Query("kept") == "conflict" && len(r.Conflicts) > 0})
	t := v.Compiled.Template
	p := receiptPage{Visit: v, Response: r, Title: t.Title.In(lang, t.Languages...), At: q.page("", nil).Moment(r.ReceivedAt),
		Message: message.Say(lang, said, survey.Args{"unit": r.Standing.Name, "reason": r.PutAside()}), Editable: r.State != survey.StateApproved}
	if r.Receipt != nil && (v.Round.ShowScore || survey.May(q.caller.Person, survey.OpSubmit) == survey.InScope) {
		p.Score = r.Receipt.Total
		if t.Scheme != nil {
			if i := t.Scheme.Band(r.Receipt.Band); i >= 0 {
				p.Band = t.Scheme.Bands[i].Label.In(lang, t.Languages...)
			}
		}
	}
	return s.show(q.Ctx, 200, "form-receipt", q.page(message.Say(lang, "form.receipt", nil), p))
}
