package alertscaler_test

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/alertscaler"
)

func TestRatioKeepsItsShareFree(t *testing.T) {
	values := make([]float64, 4*720)
	for i := range values {
		values[i] = 7
		if i >= 720 {
			values[i] = 14
		}
		if i >= 2*720 {
			values[i] = 3.5
		}
	}
	d, err := plant.NewDemand("steps", 5*time.Second, values)
	if err != nil {
		t.Fatal(err)
	}
	var requested []int
	plant.Run(d, alertscaler.NewRatio(0.3), plant.Options{
		Delay:   time.Minute,
		Observe: func(_, r, _ int) { requested = append(requested, r) },
	})
	for _, c := range []struct {
		at   time.Duration
		want int
		why  string
	}{
		{59 * time.Minute, 10, "7 used and 3 free"},
		{time.Hour + 45*time.Second, 20, "up without delay"},
		{2*time.Hour + 4*time.Minute, 20, "down not before its window has passed"},
		{4*time.Hour - 5*time.Second, 5, "3.5 used and 1.5 free"},
	} {
		if got := requested[int(c.at/(5*time.Second))]; got != c.want {
			t.Errorf("at %s: %d replicas, want %d: %s", c.at, got, c.want, c.why)
		}
	}
}
