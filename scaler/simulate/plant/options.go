package plant

import "time"

// Options are the rules of a run. The zero value is a plant whose replicas are
// ready at once, controlled every fifteen seconds.
type Options struct {
	// Interval of control; 15 s where it is zero.
	Interval time.Duration
	// Window over which the controller sees mean demand; 30 s where it is
	// zero.
	Window time.Duration
	// Delay from the request of a replica to its readiness.
	Delay time.Duration
	// Min and Max bound what a controller may request; 1 and 200 where they
	// are zero.
	Min, Max int
	// Start is how many replicas are requested and ready at the beginning;
	// where it is zero, what the first step needs.
	Start int
	// WarmUp is how much of the beginning is not counted. Where it is zero,
	// one tenth, at most a day; negative is none.
	WarmUp time.Duration
	// Saturate cuts off what the controller sees at the capacity that is
	// ready, as CPU usage is.
	Saturate bool
	// Observe, where set, is told the requested and ready replicas of every
	// step.
	Observe func(step, requested, ready int)
}

// Signal is what a controller knows when it is asked.
type Signal struct {
	// Now since the beginning.
	Now time.Duration
	// Usage is the mean demand of the last window, in replicas.
	Usage float64
	// Ready and Requested replicas; those requested and not ready are
	// starting.
	Ready, Requested int
}

// Controller says how many replicas there should be. It is asked at every
// interval in order, by one goroutine, and may keep state; it must not look
// ahead. What lies outside the bounds is brought inside.
type Controller interface {
	Desired(s Signal) int
}

// ControllerFunc is a Controller without a type of its own.
type ControllerFunc func(s Signal) int

// Desired calls f.
func (f ControllerFunc) Desired(s Signal) int { return f(s) }

// rules are Options in steps.
type rules struct {
	interval, window, delay, warmUp int
	min, max, start                 int
}

func (o Options) rules(d *Demand) rules {
	r := rules{
		interval: steps(o.Interval, 15*time.Second, d.Step),
		window:   steps(o.Window, 30*time.Second, d.Step),
		delay:    int((max(o.Delay, 0) + d.Step - 1) / d.Step),
		min:      o.Min, max: o.Max, start: o.Start,
	}
	if r.min == 0 {
		r.min = 1
	}
	if r.max == 0 {
		r.max = 200
	}
	if r.start == 0 {
		r.start = r.bounded(int(Need(d.Values[0])))
	}
	switch {
	case o.WarmUp > 0:
		r.warmUp = min(int(o.WarmUp/d.Step), len(d.Values))
	case o.WarmUp == 0:
		r.warmUp = min(len(d.Values)/10, int(24*time.Hour/d.Step))
	}
	return r
}

func steps(length, otherwise, step time.Duration) int {
	if length == 0 {
		length = otherwise
	}
	return max(1, int(length/step))
}

func (r *rules) bounded(replicas int) int { return max(r.min, min(r.max, replicas)) }
