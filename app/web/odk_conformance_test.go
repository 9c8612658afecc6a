package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
)

// TestODKConformance runs what peers' own suites and the protocol ask of a
// server over a listener, on both stores; the list with what each line stands
// for is in app/openrosa/README.md.
func TestODKConformance(t *testing.T) {
	cases := []struct {
		name string
		run  func(*testing.T, *rig)
	}{
		{"forms and visits", odkFormsAndVisits},
		{"keys", odkKeys},
		{"the same truth as the API", odkSubmissionIsTheSameTruthAsTheAPI},
		{"held for review", odkWhatIsHeldForReview},
		{"conflicts and edits", odkConflictsAndEdits},
		{"files in any order", odkFilesInAnyOrder},
		{"broken bodies", odkBrokenBodies},
		{"many identical posts at once", odkManyIdenticalPostsAtOnce},
		{"many different posts at once", odkManyDifferentPostsAtOnce},
		{"clients as they are", odkClientsAsTheyAre},
		{"the answer is lost", odkTheAnswerIsLost},
		{"a large photo takes no memory", odkLargePhotoTakesNoMemory},
		{"cards work", odkCardsWork},
	}
	for _, store := range []struct {
		name string
		open func(*testing.T) *rig
	}{
		{"SQLite", func(t *testing.T) *rig { return newRig(t) }},
		{"MongoDB", newMongoRig},
	} {
		t.Run(store.name, func(t *testing.T) {
			shared := store.open(t)
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					own := *shared
					own.t = t
					c.run(t, &own)
				})
			}
		})
	}
}

// newMongoRig serves the demonstration from a database of its own.
func newMongoRig(t *testing.T) *rig {
	t.Helper()
	store, err := mongo.Open(context.Background(), mongotest.DatabaseURI(t), mongo.Options{})
	ok(t, err)
	size, _ := fixtures.SizeNamed("S")
	d, err := fixtures.NewDemo(size, 156)
	ok(t, err)
	ok(t, service.New(store, service.Options{Log: slog.New(slog.DiscardHandler)}).LoadDemo(context.Background(), d, nil))
	return newRigOn(t, store)
}

// Contents that come under one id at the same time are all kept: one is the
// response, the others stand beside it.
func odkManyDifferentPostsAtOnce(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	const contents = 4
	sent := make([]string, contents)
	for i := range sent {
		sent[i] = p.xml(id, map[string]any{"overall_remark": fmt.Sprint("remark ", i)}, "")
	}
	var wg sync.WaitGroup
	for i := range 3 * contents {
		kind, b := body(t, theForm(sent[i%contents]))
		wg.Go(func() {
			a, err := p.try("POST", p.base+"/submission", b, header{"Content-Type", kind})
			if err != nil || a.status != 201 {
				t.Errorf("%v %+v", err, a)
			}
		})
	}
	wg.Wait()
	got := p.stored(id)
	kept := []string{string(got.Raw)}
	for _, c := range got.Conflicts {
		kept = append(kept, string(c.Raw))
	}
	slices.Sort(kept)
	slices.Sort(sent)
	if !slices.Equal(kept, sent) || p.count() != 1 {
		t.Errorf("%d contents of %d are kept", len(kept), contents)
	}
}

// Clients leave out and get wrong much of what is written.
func odkClientsAsTheyAre(t *testing.T, r *rig) {
	p := newPhone(t, r)
	for name, headers := range map[string][]header{
		"a clock that is wrong":    {{"Date", "Fri, 01 Jan 1999 02:00:00 GMT"}, {"X-OpenRosa-Version", "1.0"}},
		"another version":          {{"X-OpenRosa-Version", "2.0"}},
		"a long name":              {{"User-Agent", strings.Repeat("ứng dụng ", 400)}},
		"a password nobody wanted": {{"Authorization", "Basic eDp5"}},
		"gzip is not spoken":       {{"Accept-Encoding", "identity"}},
	} {
		t.Run(name, func(t *testing.T) {
			id := survey.NewID()
			kind, b := body(t, theForm(p.xml(id, nil, "")))
			for _, query := range []string{"?deviceID=collect%3Ax", "?deviceID=", "?deviceID=" + strings.Repeat("x", 2000)} {
				p.ask("POST", p.base+"/submission"+query, b, append([]header{{"Content-Type", kind}}, headers...)...).told(t, 201)
			}
			got := p.stored(id)
			if got.Rev != 1 || string(got.Raw) == "" {
				t.Errorf("revision %d", got.Rev)
			}
			for _, e := range got.Events {
				for k, v := range e.Detail {
					if len(fmt.Sprint(v)) > 1100 {
						t.Errorf("%s is kept with %d bytes", k, len(fmt.Sprint(v)))
					}
				}
			}
			if a := p.ask("HEAD", p.base+"/submission?deviceID=x", nil, headers...).want(t, 204); len(a.body) != 0 || a.header.Get("X-Openrosa-Accept-Content-Length") != "100000000" || a.header.Get("Location") != "" {
				t.Errorf("%v %q", a.header, a.body)
			}
		})
	}
	// Redirected, a POST would become a GET.
	if a := p.send(theForm(p.xml(survey.NewID(), nil, ""))); a.status != 201 {
		t.Error(a.status)
	}
}

// A phone that goes out of reach before it has read the answer sends everything
// again, and finds one response.
func odkTheAnswerIsLost(t *testing.T, r *rig) {
	p := newPhone(t, r)
	id := survey.NewID()
	parts := []filePart{theForm(p.xml(id, map[string]any{"photo": "a.jpg"}, "")), photo("a.jpg", strings.Repeat("x", 200_000))}
	kind, b := body(t, parts...)
	for cut := range 6 { // within the form, within the photo, and after its end
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		ok(t, err)
		fmt.Fprintf(conn, "POST %s/submission HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", p.base, kind, len(b))
		_, err = conn.Write(b[:len(b)*cut/5])
		ok(t, err)
		ok(t, conn.Close())
	}
	p.send(parts...).told(t, 201)
	got := p.stored(id)
	if got.Rev != 1 || len(got.Conflicts) != 0 || p.count() != 1 {
		t.Errorf("revision %d, %d conflicts, %d responses", got.Rev, len(got.Conflicts), p.count())
	}
	n := 0
	for a, err := range r.svc.Store().Attachments(context.Background(), survey.ResponseID(id)) {
		ok(t, err)
		if n++; a.Size != 200_000 {
			t.Errorf("%s has %d bytes", a.Name, a.Size)
		}
	}
	if n != 1 {
		t.Errorf("%d files, want 1", n)
	}
}
