package scaler

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// conflictTries bounds how often one action is tried again because someone
// else wrote at the same time.
const conflictTries = 5

// act writes the decision and its actions, calls the platforms, and writes
// what came of it. Nothing is called unless the ledger has it. What a target
// refuses the others are asked for, within the same decision.
func (u *unit) act(ctx context.Context, d *policy.Decision, o *policy.Observation) {
	d.ID = u.engine.opts.Ledger.NewID(d.Time)
	actions := u.intend(d, d.Placements)
	if err := u.commit(d, actions); err != nil {
		level.Error(u.logger).Log("msg", "decision not written, so not acted upon", "current", d.Current, "desired", d.Desired, "err", err)
		d.NotRecorded(unwritten(err))
		u.record(d)
		return
	}
	said := answerOf(d)
	u.recorded = &said
	level.Info(u.logger).Log("msg", "scaling", "direction", directionOf(d.Current, d.Desired), "current", d.Current, "desired", d.Desired, "reason", d.Reason, "explanation", d.Explain())

	done := u.carryOut(ctx, actions)
	u.failOver(ctx, d, o, actions, &done)
	u.moved(d, done)
	if p := u.struck; p != nil {
		u.struck = nil
		d.Broken(p.Error())
		held := answerOf(d)
		u.recorded = &held
		u.engine.opts.Ledger.Enqueue(ledger.Record{Decision: d})
	}
	if err := u.engine.opts.Ledger.Commit(u.remember(done)); err != nil {
		// The platform has been asked. What came of it is still in memory
		// and goes out with the next write; after a crash the target itself
		// tells.
		level.Error(u.logger).Log("msg", "outcome not written", "err", err)
		u.engine.opts.Ledger.Enqueue(u.remember(done))
	}
}

// intend makes an action of each placement that changes something, those that
// take replicas away first.
func (u *unit) intend(d *policy.Decision, placements []policy.Placement) []*ledger.Action {
	var actions []*ledger.Action
	for _, p := range placements {
		if p.From != p.To {
			a := &ledger.Action{
				ID: u.engine.opts.Ledger.NewID(d.Time), Decision: d.ID, Policy: u.name, Target: p.Target,
				Direction: directionOf(p.From, p.To), Reason: d.Reason, From: p.From, To: p.To,
				State: ledger.Intended, Created: d.Time,
			}
			for _, r := range u.choices[p.Target].first(p.From - p.To) {
				a.Victims = append(a.Victims, r.Name)
			}
			actions = append(actions, a)
		}
	}
	slices.SortStableFunc(actions, func(a, b *ledger.Action) int { return cmp.Compare(change(a), change(b)) })
	return actions
}

// commit makes the decision and what is intended durable.
func (u *unit) commit(d *policy.Decision, actions []*ledger.Action) error {
	r := u.remember(actions)
	r.Decision = d
	return u.engine.opts.Ledger.Commit(r)
}

// carryOut asks the targets one after the other, and returns what changed of
// these and of earlier actions. Replicas that could not be taken from one
// target are not asked of another: there would be too many.
func (u *unit) carryOut(ctx context.Context, actions []*ledger.Action) []*ledger.Action {
	done := slices.Clone(actions)
	kept := false
	for _, a := range actions {
		if kept && a.Direction == policy.Up {
			a.State, a.Ended = ledger.NotApplied, u.engine.opts.Now()
			continue
		}
		done = append(done, u.scale(ctx, a)...)
		kept = kept || (a.Direction == policy.Down && a.State != ledger.Accepted && a.State != ledger.NoOp)
	}
	return done
}

// remember is what the ledger should hold after these actions.
func (u *unit) remember(actions []*ledger.Action) ledger.Record {
	r := ledger.Record{Histories: map[string]policy.History{u.name: u.history.Clone()}}
	for _, a := range actions {
		r.Actions = append(r.Actions, *a)
	}
	return r
}

// scale asks one target for its number and notes what came of it. It returns
// the earlier actions that the new one replaces.
func (u *unit) scale(ctx context.Context, a *ledger.Action) (replaced []*ledger.Action) {
	t, ok := u.setup.find(a.Target)
	if !ok {
		a.State, a.Ended = ledger.Superseded, u.engine.opts.Now()
		return nil
	}
	u.counts.Acted(a.Target, a.Direction)
	started := u.engine.opts.Now()
	u.handOver(a)
	changed, err := u.ask(ctx, t, a)
	now := u.engine.opts.Now()
	u.engine.timings.Action.Observe(now.Sub(started).Seconds())

	kind := target.KindOf(err)
	if err != nil {
		a.Error, a.ErrorKind = err.Error(), string(kind)
	}
	switch kind {
	case "":
		replaced = u.supersede(a.Target, now)
		a.State, a.Accepted = ledger.Accepted, now
		u.open = append(u.open, a)
		u.accepted(a)
		u.asked(a, now)
		u.observeAlertToAction(a.Direction, now)
	case target.KindNoOp:
		a.State, a.Ended = ledger.NoOp, now
	case target.KindConflict:
		a.State, a.Ended = ledger.Superseded, now
		if changed {
			// What was decided no longer stands. The next evaluation starts
			// from what is there.
			u.wakeAgain()
		} else {
			u.backOff(a, target.KindTemporary, target.RetryAfter(err), now)
			level.Warn(u.logger).Log("msg", "conflict does not end", "target", a.Target, "desired", a.To, "retry_at", u.history.Backoffs[a.Target].Of(a.Direction).Until, "err", err)
		}
	case target.KindTemporary:
		// The call may have gone through all the same. The action stays open
		// and the target itself will tell, as after a crash.
		u.open = append(u.open, a)
		u.refused(a, err, now)
	default:
		a.State, a.Ended = ledger.Failed, now
		if kind != target.KindThrottled {
			u.lost(a, change(a), now)
		}
		u.refused(a, err, now)
	}
	u.takeOver(a, now)
	return replaced
}

// takeBackInterval is how long a target that did not give back what never
// became ready is not asked for it again.
const takeBackInterval = time.Minute

func (u *unit) refused(a *ledger.Action, err error, now time.Time) {
	u.counts.Failed(a.Target, a.ErrorKind)
	u.backOff(a, target.KindOf(err), target.RetryAfter(err), now)
	if b := u.history.Backoffs[a.Target].Up; a.Direction == policy.Down && b.NotConverged {
		// It does not even give back what never became ready.
		b.TakeBackAt = now.Add(takeBackInterval)
		u.history.SetBackoff(a.Target, policy.Up, b)
	}
	level.Error(u.logger).Log("msg", "target refused", "target", a.Target, "desired", a.To, "kind", a.ErrorKind, "retry_at", u.history.Backoffs[a.Target].Of(a.Direction).Until, "err", err)
}

// ask calls the platform. A conflict is tried again as long as the count is
// still the one that was decided upon; changed says that it is not. A platform
// that says when to come back is not asked before.
func (u *unit) ask(ctx context.Context, t boundTarget, a *ledger.Action) (changed bool, err error) {
	for range conflictTries {
		err = u.call(ctx, t, a)
		if target.KindOf(err) != target.KindConflict {
			return false, err
		}
		state, _, readErr := u.read(ctx, t)
		if readErr != nil {
			return false, readErr
		}
		if state.Requested != a.From {
			return true, err
		}
		if target.RetryAfter(err) > 0 {
			return false, err
		}
	}
	return false, err
}

// call asks the platform once. What ends in a panic may have been asked all the
// same, as with a call that gets no answer.
func (u *unit) call(ctx context.Context, t boundTarget, a *ledger.Action) error {
	err := u.engine.guard.Do(u.logger, componentAction, func() error { return u.callOnce(ctx, t, a) })
	if p := recovery.Of(err); p != nil {
		u.struck = p
		return &target.Error{Kind: target.KindTemporary, Op: "ask for " + strconv.Itoa(a.To), Err: p}
	}
	return err
}

func (u *unit) callOnce(ctx context.Context, t boundTarget, a *ledger.Action) error {
	ctx, cancel := context.WithTimeout(ctx, u.engine.opts.PlatformTimeout)
	defer cancel()
	ctx = target.WithRequest(ctx, target.Request{Policy: a.Policy, Reason: string(a.Reason), From: a.From})
	if v, ok := t.target.(target.Victims); ok && a.Direction == policy.Down {
		if c, chosen := u.choices[a.Target]; chosen {
			return v.ScaleDown(ctx, a.To, ids(c.first(a.From-a.To)))
		}
	}
	return t.target.Scale(ctx, a.To)
}

// moved remembers what of the decision the platforms accepted as one move.
func (u *unit) moved(d *policy.Decision, actions []*ledger.Action) {
	to, accepted := d.Current, false
	for _, a := range actions {
		if a.State == ledger.Accepted {
			to += a.To - a.From
			accepted = true
		}
	}
	if accepted {
		u.history.Moved(u.setup.rules, policy.Move{ID: d.ID, At: d.Time, From: d.Current, To: to})
	}
}

// supersede closes what is open for a target because a newer number replaces
// it.
func (u *unit) supersede(targetName string, now time.Time) (closed []*ledger.Action) {
	for _, a := range u.open {
		if a.Target == targetName {
			u.close(a, ledger.Superseded, now)
			closed = append(closed, a)
		}
	}
	u.dropClosed()
	return closed
}

// backOff leaves a target alone for a while, in the direction of the action
// that it did not take. Throttling waits as long as the platform asked, both
// ways, and counts for nothing; what may pass by itself begins with seconds;
// everything else begins with minutes.
func (u *unit) backOff(a *ledger.Action, kind target.Kind, retryAfter time.Duration, now time.Time) {
	b := u.history.Backoffs[a.Target].Of(a.Direction)
	b.Wanted = new(a.To)
	switch kind {
	case target.KindThrottled:
		b.Until = now.Add(max(retryAfter, u.setup.interval))
		u.throttled(a, b.Until)
	case target.KindTemporary:
		b.Until = now.Add(max(retryAfter, doubling(5*time.Second, 5*time.Minute, b.Failures)))
		b.Failures++
	default:
		b.Until = now.Add(max(retryAfter, doubling(5*time.Minute, 30*time.Minute, b.Failures)))
		b.Failures++
	}
	u.history.SetBackoff(a.Target, a.Direction, b)
}

// doubling is base · 2ⁿ, limit at most.
func doubling(base, limit time.Duration, n int) time.Duration {
	for ; n > 0 && base < limit; n-- {
		base *= 2
	}
	return min(base, limit)
}

// wakeAgain asks for another evaluation right after this one.
func (u *unit) wakeAgain() {
	u.mu.Lock()
	u.again = true
	u.mu.Unlock()
}

// observeAlertToAction measures from the oldest alert that came since the last
// move, and points where this one goes, to the platform's consent.
func (u *unit) observeAlertToAction(d policy.Direction, now time.Time) {
	var last time.Time
	if n := len(u.history.Moves); n > 0 {
		last = u.history.Moves[n-1].At
	}
	if oldest, ok := u.engine.opts.Alerts.ReceivedAfter(u.name, d, last); ok {
		u.engine.timings.AlertToAction.Observe(max(0, now.Sub(oldest).Seconds()))
	}
}

func directionOf(from, to int) policy.Direction {
	if to > from {
		return policy.Up
	}
	return policy.Down
}

func (s *setup) find(name string) (boundTarget, bool) {
	for _, t := range s.targets {
		if t.name == name {
			return t, true
		}
	}
	return boundTarget{}, false
}
