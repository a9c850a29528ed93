package policy

// NotRecorded holds a decision that the ledger did not take: what is not
// durable is asked of nobody.
func (d *Decision) NotRecorded(why string) {
	d.Desired, d.Act, d.Placements = d.Current, false, nil
	d.Reason = ReasonNotRecorded
	d.Steps = append(d.Steps, Step{Name: StepLedger, Replicas: d.Current, Reason: ReasonNotRecorded, Detail: why})
}

// NotMovedOn takes back what other targets were to take of a refusal: the
// ledger did not take that, so they were not asked.
func (d *Decision) NotMovedOn(instead []Placement, why string) {
	var refused []Refusal
	diff := 0
	for _, p := range instead {
		if n := p.To - p.From; n != 0 {
			refused = append(refused, Refusal{Target: p.Target, Replicas: n, Kind: string(ReasonNotRecorded)})
			diff += n
		}
	}
	d.Refused(refused, nil, diff)
	d.Reason = ReasonNotRecorded
	d.Steps = append(d.Steps, Step{Name: StepLedger, Replicas: d.Desired, Reason: ReasonNotRecorded, Detail: why})
}

// Broken holds a decision that a mistake of the program ended.
func (d *Decision) Broken(why string) {
	d.Desired, d.Act, d.Placements = d.Current, false, nil
	d.Reason = ReasonInternalError
	d.Steps = append(d.Steps, Step{Name: StepInternal, Replicas: d.Current, Reason: ReasonInternalError, Detail: why})
}
