package aliyun

import (
	"cmp"
	"slices"
	"time"

	ess "github.com/alibabacloud-go/ess-20220222/v2/client"
)

// The states of a scaling group.
const (
	groupActive   = "Active"
	groupDeleting = "Deleting"
)

// The processes of a scaling group that can be suspended.
const (
	processScaleOut = "ScaleOut"
	processScaleIn  = "ScaleIn"
	processAlarms   = "AlarmNotification"
)

// scalingGroup is what we need to know of one.
type scalingGroup struct {
	id, name  string
	lifecycle string
	min, max  int
	// expected is the expected number of instances; nil where the group has
	// none.
	expected *int
	// total counts all instances that the group has, leaving those of them
	// that are being removed, pending those that are being added.
	total, leaving, pending int
	// serving are those in service, and those that are protected too.
	serving   int
	suspended []string
	// halted says that Auto Scaling itself gave the group up, after days of
	// failures.
	halted bool
	// weighted says that the group counts capacity, and not instances.
	weighted bool
	// economical says that what is removed is stopped and kept.
	economical bool
	// newestFirst is how it chooses what is to be removed.
	newestFirst bool
	tags        map[string]string
}

func groupOf(g *ess.DescribeScalingGroupsResponseBodyScalingGroups) scalingGroup {
	out := scalingGroup{
		id: value(g.ScalingGroupId), name: value(g.ScalingGroupName), lifecycle: value(g.LifecycleState),
		min: int(value(g.MinSize)), max: int(value(g.MaxSize)),
		total:      int(value(g.TotalCapacity)),
		leaving:    int(value(g.RemovingCapacity) + value(g.RemovingWaitCapacity)),
		pending:    int(value(g.PendingCapacity) + value(g.PendingWaitCapacity)),
		serving:    int(value(g.ActiveCapacity) + value(g.ProtectedCapacity)),
		suspended:  values(g.SuspendedProcesses),
		halted:     value(g.SystemSuspended),
		economical: value(g.ScalingPolicy) == "recycle",
		tags:       make(map[string]string, len(g.Tags)),
	}
	// A group without one may have a number all the same, from before it was
	// switched off; one from before there was a switch has the number alone.
	if g.DesiredCapacity != nil && (g.EnableDesiredCapacity == nil || *g.EnableDesiredCapacity) {
		out.expected = new(int(*g.DesiredCapacity))
	}
	for _, o := range g.LaunchTemplateOverrides {
		out.weighted = out.weighted || value(o.WeightedCapacity) > 1
	}
	for _, p := range values(g.RemovalPolicies) {
		if p == "OldestInstance" || p == "NewestInstance" {
			out.newestFirst = p == "NewestInstance"
			break
		}
	}
	for _, t := range g.Tags {
		out.tags[value(t.TagKey)] = value(t.TagValue)
	}
	return out
}

// here is how many instances the group has, without those that are being
// removed: what an activity brings to a number.
func (g *scalingGroup) here() int { return max(0, g.total-g.leaving) }

// settled reports whether the group is at a number, with nothing under way.
func (g *scalingGroup) settled(n int) bool {
	return g.here() == n && g.pending == 0
}

// activity is a scaling activity.
type activity struct {
	id, status, code, message string
}

// The states of a scaling activity.
const (
	activityInProgress = "InProgress"
	activitySuccessful = "Successful"
)

func activityOf(a *ess.DescribeScalingActivitiesResponseBodyScalingActivities) activity {
	out := activity{id: value(a.ScalingActivityId), status: value(a.StatusCode), code: value(a.ErrorCode), message: value(a.ErrorMessage)}
	for _, m := range a.ErrorMessages {
		out.code = cmp.Or(out.code, value(m.Code))
		out.message = cmp.Or(out.message, value(m.Message))
	}
	out.message = cmp.Or(out.message, value(a.StatusMessage))
	return out
}

// instance is an instance of a scaling group.
type instance struct {
	id, address string
	inService   bool
	healthy     bool
	added       time.Time
}

func instanceOf(i *ess.DescribeScalingInstancesResponseBodyScalingInstances) instance {
	out := instance{
		id: value(i.InstanceId), address: value(i.PrivateIpAddress),
		inService: value(i.LifecycleState) == "InService",
		healthy:   value(i.HealthStatus) != "Unhealthy",
	}
	out.added, _ = time.Parse(time.RFC3339, value(i.CreatedTime))
	return out
}

// order puts instances in the order in which the group itself would remove
// them, as far as that can be told: by age.
func (g *scalingGroup) order(all []instance) {
	slices.SortStableFunc(all, func(a, b instance) int {
		if g.newestFirst {
			a, b = b, a
		}
		return cmp.Or(a.added.Compare(b.added), cmp.Compare(a.id, b.id))
	})
}
