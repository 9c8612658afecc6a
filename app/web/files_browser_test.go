package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/app/web/browsertest"
)

// TestAFileIsOrderedOnThePage orders a report in a browser, and sees it finished
// without the page being loaded again; then it prints result slips.
func TestAFileIsOrderedOnThePage(t *testing.T) {
	browser := browsertest.Shared(t)
	r := newRig(t)
	secret := r.sessionOf(t, "all.analyst")
	p := browser.Open(t, browsertest.Options{URL: r.url, Width: 360, Height: 800})
	p.Cookie(sessionCookie, secret)
	p.Goto("/rounds/demo-2018/files?lang=vi")
	p.Screenshot("files-empty-360")
	p.Type(`input[name="title"]`, "Báo cáo quý I")
	p.Tap(".order button.primary")
	p.Wait(`document.querySelector("#files .card")?.textContent.includes("Đang chờ")`)
	p.Eval(`window.stayed = true`, nil)
	r.makeFiles()
	p.Wait(`document.querySelector("#files .card")?.textContent.includes("Đã xong")`)
	var stayed bool
	p.Eval(`window.stayed === true`, &stayed)
	if !stayed {
		t.Error("the page was loaded again")
	}
	r.file(t, "all.analyst", r.orderFile(t, "all.analyst", `{"kind": "csv"}`))
	p.Goto("/rounds/demo-2018/files")
	p.Screenshot("files-360")
	p.Resize(1280, 900)
	p.Screenshot("files-1280")

	p.Goto("/rounds/demo-2018/slips?under=S0001&size=A5")
	p.Screenshot("slips-1280")
	var slips int
	p.Eval(`document.querySelectorAll(".slip").length`, &slips)
	paper := p.Paper()
	if dir := os.Getenv("KHAOSAT_PICTURES"); dir != "" {
		ok(t, os.WriteFile(filepath.Join(dir, "slips.pdf"), paper, 0o600))
	}
	// A5 is about 420 by 595 points; each slip begins a page of its own.
	if pages := strings.Count(string(paper), "/Type /Page\n") + strings.Count(string(paper), "/Type /Page "); slips < 20 || pages < slips || !strings.Contains(string(paper), "420 59") {
		t.Errorf("%d slips on %d pages", slips, pages)
	}
	p.Resize(360, 800)
	p.Screenshot("slips-360")
	if found := p.Errors(); len(found) > 0 {
		t.Errorf("the browser says %q", found)
	}
}
