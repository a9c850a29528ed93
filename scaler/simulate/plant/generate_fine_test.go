package plant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

const day = 24 * time.Hour

func TestFineTracesAreTheSameFromTheSameSeed(t *testing.T) {
	again, others := plant.GeneratedFine(7), plant.GeneratedFine(8)
	names := map[string]bool{}
	for i, trace := range plant.GeneratedFine(7) {
		if err := trace.Validate(); err != nil {
			t.Error(err)
		}
		if trace.Interval != plant.DefaultStep || names[trace.Name] {
			t.Errorf("%s every %s", trace.Name, trace.Interval)
		}
		names[trace.Name] = true
		if !slices.Equal(trace.Values, again[i].Values) {
			t.Errorf("%s differs from itself", trace.Name)
		}
		if slices.Equal(trace.Values, others[i].Values) {
			t.Errorf("%s does not depend on its seed", trace.Name)
		}
	}
}

// hours are the means of all whole hours.
func hours(t plant.Trace) []float64 { return means(t, time.Hour) }

func means(t plant.Trace, of time.Duration) []float64 {
	var out []float64
	n := int(of / t.Interval)
	for i := 0; i+n <= len(t.Values); i += n {
		out = append(out, plant.Trace{Values: t.Values[i : i+n]}.Mean())
	}
	return out
}

func TestFineTracesAreWhatTheySay(t *testing.T) {
	// As independent requests of a service time of 15 s, 70 of them in work:
	// the variance of neighbours is 1 − e^(−1/3) of their reciprocal, and the
	// level moves a little beside.
	if d := plant.Arrivals(1, 2*day).Dispersion(); d.One < 0.28/70 || d.One > 0.45/70 {
		t.Errorf("arrivals: neighbours differ by %v", d.One)
	}

	bursts := plant.Bursts(1, 2*day)
	of := func(length time.Duration) plant.Dispersion {
		return plant.Trace{Name: "means", Interval: length, Values: means(bursts, length)}.Dispersion()
	}
	for length, want := range map[time.Duration]float64{15 * time.Second: 0.3, 30 * time.Second: 0.6, time.Minute: 0.7} {
		about(t, "bursts: means of "+length.String(), of(length).One, want, 0.2)
	}
	sorted := slices.Sorted(slices.Values(bursts.Values))
	if median, most := sorted[len(sorted)/2], sorted[len(sorted)-1]; most < 6*median {
		t.Errorf("bursts: at most %v, median %v", most, median)
	}

	regimes := hours(plant.Regimes(1, 3*day))
	if low, high := slices.Min(regimes), slices.Max(regimes); high < 2*low {
		t.Errorf("regimes: between %v and %v", low, high)
	}

	// Noon comes earlier every day, and not by as much each time.
	season := hours(plant.DriftingSeason(1, 6*day))
	peaks := map[int]bool{}
	for d := range 5 {
		today := season[24*d+4 : 24*d+22]
		high := slices.Max(today)
		if high < 3*slices.Min(season) {
			t.Errorf("drifting season: day %d is at most %v", d, high)
		}
		peaks[slices.Index(today, high)] = true
	}
	if len(peaks) < 3 {
		t.Errorf("drifting season: the peaks are at %v", peaks)
	}

	out := 0
	for _, v := range means(plant.Outages(1, 4*day), time.Minute) {
		if v < 0.08 {
			out++
		}
	}
	if out < 20 || out > 12*60 {
		t.Errorf("outages: %d minutes in four days", out)
	}

	days := means(plant.MissingDays(1, 6*day), day)
	if days[3] > 0.2*days[0] {
		t.Errorf("missing days: the days have %v", days)
	}
}
