package simulate_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// web is a configuration of one policy, with some of its keys.
func web(t *testing.T, keys string) *config.Config {
	t.Helper()
	c, err := config.Load("c.yml", []byte(`
prometheus: { url: http://localhost:9090 }
budgets: [ { name: shop, policies: [ name="web" ], max_replicas: 50 } ]
policies:
  - name: web
`+keys+`
    targets: [ { name: swarm, provisioning_time: 90s, docker_service: { name: web } } ]
`), install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func constant(value float64, n int) plant.Trace {
	values := make([]float64, n)
	for i := range values {
		values[i] = value
	}
	return plant.Trace{Interval: time.Minute, Values: values}
}

// TestWhatIfHoldsWhatThePolicySays: of 12 with a quarter of the total free,
// 16 is required, in the unit of the resource.
func TestWhatIfHoldsWhatThePolicySays(t *testing.T) {
	const policy = "    min: %\n    max: 20\n    resources: [ { name: cpu, capacity_per_replica: 2, reservation: { ratio: 0.25 } } ]"
	for name, c := range map[string]struct {
		min       string
		scenario  simulate.WhatIf
		requested int32
		delay     time.Duration
		need      float64
	}{
		"the policy's capacity":  {"1", simulate.WhatIf{Usage: constant(12, 60)}, 8, 90 * time.Second, 6},
		"another capacity":       {"1", simulate.WhatIf{Usage: constant(12, 60), CapacityPerReplica: 4}, 4, 90 * time.Second, 3},
		"scaled to a mean":       {"1", simulate.WhatIf{Usage: constant(1200, 60), MeanReplicas: 9}, 12, 90 * time.Second, 9},
		"another delay":          {"1", simulate.WhatIf{Usage: constant(12, 60), Provisioning: 10 * time.Second}, 8, 10 * time.Second, 6},
		"none":                   {"1", simulate.WhatIf{Usage: constant(12, 60), Provisioning: -1}, 8, 0, 6},
		"within its bounds":      {"10", simulate.WhatIf{Usage: constant(12, 60)}, 10, 90 * time.Second, 6},
		"whole but for rounding": {"1", simulate.WhatIf{Usage: constant(6.6, 60), CapacityPerReplica: 2.2 * (1 - 1e-12)}, 4, 90 * time.Second, 3},
		"no more than allowed":   {"1", simulate.WhatIf{Usage: constant(60, 60)}, 20, 90 * time.Second, 30},
		"a minimum of none at 0": {"0", simulate.WhatIf{Usage: constant(1e-12, 60)}, 1, 90 * time.Second, 1},
	} {
		got, err := c.scenario.Play(t.Context(), web(t, strings.ReplaceAll(policy, "%", c.min)), "web")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if last := got.Requested[len(got.Requested)-1]; last != c.requested {
			t.Errorf("%s: %d replicas, want %d", name, last, c.requested)
		}
		if got.Provisioning != c.delay || got.Counted != time.Hour || math.Abs(got.NeedHours-c.need) > 1e-9 {
			t.Errorf("%s: provisioning %s, %s counted, need %v replica-hours; want %s, an hour, %v", name, got.Provisioning, got.Counted, got.NeedHours, c.delay, c.need)
		}
		if want := "budget shop is not played"; len(got.Notes) != 1 || got.Notes[0] != want {
			t.Errorf("%s: notes %q, want %q", name, got.Notes, want)
		}
	}
}

// TestWhatIfStepsMakeUpTheInterval: an evaluation comes when it is due.
func TestWhatIfStepsMakeUpTheInterval(t *testing.T) {
	for interval, step := range map[time.Duration]time.Duration{
		15 * time.Second: 5 * time.Second, time.Second: time.Second, 7 * time.Second: 3500 * time.Millisecond, time.Minute: 5 * time.Second,
	} {
		c := web(t, "    max: 20\n    resources: [ { name: cpu, capacity_per_replica: 2 } ]")
		own := config.Duration(interval)
		c.Policies[0].EvaluationInterval = &own
		w := simulate.WhatIf{Usage: constant(12, 10)}
		got, err := w.Play(t.Context(), c, "web")
		if err != nil || got.Demand.Step != step {
			t.Errorf("%s: steps of %s, want %s: %v", interval, got.Demand.Step, step, err)
			continue
		}
		// The server does not wait for the interval where an alert changes.
		if noted := slices.Contains(got.Notes, "the policy and its alerts are evaluated every 1m; the server also evaluates the policy when its alerts change"); noted != (interval == time.Minute) {
			t.Errorf("%s: notes %q", interval, got.Notes)
		}
	}
}

func TestWhatIfSaysWhatItDoesNotPlay(t *testing.T) {
	c := web(t, `    max: 20
    mode: off
    alerts: { block_up: ['alertname="Deploy"'] }
    resources:
      - { name: cpu, capacity_per_replica: 2, usage: { present: load, predicted: load_ahead }, reservation: { objective: 0.9, schedules: [ { cron: '0 8 * * *', duration: 1h, replicas: 9 } ] } }
      - { name: memory }`)
	w := simulate.WhatIf{Usage: constant(12, 10)}
	got, err := w.Play(t.Context(), c, "web")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got.Notes, "\n")
	for _, want := range []string{"mode is off", "of 2 resources only the first, cpu", "predicted usage", "budget shop", "alerts that block", "no dates", "begins to learn"} {
		if !strings.Contains(all, want) {
			t.Errorf("no note says %q:\n%s", want, all)
		}
	}
}

// TestWhatIfPlaysSchedulesAtTheirTime: at eight there are nine free.
func TestWhatIfPlaysSchedulesAtTheirTime(t *testing.T) {
	c := web(t, "    max: 20\n    resources: [ { name: cpu, capacity_per_replica: 2, reservation: { schedules: [ { cron: '0 8 * * *', duration: 1h, replicas: 9 } ] } } ]")
	w := simulate.WhatIf{Usage: constant(12, 60), Start: time.Date(2026, 3, 3, 7, 30, 0, 0, time.UTC)}
	got, err := w.Play(t.Context(), c, "web")
	if err != nil {
		t.Fatal(err)
	}
	if before, after := got.Requested[30*12-1], got.Requested[59*12]; before != 6 || after != 15 {
		t.Errorf("%d replicas at 7:59 and %d at 8:29, want 6 and 15", before, after)
	}
}

func TestWhatIfErrors(t *testing.T) {
	c := web(t, "    max: 20\n    resources: [ { name: cpu } ]")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, tc := range []struct {
		name, policy, want string
		scenario           simulate.WhatIf
		ctx                context.Context //nolint:containedctx // it is a case
	}{
		{"unknown policy", "shop", `no policy "shop"; it has web`, simulate.WhatIf{}, t.Context()},
		{"no capacity", "web", "what one replica holds of cpu is no number", simulate.WhatIf{Usage: constant(1, 10)}, t.Context()},
		{"no usage", "web", "at least 2 are needed", simulate.WhatIf{CapacityPerReplica: 1}, t.Context()},
		{"too short", "web", "lasts less than", simulate.WhatIf{CapacityPerReplica: 1, Usage: plant.Trace{Interval: time.Millisecond, Values: []float64{1, 1}}}, t.Context()},
		{"too long", "web", "cannot be played", simulate.WhatIf{CapacityPerReplica: 1, Usage: plant.Trace{Interval: 1e6 * time.Hour, Values: []float64{1, 1}}}, t.Context()},
		{"too many", "web", "takes 1e+300 replicas", simulate.WhatIf{CapacityPerReplica: 1, Usage: constant(1e300, 10)}, t.Context()},
		{"all warm-up", "web", "nothing is left to count", simulate.WhatIf{CapacityPerReplica: 1, Usage: constant(1, 10), WarmUp: time.Hour}, t.Context()},
		{"stopped", "web", "context canceled", simulate.WhatIf{CapacityPerReplica: 1, Usage: constant(1, 10)}, stopped},
	} {
		if _, err := tc.scenario.Play(tc.ctx, c, tc.policy); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q in it", tc.name, err, tc.want)
		}
	}
}

// past answers with samples of its own.
type past struct{ samples []objective.Sample }

func (p past) Past(context.Context, usage.Query, time.Time, time.Time, time.Duration) ([]objective.Sample, error) {
	return p.samples, nil
}

func TestReadHistoryOfGaps(t *testing.T) {
	from := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	// at are the minutes of which a sample is known; usage rises by one each.
	at := func(minutes ...int) (out []objective.Sample) {
		for _, m := range minutes {
			out = append(out, objective.Sample{At: from.Add(time.Duration(m) * time.Minute), Usage: float64(m), Capacity: 2})
		}
		return out
	}
	p := web(t, "    max: 20\n    resources: [ { name: cpu } ]").Policies[0]
	for _, tc := range []struct {
		name    string
		samples []objective.Sample
		values  []float64
		text    string // of the note, or of the error where there are no values
	}{
		{"whole", at(1, 2, 3, 4, 5, 6), []float64{1, 2, 3, 4, 5, 6}, ""},
		{"a short gap", at(1, 2, 5, 6), []float64{1, 2, 3, 4, 5, 6}, "2m of the history is missing, 2m at most at a time, and interpolated"},
		{"two", at(1, 3, 4, 6), []float64{1, 2, 3, 4, 5, 6}, "2m of the history is missing, 1m at most"},
		{"it begins late and ends early", at(2, 3, 4), []float64{2, 3, 4}, ""},
		{"a long gap", at(1, 5, 6), nil, `3m of the 6m of cpu of policy "web" between 2026-01-05T08:00:00Z and 2026-01-05T08:06:00Z is missing, the longest time from 2026-01-05T08:01:00Z to 2026-01-05T08:05:00Z; up to 2m at a time is interpolated`},
		{"no beginning", at(4, 5, 6), nil, "3m of the 6m of cpu of policy \"web\" between 2026-01-05T08:00:00Z and 2026-01-05T08:06:00Z is missing, the longest time from 2026-01-05T08:00:00Z to 2026-01-05T08:04:00Z"},
		{"no end", at(1, 2), nil, "the longest time from 2026-01-05T08:02:00Z to 2026-01-05T08:06:00Z"},
		{"one", at(1), nil, "Prometheus has 1 samples of cpu"},
		{"nothing", nil, nil, "Prometheus has 0 samples of cpu"},
	} {
		got, err := simulate.ReadHistory(t.Context(), past{tc.samples}, p, simulate.HistoryOptions{
			From: from, To: from.Add(6 * time.Minute), Step: time.Minute, MaxGap: 2 * time.Minute,
		})
		if tc.values == nil {
			if !errors.Is(err, simulate.ErrNoHistory) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%s: error %v, want %q in it", tc.name, err, tc.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if len(got.Values) != len(tc.values) {
			t.Errorf("%s: %v, want %v", tc.name, got.Values, tc.values)
			continue
		}
		for i := range got.Values {
			if math.Abs(got.Values[i]-tc.values[i]) > 1e-9 {
				t.Errorf("%s: %v, want %v", tc.name, got.Values, tc.values)
				break
			}
		}
		if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, tc.text) || (tc.text == "") != (notes == "") {
			t.Errorf("%s: notes %q, want %q", tc.name, notes, tc.text)
		}
		if !got.Start.Equal(tc.samples[0].At) || got.Capacity != 2 {
			t.Errorf("%s: from %s with %v a replica", tc.name, got.Start, got.Capacity)
		}
	}
}

func TestPlotIsWellFormed(t *testing.T) {
	c := web(t, "    max: 20\n    resources: [ { name: cpu, capacity_per_replica: 2 } ]")
	for _, n := range []int{2, 10, 600, 9000} {
		w := simulate.WhatIf{Usage: constant(12, n)}
		w.Usage.Values[n/2] = 30 // one peak
		p, err := w.Play(t.Context(), c, "web")
		if err != nil {
			t.Fatal(err)
		}
		for _, start := range []time.Time{{}, time.Date(2026, 3, 3, 7, 31, 0, 0, time.UTC)} {
			var b bytes.Buffer
			if err := simulate.Plot(&b, "a & b", start, simulate.Panel{Title: "<1>", Played: p}, simulate.Panel{Title: "2", Played: p}); err != nil {
				t.Fatal(err)
			}
			if b.Len() > 200_000 {
				t.Errorf("%d samples: %d bytes", n, b.Len())
			}
			for d := xml.NewDecoder(&b); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%d samples: %v", n, err)
				}
			}
		}
	}
}
