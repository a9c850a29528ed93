package config

import (
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Usage is where a resource's usage is read: PromQL, written as one text for
// the present usage or as a mapping.
type Usage struct {
	// Present is PromQL for what is used now; empty means the shipped series
	// of the policy.
	Present string `yaml:"present,omitempty"`
	// Predicted is PromQL for what will be used one provisioning time ahead;
	// empty means that nobody predicts it.
	Predicted string `yaml:"predicted,omitempty"`
}

type rawUsage Usage

// written is a value as it stands in the file. Decoding on from it would not
// be strict; it only tells the forms apart.
type written struct{ *yaml.Node }

// UnmarshalYAML keeps the node.
func (w *written) UnmarshalYAML(n *yaml.Node) error {
	w.Node = n
	return nil
}

// IsZero reports whether nothing was written.
func (u Usage) IsZero() bool { return u == Usage{} }

// UnmarshalYAML decodes either form.
func (u *Usage) UnmarshalYAML(unmarshal func(any) error) error {
	var n written
	if err := unmarshal(&n); err != nil {
		return err
	}
	switch n.Kind {
	case yaml.ScalarNode:
		*u = Usage{Present: n.Value}
		return nil
	case yaml.MappingNode:
		*u = Usage{}
		return unmarshal((*rawUsage)(u))
	default:
		return yamlfile.ErrorAt(n.Node, "usage is PromQL, or a mapping of present and predicted to PromQL")
	}
}

// MarshalYAML renders it as it is written.
func (u Usage) MarshalYAML() (any, error) {
	if u.Predicted == "" {
		return u.Present, nil
	}
	return rawUsage(u), nil
}

// usage checks a resource's own PromQL.
func (v *validator) usage(r *Resource, path []any) {
	key := at(path, "usage")
	if r.Usage.Present != "" {
		present := at(key, "present")
		if v.Find(present...) == nil {
			present = key
		}
		v.promql(r.Usage.Present, present)
	}
	if r.Usage.Predicted != "" {
		v.promql(r.Usage.Predicted, at(key, "predicted"))
	}
	if r.Usage.Present != "" && r.CapacityPerReplica.IsZero() {
		v.Add("is missing; usage of one's own needs a number or PromQL for what one replica holds", at(path, "capacity_per_replica")...)
	}
	if r.CapacityPerReplica.PromQL != "" {
		v.promql(r.CapacityPerReplica.PromQL, at(path, "capacity_per_replica"))
	}
}

// promql checks that expr is PromQL that gives a number.
func (v *validator) promql(expr string, path []any) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		v.Addf(path, "%q is not PromQL: %s", expr, err)
		return
	}
	if t := parsed.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		v.Addf(path, "%q gives a %s; a number is needed, so an instant vector of one series or a scalar", expr, parser.DocumentedType(t))
	}
}
