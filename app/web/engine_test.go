package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/web/browsertest"
	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/expr"
)

// engines opens a page of the server on which its modules can be imported.
func engines(t *testing.T) *browsertest.Page {
	t.Helper()
	r := newRig(t)
	p := browsertest.Shared(t).Open(t, browsertest.Options{URL: r.url, Width: 1280, Height: 800})
	p.Goto("/sign-in")
	return p
}

// vectorScope declares the names of a vector by the kinds of its values.
type vectorScope struct {
	names []string
	kinds map[string]string
}

func (s vectorScope) Resolve(name string) (expr.Resolved, bool) {
	slot, known := slices.BinarySearch(s.names, name)
	return expr.Resolved{Slot: slot, Repeat: s.kinds[name] == "nodes"}, known
}
func (s vectorScope) Names() []string                       { return s.names }
func (s vectorScope) Self() (expr.Type, bool)               { return expr.Any, true }
func (s vectorScope) Function(string) (expr.Function, bool) { return expr.Function{}, false }

// TestTheBrowserEvaluatesEveryVector runs fixtures/expressions.json, which the
// evaluator in Go passes, through the one in the browser.
func TestTheBrowserEvaluatesEveryVector(t *testing.T) {
	p := engines(t)
	b, err := os.ReadFile("../../fixtures/expressions.json")
	ok(t, err)
	var file struct {
		Defaults struct{ Now time.Time }
		Evaluate []struct {
			Expr     string
			Values   map[string]map[string]json.RawMessage
			Self     map[string]json.RawMessage
			Now      *time.Time
			Position int
			Result   map[string]json.RawMessage
		}
	}
	ok(t, json.Unmarshal(b, &file))
	type vector struct {
		Expr     string                       `json:"expr"`
		Tree     *expr.Program                `json:"tree"`
		Values   []map[string]json.RawMessage `json:"values"`
		Self     map[string]json.RawMessage   `json:"self"`
		Now      int64                        `json:"now"`
		Zone     string                       `json:"zone"`
		Position int                          `json:"position"`
		Result   map[string]json.RawMessage   `json:"result"`
	}
	var vectors []vector
	for _, v := range file.Evaluate {
		scope := vectorScope{kinds: map[string]string{}}
		for name, value := range v.Values {
			scope.names = append(scope.names, name)
			for kind := range value {
				scope.kinds[name] = kind
			}
		}
		slices.Sort(scope.names)
		parsed, err := expr.Parse(v.Expr)
		if err != nil {
			t.Fatalf("%s: %v", v.Expr, err)
		}
		program, problems := parsed.Compile(scope)
		if program == nil {
			t.Fatalf("%s: %v", v.Expr, problems)
		}
		now := file.Defaults.Now
		if v.Now != nil {
			now = *v.Now
		}
		one := vector{Expr: v.Expr, Tree: program, Self: v.Self, Now: now.UnixMilli(), Zone: now.Format("-07:00"), Position: v.Position, Result: v.Result, Values: []map[string]json.RawMessage{}}
		for _, name := range scope.names {
			one.Values = append(one.Values, v.Values[name])
		}
		vectors = append(vectors, one)
	}
	if len(vectors) < 300 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	sent, err := json.Marshal(vectors)
	ok(t, err)
	var wrong []string
	p.Eval(`(async (vectors) => {
		const x = await import('/static/expr.js');
		await x.loadDigest();
		const { DAY, parseMoment, parseClock, dayNumber } = await import('/static/moment.js');
		const utc = new x.Clock(0, '+00:00');
		const value = (v) => {
			if (!v) return x.BLANK;
			const [[kind, raw]] = Object.entries(v);
			switch (kind) {
				case 'number': return x.num(Number(raw));
				case 'text': case 'choice': case 'choices': return x.str(raw);
				case 'bool': return x.bool(raw);
				case 'blank': return x.BLANK;
				case 'not_asked': return x.NOT_ASKED;
				case 'date': return x.date(dayNumber(...raw.split('-').map(Number)));
				case 'time': return x.time(parseClock(raw));
				case 'datetime': return x.datetime(parseMoment(raw, utc));
				case 'nodes': return x.nodeSet(raw.map(value));
			}
			throw new Error(kind);
		};
		const show = (v) => v.kind === 'nodes' ? v.nodes.map(show).join() : v.kind + ' ' + (v.n ?? v.s ?? '');
		const agree = (a, b) => {
			if (a.kind !== b.kind) return false;
			if (a.kind === 'number') return Object.is(a.n, b.n) || a.n === b.n || Math.abs(a.n - b.n) <= 1e-12 * Math.max(1, Math.abs(b.n));
			if (a.kind === 'datetime') return Math.abs(a.n - b.n) * DAY < 1;
			return x.textOf(a, { clock: utc }) === x.textOf(b, { clock: utc });
		};
		const wrong = [];
		for (const v of vectors) {
			const values = v.values.map(value);
			const env = { ref: (slot) => values[slot], self: value(v.self), clock: new x.Clock(v.now, v.zone), position: v.position };
			try {
				const got = x.evaluate(v.tree, env), want = value(v.result);
				if (!agree(got, want)) wrong.push(v.expr + ': ' + show(got) + ', want ' + show(want));
			} catch (e) {
				wrong.push(v.expr + ': ' + e.stack);
			}
		}
		return wrong;
	})(`+string(sent)+`)`, &wrong)
	for _, w := range wrong {
		t.Error(w)
	}
	t.Logf("%d vectors", len(vectors))
}

// metadata is a form that asks when it was begun and finished.
func metadata(t *testing.T) *survey.Form {
	t.Helper()
	tpl := &survey.Template{Code: "META", Version: 1, Title: survey.Text{"en": "When"}, Languages: []string{"en"}, Items: []survey.Item{
		{Name: "began", Kind: survey.KindCalculate, Type: "start", Calculation: "once(now())"},
		{Name: "ended", Kind: survey.KindCalculate, Type: "end", Calculation: "now()"},
		{Name: "day", Kind: survey.KindCalculate, Type: "today", Calculation: "today()"},
		{Name: "hello", Kind: survey.KindNote, Label: survey.Text{"en": "Begun ${began}, on ${day}"}},
	}}
	form, problems := survey.Compile(tpl, nil)
	if form == nil {
		t.Fatal(problems)
	}
	return form
}

// TestTheBrowserSaysWhenAFormWasBegun keeps the moment over a draft that is
// opened on another day, and sends it so that the server takes it.
func TestTheBrowserSaysWhenAFormWasBegun(t *testing.T) {
	p := engines(t)
	form := metadata(t)
	sent, err := json.Marshal(form.Client(false))
	ok(t, err)
	var got struct {
		Answers survey.Answers
		Label   string
	}
	p.Eval(`(async (form) => {
		const { open, prepare } = await import('/static/engine.js');
		const zone = 'Asia/Ho_Chi_Minh';
		await prepare(form);
		const first = open(form, { now: Date.parse('2018-03-15T23:30:00+07:00'), zone, lang: 'en' });
		first.stamp();
		const later = open(form, { answers: first.draft(), now: Date.parse('2018-03-16T08:00:00+07:00'), zone, lang: 'en' });
		later.stamp();
		later.stamp(true);
		return { Answers: later.answers(), Label: later.label('hello') };
	})(`+string(sent)+`)`, &got)
	want := `{"began":"2018-03-15T23:30:00.000+07:00","ended":"2018-03-16T08:00:00.000+07:00","day":"2018-03-15"}`
	if b, _ := json.Marshal(got.Answers); string(b) != want {
		t.Errorf("answers %s, want %s", b, want)
	}
	if got.Label != "Begun 2018-03-15 23:30, on 2018-03-15" && got.Label != "Begun 2018-03-15T23:30:00.000+07:00, on 2018-03-15" {
		t.Errorf("label %q", got.Label)
	}
	filled := form.Fill(got.Answers, survey.Context{Now: time.Date(2018, 4, 1, 0, 0, 0, 0, time.UTC)})
	if b, _ := json.Marshal(filled.Answers()); !strings.Contains(string(b), `"day":"2018-03-15"`) {
		t.Errorf("the server makes %s of it", b)
	}
}

// TestChoicesDependOnOtherAnswers compares which choices the server and the
// browser offer.
func TestChoicesDependOnOtherAnswers(t *testing.T) {
	text := func(s string) survey.Text { return survey.Text{"en": s} }
	place := func(name, province string) survey.Choice {
		return survey.Choice{Name: name, Label: text(name), Columns: map[string]string{"province": province}}
	}
	tpl := &survey.Template{Code: "PLACE", Version: 1, Title: text("Where"), Languages: []string{"en"},
		Lists: []survey.ChoiceList{{Name: "p", Choices: []survey.Choice{{Name: "hn", Label: text("Hà Nội")}, {Name: "hp", Label: text("Hải Phòng")}}},
			{Name: "d", Choices: []survey.Choice{place("ba_dinh", "hn"), place("le_chan", "hp"), place("tay_ho", "hn")}}},
		Items: []survey.Item{{Name: "province", Kind: survey.KindSelectOne, List: "p", Label: text("Province")},
			{Name: "district", Kind: survey.KindSelectOne, List: "d", Label: text("District"), ChoiceFilter: "province = ${province} and name != 'tay_ho'"}}}
	form, problems := survey.Compile(tpl, nil)
	if form == nil {
		t.Fatal(problems)
	}
	sent, err := json.Marshal(form.Client(false))
	ok(t, err)
	var got struct{ Before, After, Taken, Changed []string }
	engines(t).Eval(`(async (form) => {
		const { open, prepare } = await import('/static/engine.js');
		await prepare(form);
		const engine = open(form, { lang: 'en' });
		const offered = () => engine.get('district').choices.map((c) => c.name);
		const Before = offered(), Changed = engine.set('province', 'hn'), After = offered();
		engine.set('district', 'ba_dinh');
		engine.set('province', 'hp');
		return { Before, Changed, After, Taken: offered() };
	})(`+string(sent)+`)`, &got)
	offered := func(answers ...survey.Answer) []string {
		out := []string{}
		line := form.Fill(answers, survey.Context{}).Lines()[1]
		for _, c := range line.Choices() {
			out = append(out, c.Name)
		}
		return out
	}
	in := func(item, value string) survey.Answer {
		return survey.Answer{Item: item, Value: survey.TextValue(value)}
	}
	for name, pair := range map[string][3][]string{
		"before": {got.Before, offered(), {}},
		"after":  {got.After, offered(in("province", "hn")), {"ba_dinh"}},
		"taken":  {got.Taken, offered(in("province", "hp"), in("district", "ba_dinh")), {"ba_dinh", "le_chan"}},
	} {
		if !slices.Equal(pair[0], pair[2]) || !slices.Equal(pair[1], pair[2]) {
			t.Errorf("%s: the browser offers %v, the server %v, want %v", name, pair[0], pair[1], pair[2])
		}
	}
	if !slices.Contains(got.Changed, "district") {
		t.Errorf("only %v looks different", got.Changed)
	}
}

// session signs an account in as a browser does and gives the cookie's value.
func (r *rig) session(name string) string {
	r.t.Helper()
	ctx := context.Background()
	ok(r.t, r.svc.ResetPassword(ctx, service.Operator(), name, "a long password"))
	secret, _, err := r.svc.SignIn(ctx, name, "a long password", "", survey.TokenSession)
	ok(r.t, err)
	return secret
}

// filledForms are the templates that random answers are put into: those of the
// programme and one of another trade.
func (r *rig) filledForms() []*service.Compiled {
	r.t.Helper()
	b, err := os.ReadFile("../../fixtures/examples/restaurant-inspection.xlsx")
	ok(r.t, err)
	a := r.ask("POST", "/api/v1/templates", b, r.as("all.admin"), header{"Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}).want(r.t, 201)
	foreign := into[struct{ Code survey.TemplateCode }](r.t, a).Code
	var out []*service.Compiled
	for _, code := range []survey.TemplateCode{"SHCB-TK", "SHCB-CD", "KS-TCHD", "HD42", foreign} {
		c, err := r.svc.Form(context.Background(), code, 1)
		ok(r.t, err)
		out = append(out, c)
	}
	return out
}

// drawAnswers fills in a form as nobody would: what fits mostly, but also what
// does not, blanks, and answers to what is not asked; carefully, with nothing
// left out, so that there is a score.
func drawAnswers(t *rapid.T, items []survey.Item, tpl *survey.Template, careful bool) survey.Answers {
	var out survey.Answers
	for i := range items {
		it := &items[i]
		if it.Kind == survey.KindGroup {
			out = append(out, drawAnswers(t, it.Items, tpl, careful)...)
			continue
		}
		if it.Evidence != "" && rapid.IntRange(0, 2).Draw(t, "note") == 0 {
			out = append(out, survey.Answer{Item: survey.NoteName(it.Name), Value: survey.TextValue("thấy tận mắt")})
		}
		least := 0
		if careful {
			least = 4
		}
		switch rapid.IntRange(least, 19).Draw(t, it.Name) {
		case 0, 1:
			continue
		case 2:
			out = append(out, survey.Answer{Item: it.Name})
			continue
		case 3:
			wrong := rapid.SampledFrom([]survey.Value{survey.TextValue("?"), survey.NumberValue(1.5), survey.ListValue("x", "y"), survey.TextValue("2018-02-30"),
				survey.TextValue("25:00"), survey.NumberValue(-3), survey.TextValue("a\x01"), {Kind: survey.ValueBool, Number: 1}, survey.TextValue("")}).Draw(t, "wrong")
			if it.Kind.HasItems() {
				wrong = survey.TextValue("?")
			}
			out = append(out, survey.Answer{Item: it.Name, Value: wrong})
			continue
		}
		if v, fits := drawValue(t, it, tpl, careful); fits {
			out = append(out, survey.Answer{Item: it.Name, Value: v})
		}
	}
	return out
}

func drawValue(t *rapid.T, it *survey.Item, tpl *survey.Template, careful bool) (survey.Value, bool) {
	switch it.Kind {
	case survey.KindInteger:
		return survey.NumberValue(float64(rapid.IntRange(0, 60).Draw(t, "n"))), true
	case survey.KindDecimal:
		return survey.NumberValue(float64(rapid.IntRange(-100, 900).Draw(t, "n")) / 8), true
	case survey.KindText:
		return survey.TextValue(rapid.SampledFrom([]string{"—", "Chi bộ 1", "12", "a b"}).Draw(t, "s")), true
	case survey.KindDate:
		return survey.TextValue(survey.Date(rapid.IntRange(17500, 17700).Draw(t, "day")).String()), true
	case survey.KindTime:
		return survey.TextValue(fmt.Sprintf("%02d:%02d", rapid.IntRange(17, 22).Draw(t, "h"), rapid.IntRange(0, 59).Draw(t, "m"))), true
	case survey.KindDateTime:
		return survey.TextValue("2018-03-15T" + strconv.Itoa(rapid.IntRange(10, 23).Draw(t, "h")) + ":05:06.7+07:00"), true
	case survey.KindGeopoint:
		return survey.TextValue("21.03 105.85"), true
	case survey.KindSelectOne, survey.KindRubric, survey.KindSelectMultiple:
		choices := tpl.List(it.List).Choices
		name := func() string { return choices[rapid.IntRange(0, len(choices)-1).Draw(t, "choice")].Name }
		if it.Kind != survey.KindSelectMultiple {
			return survey.TextValue(name()), true
		}
		var names []string
		for range rapid.IntRange(0, 3).Draw(t, "chosen") {
			names = append(names, name())
		}
		return survey.ListValue(names...), true
	case survey.KindRepeat:
		var rows []survey.Answers
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			rows = append(rows, drawAnswers(t, it.Items, tpl, careful))
		}
		return survey.RowsValue(rows...), true
	}
	return survey.Value{}, false
}

func drawUnit(t *rapid.T, lists *survey.TypeLists) *survey.UnitFacts {
	return &survey.UnitFacts{
		Structure: rapid.SampledFrom(lists.Structures).Draw(t, "structure").Code,
		Sector:    rapid.SampledFrom(lists.Sectors).Draw(t, "sector").Code,
		Setting:   rapid.SampledFrom(lists.Settings).Draw(t, "setting").Code,
		Tags:      []string{rapid.SampledFrom(lists.Tags).Draw(t, "tag").Code},
		Members:   rapid.IntRange(0, 80).Draw(t, "members"),
	}
}

// outcomeOf writes down all that a form filled in comes to, for comparing.
func outcomeOf(c *service.Compiled, answers survey.Answers, ctx survey.Context) map[string]any {
	filled := c.Form.Fill(answers, ctx)
	cells := map[string]string{}
	for slot := range c.Form.Len() {
		if c.Form.InRepeat(slot) {
			continue
		}
		cell := filled.Cell(slot)
		state := cell.State.String()
		if state == "answered" {
			state = "value"
		}
		text := cell.Value.Text()
		if kind := c.Form.Kind(slot); kind == survey.KindDateTime || cell.State == survey.Blank || kind.HasItems() {
			text = ""
		}
		cells[c.Form.Name(slot)] = fmt.Sprint(state, " ", cell.Applies, " ", text)
	}
	problems := []string{}
	misfit := false
	for _, p := range filled.Validate() {
		if p.Code == "answer.not_asked" {
			continue // the browser keeps what is hidden to itself
		}
		problems = append(problems, p.Code+" "+p.Place.Pointer)
		misfit = misfit || strings.HasPrefix(p.Code, "answer.") && p.Code != "answer.required" && p.Code != "answer.evidence_required" && p.Code != "answer.constraint"
	}
	sort.Strings(problems)
	out := map[string]any{"cells": cells, "problems": problems, "score": scoreOf(c, c.Scorer.ScoreFilled(filled))}
	if !misfit {
		out["answers"] = withoutCalculations(filled.Answers(), c.Form)
	}
	return out
}

func withoutCalculations(answers survey.Answers, form *survey.Form) survey.Answers {
	out := survey.Answers{}
	for _, a := range answers {
		if slot, _ := form.Slot(a.Item); form.Kind(slot) == survey.KindCalculate {
			continue
		}
		for i := range a.Value.Rows {
			a.Value.Rows[i] = withoutCalculations(a.Value.Rows[i], form)
		}
		out = append(out, a)
	}
	return out
}

func scoreOf(c *service.Compiled, r *scoring.Result) any {
	scheme := c.Template.Scheme
	if scheme == nil {
		return nil
	}
	band := func(i int) any {
		if i < 0 {
			return nil
		}
		return scheme.Bands[i].Code
	}
	var total any
	if r.Reason == scoring.Scored {
		total = int64(r.Total)
	}
	caps, sections := []string{}, []string{}
	for i := range scheme.Caps {
		if r.Caps&(1<<i) != 0 {
			caps = append(caps, scheme.Caps[i].Code)
		}
	}
	for _, s := range r.Sections {
		sections = append(sections, fmt.Sprint(int64(s.Earned), " ", int64(s.Available), " ", int64(s.Max)))
	}
	return map[string]any{"total": total, "reason": string(r.Reason), "earned": int64(r.Earned), "available": int64(r.Available), "max": int64(r.Max),
		"band": band(r.Band), "band_before_caps": band(r.BandFirst), "caps": caps, "sections": sections}
}

// readEngines makes the page able to fill in forms: browser(code, case) gives
// what outcomeOf gives.
const readEngines = `(async () => {
	const { open, prepare } = await import('/static/engine.js');
	const lists = await (await fetch('/api/v1/type-lists')).json();
	const forms = {};
	const form = async (code) => forms[code] ??= await (await fetch('/api/v1/templates/' + code + '/versions/1/form?scoring=true')).json();
	window.outcome = (engine) => {
		const cells = {};
		for (const it of engine.form.items) {
			let up = it, inside = false;
			while (up.in !== undefined) { up = engine.form.items[up.in]; inside ||= up.kind === 'repeat'; }
			if (inside) continue;
			const g = engine.get(it.name);
			let text = g.calculated === null ? '' : typeof g.calculated === 'number' ? engine.textOf(it.name) : g.calculated;
			if (it.kind === 'datetime') text = '';
			cells[it.name] = g.state + ' ' + g.applies + ' ' + text;
		}
		const problems = engine.problems().map((p) => p.code + ' ' + (p.path ? '/' + p.path : '')).concat(engine.unknown.map((n) => 'answer.unknown_item /' + n)).sort();
		let score = engine.score();
		if (score) {
			const { total, reason, earned, available, max, band, band_before_caps, caps } = score;
			score = { total, reason, earned, available, max, band, band_before_caps, caps, sections: score.sections.map((s) => s.earned + ' ' + s.available + ' ' + s.max) };
		}
		return { cells, problems, score, answers: engine.answers() };
	};
	const key = (v) => JSON.stringify(v, (k, x) => x && typeof x === 'object' && !Array.isArray(x) ? Object.fromEntries(Object.entries(x).sort()) : x);
	window.differ = (want, got) => {
		const out = [];
		for (const name of Object.keys(want.cells)) if (want.cells[name] !== got.cells[name]) out.push(name + ': ' + got.cells[name] + ', want ' + want.cells[name]);
		for (const part of ['problems', 'score', 'answers']) {
			if (part in want && key(want[part]) !== key(got[part])) out.push(part + ': ' + key(got[part]) + ', want ' + key(want[part]));
		}
		return out;
	};
	window.make = async (code, c, answers) => (await prepare(await form(code)), open)(await form(code), { answers, unit: c.unit, lists, now: c.now, zone: 'Asia/Ho_Chi_Minh', lang: 'vi' });
	return true;
})()`

// TestTheBrowserFillsInFormsAsTheServerDoes fills in forms at random and
// compares states, values, problems, answers and scores; and that the answers
// put in one by one, in any order, come to the same as all at once.
func TestTheBrowserFillsInFormsAsTheServerDoes(t *testing.T) {
	r := newRig(t)
	forms := r.filledForms()
	_, lists, err := r.svc.Tree(context.Background())
	ok(t, err)
	p := browsertest.Shared(t).Open(t, browsertest.Options{URL: r.url, Width: 1280, Height: 800, Cookies: map[string]string{sessionCookie: r.session("all.admin")}})
	p.Goto("/sign-in")
	p.Eval(readEngines, nil)
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	ok(t, err)
	now := time.Date(2018, 3, 15, 20, 30, 0, 0, zone)
	for _, c := range forms {
		t.Run(string(c.Template.Code), func(t *testing.T) {
			graded := 0
			rapid.Check(t, func(rt *rapid.T) {
				answers, unit := drawAnswers(rt, c.Template.Items, c.Template, rapid.Bool().Draw(rt, "careful")), drawUnit(rt, lists)
				want := outcomeOf(c, answers, survey.Context{Unit: unit, Lists: lists, Now: now})
				if score, scored := want["score"].(map[string]any); !scored || score["total"] != nil {
					graded++
				}
				sent, err := json.Marshal(map[string]any{"answers": answers, "unit": unit, "now": now.UnixMilli(), "want": want,
					"order": rapid.Permutation(names(answers)).Draw(rt, "order")})
				if err != nil {
					rt.Fatal(err)
				}
				var differ []string
				if err := p.TryEval(fmt.Sprintf(`(async (code, c) => {
					const whole = await make(code, c, c.answers);
					const out = differ(c.want, outcome(whole));
					const steps = await make(code, c, {});
					for (const name of c.order ?? []) {
						steps.set(name, null);
						steps.set(name, c.answers[name]);
					}
					for (const it of whole.form.items) {
						if (it.kind !== 'repeat' || !whole.get(it.name) || (c.answers[it.name] && !Array.isArray(c.answers[it.name]))) continue;
						steps.addRow(it.name);
						steps.removeRow(it.name, steps.get(it.name).rows - 1);
					}
					if (JSON.stringify(outcome(steps)) !== JSON.stringify(outcome(whole))) out.push('step by step: ' + differ(outcome(whole), outcome(steps)));
					const again = await make(code, c, steps.draft());
					if (JSON.stringify(again.draft()) !== JSON.stringify(steps.draft())) out.push('the draft does not come back');
					return out;
				})(%q, %s)`, c.Template.Code, sent), &differ); err != nil {
					rt.Fatal(err)
				}
				for _, d := range differ {
					rt.Error(d)
				}
			})
			if graded < 3 {
				t.Errorf("only %d forms had a score", graded)
			}
		})
	}
}

func names(answers survey.Answers) []string {
	out := make([]string, len(answers))
	for i := range answers {
		out[i] = answers[i].Item
	}
	return out
}

// TestAFormIsSmallAndQuick bounds what a phone has to load and to wait.
func TestAFormIsSmallAndQuick(t *testing.T) {
	r := newRig(t)
	a := r.ask("GET", "/api/v1/templates/SHCB-TK/versions/1/form?scoring=true", nil, r.as("all.observer")).want(t, 200)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write(a.body)
	ok(t, errors.Join(err, w.Close()))
	t.Logf("%d bytes, %d compressed", len(a.body), zipped.Len())
	if zipped.Len() > 25<<10 {
		t.Errorf("the form takes %d bytes compressed", zipped.Len())
	}
	if got := a.header.Get("Cache-Control"); got != "private, max-age=31536000, immutable" {
		t.Errorf("a published form is cached as %q", got)
	}
	r.ask("GET", "/api/v1/templates/SHCB-TK/versions/1/form?scoring=true", nil, r.as("all.observer"), header{"If-None-Match", a.header.Get("ETag")}).want(t, 304)

	// A form of 200 items, every one of which has a rule, on a processor six times
	// slower. One tap is worked out for the items that depend on it.
	tpl := &survey.Template{Code: "LONG", Version: 1, Title: survey.Text{"en": "Long"}, Languages: []string{"en"},
		Lists: []survey.ChoiceList{{Name: "l", Choices: []survey.Choice{{Name: "a", Label: survey.Text{"en": "A"}}, {Name: "b", Label: survey.Text{"en": "B"}}}}}}
	for i := range 200 {
		it := survey.Item{Name: fmt.Sprint("q", i), Kind: survey.KindSelectOne, List: "l", Label: survey.Text{"en": "?"}, Required: "true()"}
		if i > 0 {
			it.Relevant = fmt.Sprintf("${q%d} = 'a' or ${q0} != 'b'", max(0, i-1-i%2))
		}
		tpl.Items = append(tpl.Items, it)
	}
	form, problems := survey.Compile(tpl, nil)
	if form == nil {
		t.Fatal(problems)
	}
	sent, err := json.Marshal(form.Client(true))
	ok(t, err)
	p := browsertest.Shared(t).Open(t, browsertest.Options{URL: r.url})
	p.Goto("/sign-in")
	p.Slow(6)
	var took struct{ Mean, Worst, Changed float64 }
	p.Eval(`(async (form) => {
		const { open, prepare } = await import('/static/engine.js');
		await prepare(form);
		const engine = open(form, {}), n = 199;
		let worst = 0, changed = 0;
		const from = performance.now();
		for (let i = 1; i <= n; i++) {
			const before = performance.now();
			changed += engine.set('q' + i, 'b').length;
			worst = Math.max(worst, performance.now() - before);
		}
		return { Mean: (performance.now() - from) / n, Worst: worst, Changed: changed };
	})(`+string(sent)+`)`, &took)
	t.Logf("a tap: %.2f ms, %.1f ms at worst", took.Mean, took.Worst)
	if took.Mean > 10 || took.Changed < 199 {
		t.Errorf("a tap takes %.1f ms; %.0f looks changed", took.Mean, took.Changed)
	}
}
