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

type templateCommand struct {
	Check   templateCheck   `cmd:"" help:"List everything wrong with a template; status 1 if there are errors."`
	Import  templateImport  `cmd:"" help:"Store a template as a draft."`
	Publish templatePublish `cmd:"" help:"Freeze a draft, so that rounds may use it."`
	Export  templateExport  `cmd:"" help:"Write a template as JSON or as an ODK XForm."`
}

type templateCheck struct {
	Template string `arg:"" help:"Workbook (.xlsx), JSON file, or code of a template that comes with the program."`
	JSON     bool   `name:"json" help:"Write JSON."`
}

func (c *templateCheck) Run(t *terminal) error {
	_, problems, err := t.compileTemplate(c.Template)
	if err != nil && problems == nil {
		return err // not even read
	}
	if c.JSON {
		if problems == nil {
			problems = survey.Problems{}
		}
		if err := writeJSON(t.out, problems); err != nil {
			return err
		}
	} else {
		printProblems(t.out, t.lang, problems)
	}
	if problems.HasErrors() {
		t.status = exitProblems
	} else {
		t.say("template.no_errors", survey.Args{"template": c.Template})
	}
	return nil
}

type templateImport struct {
	storeFlags
	File    string `arg:"" help:"Workbook (.xlsx) or JSON file."`
	Publish bool   `help:"Publish it at once."`
}

func (c *templateImport) Run(t *terminal) error {
	tpl, problems, err := readTemplate(c.File)
	if err == nil {
		err = problems.Err("template.invalid")
	}
	if err != nil {
		return err
	}
	s, closeStore, err := c.service(t, false)
	if err != nil {
		return err
	}
	defer closeStore()
	more, err := s.ImportTemplate(t.ctx, service.Operator(), tpl)
	if err != nil {
		return err
	}
	printProblems(t.err, t.lang, append(problems, more...))
	if c.Publish {
		if _, err := s.PublishTemplate(t.ctx, service.Operator(), tpl.Code, tpl.Version); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.out, "%s %d\n", tpl.Code, tpl.Version)
	return nil
}

type templatePublish struct {
	storeFlags
	Code    string `arg:""`
	Version int    `arg:"" optional:"" help:"The latest if left out."`
}

func (c *templatePublish) Run(t *terminal) error {
	s, closeStore, err := c.service(t, true)
	if err != nil {
		return err
	}
	defer closeStore()
	tpl, err := s.Template(t.ctx, service.Operator(), survey.TemplateCode(c.Code), c.Version)
	if err != nil {
		return err
	}
	tpl, err = s.PublishTemplate(t.ctx, service.Operator(), tpl.Code, tpl.Version)
	if err == nil {
		fmt.Fprintf(t.out, "%s %d\n", tpl.Code, tpl.Version)
	}
	return err
}

type templateExport struct {
	storeFlags
	Code    string `arg:"" help:"A stored template's code, a workbook, or the code of one that comes with the program."`
	Version int    `arg:"" optional:""`
	Format  string `help:"json, or xform: the form as ODK clients get it; the list of visits that goes with it is made for each observer." enum:"json,xform" default:"json"`
	Out     string `help:"File to write; standard output if left out." type:"path"`
}

func (c *templateExport) Run(t *terminal) error {
	tpl, err := c.find(t)
	if err != nil {
		return err
	}
	tpl.Events = nil
	out := t.out
	if c.Out != "" {
		f, err := os.Create(c.Out)
		if err != nil {
			return &survey.Error{Kind: survey.Invalid, Code: "file.unwritable", Args: survey.Args{"file": c.Out}, Err: err}
		}
		defer f.Close()
		out = f
	}
	if c.Format == "xform" {
		b, err := service.XForm(tpl)
		if err == nil {
			_, err = out.Write(b)
		}
		return err
	}
	return writeJSON(out, tpl)
}

func (c *templateExport) find(t *terminal) (*survey.Template, error) {
	if _, err := os.Stat(c.Data); err == nil || c.MongodbURI != "" {
		s, closeStore, err := c.service(t, true)
		if err != nil {
			return nil, err
		}
		defer closeStore()
		tpl, err := s.Template(t.ctx, service.Operator(), survey.TemplateCode(c.Code), c.Version)
		if err == nil || survey.KindOf(err) != survey.NotFound {
			return tpl, err
		}
	}
	tpl, problems, err := readTemplate(c.Code)
	if err == nil {
		err = problems.Err("template.invalid")
	}
	return tpl, err
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
	Create tokenCreate `cmd:"" help:"Make an API token; it is printed alone and shown only this once."`
}

type tokenCreate struct {
	storeFlags
	User  string `required:"" help:"Sign-in name of the person the token acts for."`
	Label string `help:"What the token is for." default:"command line"`
}

func (c *tokenCreate) Run(t *terminal) error {
	return c.with(t, true, func(s *service.Service) error {
		secret, err := s.CreateToken(t.ctx, service.Operator(), c.User, c.Label)
		if err == nil {
			fmt.Fprintln(t.out, secret)
		}
		return err
	})
}
