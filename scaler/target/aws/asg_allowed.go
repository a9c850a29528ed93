package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// kubernetesAutoscaler is the tag by which Kubernetes' cluster autoscaler finds
// its groups.
const kubernetesAutoscaler = "k8s.io/cluster-autoscaler/enabled"

// refreshRetry is when to try again while instances are being replaced.
const refreshRetry = 30 * time.Second

// allowed returns an error where the group must not be brought from one number
// to another, or where that would have no effect.
func (t *asgTarget) allowed(ctx context.Context, op string, g *group, from, desired int) error {
	if err := g.within(op, desired); err != nil {
		return err
	}
	// Somebody suspended them and has to resume them: that takes a person or
	// another program, and no time after which it is worth asking again.
	process := "Launch"
	if desired < from {
		process = "Terminate"
	}
	for _, p := range g.SuspendedProcesses {
		if share.Value(p.ProcessName) == process {
			return target.Errorf(target.KindPermanent, op,
				"the group's process %s is suspended (%s): resume it, or nothing comes of another number", process, share.Value(p.SuspensionReason))
		}
	}
	if n := g.count(protected); desired < from && desired < n {
		return target.Errorf(target.KindPermanent, op, "%d of its instances are protected from scale-in", n)
	}
	if g.Operator != nil {
		return target.Errorf(target.KindPermanent, op, "it is managed by %s, which alone may change it", share.Value(g.Operator.Principal))
	}
	if !t.allowOthers && slices.ContainsFunc(g.Tags, func(tag types.TagDescription) bool { return share.Value(tag.Key) == kubernetesAutoscaler }) {
		return target.Errorf(target.KindPermanent, op,
			"its tag %s has Kubernetes' cluster autoscaler set its size: remove that, or set allow_other_owners", kubernetesAutoscaler)
	}
	if err := t.refuseOwned(ctx, op, "a scaling policy"); err != nil {
		return err
	}
	if desired < from {
		return t.refuseRefresh(ctx, op)
	}
	return nil
}

// refuseRefresh returns an error while instances are being replaced: which of
// them go, the refresh and the scale-in would decide both. More instances are
// no such trouble; they are of the new kind.
//
// It is a conflict rather than a temporary error: it ends by itself, and it is
// certain that nothing was changed.
func (t *asgTarget) refuseRefresh(ctx context.Context, op string) error {
	out, err := t.api.autoscaling.describeRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &t.name})
	if err != nil {
		return t.failure(ctx, op+": look for an instance refresh of it", err)
	}
	for i := range out.InstanceRefreshes {
		switch r := &out.InstanceRefreshes[i]; r.Status {
		case types.InstanceRefreshStatusPending, types.InstanceRefreshStatusInProgress,
			types.InstanceRefreshStatusCancelling, types.InstanceRefreshStatusRollbackInProgress:
			e := target.Errorf(target.KindConflict, op, "instance refresh %s is under way (%s)", share.Value(r.InstanceRefreshId), r.Status)
			e.RetryAfter = refreshRetry
			return e
		default:
		}
	}
	return nil
}

// scaledBy names a policy that sets the number; empty: none does. A scheduled
// action is no such owner: it sets it once, as a person does.
func (t *asgTarget) scaledBy(ctx context.Context, _ struct{}) (owner string, err error) {
	in := &autoscaling.DescribePoliciesInput{AutoScalingGroupName: &t.name}
	err = pages(ctx, t.api.autoscaling.describePolicies, in, &in.NextToken, func(page *autoscaling.DescribePoliciesOutput) (*string, error) {
		if i := slices.IndexFunc(page.ScalingPolicies, scales); i >= 0 {
			p := &page.ScalingPolicies[i]
			owner = fmt.Sprintf("scaling policy %s (%s) sets its size: remove or disable that",
				share.Value(p.PolicyName), cmp.Or(share.Value(p.PolicyType), "SimpleScaling"))
			return nil, nil
		}
		return page.NextToken, nil
	})
	return owner, err
}

// predictive is the type of the policies that may do nothing but forecast.
const predictive = "PredictiveScaling"

// scales reports whether a policy changes the number: one that is disabled, or
// that only forecasts, does not. It goes by the type that the policy says it is
// of: what else is configured of it may be there and empty, or be left out.
// Whether a predictive one scales is not the default; all others do nothing
// else.
func scales(p types.ScalingPolicy) bool {
	if p.Enabled != nil && !*p.Enabled {
		return false
	}
	if share.Value(p.PolicyType) != predictive {
		return true
	}
	c := p.PredictiveScalingConfiguration
	return c != nil && c.Mode == types.PredictiveScalingModeForecastAndScale
}
