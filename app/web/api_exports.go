package web

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// exportOptions reads what a workbook or the files of text are asked for.
func (q *request) exportOptions() (service.ExportOptions, error) {
	query, err := q.query()
	if err != nil {
		return service.ExportOptions{}, err
	}
	lang := q.Query("lang")
	if lang == "" {
		lang = "vi"
	}
	o := service.ExportOptions{Round: survey.RoundCode(q.Params("round")), Template: query.Template, Language: lang, Groupings: list[scoring.Grouping](q, "by"),
		Filter: query.Filter, Values: service.Values(q.Query("values")), Gentle: true}
	o.Summary, err = q.flag("summary")
	return o, err
}

// exportTime is how long a file that is waited for may take.
const exportTime = 10 * time.Minute

// apiExport gives the workbook.
func (s *Server) apiExport(q *request) error {
	o, err := q.exportOptions()
	if err != nil {
		return err
	}
	return s.sendMade(q, string(o.Round)+".xlsx", func(ctx context.Context, w io.Writer) error {
		return s.svc.WriteFile(ctx, q.caller, service.Order{Kind: survey.JobWorkbook, ExportOptions: o}, w)
	})
}

// apiExportCSV gives the responses as a zip of text files.
func (s *Server) apiExportCSV(q *request) error {
	o, err := q.exportOptions()
	if err != nil {
		return err
	}
	separator, err := choice(q, "separator", []string{"comma", "semicolon"})
	if err != nil {
		return err
	}
	return s.sendMade(q, string(o.Round)+".csv.zip", func(ctx context.Context, w io.Writer) error {
		return s.svc.WriteFile(ctx, q.caller, service.Order{Kind: survey.JobCSV, ExportOptions: o, Semicolon: separator == "semicolon"}, w)
	})
}

// sendMade sends a file that is made now. It cannot be partly right, so it is
// written to a temporary file first: a failure is then a proper answer and the
// length is known.
func (s *Server) sendMade(q *request, name string, write func(context.Context, io.Writer) error) error {
	f, err := os.CreateTemp("", "khaosat-*")
	if err != nil {
		return err
	}
	// The name goes at once: whatever happens, nothing is left behind.
	_ = os.Remove(f.Name())
	ctx, cancel := context.WithTimeout(context.Background(), exportTime)
	defer cancel()
	w := bufio.NewWriterSize(f, 1<<18)
	if err = write(ctx, w); err == nil {
		err = w.Flush()
	}
	size := int64(0)
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return err
	}
	q.handOver(name)
	return q.SendStream(f, int(size))
}

// handOver says that the answer is a file to be saved.
func (q *request) handOver(name string) {
	kind := "application/zip"
	switch {
	case strings.HasSuffix(name, ".xlsx"):
		kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case strings.HasSuffix(name, ".docx"):
		kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	}
	q.Set(fiber.HeaderContentType, kind)
	q.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"; filename*=UTF-8''`+url.PathEscape(name))
	q.Set(fiber.HeaderCacheControl, "no-store")
	q.Set(fiber.HeaderXContentTypeOptions, "nosniff")
}

// jobJSON is an ordered file.
type jobJSON struct {
	ID       survey.JobID     `json:"id"`
	Kind     survey.JobKind   `json:"kind"`
	Round    survey.RoundCode `json:"round"`
	Title    string           `json:"title"`
	Own      bool             `json:"own"`
	State    survey.JobState  `json:"state"`
	Done     int              `json:"done"`
	Total    int              `json:"total"`
	Reason   string           `json:"reason"`
	File     string           `json:"file"`
	SHA256   string           `json:"sha256"`
	Size     int64            `json:"size"`
	AsOf     *time.Time       `json:"as_of"`
	Again    survey.JobID     `json:"again,omitempty"`
	Created  time.Time        `json:"created"`
	Finished *time.Time       `json:"finished"`
	Until    *time.Time       `json:"until"`
}

func (s *Server) asJob(q *request, j *survey.Job) jobJSON {
	given := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	out := jobJSON{ID: j.ID, Kind: j.Kind, Round: j.Round, Title: j.Title, Own: j.Owner == q.caller.Person.ID, State: j.State, Done: j.Done, Total: j.Total,
		File: j.File, SHA256: j.SHA256, Size: j.Size, AsOf: given(j.Cutoff), Again: j.Again, Created: j.Created, Finished: given(j.Finished), Until: given(s.svc.FileUntil(j))}
	if j.State == survey.JobFailed {
		out.Reason = jobReason(q.caller.Language, j)
	}
	return out
}

// jobReason says why a job failed.
func jobReason(lang string, j *survey.Job) string {
	return message.OfError(lang, &survey.Error{Kind: survey.Invalid, Code: j.Code, Args: j.Args})
}

// apiJobs lists the files that were ordered of a round.
func (s *Server) apiJobs(q *request) error {
	all, err := s.svc.Jobs(q.ctx, q.caller, survey.RoundCode(q.Params("round")))
	if err != nil {
		return err
	}
	out := make([]jobJSON, len(all))
	for i, j := range all {
		out[i] = s.asJob(q, j)
	}
	return q.send(200, listOf(out))
}

// orderJSON is an order of a file.
type orderJSON struct {
	Kind      survey.JobKind     `json:"kind" validate:"required,oneof=workbook csv superiors word"`
	Title     string             `json:"title"`
	Template  string             `json:"template"`
	Language  string             `json:"language" validate:"omitempty,oneof=vi en"`
	Groupings []scoring.Grouping `json:"by"`
	Summary   bool               `json:"summary"`
	Values    service.Values     `json:"values" validate:"omitempty,oneof=codes labels"`
	Separator string             `json:"separator" validate:"omitempty,oneof=comma semicolon"`
	Level     int                `json:"level" validate:"min=0,max=5"`
	AsOf      *time.Time         `json:"as_of"`
	Filter    struct {
		Under      []survey.UnitCode    `json:"under"`
		Sectors    []string             `json:"sector"`
		Structures []string             `json:"structure"`
		Settings   []string             `json:"setting"`
		Tags       []string             `json:"tag"`
		Observers  []survey.PersonID    `json:"observer"`
		Periods    []string             `json:"period"`
		States     []survey.ReviewState `json:"state"`
		From       survey.Date          `json:"from"`
		To         survey.Date          `json:"to"`
	} `json:"filter"`
}

// apiOrder orders a file under an id that the client made.
func (s *Server) apiOrder(q *request) error {
	var in orderJSON
	if _, err := q.read(&in); err != nil {
		return err
	}
	o := service.Order{Kind: in.Kind, Semicolon: in.Separator == "semicolon", Level: in.Level}
	o.ExportOptions = service.ExportOptions{Round: survey.RoundCode(q.Params("round")), Template: survey.TemplateCode(in.Template), Language: in.Language, Title: in.Title,
		Groupings: in.Groupings, Summary: in.Summary, Values: in.Values}
	o.Filter = scoring.Filter{Under: in.Filter.Under, Sectors: in.Filter.Sectors, Structures: in.Filter.Structures, Settings: in.Filter.Settings, Tags: in.Filter.Tags,
		Observers: in.Filter.Observers, Periods: in.Filter.Periods, States: in.Filter.States, From: in.Filter.From, To: in.Filter.To}
	if in.AsOf != nil {
		o.AsOf = *in.AsOf
	}
	j, err := s.svc.OrderFile(q.ctx, q.caller, survey.JobID(q.Params("id")), o)
	if err != nil {
		return err
	}
	return q.send(202, s.asJob(q, j))
}

func (s *Server) apiJob(q *request) error {
	j, err := s.svc.Job(q.ctx, q.caller, survey.JobID(q.Params("id")))
	if err != nil {
		return err
	}
	return q.send(200, s.asJob(q, j))
}

func (s *Server) apiCancelJob(q *request) error {
	j, err := s.svc.CancelJob(q.ctx, q.caller, survey.JobID(q.Params("id")))
	if err != nil {
		return err
	}
	return q.send(200, s.asJob(q, j))
}

// apiJobAgain makes a report anew, as it was.
func (s *Server) apiJobAgain(q *request) error {
	var in struct {
		ID survey.JobID `json:"id" validate:"required"`
	}
	if _, err := q.read(&in); err != nil {
		return err
	}
	j, err := s.svc.MakeAgain(q.ctx, q.caller, survey.JobID(q.Params("id")), in.ID)
	if err != nil {
		return err
	}
	return q.send(202, s.asJob(q, j))
}

// sendJobFile hands a finished file over, byte for byte as it was made.
func (s *Server) sendJobFile(q *request) error {
	// What is read is read after the handler has returned.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.ctx), attachmentTime)
	j, content, err := s.svc.OpenFile(ctx, q.caller, survey.JobID(q.Params("id")))
	if err != nil {
		cancel()
		return err
	}
	q.handOver(j.File)
	q.Set(fiber.HeaderETag, `"`+j.SHA256+`"`)
	q.Context().SetBodyStream(&attachmentStream{content, content, cancel}, int(j.Size))
	return nil
}

// slow are the routes that are not waited for by somebody at a page.
var slow = []string{"/export.xlsx", "/export.csv.zip", "/file"}

func isSlow(path string) bool {
	return slices.ContainsFunc(slow, func(end string) bool { return strings.HasSuffix(path, end) })
}
