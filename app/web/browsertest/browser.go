// Package browsertest drives a real Chromium for tests: pages with a phone's
// screen, signed in, without a network or with a slow one, photographed, killed.
// Nothing but tests imports it.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Find gives the path of Chromium: KHAOSAT_CHROMIUM, else the first on PATH.
// Without one the test is skipped, or fails where everything is installed.
func Find(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("KHAOSAT_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("KHAOSAT_CI") == "1" {
		t.Fatal("there is no Chromium on PATH, and KHAOSAT_CHROMIUM is not set")
	}
	t.Skip("there is no Chromium on PATH, and KHAOSAT_CHROMIUM is not set")
	return ""
}

// Browser is a running Chromium.
type Browser struct {
	t      testing.TB
	ctx    context.Context
	cancel context.CancelFunc
	pid    int
}

var (
	sharedOnce sync.Once
	shared     *Browser
)

// Shared gives the one Chromium of the test process, started when it is first
// asked for. Its pages share nothing with each other. It ends with the process.
func Shared(t testing.TB) *Browser {
	t.Helper()
	path := Find(t)
	sharedOnce.Do(func() {
		dir, err := os.MkdirTemp("", "khaosat-browser-")
		if err != nil {
			return
		}
		if b, err := start(path, dir); err == nil {
			shared = b
			end := b.cancel
			b.cancel = func() { end(); _ = os.RemoveAll(dir) }
		}
	})
	if shared == nil {
		t.Fatal("Chromium did not start")
	}
	return shared
}

// Stop ends the shared Chromium, if there is one: for TestMain, after the tests.
func Stop() {
	if shared != nil {
		shared.cancel()
	}
}

// Start starts a Chromium with a profile folder of its own, for tests that kill
// it and start another on the same folder. It ends with the test at the latest.
func Start(t testing.TB, profile string) *Browser {
	t.Helper()
	b, err := start(Find(t), profile)
	if err != nil {
		t.Fatal(err)
	}
	b.t = t
	t.Cleanup(b.stop)
	return b
}

func start(path, profile string) (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &Browser{ctx: ctx, cancel: func() { cancel(); cancelAllocator() }}
	if err := chromedp.Do(ctx); err != nil {
		b.cancel()
		return nil, fmt.Errorf("starting Chromium: %w", err)
	}
	b.pid = chromedp.FromContext(ctx).Browser.Process().Pid
	return b, nil
}

func (b *Browser) stop() { b.cancel() }

// Kill ends the browser as a phone does that runs out of memory: at once,
// with nothing saved.
func (b *Browser) Kill() {
	b.t.Helper()
	p, err := os.FindProcess(b.pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	// The profile stays locked until the process is gone.
	for range 100 {
		if p.Signal(syscall.Signal(0)) != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.cancel()
}

// Options say how a page is opened.
type Options struct {
	// URL of the server, e.g. http://127.0.0.1:8080.
	URL string
	// Cookies by name, e.g. the session; sent to the server only.
	Cookies map[string]string
	// Width and Height of the screen in CSS pixels; 360 x 800, a phone that is
	// touched, if zero. A screen from 800 pixels on is a desktop's.
	Width, Height int
	// Dark asks for dark colours.
	Dark bool
	// SameProfile opens the page among the browser's own cookies and storage,
	// as another tab of one person, instead of among none.
	SameProfile bool
	// Noisy lets the page write errors to its console; otherwise they fail the test.
	Noisy bool
}

// Page is one tab.
type Page struct {
	t      testing.TB
	ctx    context.Context
	cancel context.CancelFunc
	url    string

	mu     sync.Mutex
	errors []string
}

// timeout is how long any one step may take.
const timeout = 90 * time.Second

// Open opens a page; it is closed when the test ends. What the page reports as
// an error (an exception, a file that did not load, a rule of the content
// security policy broken) fails the test unless Noisy.
func (b *Browser) Open(t testing.TB, o Options) *Page {
	t.Helper()
	var opts []chromedp.ContextOption
	if !o.SameProfile {
		opts = append(opts, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(b.ctx, opts...)
	p := &Page{t: t, ctx: ctx, cancel: cancel, url: strings.TrimSuffix(o.URL, "/")}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if !o.Noisy {
			for _, e := range p.Errors() {
				t.Error("the page reports: " + e)
			}
		}
	})
	if o.Width == 0 {
		o.Width, o.Height = 360, 800
	}
	phone := o.Width < 800
	density := 1.0
	if phone {
		density = 2
	}
	p.Do(Command(network.Enable, network.EnableParams{}), Command(log.Enable, cdp.Empty{}), Command(runtime.Enable, cdp.Empty{}),
		Command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(o.Width), Height: int64(o.Height), DeviceScaleFactor: density, Mobile: phone}),
		Command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: phone}))
	if o.Dark {
		p.Do(Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	}
	for name, value := range o.Cookies {
		p.Cookie(name, value)
	}
	return p
}

func (p *Page) listen(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			said = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			for _, a := range e.Args {
				said += string(a.Value) + a.Description + " "
			}
		}
	}
	if said != "" {
		p.mu.Lock()
		p.errors = append(p.errors, said)
		p.mu.Unlock()
	}
}

// Errors gives what the page has reported so far.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.errors...)
}

// Forget forgets what the page has reported so far, when it was expected.
func (p *Page) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errors = nil
}

// Step is something that chromedp does with a page.
type Step = chromedp.Action[chromedp.Void]

// Command makes a step of a command of the DevTools protocol whose answer does
// not matter.
func Command[P, R any](command cdp.Command[P, R], params P) Step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

// Do runs steps of chromedp.
func (p *Page) Do(steps ...Step) {
	p.t.Helper()
	if err := p.Try(steps...); err != nil {
		p.t.Fatal(err)
	}
}

// Try runs steps of chromedp that may fail.
func (p *Page) Try(steps ...Step) error {
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// Goto opens an address of the server and waits for its load event.
func (p *Page) Goto(path string) {
	p.t.Helper()
	p.Do(chromedp.Navigate(p.url + path))
}

// Eval evaluates JavaScript, waits if it gives a promise, and decodes what it
// comes to into v, unless that is nil.
func (p *Page) Eval(script string, v any) {
	p.t.Helper()
	if err := p.TryEval(script, v); err != nil {
		p.t.Fatalf("%v in %s", err, script)
	}
}

// TryEval is Eval for what may fail.
func (p *Page) TryEval(script string, v any) error {
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	// As a text, so that it is encoding/json that decodes, and undefined is null.
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("(async () => JSON.stringify((await ("+script+")) ?? null))()", chromedp.EvalAwaitPromise))
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal([]byte(text), v)
}

// Wait evaluates JavaScript until it is true, for half a minute at most.
func (p *Page) Wait(condition string) {
	p.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		var is bool
		err := p.TryEval("Boolean("+condition+")", &is)
		if err == nil && is {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("still not: %s (%v)", condition, err)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// Tap presses on the first element of a CSS selector, once it is visible.
func (p *Page) Tap(selector string) {
	p.t.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Type writes into the first element of a CSS selector, key by key.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Do(chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// Text gives the visible text of the first element of a CSS selector.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	var s string
	p.Eval("document.querySelector("+strconv.Quote(selector)+").innerText", &s)
	return s
}

// Cookie sets a cookie for the server.
func (p *Page) Cookie(name, value string) {
	p.t.Helper()
	p.Do(Command(network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: p.url}))
}

// Offline cuts the page off from the network, or ends that. Its workers have
// connections of their own: to cut those off too, stop the server.
func (p *Page) Offline(off bool) {
	p.t.Helper()
	p.Do(Command(network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}),
		Command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}}}))
}

// Slow gives the page the network of a slow mobile connection (400 ms, 50 kB/s)
// and a processor so many times slower.
func (p *Page) Slow(processor float64) {
	p.t.Helper()
	p.Do(Command(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: processor}),
		Command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 400, DownloadThroughput: 50e3, UploadThroughput: 50e3}}}))
}

// Resize changes the screen, in CSS pixels.
func (p *Page) Resize(width, height int) {
	p.t.Helper()
	p.Do(Command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(width), Height: int64(height), DeviceScaleFactor: 1, Mobile: width < 800}))
}

// Screenshot writes the whole page as a PNG to a file, if the folder of
// pictures KHAOSAT_PICTURES is set.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	dir := os.Getenv("KHAOSAT_PICTURES")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// Paper prints the page and gives the PDF.
func (p *Page) Paper() []byte {
	p.t.Helper()
	yes := true
	pdf, err := chromedp.Run(p.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		done, err := cdp.Call(ctx, target, cdpage.PrintToPDF, cdpage.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes})
		return done.Data, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return pdf
}

// Close closes the tab.
func (p *Page) Close() {
	_ = p.Try(Command(target.CloseTarget, target.CloseTargetParams{TargetID: chromedp.FromContext(p.ctx).Target.TargetID}))
	p.cancel()
}
