package scaler

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// settle closes the open actions that are done, and writes what became of them.
func (u *unit) settle(shown []action.Reading, now time.Time) {
	r := u.actions.Settle(shown, now)
	u.tell(r, now)
	if len(r.Changed) > 0 {
		u.journal.settle(r.Changed)
	}
}

// compare finds out what someone else has changed, and has the ledger know it.
func (u *unit) compare(shown []action.Reading, now time.Time) []policy.ForeignChange {
	changes, events := u.actions.Compare(shown, now)
	u.reporter.report(events, u.setup, now)
	for _, c := range changes {
		if err := u.engine.opts.Ledger.SetRequested(u.name, c.Target, c.To, now); err != nil {
			level.Error(u.logger).Log("msg", "someone else's count not written", "target", c.Target, "err", err)
		}
	}
	return changes
}

// endBackoffs ends what kept the policy from asking its targets: what it wished
// for is there, somebody asks for another try, or nobody else has changed a
// target for long enough.
func (u *unit) endBackoffs(shown []action.Reading, now time.Time) {
	if u.retry.Swap(false) {
		u.tryAgain()
	}
	u.reporter.report(u.actions.EndBackoffs(shown, now), u.setup, now)
}

// tryAgain has the targets asked again, also by a server that is started anew.
func (u *unit) tryAgain() {
	level.Info(u.logger).Log("msg", "trying again, as an operator asked")
	u.actions.Retry()
	if err := u.engine.opts.Ledger.Commit(u.journal.of(nil)); err != nil {
		level.Error(u.logger).Log("msg", "that an operator asked to try again is not written, a restart forgets it", "err", err)
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
		u.runner.wake()
	}
	return true, held
}
