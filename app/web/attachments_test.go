package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

// asksFor gives an observer of the rig a visit of a unit without a rating, and
// a form for it.
func (r *rig) asksFor(unit survey.UnitCode, role survey.Role, observer string) map[string]any {
	r.t.Helper()
	form := r.form(unit, role)
	r.ask("POST", "/api/v1/rounds/demo-2018/assignments", map[string]any{"assignments": []any{
		map[string]any{"template": "SHCB-TK", "unit": string(unit), "role": string(role), "observer": observer}}}, r.as("all.admin")).want(r.t, 201)
	return form
}

func digestOf(content []byte) header {
	sum := sha256.Sum256(content)
	return header{"Content-Digest", "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"}
}

// noise gives bytes that do not compress, always the same.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

func TestAttachmentsComeBeforeTheirResponseAndAreReadByWhoMayReadIt(t *testing.T) {
	r := newRig(t)
	unit := r.rated(true)[0]
	form := r.asksFor(unit, survey.RoleSuperior, "all.observer")
	path := newResponse()
	const name = "Ảnh 1+1 #%?.jpg"
	files := path + "/attachments"
	file := files + "/" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	photo := append([]byte("\xff\xd8\xff\xe0"), noise(700_000)...)
	observer := r.as("all.observer")

	first := r.ask("PUT", file, photo, observer, digestOf(photo)).want(t, 201)
	if again := r.ask("PUT", file, photo, observer).want(t, 201); !bytes.Equal(again.body, first.body) {
		t.Errorf("a repeat got %s, the first %s", again.body, first.body)
	}
	if a := into[survey.Attachment](t, first); a.Name != name || a.Type != "image/jpeg" || a.Size != int64(len(photo)) {
		t.Errorf("stored as %+v", a)
	}
	r.ask("GET", file, nil, observer).want(t, 200)
	r.ask("GET", file, nil, r.as("part.observer")).problem(t, 404, "response.unknown")
	r.ask("GET", files, nil, r.as("all.admin")).problem(t, 404, "response.unknown")

	r.ask("PUT", path, form, observer).want(t, 201)
	for account, status := range map[string]int{"all.observer": 200, "part.reviewer": 200, "all.analyst": 200, "part.observer": 404, "all.respondent": 404} {
		r.ask("GET", file, nil, r.as(account)).want(t, status)
		r.ask("GET", files, nil, r.as(account)).want(t, status)
	}
	r.ask("PUT", file, photo, r.as("part.observer")).problem(t, 404, "response.unknown")

	got := r.ask("GET", file, nil, observer)
	if !bytes.Equal(got.body, photo) || got.header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "inline") {
		t.Errorf("%d bytes, %v", len(got.body), got.header)
	}
	part := r.ask("GET", file, nil, observer, header{"Range", "bytes=300000-300009"}).want(t, 206)
	if !bytes.Equal(part.body, photo[300000:300010]) || part.header.Get("Content-Range") != fmt.Sprintf("bytes 300000-300009/%d", len(photo)) {
		t.Errorf("range %x, %v", part.body, part.header)
	}
	r.ask("GET", file, nil, observer, header{"Range", "bytes=9000000-"}).want(t, 416)
	r.ask("GET", file, nil, observer, header{"If-None-Match", got.header.Get("ETag")}).want(t, 304)

	other := into[service.File](t, r.ask("PUT", file, "other", observer).want(t, 202))
	if kept := r.ask("GET", file+"?sha256="+other.SHA256, nil, observer).want(t, 200); string(kept.body) != "other" || !other.Conflict {
		t.Errorf("kept beside is %q: %+v", kept.body, other)
	}
	if still := r.ask("GET", file, nil, observer); !bytes.Equal(still.body, photo) {
		t.Error("the first was overwritten")
	}
}

// Whatever a file says it is, only photos may be shown in a page.
func TestOnlyPhotosAreShown(t *testing.T) {
	r := newRig(t)
	for name, content := range map[string]string{
		"a.jpg": "<html><script>alert(1)</script>", "b.svg": `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		"c.pdf": "%PDF-1.4", "d.jpg": "",
	} {
		file := newResponse() + "/attachments/" + name
		r.ask("PUT", file, content, r.as("all.observer")).want(t, 201)
		got := r.ask("GET", file, nil, r.as("all.observer")).want(t, 200)
		if got.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") ||
			got.header.Get("X-Content-Type-Options") != "nosniff" || string(got.body) != content {
			t.Errorf("%s is sent with %v", name, got.header)
		}
	}
}

func TestAttachmentsThatAreNotRightAreRefused(t *testing.T) {
	r := newRig(t)
	observer := r.as("all.observer")
	files := newResponse() + "/attachments/"
	for name, code := range map[string]string{"..%5Ca.jpg": "attachment.name", "%0A.jpg": "attachment.name", "%ff.jpg": "attachment.name",
		strings.Repeat("a", 201): "attachment.name"} {
		r.ask("PUT", files+name, "x", observer).problem(t, 422, code)
	}
	r.ask("PUT", files+strings.Repeat("a", 200), "x", observer).want(t, 201)
	r.ask("PUT", files+"a.jpg", "changed", observer, digestOf([]byte("meant"))).problem(t, 422, "attachment.digest")
	r.ask("PUT", files+"a.jpg", "x", observer, header{"Content-Digest", "sha-256=abc"}).problem(t, 422, "attachment.digest_shape")
	r.ask("PUT", files+"a.jpg", "x", r.as("all.analyst")).problem(t, 403, "auth.role")
	for _, announced := range []bool{true, false} {
		q, err := http.NewRequest("PUT", r.url+files+"a.jpg", &zeros{survey.MaxAttachment + 1})
		ok(t, err)
		if q.ContentLength = -1; announced {
			q.ContentLength = survey.MaxAttachment + 1
		}
		q.Header.Set(observer.name, observer.value)
		response, err := noRedirects.Do(q)
		ok(t, err)
		b, err := io.ReadAll(response.Body)
		ok(t, errors.Join(err, response.Body.Close()))
		(&answer{response.StatusCode, response.Header, b}).problem(t, 413, "attachment.too_large")
	}
	r.ask("GET", files+"a.jpg", nil, observer).problem(t, 404, "attachment.unknown")
}

// Fifty phones at once send 10 MB each; the server holds none of them whole.
func TestManyPhotosAtOnceTakeLittleMemory(t *testing.T) {
	r := newRig(t)
	var most atomic.Uint64
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapInuse))
			}
		}
	})
	const phones, size = 50, 10 << 20
	var sending sync.WaitGroup
	for i := range phones {
		sending.Go(func() {
			q, err := http.NewRequestWithContext(context.Background(), "PUT", r.url+newResponse()+"/attachments/a.jpg", io.MultiReader(strings.NewReader(fmt.Sprint(i, " ")), &zeros{size}))
			if err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				q.ContentLength = size + int64(len(fmt.Sprint(i, " "))) // the others send in chunks
			}
			q.Header.Set(r.as("all.observer").name, r.as("all.observer").value)
			response, err := noRedirects.Do(q)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if response.StatusCode != 201 {
				t.Errorf("status %d", response.StatusCode)
			}
		})
	}
	sending.Wait()
	close(done)
	watching.Wait()
	if grown := int64(most.Load()) - int64(before.HeapInuse); grown > 100<<20 {
		t.Errorf("%d MB in use for %d MB on their way", grown>>20, phones*size>>20)
	}
}
