package scoring

import (
	"math"
	"slices"
)

// Severity is how far one observer's ratings lie from those of the others, in
// points: negative for a strict observer.
type Severity struct {
	N   int     `json:"n"`
	Raw float64 `json:"raw"` // mean difference as it is
	// Shrunk is the difference as far as it is believed: few ratings pull it to
	// 0. SE is its standard error.
	Shrunk float64 `json:"shrunk"`
	SE     float64 `json:"se"`
	// Notable marks a difference above 1.96 standard errors that is also above
	// a quarter of the spread of all ratings.
	Notable bool `json:"notable"`
}

// Severities is what observers differ by.
type Severities struct {
	Observers []Severity // as they were given
	// Between and Within are the variances between observers and of one
	// observer's ratings.
	Between, Within float64
}

// SeverityOf estimates how strict each observer is from the residuals of their
// ratings, i.e. differences from what is usual for such units (one-way random
// effects, moments; Efron and Morris 1975):
//
//	σ²_u = max(0, (MSB-MSW)/n0),  λ_j = σ²_u / (σ²_u + MSW/k_j)
//	severity_j = λ_j · mean_j,  SE_j = sqrt(σ²_u (1-λ_j))
//
// It assumes that within what the residuals were taken against, units were given
// to observers as good as by lot. ok is false below two observers or when
// nobody rated twice.
func SeverityOf(residuals [][]float64) (out Severities, ok bool) {
	a, ok := analyse(residuals)
	if !ok {
		return out, false
	}
	out.Between, out.Within = max(0, (a.msb-a.msw)/a.n0), a.msw
	spread := math.Sqrt(out.Between + out.Within)
	for _, of := range residuals {
		s := Severity{N: len(of)}
		if s.N > 0 && out.Between > 0 {
			s.Raw, _ = moments(of)
			trust := out.Between / (out.Between + out.Within/float64(s.N))
			s.Shrunk, s.SE = trust*s.Raw, math.Sqrt(out.Between*(1-trust))
			s.Notable = math.Abs(s.Shrunk) > 1.96*s.SE && math.Abs(s.Shrunk) > spread/4
		} else if s.N > 0 {
			s.Raw, _ = moments(of)
		}
		out.Observers = append(out.Observers, s)
	}
	return out, true
}

// Drift is a straight line through ratings over time.
type Drift struct {
	// Slope is the change a unit of time, with its interval.
	Slope Estimate `json:"slope"`
}

// DriftOf fits y = a + b·x by least squares and gives b with its t interval, n-2
// degrees of freedom. ok is false below three points or when all x are the same.
func DriftOf(x, y []float64, level float64) (out Drift, ok bool) {
	n := float64(len(x))
	if len(x) < 3 || len(x) != len(y) {
		return out, false
	}
	mx, vx := moments(x)
	my, _ := moments(y)
	if vx == 0 {
		return out, false
	}
	sxx, sxy := vx*(n-1), 0.0
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
	}
	b := sxy / sxx
	rest := 0.0
	for i := range x {
		d := y[i] - my - b*(x[i]-mx)
		rest += d * d
	}
	out.Slope = around(b, math.Sqrt(rest/(n-2)/sxx), n-2, len(x), level)
	return out, true
}

// Change is the difference of two means, later less earlier.
type Change struct {
	Estimate
	P float64 `json:"p"` // two-sided
	// Paired says that the same units were seen both times.
	Paired bool `json:"paired"`
}

// PairedChange compares units seen in both rounds: mean of the differences ±
// t(n-1)·s_d/sqrt(n). ok is false below two, or when lengths differ.
func PairedChange(before, after []float64, level float64) (_ Change, ok bool) {
	if len(before) != len(after) {
		return Change{}, false
	}
	d := make([]float64, len(before))
	for i := range d {
		d[i] = after[i] - before[i]
	}
	e, ok := Mean(d, level)
	return Change{Estimate: e, P: pOf(e), Paired: true}, ok
}

// WelchChange compares two groups of different units without supposing that they
// are equally spread (Welch 1947; Satterthwaite's degrees of freedom). ok is
// false below two in either.
func WelchChange(before, after []float64, level float64) (_ Change, ok bool) {
	if len(before) < 2 || len(after) < 2 {
		return Change{}, false
	}
	m1, v1 := moments(before)
	m2, v2 := moments(after)
	a, b := v1/float64(len(before)), v2/float64(len(after))
	if a+b == 0 {
		return Change{}, false
	}
	df := (a + b) * (a + b) / (a*a/float64(len(before)-1) + b*b/float64(len(after)-1))
	e := around(m2-m1, math.Sqrt(a+b), df, len(before)+len(after), level)
	return Change{Estimate: e, P: pOf(e)}, true
}

// pOf is the two-sided probability of so large a difference if there were none.
func pOf(e Estimate) float64 {
	if e.SE == 0 {
		if e.Value == 0 {
			return 1
		}
		return 0
	}
	return tTwoSided(e.Value/e.SE, e.DF)
}

// Holm adjusts probabilities for how many were looked at (Holm 1979): sorted
// upwards, the i-th of m times m-i, never below the one before, at most 1. In
// the order they were given in.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	out, highest := make([]float64, len(p)), 0.0
	for i, at := range order {
		highest = max(highest, min(1, float64(len(p)-i)*p[at]))
		out[at] = highest
	}
	return out
}

// Linked counts the parts into which observers fall when those who rated the
// same unit are linked: only within one part can they be compared without
// supposing that units were given out by lot. pairs are observers by number,
// below n. Largest is how many the largest part has.
func Linked(n int, pairs [][2]int) (parts, largest int) {
	up := make([]int, n)
	for i := range up {
		up[i] = i
	}
	root := func(i int) int {
		for up[i] != i {
			up[i] = up[up[i]]
			i = up[i]
		}
		return i
	}
	for _, p := range pairs {
		up[root(p[0])] = root(p[1])
	}
	size := make([]int, n)
	for i := range n {
		r := root(i)
		size[r]++
		if size[r] == 1 {
			parts++
		}
		largest = max(largest, size[r])
	}
	return parts, largest
}
