package web

import (
	"bytes"
	"cmp"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
)

func dayOf(t *testing.T, text string) survey.Date {
	t.Helper()
	d, err := survey.ParseDate(text)
	ok(t, err)
	return d
}

// The calendar has a day with a reminder for each visit that is still to be
// made, under an id that stays.
func TestTheCalendarHasTheVisitsToBeMade(t *testing.T) {
	r := newRig(t)
	observer := r.people["all.observer"]
	units := r.rated(false)[:3]
	dues := []survey.Date{dayOf(t, "2018-01-20"), 0, dayOf(t, "2018-01-22")}
	var as []*survey.Assignment
	for i, u := range units {
		as = append(as, &survey.Assignment{VisitKey: survey.VisitKey{Round: "demo-2018", Template: "SHCB-TK", Unit: u, Role: survey.RoleSuperior}, Observer: observer.ID, Due: dues[i]})
	}
	ok(t, r.svc.Assign(t.Context(), service.Operator(), as))
	read := func() map[string]*ics.VEvent {
		a := r.ask("GET", "/visits/calendar.ics", nil, r.as("all.observer")).want(t, 200)
		if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/calendar") {
			t.Errorf("the type is %s", got)
		}
		for line := range bytes.SplitSeq(a.body, []byte("\r\n")) {
			if len(line) > 75 {
				t.Errorf("a line has %d bytes, at most 75 are allowed: %s", len(line), line)
			}
		}
		c, err := ics.ParseCalendar(bytes.NewReader(a.body))
		ok(t, err)
		out := map[string]*ics.VEvent{}
		for _, e := range c.Events() {
			out[e.Id()] = e
		}
		return out
	}
	events := read()
	if len(events) != 3 {
		t.Fatalf("%d entries, want 3", len(events))
	}
	for i, a := range as {
		e := events[string(a.ID)+"@khaosat"]
		if e == nil {
			t.Fatalf("no entry for %s", a.Unit)
		}
		day, err := e.GetAllDayStartAt()
		ok(t, err)
		want := cmp.Or(dues[i], dayOf(t, "2018-01-31")).String() // the round's last day
		if got := day.Format(time.DateOnly); got != want {
			t.Errorf("%s is on %s, want %s", a.Unit, got, want)
		}
		if len(e.Alarms()) != 1 {
			t.Errorf("%s has %d reminders", a.Unit, len(e.Alarms()))
		}
		if url := e.GetProperty(ics.ComponentPropertyUrl).Value; url != r.url+"/visits/"+string(a.ID) {
			t.Errorf("its address is %s", url)
		}
	}
	// What is cancelled is not there any more.
	_, err := r.svc.ChangeAssignment(t.Context(), service.Operator(), as[0].ID, service.AssignmentChange{Action: service.Cancel, Reason: "storm"})
	ok(t, err)
	if n := len(read()); n != 2 {
		t.Errorf("%d entries after one was cancelled, want 2", n)
	}
}
