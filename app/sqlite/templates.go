package sqlite

import (
	"context"
	"iter"
	"strconv"

	"github.com/khaosat/khaosat/survey"
)

var templates = &kind[survey.Template]{
	trail: func(v *survey.Template) (survey.Object, []survey.Event) { return v.Object(), v.Events },
	noun:  "template",
	id:    func(t *survey.Template) string { return templateID(t.Code, t.Version) },
	rev:   func(t *survey.Template) *int64 { return &t.Rev },
	cut:   func(t *survey.Template) { t.Events = cutEvents(t.Events) },
}

func templateID(code survey.TemplateCode, version int) string {
	return string(code) + " " + strconv.Itoa(version)
}

// CreateTemplate implements survey.TemplateStore.
func (s *Store) CreateTemplate(ctx context.Context, t *survey.Template) error {
	return create(ctx, s, templates, t, func(tx *tx, doc string) (int64, error) {
		return tx.exec("INSERT INTO templates (code, version, rev, doc) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING",
			t.Code, t.Version, doc)
	}, nil)
}

// ReplaceTemplate implements survey.TemplateStore.
func (s *Store) ReplaceTemplate(ctx context.Context, t *survey.Template) error {
	return replace(ctx, s, templates, t, func(tx *tx, doc string) (int64, error) {
		return tx.exec("UPDATE templates SET rev = rev + 1, doc = ? WHERE code = ? AND version = ? AND rev = ?",
			doc, t.Code, t.Version, t.Rev)
	}, "SELECT rev FROM templates WHERE code = ? AND version = ?", []any{t.Code, t.Version}, nil)
}

// Template implements survey.TemplateStore.
func (s *Store) Template(ctx context.Context, code survey.TemplateCode, version int) (*survey.Template, error) {
	return find(ctx, s, templates, templateID(code, version),
		"SELECT rev, doc FROM templates WHERE code = ? AND version = ?", code, version)
}

const listTemplates = "SELECT rev, doc FROM templates WHERE (code, version) > (?, ?) ORDER BY code, version LIMIT ?"

// Templates implements survey.TemplateStore.
func (s *Store) Templates(ctx context.Context) iter.Seq2[*survey.Template, error] {
	return list(ctx, s, templates, listTemplates, func(last *survey.Template) []any {
		if last == nil {
			return []any{"", 0}
		}
		return []any{last.Code, last.Version}
	})
}
