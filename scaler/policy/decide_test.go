package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestBounds(t *testing.T) {
	platform := func(replicas, lowest, highest int) []policy.TargetState {
		return []policy.TargetState{{Name: "swarm", Requested: replicas, Ready: replicas, Min: lowest, Max: highest}}
	}
	tell(t, []story{
		{
			name:   "a count below the minimum is corrected without an alert and without usage",
			policy: web(), sees: quiet(1),
			desired: 2, reason: policy.ReasonBelowMin,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 2, Reason: policy.ReasonBelowMin, Value: 2, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 2},
			},
		},
		{
			name:   "a count above the maximum is corrected without an alert and without usage",
			policy: web(), sees: quiet(23),
			desired: 20, reason: policy.ReasonAboveMax,
		},
		{
			name:   "an alert that asks for more does not go past a correction",
			policy: web(), sees: up(1, cpu(30)),
			desired: 2, reason: policy.ReasonBelowMin,
		},
		{
			name:   "a correction waits for neither cooldown nor convergence",
			policy: web(goesDown(policy.Behavior{Cooldown: time.Hour})), sees: quiet(23),
			history: moves(converging(20, 23, time.Second)),
			desired: 20, reason: policy.ReasonAboveMax,
		},
		{
			name:   "a correction upwards acts in mode only_scale_up",
			policy: web(mode(policy.ModeOnlyScaleUp)), sees: quiet(1),
			desired: 2, reason: policy.ReasonBelowMin,
		},
		{
			name:   "a correction downwards does not act in mode only_scale_up",
			policy: web(mode(policy.ModeOnlyScaleUp)), sees: quiet(23),
			desired: 20, reason: policy.ReasonShadow, waits: true,
		},
		{
			name:   "mode off corrects nothing",
			policy: web(mode(policy.ModeOff)), sees: quiet(1),
			desired: 1, reason: policy.ReasonNoAlert,
		},
		{
			name:   "the platform's maximum is below the policy's",
			policy: web(), sees: policy.Observation{Up: 1, Targets: platform(6, 0, 8), Usage: []policy.Usage{cpu(30)}},
			desired: 8, reason: policy.ReasonAtMax,
		},
		{
			name:   "a platform that lowered its maximum is followed",
			policy: web(), sees: policy.Observation{Targets: platform(10, 0, 8)},
			desired: 8, reason: policy.ReasonAboveMax,
		},
		{
			name:   "the platform's minimum is above the policy's",
			policy: web(), sees: policy.Observation{Down: 1, Targets: platform(6, 4, 0), Usage: []policy.Usage{cpu(2)}},
			desired: 4, reason: policy.ReasonAtMin,
		},
		{
			name:   "bounds that contradict each other: the maximum wins",
			policy: web(), sees: policy.Observation{Targets: platform(6, 9, 5)},
			desired: 5, reason: policy.ReasonAboveMax,
		},
		{
			name:   "what is wanted beyond the maximum is cut",
			policy: web(), sees: up(18, cpu(60)),
			desired: 20, reason: policy.ReasonAtMax,
		},
		{
			name:   "at the maximum there is no more",
			policy: web(), sees: up(20, cpu(60)),
			desired: 20, reason: policy.ReasonAtMax,
		},
		{
			name:   "what is wanted beyond the minimum is cut",
			policy: web(), sees: down(4, cpu(0)),
			desired: 2, reason: policy.ReasonAtMin,
		},
		{
			name:   "at the minimum there is no less",
			policy: web(), sees: down(2, cpu(0)),
			desired: 2, reason: policy.ReasonAtMin,
		},
		{
			name:   "a minimum of 0 lets an idle policy go to nothing",
			policy: web(bounds(0, 20)), sees: down(3, cpu(0)),
			desired: 0, reason: policy.ReasonScaledDown,
		},
	})
}

func TestDirection(t *testing.T) {
	tell(t, []story{
		{
			name:   "an up alert and a need for more",
			policy: web(), sees: up(4, cpu(12)),
			desired: 6, reason: policy.ReasonScaledUp,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 4, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 4, Subject: "cpu", Value: 6, Limit: 6},
				{Name: policy.StepDirection, Replicas: 4, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 6, Reason: policy.ReasonScaledUp, Value: 6, Limit: 6},
				{Name: policy.StepCooldown, Replicas: 6, Subject: "up"},
				{Name: policy.StepMinMax, Replicas: 6, Value: 2, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 6},
			},
		},
		{
			name:   "a down alert and a need for less",
			policy: web(), sees: down(8, cpu(12)),
			desired: 6, reason: policy.ReasonScaledDown,
		},
		{
			name:   "both: up wins",
			policy: web(), sees: policy.Observation{Up: 1, Down: 3, Targets: one(4), Usage: []policy.Usage{cpu(12)}},
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "both and a need for less: up wins, and up never lowers",
			policy: web(), sees: policy.Observation{Up: 1, Down: 3, Targets: one(8), Usage: []policy.Usage{cpu(12)}},
			desired: 8, reason: policy.ReasonSatisfied,
		},
		{
			name:   "no alert holds, whatever the usage",
			policy: web(), sees: quiet(4, cpu(30)),
			desired: 4, reason: policy.ReasonNoAlert,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 4, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 4, Subject: "cpu", Value: 15, Limit: 15},
				{Name: policy.StepDirection, Replicas: 4, Reason: policy.ReasonNoAlert},
			},
		},
		{
			name:   "an up alert that the usage does not bear out",
			policy: web(), sees: up(6, cpu(12)),
			desired: 6, reason: policy.ReasonSatisfied,
		},
		{
			name:   "a down alert and exactly what is needed",
			policy: web(), sees: down(6, cpu(12)),
			desired: 6, reason: policy.ReasonSatisfied,
		},
		{
			name:   "a down alert that the usage contradicts never raises",
			policy: web(), sees: down(6, cpu(30)),
			desired: 6, reason: policy.ReasonSatisfied,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 6, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 6, Subject: "cpu", Value: 15, Limit: 15},
				{Name: policy.StepDirection, Replicas: 6, Subject: "down", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 6, Reason: policy.ReasonSatisfied, Value: 15, Limit: 15},
			},
		},
	})
}

func TestMode(t *testing.T) {
	tell(t, []story{
		{
			name:   "on acts upwards",
			policy: web(), sees: up(4, cpu(12)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "only_scale_up acts upwards",
			policy: web(mode(policy.ModeOnlyScaleUp)), sees: up(4, cpu(12)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "only_scale_up decides downwards and does not act",
			policy: web(mode(policy.ModeOnlyScaleUp)), sees: down(8, cpu(12)),
			desired: 6, reason: policy.ReasonShadow, waits: true,
		},
		{
			name:   "off decides upwards, places, and does not act",
			policy: web(mode(policy.ModeOff)), sees: up(4, cpu(12)),
			desired: 6, reason: policy.ReasonShadow, waits: true,
			places: []policy.Placement{{Target: "swarm", From: 4, To: 6}},
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 4, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 4, Subject: "cpu", Value: 6, Limit: 6},
				{Name: policy.StepDirection, Replicas: 4, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 6, Reason: policy.ReasonScaledUp, Value: 6, Limit: 6},
				{Name: policy.StepCooldown, Replicas: 6, Subject: "up"},
				{Name: policy.StepMinMax, Replicas: 6, Value: 2, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 6},
				{Name: policy.StepMode, Replicas: 6, Reason: policy.ReasonShadow, Subject: "off"},
			},
		},
		{
			name:   "off says why it would hold, as on does",
			policy: web(mode(policy.ModeOff)), sees: up(6, cpu(12)),
			desired: 6, reason: policy.ReasonSatisfied,
		},
	})
}

func TestRequirement(t *testing.T) {
	tell(t, []story{
		{
			name:   "usage alone, rounded up",
			policy: web(), sees: up(4, cpu(10.1)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "what is above a whole number by rounding only is that number",
			policy: web(), sees: up(4, cpu(10.0000000001)),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "ratio: 30 % of the total stays free",
			policy: web(reserves(policy.Reservation{Ratio: 0.3})), sees: up(4, cpu(8.4)),
			desired: 6, reason: policy.ReasonScaledUp, // 8.4 is 70 % of 12
		},
		{
			name:   "threshold: 3 cores stay free",
			policy: web(reserves(policy.Reservation{Threshold: 3})), sees: up(4, cpu(8.4)),
			desired: 6, reason: policy.ReasonScaledUp, // 11.4 of 12
		},
		{
			name:   "of ratio and threshold the larger stays free: threshold",
			policy: web(reserves(policy.Reservation{Ratio: 0.1, Threshold: 5})), sees: up(4, cpu(9)),
			desired: 7, reason: policy.ReasonScaledUp,
		},
		{
			name:   "of ratio and threshold the larger stays free: ratio",
			policy: web(reserves(policy.Reservation{Ratio: 0.5, Threshold: 5})), sees: up(4, cpu(9)),
			desired: 9, reason: policy.ReasonScaledUp,
		},
		{
			name: "of the policy's and the resource's the larger stays free: the resource's",
			policy: web(reserves(policy.Reservation{Ratio: 0.1}),
				needs(policy.Resource{Name: "cpu", Reservation: policy.Reservation{Ratio: 0.5}})),
			sees:    up(4, cpu(8)),
			desired: 8, reason: policy.ReasonScaledUp,
		},
		{
			name: "of the policy's and the resource's the larger stays free: the policy's",
			policy: web(reserves(policy.Reservation{Threshold: 8}),
				needs(policy.Resource{Name: "cpu", Reservation: policy.Reservation{Ratio: 0.2}})),
			sees:    up(4, cpu(8)),
			desired: 8, reason: policy.ReasonScaledUp,
		},
		{
			name:   "a reservation is kept where nothing is used",
			policy: web(bounds(0, 20), reserves(policy.Reservation{Threshold: 5})), sees: down(8, cpu(0)),
			desired: 3, reason: policy.ReasonScaledDown,
		},
		{
			name:   "of several resources the one that needs most decides",
			policy: web(needs(policy.Resource{Name: "cpu"}, policy.Resource{Name: "requests"})),
			sees:   up(4, cpu(8.4), uses("requests", 1000, 150)),
			// cpu would need 5
			desired: 7, reason: policy.ReasonScaledUp,
		},
		{
			name:    "down goes only as far as every resource agrees",
			policy:  web(needs(policy.Resource{Name: "cpu"}, policy.Resource{Name: "requests"})),
			sees:    down(9, uses("requests", 1000, 150), cpu(8.4)),
			desired: 7, reason: policy.ReasonScaledDown,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 9, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 9, Subject: "cpu", Value: 4.2, Limit: 5},
				{Name: policy.StepRequirement, Replicas: 9, Subject: "requests", Value: 1000.0 / 150, Limit: 7},
				{Name: policy.StepDirection, Replicas: 9, Subject: "down", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 7, Reason: policy.ReasonScaledDown, Value: 1000.0 / 150, Limit: 7},
				{Name: policy.StepCooldown, Replicas: 7, Subject: "down"},
				{Name: policy.StepMinMax, Replicas: 7, Value: 2, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 7},
			},
		},
		{
			name:   "replicas that are still starting are capacity on order",
			policy: web(),
			sees: policy.Observation{
				Up: 1, Usage: []policy.Usage{cpu(12)},
				Targets: []policy.TargetState{{Name: "swarm", Requested: 6, Ready: 2}},
			},
			desired: 6, reason: policy.ReasonSatisfied,
		},
		{
			name:   "a need beyond every number is cut at the maximum",
			policy: web(reserves(policy.Reservation{Ratio: 0.9})), sees: up(4, uses("cpu", math.MaxFloat64, 0.001)),
			desired: 20, reason: policy.ReasonAtMax,
		},
	})
}

func TestReservationAmount(t *testing.T) {
	for _, c := range []struct {
		name        string
		reservation policy.Reservation
		usage, want float64
	}{
		{"nothing is reserved by default", policy.Reservation{}, 8, 0},
		{"a ratio is of the total", policy.Reservation{Ratio: 0.5}, 8, 8},
		{"a ratio of nothing used is nothing", policy.Reservation{Ratio: 0.5}, 0, 0},
		{"a threshold is absolute", policy.Reservation{Threshold: 3}, 0, 3},
		{"the larger wins", policy.Reservation{Ratio: 0.5, Threshold: 3}, 8, 8},
		{"a ratio of everything is none", policy.Reservation{Ratio: 1, Threshold: 3}, 8, 3},
		{"negative numbers reserve nothing", policy.Reservation{Ratio: -1, Threshold: -3}, 8, 0},
		{"what is no number reserves nothing", policy.Reservation{Ratio: math.NaN(), Threshold: math.NaN()}, 8, 0},
		{"replicas are whole ones", policy.Reservation{Replicas: 3, Ratio: 0.1}, 8, 6},
		{"a schedule counts within its window", policy.Reservation{Ratio: 0.1, Schedules: []policy.Schedule{{Window: window(true), Ratio: 0.5}}}, 8, 8},
		{"and not outside of it", policy.Reservation{Threshold: 1, Schedules: []policy.Schedule{{Window: window(false), Ratio: 0.5}}}, 8, 1},
		{"the largest of a schedule's own wins", policy.Reservation{Schedules: []policy.Schedule{{Window: window(true), Ratio: 0.5, Threshold: 9, Replicas: 2}}}, 8, 9},
		{"without end is as much as can be written", policy.Reservation{Threshold: math.Inf(1)}, 8, math.MaxFloat64},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.reservation.Amount(c.usage, 2, now); got != c.want {
				t.Errorf("got %g, want %g", got, c.want)
			}
		})
	}
}

// window is one that always holds, or never does.
type window bool

func (w window) Contains(time.Time) bool { return bool(w) }
func (w window) String() string          { return "a window" }

func TestRequirementsAreReported(t *testing.T) {
	p := web(needs(
		policy.Resource{Name: "cpu", Reservation: policy.Reservation{Ratio: 0.3}},
		policy.Resource{Name: "memory"},
	))
	usage := cpu(8.4)
	usage.Age = 20 * time.Second
	d := policy.Decide(p, up(4, unknown("memory", policy.ProblemStale), usage), policy.History{}, now)

	c, m := d.Requirements[0], d.Requirements[1]
	if c.Resource != "cpu" || c.Usage != 8.4 || math.Abs(c.Reserved-3.6) > 1e-9 || c.CapacityPerReplica != 2 || c.Replicas != 6 || c.AgeSeconds != 20 || c.Problem != "" {
		t.Errorf("cpu: %+v", c)
	}
	if want := (policy.Requirement{Resource: "memory", Problem: policy.ProblemStale, Detail: "for the story"}); !cmp.Equal(m, want) {
		t.Errorf("memory: got %+v, want %+v", m, want)
	}
	if d.Recommendation == nil || *d.Recommendation != 6 {
		t.Errorf("recommendation: %v", d.Recommendation)
	}
}

func TestTargetThatCannotBeRead(t *testing.T) {
	tell(t, []story{{
		name:   "holds at the count last known, even below the minimum",
		policy: web(),
		sees: policy.Observation{Up: 1, Usage: []policy.Usage{cpu(30)}, Targets: []policy.TargetState{
			{Name: "swarm", Requested: 1, Ready: 1, Error: "connection refused"},
		}},
		desired: 1, reason: policy.ReasonTargetFailed,
		steps: []policy.Step{
			{Name: policy.StepTarget, Replicas: 1, Reason: policy.ReasonTargetFailed, Subject: "swarm", Detail: "connection refused"},
		},
	}})
}
