package aliyuntest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// Group is a scaling group.
type Group struct {
	ID, Name string
	// Region it is in; empty: cn-hangzhou.
	Region string
	// Expected says that it has an expected number of instances.
	Expected bool
	Min, Max int
	// Count is how many instances it begins with, all in service.
	Count int
	// Boot is how long an instance is pending, Stop how long it is being
	// removed.
	Boot, Stop time.Duration
	// Lag is how far behind what reads of groups show is.
	Lag time.Duration
	// State is its lifecycle state; empty: Active.
	State     string
	Suspended []string
	// Halted says that Auto Scaling suspended it after days of failures.
	Halted          bool
	RemovalPolicies []string
	ScalingPolicy   string
	// Weight is that of its instance type, where it is not 0.
	Weight int
	Tags   map[string]string
	// Fails makes every scale-out activity fail, with this code, once the
	// instances would have booted; Makes is how many it makes all the same.
	Fails string
	Makes int
}

// The states of an instance.
const (
	inService = "InService"
	pending   = "Pending"
	removing  = "Removing"
	protected = "Protected"
	standby   = "Standby"
)

// retryEvery is how soon a group with an expected number tries again.
const retryEvery = 200 * time.Millisecond

type group struct {
	Group
	server     *Server
	expected   int
	instances  []*instance
	activities []*activity             // the newest last
	views      standin.History[object] // what reads show
}

type instance struct {
	id, activity string
	created      time.Time
	serves       time.Time // it is pending before
	gone         time.Time // it is being removed before; zero: it stays
	state        string    // protected or standby; empty: neither
	unhealthy    bool
}

func (i *instance) at(now time.Time) string {
	switch {
	case !i.gone.IsZero():
		return removing
	case now.Before(i.serves):
		return pending
	case i.state != "":
		return i.state
	default:
		return inService
	}
}

type activity struct {
	id, status, code string
	start, end       time.Time
	change           int
}

// Add makes a group, or replaces the one of its ID.
func (s *Server) Add(groups ...Group) {
	s.state.Do(func() {
		for _, g := range groups {
			s.add(g)
		}
	})
}

func (s *Server) add(g Group) {
	g.Region, g.State = cmp.Or(g.Region, "cn-hangzhou"), cmp.Or(g.State, "Active")
	own := &group{Group: g, server: s, expected: g.Count}
	now := time.Now()
	for n := range g.Count {
		own.instances = append(own.instances, &instance{id: s.newID("i"), created: now.Add(time.Duration(n-g.Count) * time.Minute), serves: now})
	}
	if _, ok := s.groups[g.ID]; !ok {
		s.order = append(s.order, g.ID)
	}
	s.groups = standin.Put(s.groups, g.ID, own)
}

// with runs f on a group, at this time.
func (s *Server) with(id string, f func(g *group, now time.Time)) {
	s.state.Do(func() {
		now := time.Now()
		s.groups[id].advance(now)
		f(s.groups[id], now)
	})
}

// Change changes what a group is like. Its count is not looked at.
func (s *Server) Change(id string, change func(*Group)) {
	s.with(id, func(g *group, _ time.Time) { change(&g.Group) })
}

// SetCount brings a group to a number, as someone else would. What is going on
// ends at once.
func (s *Server) SetCount(id string, n int) {
	s.with(id, func(g *group, now time.Time) {
		for _, a := range g.activities {
			g.finish(a)
		}
		g.expected = n
		g.start(now, n-g.here(), nil)
	})
}

// SetInstance makes an instance protected, on standby or unhealthy.
func (s *Server) SetInstance(group, id, state string, unhealthy bool) {
	s.state.Do(func() {
		for _, i := range s.groups[group].instances {
			if i.id == id {
				i.state, i.unhealthy = state, unhealthy
			}
		}
	})
}

// Instances returns the IDs of the instances that are not being removed, the
// oldest first.
func (s *Server) Instances(id string) (out []string) {
	s.with(id, func(g *group, _ time.Time) {
		for _, i := range g.staying() {
			out = append(out, i.id)
		}
	})
	return out
}

// staying are the instances that are not being removed.
func (g *group) staying() []*instance {
	return slices.DeleteFunc(slices.Clone(g.instances), func(i *instance) bool { return !i.gone.IsZero() })
}

// here is how many stay.
func (g *group) here() int { return len(g.staying()) }

// busy reports whether an activity is in progress.
func (g *group) busy() bool {
	return slices.ContainsFunc(g.activities, func(a *activity) bool { return a.status == "InProgress" })
}

// advance lets time pass.
func (g *group) advance(now time.Time) {
	g.instances = slices.DeleteFunc(g.instances, func(i *instance) bool { return !i.gone.IsZero() && !now.Before(i.gone) })
	var ended time.Time
	for _, a := range g.activities {
		if a.status == "InProgress" && !now.Before(a.end) {
			g.finish(a)
		}
		if a.end.After(ended) {
			ended = a.end
		}
	}
	if g.Expected && g.State == "Active" && !g.busy() && g.here() != g.expected && now.Sub(ended) >= retryEvery {
		g.start(now, g.expected-g.here(), nil)
	}
}

// finish ends an activity.
func (g *group) finish(a *activity) {
	switch {
	case a.status != "InProgress":
		return
	case a.code == "":
		a.status = "Successful"
	default:
		made := 0
		for _, i := range slices.Backward(slices.Clone(g.instances)) {
			if i.activity != a.id {
				continue
			}
			if made++; made > g.Makes {
				g.instances = slices.DeleteFunc(g.instances, func(o *instance) bool { return o == i })
			}
		}
		a.status = standin.Either(g.Makes > 0, "Warning", "Failed")
	}
	if a.end.After(time.Now()) {
		a.end = time.Now()
		for _, i := range g.instances {
			if i.activity == a.id {
				i.serves = a.end
			}
		}
	}
}

// start begins an activity that adds instances, or removes some: those named,
// or the oldest.
func (g *group) start(now time.Time, change int, named []string) *activity {
	a := &activity{id: g.server.newID("asa"), status: "InProgress", start: now, end: now.Add(standin.Either(change < 0, g.Stop, g.Boot)), change: change}
	g.activities = append(g.activities, a)
	if change > 0 {
		a.code = g.Fails
	}
	for n := range change {
		g.instances = append(g.instances, &instance{id: g.server.newID("i"), activity: a.id, created: now.Add(time.Duration(n)), serves: a.end})
	}
	for _, i := range g.instances {
		goes := len(named) == 0 && change < 0 && i.state != protected && i.state != standby
		if i.gone.IsZero() && (goes || slices.Contains(named, i.id)) {
			i.gone = a.end
			change++
		}
	}
	g.advance(now)
	return a
}

// describe is what reads show of the group.
func (g *group) describe(now time.Time) object {
	counts := make(map[string]int)
	for _, i := range g.instances {
		counts[i.at(now)]++
	}
	body := object{
		"ScalingGroupId": g.ID, "ScalingGroupName": g.Name, "RegionId": g.Region, "GroupType": "ECS",
		"LifecycleState": g.State, "MinSize": g.Min, "MaxSize": g.Max, "EnableDesiredCapacity": g.Expected,
		"TotalCapacity": len(g.instances), "TotalInstanceCount": len(g.instances),
		"ActiveCapacity": counts[inService], "PendingCapacity": counts[pending], "RemovingCapacity": counts[removing],
		"ProtectedCapacity": counts[protected], "StandbyCapacity": counts[standby],
		"PendingWaitCapacity": 0, "RemovingWaitCapacity": 0, "StoppedCapacity": 0,
		"SuspendedProcesses": g.Suspended, "SystemSuspended": g.Halted, "RemovalPolicies": g.RemovalPolicies,
		"ScalingPolicy": g.ScalingPolicy, "HealthCheckType": "ECS", "CreationTime": "2026-01-05T08:00Z",
	}
	body.AddIf(g.Expected, "DesiredCapacity", g.expected)
	body.AddIf(g.Weight > 0, "LaunchTemplateOverrides", []any{object{"InstanceType": "ecs.c7.large", "WeightedCapacity": g.Weight}})
	var tags []any
	for k, v := range standin.Sorted(g.Tags) {
		tags = append(tags, object{"TagKey": k, "TagValue": v, "Propagate": false})
	}
	body["Tags"] = tags
	return body
}

// show is describe, as long ago as the group lags.
func (g *group) show(now time.Time) object {
	body := g.describe(now)
	if g.Lag == 0 {
		return body
	}
	if fmt.Sprint(g.views.Last()) != fmt.Sprint(body) {
		g.views.Set(body, now)
	}
	return g.views.At(now.Add(-g.Lag))
}
