package sqlite

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// A database from before the log was kept gets it from its documents.
func TestTheLogIsMadeFromTheDocuments(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{})
	surveytest.Must(t, err)
	defer s.Close()
	ctx := t.Context()
	person := surveytest.Person(1)
	surveytest.Must(t, s.CreatePerson(ctx, person))
	surveytest.Must(t, s.CreateToken(ctx, surveytest.Token(1, person.ID, func(v *survey.Token) { v.Events = []survey.Event{surveytest.Event("token.made")} })))
	surveytest.Must(t, s.CreateTemplate(ctx, surveytest.Template("FORM", 2, func(v *survey.Template) { v.Events = []survey.Event{surveytest.Event("template.begun")} })))
	surveytest.Must(t, s.CreateRound(ctx, surveytest.Round("r")))
	surveytest.Must(t, s.PutUnits(ctx, []*survey.Unit{surveytest.Unit(1)}))
	surveytest.Must(t, s.CreateAssignments(ctx, []*survey.Assignment{surveytest.Assignment(1)}))
	surveytest.Must(t, s.CreateResponse(ctx, surveytest.Response(1)))
	read := func() (out []survey.AuditEntry) {
		for e, err := range s.Events(ctx, survey.AuditFilter{}, "") {
			surveytest.Must(t, err)
			out = append(out, *e)
		}
		return out
	}
	want := read()
	if len(want) < 5 {
		t.Fatalf("only %d events", len(want))
	}
	all, err := migrations()
	surveytest.Must(t, err)
	surveytest.Must(t, s.write(ctx, 1, func(t *tx) error {
		_, err := t.exec("DELETE FROM events")
		return err
	}))
	for _, m := range all {
		before, again, found := strings.Cut(m.sql, "INSERT INTO events\n")
		if !found {
			continue
		}
		// A later one makes a part of them anew.
		if _, drop, some := strings.Cut(before, "DELETE FROM events"); some {
			again = "DELETE FROM events" + drop + "INSERT INTO events\n" + again
		} else {
			again = "INSERT INTO events\n" + again
		}
		surveytest.Must(t, s.write(ctx, 1, func(t *tx) error {
			_, err := t.ExecContext(context.Background(), again)
			return err
		}))
	}
	if got := read(); !reflect.DeepEqual(got, want) {
		t.Errorf("it tells\n%+v, want\n%+v", got, want)
	}
}
