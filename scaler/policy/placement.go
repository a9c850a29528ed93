package policy

import "math"

// noLimit stands for a target without a maximum of its own.
const noLimit = math.MaxInt32

// targetBounds are the i-th target's bounds as configured, narrowed by its
// platform's.
func (p *Policy) targetBounds(i int, targets []TargetState) (lowest, highest int) {
	highest = noLimit
	if i < len(p.Targets) {
		lowest = p.Targets[i].Min
		if p.Targets[i].Max > 0 {
			highest = p.Targets[i].Max
		}
	}
	lowest = max(lowest, targets[i].Min)
	if targets[i].Max > 0 {
		highest = min(highest, targets[i].Max)
	}
	return lowest, highest
}

// finish spreads the move over the targets and says whether to act.
func (d *decider) finish() {
	if d.out.Desired != d.out.Current {
		d.place()
	}
	if d.out.Desired == d.out.Current {
		return
	}
	if d.p.Mode == ModeOff || (d.p.Mode == ModeOnlyScaleUp && d.out.Desired < d.out.Current) {
		d.out.Reason = ReasonShadow
		d.note(Step{Name: StepMode, Subject: string(d.p.Mode), Reason: ReasonShadow})
		return
	}
	d.out.Act = true
}

// place spreads the difference over the targets in the order written: more
// goes to the first that has room and is not backed off, less is taken from
// the last that has replicas to give. What no target can take is not asked
// for.
func (d *decider) place() {
	targets := d.o.Targets
	counts := make([]int, len(targets))
	for i := range targets {
		counts[i] = targets[i].Requested
	}
	diff := d.out.Desired - d.out.Current
	backedOff := false
	for i := 0; i < len(targets) && diff > 0; i++ {
		if targets[i].BackoffUntil.After(d.now) {
			backedOff = true
			continue
		}
		_, highest := d.p.targetBounds(i, targets)
		n := max(0, min(diff, highest-counts[i]))
		counts[i] += n
		diff -= n
	}
	for i := len(targets) - 1; i >= 0 && diff < 0; i-- {
		if targets[i].BackoffUntil.After(d.now) {
			backedOff = true
			continue
		}
		lowest, _ := d.p.targetBounds(i, targets)
		n := max(0, min(-diff, counts[i]-lowest))
		counts[i] -= n
		diff += n
	}
	reason := d.unplaced(diff, backedOff)
	s := Step{Name: StepPlacement, Value: float64(diff)}
	d.limit(d.out.Desired-diff, s, reason)
	if d.out.Desired == d.out.Current {
		return
	}
	d.out.Placements = make([]Placement, 0, len(targets))
	for i := range targets {
		d.out.Placements = append(d.out.Placements, Placement{Target: targets[i].Name, From: targets[i].Requested, To: counts[i]})
	}
}

// unplaced is why diff replicas found no target.
func (d *decider) unplaced(diff int, backedOff bool) Reason {
	switch {
	case backedOff:
		return ReasonTargetBackoff
	case diff > 0:
		return ReasonAtMax
	}
	return ReasonAtMin
}
