package policy_test

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestCooldown(t *testing.T) {
	slow := web(goesUp(policy.Behavior{Cooldown: time.Minute}), goesDown(policy.Behavior{Cooldown: 5 * time.Minute}))
	eager := web(goesDown(policy.Behavior{Cooldown: 5 * time.Minute}))
	tell(t, []story{
		{
			name:   "up waits after an up",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(converged(2, 4, 40*time.Second)),
			desired: 4, reason: policy.ReasonCoolingDown,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 4, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 4, Subject: "cpu", Value: 6, Limit: 6},
				{Name: policy.StepDirection, Replicas: 4, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 6, Reason: policy.ReasonScaledUp, Value: 6, Limit: 6},
				{Name: policy.StepCooldown, Replicas: 4, Reason: policy.ReasonCoolingDown, Subject: "up", Limit: 60, Until: in(20 * time.Second)},
			},
		},
		{
			name:   "up goes once the cooldown is over",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(converged(2, 4, time.Minute)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "up never waits for a down",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(converged(6, 4, time.Second)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "up never waits for a down that has not converged",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(converging(6, 4, time.Second)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "an up before that down still counts",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(converged(2, 6, 30*time.Second), converged(6, 4, time.Second)),
			desired: 4, reason: policy.ReasonCoolingDown,
		},
		{
			name:   "up waits for an up to converge, where it has a cooldown",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(converging(2, 4, time.Second)),
			desired: 4, reason: policy.ReasonConverging,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 4, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 4, Subject: "cpu", Value: 6, Limit: 6},
				{Name: policy.StepDirection, Replicas: 4, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 6, Reason: policy.ReasonScaledUp, Value: 6, Limit: 6},
				{Name: policy.StepCooldown, Replicas: 4, Reason: policy.ReasonConverging, Subject: "up", Limit: 60},
			},
		},
		{
			name:   "up without a cooldown waits for nothing",
			policy: eager, sees: up(4, cpu(12)),
			history: moves(converging(2, 4, time.Second)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "down waits after a down",
			policy: slow, sees: down(8, cpu(12)),
			history: moves(converged(9, 8, 4*time.Minute)),
			desired: 8, reason: policy.ReasonCoolingDown,
		},
		{
			name:   "down waits after an up",
			policy: slow, sees: down(8, cpu(12)),
			history: moves(converged(4, 8, 4*time.Minute)),
			desired: 8, reason: policy.ReasonCoolingDown,
		},
		{
			name:   "down goes once the cooldown is over",
			policy: slow, sees: down(8, cpu(12)),
			history: moves(converged(4, 8, 5*time.Minute)),
			desired: 6, reason: policy.ReasonScaledDown,
		},
		{
			name:   "the cooldown counts from convergence, not from the call",
			policy: slow, sees: down(8, cpu(12)),
			history: moves(policy.Move{ID: "m", From: 4, To: 8, At: ago(20 * time.Minute), Converged: ago(2 * time.Minute)}),
			desired: 8, reason: policy.ReasonCoolingDown,
		},
		{
			name:   "down waits for what has not converged, with or without a cooldown",
			policy: web(), sees: down(8, cpu(12)),
			history: moves(converging(4, 8, time.Hour)),
			desired: 8, reason: policy.ReasonConverging,
		},
		{
			name:   "a failed up spends no cooldown upwards",
			policy: slow, sees: up(4, cpu(12)),
			history: moves(failed(2, 4, time.Second)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "a failed up spends no cooldown downwards",
			policy: slow, sees: down(8, cpu(12)),
			history: moves(failed(4, 8, time.Second)),
			desired: 6, reason: policy.ReasonScaledDown,
		},
		{
			name:   "a failed move does not end the cooldown of the one before",
			policy: slow, sees: down(8, cpu(12)),
			history: moves(converged(4, 8, time.Minute), failed(8, 10, time.Second)),
			desired: 8, reason: policy.ReasonCoolingDown,
		},
	})
}

func TestCooldownUntil(t *testing.T) {
	p := web(goesUp(policy.Behavior{Cooldown: time.Minute}), goesDown(policy.Behavior{Cooldown: 5 * time.Minute}))
	for _, c := range []struct {
		name     string
		history  policy.History
		up, down time.Time
	}{
		{name: "nothing happened"},
		{
			name:    "after an up both wait",
			history: moves(converged(2, 4, 30*time.Second)),
			up:      in(30 * time.Second), down: in(4*time.Minute + 30*time.Second),
		},
		{
			name:    "after a down only down waits",
			history: moves(converged(4, 2, 30*time.Second)),
			down:    in(4*time.Minute + 30*time.Second),
		},
		{
			name:    "each waits for its own last one",
			history: moves(converged(2, 4, 40*time.Second), converged(4, 3, 10*time.Second)),
			up:      in(20 * time.Second), down: in(4*time.Minute + 50*time.Second),
		},
		{
			name:    "what spends nothing does not hide what comes after it",
			history: moves(failed(4, 2, 50*time.Second), converged(6, 4, 45*time.Second), converged(2, 4, 40*time.Second)),
			up:      in(20 * time.Second), down: in(4*time.Minute + 20*time.Second),
		},
		{name: "what converges has not begun to cool down", history: moves(converging(2, 4, 30*time.Second))},
		{name: "what failed spends nothing", history: moves(failed(2, 4, 30*time.Second))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.history.CooldownUntil(&p, policy.Up); !got.Equal(c.up) {
				t.Errorf("up until %v, want %v", got, c.up)
			}
			if got := c.history.CooldownUntil(&p, policy.Down); !got.Equal(c.down) {
				t.Errorf("down until %v, want %v", got, c.down)
			}
		})
	}
	without := web()
	h := moves(converged(2, 4, time.Second))
	if got := h.CooldownUntil(&without, policy.Down); !got.IsZero() {
		t.Errorf("a policy without a cooldown waits until %v", got)
	}
}
