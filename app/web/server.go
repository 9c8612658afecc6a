// Package web is everything that is reached over HTTP: the JSON API, the pages
// and what an operator asks. It alone knows Fiber. Handlers read the request,
// call one use case of package service, and write the answer; they decide
// nothing.
package web

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/khaosat/khaosat/app/service"
)

// Config is what a Server may be told; the zero value serves.
type Config struct {
	Log *slog.Logger // slog.Default if nil
	// MaxJSON is the largest JSON body in bytes; 4 MB if 0.
	MaxJSON int64
	// Version is shown to operators.
	Version string
	// Secure says that browsers reach the server by HTTPS, so that cookies are
	// sent over nothing else.
	Secure bool
	// BaseURL is how people reach the server, for links that leave it; "" takes
	// it from the request.
	BaseURL string
	// TrustedProxies are the addresses whose X-Forwarded-For is believed.
	TrustedProxies []string
}

// Limits of requests. What a handler leaves of a body is read on and thrown
// away up to mostDrained, so that the client gets to read the answer instead of
// seeing its connection reset; what is still larger is cut off.
const (
	defaultMaxJSON = 4 << 20
	mostDrained    = 256 << 20
	handlerTime    = 55 * time.Second // form clients give up after 60 s
)

// Server serves khaosat over HTTP.
type Server struct {
	app     *fiber.App
	svc     *service.Service
	config  Config
	log     *slog.Logger
	metrics *metrics
	shape   *shapes
	pages   *pages
}

// New makes a server over a service.
func New(svc *service.Service, config Config) (*Server, error) {
	if config.MaxJSON == 0 {
		config.MaxJSON = defaultMaxJSON
	}
	s := &Server{svc: svc, config: config, log: config.Log, metrics: newMetrics(config.Version), shape: newShapes()}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	if s.pages, err = loadPages(); err != nil {
		return nil, err
	}
	s.app = fiber.New(fiber.Config{
		AppName: "khaosat",
		// Fiber lends its strings; what handlers keep must be their own.
		Immutable: true,
		// Bodies are read by us, with a limit for each route. With streaming on,
		// this limit only bounds what is read ahead.
		StreamRequestBody: true, BodyLimit: defaultMaxJSON,
		// Nobody sends files as forms; unasked, fasthttp would write them to disk.
		DisablePreParseMultipartForm: true,
		ReadTimeout:                  2 * time.Minute, IdleTimeout: 2 * time.Minute, WriteTimeout: 15 * time.Minute,
		ReadBufferSize: 16 << 10, DisableStartupMessage: true, UnescapePath: true,
		ErrorHandler:            s.failed,
		EnableTrustedProxyCheck: true, TrustedProxies: config.TrustedProxies,
	})
	s.app.Use(compress.New(compress.Config{Next: func(c *fiber.Ctx) bool { return !compressed(c.Path()) }}), s.trace, s.headers, recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: s.panicked}))
	s.register()
	return s, nil
}

// compressed reports whether answers at the path are worth compressing: pages
// and what phones fetch, over slow networks. Workbooks and photos are compressed
// as they are.
func compressed(path string) bool {
	for _, prefix := range []string{"/static/", "/visits", "/worker.js", "/guide", "/rounds", "/templates", "/people", "/responses", apiPath + "/phone", apiPath + "/templates", apiPath + "/assignments"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/"
}

// Serve answers requests on the listener until Shutdown.
func (s *Server) Serve(l net.Listener) error { return s.app.Listener(l) }

// Shutdown refuses new requests and waits for those in hand, at most until the
// context ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.app.ShutdownWithContext(ctx) }

// local keys of a request.
const (
	keyRequestID = "request-id"
	keyRequest   = "request"
	keyBodyEnded = "body-ended" // set when a body was read to its end
)

// trace gives every request an id, a deadline, a line in the log and its place
// in the metrics. Neither headers nor query strings are logged: they can hold
// secrets.
func (s *Server) trace(c *fiber.Ctx) error {
	start := time.Now()
	id := c.Get(fiber.HeaderXRequestID)
	if len(id) > 64 || !plain(id) {
		id = utils.UUIDv4()
	}
	c.Locals(keyRequestID, id)
	c.Set(fiber.HeaderXRequestID, id)
	ctx, cancel := context.WithTimeout(context.Background(), handlerTime)
	defer cancel()
	c.SetUserContext(ctx)
	err := c.Next()
	if err != nil {
		if handled := s.failed(c, err); handled != nil {
			return handled
		}
	}
	s.leaveNothing(c)
	took, status := time.Since(start), c.Response().StatusCode()
	route := c.Route().Path
	s.metrics.request(c.Method(), route, status, took)
	s.log.Info("request", "id", id, "method", c.Method(), "route", route, "status", status, "ms", took.Milliseconds())
	return nil
}

// plain reports whether an id may be repeated in logs and headers.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s != ""
}

// headers sets what protects a browser.
func (s *Server) headers(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'")
	if s.config.Secure {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	return c.Next()
}

func (s *Server) panicked(c *fiber.Ctx, v any) {
	s.log.Error("panic", "id", c.Locals(keyRequestID), "panic", v, "stack", string(stack()))
}
