package simulate

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/thresholds"
)

// usageSeries is where the rules read the plant's demand.
const usageSeries = "simulated_usage"

// alerting is Prometheus as far as it evaluates the rules that are generated for
// the plant's policy. It is not safe for concurrent use.
type alerting struct {
	engine *promql.Engine
	rules  []rule
	// scraped are the samples of one instant, and what the rules make of them.
	scraped samples
	// answered are the samples that the rules were last evaluated on, and up and
	// down what came of it.
	answered samples
	up, down bool
}

// rule is one rule of a rule file.
type rule struct {
	Record string            `yaml:"record"`
	Alert  string            `yaml:"alert"`
	Expr   string            `yaml:"expr"`
	Labels map[string]string `yaml:"labels"`
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
	a := &alerting{engine: promql.NewEngine(promql.EngineOpts{MaxSamples: 1000, Timeout: time.Minute})}
	for _, g := range file.Groups {
		a.rules = append(a.rules, g.Rules...)
	}
	return a, nil
}

// scrape forgets all samples, for the next instant.
func (a *alerting) scrape() { a.scraped = a.scraped[:0] }

// add is one sample more, with labels as names and values in turn.
func (a *alerting) add(value float64, name string, namesAndValues ...string) {
	metric := labels.FromStrings(append([]string{model.MetricNameLabel, name}, namesAndValues...)...)
	a.scraped = append(a.scraped, promql.Sample{F: value, Metric: metric})
}

// evaluate evaluates the rules in their order on what was scraped, and says
// which alerts' expressions hold. The rules look at samples of this instant
// alone, so that the answer to the same samples is the same.
func (a *alerting) evaluate(ctx context.Context, now time.Time) (up, down bool, err error) {
	inputs := slices.Clone(a.scraped)
	if slices.EqualFunc(inputs, a.answered, func(x, y promql.Sample) bool { return x.F == y.F && labels.Equal(x.Metric, y.Metric) }) {
		return a.up, a.down, nil
	}
	for i := range a.rules {
		r := &a.rules[i]
		n, err := a.rule(ctx, r, now)
		switch {
		case err != nil:
			return false, false, fmt.Errorf("evaluate %s%s: %w", r.Record, r.Alert, err)
		case r.Alert == "":
		case r.Labels["scale"] == string(policy.Up):
			up = up || n > 0
		default:
			down = down || n > 0
		}
	}
	a.answered, a.up, a.down = inputs, up, down
	return up, down, nil
}

// rule evaluates one rule, keeps what it records, and returns how many series
// its expression gives.
func (a *alerting) rule(ctx context.Context, r *rule, now time.Time) (int, error) {
	q, err := a.engine.NewInstantQuery(ctx, a.scraped, nil, r.Expr, now)
	if err != nil {
		return 0, err
	}
	defer q.Close()
	found, err := q.Exec(ctx).Vector()
	if err != nil || r.Record == "" {
		return len(found), err
	}
	for _, s := range found {
		b := labels.NewBuilder(s.Metric).Set(model.MetricNameLabel, r.Record)
		for name, value := range r.Labels {
			b.Set(name, value)
		}
		a.scraped = append(a.scraped, promql.Sample{F: s.F, Metric: b.Labels()})
	}
	return len(found), nil
}

// samples are series of one sample each, which is of whatever instant is asked
// for.
type samples []promql.Sample

var _ storage.Queryable = samples(nil)

// Querier implements storage.Queryable.
func (s samples) Querier(_, at int64) (storage.Querier, error) { return instant{s, at}, nil }

// instant is the samples at an instant, in milliseconds.
type instant struct {
	samples samples
	at      int64
}

// Select implements storage.Querier.
func (q instant) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &seriesSet{at: q.at}
	for _, s := range q.samples {
		if matchesAll(s.Metric, matchers) {
			found.samples = append(found.samples, s)
		}
	}
	return found
}

func matchesAll(metric labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(metric.Get(m.Name)) {
			return false
		}
	}
	return true
}

// LabelValues, LabelNames and Close implement storage.Querier. No expression of
// a rule asks for labels.
func (instant) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (instant) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (instant) Close() error { return nil }

// seriesSet goes through the series that were selected.
type seriesSet struct {
	samples []promql.Sample
	at      int64
	next    int
}

func (s *seriesSet) Next() bool {
	s.next++
	return s.next <= len(s.samples)
}

func (s *seriesSet) At() storage.Series {
	sample := s.samples[s.next-1]
	return promql.NewStorageSeries(promql.Series{Metric: sample.Metric, Floats: []promql.FPoint{{T: s.at, F: sample.F}}})
}

func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }
