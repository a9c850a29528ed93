package scaler

import (
	"context"
	"time"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// turn takes a new setup over, brings back what the last run left, and evaluates
// the policy. A panic is the policy's own.
func (u *unit) turn(ctx, stop context.Context, next *setup) time.Duration {
	if next != nil {
		u.setup = next
	}
	return u.guarded(func() time.Duration {
		if next != nil {
			u.settleIn()
		}
		u.reader.restore(stop, u.setup.targets)
		return u.evaluate(ctx, stop)
	})
}

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
	shown := u.reader.shown(u.setup.targets)
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
	var remembered policy.History
	if d.Act {
		wanted := d.Desired
		within(componentAction, func() { u.act(ctx, &d, &o) })
		if d.Desired != wanted {
			u.engine.pool.Refused(&u.setup.rules, &o, &d)
		}
		remembered = u.history.Clone()
	} else {
		remembered = u.record(&d)
	}
	u.counts.Decided(&d)
	u.show(&d, remembered)
	u.engine.timings.Evaluation.Observe(u.engine.opts.Now().Sub(started).Seconds())
	return u.pause(&d, u.engine.opts.Now())
}

// decide asks for the decision, and wakes those who may have waited for it.
func (u *unit) decide(o *policy.Observation, woken int64, now time.Time) policy.Decision {
	d, lacking := u.takeTurn(o, woken, now)
	u.engine.wakeAll(lacking)
	return d
}

// takeTurn decides while nobody else does, and returns which others may have
// more for it.
func (u *unit) takeTurn(o *policy.Observation, woken int64, now time.Time) (d policy.Decision, lacking []string) {
	turn := u.engine.pool.Turn(&u.setup.rules)
	defer turn.End()
	if o.Up == 0 {
		o.FleetHold = turn.FleetHold(&u.history, now)
	}
	o.Budgets = turn.Rooms(o)
	d = u.setup.rules.Decide(o, &u.history, now)
	u.history.Observe(u.setup.rules, d)
	if d.WantsDown && o.FleetHold != nil && o.FleetHold.Wanting > 0 {
		u.history.HeldByFleet(o.FleetHold)
	}
	first := u.decided.Swap(woken) != woken
	lacking = turn.Decided(&u.history, o, &d, first)
	return d, lacking
}

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
	o.Targets = make([]policy.TargetState, 0, len(shown))
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
	o.Usage = u.setup.usage.Read(ctx, now, queriesWhile(ready, leaving, u.changedAt(now), u.setup.queries))
	within(componentLearner, func() { u.learn(ctx, now, ready-leaving, &o) })
	// Reading takes its time: whoever paused or resumed meanwhile is heard.
	o.Pause = u.pausedNow(now)
	return o
}

// changedAt is when the alerts last changed, for an evaluation at now. A policy is
// woken by usage that Prometheus has just recorded. A snapshot that was read for
// another policy before that does not have it.
func (u *unit) changedAt(now time.Time) time.Time {
	at := time.Unix(0, u.wokenAt.Load())
	if at.After(now) {
		return time.Time{} // Another evaluation follows.
	}
	return at
}

// readTargets reads all targets, those that need not be read now less often.
func (u *unit) readTargets(ctx context.Context) {
	now := u.engine.opts.Now()
	heard := u.woken.Load() == u.decided.Load() && !u.retry.Load()
	u.reader.read(ctx, u.setup, func(t boundTarget) bool {
		return !heard || u.actions.Acting(t.name) || !u.reader.suffices(t.name, now, u.setup.interval)
	})
}

// record writes a decision that does not act. It returns what the policy
// remembers, as it was written.
func (u *unit) record(d *policy.Decision) policy.History {
	var learnt []ledger.Learnt
	for _, due := range u.learning.TakeDue(&u.history) {
		learnt = append(learnt, ledger.Learnt{Policy: u.name, Resource: due.Resource, State: due.State})
	}
	remembered := u.history.Clone()
	u.journal.note(d, learnt, remembered)
	return remembered
}

// learn lets the resources with an objective learn from what was read.
func (u *unit) learn(ctx context.Context, now time.Time, ready int, o *policy.Observation) {
	e := learning.Evaluation{
		Now: now, Rules: &u.setup.rules, Interval: u.setup.interval, Ready: ready,
		Bound: learning.Bound(&u.setup.rules, o, u.view.Load().last, now), Queries: u.setup.queries,
	}
	e.Past, _ = u.setup.usage.(learning.Past)
	u.learning.Observe(ctx, e, o.Usage, &u.history)
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

// lookBack looks at what a unit that leaves has open, and returns when to look
// again.
func (u *unit) lookBack() time.Duration { return u.guarded(u.settleLeft) }

func (u *unit) settleLeft() time.Duration {
	stop := u.engine.draining
	u.victims.Leave()
	if u.actions.Idle() || stop.Err() != nil {
		return shortest
	}
	u.shiftTimes()
	u.readTargets(stop)
	if stop.Err() != nil {
		return shortest
	}
	now := u.engine.opts.Now()
	u.settle(u.reader.shown(u.setup.targets), now)
	u.publish(u.view.Load().last)
	return u.nextLook(u.setup.interval, now)
}

// waits reports whether something is open that has to be settled before the
// policy may go.
func (u *unit) waits() bool {
	return u.actions.Waits(u.engine.opts.Now(), func(name string) bool {
		t, ok := u.setup.find(name)
		if !ok {
			return true
		}
		// Replicas that die with their policy need not become ready first.
		_, dies := t.target.(target.Restorer)
		return dies
	})
}

// end lets the replicas stay that were to go, and closes the targets.
func (u *unit) end(held []boundTarget) {
	u.victims.Leave()
	u.closeTargets(held)
}
