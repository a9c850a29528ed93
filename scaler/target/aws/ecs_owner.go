package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// refuseOwned returns an error where Application Auto Scaling sets the number:
// what two set, both set again and again. ECS itself knows nothing of that. One
// whose scaling is suspended in both directions does not.
func (t *ecsTarget) refuseOwned(ctx context.Context, op string) error {
	if !t.ownable() {
		return nil
	}
	out, err := t.api.describeScalable(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace:  types.ServiceNamespaceEcs,
		ResourceIds:       []string{"service/" + t.id.cluster + "/" + t.id.name},
		ScalableDimension: types.ScalableDimensionECSServiceDesiredCount,
	})
	if err != nil {
		return t.failure(ctx, op+": look for an autoscaler of it (allow_other_owners: true does without)", err)
	}
	for i := range out.ScalableTargets {
		s := out.ScalableTargets[i].SuspendedState
		if s != nil && value(s.DynamicScalingInSuspended) && value(s.DynamicScalingOutSuspended) {
			continue
		}
		return target.Errorf(target.KindPermanent, op,
			"it is registered with Application Auto Scaling, which sets its desired count: deregister it, or set allow_other_owners")
	}
	t.unowned()
	return nil
}
