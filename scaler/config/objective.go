package config

import (
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Objective is what a reservation is learnt for, written as a share of the time
// or as a mapping of shortage_price to a number. One of the two is set; the zero
// value is no objective.
type Objective struct {
	// Share of the time that capacity must suffice, 0.5 ≤ Share < 1.
	Share float64 `yaml:"-"`
	// ShortagePrice is what a replica that is missing costs, in replicas that
	// are there: above 1 and at most 10,000.
	ShortagePrice float64 `yaml:"shortage_price"`
}

// maxShortagePrice is more than a day has evaluations.
const maxShortagePrice = 10_000

type rawObjective Objective

// IsZero reports whether there is no objective.
func (o Objective) IsZero() bool { return o == Objective{} }

// goal is what is aimed at.
func (o Objective) goal() objective.Goal { return objective.Goal(o) }

// UnmarshalYAML decodes either form.
func (o *Objective) UnmarshalYAML(unmarshal func(any) error) error {
	var n written
	if err := unmarshal(&n); err != nil {
		return err
	}
	*o = Objective{}
	const right = "write a share of the time such as 0.99, or { shortage_price: 25 }"
	switch n.Kind {
	case yaml.ScalarNode:
		err := unmarshal(&o.Share)
		if _, no := strconv.ParseFloat(n.Value, 64); err != nil && no != nil {
			return yamlfile.ErrorAt(n.Node, "%q is not an objective; %s", n.Value, right)
		}
		return err
	case yaml.MappingNode:
		err := unmarshal((*rawObjective)(o))
		if err == nil && !(&yamlfile.Checker{Root: n.Node}).Written("shortage_price") {
			return yamlfile.ErrorAt(n.Node, "shortage_price is missing; write what a replica that is missing costs, in replicas that are there, such as { shortage_price: 25 }")
		}
		return err
	default:
		return yamlfile.ErrorAt(n.Node, "%s is not an objective; %s", kindOf(n.Node), right)
	}
}

// MarshalYAML renders it as it is written.
func (o Objective) MarshalYAML() (any, error) {
	if o.ShortagePrice != 0 {
		return rawObjective(o), nil
	}
	return o.Share, nil
}

// objective checks what is learnt, and its bounds.
func (v *validator) objective(r Reservation, path []any) {
	key := at(path, "objective")
	if s := r.Objective.Share; s != 0 && !(s >= 0.5 && s < 1) {
		v.Addf(key, "%g is not a share of the time of at least 0.5 and below 1; 0.99 is under capacity at most 1 %% of the time", s)
	}
	price := at(key, "shortage_price")
	if p := r.Objective.ShortagePrice; (p != 0 || v.Written(price...)) && !(p > 1 && p <= maxShortagePrice) {
		v.Addf(price, "%g is not a price above 1 and at most %d; with 25 a replica that is missing costs as much as 25 that are there", p, maxShortagePrice)
	}
	for _, bound := range []struct {
		name  string
		ratio float64
	}{{"min_ratio", r.MinRatio}, {"max_ratio", r.MaxRatio}} {
		switch {
		case !finite(bound.ratio, 0, MaxRatio):
			v.Addf(at(path, bound.name), "%g is not a share of at least 0 and below 1; at most %g may be kept free", bound.ratio, MaxRatio)
		case bound.ratio > 0 && r.Objective.IsZero():
			v.Addf(at(path, bound.name), "it bounds what an objective learns, and there is no objective")
		}
	}
	if r.MaxRatio > 0 && r.MinRatio > r.MaxRatio {
		v.Addf(at(path, "min_ratio"), "%g is above max_ratio, %g", r.MinRatio, r.MaxRatio)
	}
}

// oneGoal refuses a share and a price for one resource, its own and the
// policy's: neither says which of the two keeps more free.
func (v *validator) oneGoal(own, policys Objective, path []any) {
	if own.IsZero() || policys.IsZero() || (own.Share > 0) == (policys.Share > 0) {
		return
	}
	what, other := "a share of the time", "shortage price"
	if own.ShortagePrice != 0 {
		what, other = "a shortage price", "share of the time"
	}
	v.Addf(path, "%s cannot be compared with the policy's %s, so nobody knows which of the two counts; write shares for both, or prices for both", what, other)
}
