package service

import (
	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

// XForm writes a template as the form that OpenRosa clients get. Invalid if the
// template has errors.
func XForm(t *survey.Template) ([]byte, error) {
	if _, problems := survey.Compile(t, nil); problems.HasErrors() {
		return nil, problems.Err("template.invalid")
	}
	return openrosa.XForm(t, openrosa.Options{Visits: true})
}
