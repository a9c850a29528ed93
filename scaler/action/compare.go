package action

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Compare compares what the targets show with what was last known of them, once
// the actions are settled: a count that nobody here asked for is someone
// else's, and replicas that are gone are lost. A change by someone else is not
// fought: what is decided next starts from it, and the windows start anew. The
// ledger is to be told of it, so that a target which loses its replicas with
// the server gets that number back.
func (m *Machine) Compare(rs []Reading, now time.Time) (changes []policy.ForeignChange, events []Event) {
	for i := range rs {
		r := &rs[i]
		if r.Problem != "" || m.unseen(r.Target) {
			continue
		}
		known := m.history.Of(r.Target)
		switch {
		case known.Requested == nil:
		case *known.Requested != r.Requested:
			changes = append(changes, policy.ForeignChange{Target: r.Target, From: *known.Requested, To: r.Requested})
		case r.Ready < known.Ready && r.Ready < r.Requested && !m.Acting(r.Target):
			m.counted(r.Target, 0, min(known.Ready, r.Requested)-r.Ready, now)
		}
		m.remember(r.Target, r.Requested, r.Ready)
	}
	for _, c := range changes {
		events = append(events, Event{Happening: Foreign, Target: c.Target, Was: c.From, Found: c.To})
		m.history.ForeignChanged(*m.rules.Policy, c, now)
	}
	return changes, events
}
