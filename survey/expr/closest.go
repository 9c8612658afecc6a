package expr

import "strings"

// Closest gives the candidate that was most likely meant by a misspelt name:
// the one with the smallest edit distance (insertions, deletions, exchanges and
// swaps of neighbours, letter case aside), if that is at most a third of the
// length, and 2 for short names. "" if none is close.
func Closest(name string, candidates []string) string {
	if name == "" {
		return ""
	}
	limit := max(1, min(3, (len([]rune(name))+1)/3))
	if len([]rune(name)) >= 4 {
		limit = max(limit, 2)
	}
	best, bestDistance := "", limit+1
	lower := strings.ToLower(name)
	for _, c := range candidates {
		if c == name {
			continue
		}
		if d := editDistance(lower, strings.ToLower(c), limit); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance is the optimal string alignment distance, limit+1 when it is
// above the limit.
func editDistance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit {
		return limit + 1
	}
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
