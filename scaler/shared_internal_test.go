package scaler

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestWhatAPolicyHoldsBeforeItsFirstDecision: after a restart what is under way
// and what was lacking count as they did before.
func TestWhatAPolicyHoldsBeforeItsFirstDecision(t *testing.T) {
	price := 0.5
	p := &policy.Policy{Name: "web", Min: 1, Max: 20, Targets: []policy.Target{{Name: "own", CostPerHour: &price}, {Name: "burst"}}}
	four, two := 4, 2
	known := policy.History{
		Targets: []policy.TargetMemory{{Name: "own", Requested: &four}, {Name: "burst", Requested: &two}},
		Cuts:    []policy.Cut{{Budget: "shop", Replicas: 3}, {Budget: "other", Replicas: 9}, {Budget: "shop", CostPerHour: 1}},
	}
	for _, test := range []struct {
		name string
		view view
		want policy.Holding
	}{
		{"nothing is known", view{}, policy.Holding{Replicas: 20, CostPerHour: 10}},
		{"counts and cuts", view{history: known}, policy.Holding{Replicas: 6, CostPerHour: 2, Wants: 3, WantsCostPerHour: 1}},
		{
			"more under way on one target, fewer on the other",
			view{history: known, open: []ledger.Action{{Target: "own", From: 4, To: 7}, {Target: "burst", From: 2, To: 1}}},
			policy.Holding{Replicas: 9, CostPerHour: 3.5, Wants: 3, WantsCostPerHour: 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := &unit{}
			u.view.Store(&test.view)
			test.want.Policy, test.want.Min, test.want.Max = "web", 1, 20
			if diff := cmp.Diff(test.want, holdingOf(u, p, "shop")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestWhatWasRefusedIsNotHeld: the room that a decision took is free again
// once the targets have refused it.
func TestWhatWasRefusedIsNotHeld(t *testing.T) {
	u := &unit{name: "web", setup: &setup{rules: policy.Policy{Name: "web"}}}
	rule := policy.Budget{Name: "shop", MaxReplicas: 10}
	b := &sharedBudget{rule: rule, shares: policy.NewShares(rule, []policy.Holding{{Policy: "web", Replicas: 6}}), members: []member{{unit: u}}, index: map[string]int{"web": 0}}
	s := &shared{of: map[string][]*sharedBudget{"web": {b}}}
	s.refused(u, &policy.Observation{}, &policy.Decision{Current: 2, Desired: 3, Act: true})
	if got := b.shares.At(0).Replicas; got != 3 {
		t.Errorf("holds %d, want 3", got)
	}
}
