package thresholds_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/process"
	"github.com/alertscaler/alertscaler/scaler/thresholds"
)

// load is a configuration of these policies, each with one target.
func load(t *testing.T, policies ...string) *config.Config {
	t.Helper()
	var text strings.Builder
	text.WriteString("prometheus: { url: 'http://localhost:9090' }\npolicies:\n")
	for _, p := range policies {
		text.WriteString("- { " + p + ", targets: [ { name: local, process: { command: [sleep, inf] } } ] }\n")
	}
	c, err := config.Load("c.yml", []byte(text.String()), target.NewRegistry(process.NewConfig))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var lasts = thresholds.Durations{Up: time.Second, Down: time.Minute, DownObjective: time.Hour}

// TestOf: of what the policy and the resource reserve the larger counts, and
// what cannot be a number stays PromQL.
func TestOf(t *testing.T) {
	got, err := thresholds.Of(load(t,
		`name: web, min: 2, max: 9, scale_target: shop, alerts: { up: ['scale="up"', 'team="a"'], down: ['scale="down"', 'team=~"a|b"'] },
    reservation: { ratio: 0.2, threshold: 3, replicas: 1, schedules: [ { cron: '0 8 * * *', duration: 1h, ratio: 0.5 } ] },
    resources: [ { name: cpu, capacity_per_replica: 2.5, reservation: { ratio: 0.1, threshold: 4 } }, { name: requests, usage: { present: load, predicted: load_ahead }, capacity_per_replica: max(capacity) } ]`,
		"name: alone, max: 3",
		"name: learner, max: 3, resources: [ { name: memory, reservation: { objective: 0.99 } } ]",
		"name: priced, max: 3, resources: [ { name: cpu } ], reservation: { objective: { shortage_price: 25 } }",
	), lasts)
	if err != nil {
		t.Fatal(err)
	}
	want := []rules.PolicyThresholds{
		{
			Policy: "web", ScaleTarget: map[string]string{"scale_target": "shop", "team": "a"}, Min: 2, Max: 9,
			Resources: []rules.ResourceThresholds{
				{Name: "cpu", CapacityPerReplica: "2.5", Ratio: 0.2, Threshold: 4, Replicas: 1, Scheduled: true},
				{Name: "requests", UsageExpr: "load", PredictedExpr: "load_ahead", CapacityPerReplica: "max(capacity)", Ratio: 0.2, Threshold: 3, Replicas: 1, Scheduled: true},
			},
			ScaleUpFor: time.Second, ScaleDownFor: time.Minute,
		},
		{
			Policy: "learner", ScaleTarget: map[string]string{"scale_target": "learner"}, Min: 1, Max: 3,
			Resources:  []rules.ResourceThresholds{{Name: "memory", Objective: true}},
			ScaleUpFor: time.Second, ScaleDownFor: time.Hour,
		},
		{
			Policy: "priced", ScaleTarget: map[string]string{"scale_target": "priced"}, Min: 1, Max: 3,
			Resources:  []rules.ResourceThresholds{{Name: "cpu", Objective: true}},
			ScaleUpFor: time.Second, ScaleDownFor: time.Hour,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNothingToGenerate(t *testing.T) {
	for _, test := range []struct{ policy, want string }{
		{"name: alone, max: 3", "no policy has resources, so there is nothing to generate"},
		{`name: web, max: 3, alerts: { up: ['scale="up"', 'team=~"a|b"'] }, resources: [ { name: cpu } ]`, `policy "web": no labels are known that its matcher team=~"a|b" accepts`},
	} {
		if _, err := thresholds.Of(load(t, test.policy), lasts); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v\nwant it to say: %s", test.policy, err, test.want)
		}
	}
}
