package simulate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// written is a file of tests beside a configuration of two policies.
func written(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "story.yml")
	for name, text := range map[string]string{
		file: text,
		filepath.Join(dir, "c.yml"): `prometheus: { url: http://localhost:9090 }
policies:
  - { name: web, max: 9, resources: [ { name: cpu, capacity_per_replica: 2 }, { name: memory } ], targets: [ { name: swarm, docker_service: { name: web } } ] }
  - { name: batch, max: 9, targets: [ { name: own, docker_service: { name: batch } } ] }
`,
		filepath.Join(dir, "bad.yml"): "policies: [ { name: web, max: 0 } ]\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// one is a file with one test that has these lines more.
func one(lines string) string {
	return "config_file: c.yml\ntests:\n  - name: n\n    policy: web\n    expect: [ { at: 0s, desired: 1 } ]\n" + lines
}

func TestAFileThatIsNotValid(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "story.yml: the file is empty; write config_file and tests"},
		{"no YAML", "tests: [", "story.yml:1: did not find expected node content"},
		{"no configuration", "tests: []", "story.yml:1: config_file: is missing"},
		{"a configuration that is not there", "config_file: d.yml", "story.yml:1: config_file: read configuration: open "},
		{"a bad configuration", "config_file: bad.yml", "bad.yml:1: policies[0].max: 0 is not a number of replicas of at least 1"},
		{"no tests", "config_file: c.yml", "story.yml:1: tests: at least one test is needed"},
		{"an empty test", "config_file: c.yml\ntests: [ ~ ]", "story.yml:2: tests[0]: the test is empty"},
		{"two documents", "config_file: c.yml\n---\ntests: []", "only one YAML document"},
		{"an unknown key", one("    uasge: {}"), `story.yml:6: unknown key "uasge"; known here are alerts, busy, capacity, events, expect, `},
		{"an unknown key of an event", one("    events:\n      - { at: 0s, resrat: true }"), `story.yml:7: unknown key "resrat"; known here are at, `},
		{"a wrong type", one("    replicas: { swarm: many }"), `story.yml:6: "many" is not a whole number`},
		{"a list for a mapping", one("    others: [ web ]"), "story.yml:6: a list is not a mapping of keys"},
		{"not a time", one("    start: monday"), `story.yml:6: "monday" is not a time; write it as 2026-01-05T08:00:00Z`},
		{"not a duration", one("    interval: 15"), `story.yml:6: "15" is not a duration`},
		{"not a series", one("    usage: { cpu: '1 2 three' }"), `story.yml:6: "1 2 three" is not a series; write it as '5 6 7'`},
		{"a series of histograms", one("    usage: { cpu: '{{schema:0 sum:1 count:1}}' }"), "is not a series"},
		{"no name", "config_file: c.yml\ntests:\n  - policy: web\n    expect: [ { at: 0s, desired: 1 } ]", "story.yml:3: tests[0].name: is missing"},
		{"a name twice", one("  - name: n\n    policy: web\n    expect: [ { at: 0s, desired: 1 } ]"), `story.yml:6: tests[1].name: "n" is the name of an earlier test`},
		{"an unknown policy", "config_file: c.yml\ntests:\n  - name: n\n    policy: wbe", `story.yml:4: tests[0].policy: "wbe" is not a policy of the configuration; there is web, batch`},
		{"an unknown target", one("    replicas: { own: 3 }"), `story.yml:6: tests[0].replicas.own: "own" is not a target of policy web; there is swarm`},
		{"a negative count", one("    replicas: { swarm: -3 }"), "tests[0].replicas.swarm: -3 is not a number of replicas"},
		{"provisioning of nobody", one("    provisioning: { own: 3s }"), `tests[0].provisioning.own: "own" is not a target`},
		{"an unknown resource", one("    usage: { disk: '1' }"), `tests[0].usage.disk: "disk" is not a resource of policy web; there is cpu, memory`},
		{"a resource of a policy without any", one("    others: { batch: { usage: { disk: '1' } } }"), `tests[0].others.batch.usage.disk: "disk" is not a resource of policy batch; there is none`},
		{"a capacity that is configured", one("    capacity: { cpu: '1' }"), "tests[0].capacity.cpu: the configuration says 2, so nobody would ask"},
		{"a prediction nobody asks for", one("    predicted: { cpu: '1' }"), "tests[0].predicted.cpu: the configuration predicts nothing of it"},
		{"others that is not another", one("    others: { web: { replicas: {} } }"), "tests[0].others.web: is the policy of the test"},
		{"an unknown other", one("    others: { shop: {} }"), `tests[0].others.shop: "shop" is not a policy`},
		{"an alert without labels", one("    alerts: [ { from: 0s } ]"), "tests[0].alerts[0].labels: is missing"},
		{"an alert that ends before it begins", one("    alerts: [ { labels: { a: b }, from: 2m, to: 1m } ]"), "tests[0].alerts[0].to: 1m0s is not after from 2m0s"},
		{"a silence likewise", one("    alerts: [ { labels: { a: b }, from: 2m, silence: { by: a, until: 1m } } ]"), "tests[0].alerts[0].silence.until: 1m0s is not after from 2m0s"},
		{"an event of nothing", one("    events: [ { at: 0s } ]"), "tests[0].events[0]: an event is exactly one of pause, "},
		{"an event of two things", one("    events: [ { at: 0s, restart: true, resume: true } ]"), "an event is exactly one of pause, "},
		{"an event for nobody", one("    events: [ { at: 0s, policy: shop, restart: true } ]"), `tests[0].events[0].policy: "shop" is not a policy`},
		{"an event of an unknown target", one("    events: [ { at: 0s, set: { own: 1 } } ]"), `tests[0].events[0].set: "own" is not a target of policy web`},
		{"a negative event", one("    events: [ { at: 0s, lose: { swarm: -1 } } ]"), "tests[0].events[0].lose.swarm: -1 is not a number"},
		{"an event that does not last", one("    events: [ { at: 0s, until: 1m, set: { swarm: 1 } } ]"), "tests[0].events[0].until: only refuse, unreadable and never_ready last"},
		{"an event that ends before it begins", one("    events: [ { at: 2m, until: 1m, unreadable: [ swarm ] } ]"), "tests[0].events[0].until: 1m0s is not after at 2m0s"},
		{"an unknown refusal", one("    events: [ { at: 0s, refuse: { swarm: no_op } } ]"), `tests[0].events[0].refuse.swarm: "no_op" is not a kind of refusal`},
		{"none that never become ready", one("    events: [ { at: 0s, never_ready: { swarm: 0 } } ]"), `story.yml:6: "0" is neither a number of replicas of at least 1 nor true`},
		{"a pause with two ends", one("    events: [ { at: 0s, pause: { for: 1m, until: 2m } } ]"), "tests[0].events[0].pause.until: write for or until, not both"},
		{"a pause that is over", one("    events: [ { at: 2m, pause: { until: 2m } } ]"), "tests[0].events[0].pause.until: 2m0s is not after at 2m0s"},
		{"nothing expected", "config_file: c.yml\ntests:\n  - { name: n, policy: web }", "tests[0].expect: is missing; a test that expects nothing cannot fail"},
		{"nothing expected of a time", one("  - name: m\n    policy: web\n    expect:\n      - { at: 0s }"), "story.yml:9: tests[1].expect[0]: expects nothing"},
		{"an expectation without a time", one("  - name: m\n    policy: web\n    expect: [ { desired: 1 } ]"), "tests[1].expect[0].at: is missing"},
		{"between two evaluations", one("  - name: m\n    policy: web\n    expect:\n      - { at: 20s, desired: 1 }"), "story.yml:9: tests[1].expect[0].at: 20s is not a multiple of the interval 15s"},
		{"an unknown reason", one("  - name: m\n    policy: web\n    expect: [ { at: 0s, reason: bored } ]"), `tests[1].expect[0].reason: "bored" is not a reason; there is scaled_up, `},
		{"an unknown placement", one("  - name: m\n    policy: web\n    expect: [ { at: 0s, placements: { own: 1 } } ]"), `tests[1].expect[0].placements.own: "own" is not a target`},
		{"a decision of nobody", one("  - name: m\n    policy: web\n    expect: [ { at: 0s, policy: shop, desired: 1 } ]"), `tests[1].expect[0].policy: "shop" is not a policy`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := simulate.Load(written(t, tc.text), install.Registry())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v\nwant it to say: %s", err, tc.want)
			}
		})
	}
}

// failing are expectations none of which is met, and one test that is well.
const failing = `config_file: c.yml
tests:
  - name: all is wrong
    policy: web
    replicas: { swarm: 4 }
    alerts: [ { labels: { scale: up, scale_target: web } } ]
    usage: { cpu: '12x9', memory: '1x9' }
    capacity: { memory: '1x9' }
    expect:
      - at: 0s
        desired: 5
        reason: at_max
        current: 3
        ready: 2
        act: false
        recommendation: 7
        placements: { swarm: 7 }
        targets: { swarm: 7 }
        explain: nonsense
        paused_by: alice
      - { at: 15s, policy: batch, recommendation: 1, placements: { own: 2 } }
  - name: all is well
    policy: batch
    expect: [ { at: 0s, desired: 1, reason: no_alert } ]
`

// TestEveryExpectationCanFail: and says what was expected, what was decided,
// and how.
func TestEveryExpectationCanFail(t *testing.T) {
	var out strings.Builder
	err := simulate.TestFiles(t.Context(), &out, []string{written(t, failing)}, nil, install.Registry())
	if err == nil || err.Error() != "policy tests failed in 1 of 1 files" {
		t.Errorf("error %v", err)
	}
	_, got, _ := strings.Cut(out.String(), "\n")
	const want = `  FAILED:
    all is wrong: at 0s, policy web (line 10):
        desired: expected 5, got 6
        reason: expected at_max, got scaled_up
        current: expected 3, got 4
        ready: expected 2, got 4
        act: expected false, got true
        recommendation: expected 7, got 6
        placements.swarm: expected 7, got 6
        targets.swarm: expected 7, got 6
        explain: expected "nonsense", got "web 4 → 6 (scaled_up): cpu uses 12, which takes 6 replicas of 2; memory uses 1, which takes 1 replica of 1; the step limit allows 8 (from 4); capped by nothing"
        paused_by: expected alice, got nobody
      the decision: web 4 → 6 (scaled_up): cpu uses 12, which takes 6 replicas of 2; memory uses 1, which takes 1 replica of 1; the step limit allows 8 (from 4); capped by nothing
        bounds: within 1..9 → 4
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got:\n%s\nwant it to begin with:\n%s", got, want)
	}
	for _, part := range []string{
		"        step_limit: the step limit allows 8 (from 4) → 6\n",
		"    all is wrong: at 15s, policy batch (line 21):\n        recommendation: expected 1, got none\n        placements.own: expected 2, got no placement\n",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("got:\n%s\nwant it to contain:\n%s", got, part)
		}
	}
	if strings.Contains(got, "all is well") {
		t.Errorf("a test that is well is written about:\n%s", got)
	}
}
