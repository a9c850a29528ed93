package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Replicas implements target.Victims. Instances that are protected from
// scale-in are counted and not listed. AWS has no order that could be told
// beforehand, as its termination policies go by more than is described here:
// those are first that do not serve, then those of the fullest zones, as with
// the default policy.
func (t *asgTarget) Replicas(ctx context.Context) (target.Replicas, error) {
	op := "list the instances of group " + t.name
	g, err := t.read(ctx, op)
	if err != nil {
		return target.Replicas{}, err
	}
	if g.weighted() {
		return target.Replicas{}, target.Errorf(target.KindPermanent, op, "its instances have weights: one of them is not one unit of capacity")
	}
	rs := target.Replicas{Kept: g.count(protected), Label: "instance_id"}
	for _, i := range g.leaving() {
		rs.List = append(rs.List, target.Replica{ID: instanceID(i), Name: instanceID(i), Ready: ready(i)})
	}
	return rs, nil
}

// leaving are the instances that may go, in the order of Replicas.
func (g *group) leaving() []*types.Instance {
	zones := make(map[string]int)
	var out []*types.Instance
	for i := range g.Instances {
		if in := &g.Instances[i]; wanted(in) {
			zones[share.Value(in.AvailabilityZone)]++
			if !protected(in) {
				out = append(out, in)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *types.Instance) int {
		return cmp.Or(
			share.FalseFirst(ready(a), ready(b)),
			cmp.Compare(zones[share.Value(b.AvailabilityZone)], zones[share.Value(a.AvailabilityZone)]),
			cmp.Compare(instanceID(a), instanceID(b)),
		)
	})
	return out
}

// ScaleDown implements target.Victims. Each victim is terminated by a call of
// its own, which lowers the desired capacity by one; if there are fewer than
// needed, the rest is left to AWS. Of a call that failed half way nobody could
// tell what is to come of the other half: it is a conflict, as something was
// changed, and the next decision starts from what is there.
func (t *asgTarget) ScaleDown(ctx context.Context, desired int, victims []string) error {
	return t.change(ctx, desired, true, victims)
}

// named are at most n of the victims that may go, each once.
func (g *group) named(victims []string, n int) []string {
	var out []string
	for _, i := range target.VictimsFirst(g.leaving(), instanceID, victims) {
		if len(out) < n && slices.Contains(victims, instanceID(i)) {
			out = append(out, instanceID(i))
		}
	}
	return out
}

func instanceID(i *types.Instance) string { return share.Value(i.InstanceId) }

// terminate lets the instances go one after the other, and returns the desired
// capacity that is left. It goes on after one that is gone already.
func (t *asgTarget) terminate(ctx context.Context, op string, from int, ids []string) (left int, err error) {
	left = from
	for _, id := range ids {
		out, err := t.api.autoscaling.terminate(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &id, ShouldDecrementDesiredCapacity: new(true),
		})
		t.groups.Forget(t.key())
		switch {
		case err == nil:
			left--
			t.note(left, out.ResultMetadata)
		case code(err) == "ValidationError" && t.gone(ctx, op, id):
		default:
			return left, t.failure(ctx, fmt.Sprintf("%s: terminate %s", op, id), err)
		}
	}
	return left, nil
}

// gone reports whether the instance is no longer one that the group has, which
// is one of the things that AWS calls a ValidationError.
func (t *asgTarget) gone(ctx context.Context, op, id string) bool {
	g, err := t.readNow(ctx, op)
	return err == nil && len(g.named([]string{id}, 1)) == 0
}
