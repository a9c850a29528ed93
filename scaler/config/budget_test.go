package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

func TestBudgetRules(t *testing.T) {
	c := load(t, "full.good.yml")
	want := []config.BudgetRule{
		{Budget: policy.Budget{Name: "shop", MaxReplicas: 22}, Members: []string{"web", "batch"}},
		{Budget: policy.Budget{Name: "money", MaxCostPerHour: 3.5}, Members: []string{"web"}},
	}
	if diff := cmp.Diff(want, c.BudgetRules()); diff != "" {
		t.Errorf("budgets (-want +got):\n%s", diff)
	}
}

// TestBudgetThatJustFits: the cheapest way counts, a target's own min costs
// even where it is the dearer, and a sum of prices is compared with tolerance.
func TestBudgetThatJustFits(t *testing.T) {
	for name, test := range map[string]struct {
		budget string
		web    string
		fits   bool
	}{
		"cheapest first, up to its max": {`max_cost_per_hour: 5`, `min: 2, max: 9, targets: [
			{ name: b, cost_per_hour: 3, process: { command: [sh] } }, { name: a, cost_per_hour: 2, max: 1, process: { command: [sh] } } ]`, true},
		"one cent less": {`max_cost_per_hour: 4.99`, `min: 2, max: 9, targets: [
			{ name: b, cost_per_hour: 3, process: { command: [sh] } }, { name: a, cost_per_hour: 2, max: 1, process: { command: [sh] } } ]`, false},
		"the dear one has a min of its own": {`max_cost_per_hour: 4.99`, `min: 1, max: 9, targets: [
			{ name: b, cost_per_hour: 5, min: 1, process: { command: [sh] } }, { name: a, cost_per_hour: 1, process: { command: [sh] } } ]`, false},
		"tenths": {`max_cost_per_hour: 0.3`, `min: 3, max: 9, targets: [
			{ name: a, cost_per_hour: 0.1, process: { command: [sh] } } ]`, true},
		"min of the targets above that of the policy": {`max_replicas: 2`, `min: 1, max: 9, targets: [
			{ name: a, min: 3, process: { command: [sh] } } ]`, false},
		"replicas": {`max_replicas: 3`, `min: 3, max: 9, targets: [ { name: a, process: { command: [sh] } } ]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			text := `{ budgets: [ { name: all, policies: ['name=~".+"'], ` + test.budget + ` } ], policies: [ { name: web, ` + test.web + ` } ] }`
			_, err := config.Load("budget.yml", []byte(text), install.Registry())
			if (err == nil) != test.fits {
				t.Errorf("fits: %t, want %t: %v", err == nil, test.fits, err)
			}
		})
	}
}
