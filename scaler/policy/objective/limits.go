package objective

import "time"

// limits knows whether usage is cut off by the capacity that is ready, so that
// it is only a lower bound of what is demanded. CPU time is, a rate of requests
// is not. Usage that was seen beyond capacity is not cut off by it.
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
}

func (l *limits) clear() { l.ready, l.before, l.cutOff, l.ended = 0, [3]float64{}, 0, 0 }

// see notes usage and the ready capacity, and reports whether usage is cut off.
func (l *limits) see(u, ready float64, tick time.Duration) bool {
	most := max(ready, l.ready, l.before[0], l.before[1])
	known := l.before[1] > 0
	l.before = [3]float64{l.ready, l.before[0], l.before[1]}
	l.ready = ready
	l.open = max(0, l.open-1)
	if known && u > openFrom*most {
		l.open = int64(memory / tick)
	}
	l.ended = 0
	if l.open == 0 && ready > 0 && u >= cutOffFrom*ready {
		l.cutOff++
		return true
	}
	l.ended, l.cutOff = l.cutOff, 0
	return false
}
