package docker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// ServiceConfig is the configuration of a replicated service of a swarm, under
// the key docker_service. The Engine must be a manager of the swarm.
type ServiceConfig struct {
	// Name of the service, or its whole ID.
	Name       string `yaml:"name"`
	HostConfig `yaml:",inline"`

	clients *Clients
}

// NewServiceConfig returns a docker_service configuration.
func (c *Clients) NewServiceConfig() target.Config { return &ServiceConfig{clients: c} }

// Platform implements target.Config.
func (*ServiceConfig) Platform() string { return "docker_service" }

// Identity implements target.Config.
func (c *ServiceConfig) Identity() string {
	return fmt.Sprintf("docker_service %s %s", c.host(), c.Name)
}

// Validate implements target.Config. It does not ask the Engine.
func (c *ServiceConfig) Validate() error {
	if c.Name == "" {
		return &target.FieldError{Field: "name", Msg: "must name a service, as `docker service ls` shows it"}
	}
	return c.HostConfig.Validate()
}

// New implements target.Config.
func (c *ServiceConfig) New(o target.Options) (target.Target, error) {
	e, release, err := c.clients.lend(&c.HostConfig, o.HTTPClient)
	if err != nil {
		return nil, err
	}
	s := &service{OnClose: release, name: c.Name, engine: e, logger: o.Log()}
	s.last.Store(&request{at: time.Now()})
	return s, nil
}

// service is a target.Target.
type service struct {
	share.OnClose
	name   string
	engine *engine
	logger log.Logger
	last   atomic.Pointer[request]
}

// request is the last one that Swarm took from this target; without a number
// there was none since the moment given.
type request struct {
	from, to int
	at       time.Time
}

var (
	_ target.Config = (*ServiceConfig)(nil)
	_ target.Files  = (*ServiceConfig)(nil)
	_ target.Target = (*service)(nil)
	_ target.Closer = (*service)(nil)
)

// Current implements target.Target. Ready counts the replicas with a task that
// runs and is to go on running. A task on a node that is being drained is not:
// it serves until it has stopped, and will not stay. One on a paused node is.
//
// Failed says that Swarm finds no node for tasks; see noRoom.
//
// The Engine's own count of running tasks would not do: it includes tasks that
// are shutting down, and for a day those of a node that was lost; and while an
// update replaces tasks one at a time, both tasks of a replica.
func (s *service) Current(ctx context.Context) (target.State, error) {
	ctx, op := share.Note(ctx), "read service "+s.name
	svc, err := s.inspect(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	tasks, err := s.engine.api.TaskList(ctx, client.TaskListOptions{
		Filters: make(client.Filters).Add("service", svc.ID).Add("desired-state", string(swarm.TaskStateRunning)),
	})
	if err == nil && tasks.Items == nil {
		err = noAnswer("a list of tasks")
	}
	if err != nil {
		return target.State{}, s.engine.failure(ctx, op, err)
	}
	running := make(map[int]struct{}, len(tasks.Items))
	for _, t := range tasks.Items {
		if t.Status.State == swarm.TaskStateRunning && t.DesiredState == swarm.TaskStateRunning {
			running[t.Slot] = struct{}{}
		}
	}
	st := target.State{
		Requested: svc.replicas,
		Ready:     len(running),
		// Any change of the service moves it, so this is when the count
		// changed or later.
		LastChange: svc.UpdatedAt,
	}
	if st.Ready < st.Requested {
		st.Failed = s.noRoom(tasks.Items, svc.replicas)
	}
	return st, nil
}

// Scale implements target.Target. A change of the service since it was read,
// by anyone, is a conflict. More replicas than there are is KindQuota while no
// node of the swarm takes new tasks; see checkRoom.
//
// A service in the middle of an update can be scaled like any other. An update
// that is paused because it failed is resumed by that, as it is by docker
// service scale: Swarm starts over with every change of a service.
func (s *service) Scale(ctx context.Context, desired int) error {
	ctx, op := share.Note(ctx), fmt.Sprintf("scale service %s to %d", s.name, desired)
	if desired < 0 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	svc, err := s.inspect(ctx, op)
	if err != nil {
		return err
	}
	if svc.replicas == desired {
		return target.Errorf(target.KindNoOp, op, "it has %d replicas already", desired)
	}
	if desired > svc.replicas {
		if err := s.checkRoom(ctx, op); err != nil {
			return err
		}
	}
	if svc.UpdateStatus != nil && svc.UpdateStatus.State == swarm.UpdateStatePaused {
		level.Warn(s.logger).Log("msg", "scaling resumes the service's paused update", "service", s.name, "update", svc.UpdateStatus.Message)
	}
	warnings, err := s.engine.updateReplicas(ctx, svc, desired)
	if err != nil {
		return s.engine.failure(ctx, op, err)
	}
	s.last.Store(&request{svc.replicas, desired, time.Now()})
	for _, w := range warnings {
		level.Warn(s.logger).Log("msg", "the engine warns about the service", "service", s.name, "warning", w)
	}
	return nil
}

// replicated is a service that can be scaled, as the Engine describes it.
type replicated struct {
	swarm.Service
	replicas int
	raw      []byte // the whole description
}

// inspect reads the service and makes sure that it can be scaled.
func (s *service) inspect(ctx context.Context, op string) (replicated, error) {
	if err := s.engine.negotiate(ctx); err != nil {
		return replicated{}, s.engine.failure(ctx, op, err)
	}
	res, err := s.engine.api.ServiceInspect(ctx, s.name, client.ServiceInspectOptions{})
	if err != nil {
		return replicated{}, s.engine.failure(ctx, op, err)
	}
	svc := res.Service
	if svc.ID == "" || svc.Spec.Name == "" {
		return replicated{}, s.engine.failure(ctx, op, noAnswer("the description of a service"))
	}
	// The Engine also takes the beginning of an ID, which a name may happen
	// to be.
	if svc.Spec.Name != s.name && svc.ID != s.name {
		return replicated{}, target.Errorf(target.KindNotFound, op, "there is none of that name (the ID of service %s begins with it)", svc.Spec.Name)
	}
	mode := svc.Spec.Mode
	if mode.Replicated == nil {
		return replicated{}, target.Errorf(target.KindPermanent, op, "it is a %s service, and only replicated ones have a number of replicas to set", modeName(mode))
	}
	n := mode.Replicated.Replicas
	if n == nil {
		return replicated{}, s.engine.failure(ctx, op, noAnswer("the description of a service with its number of replicas"))
	}
	return replicated{Service: svc, replicas: int(*n), raw: res.Raw}, nil
}

func modeName(m swarm.ServiceMode) string {
	switch {
	case m.Global != nil:
		return "global"
	case m.ReplicatedJob != nil:
		return "replicated-job"
	case m.GlobalJob != nil:
		return "global-job"
	default:
		return "different kind of"
	}
}
