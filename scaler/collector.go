package scaler

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// collector renders the units' state at each scrape: every label combination
// of every policy from its first moment on, and none of a policy that is gone.
// A number that is not known is NaN, never zero.
type collector struct{ engine *Engine }

var (
	descPolicyReplicas = desc("policy_replicas", "Replicas of a policy over all its targets; recommended is the raw need, desired what is left of it after every limit. NaN while unknown.", "policy", "kind")
	descTargetReplicas = desc("target_replicas", "Replicas of one target as last read. NaN while unknown.", "policy", "target", "kind")
	descUsage          = desc("policy_usage", "What all replicas of a policy use together, in the resource's unit. NaN while unknown.", "policy", "resource")
	descReserved       = desc("policy_reserved", "What each entry of a policy's reservations keeps free, in the resource's unit; the largest counts. NaN while unknown.", "policy", "resource", "entry")
	descObjective      = desc("policy_objective_ratio", "Share of the time that capacity of the resource must suffice, as configured.", "policy", "resource")
	descUnderCapacity  = desc("policy_objective_under_capacity_ratio", "Share of the time that there was too little of the resource, of the last day above all. NaN while unknown.", "policy", "resource")
	descObservations   = desc("policy_objective_observations_total", "Samples that what a resource's objective keeps free was learnt from, those of earlier runs and of the past in Prometheus included.", "policy", "resource")
	descUsageAge       = desc("policy_usage_age_seconds", "Age of the sample behind the last usage reading. NaN while unknown.", "policy", "resource")
	descDecisions      = desc("decisions_total", "Evaluations by where the alerts pointed and the reason of their outcome.", "policy", "direction", "reason")
	descActions        = desc("actions_total", "Requests to a target for another number of replicas, failed ones included.", "policy", "target", "direction")
	descFailures       = desc("action_failures_total", "Requests to a target that failed, or whose replicas were not ready in time.", "policy", "target", "reason")
	descCooldown       = desc("cooldown_until_timestamp_seconds", "When the cooldown of a direction ends or ended; 0 where none has run.", "policy", "direction")
	descBackoff        = desc("target_backoff_until_timestamp_seconds", "Until when a target that failed is not asked for more, or for fewer; 0 where it may be.", "policy", "target", "direction")
	descProvisioning   = desc("target_provisioning_seconds", "Moving estimate of how long a replica of a target takes to become ready, or its provisioning_time until that was measured. NaN where neither is known.", "policy", "target")
	descLoss           = desc("target_loss_ratio", "Share of a target's replicas that failed or were lost within the last day, loss_ratio counting as ten of them.", "policy", "target")
	descProvisioned    = desc("provisioning_duration_seconds", "From the platform's consent to a scale-up until the replicas were ready.", "policy", "target")
	descForeign        = desc("foreign_changes_total", "Changes of a target's replicas that someone else made.", "policy", "target")
	descDrains         = desc("drains_total", "Replicas that were to finish their work before they go, by what became of it.", "policy", "target", "result")
	descDraining       = desc("target_draining_replicas", "Replicas that are to go and take no more work; they do not count as ready.", "policy", "target")
	descProblems       = desc("usage_problems_total", "Readings of usage that could not be used, by what was wrong with them.", "policy", "resource", "problem")
	descPaused         = desc("policy_paused", "1 while an operator has paused the policy, else 0.", "policy")
	descContested      = desc("policy_contested", "1 while the policy is held because someone else keeps undoing what it asks for, else 0.", "policy")
	descCut            = desc("policy_budget_cut_replicas", "Replicas that a budget took from the policy's last decision; a cut in cost counts as at least one.", "policy", "budget")
	descBudget         = desc("budget_replicas", "Replicas of all policies of a budget together, and its limit; +Inf where it sets none.", "budget", "kind")
	descBudgetCost     = desc("budget_cost_per_hour", "What the policies of a budget cost together, and its limit; +Inf where it sets none.", "budget", "kind")
	descSafe           = desc("safe_to_autoscale", "1 while every policy can read its targets and the usage it decides by and the ledger can be written, else 0.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("alertscaler_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descPolicyReplicas, descTargetReplicas, descUsage, descReserved, descObjective, descUnderCapacity, descObservations, descUsageAge, descDecisions,
		descActions, descFailures, descCooldown, descBackoff, descProvisioning, descProvisioned, descLoss, descForeign,
		descDrains, descDraining, descProblems, descPaused, descContested, descCut, descBudget, descBudgetCost, descSafe,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. A registry collects in goroutines of
// its own, where nobody else recovers.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	_ = c.engine.guard.Do(c.engine.opts.Logger, componentMetrics, func() error {
		c.collect(ch)
		return nil
	})
}

func (c collector) collect(ch chan<- prometheus.Metric) {
	safe := c.engine.opts.Ledger.Err() == nil
	var out []prometheus.Metric
	for _, u := range c.engine.snapshot() {
		v := u.view.Load()
		e := emitter{out: &out, policy: u.name}
		e.replicas(v)
		e.resources(v)
		e.holds(v)
		e.targets(v)
		e.counters(v, u.counts.snapshot())
		safe = safe && v.safe()
		// Whoever reads may be slow: nothing is locked meanwhile.
		for _, m := range out {
			ch <- m
		}
		out = out[:0]
	}
	c.engine.shared.collect(ch)
	ch <- prometheus.MustNewConstMetric(descSafe, prometheus.GaugeValue, boolean(safe))
}

// safe reports whether the last evaluation could read all it needed, and end.
func (v *view) safe() bool {
	if v.last == nil || v.last.Reason == policy.ReasonInternalError || v.last.Reason == policy.ReasonNotRecorded {
		return false
	}
	for _, r := range v.reads {
		if r.err != nil {
			return false
		}
	}
	for i := range v.last.Requirements {
		if v.last.Requirements[i].Problem != "" {
			return false
		}
	}
	return true
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

func (e emitter) replicas(v *view) {
	requested, ready, recommended, desired := math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if v.last != nil {
		if v.last.Reason != policy.ReasonTargetFailed {
			requested, ready, desired = float64(v.last.Current), float64(v.last.Ready), float64(v.last.Desired)
		}
		if v.last.Recommendation != nil {
			recommended = float64(*v.last.Recommendation)
		}
	}
	rules := &v.setup.rules
	e.gauge(descPolicyReplicas, requested, "requested")
	e.gauge(descPolicyReplicas, ready, "ready")
	e.gauge(descPolicyReplicas, recommended, "recommended")
	e.gauge(descPolicyReplicas, desired, "desired")
	e.gauge(descPolicyReplicas, float64(rules.Min), "min")
	e.gauge(descPolicyReplicas, float64(rules.Max), "max")
	for _, t := range v.setup.targets {
		requested, ready := math.NaN(), math.NaN()
		if r := v.reads.of(t.name); !r.at.IsZero() && r.err == nil {
			requested, ready = float64(r.state.Requested), float64(v.ready(r))
		}
		e.gauge(descTargetReplicas, requested, t.name, "requested")
		e.gauge(descTargetReplicas, ready, t.name, "ready")
	}
}

func (e emitter) resources(v *view) {
	for i := range v.setup.rules.Resources {
		name := v.setup.rules.Resources[i].Name
		usage, age := math.NaN(), math.NaN()
		q := v.requirement(name)
		if q != nil && q.Problem == "" {
			usage, age = q.Usage, q.AgeSeconds
		}
		e.gauge(descUsage, usage, name)
		e.gauge(descUsageAge, age, name)
		e.reserved(v, i, q)
		if share := v.setup.rules.Objective(&v.setup.rules.Resources[i]); share > 0 {
			e.objective(share, name, v.progress[name])
		}
	}
}

// objective renders what is asked for, and how far learning has come.
func (e emitter) objective(share float64, resource string, p progress) {
	realised := math.NaN()
	if p.observations > 0 {
		realised = p.realised
	}
	e.gauge(descObjective, share, resource)
	e.gauge(descUnderCapacity, realised, resource)
	e.counter(descObservations, uint64(p.observations), resource)
}

// reserved renders every entry that is configured, or one of nothing: the
// largest is what stays free, max by (policy, resource).
func (e emitter) reserved(v *view, i int, q *policy.Requirement) {
	rules := &v.setup.rules
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

func (v *view) requirement(resource string) *policy.Requirement {
	if v.last == nil {
		return nil
	}
	for i := range v.last.Requirements {
		if v.last.Requirements[i].Resource == resource {
			return &v.last.Requirements[i]
		}
	}
	return nil
}

func (e emitter) counters(v *view, c *counters) {
	for i, dir := range directions {
		for j, r := range policy.Reasons {
			e.counter(descDecisions, c.decisions[i*len(policy.Reasons)+j], string(dir), string(r))
		}
	}
	for i := range v.setup.rules.Resources {
		for _, p := range policy.Problems {
			name := v.setup.rules.Resources[i].Name
			e.counter(descProblems, c.problems[problemKey{name, p}], name, string(p))
		}
	}
	for _, t := range v.setup.targets {
		e.counter(descForeign, c.foreign[t.name], t.name)
		n, sum, within := c.provisioning[t.name].buckets()
		e.emit(prometheus.MustNewConstHistogram(descProvisioned, n, sum, within, e.policy, t.name))
		for _, dir := range []policy.Direction{policy.Up, policy.Down} {
			e.counter(descActions, c.actions[actionKey{t.name, dir}], t.name, string(dir))
		}
		if t.hook != nil {
			for _, result := range drainResults {
				e.counter(descDrains, c.drains[drainKey{t.name, result}], t.name, result)
			}
		}
		for _, reason := range failureReasons {
			e.counter(descFailures, c.failures[failureKey{t.name, reason}], t.name, reason)
		}
	}
}

func (e emitter) holds(v *view) {
	for _, dir := range []policy.Direction{policy.Up, policy.Down} {
		e.gauge(descCooldown, seconds(v.history.CooldownUntil(&v.setup.rules, dir)), string(dir))
	}
	for _, t := range v.setup.targets {
		for _, dir := range bothWays {
			e.gauge(descBackoff, seconds(v.history.Backoffs[t.name].Of(dir).Until), t.name, string(dir))
		}
		if t.hook != nil {
			e.gauge(descDraining, float64(len(v.draining[t.name].Names)), t.name)
		}
	}
	e.gauge(descPaused, boolean(v.paused))
	e.gauge(descContested, boolean(v.history.Contest.Active(v.at)))
	for _, b := range v.setup.budgets {
		e.gauge(descCut, v.cut(b), b)
	}
}

// cut is what the budget took from the last decision.
func (v *view) cut(budget string) float64 {
	if v.last == nil {
		return 0
	}
	n := 0
	for _, c := range v.last.Cuts {
		if c.Budget == budget {
			n += max(1, c.Replicas)
		}
	}
	return float64(n)
}

// targets renders what was learnt of each target.
func (e emitter) targets(v *view) {
	rules := &v.setup.rules
	for i := range rules.Targets {
		t := &rules.Targets[i]
		provisioning := math.NaN()
		if p := v.history.ProvisioningOf(t); p > 0 {
			provisioning = p.Seconds()
		}
		e.gauge(descProvisioning, provisioning, t.Name)
		e.gauge(descLoss, v.history.LossOf(t, v.at), t.Name)
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
