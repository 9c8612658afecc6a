package surveytest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// Codes that the builders use unless told otherwise.
const (
	RoundCode    survey.RoundCode    = "test-2018"
	TemplateCode survey.TemplateCode = "SHCB-TK"
)

// Received is when the builders' documents came in.
var Received = time.Date(2018, 3, 5, 7, 30, 0, 250_000_000, time.UTC)

// ID makes the n-th UUID of a kind: the same for the same arguments, and
// spread evenly like a random one.
func ID(kind string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// UnitPath is where the builders put unit n: a district of 100 chapters within
// a province of 10 districts, from the root down to the chapter itself.
func UnitPath(n int) []survey.UnitCode {
	province := fmt.Sprintf("Q%02d", n/1000)
	district := fmt.Sprintf("%s-P%02d", province, n/100%10)
	return []survey.UnitCode{
		"TW", survey.UnitCode(province), survey.UnitCode(district),
		survey.UnitCode(fmt.Sprintf("%s-C%03d", district, n%100)),
	}
}

// UnitCode is the code of the builders' unit n.
func UnitCode(n int) survey.UnitCode {
	path := UnitPath(n)
	return path[len(path)-1]
}

// Visit is the key of the first rating of unit n in the builders' round.
func Visit(n int) survey.VisitKey {
	return survey.VisitKey{Round: RoundCode, Template: TemplateCode, Unit: UnitCode(n), Role: survey.RoleObserver}
}

// Event makes one entry of the audit trail.
func Event(action string) survey.Event {
	return survey.Event{At: Received, By: survey.PersonID(ID("person", 1)), Action: action,
		Detail: survey.Args{"note": "ghi chú"}}
}

// Response makes response n: of unit n, by one of ten observers, submitted,
// with answers of every shape, raw bytes and a packed row.
func Response(n int, bend ...func(*survey.Response)) *survey.Response {
	path := UnitPath(n)
	visit := Visit(n)
	r := &survey.Response{
		ID:              survey.ResponseID(ID("response", n)),
		VisitKey:        visit,
		TemplateVersion: 1,
		Observer:        survey.PersonID(ID("person", n%10)),
		Standing: survey.Standing{Unit: visit.Unit, Name: fmt.Sprintf("Chi bộ số %d", n), Path: path,
			UnitFacts: survey.UnitFacts{Structure: "CBTT", Sector: "XP", Setting: "TDP", Tags: []string{"CPH"}, Members: 20 + n%30}},
		MeetingDate: survey.MustDate("2018-03-03"),
		State:       survey.StateSubmitted,
		Submission:  Submission(fmt.Sprintf(`{"present": %d, "A1": "p4"}`, n)),
		Receipt:     &survey.Receipt{Total: "95.74", Available: "94.00", Band: "tot", BandFirst: "tot", Caps: []string{"K1"}},
		Events:      []survey.Event{Event("response.received")},
		Packed:      fmt.Appendf(nil, "packed\x00%d\xff", n),
	}
	r.Answers = r.Answers.Set("present", survey.NumberValue(float64(n)))
	return bent(r, bend)
}

// Submission makes one content, with answers of every shape, around raw bytes.
func Submission(raw string) survey.Submission {
	started := Received.Add(-time.Hour)
	return survey.Submission{
		Raw:    []byte(raw),
		SHA256: survey.HashRaw([]byte(raw)),
		Answers: survey.Answers{
			{Item: "present", Value: survey.NumberValue(36)},
			{Item: "share", Value: survey.NumberValue(0.1)},
			{Item: "A1", Value: survey.TextValue("p4")},
			{Item: "topics", Value: survey.ListValue("t1", "t2")},
			{Item: "nothing", Value: survey.Value{}},
			{Item: "empty.text", Value: survey.TextValue("")},
			{Item: "odd", Value: survey.Value{Kind: survey.ValueBool, Number: 1}},
			{Item: "strengths", Value: survey.RowsValue(
				survey.Answers{{Item: "strength_text", Value: survey.TextValue("Thảo luận thẳng thắn <b>&\u2028")}},
				survey.Answers{{Item: "$strength", Value: survey.NumberValue(-1.5e-7)}},
			)},
		},
		Source:     survey.SourceAPI,
		ReceivedAt: Received,
		ReceivedBy: survey.PersonID(ID("person", 1)),
		StartedAt:  &started,
	}
}

// Quarantine makes a response one that is held for review.
func Quarantine(r *survey.Response) {
	r.State = survey.StateQuarantined
	r.Receipt, r.Packed = nil, nil
	r.Reasons = survey.Problems{{Severity: survey.SeverityError, Code: "round.closed",
		Place: survey.Place{Pointer: "/round"}, Value: string(r.Round)}}
}

// Template makes a version of a template with a section, a choice list and a
// scheme. It is whole enough to be stored and compared, not to be published.
func Template(code survey.TemplateCode, version int, bend ...func(*survey.Template)) *survey.Template {
	pts := func(p survey.Points) *survey.Points { return &p }
	label := survey.Text{"vi": "Chuẩn bị", "en": "Preparation"}
	return bent(&survey.Template{
		Code: code, Version: version, State: survey.Draft, Label: "2018-01",
		Title: survey.Text{"vi": "Phiếu quan sát", "en": "Observation form"}, Languages: []string{"vi", "en"},
		Items: []survey.Item{{Name: "A", Kind: survey.KindGroup, Label: label, Points: pts(400), Items: []survey.Item{
			{Name: "A1", Kind: survey.KindSelectOne, List: "l4", Label: label, Points: pts(400), Required: "true()"},
			{Name: "share", Kind: survey.KindCalculate, Calculation: "${present} div ${expected}",
				Steps: []survey.Step{{When: ". >= 0.9", Points: "4"}}},
			{Name: "code", Was: "barcode", Kind: survey.KindText, Type: "barcode", Label: label, Guidance: label, Trigger: "${A1}",
				Media: map[string]survey.Text{"big-image": {"vi": "anh.png"}}},
			{Name: "ward", Kind: survey.KindSelectOne, List: "l4", Label: label, ChoiceFilter: "province.code = ${A1}"},
		}}},
		Lists: []survey.ChoiceList{{Name: "l4", Choices: []survey.Choice{
			{Name: "p4", Label: label, Points: pts(400), Anchor: label},
			{Name: "na", Label: label, Means: survey.MeansNA, Columns: map[string]string{"province.code": "01", "$x": "y"},
				Media: map[string]survey.Text{"image": {"vi": "a.png", "en": "b.png"}}},
		}}},
		Checks: []survey.Check{{Code: "present", Test: "${present} <= ${expected}", Item: "present", Label: label}},
		Scheme: &survey.Scheme{Total: 400, NA: survey.NARescale, Rescale: survey.RescaleOverall, Decimals: 2,
			MinAvailable: 60.5, Graded: true, Bands: []survey.Band{{Code: "tot", Min: 360, Label: label, Color: "#00aa00"}},
			Caps:  []survey.Cap{{Code: "K1", When: "points('A1') = 0", Band: "tot", Label: label}},
			Roles: []survey.Role{survey.RoleObserver}},
		Settings: map[string]string{"style": "pages", "allow_choice_duplicates": "yes"},
		Cases: []survey.Case{{Name: "all well", Answers: survey.Answers{{Item: "A1", Value: survey.TextValue("p4")}},
			Unit: survey.UnitFacts{Sector: "XP", Tags: []string{"CPH"}}, Total: "100.00", Band: "tot", Caps: []string{"K1"}}},
		Events: []survey.Event{Event("template.made")},
	}, bend)
}

// Unit makes unit n with a span before and one after a move.
func Unit(n int, bend ...func(*survey.Unit)) *survey.Unit {
	path := UnitPath(n)
	facts := survey.UnitFacts{Structure: "CBTT", Sector: "XP", Setting: "TDP", Tags: []string{"CPH"}, Members: 31}
	return bent(&survey.Unit{
		Code: path[3],
		Spans: []survey.Span{
			{Until: survey.MustDate("2017-06-30"), Name: "Chi bộ cũ", Parent: path[1], UnitFacts: facts},
			{From: survey.MustDate("2017-07-01"), Name: "Chi bộ mới", Parent: path[2], UnitFacts: facts, ExternalCode: "X-1"},
		},
		Events: []survey.Event{Event("unit.imported")},
	}, bend)
}

// TypeLists makes a small set of lists.
func TypeLists() *survey.TypeLists {
	one := func(code, label string) survey.TypeCode {
		return survey.TypeCode{Code: code, Label: survey.Text{"vi": label}}
	}
	return &survey.TypeLists{
		Structures: []survey.Structure{{TypeCode: one("CBTT", "Chi bộ trực thuộc"), Assessed: true}},
		Sectors:    []survey.Sector{{TypeCode: one("XP", "Xã, phường"), Rollup: "DP"}},
		Rollups:    []survey.TypeCode{one("DP", "Địa phương")},
		Settings:   []survey.TypeCode{one("TDP", "Tổ dân phố")},
		Tags:       []survey.TypeCode{one("CPH", "Chi bộ có phó bí thư")},
	}
}

// Person makes account n, an observer named "person<n>".
func Person(n int, bend ...func(*survey.Person)) *survey.Person {
	return bent(&survey.Person{
		ID: survey.PersonID(ID("person", n)), Name: fmt.Sprintf("person%d", n), FullName: "Nguyễn Thị Ánh",
		Role: survey.Observer, Scope: "TW", Home: UnitCode(n), Language: "vi", PasswordHash: "$argon2id$v=19$m=1",
		Display: survey.Display{Theme: "dark", Text: "large", Form: "whole"},
		Tried:   []survey.Tried{{Round: RoundCode, Number: 2, At: Received.Add(time.Hour), Items: 20, Same: 18, Total: "80.50", Right: "82.00", Passed: true}},
		Events:  []survey.Event{Event("person.added")},
	}, bend)
}

// Token makes token n of a person.
func Token(n int, p survey.PersonID, bend ...func(*survey.Token)) *survey.Token {
	return bent(&survey.Token{
		Hash: survey.HashRaw(fmt.Appendf(nil, "secret %d", n)), Person: p, Purpose: survey.TokenAPI, Label: "máy của tôi",
		Created: Received.Add(time.Duration(n) * time.Minute), Expires: Received.AddDate(1, 0, 0),
		Used: Received.AddDate(0, 0, n%2), UsedBy: survey.HashRaw(fmt.Appendf(nil, "browser %d", n)), Events: []survey.Event{Event("token.made")},
	}, bend)
}

// Round makes a round on the builders' template.
func Round(code survey.RoundCode, bend ...func(*survey.Round)) *survey.Round {
	return bent(&survey.Round{
		Code: code, Title: survey.Text{"vi": "Đợt khảo sát", "en": "Round"},
		Templates: []survey.RoundTemplate{{Code: TemplateCode, Versions: []int{1, 2}}},
		Scope:     survey.Scope{Under: []survey.UnitCode{"TW"}, Sectors: []string{"XP"}, Tags: []string{"CPH"}},
		Opens:     survey.MustDate("2018-01-01"), Closes: survey.MustDate("2018-12-31"),
		Zone: survey.DefaultZone, Periods: survey.PeriodOnce, DoubleShare: 0.1, ShowScore: true, Unplanned: true, Seed: 1 << 60,
		Practice: &survey.Practice{Number: 2, Template: TemplateCode, Version: 1, Text: "Chi bộ họp đúng giờ.", Exact: 80, Within: 10, Months: 12,
			Answers: survey.Answers{{Item: "A1", Value: survey.TextValue("p4")}, {Item: "present", Value: survey.NumberValue(12)}}},
		Events: []survey.Event{Event("round.made")},
	}, bend)
}

// Assignment makes assignment n: of unit n, to one of ten observers.
func Assignment(n int, bend ...func(*survey.Assignment)) *survey.Assignment {
	return bent(&survey.Assignment{
		ID: survey.AssignmentID(ID("assignment", n)), VisitKey: Visit(n),
		Observer: survey.PersonID(ID("person", n%10)), Due: survey.MustDate("2018-03-01") + survey.Date(n),
		Status: survey.AssignmentPostponed, Reason: "Mưa bão", Unplanned: true, InPlaceOf: survey.AssignmentID(ID("assignment", n+1000)),
		Events: []survey.Event{Event("assignment.made")},
	}, bend)
}

func bent[T any](v *T, bend []func(*T)) *T {
	for _, f := range bend {
		f(v)
	}
	return v
}
