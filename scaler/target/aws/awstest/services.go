package awstest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Service is a service of ECS.
type Service struct {
	Cluster, Name string
	Desired       int
	Tags          map[string]string
	// Start is the time until a task is RUNNING.
	Start time.Duration
	// Room is how many tasks there is room for; 0: any.
	Room int
	// Strategy is REPLICA, or DAEMON; empty: REPLICA.
	Strategy string
	// Status is ACTIVE, DRAINING or INACTIVE; empty: ACTIVE.
	Status string
	// Rollout is how many tasks of an older revision run beside.
	Rollout int
	// Scalable says that it is registered with Application Auto Scaling,
	// Suspended that its scaling is suspended there.
	Scalable, Suspended bool
}

type service struct {
	Service
	tasks  []time.Time // when each was started
	shown  []shown
	events []event // the latest first
}

type event struct {
	at      time.Time
	message string
}

// AddService adds a service whose tasks all run, or replaces the one of its
// name. Its cluster is there with it.
func (s *Server) AddService(v Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := &service{Service: v, shown: []shown{{desired: v.Desired}}}
	it.settle(time.Now().Add(-v.Start))
	s.services[v.Cluster+"/"+v.Name] = it
}

// ChangeService changes a service as someone else would.
func (s *Server) ChangeService(cluster, name string, change func(*Service)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.services[cluster+"/"+name]
	change(&v.Service)
	v.show(s.Lag)
	v.settle(time.Now())
}

func (v *service) show(lag time.Duration) {
	if v.shown[len(v.shown)-1].desired != v.Desired {
		v.shown = append(v.shown, shown{v.Desired, time.Now().Add(lag)})
	}
}

func (v *service) settle(now time.Time) {
	n := v.Desired
	if v.Room > 0 && n > v.Room {
		n = v.Room
		if len(v.events) == 0 || now.Sub(v.events[0].at) > time.Second {
			v.events = append([]event{{now, fmt.Sprintf("(service %s) was unable to place a task because no container instance met all of its requirements.", v.Name)}}, v.events...)
		}
	}
	for len(v.tasks) < n {
		v.tasks = append(v.tasks, now)
	}
	v.tasks = v.tasks[:n]
}

func (s *Server) clusterARN(cluster string) string {
	return "arn:aws:ecs:" + s.Region + ":" + Account + ":cluster/" + cluster
}

func (s *Server) clusters() []string {
	seen := make(map[string]bool)
	for _, v := range s.services {
		seen[v.Cluster] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// ecs answers ECS. s.mu is held.
func (s *Server) ecs(c Call) (any, *apiError) {
	for _, v := range s.services {
		v.settle(time.Now())
	}
	limit := 10
	if n, ok := c.Body["maxResults"].(float64); ok {
		limit = int(n)
	}
	token, _ := c.Body["nextToken"].(string)
	if c.Action == "ListClusters" {
		var arns []string
		for _, name := range s.clusters() {
			arns = append(arns, s.clusterARN(name))
		}
		return s.list("clusterArns", limit, token, arns)
	}
	cluster, _ := c.Body["cluster"].(string)
	if cluster == "" {
		cluster = "default"
	}
	if !slices.Contains(s.clusters(), cluster) {
		return nil, refuse("ClusterNotFoundException", "Cluster not found.")
	}
	switch c.Action {
	case "ListServices":
		var arns []string
		for _, id := range slices.Sorted(maps.Keys(s.services)) {
			if v := s.services[id]; v.Cluster == cluster {
				arns = append(arns, s.serviceARN(v))
			}
		}
		return s.list("serviceArns", limit, token, arns)
	case "DescribeServices":
		return s.describeServices(c, cluster)
	case "UpdateService":
		return s.updateService(c, cluster)
	}
	return nil, refuse("UnknownOperationException", "%s", c.Action)
}

func (s *Server) list(name string, limit int, token string, all []string) (any, *apiError) {
	some, next, ok := page(limit, s.PageSize, token, all)
	if !ok {
		return nil, refuse("InvalidParameterException", "Invalid token.")
	}
	out := map[string]any{name: append([]string{}, some...)}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func (s *Server) serviceARN(v *service) string {
	return "arn:aws:ecs:" + s.Region + ":" + Account + ":service/" + v.Cluster + "/" + v.Name
}

func (s *Server) describeServices(c Call, cluster string) (any, *apiError) {
	names, _ := c.Body["services"].([]any)
	if len(names) == 0 || len(names) > 10 {
		return nil, refuse("InvalidParameterException", "services must have 1 to 10 members, and has %d", len(names))
	}
	include, _ := c.Body["include"].([]any)
	found, failures := []any{}, []any{}
	for _, n := range names {
		name, _ := n.(string)
		v, ok := s.services[cluster+"/"+name[strings.LastIndexByte(name, '/')+1:]]
		if !ok {
			failures = append(failures, map[string]any{"arn": "arn:aws:ecs:" + s.Region + ":" + Account + ":service/" + cluster + "/" + name, "reason": "MISSING"})
			continue
		}
		found = append(found, s.describeService(v, slices.Contains(include, any("TAGS"))))
	}
	return map[string]any{"services": found, "failures": failures}, nil
}

func (s *Server) describeService(v *service, tags bool) map[string]any {
	now := time.Now()
	running := 0
	for _, at := range v.tasks {
		if now.Sub(at) >= v.Start {
			running++
		}
	}
	desired := (&group{shown: v.shown}).shows()
	deployment := func(status string, desired, running, pending int) map[string]any {
		return map[string]any{
			"id": "ecs-svc/" + status, "status": status, "desiredCount": desired, "runningCount": running, "pendingCount": pending,
			"rolloutState": "IN_PROGRESS", "createdAt": seconds(now), "updatedAt": seconds(now),
		}
	}
	deployments := []any{deployment("PRIMARY", desired, running, len(v.tasks)-running)}
	if v.Rollout > 0 {
		deployments = append(deployments, deployment("ACTIVE", v.Rollout, v.Rollout, 0))
	}
	events := []any{}
	for i, e := range v.events {
		events = append(events, map[string]any{"id": strconv.Itoa(i), "createdAt": seconds(e.at), "message": e.message})
	}
	out := map[string]any{
		"serviceArn": s.serviceARN(v), "serviceName": v.Name, "clusterArn": s.clusterARN(v.Cluster), "status": or(v.Status, "ACTIVE"),
		"desiredCount": desired, "runningCount": running + v.Rollout, "pendingCount": len(v.tasks) - running,
		"schedulingStrategy": or(v.Strategy, "REPLICA"), "deployments": deployments, "events": events,
	}
	if tags {
		list := []any{}
		for _, k := range slices.Sorted(maps.Keys(v.Tags)) {
			list = append(list, map[string]any{"key": k, "value": v.Tags[k]})
		}
		out["tags"] = list
	}
	return out
}

// seconds is a time as JSON 1.1 has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (s *Server) updateService(c Call, cluster string) (any, *apiError) {
	name, _ := c.Body["service"].(string)
	v, ok := s.services[cluster+"/"+name]
	switch {
	case !ok:
		return nil, refuse("ServiceNotFoundException", "Service not found.")
	case or(v.Status, "ACTIVE") != "ACTIVE":
		return nil, refuse("ServiceNotActiveException", "Service was not ACTIVE.")
	}
	if n, ok := c.Body["desiredCount"].(float64); ok {
		switch {
		case v.Strategy == "DAEMON":
			return nil, refuse("InvalidParameterException", "The desiredCount is not supported when the schedulingStrategy is DAEMON.")
		case n < 0:
			return nil, refuse("InvalidParameterException", "desiredCount must not be negative.")
		}
		v.Desired = int(n)
		v.show(s.Lag)
		v.settle(time.Now())
	}
	out := s.describeService(v, false)
	out["desiredCount"] = v.Desired
	return map[string]any{"service": out}, nil
}

// scalable answers Application Auto Scaling. s.mu is held.
func (s *Server) scalable(c Call) (any, *apiError) {
	if c.Action != "DescribeScalableTargets" || c.Body["ServiceNamespace"] != "ecs" {
		return nil, refuse("ValidationException", "%s", c.Action)
	}
	found := []any{}
	ids, _ := c.Body["ResourceIds"].([]any)
	for _, id := range slices.Sorted(maps.Keys(s.services)) {
		v := s.services[id]
		if v.Scalable && slices.Contains(ids, any("service/"+id)) {
			found = append(found, map[string]any{
				"ServiceNamespace": "ecs", "ResourceId": "service/" + id, "ScalableDimension": "ecs:service:DesiredCount",
				"MinCapacity": 1, "MaxCapacity": 9, "CreationTime": seconds(time.Now()), "RoleARN": "arn:aws:iam::" + Account + ":role/autoscaling",
				"SuspendedState": map[string]any{
					"DynamicScalingInSuspended": v.Suspended, "DynamicScalingOutSuspended": v.Suspended, "ScheduledScalingSuspended": false,
				},
			})
		}
	}
	return map[string]any{"ScalableTargets": found}, nil
}
