package awstest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// autoscaling answers EC2 Auto Scaling.
func (s *Server) autoscaling(c Call) any {
	for _, g := range s.groups {
		s.settle(g)
	}
	switch c.Action {
	case "DescribeAutoScalingGroups":
		return s.describeGroups(c)
	case "SetDesiredCapacity":
		s.setDesiredCapacity(c)
		return nil
	case "TerminateInstanceInAutoScalingGroup":
		return s.terminateInstance(c)
	}
	g, ok := s.groups[c.Form.Get("AutoScalingGroupName")]
	require(ok, "ValidationError", "Group %s not found", c.Form.Get("AutoScalingGroupName"))
	switch c.Action {
	case "DescribeScalingActivities":
		return g.describeActivities(c)
	case "DescribePolicies":
		some, next := page(s, c, 50, g.Policies)
		var policies members
		for _, p := range some {
			predictive := standin.Either[any](p.Mode != "" || p.Empty, element{"Mode", optional(p.Mode)}, nil)
			policies = append(policies, element{
				"AutoScalingGroupName", g.Name, "PolicyName", p.Name, "PolicyType", p.Type,
				"Enabled", !p.Disabled, "PredictiveScalingConfiguration", predictive,
			})
		}
		return element{"ScalingPolicies", policies, "NextToken", optional(next)}
	case "DescribeInstanceRefreshes":
		var refreshes members
		if g.Refresh != "" {
			refreshes = members{element{
				"InstanceRefreshId", "08b91cf7-8fa6-48af-b6a6-d227f40f1b9b", "AutoScalingGroupName", g.Name, "Status", g.Refresh,
			}}
		}
		return element{"InstanceRefreshes", refreshes}
	}
	require(false, "InvalidAction", "Could not find operation %s", c.Action)
	return nil
}

// page cuts a list. The token is where the page begins.
func page[T any](s *Server, c Call, limit int, all []T) (part []T, next string) {
	token, code, message := c.Form.Get("NextToken"), "InvalidNextToken", "The token is invalid"
	if c.Form == nil {
		token, _ = c.Body["nextToken"].(string)
		code, message = "InvalidParameterException", "Invalid token."
	}
	from := 0
	if token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "token-"))
		require(err == nil && n <= len(all), code, "%s", message)
		from = n
	}
	part, at := standin.Page(all, from, min(limit, cmp.Or(s.PageSize, limit)))
	if at > 0 {
		next = "token-" + strconv.Itoa(at)
	}
	return part, next
}

func (s *Server) describeGroups(c Call) any {
	names := list(c.Form, "AutoScalingGroupNames")
	limit := 50
	if n, err := strconv.Atoi(c.Form.Get("MaxRecords")); err == nil {
		limit = n
	}
	require(limit >= 1 && limit <= 100, "ValidationError", "MaxRecords must be between 1 and 100")
	require(len(names) <= limit, "ValidationError", "The number of group names %d exceeds the maximum of %d", len(names), limit)
	var found []*group
	for name, g := range standin.Sorted(s.groups) {
		if (len(names) == 0 || slices.Contains(names, name)) && filtered(c, g) {
			found = append(found, g)
		}
	}
	found, next := page(s, c, limit, found)
	var groups members
	for _, g := range found {
		groups = append(groups, s.describe(g, c.Form.Get("IncludeInstances") != "false"))
	}
	return element{"AutoScalingGroups", groups, "NextToken", optional(next)}
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

func (s *Server) describe(g *group, instances bool) element {
	var list, processes, tags members
	zones := members{s.Region + "a"}
	for _, i := range standin.Either(instances, g.instances, nil) {
		weight := standin.Either[any](g.Weight > 0, g.Weight, nil)
		list = append(list, element{
			"InstanceId", i.ID, "AvailabilityZone", i.Zone, "LifecycleState", i.State, "HealthStatus", i.Health,
			"InstanceType", "t3.large", "ProtectedFromScaleIn", i.Protected, "WeightedCapacity", weight,
		})
	}
	for _, p := range g.Suspended {
		processes = append(processes, element{"ProcessName", p, "SuspensionReason", "User suspended at " + stamp(g.created)})
	}
	for k, v := range standin.Sorted(g.Tags) {
		tags = append(tags, element{
			"ResourceId", g.Name, "ResourceType", "auto-scaling-group", "Key", k, "Value", v, "PropagateAtLaunch", false,
		})
	}
	operator := standin.Either[any](g.Operator != "", element{"Principal", g.Operator}, nil)
	return element{
		"AutoScalingGroupName", g.Name,
		"AutoScalingGroupARN", "arn:aws:autoscaling:" + s.Region + ":" + Account + ":autoScalingGroup:1:autoScalingGroupName/" + g.Name,
		"MinSize", g.Min, "MaxSize", g.Max, "DesiredCapacity", g.shown.At(time.Now()), "DefaultCooldown", 300,
		"HealthCheckType", "EC2", "CreatedTime", stamp(g.created), "Status", optional(g.Status), "Operator", operator,
		"AvailabilityZones", zones, "Instances", list, "SuspendedProcesses", processes, "Tags", tags,
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) setDesiredCapacity(c Call) {
	g, ok := s.groups[c.Form.Get("AutoScalingGroupName")]
	require(ok, "ValidationError", "AutoScalingGroup name not found - AutoScalingGroup '%s' not found", c.Form.Get("AutoScalingGroupName"))
	n, err := strconv.Atoi(c.Form.Get("DesiredCapacity"))
	require(err == nil && n >= 0, "ValidationError", "DesiredCapacity must be at least 0")
	require(n <= g.Max, "ValidationError", "New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", n, g.Max)
	require(n >= g.Min, "ValidationError", "New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", n, g.Min)
	require(c.Form.Get("HonorCooldown") != "true", "ScalingActivityInProgress", "The group is in cooldown")
	g.Desired = n
	s.show(&g.shown, n)
	s.settle(g)
}

func (s *Server) terminateInstance(c Call) any {
	id := c.Form.Get("InstanceId")
	for _, g := range s.groups {
		at := slices.IndexFunc(g.instances, func(i *Instance) bool { return i.ID == id })
		if at < 0 {
			continue
		}
		i := g.instances[at]
		require(i.State != "Terminating", "ScalingActivityInProgress", "Instance %s is being terminated already", id)
		if c.Form.Get("ShouldDecrementDesiredCapacity") == "true" {
			require(g.Desired > g.Min, "ValidationError",
				"Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint.", g.Min)
			g.Desired -= g.weight()
			s.show(&g.shown, g.Desired)
		}
		a := s.terminate(g, i, time.Now())
		s.settle(g)
		return element{"Activity", *a}
	}
	require(false, "ValidationError", "Instance Id not found - No managed instance found for instance ID: %s", id)
	return nil
}

func (g *group) describeActivities(c Call) any {
	var since time.Time
	if c.Form.Get("Filters.member.1.Name") == "StartTimeLowerBound" {
		var err error
		since, err = time.Parse(time.RFC3339, c.Form.Get("Filters.member.1.Values.member.1"))
		require(err == nil, "ValidationError", "%v", err)
	}
	var activities members
	for _, a := range slices.Backward(g.activities) {
		if !a.started.Before(since) && len(activities) < 100 {
			activities = append(activities, *a)
		}
	}
	return element{"Activities", activities}
}
