package policy

import "time"

// paused holds while an operator has paused the policy: nothing is corrected
// or moved, the bounds included, since whoever pauses has the target in hand.
// What is needed is still worked out, so that the windows stay whole and
// everybody sees what a resume will bring.
func (d *decider) paused() bool {
	if !d.o.Pause.Active(d.now) {
		return false
	}
	d.recommend()
	d.hold(pauseStep(d.o.Pause))
	return true
}

func pauseStep(p *Pause) Step {
	s := Step{Name: StepPause, Subject: p.By, Reason: ReasonPaused, Until: p.Until, Detail: p.Comment}
	if p.Silence != "" {
		s.Value = 1 // a silence, and nobody here
	}
	return s
}

// blocked holds while an alert fires that forbids the direction.
func (d *decider) blocked() bool {
	by := d.o.BlockUp
	if d.dir == Down {
		by = d.o.BlockDown
	}
	if len(by) == 0 {
		return false
	}
	d.hold(Step{Name: StepGate, Subject: string(d.dir), Reason: ReasonBlocked, Value: float64(len(by)), Detail: by[0]})
	return true
}

// FleetHold keeps policies from scaling down together: either everybody is idle
// at once, or what everybody's usage is read from is broken.
type FleetHold struct {
	Until time.Time `json:"until"`
	// Wanting is how many of Policies began to want fewer replicas within one
	// minute; 0 while that minute is not over.
	Wanting  int `json:"wanting"`
	Policies int `json:"policies"`
}

// wantsDown marks a decision for fewer replicas, whatever will hold it.
func (d *decider) wantsDown() bool {
	d.out.WantsDown = d.dir == Down
	return true
}

// fleetGuard holds a scale-down while too many policies want one at once.
func (d *decider) fleetGuard() bool {
	f := d.o.FleetHold
	if d.dir != Down || f == nil || !f.Until.After(d.now) {
		return true
	}
	return d.hold(Step{Name: StepFleetGuard, Reason: ReasonBlocked, Value: float64(f.Wanting), Limit: float64(f.Policies), Until: f.Until})
}
