package config

import (
	"regexp"
	"strings"

	commoncfg "github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// validator collects what is wrong, with its place in the file.
type validator struct {
	yamlfile.Checker
	// dir is the directory of the file, which is what relative paths in it are
	// relative to. It is absolute: a path must hold whatever the working
	// directory of whoever uses it.
	dir       string
	platforms *target.Registry
}

// at extends a path without touching the slice it came from.
func at(path []any, more ...any) []any { return yamlfile.At(path, more...) }

func (v *validator) config(c *Config) {
	v.positive(c.Global.EvaluationInterval, maxInterval, "global", "evaluation_interval")
	v.positive(c.Global.AlertTTL, maxDuration, "global", "alert_ttl")
	if g := c.Global.FleetGuard; !(g > 0 && g <= 1) {
		v.Addf([]any{"global", "fleet_guard"}, "%g is not a share above 0 and at most 1; 1 switches the guard off", g)
	}
	v.mode(c.Global.Mode, "global", "mode")
	if c.Prometheus != nil {
		v.endpoint(c.Prometheus.URL, &c.Prometheus.HTTPClientConfig, "prometheus")
		v.positive(c.Prometheus.Timeout, maxTimeout, "prometheus", "timeout")
		v.positive(c.Prometheus.MaxStaleness, maxInterval, "prometheus", "max_staleness")
	}
	if c.Alertmanager != nil {
		v.endpoint(c.Alertmanager.URL, &c.Alertmanager.HTTPClientConfig, "alertmanager")
		v.positive(c.Alertmanager.ResyncInterval, maxInterval, "alertmanager", "resync_interval")
		if c.Alertmanager.ResyncInterval >= c.Global.AlertTTL {
			v.Addf([]any{"alertmanager", "resync_interval"}, "%s is not shorter than global.alert_ttl %s; alerts would be dropped before they are confirmed",
				c.Alertmanager.ResyncInterval.Std(), c.Global.AlertTTL.Std())
		}
		v.positive(c.Alertmanager.Timeout, maxTimeout, "alertmanager", "timeout")
	}
	v.templates(c)
	v.discoveries(c)
	if len(c.Policies) == 0 && len(c.Discovery) == 0 {
		v.Add("at least one policy is needed, or a discovery", "policies")
	}
	names := make(map[string]int, len(c.Policies))
	owners := make(map[string]string)
	for i, p := range c.Policies {
		path := []any{"policies", i}
		if p == nil {
			v.Add("the policy is empty", path...)
			c.Policies[i] = &Policy{}
			continue
		}
		if first, ok := names[p.Name]; ok && p.Name != "" {
			v.Addf(at(path, "name"), "%q is the name of policies[%d] already; names are unique", p.Name, first)
		}
		names[p.Name] = i
		v.policy(c, p, path)
		v.owners(p, path, owners)
	}
	v.budgets(c)
}

// endpoint checks what names a server and how to speak to it.
func (v *validator) endpoint(u URL, h *commoncfg.HTTPClientConfig, section string) {
	if u.URL == nil {
		v.Add("is missing; write it as http://host:port", section, "url")
	}
	h.SetDirectory(v.dir)
	if err := h.Validate(); err != nil {
		v.Add(err.Error(), section)
	}
}

func (v *validator) mode(m policy.Mode, path ...any) {
	switch m {
	case policy.ModeOn, policy.ModeOnlyScaleUp, policy.ModeOff:
	default:
		v.Addf(path, "%q is not a mode; the modes are on, only_scale_up and off", m)
	}
}

// nameRule keeps names usable as metric labels, file names and URL parts.
var nameRule = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,127}$`)

func (v *validator) name(name string, path []any) {
	switch {
	case name == "":
		v.Add("is missing", at(path, "name")...)
	case !nameRule.MatchString(name):
		v.Addf(at(path, "name"), "%q is not a name; names begin with a letter or digit and go on with letters, digits, '_', '.', ':' or '-', 128 at most", name)
	}
}

func (v *validator) policy(c *Config, p *Policy, path []any) {
	p.setDefaults(&c.Global)
	v.name(p.Name, path)
	if p.Max == 0 && !v.Written(at(path, "max")...) {
		v.Add("is missing; say how many replicas there may be at most", at(path, "max")...)
	} else {
		v.replicas(p.Max, 1, at(path, "max")...)
	}
	v.rules(c, p, path)
	v.targets(c, p, path)
	v.targetBounds(p, path)
	v.strategy(p, path)
}

// rules checks what a policy decides by, whatever it scales.
func (v *validator) rules(c *Config, p *Policy, path []any) {
	if p.Mode != c.Global.Mode || v.Written(at(path, "mode")...) {
		v.mode(p.Mode, at(path, "mode")...)
	}
	if v.Written(at(path, "evaluation_interval")...) {
		v.positive(*p.EvaluationInterval, maxInterval, at(path, "evaluation_interval")...)
	}
	v.whole(path, "min", "max", "priority")
	v.integer(p.Priority, -maxPriority, maxPriority, "priority", at(path, "priority")...)
	v.replicas(p.Min, 0, at(path, "min")...)
	if p.Min > p.Max && p.Max > 0 {
		v.Addf(at(path, "min"), "%d is greater than max %d", p.Min, p.Max)
	}
	v.alerts(&p.Alerts, at(path, "alerts"))
	v.resources(c, p, path)
	v.reservation(p.Reservation, at(path, "reservation"))
	v.behavior(&p.ScaleUp, at(path, "scale_up"))
	v.behavior(&p.ScaleDown, at(path, "scale_down"))
	v.positive(p.ProvisioningTimeout, maxDuration, at(path, "provisioning_timeout")...)
	v.onMissing(p, at(path, "on_missing"))
}

func (v *validator) resources(c *Config, p *Policy, path []any) {
	if len(p.Resources) > 0 && c.Prometheus == nil {
		v.Add("usage is read from Prometheus; set prometheus.url, or leave resources out to act on alerts alone", at(path, "resources")...)
	}
	if len(p.Resources) == 0 && !p.Reservation.IsZero() {
		v.Add("a reservation needs resources to be kept free", at(path, "reservation")...)
	}
	seen := make(map[string]bool, len(p.Resources))
	for i, r := range p.Resources {
		path := at(path, "resources", i)
		if r == nil {
			v.Add("the resource is empty", path...)
			p.Resources[i] = &Resource{}
			continue
		}
		v.name(r.Name, path)
		if seen[r.Name] && r.Name != "" {
			v.Addf(at(path, "name"), "%q is a resource of this policy already; names are unique", r.Name)
		}
		seen[r.Name] = true
		v.reservation(r.Reservation, at(path, "reservation"))
		v.oneGoal(r.Reservation.Objective, p.Reservation.Objective, at(path, "reservation", "objective"))
		if r.MinCoverage != nil && !(*r.MinCoverage >= 0 && *r.MinCoverage <= 1) {
			v.Addf(at(path, "min_coverage"), "%g is not a share from 0 to 1", *r.MinCoverage)
		}
		v.usage(r, path)
	}
}

func (v *validator) behavior(b *Behavior, path []any) {
	if !(*b.Tolerance >= 0 && *b.Tolerance < 1) {
		v.Addf(at(path, "tolerance"), "%g is not a share of at least 0 and below 1", *b.Tolerance)
	}
	s := b.Step
	v.whole(at(path, "step"), "replicas")
	v.replicas(s.Replicas, 0, at(path, "step", "replicas")...)
	if !finite(s.Ratio, 0, maxStepRatio) {
		v.Addf(at(path, "step", "ratio"), "%g is not a share of at least 0 and at most %d; 1 doubles", s.Ratio, maxStepRatio)
	}
	if (s.Replicas > 0 || s.Ratio > 0) && s.Per <= 0 {
		v.Add("is missing; a step limit counts over a time such as 1m", at(path, "step", "per")...)
	}
}

// list renders a closed list as people write one: a, b and c.
func list[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
