package action

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// takeBackInterval is how long a target that did not give back what never
// became ready is not asked for it again.
const takeBackInterval = time.Minute

var bothWays = []policy.Direction{policy.Up, policy.Down}

// backOff leaves a target alone for a while, in the direction of the action
// that it did not take. Throttling waits as long as the platform asked, both
// ways, and counts for nothing; what may pass by itself begins with seconds;
// everything else begins with minutes.
func (m *Machine) backOff(a *Action, f Failure, now time.Time) {
	b := m.history.Backoffs[a.Target].Of(a.Direction)
	b.Wanted = new(a.To)
	switch f.Verdict {
	case Throttled:
		b.Until = now.Add(max(f.RetryAfter, m.rules.Interval))
		m.throttled(a, b.Until)
	case Unanswered, Contended:
		b.Until = now.Add(max(f.RetryAfter, Doubling(5*time.Second, 5*time.Minute, b.Failures)))
		b.Failures++
	default:
		b.Until = now.Add(max(f.RetryAfter, Doubling(5*time.Minute, 30*time.Minute, b.Failures)))
		b.Failures++
	}
	m.history.SetBackoff(a.Target, a.Direction, b)
}

// Doubling is base · 2ⁿ, limit at most.
func Doubling(base, limit time.Duration, n int) time.Duration {
	for ; n > 0 && base < limit; n-- {
		base *= 2
	}
	return min(base, limit)
}

// throttled keeps a target from being asked the other way as well: the
// platform has said when it wants to be asked again, for whatever.
func (m *Machine) throttled(a *Action, until time.Time) {
	other := policy.Up
	if a.Direction == policy.Up {
		other = policy.Down
	}
	if b := m.history.Backoffs[a.Target].Of(other); b.Until.Before(until) {
		b.Until = until
		m.history.SetBackoff(a.Target, other, b)
	}
}

// declined leaves a target alone that did not take an action.
func (m *Machine) declined(a *Action, f Failure, now time.Time) Event {
	m.backOff(a, f, now)
	if b := m.history.Backoffs[a.Target].Up; a.Direction == policy.Down && b.NotConverged {
		// It does not even give back what never became ready.
		b.TakeBackAt = now.Add(takeBackInterval)
		m.history.SetBackoff(a.Target, policy.Up, b)
	}
	e := of(Declined, a)
	e.Failure, e.Until = f, m.history.Backoffs[a.Target].Of(a.Direction).Until
	return e
}

// endBackoff ends the backoff of a target that took a number, in that
// direction. One whose replicas never became ready proves itself by replicas
// that do: until then its failures count.
func (m *Machine) endBackoff(a *Action) {
	b := m.history.Backoffs[a.Target].Of(a.Direction)
	if b.NotConverged {
		b.NotConverged = false
	} else {
		b = policy.Backoff{}
	}
	m.history.SetBackoff(a.Target, a.Direction, b)
}

// unproven notes that a target took a number whose replicas did not come.
func (m *Machine) unproven(target, givenUp string) {
	b := m.history.Backoffs[target].Up
	b.NotConverged, b.GivenUp = true, givenUp
	m.history.SetBackoff(target, policy.Up, b)
}

// proven forgets the failures of a target whose replicas became ready.
func (m *Machine) proven(target string, now time.Time) {
	if !m.history.Backoffs[target].Up.Until.After(now) {
		m.history.SetBackoff(target, policy.Up, policy.Backoff{})
	}
}

// EndBackoffs ends those of targets that have what was asked of them by now,
// and the contest once nobody else has changed a target for long enough.
func (m *Machine) EndBackoffs(rs []Reading, now time.Time) []Event {
	var out []Event
	for i := range rs {
		r := &rs[i]
		if r.Problem != "" {
			continue
		}
		for _, d := range bothWays {
			b := m.history.Backoffs[r.Target].Of(d)
			if !b.Fulfilled(d, r.Requested, r.Ready) {
				continue
			}
			if b.Until.After(now) {
				out = append(out, Event{Happening: Fulfilled, Target: r.Target, Found: r.Requested})
			}
			m.history.SetBackoff(r.Target, d, policy.Backoff{})
		}
	}
	contested := m.history.Contest.Active(now)
	m.history.ContestOver(now)
	if contested && m.history.Contest == nil {
		out = append(out, Event{Happening: Quiet})
	}
	return out
}

// Retry has every target asked again, whoever refused or undid what.
func (m *Machine) Retry() { m.history.Retry() }

// Reconfigured takes in that the policy has another configuration, told apart
// from others by its fingerprint: what another one has led to is over, and so
// is what replaced targets have refused. Resumes is set where that has targets
// asked again that were left alone.
func (m *Machine) Reconfigured(replaced []string, fingerprint string, now time.Time) (resumes bool) {
	for _, name := range replaced {
		// A target of the same name is another one, or has other credentials.
		for _, d := range bothWays {
			m.history.SetBackoff(name, d, policy.Backoff{})
		}
	}
	if was := m.history.Config; was != "" && was != fingerprint {
		resumes = m.history.Held(now)
		m.history.Retry()
	}
	m.history.Config = fingerprint
	return resumes
}
