package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// plantFleet is the plant's replicas as the engine sees them, at one instant.
type plantFleet struct{ state target.State }

// Current implements target.Target.
func (f *plantFleet) Current(context.Context) (target.State, error) { return f.state, nil }

// Scale implements target.Target.
func (f *plantFleet) Scale(_ context.Context, desired int) error {
	if desired == f.state.Requested {
		return target.Errorf(target.KindNoOp, "scale", "it has that count")
	}
	f.state.Requested = desired
	return nil
}

// fleetConfig hands out the plant's replicas in place of what is configured.
type fleetConfig struct {
	platform string
	fleet    *plantFleet
}

var _ target.Config = fleetConfig{}

func (c fleetConfig) Platform() string                          { return c.platform }
func (c fleetConfig) Validate() error                           { return nil }
func (c fleetConfig) Identity() string                          { return "simulated" }
func (c fleetConfig) New(target.Options) (target.Target, error) { return c.fleet, nil }

// plantUsage is the plant's demand as the engine reads it, at one instant.
type plantUsage struct {
	resource        string
	value, capacity float64
	// read is what the engine was given last.
	read [1]policy.Usage
}

// Read implements scaler.Usage.
func (p *plantUsage) Read(context.Context, time.Time, []usage.Query) []policy.Usage {
	p.read[0] = policy.Usage{Resource: p.resource, Value: p.value, CapacityPerReplica: p.capacity}
	return p.read[:]
}

// Loads implements scaler.Usage; replicas of the plant are all alike.
func (p *plantUsage) Loads(context.Context, time.Time, string, string) (map[string]float64, error) {
	return nil, errors.New("replicas of the plant carry no load of their own")
}

// alertOf are labels that the policy's matchers of a direction accept, taken
// from those for equality.
func alertOf(p *config.Policy, d policy.Direction) map[string]string {
	all := map[string]string{"scale": string(d), "scale_target": p.ScaleTarget}
	matchers := p.Alerts.Up
	if d == policy.Down {
		matchers = p.Alerts.Down
	}
	for _, m := range matchers {
		if m.Type == labels.MatchEqual {
			all[m.Name] = m.Value
		}
	}
	return all
}

func fingerprint(set map[string]string) string {
	all := make(model.LabelSet, len(set))
	for name, value := range set {
		all[model.LabelName(name)] = model.LabelValue(value)
	}
	return all.Fingerprint().String()
}
