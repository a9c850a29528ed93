// Package aliyuntest is Alibaba Cloud's Auto Scaling (ESS, version 2022-02-22)
// and its Security Token Service as far as scaling groups are scaled: it speaks
// the published RPC API, verifies its signatures, and starts nothing.
//
// Time passes by itself: instances take as long to boot as their group says,
// and what reads show may lie behind.
package aliyuntest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
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
type Error struct {
	Status        int
	Code, Message string
	Header        map[string]string
}

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

	mu       sync.Mutex // guards what follows
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
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// SetAlarms replaces the event-triggered tasks.
func (s *Server) SetAlarms(alarms ...Alarm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alarms = alarms
}

// call is a request that was authenticated.
type call struct {
	action  string
	form    map[string]string
	account string // whose credentials they are
}

// list returns the values of name.1, name.2 and so on.
func (c *call) list(name string) []string {
	var out []string
	for i := 1; ; i++ {
		v, ok := c.form[name+"."+strconv.Itoa(i)]
		if !ok {
			return out
		}
		out = append(out, v)
	}
}

// count returns a number, or what it is by default.
func (c *call) count(name string, otherwise int) (int, *Error) {
	v, ok := c.form[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, &Error{Status: 400, Code: "InvalidParameter", Message: fmt.Sprintf("The specified value of parameter %s is not valid.", name)}
	}
	return n, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.last++
	id := fmt.Sprintf("473469C7-AA6F-4DC5-B3DB-%012d", s.last)
	s.mu.Unlock()
	body, fault := s.serve(r)
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("x-acs-request-id", id)
	if fault != nil {
		for k, v := range fault.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(fault.Status)
		body = map[string]any{
			"Code": fault.Code, "Message": fault.Message, "HostId": r.Host,
			"Recommend": "https://api.aliyun.com/troubleshoot?q=" + fault.Code,
		}
	}
	body["RequestId"] = id
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) serve(r *http.Request) (map[string]any, *Error) {
	c, user, fault := s.authenticate(r)
	if fault != nil {
		return nil, fault
	}
	s.mu.Lock()
	if s.calls == nil {
		s.calls = make(map[string]int)
	}
	s.calls[c.action]++
	s.mu.Unlock()
	if s.Fault != nil {
		if fault := s.Fault(c.action, c.form); fault != nil {
			return nil, fault
		}
	}
	actions := map[string]func(*call) (map[string]any, *Error){
		"DescribeScalingGroups":     s.describeGroups,
		"DescribeScalingInstances":  s.describeInstances,
		"DescribeScalingActivities": s.describeActivities,
		"DescribeAlarms":            s.describeAlarms,
		"ListTagResources":          s.listTags,
		"ModifyScalingGroup":        s.modify,
		"ScaleWithAdjustment":       s.adjust,
		"RemoveInstances":           s.remove,
	}
	product, version := "ess", versionESS
	if c.action == "AssumeRole" {
		product, version = "sts", versionSTS
		actions[c.action] = s.assumeRole
	}
	do, ok := actions[c.action]
	switch {
	case !ok:
		return nil, &Error{Status: 404, Code: "InvalidAction.NotFound", Message: "Specified api is not found, please check your url and method."}
	case r.Header.Get("x-acs-version") != version:
		return nil, &Error{Status: 400, Code: "InvalidVersion", Message: "Specified parameter Version is not valid."}
	case user.Actions != nil && !slices.Contains(user.Actions, product+":"+c.action):
		if product == "sts" {
			return nil, &Error{Status: 403, Code: "NoPermission", Message: "You are not authorized to do this action. You should be authorized by RAM."}
		}
		return nil, &Error{Status: 403, Code: "Forbidden.RAM", Message: "User not authorized to operate on the specified resource, or this API doesn't support RAM."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return do(c)
}

// page returns the part of all things that was asked for, and what an answer
// says of it.
func page[T any](c *call, all []T, most int) ([]T, map[string]any, *Error) {
	number, fault := c.count("PageNumber", 1)
	if fault != nil {
		return nil, nil, fault
	}
	size, fault := c.count("PageSize", 10)
	if fault != nil {
		return nil, nil, fault
	}
	if number < 1 || size < 1 || size > most {
		return nil, nil, &Error{Status: 400, Code: "InvalidParameter", Message: "The specified value of parameter PageSize or PageNumber is not valid."}
	}
	from := min(len(all), (number-1)*size)
	to := min(len(all), from+size)
	return all[from:to], map[string]any{"PageNumber": number, "PageSize": size, "TotalCount": len(all)}, nil
}

// find returns the group that a call is about. The caller holds s.mu.
func (s *Server) find(c *call) (*group, *Error) {
	g, ok := s.groups[c.form["ScalingGroupId"]]
	if !ok {
		return nil, &Error{Status: 404, Code: "InvalidScalingGroupId.NotFound", Message: "The specified scaling group does not exist."}
	}
	g.advance(time.Now())
	return g, nil
}

func missing(parameter string) *Error {
	return &Error{Status: 400, Code: "MissingParameter", Message: fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", parameter)}
}

// newID returns an ID that was not given before. The caller holds s.mu.
func (s *Server) newID(kind string) string {
	s.last++
	return fmt.Sprintf("%s-bp%016d", kind, s.last)
}

// tooMany refuses more IDs than one call may name.
func tooMany(name string, ids []string) *Error {
	if len(ids) > 20 {
		return &Error{Status: 400, Code: "InvalidParameter", Message: "The specified value of parameter " + strings.TrimSuffix(name, "s") + " is not valid: more than 20."}
	}
	return nil
}
