package aws

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scalabletypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// servicesPerCall is the most that one call describes, of one cluster.
const servicesPerCall = 10

// service is a service of ECS as AWS describes it, and AWS' time of that.
type service struct {
	types.Service
	served time.Time
}

// ecsTarget is a target.Target.
type ecsTarget struct {
	scalable
	id key
}

var (
	_ target.Target = (*ecsTarget)(nil)
	_ target.Closer = (*ecsTarget)(nil)
)

// describeServices reads services of one cluster, no more than one call takes.
// Of what ECS cannot say anything, it says why: that they are missing is one of
// the reasons.
func (a *account) describeServices(ctx context.Context, keys []key) (map[key]*service, error) {
	in := &ecs.DescribeServicesInput{Cluster: &keys[0].cluster}
	for _, k := range keys {
		in.Services = append(in.Services, k.name)
	}
	page, err := a.describe(ctx, in)
	if err != nil {
		return nil, err
	}
	served := servedAt(page.ResultMetadata, time.Now())
	out := make(map[key]*service, len(keys))
	for _, s := range page.Services {
		out[key{cluster: keys[0].cluster, name: share.Value(s.ServiceName)}] = &service{s, served}
	}
	return out, nil
}

func (a *account) describe(ctx context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	page, err := a.api.ecs.describeServices(ctx, in)
	if err == nil && page.Services == nil {
		err = noList("services")
	}
	return page, err
}

// Current implements target.Target. Requested is the desired count; of Ready
// see ready.
func (t *ecsTarget) Current(ctx context.Context) (target.State, error) {
	s, err := t.read(ctx, "read "+t.what())
	if err != nil {
		return target.State{}, err
	}
	return target.State{
		Requested: int(s.DesiredCount), Ready: s.ready(),
		Failed: s.failed(t.lastRequest(), t.failureStands),
	}, nil
}

// ready is how many tasks run. While a new revision is rolled out those of the
// old one serve too, but of both together no more count than are wanted: the
// surplus of a rollout is no capacity.
func (s *service) ready() int {
	if len(s.Deployments) > 1 {
		return int(min(s.RunningCount, s.DesiredCount))
	}
	return int(s.RunningCount)
}

// Scale implements target.Target. It updates the desired count, which starts no
// deployment.
func (t *ecsTarget) Scale(ctx context.Context, desired int) error {
	op := "scale " + t.what() + " to " + strconv.Itoa(desired)
	done, err := t.calls.Begin(ctx, op, desired, "no number of replicas")
	if err != nil {
		return err
	}
	defer done()
	t.services.Forget(t.id)
	s, err := t.read(ctx, op)
	if err != nil {
		return err
	}
	if from := int(s.DesiredCount); from == desired && !t.lastRequest().hidden(from) {
		return target.Errorf(target.KindNoOp, op, "its desired count is that already")
	}
	if err := t.refuseOwned(ctx, op, "an autoscaler"); err != nil {
		return err
	}
	out, err := t.api.ecs.updateService(ctx, &ecs.UpdateServiceInput{Cluster: &t.id.cluster, Service: &t.id.name, DesiredCount: new(int32(desired))})
	t.services.Forget(t.id)
	if err != nil {
		return t.failure(ctx, op, err)
	}
	t.note(desired, out.ResultMetadata)
	return nil
}

// read returns the service, as the targets of its account share it.
func (t *ecsTarget) read(ctx context.Context, op string) (*service, error) {
	s, err := t.services.Get(ctx, t.id, time.Time{})
	switch {
	case err != nil:
		return nil, t.failure(ctx, op, err)
	case s == nil:
		return nil, target.Errorf(target.KindNotFound, op, "the cluster has no service of that name in region %s", t.region)
	case share.Value(s.Status) != "ACTIVE":
		// What was deleted is described for a while.
		return nil, target.Errorf(target.KindNotFound, op, "the service is %s", share.Value(s.Status))
	case s.SchedulingStrategy == types.SchedulingStrategyDaemon:
		return nil, target.Errorf(target.KindPermanent, op, "a DAEMON service runs once on every container instance and cannot be scaled")
	}
	return s, nil
}

// what names the service in errors.
func (t *ecsTarget) what() string { return "service " + t.id.cluster + "/" + t.id.name }

// unplaced is in the messages of events that say that there is no room for a
// task. Events have neither a code nor a type, so that there is only the text
// to go by.
const unplaced = "unable to place a task"

// failed is why ECS does not start what it was last asked for, nil where it
// does. ECS goes on trying; it counts as failed once its latest word since the
// request, for a while, is that there is no room.
func (s *service) failed(last request, stands time.Duration) error {
	if last.at.IsZero() || last.desired != int(s.DesiredCount) || s.RunningCount+s.PendingCount >= s.DesiredCount {
		return nil
	}
	for i := range s.Events { // the latest first
		e := &s.Events[i]
		switch at := share.Value(e.CreatedAt); {
		case at.Before(last.served):
			return nil
		case strings.Contains(share.Value(e.Message), "has reached a steady state"):
			return nil
		case !strings.Contains(share.Value(e.Message), unplaced):
		case s.served.Sub(at) < stands:
			// It may be that of the next try; then an older one counts.
		default:
			return target.Errorf(target.KindQuota, "start tasks of service "+share.Value(s.ServiceName), "%s", share.Value(e.Message))
		}
	}
	return nil
}

// scaledBy says that Application Auto Scaling sets the number; empty: it does
// not. ECS itself knows nothing of that. One whose scaling is suspended in both
// directions does not.
func (t *ecsTarget) scaledBy(ctx context.Context, _ struct{}) (string, error) {
	out, err := t.api.describeScalable(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace:  scalabletypes.ServiceNamespaceEcs,
		ResourceIds:       []string{"service/" + t.id.cluster + "/" + t.id.name},
		ScalableDimension: scalabletypes.ScalableDimensionECSServiceDesiredCount,
	})
	if err != nil {
		return "", err
	}
	for i := range out.ScalableTargets {
		s := out.ScalableTargets[i].SuspendedState
		if s == nil || !share.Value(s.DynamicScalingInSuspended) || !share.Value(s.DynamicScalingOutSuspended) {
			return "it is registered with Application Auto Scaling, which sets its desired count: deregister it", nil
		}
	}
	return "", nil
}
