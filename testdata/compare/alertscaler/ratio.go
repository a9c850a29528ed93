// Package alertscaler plays Alertscaler's own decision against the plant.
package alertscaler

import (
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

const (
	resource = "usage"
	target   = "plant"
)

// downFor is the `for` of the shipped alert ScaleDown; ScaleUp has none.
const downFor = 2 * time.Minute

// Ratio is a policy with a fixed `reservation: { ratio }` and every other
// value as the configuration defaults it. It decides by policy.Decide and
// remembers as the engine does; which way it may go is said by the shipped
// alerts, evaluated every 15 s and delivered at once (group_wait: 0s).
type Ratio struct {
	policy  policy.Policy
	history policy.History
	moves   int
	// downSince is since when the expression of ScaleDown holds; negative: it
	// does not.
	downSince time.Duration
}

// NewRatio keeps the given share of the total capacity free.
func NewRatio(ratio float64) *Ratio {
	return &Ratio{
		downSince: -1,
		policy: policy.Policy{
			Name: "compared", Mode: policy.ModeOn, Min: 1, Max: 200,
			Resources: []policy.Resource{{Name: resource, Reservation: policy.Reservation{Ratio: ratio}}},
			ScaleUp: policy.Behavior{
				Tolerance: 0.1,
				Step:      policy.StepLimit{Replicas: 4, Ratio: 1, Per: 15 * time.Second},
			},
			ScaleDown: policy.Behavior{
				Tolerance: 0.1, Stabilization: 5 * time.Minute, Cooldown: 5 * time.Minute,
				Step: policy.StepLimit{Ratio: 0.1, Per: time.Minute},
			},
			MaxGap:   2 * time.Minute,
			Strategy: policy.StrategyPriority,
			Targets:  []policy.Target{{Name: target}},
		},
	}
}

// Desired is one evaluation.
func (r *Ratio) Desired(s plant.Signal) int {
	now := time.Unix(0, 0).UTC().Add(s.Now)
	if moves := r.history.Moves; len(moves) > 0 && s.Ready == s.Requested {
		r.history.Settled(moves[len(moves)-1].ID, now, false)
	}
	o := policy.Observation{
		Targets: []policy.TargetState{{Name: target, Requested: s.Requested, Ready: s.Ready}},
		Usage:   []policy.Usage{{Resource: resource, Value: s.Usage, CapacityPerReplica: 1}},
	}
	reserved := r.policy.Resources[0].Reservation.Amount(s.Usage, 1, now)
	o.Up, o.Down = r.alerts(s, s.Usage+reserved)

	d := policy.Decide(r.policy, o, r.history, now)
	r.history.Observe(r.policy, d)
	if !d.Act {
		return s.Requested
	}
	r.moves++
	r.history.Moved(r.policy, policy.Move{ID: strconv.Itoa(r.moves), At: now, From: s.Requested, To: d.Desired})
	return d.Desired
}

// alerts evaluates ScaleUp and ScaleDown: what is used and reserved is more
// than the ready replicas hold, or one of them fewer would hold it, and has
// for a while.
func (r *Ratio) alerts(s plant.Signal, need float64) (up, down int) {
	if need > float64(s.Ready) {
		up = 1
	}
	switch {
	case s.Ready <= 1 || need > float64(s.Ready-1):
		r.downSince = -1
	case r.downSince < 0:
		r.downSince = s.Now
	}
	if r.downSince >= 0 && s.Now-r.downSince >= downFor {
		down = 1
	}
	return up, down
}
