package config

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
//
// Where starts count once, an era begins to take wall clocks where the one
// before it ended, by the clock of the one before: so those that were skipped
// are its own, and those that come a second time are not. Every wall clock
// then belongs to exactly one era. Where the window follows the clock, the era
// takes what its own clock shows.
func (w *Window) eraAt(t time.Time) era {
	local := t.In(w.location)
	start, end := local.ZoneBounds()
	_, seconds := local.Zone()
	e := era{start: start, end: end, offset: time.Duration(seconds) * time.Second}
	if !end.IsZero() && !end.After(t) {
		// Beyond the changes that the zone's data list, package time ends a
		// year after 365 days, also where it has 366. An era that is cut in
		// two does no harm, one that ends before it begins would.
		e.end = t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	if start.IsZero() {
		return e
	}
	before := e.offset
	if !w.everyHour {
		_, seconds := start.Add(-1).Zone()
		before = time.Duration(seconds) * time.Second
	}
	e.first = wallClock(start, before)
	return e
}

// wallClock is what a clock shows at t that far ahead of UTC, as if it were
// UTC.
func wallClock(t time.Time, offset time.Duration) time.Time {
	return t.UTC().Add(offset)
}
