package policy

import (
	"math"
	"time"
)

// Decide says how many replicas p should have at now, given what was observed
// and what is remembered. It is pure: equal arguments give equal decisions,
// the order of o.Usage is irrelevant, and neither argument is changed.
//
// Where Act is set the result is within the bounds or, while a target that would
// be needed for that is backed off, nearer to them. An up direction never
// lowers a count within the bounds and a down direction never raises it; what
// is unknown never supports a scale-down. The steps are taken in the order in
// which they stand in Decision.Steps, and the first that holds the count ends
// the decision.
func Decide(p Policy, o Observation, h History, now time.Time) Decision {
	d := decider{p: &p, o: &o, h: &h, now: now}
	d.out = Decision{
		Policy:    p.Name,
		Time:      now,
		Mode:      p.Mode,
		Direction: o.Direction(),
		Steps:     make([]Step, 0, 9+len(p.Resources)),
	}
	for _, t := range o.Targets {
		d.out.Current += t.Requested
		d.out.Ready += t.Ready
	}
	d.min, d.max = p.Bounds(o.Targets)
	d.out.Desired = d.out.Current

	if d.readable() {
		if !d.outOfBounds() {
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
// to be read: it is outside the bounds and the mode lets bounds correct it.
func (p *Policy) OutOfBounds(targets []TargetState) bool {
	n := 0
	for _, t := range targets {
		n += t.Requested
	}
	lowest, highest := p.Bounds(targets)
	return p.Mode != ModeOff && (n < lowest || n > highest)
}

// decider carries one decision through its steps.
type decider struct {
	p        *Policy
	o        *Observation
	h        *History
	now      time.Time
	min, max int
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
	if !d.p.OutOfBounds(d.o.Targets) {
		d.note(Step{Name: StepBounds, Value: float64(d.min), Limit: float64(d.max)})
		return false
	}
	s := Step{Name: StepBounds, Value: float64(d.min), Limit: float64(d.max), Reason: ReasonBelowMin}
	desired := d.min
	if d.out.Current > d.max {
		s.Reason = ReasonAboveMax
		desired = d.max
	}
	d.move(desired, s)
	return true
}

// inBounds takes the steps from data quality to min and max.
func (d *decider) inBounds() {
	d.recommend()
	if d.out.Direction == None {
		d.hold(Step{Name: StepDirection, Reason: ReasonNoAlert})
		return
	}
	d.note(d.directionStep())
	if len(d.p.Resources) == 0 {
		d.alertStep(ReasonScaledUp, ReasonScaledDown)
		return
	}
	if d.followRecommendation() && d.tolerance() && d.roomLeft() && d.stabilization() && d.stepLimit() && d.cooldown() {
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

// recommend works out what each resource needs. The recommendation is the
// largest of the needs that are known.
func (d *decider) recommend() {
	if len(d.p.Resources) == 0 {
		return
	}
	d.out.Requirements = make([]Requirement, 0, len(d.p.Resources))
	known := false
	best := 0
	for i := range d.p.Resources {
		r := &d.p.Resources[i]
		q := d.require(r)
		d.out.Requirements = append(d.out.Requirements, q)
		if q.Problem != "" {
			d.bad = true
			d.note(Step{Name: StepQuality, Subject: r.Name, Reason: ReasonMissingData, Detail: string(q.Problem)})
			continue
		}
		d.note(Step{Name: StepRequirement, Subject: r.Name, Value: q.need(), Limit: float64(q.Replicas)})
		d.need = max(d.need, q.need())
		best = max(best, q.Replicas)
		known = true
	}
	if known {
		d.out.Recommendation = &best
	}
}

// require is required_k = ceil((U_k + P_k) / C_k) of one resource, P_k being
// the larger of the resource's and the policy's reservation.
func (d *decider) require(r *Resource) Requirement {
	q := Requirement{Resource: r.Name}
	u, n := d.o.usage(r.Name)
	switch {
	case n == 0:
		q.Problem, q.Detail = ProblemMissing, "not observed"
		return q
	case n > 1:
		q.Problem, q.Detail = ProblemAmbiguous, "observed more than once"
		return q
	}
	q.Problem, q.Detail = u.problem()
	if q.Problem != "" {
		return q
	}
	q.Usage = u.Value
	q.CapacityPerReplica = u.CapacityPerReplica
	q.AgeSeconds = u.Age.Seconds()
	q.Reserved = max(r.Reservation.Amount(u.Value), d.p.Reservation.Amount(u.Value))
	q.Replicas = ceil(q.need())
	return q
}

// need is the fractional number of replicas, never more than maxReplicas: what
// overflows is a need beyond every bound, not an unknown one.
func (q *Requirement) need() float64 {
	return min((q.Usage+q.Reserved)/q.CapacityPerReplica, maxReplicas)
}

// usage returns a reading of the resource and how many there are.
func (o *Observation) usage(resource string) (u *Usage, n int) {
	for i := range o.Usage {
		if o.Usage[i].Resource == resource {
			u = &o.Usage[i]
			n++
		}
	}
	return u, n
}

// problem is the observer's own verdict or, where it gave none, what makes
// the numbers unusable all the same.
func (u *Usage) problem() (Problem, string) {
	switch {
	case u.Problem != "":
		return u.Problem, u.Detail
	case math.IsNaN(u.Value) || math.IsInf(u.Value, 0) || u.Value < 0:
		return ProblemNotFinite, "usage is not a finite number of at least 0"
	case math.IsNaN(u.CapacityPerReplica) || math.IsInf(u.CapacityPerReplica, 0) || u.CapacityPerReplica <= 0:
		return ProblemNoCapacity, "capacity of a replica is not a finite number above 0"
	}
	return "", ""
}

// Amount is what must stay free at the given usage, P = max_i p_i:
// U·ρ/(1−ρ) for a ratio, so that the share ρ of the total stays free, and θ
// for a threshold. It is in the unit of usage, finite and never negative.
func (r Reservation) Amount(usage float64) float64 {
	amount := 0.0
	if r.Threshold > 0 {
		amount = r.Threshold
	}
	if r.Ratio > 0 && r.Ratio < 1 {
		amount = max(amount, usage*r.Ratio/(1-r.Ratio))
	}
	return min(amount, math.MaxFloat64)
}

// maxReplicas keeps a need that dwarfs every bound within an int.
const maxReplicas = 1 << 30

// ceil rounds up, taking what is above a whole number by less than one part
// in 10⁹ for rounding: 3.0000000001 is 3.
func ceil(x float64) int {
	if x >= maxReplicas {
		return maxReplicas
	}
	return int(math.Ceil(x - 1e-9*math.Max(1, x)))
}
