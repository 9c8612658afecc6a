package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/khaosat/khaosat/app/web/browsertest"
)

// TestAPageIsAPhonesAndCanLoseItsNetwork checks what other tests rely on.
func TestAPageIsAPhonesAndCanLoseItsNetwork(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		cookie, _ := r.Cookie("who")
		fmt.Fprintf(w, `<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><p id="who">%v</p><input id="i">`, cookie)
	}))
	defer server.Close()
	p := browsertest.Shared(t).Open(t, browsertest.Options{URL: server.URL, Cookies: map[string]string{"who": "me"}})
	p.Goto("/")
	if got := p.Text("#who"); got != "who=me" {
		t.Errorf("cookie %q", got)
	}
	var width int
	if p.Eval("innerWidth", &width); width != 360 {
		t.Errorf("%d wide", width)
	}
	p.Type("#i", "Đúng")
	p.Wait(`document.querySelector("#i").value === "Đúng"`)
	p.Offline(true)
	if err := p.TryEval(`fetch("/")`, nil); err == nil {
		t.Error("there is still a network")
	}
	p.Wait("!navigator.onLine")
	p.Offline(false)
	p.Eval(`fetch("/").then(r => r.status)`, &width)
	if width != 200 {
		t.Errorf("status %d", width)
	}
	p.Forget() // of the request that failed
}

func TestMain(m *testing.M) {
	defer browsertest.Stop()
	m.Run()
}
