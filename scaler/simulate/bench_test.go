package simulate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// day is ten policies over a day of evaluations every 15 s: a wave of usage
// each, an up alert by day and a down alert by night, one resource of the
// shipped series and one of their own PromQL.
func day(b *testing.B) *simulate.Test {
	b.Helper()
	dir := b.TempDir()
	var cfg, others, alerts strings.Builder
	cfg.WriteString("global: { evaluation_interval: 15s }\nprometheus: { url: http://localhost:9090 }\npolicies:\n")
	const usage = `{ cpu: '4+0.01x2880 33-0.01x2880', requests: '300+0.5x2880 1800-0.5x2880' }`
	for i := range 10 {
		name := fmt.Sprintf("p%d", i)
		fmt.Fprintf(&cfg, "  - { name: %s, min: 1, max: 40, resources: [ { name: cpu, capacity_per_replica: 2 }, { name: requests, usage: 'sum(rate(requests_total{job=%q}[1m]))', capacity_per_replica: 150 } ], targets: [ { name: t, docker_service: { name: %s } } ] }\n", name, name, name)
		fmt.Fprintf(&alerts, "      - { labels: { scale: up, scale_target: %s }, from: 0s, to: 12h }\n      - { labels: { scale: down, scale_target: %s }, from: 12h }\n", name, name)
		if i > 0 {
			fmt.Fprintf(&others, "      %s: { replicas: { t: 4 }, provisioning: { t: 40s }, usage: %s }\n", name, usage)
		}
	}
	story := fmt.Sprintf("config_file: config.yml\ntests:\n  - name: a day\n    policy: p0\n    replicas: { t: 4 }\n    provisioning: { t: 40s }\n    usage: %s\n    others:\n%s    alerts:\n%s    expect:\n      - { at: 12h, desired: 16 }\n      - { at: 23h59m45s, desired: 3 }\n", usage, others.String(), alerts.String())
	file := filepath.Join(dir, "day.yml")
	for name, text := range map[string]string{filepath.Join(dir, "config.yml"): cfg.String(), file: story} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	f, err := simulate.Load(file, install.Registry())
	if err != nil {
		b.Fatal(err)
	}
	return f.Tests[0]
}

// BenchmarkDay is a day of ten policies.
func BenchmarkDay(b *testing.B) {
	for _, quiet := range []bool{true, false} {
		b.Run(fmt.Sprintf("quiet=%t", quiet), func(b *testing.B) {
			t := day(b)
			b.ReportAllocs()
			cpu := realtest.CPUTime(b)
			for b.Loop() {
				r, err := simulate.Run(b.Context(), t, simulate.Options{Quiet: quiet})
				if err != nil {
					b.Fatal(err)
				}
				for i := range r.Failures {
					b.Error(r.Failures[i].String())
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/day")
			// What others have left of the machine counts for nothing here.
			b.ReportMetric((realtest.CPUTime(b)-cpu).Seconds()/float64(b.N), "cpu-s/day")
		})
	}
}

// BenchmarkWhatIf is a month of usage that differs at each of its 172,800
// evaluations, as recorded usage does: with an objective, and with a ratio. What
// the learner adds is the ratio of the two.
func BenchmarkWhatIf(b *testing.B) {
	const days = 30
	usage := plant.Daily(1, days*24*time.Hour)
	play := func(reservation string) time.Duration {
		c, err := config.Load("c.yml", []byte("global: { evaluation_interval: 15s }\nprometheus: { url: http://localhost:9090 }\npolicies: [ { name: web, max: 40, resources: [ { name: cpu, capacity_per_replica: 0.1 } ], reservation: { "+reservation+" }, targets: [ { name: swarm, docker_service: { name: web } } ] } ]"), install.Registry())
		if err != nil {
			b.Fatal(err)
		}
		cpu := realtest.CPUTime(b)
		played, err := (&simulate.WhatIf{Usage: usage}).Play(b.Context(), c, "web")
		if err != nil || played.Counted != days*24*time.Hour {
			b.Fatal(played, err)
		}
		return realtest.CPUTime(b) - cpu
	}
	var objective, ratio time.Duration
	for b.Loop() {
		ratio += play("ratio: 0.2")
		objective += play("objective: 0.99")
	}
	b.ReportMetric(objective.Seconds()/float64(b.N), "objective-cpu-s/month")
	b.ReportMetric(ratio.Seconds()/float64(b.N), "ratio-cpu-s/month")
	b.ReportMetric(objective.Seconds()/ratio.Seconds(), "objective/ratio")
	b.ReportMetric(0, "ns/op") // both together say nothing
}
