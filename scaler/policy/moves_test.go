package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestOneDecisionIsOneMove however often it is told how far it went.
func TestOneDecisionIsOneMove(t *testing.T) {
	before := policy.Move{ID: "1", At: now, From: 1, To: 2}
	move := func(to int) policy.Move { return policy.Move{ID: "2", At: now, From: 2, To: to} }
	done := before
	done.Converged = now
	for _, test := range []struct {
		name string
		do   func(h *policy.History)
		want []policy.Move
	}{
		{"not at all", func(h *policy.History) { h.MovedSoFar(policy.Policy{}, move(2)) }, []policy.Move{before}},
		{"at once", func(h *policy.History) { h.MovedSoFar(policy.Policy{}, move(5)) }, []policy.Move{done, move(5)}},
		{"half-way, and then wholly", func(h *policy.History) {
			h.MovedSoFar(policy.Policy{}, move(3))
			h.MovedSoFar(policy.Policy{}, move(5))
		}, []policy.Move{done, move(5)}},
		{"there and back", func(h *policy.History) {
			h.MovedSoFar(policy.Policy{}, move(0))
			h.MovedSoFar(policy.Policy{}, move(2))
		}, []policy.Move{done}},
		{"found later", func(h *policy.History) { h.MovedAfterAll(policy.Policy{}, move(5)) }, []policy.Move{done, move(5)}},
		{"more of it found later", func(h *policy.History) {
			h.MovedSoFar(policy.Policy{}, move(3))
			h.MovedAfterAll(policy.Policy{}, policy.Move{ID: "2", At: now, From: 7, To: 9})
		}, []policy.Move{done, move(5)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &policy.History{Moves: []policy.Move{before}}
			test.do(h)
			if diff := cmp.Diff(test.want, h.Moves); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
