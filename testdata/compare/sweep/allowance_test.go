package sweep_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

func TestAllowance(t *testing.T) {
	// On the first a quarter of the time takes 4 instead of 1; the second is
	// always 1, which nobody can have for less.
	var demands []plant.Demand
	for _, values := range [][]float64{{1, 1, 1, 4}, {1, 1, 1, 1}} {
		d, err := plant.NewDemand("steps", 5*time.Second, values)
		if err != nil {
			t.Fatal(err)
		}
		demands = append(demands, d)
	}
	a := sweep.NewAllowance(demands, plant.Options{WarmUp: -1})
	all := []int{0, 1}
	first := 4.0 / 7 // of the need
	for _, c := range []struct {
		limit, mean, each float64
	}{
		{0, 1, 1},
		// All of it goes to the first.
		{0.125, math.Sqrt(first), math.Sqrt(1 - (1-first)/2)},
		{0.25, math.Sqrt(first), math.Sqrt(first)},
	} {
		if got := a.Mean(all, sweep.Time, c.limit); math.Abs(got-c.mean) > 1e-6 {
			t.Errorf("mean shortage of %v costs %v, want %v", c.limit, got, c.mean)
		}
		if got := a.Each(all, sweep.Time, c.limit); math.Abs(got-c.each) > 1e-6 {
			t.Errorf("shortage of %v on each costs %v, want %v", c.limit, got, c.each)
		}
	}
	if got, _ := a.On(0, sweep.Time).At(0.25); math.Abs(got-first) > 1e-9 {
		t.Errorf("a quarter of the time under capacity on the first costs %v, want %v", got, first)
	}
	// 3 of 7 units are lost with one replica, 2 with two, at a cost of 2 more.
	if got, _ := a.On(0, sweep.Demand).At(3.0 / 7); math.Abs(got-first) > 1e-9 {
		t.Errorf("3 of 7 units lost cost %v, want %v", got, first)
	}
}
