package plant_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// near allows for sums in another order.
var near = cmpopts.EquateApprox(1e-9, 1e-12)

func demand(t testing.TB, values ...float64) plant.Demand {
	t.Helper()
	d, err := plant.NewDemand("by hand", 5*time.Second, values)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// scripted requests one count after the other and stays at the last one.
type scripted struct {
	counts []int
	seen   []plant.Signal
}

func (s *scripted) Desired(sig plant.Signal) int {
	s.seen = append(s.seen, sig)
	return s.counts[min(len(s.seen), len(s.counts))-1]
}

func TestMeasuresOfAScriptedRun(t *testing.T) {
	// step       0    1    2  3  4    5    6    7  8  9
	// demand     1    1  2.5  3  3    3    2    1  1  1
	// need       1    1    3  3  3    3    2    1  1  1
	// requested  1    1    1  3  3    3    4    4  4  1
	// ready      1    1    1  1  1    3    3    3  4  1
	d := demand(t, 1, 1, 2.5, 3, 3, 3, 2, 1, 1, 1)
	c := &scripted{counts: []int{1, 3, 4, 1}}
	got := plant.Run(d, c, plant.Options{Delay: 10 * time.Second, WarmUp: -1})
	want := plant.Result{
		Part:         plant.Part{Under: 3.0 / 10, Cost: 25.0 / 19},
		Counted:      50 * time.Second,
		Lost:         (1.5 + 2 + 2) / 18.5,
		ReplicaHours: 25 * 5.0 / 3600,
		NeedHours:    19 * 5.0 / 3600,
		MissingHours: (1.5 + 2 + 2) * 5.0 / 3600,
		ThetaU:       3 * (2.0 / 3) / 10,
		ThetaO:       (1.0/2 + 2 + 3) / 10,
		TauO:         3.0 / 10,
		// Up, up and down again.
		ActionsPerHour: 3 / (50.0 / 3600),
		// Demand moves in steps 2, 6 and 7, supply in 5, 8 and 9.
		Instability: 6.0 / 10,
		FirstHour:   plant.Part{Under: 3.0 / 10, Cost: 25.0 / 19},
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("result differs (-want +got):\n%s", diff)
	}
	signals := []plant.Signal{
		{Now: 0, Usage: 1, Ready: 1, Requested: 1},
		{Now: 15 * time.Second, Usage: 4.5 / 3, Ready: 1, Requested: 1},
		{Now: 30 * time.Second, Usage: 13.5 / 6, Ready: 3, Requested: 3},
		{Now: 45 * time.Second, Usage: 13.0 / 6, Ready: 4, Requested: 4},
	}
	if diff := cmp.Diff(signals, c.seen, near); diff != "" {
		t.Errorf("signals differ (-want +got):\n%s", diff)
	}
}

func TestWhatStartsIsGivenBackFirst(t *testing.T) {
	d := demand(t, 1, 1, 1, 1, 1, 1)
	var ready []int
	plant.Run(d, &scripted{counts: []int{5, 7, 4, 4, 4, 4}}, plant.Options{
		Interval: 5 * time.Second, Delay: 15 * time.Second, Start: 2,
		Observe: func(_, _, r int) { ready = append(ready, r) },
	})
	// Three of the five that were starting go, the two of step 1 among them;
	// the other two are ready as requested in step 0.
	if diff := cmp.Diff([]int{2, 2, 2, 4, 4, 4}, ready); diff != "" {
		t.Errorf("ready differs (-want +got):\n%s", diff)
	}
}

func TestSaturatedUsageIsCutOffAtReadyCapacity(t *testing.T) {
	d := demand(t, 4, 4, 4, 4)
	c := &scripted{counts: []int{3, 2, 2, 2}}
	plant.Run(d, c, plant.Options{Interval: 5 * time.Second, Window: 10 * time.Second, Start: 1, Saturate: true})
	var usage []float64
	for _, s := range c.seen {
		usage = append(usage, s.Usage)
	}
	if diff := cmp.Diff([]float64{1, 3, 2.5, 2}, usage, near); diff != "" {
		t.Errorf("usage differs (-want +got):\n%s", diff)
	}
}

func TestWarmUpIsNotCounted(t *testing.T) {
	values := make([]float64, 100)
	for i := range values {
		values[i] = 2
	}
	for _, c := range []struct {
		name   string
		warmUp time.Duration
		want   time.Duration
	}{
		{"a tenth", 0, 450 * time.Second},
		{"none", -1, 500 * time.Second},
		{"as long as said", time.Minute, 440 * time.Second},
		{"longer than the demand", time.Hour, 0},
	} {
		// The count is one for the first minute and two after it.
		r := plant.Run(demand(t, values...), plant.ControllerFunc(func(s plant.Signal) int {
			if s.Now < time.Minute {
				return 1
			}
			return 2
		}), plant.Options{WarmUp: c.warmUp})
		if r.Counted != c.want {
			t.Errorf("%s: counted %s, want %s", c.name, r.Counted, c.want)
		}
		if first := (plant.Part{Under: 12.0 / 100, Cost: 188.0 / 200}); !cmp.Equal(first, r.FirstHour, near) {
			t.Errorf("%s: the first hour is %+v, want %+v", c.name, r.FirstHour, first)
		}
		if c.warmUp == time.Minute && (r.Under != 0 || r.Cost != 1 || r.ActionsPerHour == 0) {
			t.Errorf("%s: %+v counts what came before", c.name, r)
		}
	}
}

func TestALongDemandWarmsUpForADay(t *testing.T) {
	values := make([]float64, 11*24*720)
	r := plant.Run(demand(t, values...), &scripted{counts: []int{1}}, plant.Options{})
	if want := 10 * 24 * time.Hour; r.Counted != want {
		t.Errorf("counted %s, want %s", r.Counted, want)
	}
}

func TestRequestsAreBroughtInsideTheBounds(t *testing.T) {
	d := demand(t, 1, 1, 1, 1, 1, 1)
	var requested []int
	plant.Run(d, &scripted{counts: []int{1000, -3, 4}}, plant.Options{
		Interval: 10 * time.Second, Min: 2, Max: 5,
		Observe: func(_, r, _ int) { requested = append(requested, r) },
	})
	if diff := cmp.Diff([]int{5, 5, 2, 2, 4, 4}, requested); diff != "" {
		t.Errorf("requested differs (-want +got):\n%s", diff)
	}
}

func TestAnEmptyDemandHasNoResult(t *testing.T) {
	c := &scripted{counts: []int{1}}
	if r := plant.Run(plant.Demand{}, c, plant.Options{}); r != (plant.Result{}) || len(c.seen) > 0 {
		t.Errorf("result %+v after %d signals", r, len(c.seen))
	}
	if r := plant.Optimum(plant.Demand{}, plant.Options{}); r != (plant.Result{}) {
		t.Errorf("optimum %+v", r)
	}
}

// A step costs a few nanoseconds beside the controller.
func BenchmarkRun(b *testing.B) {
	d, err := plant.Prepare(plant.Daily(1, 13*24*time.Hour), plant.Shape{})
	if err != nil {
		b.Fatal(err)
	}
	c := plant.ControllerFunc(func(s plant.Signal) int { return int(s.Usage*1.3) + 1 })
	for b.Loop() {
		plant.Run(d, c, plant.Options{Delay: time.Minute})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(d.Values)), "ns/step")
}
