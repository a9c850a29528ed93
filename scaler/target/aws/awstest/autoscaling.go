package awstest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// members is a list in XML.
type members[T any] struct {
	Member []T `xml:"member"`
}

func (m *members[T]) add(v T) { m.Member = append(m.Member, v) }

type xmlInstance struct {
	InstanceID                                                   string `xml:"InstanceId"`
	AvailabilityZone, LifecycleState, HealthStatus, InstanceType string
	ProtectedFromScaleIn                                         bool
	WeightedCapacity                                             string `xml:",omitempty"`
}

type xmlTag struct {
	ResourceID               string `xml:"ResourceId"`
	ResourceType, Key, Value string
	PropagateAtLaunch        bool
}

type xmlProcess struct{ ProcessName, SuspensionReason string }

type xmlOperator struct{ Principal string }

type xmlGroup struct {
	AutoScalingGroupName, AutoScalingGroupARN string
	MinSize, MaxSize, DesiredCapacity         int
	DefaultCooldown                           int
	HealthCheckType, CreatedTime              string
	Status                                    string       `xml:",omitempty"`
	Operator                                  *xmlOperator `xml:",omitempty"`
	AvailabilityZones                         members[string]
	Instances                                 members[xmlInstance]
	SuspendedProcesses                        members[xmlProcess]
	Tags                                      members[xmlTag]
}

type xmlActivity struct {
	ActivityID                               string `xml:"ActivityId"`
	AutoScalingGroupName, Description, Cause string
	StartTime                                string
	EndTime                                  string `xml:",omitempty"`
	StatusCode                               string
	StatusMessage                            string `xml:",omitempty"`
	Progress                                 int
}

type xmlPredictive struct {
	Mode string `xml:",omitempty"`
}

type xmlPolicy struct {
	AutoScalingGroupName, PolicyName, PolicyType string
	Enabled                                      bool
	PredictiveScalingConfiguration               *xmlPredictive `xml:",omitempty"`
}

type xmlRefresh struct {
	InstanceRefreshID            string `xml:"InstanceRefreshId"`
	AutoScalingGroupName, Status string
}

// autoscaling answers EC2 Auto Scaling. s.mu is held.
func (s *Server) autoscaling(c Call) (any, *apiError) {
	for _, g := range s.groups {
		s.settle(g)
	}
	switch c.Action {
	case "DescribeAutoScalingGroups":
		return s.describeGroups(c)
	case "SetDesiredCapacity":
		return nil, s.setDesiredCapacity(c)
	case "TerminateInstanceInAutoScalingGroup":
		return s.terminateInstance(c)
	}
	g, ok := s.groups[c.Form.Get("AutoScalingGroupName")]
	if !ok {
		return nil, refuse("ValidationError", "Group %s not found", c.Form.Get("AutoScalingGroupName"))
	}
	switch c.Action {
	case "DescribeScalingActivities":
		return g.describeActivities(c)
	case "DescribePolicies":
		var out struct {
			ScalingPolicies members[xmlPolicy]
			NextToken       string `xml:",omitempty"`
		}
		some, next, ok := page(50, s.PageSize, c.Form.Get("NextToken"), g.Policies)
		if !ok {
			return nil, refuse("InvalidNextToken", "The token is invalid")
		}
		for _, p := range some {
			x := xmlPolicy{AutoScalingGroupName: g.Name, PolicyName: p.Name, PolicyType: p.Type, Enabled: !p.Disabled}
			if p.Mode != "" || p.Empty {
				x.PredictiveScalingConfiguration = &xmlPredictive{p.Mode}
			}
			out.ScalingPolicies.add(x)
		}
		out.NextToken = next
		return out, nil
	case "DescribeInstanceRefreshes":
		var out struct{ InstanceRefreshes members[xmlRefresh] }
		if g.Refresh != "" {
			out.InstanceRefreshes.add(xmlRefresh{"08b91cf7-8fa6-48af-b6a6-d227f40f1b9b", g.Name, g.Refresh})
		}
		return out, nil
	}
	return nil, refuse("InvalidAction", "Could not find operation %s", c.Action)
}

// page cuts a list. The token is where the page begins.
func page[T any](limit, own int, token string, all []T) ([]T, string, bool) {
	from := 0
	if token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "token-"))
		if err != nil || n > len(all) {
			return nil, "", false
		}
		from = n
	}
	if own > 0 {
		limit = min(limit, own)
	}
	to := min(len(all), from+limit)
	if to == len(all) {
		return all[from:], "", true
	}
	return all[from:to], "token-" + strconv.Itoa(to), true
}

func (s *Server) describeGroups(c Call) (any, *apiError) {
	names := list(c.Form, "AutoScalingGroupNames")
	limit := 50
	if n, err := strconv.Atoi(c.Form.Get("MaxRecords")); err == nil {
		if limit = n; n < 1 || n > 100 {
			return nil, refuse("ValidationError", "MaxRecords must be between 1 and 100")
		}
	}
	if len(names) > limit {
		return nil, refuse("ValidationError", "The number of group names %d exceeds the maximum of %d", len(names), limit)
	}
	var found []*group
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[name]
		if (len(names) == 0 || slices.Contains(names, name)) && filtered(c, g) {
			found = append(found, g)
		}
	}
	some, next, ok := page(limit, s.PageSize, c.Form.Get("NextToken"), found)
	if !ok {
		return nil, refuse("InvalidNextToken", "The token is invalid")
	}
	var out struct {
		AutoScalingGroups members[xmlGroup]
		NextToken         string `xml:",omitempty"`
	}
	for _, g := range some {
		out.AutoScalingGroups.add(s.describe(g, c.Form.Get("IncludeInstances") != "false"))
	}
	out.NextToken = next
	return out, nil
}

// filtered reports whether a group has one of the tags that are asked for.
func filtered(c Call, g *group) bool {
	for i := 1; ; i++ {
		prefix := "Filters.member." + strconv.Itoa(i)
		name := c.Form.Get(prefix + ".Name")
		if name == "" {
			return true
		}
		has := func(key string) bool { _, ok := g.Tags[key]; return ok }
		if name != "tag-key" || !slices.ContainsFunc(list(c.Form, prefix+".Values"), has) {
			return false
		}
	}
}

func (s *Server) describe(g *group, instances bool) xmlGroup {
	x := xmlGroup{
		AutoScalingGroupName: g.Name,
		AutoScalingGroupARN:  "arn:aws:autoscaling:" + s.Region + ":" + Account + ":autoScalingGroup:1:autoScalingGroupName/" + g.Name,
		MinSize:              g.Min, MaxSize: g.Max, DesiredCapacity: g.shows(), DefaultCooldown: 300,
		HealthCheckType: "EC2", CreatedTime: stamp(g.created), Status: g.Status,
	}
	x.AvailabilityZones.add(s.Region + "a")
	if g.Operator != "" {
		x.Operator = &xmlOperator{g.Operator}
	}
	for _, p := range g.Suspended {
		x.SuspendedProcesses.add(xmlProcess{p, "User suspended at " + stamp(g.created)})
	}
	for _, k := range slices.Sorted(maps.Keys(g.Tags)) {
		x.Tags.add(xmlTag{g.Name, "auto-scaling-group", k, g.Tags[k], false})
	}
	for _, i := range g.instances {
		if !instances {
			break
		}
		xi := xmlInstance{
			InstanceID: i.ID, AvailabilityZone: i.Zone, LifecycleState: i.State, HealthStatus: i.Health,
			InstanceType: "t3.large", ProtectedFromScaleIn: i.Protected,
		}
		if g.Weight > 0 {
			xi.WeightedCapacity = strconv.Itoa(g.Weight)
		}
		x.Instances.add(xi)
	}
	return x
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) setDesiredCapacity(c Call) *apiError {
	g, ok := s.groups[c.Form.Get("AutoScalingGroupName")]
	n, err := strconv.Atoi(c.Form.Get("DesiredCapacity"))
	switch {
	case !ok:
		return refuse("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup '%s' not found", c.Form.Get("AutoScalingGroupName"))
	case err != nil || n < 0:
		return refuse("ValidationError", "DesiredCapacity must be at least 0")
	case n > g.Max:
		return refuse("ValidationError", "New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", n, g.Max)
	case n < g.Min:
		return refuse("ValidationError", "New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", n, g.Min)
	case c.Form.Get("HonorCooldown") == "true":
		return refuse("ScalingActivityInProgress", "The group is in cooldown")
	}
	g.Desired = n
	s.show(g)
	s.settle(g)
	return nil
}

func (s *Server) terminateInstance(c Call) (any, *apiError) {
	id := c.Form.Get("InstanceId")
	for _, g := range s.groups {
		at := slices.IndexFunc(g.instances, func(i *Instance) bool { return i.ID == id })
		if at < 0 {
			continue
		}
		i := g.instances[at]
		if i.State == "Terminating" {
			return nil, refuse("ScalingActivityInProgress", "Instance %s is being terminated already", id)
		}
		if c.Form.Get("ShouldDecrementDesiredCapacity") == "true" {
			if g.Desired <= g.Min {
				return nil, refuse("ValidationError", "Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint.", g.Min)
			}
			g.Desired -= g.weight()
			s.show(g)
		}
		a := s.terminate(g, i, time.Now())
		s.settle(g)
		return struct{ Activity xmlActivity }{a.describe(g)}, nil
	}
	return nil, refuse("ValidationError", "Instance Id not found - No managed instance found for instance ID: %s", id)
}

func (g *group) describeActivities(c Call) (any, *apiError) {
	var since time.Time
	if c.Form.Get("Filters.member.1.Name") == "StartTimeLowerBound" {
		var err error
		if since, err = time.Parse(time.RFC3339, c.Form.Get("Filters.member.1.Values.member.1")); err != nil {
			return nil, refuse("ValidationError", "%v", err)
		}
	}
	var out struct{ Activities members[xmlActivity] }
	for _, a := range slices.Backward(g.activities) {
		if !a.started.Before(since) && len(out.Activities.Member) < 100 {
			out.Activities.add(a.describe(g))
		}
	}
	return out, nil
}

func (a *activity) describe(g *group) xmlActivity {
	x := xmlActivity{
		ActivityID: a.id, AutoScalingGroupName: g.Name, Description: a.description, Cause: "At " + stamp(a.started) + " it was asked for.",
		StartTime: stamp(a.started), StatusCode: a.status, StatusMessage: a.message, Progress: 50,
	}
	if !a.ended.IsZero() {
		x.EndTime, x.Progress = stamp(a.ended), 100
	}
	return x
}
