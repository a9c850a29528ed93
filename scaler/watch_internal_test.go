package scaler

import (
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestReplicasThatAreGone are lost where nobody asked for fewer, and only those
// that are missing from what was asked for.
func TestReplicasThatAreGone(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, test := range []struct {
		name                string
		was, requested, now int
		open                []*ledger.Action
		lost                int
	}{
		{"all are there", 4, 4, 4, nil, 0},
		{"two are gone", 4, 4, 2, nil, 2},
		{"too many that end are not lost", 6, 4, 5, nil, 0},
		{"of too many only what lacks in the end", 6, 4, 3, nil, 1},
		{"an action is under way", 4, 4, 2, []*ledger.Action{{Target: "swarm", Seen: true}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			requested := test.requested
			u := &unit{
				logger: log.NewNopLogger(), open: test.open,
				setup:   &setup{targets: []boundTarget{{name: "swarm"}}},
				reads:   readings{{name: "swarm", state: target.State{Requested: requested, Ready: test.now}}},
				history: policy.History{Targets: []policy.TargetMemory{{Name: "swarm", Requested: &requested, Ready: test.was}}},
			}
			if changes := u.watch(now); len(changes) > 0 {
				t.Errorf("changes %v, want none", changes)
			}
			lost := 0
			for _, l := range u.history.Of("swarm").Losses {
				lost += l.Lost
			}
			if lost != test.lost {
				t.Errorf("%d lost, want %d", lost, test.lost)
			}
			if m := u.history.Of("swarm"); m.Ready != test.now {
				t.Errorf("remembers %d ready, want %d", m.Ready, test.now)
			}
		})
	}
}
