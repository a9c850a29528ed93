package status

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestTheAPIKeepsItsNames: whoever reads the API knows the fields by these, and
// what is not known, or is nothing, is left out where it says so.
func TestTheAPIKeepsItsNames(t *testing.T) {
	at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	half := 0.5
	full := Policy{
		Name: "web", Discovery: "shop", Mode: policy.ModeOn, Min: 1, Max: 9,
		Targets: []Target{{
			Name: "own", Platform: "process", Requested: 3, Ready: 2, ReadAt: at, Error: "refused", Draining: []string{"a"},
			BackoffUpUntil: at, BackoffDownUntil: at, BackoffUntil: at, ProvisioningSeconds: 4, LossRatio: 0.1, CostPerHour: &half,
		}},
		AlertsUp: 1, AlertsDown: 2, CooldownUpUntil: at, CooldownDownUntil: at,
		Pause: &policy.Pause{By: "ann", Comment: "a look", Since: at}, Silences: []policy.Pause{{By: "ben"}},
		Contest: &policy.Contest{}, BlockUp: []string{"x"}, BlockDown: []string{"y"},
		Budgets: []Budget{{
			Name: "all", MaxReplicas: 20, MaxCostPerHour: 2, HeldReplicas: 7, HeldCostPerHour: 1, Replicas: 3, CostPerHour: 0.5,
			Lacks: 1, LacksCostPerHour: 0.2, Rivals: []string{"r"}, Victims: []string{"v"}, MoreRivals: 1, MoreVictims: 2,
		}},
		Last: &policy.Decision{}, Explanation: "why",
	}
	for _, test := range []struct {
		name   string
		status Policy
		of     func(map[string]any) any
		want   []string
	}{
		{"a policy", full, func(m map[string]any) any { return m }, []string{
			"alerts_down", "alerts_up", "block_down", "block_up", "budgets", "contest", "cooldown_down_until", "cooldown_up_until", "discovery",
			"explanation", "last_decision", "max", "min", "mode", "name", "pause", "silences", "targets",
		}},
		{"a target", full, func(m map[string]any) any { return m["targets"].([]any)[0] }, []string{
			"backoff_down_until", "backoff_until", "backoff_up_until", "cost_per_hour", "draining", "error", "loss_ratio", "name", "platform",
			"provisioning_seconds", "read_at", "ready", "requested",
		}},
		{"a budget", full, func(m map[string]any) any { return m["budgets"].([]any)[0] }, []string{
			"cost_per_hour", "held_cost_per_hour", "held_replicas", "lacks", "lacks_cost_per_hour", "max_cost_per_hour", "max_replicas",
			"more_rivals", "more_victims", "name", "replicas", "rivals", "victims",
		}},
		{"nothing of a policy", Policy{}, func(m map[string]any) any { return m }, []string{
			"alerts_down", "alerts_up", "cooldown_down_until", "cooldown_up_until", "max", "min", "mode", "name", "targets",
		}},
		{"nothing of a target", Policy{Targets: []Target{{}}}, func(m map[string]any) any { return m["targets"].([]any)[0] }, []string{
			"name", "platform", "read_at", "ready", "requested",
		}},
		{"nothing of a budget", Policy{Budgets: []Budget{{}}}, func(m map[string]any) any { return m["budgets"].([]any)[0] }, []string{
			"held_replicas", "name", "replicas",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := json.Marshal(test.status)
			if err != nil {
				t.Fatal(err)
			}
			var all map[string]any
			if err := json.Unmarshal(b, &all); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, slices.Sorted(maps.Keys(test.of(all).(map[string]any)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var again Policy
			if err := json.Unmarshal(b, &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.status, again); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}
