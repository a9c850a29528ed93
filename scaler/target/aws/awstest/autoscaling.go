package awstest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
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
		var out struct {
			ScalingPolicies members[xmlPolicy]
			NextToken       string `xml:",omitempty"`
		}
		var some []Policy
		some, out.NextToken = page(s, c, 50, g.Policies)
		for _, p := range some {
			x := xmlPolicy{AutoScalingGroupName: g.Name, PolicyName: p.Name, PolicyType: p.Type, Enabled: !p.Disabled}
			if p.Mode != "" || p.Empty {
				x.PredictiveScalingConfiguration = &xmlPredictive{p.Mode}
			}
			out.ScalingPolicies.add(x)
		}
		return out
	case "DescribeInstanceRefreshes":
		var out struct{ InstanceRefreshes members[xmlRefresh] }
		if g.Refresh != "" {
			out.InstanceRefreshes.add(xmlRefresh{"08b91cf7-8fa6-48af-b6a6-d227f40f1b9b", g.Name, g.Refresh})
		}
		return out
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
	var out struct {
		AutoScalingGroups members[xmlGroup]
		NextToken         string `xml:",omitempty"`
	}
	found, out.NextToken = page(s, c, limit, found)
	for _, g := range found {
		out.AutoScalingGroups.add(s.describe(g, c.Form.Get("IncludeInstances") != "false"))
	}
	return out
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
		MinSize:              g.Min, MaxSize: g.Max, DesiredCapacity: g.shown.At(time.Now()), DefaultCooldown: 300,
		HealthCheckType: "EC2", CreatedTime: stamp(g.created), Status: g.Status,
	}
	x.AvailabilityZones.add(s.Region + "a")
	if g.Operator != "" {
		x.Operator = &xmlOperator{g.Operator}
	}
	for _, p := range g.Suspended {
		x.SuspendedProcesses.add(xmlProcess{p, "User suspended at " + stamp(g.created)})
	}
	for k, v := range standin.Sorted(g.Tags) {
		x.Tags.add(xmlTag{g.Name, "auto-scaling-group", k, v, false})
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
		a := *s.terminate(g, i, time.Now())
		s.settle(g)
		return struct{ Activity activity }{a}
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
	var out struct{ Activities members[activity] }
	for _, a := range slices.Backward(g.activities) {
		if !a.started.Before(since) && len(out.Activities.Member) < 100 {
			out.Activities.add(*a)
		}
	}
	return out
}
