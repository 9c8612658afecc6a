package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// bodyRoutes are the routes that take a body, with addresses that exist.
func bodyRoutes(s *Server) map[string]string {
	fill := strings.NewReplacer(":code", "SHCB-TK", ":version", "1", ":round", "demo-2018", ":id", survey.NewID(), ":response", survey.NewID(), ":name", "all.observer")
	out := map[string]string{}
	for _, r := range s.routes() {
		if r.method != "GET" {
			out[r.method+" "+r.path] = fill.Replace(r.path)
		}
	}
	return out
}

// noBody are routes that change something and take no body; whatever is sent
// is read away.
var noBody = map[string]bool{"POST /api/v1/sign-out": true, "POST /sign-out": true, "POST /api/v1/people/:name/invitation": true, "POST /api/v1/templates/:code/versions/:version/publish": true,
	"POST /api/v1/files/:id/cancel": true, "POST /files/:id/cancel": true}

// zeros gives so many bytes without holding them.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	for i := range n {
		p[i] = ' '
	}
	z.left -= int64(n)
	return n, nil
}

const fiftyMB = 50 << 20

func TestABodyOfFiftyMegabytesIsRefusedReadablyOnEveryRoute(t *testing.T) {
	r := newRig(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sent := 0
	for route, path := range bodyRoutes(r.server) {
		if strings.Contains(route, "attachments") || strings.Contains(route, "/openrosa/") {
			continue // their limits are larger and have tests of their own
		}
		for _, chunked := range []bool{false, true} {
			q, err := http.NewRequest(strings.Fields(route)[0], r.url+path, &zeros{fiftyMB})
			ok(t, err)
			if q.ContentLength = fiftyMB; chunked {
				q.ContentLength = -1
			}
			q.Header.Set("Content-Type", "application/json")
			q.Header.Set("Sec-Fetch-Site", "same-origin")
			if !noBody[route] {
				q.Header.Set("Authorization", "Bearer "+r.tokens["all.admin"])
			}
			response, err := noRedirects.Do(q)
			if err != nil {
				t.Errorf("%s chunked=%v: the answer could not be read: %v", route, chunked, err)
				continue
			}
			b, err := io.ReadAll(response.Body)
			response.Body.Close()
			ok(t, err)
			sent++
			runtime.GC() // what one request left is not held against the next
			a := &answer{response.StatusCode, response.Header, b}
			if noBody[route] {
				a.problem(t, 401, "auth.required")
				continue
			}
			a.problem(t, 413, "body.too_large")
		}
	}
	runtime.ReadMemStats(&after)
	// Each refused body may cost the largest body that is taken, not its size.
	most := uint64(sent) * 3 * maxWorkbook
	if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
		t.Errorf("%d requests allocated %d MB", sent, grown>>20)
	}
	// Buffers double while they grow, and the old ones wait to be collected; all
	// that was sent would be twenty times as much.
	if after.Sys > before.Sys+12*maxWorkbook {
		t.Errorf("memory grew from %d to %d MB", before.Sys>>20, after.Sys>>20)
	}
}

func TestRoutesWithoutABodyReadAwayWhatIsSent(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/api/v1/me", "/api/v1/nowhere", "/healthz"} {
		r.ask("GET", path, &zeros{fiftyMB}, r.as("all.admin"))
	}
}

func TestABodyLeftUnreadIsNotTakenForTheNextRequest(t *testing.T) {
	r := newRig(t)
	smuggled := "GET /api/v1/type-lists HTTP/1.1\r\nHost: x\r\nX-Request-ID: smuggled\r\n\r\n"
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	ok(t, err)
	defer c.Close()
	// Nobody is signed in, so the body of the first is of no interest to anyone.
	_, err = io.WriteString(c, "PUT /api/v1/rounds/r1 HTTP/1.1\r\nHost: x\r\nX-Request-ID: first\r\nContent-Length: "+strconv.Itoa(10000+len(smuggled))+"\r\n\r\n"+
		strings.Repeat(" ", 10000)+smuggled+"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: second\r\nConnection: close\r\n\r\n")
	ok(t, err)
	answers := bufio.NewReader(c)
	for _, want := range []struct {
		id     string
		status int
	}{{"first", 401}, {"second", 200}} {
		response, err := http.ReadResponse(answers, nil)
		ok(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		ok(t, err)
		if response.Header.Get("X-Request-ID") != want.id || response.StatusCode != want.status {
			t.Errorf("answer %q with %d, want %q with %d", response.Header.Get("X-Request-ID"), response.StatusCode, want.id, want.status)
		}
	}
	if rest, _ := io.ReadAll(answers); len(rest) > 0 {
		t.Errorf("one answer too many: %s", rest)
	}
}

func TestATruncatedBodyIsRefusedAndTheServerLivesOn(t *testing.T) {
	r := newRig(t)
	auth := "Authorization: Bearer " + r.tokens["all.admin"] + "\r\n"
	for name, head := range map[string]string{
		"by length":           "Content-Length: 100000\r\n\r\n{\"round\": \"demo-2018\"}",
		"by length, large":    "Content-Length: 100000\r\n\r\n{\"round\": \"demo-2018\"," + strings.Repeat(" ", 20000) + "\"x\":1}",
		"chunked":             "Transfer-Encoding: chunked\r\n\r\na\r\n{\"round\": \r\n",
		"in the middle":       "Transfer-Encoding: chunked\r\n\r\nffff\r\n{\"round\":",
		"no chunk length":     "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"with nothing at all": "Content-Length: 10\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
			ok(t, err)
			defer c.Close()
			_, err = io.WriteString(c, "PUT "+newResponse()+" HTTP/1.1\r\nHost: x\r\n"+auth+head)
			ok(t, err)
			ok(t, c.(*net.TCPConn).CloseWrite())
			ok(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			switch {
			case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
				// closed without an answer: nobody is there to read one
			case err != nil:
				t.Error(err)
			case response.StatusCode != 400:
				b, _ := io.ReadAll(response.Body)
				t.Errorf("status %d: %s", response.StatusCode, b)
			}
			r.ask("GET", "/healthz", nil).want(t, 200)
		})
	}
}

func TestRequestsOnOneConnectionDoNotMix(t *testing.T) {
	r := newRig(t)
	units := r.rated(true)
	one := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	var connections atomic.Int32
	one.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		connections.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	defer one.CloseIdleConnections()
	paths := map[string]string{} // by the unit
	for _, unit := range units[:20] {
		form := r.form(unit, survey.RoleSuperior)
		paths[string(unit)] = newResponse()
		q, err := http.NewRequest("PUT", r.url+paths[string(unit)], readerOf(t, form))
		ok(t, err)
		q.Header.Set("Authorization", "Bearer "+r.tokens["all.admin"])
		response, err := one.Do(q)
		ok(t, err)
		b, err := io.ReadAll(response.Body)
		ok(t, err)
		response.Body.Close()
		(&answer{response.StatusCode, response.Header, b}).want(t, 201)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want one", n)
	}
	// What was kept from the first requests has not changed under the later ones.
	for unit, path := range paths {
		got := into[struct {
			ID   string `json:"id"`
			Unit string `json:"unit"`
		}](t, r.ask("GET", path, nil, r.as("all.admin")).want(t, 200))
		if got.Unit != unit || !strings.HasSuffix(path, got.ID) {
			t.Errorf("%s holds %+v, want %s", path, got, unit)
		}
	}
}

func TestFiftyEqualRequestsAtOnceGetOneAnswer(t *testing.T) {
	r := newRig(t)
	form, path := r.form(r.rated(true)[0], survey.RoleSuperior), newResponse()
	answers := make([]*answer, 50)
	failures := make([]error, 50)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i], failures[i] = r.try("PUT", path, form, r.as("all.admin")) })
	}
	wg.Wait()
	for i, a := range answers {
		ok(t, failures[i])
		if a.status != 201 || string(a.body) != string(answers[0].body) || a.header.Get("Etag") != answers[0].header.Get("Etag") {
			t.Errorf("answer %d is %d %s\nwant 201 %s", i, a.status, a.body, answers[0].body)
		}
	}
}

func TestShutdownFinishesWhatIsInHandAndRefusesWhatIsNew(t *testing.T) {
	r := newRig(t)
	form := r.form(r.rated(true)[0], survey.RoleSuperior)
	b, err := io.ReadAll(readerOf(t, form))
	ok(t, err)
	addr := strings.TrimPrefix(r.url, "http://")
	slow, err := net.Dial("tcp", addr)
	ok(t, err)
	defer slow.Close()
	_, err = io.WriteString(slow, "PUT "+newResponse()+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+r.tokens["all.admin"]+
		"\r\nContent-Length: "+strconv.Itoa(len(b))+"\r\n\r\n"+string(b[:len(b)/2]))
	ok(t, err)
	time.Sleep(200 * time.Millisecond) // the server is in the middle of the body
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		stopped <- r.server.Shutdown(ctx)
	}()
	refused := false
	for range 50 {
		time.Sleep(20 * time.Millisecond)
		c, err := net.Dial("tcp", addr)
		if refused = err != nil; refused {
			break
		}
		c.Close()
	}
	if !refused {
		t.Error("new connections are still taken in")
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a request in hand: %v", err)
	default:
	}
	_, err = slow.Write(b[len(b)/2:])
	ok(t, err)
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	ok(t, err)
	if response.StatusCode != 201 {
		t.Errorf("the request in hand got %d", response.StatusCode)
	}
	ok(t, <-stopped)
}
