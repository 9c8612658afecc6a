package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"
)

// arguments makes the arguments of a message from pairs of names and values.
func arguments(pairs ...any) survey.Args {
	out := survey.Args{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
	}
	return out
}

// none stands where there is nothing to tell.
const none = "–"

// number writes a number with the language's decimal sign.
func number(lang string, f float64, decimals int) string {
	s := strconv.FormatFloat(f, 'f', decimals, 64)
	if lang == "vi" {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

func percent(lang string, f any) string {
	switch v := f.(type) {
	case float64:
		return number(lang, 100*v, 1) + " %"
	case *float64:
		if v != nil {
			return number(lang, 100**v, 1) + " %"
		}
	}
	return none
}

func decimal(lang string, f *float64) string {
	if f == nil {
		return none
	}
	return number(lang, *f, 2)
}

// quartiles writes between which scores the middle half lies.
func quartiles(lang string, low, high *float64) string {
	if low == nil || high == nil {
		return none
	}
	return decimal(lang, low) + "–" + decimal(lang, high)
}

func count(n *int) string {
	if n == nil {
		return none
	}
	return fmt.Sprint(*n)
}

// Moment writes a time to the minute, in the zone of rounds that name none.
func (p page) Moment(t time.Time) string {
	return t.In((&survey.Round{}).Location()).Format("02/01/2006 15:04")
}

// Now gives the time.
func (p page) Now() time.Time { return time.Now() }

// named makes a map for a template that needs several things.
func named(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return out
}

// ordinal counts from one.
func ordinal(i int) int { return i + 1 }
