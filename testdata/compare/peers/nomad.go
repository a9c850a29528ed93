package peers

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	targetvalue "github.com/hashicorp/nomad-autoscaler/plugins/builtin/strategy/target-value/plugin"
	"github.com/hashicorp/nomad-autoscaler/plugins/strategy"
	"github.com/hashicorp/nomad-autoscaler/sdk"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// NomadCooldown is the quiet time after an action. Nomad's default of five
// minutes reaches no limit that is compared here.
const NomadCooldown = 30 * time.Second

// Nomad is the unmodified target-value strategy of Nomad Autoscaler v0.4.6
// with its default threshold of 1 %, asked as policyeval does: with the count
// of the group and the utilization of what was requested. No evaluation takes
// place while the policy cools down (policy/handler.go).
type Nomad struct {
	strategy strategy.Strategy
	check    *sdk.ScalingPolicyCheck
	until    time.Duration
}

// NewNomad aims at the given utilization.
func NewNomad(target float64) *Nomad {
	return &Nomad{
		strategy: targetvalue.NewTargetValuePlugin(hclog.NewNullLogger()),
		check: &sdk.ScalingPolicyCheck{
			Name: "usage",
			Strategy: &sdk.ScalingPolicyStrategy{
				Name:   "target-value",
				Config: map[string]string{"target": strconv.FormatFloat(100*target, 'g', 12, 64)},
			},
		},
	}
}

// Desired is one evaluation.
func (n *Nomad) Desired(s plant.Signal) int {
	if s.Now < n.until {
		return s.Requested
	}
	out, err := n.strategy.Run(&sdk.ScalingCheckEvaluation{
		Check:   n.check,
		Metrics: sdk.TimestampedMetrics{{Value: 100 * s.Usage / float64(s.Requested)}},
		Action:  &sdk.ScalingAction{},
	}, int64(s.Requested))
	if err != nil {
		panic(fmt.Sprintf("target-value: %v", err)) // nothing in it depends on the run
	}
	if out.Action.Direction == sdk.ScaleDirectionNone {
		return s.Requested
	}
	// The agent's policy has the bounds, and scaling to the present count is
	// no action.
	desired := int(max(1, min(200, out.Action.Count)))
	if desired != s.Requested {
		n.until = s.Now + NomadCooldown
	}
	return desired
}
