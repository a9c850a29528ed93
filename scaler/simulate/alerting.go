package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate/formula"
	"github.com/alertscaler/alertscaler/scaler/thresholds"
)

// usageSeries is where the rules read the plant's demand.
const usageSeries = "simulated_usage"

// alerting is Prometheus as far as it evaluates the rules that are generated for
// the plant's policy. It is not safe for concurrent use.
type alerting struct {
	rules []rule
	// scraped are the samples of one instant.
	scraped []promql.Sample
	// by evaluates the rules on the series that were scraped last.
	by evaluator
	// series are those.
	series []labels.Labels
}

// evaluator evaluates rules in their order on the samples of one instant, and
// says which alerts' expressions hold.
type evaluator interface {
	evaluate(ctx context.Context, scraped []promql.Sample, now time.Time) (up, down bool, err error)
}

// rule is one rule of a rule file.
type rule struct {
	Record string            `yaml:"record"`
	Alert  string            `yaml:"alert"`
	Expr   string            `yaml:"expr"`
	Labels map[string]string `yaml:"labels"`
}

// says reports whether the rule is an alert that points that way.
func (r *rule) says(d policy.Direction) bool {
	return r.Alert != "" && r.Labels["scale"] == string(d)
}

// recorded is the series that the rule records what it finds as.
func (r *rule) recorded(found labels.Labels) labels.Labels {
	b := labels.NewBuilder(found).Set(model.MetricNameLabel, r.Record)
	for name, value := range r.Labels {
		b.Set(name, value)
	}
	return b.Labels()
}

// newAlerting generates the rules for the first resource of p, of which one
// replica holds that capacity.
func newAlerting(p *config.Policy, capacity float64) (*alerting, error) {
	r := thresholds.Resource(p, p.Resources[0])
	r.UsageExpr, r.PredictedExpr, r.CapacityPerReplica = usageSeries, "", strconv.FormatFloat(capacity, 'g', -1, 64)
	var text bytes.Buffer
	err := rules.Generate(&text, []rules.PolicyThresholds{{
		Policy: p.Name, Min: p.Min, Max: p.Max, Resources: []rules.ResourceThresholds{r},
	}}, rules.Options{})
	if err != nil {
		return nil, fmt.Errorf("generate the alerts: %w", err)
	}
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(text.Bytes(), &file); err != nil {
		return nil, fmt.Errorf("read the generated alerts: %w", err)
	}
	a := &alerting{}
	for _, g := range file.Groups {
		a.rules = append(a.rules, g.Rules...)
	}
	return a, nil
}

// scrape forgets all samples, for the next instant.
func (a *alerting) scrape() { a.scraped = a.scraped[:0] }

// add is one sample more.
func (a *alerting) add(value float64, metric labels.Labels) {
	a.scraped = append(a.scraped, promql.Sample{F: value, Metric: metric})
}

// evaluate evaluates the rules in their order on what was scraped, and says
// which alerts' expressions hold.
func (a *alerting) evaluate(ctx context.Context, now time.Time) (up, down bool, err error) {
	if a.by == nil || !slices.EqualFunc(a.scraped, a.series, func(s promql.Sample, is labels.Labels) bool { return labels.Equal(s.Metric, is) }) {
		if err := a.prepare(); err != nil {
			return false, false, err
		}
	}
	return a.by.evaluate(ctx, a.scraped, now)
}

// prepare finds out how to evaluate the rules on these series: by formulas
// where they can, which takes a hundredth of the time.
func (a *alerting) prepare() error {
	a.series = a.series[:0]
	for i := range a.scraped {
		a.series = append(a.series, a.scraped[i].Metric)
	}
	formulas, err := newByFormulas(a.rules, a.series)
	switch {
	case errors.Is(err, formula.ErrUnknown):
		a.by = newByPrometheus(a.rules)
	case err != nil:
		return err
	default:
		a.by = formulas
	}
	return nil
}
