package web

import (
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// auditShown is how many entries a page of the audit log has.
const auditShown = 50

// auditNames are the filters of the audit log.
const auditNames = "by kind id action round unit from to"

type auditPage struct {
	*service.AuditPage
	Query   service.AuditQuery
	Kinds   []survey.ObjectKind
	Rounds  []*survey.Round
	Older   template.URL // the query of the next page, "" on the last
	Problem string
}

// auditQuery reads the filters.
func (q *request) auditQuery() (service.AuditQuery, error) {
	field := func(name string) string { return strings.TrimSpace(q.Query(name)) }
	a := service.AuditQuery{By: field("by"), ID: field("id"), Action: field("action"), Round: survey.RoundCode(field("round")), Unit: survey.UnitCode(field("unit"))}
	var err error
	if a.Kind, err = choice(q, "kind", survey.ObjectKinds); err != nil {
		return a, err
	}
	if a.From, err = q.date("from"); err != nil {
		return a, err
	}
	a.To, err = q.date("to")
	return a, err
}

// pageAudit shows the audit log.
func (s *Server) pageAudit(q *request) error {
	query, err := q.auditQuery()
	if err != nil {
		return err
	}
	data := auditPage{Query: query, Kinds: survey.ObjectKinds}
	if data.Rounds, err = s.svc.Rounds(q.ctx, q.caller); err != nil {
		return err
	}
	status := 200
	data.AuditPage, err = s.svc.Audit(q.ctx, q.caller, query, survey.Cursor(q.Query("before")), auditShown)
	if survey.KindOf(err) == survey.NotFound {
		data.AuditPage, data.Problem, status = &service.AuditPage{}, message.OfError(q.caller.Language, err), 404
	} else if err != nil {
		return err
	}
	if data.More {
		values := url.Values{"before": {string(data.Next)}}
		for _, name := range strings.Fields(auditNames) {
			if v := q.Query(name); v != "" {
				values.Set(name, v)
			}
		}
		data.Older = template.URL("?" + values.Encode())
	}
	return s.show(q.Ctx, status, "audit", q.page(q.say("audit.title"), data))
}

// Path is where the thing an entry is about has its page, "" if it has none.
func (auditPage) Path(l service.AuditLine) string {
	switch l.Object.Kind {
	case survey.ObjectResponse:
		return "/review/" + l.Object.ID
	case survey.ObjectAssignment:
		return "/assignments/" + url.PathEscape(l.Object.ID)
	case survey.ObjectRound:
		return "/rounds/" + url.PathEscape(l.Object.ID)
	case survey.ObjectTemplate:
		code, _, _ := strings.Cut(l.Object.ID, " ")
		return "/templates/" + url.PathEscape(code)
	case survey.ObjectPerson, survey.ObjectToken:
		if l.Account != "" {
			return "/people/" + url.PathEscape(l.Account)
		}
	}
	return ""
}

// Detail lists what an entry says beyond its action.
func (auditPage) Detail(l service.AuditLine) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(l.Detail)) {
		if v := l.Detail[k]; v != "" && v != "0" && k != "sha256" && k != "visit" {
			out = append(out, k+": "+v)
		}
	}
	return out
}

// auditJSON is an entry of the audit log.
type auditJSON struct {
	At     time.Time         `json:"at"`
	By     string            `json:"by"`
	Action string            `json:"action"`
	Kind   survey.ObjectKind `json:"kind"`
	ID     string            `json:"id"`
	About  string            `json:"about"`
	Round  survey.RoundCode  `json:"round"`
	Unit   survey.UnitCode   `json:"unit"`
	Detail survey.Args       `json:"detail"`
}

// apiAudit reads the audit log, the newest first.
func (s *Server) apiAudit(q *request) error {
	query, err := q.auditQuery()
	if err != nil {
		return err
	}
	limit, err := q.number("limit", 100, 1, 1000)
	if err != nil {
		return err
	}
	page, err := s.svc.Audit(q.ctx, q.caller, query, survey.Cursor(q.Query("before")), limit)
	if err != nil {
		return err
	}
	items := make([]auditJSON, len(page.Lines))
	for i, l := range page.Lines {
		items[i] = auditJSON{l.At, l.ByName, l.Action, l.Object.Kind, l.Object.ID, l.About, l.Object.Round, l.Object.Unit, l.AuditEntry.Detail}
		if items[i].Detail == nil {
			items[i].Detail = survey.Args{}
		}
	}
	next := survey.Cursor("")
	if page.More {
		next = page.Next
	}
	return q.send(200, struct {
		Items []auditJSON   `json:"items"`
		Next  survey.Cursor `json:"next"`
	}{items, next})
}
