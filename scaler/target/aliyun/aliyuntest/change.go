package aliyuntest

import (
	"fmt"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// ready returns the group that a call is to change, where it may be.
func (s *Server) ready(c *call, oneAtATime bool) *group {
	given(c.form["ScalingGroupId"] != "", "ScalingGroupId")
	g := s.find(c)
	standin.Require(g.State == "Active" || (!oneAtATime && g.State != "Deleting"),
		400, "IncorrectScalingGroupStatus", "The current status of the specified scaling group does not support this action.")
	standin.Require(!oneAtATime || !g.busy(), 400, "ScalingActivityInProgress",
		"You cannot delete a scaling group or launch a new scaling activity while there is a scaling activity in progress for the specified scaling group.")
	return g
}

// modify answers ModifyScalingGroup, as far as the expected number goes.
func (s *Server) modify(c *call) object {
	g := s.ready(c, false)
	n := c.count("DesiredCapacity", g.expected)
	standin.Require(n <= g.Max, 400, "IncorrectCapacity.MaxSize", "The specified DesiredCapacity is greater than the MaxSize.")
	standin.Require(n >= g.Min, 400, "IncorrectCapacity.MinSize", "The specified DesiredCapacity is less than the MinSize.")
	g.show(time.Now())
	g.Expected, g.expected = true, n
	if change := n - g.here(); change != 0 && g.State == "Active" {
		g.start(time.Now(), change, nil)
	}
	return object{}
}

// once carries a call out, or says what its client token was accepted for.
func (s *Server) once(c *call, do func(*call) *activity) object {
	token, request := c.form["ClientToken"], c.action+fmt.Sprint(c.form)
	standin.Require(len(token) <= 64, 400, "InvalidParameter.ClientToken", "The specified value of parameter ClientToken is not valid.")
	was, ok := s.tokens[token]
	if !ok || token == "" {
		was = accepted{request, do(c).id}
		s.tokens = standin.Put(s.tokens, token, was)
	}
	standin.Require(was.request == request, 400, "IdempotenceParamNotMatch",
		"Request uses a client token in a previous request but is not identical to that request.")
	return object{"ScalingActivityId": was.activity}
}

// adjust carries ScaleWithAdjustment out. What is beyond the group's bounds is
// brought to them, and nothing is said of it.
func (s *Server) adjust(c *call) *activity {
	n := c.count("AdjustmentValue", -1)
	standin.Require(c.form["AdjustmentType"] == "TotalCapacity" && n >= 0 && n <= 2000,
		400, "InvalidParameter", "The specified value of parameter AdjustmentType or AdjustmentValue is not valid.")
	g := s.ready(c, true)
	n = min(max(n, g.Min), g.Max)
	g.show(time.Now())
	if g.Expected {
		g.expected = n
	}
	return g.start(time.Now(), n-g.here(), nil)
}

// remove carries RemoveInstances out.
func (s *Server) remove(c *call) *activity {
	ids := c.ids("InstanceId")
	given(len(ids) > 0, "InstanceIds")
	g := s.ready(c, true)
	for _, id := range ids {
		standin.Require(slices.ContainsFunc(g.staying(), func(i *instance) bool { return i.id == id }),
			404, "InvalidInstanceId.NotFound", "Instance %q does not exist.", id)
	}
	standin.Require(g.here()-len(ids) >= g.Min,
		400, "IncorrectCapacity.MinSize", "To remove the instances, the total capacity will be lesser than the MinSize.")
	g.show(time.Now())
	if c.form["DecreaseDesiredCapacity"] != "false" {
		g.expected -= len(ids)
	}
	return g.start(time.Now(), -len(ids), ids)
}
