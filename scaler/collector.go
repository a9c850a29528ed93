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
	descReserved       = desc("policy_reserved", "What a policy keeps free, in the resource's unit. NaN while unknown.", "policy", "resource")
	descUsageAge       = desc("policy_usage_age_seconds", "Age of the sample behind the last usage reading. NaN while unknown.", "policy", "resource")
	descDecisions      = desc("decisions_total", "Evaluations by where the alerts pointed and the reason of their outcome.", "policy", "direction", "reason")
	descActions        = desc("actions_total", "Requests to a target for another number of replicas, failed ones included.", "policy", "target", "direction")
	descFailures       = desc("action_failures_total", "Requests to a target that failed, or whose replicas were not ready in time.", "policy", "target", "reason")
	descCooldown       = desc("cooldown_until_timestamp_seconds", "When the cooldown of a direction ends or ended; 0 where none has run.", "policy", "direction")
	descBackoff        = desc("target_backoff_until_timestamp_seconds", "Until when a failing target is left alone; 0 where it is not.", "policy", "target")
	descSafe           = desc("safe_to_autoscale", "1 while every policy can read its targets and the usage it decides by, else 0.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("alertscaler_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descPolicyReplicas, descTargetReplicas, descUsage, descReserved, descUsageAge, descDecisions,
		descActions, descFailures, descCooldown, descBackoff, descSafe,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	safe := true
	for _, u := range c.engine.snapshot() {
		v := u.view.Load()
		e := emitter{ch: ch, policy: u.name}
		e.replicas(v)
		e.resources(v)
		e.counters(v)
		e.holds(v)
		safe = safe && v.safe()
	}
	ch <- prometheus.MustNewConstMetric(descSafe, prometheus.GaugeValue, boolean(safe))
}

// safe reports whether the last evaluation could read all it needed.
func (v *view) safe() bool {
	if v.last == nil {
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

// emitter sends one policy's metrics.
type emitter struct {
	ch     chan<- prometheus.Metric
	policy string
}

func (e emitter) gauge(d *prometheus.Desc, value float64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{e.policy}, labels...)...)
}

func (e emitter) counter(d *prometheus.Desc, value uint64, labels ...string) {
	e.ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), append([]string{e.policy}, labels...)...)
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
		if r, ok := v.reads[t.name]; ok && r.err == nil {
			requested, ready = float64(r.state.Requested), float64(r.state.Ready)
		}
		e.gauge(descTargetReplicas, requested, t.name, "requested")
		e.gauge(descTargetReplicas, ready, t.name, "ready")
	}
}

func (e emitter) resources(v *view) {
	for i := range v.setup.rules.Resources {
		name := v.setup.rules.Resources[i].Name
		usage, reserved, age := math.NaN(), math.NaN(), math.NaN()
		if q := v.requirement(name); q != nil && q.Problem == "" {
			usage, reserved, age = q.Usage, q.Reserved, q.AgeSeconds
		}
		e.gauge(descUsage, usage, name)
		e.gauge(descReserved, reserved, name)
		e.gauge(descUsageAge, age, name)
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

func (e emitter) counters(v *view) {
	for i, dir := range directions {
		for j, r := range policy.Reasons {
			e.counter(descDecisions, v.counts.decisions[i*len(policy.Reasons)+j], string(dir), string(r))
		}
	}
	for _, t := range v.setup.targets {
		for _, dir := range []policy.Direction{policy.Up, policy.Down} {
			e.counter(descActions, v.counts.actions[actionKey{t.name, dir}], t.name, string(dir))
		}
		for _, reason := range failureReasons {
			e.counter(descFailures, v.counts.failures[failureKey{t.name, reason}], t.name, reason)
		}
	}
}

func (e emitter) holds(v *view) {
	for _, dir := range []policy.Direction{policy.Up, policy.Down} {
		e.gauge(descCooldown, seconds(v.history.CooldownUntil(&v.setup.rules, dir)), string(dir))
	}
	for _, t := range v.setup.targets {
		e.gauge(descBackoff, seconds(v.history.Backoffs[t.name].Until), t.name)
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
