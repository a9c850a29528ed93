package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// api is what is called of AWS.
//
// It is made of functions, and no type that a target can be seen to have leads
// to a client of the SDK. The linker would keep every operation of its service,
// and all that these are made of, for whoever might look them up by name.
type api struct {
	autoscaling struct {
		describeGroups     call[autoscaling.DescribeAutoScalingGroupsInput, autoscaling.DescribeAutoScalingGroupsOutput]
		describePolicies   call[autoscaling.DescribePoliciesInput, autoscaling.DescribePoliciesOutput]
		describeRefreshes  call[autoscaling.DescribeInstanceRefreshesInput, autoscaling.DescribeInstanceRefreshesOutput]
		describeActivities call[autoscaling.DescribeScalingActivitiesInput, autoscaling.DescribeScalingActivitiesOutput]
		setDesired         call[autoscaling.SetDesiredCapacityInput, autoscaling.SetDesiredCapacityOutput]
		terminate          call[autoscaling.TerminateInstanceInAutoScalingGroupInput, autoscaling.TerminateInstanceInAutoScalingGroupOutput]
	}
	ecs struct {
		listClusters     call[ecs.ListClustersInput, ecs.ListClustersOutput]
		listServices     call[ecs.ListServicesInput, ecs.ListServicesOutput]
		describeServices call[ecs.DescribeServicesInput, ecs.DescribeServicesOutput]
		updateService    call[ecs.UpdateServiceInput, ecs.UpdateServiceOutput]
	}
	describeScalable call[applicationautoscaling.DescribeScalableTargetsInput, applicationautoscaling.DescribeScalableTargetsOutput]
}

// call is an operation of a service.
type call[In, Out any] func(ctx context.Context, in *In) (*Out, error)

// operation makes a call of a client's method.
func operation[In, Out, Options any](method func(context.Context, *In, ...func(*Options)) (*Out, error)) call[In, Out] {
	return func(ctx context.Context, in *In) (*Out, error) { return method(ctx, in) }
}

func newAPI(cfg aws.Config) (a api) {
	groups := autoscaling.NewFromConfig(cfg)
	a.autoscaling.describeGroups = operation(groups.DescribeAutoScalingGroups)
	a.autoscaling.describePolicies = operation(groups.DescribePolicies)
	a.autoscaling.describeRefreshes = operation(groups.DescribeInstanceRefreshes)
	a.autoscaling.describeActivities = operation(groups.DescribeScalingActivities)
	a.autoscaling.setDesired = operation(groups.SetDesiredCapacity)
	a.autoscaling.terminate = operation(groups.TerminateInstanceInAutoScalingGroup)
	services := ecs.NewFromConfig(cfg)
	a.ecs.listClusters = operation(services.ListClusters)
	a.ecs.listServices = operation(services.ListServices)
	a.ecs.describeServices = operation(services.DescribeServices)
	a.ecs.updateService = operation(services.UpdateService)
	a.describeScalable = operation(applicationautoscaling.NewFromConfig(cfg).DescribeScalableTargets)
	return a
}
