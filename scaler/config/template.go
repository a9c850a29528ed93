package config

import (
	"slices"
)

// Template is one entry of policy_templates: what policies of discovered
// things are made from. It has everything that a policy has but scale_target
// and targets, which the things bring.
type Template struct {
	Name        string `yaml:"name"`
	PolicyRules `yaml:",inline"`
}

type rawTemplate Template

// NewTemplate returns a template that is all defaults.
func NewTemplate() *Template {
	return &Template{PolicyRules: defaultRules()}
}

// UnmarshalYAML sets the defaults and decodes.
func (t *Template) UnmarshalYAML(unmarshal func(any) error) error {
	*t = *NewTemplate()
	return unmarshal((*rawTemplate)(t))
}

// Policy returns a policy like the template, without name and targets. It is
// the caller's: it shares nothing with the template that anyone changes.
func (t *Template) Policy() *Policy {
	p := &Policy{PolicyRules: t.PolicyRules}
	return p.clone()
}

// clone copies what validation may write to.
func (p *Policy) clone() *Policy {
	c := *p
	c.Resources = slices.Clone(p.Resources)
	for i, r := range c.Resources {
		if r != nil {
			own := *r
			own.Reservation = r.Reservation.clone()
			c.Resources[i] = &own
		}
	}
	c.Reservation = p.Reservation.clone()
	c.Targets = slices.Clone(p.Targets)
	return &c
}

func (r Reservation) clone() Reservation {
	r.Schedules = slices.Clone(r.Schedules)
	for i, s := range r.Schedules {
		if s != nil {
			own := *s
			r.Schedules[i] = &own
		}
	}
	return r
}

// Template returns the named template, false where there is none.
func (c *Config) Template(name string) (*Template, bool) {
	i := slices.IndexFunc(c.Templates, func(t *Template) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return c.Templates[i], true
}

func (v *validator) templates(c *Config) {
	seen := make(map[string]bool, len(c.Templates))
	for i, t := range c.Templates {
		path := []any{"policy_templates", i}
		if t == nil {
			v.Add("the template is empty", path...)
			c.Templates[i] = &Template{}
			continue
		}
		if seen[t.Name] && t.Name != "" {
			v.Addf(at(path, "name"), "%q is the name of a template already; names are unique", t.Name)
		}
		seen[t.Name] = true
		v.template(c, t, path)
	}
}

// template checks what can be checked before there is a thing to be scaled.
func (v *validator) template(c *Config, t *Template, path []any) {
	v.name(t.Name, path)
	p := t.Policy()
	p.Name = t.Name
	p.setDefaults(&c.Global)
	if p.Max == 0 && !v.Written(at(path, "max")...) {
		p.Max = MaxReplicas // Whatever the labels will say.
	}
	v.replicas(p.Max, 1, at(path, "max")...)
	v.rules(c, p, path)
	v.strategy(p, path)
	// Matchers are no part of it: they name the thing's scale_target.
	t.Mode, t.EvaluationInterval, t.ScaleUp, t.ScaleDown, t.OnMissing = p.Mode, p.EvaluationInterval, p.ScaleUp, p.ScaleDown, p.OnMissing
}
