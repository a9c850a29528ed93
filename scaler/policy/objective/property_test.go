package objective_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// past is what a workload used, tick by tick, of any kind.
func past(t *rapid.T) []float64 {
	level := rapid.Float64Range(0.1, 30).Draw(t, "level")
	noise := rapid.Float64Range(0, 0.5).Draw(t, "noise")
	every := rapid.IntRange(5, 400).Draw(t, "every")
	height := rapid.Float64Range(0, 10).Draw(t, "height")
	season := rapid.SampledFrom([]int{0, 0, 120, 480}).Draw(t, "season")
	n := rapid.IntRange(3, 3000).Draw(t, "n")
	random := bursty(rapid.Uint64().Draw(t, "seed"))
	usage := make([]float64, n)
	for i := range usage {
		u := level * (1 + noise*(random(4*i)-10)/4)
		if season > 0 {
			u *= 1 + 0.9*math.Sin(2*math.Pi*float64(i)/float64(season))
		}
		if i%every < 4 {
			u += level * height
		}
		usage[i] = max(0, u)
	}
	return usage
}

func anyGoal(t *rapid.T) objective.Goal {
	if rapid.Bool().Draw(t, "by price") {
		return objective.Goal{ShortagePrice: rapid.Float64Range(1.5, 500).Draw(t, "price")}
	}
	return objective.Goal{Share: rapid.Float64Range(0.5, 0.999).Draw(t, "share")}
}

// wanted is what there should be after all of that, in the resource's unit. Of
// what is ready nothing is known, so that nothing seems to be cut off.
func wanted(t *rapid.T, g objective.Goal, usage []float64, unit float64) (float64, objective.Reading) {
	l := objective.New(g, tick)
	for i, u := range usage {
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: u * unit, Capacity: unit, Provisioning: time.Minute})
	}
	now := usage[len(usage)-1] * unit
	r, ok := l.Reading(now)
	if !ok {
		t.Fatal("no reading")
	}
	return now + r.Free, r
}

// TestMoreDemandIsNeverGivenLess: whatever was learnt before.
func TestMoreDemandIsNeverGivenLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, usage := anyGoal(t), past(t)
		less, _ := wanted(t, g, usage, 1)
		more := append([]float64(nil), usage...)
		more[len(more)-1] += rapid.Float64Range(0, 20).Draw(t, "more")
		if got, r := wanted(t, g, more, 1); got < less*(1-1e-6) {
			t.Fatalf("at a usage of %g there are %g, at one of %g only %g: %+v", usage[len(usage)-1], less, more[len(more)-1], got, r)
		}
	})
}

// TestTheUnitDoesNotMatter: cores or thousandths of them, small replicas or
// large ones.
func TestTheUnitDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, usage := anyGoal(t), past(t)
		unit := math.Exp(rapid.Float64Range(-20, 20).Draw(t, "log of the unit"))
		want, _ := wanted(t, g, usage, 1)
		if got, r := wanted(t, g, usage, unit); math.Abs(got/unit-want) > 1e-3*(1+want) {
			t.Fatalf("with replicas of 1 there are %g, with replicas of %g %g: %+v", want, unit, got/unit, r)
		}
	})
}

// TestAConstantLoadGetsWhatServesIt: and no replica more.
func TestAConstantLoadGetsWhatServesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, u := anyGoal(t), rapid.Float64Range(0.01, 200).Draw(t, "usage")
		usage := make([]float64, 600)
		for i := range usage {
			usage[i] = u
		}
		if got, r := wanted(t, g, usage, 1); math.Ceil(got-1e-4) != math.Ceil(u-1e-4) {
			t.Fatalf("a constant usage of %g gets %g: %+v", u, got, r)
		}
	})
}

// TestNoMoreThanTwiceTheHighestNeed of what is remembered.
func TestNoMoreThanTwiceTheHighestNeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, usage := anyGoal(t), past(t)
		if cut := rapid.IntRange(0, 40).Draw(t, "ticks of an outage"); cut > 0 && cut < len(usage) {
			for i := range cut {
				usage[len(usage)-2-i] = 0.01
			}
		}
		need := 0.0
		for _, u := range usage {
			need = max(need, math.Ceil(u))
		}
		if got, r := wanted(t, g, usage, 1); got > 2*need*(1+1e-6) {
			t.Fatalf("never more than %g replicas were needed, and there are %g: %+v", need, got, r)
		}
	})
}
