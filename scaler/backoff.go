package scaler

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

var bothWays = []policy.Direction{policy.Up, policy.Down}

// throttled keeps a target from being asked the other way as well: the
// platform has said when it wants to be asked again, for whatever.
func (u *unit) throttled(a *ledger.Action, until time.Time) {
	other := policy.Up
	if a.Direction == policy.Up {
		other = policy.Down
	}
	if b := u.history.Backoffs[a.Target].Of(other); b.Until.Before(until) {
		b.Until = until
		u.history.SetBackoff(a.Target, other, b)
	}
}

// accepted ends the backoff of a target that took a number, in that direction.
// One whose replicas never became ready proves itself by replicas that do:
// until then its failures count.
func (u *unit) accepted(a *ledger.Action) {
	u.history.Accepted(a.Target, a.From, a.To)
	b := u.history.Backoffs[a.Target].Of(a.Direction)
	if b.NotConverged {
		b.NotConverged = false
	} else {
		b = policy.Backoff{}
	}
	u.history.SetBackoff(a.Target, a.Direction, b)
}

// failed forgets what was asked of a target and came to nothing: whoever finds
// another number has not changed it.
func (u *unit) failed(a *ledger.Action) {
	u.history.CameToNothing(a.Target, a.To)
}

// endHolds ends what kept the policy from asking its targets: what it wished
// for is there, somebody asks for another try, or nobody else has changed a
// target for long enough.
func (u *unit) endHolds(now time.Time) {
	for _, t := range u.setup.targets {
		r := u.reads.of(t.name)
		if r.err != nil || r.at.IsZero() {
			continue
		}
		for _, d := range bothWays {
			b := u.history.Backoffs[t.name].Of(d)
			if !b.Fulfilled(d, r.state.Requested, r.state.Ready) {
				continue
			}
			if b.Until.After(now) {
				level.Info(u.logger).Log("msg", "the target has what it was asked for, so the backoff is over", "target", t.name, "requested", r.state.Requested, "ready", r.state.Ready)
			}
			u.history.SetBackoff(t.name, d, policy.Backoff{})
		}
	}
	if u.retry.Swap(false) {
		u.tryAgain()
	}
	contested := u.history.Contest.Active(now)
	u.history.ContestOver(now)
	if c := u.history.Contest; contested && c == nil {
		level.Info(u.logger).Log("msg", "nobody else changes the targets any more")
	}
}

// tryAgain has the targets asked again, also by a server that is started anew.
func (u *unit) tryAgain() {
	level.Info(u.logger).Log("msg", "trying again, as an operator asked")
	u.history.Retry()
	if err := u.engine.opts.Ledger.Commit(u.remember(nil)); err != nil {
		level.Error(u.logger).Log("msg", "that an operator asked to try again is not written, a restart forgets it", "err", err)
	}
}

// configured ends what another configuration has led to.
func (u *unit) configured(s *setup) {
	for _, t := range s.shed {
		// A target of the same name is another one, or has other credentials.
		for _, d := range bothWays {
			u.history.SetBackoff(t.name, d, policy.Backoff{})
		}
	}
	if u.history.Configured(s.fingerprint, u.engine.opts.Now()) {
		level.Info(u.logger).Log("msg", "the configuration of the policy has changed, so its targets are asked again")
	}
}

// Retry has the policy ask targets again that are left alone after failures,
// and go on where someone else keeps undoing what it asks for. Held is false
// where nothing kept it from asking. It is remembered by the next evaluation,
// which begins now.
func (e *Engine) Retry(name string) (found, held bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u := e.units[name]
	if u == nil {
		return false, false
	}
	v := u.view.Load()
	held = v.history.Held(e.opts.Now())
	switch {
	case !e.started:
		u.tryAgain() // nothing is in flight
	case !e.stopped:
		u.retry.Store(true)
		u.wake()
	}
	return true, held
}
