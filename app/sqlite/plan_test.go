package sqlite

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// TestQueriesUseIndexes looks at SQLite's plans: no query may walk through a
// whole table or sort what it reads, except that a unit's few responses are
// sorted by position.
func TestQueriesUseIndexes(t *testing.T) {
	s := openTemp(t, Options{})
	filter := func(f survey.ResponseFilter) string {
		q, _ := filterQuery(f, 0, 1)
		return q
	}
	for _, c := range []struct{ name, query, plan string }{
		{"a template", "SELECT rev, doc FROM templates WHERE code = ? AND version = ?", "SEARCH templates USING INDEX sqlite_autoindex_templates_1 (code=? AND version=?)"},
		{"templates", listTemplates, "SEARCH templates USING INDEX sqlite_autoindex_templates_1 ((code,version)>(?,?))"},
		{"rounds", listRounds, "SEARCH rounds USING INDEX sqlite_autoindex_rounds_1 (code>?)"},
		{"people", listPeople, "SEARCH people USING INDEX people_name (name>?)"},
		{"a person's tokens", listTokens, "SEARCH tokens USING INDEX tokens_person (person=? AND (created,hash)>(?,?))"},
		{"jobs", listJobs, "SEARCH jobs USING INDEX jobs_created ((created,id)>(?,?))"},
		{"whether a content is attached", attachedContent, "SEARCH attachments USING COVERING INDEX attachments_sha256 (sha256=?)"},
		{"a template's events", dropTemplateEvents, "SEARCH events USING INDEX events_template (id=?)"},
		{"tries", findTries, "SEARCH tries USING PRIMARY KEY (key=?)"},
		{"old tries", dropTries, "SEARCH tries USING INDEX tries_last (last<?)"},
		{"units", followUnits, "SEARCH units USING INTEGER PRIMARY KEY (rowid>?)"},
		{"an observer's assignments", listAssignments, "SEARCH assignments USING INDEX assignments_observer (observer=? AND (round,due,id)>(?,?,?))"},
		{"an observer's assignments in a round", listRoundAssignments, "SEARCH assignments USING INDEX assignments_observer (observer=? AND round=? AND (due,id)>(?,?))"},
		{"a round's assignments", followAssignments, "SEARCH assignments USING INDEX assignments_round (round=? AND rowid>?)"},
		{"a visit's assignment", "SELECT rev, doc FROM assignments WHERE visit = ?", "SEARCH assignments USING INDEX assignments_visit (visit=?)"},
		{"packed rows", followRows, "SEARCH response_rows USING PRIMARY KEY (round=? AND pos>?)"},
		{"a response", findResponse, "SEARCH r USING INDEX responses_id (id=?); SEARCH w USING PRIMARY KEY (round=? AND pos=?)"},
		{"the holder of a visit", holderOfVisit, "SEARCH responses USING INDEX responses_visit (unit=? AND visit=?)"},
		{"a response's attachments", listAttachments, "SEARCH attachments USING PRIMARY KEY (response=?)"},
		{"a form", findForm, "SEARCH forms USING INDEX sqlite_autoindex_forms_1 (code=? AND version=?)"},
		{"all responses", filter(survey.ResponseFilter{}), "SEARCH r USING INTEGER PRIMARY KEY (rowid>?); SEARCH w USING PRIMARY KEY (round=? AND pos=?)"},
		{"a round's", filter(survey.ResponseFilter{Round: "r"}), "SEARCH r USING INDEX responses_round (round=? AND pos>?); SEARCH w USING PRIMARY KEY (round=? AND pos=?)"},
		{"a round's without their bytes", filter(survey.ResponseFilter{Round: "r", Bare: true}), "SEARCH r USING INDEX responses_round (round=? AND pos>?)"},
		{"a round's under a unit", filter(survey.ResponseFilter{Round: "r", Under: "u", State: "s"}), "SEARCH r USING INDEX responses_round (round=? AND pos>?); SEARCH w USING PRIMARY KEY (round=? AND pos=?)"},
		{"an observer's in a round", filter(survey.ResponseFilter{Round: "r", Observer: "o"}), "SEARCH r USING INDEX responses_observer (observer=? AND rowid>?); SEARCH w USING PRIMARY KEY (round=? AND pos=?)"},
		{"a unit's", filter(survey.ResponseFilter{Unit: "u", Observer: "o"}), "SEARCH r USING INDEX responses_visit (unit=?); SEARCH w USING PRIMARY KEY (round=? AND pos=?); USE TEMP B-TREE FOR ORDER BY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.plan(t, c.query); got != c.plan {
				t.Errorf("the plan of\n%s\nis\n%s, want\n%s", c.query, got, c.plan)
			}
		})
	}
}

// TestFilterReadsNoDocuments makes sure that a round is searched in its index:
// a response that does not match is passed over without being looked up.
func TestFilterReadsNoDocuments(t *testing.T) {
	s := openTemp(t, Options{})
	narrow := survey.ResponseFilter{Round: "r", Template: "t", Role: "o", State: "s", Under: "u"}
	q, args := filterQuery(narrow, 0, 1)
	// Of the table itself only what an index holds is asked for.
	q = regexp.MustCompile(`^SELECT .* FROM responses`).ReplaceAllString(q, "SELECT r.pos FROM responses")
	if got := s.plan(t, q, args...); !strings.Contains(got, "USING COVERING INDEX responses_round") {
		t.Errorf("the index does not hold all that a filter looks at: %s", got)
	}
}

func (s *Store) plan(t *testing.T, query string, args ...any) string {
	t.Helper()
	for len(args) < strings.Count(query, "?") {
		args = append(args, nil)
	}
	var steps []string
	surveytest.Must(t, s.readers.use(t.Context(), func(c *conn) error {
		return c.each(t.Context(), "EXPLAIN QUERY PLAN "+query, args, func(rows scanner) (bool, error) {
			var id, parent, unused int
			var step string
			err := rows.Scan(&id, &parent, &unused, &step)
			steps = append(steps, step)
			return true, err
		})
	}))
	return strings.Join(steps, "; ")
}

func openTemp(t testing.TB, opts Options) *Store {
	t.Helper()
	return openDir(t, t.TempDir(), opts)
}

func openDir(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, opts)
	surveytest.Must(t, err)
	t.Cleanup(func() { surveytest.Must(t, s.Close()) })
	return s
}

// TestEveryConnectionIsDurable reads the settings back: a PRAGMA that did not
// reach a connection, or that SQLite did not understand, is silent.
func TestEveryConnectionIsDurable(t *testing.T) {
	s := openTemp(t, Options{Readers: 3})
	check := func(c *conn) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if _, err := c.one("PRAGMA "+pragma, nil, &got); err != nil || got != want {
				return fmt.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
			}
		}
		return nil
	}
	surveytest.Must(t, s.write(t.Context(), 0, func(tx *tx) error { return check(tx.conn) }))
	for range 3 {
		<-s.readers.free
		c := s.readers.pick()
		defer s.readers.put(c)
		surveytest.Must(t, check(c))
		if _, err := c.exec("DELETE FROM rounds"); err == nil {
			t.Error("a connection for reading writes")
		}
	}
}
