package policy

import (
	"strings"
	"time"
)

// Drain is what must be waited for before replicas of one target may go.
type Drain struct {
	Target string
	// Waiting names the replicas that are not drained yet, of All that are to
	// go.
	Waiting []string
	All     int
	// Until is when the last of them has had its time.
	Until time.Time
}

// maxDrained is how many replicas that are being drained are named.
const maxDrained = 3

// Wait holds a decision for fewer replicas while some of those are being
// drained. The next decision starts anew from what is then there.
func (d *Decision) Wait(drains []Drain) {
	d.Desired, d.Act, d.Placements = d.Current, false, nil
	d.Reason = ReasonConverging
	for _, w := range drains {
		names := w.Waiting[:min(len(w.Waiting), maxDrained)]
		detail := strings.Join(names, ", ")
		if len(names) < len(w.Waiting) {
			detail += ", ..."
		}
		d.Steps = append(d.Steps, Step{
			Name: StepDrain, Replicas: d.Current, Reason: ReasonConverging,
			Subject: w.Target, Value: float64(len(w.Waiting)), Limit: float64(w.All), Until: w.Until, Detail: detail,
		})
	}
}
