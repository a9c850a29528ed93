package budget

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	// fleetWindow is the time within which policies begin to want fewer
	// replicas together.
	fleetWindow = time.Minute
	// fleetPause is how long they are all held if too many do: long enough
	// for an outage of what usage is read from to be noticed, and not for
	// ever, since a fleet may be idle.
	fleetPause = 10 * time.Minute
	// fleetLeast is how many must want it at least: two of three are no fleet.
	fleetLeast = 3
)

// fleet knows since when each policy has wanted fewer replicas, to tell a
// fleet that all at once wants to scale down from policies that each do.
type fleet struct {
	share float64
	// size is how many policies can scale down at all; the others do not count.
	size int
	// since is by policy, in seconds since the epoch; begun counts those that
	// began in each second.
	since map[string]int64
	begun map[int64]int
}

// configure takes over how many policies there are, and what those remember
// that the fleet does not know yet.
func (f *fleet) configure(share float64, members map[string]Member) {
	f.share, f.size = share, 0
	if f.since == nil {
		f.since, f.begun = make(map[string]int64), make(map[int64]int)
	}
	for name, m := range members {
		if m.Rules.Mode != policy.ModeOn {
			f.set(name, time.Time{})
			continue
		}
		f.size++
		if _, ok := f.since[name]; !ok {
			f.set(name, m.History.DownSince)
		}
	}
	for name := range f.since {
		if _, stays := members[name]; !stays {
			f.set(name, time.Time{})
		}
	}
}

// set notes since when a policy wants fewer replicas; zero: it does not.
func (f *fleet) set(name string, since time.Time) {
	if old, ok := f.since[name]; ok {
		if old == since.Unix() {
			return
		}
		if f.begun[old]--; f.begun[old] == 0 {
			delete(f.begun, old)
		}
		delete(f.since, name)
	}
	if !since.IsZero() {
		f.since[name] = since.Unix()
		f.begun[since.Unix()]++
	}
}

// hold says whether a policy that has wanted fewer replicas since then may not
// have them; the zero time is one that may begin to now. Until a whole minute
// has passed, nobody knows who else does.
func (f *fleet) hold(since, now time.Time) *policy.FleetHold {
	if !f.guards() {
		return nil
	}
	if since.IsZero() || since.After(now) {
		since = now
	}
	if end := since.Add(fleetWindow); end.After(now) {
		return &policy.FleetHold{Until: end, Policies: f.size}
	}
	end := since.Add(fleetPause)
	if !end.After(now) {
		return nil
	}
	if n := f.together(since.Unix()); n >= fleetLeast && float64(n) > f.share*float64(f.size) {
		return &policy.FleetHold{Until: end, Wanting: n, Policies: f.size}
	}
	return nil
}

// holdOf is hold for a policy that remembers. A hold lasts as long as it said
// it would, also when some of those who wanted the same do no more.
func (f *fleet) holdOf(h *policy.History, now time.Time) *policy.FleetHold {
	hold := f.hold(h.DownSince, now)
	if was := h.FleetHold; hold == nil && was != nil && was.Until.After(now) && f.guards() {
		return was
	}
	return hold
}

// guards reports whether there is a fleet to guard.
func (f *fleet) guards() bool { return f.share < 1 && f.size >= fleetLeast }

// together is the most that began within one minute, t being in it.
func (f *fleet) together(t int64) int {
	const window = int64(fleetWindow / time.Second)
	n, most := 0, 0
	for s := t - window + 1; s < t+window; s++ {
		n += f.begun[s]
		if s >= t {
			most = max(most, n)
			n -= f.begun[s-window+1]
		}
	}
	return most
}
