package scaler

import (
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// visibleWithin is how long a platform may take to show a number that it
// accepted. Cloud APIs answer reads from behind their writes.
const visibleWithin = time.Minute

// settle looks at what was read and closes the actions that are done: ready,
// overtaken by someone else, late, or never made.
func (u *unit) settle(now time.Time) {
	var changed []*ledger.Action
	for _, a := range u.open {
		if u.settleAction(a, now) {
			changed = append(changed, a)
		}
	}
	if len(changed) == 0 {
		return
	}
	u.dropClosed()
	// A cooldown counts from here, so that it must not begin anew after a
	// crash.
	l := u.engine.opts.Ledger
	if err := l.Commit(u.remember(changed)); err != nil {
		level.Error(u.logger).Log("msg", "convergence not written, trying again", "err", err)
		l.Enqueue(u.remember(changed))
	}
}

// settleAction moves one open action on and reports whether it changed.
func (u *unit) settleAction(a *ledger.Action, now time.Time) bool {
	t, ok := u.setup.find(a.Target)
	if !ok {
		u.close(a, ledger.Superseded, now)
		return true
	}
	r := u.reads.of(t.name)
	if r.err != nil {
		// Whether an intended action was made cannot be told now; it stays
		// open until it can.
		return a.State == ledger.Accepted && u.expire(a, now)
	}
	if r.state.Failed != nil && a.State == ledger.Accepted {
		u.gaveUp(a, r, now)
		return true
	}
	shows := r.state.Requested == a.To
	switch {
	case a.State == ledger.Intended && !shows && a.Error != "" && now.Sub(a.Created) < visibleWithin:
		// The call failed on the way, and the platform may still take it.
		return false
	case a.State == ledger.Intended && !shows && a.Error != "":
		// The call failed, and the target shows that it did.
		u.lost(a, change(a), now)
		u.close(a, ledger.Failed, now)
		return true
	case a.State == ledger.Intended && !shows:
		// A crash came before the call, and the target proves it.
		level.Info(u.logger).Log("msg", "an action of the last run never reached its target", "target", a.Target, "from", a.From, "to", a.To, "found", r.state.Requested)
		u.close(a, ledger.NotApplied, now)
		return true
	case a.State == ledger.Intended:
		// The call went through and its answer was lost: to a crash or on the
		// way. It counts from the moment it was written, since that is the
		// latest it is known not to have been made.
		level.Info(u.logger).Log("msg", "an action without an answer reached its target", "target", a.Target, "from", a.From, "to", a.To)
		a.State, a.Accepted = ledger.Accepted, a.Created
		u.accepted(a)
		u.adopt(a)
		u.show(a)
		u.asked(a, now)
		u.converge(a, r, now)
		return true
	case shows:
		first := !a.Seen
		u.show(a)
		return u.converge(a, r, now) || u.expire(a, now) || first
	case !a.Seen && r.state.Requested == a.From && now.Sub(a.Accepted) < visibleWithin:
		return false
	default:
		// Whoever changed it is told apart by watch.
		level.Info(u.logger).Log("msg", "the target no longer has the number that it accepted", "target", a.Target, "expected", a.To, "found", r.state.Requested)
		u.close(a, ledger.Superseded, now)
		return true
	}
}

// gaveUp fails an action that its platform accepted and then could not carry
// out. What the platform is left with is nobody else's doing.
func (u *unit) gaveUp(a *ledger.Action, r reading, now time.Time) {
	err := r.state.Failed
	a.Error, a.ErrorKind = err.Error(), string(target.KindOf(err))
	u.remembered(a.Target, r.state.Requested, r.state.Ready)
	if a.Direction == policy.Up {
		u.lost(a, max(0, min(change(a), a.To-r.state.Requested)), now)
	}
	u.close(a, ledger.Failed, now)
	u.refused(a, err, now)
	if b := u.history.Backoffs[a.Target].Up; a.Direction == policy.Up {
		// To accept a number proves nothing here; replicas do.
		b.NotConverged, b.GivenUp = true, a.ErrorKind
		u.history.SetBackoff(a.Target, policy.Up, b)
	}
}

// show notes that the platform has shown the action's number: from now on any
// other is someone else's.
func (u *unit) show(a *ledger.Action) {
	a.Seen = true
	u.remembered(a.Target, a.To, u.reads.of(a.Target).state.Ready)
}

// change is by how many replicas the action goes up; 0 for one that goes down.
func change(a *ledger.Action) int { return max(0, a.To-a.From) }

// asked and lost count what the strategy "loss" goes by.
func (u *unit) asked(a *ledger.Action, now time.Time) {
	if n := change(a); n > 0 {
		u.history.Counted(a.Target, n, 0, now)
	}
}

func (u *unit) lost(a *ledger.Action, n int, now time.Time) {
	if a.Direction != policy.Up || n <= 0 {
		return
	}
	asked := 0
	if a.Accepted.IsZero() {
		asked = change(a) // accepted ones were counted then
	}
	u.history.Counted(a.Target, asked, n, now)
}

// adopt remembers the move behind an action whose outcome was not written.
// Several actions of one decision are one move.
func (u *unit) adopt(a *ledger.Action) {
	for i := range u.history.Moves {
		if m := &u.history.Moves[i]; m.ID == a.Decision {
			m.To += a.To - a.From
			return
		}
	}
	u.history.Moved(u.setup.rules, policy.Move{ID: a.Decision, At: a.Created, From: a.From, To: a.To})
}

// converge closes an action whose replicas are ready: as many as were asked
// for, or at most that many after a scale-down.
func (u *unit) converge(a *ledger.Action, r reading, now time.Time) bool {
	if (a.Direction == policy.Up && r.state.Ready < a.To) || (a.Direction == policy.Down && r.state.Ready > a.To) {
		return false
	}
	took := now.Sub(a.Accepted)
	u.close(a, ledger.Converged, now)
	if a.Direction == policy.Up {
		if !u.history.Backoffs[a.Target].Up.Until.After(now) {
			u.history.SetBackoff(a.Target, policy.Up, policy.Backoff{})
		}
		u.counts.Provisioned(a.Target, took)
		u.history.Provisioned(a.Target, took, u.setup.rules.Seed(a.Target))
	}
	level.Info(u.logger).Log("msg", "converged", "target", a.Target, "from", a.From, "to", a.To, "took", took.Round(time.Millisecond))
	return true
}

// expire fails an action that is late.
func (u *unit) expire(a *ledger.Action, now time.Time) bool {
	since := a.Accepted
	if since.IsZero() {
		since = a.Created
	}
	if now.Sub(since) < u.setup.provisioningTimeout {
		return false
	}
	a.Error, a.ErrorKind = "the replicas were not ready within provisioning_timeout", export.NotConverged
	u.counts.Failed(a.Target, export.NotConverged)
	u.close(a, ledger.Failed, now)
	u.backOff(a, target.KindPermanent, 0, now)
	if r := u.reads.of(a.Target); r.err == nil {
		u.lost(a, r.state.Requested-r.state.Ready, now)
	}
	if b := u.history.Backoffs[a.Target].Up; a.Direction == policy.Up {
		b.NotConverged, b.GivenUp = true, ""
		u.history.SetBackoff(a.Target, policy.Up, b)
	}
	level.Error(u.logger).Log("msg", "not converged in time", "target", a.Target, "from", a.From, "to", a.To, "timeout", u.setup.provisioningTimeout)
	return true
}

// close makes the action final, and the move behind it once its last action
// is.
func (u *unit) close(a *ledger.Action, state ledger.ActionState, now time.Time) {
	a.State, a.Ended = state, now
	u.takeOver(a, now)
	failed := state == ledger.Failed || state == ledger.NotApplied
	if failed {
		u.failed(a)
	}
	for _, o := range u.open {
		if o.Decision == a.Decision && o.State.Open() {
			return
		}
	}
	u.history.Settled(a.Decision, now, failed)
}

// dropClosed forgets the open actions that are final by now.
func (u *unit) dropClosed() {
	u.open = slices.DeleteFunc(u.open, func(a *ledger.Action) bool { return !a.State.Open() })
}

// requested is the count to decide from: what the platform shows or, while it
// may not show it yet, what it accepted last.
func (u *unit) requested(name string, shown int, now time.Time) int {
	for _, a := range u.open {
		if a.Target == name && a.State == ledger.Accepted && !a.Seen && shown == a.From && now.Sub(a.Accepted) < visibleWithin {
			return a.To
		}
	}
	return shown
}
