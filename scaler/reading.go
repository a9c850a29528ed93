package scaler

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// reading is one target as last read.
type reading struct {
	name  string
	state target.State
	at    time.Time
	err   error
}

// readings are those of a policy's few targets.
type readings []reading

// of is what was last read of a target; the zero reading where none was.
func (rs readings) of(name string) reading {
	for i := range rs {
		if rs[i].name == name {
			return rs[i]
		}
	}
	return reading{name: name}
}

// has reports whether a target was read, in vain or not.
func (rs readings) has(name string) bool {
	r := rs.of(name)
	return r.err != nil || !r.at.IsZero()
}

// put replaces what was last read of a target.
func (rs *readings) put(r reading) {
	for i := range *rs {
		if (*rs)[i].name == r.name {
			(*rs)[i] = r
			return
		}
	}
	*rs = append(*rs, r)
}

// readTargets reads all targets side by side, each within its own time. Those
// that need not be read now stay as they were read last.
func (u *unit) readTargets(ctx context.Context) {
	var due []boundTarget
	now := u.engine.opts.Now()
	heard := u.woken.Load() == u.decided.Load() && !u.retry.Load()
	for _, t := range u.setup.targets {
		if heard && !u.actions.Acting(t.name) && u.reads.has(t.name) && (u.patience.unread(t.name, now) || u.standing(t.name, now)) {
			continue
		}
		due = append(due, t)
	}
	if len(due) == 0 {
		return
	}
	results, hung := make([]reading, len(due)), make([]bool, len(due))
	panics := make([]error, len(due))
	read := func(i int) {
		// Each in a goroutine of its own: the evaluation's guard sees none.
		panics[i] = recovery.Do(componentReading, func() (err error) {
			var state target.State
			state, hung[i], err = u.read(ctx, due[i])
			if p := recovery.Of(err); p != nil {
				return p // in a goroutine of the platform
			}
			results[i] = reading{state: state, at: u.engine.opts.Now(), err: err}
			return nil
		})
	}
	var wg sync.WaitGroup
	for i := range due[:len(due)-1] {
		wg.Go(func() { read(i) })
	}
	read(len(due) - 1)
	wg.Wait()
	for _, err := range panics {
		if err != nil {
			panic(err)
		}
	}
	if ctx.Err() != nil {
		return
	}
	for i, t := range due {
		r := results[i]
		u.patience.read(t.name, hung[i], r.at, u.setup.interval)
		if r.err != nil {
			level.Warn(u.logger).Log("msg", "target cannot be read", "target", t.name, "kind", target.KindOf(r.err), "err", r.err)
			// What was last known stays for people to see; it supports no
			// decision.
			last := u.reads.of(t.name)
			r.state, r.at = last.state, last.at
		}
		r.name = t.name
		u.stands(r)
		u.reads.put(r)
	}
}

// read asks one target, and reports whether it took all its time in vain.
func (u *unit) read(ctx context.Context, t boundTarget) (s target.State, hung bool, err error) {
	if !u.restored[t.target] {
		return target.State{}, false, errNotRestored
	}
	ctx, cancel := context.WithTimeout(ctx, u.engine.opts.PlatformTimeout)
	defer cancel()
	s, err = t.target.Current(ctx)
	return s, err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded), err
}

var errNotRestored = errors.New("its replicas have not been brought back yet")

// shown is what the policy's targets have shown last.
func (u *unit) shown() []action.Reading {
	out := make([]action.Reading, 0, len(u.setup.targets))
	for _, t := range u.setup.targets {
		r := u.reads.of(t.name)
		is := action.Reading{
			Target: t.name, Requested: r.state.Requested, Ready: r.state.Ready, Min: r.state.Min, Max: r.state.Max,
		}
		switch {
		case r.err != nil:
			is.Problem = r.err.Error()
		case r.at.IsZero():
			is.Problem = "it has not been read yet"
		case r.state.Failed != nil:
			failure := failureOf(r.state.Failed)
			is.GaveUp = &failure
		}
		out = append(out, is)
	}
	return out
}

const (
	// seldom is how many evaluations share a reading of a target that is left
	// alone, and longestUnread how long it goes unread at most.
	seldom        = 4
	longestUnread = time.Minute
)

// standing reports whether the last reading of a target that is left alone
// after a failure still stands. The reading and its time are remembered over a
// restart, so that one does not see sooner what someone else has changed. A
// target that only does not give any back is read as ever, so that a rise loses
// no time.
func (u *unit) standing(name string, now time.Time) bool {
	at := u.history.Of(name).Stands.At
	return !at.IsZero() && u.backedOff(name, now) && now.Before(at.Add(min(seldom*u.setup.interval, longestUnread)))
}

// stands remembers a reading of a target that is left alone.
func (u *unit) stands(r reading) {
	var s policy.Standing
	if r.err == nil && u.backedOff(r.name, r.at) {
		s = policy.Standing{At: r.at, Min: r.state.Min, Max: r.state.Max}
	}
	u.history.Stands(r.name, s)
}

// backedOff reports whether the target is not asked for more now.
func (u *unit) backedOff(name string, now time.Time) bool {
	return u.history.Backoffs[name].Up.Until.After(now)
}

// patience is which targets of a policy are not asked since they did not
// answer within their time, each time for longer. Alerts that change, and an
// action that is open, have them read all the same, and so has a restart.
type patience map[string]unhurried

type unhurried struct {
	// hangs counts the readings in a row that took all their time.
	hangs int
	// due is when to read it again.
	due time.Time
}

// unread reports whether the target need not be read now.
func (p patience) unread(name string, now time.Time) bool { return now.Before(p[name].due) }

// read notes how a reading went: whether it took all its time in vain.
func (p *patience) read(name string, hung bool, now time.Time, interval time.Duration) {
	if !hung {
		delete(*p, name)
		return
	}
	if *p == nil {
		*p = make(patience, 1)
	}
	is := unhurried{hangs: (*p)[name].hangs + 1}
	is.due = now.Add(min(action.Doubling(2*interval, longestUnread, is.hangs-1), longestUnread))
	(*p)[name] = is
}
