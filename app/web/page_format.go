package web

import (
	"fmt"

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

func percent(f any) string {
	switch v := f.(type) {
	case float64:
		return fmt.Sprintf("%.1f %%", 100*v)
	case *float64:
		if v != nil {
			return fmt.Sprintf("%.1f %%", 100**v)
		}
	}
	return "–"
}

func decimal(f *float64) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f", *f)
}

func count(n *int) string {
	if n == nil {
		return "–"
	}
	return fmt.Sprint(*n)
}
