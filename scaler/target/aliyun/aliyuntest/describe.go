package aliyuntest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// minutes is how precisely most times are told.
const minutes = "2006-01-02T15:04Z"

func (s *Server) describeGroups(c *call) object {
	ids := c.ids("ScalingGroupId")
	var all []any
	for _, id := range s.order {
		g := s.groups[id]
		if g.Region == c.form["RegionId"] && (len(ids) == 0 || slices.Contains(ids, id)) {
			g.advance(time.Now())
			all = append(all, g.show(time.Now()))
		}
	}
	return c.page("ScalingGroups", all, 50)
}

func (s *Server) describeInstances(c *call) object {
	g, now := s.find(c), time.Now()
	var all []any
	for n, i := range g.instances {
		all = append(all, object{
			"InstanceId": i.id, "ScalingInstanceId": "asi" + i.id[1:], "ScalingGroupId": g.ID, "ScalingActivityId": i.activity,
			"LifecycleState": i.at(now), "HealthStatus": standin.Either(i.unhealthy, "Unhealthy", "Healthy"), "CreationType": "AutoCreated",
			"CreatedTime": i.created.UTC().Format(time.RFC3339), "CreationTime": i.created.UTC().Format(minutes),
			"PrivateIpAddress": fmt.Sprintf("10.0.%d.%d", n/250, n%250+1),
		})
	}
	return c.page("ScalingInstances", all, 100)
}

func (s *Server) describeActivities(c *call) object {
	ids, id := c.ids("ScalingActivityId"), c.form["ScalingGroupId"]
	standin.Require((id == "") != (len(ids) == 0),
		400, "MissingParameter.ScalingActivityId", "One of ScalingGroupId and ScalingActivityIds has to be specified.")
	if id != "" {
		s.find(c)
	}
	var all []any
	for _, group := range s.order {
		g := s.groups[group]
		g.advance(time.Now())
		for _, a := range slices.Backward(g.activities) {
			if group == id || slices.Contains(ids, a.id) {
				all = append(all, a.describe(group))
			}
		}
	}
	return c.page("ScalingActivities", all, 50)
}

func (a *activity) describe(group string) object {
	body := object{
		"ScalingActivityId": a.id, "ScalingGroupId": group, "StatusCode": a.status,
		"StartTime": a.start.UTC().Format(minutes), "TriggerSourceType": "Api",
		"Description": fmt.Sprintf("Change the number of instances by %q", strconv.Itoa(a.change)),
	}
	switch a.status {
	case "Failed":
		body["ErrorCode"] = a.code
		body["ErrorMessage"] = "The resource is out of stock in the specified zone. Please try other types, or choose other regions and zones."
	case "Warning":
		body["ErrorMessages"] = []any{object{"Code": a.code, "Message": "Some of the instances could not be created.", "Description": "Fail to create instances into scaling group."}}
	}
	body.AddIf(a.status != "InProgress", "EndTime", a.end.UTC().Format(minutes))
	return body
}

func (s *Server) describeAlarms(c *call) object {
	var all []any
	for n, a := range s.alarms {
		g, ok := s.groups[a.Group]
		asked := func(name, value string) bool { return c.form[name] == "" || c.form[name] == value }
		if ok && asked("RegionId", g.Region) && asked("IsEnable", strconv.FormatBool(!a.Disabled)) && asked("ScalingGroupId", a.Group) {
			all = append(all, object{
				"AlarmTaskId": fmt.Sprintf("%s_%d", a.Group, n), "Name": a.Name, "ScalingGroupId": a.Group, "Enable": !a.Disabled,
				"AlarmActions": a.Rules, "MetricName": "CpuUtilization", "MetricType": "system", "State": "OK",
			})
		}
	}
	return c.page("AlarmList", all, 50)
}

func (s *Server) listTags(c *call) object {
	key := c.form["Tags.1.Key"]
	given(c.form["ResourceType"] == "scalinggroup" && key != "", "ResourceType, Tags.1.Key")
	var all []any
	for _, id := range s.order {
		if v, ok := s.groups[id].Tags[key]; ok && s.groups[id].Region == c.form["RegionId"] {
			all = append(all, object{"ResourceId": id, "ResourceType": "ALIYUN::ESS::SCALINGGROUP", "TagKey": key, "TagValue": v, "Propagate": false})
		}
	}
	from, _ := strconv.Atoi(c.form["NextToken"])
	part, next := standin.Page(all, from, cmp.Or(s.TagsPerPage, 50))
	return object{"TagResources": part, "NextToken": standin.Either(next > 0, strconv.Itoa(next), "")}
}
