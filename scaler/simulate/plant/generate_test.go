package plant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

func TestGeneratedTracesAreTheSameFromTheSameSeed(t *testing.T) {
	again, others := plant.Generated(7), plant.Generated(8)
	for i, trace := range plant.Generated(7) {
		if err := trace.Validate(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(trace, again[i]); diff != "" {
			t.Errorf("%s differs from itself:\n%s", trace.Name, diff)
		}
		if cmp.Equal(trace.Values, others[i].Values) {
			t.Errorf("%s does not depend on its seed", trace.Name)
		}
	}
}

// at is the mean of the hour that begins there.
func at(t plant.Trace, hour float64) float64 {
	i := int(hour * 60)
	return plant.Trace{Values: t.Values[i : i+60]}.Mean()
}

func TestGeneratedTracesAreWhatTheySay(t *testing.T) {
	const day = 24 * time.Hour
	daily := plant.Daily(1, 7*day)
	if night, noon := at(daily, 24), at(daily, 36); noon < 3*night {
		t.Errorf("daily: %v at noon, %v at night", noon, night)
	}
	if friday, saturday := at(daily, 4*24+12), at(daily, 5*24+12); saturday > 0.7*friday {
		t.Errorf("daily: %v on a work day, %v on a weekend", friday, saturday)
	}

	ramp := plant.Ramp(1, day)
	for hour, want := range map[float64]float64{0: 1.56, 3.5: 5.5, 9: 10, 15.5: 5.5, 22: 1} {
		if got := at(ramp, hour); got < 0.9*want || got > 1.1*want {
			t.Errorf("ramp: %v after %v hours, want about %v", got, hour, want)
		}
	}

	crowd := plant.FlashCrowd(1, 3*day)
	sorted := slices.Sorted(slices.Values(crowd.Values))
	if median, most := sorted[len(sorted)/2], sorted[len(sorted)-1]; most < 3*median {
		t.Errorf("flash crowd: at most %v, median %v", most, median)
	}

	jumps := func(t plant.Trace, factor float64) (n int) {
		for i := 1; i < len(t.Values); i++ {
			if t.Values[i] > factor*t.Values[i-1] {
				n++
			}
		}
		return n
	}
	if n := jumps(plant.BatchBursts(1, 2*day), 1.5); n < 50 {
		t.Errorf("batch bursts: %d sudden jobs in two days", n)
	}
	if n := jumps(daily, 1.5); n != 0 {
		t.Errorf("daily: %d jumps", n)
	}
	if n := jumps(plant.Outage(1, 4*day), 20); n < 2 || n > 20 {
		t.Errorf("outage: demand comes back %d times in four days", n)
	}

	regimes := plant.RegimeChange(1, 4*day)
	hours := make([]float64, 0, 96)
	for h := range 96 {
		hours = append(hours, at(regimes, float64(h)))
	}
	if low, high := slices.Min(hours), slices.Max(hours); high < 2*low {
		t.Errorf("regime change: between %v and %v", low, high)
	}
}
