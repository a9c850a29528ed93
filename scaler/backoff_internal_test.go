package scaler

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestWhatATargetAcceptsEndsItsBackoff: a refusal is over once a number was
// taken; replicas that never became ready are not.
func TestWhatATargetAcceptsEndsItsBackoff(t *testing.T) {
	until := time.Unix(1000, 0)
	refused := policy.Backoff{Until: until, Failures: 2}
	late := policy.Backoff{Until: until, Failures: 2, NotConverged: true}
	for _, test := range []struct {
		name      string
		backoff   policy.Backoff
		direction policy.Direction
		want      policy.Backoff
	}{
		{"up after a refusal", refused, policy.Up, policy.Backoff{}},
		{"down after a refusal of more", refused, policy.Down, refused},
		{"down after replicas that were not ready", late, policy.Down, late},
		{"up after replicas that were not ready", late, policy.Up, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := &unit{history: policy.History{Backoffs: map[string]policy.Backoffs{"swarm": {Up: test.backoff}}}}
			u.accepted(&ledger.Action{Target: "swarm", Direction: test.direction})
			if got := u.history.Backoffs["swarm"].Up; got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
