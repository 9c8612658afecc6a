package web

import (
	"errors"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/khaosat/khaosat/survey"
)

// shapes checks the shape of requests by the tags of their types.
type shapes struct{ v *validator.Validate }

func newShapes() *shapes {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	// A code stands in addresses and file names.
	_ = v.RegisterValidation("code", func(f validator.FieldLevel) bool { return survey.ValidCode(f.Field().String()) })
	return &shapes{v}
}

// check gives nil or an Invalid Error with a problem for every field.
func (s *shapes) check(v any) error {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	err := s.v.Struct(v)
	var fields validator.ValidationErrors
	if !errors.As(err, &fields) {
		return err
	}
	var ps survey.Problems
	for _, f := range fields {
		_, path, _ := strings.Cut(f.Namespace(), ".")
		pointer := "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
		p := survey.Problem{Severity: survey.SeverityError, Code: "shape." + f.Tag(), Args: survey.Args{"param": f.Param()}, Place: survey.Place{Pointer: pointer, Item: f.Field()}}
		if f.Kind() == reflect.String {
			p.Value = reflect.ValueOf(f.Value()).String()
		}
		if f.Tag() == "oneof" {
			p.Suggestion = survey.Closest(p.Value, strings.Fields(f.Param()))
		}
		ps = append(ps, p)
	}
	return ps.Err("request.shape")
}
