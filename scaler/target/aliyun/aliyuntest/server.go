// Package aliyuntest is Alibaba Cloud's Auto Scaling (ESS, version 2022-02-22)
// and its Security Token Service as far as scaling groups are scaled: it speaks
// the published RPC API, verifies its signatures, and starts nothing.
//
// Time passes by itself: instances take as long to boot as their group says,
// and what reads show may lie behind.
package aliyuntest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// The versions of the two APIs.
const (
	versionESS = "2022-02-22"
	versionSTS = "2015-04-01"
)

// User is who may sign requests.
type User struct {
	Secret string
	// Actions are what it may do, as a RAM policy has them: ess:ModifyScalingGroup,
	// sts:AssumeRole. Nil: everything.
	Actions []string
}

// Role is a RAM role.
type Role struct {
	// ExternalID has to be given by who assumes it; empty: none.
	ExternalID string
	// Actions are those of User.
	Actions []string
	// Session is how long a session lasts.
	Session time.Duration
}

// Error is an answer that is not a success, in the shape that the API documents.
type Error = standin.Refusal

type object = standin.Object

// Alarm is an event-triggered task.
type Alarm struct {
	Group, Name string
	Disabled    bool
	// Rules are the scaling rules that it executes; none: it only notifies.
	Rules []string
}

// Server is both services, an http.Handler. All methods are safe for concurrent
// use; the fields are not to be changed once it serves.
type Server struct {
	// Users by the IDs of their access keys.
	Users map[string]User
	// Roles by their ARNs.
	Roles map[string]Role
	// Fault is asked before every action that was authenticated; nil: go on.
	// The form has the parameters.
	Fault func(action string, form map[string]string) *Error
	// TagsPerPage bounds an answer of ListTagResources; 0 means 50.
	TagsPerPage int

	state    standin.State // guards what follows
	groups   map[string]*group
	order    []string
	alarms   []Alarm
	sessions map[string]session
	nonces   map[string]bool
	tokens   map[string]accepted
	calls    map[string]int
	last     int // of the IDs that were given
}

// accepted is a request that was accepted under a client token.
type accepted struct{ request, activity string }

// Calls returns how often each action was called.
func (s *Server) Calls() (calls map[string]int) {
	s.state.Do(func() { calls = maps.Clone(s.calls) })
	return calls
}

// SetAlarms replaces the event-triggered tasks.
func (s *Server) SetAlarms(alarms ...Alarm) { s.state.Do(func() { s.alarms = alarms }) }

// call is a request that was authenticated.
type call struct {
	action, version string
	form            map[string]string
	user            User // whose credentials they are
}

// ids returns the values of name.1, name.2 and so on; there may be 20.
func (c *call) ids(name string) (out []string) {
	for i := 1; ; i++ {
		v, ok := c.form[name+"s."+strconv.Itoa(i)]
		if !ok {
			break
		}
		out = append(out, v)
	}
	standin.Require(len(out) <= 20, 400, "InvalidParameter", "The specified value of parameter %s is not valid: more than 20.", name)
	return out
}

// count returns a number, or what it is by default.
func (c *call) count(name string, otherwise int) int {
	v, ok := c.form[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	standin.Require(err == nil, 400, "InvalidParameter", "The specified value of parameter %s is not valid.", name)
	return n
}

// page answers with the part of a list that is asked for, under its name.
func (c *call) page(name string, all []any, most int) object {
	number, size := c.count("PageNumber", 1), c.count("PageSize", 10)
	standin.Require(number >= 1 && size >= 1 && size <= most,
		400, "InvalidParameter", "The specified value of parameter PageSize or PageNumber is not valid.")
	part, _ := standin.Page(all, (number-1)*size, size)
	return object{name: part, "PageNumber": number, "PageSize": size, "TotalCount": len(all)}
}

// given refuses a call without a parameter.
func given(ok bool, parameter string) {
	standin.Require(ok, 400, "MissingParameter", "The input parameter %q that is mandatory for processing this request is not supplied.", parameter)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var id string
	var c *call
	var body object
	standin.Buffer(r)
	fault := s.state.Try(func() {
		s.last++
		id = fmt.Sprintf("473469C7-AA6F-4DC5-B3DB-%012d", s.last)
		c = s.authenticate(r)
		s.calls = standin.Put(s.calls, c.action, s.calls[c.action]+1)
	})
	if fault == nil && s.Fault != nil {
		fault = s.Fault(c.action, c.form)
	}
	if fault == nil {
		fault = s.state.Try(func() { body = s.do(c) })
	}
	status := http.StatusOK
	w.Header().Set("x-acs-request-id", id)
	if fault != nil {
		standin.SetHeader(w, fault.Header)
		status, body = fault.Status, object{
			"Code": fault.Code, "Message": fault.Message, "HostId": r.Host,
			"Recommend": "https://api.aliyun.com/troubleshoot?q=" + fault.Code,
		}
	}
	body["RequestId"] = id
	standin.JSON(w, status, "application/json;charset=utf-8", body)
}

// do carries a call out.
func (s *Server) do(c *call) object {
	product, version, denied := "ess", versionESS, "Forbidden.RAM"
	message := "User not authorized to operate on the specified resource, or this API doesn't support RAM."
	do, ok := map[string]func(*call) object{
		"DescribeScalingGroups":     s.describeGroups,
		"DescribeScalingInstances":  s.describeInstances,
		"DescribeScalingActivities": s.describeActivities,
		"DescribeAlarms":            s.describeAlarms,
		"ListTagResources":          s.listTags,
		"ModifyScalingGroup":        s.modify,
		"ScaleWithAdjustment":       func(c *call) object { return s.once(c, s.adjust) },
		"RemoveInstances":           func(c *call) object { return s.once(c, s.remove) },
		"AssumeRole":                s.assumeRole,
	}[c.action]
	if c.action == "AssumeRole" {
		product, version, denied, message = "sts", versionSTS, noPermission, noPermissionMessage
	}
	standin.Require(ok, 404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	standin.Require(c.version == version, 400, "InvalidVersion", "Specified parameter Version is not valid.")
	standin.Require(c.user.Actions == nil || slices.Contains(c.user.Actions, product+":"+c.action), 403, denied, "%s", message)
	reads := strings.HasPrefix(c.action, "Describe") || strings.HasPrefix(c.action, "List")
	given(!reads || c.form["RegionId"] != "", "RegionId")
	return do(c)
}

// find returns the group that a call is about.
func (s *Server) find(c *call) *group {
	g, ok := s.groups[c.form["ScalingGroupId"]]
	standin.Require(ok, 404, "InvalidScalingGroupId.NotFound", "The specified scaling group does not exist.")
	g.advance(time.Now())
	return g
}

// newID returns an ID that was not given before.
func (s *Server) newID(kind string) string {
	s.last++
	return fmt.Sprintf("%s-bp%016d", kind, s.last)
}
