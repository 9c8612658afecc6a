package sqlite_test

import (
	"testing"

	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

func TestStore(t *testing.T) { surveytest.TestStore(t, open) }

func open(t testing.TB) func() survey.Store {
	dir := t.TempDir()
	return func() survey.Store {
		s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
		surveytest.Must(t, err)
		t.Cleanup(func() { surveytest.Must(t, s.Close()) })
		return s
	}
}
