package peers

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// StepCooldown is the quiet time between two steps.
const StepCooldown = time.Minute

// OneStep is what a webhook does that adds a replica when an alert tells it to
// and takes one away when another does: up while utilization is above the
// target, down while one replica fewer would keep it below, one step a
// cooldown. Many small receivers of Alertmanager work like that; there is no
// one source.
type OneStep struct {
	Target float64

	quiet time.Duration
}

// Desired acts on whichever alert fires.
func (o *OneStep) Desired(s plant.Signal) int {
	if s.Now < o.quiet {
		return s.Requested
	}
	desired := s.Requested
	switch {
	case s.Usage > o.Target*float64(s.Requested):
		desired++
	case s.Usage < o.Target*float64(s.Requested-1):
		desired--
	}
	if desired != s.Requested {
		o.quiet = s.Now + StepCooldown
	}
	return desired
}
