package export

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/recovery"
)

var t0 = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// web is a policy with everything that metrics are of, before its first
// evaluation.
func web() *Policy {
	half := 0.5
	return &Policy{
		Name: "web",
		Rules: &policy.Policy{
			Name: "web", Min: 1, Max: 20,
			Resources: []policy.Resource{{Name: "cpu", Reservation: policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{Share: 0.99}}}}},
			Targets:   []policy.Target{{Name: "own", CostPerHour: &half}, {Name: "burst"}},
		},
		Targets: []Target{{Name: "own", Drains: true}, {Name: "burst"}},
		Budgets: []string{"shop"},
		History: &policy.History{},
		At:      t0,
		Counts:  NewCounters(),
	}
}

// decided is what was decided about it.
func decided() *policy.Decision {
	five := 5
	return &policy.Decision{
		Direction: policy.Up, Reason: policy.ReasonBudgetLimited, Current: 3, Ready: 2, Desired: 4, Recommendation: &five,
		Requirements: []policy.Requirement{{Resource: "cpu", Usage: 7.5, AgeSeconds: 12}},
		Cuts:         []policy.Cut{{Budget: "shop", Replicas: 1}, {Budget: "shop", CostPerHour: 0.1}, {Budget: "other", Replicas: 9}},
	}
}

func collectorOf(policies ...*Policy) *Collector {
	return &Collector{
		Policies: slices.Values(policies),
		Budgets:  func() []Budget { return nil },
		Writable: func() bool { return true },
	}
}

func registryOf(t *testing.T, c *Collector) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	return reg
}

// values are what a scrape gives, by name and the values of the labels.
func values(t *testing.T, c *Collector) map[string]float64 {
	t.Helper()
	families, err := registryOf(t, c).Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := make(map[string]string)
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			var of []string
			for _, name := range slices.Sorted(maps.Keys(labels)) {
				of = append(of, labels[name])
			}
			out[strings.TrimPrefix(f.GetName(), "alertscaler_")+"{"+strings.Join(of, ",")+"}"] = valueOf(m)
		}
	}
	return out
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	default:
		return float64(m.GetHistogram().GetSampleCount())
	}
}

// expect compares some of what a scrape gives; NaN is equal to itself here.
func expect(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		is, ok := got[name]
		if !ok || is != want[name] && !(math.IsNaN(is) && math.IsNaN(want[name])) {
			t.Errorf("%s is %g (there: %t), want %g", name, is, ok, want[name])
		}
	}
}

// TestEverythingIsThereFromTheStart: what is not known is NaN and never zero,
// and what was never counted is zero.
func TestEverythingIsThereFromTheStart(t *testing.T) {
	c := collectorOf(web())
	got := values(t, c)
	nan := math.NaN()
	expect(t, got, map[string]float64{
		"policy_replicas{requested,web}": nan, "policy_replicas{ready,web}": nan, "policy_replicas{recommended,web}": nan, "policy_replicas{desired,web}": nan,
		"policy_replicas{min,web}": 1, "policy_replicas{max,web}": 20,
		"target_replicas{requested,web,own}": nan, "target_replicas{ready,web,burst}": nan,
		"policy_usage{web,cpu}": nan, "policy_usage_age_seconds{web,cpu}": nan, "policy_reserved{objective,web,cpu}": nan,
		"policy_objective_ratio{web,cpu}": 0.99, "policy_objective_under_capacity_ratio{web,cpu}": nan, "policy_objective_lost_demand_ratio{web,cpu}": nan, "policy_objective_observations_total{web,cpu}": 0,
		"cooldown_until_timestamp_seconds{up,web}": 0, "target_backoff_until_timestamp_seconds{down,web,burst}": 0,
		"target_provisioning_seconds{web,own}": nan, "target_loss_ratio{web,own}": 0,
		"target_draining_replicas{web,own}": 0, "policy_paused{web}": 0, "policy_contested{web}": 0, "policy_budget_cut_replicas{shop,web}": 0,
		"safe_to_autoscale{}": 0,
	})
	for _, r := range policy.Reasons {
		for _, d := range directions {
			expect(t, got, map[string]float64{"decisions_total{" + string(d) + ",web," + string(r) + "}": 0})
		}
	}
	for _, reason := range failureReasons {
		expect(t, got, map[string]float64{"action_failures_total{web," + reason + ",own}": 0})
	}
	for name := range got {
		if strings.HasPrefix(name, "drains_total") && strings.Contains(name, "burst") || name == "target_draining_replicas{web,burst}" {
			t.Errorf("%s, of a target that nobody is asked about", name)
		}
	}
	if problems, err := testutil.GatherAndLint(registryOf(t, c)); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestWhatIsKnownIsShown(t *testing.T) {
	p := web()
	p.Last = decided()
	p.Targets = []Target{{Name: "own", Known: true, Requested: 3, Ready: 2, Drains: true, Draining: 1}, {Name: "burst", Failed: true, Requested: 9}}
	p.Learnt = map[string]Learnt{"cpu": {Observations: 40, Counted: true, UnderCapacity: 0.02, LostDemand: 0.003}}
	p.Paused = true
	p.History.SetBackoff("burst", policy.Down, policy.Backoff{Until: t0.Add(time.Minute)})
	p.History.Contest = &policy.Contest{Until: t0.Add(time.Second)}
	api := web()
	api.Name, api.Rules = "api", &policy.Policy{Name: "api", Max: 3}
	api.Targets, api.Budgets, api.Last = nil, nil, &policy.Decision{Reason: policy.ReasonTargetFailed, Current: 2, Desired: 2}
	got := values(t, collectorOf(p, api))
	nan := math.NaN()
	expect(t, got, map[string]float64{
		"policy_replicas{requested,web}": 3, "policy_replicas{ready,web}": 2, "policy_replicas{recommended,web}": 5, "policy_replicas{desired,web}": 4,
		"target_replicas{requested,web,own}": 3, "target_replicas{ready,web,own}": 2,
		// What was known before the reading failed is not known now.
		"target_replicas{requested,web,burst}": nan,
		"policy_usage{web,cpu}":                7.5, "policy_usage_age_seconds{web,cpu}": 12,
		"policy_objective_under_capacity_ratio{web,cpu}": 0.02, "policy_objective_lost_demand_ratio{web,cpu}": 0.003, "policy_objective_observations_total{web,cpu}": 40,
		"target_backoff_until_timestamp_seconds{down,web,burst}": float64(t0.Unix() + 60), "target_backoff_until_timestamp_seconds{up,web,burst}": 0,
		"target_draining_replicas{web,own}": 1, "policy_paused{web}": 1, "policy_contested{web}": 1,
		// A cut in cost counts as one replica.
		"policy_budget_cut_replicas{shop,web}": 2,
		// Targets that could not be read say nothing of their sum.
		"policy_replicas{requested,api}": nan, "policy_replicas{desired,api}": nan, "policy_replicas{max,api}": 3,
	})
}

// TestUnknownReplicasAreNotEnough: of samples that do not say how many replicas
// were ready nobody knows what share was served.
func TestUnknownReplicasAreNotEnough(t *testing.T) {
	p := web()
	p.Learnt = map[string]Learnt{"cpu": {Observations: 40}}
	expect(t, values(t, collectorOf(p)), map[string]float64{
		"policy_objective_observations_total{web,cpu}":   40,
		"policy_objective_under_capacity_ratio{web,cpu}": math.NaN(), "policy_objective_lost_demand_ratio{web,cpu}": math.NaN(),
	})
}

// TestAnObjectiveIsAShareOrAPrice: a share is a price too, and a price no share.
func TestAnObjectiveIsAShareOrAPrice(t *testing.T) {
	share, price, none := web(), web(), web()
	for p, r := range map[*Policy]policy.Reservation{
		price: {Objective: policy.Objective{Goal: objective.Goal{ShortagePrice: 25}}},
		none:  {Ratio: 0.2},
	} {
		rules := *p.Rules
		rules.Resources = []policy.Resource{{Name: "cpu", Reservation: r}}
		p.Rules = &rules
	}
	price.Name, none.Name = "priced", "fixed"
	got := values(t, collectorOf(share, price, none))
	expect(t, got, map[string]float64{
		"policy_objective_ratio{web,cpu}":                   0.99,
		"policy_objective_shortage_price{web,cpu}":          objective.Goal{Share: 0.99}.Price(),
		"policy_objective_shortage_price{priced,cpu}":       25,
		"policy_objective_lost_demand_ratio{web,cpu}":       math.NaN(),
		"policy_objective_lost_demand_ratio{priced,cpu}":    math.NaN(),
		"policy_objective_under_capacity_ratio{priced,cpu}": math.NaN(),
		"policy_objective_observations_total{priced,cpu}":   0,
		"policy_reserved{objective,priced,cpu}":             math.NaN(),
	})
	for _, never := range []string{"policy_objective_shortage_price{fixed,cpu}", "policy_objective_ratio{priced,cpu}", "policy_objective_lost_demand_ratio{fixed,cpu}"} {
		if is, ok := got[never]; ok {
			t.Errorf("%s is %g, want none", never, is)
		}
	}
}

// TestUsageThatCannotBeUsedIsUnknown whatever value it came with.
func TestUsageThatCannotBeUsedIsUnknown(t *testing.T) {
	p := web()
	p.Last = decided()
	p.Last.Requirements[0].Problem = policy.Problems[0]
	expect(t, values(t, collectorOf(p)), map[string]float64{
		"policy_usage{web,cpu}": math.NaN(), "policy_usage_age_seconds{web,cpu}": math.NaN(), "policy_reserved{objective,web,cpu}": math.NaN(),
		"safe_to_autoscale{}": 0,
	})
}

func TestSafeToAutoscale(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*Collector, *Policy)
		want float64
	}{
		{"all is read", func(*Collector, *Policy) {}, 1},
		{"nothing was decided yet", func(_ *Collector, p *Policy) { p.Last = nil }, 0},
		{"an evaluation panicked", func(_ *Collector, p *Policy) { p.Last.Reason = policy.ReasonInternalError }, 0},
		{"a decision was not written", func(_ *Collector, p *Policy) { p.Last.Reason = policy.ReasonNotRecorded }, 0},
		{"a target cannot be read", func(_ *Collector, p *Policy) { p.Targets[1].Failed = true }, 0},
		{"usage cannot be used", func(_ *Collector, p *Policy) { p.Last.Requirements[0].Problem = policy.Problems[0] }, 0},
		{"the ledger cannot be written", func(c *Collector, _ *Policy) { c.Writable = func() bool { return false } }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := web()
			p.Last = decided()
			c := collectorOf(p)
			test.edit(c, p)
			expect(t, values(t, c), map[string]float64{"safe_to_autoscale{}": test.want})
		})
	}
}

func TestBudgets(t *testing.T) {
	c := collectorOf()
	c.Budgets = func() []Budget {
		return []Budget{
			{Budget: policy.Budget{Name: "shop", MaxReplicas: 20}, Replicas: 7, CostPerHour: 1.5},
			{Budget: policy.Budget{Name: "all", MaxCostPerHour: 9}},
		}
	}
	expect(t, values(t, c), map[string]float64{
		"budget_replicas{shop,held}": 7, "budget_replicas{shop,max}": 20, "budget_cost_per_hour{shop,held}": 1.5, "budget_cost_per_hour{shop,max}": math.Inf(1),
		"budget_replicas{all,held}": 0, "budget_replicas{all,max}": math.Inf(1), "budget_cost_per_hour{all,max}": 9,
		"safe_to_autoscale{}": 1,
	})
}

// TestAPanicOfAScrapeIsCounted and ends nothing but the scrape.
func TestAPanicOfAScrapeIsCounted(t *testing.T) {
	c := collectorOf()
	counted := prometheus.NewRegistry()
	c.Guard, c.Logger = recovery.New(counted, Component), log.NewNopLogger()
	c.Policies = iter.Seq[*Policy](func(func(*Policy) bool) { panic("nobody there") })
	registry := registryOf(t, c)
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
	families, err := counted.Gather()
	if err != nil || len(families) != 1 || valueOf(families[0].GetMetric()[0]) != 1 {
		t.Errorf("%v, %v, want one panic", families, err)
	}
}
