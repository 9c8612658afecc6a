package surveytest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// byteOrder is a list of names in the order of their bytes, which is neither
// the order of an alphabet nor that of upper and lower case taken together.
var byteOrder = []string{"A", "Anh", "Z", "_", "a", "a b", "a-b", "aa", "anh", "z", "Á", "á", "Đức", "đức", "ẩn", "😀"}

func testTemplates(t *testing.T, opener Opener) {
	s := opener(t)()
	d := document[survey.Template]{
		noun:    "template",
		make:    func(n int) *survey.Template { return Template(TemplateCode, n) },
		create:  s.CreateTemplate,
		replace: s.ReplaceTemplate,
		read: func(ctx context.Context, v *survey.Template) (*survey.Template, error) {
			return s.Template(ctx, v.Code, v.Version)
		},
		rev: func(v *survey.Template) *int64 { return &v.Rev },
	}
	d.mark, d.marks, d.setTime = byEvents(func(v *survey.Template) *[]survey.Event { return &v.Events })
	testDocument(t, d)

	t.Run("a plain survey has no scheme", func(t *testing.T) {
		doc := Template("PLAIN", 1, func(v *survey.Template) { v.Scheme, v.Lists, v.Checks = nil, nil, nil })
		Must(t, s.CreateTemplate(t.Context(), doc))
		got, err := s.Template(t.Context(), "PLAIN", 1)
		Must(t, err)
		WantSame(t, got, doc)
	})
	t.Run("all come ordered by the bytes of the code, then by version", func(t *testing.T) {
		s := opener(t)()
		if all := Collect(t, s.Templates(t.Context())); len(all) != 0 {
			t.Fatalf("an empty store has %d templates", len(all))
		}
		var want []string
		for _, code := range byteOrder {
			for _, version := range []int{1, 2, 10} {
				want = append(want, fmt.Sprint(code, " ", version))
			}
		}
		for i := range want { // written in another order
			i = i * 7 % len(want)
			doc := Template(survey.TemplateCode(byteOrder[i/3]), []int{1, 2, 10}[i%3])
			Must(t, s.CreateTemplate(t.Context(), doc))
		}
		var got []string
		for _, v := range Collect(t, s.Templates(t.Context())) {
			got = append(got, fmt.Sprint(v.Code, " ", v.Version))
			WantSame(t, v, Template(v.Code, v.Version, func(v *survey.Template) { v.Rev = 1 }))
		}
		wantOrder(t, got, want)
	})
}

func wantOrder(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("order is\n%q, want\n%q", got, want)
	}
}
