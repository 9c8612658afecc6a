package mongo

import (
	"context"
	"iter"
	"strconv"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
)

func (s *Store) templateShelf() *shelf[survey.Template] {
	return &shelf[survey.Template]{
		Store: s, coll: s.db.Collection(templatesName), noun: "template",
		id:     func(t *survey.Template) string { return templateID(t.Code, t.Version) },
		rev:    func(t *survey.Template) *int64 { return &t.Rev },
		encode: func(t *survey.Template, h head) any { return templateDocOf(t, h) },
		decode: decoder(func(d *templateDoc) (*survey.Template, error) { return d.template(), nil }),
	}
}

// decoder makes a shelf's decode of what its document says it is.
func decoder[T, D any](of func(*D) (*T, error)) func(bson.Raw) (*T, error) {
	return func(raw bson.Raw) (*T, error) {
		d := new(D)
		if err := bson.Unmarshal(raw, d); err != nil {
			return nil, err
		}
		return of(d)
	}
}

func templateID(code survey.TemplateCode, version int) string {
	return string(code) + " " + strconv.Itoa(version)
}

// CreateTemplate implements survey.TemplateStore.
func (s *Store) CreateTemplate(ctx context.Context, t *survey.Template) error {
	return s.templates.create(ctx, t)
}

// ReplaceTemplate implements survey.TemplateStore.
func (s *Store) ReplaceTemplate(ctx context.Context, t *survey.Template) error {
	return s.templates.replace(ctx, t)
}

// Template implements survey.TemplateStore.
func (s *Store) Template(ctx context.Context, code survey.TemplateCode, version int) (*survey.Template, error) {
	id := templateID(code, version)
	return s.templates.find(ctx, byID(id), id)
}

// Templates implements survey.TemplateStore.
func (s *Store) Templates(ctx context.Context) iter.Seq2[*survey.Template, error] {
	return s.templates.list(ctx, bson.D{}, "code", "version")
}
