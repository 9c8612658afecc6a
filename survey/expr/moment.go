package expr

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What dates, times and moments come to depends on the zone in which the form
// is filled in. A date is a day of that zone; a moment is kept in UTC and shows
// the zone's clock where it is written, cut to a day or reckoned with.

// wallDays gives the days since 1970 that the clock shows at t.
func wallDays(t time.Time) float64 {
	_, offset := t.Zone()
	return float64(t.UnixMilli()+int64(offset)*1000) / dayMilliseconds
}

// wall gives the days since 1970 that the host's clock shows at a moment.
func wall(env Env, moment float64) float64 {
	return wallDays(dayTime(moment).In(env.Now().Location()))
}

// fromWall gives the moment at which the host's clock shows so many days since 1970.
func fromWall(env Env, days float64) float64 {
	t := dayTime(days)
	y, m, d := t.Date()
	local := time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), env.Now().Location())
	return float64(local.UnixMilli()) / dayMilliseconds
}

// moment reads a value as a moment: days since 1970 in UTC. A date is its
// midnight; a number is taken as such days. ok is false for anything else.
func moment(env Env, v *Value) (days float64, ok bool) {
	switch v.kind {
	case DateTime, Number:
		return v.num, v.num-v.num == 0 // neither NaN nor infinite
	case Date:
		return fromWall(env, v.num), true
	case String:
		return parseMoment(v.str, env.Now().Location())
	case Nodes:
		first := v.first()
		return moment(env, &first)
	}
	return 0, false
}

// day reads a value as a date: days since 1970 on the host's calendar.
func day(env Env, v *Value) (days float64, ok bool) {
	switch v.kind {
	case Date:
		return v.num, true
	case Number:
		return math.Trunc(v.num), v.num-v.num == 0
	}
	m, ok := moment(env, v)
	if !ok {
		return 0, false
	}
	return math.Floor(wall(env, m)), true
}

// The layouts take one digit for two as well, as Collect does.
var (
	zonedLayouts = []string{"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2T15:4Z07:00", "2006-1-2T15:4:5.999999999Z07", "2006-1-2T15:4Z07"}
	localLayouts = []string{"2006-1-2", "2006-1-2T15:4:5.999999999", "2006-1-2T15:4"}
	clockLayouts = []string{"15:4", "15:4:5.999999999"}
	clockZones   = []string{"Z07:00", "Z07"}
)

// maxMoment is longer than any date or time that can be read.
const maxMoment = 40

// mayBeMoment is false for what no layout takes. Trying the layouts costs an
// error each, and most of what is asked for as a time was left empty.
func mayBeMoment(s string) bool {
	return s != "" && len(s) <= maxMoment && s[0] >= '0' && s[0] <= '9'
}

func parseMoment(s string, zone *time.Location) (float64, bool) {
	s = strings.TrimSpace(s)
	if !mayBeMoment(s) {
		return 0, false
	}
	for _, layout := range localLayouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return float64(t.UnixMilli()) / dayMilliseconds, true
		}
	}
	for _, layout := range zonedLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.UnixMilli()) / dayMilliseconds, true
		}
	}
	return 0, false
}

// timeOfDay reads a value as a time of day, as a fraction of it. A time with a
// zone ("19:30:00.000+07:00") is what the clock of whoever wrote it showed.
func timeOfDay(env Env, v *Value) (fraction float64, ok bool) {
	switch v.kind {
	case Time:
		return v.num, true
	case Number:
		return v.num - math.Floor(v.num), v.num-v.num == 0
	case String:
		if f, ok := parseClock(v.str); ok {
			return f, true
		}
	case Nodes:
		first := v.first()
		return timeOfDay(env, &first)
	}
	m, ok := moment(env, v)
	if !ok {
		return 0, false
	}
	return clockFraction(dayTime(m).In(env.Now().Location())), true
}

// clockFraction gives the fraction of the day that the clock shows at t.
func clockFraction(t time.Time) float64 {
	h, m, s := t.Clock()
	return float64((h*3600+m*60+s)*1000+t.Nanosecond()/1e6) / dayMilliseconds
}

func parseClock(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if !mayBeMoment(s) {
		return 0, false
	}
	if i := strings.IndexAny(s, "Z+-"); i > 0 {
		if !slices.ContainsFunc(clockZones, func(layout string) bool { return readable(s[i:], layout) }) {
			return 0, false
		}
		s = s[:i]
	}
	for _, layout := range clockLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return clockFraction(t), true
		}
	}
	return 0, false
}

// formatDate writes a date, time or moment by the codes of ODK:
//
//	%Y year  %y last two digits  %m %n month  %b its name  %d %e day  %a its name
//	%W week of ISO 8601
//	%H %h hour  %M minute  %S second  %3 milliseconds  %% the sign itself
//
// %n, %e, %h and %W are without leading zeros; names are English, three letters.
func formatDate(env Env, a []Value) Value {
	v := a[0].first()
	t := time.Time{}
	if v.kind == Time {
		t = dayTime(v.num)
	} else {
		m, ok := moment(env, &v)
		if !ok {
			return Str("")
		}
		t = dayTime(m).In(env.Now().Location())
	}
	pattern := text(env, &a[1])
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		b.WriteString(datePart(t, pattern[i]))
	}
	return Str(b.String())
}

func datePart(t time.Time, code byte) string {
	switch code {
	case 'Y':
		return t.Format("2006")
	case 'y':
		return t.Format("06")
	case 'm':
		return t.Format("01")
	case 'n':
		return t.Format("1")
	case 'b':
		return t.Format("Jan")
	case 'd':
		return t.Format("02")
	case 'e':
		return t.Format("2")
	case 'a':
		return t.Format("Mon")
	case 'W':
		_, week := t.ISOWeek()
		return strconv.Itoa(week)
	case 'H':
		return t.Format("15")
	case 'h':
		return strconv.Itoa(t.Hour())
	case 'M':
		return t.Format("04")
	case 'S':
		return t.Format("05")
	case '3':
		return t.Format(".000")[1:]
	case '%':
		return "%"
	}
	return ""
}
