package objective_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// sum is what there was, and what was missing at its price.
func (s *service) sum(price float64) float64 { return s.cost + price*s.missing }

// TestAPriceCostsTheLeast: no share of the time is cheaper by that price, not
// even the best of them in hindsight, but for what learning costs.
func TestAPriceCostsTheLeast(t *testing.T) {
	run := func(g objective.Goal) *service {
		s := &service{learner: objective.New(g, tick), provisioning: time.Minute}
		usage := bursty(1)
		s.run(t, 0, 2000, usage)
		s.forget()
		s.run(t, 2000, 8000, usage)
		return s
	}
	shares := make(map[float64]*service)
	for _, share := range []float64{0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995} {
		shares[share] = run(objective.Goal{Share: share})
	}
	for _, price := range []float64{3, 10, 25, 100} {
		got := run(objective.Goal{ShortagePrice: price}).sum(price)
		for share, s := range shares {
			if want := s.sum(price); got > 1.02*want {
				t.Errorf("a price of %g costs %.0f, a share of %g only %.0f", price, got, share, want)
			}
		}
	}
}

func TestAHigherPriceKeepsMoreFree(t *testing.T) {
	cost, missing := 0.0, math.Inf(1)
	for _, price := range []float64{1.5, 5, 25, 200} {
		s := service{learner: objective.New(objective.Goal{ShortagePrice: price}, tick), provisioning: time.Minute}
		s.run(t, 0, 8000, bursty(2))
		if s.cost <= cost || s.missing >= missing {
			t.Errorf("at a price of %g there are %g and %g are missing, at a lower one %g and %g", price, s.cost, s.missing, cost, missing)
		}
		cost, missing = s.cost, s.missing
	}
}

// TestALittleOfAReplicaIsMissedALittle: half of the time an eighth replica is
// needed. It pays at a price of 3 where it has enough to do then.
func TestALittleOfAReplicaIsMissedALittle(t *testing.T) {
	for most, want := range map[float64]float64{7.2: 7, 7.9: 8} {
		l := objective.New(objective.Goal{ShortagePrice: 3}, tick)
		r := objective.Reading{}
		random := bursty(5)
		u := 0.0
		for i := range 4000 {
			u = 6.6
			if random(i) > 10 {
				u = most
			}
			l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: u, Capacity: 1, Ready: 9, Provisioning: time.Minute})
			r, _ = l.Reading(u)
		}
		if got := math.Ceil(u + r.Free - 1e-9); got != want {
			t.Errorf("with a usage of up to %g there are %g replicas, want %g: %+v", most, got, want, r)
		}
	}
}

func TestAReadingSaysWhatIsAimedAtAndLost(t *testing.T) {
	l := objective.New(objective.Goal{ShortagePrice: 20}, tick)
	for i := range 200 {
		u := 6.0
		if i%2 == 1 {
			u = 11 // one more than there are
		}
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: u, Capacity: 1, Ready: 10, Provisioning: time.Minute})
	}
	r, _ := l.Reading(6)
	// Usage is a mean over the time before, so that demand is a bit ahead.
	if r.Price != 20 || r.Aimed != 0.05 || math.Abs(r.Realised-0.5) > 0.02 || r.Lost < 0.05 || r.Lost > 0.15 {
		t.Errorf("reading %+v, want a price of 20, aimed at 5 %%, half of the time under capacity and a tenth lost", r)
	}
	l.SetGoal(objective.Goal{Share: 0.9})
	if r, _ := l.Reading(6); r.Price != 0 || math.Abs(r.Aimed-0.1) > 1e-9 {
		t.Errorf("with a share as the goal the reading is %+v", r)
	}
}

// TestWhatIsCutOffIsLostOnceItIsKnown: usage cannot be more than there is, and
// what it was is seen afterwards.
func TestWhatIsCutOffIsLostOnceItIsKnown(t *testing.T) {
	l := objective.New(objective.Goal{ShortagePrice: 20}, tick)
	at := start
	observe := func(n int, u float64, ready int) objective.Reading {
		for range n {
			at = at.Add(tick)
			l.Observe(objective.Sample{At: at, Usage: u, Capacity: 1, Ready: ready, Provisioning: time.Minute})
		}
		r, _ := l.Reading(u)
		return r
	}
	observe(80, 5, 10)
	if r := observe(10, 10, 10); r.Lost > 0.02 {
		t.Errorf("while usage is cut off %g of the demand is lost, want what is known", r.Lost)
	}
	// Ten times five were missing, of fifteen.
	if r := observe(1, 15, 20); r.Lost < 50.0/600 || r.Lost > 75.0/600 {
		t.Errorf("afterwards %g is lost, want about a tenth", r.Lost)
	}
}

// TestAnotherGoalKeepsWhatWasLearnt: whichever way, and over a restart.
func TestAnotherGoalKeepsWhatWasLearnt(t *testing.T) {
	share, price := objective.Goal{Share: 0.99}, objective.Goal{ShortagePrice: 3}
	for name, goals := range map[string][2]objective.Goal{"from a share to a price": {share, price}, "from a price to a share": {price, share}} {
		s := service{learner: objective.New(goals[0], tick), provisioning: time.Minute}
		usage := bursty(3)
		s.run(t, 0, 4000, usage)
		before, _ := s.learner.Reading(10)
		state, err := s.learner.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if len(state) >= 64<<10 {
			t.Errorf("%s: %d bytes, want less than 64 KiB", name, len(state))
		}
		restored := objective.New(goals[1], tick)
		if err := restored.Restore(state); err != nil {
			t.Fatal(err)
		}
		s.learner.SetGoal(goals[1])
		s.run(t, 4000, 1, usage)
		after, _ := s.learner.Reading(10)
		if after.Observations != before.Observations+1 || after.Cold || (after.Free > before.Free) != (goals[1] == share) {
			t.Errorf("%s: the reading was %+v and is %+v", name, before, after)
		}
		restored.Observe(objective.Sample{At: start.Add(4000 * tick), Usage: bursty(3)(0), Capacity: 1, Ready: 12})
		if r, _ := restored.Reading(10); r.Observations != after.Observations || r.Cold || math.Abs(r.Lost-before.Lost) > 1e-3 {
			t.Errorf("%s: restored, the reading is %+v", name, r)
		}
	}
}
