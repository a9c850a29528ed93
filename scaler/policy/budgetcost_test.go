package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestABudgetOnCostNamesThePolicies on both sides of a cut, as one on replicas
// does.
func TestABudgetOnCostNamesThePolicies(t *testing.T) {
	price := 0.5
	p := policy.Policy{
		Name: "web", Mode: policy.ModeOn, Min: 1, Max: 10, AlertStep: policy.AlertStep{Up: policy.Amount{Replicas: 4}},
		Targets: []policy.Target{{Name: "swarm", CostPerHour: &price}},
	}
	money := 2.0
	o := policy.Observation{
		Up: 1, Targets: []policy.TargetState{{Name: "swarm", Requested: 2, Ready: 2}},
		Budgets: []policy.Room{{Budget: "shop", CostPerHour: &money, Rivals: []string{"api"}, Victims: []string{"batch", "mail"}}},
	}
	d := policy.Decide(p, o, policy.History{}, time.Unix(0, 0))
	text := d.Explain()
	if d.Desired != 4 {
		t.Errorf("desired %d, want the 4 that 2 an hour pays for", d.Desired)
	}
	for _, want := range []string{"budget shop leaves 2, at the expense of batch, mail", "budget shop leaves 2 and cuts 2, the rest is held by api"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}

// TestCutsAreRemembered until the next decision, apart from it.
func TestCutsAreRemembered(t *testing.T) {
	var h policy.History
	d := policy.Decision{Cuts: []policy.Cut{{Budget: "shop", Replicas: 3}}}
	h.Observe(policy.Policy{}, d)
	c := h.Clone()
	h.Observe(policy.Policy{}, policy.Decision{})
	if len(h.Cuts) != 0 || len(c.Cuts) != 1 || c.Cuts[0].Replicas != 3 {
		t.Errorf("now %v, before %v", h.Cuts, c.Cuts)
	}
}
