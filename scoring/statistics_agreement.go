package scoring

// Counts is how often a unit got each category, categories in their order. Units
// may have any number of ratings; what is missing is not counted.
type Counts []int

func (c Counts) ratings() (m int) {
	for _, n := range c {
		m += n
	}
	return m
}

// Metric is how far two categories are apart for Krippendorff's alpha.
type Metric string

const (
	Nominal    Metric = "nominal"  // equal or not
	Ordinal    Metric = "ordinal"  // by the ratings that lie between
	IntervalOf Metric = "interval" // by the square of the values' difference
)

// fewestPairable is the number of units with two ratings below which no
// coefficient of agreement is given: such a number would be noise.
const fewestPairable = 10

// EnoughPairs reports whether so many units rated twice are enough for a
// coefficient of agreement to be shown.
func EnoughPairs(units int) bool { return units >= fewestPairable }

// Agreement is how often ratings of one unit are the same or next to each other.
type Agreement struct {
	Units    int     `json:"units"`    // with two ratings or more
	Exact    float64 `json:"exact"`    // share of pairs
	Adjacent float64 `json:"adjacent"` // share of pairs at most one category apart, the equal ones too
}

// Agree gives exact and adjacent agreement: the share of a unit's pairs of
// ratings, every unit with the same weight. ok is false when no unit has two
// ratings.
func Agree(units []Counts) (out Agreement, ok bool) {
	for _, u := range units {
		m := u.ratings()
		if m < 2 {
			continue
		}
		same, next := 0, 0
		for k, n := range u {
			same += n * (n - 1) / 2
			if k > 0 {
				next += n * u[k-1]
			}
		}
		pairs := float64(m*(m-1)) / 2
		out.Units++
		out.Exact += float64(same) / pairs
		out.Adjacent += float64(same+next) / pairs
	}
	if out.Units == 0 {
		return out, false
	}
	out.Exact /= float64(out.Units)
	out.Adjacent /= float64(out.Units)
	return out, true
}

// KrippendorffAlpha is the coefficient of agreement for any number of ratings a
// unit (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"):
//
//	o_ck = Σ_u n_uc(n_uk - [c=k]) / (m_u - 1),  n_c = Σ_k o_ck
//	alpha = 1 - (n-1) · Σ o_ck d²_ck / Σ n_c n_k d²_ck
//
// Units with one rating do not count. values are what the categories are worth,
// for the interval metric only; nil for their index. ok is false when nothing
// can be paired or only one category was used, where the quotient is 0/0.
func KrippendorffAlpha(units []Counts, values []float64, metric Metric) (alpha float64, ok bool) {
	q := 0
	for _, u := range units {
		q = max(q, len(u))
	}
	pairs := make([][]float64, q)
	for i := range pairs {
		pairs[i] = make([]float64, q)
	}
	for _, u := range units {
		m := u.ratings()
		if m < 2 {
			continue
		}
		for c, nc := range u {
			for k, nk := range u {
				if c == k {
					nk--
				}
				pairs[c][k] += float64(nc*nk) / float64(m-1)
			}
		}
	}
	of := make([]float64, q)
	n := 0.0
	for c := range pairs {
		for k := range pairs {
			of[c] += pairs[c][k]
		}
		n += of[c]
	}
	observed, expected := 0.0, 0.0
	for c := range pairs {
		between := of[c] / 2 // ratings from the middle of c to the middle of k
		for k := c + 1; k < q; k++ {
			between += of[k] / 2
			d := 1.0
			switch metric {
			case Ordinal:
				d = between
			case IntervalOf:
				d = float64(c - k)
				if values != nil {
					d = values[c] - values[k]
				}
			}
			between += of[k] / 2
			observed += pairs[c][k] * d * d
			expected += of[c] * of[k] * d * d
		}
	}
	if expected == 0 {
		return 0, false
	}
	return 1 - (n-1)*observed/expected, true
}

// GwetAC is Gwet's coefficient of agreement, which does not collapse when nearly
// all ratings fall into one category (Gwet 2008; Handbook of Inter-Rater
// Reliability, 4th ed. 2014, chapters 4 and 5): AC1 for unordered categories, AC2
// with quadratic weights 1-(k-l)²/(q-1)² for ordered ones.
//
//	p_a = 1/n' Σ_{u: m_u>=2} Σ_k n_uk (Σ_l w_kl n_ul - 1) / (m_u(m_u-1))
//	p_e = Σ_kl w_kl / (q(q-1)) · Σ_k π_k(1-π_k),  π_k = 1/n Σ_u n_uk/m_u
//	AC  = (p_a - p_e) / (1 - p_e)
//
// Units with one rating count in π_k alone. q is the number of categories of
// the scale, used or not. ok is false below two categories or when no unit has
// two ratings.
func GwetAC(units []Counts, q int, ordered bool) (ac float64, ok bool) {
	for _, u := range units {
		q = max(q, len(u))
	}
	if q < 2 {
		return 0, false
	}
	weight := func(k, l int) float64 {
		switch {
		case k == l:
			return 1
		case !ordered:
			return 0
		}
		d := float64(k-l) / float64(q-1)
		return 1 - d*d
	}
	share := make([]float64, q)
	rated, paired, agreed := 0, 0, 0.0
	for _, u := range units {
		m := u.ratings()
		if m == 0 {
			continue
		}
		rated++
		for k, n := range u {
			share[k] += float64(n) / float64(m)
		}
		if m < 2 {
			continue
		}
		paired++
		of := 0.0
		for k, n := range u {
			near := 0.0
			for l, other := range u {
				near += weight(k, l) * float64(other)
			}
			of += float64(n) * (near - 1)
		}
		agreed += of / float64(m*(m-1))
	}
	if paired == 0 {
		return 0, false
	}
	weights, spread := 0.0, 0.0
	for k := range q {
		for l := range q {
			weights += weight(k, l)
		}
		p := share[k] / float64(rated)
		spread += p * (1 - p)
	}
	pa := agreed / float64(paired)
	pe := weights / float64(q*(q-1)) * spread
	if pe >= 1 {
		return 0, false
	}
	return (pa - pe) / (1 - pe), true
}

// WeightedKappa is Cohen's kappa of two raters with quadratic weights (Cohen
// 1968): 1 - Σ w_ij p_ij / Σ w_ij p_i. p_.j with w = (i-j)²/(q-1)². crossed
// counts units by the first rater's category and the second's. It tells two
// distinct raters apart, such as an observer and a reference, unlike alpha and AC.
// ok is false when nothing was rated or chance alone could not disagree.
func WeightedKappa(crossed [][]int) (kappa float64, ok bool) {
	q := len(crossed)
	rows, columns := make([]float64, q), make([]float64, q)
	n := 0.0
	for i := range crossed {
		for j, c := range crossed[i] {
			rows[i] += float64(c)
			columns[j] += float64(c)
			n += float64(c)
		}
	}
	observed, expected := 0.0, 0.0
	for i := range crossed {
		for j, c := range crossed[i] {
			w := float64((i - j) * (i - j))
			observed += w * float64(c)
			expected += w * rows[i] * columns[j]
		}
	}
	if n == 0 || expected == 0 {
		return 0, false
	}
	return 1 - n*observed/expected, true
}
