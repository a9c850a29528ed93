package simulate

import (
	"math"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
)

// TestAlerting: the generated alerts hold for what the policy needs and has.
// One replica holds 2, and the policy's min is 2.
func TestAlerting(t *testing.T) {
	none, ratio := config.Reservation{}, config.Reservation{Ratio: 0.25}
	scheduled := config.Reservation{Schedules: []*config.Schedule{{Cron: "0 8 * * *"}}}
	learnt := config.Reservation{Ratio: 0.25, Objective: 0.99}
	for _, test := range []struct {
		name      string
		reserved  config.Reservation
		usage     float64
		requested float64
		// exported is what each entry keeps free.
		exported map[string]float64
		up, down bool
	}{
		{"as many as needed", none, 8, 4, nil, false, false},
		{"a little more is needed", none, 8.1, 4, nil, true, false},
		{"whole but for rounding", none, 8 * (1 + 1e-12), 4, nil, false, false},
		{"fewer are needed", none, 6, 4, nil, false, true},
		{"fewer are needed at the minimum", none, 0, 2, nil, false, false},
		{"nothing runs, nothing is needed", none, 0, 0, nil, false, false},
		{"nothing runs, something is needed", none, 0.001, 0, nil, true, false},
		{"a ratio keeps a quarter free", ratio, 12, 7, nil, true, false},
		{"a ratio that is kept", ratio, 12, 8, nil, false, false},
		{"a threshold beside a smaller ratio", config.Reservation{Ratio: 0.25, Threshold: 10}, 12, 10, nil, true, false},
		{"whole replicas beside a ratio", config.Reservation{Ratio: 0.25, Replicas: 5}, 12, 10, nil, true, false},
		{"whole replicas that are kept", config.Reservation{Ratio: 0.25, Replicas: 5}, 12, 11, nil, false, false},
		{"a schedule that counts", scheduled, 4, 4, map[string]float64{"policy schedule 0 8 * * * for 1h in UTC": 6}, true, false},
		{"a schedule outside its window", scheduled, 4, 4, map[string]float64{"policy schedule 0 8 * * * for 1h in UTC": 0}, false, true},
		{"a schedule of which nothing is known", scheduled, 4, 4, nil, false, false},
		{"what was learnt is more than the ratio", learnt, 12, 9, map[string]float64{"policy objective": 8}, true, false},
		{"what was learnt is less than the ratio", learnt, 12, 9, map[string]float64{"policy objective": 1}, false, true},
		{"nothing is learnt, and the ratio is not kept", learnt, 12, 7, nil, true, false},
		{"nothing is learnt, and fewer would hold the ratio", learnt, 12, 9, nil, false, false},
		{"usage that is no number", none, math.NaN(), 4, nil, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := newAlerting(&config.Policy{Name: `the "web"`, PolicyRules: config.PolicyRules{
				Min: 2, Max: 20, Resources: []*config.Resource{{Name: "cpu"}}, Reservation: test.reserved,
			}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, before := range []float64{test.usage, 0, 1000} { // an instant knows nothing of the one before
				a.scrape()
				a.add(before, usageSeries)
				if _, _, err := a.evaluate(t.Context(), noDate); err != nil {
					t.Fatal(err)
				}
				a.scrape()
				a.add(test.usage, usageSeries)
				a.add(test.requested, "alertscaler_policy_replicas", "policy", `the "web"`, "kind", "requested")
				for entry, amount := range test.exported {
					a.add(amount, "alertscaler_policy_reserved", "policy", `the "web"`, "resource", "cpu", "entry", entry)
				}
				up, down, err := a.evaluate(t.Context(), noDate)
				if err != nil || up != test.up || down != test.down {
					t.Errorf("up %t, down %t; want %t, %t: %v", up, down, test.up, test.down, err)
				}
			}
		})
	}
}
