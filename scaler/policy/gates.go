package policy

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
	return Step{Name: StepPause, Subject: p.By, Reason: ReasonPaused, Until: p.Until, Detail: p.Comment, Silence: p.Silence}
}

// blocked holds while an alert fires that forbids the direction.
func (d *decider) blocked() bool {
	by := d.o.BlockUp
	if d.out.Direction == Down {
		by = d.o.BlockDown
	}
	if len(by) == 0 {
		return false
	}
	d.hold(Step{Name: StepGate, Subject: string(d.out.Direction), Reason: ReasonBlocked, Value: float64(len(by)), Detail: by[0]})
	return true
}

// fleetGuard holds a scale-down while too many policies want one at once:
// either everybody is idle, or what everybody's usage is read from is broken.
func (d *decider) fleetGuard() bool {
	if d.dir != Down {
		return true
	}
	d.out.WantsDown = true
	if !d.o.FleetHold.After(d.now) {
		return true
	}
	return d.hold(Step{Name: StepFleetGuard, Reason: ReasonBlocked, Until: d.o.FleetHold})
}
