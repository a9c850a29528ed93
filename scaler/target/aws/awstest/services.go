package awstest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
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

type object = standin.Object

type service struct {
	Service
	tasks  []time.Time // when each was started
	shown  standin.History[int]
	events []event // the latest first
}

type event struct {
	at      time.Time
	message string
}

// AddService adds a service whose tasks all run, or replaces the one of its
// name. Its cluster is there with it.
func (s *Server) AddService(v Service) {
	s.state.Do(func() {
		it := &service{Service: v}
		it.shown.Set(v.Desired, time.Time{})
		it.settle(time.Now().Add(-v.Start))
		s.services[v.Cluster+"/"+v.Name] = it
	})
}

// ChangeService changes a service as someone else would.
func (s *Server) ChangeService(cluster, name string, change func(*Service)) {
	s.state.Do(func() {
		v := s.services[cluster+"/"+name]
		change(&v.Service)
		s.show(&v.shown, v.Desired)
		v.settle(time.Now())
	})
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

// arn is that of something in ECS.
func (s *Server) arn(what string) string {
	return "arn:aws:ecs:" + s.Region + ":" + Account + ":" + what
}

// ecs answers ECS.
func (s *Server) ecs(c Call) any {
	cluster, _ := c.Body["cluster"].(string)
	cluster = cmp.Or(cluster, "default")
	var clusters, services []string
	for id, v := range standin.Sorted(s.services) {
		v.settle(time.Now())
		clusters = append(clusters, s.arn("cluster/"+v.Cluster))
		if v.Cluster == cluster {
			services = append(services, s.arn("service/"+id))
		}
	}
	if c.Action == "ListClusters" {
		slices.Sort(clusters)
		return s.list(c, "clusterArns", slices.Compact(clusters))
	}
	require(services != nil, "ClusterNotFoundException", "Cluster not found.")
	switch c.Action {
	case "ListServices":
		return s.list(c, "serviceArns", services)
	case "DescribeServices":
		return s.describeServices(c, cluster)
	case "UpdateService":
		return s.updateService(c, cluster)
	}
	require(false, "UnknownOperationException", "%s", c.Action)
	return nil
}

func (s *Server) list(c Call, name string, all []string) any {
	limit := 10
	if n, ok := c.Body["maxResults"].(float64); ok {
		limit = int(n)
	}
	some, next := page(s, c, limit, all)
	out := object{name: append([]string{}, some...)}
	out.AddIf(next != "", "nextToken", next)
	return out
}

func (s *Server) describeServices(c Call, cluster string) any {
	names, _ := c.Body["services"].([]any)
	require(len(names) > 0 && len(names) <= 10, "InvalidParameterException", "services must have 1 to 10 members, and has %d", len(names))
	include, _ := c.Body["include"].([]any)
	found, failures := []any{}, []any{}
	for _, n := range names {
		name, _ := n.(string)
		v, ok := s.services[cluster+"/"+name[strings.LastIndexByte(name, '/')+1:]]
		if !ok {
			failures = append(failures, object{"arn": s.arn("service/" + cluster + "/" + name), "reason": "MISSING"})
			continue
		}
		found = append(found, s.describeService(v, slices.Contains(include, any("TAGS"))))
	}
	return object{"services": found, "failures": failures}
}

func (s *Server) describeService(v *service, tags bool) object {
	now := time.Now()
	running := 0
	for _, at := range v.tasks {
		if now.Sub(at) >= v.Start {
			running++
		}
	}
	desired := v.shown.At(now)
	deployment := func(status string, desired, running, pending int) object {
		return object{
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
		events = append(events, object{"id": strconv.Itoa(i), "createdAt": seconds(e.at), "message": e.message})
	}
	out := object{
		"serviceArn": s.arn("service/" + v.Cluster + "/" + v.Name), "serviceName": v.Name, "clusterArn": s.arn("cluster/" + v.Cluster), "status": cmp.Or(v.Status, "ACTIVE"),
		"desiredCount": desired, "runningCount": running + v.Rollout, "pendingCount": len(v.tasks) - running,
		"schedulingStrategy": cmp.Or(v.Strategy, "REPLICA"), "deployments": deployments, "events": events,
	}
	if tags {
		list := []any{}
		for k, tag := range standin.Sorted(v.Tags) {
			list = append(list, object{"key": k, "value": tag})
		}
		out["tags"] = list
	}
	return out
}

// seconds is a time as JSON 1.1 has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Server) updateService(c Call, cluster string) any {
	name, _ := c.Body["service"].(string)
	v, ok := s.services[cluster+"/"+name]
	require(ok, "ServiceNotFoundException", "Service not found.")
	require(cmp.Or(v.Status, "ACTIVE") == "ACTIVE", "ServiceNotActiveException", "Service was not ACTIVE.")
	if n, ok := c.Body["desiredCount"].(float64); ok {
		require(v.Strategy != "DAEMON",
			"InvalidParameterException", "The desiredCount is not supported when the schedulingStrategy is DAEMON.")
		require(n >= 0, "InvalidParameterException", "desiredCount must not be negative.")
		v.Desired = int(n)
		s.show(&v.shown, v.Desired)
		v.settle(time.Now())
	}
	out := s.describeService(v, false)
	out["desiredCount"] = v.Desired
	return object{"service": out}
}

// scalable answers Application Auto Scaling.
func (s *Server) scalable(c Call) any {
	require(c.Action == "DescribeScalableTargets" && c.Body["ServiceNamespace"] == "ecs", "ValidationException", "%s", c.Action)
	found := []any{}
	ids, _ := c.Body["ResourceIds"].([]any)
	for id, v := range standin.Sorted(s.services) {
		if v.Scalable && slices.Contains(ids, any("service/"+id)) {
			found = append(found, object{
				"ServiceNamespace": "ecs", "ResourceId": "service/" + id, "ScalableDimension": "ecs:service:DesiredCount",
				"MinCapacity": 1, "MaxCapacity": 9, "CreationTime": seconds(time.Now()), "RoleARN": "arn:aws:iam::" + Account + ":role/autoscaling",
				"SuspendedState": object{
					"DynamicScalingInSuspended": v.Suspended, "DynamicScalingOutSuspended": v.Suspended, "ScheduledScalingSuspended": false,
				},
			})
		}
	}
	return object{"ScalableTargets": found}
}
