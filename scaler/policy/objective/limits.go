package objective

import "time"

// limits knows whether usage is cut off by the capacity that is ready, so that
// it is only a lower bound of what is demanded. CPU time is, a rate of requests
// is not. Usage that was seen beyond capacity is not cut off by it, and neither
// is one that stays where it was once there is more.
type limits struct {
	// ready capacity now, and at the three ticks before: usage is a mean over
	// some of them.
	ready  float64
	before [3]float64
	// open is for how many ticks more usage is known not to be cut off.
	open int64
	// cutOff counts the ticks in a row that it was, ended those of the run
	// that has just ended.
	cutOff, ended int
	// began is the capacity with which the run began, reached the most that it
	// has had and filled, and rises how often usage has risen with it.
	began, reached float64
	rises          int64
	// more counts the ticks for which there has been more capacity than in the
	// run, while it is not known yet what comes of it.
	more int64
	// probes counts the runs in a row after which usage had not risen.
	probes int64
}

const (
	// probed is how long usage counts as not cut off after there was more
	// capacity and it did not rise; twice as long after each such run that
	// follows another, at most mostProbed. By then demand may have grown.
	probed     = 2 * time.Minute
	mostProbed = time.Hour
	// risen is by how much usage must rise at the least to have been cut off.
	risen = 1.002
	// careful is the step by which to grow as long as usage has not risen with
	// capacity: it may fit by chance. Once it has, growth is.
	careful = 1.25
)

// clear forgets all but how long usage counts as not cut off.
func (l *limits) clear() { *l = limits{open: l.open, probes: l.probes} }

// see notes usage and the ready capacity, and reports whether usage is cut off.
// Where nobody knows what is ready nothing changes.
func (l *limits) see(u, ready float64, tick time.Duration) bool {
	l.ended = 0
	if ready <= 0 {
		l.ready, l.before = 0, [3]float64{}
		return false
	}
	most := max(ready, l.ready, l.before[0], l.before[1])
	known := l.before[1] > 0
	l.before = [3]float64{l.ready, l.before[0], l.before[1]}
	l.ready = ready
	l.open = max(0, l.open-1)
	if known && u > openFrom*most {
		l.open = int64(memory / tick)
	}
	rose := u > l.began*risen
	if l.more == 1 && !rose {
		l.open = max(l.open, int64(min(mostProbed, probed<<min(l.probes, 10))/tick))
		l.probes++
		l.more = 0
	}
	if l.open == 0 && u >= cutOffFrom*ready {
		l.fill(ready)
		return true
	}
	// Usage is a mean: at first none of it is of the time since there is more,
	// and a tick later half of it.
	if l.cutOff > 0 && l.open == 0 && (l.more == 1 || l.more == 0 && ready > l.began && !rose) {
		l.more++
		return false
	}
	if l.cutOff > 0 && rose {
		l.probes = 0
	}
	l.more = 0
	l.ended, l.cutOff = l.cutOff, 0
	return false
}

// fill goes on with a run in which usage is as much as there is.
func (l *limits) fill(ready float64) {
	if l.cutOff == 0 {
		l.began, l.reached, l.rises = ready, ready, 0
	}
	l.cutOff++
	l.more = 0
	if ready > l.reached {
		l.probes = 0
		l.reached = ready
		l.rises++
	}
}

// wanted is the capacity to ask for while usage is cut off.
func (l *limits) wanted() float64 {
	switch {
	case l.more > 0:
		return l.ready
	case l.rises > 0:
		return l.ready * growth
	}
	return l.ready * careful
}
