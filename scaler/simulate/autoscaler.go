package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// AutoscalerOptions say how the alerts of an Autoscaler are evaluated. The zero
// value is the alerts as they are generated for the policy, on a clock that
// begins with a day.
type AutoscalerOptions struct {
	// Start is the time of the plant's beginning.
	Start time.Time
	// ScaleUpFor and ScaleDownFor are how long the needs must last.
	ScaleUpFor, ScaleDownFor time.Duration
	// CapacityPerReplica is what one replica holds. 0: the policy's number,
	// and 1 where it has none.
	CapacityPerReplica float64
}

// Autoscaler is the server's own engine, with its book of alerts and a ledger that
// nobody reads, as the controller of a plant. Prometheus and Alertmanager are played
// with their whole path: at each interval the generated rules are evaluated, as
// Prometheus does, on the usage of that instant and on what Alertscaler exported
// before it, and what fires is delivered at once, as the example receiver has it
// with group_wait: 0s.
//
// The policy's targets are replaced by one, the plant. Of several resources only
// the first is played. A policy whose mode is off acts as if it were on.
type Autoscaler struct {
	ctx      context.Context
	policy   *config.Policy
	alerting *alerting
	capacity float64
	engine   *scaler.Engine
	book     *alerts.Book
	fleet    *plantFleet
	usage    *plantUsage
	exported *exported
	start    time.Time
	now      atomic.Int64
	up, down condition
	err      error
}

// condition is one alert: since when its expression holds, and whether it
// fires.
type condition struct {
	labels map[string]string
	// fingerprint of the labels.
	fingerprint string
	lasts       time.Duration
	since       time.Time
	fires       bool
	starts      time.Time
}

func newCondition(labels map[string]string, lasts time.Duration) condition {
	return condition{labels: labels, fingerprint: fingerprint(labels), lasts: lasts}
}

// noDate is when what has no dates begins: a Monday.
var noDate = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// errNoResource is a policy that plays no usage.
var errNoResource = errors.New("it has no resource with a usage to play")

// NewAutoscaler makes the controller of one policy of c. The plant counts demand
// in replicas; the policy sees it in its resource's unit.
func NewAutoscaler(ctx context.Context, c *config.Config, name string, o AutoscalerOptions) (*Autoscaler, error) {
	a := &Autoscaler{ctx: ctx, start: o.Start, capacity: o.CapacityPerReplica}
	if a.start.IsZero() {
		a.start = noDate
	}
	a.now.Store(a.start.UnixNano())
	played := *c
	played.Policies = nil
	for _, p := range c.Policies {
		if p.Name == name {
			a.policy = a.play(p)
			played.Policies = []*config.Policy{a.policy}
		}
	}
	switch {
	case a.policy == nil:
		return nil, fmt.Errorf("simulate policy %q: the configuration has none of this name", name)
	case len(a.policy.Resources) == 0:
		return nil, fmt.Errorf("simulate policy %q: %w", name, errNoResource)
	}
	played.Budgets = nil
	if played.Prometheus == nil {
		played.Prometheus = &config.Prometheus{}
	}
	var err error
	if a.alerting, err = newAlerting(a.policy, a.capacity); err != nil {
		return nil, fmt.Errorf("simulate policy %q: %w", name, err)
	}
	a.usage = &plantUsage{resource: a.policy.Resources[0].Name, capacity: a.capacity}
	a.exported = newExported(a.policy.Name, a.usage.resource)
	a.up = newCondition(alertOf(a.policy, policy.Up), o.ScaleUpFor)
	a.down = newCondition(alertOf(a.policy, policy.Down), o.ScaleDownFor)
	if err := a.open(&played); err != nil {
		return nil, err
	}
	return a, nil
}

// play is p on the plant.
func (a *Autoscaler) play(p *config.Policy) *config.Policy {
	changed := *p
	if p.Mode == policy.ModeOff {
		changed.Mode = policy.ModeOn
	}
	if len(p.Resources) > 0 {
		first := *p.Resources[0]
		// Everybody reports in the plant.
		none := 0.0
		first.MinCoverage = &none
		if a.capacity == 0 {
			a.capacity = cmp.Or(first.CapacityPerReplica.Number, 1)
		}
		changed.Resources = []*config.Resource{&first}
	}
	a.fleet = &plantFleet{}
	one := *p.Targets[0]
	one.Platform = fleetConfig{platform: p.Targets[0].Platform.Platform(), fleet: a.fleet}
	one.Min, one.Max = 0, 0
	one.Victims, one.Drain = nil, nil
	changed.Targets = []*config.Target{&one}
	return &changed
}

func (a *Autoscaler) open(c *config.Config) error {
	var err error
	a.book, err = alerts.New(alerts.Options{TTL: -1, Rules: scaler.AlertRules(c), Now: a.clock})
	if err != nil {
		return fmt.Errorf("start the book of alerts: %w", err)
	}
	a.engine, err = scaler.New(scaler.Options{
		Alerts: a.book, Ledger: &forgetful{}, Now: a.clock, PlatformTimeout: -1,
		NewUsage: func(*config.Config) (scaler.Usage, error) { return a.usage, nil },
	})
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	change, err := a.engine.Prepare(a.ctx, c)
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	change.Apply()
	return nil
}

func (a *Autoscaler) clock() time.Time { return time.Unix(0, a.now.Load()).UTC() }

// Desired implements plant.Controller: one evaluation of the alerts and of the
// policy. After an error, see Err, nothing moves any more.
func (a *Autoscaler) Desired(s plant.Signal) int {
	if a.err != nil {
		return s.Requested
	}
	if a.err = context.Cause(a.ctx); a.err != nil {
		return s.Requested
	}
	now := a.start.Add(s.Now)
	a.now.Store(now.UnixNano())
	a.fleet.state = target.State{Requested: s.Requested, Ready: s.Ready}
	a.usage.value = s.Usage * a.capacity
	up, down, err := a.expressions(s, now)
	if err == nil {
		err = errors.Join(a.deliver(&a.up, up, now), a.deliver(&a.down, down, now))
	}
	if err != nil {
		a.err = err
		return s.Requested
	}
	a.engine.Step(a.ctx)
	return a.fleet.state.Requested
}

// Err is why the controller stopped.
func (a *Autoscaler) Err() error { return a.err }

// Decision is the newest; nil before the first.
func (a *Autoscaler) Decision() *policy.Decision {
	return a.engine.LastDecision(a.policy.Name)
}

// expressions evaluates those of the generated alerts, on what Alertscaler
// exports of the replicas now and of reservations since the last evaluation.
func (a *Autoscaler) expressions(s plant.Signal, now time.Time) (up, down bool, err error) {
	a.alerting.scrape()
	a.alerting.add(a.usage.value, a.exported.usage)
	a.alerting.add(float64(s.Requested), a.exported.requested)
	reserved := a.reserved()
	for i, metric := range a.exported.of(reserved) {
		if !metric.IsEmpty() {
			a.alerting.add(reserved[i].Amount, metric)
		}
	}
	return a.alerting.evaluate(a.ctx, now)
}

// reserved is what the last evaluation kept free; nil before the first.
func (a *Autoscaler) reserved() []policy.Entry {
	if d := a.Decision(); d != nil && len(d.Requirements) > 0 {
		return d.Requirements[0].Reservations
	}
	return nil
}

// deliver evaluates one alert, and tells the book where it changed.
func (a *Autoscaler) deliver(c *condition, holds bool, now time.Time) error {
	switch {
	case !holds:
		c.since = time.Time{}
	case c.since.IsZero():
		c.since = now
	}
	fires := holds && now.Sub(c.since) >= c.lasts
	if fires == c.fires {
		return nil
	}
	c.fires = fires
	alert := alerts.Alert{Fingerprint: c.fingerprint, Labels: c.labels, Status: alerts.Firing}
	if fires {
		c.starts = now
	} else {
		alert.Status, alert.EndsAt = alerts.Resolved, now
	}
	alert.StartsAt = c.starts
	if _, err := a.book.Apply(a.ctx, alerts.Notification{Receiver: "simulated", GroupKey: "simulated", Alerts: []alerts.Alert{alert}}); err != nil {
		return fmt.Errorf("deliver an alert: %w", err)
	}
	return nil
}
