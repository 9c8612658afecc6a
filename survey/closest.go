package survey

import "github.com/khaosat/khaosat/survey/expr"

// Closest gives the candidate that was most likely meant by a misspelt name, ""
// if none is close; see expr.Closest.
func Closest(name string, candidates []string) string { return expr.Closest(name, candidates) }
