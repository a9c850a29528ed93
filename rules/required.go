package rules

import (
	"fmt"
	"maps"
	"strings"
)

// part is one of the series that say how many replicas a resource requires.
type part struct {
	// of tells the parts of one resource apart; the first has none.
	of   string
	expr string
}

func (q part) labels(of map[string]string) map[string]string {
	if q.of == "" {
		return of
	}
	labels := maps.Clone(of)
	labels["of"] = q.of
	return labels
}

// Parts whose of begins with this do not speak against a ScaleDown.
const predicted = "predicted"

// parts are what the resource requires, by what is kept free.
func (r *ResourceThresholds) parts(p *PolicyThresholds, o *Options) []part {
	usage := fmt.Sprintf("%s{policy=%s, resource=%s}", recordUsage, quote(p.Policy), quote(r.Name))
	parts := r.reserving(p, "", usage)
	if r.Scheduled {
		parts = append(parts, part{"schedule", r.required(p, usage, r.exported(p, o, "schedule .*"), "")})
	}
	if r.Objective {
		parts = append(parts, part{"objective", r.required(p, usage, r.exported(p, o, "objective"), "")})
	}
	if !blank(r.PredictedExpr) {
		expr := fmt.Sprintf("((%s >= 0) < +Inf)", one(r.PredictedExpr, 4))
		parts = append(parts, r.reserving(p, predicted, expr)...)
	}
	return parts
}

// exported is what those entries of the reservation keep free whose name, after
// whose they are, matches: the largest of what Alertscaler says, and nothing
// where it says nothing.
func (r *ResourceThresholds) exported(p *PolicyThresholds, o *Options, entry string) string {
	own := fmt.Sprintf("policy=%s, resource=%s, entry=~%s", quote(p.Policy), quote(r.Name), quote("(policy )?"+entry))
	if s := strings.TrimSpace(o.Selector); s != "" {
		own = s + ", " + own
	}
	return fmt.Sprintf("\n    + on () group_left ()\n    max(alertscaler_policy_reserved{%s} >= 0)", own)
}

// reserving are the parts for one usage: what a ratio and a threshold keep
// free and, apart, whole replicas.
func (r *ResourceThresholds) reserving(p *PolicyThresholds, of, usage string) []part {
	parts := []part{{of, r.required(p, usage, r.reserved(usage), "")}}
	if r.Replicas > 0 {
		parts = append(parts, part{strings.TrimSpace(of + " replicas"), r.required(p, usage, "", fmt.Sprintf("\n+ %d", r.Replicas))})
	}
	return parts
}

// hasParts reports whether a resource has more than the first part.
func (p *PolicyThresholds) hasParts() bool {
	for i := range p.Resources {
		if r := &p.Resources[i]; r.Replicas > 0 || r.Scheduled || r.Objective || !blank(r.PredictedExpr) {
			return true
		}
	}
	return false
}

// presentParts is how many parts must agree to a ScaleDown.
func (p *PolicyThresholds) presentParts() int {
	n := len(p.Resources)
	for i := range p.Resources {
		if p.Resources[i].Replicas > 0 {
			n++
		}
		if p.Resources[i].Scheduled {
			n++
		}
		if p.Resources[i].Objective {
			n++
		}
	}
	return n
}

// reserved is what a ratio and a threshold keep free of a usage.
func (r *ResourceThresholds) reserved(usage string) string {
	share := fmt.Sprintf("%[1]s * %[2]s / (1 - %[2]s)", usage, number(r.Ratio))
	switch {
	case r.Ratio > 0 && r.Threshold > 0:
		return fmt.Sprintf("\n    +\n    clamp_min(%s, %s)", share, number(r.Threshold))
	case r.Ratio > 0:
		return "\n    +\n    " + share
	case r.Threshold > 0:
		return "\n    + " + number(r.Threshold)
	}
	return ""
}

// required is ceil((U+P)/C) and what is added to it, a billionth less, so that
// a sum that is a whole number but for the last digits is that number.
func (r *ResourceThresholds) required(p *PolicyThresholds, usage, reserved, more string) string {
	var capacity string
	switch c, ok := r.capacity(); {
	case ok:
		capacity = "/ " + number(c)
	case blank(r.CapacityPerReplica):
		t := p.ScaleTarget["scale_target"]
		capacity = fmt.Sprintf("/ on () group_left ()\n  (\n    %s\n    /\n    %s > 0\n  )",
			one(r.shipped("scale_target_resource:capacity:sum", t), 4),
			one(fmt.Sprintf("scale_target:replicas_reporting:count{scale_target=%s}", quote(t)), 4))
	default:
		capacity = fmt.Sprintf("/ on () group_left ()\n  (\n    %s > 0\n  )", one(r.CapacityPerReplica, 4))
	}
	return fmt.Sprintf("ceil(\n  (\n    %s%s\n  )\n  %s\n  * (1 - 1e-9)\n)%s\n", usage, reserved, capacity, more)
}
