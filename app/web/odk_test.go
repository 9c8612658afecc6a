package web

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// phone is an ODK client with a token of its own.
type phone struct {
	*rig
	secret, base string
	template     *survey.Template
	visit        string         // the name in visits.csv
	answers      map[string]any // that are accepted
	person       *survey.Person
	visits       []*survey.Assignment
}

// newPhone sets up an observer with two visits to units that have been rated in
// another role.
func newPhone(t testing.TB, r *rig) *phone {
	t.Helper()
	ctx := context.Background()
	name := "odk" + survey.NewID()[:8]
	r.account(&survey.Person{Name: name, Role: survey.Observer, Language: "en"})
	p := &phone{rig: r, person: r.people[name]}
	for _, unit := range r.rated(true) {
		a := &survey.Assignment{VisitKey: survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: unit, Role: survey.RoleAdjudicator}, Observer: p.person.ID}
		if err := r.svc.Assign(ctx, service.Operator(), []*survey.Assignment{a}); err == nil {
			p.visits = append(p.visits, a)
		}
		if len(p.visits) == 2 {
			break
		}
	}
	if len(p.visits) < 2 {
		t.Fatal("no units left")
	}
	p.visit = visitOf(p.visits[0])
	p.answers = answersOf(r.form(p.visits[0].Unit, survey.RoleAdjudicator))
	var err error
	p.secret, err = r.svc.CreateOpenRosaToken(ctx, service.Operator(), name, "test")
	ok(t, err)
	p.base = "/openrosa/" + p.secret
	p.template, err = r.svc.Store().Template(ctx, "SHCB-TK", 1)
	ok(t, err)
	return p
}

func visitOf(a *survey.Assignment) string {
	return string(a.Round) + ":" + string(a.Unit) + ":" + string(a.Role)
}

// form writes answers as Collect would.
func (p *phone) xml(instance string, changes map[string]any, more string) string {
	var b strings.Builder
	text := func(v any) string {
		var out bytes.Buffer
		switch v := v.(type) {
		case nil:
		case []any:
			for i, w := range v {
				if i > 0 {
					out.WriteByte(' ')
				}
				fmt.Fprint(&out, w)
			}
		default:
			_ = xml.EscapeText(&out, fmt.Append(nil, v))
		}
		return out.String()
	}
	answers := map[string]any{}
	for k, v := range p.answers {
		answers[k] = v
	}
	for k, v := range changes {
		answers[k] = v
	}
	var write func(items []survey.Item, answers map[string]any)
	write = func(items []survey.Item, answers map[string]any) {
		for i := range items {
			it := &items[i]
			v, given := answers[it.Name]
			switch {
			case it.Kind == survey.KindGroup:
				b.WriteString("<" + it.Name + ">")
				write(it.Items, answers)
				b.WriteString("</" + it.Name + ">\n")
			case it.Kind == survey.KindRepeat:
				rows, _ := v.([]any)
				for _, row := range rows {
					b.WriteString("<" + it.Name + ">")
					write(it.Items, row.(map[string]any))
					b.WriteString("</" + it.Name + ">")
				}
			case given:
				b.WriteString("<" + it.Name + ">" + text(v) + "</" + it.Name + ">")
			}
			if note, given := answers[survey.NoteName(it.Name)]; given && it.Evidence != "" {
				b.WriteString("<" + it.Name + "_note>" + text(note) + "</" + it.Name + "_note>")
			}
		}
	}
	write(p.template.Items, answers)
	return `<?xml version='1.0' ?><data id="SHCB-TK" version="1" xmlns:orx="http://openrosa.org/xforms"><start_>2018-01-15T19:00:00.000+07:00</start_><end_>2018-01-15T21:00:00.000+07:00</end_>` +
		"<deviceid_>collect:x</deviceid_><visit_>" + p.visit + "</visit_>" + b.String() +
		"<orx:meta><orx:instanceID>uuid:" + instance + "</orx:instanceID>" + more + "</orx:meta></data>"
}

// filePart is one part of a submission; one without a file name is a plain field.
type filePart struct{ field, name, kind, content string }

func body(t testing.TB, parts ...filePart) (string, []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="` + p.field + `"`
		if p.name != "" {
			disposition += `; filename="` + p.name + `"`
		}
		h.Set("Content-Disposition", disposition)
		if p.kind != "" {
			h.Set("Content-Type", p.kind)
		}
		part, err := w.CreatePart(h)
		ok(t, err)
		_, err = io.WriteString(part, p.content)
		ok(t, err)
	}
	ok(t, w.Close())
	return w.FormDataContentType(), b.Bytes()
}

func theForm(xml string) filePart {
	return filePart{"xml_submission_file", "form.xml", "text/xml", xml}
}

func photo(name, content string) filePart { return filePart{name, name, "image/jpeg", content} }

// send posts parts.
func (p *phone) send(parts ...filePart) *answer {
	p.t.Helper()
	kind, b := body(p.t, parts...)
	return p.ask("POST", p.base+"/submission?deviceID=collect%3Ax", b, header{"Content-Type", kind})
}

// told checks an answer and gives its message.
func (a *answer) told(t testing.TB, status int) string {
	t.Helper()
	a.want(t, status)
	var r struct {
		XMLName xml.Name `xml:"http://openrosa.org/http/response OpenRosaResponse"`
		Message string   `xml:"message"`
	}
	if err := xml.Unmarshal(a.body, &r); err != nil || r.Message == "" || strings.Contains(r.Message, "no value") {
		t.Fatalf("%v in %s", err, a.body)
	}
	if a.header.Get("Content-Type") != "text/xml; charset=utf-8" || a.header.Get("X-Openrosa-Version") != "1.0" || a.header.Get("X-Openrosa-Accept-Content-Length") != "100000000" || a.header.Get("Date") == "" || a.header.Get("Content-Language") == "" {
		t.Errorf("headers %v", a.header)
	}
	return r.Message
}

func (p *phone) stored(instance string) *survey.Response {
	p.t.Helper()
	r, err := p.svc.Store().Response(context.Background(), survey.ResponseID(instance))
	ok(p.t, err)
	return r
}

func odkFormsAndVisits(t *testing.T, r *rig) {
	p := newPhone(t, r)
	list := p.ask("GET", p.base+"/formList?deviceID=x&verbose=true", nil).want(t, 200)
	if !strings.Contains(list.header.Get("Content-Type"), "text/xml") || list.header.Get("X-Openrosa-Version") != "1.0" {
		t.Error(list.header)
	}
	var forms struct {
		XMLName xml.Name `xml:"http://openrosa.org/xforms/xformsList xforms"`
		Forms   []struct {
			ID       string `xml:"formID"`
			Name     string `xml:"name"`
			Version  string `xml:"version"`
			Hash     string `xml:"hash"`
			Download string `xml:"downloadUrl"`
			Manifest string `xml:"manifestUrl"`
		} `xml:"xform"`
	}
	ok(t, xml.Unmarshal(list.body, &forms))
	if len(forms.Forms) != 1 || forms.Forms[0].ID != "SHCB-TK" || forms.Forms[0].Version != "1" || forms.Forms[0].Name == "" {
		t.Fatalf("%s", list.body)
	}
	get := func(address string, headers ...header) *answer {
		return p.ask("GET", strings.TrimPrefix(address, p.url), nil, headers...)
	}
	f := forms.Forms[0]
	form := get(f.Download).want(t, 200)
	sum := md5.Sum(form.body)
	if f.Hash != "md5:"+hex.EncodeToString(sum[:]) {
		t.Error("the hash is not that of the bytes")
	}
	get(f.Download, header{"If-None-Match", form.header.Get("Etag")}).want(t, 304)
	var manifest struct {
		Files []struct {
			Name     string `xml:"filename"`
			Hash     string `xml:"hash"`
			Download string `xml:"downloadUrl"`
		} `xml:"mediaFile"`
	}
	ok(t, xml.Unmarshal(get(f.Manifest).want(t, 200).body, &manifest))
	visits := get(manifest.Files[0].Download).want(t, 200)
	sum = md5.Sum(visits.body)
	if manifest.Files[0].Name != "visits.csv" || manifest.Files[0].Hash != "md5:"+hex.EncodeToString(sum[:]) {
		t.Error(manifest)
	}
	lines, err := csv.NewReader(bytes.NewReader(visits.body)).ReadAll()
	ok(t, err)
	if len(lines) != 3 || lines[0][0] != "name" || lines[0][1] != "label" {
		t.Fatal(lines)
	}
	if !bytes.Equal(get(f.Download).body, form.body) || !bytes.Equal(p.ask("GET", p.base+"/formList", nil).body, list.body) {
		t.Error("the second time is another")
	}
	// Enketo asks for one form and folds the letters of addresses.
	if b := p.ask("GET", "/openrosa/"+strings.ToUpper(p.secret)+"/formList?formID=other", nil).want(t, 200).body; strings.Contains(string(b), "<xform>") {
		t.Errorf("%s", b)
	}
	other := newPhone(t, r)
	if b := other.ask("GET", other.base+"/forms/SHCB-TK/1/visits.csv", nil).want(t, 200).body; strings.Contains(string(b), p.visit) {
		t.Error("somebody else's visits are shown")
	}
	// Closed, the form stays until the visits are settled.
	round, err := r.svc.Store().Round(context.Background(), "demo-2018")
	ok(t, err)
	round.Closed = true
	ok(t, r.svc.Store().ReplaceRound(context.Background(), round))
	defer func() { // the other tests have the same store
		round, err := r.svc.Store().Round(context.Background(), "demo-2018")
		ok(t, err)
		round.Closed = false
		ok(t, r.svc.Store().ReplaceRound(context.Background(), round))
	}()
	fresh := service.New(r.svc.Store(), service.Options{})
	who, err := fresh.OpenRosaCaller(context.Background(), p.secret)
	ok(t, err)
	if left, err := fresh.ODKForms(context.Background(), who, false); err != nil || len(left) != 1 {
		t.Error(left, err)
	}
}

func odkKeys(t *testing.T, r *rig) {
	p := newPhone(t, r)
	p.ask("HEAD", p.base+"/submission", nil).want(t, 204)
	for _, path := range []string{"/formList", "/forms/SHCB-TK/1/form.xml", "/forms/SHCB-TK/1/manifest"} {
		p.ask("GET", "/openrosa/"+strings.Repeat("a", 32)+path, nil).told(t, 403)
		p.ask("GET", "/openrosa/"+p.tokens[p.person.Name]+path, nil).told(t, 403) // the API's key
		p.ask("GET", "/openrosa"+path, nil).told(t, 401)
	}
	p.ask("GET", "/api/v1/me", nil, header{"Authorization", "Bearer " + p.secret}).want(t, 401)
	basic := func(name, secret string) header {
		q, _ := http.NewRequest("GET", "/", nil)
		q.SetBasicAuth(name, secret)
		return header{"Authorization", q.Header.Get("Authorization")}
	}
	p.ask("GET", "/openrosa/formList", nil, basic(p.person.Name, p.secret)).want(t, 200)
	p.ask("GET", "/openrosa/formList", nil, basic("all.observer", p.secret)).told(t, 401)
	p.ask("HEAD", "/openrosa/submission", nil, basic(p.person.Name, p.secret)).want(t, 204)
	if a := p.ask("GET", "/openrosa/formList", nil); !strings.HasPrefix(a.header.Get("Www-Authenticate"), "Basic ") {
		t.Error(a.header)
	}
	if strings.Contains(r.logged.String(), p.secret) {
		t.Error("the secret is in the log")
	}
	ok(t, r.svc.RevokeOpenRosaTokens(context.Background(), service.Operator(), p.person.Name))
	p.ask("GET", p.base+"/formList", nil).told(t, 403)
	p.ask("HEAD", p.base+"/submission", nil).want(t, 204)
	id := survey.NewID()
	if m := p.send(theForm(p.xml(id, nil, ""))).told(t, 201); !strings.Contains(m, "held for review") {
		t.Error(m)
	}
	if got := p.stored(id); got.State != survey.StateQuarantined || got.Reasons[0].Code != "openrosa.token_revoked" {
		t.Errorf("%+v", got.Reasons)
	}
}

func odkSubmissionIsTheSameTruthAsTheAPI(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	sent := p.xml(id, nil, "")
	if m := p.send(theForm(sent)).told(t, 201); m != "Received. 1 of your 2 visits are in." {
		t.Error(m)
	}
	odk := p.stored(id)
	if odk.State != survey.StateSubmitted || string(odk.Raw) != sent || odk.Source != survey.SourceOpenRosa || odk.StartedAt == nil || odk.Observer != p.person.ID {
		t.Fatalf("%s %+v", odk.State, odk.Reasons)
	}
	form := r.form(p.visits[1].Unit, survey.RoleAdjudicator)
	form["answers"] = p.answers
	path := newResponse()
	r.ask("PUT", path, form, r.as(p.person.Name)).want(t, 201)
	api := p.stored(strings.TrimPrefix(path, "/api/v1/responses/"))
	a, _ := json.Marshal(odk.Answers)
	b, _ := json.Marshal(api.Answers)
	if !bytes.Equal(a, b) {
		t.Errorf("answers\n%s\nfrom the API\n%s", a, b)
	}
	x, _ := json.Marshal(odk.Receipt)
	y, _ := json.Marshal(api.Receipt)
	if !bytes.Equal(x, y) {
		t.Errorf("score %s, from the API %s", x, y)
	}
	if m := p.send(theForm(sent)).told(t, 201); m != "Received. 2 of your 2 visits are in." {
		t.Error(m)
	}
	if again := p.stored(id); again.Rev != odk.Rev {
		t.Error("a repeat changed what is stored")
	}
}

// What the phone cannot mend is taken in all the same, and said to be held.
func odkWhatIsHeldForReview(t *testing.T, r *rig) {
	p := newPhone(t, r)
	replaced := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	for name, c := range map[string]struct {
		change func(string) string
		reason string
	}{
		"an unknown version":    {replaced(`version="1"`, `version="99"`), "openrosa.version"},
		"no number for version": {replaced(`version="1"`, `version="2018-x"`), "openrosa.version"},
		"an unknown form":       {replaced(`id="SHCB-TK"`, `id="other"`), "openrosa.version"},
		"an impossible form":    {replaced(`id="SHCB-TK"`, `id="a b/../c"`), "openrosa.form"},
		"no visit":              {replaced(p.visit, ""), "openrosa.no_visit"},
		"a visit of nobody's":   {replaced(p.visit, "demo-2018:"+string(p.visits[0].Unit)+":superior"), ""},
		"an unknown unit":       {replaced(p.visit, "demo-2018:NOWHERE:observer"), ""},
		"an unknown round":      {replaced(p.visit, "nowhere:"+string(p.visits[0].Unit)+":observer"), ""},
		"a failed check":        {replaced("<A1>", "<A1>nonsense"), ""},
		"encrypted":             {replaced(`version="1"`, `version="1" encrypted="yes"`), "openrosa.encrypted"},
		"edits what is unknown": {replaced("</orx:meta>", "<deprecatedID>uuid:"+survey.NewID()+"</deprecatedID></orx:meta>"), "openrosa.deprecated_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			id := survey.NewID()
			sent := c.change(p.xml(id, nil, ""))
			for range 2 {
				if m := p.send(theForm(sent)).told(t, 201); !strings.Contains(m, "held for review") {
					t.Error(m)
				}
			}
			got := p.stored(id)
			if got.State != survey.StateQuarantined || string(got.Raw) != sent || len(got.Reasons) == 0 || c.reason != "" && got.Reasons[0].Code != c.reason || got.Rev != 1 {
				t.Errorf("%s at revision %d for %v", got.State, got.Rev, got.Reasons)
			}
		})
	}
	for name, sent := range map[string]string{
		"no XML":            "PK\x03\x04\x00",
		"an entity bomb":    `<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><data id="SHCB-TK" version="1">&b;</data>`,
		"deep nesting":      strings.Repeat("<a>", 50_000),
		"no identity":       strings.Replace(p.xml("x", nil, ""), "<orx:instanceID>uuid:x</orx:instanceID>", "", 1),
		"no UUID":           p.xml("my-own-name", nil, ""),
		"control character": strings.Replace(p.xml(survey.NewID(), nil, ""), "</data>", "\x01</data>", 1),
	} {
		before := p.count()
		for range 2 {
			p.send(theForm(sent)).told(t, 201)
		}
		if n := p.count() - before; n != 1 {
			t.Errorf("%s: %d responses, want 1", name, n)
		}
	}
}

// count counts the phone's responses.
func (p *phone) count() (n int) {
	for _, err := range p.svc.Store().ResponsesSince(context.Background(), survey.ResponseFilter{Observer: p.person.ID}, "") {
		ok(p.t, err)
		n++
	}
	return n
}

func odkConflictsAndEdits(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	p.send(theForm(p.xml(id, nil, ""))).told(t, 201)
	other := p.xml(id, map[string]any{"overall_remark": "something else"}, "")
	for range 2 {
		if m := p.send(theForm(other)).told(t, 201); !strings.Contains(m, "differs") {
			t.Error(m)
		}
	}
	if got := p.stored(id); len(got.Conflicts) != 1 || string(got.Conflicts[0].Raw) != other {
		t.Errorf("%d conflicts", len(got.Conflicts))
	}
	second, third := survey.NewID(), survey.NewID()
	edit := func(instance, of, remark string) string {
		return p.xml(instance, map[string]any{"overall_remark": remark}, "<orx:deprecatedID>uuid:"+of+"</orx:deprecatedID>")
	}
	for range 2 {
		p.send(theForm(edit(second, id, "edited"))).told(t, 201)
		p.send(theForm(edit(third, second, "edited again"))).told(t, 201)
	}
	got := p.stored(id)
	if v, _ := got.Answers.Get("overall_remark"); len(got.Earlier) != 2 || v.Text != "edited again" || got.State != survey.StateSubmitted {
		t.Errorf("%d earlier, %q", len(got.Earlier), v.Text)
	}
	// One that edits what is no longer current is kept beside.
	p.send(theForm(edit(survey.NewID(), id, "late"))).told(t, 201)
	if got = p.stored(id); len(got.Conflicts) != 2 || len(got.Earlier) != 2 {
		t.Errorf("%d conflicts, %d earlier", len(got.Conflicts), len(got.Earlier))
	}
	// Somebody else's phone under the same id is not turned away for ever.
	thief := newPhone(t, r)
	if m := thief.send(theForm(thief.xml(id, nil, ""))).told(t, 201); !strings.Contains(m, "held for review") {
		t.Error(m)
	}
	if after := p.stored(id); after.Rev != got.Rev {
		t.Error("it changed a response of another")
	}
}

func odkFilesInAnyOrder(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	sent := p.xml(id, map[string]any{"photo": "ảnh 1.jpg"}, "<audit>audit.csv</audit>")
	p.send(theForm(sent), filePart{"*isIncomplete*", "", "", "yes"}).told(t, 201)
	p.send(photo("ảnh 1.jpg", "picture"), theForm(sent), filePart{"audit.csv", "audit.csv", "text/csv", "event,node,start,end\n"}).told(t, 201)
	p.send(filePart{"nobody asked", "../../etc/left over.txt", "", "x"}, theForm(sent), photo("ảnh 1.jpg", "picture"), photo("ảnh 1.jpg", "another picture"), filePart{"field", "", "", "value"}).told(t, 201)
	var names []string
	for a, err := range r.svc.Store().Attachments(context.Background(), survey.ResponseID(id)) {
		ok(t, err)
		f, err := r.svc.Store().Content(context.Background(), a.SHA256)
		ok(t, err)
		b, err := io.ReadAll(f)
		ok(t, err)
		names = append(names, a.Name+"="+string(b[:min(len(b), 15)]))
	}
	want := "audit.csv=event,node,star|left over.txt=x|ảnh 1.jpg=picture|ảnh 1.jpg=another picture"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if p.count() != 1 {
		t.Error("more than one response")
	}
	many := []filePart{theForm(sent)}
	for i := range 101 {
		many = append(many, photo(fmt.Sprintf("%d.jpg", i), fmt.Sprint("content ", i)))
	}
	p.send(many...).told(t, 201)
}

func odkBrokenBodies(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	kind, b := body(t, theForm(p.xml(id, nil, "")), photo("a.jpg", strings.Repeat("x", 100_000)))
	to := p.base + "/submission"
	p.ask("POST", to, b[:len(b)-20], header{"Content-Type", kind}).told(t, 400)
	p.ask("POST", to, b[:len(b)/2], header{"Content-Type", kind}).told(t, 400)
	p.ask("POST", to, b, header{"Content-Type", "multipart/form-data; boundary=wrong"}).told(t, 400)
	p.ask("POST", to, b, header{"Content-Type", "multipart/form-data"}).told(t, 400)
	p.ask("POST", to, "", header{"Content-Type", kind}).told(t, 400)
	p.send(photo("a.jpg", "no form")).told(t, 400)
	p.send(theForm("")).told(t, 400)
	if p.count() != 0 {
		t.Error("something was stored of what was refused")
	}
	// Chunked, without a length.
	p.ask("POST", to, struct{ io.Reader }{bytes.NewReader(b)}, header{"Content-Type", kind}).told(t, 201)
	p.ask("POST", p.base+"/submission", p.xml(survey.NewID(), nil, ""), header{"Content-Type", "text/xml"}).told(t, 201)

	// A client that announces too much gets to read why it is not taken.
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	ok(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", to, kind, odkMaxBody+1)
	ok(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	done := make(chan struct{})
	go func() { // it sends on while the server answers
		defer close(done)
		chunk := make([]byte, 1<<20)
		for range 8 {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	reply, err := io.ReadAll(conn)
	<-done
	if err != nil || !bytes.HasPrefix(reply, []byte("HTTP/1.1 413 ")) || !bytes.Contains(reply, []byte("OpenRosaResponse")) {
		t.Errorf("%v: %s", err, clip(reply))
	}
}

func odkManyIdenticalPostsAtOnce(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	kind, b := body(t, theForm(p.xml(id, nil, "")), photo("a.jpg", strings.Repeat("x", 50_000)))
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a, err := p.try("POST", p.base+"/submission", b, header{"Content-Type", kind})
			if err != nil || a.status != 201 {
				t.Errorf("%v %+v", err, a)
			}
		}()
	}
	wg.Wait()
	if got := p.stored(id); got.Rev != 1 || len(got.Conflicts) != 0 || p.count() != 1 {
		t.Errorf("revision %d, %d conflicts", got.Rev, len(got.Conflicts))
	}
}

// pieces gives a long content without having it in memory.
type pieces struct {
	left int
	wait time.Duration
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(p.wait)
	n := min(len(b), p.left, 64<<10)
	for i := range b[:n] {
		b[i] = byte(p.left >> (i % 24))
	}
	p.left -= n
	return n, nil
}

func odkLargePhotoTakesNoMemory(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	const boundary = "b0undary"
	before := fmt.Sprintf("--%s\r\nContent-Disposition: form-data; name=\"xml_submission_file\"; filename=\"f.xml\"\r\nContent-Type: text/xml\r\n\r\n%s\r\n--%[1]s\r\n"+
		"Content-Disposition: form-data; name=\"big.jpg\"; filename=\"big.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n", boundary, p.xml(id, nil, ""))
	after := "\r\n--" + boundary + "--\r\n"
	const size = 60 << 20
	runtime.GC()
	var start, peak runtime.MemStats
	runtime.ReadMemStats(&start)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Add(1)
	go func() {
		defer watch.Done()
		var now runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				runtime.ReadMemStats(&now)
				peak.HeapInuse = max(peak.HeapInuse, now.HeapInuse)
			}
		}
	}()
	p.ask("POST", p.base+"/submission", io.MultiReader(strings.NewReader(before), &pieces{left: size}, strings.NewReader(after)),
		header{"Content-Type", "multipart/form-data; boundary=" + boundary}).told(t, 201)
	close(stop)
	watch.Wait()
	if grown := int64(peak.HeapInuse) - int64(start.HeapInuse); grown > 30<<20 {
		t.Errorf("a photo of 60 MB took %d MB of memory", grown>>20)
	}
	for a, err := range r.svc.Store().Attachments(context.Background(), survey.ResponseID(id)) {
		ok(t, err)
		if a.Size != size {
			t.Errorf("%d bytes are stored", a.Size)
		}
	}
	// A slow client is waited for.
	slow := survey.NewID()
	before = strings.Replace(before, id, slow, 1)
	p.ask("POST", p.base+"/submission", io.MultiReader(strings.NewReader(before), &pieces{left: 1 << 20, wait: 100 * time.Millisecond}, strings.NewReader(after)),
		header{"Content-Type", "multipart/form-data; boundary=" + boundary}).told(t, 201)
}

// The page that shows a code shows one that works.
func odkCardsWork(t *testing.T, r *rig) {
	p := newPhone(t, r)
	here := header{"Sec-Fetch-Site", "same-origin"}
	form := header{"Content-Type", "application/x-www-form-urlencoded"}
	link := regexp.MustCompile(`/openrosa/[a-z2-7]{32}`)
	try := func(page *answer, cards int) {
		t.Helper()
		found := link.FindAllString(string(page.want(t, 200).body), -1)
		if len(found) != cards || strings.Count(string(page.body), `class="qr"`) != cards {
			t.Fatalf("%d codes, want %d: %s", len(found), cards, clip(page.body))
		}
		for _, f := range found {
			r.ask("GET", f+"/formList", nil).want(t, 200)
		}
	}
	try(r.ask("POST", "/account/odk", "", r.as(p.person.Name), here, form), 1)
	try(r.ask("POST", "/people/odk", "name="+p.person.Name+"&name=all.observer", r.as("all.admin"), here, form), 2)
	r.ask("POST", "/people/odk", "name=all.analyst", r.as("all.admin"), here, form).want(t, 422)
}
