package aliyun

import (
	"cmp"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// The states of a scaling group.
const (
	groupActive   = "Active"
	groupDeleting = "Deleting"
)

// scalingGroup is what we need to know of one.
type scalingGroup struct {
	ID        string `json:"ScalingGroupId"`
	Name      string `json:"ScalingGroupName"`
	Lifecycle string `json:"LifecycleState"`
	Min       int    `json:"MinSize"`
	Max       int    `json:"MaxSize"`
	// TotalCapacity counts all instances that the group has.
	TotalCapacity                          int
	RemovingCapacity, RemovingWaitCapacity int
	PendingCapacity, PendingWaitCapacity   int
	ActiveCapacity, ProtectedCapacity      int
	DesiredCapacity                        *int
	EnableDesiredCapacity                  *bool
	Suspended                              []string `json:"SuspendedProcesses"`
	// Halted says that Auto Scaling itself gave the group up, after days of
	// failures.
	Halted bool `json:"SystemSuspended"`
	// ScalingPolicy says what it does with what it removes.
	ScalingPolicy           string
	RemovalPolicies         []string
	LaunchTemplateOverrides []struct{ WeightedCapacity int }
	Tags                    []struct{ TagKey, TagValue string }
}

// expected is the expected number of instances; nil where the group has none.
// Such a group may have a number all the same, from before it was switched off;
// one from before there was a switch has the number alone.
func (g *scalingGroup) expected() *int {
	if g.EnableDesiredCapacity != nil && !*g.EnableDesiredCapacity {
		return nil
	}
	return g.DesiredCapacity
}

// weighted reports whether the group counts capacity, and not instances.
func (g *scalingGroup) weighted() bool {
	return slices.ContainsFunc(g.LaunchTemplateOverrides, func(o struct{ WeightedCapacity int }) bool { return o.WeightedCapacity > 1 })
}

// serving counts the instances in service, and those that are protected too.
func (g *scalingGroup) serving() int { return g.ActiveCapacity + g.ProtectedCapacity }

// here is how many instances the group has, without those that are being
// removed: what an activity brings to a number.
func (g *scalingGroup) here() int {
	return max(0, g.TotalCapacity-g.RemovingCapacity-g.RemovingWaitCapacity)
}

// settled reports whether the group is at a number, with nothing under way.
func (g *scalingGroup) settled(n int) bool {
	return g.here() == n && g.PendingCapacity+g.PendingWaitCapacity == 0
}

// order puts instances in the order in which the group itself would remove
// them, as far as that can be told: by age.
func (g *scalingGroup) order(all []instance) {
	byAge := slices.IndexFunc(g.RemovalPolicies, func(p string) bool { return p == "OldestInstance" || p == "NewestInstance" })
	slices.SortStableFunc(all, func(a, b instance) int {
		if byAge >= 0 && g.RemovalPolicies[byAge] == "NewestInstance" {
			a, b = b, a
		}
		return cmp.Or(a.added().Compare(b.added()), cmp.Compare(a.ID, b.ID))
	})
}

// The states of a scaling activity.
const (
	activityInProgress = "InProgress"
	activitySuccessful = "Successful"
)

// activity is a scaling activity.
type activity struct {
	ID            string `json:"ScalingActivityId"`
	Status        string `json:"StatusCode"`
	StatusMessage string
	ErrorCode     string
	ErrorMessage  string
	ErrorMessages []struct{ Code, Message string }
}

// failure is why an activity that has ended failed; nil where it did not.
func (a activity) failure() error {
	if a.Status == activitySuccessful {
		return nil
	}
	code, message := a.ErrorCode, a.ErrorMessage
	for _, m := range a.ErrorMessages {
		code, message = cmp.Or(code, m.Code), cmp.Or(message, m.Message)
	}
	return target.Errorf(kindOfActivity(code), "scaling activity "+a.ID,
		"%s: %s: %.300s", a.Status, cmp.Or(code, a.Status), cmp.Or(message, a.StatusMessage))
}

// instance is an instance of a scaling group.
type instance struct {
	ID          string `json:"InstanceId"`
	Address     string `json:"PrivateIpAddress"`
	Lifecycle   string `json:"LifecycleState"`
	Health      string `json:"HealthStatus"`
	CreatedTime string
}

func (i instance) id() string { return i.ID }

func (i instance) added() time.Time {
	at, _ := time.Parse(time.RFC3339, i.CreatedTime)
	return at
}

// alarm is an event-triggered task.
type alarm struct {
	ID             string `json:"AlarmTaskId"`
	Name           string
	ScalingGroupID string `json:"ScalingGroupId"`
	Enable         bool
	AlarmActions   []string
}
