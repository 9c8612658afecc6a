package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/app/web"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

type serveCommand struct {
	storeFlags
	Addr           string   `help:"Address to listen on." env:"KHAOSAT_ADDR" default:"127.0.0.1:8080"`
	BaseURL        string   `name:"base-url" help:"Address by which people reach the server, if another, e.g. https://khaosat.example.org." env:"KHAOSAT_BASE_URL"`
	Demo           bool     `help:"Load the demonstration once: templates, a tree, a round with responses, three accounts."`
	TrustedProxies []string `help:"Addresses of proxies whose X-Forwarded-For is believed." env:"KHAOSAT_TRUSTED_PROXIES"`
	LogLevel       string   `enum:"debug,info,warn,error" default:"warn" env:"KHAOSAT_LOG_LEVEL" help:"What is logged: debug, info (every request), warn, error."`
}

// stopTime is how long a stop waits for what is in hand.
const stopTime = 30 * time.Second

// Run opens the store, loads what is asked for and serves until it is told to
// stop; then it finishes what is in hand.
func (c *serveCommand) Run(t *terminal) error {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // kong has checked it
	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level}))
	store, err := c.open(t, false, sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	svc := service.New(store, service.Options{Log: log})
	if c.Demo {
		if _, err := svc.EnsureDemo(t.ctx, t.progress()); err != nil {
			return err
		}
	} else if err := svc.LoadFixtures(t.ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return &survey.Error{Kind: survey.Unavailable, Code: "serve.port", Args: survey.Args{"addr": c.Addr}, Err: err}
	}
	server, err := web.New(svc, web.Config{Log: log, Version: version, BaseURL: strings.TrimSuffix(c.BaseURL, "/"), Secure: strings.HasPrefix(c.BaseURL, "https://"), TrustedProxies: c.TrustedProxies})
	if err != nil {
		return err
	}
	if err := c.greet(t, svc, store, listener.Addr()); err != nil {
		return err
	}
	// Files that are ordered are made beside; what is at work when the server
	// stops goes back to the queue first.
	var jobs sync.WaitGroup
	jobs.Go(func() { svc.RunJobs(t.ctx) })
	defer jobs.Wait()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-t.ctx.Done():
	}
	t.say("serve.stopping", nil)
	stop, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return server.Shutdown(stop)
}

// greet prints where the server is and how to sign in: with the demonstration,
// or on a store without accounts by a link that makes the first. The link is a
// secret, so it goes to the terminal and never to the log.
func (c *serveCommand) greet(t *terminal, svc *service.Service, store survey.Store, addr net.Addr) error {
	say := func(id string, args survey.Args) { fmt.Fprintln(t.out, message.Say(t.lang, id, args)) }
	url := c.BaseURL
	if url == "" {
		url = "http://" + addr.String()
	}
	say("serve.ready", survey.Args{"url": url})
	say("serve.store", survey.Args{"store": store.Name()})
	if !c.Demo {
		secret, err := svc.MakeSetup(t.ctx)
		if err == nil && secret != "" {
			say("serve.setup", survey.Args{"url": strings.TrimSuffix(url, "/") + "/setup/" + secret})
		}
		return err
	}
	names := make([]string, len(service.DemoAccounts))
	for i, a := range service.DemoAccounts {
		names[i] = a.Name
	}
	say("serve.demo", survey.Args{"password": service.DemoPassword, "names": strings.Join(names, ", ")})
	if host, ok := addr.(*net.TCPAddr); ok && !host.IP.IsLoopback() {
		t.say("serve.demo_open", survey.Args{"addr": addr.String()})
	}
	return nil
}

type healthCommand struct {
	Addr string `help:"Address the server listens on." env:"KHAOSAT_ADDR" default:"127.0.0.1:8080"`
}

// Run ends with status 0 when the server on this machine is ready.
func (c *healthCommand) Run(t *terminal) error {
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://127.0.0.1:" + port + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", response.Status)
	}
	return nil
}

type unitsCommand struct {
	Import unitsImport `cmd:"" help:"Import units from a JSON file: a list of units with their spans."`
}

type unitsImport struct {
	storeFlags
	File   string `arg:"" help:"JSON file." type:"existingfile"`
	DryRun bool   `help:"Only check."`
}

func (c *unitsImport) Run(t *terminal) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var units []*survey.Unit
	if err := decodeJSON(b, &units); err != nil {
		return err
	}
	return c.with(t, false, func(s *service.Service) error {
		if err := s.LoadFixtures(t.ctx); err != nil {
			return err
		}
		problems, err := s.ImportUnits(t.ctx, service.Operator(), units, c.DryRun)
		printProblems(t.err, t.lang, problems)
		if err == nil {
			fmt.Fprintln(t.out, len(units))
		}
		return err
	})
}
