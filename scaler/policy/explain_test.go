package policy_test

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestExplain(t *testing.T) {
	reserved := web(reserves(policy.Reservation{Ratio: 0.3}))
	two := web(needs(policy.Resource{Name: "cpu"}, policy.Resource{Name: "memory"}))
	for _, c := range []struct {
		name    string
		policy  policy.Policy
		sees    policy.Observation
		history policy.History
		want    string
	}{
		{
			name:   "scaled up",
			policy: reserved, sees: up(6, cpu(11.9)),
			want: "web 6 → 9 (scaled_up): cpu uses 11.9 and keeps 5.1 free (30 %), which takes 8.5 replicas of 2, so 9; capped by nothing",
		},
		{
			name:   "scaled up, to a whole number and without reservation",
			policy: web(), sees: up(6, cpu(16)),
			want: "web 6 → 8 (scaled_up): cpu uses 16, which takes 8 replicas of 2; capped by nothing",
		},
		{
			name:   "scaled down to one",
			policy: web(bounds(0, 20)), sees: down(6, cpu(2)),
			want: "web 6 → 1 (scaled_down): cpu uses 2, which takes 1 replica of 2; capped by nothing",
		},
		{
			name:   "several resources, in bytes",
			policy: two, sees: up(3, cpu(5.5), uses("memory", 13.7e9, 2<<30)),
			want: "web 3 → 7 (scaled_up): cpu uses 5.5, which takes 2.75 replicas of 2, so 3; memory uses 13.7G, which takes 6.38 replicas of 2.147G, so 7; capped by nothing",
		},
		{
			name:   "no alert",
			policy: reserved, sees: quiet(6, cpu(8.4)),
			want: "web stays at 6 (no_alert): cpu uses 8.4 and keeps 3.6 free (30 %), which takes 6 replicas of 2; no alert is active",
		},
		{
			name:   "satisfied",
			policy: reserved, sees: up(7, cpu(8.4)),
			want: "web stays at 7 (satisfied): cpu uses 8.4 and keeps 3.6 free (30 %), which takes 6 replicas of 2; needs 6 and has 7",
		},
		{
			name:   "a down alert that the usage contradicts",
			policy: reserved, sees: down(7, cpu(11.9)),
			want: "web stays at 7 (satisfied): cpu uses 11.9 and keeps 5.1 free (30 %), which takes 8.5 replicas of 2, so 9; needs 9 and has 7, so none can go",
		},
		{
			name:   "below the minimum",
			policy: web(), sees: quiet(1),
			want: "web 1 → 2 (below_min): below the minimum of 2",
		},
		{
			name:   "above the maximum, shadow downwards",
			policy: web(mode(policy.ModeOnlyScaleUp)), sees: quiet(23),
			want: "web would go 23 → 20 (shadow): above the maximum of 20; mode only_scale_up does not act downwards",
		},
		{
			name:   "shadow",
			policy: web(mode(policy.ModeOff)), sees: up(4, cpu(12)),
			want: "web would go 4 → 6 (shadow): cpu uses 12, which takes 6 replicas of 2; mode off does not act",
		},
		{
			name:   "within tolerance upwards",
			policy: web(goesUp(policy.Behavior{Tolerance: 0.1})), sees: up(10, cpu(21)),
			want: "web stays at 10 (within_tolerance): cpu uses 21, which takes 10.5 replicas of 2, so 11; 5 % more is needed than there is, and 10 % is tolerated",
		},
		{
			name:   "within tolerance downwards",
			policy: web(goesDown(policy.Behavior{Tolerance: 0.1})), sees: down(20, cpu(37.5)),
			want: "web stays at 20 (within_tolerance): cpu uses 37.5, which takes 18.75 replicas of 2, so 19; 6.3 % less is needed than there is, and 10 % is tolerated",
		},
		{
			name:   "stabilizing on a window that is not full",
			policy: web(goesDown(policy.Behavior{Stabilization: 5 * time.Minute})), sees: down(10, cpu(8)),
			history: watched(recommended(4, 4*time.Minute)),
			want:    "web stays at 10 (stabilizing): cpu uses 8, which takes 4 replicas of 2; the stabilization window of 5m is not full before 2026-01-05T08:01:00Z",
		},
		{
			name:   "stabilizing on a peak",
			policy: web(goesDown(policy.Behavior{Stabilization: 90 * time.Minute})), sees: down(10, cpu(8)),
			history: watched(recommended(4, 20*time.Hour), recommended(12, 4*time.Minute), recommended(4, time.Minute)),
			want:    "web stays at 10 (stabilizing): cpu uses 8, which takes 4 replicas of 2; the highest recommendation of the last 1h30m is 12",
		},
		{
			name:   "step limit, then the maximum",
			policy: web(bounds(2, 9), goesUp(policy.Behavior{Step: policy.StepLimit{Ratio: 1, Per: time.Minute}})), sees: up(6, cpu(40)),
			want: "web 6 → 9 (at_max): cpu uses 40, which takes 20 replicas of 2; the step limit allows 12 (from 6); at the maximum of 9",
		},
		{
			name:   "step limit used up",
			policy: web(goesUp(policy.Behavior{Step: policy.StepLimit{Replicas: 4, Per: time.Minute}})), sees: up(10, cpu(40)),
			history: moves(converged(6, 10, 30*time.Second)),
			want:    "web stays at 10 (step_limited): cpu uses 40, which takes 20 replicas of 2; the step limit allows 10 (from 6) until 2026-01-05T08:00:30Z",
		},
		{
			name:   "cooling down",
			policy: web(goesDown(policy.Behavior{Cooldown: 5 * time.Minute})), sees: down(8, cpu(12)),
			history: moves(converged(4, 8, 4*time.Minute)),
			want:    "web stays at 8 (cooling_down): cpu uses 12, which takes 6 replicas of 2; the cooldown of 5m runs until 2026-01-05T08:01:00Z",
		},
		{
			name:   "converging",
			policy: web(), sees: down(8, cpu(12)),
			history: moves(converging(4, 8, time.Second)),
			want:    "web stays at 8 (converging): cpu uses 12, which takes 6 replicas of 2; the last move up has not converged",
		},
		{
			name:   "at the maximum",
			policy: web(), sees: up(20, cpu(60)),
			want: "web stays at 20 (at_max): cpu uses 60, which takes 30 replicas of 2; at the maximum of 20",
		},
		{
			name:   "at the minimum",
			policy: web(), sees: down(2, cpu(0)),
			want: "web stays at 2 (at_min): cpu uses 0, which takes 0 replicas of 2; at the minimum of 2",
		},
		{
			name:   "nothing is known",
			policy: web(), sees: up(4, policy.Usage{Resource: "cpu", Problem: policy.ProblemStale, Detail: "newest sample is 3m old"}),
			want: "web stays at 4 (missing_data): cpu is unknown (stale: newest sample is 3m old); unknown usage supports no scale-up",
		},
		{
			name:   "one bad resource and a down alert",
			policy: two, sees: down(8, cpu(12), policy.Usage{Resource: "memory", Problem: policy.ProblemMissing}),
			want: "web stays at 8 (missing_data): cpu uses 12, which takes 6 replicas of 2; memory is unknown (missing); unknown usage supports no scale-down",
		},
		{
			name:   "one bad resource and an up that goes ahead",
			policy: two, sees: up(4, cpu(12), policy.Usage{Resource: "memory", Problem: policy.ProblemLowCoverage, Detail: "1 of 4 replicas report"}),
			want: "web 4 → 6 (scaled_up): cpu uses 12, which takes 6 replicas of 2; memory is unknown (low_coverage: 1 of 4 replicas report); capped by nothing",
		},
		{
			name:   "from nothing",
			policy: web(bounds(0, 20)), sees: up(0, policy.Usage{Resource: "cpu", Problem: policy.ProblemMissing}),
			want: "web 0 → 1 (fallback): cpu is unknown (missing); on unknown usage the alert alone asks for 1",
		},
		{
			name:   "alert alone",
			policy: worker(), sees: up(4),
			want: "worker 4 → 5 (scaled_up): the alert alone asks for 5; capped by nothing",
		},
		{
			name:   "alert alone, cooling down",
			policy: worker(goesUp(policy.Behavior{Cooldown: time.Minute})), sees: up(5),
			history: moves(converged(4, 5, 40*time.Second)),
			want:    "worker stays at 5 (cooling_down): the alert alone asks for 6; the cooldown of 1m runs until 2026-01-05T08:00:20Z",
		},
		{
			name:   "target in backoff",
			policy: web(),
			sees: policy.Observation{Up: 1, Usage: []policy.Usage{cpu(12)}, Targets: []policy.TargetState{
				backedOff(runs("swarm", 4), 5*time.Minute),
			}},
			want: "web stays at 4 (target_backoff): cpu uses 12, which takes 6 replicas of 2; 2 more wait for a target that is backed off until 2026-01-05T08:05:00Z",
		},
		{
			name:   "target in backoff downwards, in part",
			policy: fleet(),
			sees: policy.Observation{Down: 1, Usage: []policy.Usage{cpu(2)}, Targets: []policy.TargetState{
				runs("owned", 4), backedOff(runs("rented", 6), time.Minute),
			}},
			want: "web 10 → 6 (target_backoff): cpu uses 2, which takes 1 replica of 2; 5 stay on a target that is backed off until 2026-01-05T08:01:00Z",
		},
		{
			name:   "target that cannot be read",
			policy: web(),
			sees: policy.Observation{Up: 1, Targets: []policy.TargetState{
				{Name: "swarm", Requested: 4, Error: "dial unix /var/run/docker.sock: connection refused"},
			}},
			want: "web stays at 4 (target_failed): swarm cannot be read: dial unix /var/run/docker.sock: connection refused",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := policy.Decide(c.policy, c.sees, c.history, now)
			if got := d.Explain(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
