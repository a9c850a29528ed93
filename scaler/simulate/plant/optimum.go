package plant

// Optimum is what a clairvoyant would reach on the same plant: the cheapest
// schedule that is never under capacity, where the bounds allow that. It may
// act at every step; with an Interval only at those controls.
//
// It is exact, and needs no search. Since what is given back is gone at once,
// the youngest first, ready capacity at t is the lowest count that was
// requested in [t − delay, t]. So a count that holds from one control to the
// next must cover the need from the first of these moments to one delay after
// the last, and no schedule that is never under may request less at any time;
// requesting exactly that is enough. The replicas of the beginning cover the
// need until what is requested first can be ready.
func Optimum(d Demand, o Options) Result {
	if len(d.Values) == 0 {
		return Result{}
	}
	if o.Interval == 0 {
		o.Interval = d.Step
	}
	r := o.rules(&d)
	plan, start := r.plan(d.needs())
	o.Start = r.bounded(start)
	return Run(d, ControllerFunc(func(s Signal) int {
		return plan[int(s.Now/d.Step)/r.interval]
	}), o)
}

// plan is the count to request at every control, and to begin with.
func (r *rules) plan(need []float64) (plan []int, start int) {
	ahead := slidingMax(need, r.interval+r.delay)
	for i := 0; i < len(need); i += r.interval {
		plan = append(plan, int(ahead[i]))
	}
	for i := range min(r.delay, len(need)) {
		start = max(start, int(need[i]))
	}
	return plan, max(start, plan[0])
}

// slidingMax is the maximum of every value and those after it, so many
// together.
func slidingMax(values []float64, width int) []float64 {
	out := make([]float64, len(values))
	queue := make([]int, 0, len(values)) // places of falling values
	for i := len(values) - 1; i >= 0; i-- {
		for len(queue) > 0 && values[queue[len(queue)-1]] <= values[i] {
			queue = queue[:len(queue)-1]
		}
		queue = append(queue, i)
		for queue[0] >= i+width {
			queue = queue[1:]
		}
		out[i] = values[queue[0]]
	}
	return out
}
