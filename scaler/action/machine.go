package action

import (
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// VisibleWithin is how long a platform may take to show what it accepted.
// Cloud APIs answer reads from behind their writes.
const VisibleWithin = time.Minute

// Rules are what a configuration says of how outcomes are judged.
type Rules struct {
	// Policy is never changed.
	Policy *policy.Policy
	// Interval is the time between two evaluations: the least that a throttled
	// target is left alone.
	Interval time.Duration
	// ProvisioningTimeout is how long replicas may take to become ready.
	ProvisioningTimeout time.Duration
}

// Machine judges what comes of one policy's actions. It is not safe for
// concurrent use.
type Machine struct {
	rules   Rules
	history *policy.History
	open    []*Action
}

// New returns a machine with the actions that an earlier run left open. It
// changes h, which it shares with those who remember other things in it.
func New(r Rules, h *policy.History, open []Action) *Machine {
	m := &Machine{rules: r, history: h}
	for i := range open {
		m.open = append(m.open, &open[i])
	}
	return m
}

// Result is what came of looking at the open actions.
type Result struct {
	// Changed are to be written, together with the history.
	Changed []Action
	// Events in the order in which they happened.
	Events []Event
}

func (r *Result) tell(e Event) { r.Events = append(r.Events, e) }

// Judge has outcomes judged by other rules from now on.
func (m *Machine) Judge(r Rules) { m.rules = r }

// Open returns a copy of the actions that are open.
func (m *Machine) Open() []Action {
	var out []Action
	for _, a := range m.open {
		out = append(out, *a)
	}
	return out
}

// Idle reports whether no action is open.
func (m *Machine) Idle() bool { return len(m.open) == 0 }

// Acting reports whether an action of the target is open.
func (m *Machine) Acting(target string) bool {
	return slices.ContainsFunc(m.open, func(a *Action) bool { return a.Target == target })
}

// unseen reports whether the target may have a number that it does not show
// yet.
func (m *Machine) unseen(target string) bool {
	return slices.ContainsFunc(m.open, func(a *Action) bool { return a.Target == target && !a.Seen })
}

// Waits reports whether an action is open that may still become ready in its
// time, leaving out the targets that the policy has no more and those that skip
// names.
func (m *Machine) Waits(now time.Time, skip func(target string) bool) bool {
	return slices.ContainsFunc(m.open, func(a *Action) bool {
		return now.Sub(a.Created) < m.rules.ProvisioningTimeout && !skip(a.Target)
	})
}

// NextLook is when to look again at what is open, wait at most. It is often at
// first, so that the provisioning time is measured to a tenth, and ever less
// often as that grows.
func (m *Machine) NextLook(wait time.Duration, now time.Time) time.Duration {
	for _, a := range m.open {
		wait = min(wait, max(500*time.Millisecond, now.Sub(a.Created)/10))
	}
	return wait
}

// Shift moves the times of the open actions along with a correction of the
// clock, and brings back to now what would be later.
func (m *Machine) Shift(d time.Duration, now time.Time) {
	for _, a := range m.open {
		a.shift(d)
		a.Clamp(now)
	}
}

// Observe is a target as the decision is to see it: with the number that it
// accepted last, while it may not show that yet, and with the replicas that are
// not expected any more.
func (m *Machine) Observe(r Reading, now time.Time) policy.TargetState {
	b := m.history.Backoffs[r.Target]
	s := policy.TargetState{
		Name: r.Target, Requested: m.requested(&r, now), Ready: r.Ready, Min: r.Min, Max: r.Max,
		BackoffUpUntil: b.Up.Until, BackoffDownUntil: b.Down.Until, Error: r.Problem,
	}
	if b.Up.NotConverged && b.Up.Until.After(now) && !b.Up.TakeBackAt.After(now) {
		s.Stuck, s.StuckBy = max(0, s.Requested-r.Ready), b.Up.GivenUp
	}
	return s
}

func (m *Machine) requested(r *Reading, now time.Time) int {
	if a := m.invisible(r, now); a != nil {
		return a.To
	}
	return r.Requested
}

// invisible is the action that the target accepted and may not show yet; nil:
// what it shows is what it has.
func (m *Machine) invisible(r *Reading, now time.Time) *Action {
	for _, a := range m.open {
		if a.Target == r.Target && a.State == Accepted && !a.Seen && r.Requested == a.From && now.Sub(a.Accepted) < VisibleWithin {
			return a
		}
	}
	return nil
}

// remember notes what a target is known to have.
func (m *Machine) remember(target string, requested, ready int) {
	known := m.history.Of(target)
	if known.Requested != nil && *known.Requested == requested && known.Ready == ready {
		return
	}
	m.history.Remember(target, func(t *policy.TargetMemory) { t.Requested, t.Ready = &requested, ready })
}

// counted adds to what the strategy "loss" goes by.
func (m *Machine) counted(target string, asked, lost int, now time.Time) {
	m.history.Remember(target, func(t *policy.TargetMemory) { t.Counted(asked, lost, now) })
}

// lost counts replicas of an action that goes up.
func (m *Machine) lost(a *Action, n int, now time.Time) {
	if a.Direction != policy.Up || n <= 0 {
		return
	}
	asked := 0
	if a.Accepted.IsZero() {
		asked = a.rise() // accepted ones were counted then
	}
	m.counted(a.Target, asked, n, now)
}
