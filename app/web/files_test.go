package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// makeFiles makes ordered files until the test ends.
func (r *rig) makeFiles() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { r.svc.RunJobs(ctx); close(ended) }()
	stop = func() { cancel(); <-ended }
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) orderFile(t *testing.T, as string, body string) string {
	t.Helper()
	id := survey.NewID()
	r.ask("PUT", "/api/v1/rounds/demo-2018/files/"+id, body, r.as(as)).want(t, 202)
	return id
}

// file waits for an ordered file to be over.
func (r *rig) file(t *testing.T, as, id string) jobJSON {
	t.Helper()
	for range 600 {
		var j jobJSON
		ok(t, json.Unmarshal(r.ask("GET", "/api/v1/files/"+id+"?lang=en", nil, r.as(as)).want(t, 200).body, &j))
		if j.State.Over() {
			return j
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the file was not made")
	return jobJSON{}
}

func TestFilesAreOrderedMadeAndFetched(t *testing.T) {
	r := newRig(t)
	id := r.orderFile(t, "all.analyst", `{"kind": "workbook", "language": "en", "by": ["sector", "setting"]}`)
	// The same order again is no second one.
	r.ask("PUT", "/api/v1/rounds/demo-2018/files/"+id, `{"kind": "csv"}`, r.as("all.analyst")).want(t, 202)
	r.ask("GET", "/api/v1/files/"+id+"/file", nil, r.as("all.analyst")).problem(t, 409, "job.no_file")
	r.makeFiles()
	j := r.file(t, "all.analyst", id)
	if j.State != survey.JobDone || j.Kind != survey.JobWorkbook || j.Until == nil || j.Size == 0 {
		t.Fatalf("the file is %+v", j)
	}
	a := r.ask("GET", "/api/v1/files/"+id+"/file", nil, r.as("all.analyst")).want(t, 200)
	if got := survey.HashRaw(a.body); got != j.SHA256 || !strings.Contains(a.header.Get("Content-Disposition"), "demo-2018.xlsx") {
		t.Errorf("hash %s, want %s; %s", got, j.SHA256, a.header.Get("Content-Disposition"))
	}
	f, err := excelize.OpenReader(bytes.NewReader(a.body))
	ok(t, err)
	defer f.Close()
	if sheets := strings.Join(f.GetSheetList(), " "); !strings.Contains(sheets, "By_setting") || strings.Contains(sheets, "By_structure") {
		t.Errorf("sheets: %s", sheets)
	}

	t.Run("nobody else sees it", func(t *testing.T) {
		for _, other := range []string{"all.manager", "part.analyst"} {
			r.ask("GET", "/api/v1/files/"+id, nil, r.as(other)).problem(t, 404, "job.unknown")
			r.ask("GET", "/api/v1/files/"+id+"/file", nil, r.as(other)).problem(t, 404, "job.unknown")
			r.ask("POST", "/api/v1/files/"+id+"/cancel", nil, r.as(other)).problem(t, 404, "job.unknown")
			if page := r.ask("GET", "/rounds/demo-2018/files", nil, r.as(other)).want(t, 200); strings.Contains(string(page.body), id) {
				t.Errorf("%s sees the file on the page", other)
			}
		}
	})
	t.Run("it stays within the scope", func(t *testing.T) {
		part := r.orderFile(t, "part.analyst", `{"kind": "csv", "separator": "semicolon"}`)
		r.file(t, "part.analyst", part)
		body := r.ask("GET", "/files/"+part+"/file", nil, r.as("part.analyst")).want(t, 200).body
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		ok(t, err)
		in, err := z.Open("responses.csv")
		ok(t, err)
		var text bytes.Buffer
		_, err = text.ReadFrom(in)
		ok(t, err)
		lines := strings.Split(strings.TrimSpace(text.String()), "\r\n")
		if len(lines) < 20 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines[1:] {
			if !strings.Contains(line, "Quận ủy 1") {
				t.Errorf("out of scope: %.120s", line)
			}
		}
	})
	t.Run("a workbook for each superior", func(t *testing.T) {
		zipped := r.orderFile(t, "all.analyst", `{"kind": "superiors", "summary": true}`)
		if j := r.file(t, "all.analyst", zipped); j.State != survey.JobDone {
			t.Fatalf("%+v", j)
		}
		body := r.ask("GET", "/files/"+zipped+"/file", nil, r.as("all.analyst")).want(t, 200).body
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		ok(t, err)
		if len(z.File) != 4 || z.File[0].Name != "S0001 Quận ủy 1.xlsx" {
			t.Errorf("%d files, the first %q", len(z.File), z.File[0].Name)
		}
	})
	t.Run("wrong orders are refused", func(t *testing.T) {
		for body, code := range map[string]string{`{"kind": "pdf"}`: "request.shape", `{"kind": "csv", "by": ["nothing"]}`: "summary.grouping", `{"kind": "word", "title": "x", "as_of": "2999-01-01T00:00:00Z"}`: "job.as_of",
			`{"kind": "csv", "template": "NONE"}`: "round.not_its_template"} {
			r.ask("PUT", "/api/v1/rounds/demo-2018/files/"+survey.NewID(), body, r.as("all.analyst")).problem(t, 422, code)
		}
		r.ask("PUT", "/api/v1/rounds/demo-2018/files/1", `{"kind": "csv"}`, r.as("all.analyst")).problem(t, 422, "job.id")
	})
}

// TestReportsStayAsTheyWere freezes a report, lets responses come in and change,
// and makes it again.
func TestReportsStayAsTheyWere(t *testing.T) {
	r := newRig(t)
	r.makeFiles()
	id := r.orderFile(t, "all.analyst", `{"kind": "workbook", "title": "Quý I"}`)
	first := r.file(t, "all.analyst", id)
	if first.State != survey.JobDone || first.AsOf == nil || first.Until != nil {
		t.Fatalf("%+v", first)
	}
	before := r.ask("GET", "/files/"+id+"/file", nil, r.as("all.analyst")).want(t, 200).body
	// Something that was submitted is returned.
	ctx := context.Background()
	changed := ""
	for change, err := range r.svc.Store().ResponsesSince(ctx, survey.ResponseFilter{Round: "demo-2018", Template: "SHCB-TK", State: survey.StateSubmitted}, "") {
		ok(t, err)
		changed = string(change.Doc.ID)
		_, err := r.svc.Review(ctx, service.Operator(), change.Doc.ID, change.Doc.Rev, service.Verdict{Decision: service.Return, Comment: "Xem lại"})
		ok(t, err)
		break
	}
	again := survey.NewID()
	r.ask("POST", "/files/"+id+"/again", url.Values{"id": {again}}.Encode(), r.as("all.admin"), header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Sec-Fetch-Site", "same-origin"}).want(t, 303)
	second := r.file(t, "all.admin", again)
	if second.State != survey.JobDone || string(second.Again) != id || !second.AsOf.Equal(*first.AsOf) {
		t.Fatalf("%+v", second)
	}
	if after := r.ask("GET", "/files/"+id+"/file", nil, r.as("all.analyst")).want(t, 200).body; !bytes.Equal(before, after) {
		t.Error("the kept file is another")
	}
	old, err := excelize.OpenReader(bytes.NewReader(before))
	ok(t, err)
	made, err := excelize.OpenReader(bytes.NewReader(r.ask("GET", "/files/"+again+"/file", nil, r.as("all.admin")).want(t, 200).body))
	ok(t, err)
	compared := 0
	for _, sheet := range old.GetSheetList() {
		if sheet == "TrangBia" {
			continue // lists one sheet more
		}
		a, err := old.GetRows(sheet, excelize.Options{RawCellValue: true})
		ok(t, err)
		b, err := made.GetRows(sheet, excelize.Options{RawCellValue: true})
		ok(t, err)
		if len(a) != len(b) {
			t.Errorf("%s has %d rows, had %d", sheet, len(b), len(a))
			continue
		}
		for i := range a {
			if strings.Join(a[i], "\x00") != strings.Join(b[i], "\x00") {
				t.Errorf("%s row %d is\n%q, was\n%q", sheet, i+1, b[i], a[i])
				break
			}
			compared += len(a[i])
		}
	}
	if compared < 10000 {
		t.Errorf("only %d cells were compared", compared)
	}
	late, err := made.GetRows("DenSau")
	ok(t, err)
	if len(late) != 4 || late[3][0] != changed || late[3][6] != "đổi trạng thái duyệt" {
		t.Errorf("late: %q", late)
	}
}

func TestACancelledFileIsNotMade(t *testing.T) {
	r := newRig(t)
	id := r.orderFile(t, "all.analyst", `{"kind": "workbook"}`)
	r.ask("POST", "/files/"+id+"/cancel", "", r.as("all.analyst"), header{"Content-Type", "application/x-www-form-urlencoded"}, header{"Sec-Fetch-Site", "same-origin"}).want(t, 303)
	r.makeFiles()
	other := r.orderFile(t, "all.analyst", `{"kind": "csv"}`)
	r.file(t, "all.analyst", other) // the queue has been gone through
	if j := r.file(t, "all.analyst", id); j.State != survey.JobCancelled || j.File != "" {
		t.Errorf("%+v", j)
	}
}

// TestFilesSurviveAStop stops the process that makes files again and again, and
// lets a silent one be taken over.
func TestFilesSurviveAStop(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	store := r.svc.Store()
	silent := r.orderFile(t, "all.analyst", `{"kind": "workbook"}`)
	j, err := store.Job(ctx, survey.JobID(silent))
	ok(t, err)
	j.State, j.Worker, j.Tries, j.Beat = survey.JobRunning, "killed", 1, r.svc.Now().Add(-time.Minute)
	ok(t, store.ReplaceJob(ctx, j))
	worn := r.orderFile(t, "all.analyst", `{"kind": "workbook"}`)
	j, err = store.Job(ctx, survey.JobID(worn))
	ok(t, err)
	j.State, j.Worker, j.Tries, j.Beat = survey.JobRunning, "killed", 3, r.svc.Now().Add(-time.Minute)
	ok(t, store.ReplaceJob(ctx, j))
	for range 5 {
		stop := r.makeFiles()
		time.Sleep(20 * time.Millisecond)
		stop()
	}
	r.makeFiles()
	if j := r.file(t, "all.analyst", silent); j.State != survey.JobDone {
		t.Errorf("what a killed process left: %+v", j)
	}
	if j := r.file(t, "all.analyst", worn); j.State != survey.JobFailed || !strings.Contains(j.Reason, "interrupted three times") {
		t.Errorf("what was tried too often: %+v", j)
	}
}

func TestAFileGoesAfterADay(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	stop := r.makeFiles()
	gone, kept := r.orderFile(t, "all.analyst", `{"kind": "csv"}`), r.orderFile(t, "all.analyst", `{"kind": "workbook", "title": "Giữ lại", "summary": true}`)
	r.file(t, "all.analyst", gone)
	r.file(t, "all.analyst", kept)
	stop()
	store := r.svc.Store()
	for _, id := range []string{gone, kept} {
		j, err := store.Job(ctx, survey.JobID(id))
		ok(t, err)
		j.Finished = j.Finished.Add(-25 * time.Hour)
		ok(t, store.ReplaceJob(ctx, j))
	}
	j, err := store.Job(ctx, survey.JobID(gone))
	ok(t, err)
	r.ask("GET", "/files/"+gone+"/file", nil, r.as("all.analyst")).problem(t, 409, "job.no_file")
	r.makeFiles()
	r.file(t, "all.analyst", r.orderFile(t, "all.analyst", `{"kind": "csv", "separator": "semicolon"}`))
	r.ask("GET", "/api/v1/files/"+gone, nil, r.as("all.analyst")).problem(t, 404, "job.unknown")
	if _, err := store.Content(ctx, j.SHA256); survey.CodeOf(err) != "content.unknown" {
		t.Errorf("the content stays: %v", err)
	}
	r.ask("GET", "/files/"+kept+"/file", nil, r.as("all.analyst")).want(t, 200)
}

// TestALinkReadsSummariesAndNothingElse is what Excel does with it.
func TestALinkReadsSummariesAndNothingElse(t *testing.T) {
	r := newRig(t)
	var made struct{ Address, Token string }
	ok(t, json.Unmarshal(r.ask("POST", "/api/v1/feeds", `{"label": "Power BI"}`, r.as("part.analyst")).want(t, 201).body, &made))
	path := strings.TrimPrefix(made.Address, r.url) + "/rounds/demo-2018/"
	if path == made.Address {
		t.Fatal(made.Address)
	}
	table := rowsOf(t, r.ask("GET", path+"summary.csv?by=superior&lang=en", nil).want(t, 200).body)
	if len(table) != 2 || table[0]["group"] != "S0001" || table[1]["line"] != "all" || table[0]["n"] == "0" || table[0]["mean"] != table[1]["mean"] {
		t.Errorf("within the scope there is one superior: %v", table)
	}
	var sum struct {
		Overall struct{ N int }
	}
	ok(t, json.Unmarshal(r.ask("GET", path+"summary.json", nil).want(t, 200).body, &sum))
	if table[1]["n"] != strconv.Itoa(sum.Overall.N) {
		t.Errorf("n is %s and %d", table[1]["n"], sum.Overall.N)
	}
	for _, other := range []string{"/api/v1/me", "/api/v1/rounds/demo-2018/summary", "/api/v1/responses"} {
		r.ask("GET", other, nil, header{"Authorization", "Bearer " + made.Token}).want(t, 401)
	}
	if log := r.logged.String(); strings.Contains(log, made.Token) || !strings.Contains(log, "/data/:token/") {
		t.Error("the secret is in the log, or the route is not")
	}
	devices, err := r.svc.Devices(context.Background(), service.Caller{Person: r.people["part.analyst"]}, "part.analyst", "")
	ok(t, err)
	for _, d := range devices {
		if d.Purpose == survey.TokenFeed {
			ok(t, r.svc.SignOutDevice(context.Background(), service.Caller{Person: r.people["part.analyst"]}, "part.analyst", d.ID))
		}
	}
	r.ask("GET", path+"summary.csv", nil).want(t, 401)
}

func rowsOf(t *testing.T, file []byte) []map[string]string {
	t.Helper()
	text, found := bytes.CutPrefix(file, []byte("\uFEFF"))
	if !found {
		t.Fatal("no byte order mark")
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	ok(t, err)
	var out []map[string]string
	for _, row := range all[1:] {
		line := map[string]string{}
		for i, v := range row {
			line[all[0][i]] = v
		}
		out = append(out, line)
	}
	return out
}

// TestSlipsTellWhatTheScoreIs compares the slips of a superior with the scores
// that the API gives.
func TestSlipsTellWhatTheScoreIs(t *testing.T) {
	r := newRig(t)
	page := string(r.ask("GET", "/rounds/demo-2018/slips?under=S0001&lang=en&size=A4", nil, r.as("all.analyst")).want(t, 200).body)
	slips := strings.Split(page, `<article class="slip slip-A4"`)[1:]
	var list struct {
		Groups []struct{ Observed int }
	}
	ok(t, json.Unmarshal(r.ask("GET", "/api/v1/rounds/demo-2018/summary?by=all&under=S0001", nil, r.as("all.analyst")).want(t, 200).body, &list))
	if len(slips) != list.Groups[0].Observed || len(slips) < 20 {
		t.Fatalf("%d slips for %d visits", len(slips), list.Groups[0].Observed)
	}
	of := map[string]string{}
	for change, err := range r.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Round: "demo-2018", Template: "SHCB-TK", Role: survey.RoleObserver, Under: "S0001"}, "") {
		ok(t, err)
		of[string(change.Doc.Unit)] = change.Doc.Receipt.Total
	}
	told := 0
	for _, slip := range slips {
		for unit, total := range of {
			if strings.Contains(slip, " "+unit+" ") && total != "" {
				told++
				if !strings.Contains(slip, "<b>"+total+"</b>") {
					t.Errorf("the slip of %s does not tell %s", unit, total)
				}
			}
		}
	}
	if told < 20 {
		t.Errorf("%d slips were compared", told)
	}
	r.ask("GET", "/rounds/demo-2018/slips?under=S0002", nil, r.as("part.analyst")).want(t, 403)
	if one := string(r.ask("GET", "/rounds/demo-2018/slips?under=C000003", nil, r.as("part.analyst")).want(t, 200).body); strings.Count(one, "<article") != 1 {
		t.Error("not one slip for one chapter")
	}
}
