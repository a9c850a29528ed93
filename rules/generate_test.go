package rules_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// policies cover what a resource may look like. testdata/policies.test.yml
// says what their alerts do.
var policies = []rules.PolicyThresholds{
	{
		Policy:      "web",
		ScaleTarget: map[string]string{"scale_target": "web"},
		Min:         2,
		Max:         20,
		Resources: []rules.ResourceThresholds{
			{Name: "cpu", Ratio: 0.3, Threshold: 1},
			{Name: "requests", UsageExpr: `sum(rate(http_requests_total{job="web"}[1m]))`, CapacityPerReplica: "150"},
		},
		ScaleDownFor: 2 * time.Minute,
	},
	{
		Policy:      "queue",
		ScaleTarget: map[string]string{"scale_target": "shop/queue", "team": "shop"},
		Max:         10,
		Resources: []rules.ResourceThresholds{{
			Name:               "backlog",
			UsageExpr:          "sum(queue_messages{queue=\"orders\"}) # ready\n+\nsum(queue_unacked{queue=\"orders\"})",
			CapacityPerReplica: `avg(worker_batch{queue="orders"})`,
			Threshold:          5,
		}},
		ScaleUpFor:   15 * time.Second,
		ScaleDownFor: 5 * time.Minute,
	},
	{
		Policy:      "shop",
		ScaleTarget: map[string]string{"scale_target": "shop"},
		Min:         1,
		Max:         10,
		Resources: []rules.ResourceThresholds{
			{Name: "cpu", CapacityPerReplica: "2", Ratio: 0.2, Replicas: 1, Scheduled: true, PredictedExpr: `scale_target_resource:usage:predicted{scale_target="shop",resource="cpu"}`},
			{Name: "memory", CapacityPerReplica: "4"},
		},
	},
	{
		Policy:      "api",
		ScaleTarget: map[string]string{"scale_target": "api"},
		Min:         2,
		Max:         10,
		Resources:   []rules.ResourceThresholds{{Name: "cpu", CapacityPerReplica: "2", Ratio: 0.2, Objective: true}},
	},
	{Policy: "by-alert", ScaleTarget: map[string]string{"scale_target": "by-alert"}, Min: 1, Max: 3},
}

func generate(t *testing.T, targets []rules.PolicyThresholds, o rules.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := rules.Generate(&b, targets, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGenerateGolden(t *testing.T) {
	golden := filepath.Join("testdata", "policies.rules.yml")
	got := generate(t, policies, rules.Options{Selector: `job="alertscaler"`})
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("run the tests of this package with -update and look at the difference (-want +got):\n%s", d)
	}
}

func TestGeneratedRulesInPrometheus(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", "testdata/policies.rules.yml")
	promtool(t, "test", "rules", "testdata/policies.test.yml")
}

// TestGeneratedWithSources: the sources' rules are before the alerts in the one
// group there is, so that what is scraped decides at once.
func TestGeneratedWithSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	web := []rules.PolicyThresholds{{
		Policy: "web", ScaleTarget: map[string]string{"scale_target": "web"}, Min: 1, Max: 10,
		Resources: []rules.ResourceThresholds{{Name: "memory", Ratio: 0.2}},
	}}
	got := string(generate(t, web, rules.Options{Sources: []string{"process", "node"}}))
	if n := strings.Count(got, "- name:"); n != 1 {
		t.Errorf("%d groups, want one:\n%s", n, got)
	}
	file := write("rules.yml", got)
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", file)
	promtool(t, "test", "rules", write("test.yml", `
rule_files: [rules.yml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - { series: 'node_cpu_seconds_total{job="node", instance="n1", scale_target="web", cpu="0", mode="user"}', values: '0+1x60' }
      - { series: 'node_memory_MemTotal_bytes{job="node", instance="n1", scale_target="web"}', values: '100x60' }
      - { series: 'node_memory_MemAvailable_bytes{job="node", instance="n1", scale_target="web"}', values: '50x19 10x40' }
    promql_expr_test:
      - { expr: 'ALERTS{alertname="ScaleUp"}', eval_time: 4m45s, exp_samples: [] }
      # At the evaluation that follows the scrape, and not one later.
      - expr: ALERTS{alertname="ScaleUp"}
        eval_time: 5m
        exp_samples:
          - { labels: 'ALERTS{alertname="ScaleUp", alertstate="firing", scale="up", scale_target="web", policy="web", resource="memory"}', value: 1 }
      - expr: scale_target_resource:usage:predicted{resource="memory"}
        eval_time: 5m
        exp_samples:
          - { labels: 'scale_target_resource:usage:predicted{scale_target="web", resource="memory"}', value: 90 }
`))

	for _, sources := range [][]string{{"scale"}, {"process", "process"}} {
		if err := rules.Generate(&bytes.Buffer{}, web, rules.Options{Sources: sources}); err == nil {
			t.Errorf("the sources %q were taken", sources)
		}
	}
}

// TestGeneratedPredictions: however often the rules are evaluated, five minutes of
// samples make a line, and less does not.
func TestGeneratedPredictions(t *testing.T) {
	web := []rules.PolicyThresholds{{
		Policy: "web", ScaleTarget: map[string]string{"scale_target": "web"}, Min: 1, Max: 10,
		Resources: []rules.ResourceThresholds{{Name: "memory", Ratio: 0.2}},
	}}
	for _, interval := range []string{"1s", "5s", "7s", "15s", "30s"} {
		t.Run(interval, func(t *testing.T) {
			every, err := time.ParseDuration(interval)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			s := int(every.Seconds())
			// The first usage is recorded at the second scrape; after as many more as
			// make five minutes there is a line.
			line := every + time.Duration((300+s-1)/s-1)*every
			for name, text := range map[string]string{
				"rules.yml": string(generate(t, web, rules.Options{Sources: []string{"process", "node"}, Interval: every})),
				"test.yml": fmt.Sprintf(`
rule_files: [rules.yml]
evaluation_interval: %[1]s
fuzzy_compare: true
tests:
  - interval: %[1]s
    input_series:
      - { series: 'node_cpu_seconds_total{job="node", instance="n1", scale_target="web", cpu="0", mode="user"}', values: '0+1x700' }
      - { series: 'node_memory_MemTotal_bytes{job="node", instance="n1", scale_target="web"}', values: '100000x700' }
      - { series: 'node_memory_MemAvailable_bytes{job="node", instance="n1", scale_target="web"}', values: '90000-%[2]dx700' }
    promql_expr_test:
      - expr: scale_target_resource:usage:predicted{resource="memory"} - scale_target_resource:usage:sum
        eval_time: %[3]s
        exp_samples: [ { labels: '{scale_target="web", resource="memory"}', value: 0 } ]
      - expr: round(scale_target_resource:usage:predicted{resource="memory"} - scale_target_resource:usage:sum, 0.001)
        eval_time: %[4]s
        exp_samples: [ { labels: '{scale_target="web", resource="memory"}', value: 60 } ]
`, interval, s, line-every, line),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			promtool(t, "test", "rules", filepath.Join(dir, "test.yml"))
		})
	}
}

func TestGenerateNothing(t *testing.T) {
	got := generate(t, policies[4:], rules.Options{})
	if !strings.HasSuffix(string(got), "groups: []\n") {
		t.Errorf("policies without resources gave\n%s", got)
	}
}

// TestGeneratedAlertsAgreeWithTheEngine asks Prometheus and policy.Decide the
// same questions: whole numbers, and what is just above and below them, with
// and without reservations.
func TestGeneratedAlertsAgreeWithTheEngine(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...float64) float64 { return from[random.IntN(len(from))] }

	var targets []rules.PolicyThresholds
	var series, expected strings.Builder
	learnt := 0
	for i := range 300 {
		name := "p" + strconv.Itoa(i)
		n, least := 1+random.IntN(12), random.IntN(3)
		p := rules.PolicyThresholds{Policy: name, ScaleTarget: map[string]string{"scale_target": name}, Min: least, Max: 1000}
		decide := policy.Policy{Name: name, Mode: policy.ModeOn, Max: 1000, Targets: []policy.Target{{Name: "t"}}}
		observed := policy.Observation{Up: 1, Targets: []policy.TargetState{{Name: "t", Requested: n, Ready: n}}}

		fmt.Fprintf(&series, "      - {series: 'alertscaler_policy_replicas{policy=%q, kind=\"requested\"}', values: '%d'}\n", name, n)
		ofPolicy := random.IntN(4) == 0
		if ofPolicy {
			decide.Reservation.Objective = policy.Objective{Goal: objective.Goal{Share: 0.9}}
		}
		for k := range 1 + random.IntN(3) {
			r := rules.ResourceThresholds{
				Name:  "r" + strconv.Itoa(k),
				Ratio: pick(0, 0.1, 0.2, 0.3, 0.75), Threshold: pick(0, 0, 0.5, 3), Replicas: int(pick(0, 0, 1, 3)),
				Objective: ofPolicy || random.IntN(3) == 0,
			}
			capacity := pick(0.1, 0.3, 1, 2.5, 150)
			r.UsageExpr = fmt.Sprintf("usage{policy=%q, resource=%q}", name, r.Name)
			r.CapacityPerReplica = strconv.FormatFloat(capacity, 'g', -1, 64)
			// Usage that needs a whole number of replicas, or almost.
			whole := float64(random.IntN(n + 3))
			usage := max(0, whole*capacity*(1-r.Ratio)+pick(0, 0, 1e-12, -1e-12, 1e-4, -1e-4, -0.4*capacity))
			if r.Threshold > 0 && random.IntN(2) == 0 {
				usage = max(0, whole*capacity-r.Threshold+pick(0, 1e-12, 1e-4, -1e-4))
			}
			read := policy.Usage{Resource: r.Name, Value: usage, CapacityPerReplica: capacity}
			reservation := policy.Reservation{Ratio: r.Ratio, Threshold: r.Threshold, Replicas: r.Replicas}
			if r.Objective {
				// Cold, and learnt, and all of it bounded or not.
				if !ofPolicy {
					goal := objective.Goal{Share: 0.99}
					if k%2 == 1 {
						goal = objective.Goal{ShortagePrice: 25}
					}
					reservation.Objective = policy.Objective{Goal: goal, MinRatio: pick(0, 0, 0.2), MaxRatio: pick(0, 0, 0.4)}
				}
				if random.IntN(4) > 0 {
					read.Learnt = &objective.Reading{Free: max(0, (whole+pick(-1, 0, 0, 1))*capacity-usage+pick(0, 1e-12, 1e-4, -1e-4))}
				}
			}
			p.Resources = append(p.Resources, r)
			decide.Resources = append(decide.Resources, policy.Resource{Name: r.Name, Reservation: reservation})
			observed.Usage = append(observed.Usage, read)
			fmt.Fprintf(&series, "      - {series: 'usage{policy=%q, resource=%q}', values: '%s'}\n",
				name, r.Name, strconv.FormatFloat(usage, 'f', -1, 64))
		}
		targets = append(targets, p)

		decision := policy.Decide(decide, observed, policy.History{}, time.Unix(0, 0))
		if decision.Recommendation == nil {
			t.Fatalf("%s: no recommendation: %+v", name, decision)
		}
		for _, q := range decision.Requirements {
			for _, e := range q.Reservations {
				if e.Kind == policy.EntryObjective {
					learnt++
					fmt.Fprintf(&series, "      - {series: 'alertscaler_policy_reserved{policy=%q, resource=%q, entry=%q}', values: '%s'}\n",
						name, q.Resource, e.Name(), strconv.FormatFloat(e.Amount, 'f', -1, 64))
				}
			}
			if q.Replicas > n {
				fmt.Fprintf(&expected, "          - {labels: 'ALERTS{alertname=\"ScaleUp\", alertstate=\"firing\", scale=\"up\", scale_target=%q, policy=%q, resource=%q}', value: 1}\n",
					name, name, q.Resource)
			}
		}
		if *decision.Recommendation < n && n > least {
			fmt.Fprintf(&expected, "          - {labels: 'ALERTS{alertname=\"ScaleDown\", alertstate=\"firing\", scale=\"down\", scale_target=%q, policy=%q}', value: 1}\n", name, name)
		}
	}
	if strings.Count(expected.String(), "ScaleDown") < 20 || strings.Count(expected.String(), "ScaleUp") < 20 || learnt < 100 {
		t.Fatal("the cases are one-sided")
	}

	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("rules.yml", string(generate(t, targets, rules.Options{})))
	write("test.yml", "rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n  - input_series:\n"+series.String()+
		"    promql_expr_test:\n      - expr: ALERTS\n        eval_time: 0s\n        exp_samples:\n"+expected.String())
	promtool(t, "test", "rules", filepath.Join(dir, "test.yml"))
}

func TestGenerateRefuses(t *testing.T) {
	good := rules.ResourceThresholds{Name: "cpu"}
	target := map[string]string{"scale_target": "web"}
	with := func(change func(*rules.ResourceThresholds)) rules.PolicyThresholds {
		r := good
		change(&r)
		return rules.PolicyThresholds{Policy: "web", ScaleTarget: target, Resources: []rules.ResourceThresholds{r}}
	}
	for _, tc := range []struct {
		name    string
		targets []rules.PolicyThresholds
		want    string
	}{
		{"no policy name", []rules.PolicyThresholds{{}}, "a name is missing"},
		{"two of a name", []rules.PolicyThresholds{{Policy: "a"}, {Policy: "a"}}, "given twice"},
		{"bounds", []rules.PolicyThresholds{{Policy: "a", Min: 2, Max: 1}}, "bounds 2..1"},
		{"negative for", []rules.PolicyThresholds{{Policy: "a", ScaleUpFor: -1}}, "negative"},
		{"label name", []rules.PolicyThresholds{{Policy: "a", ScaleTarget: map[string]string{"a-b": ""}}}, `"a-b"`},
		{"template", []rules.PolicyThresholds{{Policy: "a", ScaleTarget: map[string]string{"a": "{{ x }}"}}}, "must not contain"},
		{"no scale_target", []rules.PolicyThresholds{{Policy: "a", Resources: []rules.ResourceThresholds{good}}}, "scale_target"},
		{"two resources of a name", []rules.PolicyThresholds{{Policy: "a", ScaleTarget: target, Resources: []rules.ResourceThresholds{good, good}}}, "given twice"},
		{"no resource name", []rules.PolicyThresholds{with(func(r *rules.ResourceThresholds) { r.Name = "" })}, "a name is missing"},
		{"capacity of nothing", []rules.PolicyThresholds{with(func(r *rules.ResourceThresholds) { r.CapacityPerReplica = "0" })}, "above 0"},
		{"capacity not a number", []rules.PolicyThresholds{with(func(r *rules.ResourceThresholds) { r.CapacityPerReplica = "NaN" })}, "above 0"},
		{"ratio", []rules.PolicyThresholds{with(func(r *rules.ResourceThresholds) { r.Ratio = 1 })}, "ratio 1"},
		{"ratio not a number", []rules.PolicyThresholds{with(func(r *rules.ResourceThresholds) { r.Ratio = math.NaN() })}, "ratio NaN"},
		{"threshold", []rules.PolicyThresholds{with(func(r *rules.ResourceThresholds) { r.Threshold = -1 })}, "threshold -1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			err := rules.Generate(&b, tc.targets, rules.Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
			if b.Len() > 0 {
				t.Errorf("wrote in spite of the error:\n%s", b.String())
			}
		})
	}

	if err := rules.Generate(&bytes.Buffer{}, nil, rules.Options{RunbookURLPattern: "https://example.org"}); err == nil {
		t.Error("a runbook pattern without a place for the name was taken")
	}
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(realtest.Tool(t, "promtool"), args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%.4000s", strings.Join(args, " "), err, out)
	}
}
