package web

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/khaosat/khaosat/survey"
)

// contract is the description, read.
type contract struct {
	model      *v3.Document
	validator  validator.Validator
	operations map[string]*operation // by operationId
}

type operation struct {
	method, path string
	*v3.Operation
	query []string        // names of query parameters, without lang
	seen  map[string]bool // statuses that came
}

func readContract(t testing.TB) *contract {
	t.Helper()
	document, err := libopenapi.NewDocument(openAPI)
	ok(t, err)
	built, err := document.BuildV3Model()
	ok(t, err)
	v, errs := validator.NewValidator(document, config.WithFormatAssertions())
	for _, err := range errs {
		t.Fatal(err)
	}
	if valid, found := v.ValidateDocument(); !valid {
		for _, e := range found {
			t.Errorf("the description is no OpenAPI 3.1: %s: %s", e.Message, e.Reason)
		}
		t.FailNow()
	}
	c := &contract{model: &built.Model, validator: v, operations: map[string]*operation{}}
	for path, item := range built.Model.Paths.PathItems.FromOldest() {
		for method, o := range item.GetOperations().FromOldest() {
			op := &operation{method: strings.ToUpper(method), path: path, Operation: o, seen: map[string]bool{}}
			for _, p := range o.Parameters {
				if p.In == "query" {
					op.query = append(op.query, p.Name)
				}
			}
			if c.operations[o.OperationId] != nil {
				t.Errorf("two operations %s", o.OperationId)
			}
			c.operations[o.OperationId] = op
		}
	}
	return c
}

func TestTheDescriptionAndTheRoutesAreTheSame(t *testing.T) {
	c, r := readContract(t), &Server{}
	described := map[string][]string{}
	for _, op := range c.operations {
		described[op.method+" "+op.path] = op.query
	}
	brace := regexp.MustCompile(`:([a-z]+)`)
	routed := map[string][]string{}
	for _, route := range r.routes() {
		if strings.HasPrefix(route.path, apiPath) {
			routed[route.method+" "+brace.ReplaceAllString(route.path, "{$1}")] = strings.Fields(route.query)
		}
	}
	for name, query := range routed {
		other, found := described[name]
		if !found {
			t.Errorf("%s is not described", name)
			continue
		}
		slices.Sort(query)
		slices.Sort(other)
		if !slices.Equal(query, other) {
			t.Errorf("%s takes %v, described are %v", name, query, other)
		}
	}
	for name := range described {
		if _, found := routed[name]; !found {
			t.Errorf("%s is described, but there is no such route", name)
		}
	}
}

// example gives the request body that the description shows for an operation.
func (c *contract) example(t testing.TB, id string) map[string]any {
	t.Helper()
	media, found := c.operations[id].RequestBody.Content.Get("application/json")
	if !found || media.Example == nil {
		t.Fatalf("%s has no example", id)
	}
	var out map[string]any
	ok(t, media.Example.Decode(&out))
	return out
}

// call is one request of the story, and the status it must get.
type call struct {
	id      string // operationId
	path    string // what stands for the path's parameters, in order, by spaces
	query   string
	body    any
	as      string // the account; "" for nobody
	status  int
	headers []header
	wrong   bool // the request is wrong on purpose and need not match the description
}

// do sends a call and holds request and answer against the description.
func (c *contract) do(t *testing.T, r *rig, k call) {
	t.Helper()
	op := c.operations[k.id]
	if op == nil {
		t.Fatalf("no operation %s", k.id)
	}
	path := op.path
	for _, word := range strings.Fields(k.path) {
		path = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllLiteralString(path[:strings.Index(path, "}")+1], word) + path[strings.Index(path, "}")+1:]
	}
	if k.query != "" {
		path += "?" + k.query
	}
	headers := k.headers
	if k.as != "" {
		headers = append(slices.Clone(headers), r.as(k.as))
	}
	a := r.ask(op.method, path, k.body, headers...)
	if a.status != k.status {
		t.Errorf("%s %s as %q: %d, want %d: %s", k.id, path, k.as, a.status, k.status, clip(a.body))
		return
	}
	code := strconv.Itoa(k.status)
	op.seen[code] = true
	if _, described := op.Responses.Codes.Get(code); !described {
		t.Errorf("%s: %d is not described: %s", k.id, k.status, clip(a.body))
	}

	q, err := http.NewRequest(op.method, r.url+path, bodyOf(t, k.body))
	ok(t, err)
	if k.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		q.Header.Set(h.name, h.value)
	}
	if !k.wrong && k.as != "" || k.id == "signIn" && !k.wrong {
		if valid, errs := c.validator.ValidateHttpRequestSync(q); !valid {
			for _, e := range errs {
				t.Errorf("%s: the request does not match the description: %s: %s %v", k.id, e.Message, e.Reason, e.SchemaValidationErrors)
			}
		}
	}
	answered := &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: q}
	if valid, errs := c.validator.ValidateHttpResponse(q, answered); !valid {
		for _, e := range errs {
			t.Errorf("%s: the answer %d does not match the description: %s: %s", k.id, k.status, e.Message, e.Reason)
			for _, s := range e.SchemaValidationErrors {
				t.Errorf("    %s at %s", s.Reason, s.FieldPath)
			}
		}
	}
}

func bodyOf(t testing.TB, body any) io.Reader {
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(b)
	case []byte:
		return bytes.NewReader(b)
	}
	return readerOf(t, body)
}

// generalStatuses are those that stand for what can happen to any request that
// has a body; other tests bring them about.
var generalStatuses = []string{"default", "413", "429"}

func TestEveryOperationAnswersAsDescribed(t *testing.T) {
	c, r := readContract(t), newRig(t)
	for _, k := range story(t, c, r) {
		c.do(t, r, k)
	}
	for _, id := range slices.Sorted(maps.Keys(c.operations)) {
		op := c.operations[id]
		for code := range op.Responses.Codes.KeysFromOldest() {
			if !op.seen[code] && !slices.Contains(generalStatuses, code) {
				t.Errorf("%s: no request got the %s that is described", id, code)
			}
		}
	}
}

func header1(name, value string) []header { return []header{{name, value}} }

// story is all that the description tells, with its own examples, and what can
// go wrong on the way.
func story(t *testing.T, c *contract, r *rig) []call {
	id := survey.NewID()
	held, free := survey.NewID(), survey.NewID() // free is about a visit that has no response
	ofFree := r.form(r.rated(false)[0], survey.RoleSuperior)
	ofFree["source"] = "queue"
	answersOf(ofFree)["A1"] = "early"
	submission := c.example(t, "submit")
	changed := cloned(t, submission)
	answersOf(changed)["remark"] = "Đã sửa."
	fromDevice := cloned(t, submission)
	fromDevice["source"] = "queue"
	answersOf(fromDevice)["A1"] = "early"
	wrongAnswer := cloned(t, submission)
	answersOf(wrongAnswer)["A1"] = "early"
	nowhere := cloned(t, submission)
	nowhere["round"] = "nowhere"
	unitless := cloned(t, c.example(t, "importUnits"))
	unitless["units"].([]any)[0].(map[string]any)["spans"].([]any)[0].(map[string]any)["parent"] = "NOWHERE"
	unnamed := cloned(t, c.example(t, "saveRound"))
	unnamed["templates"] = []any{map[string]any{"code": "VISIT", "versions": []int{9}}}
	strange := cloned(t, c.example(t, "assign"))
	strange["assignments"].([]any)[0].(map[string]any)["unit"] = "NOWHERE"
	fixed := cloned(t, c.example(t, "assign"))
	fixed["assignments"].([]any)[0].(map[string]any)["id"] = survey.NewID()
	fixed["assignments"].([]any)[0].(map[string]any)["period"] = "2025-05"
	fixedID := fixed["assignments"].([]any)[0].(map[string]any)["id"].(string)
	putOff := map[string]string{"action": "postpone", "reason": "Mưa bão", "due": "2025-05-20"}
	added := c.example(t, "addVisit")
	addedNowhere := cloned(t, added)
	addedNowhere["unit"] = "NOWHERE"
	elsewhere := cloned(t, fixed)
	elsewhere["assignments"].([]any)[0].(map[string]any)["id"] = survey.NewID()
	bad := cloned(t, c.example(t, "importTemplate"))
	bad["scheme"].(map[string]any)["total"] = 90
	trial := map[string]any{"template": c.example(t, "importTemplate"), "answers": map[string]any{"A1": "late", "present": 12}, "unit": map[string]any{"sector": "05"}}
	brokenTrial := map[string]any{"template": bad, "answers": map[string]any{}}
	withCase := cloned(t, c.example(t, "importTemplate"))
	withCase["cases"] = []any{map[string]any{"name": "late", "answers": map[string]any{"A1": "late", "A2": "yes"}, "unit": map[string]any{}, "total": "70", "band": "good"}}
	workbook, err := os.ReadFile("../../fixtures/examples/restaurant-inspection.xlsx")
	ok(t, err)
	const all, part = "all.admin", "part.manager"
	r.account(&survey.Person{Name: "gone", Role: survey.Observer, Disabled: true})
	octets := header1("Content-Type", "application/octet-stream")
	approve := map[string]string{"decision": "approve"}
	stop := r.makeFiles()
	report, fileID := r.orderFile(t, all, `{"kind": "workbook", "title": "Quý I", "summary": true}`), survey.NewID()
	r.file(t, all, report)
	stop() // so that the next ones wait
	waiting := r.orderFile(t, all, `{"kind": "csv"}`)
	calls := []call{
		{id: "description", status: 200},
		{id: "signIn", body: c.example(t, "signIn"), status: 200},
		{id: "signIn", body: map[string]string{"name": "admin", "password": "wrong"}, status: 401},
		{id: "signIn", body: "{", status: 400, wrong: true},
		{id: "signIn", body: map[string]string{"name": "admin"}, status: 422, wrong: true},
		{id: "me", as: all, status: 200},
		{id: "addPerson", as: all, body: c.example(t, "addPerson"), status: 201},
		{id: "addPerson", as: all, body: c.example(t, "addPerson"), status: 409},
		{id: "addPerson", as: all, body: map[string]string{"name": "Ánh", "role": "observer"}, status: 422},
		{id: "addPerson", as: all, body: "{", status: 400, wrong: true},
		{id: "addPerson", as: part, body: c.example(t, "addPerson"), status: 403},
		{id: "getPerson", as: all, path: "nguyen.thi.anh", status: 200},
		{id: "getPerson", as: "part.admin", path: "nguyen.thi.anh", status: 404},
		{id: "getPerson", as: part, path: "nguyen.thi.anh", status: 403},
		{id: "changePerson", as: all, path: "nguyen.thi.anh", body: c.example(t, "changePerson"), headers: header1("If-Match", `"1"`), status: 200},
		{id: "changePerson", as: all, path: "nguyen.thi.anh", body: c.example(t, "changePerson"), headers: header1("If-Match", `"1"`), status: 412},
		{id: "changePerson", as: all, path: "nobody", body: c.example(t, "changePerson"), status: 404},
		{id: "changePerson", as: all, path: "nguyen.thi.anh", body: map[string]string{"role": "observer", "scope": "NOWHERE"}, status: 422},
		{id: "changePerson", as: all, path: "nguyen.thi.anh", body: "{", status: 400, wrong: true},
		{id: "changePerson", as: "part.admin", path: "part.admin", body: map[string]string{"role": "observer", "scope": "S0001"}, status: 403},
		{id: "listPeople", as: all, query: "q=anh+nguyen&role=reviewer&state=active&limit=1", status: 200},
		{id: "audit", as: all, query: "by=all.admin&kind=person&from=2018-01-01&to=2099-01-01&limit=2", status: 200},
		{id: "audit", as: "all.manager", query: "kind=response&round=demo-2018&unit=S0001&action=response.received&id=x", status: 200},
		{id: "audit", as: all, query: "by=nobody", status: 404},
		{id: "audit", as: all, query: "before=nonsense", status: 400},
		{id: "audit", as: all, query: "kind=colour", status: 422, wrong: true},
		{id: "audit", as: "all.analyst", status: 403},
		{id: "listPeople", as: all, query: "role=chief", status: 422, wrong: true},
		{id: "listPeople", as: part, status: 403},
		{id: "invite", as: all, path: "nguyen.thi.anh", status: 201},
		{id: "invite", as: all, path: "nobody", status: 404},
		{id: "invite", as: all, path: "gone", status: 422},
		{id: "invite", as: part, path: "nguyen.thi.anh", status: 403},

		{id: "listTemplates", as: all, status: 200},
		{id: "importTemplate", as: all, body: c.example(t, "importTemplate"), status: 201},
		{id: "importTemplate", as: all, body: workbook, headers: header1("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), status: 201},
		{id: "importTemplate", as: all, body: bad, status: 422},
		{id: "importTemplate", as: all, body: "{", status: 400, wrong: true},
		{id: "importTemplate", as: part, body: c.example(t, "importTemplate"), status: 403},
		{id: "checkTemplate", as: all, body: bad, status: 200},
		{id: "checkTemplate", as: all, body: "{", status: 400, wrong: true},
		{id: "checkTemplate", as: part, body: bad, status: 403},
		{id: "tryTemplate", as: all, body: trial, status: 200},
		{id: "tryTemplate", as: all, body: brokenTrial, status: 200},
		{id: "tryTemplate", as: all, body: "{", status: 400, wrong: true},
		{id: "tryTemplate", as: part, body: trial, status: 403},
		{id: "saveDraft", as: all, path: "VISIT 1", body: bad, headers: header1("If-Match", `"1"`), status: 200},
		{id: "saveDraft", as: all, path: "VISIT 1", body: withCase, headers: header1("If-Match", `"2"`), status: 200},
		{id: "saveDraft", as: all, path: "VISIT 1", body: bad, headers: header1("If-Match", `"2"`), status: 412},
		{id: "saveDraft", as: all, path: "VISIT 9", body: bad, headers: header1("If-Match", `"1"`), status: 404},
		{id: "saveDraft", as: all, path: "SHCB-TK 1", body: bad, headers: header1("If-Match", `"1"`), status: 409},
		{id: "saveDraft", as: all, path: "VISIT 1", body: "{", status: 400, wrong: true},
		{id: "saveDraft", as: all, path: "VISIT x", body: bad, status: 422, wrong: true},
		{id: "saveDraft", as: part, path: "VISIT 1", body: bad, status: 403},
		{id: "publishTemplate", as: all, path: "VISIT 1", status: 200},
		{id: "form", as: "all.observer", path: "SHCB-TK 1", query: "scoring=true", status: 200},
		{id: "form", as: all, path: "VISIT 1", status: 200},
		{id: "form", as: all, path: "VISIT 7", status: 404},
		{id: "form", as: all, path: "VISIT x", status: 422, wrong: true},
		{id: "form", as: all, path: "VISIT 1", query: "scoring=maybe", status: 422, wrong: true},
		{id: "publishTemplate", as: all, path: "VISIT 1", status: 409},
		{id: "publishTemplate", as: all, path: "VISIT 7", status: 404},
		{id: "publishTemplate", as: all, path: "VISIT x", status: 422, wrong: true},
		{id: "publishTemplate", as: part, path: "VISIT 1", status: 403},
		{id: "templateFile", as: all, path: "SHCB-TK 1", query: "format=xlsform", status: 200},
		{id: "templateFile", as: "all.observer", path: "SHCB-TK 1", query: "format=xform", status: 200},
		{id: "templateFile", as: all, path: "SHCB-TK 1", query: "format=json", status: 200},
		{id: "templateFile", as: all, path: "SHCB-TK 9", query: "format=json", status: 404},
		{id: "templateFile", as: all, path: "SHCB-TK 1", query: "format=pdf", status: 422, wrong: true},
		{id: "importTemplate", as: all, body: c.example(t, "importTemplate"), status: 201},
		{id: "templateDifferences", as: all, path: "VISIT 2", status: 200},
		{id: "templateDifferences", as: all, path: "VISIT 2", query: "against=7", status: 404},
		{id: "templateDifferences", as: all, path: "VISIT 2", query: "against=0", status: 422, wrong: true},
		{id: "retireTemplate", as: all, path: "VISIT 1", status: 200},
		{id: "retireTemplate", as: all, path: "VISIT 2", status: 409},
		{id: "retireTemplate", as: all, path: "VISIT 7", status: 404},
		{id: "retireTemplate", as: all, path: "VISIT x", status: 422, wrong: true},
		{id: "retireTemplate", as: part, path: "VISIT 1", status: 403},
		{id: "getTemplate", as: all, path: "VISIT", status: 200},
		{id: "getTemplate", as: all, path: "SHCB-TK", query: "version=1", status: 200},
		{id: "getTemplate", as: all, path: "HD42", status: 200},
		{id: "getTemplate", as: all, path: "KS-TCHD", status: 200},
		{id: "getTemplate", as: all, path: "SHCB-TX", status: 404},
		{id: "getTemplate", as: all, path: "VISIT", query: "version=9", status: 404},
		{id: "getTemplate", as: all, path: "VISIT", query: "version=0", status: 422, wrong: true},

		{id: "typeLists", as: all, status: 200},
		{id: "importUnits", as: all, query: "dry_run=true", body: c.example(t, "importUnits"), status: 200},
		{id: "importUnits", as: all, body: c.example(t, "importUnits"), status: 200},
		{id: "importUnits", as: all, body: unitless, status: 422},
		{id: "importUnits", as: all, body: "{", status: 400, wrong: true},
		{id: "importUnits", as: part, body: c.example(t, "importUnits"), status: 403},
		{id: "listUnits", as: all, query: "under=S0001&limit=5&date=2025-04-12", status: 200},
		{id: "listUnits", as: all, query: "limit=0", status: 422, wrong: true},
		{id: "getUnit", as: all, path: "HTX-01", status: 200},
		{id: "getUnit", as: part, path: "S0002", status: 403},
		{id: "getUnit", as: all, path: "NOWHERE", status: 404},

		{id: "phone", as: "all.observer", status: 200},
		{id: "phone", as: "all.analyst", status: 403},

		{id: "listRounds", as: all, status: 200},
		{id: "saveRound", as: all, path: "spring-2025", body: c.example(t, "saveRound"), status: 201},
		{id: "saveRound", as: all, path: "spring-2025", body: c.example(t, "saveRound"), status: 409},
		{id: "saveRound", as: all, path: "spring-2025", body: c.example(t, "saveRound"), headers: header1("If-Match", `"1"`), status: 200},
		{id: "saveRound", as: all, path: "spring-2025", body: c.example(t, "saveRound"), headers: header1("If-Match", `"1"`), status: 412},
		{id: "saveRound", as: all, path: "autumn-2025", body: c.example(t, "saveRound"), headers: header1("If-Match", `"1"`), status: 404},
		{id: "saveRound", as: all, path: "autumn-2025", body: unnamed, status: 422},
		{id: "saveRound", as: all, path: "autumn-2025", body: "{", status: 400, wrong: true},
		{id: "saveRound", as: "all.analyst", path: "autumn-2025", body: c.example(t, "saveRound"), status: 403},
		{id: "getRound", as: all, path: "spring-2025", status: 200},
		{id: "getRound", as: all, path: "nowhere", status: 404},

		{id: "assign", as: all, path: "spring-2025", body: c.example(t, "assign"), status: 201},
		{id: "assign", as: all, path: "spring-2025", body: fixed, status: 201},
		{id: "assign", as: all, path: "spring-2025", body: fixed, status: 201},
		{id: "assign", as: all, path: "spring-2025", body: elsewhere, status: 409},
		{id: "assign", as: all, path: "spring-2025", body: strange, status: 422},
		{id: "assign", as: all, path: "spring-2025", body: "{", status: 400, wrong: true},
		{id: "assign", as: "all.analyst", path: "spring-2025", body: c.example(t, "assign"), status: 403},
		{id: "listAssignments", as: all, path: "spring-2025", status: 200},
		{id: "listAssignments", as: all, path: "nowhere", status: 404},
		{id: "ownAssignments", as: "all.observer", status: 200},
		{id: "countScope", as: all, query: "under=S0001&sector=01,02&date=2025-05-01", status: 200},
		{id: "countScope", as: all, query: "date=tomorrow", status: 422, wrong: true},
		{id: "countScope", as: "all.observer", status: 403},
		{id: "addVisit", as: "all.observer", path: "spring-2025", body: added, status: 403},
		{id: "addVisit", as: all, path: "spring-2025", body: added, status: 201},
		{id: "addVisit", as: all, path: "spring-2025", body: added, status: 201},
		{id: "addVisit", as: "all.manager", path: "spring-2025", body: added, status: 409},
		{id: "addVisit", as: all, path: "nowhere", body: added, status: 404},
		{id: "addVisit", as: all, path: "spring-2025", body: addedNowhere, status: 422},
		{id: "addVisit", as: all, path: "spring-2025", body: "{", status: 400, wrong: true},
		{id: "ownAssignments", as: all, status: 200},
		{id: "changeAssignment", as: all, path: fixedID, body: c.example(t, "changeAssignment"), status: 422}, // the other month
		{id: "changeAssignment", as: all, path: fixedID, body: putOff, headers: header1("If-Match", `"9"`), status: 412},
		{id: "changeAssignment", as: all, path: fixedID, body: putOff, headers: header1("If-Match", `"1"`), status: 200},
		{id: "changeAssignment", as: part, path: fixedID, body: map[string]string{"action": "restore"}, status: 409},
		{id: "changeAssignment", as: all, path: survey.NewID(), body: putOff, status: 404},
		{id: "changeAssignment", as: all, path: fixedID, body: "{", status: 400, wrong: true},
		{id: "changeAssignment", as: "all.observer", path: fixedID, body: map[string]string{"action": "restore"}, status: 403},

		{id: "submit", as: all, path: id, body: submission, status: 201},
		{id: "submit", as: all, path: id, body: submission, status: 201},
		{id: "submit", as: all, path: id, body: changed, status: 202},
		{id: "submit", as: all, path: id, body: changed, headers: header1("If-Match", `"9"`), status: 412},
		{id: "submit", as: all, path: held, body: fromDevice, status: 202},
		{id: "submit", as: all, path: free, body: ofFree, status: 202},
		{id: "submit", as: all, path: survey.NewID(), body: submission, status: 409},
		{id: "submit", as: all, path: survey.NewID(), body: wrongAnswer, status: 422},
		{id: "submit", as: all, path: survey.NewID(), body: nowhere, status: 404},
		{id: "submit", as: all, path: survey.NewID(), body: "{", status: 400, wrong: true},
		{id: "submit", as: "all.analyst", path: survey.NewID(), body: submission, status: 403},
		{id: "listResponses", as: all, query: "round=demo-2018&limit=20", status: 200},
		{id: "listResponses", as: all, query: "state=quarantined", status: 200},
		{id: "listResponses", as: all, query: "round=nowhere", status: 200},
		{id: "listResponses", as: all, query: "after=nonsense", status: 400},
		{id: "listResponses", as: all, query: "state=aproved", status: 422, wrong: true},
		{id: "getResponse", as: all, path: id, status: 200},
		{id: "getResponse", as: all, path: held, status: 200},
		{id: "getResponse", as: all, path: id, query: "raw=true", status: 200},
		{id: "getResponse", as: all, path: survey.NewID(), status: 404},
		{id: "getResponse", as: all, path: "nonsense", status: 422, wrong: true},

		{id: "putAttachment", as: all, path: id + " a.jpg", body: "\xff\xd8\xff", headers: octets, status: 201},
		{id: "putAttachment", as: all, path: id + " a.jpg", body: "other", headers: octets, status: 202},
		{id: "putAttachment", as: all, path: id + " b.jpg", body: "x", headers: append(octets, header{"Content-Digest", "sha-256=x"}), status: 422},
		{id: "putAttachment", as: "all.respondent", path: id + " a.jpg", body: "x", headers: octets, status: 404},
		{id: "putAttachment", as: "all.analyst", path: id + " a.jpg", body: "x", headers: octets, status: 403},
		{id: "listAttachments", as: all, path: id, status: 200},
		{id: "listAttachments", as: all, path: survey.NewID(), status: 404},
		{id: "listAttachments", as: all, path: "nonsense", status: 422, wrong: true},
		{id: "getAttachment", as: all, path: id + " a.jpg", status: 200},
		{id: "getAttachment", as: all, path: id + " a.jpg", headers: header1("Range", "bytes=0-1"), status: 206},
		{id: "getAttachment", as: all, path: id + " a.jpg", headers: header1("Range", "bytes=9-"), status: 416},
		{id: "getAttachment", as: all, path: id + " a.jpg", headers: header1("If-None-Match", `"`+survey.HashRaw([]byte("\xff\xd8\xff"))+`"`), status: 304},
		{id: "getAttachment", as: all, path: id + " b.jpg", status: 404},
		{id: "getAttachment", as: all, path: "nonsense a.jpg", status: 422, wrong: true},

		{id: "review", as: all, path: id, body: c.example(t, "review"), status: 428},
		{id: "review", as: all, path: id, body: c.example(t, "review"), headers: header1("If-Match", `"9"`), status: 412},
		{id: "review", as: all, path: id, body: "{", status: 400, wrong: true},
		{id: "review", as: all, path: id, body: map[string]string{"decision": "return"}, headers: header1("If-Match", `"2"`), status: 422},
		{id: "review", as: "all.analyst", path: id, body: approve, headers: header1("If-Match", `"2"`), status: 403},
		{id: "review", as: all, path: survey.NewID(), body: approve, headers: header1("If-Match", `"2"`), status: 404},
		{id: "review", as: all, path: id, body: approve, headers: header1("If-Match", `"2"`), status: 200},
		{id: "review", as: all, path: id, body: approve, headers: header1("If-Match", `"3"`), status: 409},
		{id: "review", as: all, path: id, body: c.example(t, "review"), headers: header1("If-Match", `"3"`), status: 200},

		{id: "release", as: all, path: held, body: map[string]any{"assignment": ""}, status: 428},
		{id: "release", as: all, path: held, body: map[string]any{"assignment": ""}, headers: header1("If-Match", `"9"`), status: 412},
		{id: "release", as: all, path: held, body: "{", status: 400, wrong: true},
		{id: "release", as: "all.analyst", path: held, body: map[string]any{}, headers: header1("If-Match", `"1"`), status: 403},
		{id: "release", as: all, path: survey.NewID(), body: map[string]any{}, headers: header1("If-Match", `"1"`), status: 404},
		{id: "release", as: all, path: id, body: map[string]any{}, headers: header1("If-Match", `"1"`), status: 409},
		{id: "release", as: all, path: free, body: map[string]any{"despite": false}, headers: header1("If-Match", `"1"`), status: 422},
		{id: "release", as: all, path: free, body: c.example(t, "release"), headers: header1("If-Match", `"1"`), status: 200},
		{id: "reject", as: all, path: held, body: c.example(t, "reject"), status: 428},
		{id: "reject", as: all, path: held, body: map[string]any{"reason": " "}, headers: header1("If-Match", `"1"`), status: 422},
		{id: "reject", as: all, path: held, body: c.example(t, "reject"), headers: header1("If-Match", `"9"`), status: 412},
		{id: "reject", as: all, path: held, body: "{", status: 400, wrong: true},
		{id: "reject", as: "all.analyst", path: held, body: c.example(t, "reject"), headers: header1("If-Match", `"1"`), status: 403},
		{id: "reject", as: all, path: survey.NewID(), body: c.example(t, "reject"), headers: header1("If-Match", `"1"`), status: 404},
		{id: "reject", as: all, path: id, body: c.example(t, "reject"), headers: header1("If-Match", `"1"`), status: 409},
		{id: "reject", as: all, path: held, body: c.example(t, "reject"), headers: header1("If-Match", `"1"`), status: 200},
		{id: "release", as: all, path: held, body: c.example(t, "release"), headers: header1("If-Match", `"2"`), status: 409},

		{id: "summary", as: all, path: "demo-2018", query: "items=true&by=superior:1&sector=01,09C&sector=02&state=approved", status: 200},
		{id: "summary", as: all, path: "demo-2018", query: "template=HD42&by=tag&and=superior:1", status: 200},
		{id: "summary", as: all, path: "spring-2025", query: "by=period&from=2025-01-01&by_response=true", status: 200},
		{id: "summary", as: all, path: "nowhere", status: 404},
		{id: "summary", as: all, path: "demo-2018", query: "by=colour", status: 422, wrong: true},
		{id: "analysis", as: all, path: "demo-2018", query: "by=superior:1&sector=01,09C&sector=02&state=approved&from=2018-01-01&to=2019-01-01", status: 200},
		{id: "analysis", as: all, path: "demo-2018", query: "by=tag&under=S0001&template=SHCB-TK&structure=x&setting=y&tag=z&observer=q&period=p", status: 200},
		{id: "analysis", as: all, path: "demo-2018", status: 200},
		{id: "analysis", as: all, path: "nowhere", status: 404},
		{id: "analysis", as: all, path: "demo-2018", query: "by=colour", status: 422, wrong: true},
		{id: "analysis", as: "all.observer", path: "demo-2018", status: 403},
		{id: "summary", as: "all.observer", path: "demo-2018", status: 403},
		{id: "workbook", as: all, path: "demo-2018", query: "lang=en", status: 200},
		{id: "workbook", as: all, path: "nowhere", status: 404},
		{id: "workbook", as: all, path: "demo-2018", query: "template=VISIT", status: 422},
		{id: "workbook", as: "all.observer", path: "demo-2018", status: 403},
		{id: "rawData", as: all, path: "demo-2018", query: "separator=semicolon&values=codes", status: 200},
		{id: "rawData", as: all, path: "nowhere", status: 404},
		{id: "rawData", as: all, path: "demo-2018", query: "separator=tab", status: 422, wrong: true},
		{id: "rawData", as: "all.observer", path: "demo-2018", status: 403},
		{id: "summaryTable", as: all, path: "demo-2018", query: "by=superior&and=sector", status: 200},
		{id: "summaryTable", as: all, path: "nowhere", status: 404},
		{id: "summaryTable", as: all, path: "demo-2018", query: "by=colour", status: 422, wrong: true},
		{id: "summaryTable", as: "all.observer", path: "demo-2018", status: 403},
		{id: "makeFeed", as: all, body: c.example(t, "makeFeed"), status: 201},
		{id: "makeFeed", as: all, body: []byte("{"), status: 400, wrong: true},
		{id: "makeFeed", as: all, body: map[string]string{"label": strings.Repeat("x", 201)}, status: 422},
		{id: "makeFeed", as: "all.observer", body: c.example(t, "makeFeed"), status: 403},
		{id: "orderFile", as: all, path: "demo-2018 " + fileID, body: c.example(t, "orderFile"), status: 202},
		{id: "orderFile", as: all, path: "demo-2018 " + fileID, body: []byte("{"), status: 400, wrong: true},
		{id: "orderFile", as: all, path: "nowhere " + survey.NewID(), body: c.example(t, "orderFile"), status: 404},
		{id: "orderFile", as: all, path: "demo-2018 " + survey.NewID(), body: map[string]any{"kind": "pdf"}, status: 422, wrong: true},
		{id: "orderFile", as: "all.observer", path: "demo-2018 " + fileID, body: c.example(t, "orderFile"), status: 403},
		{id: "files", as: all, path: "demo-2018", status: 200},
		{id: "files", as: all, path: "nowhere", status: 404},
		{id: "files", as: all, path: "demo-2018", query: "state=done", status: 422, wrong: true},
		{id: "files", as: "all.observer", path: "demo-2018", status: 403},
		{id: "file", as: all, path: report, status: 200},
		{id: "file", as: all, path: survey.NewID(), status: 404},
		{id: "file", as: all, path: report, query: "x=1", status: 422, wrong: true},
		{id: "file", as: "all.observer", path: report, status: 403},
		{id: "fileContent", as: all, path: report, status: 200},
		{id: "fileContent", as: all, path: survey.NewID(), status: 404},
		{id: "fileContent", as: all, path: waiting, status: 409},
		{id: "fileContent", as: all, path: report, query: "x=1", status: 422, wrong: true},
		{id: "fileContent", as: "all.observer", path: report, status: 403},
		{id: "makeFileAgain", as: all, path: report, body: c.example(t, "makeFileAgain"), status: 202},
		{id: "makeFileAgain", as: all, path: report, body: []byte("{"), status: 400, wrong: true},
		{id: "makeFileAgain", as: all, path: waiting, body: c.example(t, "makeFileAgain"), status: 409},
		{id: "makeFileAgain", as: all, path: survey.NewID(), body: c.example(t, "makeFileAgain"), status: 404},
		{id: "makeFileAgain", as: all, path: report, body: map[string]string{"id": "1"}, status: 422, wrong: true},
		{id: "makeFileAgain", as: "all.observer", path: report, body: c.example(t, "makeFileAgain"), status: 403},
		{id: "cancelFile", as: all, path: waiting, status: 200},
		{id: "cancelFile", as: all, path: survey.NewID(), status: 404},
		{id: "cancelFile", as: all, path: waiting, query: "x=1", status: 422, wrong: true},
		{id: "cancelFile", as: "all.observer", path: waiting, status: 403},
	}
	words := strings.NewReplacer("{code}", "VISIT", "{version}", "1", "{round}", "demo-2018", "{id}", id, "{name}", "a.jpg")
	for name, op := range c.operations {
		if op.Security == nil {
			var path []string
			for _, parameter := range regexp.MustCompile(`\{[a-z]+\}`).FindAllString(op.path, -1) {
				path = append(path, words.Replace(parameter))
			}
			calls = append(calls, call{id: name, path: strings.Join(path, " "), status: 401})
		}
	}
	return append(calls, call{id: "signOut", as: "all.reviewer", status: 204})
}

func TestTheExamplesOfTheDescriptionAreItsOwnShape(t *testing.T) {
	c := readContract(t)
	for id, op := range c.operations {
		if op.RequestBody == nil {
			continue
		}
		if _, found := op.RequestBody.Content.Get("application/json"); !found {
			continue // a file
		}
		b, err := json.Marshal(c.example(t, id))
		ok(t, err)
		path := strings.NewReplacer("{id}", survey.NewID(), "{version}", "1").Replace(op.path)
		path = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "x")
		q, err := http.NewRequest(op.method, "http://127.0.0.1"+path, bytes.NewReader(b))
		ok(t, err)
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer x")
		if valid, errs := c.validator.ValidateHttpRequestSync(q); !valid {
			for _, e := range errs {
				t.Errorf("%s: %s: %s", id, e.Message, e.Reason)
			}
		}
	}
}
