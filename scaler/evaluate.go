package scaler

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// evaluate takes the policy through one evaluation and returns how long to
// wait for the next. What is only read ends with stop: nothing new is decided
// then.
func (u *unit) evaluate(ctx, stop context.Context) time.Duration {
	u.shiftTimes()
	started := u.engine.opts.Now()
	u.readTargets(stop)
	if stop.Err() != nil {
		return shortest
	}
	now := u.engine.opts.Now()
	shown := u.shown()
	u.settle(shown, now)
	u.endBackoffs(shown, now)
	foreign := u.compare(shown, now)

	woken := u.woken.Load()
	o := u.observe(stop, shown, now)
	if stop.Err() != nil {
		return shortest
	}
	o.Foreign = foreign
	d := u.decide(&o, woken, now)
	u.victims.Drain(&d)
	if d.Act {
		wanted := d.Desired
		within(componentAction, func() { u.act(ctx, &d, &o) })
		if d.Desired != wanted {
			u.engine.shared.refused(u, &o, &d)
		}
	} else {
		u.record(&d)
	}
	u.counts.decided(&d)
	u.publish(&d)
	u.engine.metrics.evaluation.Observe(u.engine.opts.Now().Sub(started).Seconds())
	return u.pause(&d, u.engine.opts.Now())
}

// decide asks for the decision, and lets the others know what came of it.
func (u *unit) decide(o *policy.Observation, woken int64, now time.Time) policy.Decision {
	s := &u.engine.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Up == 0 {
		o.FleetHold = s.fleet.holdOf(&u.history, now)
	}
	o.Budgets = s.rooms(u, o)
	d := policy.Decide(u.setup.rules, *o, u.history, now)
	u.history.Observe(u.setup.rules, d)
	if d.WantsDown && o.FleetHold != nil && o.FleetHold.Wanting > 0 {
		u.history.FleetHold = o.FleetHold
	}
	s.decided(u, woken, o, &d)
	return d
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

// observe puts together what Decide is to know. Usage is not read where the
// count alone decides.
func (u *unit) observe(ctx context.Context, shown []action.Reading, now time.Time) policy.Observation {
	var o policy.Observation
	counts := u.engine.opts.Alerts.Counts(u.name)
	o.Up, o.Down = counts.Up, counts.Down
	holds := u.engine.holds(u.name, counts)
	o.BlockUp, o.BlockDown, o.Silences = holds.BlockUp, holds.BlockDown, holds.Silences
	o.Pause = u.pausedNow(now)
	ready, leaving, readable := 0, 0, true
	for _, r := range shown {
		ts := u.actions.Observe(r, now)
		ts.Ready = max(0, r.Ready-u.victims.Leaving(r.Target))
		readable = readable && ts.Error == ""
		ready += r.Ready
		leaving += r.Ready - ts.Ready
		o.Targets = append(o.Targets, ts)
	}
	if readable {
		u.victims.Choose(ctx, now, &u.setup.rules, u.setup.usage, &o)
	}
	if !readable || len(u.setup.queries) == 0 || u.setup.rules.OutOfBounds(&o, now) {
		return o
	}
	o.Usage = u.setup.usage.Read(ctx, now, u.setup.readingFor(ready, leaving))
	within(componentLearner, func() { u.learn(ctx, now, ready-leaving, &o) })
	// Reading takes its time: whoever paused or resumed meanwhile is heard.
	o.Pause = u.pausedNow(now)
	return o
}

// record writes a decision that does not act, where it says something new.
// What the policy remembers is written each time, at leisure.
func (u *unit) record(d *policy.Decision) {
	learnt := u.learnt()
	r := ledger.Record{Histories: map[string]policy.History{u.name: u.history.Clone()}, Learnt: learnt}
	if a := answerOf(d); u.recorded == nil || *u.recorded != a || sawForeign(d) {
		d.ID = u.engine.opts.Ledger.NewID(d.Time)
		r.Decision = d
		u.recorded = &a
		level.Info(u.logger).Log("msg", "decided", "direction", d.Direction, "current", d.Current, "desired", d.Desired, "reason", d.Reason, "explanation", d.Explain())
	}
	u.engine.opts.Ledger.Enqueue(r)
}

// answer is what of a decision must differ for it to say something new.
type answer struct {
	reason           policy.Reason
	direction        policy.Direction
	mode             policy.Mode
	current, desired int
}

func answerOf(d *policy.Decision) answer {
	return answer{d.Reason, d.Direction, d.Mode, d.Current, d.Desired}
}

// sawForeign reports whether the decision notes what someone else did.
func sawForeign(d *policy.Decision) bool {
	return slices.ContainsFunc(d.Steps, func(s policy.Step) bool { return s.Name == policy.StepForeign })
}

// shortest is the least time between two evaluations of one policy that
// nobody asked for.
const shortest = 100 * time.Millisecond

// pause is how long to wait: until the next interval, the end of what held the
// decision, or the next look at what converges, whichever is first.
func (u *unit) pause(d *policy.Decision, now time.Time) time.Duration {
	wait := u.setup.interval
	if d.Reason == policy.ReasonInternalError {
		return max(wait, shortest)
	}
	for i := range d.Steps {
		if until := d.Steps[i].Until; until.After(now) {
			wait = min(wait, until.Sub(now))
		}
	}
	return u.nextLook(wait, now)
}

// nextLook is when to look again at what has still to converge, or wait.
func (u *unit) nextLook(wait time.Duration, now time.Time) time.Duration {
	return max(u.actions.NextLook(wait, now), shortest)
}
