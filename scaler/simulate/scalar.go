package simulate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Instant is written as RFC 3339.
type Instant time.Time

// UnmarshalYAML parses the instant.
func (t *Instant) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.Parse(time.RFC3339, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		return yamlfile.ErrorAt(n, "%q is not a time; write it as 2026-01-05T08:00:00Z", n.Value)
	}
	*t = Instant(v.UTC())
	return nil
}

// CountOrAll is a number of replicas, or true for all of them.
type CountOrAll int

// UnmarshalYAML parses either form.
func (c *CountOrAll) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "true" {
		*c = math.MaxInt
		return nil
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 1 {
		return yamlfile.ErrorAt(n, "%q is neither a number of replicas of at least 1 nor true for all of them", n.Value)
	}
	*c = CountOrAll(v)
	return nil
}

// Notation is a series as promtool's unit tests write them: one value an
// interval, '5.2x20' for one and twenty more, '_' for none. What follows the
// last value is missing.
type Notation []parser.SequenceValue

// Notations are one series, or a list of several.
type Notations []Notation

// UnmarshalYAML parses one series or a list.
func (s *Notations) UnmarshalYAML(n *yaml.Node) error {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*s = make(Notations, 0, len(items))
	for _, item := range items {
		one, err := ParseNotation(item.Value)
		if item.Kind != yaml.ScalarNode || err != nil {
			return yamlfile.ErrorAt(item, "%q is not a series; write it as '5 6 7', '5.2x20 2x40', '0+1x10' or '1 _ _ 4'", item.Value)
		}
		*s = append(*s, one)
	}
	return nil
}

// UnmarshalYAML parses one series.
func (s *Notation) UnmarshalYAML(n *yaml.Node) error {
	var one Notations
	if err := one.UnmarshalYAML(n); err != nil {
		return err
	}
	if len(one) != 1 {
		return yamlfile.ErrorAt(n, "one series is needed here, not a list")
	}
	*s = one[0]
	return nil
}

// ParseNotation parses one series.
func ParseNotation(text string) (Notation, error) {
	_, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc("x " + text)
	if err != nil {
		return nil, fmt.Errorf("parse the series %q: %w", text, err)
	}
	for _, v := range values {
		if v.Histogram != nil {
			return nil, fmt.Errorf("parse the series %q: it has histograms where numbers are needed", text)
		}
	}
	return values, nil
}

// samples is the series with its values from start on.
func (s Notation) samples(start time.Time, interval time.Duration) *usage.Samples {
	all := make([]usage.Sample, 0, len(s))
	for i, v := range s {
		if !v.Omitted {
			all = append(all, usage.Sample{At: start.Add(time.Duration(i) * interval), Value: v.Value})
		}
	}
	return usage.NewSamples(all)
}

// keys of m, sorted.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
