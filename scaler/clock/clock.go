// Package clock tells one time for a whole run of the server.
//
// The wall clock may be stepped: by NTP after a boot with a wrong time, by a
// hypervisor, by hand. Whoever measures a cooldown, a window or an age with it
// would take such a step for time that has passed, or wait until it has caught
// up. A Clock begins with the wall clock's time and goes on by the monotonic
// one, so that a second within a run is a second.
//
// Where the two differ for longer than Settle, the wall clock was right to be
// changed, and the Clock takes its time over. That is a jump; Corrected says by
// how much, so that times noted before it can be moved along and waits keep
// their length. What is a date by contract, such as the end of a pause, is not
// moved: it comes when the corrected clock shows it.
//
// The monotonic clock counts the time that the machine was suspended, where the
// system has one that does (Linux), so that a laptop or a virtual machine that
// wakes up sees the time passed and no step. NTP slews both clocks alike.
package clock

import (
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

const (
	// defaultSettle outlasts what a broken time source does for a minute, and
	// is short against what waits for the right time: usage looks stale, or
	// dated ahead, until a correction is taken over.
	defaultSettle = 5 * time.Minute
	// tolerance is how far the two clocks may differ without a step: leap
	// seconds, and the time between reading the one and the other.
	tolerance = 2 * time.Second
)

// Options of a Clock. The zero value is the system's clocks.
type Options struct {
	// Wall is the wall clock, Elapsed the monotonic one: the time since some
	// fixed moment, that of suspension included.
	Wall    func() time.Time
	Elapsed func() time.Duration
	// Settle is how long the wall clock must differ by the same step before
	// that is taken over; 5 min by default.
	Settle time.Duration
	Logger log.Logger
}

// Clock is the time of one run. All methods are safe for concurrent use and
// never block on I/O but that of the log.
type Clock struct {
	opts Options

	mu sync.Mutex // guards everything below
	// start is the time at which Elapsed was zero.
	start time.Time
	last  time.Time
	// step is by how much the wall clock differs now, zero where it does not,
	// and since when, by Elapsed.
	step      time.Duration
	since     time.Duration
	corrected time.Duration
}

// New returns a clock that shows the wall clock's time.
func New(o Options) *Clock {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Elapsed == nil {
		o.Elapsed = systemElapsed()
	}
	if o.Settle <= 0 {
		o.Settle = defaultSettle
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	c := &Clock{opts: o}
	now := stripped(o.Wall())
	c.start, c.last = now.Add(-o.Elapsed()), now
	return c
}

// Now is the time in UTC, without a reading of Go's monotonic clock. It goes
// back only where Corrected changes.
func (c *Clock) Now() time.Time {
	now, _ := c.Read()
	return now
}

// Corrected is the sum of the steps of the wall clock that were taken over
// since the start; negative where it went back. A time noted while Corrected
// was less by d is to be moved by d before it is compared with Now.
func (c *Clock) Corrected() time.Duration {
	_, corrected := c.Read()
	return corrected
}

// Read returns Now and Corrected of one moment.
func (c *Clock) Read() (now time.Time, corrected time.Duration) {
	c.mu.Lock()
	elapsed, wall := c.opts.Elapsed(), stripped(c.opts.Wall())
	say := c.look(wall, elapsed)
	if t := c.start.Add(elapsed); t.After(c.last) {
		c.last = t
	}
	now, corrected = c.last, c.corrected
	c.mu.Unlock()
	if say != nil {
		say(c.opts.Logger)
	}
	return now, corrected
}

// look compares the two clocks, and returns what is to be said of them. The
// caller holds c.mu.
func (c *Clock) look(wall time.Time, elapsed time.Duration) func(log.Logger) {
	step := wall.Sub(c.start.Add(elapsed))
	switch {
	case step.Abs() <= tolerance:
		// Small differences are followed at once: nothing that waits notices.
		c.start = c.start.Add(step)
		if c.step == 0 {
			return nil
		}
		c.step = 0
		return func(l log.Logger) {
			level.Info(l).Log("msg", "the wall clock is back where it was, nothing was moved by its step", "now", wall)
		}
	case (step - c.step).Abs() > tolerance:
		c.step, c.since = step, elapsed
		return func(l log.Logger) {
			level.Warn(l).Log("msg", "the wall clock was stepped; going on by the monotonic clock, and taking the step over if it lasts", "by", step.Round(time.Second), "now", wall, "settle", c.opts.Settle)
		}
	case elapsed-c.since < c.opts.Settle:
		return nil
	}
	c.start, c.last = c.start.Add(step), wall
	c.corrected += step
	c.step = 0
	return func(l log.Logger) {
		level.Warn(l).Log("msg", "the wall clock's step has lasted and is taken over; cooldowns, windows and backoffs keep their length", "by", step.Round(time.Second), "now", wall)
	}
}

// stripped is t in UTC, which has no monotonic reading.
func stripped(t time.Time) time.Time { return t.UTC() }
