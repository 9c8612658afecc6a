package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/export"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
)

type exportCommand struct {
	storeFlags
	Round     string   `required:"" help:"Code of the round."`
	Template  string   `help:"Template; the round's first if left out."`
	Out       string   `required:"" help:"File to write: .xlsx the workbook, .zip the raw data, .docx the short report." type:"path"`
	Language  string   `name:"language" enum:"vi,en" default:"vi" help:"Language of the file."`
	By        []string `help:"Groupings that have a sheet each."`
	Under     []string `help:"Only units under these."`
	Summary   bool     `help:"Leave the sheets with a row a response away."`
	Values    string   `enum:",codes,labels" default:"" help:"How choices are written: codes or labels; both if left out."`
	Semicolon bool     `help:"Separate raw data by semicolons, with decimal commas."`
	Superiors int      `help:"A workbook for each superior at this level, in a zip."`
}

// order says what the command is asked for.
func (c *exportCommand) order() (service.Order, error) {
	o := service.Order{Kind: survey.JobWorkbook, Semicolon: c.Semicolon, Level: c.Superiors, ExportOptions: service.ExportOptions{Round: survey.RoundCode(c.Round),
		Template: survey.TemplateCode(c.Template), Language: c.Language, Summary: c.Summary, Values: export.Values(c.Values)}}
	for _, by := range c.By {
		o.Groupings = append(o.Groupings, scoring.Grouping(by))
	}
	for _, unit := range c.Under {
		o.Filter.Under = append(o.Filter.Under, survey.UnitCode(unit))
	}
	switch ending := strings.ToLower(filepath.Ext(c.Out)); {
	case ending == ".zip" && c.Superiors > 0:
		o.Kind = survey.JobSuperiors
	case ending == ".zip":
		o.Kind = survey.JobCSV
	case ending == ".docx":
		o.Kind = survey.JobWord
	case ending != ".xlsx":
		return o, &survey.Error{Kind: survey.Invalid, Code: "export.ending", Args: survey.Args{"file": c.Out}}
	}
	return o, nil
}

// exportGC is how much garbage an export lets gather, in percent of what lives.
const exportGC = 70

// Run writes the file beside its place and moves it there when it is whole,
// so that a failure never leaves half a file or spoils an older one.
func (c *exportCommand) Run(t *terminal) (err error) {
	o, err := c.order()
	if err != nil {
		return err
	}
	// What streams through lives shortly: to collect it more often costs a few
	// percent of the time and saves a tenth of the memory.
	debug.SetGCPercent(exportGC)
	return c.with(t, true, func(s *service.Service) error {
		f, err := os.CreateTemp(filepath.Dir(c.Out), ".khaosat-*.xlsx")
		if err != nil {
			return &survey.Error{Kind: survey.Invalid, Code: "file.unwritable", Args: survey.Args{"file": c.Out}, Err: err}
		}
		defer os.Remove(f.Name())
		o.Progress = t.progress()
		err = s.WriteFile(t.ctx, service.Operator(), o, f)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err == nil {
			err = os.Chmod(f.Name(), 0o644)
		}
		if err == nil {
			err = os.Rename(f.Name(), c.Out)
		}
		if err == nil {
			fmt.Fprintln(t.out, c.Out)
		}
		return err
	})
}
