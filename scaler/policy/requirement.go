package policy

import (
	"math"
)

// Requirement is what one resource needs.
type Requirement struct {
	Resource string `json:"resource"`
	// Usage, Reserved and CapacityPerReplica are in the resource's unit.
	Usage              float64 `json:"usage"`
	Reserved           float64 `json:"reserved"`
	CapacityPerReplica float64 `json:"capacity_per_replica"`
	// Reservations are the entries of which Reserved is the largest.
	Reservations []Entry `json:"reservations,omitempty"`
	// Replicas = ceil((Usage + Reserved) / CapacityPerReplica).
	Replicas int `json:"replicas"`
	// Predicted usage is set where it exceeds Usage; PredictedReplicas is
	// what that needs, and counts for going up alone.
	Predicted         float64 `json:"predicted,omitempty"`
	PredictedReplicas int     `json:"predicted_replicas,omitempty"`
	// Problem is set where the reading could not be used. The numbers above
	// are then zero and mean nothing or, with ProblemLowCoverage, a lower
	// bound that counts for going up alone.
	Problem Problem `json:"problem,omitempty"`
	Detail  string  `json:"detail,omitempty"`
	// AgeSeconds of the sample behind Usage.
	AgeSeconds float64 `json:"age_seconds,omitempty"`
}

// lowerBound reports whether the numbers say how much is needed at least.
func (q *Requirement) lowerBound() bool {
	return q.Problem == ProblemLowCoverage && q.CapacityPerReplica > 0
}

// need is the fractional number of replicas, never more than maxReplicas: what
// overflows is a need beyond every bound, not an unknown one.
func (q *Requirement) need() float64 {
	return min((q.Usage+q.Reserved)/q.CapacityPerReplica, maxReplicas)
}

// Needs are the recommendations of one instant, for the windows to remember.
type Needs struct {
	// Down is what is needed now, Up what is needed now or is predicted to
	// be; Up ≥ Down.
	Down int `json:"down"`
	Up   int `json:"up"`
	// Known is false where no resource could say.
	Known bool `json:"known"`
}

// recommend works out what each resource needs. The recommendation is the
// largest of the needs that are known; for going up, predictions and lower
// bounds count too.
func (d *decider) recommend() {
	if len(d.p.Resources) == 0 {
		return
	}
	entries := make([]Entry, 0, d.p.entries())
	d.out.Requirements = make([]Requirement, 0, len(d.p.Resources))
	known := false
	needUp := 0.0
	n := &d.out.Needs
	for i := range d.p.Resources {
		r := &d.p.Resources[i]
		var q Requirement
		var foreseen float64
		q, foreseen, entries = d.require(r, entries)
		d.out.Requirements = append(d.out.Requirements, q)
		if q.Problem != "" {
			d.bad = true
			s := Step{Name: StepQuality, Subject: r.Name, Reason: ReasonMissingData, Detail: string(q.Problem)}
			if q.lowerBound() {
				s.Value, s.Limit = q.need(), float64(q.Replicas)
				n.Up, n.Known = max(n.Up, q.Replicas), true
				needUp = max(needUp, q.need())
			}
			d.note(s)
			continue
		}
		s := Step{Name: StepRequirement, Subject: r.Name, Value: q.need(), Limit: float64(q.Replicas)}
		d.note(s)
		d.need = max(d.need, q.need())
		n.Down, n.Known, known = max(n.Down, q.Replicas), true, true
		needUp = max(needUp, q.need(), foreseen)
		n.Up = max(n.Up, q.Replicas, q.PredictedReplicas)
	}
	n.Up = max(n.Up, n.Down)
	switch {
	case d.out.Direction == Up && n.Known:
		d.need = needUp
		d.recommends(n.Up)
	case known:
		d.recommends(n.Down)
	}
	if !known {
		// What nobody could say fully is at least this.
		n.Down = n.Up
	}
}

func (d *decider) recommends(replicas int) { d.out.Recommendation = &replicas }

// require is required_k = ceil((U_k + P_k) / C_k) of one resource. The entries
// of its reservation are appended to the slice that all resources share.
// foreseen is what the prediction needs, before it is rounded up as
// q.PredictedReplicas is, so that a tolerance treats both alike.
func (d *decider) require(r *Resource, entries []Entry) (q Requirement, foreseen float64, all []Entry) {
	q = Requirement{Resource: r.Name}
	u, n := d.o.usage(r.Name)
	switch {
	case n == 0:
		q.Problem, q.Detail = ProblemMissing, "not observed"
		return q, 0, entries
	case n > 1:
		q.Problem, q.Detail = ProblemAmbiguous, "observed more than once"
		return q, 0, entries
	}
	q.Problem, q.Detail = u.problem()
	if q.Problem != "" && (q.Problem != ProblemLowCoverage || !u.sane()) {
		return q, 0, entries
	}
	q.Usage, q.CapacityPerReplica, q.AgeSeconds = u.Value, u.CapacityPerReplica, u.Age.Seconds()
	first := len(entries)
	entries = r.Reservation.appendEntries(entries, ScopeResource, u, d.now)
	entries = d.p.Reservation.appendEntries(entries, ScopePolicy, u, d.now)
	if len(entries) > first {
		q.Reservations = entries[first:len(entries):len(entries)]
	}
	q.Reserved = largest(q.Reservations)
	q.Replicas = ceil(q.need())
	if p := u.Predicted; p > u.Value && !math.IsInf(p, 0) {
		reserved := max(r.Reservation.Amount(p, u.CapacityPerReplica, d.now), d.p.Reservation.Amount(p, u.CapacityPerReplica, d.now))
		foreseen = min((p+reserved)/u.CapacityPerReplica, maxReplicas)
		q.Predicted, q.PredictedReplicas = p, ceil(foreseen)
	}
	return q, foreseen, entries
}

// usage finds the readings of one resource.
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
	case !finite(u.Value):
		return ProblemNotFinite, "usage is not a finite number of at least 0"
	case !u.sane():
		return ProblemNoCapacity, "capacity of a replica is not a finite number above 0"
	}
	return "", ""
}

// sane reports whether the numbers can be calculated with.
func (u *Usage) sane() bool {
	return finite(u.Value) && finite(u.CapacityPerReplica) && u.CapacityPerReplica > 0
}

// finite reports whether x is a number of at least 0.
func finite(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }

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
