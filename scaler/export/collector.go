package export

import (
	"iter"
	"math"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// Component is where a panic of a scrape came about.
const Component = "metrics"

// Collector renders at each scrape what it is given: every label combination
// of every policy from its first moment on, and none of a policy that is gone.
// A number that is not known is NaN, never zero.
//
// Its functions are called at each scrape, of which there may be several at a
// time, and must not wait for whoever reads the metrics.
type Collector struct {
	// Policies visits every policy. One that was visited may be used again for
	// the next.
	Policies iter.Seq[*Policy]
	Budgets  func() []Budget
	// Writable reports whether decisions can be written.
	Writable func() bool
	// Guard recovers what panics here; nil: nobody does.
	Guard  *recovery.Guard
	Logger log.Logger
}

var _ prometheus.Collector = (*Collector)(nil)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descriptions() {
		ch <- d
	}
}

// Collect implements prometheus.Collector. A registry collects in goroutines of
// its own, where nobody else recovers.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	if c.Guard == nil {
		c.collect(ch)
		return
	}
	_ = c.Guard.Do(c.Logger, Component, func() error {
		c.collect(ch)
		return nil
	})
}

func (c *Collector) collect(ch chan<- prometheus.Metric) {
	safe := c.Writable()
	var out []prometheus.Metric
	for p := range c.Policies {
		e := emitter{out: &out, policy: p.Name}
		e.replicas(p)
		e.resources(p)
		e.holds(p)
		e.targets(p)
		e.counters(p, p.Counts.snapshot())
		safe = safe && p.safe()
		// Whoever reads may be slow: nothing is locked meanwhile.
		for _, m := range out {
			ch <- m
		}
		out = out[:0]
	}
	for _, b := range c.Budgets() {
		b.collect(ch)
	}
	ch <- prometheus.MustNewConstMetric(descSafe, prometheus.GaugeValue, boolean(safe))
}

// collect renders the budget.
func (b *Budget) collect(ch chan<- prometheus.Metric) {
	limit := func(x float64) float64 {
		if x == 0 {
			return math.Inf(1)
		}
		return x
	}
	emit := func(d *prometheus.Desc, value float64, kind string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, b.Name, kind)
	}
	emit(descBudget, float64(b.Replicas), "held")
	emit(descBudget, limit(float64(b.MaxReplicas)), "max")
	emit(descBudgetCost, b.CostPerHour, "held")
	emit(descBudgetCost, limit(b.MaxCostPerHour), "max")
}

// emitter collects one policy's metrics.
type emitter struct {
	out    *[]prometheus.Metric
	policy string
}

func (e emitter) emit(m prometheus.Metric) { *e.out = append(*e.out, m) }

func (e emitter) gauge(d *prometheus.Desc, value float64, labels ...string) {
	e.emit(prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{e.policy}, labels...)...))
}

func (e emitter) counter(d *prometheus.Desc, value uint64, labels ...string) {
	e.emit(prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), append([]string{e.policy}, labels...)...))
}

func (e emitter) replicas(p *Policy) {
	requested, ready, recommended, desired := math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if p.Last != nil {
		if p.Last.Reason != policy.ReasonTargetFailed {
			requested, ready, desired = float64(p.Last.Current), float64(p.Last.Ready), float64(p.Last.Desired)
		}
		if p.Last.Recommendation != nil {
			recommended = float64(*p.Last.Recommendation)
		}
	}
	e.gauge(descPolicyReplicas, requested, "requested")
	e.gauge(descPolicyReplicas, ready, "ready")
	e.gauge(descPolicyReplicas, recommended, "recommended")
	e.gauge(descPolicyReplicas, desired, "desired")
	e.gauge(descPolicyReplicas, float64(p.Rules.Min), "min")
	e.gauge(descPolicyReplicas, float64(p.Rules.Max), "max")
	for i := range p.Targets {
		t := &p.Targets[i]
		requested, ready := math.NaN(), math.NaN()
		if t.Known {
			requested, ready = float64(t.Requested), float64(t.Ready)
		}
		e.gauge(descTargetReplicas, requested, t.Name, "requested")
		e.gauge(descTargetReplicas, ready, t.Name, "ready")
	}
}

func (e emitter) resources(p *Policy) {
	for i := range p.Rules.Resources {
		name := p.Rules.Resources[i].Name
		usage, age := math.NaN(), math.NaN()
		q := p.requirement(name)
		if q != nil && q.Problem == "" {
			usage, age = q.Usage, q.AgeSeconds
		}
		e.gauge(descUsage, usage, name)
		e.gauge(descUsageAge, age, name)
		e.reserved(p.Rules, i, q)
		if goal := p.Rules.Objective(&p.Rules.Resources[i]); !goal.IsZero() {
			e.objective(goal, name, p.Learnt[name])
		}
	}
}

// objective renders what is asked for, and how far learning has come.
func (e emitter) objective(goal objective.Goal, resource string, l Learnt) {
	under, lost := math.NaN(), math.NaN()
	if l.Counted {
		under, lost = l.UnderCapacity, l.LostDemand
	}
	if goal.Share > 0 {
		e.gauge(descObjective, goal.Share, resource)
	}
	e.gauge(descShortagePrice, goal.Price(), resource)
	e.gauge(descUnderCapacity, under, resource)
	e.gauge(descLostDemand, lost, resource)
	e.counter(descObservations, uint64(l.Observations), resource)
}

// reserved renders every entry that is configured, or one of nothing: the
// largest is what stays free, max by (policy, resource).
func (e emitter) reserved(rules *policy.Policy, i int, q *policy.Requirement) {
	entries := append(rules.Resources[i].Reservation.Entries(policy.ScopeResource), rules.Reservation.Entries(policy.ScopePolicy)...)
	known := q != nil && q.Problem == ""
	if len(entries) == 0 {
		entries = []policy.Entry{{Kind: "none"}}
	}
	seen := make(map[string]bool, len(entries))
	for k := range entries {
		amount := math.NaN()
		switch {
		case known && k < len(q.Reservations):
			amount = q.Reservations[k].Amount
		case known:
			amount = 0
		}
		// Two schedules may be written alike; the first stands for both.
		if label := entries[k].Name(); !seen[label] {
			seen[label] = true
			e.gauge(descReserved, amount, rules.Resources[i].Name, label)
		}
	}
}

func (e emitter) counters(p *Policy, c *Counters) {
	for i, dir := range directions {
		for j, r := range policy.Reasons {
			e.counter(descDecisions, c.decisions[i*len(policy.Reasons)+j], string(dir), string(r))
		}
	}
	for i := range p.Rules.Resources {
		name := p.Rules.Resources[i].Name
		for _, problem := range policy.Problems {
			e.counter(descProblems, c.problems[problemKey{name, problem}], name, string(problem))
		}
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		e.counter(descForeign, c.foreign[t.Name], t.Name)
		n, sum, within := c.provisioning[t.Name].buckets()
		e.emit(prometheus.MustNewConstHistogram(descProvisioned, n, sum, within, e.policy, t.Name))
		for _, dir := range moves {
			e.counter(descActions, c.actions[actionKey{t.Name, dir}], t.Name, string(dir))
		}
		if t.Drains {
			for _, result := range drainResults {
				e.counter(descDrains, c.drains[drainKey{t.Name, result}], t.Name, result)
			}
		}
		for _, reason := range failureReasons {
			e.counter(descFailures, c.failures[failureKey{t.Name, reason}], t.Name, reason)
		}
	}
}

// holds renders what keeps the policy, or one of its targets, from moving.
func (e emitter) holds(p *Policy) {
	for _, dir := range moves {
		e.gauge(descCooldown, seconds(p.History.CooldownUntil(p.Rules, dir)), string(dir))
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		for _, dir := range moves {
			e.gauge(descBackoff, seconds(p.History.Backoffs[t.Name].Of(dir).Until), t.Name, string(dir))
		}
		if t.Drains {
			e.gauge(descDraining, float64(t.Draining), t.Name)
		}
	}
	e.gauge(descPaused, boolean(p.Paused))
	e.gauge(descContested, boolean(p.History.Contest.Active(p.At)))
	for _, b := range p.Budgets {
		e.gauge(descCut, p.cut(b), b)
	}
}

// targets renders what was learnt of each target.
func (e emitter) targets(p *Policy) {
	for i := range p.Rules.Targets {
		t := &p.Rules.Targets[i]
		provisioning := math.NaN()
		if took := p.History.ProvisioningOf(t); took > 0 {
			provisioning = took.Seconds()
		}
		e.gauge(descProvisioning, provisioning, t.Name)
		e.gauge(descLoss, p.History.LossOf(t, p.At), t.Name)
	}
}

// seconds is a Unix timestamp, 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
