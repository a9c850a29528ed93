package plant

import "math"

// Penalty is what a clairvoyant pays, in replicas, for being under capacity:
// Time for every step in which it is, Demand for every unit of demand that
// finds no capacity in a step. Both are finite and not negative.
type Penalty struct {
	Time, Demand float64
}

// OptimumAt is what a clairvoyant would reach on the same plant who may be
// under capacity at a price: the schedule with the least of requested
// replica-steps and penalties. Of its measures it knows Cost, Under, Lost,
// Counted and the hours. It may act at every step, whatever the Interval, and
// starts with what suits it.
//
// It is exact, by dynamic programming over the ready count. A replica costs a
// step while it is ready, and one delay of steps before, in which it starts;
// what is given back is gone at once, free of charge. So from step to step,
// with V(n) the least total with n ready, the next is
//
//	V'(n) = min(min over m ≥ n of V(m), min over m < n of V(m) + (n−m)·delay) + n + penalty(n)
//
// where both minima are running ones. Only counts are looked at that some
// demand within one delay before and one after takes: replicas without work
// for longer are given back, which is no dearer than to keep them, so that
// going up again within a delay need not be forbidden either.
//
// With a penalty that nothing outweighs it costs what Optimum does.
func OptimumAt(d Demand, o Options, penalty Penalty) Result {
	if len(d.Values) == 0 {
		return Result{}
	}
	r := o.rules(&d)
	need := d.needs()
	from := min(r.warmUp, len(need))
	highest := r.useful(need[from:])
	if len(highest) == 0 {
		return Result{}
	}
	states := make([]schedule, highest[0]+1-r.min, r.max+1-r.min)
	for i, high := range highest {
		last := min(len(states)-1, high-r.min)
		for n := len(states) - 2; n >= 0; n-- {
			if states[n+1].total < states[n].total {
				states[n] = states[n+1]
			}
		}
		states = states[:high+1-r.min]
		// What starts before counting begins is not counted.
		boot := float64(min(r.delay, i))
		for n := 1; n < len(states); n++ {
			if up := states[n-1].total + boot; n > last || up < states[n].total {
				states[n] = states[n-1]
				states[n].total = up
				states[n].requested += boot
			}
		}
		for n := range states {
			states[n].serve(float64(r.min+n), d.Values[from+i], penalty)
		}
	}
	best := states[0]
	for _, s := range states {
		if s.total < best.total {
			best = s
		}
	}
	m := measure{steps: len(highest), under: best.under, lost: best.lost, requested: int(math.Round(best.requested))}
	for i := from; i < len(need); i++ {
		m.demand += d.Values[i]
		m.need += need[i]
	}
	return m.result(d.Step, 0)
}

// useful is the highest count that is worth having at each step.
func (r *rules) useful(need []float64) []int {
	ahead := slidingMax(need, 2*r.delay+1)
	out := make([]int, len(need))
	for i := range out {
		out[i] = r.bounded(int(min(ahead[max(0, i-r.delay)], float64(r.max))))
	}
	return out
}

// schedule is the best one that ends with a count, as far as it is counted.
type schedule struct {
	total, requested, lost float64
	under                  int
}

// serve adds a step with so many ready.
func (s *schedule) serve(ready, demand float64, p Penalty) {
	s.requested += ready
	s.total += ready
	if lost := demand - ready; lost > 0 {
		s.under++
		s.lost += lost
		s.total += p.Demand*lost + p.Time
	}
}
