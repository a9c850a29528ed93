package objective_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// halfUnder is every other sample under capacity, by one replica of eleven.
func halfUnder(i int) float64 {
	if i%2 == 1 {
		return 11
	}
	return 6
}

// TestUnknownReplicasAreNotEnough: where nobody knows how many were ready, as
// in a past that has usage alone, nobody knows whether they were enough.
func TestUnknownReplicasAreNotEnough(t *testing.T) {
	for name, goal := range map[string]objective.Goal{"a share": {Share: 0.9}, "a price": {ShortagePrice: 10}} {
		l := objective.New(goal, tick)
		at := start
		observe := func(n, ready int) objective.Reading {
			for i := range n {
				at = at.Add(tick)
				l.Observe(objective.Sample{At: at, Usage: halfUnder(i), Capacity: 1, Ready: ready, Provisioning: time.Minute})
			}
			r, ok := l.Reading(6)
			if !ok {
				t.Fatalf("%s: no reading", name)
			}
			return r
		}
		past := observe(4000, 0)
		if past.Counted || past.Realised != 0 || past.Lost != 0 || math.Abs(past.Aimed-0.1) > 1e-12 {
			t.Errorf("%s: of unknown replicas the reading is %+v, want the aim unmoved, and nothing realised or lost", name, past)
		}
		known := observe(200, 10)
		if !known.Counted || math.Abs(known.Realised-0.5) > 0.02 || known.Lost < 0.05 || known.Lost > 0.15 {
			t.Errorf("%s: after a past of unknown replicas the reading is %+v, want half of the known time under capacity and a tenth of the demand lost", name, known)
		}
		if again := observe(400, 0); math.Abs(again.Realised-known.Realised) > 1e-9 || math.Abs(again.Lost-known.Lost) > 1e-9 || again.Aimed != known.Aimed {
			t.Errorf("%s: %+v has become %+v while nobody knew how many were ready", name, known, again)
		}
	}
}

// TestNoReplicaIsTooLittle: a policy at zero to whom a backlog comes lacks all
// that it demands; while nothing is demanded it lacks nothing.
func TestNoReplicaIsTooLittle(t *testing.T) {
	l := objective.New(objective.Goal{ShortagePrice: 10}, tick)
	at := start
	observe := func(usage float64) objective.Reading {
		for range 100 {
			at = at.Add(tick)
			l.Observe(objective.Sample{At: at, Usage: usage, Capacity: 1, NoneReady: true, Provisioning: time.Minute})
		}
		r, _ := l.Reading(usage)
		return r
	}
	if r := observe(0); !r.Counted || r.Realised != 0 || r.Lost != 0 {
		t.Errorf("with nothing demanded and nothing ready the reading is %+v, want enough", r)
	}
	if r := observe(5); math.Abs(r.Realised-0.5) > 0.02 || r.Lost < 0.99 {
		t.Errorf("with five demanded half of the time and nothing ready the reading is %+v, want that all of it is lost", r)
	}
}
