package config

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// kindOf says what a value is that is no scalar.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	default:
		return strconv.Quote(n.Value)
	}
}

// Scalars decode from the YAML node, so that their errors carry its line.

// Duration is written as Prometheus writes durations: 30s, 5m, 1h30m.
type Duration time.Duration

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// tooLong is how a duration is written that may be longer than one can be.
var tooLong = regexp.MustCompile(`^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`)

// UnmarshalYAML parses Prometheus' notation.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := model.ParseDuration(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode:
		return yamlfile.ErrorAt(n, "%s is not a duration; write it as 30s, 5m or 1h30m", kindOf(n))
	case err != nil && (n.Value == "" || !tooLong.MatchString(n.Value)):
		return yamlfile.ErrorAt(n, "%q is not a duration; write it as 30s, 5m or 1h30m", n.Value)
	case err != nil || Duration(v) > maxDuration:
		return yamlfile.ErrorAt(n, "%q is too long; no duration here is longer than %s", n.Value, model.Duration(maxDuration))
	}
	*d = Duration(v)
	return nil
}

// MarshalYAML renders Prometheus' notation.
func (d Duration) MarshalYAML() (any, error) { return model.Duration(d).String(), nil }

// Amount is a number of replicas, or a percentage of the current count
// written as "25%".
type Amount struct {
	Replicas int
	Percent  float64
}

// UnmarshalYAML parses either form.
func (a *Amount) UnmarshalYAML(n *yaml.Node) error {
	s := n.Value
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || !(p > 0 && p <= 1000) {
			return yamlfile.ErrorAt(n, "%q is not a step; a percentage lies above 0 %% and at most at 1000 %%", s)
		}
		*a = Amount{Percent: p}
		return nil
	}
	i, err := strconv.Atoi(s)
	if n.Kind != yaml.ScalarNode || err != nil || i < 1 || i > MaxReplicas || octal.MatchString(s) {
		return yamlfile.ErrorAt(n, "%q is not a step; write a number of replicas of at least 1, or a percentage such as \"25%%\"; it is at most %d replicas", s, MaxReplicas)
	}
	*a = Amount{Replicas: i}
	return nil
}

// MarshalYAML renders it as it is written.
func (a Amount) MarshalYAML() (any, error) {
	if a.Percent > 0 {
		return strconv.FormatFloat(a.Percent, 'g', -1, 64) + "%", nil
	}
	return a.Replicas, nil
}

// Capacity is a number in the resource's unit, or PromQL that gives one. The
// zero value is neither.
type Capacity struct {
	Number float64
	PromQL string
}

// IsZero reports whether neither was written.
func (c Capacity) IsZero() bool { return c == Capacity{} }

// UnmarshalYAML parses either form.
func (c *Capacity) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		return yamlfile.ErrorAt(n, "a capacity is a number above 0 or PromQL")
	}
	if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
		if !finite(v, minAmount, maxAmount) {
			return yamlfile.ErrorAt(n, "capacity_per_replica %s is not a number above 0; write one from %g to %g", n.Value, minAmount, float64(maxAmount))
		}
		*c = Capacity{Number: v}
		return nil
	}
	*c = Capacity{PromQL: n.Value}
	return nil
}

// MarshalYAML renders it as it is written.
func (c Capacity) MarshalYAML() (any, error) {
	if c.PromQL != "" {
		return c.PromQL, nil
	}
	return c.Number, nil
}

// Matchers are Alertmanager matchers, all of which must match. Each list
// entry may itself hold several, as in Alertmanager's routes.
type Matchers []*labels.Matcher

// UnmarshalYAML parses the list in Alertmanager's own syntax.
func (m *Matchers) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return yamlfile.ErrorAt(n, `matchers are a list such as ['scale="up"', 'scale_target="web"']`)
	}
	*m = Matchers{}
	for _, item := range n.Content {
		parsed, err := labels.ParseMatchers(item.Value)
		if wrong, ok := errors.AsType[*syntax.Error](err); ok && item.Kind == yaml.ScalarNode {
			return yamlfile.ErrorAt(item, "the regular expression of the matcher %s is not valid: %s", item.Value, wrong.Code)
		}
		if item.Kind != yaml.ScalarNode || err != nil || len(parsed) == 0 {
			return yamlfile.ErrorAt(item, `%s is not a matcher; write it as name="value", name!="value", name=~"regex" or name!~"regex"`, kindOf(item))
		}
		*m = append(*m, parsed...)
	}
	return nil
}

// MarshalYAML renders the list.
func (m Matchers) MarshalYAML() (any, error) {
	out := make([]string, len(m))
	for i := range m {
		out[i] = m[i].String()
	}
	return out, nil
}
