package scoring

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// rCases are cases that R answered (fixtures/oracle/statistics.R). A list of one
// is written by R as the one.
type rCases struct {
	Wilson []struct {
		Hits, N float64
		CI      [2]float64
	}
	Mean []struct {
		X        []float64
		Mean, SE float64
		CI       [2]float64
	}
	Clustered []struct {
		Y, W     []float64
		Cluster  []int
		Mean, SE float64
		CI       [2]float64
	}
	Strata []struct {
		Population, N []int
		Mean, SD      []float64
		Finite        bool
		Value, SE, DF float64
	}
	Pairs []struct {
		Counts                                                [][]int
		Q                                                     int
		Exact, Adjacent, Nominal, Ordinal, Interval, AC1, AC2 float64
	}
	Kappa []struct {
		Crossed [][]int
		Kappa   float64
	}
	ICC1 []struct {
		Units [][]float64
		Value float64
		CI    *[2]float64
	}
	ICC21 []struct {
		Rows  [][]float64
		Value float64
		CI    [2]float64
	}
	Alpha []struct {
		Rows          [][]float64
		Alpha         float64
		CI            [2]float64
		Rest, Dropped []float64
	}
	Severity []struct {
		Residuals       [][]float64
		Between, Within float64
		Raw, Shrunk, SE []float64
	}
	Drift []struct {
		X, Y      []float64
		Slope, SE float64
		CI        [2]float64
	}
	Change []struct {
		Before, After []float64
		Paired        bool
		Value, DF, P  float64
		CI            [2]float64
	}
	Holm []struct{ P, Adjusted []float64 }
}

// near holds a number to R's, to 1e-9 of its size.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s is %.15g, R says %.15g", what, got, want)
	}
}

func nearInterval(t *testing.T, what string, got Interval, want [2]float64) {
	t.Helper()
	near(t, what+", low", got.Low, want[0])
	near(t, what+", high", got.High, want[1])
}

func nearAll(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, R has %d", what, len(got), len(want))
	}
	for i := range got {
		near(t, what, got[i], want[i])
	}
}

func counted(rows [][]int) []Counts {
	out := make([]Counts, len(rows))
	for i := range rows {
		out[i] = rows[i]
	}
	return out
}

func TestStatisticsAgreeWithR(t *testing.T) {
	b, err := os.ReadFile("../fixtures/oracle/statistics.json")
	if err != nil {
		t.Fatal(err)
	}
	var r rCases
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	must := func(what string, ok bool) {
		t.Helper()
		if !ok {
			t.Errorf("%s: nothing where R has an answer", what)
		}
	}
	for _, c := range r.Wilson {
		got, ok := Wilson(c.Hits, c.N, Level)
		must("Wilson", ok)
		nearInterval(t, "Wilson", got, c.CI)
	}
	for _, c := range r.Mean {
		got, ok := Mean(c.X, Level)
		must("mean", ok)
		near(t, "mean", got.Value, c.Mean)
		near(t, "standard error", got.SE, c.SE)
		nearInterval(t, "mean", got.Interval, c.CI)
	}
	for _, c := range r.Clustered {
		got, ok := ClusteredMean(c.Y, c.W, c.Cluster, Level)
		must("clustered mean", ok)
		near(t, "clustered mean", got.Value, c.Mean)
		near(t, "clustered error", got.SE, c.SE)
		nearInterval(t, "clustered mean", got.Interval, c.CI)
	}
	for _, c := range r.Strata {
		var strata []Stratum
		for i := range c.N {
			strata = append(strata, Stratum{c.Population[i], c.N[i], c.Mean[i], c.SD[i]})
		}
		got, ok := PostStratify(strata, c.Finite, Level)
		must("strata", ok)
		near(t, "post-stratified mean", got.Value, c.Value)
		near(t, "post-stratified error", got.SE, c.SE)
		near(t, "Satterthwaite", got.DF, c.DF)
	}
	for _, c := range r.Pairs {
		units := counted(c.Counts)
		agreed, ok := Agree(units)
		must("agreement", ok)
		near(t, "exact", agreed.Exact, c.Exact)
		near(t, "adjacent", agreed.Adjacent, c.Adjacent)
		for metric, want := range map[Metric]float64{Nominal: c.Nominal, Ordinal: c.Ordinal, IntervalOf: c.Interval} {
			got, ok := KrippendorffAlpha(units, nil, metric)
			must("alpha", ok)
			near(t, "alpha, "+string(metric), got, want)
		}
		ac1, ok1 := GwetAC(units, c.Q, false)
		ac2, ok2 := GwetAC(units, c.Q, true)
		must("AC", ok1 && ok2)
		near(t, "AC1", ac1, c.AC1)
		near(t, "AC2", ac2, c.AC2)
	}
	for _, c := range r.Kappa {
		got, ok := WeightedKappa(c.Crossed)
		must("kappa", ok)
		near(t, "kappa", got, c.Kappa)
	}
	for _, c := range r.ICC1 {
		got, ok := ICC1(c.Units, Level)
		must("ICC(1)", ok)
		near(t, "ICC(1)", got.Value, c.Value)
		if c.CI != nil {
			nearInterval(t, "ICC(1)", got.Interval, *c.CI)
		}
	}
	for _, c := range r.ICC21 {
		got, ok := ICC21(c.Rows, Level)
		must("ICC(2,1)", ok)
		near(t, "ICC(2,1)", got.Value, c.Value)
		nearInterval(t, "ICC(2,1)", got.Interval, c.CI)
	}
	for _, c := range r.Alpha {
		got, ok := CronbachAlpha(c.Rows, Level)
		must("Cronbach", ok)
		near(t, "Cronbach", got.Alpha, c.Alpha)
		nearInterval(t, "Feldt", got.Interval, c.CI)
		nearAll(t, "item and rest", got.ItemRest, c.Rest)
		nearAll(t, "alpha without", got.Dropped, c.Dropped)
	}
	for _, c := range r.Severity {
		got, ok := SeverityOf(c.Residuals)
		must("severity", ok)
		near(t, "between observers", got.Between, c.Between)
		near(t, "within observers", got.Within, c.Within)
		for i, s := range got.Observers {
			near(t, "raw severity", s.Raw, c.Raw[i])
			near(t, "severity", s.Shrunk, c.Shrunk[i])
			near(t, "error of severity", s.SE, c.SE[i])
		}
	}
	for _, c := range r.Drift {
		got, ok := DriftOf(c.X, c.Y, Level)
		must("drift", ok)
		near(t, "drift", got.Slope.Value, c.Slope)
		near(t, "error of drift", got.Slope.SE, c.SE)
		nearInterval(t, "drift", got.Slope.Interval, c.CI)
	}
	for _, c := range r.Change {
		compare := WelchChange
		if c.Paired {
			compare = PairedChange
		}
		got, ok := compare(c.Before, c.After, Level)
		must("change", ok)
		near(t, "change", got.Value, c.Value)
		near(t, "degrees of freedom", got.DF, c.DF)
		near(t, "probability", got.P, c.P)
		nearInterval(t, "change", got.Interval, c.CI)
	}
	for _, c := range r.Holm {
		nearAll(t, "Holm", Holm(c.P), c.Adjusted)
	}
	if len(r.Wilson) == 0 || len(r.Pairs) == 0 || len(r.ICC21) == 0 || len(r.Holm) == 0 {
		t.Error("the file has lost cases")
	}
}

// Figures as they stand in print, to the decimals given there.
func TestStatisticsAgreeWithPublishedExamples(t *testing.T) {
	printed := func(what string, got, want float64, decimals int) {
		t.Helper()
		if math.Abs(got-want) > 0.5*math.Pow10(-decimals)+1e-12 {
			t.Errorf("%s is %.6f, in print %v", what, got, want)
		}
	}
	// Krippendorff 2011, four observers and twelve units; AC1 of the same data in
	// Gwet's handbook.
	units := []Counts{{3, 0, 0, 0, 0}, {0, 3, 1, 0, 0}, {0, 0, 4, 0, 0}, {0, 0, 4, 0, 0}, {0, 4, 0, 0, 0}, {1, 1, 1, 1, 0},
		{0, 0, 0, 4, 0}, {3, 1, 0, 0, 0}, {0, 4, 0, 0, 0}, {0, 0, 0, 0, 3}, {2, 0, 0, 0, 0}, {0, 0, 1, 0, 0}}
	for metric, want := range map[Metric]float64{Nominal: .743, Ordinal: .815, IntervalOf: .849} {
		alpha, _ := KrippendorffAlpha(units, nil, metric)
		printed("alpha, "+string(metric), alpha, want, 3)
	}
	ac, _ := GwetAC(units, 5, false)
	printed("AC1", ac, .77544, 5)
	// Newcombe 1998, table I, method 3.
	for _, c := range []struct{ hits, n, low, high float64 }{{81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}} {
		i, _ := Wilson(c.hits, c.n, Level)
		printed("low", i.Low, c.low, 4)
		printed("high", i.High, c.high, 4)
	}
	// Shrout and Fleiss 1979, table 4.
	judged := [][]float64{{9, 2, 5, 8}, {6, 1, 3, 2}, {8, 4, 6, 8}, {7, 1, 2, 6}, {10, 5, 6, 9}, {6, 2, 4, 7}}
	one, _ := ICC1(judged, Level)
	two, _ := ICC21(judged, Level)
	printed("ICC(1,1)", one.Value, .17, 2)
	printed("ICC(2,1)", two.Value, .29, 2)
}

func TestTooFewIsNoNumber(t *testing.T) {
	for what, ok := range map[string]bool{
		"share of nothing":      second(Wilson(0, 0, Level)),
		"more hits than tries":  second(Wilson(3, 2, Level)),
		"mean of one":           second(Mean([]float64{70}, Level)),
		"one cluster":           second(ClusteredMean([]float64{1, 2, 3}, nil, []int{7, 7, 7}, Level)),
		"stratum of one":        second(PostStratify([]Stratum{{10, 1, 70, 0}, {20, 5, 60, 3}}, false, Level)),
		"no unit rated twice":   second(Agree([]Counts{{1, 0}, {0, 1}})),
		"alpha, one category":   second(KrippendorffAlpha([]Counts{{2, 0}, {3, 0}}, nil, Nominal)),
		"alpha, nothing paired": second(KrippendorffAlpha([]Counts{{1, 0}, {0, 1}}, nil, Ordinal)),
		"AC, one category":      second(GwetAC([]Counts{{2}}, 1, false)),
		"kappa, one category":   second(WeightedKappa([][]int{{5, 0}, {0, 0}})),
		"ICC(1), once each":     second(ICC1([][]float64{{1}, {2}, {3}}, Level)),
		"ICC(1), no difference": second(ICC1([][]float64{{1, 1}, {1, 1}}, Level)),
		"ICC(2,1), ragged":      second(ICC21([][]float64{{1, 2}, {1}}, Level)),
		"Cronbach, two rows":    second(CronbachAlpha([][]float64{{1, 2}, {2, 3}}, Level)),
		"Cronbach, incomplete":  second(CronbachAlpha([][]float64{{1, math.NaN()}, {math.NaN(), 2}, {1, math.NaN()}}, Level)),
		"Cronbach, no rows":     second(CronbachAlpha(nil, Level)),
		"severity of one":       second(SeverityOf([][]float64{{1, 2, 3}})),
		"drift at one moment":   second(DriftOf([]float64{1, 1, 1}, []float64{1, 2, 3}, Level)),
		"change of one":         second(PairedChange([]float64{1}, []float64{2}, Level)),
	} {
		if ok {
			t.Errorf("%s: there is a number", what)
		}
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestPropertiesOfAgreement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.IntRange(2, 5).Draw(t, "categories")
		units := make([]Counts, rapid.IntRange(1, 25).Draw(t, "units"))
		crossed := make([][]int, q)
		for i := range crossed {
			crossed[i] = make([]int, q)
		}
		for i := range units {
			units[i] = make(Counts, q)
			a, b := rapid.IntRange(0, q-1).Draw(t, "first"), rapid.IntRange(0, q-1).Draw(t, "second")
			units[i][a]++
			units[i][b]++
			crossed[a][b]++
		}
		agreed, _ := Agree(units)
		if agreed.Exact > agreed.Adjacent || agreed.Exact < 0 || agreed.Adjacent > 1+1e-12 {
			t.Fatalf("agreement %+v", agreed)
		}
		for _, metric := range []Metric{Nominal, Ordinal, IntervalOf} {
			alpha, ok := KrippendorffAlpha(units, nil, metric)
			if !ok {
				continue
			}
			if alpha > 1+1e-12 || (agreed.Exact == 1) != (math.Abs(alpha-1) < 1e-12) {
				t.Fatalf("alpha %v at exact agreement %v", alpha, agreed.Exact)
			}
			// The order in which units came does not matter, nor which end is up.
			turned := make([]Counts, len(units))
			for i, u := range units {
				turned[len(units)-1-i] = slices.Clone(u)
				slices.Reverse(turned[len(units)-1-i])
			}
			again, _ := KrippendorffAlpha(turned, nil, metric)
			if math.Abs(again-alpha) > 1e-9 {
				t.Fatalf("alpha %v, turned round %v", alpha, again)
			}
		}
		if ac, ok := GwetAC(units, q, true); ok && (ac > 1+1e-12 || agreed.Exact == 1 && math.Abs(ac-1) > 1e-12) {
			t.Fatalf("AC2 %v", ac)
		}
		if kappa, ok := WeightedKappa(crossed); ok && kappa > 1+1e-12 {
			t.Fatalf("kappa %v", kappa)
		}
	})
}

func TestPropertiesOfIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5000).Draw(t, "n")
		hits := rapid.IntRange(0, n).Draw(t, "hits")
		p := float64(hits) / float64(n)
		i, ok := Wilson(float64(hits), float64(n), Level)
		if !ok || i.Low < 0 || i.High > 1 || i.Low > p || i.High < p {
			t.Fatalf("Wilson of %d in %d is %+v", hits, n, i)
		}
		more, _ := Wilson(2*float64(hits), 2*float64(n), Level)
		if more.High-more.Low > i.High-i.Low+1e-12 {
			t.Fatal("twice as much told less")
		}
		groups := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64Range(-30, 30), 1, 6), 2, 8).Draw(t, "residuals")
		if s, ok := SeverityOf(groups); ok {
			for _, o := range s.Observers {
				if math.Abs(o.Shrunk) > math.Abs(o.Raw)+1e-12 || o.Shrunk*o.Raw < 0 {
					t.Fatalf("severity %+v was not pulled towards 0", o)
				}
			}
		}
	})
}

func TestLinked(t *testing.T) {
	parts, largest := Linked(6, [][2]int{{0, 1}, {1, 2}, {4, 3}})
	if parts != 3 || largest != 3 {
		t.Errorf("%d parts, the largest of %d", parts, largest)
	}
}
