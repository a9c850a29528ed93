package plant_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

func about(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want)+1e-12 {
		t.Errorf("%s: %v, want about %v", what, got, want)
	}
}

func TestDispersionTellsArrivalsFromBurstsAndDrift(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	series := func(value func(i int) float64) plant.Trace {
		trace := plant.Trace{Name: "drawn", Interval: time.Minute, Values: make([]float64, 100_000)}
		for i := range trace.Values {
			trace.Values[i] = value(i)
		}
		return trace
	}
	independent := series(func(int) float64 { return 10 + draw.NormFloat64() }).Dispersion()
	about(t, "independent samples", independent.One, 0.01, 0.05)
	about(t, "means of two of them", independent.Two, 0.005, 0.05)
	about(t, "means of four of them", independent.Four, 0.0025, 0.05)
	about(t, "their arrivals", independent.Arrivals(), 0.01, 0.05)
	// Four times as many samples of 15 s would have four times the variance;
	// half of that is left of it by a service time of 15 s.
	about(t, "demand within them", independent.Within(), 0.02, 0.05)

	line := series(func(i int) float64 { return float64(i) }).Dispersion()
	about(t, "a straight line over means of two", line.Two/line.One, 4, 1e-6)
	about(t, "its arrivals", line.Arrivals(), 0, 0)
	about(t, "what is left of its steps at a quarter", line.Bursts(), line.One/16, 1e-6)

	if flat := series(func(int) float64 { return 3 }).Dispersion(); flat.Within() != 0 {
		t.Errorf("within constant demand: %v", flat.Within())
	}
}

func TestRefinedKeepsTheMeanOfEverySample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := plant.Trace{
			Name:     "drawn",
			Interval: time.Duration(rapid.IntRange(6, 300).Draw(t, "interval")) * time.Second,
			Values:   rapid.SliceOfN(rapid.Float64Range(0, 100), 2, 30).Draw(t, "values"),
		}
		trace.Values[0] = 1 // some demand
		interval := trace.Interval
		if interval >= plant.SlowInterval {
			interval = plant.ReplayInterval
		}
		refined := trace.Refined(rapid.Uint64().Draw(t, "seed"))
		if refined.Interval != plant.DefaultStep || len(refined.Values) != int(time.Duration(len(trace.Values))*interval/plant.DefaultStep) {
			t.Fatalf("%d values every %s", len(refined.Values), refined.Interval)
		}
		sums, counts := make([]float64, len(trace.Values)), make([]float64, len(trace.Values))
		for i, v := range refined.Values {
			sample := int(time.Duration(i) * plant.DefaultStep / interval)
			sums[sample] += v
			counts[sample]++
		}
		for i, n := range counts {
			if n > 0 && math.Abs(sums[i]/n-trace.Values[i]) > 1e-9*(1+trace.Values[i]) {
				t.Fatalf("sample %d has a mean of %v, %v was recorded", i, sums[i]/n, trace.Values[i])
			}
		}
	})
}

// Between the samples of a ramp a straight line rises, and what is refined
// does not.
func TestRefinedDoesNotTellTheNextSample(t *testing.T) {
	ramp := plant.Trace{Name: "ramp", Interval: time.Minute, Values: make([]float64, 5000)}
	draw := rand.New(rand.NewPCG(3, 4))
	for i := range ramp.Values {
		ramp.Values[i] = (100 + float64(i)) * (1 + 0.05*draw.NormFloat64())
	}
	refined := ramp.Refined(1)
	rise, unrest := 0.0, 0.0
	for i := 0; i+24 <= len(refined.Values); i += 12 {
		first, last, next := refined.Values[i], refined.Values[i+11], refined.Values[i+12]
		rise += (last - first) / (next + first)
		unrest += math.Abs(last-first) / (next + first)
	}
	samples := float64(len(ramp.Values))
	if math.Abs(rise)/samples > 0.005 {
		t.Errorf("within a sample it rises by %v", rise/samples)
	}
	if unrest/samples < 0.02 {
		t.Errorf("within a sample it moves by %v alone", unrest/samples)
	}
}

func TestRefinedLeavesFineTracesAlone(t *testing.T) {
	fine := plant.Arrivals(1, time.Hour)
	if again := fine.Refined(2); &again.Values[0] != &fine.Values[0] {
		t.Error("a trace of every 5 s was changed")
	}
}
