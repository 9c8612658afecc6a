package web

import (
	"cmp"
	"fmt"
	"strings"

	ics "github.com/arran4/golang-ical"
	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// pageCalendar gives the caller's visits that are still to be made as a calendar
// file (RFC 5545): a whole day each, the due one, with a reminder the day before.
// To load it again changes the same entries, for each visit keeps its id.
func (s *Server) pageCalendar(q *request) error {
	b, err := s.svc.PhoneBundle(q.ctx, q.caller)
	if err != nil {
		return err
	}
	say := func(id string, args survey.Args) string { return message.Say(q.caller.Language, id, args) }
	rounds := map[survey.RoundCode]*survey.Round{}
	for _, r := range b.Rounds {
		rounds[r.Code] = r
	}
	c := ics.NewCalendarFor("khaosat")
	c.SetMethod(ics.MethodPublish)
	c.SetName(say("phone.calendar", nil))
	for _, v := range b.Visits {
		round := rounds[v.Round]
		if v.ID == "" || v.Rating != nil || !v.Status.Open() || round == nil || round.Closed {
			continue
		}
		day := cmp.Or(v.Due, round.Closes).Time()
		name := string(v.Unit)
		if v.Standing != nil {
			name = v.Standing.Name
		}
		e := c.AddEvent(string(v.ID) + "@khaosat")
		e.SetDtStampTime(s.svc.Now())
		e.SetAllDayStartAt(day)
		e.SetAllDayEndAt(day.AddDate(0, 0, 1))
		e.SetSummary(say("phone.calendar_event", survey.Args{"unit": name}))
		e.SetDescription(strings.Join([]string{round.Title.In(q.caller.Language), string(v.Template), strings.Join(v.PathNames, " › ")}, "\n"))
		e.SetURL(q.away() + "/visits/" + string(v.ID))
		e.SetTimeTransparency(ics.TransparencyTransparent)
		a := e.AddAlarm()
		a.SetAction(ics.ActionDisplay)
		a.SetDescription(say("phone.calendar_event", survey.Args{"unit": name}))
		a.SetTrigger("-PT16H") // eight in the morning of the day before
	}
	q.Set(fiber.HeaderContentType, "text/calendar; charset=utf-8")
	q.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", "khaosat.ics"))
	q.Set(fiber.HeaderCacheControl, "no-store")
	return q.SendString(c.Serialize(ics.WithNewLineWindows)) // RFC 5545 ends lines so
}
