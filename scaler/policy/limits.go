package policy

import (
	"math"
	"time"
)

// followRecommendation takes the recommendation over where it points the way
// the alerts do, and handles the lack of one.
func (d *decider) followRecommendation() bool {
	s := Step{Name: StepRecommendation, Value: d.need}
	want := d.out.Current
	if d.out.Recommendation != nil {
		want = *d.out.Recommendation
		s.Limit = float64(want)
	}
	switch {
	case d.out.Direction == Up && want > d.out.Current:
		s.Reason = ReasonScaledUp
	case d.bad && d.fallbackDue():
		d.fallback()
		return false
	case d.bad && d.out.Direction == Up && d.out.Current == 0:
		// With no replicas there is nobody to report usage: the alert itself
		// is all that can be known, and one step starts the rest.
		d.alertStep(ReasonFallback, ReasonFallback)
		return false
	case d.bad:
		// The known resources, if any, are content or must not decide alone.
		return d.hold(Step{Name: StepQuality, Subject: string(d.out.Direction), Reason: ReasonMissingData, Until: d.fallbackAt()})
	case d.out.Direction == Down && want < d.out.Current:
		s.Reason = ReasonScaledDown
	default:
		s.Reason = ReasonSatisfied
		return d.hold(s)
	}
	d.move(want, s)
	return true
}

// alertStep moves by what an alert alone is worth: one step per cooldown, and
// only once the last one has converged. An up does not wait for a down.
func (d *decider) alertStep(up, down Reason) {
	if !d.roomLeft() || !d.wantsDown() || !d.converged() {
		return
	}
	s := Step{Name: StepRecommendation, Subject: string(d.dir), Reason: down}
	desired := d.out.Current - d.p.AlertStep.Down.of(d.out.Current)
	if d.dir == Up {
		s.Reason = up
		desired = d.out.Current + d.p.AlertStep.Up.of(d.out.Current)
	}
	d.move(max(0, desired), s)
	cooldown := d.behavior().Cooldown
	if len(d.p.Resources) > 0 {
		// The policy's own cooldown paces moves by usage, and may be none.
		cooldown = max(cooldown, alertStepCooldown)
	}
	if d.cooldown(cooldown) && d.fleetGuard() && d.budget() {
		d.clamp()
	}
}

// alertStepCooldown is the least time between two steps on an alert alone.
const alertStepCooldown = time.Minute

// converged holds while a move that this one would add to is not ready.
func (d *decider) converged() bool {
	if m := d.h.converging(); m != nil && (d.dir == Down || m.Direction() == Up) {
		return d.hold(Step{Name: StepCooldown, Subject: string(m.Direction()), Limit: d.behavior().Cooldown.Seconds(), Reason: ReasonConverging})
	}
	return true
}

// of is the amount in replicas at n, at least 1.
func (a Amount) of(n int) int {
	if a.Percent > 0 {
		return max(1, ceil(float64(n)*a.Percent/100))
	}
	return min(max(1, a.Replicas), maxReplicas)
}

// behavior is that of the decision's direction.
func (d *decider) behavior() *Behavior {
	if d.dir == Up {
		return &d.p.ScaleUp
	}
	return &d.p.ScaleDown
}

// tolerance holds while the need differs from the count by no more than the
// tolerated share of it. The need is compared before it is rounded up.
func (d *decider) tolerance() bool {
	tolerance := d.behavior().Tolerance
	if tolerance == 0 || d.out.Current == 0 {
		return true
	}
	ratio := d.need / float64(d.out.Current)
	s := Step{Name: StepTolerance, Value: ratio, Limit: tolerance}
	const eps = 1e-9
	if math.Abs(ratio-1) <= tolerance+eps {
		s.Reason = ReasonWithinTolerance
		return d.hold(s)
	}
	d.note(s)
	return true
}

// roomLeft holds at a bound already reached, so that at_max and at_min are not
// hidden behind a limit that would have held as well.
func (d *decider) roomLeft() bool {
	switch {
	case d.dir == Up && d.out.Current >= d.max:
		return d.hold(Step{Name: StepMinMax, Value: float64(d.min), Limit: float64(d.max), Reason: ReasonAtMax})
	case d.dir == Down && d.out.Current <= d.min:
		return d.hold(Step{Name: StepMinMax, Value: float64(d.min), Limit: float64(d.max), Reason: ReasonAtMin})
	}
	return true
}

// stabilization looks back: down takes the highest recommendation of the
// window, up the lowest. A window not observed from end to end holds, since
// what was recommended in its gaps is unknown.
func (d *decider) stabilization() bool {
	window := d.behavior().Stabilization
	if window == 0 {
		return true
	}
	s := Step{Name: StepStabilization, Subject: string(d.dir), Limit: window.Seconds(), Value: float64(d.out.Desired)}
	if since, ok := d.h.observedFor(d.dir, d.p.MaxGap, d.now); !ok || since.Add(window).After(d.now) {
		s.Reason = ReasonStabilizing
		if ok {
			s.Until = since.Add(window)
		} else {
			s.Until = d.now.Add(window)
		}
		return d.hold(s)
	}
	lowest, highest := d.h.extremes(d.now.Add(-window), d.out.Desired)
	if d.dir == Up {
		s.Value = float64(lowest)
		return d.limit(max(lowest, d.out.Current), s, ReasonStabilizing)
	}
	s.Value = float64(highest)
	return d.limit(min(highest, d.out.Current), s, ReasonStabilizing)
}

// limit takes a step that may reduce the move: it holds where nothing of the
// move is left.
func (d *decider) limit(desired int, s Step, reason Reason) bool {
	if desired == d.out.Desired {
		d.note(s)
		return true
	}
	s.Reason = reason
	d.move(desired, s)
	return desired != d.out.Current
}

// stepLimit allows, counted from the count at the start of the period, at most
// the larger of a number and a share of it. As in the Kubernetes controller,
// a share is rounded up, so that it always allows at least one replica.
func (d *decider) stepLimit() bool {
	l := d.behavior().Step
	if l.Per == 0 || (l.Replicas == 0 && l.Ratio == 0) {
		return true
	}
	moved, oldest := d.h.movedSince(d.now.Add(-l.Per), d.dir)
	start := max(0, d.out.Current-moved)
	size := min(max(1, l.Replicas, ceil(float64(start)*l.Ratio)), maxReplicas)
	s := Step{Name: StepStepLimit, Value: float64(start)}
	desired := d.out.Desired
	if d.dir == Up {
		s.Limit = float64(start + size)
		desired = max(min(desired, start+size), d.out.Current)
	} else {
		s.Limit = float64(max(0, start-size))
		desired = min(max(desired, start-size), d.out.Current)
	}
	if desired == d.out.Current && !oldest.IsZero() {
		s.Until = oldest.Add(l.Per)
	}
	return d.limit(desired, s, ReasonStepLimited)
}

// cooldown holds for a time after the last action converged: up only after an
// up, down after either. What has not converged has not begun to cool down.
func (d *decider) cooldown(cooldown time.Duration) bool {
	if (d.dir == Down || cooldown > 0) && !d.converged() {
		return false
	}
	s := Step{Name: StepCooldown, Subject: string(d.dir), Limit: cooldown.Seconds()}
	if until := d.h.cooldownUntil(cooldown, d.dir); until.After(d.now) {
		s.Until, s.Reason = until, ReasonCoolingDown
		return d.hold(s)
	}
	d.note(s)
	return true
}

// clamp keeps what is left of the move within the bounds.
func (d *decider) clamp() {
	desired, reason := d.out.Desired, ReasonAtMin
	if desired > d.max {
		desired, reason = d.max, ReasonAtMax
	}
	desired = max(desired, d.min)
	d.limit(desired, Step{Name: StepMinMax, Value: float64(d.min), Limit: float64(d.max)}, reason)
}

// CooldownUntil is when p may next move in the given direction as far as its
// cooldown goes; zero where nothing has to cool down. A move that has not
// converged counts from nothing: see Converging.
func (h *History) CooldownUntil(p *Policy, dir Direction) time.Time {
	cooldown := p.ScaleUp.Cooldown
	if dir == Down {
		cooldown = p.ScaleDown.Cooldown
	}
	return h.cooldownUntil(cooldown, dir)
}

func (h *History) cooldownUntil(cooldown time.Duration, dir Direction) time.Time {
	var last time.Time
	for i := range h.Moves {
		m := &h.Moves[i]
		if m.Failed || m.Converged.IsZero() || (dir == Up && m.Direction() != Up) {
			continue
		}
		if m.Converged.After(last) {
			last = m.Converged
		}
	}
	if last.IsZero() || cooldown == 0 {
		return time.Time{}
	}
	return last.Add(cooldown)
}
