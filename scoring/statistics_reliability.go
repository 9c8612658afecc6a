package scoring

import "math"

// ICC is an intraclass correlation: the share of the variance of ratings that
// lies between units.
type ICC struct {
	Value float64 `json:"value"`
	Units int     `json:"units"` // with at least one rating
	Interval
}

// oneWay is a one-way analysis of variance with groups of any size.
type oneWay struct {
	groups, n       int
	msb, msw, n0    float64
	sizes           []int
	means           []float64
	between, inside float64 // degrees of freedom
}

// analyse splits the variance of grouped values into that between and that
// within groups; n0 is the size of the groups as it enters the expected mean
// square: (N - Σk²/N)/(G-1). ok is false below two groups or without a second
// value in any of them.
func analyse(groups [][]float64) (a oneWay, ok bool) {
	sum, squares := 0.0, 0
	for _, g := range groups {
		if len(g) == 0 {
			continue
		}
		mean, _ := moments(g)
		a.groups++
		a.n += len(g)
		a.sizes, a.means = append(a.sizes, len(g)), append(a.means, mean)
		sum += mean * float64(len(g))
		squares += len(g) * len(g)
		for _, x := range g {
			a.msw += (x - mean) * (x - mean)
		}
	}
	a.between, a.inside = float64(a.groups-1), float64(a.n-a.groups)
	if a.between < 1 || a.inside < 1 {
		return a, false
	}
	grand := sum / float64(a.n)
	for i, m := range a.means {
		a.msb += float64(a.sizes[i]) * (m - grand) * (m - grand)
	}
	a.msb /= a.between
	a.msw /= a.inside
	a.n0 = (float64(a.n) - float64(squares)/float64(a.n)) / a.between
	return a, true
}

// ICC1 is the one-way intraclass correlation of single ratings by whoever came
// (Shrout and Fleiss 1979, ICC(1,1); n0 for groups of different size, Searle
// 1971): (MSB-MSW)/(MSB+(n0-1)MSW). The interval is theirs with n0 for k, exact
// when all units have as many ratings. units holds the ratings of each. ok is
// false when too few were rated twice to tell, or when no rating differs.
func ICC1(units [][]float64, level float64) (out ICC, ok bool) {
	a, ok := analyse(units)
	if !ok || a.msb == 0 && a.msw == 0 {
		return out, false
	}
	value := func(b, w float64) float64 { return (b - w) / (b + (a.n0-1)*w) }
	tail := 0.5 + level/2
	out = ICC{Value: value(a.msb, a.msw), Units: a.groups}
	if a.msw == 0 {
		out.Interval = Interval{1, 1}
		return out, true
	}
	f := a.msb / a.msw
	out.Interval = Interval{value(f/fQuantile(tail, a.between, a.inside), 1), value(f*fQuantile(tail, a.inside, a.between), 1)}
	return out, true
}

// ICC21 is the two-way random intraclass correlation of single ratings, absolute
// agreement, where the same observers rate every unit (Shrout and Fleiss 1979,
// ICC(2,1)):
//
//	(BMS-EMS) / (BMS + (k-1)EMS + k(JMS-EMS)/n)
//
// with the interval of McGraw and Wong 1996. Rows are units, columns observers,
// and none may be missing: it is for calibration, where all rate the same. ok
// is false below two rows or columns, for ragged rows and when nothing differs.
func ICC21(rows [][]float64, level float64) (out ICC, ok bool) {
	n := len(rows)
	if n < 2 || len(rows[0]) < 2 {
		return out, false
	}
	k := len(rows[0])
	grand := 0.0
	byRow, byColumn := make([]float64, n), make([]float64, k)
	for i, row := range rows {
		if len(row) != k {
			return out, false
		}
		for j, x := range row {
			byRow[i] += x / float64(k)
			byColumn[j] += x / float64(n)
			grand += x / float64(n*k)
		}
	}
	bms, jms, ems := 0.0, 0.0, 0.0
	for i := range rows {
		bms += (byRow[i] - grand) * (byRow[i] - grand)
	}
	for j := range byColumn {
		jms += (byColumn[j] - grand) * (byColumn[j] - grand)
	}
	for i, row := range rows {
		for j, x := range row {
			d := x - byRow[i] - byColumn[j] + grand
			ems += d * d
		}
	}
	fn, fk := float64(n), float64(k)
	bms *= fk / (fn - 1)
	jms *= fn / (fk - 1)
	ems /= (fn - 1) * (fk - 1)
	whole := bms + (fk-1)*ems + fk*(jms-ems)/fn
	if whole == 0 {
		return out, false
	}
	out = ICC{Value: (bms - ems) / whole, Units: n}
	if ems == 0 {
		// Without error the quotient of mean squares has no distribution.
		out.Interval = Interval{math.NaN(), math.NaN()}
		return out, false
	}
	f := jms / ems
	a := fn*(1+(fk-1)*out.Value) - fk*out.Value
	b := fk * out.Value * f
	v := (fk - 1) * (fn - 1) * (b + a) * (b + a) / ((fn-1)*b*b + a*a)
	tail := 0.5 + level/2
	upper, lower := fQuantile(tail, fn-1, v), fQuantile(tail, v, fn-1)
	rest := fk*jms + (fk*fn-fk-fn)*ems
	out.Interval = Interval{fn * (bms - upper*ems) / (upper*rest + fn*bms), fn * (lower*bms - ems) / (rest + fn*lower*bms)}
	return out, true
}

// Consistency is how far items measure one thing.
type Consistency struct {
	Alpha float64 `json:"alpha"` // Cronbach's
	Interval
	N int `json:"n"` // responses with a value in every item
	// ItemRest is the correlation of each item with the sum of the others, and
	// Dropped the alpha without it; NaN where it is not defined (an item
	// without variance).
	ItemRest []float64 `json:"-"`
	Dropped  []float64 `json:"-"`
}

// CronbachAlpha tells how far the items of complete rows agree (Cronbach 1951)
// with Feldt's interval (1965):
//
//	alpha = K/(K-1) · (1 - Σ s²_i / s²_T)
//	1 - (1-alpha)·F(0.975; n-1, (n-1)(K-1)),  1 - (1-alpha)·F(0.025; ...)
//
// Rows are responses, columns items; rows with a NaN are left out (R's psych
// takes covariances by pairs instead). It says little about the worth of a
// list of things to check that need not go together. ok is false below two
// items, three complete rows, or when no sum differs.
func CronbachAlpha(rows [][]float64, level float64) (out Consistency, ok bool) {
	var full [][]float64
	for _, row := range rows {
		if len(rows[0]) == len(row) && !hasNaN(row) {
			full = append(full, row)
		}
	}
	out.N = len(full)
	if out.N < 3 || len(full[0]) < 2 {
		return out, false
	}
	k := len(full[0])
	sums, columns := make([]float64, out.N), make([][]float64, k)
	for j := range columns {
		columns[j] = make([]float64, out.N)
		for i, row := range full {
			columns[j][i] = row[j]
			sums[i] += row[j]
		}
	}
	variances, of := make([]float64, k), 0.0
	for j := range columns {
		_, variances[j] = moments(columns[j])
		of += variances[j]
	}
	_, total := moments(sums)
	if total == 0 {
		return out, false
	}
	alpha := func(k int, items, total float64) float64 {
		return float64(k) / float64(k-1) * (1 - items/total)
	}
	out.Alpha = alpha(k, of, total)
	df1, df2 := float64(out.N-1), float64(out.N-1)*float64(k-1)
	out.Interval = Interval{1 - (1-out.Alpha)*fQuantile(0.5+level/2, df1, df2), 1 - (1-out.Alpha)*fQuantile(0.5-level/2, df1, df2)}
	rest := make([]float64, out.N)
	for j := range columns {
		for i := range rest {
			rest[i] = sums[i] - columns[j][i]
		}
		_, left := moments(rest)
		out.ItemRest = append(out.ItemRest, Correlation(columns[j], rest))
		dropped := math.NaN()
		if k > 2 && left > 0 {
			dropped = alpha(k-1, of-variances[j], left)
		}
		out.Dropped = append(out.Dropped, dropped)
	}
	return out, true
}

func hasNaN(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) {
			return true
		}
	}
	return false
}

// Correlation is Pearson's product-moment correlation; NaN when either side has
// no variance.
func Correlation(x, y []float64) float64 {
	mx, vx := moments(x)
	my, vy := moments(y)
	sum := 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	if vx == 0 || vy == 0 {
		return math.NaN()
	}
	return sum / float64(len(x)-1) / math.Sqrt(vx*vy)
}
