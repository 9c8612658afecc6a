package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"
)

// TestASecondProgramGetsTheSameNumbers sends a round of several hundred
// responses as people do and has fixtures/oracle/oracle.py, which knows the
// rules by itself, score and sum up what was sent.
func TestASecondProgramGetsTheSameNumbers(t *testing.T) {
	stores := map[string]storeFlags{"SQLite": {Data: t.TempDir()}}
	if uri := os.Getenv("KHAOSAT_TEST_MONGODB_URI"); uri != "" {
		stores["MongoDB"] = storeFlags{MongodbURI: databaseOfItsOwn(t, uri)}
	}
	for name, flags := range stores {
		t.Run(name, func(t *testing.T) { compareWithOracle(t, flags) })
	}
}

// databaseOfItsOwn puts a fresh database's name into a server's address.
func databaseOfItsOwn(t *testing.T, uri string) string {
	u, err := url.Parse(uri)
	surveytest.Must(t, err)
	u.Path = "/khaosat_test_oracle_" + strings.ReplaceAll(survey.NewID(), "-", "")
	return u.String()
}

func compareWithOracle(t *testing.T, flags storeFlags) {
	python := findPython(t)
	store, err := flags.open(&terminal{ctx: t.Context()}, false, sqlite.Options{})
	surveytest.Must(t, err)
	t.Cleanup(func() { surveytest.Must(t, store.Close()) })
	w := newWorld(t, service.New(store, service.Options{Now: func() time.Time { return time.Date(2018, 4, 2, 3, 0, 0, 0, time.UTC) }}))
	w.planVisits()
	w.assign(t)

	// The table is filled half-way, so that what comes later has to be followed.
	half := len(w.sent) / 2
	w.send(t, w.sent[:half])
	w.summary(t, scoring.Query{Template: "SHCB-TK"})
	w.send(t, w.sent[half:])
	w.review(t, w.sent)

	want := runOracle(t, python, w.dump(t))
	w.compareScores(t, want)
	w.compareSummaries(t, want)
	wantEverythingMet(t, want)
}

// wantEverythingMet makes sure that the round holds what is hard to count.
func wantEverythingMet(t *testing.T, v *verdict) {
	for _, s := range v.Summaries {
		if s.Template != "SHCB-TK" || s.Role != survey.RoleObserver || s.By != scoring.BySuperior {
			continue
		}
		g := &s.Overall
		e4, a2, d2 := g.Items["E4"], g.Items["A2"], g.Items["D2"]
		for what, n := range map[string]float64{
			"visits rated twice": float64(g.Doubled), "disputed ones": float64(g.ToAdjudicate), "approved ones": float64(g.Approved),
			"incomplete ones": float64(g.NotGraded[scoring.Incomplete]), "ones with too little": float64(g.NotGraded[scoring.TooFewAvailable]),
			"not asked": e4.NotAsked, "not applicable": e4.NA, "blank": a2.Blank, "not observed": d2.NotObserved,
		} {
			if n == 0 {
				t.Errorf("the round has none of these: %s", what)
			}
		}
		if len(g.Caps) != 6 || len(g.Bands) < 3 || len(s.Groups) != 3 {
			t.Errorf("the round has the caps %v, the bands %v and %d superiors", g.Caps, g.Bands, len(s.Groups))
		}
		return
	}
	t.Error("the regular form was not summed up by superior")
}

// findPython gives the interpreter. Where the tests of record run it has to be there.
func findPython(t *testing.T) string {
	name := os.Getenv("KHAOSAT_PYTHON")
	if name == "" {
		name = "python3"
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("KHAOSAT_CI") == "1" {
		t.Fatalf("%s is needed: %v", name, err)
	}
	t.Skipf("%s is not there: %v", name, err)
	return ""
}

// world is a tree whose units move, and the round that is held in it.
type world struct {
	service  *service.Service
	random   *rand.Rand
	chapters []place // as planned here, apart from the program's own tree
	people   map[string]service.Caller
	sent     []*sending
}

// place is where a chapter stands, before and from the day it moved.
type place struct {
	code    survey.UnitCode
	before  standing
	after   standing
	moved   survey.Date // 0: never
	members int
}

type standing struct {
	Path      []survey.UnitCode `json:"path"`
	Structure string            `json:"structure"`
	Sector    string            `json:"sector"`
}

func (p *place) on(day survey.Date) standing {
	if p.moved != 0 && day >= p.moved {
		return p.after
	}
	return p.before
}

// sending is one form that somebody sends, with what becomes of it.
type sending struct {
	id       survey.ResponseID
	template survey.TemplateCode
	version  int
	chapter  *place
	role     survey.Role
	sender   string
	day      survey.Date
	raw      []byte
	first    []byte // sent before raw, which replaced it; nil: nothing was
	refused  bool   // held in quarantine
	blanks   bool   // criteria are blank: nobody can send that, but imports can bring it
	become   survey.ReviewState
}

const (
	oracleRound      survey.RoundCode = "oracle-2018"
	oracleChapters                    = 84
	oracleObservers                   = 12
	firstDay, aMonth                  = "2018-01-01", 3
)

var reorganised = survey.MustDate("2018-02-13")

func newWorld(t *testing.T, s *service.Service) *world {
	ctx := t.Context()
	w := &world{service: s, random: rand.New(rand.NewPCG(2018, 42)), people: map[string]service.Caller{}}
	surveytest.Must(t, s.LoadFixtures(ctx))
	w.publishSecondVersion(t)
	_, err := s.ImportUnits(ctx, service.Operator(), w.growTree(), false)
	surveytest.Must(t, err)
	hire := func(name string, role survey.AccountRole, scope survey.UnitCode) {
		p := &survey.Person{Name: name, FullName: name, Role: role, Scope: scope}
		surveytest.Must(t, s.AddPerson(ctx, service.Operator(), p, ""))
		w.people[name] = service.Caller{Person: p}
	}
	for i := range oracleObservers {
		hire(fmt.Sprintf("qs%02d", i), survey.Observer, "")
	}
	for i := range w.chapters {
		hire("bt-"+strings.ToLower(string(w.chapters[i].code)), survey.Respondent, w.chapters[i].code)
	}
	hire("reviewer", survey.Reviewer, "")
	hire("analyst", survey.Analyst, "")
	surveytest.Must(t, s.SaveRound(ctx, service.Operator(), &survey.Round{Code: oracleRound, Title: survey.Text{"vi": "Đối chiếu", "en": "Cross-check"},
		Opens: survey.MustDate(firstDay), Closes: survey.MustDate("2018-03-31"), Periods: survey.PeriodMonthly,
		Templates: []survey.RoundTemplate{{Code: "SHCB-TK", Versions: []int{1, 2}}, {Code: "SHCB-CD", Versions: []int{1}}}}))
	return w
}

// publishSecondVersion changes the regular form as oracle.py describes it: a
// point moves from A4 to C3, three criteria may be not observed, E4 is asked on
// a condition, and a label is another.
func (w *world) publishSecondVersion(t *testing.T) {
	ctx := t.Context()
	tpl, err := w.service.Template(ctx, service.Operator(), "SHCB-TK", 1)
	surveytest.Must(t, err)
	worth := func(item string, points ...string) {
		at := func(s string) *survey.Points {
			p, ok := survey.ParsePoints(s)
			if !ok {
				t.Fatalf("%s is no number of points", s)
			}
			return &p
		}
		tpl.Item(item).Points = at(points[len(points)-1])
		for i, p := range points {
			if len(points) > 1 {
				tpl.List(item).Choices[i].Points = at(p)
			}
		}
	}
	worth("A4", "0", "1.5", "3", "4")
	worth("C3", "0", "2", "3.5", "5")
	worth("A", "14")
	worth("C", "26")
	for _, item := range []string{"C2", "C5", "D2"} {
		list := tpl.List(item)
		list.Choices = append(list.Choices, survey.Choice{Name: "unseen", Means: survey.MeansNotObserved,
			Label: survey.Text{"vi": "Không quan sát được", "en": "Not observed"}})
	}
	tpl.Item("E4").Relevant = "${tasks_assigned} > 0"
	tpl.Item("A1").Label = survey.Text{"vi": "Chi ủy họp trước", "en": "The committee met first"}
	_, err = w.service.ImportTemplate(ctx, service.Operator(), tpl)
	surveytest.Must(t, err)
	_, err = w.service.PublishTemplate(ctx, service.Operator(), "SHCB-TK", 2)
	surveytest.Must(t, err)
}

// growTree makes a root, three superiors, six committees and the chapters. In
// February a committee changes its superior, and some chapters their committee,
// or become stand-alone, or change their sector.
func (w *world) growTree() []*survey.Unit {
	var units []*survey.Unit
	add := func(code, parent survey.UnitCode, facts survey.UnitFacts) *survey.Unit {
		u := &survey.Unit{Code: code, Spans: []survey.Span{{Name: string(code), Parent: parent, UnitFacts: facts}}}
		units = append(units, u)
		return u
	}
	superiors := []survey.UnitCode{"Q1", "H2", "T3"}
	add("TU", "", survey.UnitFacts{Structure: "TU"})
	for i, structure := range []string{"QU", "HU", "TCS"} {
		add(superiors[i], "TU", survey.UnitFacts{Structure: structure})
	}
	const movedCommittee = 5
	committee := func(i int) survey.UnitCode { return survey.UnitCode(fmt.Sprintf("D%d", i)) }
	pathOf := func(i int, day survey.Date) []survey.UnitCode {
		if i == movedCommittee && day >= reorganised {
			return []survey.UnitCode{"TU", "Q1", committee(i)}
		}
		return []survey.UnitCode{"TU", superiors[i%3], committee(i)}
	}
	for i := range 6 {
		u := add(committee(i), superiors[i%3], survey.UnitFacts{Structure: "DUCS"})
		if i == movedCommittee {
			u.Spans = append(u.Spans, survey.Span{From: reorganised, Name: "moved", Parent: "Q1", UnitFacts: survey.UnitFacts{Structure: "DUCS"}})
		}
	}
	sectors := []string{"01", "02", "02", "03", "04", "05", "06A", "06B", "09A1", "09B1", "07", "08"}
	for i := range oracleChapters {
		code := survey.UnitCode(fmt.Sprintf("C%03d", i))
		p := place{code: code, members: 9 + i%38, before: standing{append(pathOf(i%6, 0), code), "CBTT-CS", sectors[i%len(sectors)]}}
		p.after = standing{append(pathOf(i%6, reorganised), code), p.before.Structure, p.before.Sector}
		moves, goesAlong := true, i%6 == movedCommittee
		switch {
		case i%7 == 3: // to another committee, some with another sector
			p.after.Path = append(pathOf((i+1)%6, reorganised), code)
			if i%14 == 3 {
				p.after.Sector = "09B3"
			}
		case i%10 == 8:
			p.after = standing{[]survey.UnitCode{"TU", superiors[i%3], code}, "CBCS", p.before.Sector}
		default:
			moves = false
		}
		if moves || goesAlong {
			p.moved = reorganised
		}
		facts := func(s standing) survey.UnitFacts {
			return survey.UnitFacts{Structure: s.Structure, Sector: s.Sector, Setting: "KP", Members: p.members}
		}
		u := add(code, p.before.Path[len(p.before.Path)-2], facts(p.before))
		if moves {
			u.Spans = append(u.Spans, survey.Span{From: reorganised, Name: "moved", Parent: p.after.Path[len(p.after.Path)-2], UnitFacts: facts(p.after)})
		}
		w.chapters = append(w.chapters, p)
	}
	return units
}

// planVisits decides who visits what, when, and what becomes of it.
func (w *world) planVisits() {
	r := w.random
	for month := range aMonth {
		for i := range w.chapters {
			lead := fmt.Sprintf("qs%02d", (i+month)%oracleObservers)
			second := fmt.Sprintf("qs%02d", (i+month+5)%oracleObservers)
			third := fmt.Sprintf("qs%02d", (i+month+7)%oracleObservers)
			day := survey.MustDate(fmt.Sprintf("2018-%02d-%02d", month+1, 3+r.IntN(24)))
			another := day
			if i%4 == 0 { // the second rater writes another day, perhaps across the move
				another = survey.MustDate(fmt.Sprintf("2018-%02d-%02d", month+1, 3+r.IntN(24)))
			}
			version := func() int {
				if month == 1 {
					return 1 + r.IntN(2)
				}
				return 1 + month/2
			}
			n := i + month
			regular := func(role survey.Role, sender string, day survey.Date) {
				w.plan("SHCB-TK", version(), i, role, sender, day)
			}
			if n%11 != 0 {
				regular(survey.RoleObserver, lead, day)
			}
			if n%3 == 0 || n%22 == 0 {
				regular(survey.RoleSecond, second, another)
			}
			if n%9 == 0 || n%17 == 0 {
				regular(survey.RoleAdjudicator, third, another)
			}
			if month == 0 && i%2 == 0 {
				regular(survey.RoleSelf, "bt-"+strings.ToLower(string(w.chapters[i].code)), day)
			}
			if month == 1 && i%5 == 0 {
				regular(survey.RoleSuperior, third, day)
			}
			if month == 1 && i%2 == 0 {
				w.plan("SHCB-CD", 1, i, survey.RoleObserver, lead, day)
				if i%6 == 0 {
					w.plan("SHCB-CD", 1, i, survey.RoleSecond, second, another)
				}
			}
			if month == 2 && i%8 == 0 {
				w.plan("SHCB-CD", 1, i, survey.RoleSelf, "bt-"+strings.ToLower(string(w.chapters[i].code)), day)
			}
		}
	}
	// Nothing may depend on the order in which forms come in.
	r.Shuffle(len(w.sent), func(i, j int) { w.sent[i], w.sent[j] = w.sent[j], w.sent[i] })
}

func (w *world) plan(template survey.TemplateCode, version, chapter int, role survey.Role, sender string, day survey.Date) {
	s := &sending{id: survey.ResponseID(surveytest.ID("oracle", len(w.sent))), template: template, version: version,
		chapter: &w.chapters[chapter], role: role, sender: sender, day: day, become: survey.StateSubmitted}
	write := func() []byte {
		raw, err := json.Marshal(map[string]any{"round": oracleRound, "template": template, "template_version": version,
			"unit": s.chapter.code, "role": role, "answers": w.answers(s)})
		if err != nil {
			panic(err) // maps of numbers and texts
		}
		return raw
	}
	switch x := w.random.Float64(); {
	case x < 0.03:
		s.refused, s.become = true, survey.StateQuarantined
	case x < 0.10:
		s.become = survey.StateReturned
	case x < 0.45:
		s.become = survey.StateApproved
	}
	switch x := w.random.Float64(); {
	case s.refused:
	case x < 0.08:
		s.first = write()
	case x < 0.14:
		s.blanks = true
	}
	s.raw = write()
	w.sent = append(w.sent, s)
}

// answers fills a form in with facts that add up; some criteria are blank, not
// applicable or not observed.
func (w *world) answers(s *sending) map[string]any {
	r := w.random
	upTo := func(n int) int { return r.IntN(n + 1) }
	most := func(n int) int { return n - min(n, int(math.Abs(r.NormFloat64())*float64(n)/6)) }
	members := s.chapter.members
	exempt := upTo(3)
	special := upTo(1)
	expected := members - exempt - special
	present := max(1, most(expected))
	if r.IntN(25) == 0 {
		present = 1 + expected/3
	}
	unexcused := 0
	if r.IntN(4) == 0 {
		unexcused = upTo(expected - present)
	}
	if s.refused {
		present = members + 1 // more than there are
	}
	speakers, good := upTo(present), r.IntN(3) == 0
	required := []int{60, 90, 120}[r.IntN(3)]
	took := max(10, required+10-upTo(60))
	if good && !s.refused {
		present, unexcused, speakers, took = expected, 0, most(expected), required+upTo(9)
	}
	tasks := upTo(5)
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	yesNo := func(in int) string {
		if r.IntN(in) == 0 {
			return "yes"
		}
		return "no"
	}
	start := 13*60 + upTo(300)
	a := map[string]any{
		"meeting_date": s.day.String(), "members_total": members, "members_exempt": exempt, "members_special_duty": special,
		"present": present, "absent_excused": expected - present - unexcused, "absent_unexcused": unexcused,
		"absent_over_3_running": r.IntN(8) / 7, "speakers": speakers, "actual_start": clock(start), "actual_end": clock(start + took),
		"required_minutes": required, "tasks_assigned": tasks, "tasks_with_owner_and_date": most(tasks), "merged_with_other_meeting": yesNo(12),
	}
	if r.IntN(3) > 0 {
		a["meeting_form"] = []string{"regular", "thematic", "combined"}[r.IntN(3)]
	}
	if s.template == "SHCB-CD" {
		a["theme_minutes"] = took - min(took, upTo(40))
		a["held_instead_of_regular"] = yesNo(10)
	}
	w.choose(s, a, good)
	// None to three of each finding; at least one strength or shortcoming.
	for n := range upTo(3) {
		a["strengths"] = append(rows(a["strengths"]), map[string]any{"strength_tag": "many_speak", "strength_text": fmt.Sprintf("Ưu điểm %d", n+1), "strength_share": yesNo(2)})
	}
	for range upTo(2) {
		a["recommendations"] = append(rows(a["recommendations"]), map[string]any{"recommendation_text": "Họp đúng giờ"})
	}
	if a["strengths"] == nil || r.IntN(3) == 0 {
		a["shortcomings"] = []any{map[string]any{"shortcoming_text": "Ít ý kiến", "shortcoming_cause": "\"=1+1\"\n"}}
	}
	return a
}

func rows(v any) []any {
	list, _ := v.([]any)
	return list
}

// choose rates every criterion that is chosen.
func (w *world) choose(s *sending, a map[string]any, good bool) {
	r := w.random
	distant := r.IntN(8) == 0 // sat too far off to see much
	broken := !good && r.IntN(10) == 0
	spread := 1.1
	if good {
		spread = 0.6
	}
	for _, item := range slices.Sorted(maps.Keys(oracleChoices[s.template])) {
		if item == "E4" && s.version == 2 && a["tasks_assigned"] == 0 {
			continue // not asked
		}
		list := strings.Fields(oracleChoices[s.template][item])
		// The best come first and most often.
		pick := list[min(len(list)-1, int(math.Abs(r.NormFloat64())*spread))]
		switch {
		case s.version == 2 && slices.Contains([]string{"C2", "C5", "D2"}, item) && (distant || r.IntN(9) == 0):
			pick = "unseen"
		case broken && (item == "F1" || item == "F2"): // the meeting broke off without a conclusion
			pick = list[len(list)-1]
		case list[len(list)-1] == "na" && r.IntN(6) == 0 || distant && item == "A1":
			pick = "na"
		}
		if s.blanks && (item == "A2" || item == "P1" || r.IntN(8) == 0) {
			if r.IntN(2) == 0 {
				a[item] = nil
			}
			continue
		}
		a[item] = pick
		if pick == "L0" {
			if slices.Contains([]string{"C2", "D2", "E3", "P2"}, item) {
				a[survey.NoteName(item)] = "không có"
			}
		}
	}
}

// oracleChoices are the names that the forms are filled in with.
var oracleChoices = map[survey.TemplateCode]map[string]string{
	"SHCB-TK": {
		"A1": "p4 p2 p0 na", "A2": "p3 p2 p0", "A3": "p3 p1 p0", "A4": rubricLevels, "B1": "p3 p2 p0", "C1": "p2 p1 p0", "C2": rubricLevels,
		"C3": rubricLevels, "C4": rubricLevels, "C5": rubricLevels, "D1": rubricLevels, "D2": rubricLevels, "D3": rubricLevels, "E2": rubricLevels,
		"E3": rubricLevels, "E4": "p2 p1 p0 na", "F1": rubricLevels, "F2": "p4 p2 p0", "F4": "p3 p2 p0",
	},
	"SHCB-CD": {
		"P1": "p5 p3 p0", "P2": rubricLevels, "P3": rubricLevels, "P4": "p5 p3 p0", "P5": "p7 p4 p0", "Q3": "yes no", "U1": rubricLevels,
		"U2": rubricLevels, "U3": rubricLevels, "V2": rubricLevels, "V3": rubricLevels, "V4": rubricLevels, "W1": rubricLevels, "W2": "p4 p2 p0",
		"W3": rubricLevels + " na",
	},
}

const rubricLevels = "L3 L2 L1 L0"

// assign gives every visit of an observer to that observer.
func (w *world) assign(t *testing.T) {
	var as []*survey.Assignment
	for _, s := range w.sent {
		if s.role == survey.RoleSelf {
			continue
		}
		as = append(as, &survey.Assignment{Observer: w.people[s.sender].Person.ID, VisitKey: survey.VisitKey{Round: oracleRound, Template: s.template,
			Unit: s.chapter.code, Role: s.role, Period: survey.PeriodMonthly.Period(s.day)}})
	}
	surveytest.Must(t, w.service.Assign(t.Context(), service.Operator(), as))
}

// send submits forms, several people at once.
func (w *world) send(t *testing.T, forms []*sending) {
	w.atOnce(t, forms, func(s *sending) error {
		in := func(raw []byte) *service.Incoming {
			var body struct{ Answers survey.Answers }
			surveytest.Must(t, json.Unmarshal(raw, &body))
			return &service.Incoming{ID: s.id, Round: oracleRound, Template: s.template, Version: s.version, Unit: s.chapter.code, Role: s.role,
				Answers: body.Answers, Raw: raw, Source: survey.SourceAPI, FromDevice: s.refused}
		}
		by := w.people[s.sender]
		if s.blanks {
			return w.load(t, s, in(s.raw))
		}
		if s.first == nil {
			_, err := w.service.Submit(t.Context(), by, in(s.raw))
			return err
		}
		before, err := w.service.Submit(t.Context(), by, in(s.first))
		if err != nil {
			return err
		}
		again := in(s.raw)
		again.Replaces = before.Response.Rev
		_, err = w.service.Submit(t.Context(), by, again)
		return err
	})
}

// load stores a form as restores and generators do, past the checks.
func (w *world) load(t *testing.T, s *sending, in *service.Incoming) error {
	form, err := w.service.Form(t.Context(), s.template, s.version)
	if err != nil {
		return err
	}
	tree, lists, err := w.service.Tree(t.Context())
	if err != nil {
		return err
	}
	unit, err := tree.Standing(s.chapter.code, s.day)
	if err != nil {
		return err
	}
	now := w.service.Now()
	result := form.Scorer.Score(in.Answers, survey.Context{Unit: &unit.UnitFacts, Lists: lists, Now: now})
	r := &survey.Response{ID: s.id, TemplateVersion: s.version, Observer: w.people[s.sender].Person.ID, Standing: *unit, MeetingDate: s.day,
		VisitKey: survey.VisitKey{Round: oracleRound, Template: s.template, Unit: unit.Unit, Role: s.role, Period: survey.PeriodMonthly.Period(s.day)},
		State:    survey.StateSubmitted, Receipt: result.Receipt(),
		Submission: survey.Submission{Raw: s.raw, SHA256: survey.HashRaw(s.raw), Answers: in.Answers, Source: survey.SourceImport, ReceivedAt: now}}
	r.Packed = form.Layout.Pack(result, r)
	_, err = w.service.Store().CreateResponses(t.Context(), []*survey.Response{r})
	return err
}

// review decides about what was sent.
func (w *world) review(t *testing.T, forms []*sending) {
	decisions := map[survey.ReviewState]service.Decision{survey.StateApproved: service.Approve, survey.StateReturned: service.Return}
	w.atOnce(t, forms, func(s *sending) error {
		decision, any := decisions[s.become]
		if !any {
			return nil
		}
		r, err := w.service.Response(t.Context(), w.people["reviewer"], s.id)
		if err != nil {
			return err
		}
		_, err = w.service.Review(t.Context(), w.people["reviewer"], s.id, r.Rev, service.Verdict{Decision: decision, Comment: "xem lại"})
		return err
	})
}

func (w *world) atOnce(t *testing.T, forms []*sending, do func(*sending) error) {
	var group errgroup.Group
	group.SetLimit(8)
	for _, s := range forms {
		group.Go(func() error {
			if err := do(s); err != nil {
				return fmt.Errorf("%s %s of %s by %s on %s: %w %v", s.template, s.role, s.chapter.code, s.sender, s.day, err, survey.KindOf(err))
			}
			return nil
		})
	}
	surveytest.Must(t, group.Wait())
}

// dump writes what the second program reads: the stored raw bytes, and what the
// plan says about each.
func (w *world) dump(t *testing.T) []byte {
	planned := map[survey.ResponseID]*sending{}
	for _, s := range w.sent {
		planned[s.id] = s
	}
	var out bytes.Buffer
	n := 0
	for change, err := range w.service.Store().ResponsesSince(t.Context(), survey.ResponseFilter{Round: oracleRound}, "") {
		surveytest.Must(t, err)
		s := planned[change.Doc.ID]
		if s == nil || !bytes.Equal(change.Doc.Raw, s.raw) {
			t.Fatalf("%s holds %s", change.Doc.ID, change.Doc.Raw)
		}
		line, err := json.Marshal(struct {
			ID       survey.ResponseID   `json:"id"`
			State    survey.ReviewState  `json:"state"`
			Template survey.TemplateCode `json:"template"`
			Version  int                 `json:"version"`
			Role     survey.Role         `json:"role"`
			Observer survey.PersonID     `json:"observer"`
			Period   string              `json:"period"`
			Unit     survey.UnitCode     `json:"unit"`
			standing
			Raw string `json:"raw"`
		}{s.id, s.become, s.template, s.version, s.role, w.people[s.sender].Person.ID, s.day.String()[:7], s.chapter.code, s.chapter.on(s.day), string(s.raw)})
		surveytest.Must(t, err)
		out.Write(append(line, '\n'))
		n++
	}
	if n != len(w.sent) {
		t.Fatalf("%d responses are stored, %d were sent", n, len(w.sent))
	}
	return out.Bytes()
}

// verdict is what the second program finds.
type verdict struct {
	Scores    map[survey.ResponseID]oracleScore `json:"scores"`
	Summaries []struct {
		Template survey.TemplateCode    `json:"template"`
		Role     survey.Role            `json:"role"`
		By       scoring.Grouping       `json:"by"`
		Groups   map[string]oracleGroup `json:"groups"`
		Overall  oracleGroup            `json:"overall"`
	} `json:"summaries"`
}

type oracleScore struct {
	Total     *float64           `json:"total"`
	Available float64            `json:"available"`
	Earned    float64            `json:"earned"`
	Band      string             `json:"band"`
	BandFirst string             `json:"band_before_caps"`
	Caps      []string           `json:"caps"`
	Reason    string             `json:"reason"`
	Sections  map[string]float64 `json:"sections"`
	Points    map[string]float64 `json:"points"`
}

// oracleGroup is a line without what takes more than responses to know.
type oracleGroup struct {
	scoring.Group
	Items map[string]scoring.ItemStat `json:"items"`
}

func runOracle(t *testing.T, python string, dump []byte) *verdict {
	cmd := exec.CommandContext(t.Context(), python, "../fixtures/oracle/oracle.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(dump), os.Stderr
	out, err := cmd.Output()
	surveytest.Must(t, err)
	v := &verdict{}
	surveytest.Must(t, json.Unmarshal(out, v))
	return v
}

func (w *world) summary(t *testing.T, q scoring.Query) *service.RoundSummary {
	sum, err := w.service.Summary(t.Context(), w.people["analyst"], oracleRound, q)
	surveytest.Must(t, err)
	return sum
}

// compareScores compares every response's points, total, band and caps.
func (w *world) compareScores(t *testing.T, want *verdict) {
	for _, s := range w.sent {
		if s.refused {
			continue
		}
		score, known := want.Scores[s.id]
		if !known {
			t.Fatalf("%s was not scored a second time", s.id)
		}
		r, err := w.service.Response(t.Context(), w.people["analyst"], s.id)
		surveytest.Must(t, err)
		got, err := w.service.Rescore(t.Context(), r)
		surveytest.Must(t, err)
		is := &check{T: t, at: fmt.Sprintf("%s v%d %s %s", s.template, s.version, s.id, s.raw)}
		is.same("reason", string(got.Reason), score.Reason)
		is.close("available", got.Available.Float(), score.Available)
		is.close("earned", got.Earned.Float(), score.Earned)
		if score.Total != nil {
			is.close("total", got.Total.Float(), *score.Total)
		}
		is.same("band", got.BandCode(got.Band), score.Band)
		is.same("band before caps", got.BandCode(got.BandFirst), score.BandFirst)
		var caps []string
		for _, c := range got.FiredCaps() {
			caps = append(caps, c.Code)
		}
		is.same("caps", fmt.Sprint(caps), fmt.Sprint(score.Caps))
		for name, earned := range score.Sections {
			p, _ := got.SectionEarned(name)
			is.close("section "+name, p.Float(), earned)
		}
		for name, earned := range score.Points {
			slot, _ := got.Form().Slot(name)
			is.close(name, got.ItemAt(slot).Earned.Float(), earned)
		}
		receipt := got.Receipt()
		is.same("receipt", fmt.Sprint(*r.Receipt), fmt.Sprint(*receipt))
	}
}

// compareSummaries compares every figure of every group.
func (w *world) compareSummaries(t *testing.T, want *verdict) {
	if len(want.Summaries) == 0 {
		t.Fatal("nothing was summed up a second time")
	}
	for _, s := range want.Summaries {
		got := w.summary(t, scoring.Query{Template: s.Template, Role: s.Role, By: s.By, Items: true})
		at := fmt.Sprintf("%s of the %s by %s", s.Template, s.Role, s.By)
		(&check{T: t, at: at + ", overall"}).group(&got.Overall, &s.Overall)
		met := 0
		for i := range got.Groups {
			g := &got.Groups[i]
			other, known := s.Groups[g.Group]
			if !known {
				other = oracleGroup{}
			} else {
				met++
			}
			(&check{T: t, at: at + ", " + g.Group}).group(g, &other)
		}
		if met != len(s.Groups) {
			t.Errorf("%s: %d of %d groups are there", at, met, len(s.Groups))
		}
	}
}

// check compares figures of one thing.
type check struct {
	*testing.T
	at string
}

func (c *check) same(what, got, want string) {
	c.Helper()
	if got != want {
		c.Errorf("%s: %s is %s, want %s", c.at, what, got, want)
	}
}

func (c *check) close(what string, got, want float64) {
	c.Helper()
	if !(math.Abs(got-want) <= 1e-9) {
		c.Errorf("%s: %s is %v, want %v", c.at, what, got, want)
	}
}

func (c *check) closeIfAny(what string, got, want *float64) {
	c.Helper()
	if got == nil || want == nil {
		if got != want {
			c.Errorf("%s: one has %s, the other has not: %v, %v", c.at, what, got, want)
		}
		return
	}
	c.close(what, *got, *want)
}

// keysOf gives the keys of both, each once, in order.
func keysOf[V any](a, b map[string]V) []string {
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, m := range []map[string]V{a, b} {
			for key := range m {
				if !yield(key) {
					return
				}
			}
		}
	}))
}

func (c *check) counts(what string, got, want map[string]int) {
	c.Helper()
	for _, key := range keysOf(got, want) {
		c.close(what+" "+key, float64(got[key]), float64(want[key]))
	}
}

func (c *check) group(got *scoring.Group, want *oracleGroup) {
	c.Helper()
	for _, n := range []struct {
		what      string
		got, want int
	}{
		{"responses", got.Responses, want.Responses}, {"visits", got.Visits, want.Visits}, {"approved", got.Approved, want.Approved},
		{"doubled", got.Doubled, want.Doubled}, {"to adjudicate", got.ToAdjudicate, want.ToAdjudicate}, {"n", got.N, want.N},
	} {
		c.close(n.what, float64(n.got), float64(n.want))
	}
	if got.Observed != nil {
		observed := 0
		if want.Observed != nil {
			observed = *want.Observed
		}
		c.close("observed", float64(*got.Observed), float64(observed))
	}
	for _, reason := range []scoring.Reason{scoring.Incomplete, scoring.TooFewAvailable, scoring.NoScheme} {
		c.close("not graded: "+string(reason), float64(got.NotGraded[reason]), float64(want.NotGraded[reason]))
	}
	c.closeIfAny("mean", got.Mean, want.Mean)
	c.closeIfAny("standard deviation", got.SD, want.SD)
	c.closeIfAny("lowest", got.Min, want.Min)
	c.closeIfAny("first quartile", got.Q1, want.Q1)
	c.closeIfAny("median", got.Median, want.Median)
	c.closeIfAny("third quartile", got.Q3, want.Q3)
	c.closeIfAny("highest", got.Max, want.Max)
	c.counts("band", got.Bands, want.Bands)
	c.counts("band before caps", got.BandsFirst, want.BandsFirst)
	c.counts("cap", got.Caps, want.Caps)
	for code, n := range want.Bands {
		c.close("share of "+code, got.BandShares[code], float64(n)/float64(want.N))
	}
	if len(got.Items) < len(want.Items) {
		c.Errorf("%s: %d items, want %d", c.at, len(got.Items), len(want.Items))
	}
	for i := range got.Items {
		other := want.Items[got.Items[i].Item]
		(&check{T: c.T, at: c.at + ", " + got.Items[i].Item}).item(&got.Items[i], &other)
	}
}

func (c *check) item(got, want *scoring.ItemStat) {
	c.Helper()
	c.close("n", got.N, want.N)
	c.close("not applicable", got.NA, want.NA)
	c.close("not observed", got.NotObserved, want.NotObserved)
	c.close("blank", got.Blank, want.Blank)
	c.close("not asked", got.NotAsked, want.NotAsked)
	if got.Scored {
		c.closeIfAny("share", got.Share, want.Share)
		c.close("full", got.Full, want.Full)
		c.close("nothing", got.Zero, want.Zero)
	}
	for _, key := range keysOf(got.Values, want.Values) {
		c.close("value "+key, got.Values[key], want.Values[key])
	}
}
