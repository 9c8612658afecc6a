package survey_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/khaosat/khaosat/survey"
)

// unitsOf makes n chapters under committees of ten, these under districts of
// five committees.
func unitsOf(n int) []*survey.Standing {
	out := make([]*survey.Standing, n)
	for i := range out {
		committee, district := i/10, i/50
		code := survey.UnitCode(fmt.Sprintf("C%05d", i))
		out[i] = &survey.Standing{Unit: code, Path: []survey.UnitCode{"TU", survey.UnitCode(fmt.Sprintf("D%d", district)), survey.UnitCode(fmt.Sprintf("K%d", committee)), code}}
	}
	return out
}

func drawPlan(t *rapid.T) *survey.AssignPlan {
	units := unitsOf(rapid.IntRange(0, 120).Draw(t, "units"))
	p := &survey.AssignPlan{Round: "r", Template: "T", Units: units, Most: rapid.SampledFrom([]int{0, 0, 1, 3, 10}).Draw(t, "most"),
		DoubleShare: rapid.SampledFrom([]float64{0, 0.1, 0.33, 1}).Draw(t, "share"), Seed: rapid.Int64().Draw(t, "seed")}
	codes := []survey.UnitCode{"", "", "ELSEWHERE"}
	for _, u := range units {
		codes = append(codes, u.Path...)
	}
	for i := range rapid.IntRange(0, 15).Draw(t, "observers") {
		p.Observers = append(p.Observers, &survey.Person{ID: survey.PersonID(fmt.Sprintf("o%d", i)), Role: survey.Observer,
			Home:  rapid.SampledFrom(codes).Draw(t, "home"),
			Scope: rapid.SampledFrom([]survey.UnitCode{"", "", "", "D0", "TU"}).Draw(t, "scope")})
	}
	for _, u := range units {
		if len(p.Observers) == 0 || rapid.IntRange(0, 4).Draw(t, "existing") != 0 {
			continue
		}
		p.Existing = append(p.Existing, survey.AssignedVisit{VisitKey: survey.VisitKey{Round: "r", Template: "T", Unit: u.Unit, Role: survey.RoleObserver},
			Observer: rapid.SampledFrom(p.Observers).Draw(t, "by").ID, Status: rapid.SampledFrom(survey.AssignmentStatuses).Draw(t, "status")})
	}
	return p
}

func TestAutomaticAssignmentKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		got := survey.AssignAutomatically(p)
		people, units := map[survey.PersonID]*survey.Person{}, map[survey.UnitCode]*survey.Standing{}
		for _, o := range p.Observers {
			people[o.ID] = o
		}
		for _, u := range p.Units {
			units[u.Unit] = u
		}
		by := map[survey.VisitKey]survey.PersonID{}
		loads := map[survey.PersonID]int{}
		given := map[survey.VisitKey]bool{}
		for _, v := range p.Existing {
			given[v.VisitKey] = true
			if v.Status.Open() {
				by[v.VisitKey] = v.Observer
				loads[v.Observer]++
			}
		}
		for _, a := range got.Assignments {
			if given[a.VisitKey] {
				t.Fatalf("%s is assigned twice", a.VisitKey)
			}
			given[a.VisitKey], by[a.VisitKey] = true, a.Observer
			o, u := people[a.Observer], units[a.Unit]
			if code := survey.ConflictOf(o, u, a.Role); code != "" {
				t.Fatalf("%s of %s visits %s: %s", o.ID, o.Home, u.Unit, code)
			}
			if !o.Covers(u) {
				t.Fatalf("%s of the scope %s visits %s", o.ID, o.Scope, u.Unit)
			}
			if loads[a.Observer]++; p.Most > 0 && loads[a.Observer] > p.Most {
				t.Fatalf("%s has %d visits", o.ID, loads[a.Observer])
			}
		}
		for key, observer := range by {
			lead := key
			lead.Role = survey.RoleObserver
			if key.Role == survey.RoleSecond && by[lead] == observer {
				t.Fatalf("%s gives both ratings of %s", observer, key.Unit)
			}
			if _, ok := by[lead]; !ok {
				t.Fatalf("%s has only a second rating", key.Unit)
			}
		}
		// Each unit is assigned, or left with a reason that is true.
		left := map[survey.UnitCode]string{}
		for _, l := range got.Left {
			if l.Role == survey.RoleObserver {
				left[l.Unit] = l.Code
			}
		}
		for _, u := range p.Units {
			_, assigned := by[survey.VisitKey{Round: "r", Template: "T", Unit: u.Unit, Role: survey.RoleObserver}]
			if _, isLeft := left[u.Unit]; assigned == isLeft {
				t.Fatalf("%s: assigned %v, left %v", u.Unit, assigned, isLeft)
			}
			free := slices.ContainsFunc(p.Observers, func(o *survey.Person) bool {
				return o.Covers(u) && survey.ConflictOf(o, u, survey.RoleObserver) == "" && (p.Most == 0 || loads[o.ID] < p.Most)
			})
			if free && left[u.Unit] != "" && left[u.Unit] != "assign.given_up" {
				t.Fatalf("%s is left (%s) though somebody is free", u.Unit, left[u.Unit])
			}
		}
		for i, o := range p.Observers {
			if got.Loads[i] != loads[o.ID] {
				t.Fatalf("%s has %d visits, told are %d", o.ID, loads[o.ID], got.Loads[i])
			}
		}
		again := survey.AssignAutomatically(p)
		if fmt.Sprint(values(again.Assignments)) != fmt.Sprint(values(got.Assignments)) || fmt.Sprint(again.Left) != fmt.Sprint(got.Left) {
			t.Fatal("the same plan gives another result")
		}
	})
}

// values tells who visits what.
func values(as []*survey.Assignment) []string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = fmt.Sprint(a.ID, a.VisitKey, a.Observer, a.Due)
	}
	return out
}

func TestAutomaticAssignmentIsFairWhereNothingStandsInTheWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &survey.AssignPlan{Round: "r", Template: "T", Units: unitsOf(rapid.IntRange(0, 300).Draw(t, "units")),
			DoubleShare: rapid.Float64Range(0, 1).Draw(t, "share"), Seed: rapid.Int64().Draw(t, "seed")}
		for i := range rapid.IntRange(2, 20).Draw(t, "observers") {
			p.Observers = append(p.Observers, &survey.Person{ID: survey.PersonID(fmt.Sprintf("o%d", i)), Role: survey.Observer})
		}
		got := survey.AssignAutomatically(p)
		if len(got.Left) > 0 {
			t.Fatalf("left: %v", got.Left)
		}
		if slices.Max(got.Loads)-slices.Min(got.Loads) > 1 {
			t.Fatalf("loads %v", got.Loads)
		}
		want := int(math.Round(p.DoubleShare * float64(len(p.Units))))
		if seconds := len(got.Assignments) - len(p.Units); seconds != want {
			t.Fatalf("%d second ratings of %d, want %d", seconds, len(p.Units), want)
		}
		// Another seed shares out otherwise.
		if len(p.Units) > 50 {
			p.Seed++
			if fmt.Sprint(values(survey.AssignAutomatically(p).Assignments)) == fmt.Sprint(values(got.Assignments)) {
				t.Fatal("the seed decides nothing")
			}
		}
	})
}

func TestAutomaticAssignmentOfACityIsQuick(t *testing.T) {
	p := &survey.AssignPlan{Round: "r", Template: "T", Units: unitsOf(16500), DoubleShare: 0.1, Seed: 7}
	for i := range 600 {
		p.Observers = append(p.Observers, &survey.Person{ID: survey.PersonID(fmt.Sprintf("o%d", i)), Role: survey.Observer, Home: p.Units[i*27].Path[2+i%2]})
	}
	start := time.Now()
	got := survey.AssignAutomatically(p)
	took := time.Since(start)
	t.Logf("%d visits in %v", len(got.Assignments), took)
	if took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if len(got.Left) > 0 || slices.Max(got.Loads)-slices.Min(got.Loads) > 1 {
		t.Errorf("%d left, loads from %d to %d", len(got.Left), slices.Min(got.Loads), slices.Max(got.Loads))
	}
}
