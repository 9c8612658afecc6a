package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

type demoCommand struct {
	storeFlags
	Size string `help:"S, M, L, XL or N (1,000,000 responses)." enum:"S,M,L,XL,N,s,m,l,xl,n" default:"M"`
	Seed uint64 `help:"The same seed gives the same data." default:"156"`
}

// Run loads generated data. A load that was broken off goes on.
func (c *demoCommand) Run(t *terminal) error {
	s, closeStore, err := c.service(t, false)
	if err != nil {
		return err
	}
	defer closeStore()
	loaded, err := s.DemoLoaded(t.ctx)
	if err != nil {
		return err
	}
	if loaded {
		t.say("demo.there", survey.Args{"round": string(fixtures.DemoRound)})
		return nil
	}
	size, _ := fixtures.SizeNamed(c.Size)
	d, err := fixtures.NewDemo(size, c.Seed)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := s.LoadDemo(t.ctx, d, t.progress()); err != nil {
		return err
	}
	t.say("demo.loaded", survey.Args{"round": string(fixtures.DemoRound), "size": size.Name, "took": time.Since(start).Round(100 * time.Millisecond).String()})
	return nil
}

// progress shows how far work has come, with its rate: a bar on a terminal, a
// line at each end of a stage elsewhere.
func (t *terminal) progress() service.Progress {
	if f, ok := t.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return t.progressBar()
	}
	return func(what string, done, total int) {
		if done >= total {
			fmt.Fprintf(t.err, "%s: %d\n", message.Say(t.lang, "progress."+what, nil), done)
		}
	}
}

func (t *terminal) progressBar() service.Progress {
	var bar *progressbar.ProgressBar
	current := ""
	return func(what string, done, total int) {
		if what != current {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(t.err), progressbar.OptionSetDescription(message.Say(t.lang, "progress."+what, nil)),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionOnCompletion(func() { fmt.Fprintln(t.err) }))
			current = what
		}
		bar.ChangeMax(total)
		_ = bar.Set(done) // a bar that cannot be drawn stops nothing
	}
}

type userCommand struct {
	Add     userAdd     `cmd:"" help:"Add an account; the password is read from standard input."`
	Reset   userReset   `cmd:"" help:"Set a password, read from standard input; sessions end."`
	Disable userDisable `cmd:"" help:"Disable an account; sessions end."`
	Enable  userEnable  `cmd:"" help:"Enable a disabled account."`
	List    userList    `cmd:"" help:"List the accounts."`
}

type userAdd struct {
	storeFlags
	Name     string `arg:"" help:"Sign-in name."`
	Role     string `required:"" help:"admin, manager, analyst, reviewer, observer or respondent."`
	FullName string `help:"The person's name."`
	Scope    string `help:"Unit on which, with everything under it, the role holds; the whole tree if left out."`
}

func (c *userAdd) Run(t *terminal) error {
	return c.with(t, false, func(s *service.Service) error {
		password, err := t.password()
		if err != nil {
			return err
		}
		return s.AddPerson(t.ctx, service.Operator(), &survey.Person{Name: c.Name, FullName: c.FullName,
			Role: survey.AccountRole(c.Role), Scope: survey.UnitCode(c.Scope)}, password)
	})
}

// with runs an action over the opened store.
func (f *storeFlags) with(t *terminal, must bool, do func(*service.Service) error) error {
	s, closeStore, err := f.service(t, must)
	if err != nil {
		return err
	}
	defer closeStore()
	return do(s)
}

// password reads one: without an echo from a terminal, else a line.
func (t *terminal) password() (string, error) {
	if f, ok := t.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(t.err, message.Say(t.lang, "user.password", nil)+" ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(t.err)
		return string(b), err
	}
	b, err := io.ReadAll(io.LimitReader(t.in, 4096))
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimRight(line, "\r"), err
}

type userReset struct {
	storeFlags
	Name string `arg:""`
}

func (c *userReset) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error {
		password, err := t.password()
		if err != nil {
			return err
		}
		return s.ResetPassword(t.ctx, service.Operator(), c.Name, password)
	})
}

type userDisable struct {
	storeFlags
	Name string `arg:""`
}

func (c *userDisable) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error { return s.SetDisabled(t.ctx, service.Operator(), c.Name, true) })
}

type userEnable struct {
	storeFlags
	Name string `arg:""`
}

func (c *userEnable) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error { return s.SetDisabled(t.ctx, service.Operator(), c.Name, false) })
}

type userList struct {
	storeFlags
}

func (c *userList) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error {
		people, err := s.People(t.ctx, service.Operator())
		for _, p := range people {
			fmt.Fprintf(t.out, "%s\t%s\t%s\t%s\n", p.Name, p.Role, p.Scope, p.FullName)
		}
		return err
	})
}

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make an API token, or with --openrosa a server address for ODK Collect; it is printed alone and shown only this once."`
}

type tokenCreate struct {
	storeFlags
	User  string `required:"" help:"Sign-in name of the person the token acts for."`
	Label string `help:"What the token is for." default:"command line"`
	// The address that phones reach is not known here unless it is said.
	OpenRosa bool   `name:"openrosa" help:"Print the server address with which to set up ODK Collect or KoboCollect."`
	BaseURL  string `name:"base-url" help:"Address by which phones reach the server." env:"KHAOSAT_BASE_URL" default:"http://127.0.0.1:8080"`
}

func (c *tokenCreate) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error {
		if c.OpenRosa {
			secret, err := s.CreateOpenRosaToken(t.ctx, service.Operator(), c.User, c.Label)
			if err == nil {
				fmt.Fprintln(t.out, strings.TrimRight(c.BaseURL, "/")+"/openrosa/"+secret)
			}
			return err
		}
		secret, err := s.CreateToken(t.ctx, service.Operator(), c.User, c.Label)
		if err == nil {
			fmt.Fprintln(t.out, secret)
		}
		return err
	})
}
