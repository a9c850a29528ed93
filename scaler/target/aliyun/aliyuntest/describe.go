package aliyuntest

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// minutes is how precisely most times are told.
const minutes = "2006-01-02T15:04Z"

// region returns the region that a call is about.
func region(c *call) (string, *Error) {
	if c.form["RegionId"] == "" {
		return "", missing("RegionId")
	}
	return c.form["RegionId"], nil
}

func (s *Server) describeGroups(c *call) (map[string]any, *Error) {
	where, fault := region(c)
	if fault != nil {
		return nil, fault
	}
	ids := c.list("ScalingGroupIds")
	if fault := tooMany("ScalingGroupIds", ids); fault != nil {
		return nil, fault
	}
	var all []any
	for _, id := range s.order {
		g := s.groups[id]
		if g.Region == where && (len(ids) == 0 || slices.Contains(ids, id)) {
			g.advance(time.Now())
			all = append(all, g.show(time.Now()))
		}
	}
	part, body, fault := page(c, all, 50)
	if fault != nil {
		return nil, fault
	}
	body["ScalingGroups"] = part
	return body, nil
}

func (s *Server) describeInstances(c *call) (map[string]any, *Error) {
	if _, fault := region(c); fault != nil {
		return nil, fault
	}
	g, fault := s.find(c)
	if fault != nil {
		return nil, fault
	}
	now := time.Now()
	var all []any
	for n, i := range g.instances {
		health := "Healthy"
		if i.unhealthy {
			health = "Unhealthy"
		}
		all = append(all, map[string]any{
			"InstanceId": i.id, "ScalingInstanceId": "asi" + i.id[1:], "ScalingGroupId": g.ID, "ScalingActivityId": i.activity,
			"LifecycleState": i.at(now), "HealthStatus": health, "CreationType": "AutoCreated",
			"CreatedTime": i.created.UTC().Format(time.RFC3339), "CreationTime": i.created.UTC().Format(minutes),
			"PrivateIpAddress": fmt.Sprintf("10.0.%d.%d", n/250, n%250+1),
		})
	}
	part, body, fault := page(c, all, 100)
	if fault != nil {
		return nil, fault
	}
	body["ScalingInstances"] = part
	return body, nil
}

func (s *Server) describeActivities(c *call) (map[string]any, *Error) {
	if _, fault := region(c); fault != nil {
		return nil, fault
	}
	ids := c.list("ScalingActivityIds")
	if fault := tooMany("ScalingActivityIds", ids); fault != nil {
		return nil, fault
	}
	id := c.form["ScalingGroupId"]
	if (id == "") == (len(ids) == 0) {
		return nil, &Error{Status: 400, Code: "MissingParameter.ScalingActivityId", Message: "One of ScalingGroupId and ScalingActivityIds has to be specified."}
	}
	if id != "" {
		if _, fault := s.find(c); fault != nil {
			return nil, fault
		}
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
	part, body, fault := page(c, all, 50)
	if fault != nil {
		return nil, fault
	}
	body["ScalingActivities"] = part
	return body, nil
}

func (a *activity) describe(group string) map[string]any {
	body := map[string]any{
		"ScalingActivityId": a.id, "ScalingGroupId": group, "StatusCode": a.status,
		"StartTime": a.start.UTC().Format(minutes), "TriggerSourceType": "Api",
		"Description": fmt.Sprintf("Change the number of instances by %q", strconv.Itoa(a.change)),
	}
	switch a.status {
	case "Failed":
		body["ErrorCode"] = a.code
		body["ErrorMessage"] = "The resource is out of stock in the specified zone. Please try other types, or choose other regions and zones."
	case "Warning":
		body["ErrorMessages"] = []any{map[string]any{"Code": a.code, "Message": "Some of the instances could not be created.", "Description": "Fail to create instances into scaling group."}}
	}
	if a.status != "InProgress" {
		body["EndTime"] = a.end.UTC().Format(minutes)
	}
	return body
}

func (s *Server) describeAlarms(c *call) (map[string]any, *Error) {
	where, fault := region(c)
	if fault != nil {
		return nil, fault
	}
	var all []any
	for n, a := range s.alarms {
		g, ok := s.groups[a.Group]
		wanted := c.form["IsEnable"] == "" || c.form["IsEnable"] == strconv.FormatBool(!a.Disabled)
		if !ok || g.Region != where || !wanted || (c.form["ScalingGroupId"] != "" && c.form["ScalingGroupId"] != a.Group) {
			continue
		}
		all = append(all, map[string]any{
			"AlarmTaskId": fmt.Sprintf("%s_%d", a.Group, n), "Name": a.Name, "ScalingGroupId": a.Group, "Enable": !a.Disabled,
			"AlarmActions": a.Rules, "MetricName": "CpuUtilization", "MetricType": "system", "State": "OK",
		})
	}
	part, body, fault := page(c, all, 50)
	if fault != nil {
		return nil, fault
	}
	body["AlarmList"] = part
	return body, nil
}

func (s *Server) listTags(c *call) (map[string]any, *Error) {
	where, fault := region(c)
	if fault != nil {
		return nil, fault
	}
	key := c.form["Tags.1.Key"]
	if c.form["ResourceType"] != "scalinggroup" || key == "" {
		return nil, missing("ResourceType, Tags.1.Key")
	}
	var all []any
	for _, id := range s.order {
		if v, ok := s.groups[id].Tags[key]; ok && s.groups[id].Region == where {
			all = append(all, map[string]any{"ResourceId": id, "ResourceType": "ALIYUN::ESS::SCALINGGROUP", "TagKey": key, "TagValue": v, "Propagate": false})
		}
	}
	most := s.TagsPerPage
	if most == 0 {
		most = 50
	}
	from, _ := strconv.Atoi(c.form["NextToken"])
	to := min(len(all), from+most)
	body := map[string]any{"TagResources": all[from:to], "NextToken": ""}
	if to < len(all) {
		body["NextToken"] = strconv.Itoa(to)
	}
	return body, nil
}
