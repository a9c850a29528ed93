package window

import "time"

// era is a stretch of time [start, end) in which a time zone keeps its offset
// from UTC. A zero start or end is without bound.
type era struct {
	start, end time.Time
	offset     time.Duration
	// first is the first wall clock that the era may take starts from; it
	// means nothing where start is zero. The last ends where the era does.
	first time.Time
}

// eraAt returns the era of the window's zone that t is in.
func (w *Window) eraAt(t time.Time) era {
	local := t.In(w.location)
	start, end := local.ZoneBounds()
	e := era{start: start, end: end, offset: offsetAt(local)}
	if !end.IsZero() && !end.After(t) {
		// Beyond the changes that the zone's data list, package time ends a
		// year after 365 days, also where it has 366. An era that is cut in
		// two does no harm, one that ends before it begins would.
		e.end = t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	if !start.IsZero() {
		e.first = w.firstOf(e, offsetAt(start.Add(-1)))
	}
	return e
}

// eraAfter returns the era that begins where e ends.
func (w *Window) eraAfter(e era) era {
	next := w.eraAt(e.end)
	// Where e was cut off, the bounds of what comes next reach back over it.
	next.start = e.end
	next.first = w.firstOf(next, e.offset)
	return next
}

// firstOf returns the first wall clock that e may take starts from, where the
// era before it had that offset.
//
// Where starts count once, that is where the one before ended by its own
// clock: so what was skipped belongs to e, and what comes a second time does
// not. Every wall clock then belongs to exactly one era. Where the window
// follows the clock, e takes what its own clock shows.
func (w *Window) firstOf(e era, before time.Duration) time.Time {
	if w.everyHour {
		before = e.offset
	}
	return wallClock(e.start, before)
}

// offsetAt is how far t's zone is ahead of UTC.
func offsetAt(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// wallClock is what a clock shows at t that far ahead of UTC, as if it were
// UTC.
func wallClock(t time.Time, offset time.Duration) time.Time {
	return t.UTC().Add(offset)
}
