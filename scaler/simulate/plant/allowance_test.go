package plant_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// dear is more than any schedule of these tests costs.
const dear = 1e6

func TestWithADearPenaltyTheOptimumIsNeverUnder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		d := drawn(t, w.values)
		o := w.options
		o.Interval = 0
		want := plant.Optimum(d, o)
		for _, p := range []plant.Penalty{{Time: dear}, {Time: dear, Demand: 1}} {
			got := plant.OptimumAt(d, o, p)
			if got.Under != 0 || got.Lost != 0 || math.Abs(got.Cost-want.Cost) > 1e-9 || got.Counted != want.Counted || math.Abs(got.ReplicaHours-want.ReplicaHours) > 1e-9 {
				t.Fatalf("with a penalty of %v: %+v, the optimum that is never under is %+v", p, got, want)
			}
		}
	})
}

// Nobody, whatever it does, pays less in total.
func TestTheOptimumAtAPriceIsTheCheapestOfAllSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 3
		values := rapid.SliceOfN(rapid.Float64Range(0, most), 1, 5).Draw(t, "demand")
		o := plant.Options{
			Interval: step,
			Delay:    time.Duration(rapid.IntRange(0, 3).Draw(t, "delay")) * step,
			WarmUp:   time.Duration(rapid.IntRange(-1, 2).Draw(t, "warm-up")) * step,
		}
		p := plant.Penalty{
			Time:   rapid.Float64Range(0, 4).Draw(t, "price of time"),
			Demand: rapid.Float64Range(0, 8).Draw(t, "price of demand"),
		}
		d := drawn(t, values)
		steps := func(r plant.Result) float64 { return r.ReplicaHours / step.Hours() }
		sum := 0.0 // of the demand that is counted
		total := func(r plant.Result) float64 {
			n := float64(r.Counted / step)
			sum = 0
			for _, v := range values[len(values)-int(n):] {
				sum += v
			}
			return steps(r) + p.Time*r.Under*n + p.Demand*r.Lost*sum
		}
		cheapest := math.Inf(1)
		counts := make([]int, 1+len(values))
		var try func(i int)
		try = func(i int) {
			if i < len(counts) {
				for counts[i] = 1; counts[i] <= most; counts[i]++ {
					try(i + 1)
				}
				return
			}
			o := o
			o.Start = counts[0]
			cheapest = min(cheapest, total(plant.Run(d, &scripted{counts: counts[1:]}, o)))
		}
		try(0)
		if got := plant.OptimumAt(d, o, p); math.Abs(total(got)-cheapest) > 1e-9 {
			t.Fatalf("optimum %+v costs %v in total, the cheapest schedule %v", got, total(got), cheapest)
		}
	})
}

func TestMoreAllowanceIsNeverDearer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		d := drawn(t, w.values)
		low := rapid.Float64Range(0, 20).Draw(t, "low")
		high := low + rapid.Float64Range(0, 20).Draw(t, "more")
		for _, of := range []func(float64) plant.Penalty{
			func(p float64) plant.Penalty { return plant.Penalty{Time: p} },
			func(p float64) plant.Penalty { return plant.Penalty{Demand: p} },
		} {
			cheap, dear := plant.OptimumAt(d, w.options, of(low)), plant.OptimumAt(d, w.options, of(high))
			if cheap.Cost > dear.Cost+1e-9 {
				t.Fatalf("at %v it costs %v, at %v only %v", low, cheap.Cost, high, dear.Cost)
			}
		}
	})
}
