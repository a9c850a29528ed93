package scaler

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// watch compares what the targets show with what was last known of them, once
// the actions are settled: a count that nobody here asked for is someone
// else's, and replicas that are gone are lost.
func (u *unit) watch(now time.Time) []policy.ForeignChange {
	var changes []policy.ForeignChange
	for _, t := range u.setup.targets {
		r := u.reads.of(t.name)
		if r.err != nil || u.unseen(t.name) {
			continue
		}
		m := u.history.Of(t.name)
		switch {
		case m.Requested == nil:
		case *m.Requested != r.state.Requested:
			changes = append(changes, policy.ForeignChange{Target: t.name, From: *m.Requested, To: r.state.Requested})
		case r.state.Ready < m.Ready && r.state.Ready < r.state.Requested && !u.acting(t.name):
			u.history.Counted(t.name, 0, min(m.Ready, r.state.Requested)-r.state.Ready, now)
		}
		u.remembered(t.name, r.state.Requested, r.state.Ready)
	}
	for _, c := range changes {
		u.foreign(c, now)
	}
	return changes
}

// foreign records that someone else set a target's count. It is not fought:
// what is decided next starts from it, and the windows start anew.
func (u *unit) foreign(c policy.ForeignChange, now time.Time) {
	level.Info(u.logger).Log("msg", "someone else changed the target", "target", c.Target, "from", c.From, "to", c.To)
	u.counts.ForeignChange(c.Target)
	u.history.ForeignChanged(u.setup.rules, c, now)
	if err := u.engine.opts.Ledger.SetRequested(u.name, c.Target, c.To, now); err != nil {
		level.Error(u.logger).Log("msg", "someone else's count not written", "target", c.Target, "err", err)
	}
}

// remembered notes what a target is known to have.
func (u *unit) remembered(name string, requested, ready int) {
	u.history.Found(name, requested, ready)
}

// acting reports whether an action of the target is open.
func (u *unit) acting(name string) bool {
	for _, a := range u.open {
		if a.Target == name {
			return true
		}
	}
	return false
}

// unseen reports whether the target may have a number that it does not show
// yet.
func (u *unit) unseen(name string) bool {
	for _, a := range u.open {
		if a.Target == name && !a.Seen {
			return true
		}
	}
	return false
}
