package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// webPolicy is a configuration of a policy with a reservation, whose replicas
// hold 2 and cost 0.05 an hour.
func webPolicy(t *testing.T, name, reservation string) string {
	t.Helper()
	return webPolicyWith(t, name, reservation, 2)
}

func webPolicyWith(t *testing.T, name, reservation string, capacity float64) string {
	t.Helper()
	return write(t, t.TempDir(), name, `
prometheus: { url: http://localhost:9090 }
policies:
  - name: web
    max: 20
    resources: [ { name: cpu, capacity_per_replica: `+fmt.Sprint(capacity)+`, reservation: `+reservation+` } ]
    targets: [ { name: swarm, cost_per_hour: 0.05, docker_service: { name: web } } ]
  - name: plain
    max: 5
    targets: [ { name: swarm, docker_service: { name: plain } } ]
`)
}

// rows are n minutes of one value from a time on.
func rows(t *testing.T, from int64, n int, value float64) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("timestamp_seconds,value\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,%g\n", from+60*int64(i), value)
	}
	return write(t, t.TempDir(), "trace.csv", b.String())
}

func simulated(t *testing.T, args ...string) simulation {
	t.Helper()
	code, stdout, stderr := tool(append([]string{"simulate", "--output=json"}, args...)...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var s simulation
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%v:\n%s", err, stdout)
	}
	return s
}

// TestSimulateConstantUsage: two hours of 12 keep 6 replicas of 2 busy. With a
// quarter of the total free there must be 8, with half of it 12; the plant
// begins with 6, and the first evaluation asks for the rest at once, which is
// ready a minute later.
func TestSimulateConstantUsage(t *testing.T) {
	quarter, half := webPolicy(t, "quarter.yml", "{ ratio: 0.25 }"), webPolicy(t, "half.yml", "{ ratio: 0.5 }")
	s := simulated(t, "--config.file="+quarter, "--against="+half, "--policy=web", "--input="+rows(t, 0, 120, 12))
	if len(s.Played) != 2 || s.Resource != "cpu" || s.Samples != 120 || s.From != nil {
		t.Fatalf("got %+v", s)
	}
	ready := 1 - 60.0/7200
	for _, c := range []struct {
		name string
		got  measures
		want measures
	}{
		{"a quarter", s.Played[0].Measures, measures{ReplicaHours: 16, CostRatio: 8.0 / 6, Cost: new(0.8), ActionsPerHour: 0.5, ThetaO: 2.0 / 6 * ready, TauO: ready, Instability: 1.0 / 1440, FirstHour: firstHourReport{CostRatio: 8.0 / 6}}},
		{"half", s.Played[1].Measures, measures{ReplicaHours: 24, CostRatio: 2, Cost: new(1.2), ActionsPerHour: 0.5, ThetaO: ready, TauO: ready, Instability: 1.0 / 1440, FirstHour: firstHourReport{CostRatio: 2}}},
		{"the clairvoyant", s.Clairvoyant, measures{ReplicaHours: 12, CostRatio: 1, Cost: new(0.6), FirstHour: firstHourReport{CostRatio: 1}}},
	} {
		c.want.NeedHours, c.want.CountedSeconds = 12, 7200
		if diff := cmp.Diff(c.want, c.got, cmpopts.EquateApprox(1e-9, 1e-12)); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestSimulateWaitsAsGeneratedAlertsDo: ScaleDown has no for with an objective,
// and two minutes without one, unless the flag says otherwise.
func TestSimulateWaitsAsGeneratedAlertsDo(t *testing.T) {
	var b strings.Builder
	for i := range 240 {
		fmt.Fprintf(&b, "%d,%d\n", 60*i, 4+16*(i/20%2))
	}
	input := write(t, t.TempDir(), "steps.csv", b.String())
	for reservation, want := range map[string]string{"{ objective: 0.99 }": "0s", "{ objective: { shortage_price: 25 } }": "0s", "{ ratio: 0.25 }": "2m"} {
		args := []string{"--config.file=" + webPolicy(t, "a.yml", reservation), "--policy=web", "--input=" + input}
		hours := func(more ...string) float64 {
			return simulated(t, append(args, more...)...).Played[0].Measures.ReplicaHours
		}
		if got, said := hours(), hours("--scale-down.for="+want); got != said {
			t.Errorf("%s: %g replica-hours without the flag, %g with %s", reservation, got, said, want)
		}
		if got, later := hours(), hours("--scale-down.for=10m"); got == later {
			t.Errorf("%s: %g replica-hours whatever the flag says", reservation, got)
		}
	}
}

// TestSimulateAtAPrice: what is missing counts at the price of each objective,
// whoever it is missing at.
func TestSimulateAtAPrice(t *testing.T) {
	fixed, priced := webPolicy(t, "fixed.yml", "{ ratio: 0.05 }"), webPolicy(t, "priced.yml", "{ objective: { shortage_price: 40 } }")
	var b strings.Builder
	for i := range 600 {
		fmt.Fprintf(&b, "%d,%d\n", 60*i, 10+9*(i*7919%11/10)) // 19 now and then
	}
	input := write(t, t.TempDir(), "bursts.csv", b.String())
	s := simulated(t, "--config.file="+fixed, "--against="+priced, "--policy=web", "--input="+input, "--warm-up=2h")
	a, p := s.Played[0], s.Played[1]
	if a.ShortagePrice != 0 || p.ShortagePrice != 40 {
		t.Errorf("prices of %g and %g, want none and 40", a.ShortagePrice, p.ShortagePrice)
	}
	sum := func(m measures) float64 { return m.ReplicaHours + 40*m.MissingHours }
	if a.Measures.MissingHours <= 0 || sum(p.Measures) >= sum(a.Measures) || s.Clairvoyant.MissingHours != 0 {
		t.Errorf("with missing ones %g at a ratio, %g at a price; missing %g, %g and %g", sum(a.Measures), sum(p.Measures), a.Measures.MissingHours, p.Measures.MissingHours, s.Clairvoyant.MissingHours)
	}
	code, stdout, stderr := tool("simulate", "--config.file="+fixed, "--against="+priced, "--policy=web", "--input="+input, "--warm-up=2h")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	want := strings.Fields(fmt.Sprintf("… with missing ones at 40 %.1f %.1f %.1f", sum(a.Measures), sum(p.Measures), sum(s.Clairvoyant)))
	if !slices.ContainsFunc(strings.Split(stdout, "\n"), func(l string) bool { return slices.Equal(strings.Fields(l), want) }) {
		t.Errorf("no row %q in\n%s", want, stdout)
	}
	if !strings.Contains(stdout, "Note: "+priced+": the objective begins to learn") {
		t.Errorf("no note about learning in\n%s", stdout)
	}
}

func TestSimulatePrintsAColumnForEach(t *testing.T) {
	a, b := webPolicy(t, "a.yml", "{ ratio: 0.25 }"), webPolicy(t, "b.yml", "{ objective: 0.99 }")
	plot := filepath.Join(t.TempDir(), "plot.svg")
	code, stdout, stderr := tool("simulate", "--config.file="+a, "--against="+b, "--policy=web", "--plot="+plot,
		"--input="+rows(t, 1_767_600_000, 60, 60), "--warm-up=10m")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	lines := strings.Split(stdout, "\n")
	for _, want := range [][]string{
		{"Policy web, 1h of usage of cpu", "from 2026-01-05T08:00:00Z to 2026-01-05T09:00:00Z"},
		{"Demand is 30 replicas on average and 30 at most."},
		{a, b, "CLAIRVOYANT"},
		{"replicas ", "1..20 of 2, ready in 1m"},
		{"time under capacity (τ_U)  ", "100.00 %  ", "100.00 %"},
		{"lost demand  ", "33.33 %"},
		{"cost  ", "0.83"},
		{"Note: the bounds, 1..20, leave it under capacity 100.00 % of the time whatever decides."},
		{"Note: the first 10m are a warm-up and not counted."},
		{"Note: " + b + ": the objective begins to learn"},
	} {
		found := false
		for _, line := range lines {
			all := true
			for _, w := range want {
				all = all && strings.Contains(line, w)
			}
			found = found || all
		}
		if !found {
			t.Errorf("no line has %q:\n%s", want, stdout)
		}
	}
	svg, err := os.ReadFile(plot)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", a, b, "demand in replicas", "</svg>"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the plot has no %q", want)
		}
	}
}

func TestSimulateErrors(t *testing.T) {
	good := webPolicy(t, "good.yml", "{ ratio: 0.25 }")
	other := func(capacity string) string {
		return write(t, t.TempDir(), "other.yml", `
prometheus: { url: http://127.0.0.1:1 }
policies: [ { name: web, max: 20, resources: [ { name: cpu `+capacity+` } ], targets: [ { name: swarm, docker_service: { name: web } } ] } ]
`)
	}
	shipped, promql := other(""), other(`, capacity_per_replica: 'sum(workers)'`)
	renamed := write(t, t.TempDir(), "renamed.yml", "policies: [ { name: shop, max: 5, targets: [ { name: swarm, docker_service: { name: shop } } ] } ]\n")
	bad := filepath.Join(fixtures, "min_above_max.bad.yml")
	input := rows(t, 0, 10, 12)
	csv := func(text string) string { return "--input=" + write(t, t.TempDir(), "bad.csv", text) }
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no policy", []string{"--config.file=" + good, "--input=" + input}, exitCannot, "'--policy' not provided"},
		{"an unknown policy", []string{"--config.file=" + good, "--policy=shop", "--input=" + input}, exitFailed, good + `: the configuration has no policy "shop"; it has web, plain`},
		{"a policy without resources", []string{"--config.file=" + good, "--policy=plain", "--input=" + input}, exitFailed, `policy "plain": it has no resource with a usage to play`},
		{"the other has no such policy", []string{"--config.file=" + good, "--against=" + renamed, "--policy=web", "--input=" + input}, exitFailed, renamed + `: the configuration has no policy "web"; it has shop`},
		{"a bad configuration", []string{"--config.file=" + bad, "--policy=web", "--input=" + input}, exitFailed, "5 is greater than max 3"},
		{"no configuration", []string{"--config.file=none.yml", "--policy=web", "--input=" + input}, exitCannot, "none.yml"},
		{"capacity is PromQL", []string{"--config.file=" + promql, "--policy=web", "--input=" + input}, exitFailed, `has PromQL for what one replica holds of cpu, which rows of a file do not answer; give --capacity-per-replica`},
		{"capacity is recorded", []string{"--config.file=" + shipped, "--policy=web", "--input=" + input}, exitFailed, "from the recorded series, which rows of a file do not have; give --capacity-per-replica"},
		{"capacity is given", []string{"--config.file=" + shipped, "--policy=web", "--input=" + input, "--capacity-per-replica=2"}, exitOK, "1..20 of 2"},
		{"capacity is below 0", []string{"--config.file=" + good, "--policy=web", "--input=" + input, "--capacity-per-replica=-2"}, exitCannot, "--capacity-per-replica=-2 is not a number above 0"},
		{"the mean is no number", []string{"--config.file=" + good, "--policy=web", "--input=" + input, "--mean-replicas=NaN"}, exitCannot, "--mean-replicas=NaN"},
		{"provisioning is no duration", []string{"--config.file=" + good, "--policy=web", "--input=" + input, "--provisioning=soon"}, exitCannot, `--provisioning: "soon" is not a duration; write it as 30s`},
		{"nothing to play", []string{"--config.file=" + good, "--policy=web"}, exitCannot, "say what usage to play"},
		{"twice something to play", []string{"--config.file=" + good, "--policy=web", "--input=" + input, "--from=1d"}, exitCannot, "exclude each other"},
		{"no such rows", []string{"--config.file=" + good, "--policy=web", "--input=none.csv"}, exitCannot, "open none.csv"},
		{"no rows", []string{"--config.file=" + good, "--policy=web", csv("")}, exitFailed, "bad.csv: 0 rows, at least 2 are needed"},
		{"rows that are none", []string{"--config.file=" + good, "--policy=web", csv("0,1\n60,1\n120,x\n")}, exitFailed, `bad.csv: line 3: value "x" is not a number`},
		{"rows at other times", []string{"--config.file=" + good, "--policy=web", csv("0,1\n60,1\n61,1\n")}, exitFailed, `bad.csv: line 3: timestamp 61`},
		{"no demand", []string{"--config.file=" + good, "--policy=web", csv("0,0\n60,0\n")}, exitFailed, `there is no demand in it`},
		{"all warm-up", []string{"--config.file=" + good, "--policy=web", "--input=" + input, "--warm-up=1d"}, exitFailed, "nothing is left to count"},
		{"from is no time", []string{"--config.file=" + good, "--policy=web", "--from=monday"}, exitCannot, "--from=monday is no time; write it as 2026-01-05T08:00:00Z, or as 7d"},
		{"to before from", []string{"--config.file=" + good, "--policy=web", "--from=1d", "--to=2d"}, exitCannot, "does not come after --from"},
		{"to in the future", []string{"--config.file=" + good, "--policy=web", "--from=1d", "--to=2999-01-01T00:00:00Z"}, exitCannot, "lies in the future"},
		{"no Prometheus there", []string{"--config.file=" + shipped, "--policy=web", "--from=1d"}, exitCannot, "connection refused"},
		{"a plot that cannot be written", []string{"--config.file=" + good, "--policy=web", "--input=" + input, "--plot=" + filepath.Join(t.TempDir(), "no", "such", "plot.svg")}, exitCannot, "draw: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := tool(append([]string{"simulate"}, tc.args...)...)
			if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
				t.Errorf("exit %d, want %d with %q\n%s%s", code, tc.code, tc.want, stdout, stderr)
			}
		})
	}
}

// TestSimulateAsksPrometheus: the usage, and what one replica holds, come from
// the policy's own queries over recorded history.
func TestSimulateAsksPrometheus(t *testing.T) {
	t.Parallel()
	begin := time.Now().Add(-4 * time.Hour).Truncate(time.Minute)
	minutes := func(n int, value float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = value
		}
		return out
	}
	const (
		usage     = `scale_target_resource:usage:sum{scale_target="web",resource="cpu"}`
		capacity  = `scale_target_resource:capacity:sum{scale_target="web",resource="cpu"}`
		reporting = `scale_target:replicas_reporting:count{scale_target="web"}`
	)
	p := realtest.StartPrometheus(t, realtest.PrometheusOptions{
		Backfill: realtest.Series(usage, begin, time.Minute, minutes(120, 12)...) +
			realtest.Series(capacity, begin, time.Minute, minutes(120, 16)...) +
			realtest.Series(reporting, begin, time.Minute, minutes(120, 8)...) +
			// Ten minutes in the middle are gone.
			realtest.Series("backlog", begin, time.Minute, minutes(60, 60)...) +
			realtest.Series("backlog", begin.Add(70*time.Minute), time.Minute, minutes(50, 60)...),
	})
	file := write(t, t.TempDir(), "alertscaler.yml", `
prometheus: { url: "`+p.URL+`" }
policies:
  - { name: web, max: 20, resources: [ { name: cpu, reservation: { ratio: 0.25 } } ], targets: [ { name: swarm, docker_service: { name: web } } ] }
  - { name: mail, max: 20, resources: [ { name: backlog, usage: 'sum(backlog) / 2', capacity_per_replica: 10 } ], targets: [ { name: swarm, docker_service: { name: mail } } ] }
`)
	args := func(policy string) []string {
		return []string{
			"--config.file=" + file, "--policy=" + policy,
			"--from=" + begin.UTC().Format(time.RFC3339), "--to=" + begin.Add(2*time.Hour).UTC().Format(time.RFC3339),
		}
	}
	s := simulated(t, args("web")...)
	one := s.Played[0]
	if one.CapacityPerReplica != 2 || s.Samples != 480 || s.SampleSeconds != 15 || s.From == nil || !s.From.Equal(begin.Add(15*time.Second)) || s.Input != p.URL {
		t.Errorf("%+v", s)
	}
	if m := one.Measures; math.Abs(m.ReplicaHours-16) > 1e-9 || m.TauU != 0 || math.Abs(m.NeedHours-12) > 1e-9 {
		t.Errorf("%+v, want 16 replica-hours of which 12 are needed", m)
	}

	// The other one has larger replicas, and its own number for what they hold.
	s = simulated(t, append(args("web"), "--against="+webPolicyWith(t, "larger.yml", "{ ratio: 0.25 }", 4))...)
	if a, b := s.Played[0], s.Played[1]; a.CapacityPerReplica != 2 || b.CapacityPerReplica != 4 || b.Measures.NeedHours != 6 || !strings.Contains(strings.Join(s.Notes, " "), "the configurations differ in bounds, capacity or provisioning time") {
		t.Errorf("replicas of 2 and of 4: %+v", s)
	}

	code, stdout, stderr := tool(append([]string{"simulate"}, args("mail")...)...)
	if code != exitFailed || !strings.Contains(stderr, `of the 2h of backlog of policy "mail"`) || !strings.Contains(stderr, "up to 5m at a time is interpolated") {
		t.Errorf("a gap of ten minutes: exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = tool(append([]string{"simulate", "--max-gap=15m", "--step=1m"}, args("mail")...)...)
	if code != exitOK || !strings.Contains(stdout, "of the history is missing") || !strings.Contains(stdout, "Demand is 3 replicas on average and 3 at most.") {
		t.Errorf("the gap interpolated: exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = tool("simulate", "--config.file="+file, "--policy=web", "--from=30m")
	if code != exitFailed || !strings.Contains(stderr, "Prometheus has 0 samples of cpu") {
		t.Errorf("no history: exit %d\n%s%s", code, stdout, stderr)
	}
}
