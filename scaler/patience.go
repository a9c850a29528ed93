package scaler

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

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
	if u.history.Of(r.name).Stands != s {
		u.history.Remember(r.name, func(m *policy.TargetMemory) { m.Stands = s })
	}
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
