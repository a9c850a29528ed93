package budget

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Turn is one policy's decision. While it lasts nobody else decides, so that
// two cannot take the same room.
type Turn struct {
	pool  *Pool
	rules *policy.Policy
}

// Turn waits until nobody decides. Whoever has it must End it.
func (p *Pool) Turn(rules *policy.Policy) Turn {
	p.mu.Lock()
	return Turn{p, rules}
}

// End lets others decide.
func (t Turn) End() { t.pool.mu.Unlock() }

// FleetHold is what keeps the policy from scaling down because of the others;
// nil: nothing. A hold lasts as long as it said it would, also when some of
// those who wanted the same do no more.
func (t Turn) FleetHold(h *policy.History, now time.Time) *policy.FleetHold {
	return t.pool.fleet.holdOf(h, now)
}

// Rooms are what the policy may have of its budgets. They are worked out only
// where they may be needed: where nothing can rise, no budget is in the way.
func (t Turn) Rooms(o *policy.Observation) []policy.Room {
	accounts := t.pool.of[t.rules.Name]
	if len(accounts) == 0 || !canRise(t.rules, o) {
		return nil
	}
	t.pool.expectClaims()
	rooms := make([]policy.Room, len(accounts))
	for i, a := range accounts {
		rooms[i] = a.shares.Room(a.index[t.rules.Name])
	}
	return rooms
}

func canRise(p *policy.Policy, o *policy.Observation) bool {
	switch p.OnMissing.Behavior {
	case policy.MissingStatic, policy.MissingCurrentIfHigher:
		return true // without any alert, and as far as the known resources need
	case policy.MissingHold, policy.MissingAlertStep:
	}
	if o.Up > 0 {
		return true
	}
	n := 0
	for i := range o.Targets {
		if o.Targets[i].Stuck > 0 {
			return true
		}
		n += o.Targets[i].Requested
	}
	lowest, _ := p.Bounds(o.Targets)
	return n < lowest
}

// Decided takes in what the policy decided: what it holds and lacks by now and,
// in its history, since when it wants fewer replicas.
//
// First is set where the policy was woken and had not decided since: others may
// have waited for that. Where it leaves more to those of lower priority than it
// was taken to, the ones that lack something are returned.
func (t Turn) Decided(h *policy.History, o *policy.Observation, d *policy.Decision, first bool) (lacking []string) {
	name := t.rules.Name
	for _, a := range t.pool.of[name] {
		i := a.index[name]
		was := a.shares.At(i)
		is := was
		is.holds(t.rules, o, d)
		is.Lacks(a.rule.Name, claims(d.Mode, d.Cuts))
		a.shares.Set(i, is)
		if first && leavesMore(&was, &is) {
			for _, j := range a.shares.Lacking(i) {
				lacking = append(lacking, a.members[j].name)
			}
		}
	}
	if t.rules.Mode == policy.ModeOn {
		t.pool.fleet.set(name, h.DownSince)
	}
	return lacking
}
