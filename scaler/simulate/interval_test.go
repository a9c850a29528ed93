package simulate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// paced are two policies, one with an interval of its own.
const paced = `global: { evaluation_interval: 1m }
prometheus: { url: http://localhost:9090 }
policies:
  - { name: web, max: 9, evaluation_interval: 5s, resources: [ { name: cpu, capacity_per_replica: 2 } ], targets: [ { name: swarm, docker_service: { name: web } } ] }
  - { name: batch, max: 9, resources: [ { name: cpu, capacity_per_replica: 2 } ], targets: [ { name: own, docker_service: { name: batch } } ] }
`

// TestStoriesGoAtThePaceOfTheirPolicy: unless the test says otherwise.
func TestStoriesGoAtThePaceOfTheirPolicy(t *testing.T) {
	file := written(t, `config_file: paced.yml
tests:
  - { name: web, policy: web, expect: [ { at: 2m, reason: no_alert } ] }
  - { name: batch, policy: batch, expect: [ { at: 2m, reason: no_alert } ] }
  - { name: of its own, policy: batch, interval: 30s, expect: [ { at: 2m, reason: no_alert } ] }
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "paced.yml"), []byte(paced), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := simulate.Load(file, install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for i, interval := range []time.Duration{5 * time.Second, time.Minute, 30 * time.Second} {
		test := f.Tests[i]
		r, err := simulate.Run(t.Context(), test, simulate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := int(2*time.Minute/interval) + 1; len(r.Steps) != want || r.Steps[1].At != interval {
			t.Errorf("%s: %d evaluations, the second at %s; want %d, at %s", test.Name, len(r.Steps), r.Steps[1].At, want, interval)
		}
	}
}

func TestExpectationsAreAtThePaceOfTheirPolicy(t *testing.T) {
	file := written(t, `config_file: paced.yml
tests:
  - { name: web, policy: web, expect: [ { at: 90s, reason: no_alert } ] }
  - { name: batch, policy: batch, expect: [ { at: 90s, reason: no_alert } ] }
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "paced.yml"), []byte(paced), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := simulate.Load(file, install.Registry())
	const want = "tests[1].expect[0].at: 1m30s is not a multiple of the interval 1m0s"
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "tests[0]") {
		t.Errorf("%v\nwant: %s", err, want)
	}
}

// TestWhatIfGoesAtThePaceOfItsPolicy: it moves as often as it is evaluated.
func TestWhatIfGoesAtThePaceOfItsPolicy(t *testing.T) {
	c, err := config.Load("c.yml", []byte(paced), install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	usage := constant(0, 40) // forty minutes
	for i := range usage.Values {
		usage.Values[i] = float64(2 + i)
	}
	moments := make(map[string]int) // of a minute at which it scaled
	for name, interval := range map[string]time.Duration{"web": 5 * time.Second, "batch": time.Minute} {
		w := simulate.WhatIf{Usage: usage}
		got, err := w.Play(t.Context(), c, name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Interval != interval {
			t.Errorf("%s is evaluated every %s, want %s", name, got.Interval, interval)
		}
		seen := make(map[time.Duration]bool)
		for i := 1; i < len(got.Requested); i++ {
			if got.Requested[i] != got.Requested[i-1] {
				seen[time.Duration(i)*got.Demand.Step%time.Minute] = true
			}
		}
		moments[name] = len(seen)
	}
	if moments["batch"] != 1 || moments["web"] <= 1 {
		t.Errorf("scaled at %d different seconds of a minute where evaluated once a minute, and at %d where every five seconds", moments["batch"], moments["web"])
	}
}
