package aliyuntest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// ready returns the group that a call is to change, where it may be.
func (s *Server) ready(c *call, oneAtATime bool) (*group, *Error) {
	if c.form["ScalingGroupId"] == "" {
		return nil, missing("ScalingGroupId")
	}
	g, fault := s.find(c)
	switch {
	case fault != nil:
		return nil, fault
	case oneAtATime && g.State != "Active", g.State == "Deleting":
		return nil, &Error{Status: 400, Code: "IncorrectScalingGroupStatus", Message: "The current status of the specified scaling group does not support this action."}
	case oneAtATime && g.busy():
		return nil, &Error{Status: 400, Code: "ScalingActivityInProgress", Message: "You cannot delete a scaling group or launch a new scaling activity while there is a scaling activity in progress for the specified scaling group."}
	}
	return g, nil
}

// modify answers ModifyScalingGroup, as far as the expected number goes.
func (s *Server) modify(c *call) (map[string]any, *Error) {
	g, fault := s.ready(c, false)
	if fault != nil {
		return nil, fault
	}
	n, fault := c.count("DesiredCapacity", g.expected)
	switch {
	case fault != nil:
		return nil, fault
	case n > g.Max:
		return nil, &Error{Status: 400, Code: "IncorrectCapacity.MaxSize", Message: "The specified DesiredCapacity is greater than the MaxSize."}
	case n < g.Min:
		return nil, &Error{Status: 400, Code: "IncorrectCapacity.MinSize", Message: "The specified DesiredCapacity is less than the MinSize."}
	}
	g.show(time.Now())
	g.Expected, g.expected = true, n
	if change := n - g.here(); change != 0 && g.State == "Active" {
		g.start(time.Now(), change, nil)
	}
	return map[string]any{}, nil
}

// again returns what a client token has been accepted for already.
func (s *Server) again(c *call) (map[string]any, *Error) {
	token := c.form["ClientToken"]
	was, ok := s.tokens[token]
	switch {
	case len(token) > 64:
		return nil, &Error{Status: 400, Code: "InvalidParameter.ClientToken", Message: "The specified value of parameter ClientToken is not valid."}
	case token == "" || !ok:
		return nil, nil
	case was.request != requestOf(c):
		return nil, &Error{Status: 400, Code: "IdempotenceParamNotMatch", Message: "Request uses a client token in a previous request but is not identical to that request."}
	}
	return map[string]any{"ScalingActivityId": was.activity}, nil
}

func requestOf(c *call) string {
	form := maps.Clone(c.form)
	return c.action + fmt.Sprint(form)
}

// keep remembers what was accepted under a client token.
func (s *Server) keep(c *call, activity string) map[string]any {
	if s.tokens == nil {
		s.tokens = make(map[string]accepted)
	}
	if token := c.form["ClientToken"]; token != "" {
		s.tokens[token] = accepted{requestOf(c), activity}
	}
	return map[string]any{"ScalingActivityId": activity}
}

// adjust answers ScaleWithAdjustment. What is beyond the group's bounds is
// brought to them, and nothing is said of it.
func (s *Server) adjust(c *call) (map[string]any, *Error) {
	if body, fault := s.again(c); body != nil || fault != nil {
		return body, fault
	}
	n, fault := c.count("AdjustmentValue", -1)
	if fault != nil {
		return nil, fault
	}
	if c.form["AdjustmentType"] != "TotalCapacity" || n < 0 || n > 2000 {
		return nil, &Error{Status: 400, Code: "InvalidParameter", Message: "The specified value of parameter AdjustmentType or AdjustmentValue is not valid."}
	}
	g, fault := s.ready(c, true)
	if fault != nil {
		return nil, fault
	}
	n = min(max(n, g.Min), g.Max)
	g.show(time.Now())
	if g.Expected {
		g.expected = n
	}
	return s.keep(c, g.start(time.Now(), n-g.here(), nil).id), nil
}

// remove answers RemoveInstances.
func (s *Server) remove(c *call) (map[string]any, *Error) {
	if body, fault := s.again(c); body != nil || fault != nil {
		return body, fault
	}
	ids := c.list("InstanceIds")
	if len(ids) == 0 {
		return nil, missing("InstanceIds")
	}
	if fault := tooMany("InstanceIds", ids); fault != nil {
		return nil, fault
	}
	g, fault := s.ready(c, true)
	if fault != nil {
		return nil, fault
	}
	for _, id := range ids {
		if !slices.ContainsFunc(g.instances, func(i *instance) bool { return i.id == id && i.gone.IsZero() }) {
			return nil, &Error{Status: 404, Code: "InvalidInstanceId.NotFound", Message: fmt.Sprintf("Instance %q does not exist.", id)}
		}
	}
	if g.here()-len(ids) < g.Min {
		return nil, &Error{Status: 400, Code: "IncorrectCapacity.MinSize", Message: "To remove the instances, the total capacity will be lesser than the MinSize."}
	}
	g.show(time.Now())
	if c.form["DecreaseDesiredCapacity"] != "false" {
		g.expected -= len(ids)
	}
	return s.keep(c, g.start(time.Now(), -len(ids), ids).id), nil
}
