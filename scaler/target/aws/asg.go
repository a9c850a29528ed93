package aws

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// groupsPerCall is the most that one call describes.
const groupsPerCall = 100

// group is an Auto Scaling group as AWS describes it.
type group struct{ types.AutoScalingGroup }

// asgTarget is a target.Target and a target.Victims.
type asgTarget struct {
	scalable
	name string
	// failures says why launches failed since a request; nil: none did.
	failures share.Readings[request, error]
}

var (
	_ target.Victims = (*asgTarget)(nil)
	_ target.Closer  = (*asgTarget)(nil)
)

func (t *asgTarget) key() key { return key{name: t.name} }

// describeGroups reads groups by their names, which are no more than one call
// takes.
func (a *account) describeGroups(ctx context.Context, keys []key) (map[key]*group, error) {
	in := &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: new(int32(groupsPerCall))}
	for _, k := range keys {
		in.AutoScalingGroupNames = append(in.AutoScalingGroupNames, k.name)
	}
	out := make(map[key]*group, len(keys))
	err := a.groupPages(ctx, in, func(g *types.AutoScalingGroup) {
		out[key{name: share.Value(g.AutoScalingGroupName)}] = &group{*g}
	})
	return out, err
}

// groupPages calls found with each group of all pages.
func (a *account) groupPages(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, found func(*types.AutoScalingGroup)) error {
	return pages(ctx, a.api.autoscaling.describeGroups, in, &in.NextToken, func(page *autoscaling.DescribeAutoScalingGroupsOutput) (*string, error) {
		if page.AutoScalingGroups == nil {
			return nil, noList("groups")
		}
		for i := range page.AutoScalingGroups {
			found(&page.AutoScalingGroups[i])
		}
		return page.NextToken, nil
	})
}

// Current implements target.Target. Requested is the desired capacity; Ready
// are the instances that are InService and Healthy. Of a group with weights
// both are in units of capacity. Min is at least as many as are protected from
// scale-in: they do not go.
func (t *asgTarget) Current(ctx context.Context) (target.State, error) {
	op := "read group " + t.name
	g, err := t.read(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	st := target.State{
		Requested: g.requested(), Ready: g.count(ready),
		Min: int(share.Value(g.MinSize)), Max: int(share.Value(g.MaxSize)),
	}
	st.Min = max(st.Min, min(g.count(protected), st.Requested))
	if st.Failed, err = t.failed(ctx, op, g); err != nil {
		return target.State{}, err
	}
	return st, nil
}

// Scale implements target.Target. It sets the desired capacity, without the
// group's own cooldown, which is for its own policies.
func (t *asgTarget) Scale(ctx context.Context, desired int) error {
	return t.change(ctx, desired, false, nil)
}

// change is Scale and, where it is to go down by instances, ScaleDown.
func (t *asgTarget) change(ctx context.Context, desired int, byInstances bool, victims []string) error {
	op := "scale group " + t.name + " to " + strconv.Itoa(desired)
	done, err := t.calls.Begin(ctx, op, desired, "no number of replicas")
	if err != nil {
		return err
	}
	defer done()
	g, err := t.readNow(ctx, op)
	if err != nil {
		return err
	}
	from := g.requested()
	switch last := t.lastRequest(); {
	case last.hidden(from) && byInstances:
		// Lowering is relative: from a number of the past too many would go.
		return target.Errorf(target.KindConflict, op, "the group does not show the last request yet")
	case last.hidden(from):
		from = last.desired
	case from == desired:
		return target.Errorf(target.KindNoOp, op, "its desired capacity is that already")
	}
	if err := t.allowed(ctx, op, g, from, desired); err != nil {
		return err
	}
	var named []string
	if !g.weighted() {
		named = g.named(victims, from-desired)
	}
	left, err := t.terminate(ctx, op, from, named)
	// What names were missing for. A number that is asked for again while it is
	// hidden is asked for: someone may have set another one since.
	if err == nil && (left != desired || !byInstances) {
		err = t.set(ctx, op, desired)
	}
	if err != nil && left < from {
		return target.Errorf(target.KindConflict, op, "%d of %d instances went: %w", from-left, from-desired, err)
	}
	return err
}

// set asks for the number, which was found to be allowed.
func (t *asgTarget) set(ctx context.Context, op string, desired int) error {
	out, err := t.api.autoscaling.setDesired(ctx, &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: &t.name, DesiredCapacity: new(int32(desired)), HonorCooldown: new(false),
	})
	t.groups.Forget(t.key())
	if err != nil {
		return t.refused(ctx, op, desired, err)
	}
	t.note(desired, out.ResultMetadata)
	return nil
}

// refused says why AWS did not take a number. ValidationError is its code for
// a group that is gone and for bounds that exclude the number alike: the group
// itself tells them apart.
func (t *asgTarget) refused(ctx context.Context, op string, desired int, err error) error {
	if code(err) == "ValidationError" {
		g, readErr := t.readNow(ctx, op)
		if readErr != nil {
			return readErr
		}
		if outside := g.within(op, desired); outside != nil {
			return outside
		}
	}
	return t.failure(ctx, op, err)
}

// readNow is read, of what the group is from now on.
func (t *asgTarget) readNow(ctx context.Context, op string) (*group, error) {
	t.groups.Forget(t.key())
	return t.read(ctx, op)
}

// read returns the group, as the targets of its account share it.
func (t *asgTarget) read(ctx context.Context, op string) (*group, error) {
	g, err := t.groups.Get(ctx, t.key(), time.Time{})
	switch {
	case err != nil:
		return nil, t.failure(ctx, op, err)
	case g == nil:
		return nil, target.Errorf(target.KindNotFound, op, "region %s has no Auto Scaling group of that name", t.region)
	case share.Value(g.Status) != "":
		return nil, target.Errorf(target.KindNotFound, op, "the group is going: %s", share.Value(g.Status))
	case g.DesiredCapacity == nil:
		return nil, target.Errorf(target.KindTemporary, op, "the answer names no desired capacity")
	}
	return g, nil
}

func (g *group) requested() int { return int(share.Value(g.DesiredCapacity)) }

// within returns an error where the group's bounds exclude a number.
func (g *group) within(op string, desired int) error {
	if most := int(share.Value(g.MaxSize)); desired > most {
		return target.Errorf(target.KindQuota, op, "the group's maximum size is %d", most)
	}
	if least := int(share.Value(g.MinSize)); desired < least {
		return target.Errorf(target.KindPermanent, op, "the group's minimum size is %d", least)
	}
	return nil
}

// wanted reports whether the instance counts towards the desired capacity: it
// is on its way, serves, or is changed in place. Those on standby, in the warm
// pool or on their way out do not.
func wanted(i *types.Instance) bool {
	s := string(i.LifecycleState)
	return s == "InService" || strings.HasPrefix(s, "Pending") ||
		strings.HasPrefix(s, "ReplacingRootVolume") || s == "RootVolumeReplaced"
}

func ready(i *types.Instance) bool {
	return i.LifecycleState == types.LifecycleStateInService && strings.EqualFold(share.Value(i.HealthStatus), "Healthy")
}

func protected(i *types.Instance) bool { return wanted(i) && share.Value(i.ProtectedFromScaleIn) }

// count adds up the weights of the instances that are so.
func (g *group) count(so func(*types.Instance) bool) (n int) {
	for i := range g.Instances {
		if so(&g.Instances[i]) {
			n += weight(&g.Instances[i])
		}
	}
	return n
}

// weight is how many units of desired capacity an instance is.
func weight(i *types.Instance) int {
	if n, err := strconv.Atoi(share.Value(i.WeightedCapacity)); err == nil && n > 0 {
		return n
	}
	return 1
}

// weighted reports whether a unit of desired capacity may be another thing
// than an instance.
func (g *group) weighted() bool {
	if unit := share.Value(g.DesiredCapacityType); unit != "" && unit != "units" {
		return true
	}
	return slices.ContainsFunc(g.Instances, func(i types.Instance) bool { return weight(&i) != 1 })
}
