package surveytest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

// testFilters stores responses that differ in everything a filter looks at and
// compares what the store finds with what a loop over all of them finds.
func testFilters(t *testing.T, opener Opener) {
	ctx := t.Context()
	s := opener(t)()
	roles := []survey.Role{survey.RoleObserver, survey.RoleSecond, survey.RoleSelf}
	states := survey.ReviewStates
	var all []*survey.Response
	for i := range 240 {
		all = append(all, Response(i*37, func(r *survey.Response) {
			r.Round = []survey.RoundCode{RoundCode, "test-2019"}[i%2]
			r.Template = []survey.TemplateCode{TemplateCode, "SHCB-CD", "HD42"}[i/2%3]
			r.Role = roles[i/5%3]
			r.State = states[i/7%4]
			r.Observer = survey.PersonID(ID("person", i%4))
		}))
	}
	_, err := s.CreateResponses(ctx, all)
	Must(t, err)

	moveUnit(t, s, all[0])
	filters := []survey.ResponseFilter{
		{}, {Round: RoundCode}, {Template: "HD42"}, {Unit: all[9].Unit}, {Under: "TW"}, {Under: "Q03"}, {Under: "Q03-P04"},
		{Under: all[9].Unit}, {Under: "Q"}, {Under: "Q0_"}, {Under: "Q0%"}, {Under: "Q03|Q03-P04"}, {Under: "q03"}, {Under: "NEW"},
		{Observer: all[1].Observer}, {Role: survey.RoleSecond}, {State: survey.StateQuarantined},
		{Round: RoundCode, Under: "Q03"}, {Round: "test-2019", Under: "Q03-P04", State: survey.StateSubmitted},
		{Round: RoundCode, Observer: all[2].Observer}, {Round: RoundCode, Template: "SHCB-CD", Role: survey.RoleSelf},
		{Observer: all[1].Observer, State: survey.StateReturned}, {Unit: all[9].Unit, Role: all[9].Role, Round: all[9].Round},
		{Round: "none"}, {Round: RoundCode, Under: "none"}, {Unit: all[9].Unit, Round: "none"},
		{Round: all[5].Round, Template: all[5].Template, Unit: all[5].Unit, Under: "TW", Observer: all[5].Observer,
			Role: all[5].Role, State: all[5].State},
	}
	for _, f := range filters {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) { testFilter(t, s, f, all) })
	}
	t.Run("one that moved out of the filter is gone, one that moved in comes", func(t *testing.T) {
		f := survey.ResponseFilter{Round: RoundCode, State: survey.StateApproved}
		before := Collect(t, s.ResponsesSince(ctx, f, ""))
		out := before[0].Doc
		out.State = survey.StateReturned
		Must(t, s.ReplaceResponse(ctx, out))
		in := slices.IndexFunc(all, func(r *survey.Response) bool { return r.Round == RoundCode && r.State == survey.StateSubmitted })
		all[in].State = survey.StateApproved
		Must(t, s.ReplaceResponse(ctx, all[in]))
		after := Collect(t, s.ResponsesSince(ctx, f, ""))
		if len(after) != len(before) || after[len(after)-1].Doc.ID != all[in].ID {
			t.Errorf("%d match, want %d and the one that moved in last", len(after), len(before))
		}
		fresh := Collect(t, s.ResponsesSince(ctx, f, before[len(before)-1].Cursor))
		if len(fresh) != 1 || fresh[0].Doc.ID != all[in].ID {
			t.Errorf("%d come since the last cursor, want the one that moved in", len(fresh))
		}
	})
}

// moveUnit moves a response's unit elsewhere in the tree; the response keeps
// the path of the meeting date all the same.
func moveUnit(t *testing.T, s survey.Store, r *survey.Response) {
	t.Helper()
	Must(t, s.PutUnits(t.Context(), []*survey.Unit{
		{Code: "NEW", Spans: []survey.Span{{Name: "Mới", Parent: "TW"}}},
		{Code: r.Unit, Spans: []survey.Span{{Name: "Đã chuyển", Parent: "NEW"}}},
	}))
}

func testFilter(t *testing.T, s survey.Store, f survey.ResponseFilter, all []*survey.Response) {
	want := map[survey.ResponseID]*survey.Response{}
	for _, r := range all {
		if matches(f, r) {
			want[r.ID] = r
		}
	}
	n := len(want)
	bare := map[survey.ResponseID]*survey.Response{}
	got := Collect(t, s.ResponsesSince(t.Context(), f, ""))
	for _, c := range got {
		r := want[c.Doc.ID]
		if r == nil {
			t.Fatalf("%s does not match, or comes twice", c.Doc.ID)
		}
		WantSame(t, c.Doc, r)
		bare[c.Doc.ID] = c.Doc
		delete(want, c.Doc.ID)
	}
	if len(want) > 0 {
		t.Fatalf("%d of %d that match do not come", len(want), n)
	}
	f.Bare = true
	for _, c := range Collect(t, s.ResponsesSince(t.Context(), f, "")) {
		if len(c.Doc.Raw)+len(c.Doc.Packed) > 0 {
			t.Fatalf("%s comes with its bytes", c.Doc.ID)
		}
		whole := *bare[c.Doc.ID]
		whole.Packed = nil
		strip := func(list []survey.Submission) []survey.Submission {
			own := slices.Clone(list)
			for i := range own {
				own[i].Raw = nil
			}
			return own
		}
		whole.Submission.Raw, whole.Earlier, whole.Conflicts = nil, strip(whole.Earlier), strip(whole.Conflicts)
		WantSame(t, c.Doc, &whole)
		delete(bare, c.Doc.ID)
	}
	if len(bare) > 0 {
		t.Fatalf("%d of %d do not come without their bytes", len(bare), n)
	}
	f.Bare = false
	if n > 1 { // and on from a cursor in the middle
		rest := Collect(t, s.ResponsesSince(t.Context(), f, got[n/2].Cursor))
		if len(rest) != n-n/2-1 || (len(rest) > 0 && rest[0].Doc.ID != got[n/2+1].Doc.ID) {
			t.Errorf("%d come since the middle, want the %d behind it", len(rest), n-n/2-1)
		}
	}
}

func matches(f survey.ResponseFilter, r *survey.Response) bool {
	return (f.Round == "" || f.Round == r.Round) && (f.Template == "" || f.Template == r.Template) &&
		(f.Unit == "" || f.Unit == r.Unit) && (f.Under == "" || r.Standing.Under(f.Under)) &&
		(f.Observer == "" || f.Observer == r.Observer) && (f.Role == "" || f.Role == r.Role) &&
		(f.State == "" || f.State == r.State)
}
