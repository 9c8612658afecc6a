// Package surveytest is for tests that need a store or the things kept in
// one. TestStore checks every sentence of survey.Store's contract on a store;
// the builders (Response, Unit, Template, ...) make documents that are
// complete and differ from each other, to be bent by the functions they take.
package surveytest

import (
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// Opener prepares an empty database of its own for a test and returns a
// function that opens it. Called once more, that function opens another handle
// onto the same data, as another process would, while the earlier handles may
// or may not be in use still. The opener closes the handles when the test
// ends; closing one twice must do no harm.
type Opener func(t testing.TB) (open func() survey.Store)

// TestStore checks that a store keeps the contract written in survey.Store.
//
// Beyond its letter it holds the stores to one set of codes, because people
// read one catalogue: "<noun>.unknown" for NotFound and "<noun>.exists" for
// Exists, where the noun is template, unit, person, token, round, assignment,
// response or job; "person.name_taken", "visit.assigned" and "visit.taken" for
// what is unique besides; "stale" for Conflict, "cursor" for a cursor that the
// store did not make, and "store.too_large" for TooLarge.
func TestStore(t *testing.T, opener Opener) {
	t.Run("Templates", func(t *testing.T) { testTemplates(t, opener) })
	t.Run("TypeLists", func(t *testing.T) { testTypeLists(t, opener) })
	t.Run("Units", func(t *testing.T) { testUnits(t, opener) })
	t.Run("People", func(t *testing.T) { testPeople(t, opener) })
	t.Run("Tokens", func(t *testing.T) { testTokens(t, opener) })
	t.Run("Tries", func(t *testing.T) { testTries(t, opener) })
	t.Run("Jobs", func(t *testing.T) { testJobs(t, opener) })
	t.Run("Rounds", func(t *testing.T) { testRounds(t, opener) })
	t.Run("Assignments", func(t *testing.T) { testAssignments(t, opener) })
	t.Run("Responses", func(t *testing.T) { testResponses(t, opener) })
	t.Run("Attachments", func(t *testing.T) { testAttachments(t, opener) })
	t.Run("Filters", func(t *testing.T) { testFilters(t, opener) })
	t.Run("Events", func(t *testing.T) { testEvents(t, opener) })
	t.Run("Racing", func(t *testing.T) { testRacing(t, opener) })
	t.Run("Following", func(t *testing.T) { testFollowing(t, opener) })
	t.Run("Failures", func(t *testing.T) { testFailures(t, opener) })
	t.Run("Lifetime", func(t *testing.T) { testLifetime(t, opener) })
}
