package policy

// Refusal is what one target did not take.
type Refusal struct {
	Target string
	// Replicas that were refused; negative where it did not give them up.
	Replicas int
	// Kind of the error, as package target has it.
	Kind string
}

// Refused notes what targets did not take and what others are asked for
// instead. What nobody takes is taken off the desired count, and Placements
// say what the targets are asked for now.
func (d *Decision) Refused(refusals []Refusal, instead []Placement, diff int) {
	taken := 0
	for _, p := range instead {
		taken += p.To - p.From
	}
	for _, r := range refusals {
		for i := range d.Placements {
			if p := &d.Placements[i]; p.Target == r.Target {
				p.To -= r.Replicas
			}
		}
	}
	for _, p := range instead {
		for i := range d.Placements {
			if q := &d.Placements[i]; p.Target == q.Target {
				q.To += p.To - p.From
			}
		}
	}
	d.Desired -= diff - taken
	for i, r := range refusals {
		s := Step{Name: StepFailover, Replicas: d.Desired, Subject: r.Target, Value: float64(r.Replicas), Detail: r.Kind}
		if i == len(refusals)-1 {
			s.Limit = float64(taken)
		}
		if taken != diff {
			s.Reason = ReasonTargetFailed
			d.Reason = ReasonTargetFailed
		}
		d.Steps = append(d.Steps, s)
	}
}
