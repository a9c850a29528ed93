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
	d.untake(diff)
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

// untake corrects what was said of earlier refusals: those who were asked
// instead have refused diff of it.
func (d *Decision) untake(diff int) {
	left := float64(diff)
	for i := len(d.Steps) - 1; i >= 0 && left != 0; i-- {
		s := &d.Steps[i]
		if s.Name != StepFailover {
			continue
		}
		n := max(min(s.Limit, left), 0)
		if left < 0 {
			n = min(max(s.Limit, left), 0)
		}
		s.Limit -= n
		left -= n
	}
}
