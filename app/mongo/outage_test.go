package mongo_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/mongo"
	"github.com/khaosat/khaosat/app/mongo/mongotest"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// proxy stands between a store and the server, and can do what networks do.
type proxy struct {
	listener net.Listener
	server   string

	mu      sync.Mutex
	conns   []net.Conn
	refuse  bool          // drop whoever connects
	stalled chan struct{} // while not nil nothing is passed on
	lose    []byte        // the reply to the first request that holds this is lost
}

// openThroughProxy opens a database of the test's own behind a proxy.
func openThroughProxy(t *testing.T) (*mongo.Store, *proxy) {
	uri, err := url.Parse(mongotest.DatabaseURI(t))
	surveytest.Must(t, err)
	p := &proxy{server: uri.Host}
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	surveytest.Must(t, err)
	go p.serve()
	t.Cleanup(func() {
		_ = p.listener.Close()
		p.cut()
	})
	uri.Host = p.listener.Addr().String()
	q := uri.Query()
	q.Set("directConnection", "true") // or the driver goes to the server by itself
	uri.RawQuery = q.Encode()
	s, err := mongo.Open(t.Context(), uri.String(), mongo.Options{SelectionTimeout: time.Second, OperationTimeout: 2 * time.Second})
	surveytest.Must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, p
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		p.mu.Lock()
		if err != nil || p.refuse {
			_ = client.Close()
			p.mu.Unlock()
			continue
		}
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		var lost struct {
			sync.Mutex
			next bool
		}
		go p.pass(server, client, func(b []byte) bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.lose != nil && bytes.Contains(b, p.lose) {
				lost.Lock()
				lost.next, p.lose = true, nil
				lost.Unlock()
			}
			return true
		})
		go p.pass(client, server, func([]byte) bool {
			lost.Lock()
			defer lost.Unlock()
			return !lost.next
		})
	}
}

// pass copies until either side ends or may says no.
func (p *proxy) pass(to, from net.Conn, may func([]byte) bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled != nil {
			<-stalled
		}
		if n > 0 {
			if !may(buffer[:n]) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) setRefuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// stall lets nothing through until the function it returns is called.
func (p *proxy) stall() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	stalled := make(chan struct{})
	p.stalled = stalled
	return func() {
		p.mu.Lock()
		p.stalled = nil
		p.mu.Unlock()
		close(stalled)
	}
}

// wantAway wants every sort of operation to give Unavailable within the time.
func wantAway(t *testing.T, s survey.Store, within time.Duration) {
	t.Helper()
	for name, call := range map[string]func(context.Context) error{
		"Ping":           s.Ping,
		"CreateResponse": func(ctx context.Context) error { return s.CreateResponse(ctx, surveytest.Response(900)) },
		"CreateResponses": func(ctx context.Context) error {
			_, err := s.CreateResponses(ctx, []*survey.Response{surveytest.Response(901)})
			return err
		},
		"PutUnits": func(ctx context.Context) error { return s.PutUnits(ctx, []*survey.Unit{surveytest.Unit(902)}) },
		"Response": func(ctx context.Context) error { _, err := s.Response(ctx, surveytest.Response(1).ID); return err },
		"RowsSince": func(ctx context.Context) error {
			for _, err := range s.RowsSince(ctx, surveytest.RoundCode, "") {
				return err
			}
			return nil
		},
	} {
		start := time.Now()
		if err := call(t.Context()); survey.KindOf(err) != survey.Unavailable {
			t.Errorf("%s without a server: error is %v, want unavailable", name, err)
		}
		if took := time.Since(start); took > within {
			t.Errorf("%s took %v to say so, want at most %v", name, took, within)
		}
	}
}

// wantBack wants the store to work again, soon and without being opened anew.
func wantBack(t *testing.T, s survey.Store, n int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for err := s.Ping(t.Context()); err != nil; err = s.Ping(t.Context()) {
		if time.Now().After(deadline) {
			t.Fatalf("still away: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(n)))
	for i := 1; i <= n; i++ {
		_, err := s.Response(t.Context(), surveytest.Response(i).ID)
		surveytest.Must(t, err)
	}
}

func TestAServerThatGoesAwayAndComesBack(t *testing.T) {
	s, p := openThroughProxy(t)
	surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(1)))
	p.setRefuse(true)
	p.cut()
	wantAway(t, s, 4*time.Second)
	p.setRefuse(false)
	wantBack(t, s, 2)
}

func TestAServerThatHangs(t *testing.T) {
	s, p := openThroughProxy(t)
	surveytest.Must(t, s.CreateResponse(t.Context(), surveytest.Response(1)))
	release := p.stall()
	wantAway(t, s, 5*time.Second)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Response(ctx, surveytest.Response(1).ID); err != context.DeadlineExceeded {
		t.Errorf("a caller whose own time ran out got %v, want the context's error", err)
	}
	release()
	wantBack(t, s, 2)
}

func TestConnectionsThatBreakAreReplaced(t *testing.T) {
	s, p := openThroughProxy(t)
	for i := range 10 {
		p.cut()
		wantBack(t, s, i+1)
	}
}

// The server did it, and its answer is lost on the way.
func TestALostAnswerLeavesAWriteThatCanBeRepeated(t *testing.T) {
	s, p := openThroughProxy(t)
	loseReplyTo := func(mark string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lose = []byte(mark)
	}
	r := surveytest.Response(1)
	loseReplyTo(string(r.ID))
	switch err := s.CreateResponse(t.Context(), r); survey.KindOf(err) {
	case survey.Unavailable:
		surveytest.WantError(t, s.CreateResponse(t.Context(), r), survey.Exists, "response.exists")
		r.Rev = 1
	default: // where the driver sends writes again
		surveytest.Must(t, err)
	}
	got, err := s.Response(t.Context(), r.ID)
	surveytest.Must(t, err)
	surveytest.WantSame(t, got, r)

	many := []*survey.Response{surveytest.Response(2), surveytest.Response(3)}
	loseReplyTo(string(many[0].ID))
	if _, err := s.CreateResponses(t.Context(), many); err != nil && survey.KindOf(err) != survey.Unavailable {
		t.Errorf("a bulk write: %v", err)
	}
	_, err = s.CreateResponses(t.Context(), many)
	surveytest.Must(t, err)
	if rows := surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, "")); len(rows) != 3 {
		t.Errorf("%d rows, want 3", len(rows))
	}
}

// With KHAOSAT_TEST_MONGODB_CONTROL naming a script that takes "kill" and
// "start", the server itself is killed under its writers. Nobody else may be
// using it then, so this is not part of an ordinary run.
func TestAServerThatIsKilledUnderItsWriters(t *testing.T) {
	control := os.Getenv("KHAOSAT_TEST_MONGODB_CONTROL")
	if control == "" {
		t.Skip("KHAOSAT_TEST_MONGODB_CONTROL is not set")
	}
	run := func(verb string) {
		cmd := exec.Command(control, verb)
		cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
		surveytest.Must(t, cmd.Run())
	}
	s, err := mongo.Open(t.Context(), mongotest.DatabaseURI(t), mongo.Options{SelectionTimeout: time.Second, OperationTimeout: 5 * time.Second})
	surveytest.Must(t, err)
	t.Cleanup(func() { surveytest.Must(t, s.Close()) })
	acknowledged := make(chan *survey.Response, 100_000)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for n := i * 10_000; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				r := surveytest.Response(1000 + n)
				switch err := s.CreateResponse(t.Context(), r); {
				case err == nil:
					acknowledged <- r
				case survey.KindOf(err) != survey.Unavailable:
					t.Errorf("a writer got %v, want unavailable", err)
					return
				}
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond)
		run("kill")
		wantAway(t, s, 7*time.Second)
		run("start")
	}
	time.Sleep(2 * time.Second)
	close(stop)
	writers.Wait()
	close(acknowledged)
	stored := map[survey.ResponseID]bool{}
	for _, c := range surveytest.Collect(t, s.RowsSince(t.Context(), surveytest.RoundCode, "")) {
		stored[c.Doc.ID] = true
	}
	n := 0
	for r := range acknowledged {
		n++
		if !stored[r.ID] {
			t.Errorf("%s was acknowledged and is gone", r.ID)
		}
	}
	t.Logf("%d were acknowledged", n)
	if n == 0 {
		t.Error("nothing was written")
	}
}
