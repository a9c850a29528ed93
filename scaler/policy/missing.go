package policy

import "time"

// MissingBehavior is what a policy does once usage was unknown for long.
type MissingBehavior string

// The behaviours.
const (
	// MissingHold keeps the count.
	MissingHold MissingBehavior = "hold"
	// MissingStatic goes to OnMissing.Replicas.
	MissingStatic MissingBehavior = "static"
	// MissingCurrentIfHigher goes to OnMissing.Replicas where that is more
	// than there are.
	MissingCurrentIfHigher MissingBehavior = "current_if_higher"
	// MissingAlertStep moves by what the alert alone is worth.
	MissingAlertStep MissingBehavior = "alert_step"
)

// MissingBehaviors is the closed list.
var MissingBehaviors = []MissingBehavior{MissingHold, MissingStatic, MissingCurrentIfHigher, MissingAlertStep}

// OnMissing is what follows from usage that stays unknown. The zero value
// holds.
type OnMissing struct {
	Behavior MissingBehavior
	// After is how long a resource must have been unknown without a break.
	After time.Duration
	// Replicas of MissingStatic and MissingCurrentIfHigher.
	Replicas int
}

// goesToFixed reports whether on_missing names a count, which then needs no
// alert to be gone to.
func (d *decider) goesToFixed() bool {
	return d.p.OnMissing.Behavior == MissingStatic || d.p.OnMissing.Behavior == MissingCurrentIfHigher
}

// fallbackDue reports whether usage was unknown for so long that on_missing
// decides.
func (d *decider) fallbackDue() bool {
	at := d.fallbackAt()
	return !at.IsZero() && !at.After(d.now)
}

// fallbackAt is when on_missing will decide if usage stays unknown; zero where
// it would only hold, or nothing is unknown.
func (d *decider) fallbackAt() time.Time {
	b := d.p.OnMissing
	if !d.bad || b.Behavior == "" || b.Behavior == MissingHold {
		return time.Time{}
	}
	since := d.h.MissingSince
	if since.IsZero() || since.After(d.now) || broken(d.h.MissingSeen, d.now, d.p.MaxGap) {
		since = d.now
	}
	return since.Add(b.After)
}

// fallback does what on_missing says. It never moves against the alerts, and
// never below what the resources that are known need.
func (d *decider) fallback() {
	if d.p.OnMissing.Behavior == MissingAlertStep {
		d.alertStep(ReasonFallback, ReasonFallback)
		return
	}
	want := max(d.p.OnMissing.Replicas, d.out.Needs.Up)
	if d.p.OnMissing.Behavior == MissingCurrentIfHigher {
		want = max(want, d.out.Current)
	}
	want = min(max(want, d.min), d.max)
	s := Step{Name: StepMissing, Subject: string(d.p.OnMissing.Behavior), Value: float64(d.p.OnMissing.Replicas), Reason: ReasonFallback}
	d.dir = Up
	if want < d.out.Current {
		d.dir = Down
	}
	if want == d.out.Current || (d.out.Direction != None && d.out.Direction != d.dir) {
		d.hold(s)
		return
	}
	if d.blocked() {
		return
	}
	d.move(want, s)
	d.wantsDown()
	d.limits()
}
