package web

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

func TestWhatCannotBeReadIsRefusedWithItsPlace(t *testing.T) {
	r := newRig(t)
	admin := r.as("all.admin")
	for name, c := range map[string]struct {
		body, code string
		status     int
		detail     string // part of it
	}{
		"no UTF-8":             {"{\"round\": \"\xff\"}", "body.not_utf8", 400, "12"},
		"cut in a character":   {"{\"round\": \"chi b\xe1\xbb", "body.not_utf8", 400, "17"},
		"surrogate alone":      {"{\"round\": \"\xed\xa0\x80\"}", "body.not_utf8", 400, "12"},
		"not JSON":             {"round=demo-2018", "body.not_json", 400, "1"},
		"a comma too many":     {`{"round": "demo-2018",}`, "body.not_json", 400, "23"},
		"two documents":        {`{} {}`, "body.not_json", 400, "4"},
		"cut off":              {`{"round": "demo-2018"`, "body.truncated", 400, ""},
		"empty":                {"", "body.truncated", 400, ""},
		"a list":               {`[]`, "body.type", 422, ""},
		"a number for a text":  {`{"round": 2018}`, "body.type", 422, "number"},
		"answers as a list":    {`{"round": "demo-2018", "template": "SHCB-TK", "unit": "C1", "answers": []}`, "answers.invalid", 422, ""},
		"an answer twice":      {`{"answers": {"A1": "p4", "A1": "p3"}}`, "answers.invalid", 422, ""},
		"an object in answers": {`{"answers": {"A1": {"x": 1}}}`, "answers.invalid", 422, ""},
		"a number too large":   {`{"answers": {"present": 1e999}}`, "answers.invalid", 422, ""},
		"deeply nested":        {`{"answers": {"A1": ` + strings.Repeat(`[{"a":`, 40) + `1` + strings.Repeat(`}]`, 40) + `}}`, "answers.invalid", 422, ""},
		"nothing of it all":    {`{}`, "request.shape", 422, ""},
		"null":                 {`null`, "request.shape", 422, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lang := range []string{"vi", "en"} {
				p := r.ask("PUT", newResponse(), c.body, admin, header{"Accept-Language", lang}).problem(t, c.status, c.code)
				if !strings.Contains(p.Detail, c.detail) {
					t.Errorf("%q does not tell %q", p.Detail, c.detail)
				}
				if c.code == "request.shape" && (len(p.Errors) != 4 || p.Errors[0].Pointer != "/round") {
					t.Errorf("errors %+v", p.Errors)
				}
			}
		})
	}
}

func TestAnswersThatAreNotRightAreRefusedEachWithItsPlace(t *testing.T) {
	r := newRig(t)
	form := r.form(r.rated(true)[0], survey.RoleSuperior)
	for name, c := range map[string]struct {
		change            func(body, answers map[string]any)
		code              string // of the refusal
		pointer, problem  string
		suggestion, value string
	}{
		"unknown item":        {func(_, a map[string]any) { a["presnt"] = 1 }, "response.invalid", "/answers/presnt", "answer.unknown_item", "present", "presnt"},
		"answer off the list": {func(_, a map[string]any) { a["A1"] = "p9" }, "response.invalid", "/answers/A1", "answer.unknown_choice", "p4", "p9"},
		"text for a number":   {func(_, a map[string]any) { a["members_total"] = "ba mươi" }, "response.invalid", "/answers/members_total", "answer.not_number", "", "ba mươi"},
		"true for a number":   {func(_, a map[string]any) { a["members_total"] = true }, "response.invalid", "/answers/members_total", "answer.not_number", "", "true"},
		"half a person":       {func(_, a map[string]any) { a["members_total"] = 27.5 }, "response.invalid", "/answers/members_total", "answer.not_integer", "", "27.5"},
		"number for a choice": {func(_, a map[string]any) { a["A1"] = 4 }, "response.invalid", "/answers/A1", "answer.not_choice", "", "4"},
		"out of range":        {func(_, a map[string]any) { a["speakers"] = 9999 }, "response.invalid", "/answers/speakers", "answer.constraint", "", "9999"},
		"below range":         {func(_, a map[string]any) { a["absent_excused"] = -1 }, "response.invalid", "/answers/absent_excused", "answer.constraint", "", "-1"},
		"no such date":        {func(_, a map[string]any) { a["meeting_date"] = "2018-02-30" }, "response.invalid", "/answers/meeting_date", "answer.not_date", "", "2018-02-30"},
		"no such time":        {func(_, a map[string]any) { a["actual_end"] = "25:00" }, "response.invalid", "/answers/actual_end", "answer.not_time", "", "25:00"},
		"before the round":    {func(_, a map[string]any) { a["meeting_date"] = "2017-12-31" }, "response.invalid", "/answers/meeting_date", "answer.date_outside_round", "", "2017-12-31"},
		"in the future":       {func(_, a map[string]any) { a["meeting_date"] = inAWeek() }, "response.invalid", "/answers/meeting_date", "answer.constraint", "", inAWeek()},
		"required left out":   {func(_, a map[string]any) { delete(a, "present") }, "response.invalid", "/answers/present", "answer.required", "", ""},
		"wrong in a repeat": {func(_, a map[string]any) {
			a["strengths"] = []any{map[string]any{"strength_share": "maybe", "strength_text": "x"}}
		}, "response.invalid", "/answers/strengths/0/strength_share", "answer.unknown_choice", "", "maybe"},
		"unknown unit":           {func(b, _ map[string]any) { b["unit"] = "C999999" }, "unit.unknown", "/unit", "unit.unknown", "", "C999999"},
		"unit out of scope":      {func(b, _ map[string]any) { b["unit"] = "S0001" }, "unit.out_of_scope", "/unit", "unit.out_of_scope", "", "S0001"},
		"unknown template":       {func(b, _ map[string]any) { b["template"] = "SHCB-TX" }, "round.not_its_template", "/template", "round.not_its_template", "SHCB-TK", "SHCB-TX"},
		"unknown version":        {func(b, _ map[string]any) { b["template_version"] = 7 }, "response.version", "/template_version", "response.version", "", "7"},
		"unknown role":           {func(b, _ map[string]any) { b["role"] = "observr" }, "request.shape", "/role", "shape.oneof", "observer", "observr"},
		"a code that is none":    {func(b, _ map[string]any) { b["round"] = "../etc" }, "request.shape", "/round", "shape.code", "", "../etc"},
		"a date that is none":    {func(b, _ map[string]any) { b["meeting_date"] = "5/1/2018" }, "request.shape", "/meeting_date", "shape.datetime", "", "5/1/2018"},
		"a version below one":    {func(b, _ map[string]any) { b["template_version"] = -1 }, "request.shape", "/template_version", "shape.min", "", ""},
		"a source that is no":    {func(b, _ map[string]any) { b["source"] = "quene" }, "request.shape", "/source", "shape.oneof", "queue", "quene"},
		"a time that is no time": {func(b, _ map[string]any) { b["started_at"] = "19:30" }, "request.shape", "/started_at", "shape.datetime", "", "19:30"},
	} {
		t.Run(name, func(t *testing.T) {
			body := cloned(t, form)
			c.change(body, answersOf(body))
			texts := map[string]string{}
			for _, lang := range []string{"vi", "en"} {
				p := r.ask("PUT", newResponse(), body, r.as("all.admin"), header{"Accept-Language", lang}).problem(t, 422, c.code)
				found := false
				for _, e := range p.Errors {
					if e.Pointer == c.pointer && e.Code == c.problem && e.Suggestion == c.suggestion && e.Value == c.value {
						found, texts[lang] = true, e.Message
					}
				}
				if !found {
					t.Fatalf("no %s at %s in %+v", c.problem, c.pointer, p.Errors)
				}
			}
			if texts["vi"] == texts["en"] {
				t.Errorf("the same words in both languages: %s", texts["vi"])
			}
		})
	}
}

// Forms without an item for the date get it beside the answers.
func TestADateBesideTheAnswersIsCheckedToo(t *testing.T) {
	r := newRig(t)
	var sent *survey.Response
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Template: "KS-TCHD"}, "") {
		ok(t, err)
		sent = change.Doc
		break
	}
	body := map[string]any{"round": "demo-2018", "template": "KS-TCHD", "unit": string(sent.Unit), "role": "superior", "answers": sent.Answers}
	for _, day := range []string{"2017-12-31", "2018-02-01", inAWeek()} {
		body["meeting_date"] = day
		p := r.ask("PUT", newResponse(), body, r.as("all.admin")).problem(t, 422, "response.date")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "/meeting_date" || p.Errors[0].Value != day {
			t.Errorf("errors %+v", p.Errors)
		}
	}
	body["meeting_date"] = "2018-01-31"
	r.ask("PUT", newResponse(), body, r.as("all.admin")).want(t, 201)
}

func inAWeek() string { return time.Now().AddDate(0, 0, 7).Format("2006-01-02") }

// cloned copies a JSON object through its text.
func cloned(t testing.TB, v map[string]any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	ok(t, err)
	var out map[string]any
	ok(t, json.Unmarshal(b, &out))
	return out
}

func TestARefusalFromADevicesQueueIsHeldForReview(t *testing.T) {
	r := newRig(t)
	form := r.form(r.rated(true)[0], survey.RoleSuperior)
	for name, c := range map[string]struct {
		change func(body map[string]any)
		reason string
		status int // without the queue
	}{
		"unknown template version": {func(b map[string]any) { b["template_version"] = 9 }, "response.version", 422},
		"closed round":             {func(b map[string]any) { b["round"] = "closed" }, "round.closed", 409},
		"unknown round":            {func(b map[string]any) { b["round"] = "nowhere" }, "round.unknown", 404},
		"answer off the list":      {func(b map[string]any) { answersOf(b)["A1"] = "p9" }, "answer.unknown_choice", 422},
	} {
		t.Run(name, func(t *testing.T) {
			r.closedRound()
			body := cloned(t, form)
			c.change(body)
			r.ask("PUT", newResponse(), body, r.as("all.admin")).want(t, c.status)
			body["source"] = "queue"
			path := newResponse()
			held := r.ask("PUT", path, body, r.as("all.admin")).want(t, 202)
			receipt := into[receiptJSON](t, held)
			if receipt.State != survey.StateQuarantined || receipt.Conflict || len(receipt.Reasons) == 0 || receipt.Reasons[0].Code != c.reason {
				t.Errorf("receipt %s", held.body)
			}
			// The device that asks again gets the same answer.
			if again := r.ask("PUT", path, body, r.as("all.admin")).want(t, 202); string(again.body) != string(held.body) {
				t.Errorf("again %s\nfirst %s", again.body, held.body)
			}
			sent, err := json.Marshal(body)
			ok(t, err)
			if raw := r.ask("GET", path+"?raw=true", nil, r.as("all.admin")).want(t, 200); string(raw.body) != string(sent) {
				t.Errorf("raw bytes differ")
			}
		})
	}
}

// closedRound stores a round that takes in nothing more.
func (r *rig) closedRound() {
	r.t.Helper()
	operator := service.Operator()
	round, err := r.svc.Round(context.Background(), operator, "demo-2018")
	ok(r.t, err)
	closed := *round
	closed.Code, closed.Closed, closed.Rev = "closed", true, 0
	if err := r.svc.SaveRound(context.Background(), operator, &closed); survey.KindOf(err) != survey.Exists {
		ok(r.t, err)
	}
}

func TestALongTextIsKeptWhole(t *testing.T) {
	r := newRig(t)
	form := r.form(r.rated(true)[0], survey.RoleSuperior)
	long := strings.Repeat("ộ", 9990) + "\n\"\\<&>😀 ké"
	if n := len([]rune(long)); n != 10000 {
		t.Fatal(n)
	}
	answersOf(form)["overall_remark"] = long
	path := newResponse()
	r.ask("PUT", path, form, r.as("all.admin")).want(t, 201)
	got := into[struct {
		Answers map[string]any `json:"answers"`
	}](t, r.ask("GET", path, nil, r.as("all.admin")).want(t, 200))
	if got.Answers["overall_remark"] != long {
		t.Errorf("the text came back changed, %d bytes of %d", len(got.Answers["overall_remark"].(string)), len(long))
	}
}

func TestOtherContentUnderATakenIDIsKeptAsAConflict(t *testing.T) {
	r := newRig(t)
	form, path := r.form(r.rated(true)[0], survey.RoleSuperior), newResponse()
	r.ask("PUT", path, form, r.as("all.admin")).want(t, 201)
	other := cloned(t, form)
	answersOf(other)["overall_remark"] = "otherwise"
	receipt := into[receiptJSON](t, r.ask("PUT", path, other, r.as("all.admin")).want(t, 202))
	if !receipt.Conflict {
		t.Errorf("receipt %+v", receipt)
	}
	got := into[struct {
		Conflicts int            `json:"conflicts"`
		Answers   map[string]any `json:"answers"`
	}](t, r.ask("GET", path, nil, r.as("all.admin")).want(t, 200))
	if got.Conflicts != 1 || got.Answers["overall_remark"] == "otherwise" {
		t.Errorf("stored %+v", got)
	}
	// Somebody else learns nothing about it and keeps nothing under it.
	p := r.ask("PUT", path, other, r.as("part.manager")).problem(t, 409, "response.id_taken")
	if strings.Contains(string(p.Detail), "C0") {
		t.Errorf("tells too much: %s", p.Detail)
	}
}

func TestAChangeNamesTheRevisionItIsBasedOn(t *testing.T) {
	r := newRig(t)
	admin := r.as("all.admin")
	form, path := r.form(r.rated(true)[0], survey.RoleSuperior), newResponse()
	first := r.ask("PUT", path, form, admin).want(t, 201)
	answersOf(form)["overall_remark"] = "second thought"
	second := r.ask("PUT", path, form, admin, header{"If-Match", first.header.Get("Etag")}).want(t, 201)
	if second.header.Get("Etag") == first.header.Get("Etag") {
		t.Error("the revision stays")
	}
	answersOf(form)["overall_remark"] = "third thought"
	r.ask("PUT", path, form, admin, header{"If-Match", first.header.Get("Etag")}).problem(t, 412, "stale")
	r.ask("PUT", path, form, admin, header{"If-Match", `"abc"`}).problem(t, 422, "request.parameter")
	r.ask("POST", path+"/review", map[string]string{"decision": "approve"}, admin, header{"If-Match", first.header.Get("Etag")}).problem(t, 412, "stale")
	r.ask("POST", path+"/review", map[string]string{"decision": "approve"}, admin).problem(t, 428, "request.if_match")
	r.ask("POST", path+"/review", map[string]string{"decision": "return"}, admin, header{"If-Match", second.header.Get("Etag")}).problem(t, 422, "review.comment")
	r.ask("POST", path+"/review", map[string]string{"decision": "approve"}, admin, header{"If-Match", second.header.Get("Etag")}).want(t, 200)

	round := r.ask("GET", "/api/v1/rounds/demo-2018", nil, admin).want(t, 200)
	r.ask("PUT", "/api/v1/rounds/demo-2018", round.body, admin, header{"If-Match", round.header.Get("Etag")}).want(t, 200)
	r.ask("PUT", "/api/v1/rounds/demo-2018", round.body, admin, header{"If-Match", round.header.Get("Etag")}).problem(t, 412, "stale")
	r.ask("PUT", "/api/v1/rounds/demo-2018", round.body, admin).problem(t, 409, "round.exists")
}

func TestParametersAreChecked(t *testing.T) {
	r := newRig(t)
	for path, code := range map[string]string{
		"/responses?limit=0": "parameter.number", "/responses?limit=x": "parameter.number", "/units?limit=2001": "parameter.number",
		"/units?date=2018-02-30": "date.shape", "/templates/SHCB-TK?version=0": "parameter.number", "/rounds/demo-2018/summary?from=yesterday": "date.shape",
		"/responses?state=aproved": "parameter.choice", "/responses?role=observr": "parameter.choice", "/rounds/demo-2018/summary?role=chief": "parameter.choice",
		"/rounds/demo-2018/summary?state=x": "parameter.choice", "/units?limti=3": "parameter.unknown", "/rounds/demo-2018/summary?items=maybe": "parameter.choice",
	} {
		p := r.ask("GET", "/api/v1"+path, nil, r.as("all.admin"), header{"Accept-Language", "en"}).problem(t, 422, "request.parameter")
		if len(p.Errors) != 1 || p.Errors[0].Code != code || p.Errors[0].Item == "" {
			t.Errorf("%s: %+v", path, p.Errors)
		}
	}
	r.ask("GET", "/api/v1/rounds/demo-2018/summary?by=colour", nil, r.as("all.admin")).problem(t, 422, "summary.grouping")
	r.ask("GET", "/api/v1/responses?after=nonsense", nil, r.as("all.admin")).problem(t, 400, "cursor")
	r.ask("GET", "/api/v1/responses/nonsense", nil, r.as("all.admin")).problem(t, 422, "response.id")
	r.ask("GET", newResponse(), nil, r.as("all.admin")).problem(t, 404, "response.unknown")
	r.ask("GET", "/api/v1/nowhere", nil, r.as("all.admin")).problem(t, 404, "page.unknown")
	if a := r.ask("DELETE", "/api/v1/rounds/demo-2018", nil, r.as("all.admin")); a.header.Get("Allow") != "GET, PUT" {
		t.Errorf("allowed %q", a.header.Get("Allow"))
	} else {
		a.problem(t, 405, "page.method")
	}
}
