package policy

import (
	"time"
)

// Decide says how many replicas p should have at now, given what was observed
// and what is remembered. It is pure: equal arguments give equal decisions,
// the order of o.Usage is irrelevant, and no argument is changed.
//
// Where Act is set the result is within the bounds or, while a target that would
// be needed for that is backed off or a budget has no room, nearer to them. An
// up direction never lowers a count within the bounds and a down direction
// never raises it; what is unknown never supports a scale-down, unless
// on_missing says so. The steps are taken in the order in which they stand in
// Decision.Steps, and the first that holds the count ends the decision.
func Decide(p Policy, o Observation, h History, now time.Time) Decision {
	return p.Decide(&o, &h, now)
}

// Decide is the function Decide, and copies none of its arguments.
func (p *Policy) Decide(o *Observation, h *History, now time.Time) Decision {
	d := decider{p: p, o: o, h: h, now: now}
	steps := 3 // as many as most have; decisions are kept
	if o.Up+o.Down > 0 {
		steps = 7
	}
	d.out = Decision{
		Policy:    p.Name,
		Time:      now,
		Mode:      p.Mode,
		Direction: o.Direction(),
		Steps:     make([]Step, 0, steps+len(p.Resources)),
	}
	d.dir = d.out.Direction
	for i := range o.Targets {
		d.out.Current += o.Targets[i].Requested
		d.out.Ready += o.Targets[i].Ready
	}
	d.min, d.max = p.Bounds(o.Targets)
	d.out.Desired = d.out.Current

	if d.readable() {
		d.noteForeign()
		switch {
		case d.paused():
		case d.contested():
		case d.outOfBounds():
			d.budget()
		default:
			d.inBounds()
		}
		d.finish()
	}
	return d.out
}

// readable holds where a target could not be read: without its count there is
// nothing to start from.
func (d *decider) readable() bool {
	for i := range d.o.Targets {
		if t := &d.o.Targets[i]; t.Error != "" {
			return d.hold(Step{Name: StepTarget, Subject: t.Name, Reason: ReasonTargetFailed, Detail: t.Error})
		}
	}
	return true
}

// noteForeign says what someone else did. It decides nothing: what is there is
// where the decision starts from.
func (d *decider) noteForeign() {
	for i := range d.o.Foreign {
		c := &d.o.Foreign[i]
		d.note(Step{Name: StepForeign, Subject: c.Target, Value: float64(c.From), Limit: float64(c.To)})
	}
}

// Direction is where the active alerts point: up if any asks for more, down
// only if one asks for less and none for more.
func (o *Observation) Direction() Direction {
	switch {
	case o.Up > 0:
		return Up
	case o.Down > 0:
		return Down
	}
	return None
}

// Bounds are the policy's bounds narrowed by what its targets and their
// platforms allow. Where the two contradict each other the upper bound wins.
func (p *Policy) Bounds(targets []TargetState) (lowest, highest int) {
	lowest, highest = p.Min, p.Max
	var floors, ceilings int
	unbounded := false
	for i := range targets {
		low, high := p.targetBounds(i, targets)
		floors += low
		ceilings += high
		unbounded = unbounded || high == noLimit
	}
	if len(targets) > 0 {
		lowest = max(lowest, floors)
		if !unbounded {
			highest = min(highest, ceilings)
		}
	}
	return min(lowest, highest), highest
}

// OutOfBounds reports whether the count alone decides, so that no usage needs
// to be read: it is outside the bounds, and neither the mode nor a pause keeps
// the bounds from correcting it.
func (p *Policy) OutOfBounds(o *Observation, now time.Time) bool {
	n := 0
	for i := range o.Targets {
		n += o.Targets[i].Requested
	}
	lowest, highest := p.Bounds(o.Targets)
	return p.Mode != ModeOff && !o.Pause.Active(now) && (n < lowest || n > highest)
}

// decider carries one decision through its steps.
type decider struct {
	p        *Policy
	o        *Observation
	h        *History
	now      time.Time
	min, max int
	// dir is where the move goes that the limits look at: where the alerts
	// point or, without one, where on_missing does.
	dir Direction
	// need is the fractional number of replicas behind the recommendation;
	// meaningful only where out.Recommendation is set.
	need float64
	// bad is set where a resource could not be read.
	bad bool
	out Decision
}

// note appends a step that leaves the present count.
func (d *decider) note(s Step) {
	s.Replicas = d.out.Desired
	d.out.Steps = append(d.out.Steps, s)
}

// move sets the desired count for the given reason and notes it.
func (d *decider) move(desired int, s Step) {
	d.out.Desired = desired
	d.out.Reason = s.Reason
	d.note(s)
}

// hold ends the decision at the current count for the step's reason.
func (d *decider) hold(s Step) bool {
	d.move(d.out.Current, s)
	return false
}

// outOfBounds corrects a count outside the bounds before anything is read.
func (d *decider) outOfBounds() bool {
	if !d.p.OutOfBounds(d.o, d.now) {
		d.note(Step{Name: StepBounds, Value: float64(d.min), Limit: float64(d.max)})
		return false
	}
	s := Step{Name: StepBounds, Value: float64(d.min), Limit: float64(d.max), Reason: ReasonBelowMin}
	desired := d.min
	d.dir = Up
	if d.out.Current > d.max {
		s.Reason = ReasonAboveMax
		desired = d.max
		d.dir = Down
	}
	d.move(desired, s)
	return true
}

// inBounds takes the steps from data quality to min and max.
func (d *decider) inBounds() {
	d.recommend()
	if d.out.Direction == None {
		d.undirected()
		return
	}
	d.note(d.directionStep())
	switch {
	case d.blocked():
	case len(d.p.Resources) == 0:
		d.alertStep(ReasonScaledUp, ReasonScaledDown)
	case d.followRecommendation() && d.tolerance() && d.roomLeft() && d.wantsDown() && d.stabilization():
		d.limits()
	}
}

// undirected is what happens while no active alert asks for anything.
func (d *decider) undirected() {
	switch {
	case d.goesToFixed() && d.fallbackDue():
		d.fallback()
	case len(d.o.Silences) > 0:
		d.hold(pauseStep(&d.o.Silences[0]))
	default:
		d.hold(Step{Name: StepDirection, Reason: ReasonNoAlert})
	}
}

// limits are the steps that pace a move: how far, how soon, and at whose
// expense.
func (d *decider) limits() {
	if d.stepLimit() && d.cooldown(d.behavior().Cooldown) && d.fleetGuard() && d.budget() {
		d.clamp()
	}
}

func (d *decider) directionStep() Step {
	n := d.o.Up
	if d.out.Direction == Down {
		n = d.o.Down
	}
	return Step{Name: StepDirection, Subject: string(d.out.Direction), Value: float64(n)}
}
