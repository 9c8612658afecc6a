package surveytest

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

func testFailures(t *testing.T, opener Opener) {
	t.Run("a cancelled context gives its own error and writes nothing", func(t *testing.T) { testCancelled(t, opener(t)()) })
	t.Run("a document of 3 MB is kept", func(t *testing.T) {
		s := opener(t)()
		testRoundTrip(t, s, Response(1, func(r *survey.Response) {
			r.Submission = Submission(string(noise(3 << 20)))
			r.Answers = r.Answers.Set("long", survey.TextValue(strings.Repeat("ă", 1<<20)))
		}))
	})
	t.Run("one over the limit is TooLarge and nothing is written", func(t *testing.T) { testTooLarge(t, opener(t)()) })
	t.Run("leaving an iterator early releases what it holds", func(t *testing.T) { testEarlyStops(t, opener(t)()) })
	t.Run("writing while iterating does not block", func(t *testing.T) { testWriteWhileReading(t, opener(t)()) })
	t.Run("a cancelled reading ends with the context's error", func(t *testing.T) { testCancelledReading(t, opener(t)()) })
}

// noise makes bytes that do not compress, the same every time.
func noise(n int) []byte {
	b := make([]byte, 0, n+sha256.Size)
	sum := sha256.Sum256([]byte("noise"))
	for len(b) < n {
		b = append(b, sum[:]...)
		sum = sha256.Sum256(sum[:])
	}
	return b[:n]
}

// drain reads an iterator to its end and gives the error.
func drain[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// calls are all methods of a store that take a context, on documents 1.
func calls(s survey.Store) map[string]func(context.Context) error {
	discard := func(_ any, err error) error { return err }
	return map[string]func(context.Context) error{
		"Ping":              s.Ping,
		"CreateTemplate":    func(ctx context.Context) error { return s.CreateTemplate(ctx, Template(TemplateCode, 1)) },
		"ReplaceTemplate":   func(ctx context.Context) error { return s.ReplaceTemplate(ctx, Template(TemplateCode, 1)) },
		"Template":          func(ctx context.Context) error { return discard(s.Template(ctx, TemplateCode, 1)) },
		"Templates":         func(ctx context.Context) error { return drain(s.Templates(ctx)) },
		"TypeLists":         func(ctx context.Context) error { return discard(s.TypeLists(ctx)) },
		"ReplaceTypeLists":  func(ctx context.Context) error { return s.ReplaceTypeLists(ctx, TypeLists()) },
		"PutUnits":          func(ctx context.Context) error { return s.PutUnits(ctx, []*survey.Unit{Unit(1)}) },
		"ReplaceUnit":       func(ctx context.Context) error { return s.ReplaceUnit(ctx, Unit(1)) },
		"Unit":              func(ctx context.Context) error { return discard(s.Unit(ctx, UnitCode(1))) },
		"UnitsSince":        func(ctx context.Context) error { return drain(s.UnitsSince(ctx, "")) },
		"CreatePerson":      func(ctx context.Context) error { return s.CreatePerson(ctx, Person(1)) },
		"ReplacePerson":     func(ctx context.Context) error { return s.ReplacePerson(ctx, Person(1)) },
		"Person":            func(ctx context.Context) error { return discard(s.Person(ctx, Person(1).ID)) },
		"PersonByName":      func(ctx context.Context) error { return discard(s.PersonByName(ctx, "person1")) },
		"People":            func(ctx context.Context) error { return drain(s.People(ctx)) },
		"CreatePeople":      func(ctx context.Context) error { return s.CreatePeople(ctx, []*survey.Person{Person(1)}) },
		"CreateToken":       func(ctx context.Context) error { return s.CreateToken(ctx, Token(1, "p")) },
		"ReplaceToken":      func(ctx context.Context) error { return s.ReplaceToken(ctx, Token(1, "p")) },
		"Token":             func(ctx context.Context) error { return discard(s.Token(ctx, Token(1, "p").Hash)) },
		"TokensOf":          func(ctx context.Context) error { return drain(s.TokensOf(ctx, "p")) },
		"AddTries":          func(ctx context.Context) error { return discard(s.AddTries(ctx, "k", 1, Received, time.Minute)) },
		"Tries":             func(ctx context.Context) error { return discard(s.Tries(ctx, "k")) },
		"CreateRound":       func(ctx context.Context) error { return s.CreateRound(ctx, Round(RoundCode)) },
		"ReplaceRound":      func(ctx context.Context) error { return s.ReplaceRound(ctx, Round(RoundCode)) },
		"Round":             func(ctx context.Context) error { return discard(s.Round(ctx, RoundCode)) },
		"Rounds":            func(ctx context.Context) error { return drain(s.Rounds(ctx)) },
		"CreateAssignments": func(ctx context.Context) error { return s.CreateAssignments(ctx, []*survey.Assignment{Assignment(1)}) },
		"ReplaceAssignment": func(ctx context.Context) error { return s.ReplaceAssignment(ctx, Assignment(1)) },
		"Assignment":        func(ctx context.Context) error { return discard(s.Assignment(ctx, Assignment(1).ID)) },
		"AssignmentFor":     func(ctx context.Context) error { return discard(s.AssignmentFor(ctx, Visit(1))) },
		"AssignmentsOf":     func(ctx context.Context) error { return drain(s.AssignmentsOf(ctx, "p", "")) },
		"VisitsSince":       func(ctx context.Context) error { return drain(s.VisitsSince(ctx, RoundCode, "")) },
		"AssignmentsSince":  func(ctx context.Context) error { return drain(s.AssignmentsSince(ctx, RoundCode, "")) },
		"CreateResponse":    func(ctx context.Context) error { return s.CreateResponse(ctx, Response(1)) },
		"ReplaceResponse":   func(ctx context.Context) error { return s.ReplaceResponse(ctx, Response(1)) },
		"CreateResponses": func(ctx context.Context) error {
			return discard(s.CreateResponses(ctx, []*survey.Response{Response(1)}))
		},
		"Response":       func(ctx context.Context) error { return discard(s.Response(ctx, Response(1).ID)) },
		"ResponsesSince": func(ctx context.Context) error { return drain(s.ResponsesSince(ctx, survey.ResponseFilter{}, "")) },
		"PutContent": func(ctx context.Context) error {
			_, _, err := s.PutContent(ctx, strings.NewReader("content"))
			return err
		},
		"Content": func(ctx context.Context) error { return discard(s.Content(ctx, strings.Repeat("0", 64))) },
		"Attach": func(ctx context.Context) error {
			return s.Attach(ctx, &survey.Attachment{Response: Response(1).ID, Name: "a", SHA256: "b"})
		},
		"Attachments": func(ctx context.Context) error { return drain(s.Attachments(ctx, Response(1).ID)) },
		"KeepForm":    func(ctx context.Context) error { return discard(s.KeepForm(ctx, TemplateCode, 1, []byte("f"))) },
		"Form":        func(ctx context.Context) error { return discard(s.Form(ctx, TemplateCode, 1)) },
		"RowsSince":   func(ctx context.Context) error { return drain(s.RowsSince(ctx, RoundCode, "")) },
	}
}

func testCancelled(t *testing.T, s survey.Store) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s) {
		if err := call(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v, want the context's", name, err)
		}
	}
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, call := range calls(s) {
		if err := call(expired); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error is %v, want the deadline's", name, err)
		}
	}
	for name, call := range calls(s) {
		switch name {
		case "Template", "Unit", "Person", "PersonByName", "Token", "Round", "Assignment", "AssignmentFor", "Response":
			if err := call(t.Context()); survey.KindOf(err) != survey.NotFound {
				t.Errorf("%s: error is %v, want not found", name, err)
			}
		}
	}
}

// testTooLarge uses documents that no store can be expected to keep: MongoDB's
// limit is 16 MiB, and the others are held to the same so that data can move.
func testTooLarge(t *testing.T, s survey.Store) {
	ctx := t.Context()
	const huge = 17 << 20
	long := strings.Repeat("x", huge)
	raw := survey.Submission{Raw: noise(huge)}
	fill := func(r *survey.Response) { r.Submission = raw }
	text := survey.Text{"vi": long}

	WantError(t, s.CreateResponse(ctx, Response(1, fill)), survey.TooLarge, "store.too_large")
	_, err := s.Response(ctx, Response(1).ID)
	WantError(t, err, survey.NotFound, "")
	created, err := s.CreateResponses(ctx, []*survey.Response{Response(2), Response(3, fill), Response(4)})
	WantError(t, err, survey.TooLarge, "store.too_large")
	if _, err := s.Response(ctx, Response(2).ID); err != nil || created != 1 {
		t.Errorf("the one before the error: %v; %d were created, want 1", err, created)
	}

	r := Response(5)
	Must(t, s.CreateResponse(ctx, r))
	grown := *r
	for range 9 { // each is small enough, together they are not
		grown.Earlier = append(grown.Earlier, survey.Submission{Raw: raw.Raw[:2<<20]})
	}
	WantError(t, s.ReplaceResponse(ctx, &grown), survey.TooLarge, "store.too_large")
	got, err := s.Response(ctx, r.ID)
	Must(t, err)
	WantSame(t, got, r)

	for noun, err := range map[string]error{
		"template":   s.CreateTemplate(ctx, Template("T", 1, func(v *survey.Template) { v.Title = text })),
		"round":      s.CreateRound(ctx, Round("R", func(v *survey.Round) { v.Title = text })),
		"person":     s.CreatePerson(ctx, Person(1, func(v *survey.Person) { v.FullName = long })),
		"people":     s.CreatePeople(ctx, []*survey.Person{Person(1, func(v *survey.Person) { v.FullName = long })}),
		"token":      s.CreateToken(ctx, Token(1, "p", func(v *survey.Token) { v.Label = long })),
		"unit":       s.PutUnits(ctx, []*survey.Unit{Unit(1, func(v *survey.Unit) { v.Spans[0].Name = long })}),
		"type lists": s.ReplaceTypeLists(ctx, &survey.TypeLists{Tags: []survey.TypeCode{{Code: "x", Label: text}}}),
		"assignment": s.CreateAssignments(ctx, []*survey.Assignment{Assignment(1, func(v *survey.Assignment) { v.Events[0].Action = long })}),
	} {
		if survey.KindOf(err) != survey.TooLarge {
			t.Errorf("%s: error is %.200v, want too large", noun, err)
		}
	}
}

func testEarlyStops(t *testing.T, s survey.Store) {
	ctx := t.Context()
	var all []*survey.Response
	var units []*survey.Unit
	for i := range 300 {
		all = append(all, Response(i))
		units = append(units, Unit(i))
	}
	_, err := s.CreateResponses(ctx, all)
	Must(t, err)
	Must(t, s.PutUnits(ctx, units))
	for i := range 1000 {
		for _, err := range s.RowsSince(ctx, RoundCode, "") {
			Must(t, err)
			break
		}
		if i%10 == 0 {
			for _, err := range s.ResponsesSince(ctx, survey.ResponseFilter{}, "") {
				Must(t, err)
				break
			}
			for _, err := range s.UnitsSince(ctx, "") {
				Must(t, err)
				break
			}
		}
	}
	Must(t, s.CreateResponse(ctx, Response(1000)))
	if got := len(Collect(t, s.RowsSince(ctx, RoundCode, ""))); got != 301 {
		t.Errorf("%d rows, want 301", got)
	}
}

// testWriteWhileReading is what a migration does: it replaces what it reads.
func testWriteWhileReading(t *testing.T, s survey.Store) {
	ctx := t.Context()
	const n = 300
	var all []*survey.Response
	for i := range n {
		all = append(all, Response(i))
	}
	_, err := s.CreateResponses(ctx, all)
	Must(t, err)
	revs := map[survey.ResponseID]int64{}
	for c, err := range s.ResponsesSince(ctx, survey.ResponseFilter{Round: RoundCode}, "") {
		Must(t, err)
		if c.Doc.Rev <= revs[c.Doc.ID] {
			t.Fatalf("%s comes with revision %d after %d", c.Doc.ID, c.Doc.Rev, revs[c.Doc.ID])
		}
		revs[c.Doc.ID] = c.Doc.Rev
		if c.Doc.Rev == 1 {
			Must(t, s.ReplaceResponse(ctx, c.Doc))
		}
	}
	for i := range n { // nested readings do not block each other either
		if _, err := s.Response(ctx, all[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(revs) != n {
		t.Errorf("%d responses came, want %d", len(revs), n)
	}
}

func testCancelledReading(t *testing.T, s survey.Store) {
	var all []*survey.Response
	for i := range 3000 {
		all = append(all, Response(i))
	}
	_, err := s.CreateResponses(t.Context(), all)
	Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range s.ResponsesSince(ctx, survey.ResponseFilter{}, "") {
		cancel()
		last = err
		n++
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after %d of 3000 the last error is %v, want the context's", n, last)
	}
}
