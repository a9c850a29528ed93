// Package window owns recurring windows of time: spans that begin when a cron
// expression matches the wall clock of a time zone. It answers whether an
// instant lies within one, also on the days when the clocks change. It reads no
// clock and no file.
package window

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"
	"github.com/robfig/cron/v3"
)

// Window is a span of time that begins whenever a cron expression matches the
// wall clock of a time zone, and lasts for a duration of elapsed time.
//
// On the days when the clocks change:
//   - A start that the clocks skip counts at the first instant after the gap.
//   - A start that comes twice counts once, the first time.
//   - An expression that matches every hour follows the clock as it goes: what
//     is skipped was not, and what comes twice counts twice. Otherwise "every
//     15 minutes" would pause for an hour in autumn.
//
// It is safe for concurrent use.
type Window struct {
	cron     string
	duration time.Duration
	zone     string
	// text is all three, as decisions show it.
	text string

	starts    *cron.SpecSchedule
	everyHour bool
	location  *time.Location

	// last is what was found out last. Which span it is depends on who asked
	// when; what Contains answers does not.
	last atomic.Pointer[span]
}

// span is a stretch of time [from, until) throughout which the answer is the
// same.
type span struct {
	from, until time.Time
	within      bool
}

// Error says which argument of New is wrong and what would be right.
type Error struct {
	// Field is cron, duration or timezone.
	Field string
	Msg   string
}

// Error renders "field: message".
func (e *Error) Error() string { return e.Field + ": " + e.Msg }

// noNumber is how the cron package says that something is not a number.
var noNumber = regexp.MustCompile(`^failed to parse int from (.*): strconv\.Atoi: .*$`)

// New returns the window that begins whenever expr, five fields of standard
// cron, matches the wall clock of zone, a name of the IANA database, and lasts
// for d, which is above 0. An error is an *Error.
func New(expr string, d time.Duration, zone string) (*Window, error) {
	expr = strings.TrimSpace(expr)
	starts, err := parseCron(expr)
	if err != nil {
		return nil, &Error{Field: "cron", Msg: err.Error()}
	}
	if d <= 0 {
		return nil, &Error{Field: "duration", Msg: "must be longer than 0s; say how long the window lasts, such as 2h"}
	}
	location, err := time.LoadLocation(zone)
	// Local would mean another time on another machine.
	if err != nil || zone == "" || zone == "Local" {
		return nil, &Error{Field: "timezone", Msg: fmt.Sprintf("%q is not a time zone; write a name of the IANA database such as Europe/Berlin, or UTC", zone)}
	}
	const everyHour = 1<<24 - 1
	return &Window{
		cron: expr, duration: d, zone: zone,
		text:   fmt.Sprintf("%s for %s in %s", expr, model.Duration(d), zone),
		starts: starts, everyHour: starts.Hour&everyHour == everyHour, location: location,
	}, nil
}

// parseCron accepts what matches some time or other.
func parseCron(expr string) (*cron.SpecSchedule, error) {
	switch {
	case expr == "":
		return nil, fmt.Errorf(`is missing; write when the window begins as five fields, minute hour day-of-month month day-of-week, such as "0 8 * * 1-5"`)
	case strings.HasPrefix(expr, "TZ="), strings.HasPrefix(expr, "CRON_TZ="):
		return nil, fmt.Errorf("%q names a time zone; use the key timezone for that", expr)
	case strings.HasPrefix(expr, "@"):
		return nil, fmt.Errorf(`%q is a shorthand; write five fields, minute hour day-of-month month day-of-week, such as "0 8 * * 1-5"`, expr)
	}
	parsed, err := cron.ParseStandard(expr)
	spec, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		why := "it is of another kind"
		if err != nil {
			why = noNumber.ReplaceAllString(err.Error(), "$1 is not a number")
		}
		return nil, fmt.Errorf("%q is not a cron expression of five fields, minute hour day-of-month month day-of-week: %s", expr, why)
	}
	// A field of commas alone has no bit set, and 30 February no date. Leap
	// days are up to eight years apart, so the search begins just before one.
	bits := func(field uint64) bool { return field<<1 != 0 }
	if !bits(spec.Minute) || !bits(spec.Hour) || !bits(spec.Dom) || !bits(spec.Month) || !bits(spec.Dow) ||
		spec.Next(time.Date(1999, time.December, 31, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("%q never matches; write a minute, hour and date that exist", expr)
	}
	return spec, nil
}

// String is the window as it was written.
func (w *Window) String() string { return w.text }

// Equal reports whether both were written the same.
func (w *Window) Equal(o *Window) bool {
	return w == o || w != nil && o != nil && w.cron == o.cron && w.duration == o.duration && w.zone == o.zone
}

// Contains reports whether t lies within the window: whether a start s exists
// with s ≤ t < s+duration.
func (w *Window) Contains(t time.Time) bool {
	if s := w.last.Load(); s != nil && !t.Before(s.from) && t.Before(s.until) {
		return s.within
	}
	// The earliest start that could still last is the only one to look at: it
	// lies at or before t, or none does.
	s := &span{from: t, until: w.next(t.Add(-w.duration))}
	if !s.until.After(t) {
		s.from, s.until, s.within = s.until, s.until.Add(w.duration), true
	}
	w.last.Store(s)
	return s.within
}

// next returns the first start after t.
//
// The cron package is wrong on the days when the clocks change, so it is asked
// about wall clocks alone, written as if they were UTC, which never change.
// Between two changes of the zone a wall clock and an instant differ by a
// constant; wall clocks are shared out among these eras, see firstOf.
func (w *Window) next(t time.Time) time.Time {
	e := w.eraAt(t)
	// Of the first era only what comes after t.
	from := wallClock(t.Add(1), e.offset)
	if !e.start.IsZero() && from.Before(e.first) {
		from = e.first
	}
	for {
		if start := w.nextWallClock(from); e.end.IsZero() || start.Before(wallClock(e.end, e.offset)) {
			instant := start.Add(-e.offset)
			if instant.Before(e.start) {
				return e.start // it was skipped
			}
			return instant
		}
		e = w.eraAfter(e)
		from = e.first
	}
}

// nextWallClock returns the first match at or after the wall clock.
func (w *Window) nextWallClock(at time.Time) time.Time {
	at = at.Add(-1) // the cron package looks strictly later
	for {
		if next := w.starts.Next(at); !next.IsZero() {
			return next
		}
		// It gave up after five years, and leap days can be eight apart. What
		// matches once does so again: parseCron saw to it.
		at = at.AddDate(5, 0, 0)
	}
}
