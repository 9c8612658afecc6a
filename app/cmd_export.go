package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

type exportCommand struct {
	storeFlags
	Round    string `required:"" help:"Code of the round."`
	Template string `help:"Template; the round's first if left out."`
	Out      string `required:"" help:"File to write (.xlsx)." type:"path"`
	Language string `name:"language" enum:"vi,en" default:"vi" help:"Language of the workbook."`
}

// exportGC is how much garbage an export lets gather, in percent of what lives.
const exportGC = 40

// Run writes the workbook beside its place and moves it there when it is whole,
// so that a failure never leaves half a file or spoils an older one.
func (c *exportCommand) Run(t *terminal) (err error) {
	// What streams through lives shortly: to collect it twice as often costs a
	// few percent of the time and saves a fifth of the memory.
	debug.SetGCPercent(exportGC)
	return c.with(t, true, func(s *service.Service) error {
		f, err := os.CreateTemp(filepath.Dir(c.Out), ".khaosat-*.xlsx")
		if err != nil {
			return &survey.Error{Kind: survey.Invalid, Code: "file.unwritable", Args: survey.Args{"file": c.Out}, Err: err}
		}
		defer os.Remove(f.Name())
		o := service.ExportOptions{Round: survey.RoundCode(c.Round), Template: survey.TemplateCode(c.Template), Language: c.Language, Progress: t.progress()}
		err = s.Export(t.ctx, service.Operator(), o, f)
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
