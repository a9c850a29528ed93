package plant_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

const step = 5 * time.Second

// world is a drawn demand with drawn rules.
type world struct {
	values  []float64
	counts  []int
	options plant.Options
	// in steps
	interval, delay, warmUp int
}

func drawWorld(t *rapid.T) world {
	w := world{
		values:   rapid.SliceOfN(rapid.Float64Range(0, 12), 1, 60).Draw(t, "demand"),
		counts:   rapid.SliceOfN(rapid.IntRange(1, 14), 60, 60).Draw(t, "counts"),
		interval: rapid.IntRange(1, 4).Draw(t, "interval"),
		delay:    rapid.IntRange(0, 13).Draw(t, "delay"),
		warmUp:   rapid.IntRange(0, 20).Draw(t, "warm-up"),
	}
	w.options = plant.Options{
		Interval: time.Duration(w.interval) * step,
		Delay:    time.Duration(w.delay) * step,
		Start:    rapid.IntRange(1, 14).Draw(t, "start"),
		WarmUp:   time.Duration(w.warmUp) * step,
		Saturate: rapid.Bool().Draw(t, "saturate"),
	}
	if w.warmUp == 0 {
		w.options.WarmUp = -1
	}
	return w
}

// requested is the count of every step.
func (w *world) requested() []int {
	out := make([]int, len(w.values))
	for i := range out {
		out[i] = w.counts[i/w.interval]
	}
	return out
}

// ready is the lowest count requested within the last delay, the beginning
// having been as it is for ever.
func (w *world) ready(requested []int) []int {
	out := make([]int, len(requested))
	for i := range out {
		out[i] = slices.Min(requested[max(0, i-w.delay) : i+1])
		if i < w.delay {
			out[i] = min(out[i], w.options.Start)
		}
	}
	return out
}

func (w *world) measured() plant.Result {
	requested := w.requested()
	ready := w.ready(requested)
	at := func(values []int, i int) float64 {
		if i < 0 {
			return float64(w.options.Start)
		}
		return float64(values[i])
	}
	var r plant.Result
	var n, sumRequested, sumNeed, sumDemand float64
	for i := min(w.warmUp, len(w.values)); i < len(w.values); i++ {
		d, s := plant.Need(w.values[i]), at(ready, i)
		n++
		sumRequested += at(requested, i)
		sumNeed += d
		sumDemand += w.values[i]
		if w.values[i] > s {
			r.Under++
		}
		if s > d {
			r.TauO++
		}
		if at(requested, i) != at(requested, i-1) {
			r.ActionsPerHour++
		}
		if sign(s-at(ready, i-1)) != sign(d-plant.Need(w.values[max(0, i-1)])) {
			r.Instability++
		}
		r.Lost += max(0, w.values[i]-s)
		r.ThetaU += max(0, d-s) / d
		r.ThetaO += max(0, s-d) / d
	}
	if n == 0 {
		return r
	}
	r.Counted = time.Duration(n) * step
	r.ReplicaHours, r.NeedHours = sumRequested*step.Hours(), sumNeed*step.Hours()
	r.Cost = sumRequested / sumNeed
	r.MissingHours = r.Lost * step.Hours()
	if sumDemand > 0 {
		r.Lost /= sumDemand
	}
	for _, share := range []*float64{&r.Under, &r.TauO, &r.Instability, &r.ThetaU, &r.ThetaO} {
		*share /= n
	}
	r.ActionsPerHour /= r.Counted.Hours()
	return r
}

func sign(x float64) float64 {
	if x == 0 {
		return 0
	}
	return math.Copysign(1, x)
}

func TestRunIsWhatItsDefinitionsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		var requested, ready []int
		o := w.options
		o.Observe = func(_, a, b int) { requested, ready = append(requested, a), append(ready, b) }
		got := plant.Run(drawn(t, w.values), &scripted{counts: w.counts}, o)
		if diff := cmp.Diff(w.requested(), requested); diff != "" {
			t.Fatalf("requested differs (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(w.ready(requested), ready); diff != "" {
			t.Fatalf("ready differs (-want +got):\n%s", diff)
		}
		got.FirstHour = plant.Part{}
		if diff := cmp.Diff(w.measured(), got, near); diff != "" {
			t.Fatalf("result differs (-want +got):\n%s", diff)
		}
	})
}

func drawn(t *rapid.T, values []float64) plant.Demand {
	d, err := plant.NewDemand("drawn", step, values)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNobodyWhoIsNeverUnderCapacityIsCheaperThanTheOptimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		d := drawn(t, w.values)
		o := w.options
		o.Interval = 0
		best := plant.Optimum(d, o)
		if best.Under != 0 {
			t.Fatalf("the optimum is under capacity for %v of the time", best.Under)
		}
		// A controller that always has enough: what was drawn, at least the
		// most that is needed until after the next control and a delay.
		c := &scripted{}
		for i := 0; i < len(w.values); i += w.interval {
			enough := w.counts[len(c.counts)]
			for _, v := range w.values[i:min(i+w.interval+w.delay, len(w.values))] {
				enough = max(enough, int(plant.Need(v)))
			}
			c.counts = append(c.counts, enough)
		}
		o = w.options
		o.Start = 14
		if got := plant.Run(d, c, o); got.Under > 0 || got.ReplicaHours < best.ReplicaHours-1e-9 {
			t.Fatalf("%+v against an optimum of %+v", got, best)
		}
	})
}

// The optimum against every schedule there is.
func TestOptimumIsTheCheapestOfAllSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 3
		values := rapid.SliceOfN(rapid.Float64Range(0, most), 1, 5).Draw(t, "demand")
		o := plant.Options{
			Interval: time.Duration(rapid.IntRange(1, 2).Draw(t, "interval")) * step,
			Delay:    time.Duration(rapid.IntRange(0, 3).Draw(t, "delay")) * step,
			WarmUp:   -1,
		}
		d := drawn(t, values)
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
			o.Start = counts[0]
			if r := plant.Run(d, &scripted{counts: counts[1:]}, o); r.Under == 0 {
				cheapest = min(cheapest, r.Cost)
			}
		}
		try(0)
		o.Start = 0
		if got := plant.Optimum(d, o); got.Under != 0 || math.Abs(got.Cost-cheapest) > 1e-9 {
			t.Fatalf("optimum %+v, the cheapest schedule costs %v", got, cheapest)
		}
	})
}
