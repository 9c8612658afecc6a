package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/xlsform"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

type templateCommand struct {
	Check   templateCheck   `cmd:"" help:"List everything wrong with a template; status 1 if there are errors."`
	Import  templateImport  `cmd:"" help:"Store a template as a draft."`
	Publish templatePublish `cmd:"" help:"Freeze a draft, so that rounds may use it."`
	Retire  templateRetire  `cmd:"" help:"Take a published version out of use; responses with it stay."`
	Export  templateExport  `cmd:"" help:"Write a template as an XLSForm workbook, an XForm or JSON."`
	Diff    templateDiff    `cmd:"" help:"Tell what changed between two versions."`
}

type templateCheck struct {
	Template string `arg:"" help:"Workbook (.xlsx), JSON file, or code of a template that comes with the program."`
	JSON     bool   `name:"json" help:"Write JSON."`
	Annotate string `help:"Write a copy of the workbook with a comment on each faulty cell." type:"path" placeholder:"COPY.xlsx"`
}

func (c *templateCheck) Run(t *terminal) error {
	_, problems, err := t.compileTemplate(c.Template)
	if err != nil && problems == nil {
		return err // not even read
	}
	if c.Annotate != "" {
		if err := t.annotate(c.Template, c.Annotate, problems); err != nil {
			return err
		}
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

// annotate writes a copy of a workbook with its problems as comments.
func (t *terminal) annotate(from, to string, problems survey.Problems) error {
	b, err := readFile(from)
	if err != nil {
		return err
	}
	words := xlsform.Words{
		Problem: func(p survey.Problem) string { return message.OfProblem(t.lang, p) },
		Place:   func(p survey.Place) string { return message.Place(t.lang, p) },
	}
	if b, err = xlsform.Annotate(b, problems, words); err != nil {
		return err
	}
	return writeFile(to, b)
}

func writeFile(name string, b []byte) error {
	if err := os.WriteFile(name, b, 0o644); err != nil {
		return &survey.Error{Kind: survey.Invalid, Code: "file.unwritable", Args: survey.Args{"file": name}, Err: err}
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

type templateRetire struct {
	storeFlags
	Code    string `arg:""`
	Version int    `arg:""`
}

func (c *templateRetire) Run(t *terminal) error {
	s, closeStore, err := c.service(t, true)
	if err != nil {
		return err
	}
	defer closeStore()
	tpl, err := s.RetireTemplate(t.ctx, service.Operator(), survey.TemplateCode(c.Code), c.Version)
	if err == nil {
		fmt.Fprintf(t.out, "%s %d\n", tpl.Code, tpl.Version)
	}
	return err
}

type templateExport struct {
	storeFlags
	Code    string `arg:"" help:"A stored template's code, a workbook, or the code of one that comes with the program."`
	Version int    `arg:"" optional:""`
	Format  string `help:"json; xlsform: a workbook that imports again; xform: the form as ODK clients get it (the list of visits that goes with it is made for each observer)." enum:"json,xlsform,xform" default:"json"`
	Out     string `help:"File to write; standard output if left out." type:"path"`
}

func (c *templateExport) Run(t *terminal) error {
	tpl, err := c.find(t)
	if err != nil {
		return err
	}
	b, _, _, err := service.TemplateFile(tpl, c.Format)
	if err != nil {
		return err
	}
	if c.Out != "" {
		return writeFile(c.Out, b)
	}
	_, err = t.out.Write(b)
	return err
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

type templateDiff struct {
	storeFlags
	Code    string            `arg:"" help:"A stored template's code."`
	Before  int               `arg:"" help:"The earlier version."`
	After   int               `arg:"" help:"The later version."`
	Renamed map[string]string `help:"Items that got another name: old=new." placeholder:"OLD=NEW"`
	JSON    bool              `name:"json" help:"Write JSON."`
}

func (c *templateDiff) Run(t *terminal) error {
	s, closeStore, err := c.service(t, true)
	if err != nil {
		return err
	}
	defer closeStore()
	d, err := s.CompareTemplates(t.ctx, service.Operator(), survey.TemplateCode(c.Code), c.Before, c.After, c.Renamed)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(t.out, struct {
			Differences []survey.Difference `json:"differences"`
			Responses   int                 `json:"responses"`
		}{append([]survey.Difference{}, d.Differences...), d.Responses})
	}
	for _, one := range d.Differences {
		fmt.Fprintln(t.out, message.OfDifference(t.lang, one))
	}
	if len(d.Differences) == 0 {
		t.say("diff.none", nil)
	}
	t.say("diff.responses", survey.Args{"responses": strconv.Itoa(d.Responses), "version": strconv.Itoa(c.Before)})
	return nil
}
