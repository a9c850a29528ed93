package budget

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestRoom(t *testing.T) {
	n := func(i int) *int { return &i }
	f := func(x float64) *float64 { return &x }
	shop := policy.Budget{Name: "shop", MaxReplicas: 20}
	for _, c := range []struct {
		name     string
		budget   policy.Budget
		holdings []Holding
		want     policy.Room // of the first
	}{
		{
			"what the others leave", shop,
			[]Holding{{Policy: "web", Max: 20, Replicas: 4}, {Policy: "api", Max: 20, Replicas: 9}},
			policy.Room{Budget: "shop", Replicas: n(11), Rivals: []string{"api"}},
		},
		{
			"nobody is named where there is enough", shop,
			[]Holding{{Policy: "web", Max: 5, Replicas: 4}, {Policy: "api", Max: 20, Replicas: 9}},
			policy.Room{Budget: "shop", Replicas: n(11)},
		},
		{
			"the minimum of the others is kept for them", shop,
			[]Holding{{Policy: "web", Max: 20, Replicas: 4}, {Policy: "api", Max: 20, Min: 6}},
			policy.Room{Budget: "shop", Replicas: n(14)},
		},
		{
			"a claim of higher priority goes first", shop,
			[]Holding{{Policy: "web", Max: 20, Replicas: 4}, {Policy: "api", Priority: 1, Max: 20, Replicas: 9, Wants: 8}},
			policy.Room{Budget: "shop", Replicas: n(3), Claimed: true, Rivals: []string{"api"}},
		},
		{
			"but never before one's own minimum", shop,
			[]Holding{{Policy: "web", Max: 20, Min: 5, Replicas: 2}, {Policy: "api", Priority: 1, Max: 20, Replicas: 9, Wants: 11}},
			policy.Room{Budget: "shop", Replicas: n(5), Claimed: true, Rivals: []string{"api"}},
		},
		{
			"a claim of lower or equal priority does not", shop,
			[]Holding{{Policy: "web", Priority: 1, Max: 20}, {Policy: "api", Max: 20, Replicas: 9, Wants: 8}, {Policy: "db", Priority: 1, Max: 20, Replicas: 2, Wants: 8}},
			policy.Room{Budget: "shop", Replicas: n(9), Rivals: []string{"api", "db"}, Victims: []string{"api"}},
		},
		{
			"what is over the budget already leaves nothing", shop,
			[]Holding{{Policy: "web", Max: 20, Min: 2, Replicas: 4}, {Policy: "api", Max: 40, Replicas: 30}},
			policy.Room{Budget: "shop", Replicas: n(0), Rivals: []string{"api"}},
		},
		{
			"cost",
			policy.Budget{Name: "shop", MaxCostPerHour: 10},
			[]Holding{{Policy: "web", Max: 20, CostPerHour: 1}, {Policy: "api", Priority: 1, Max: 20, Replicas: 2, CostPerHour: 3.5, WantsCostPerHour: 2}, {Policy: "db", Max: 3, Replicas: 1, CostPerHour: 0.5, MinCostPerHour: 1}},
			policy.Room{Budget: "shop", CostPerHour: f(3.5), Claimed: true, Rivals: []string{"api"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, NewShares(c.budget, c.holdings).Room(0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
