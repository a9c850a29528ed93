package alertscaler

import (
	"math"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// Alone is what learns a reservation, without the engine around it: it asks
// for exactly what is used and must stay free. There are no alerts, tolerance,
// step limits, stabilization or cooldown in between, so it is no measure of
// what users get; it is several times faster, for development.
type Alone struct {
	learner *objective.Learner
	delay   time.Duration
}

// NewAlone is a learner that is asked every 15 s and knows the delay.
func NewAlone(goal objective.Goal, delay time.Duration) *Alone {
	return &Alone{learner: objective.New(goal, 15*time.Second), delay: delay}
}

// Desired is one evaluation.
func (a *Alone) Desired(s plant.Signal) int {
	a.learner.Observe(objective.Sample{
		At: time.Unix(0, 0).UTC().Add(s.Now), Usage: s.Usage, Capacity: 1, Ready: s.Ready, Provisioning: a.delay,
	})
	reading, ok := a.learner.Reading(s.Usage)
	if !ok {
		return s.Requested
	}
	return int(math.Ceil(s.Usage + reading.Free - 1e-9))
}
