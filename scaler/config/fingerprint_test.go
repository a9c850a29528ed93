package config_test

import (
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// TestFingerprint: whatever is written differently is told apart, secrets
// included, and what is written the same is not, however often it is loaded.
func TestFingerprint(t *testing.T) {
	const text = `
prometheus: { url: http://localhost:9090 }
policies:
  - name: web
    min: 1
    max: 20
    alerts: { up: [ 'scale="up"', 'team=~"a|b"' ] }
    resources: [ { name: cpu, reservation: { ratio: 0.3, schedules: [ { cron: "0 8 * * 1-5", duration: 2h, timezone: Europe/Berlin, ratio: 0.5 } ] } } ]
    scale_down: { cooldown: 5m }
    targets:
      - name: far
        http: { url: http://localhost/replicas, basic_auth: { username: u, password: secret } }
      - name: near
        process: { command: [sleep, "1"], env: { A: "1", B: "2" } }
        drain: { command: [drain, "{name}"], timeout: 5m }
`
	of := func(text string) string {
		t.Helper()
		c, err := config.Load("test.yml", []byte(text), install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		return c.Policies[0].Fingerprint()
	}
	want := of(text)
	for range 3 {
		if got := of(text); got != want {
			t.Fatalf("the same is %s and %s", want, got)
		}
	}
	seen := map[string]string{want: "nothing"}
	for _, change := range [][2]string{
		{"max: 20", "max: 21"},
		{`team=~"a|b"`, `team=~"a|c"`},
		{`team=~"a|b"`, `team!~"a|b"`},
		{"ratio: 0.3", "ratio: 0.31"},
		{"0 8 *", "0 9 *"},
		{"Europe/Berlin", "Europe/Paris"},
		{"cooldown: 5m", "cooldown: 6m"},
		{"password: secret", "password: secrets"},
		{`A: "1", B: "2"`, `A: "2", B: "1"`},
		{`[sleep, "1"]`, `[sleep, "2"]`},
		{`[drain, "{name}"]`, `[drain, "{replica}"]`},
		{"timeout: 5m", "timeout: 6m"},
		{"name: near", "name: here"},
	} {
		got := of(strings.Replace(text, change[0], change[1], 1))
		if other, ok := seen[got]; ok {
			t.Errorf("%s is not told from a change of %s", change[1], other)
		}
		seen[got] = change[1]
	}
}

// TestAnIntervalIsNotInTheFingerprint: a target refuses nothing because of how
// often its policy is evaluated. So neither another global interval nor one of the
// policy's own ends a backoff.
func TestAnIntervalIsNotInTheFingerprint(t *testing.T) {
	of := func(global, own string) string {
		t.Helper()
		text := "global: { evaluation_interval: " + global + " }\npolicies: [ { name: web, max: 9, " + own + "targets: [ { name: near, docker_service: { name: web } } ] } ]"
		c, err := config.Load("test.yml", []byte(text), install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		p := c.Policies[0]
		before := p.EvaluationInterval.Std()
		fingerprint := p.Fingerprint()
		if p.EvaluationInterval == nil || p.EvaluationInterval.Std() != before {
			t.Error("the policy has lost its interval")
		}
		return fingerprint
	}
	want := of("15s", "")
	for _, got := range []string{of("5s", ""), of("15s", "evaluation_interval: 1m, ")} {
		if got != want {
			t.Errorf("with another interval the fingerprint is %s instead of %s", got, want)
		}
	}
}
