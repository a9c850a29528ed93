package plant

import "time"

// Part is what a span of time cost and how often it was under capacity.
type Part struct {
	// Under is τ_U, the share of time with demand above ready capacity.
	Under float64
	// Cost is requested replica-seconds ÷ replica-seconds of need, where need
	// is max(1, ceil(demand)).
	Cost float64
}

// Result is how a controller did. The measures of elasticity are those of the
// SPEC Research Group (Herbst et al., "Quantifying Cloud Performance and
// Dependability", ACM ToMPECS 3(4), 2018), as shares and not in percent: d is
// need, s is what is ready.
type Result struct {
	Part
	// Counted is the time that was measured, without the warm-up.
	Counted time.Duration
	// Lost is the share of demand that found no capacity:
	// Σ max(0, demand − ready) ÷ Σ demand.
	Lost float64
	// ReplicaHours requested, NeedHours that were needed, and MissingHours of
	// the demand that found no capacity: Σ max(0, demand − ready).
	ReplicaHours, NeedHours, MissingHours float64
	// ThetaU and ThetaO are the accuracy, mean relative under- and
	// over-provisioning: θ_U = 1/T·Σ max(d−s, 0)/d·Δt and
	// θ_O = 1/T·Σ max(s−d, 0)/d·Δt.
	ThetaU, ThetaO float64
	// TauO is the share of time with more ready than needed.
	TauO float64
	// ActionsPerHour are changes of the requested count.
	ActionsPerHour float64
	// Instability is υ, the share of steps in which supply and demand did not
	// move the same way: 1/T·Σ min(1, |sgn Δs − sgn Δd|)·Δt.
	Instability float64
	// FirstHour is the beginning, warm-up or not: what a controller costs
	// that has seen nothing yet.
	FirstHour Part
}

// measure sums up steps.
type measure struct {
	steps, under, over, unstable int
	demand, lost, need           float64
	requested                    int
	thetaU, thetaO               float64
	lastReady                    int
	lastNeed                     float64
}

func newMeasure(f *fleet, need float64) measure {
	return measure{lastReady: f.ready, lastNeed: need}
}

// pass goes over steps without counting them.
func (m *measure) pass(ready int, need float64) { m.lastReady, m.lastNeed = ready, need }

// add counts steps in which the replicas did not change.
func (m *measure) add(demand, need []float64, ready, requested int) {
	m.steps += len(demand)
	m.requested += requested * len(demand)
	supply := float64(ready)
	moved := sign(float64(ready - m.lastReady))
	lastNeed := m.lastNeed
	for i, v := range demand {
		n := need[i]
		if sign(n-lastNeed) != moved {
			m.unstable++
		}
		moved, lastNeed = 0, n
		m.demand += v
		m.need += n
		if v > supply {
			m.under++
			m.lost += v - supply
		}
		switch {
		case n > supply:
			m.thetaU += (n - supply) / n
		case n < supply:
			m.over++
			m.thetaO += (supply - n) / n
		}
	}
	m.lastReady, m.lastNeed = ready, lastNeed
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func (m *measure) part() Part {
	return Part{Under: share(float64(m.under), float64(m.steps)), Cost: share(float64(m.requested), m.need)}
}

func (m *measure) result(step time.Duration, actions int) Result {
	n := float64(m.steps)
	hours := n * step.Hours()
	return Result{
		Part:           m.part(),
		Counted:        time.Duration(m.steps) * step,
		Lost:           share(m.lost, m.demand),
		ReplicaHours:   float64(m.requested) * step.Hours(),
		NeedHours:      m.need * step.Hours(),
		MissingHours:   m.lost * step.Hours(),
		ThetaU:         share(m.thetaU, n),
		ThetaO:         share(m.thetaO, n),
		TauO:           share(float64(m.over), n),
		ActionsPerHour: share(float64(actions), hours),
		Instability:    share(float64(m.unstable), n),
	}
}

// share is part ÷ whole, and 0 of nothing.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}
