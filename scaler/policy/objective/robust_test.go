package objective_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// cutOff plays a demand of which nobody sees more than what is ready, as a mean
// over two ticks, and returns which share of it was lost.
func cutOff(t *testing.T, g objective.Goal, n int, demand func(i int) float64) (lost, cost float64) {
	t.Helper()
	l := objective.New(g, tick)
	ready, served := 10.0, 0.0
	wanted := []float64{10}
	total, needed := 0.0, 0.0
	for i := range n {
		d := demand(i)
		now := min(d, ready)
		usage := (now + served) / 2
		served = now
		if i > n/10 {
			total += d
			needed += max(1, math.Ceil(d))
			lost += d - now
			cost += ready
		}
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: usage, Capacity: 1, Ready: int(ready), Provisioning: time.Minute})
		r, ok := l.Reading(usage)
		if !ok {
			t.Fatal("no reading")
		}
		wanted = append(wanted, max(1, math.Ceil(usage+r.Free-1e-9)))
		if len(wanted) > 5 {
			wanted = wanted[1:]
		}
		ready = math.Inf(1)
		for _, w := range wanted {
			ready = min(ready, w)
		}
	}
	return lost / total, cost / needed
}

// TestADemandThatGrowsBehindTheCutOffIsFollowed: at first a mean knows nothing
// of more capacity, and that it does not rise at once says nothing.
func TestADemandThatGrowsBehindTheCutOffIsFollowed(t *testing.T) {
	wave := func(i int) float64 { return 12 + 8*math.Sin(float64(i)/800) }
	for name, g := range map[string]objective.Goal{"a low price": {ShortagePrice: 10}, "a price": {ShortagePrice: 50}, "a share": {Share: 0.99}} {
		if lost, cost := cutOff(t, g, 12_000, wave); lost > 0.01 || cost > 1.2 {
			t.Errorf("%s: %.2f %% of a slow wave is lost, and %.2f times its need is paid", name, 100*lost, cost)
		}
	}
}

// TestOneWrongSampleDoesNotSpoilADay: what a broken exporter says once.
func TestOneWrongSampleDoesNotSpoilADay(t *testing.T) {
	for name, g := range map[string]objective.Goal{"a share": {Share: 0.99}, "a price": {ShortagePrice: 25}} {
		run := func(factor float64) *service {
			s := &service{learner: objective.New(g, tick), provisioning: time.Minute}
			usage := bursty(7)
			s.run(t, 0, 4000, usage)
			s.run(t, 4000, 1, func(i int) float64 { return factor * usage(i) })
			s.run(t, 4001, 240, usage)
			s.forget()
			s.run(t, 4241, 4000, usage)
			return s
		}
		right, wrong := run(1), run(1e6)
		if got, want := wrong.under/wrong.ticks, right.under/right.ticks; got > 1.5*want {
			t.Errorf("%s: after a usage a million times too high there is too little %.2f %% of the time, without it %.2f %%", name, 100*got, 100*want)
		}
	}
}

// TestAReplicaOfAnotherSizeNeedsWhatItWould: what was learnt of small replicas
// is true of large ones, in their units.
func TestAReplicaOfAnotherSizeNeedsWhatItWould(t *testing.T) {
	for name, g := range map[string]objective.Goal{"a share": {Share: 0.99}, "a price": {ShortagePrice: 25}} {
		for _, capacity := range []float64{0.25, 4} {
			wanted := func(first float64) (mean float64) {
				l := objective.New(g, tick)
				usage := bursty(8)
				for i := range 4720 {
					size, u := first, usage(i)
					if i >= 4000 {
						size = capacity
					}
					l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: u, Capacity: size, Ready: 1000, Provisioning: time.Minute})
					if r, _ := l.Reading(u); i >= 4000 {
						mean += math.Ceil((u+r.Free)/size) * size / 720
					}
				}
				return mean
			}
			if got, want := wanted(1), wanted(capacity); got < 0.9*want || got > 1.1*want {
				t.Errorf("%s: three hours after replicas of 1 have become such of %g there is %.2f, want %.2f, as if they had always been", name, capacity, got, want)
			}
		}
	}
}

// TestACapacityThatGoesToAndFroIsNoNewBeginning: as the mean over two kinds of
// machines does.
func TestACapacityThatGoesToAndFroIsNoNewBeginning(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	usage := bursty(9)
	for i := range 2000 {
		capacity := 1.0
		if i/5%2 == 1 {
			capacity = 1.3
		}
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: usage(i), Capacity: capacity, Ready: 100, Provisioning: time.Minute})
	}
	if r, _ := l.Reading(usage(2000)); r.Cold {
		t.Errorf("after eight hours the reading is %+v", r)
	}
}

// TestAnotherGoalAfterARestartCountsAtOnce: as it does without one.
func TestAnotherGoalAfterARestartCountsAtOnce(t *testing.T) {
	usage := bursty(3)
	a := service{learner: objective.New(objective.Goal{Share: 0.9}, tick), provisioning: time.Minute}
	a.run(t, 0, 4000, usage)
	state, err := a.learner.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	stricter := objective.Goal{Share: 0.999}
	b := objective.New(stricter, tick)
	if err := b.Restore(state); err != nil {
		t.Fatal(err)
	}
	a.learner.SetGoal(stricter)
	next := objective.Sample{At: start.Add(4000 * tick), Usage: 11, Capacity: 1, Ready: 30, Provisioning: time.Minute}
	a.learner.Observe(next)
	b.Observe(next)
	ra, _ := a.learner.Reading(11)
	rb, _ := b.Reading(11)
	if ra != rb {
		t.Errorf("with the goal changed the reading is %+v, and after a restart %+v", ra, rb)
	}
}
