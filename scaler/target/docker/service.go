package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
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
	return cmp.Or(target.Check(c.Name != "", "name", "must name a service, as `docker service ls` shows it"), c.HostConfig.Validate())
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
	_ target.Files  = (*ServiceConfig)(nil)
	_ target.Closer = (*service)(nil)
)

// Current implements target.Target. Ready counts the replicas with a task that
// runs and is to go on running; one on a node that is being drained is not, one
// on a paused node is. Of Failed see noRoom.
//
// The Engine's own count of running tasks includes those that are shutting down,
// for a day those of a node that was lost, and during an update both of a replica.
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
// by anyone, is a conflict; of KindQuota see checkRoom. An update that is paused
// because it failed is resumed, as it is by docker service scale: Swarm starts
// over with every change of a service.
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

// checkRoom returns an error of KindQuota where no node of the swarm takes new
// tasks, because each is drained, paused or down: more replicas would only
// wait, and another target may have room for them.
//
// It looks at all nodes: which of them constraints, platforms or reservations
// leave to a service Swarm alone knows, and its tasks wait as they do for docker
// service scale. Where nodes may not be listed nothing is checked.
func (s *service) checkRoom(ctx context.Context, op string) error {
	nodes, err := s.engine.api.NodeList(ctx, client.NodeListOptions{})
	switch {
	case errdefs.IsPermissionDenied(err) || errdefs.IsUnauthorized(err):
		level.Debug(s.logger).Log("msg", "nodes cannot be listed, not checking whether one takes tasks", "service", s.name, "err", err)
		return nil
	case err != nil:
		return s.engine.failure(ctx, op, err)
	case nodes.Items == nil:
		return s.engine.failure(ctx, op, noAnswer("a list of nodes"))
	}
	unfit := make(map[string]int)
	for _, n := range nodes.Items {
		switch {
		case n.Status.State != swarm.NodeStateReady:
			unfit["down"]++
		case n.Spec.Availability == swarm.NodeAvailabilityDrain:
			unfit["drained"]++
		case n.Spec.Availability == swarm.NodeAvailabilityPause:
			unfit["paused"]++
		default:
			return nil
		}
	}
	var counts []string
	for _, what := range []string{"drained", "paused", "down"} {
		if n := unfit[what]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, what))
		}
	}
	return target.Errorf(target.KindQuota, op,
		"no node of the swarm takes new tasks (%s): docker node update --availability active NODE lets one take them again", strings.Join(counts, ", "))
}

// placedWithin is how long Swarm may take to find nodes for a number before it
// counts that it finds none. It looks again whenever a node or a task changes.
const placedWithin = 5 * time.Second

// noRoom is of KindQuota where Swarm has tasks that it finds no node for, by its
// own word; nil where it has not, or may only not have tried yet. What it says
// is kept in the tasks' status, and only as a text.
func (s *service) noRoom(tasks []swarm.Task, replicas int) error {
	last := s.last.Load()
	if time.Since(last.at) < placedWithin || (last.to == replicas && last.to < last.from) {
		return nil
	}
	for _, t := range tasks {
		if t.Status.State == swarm.TaskStatePending && t.NodeID == "" && strings.Contains(t.Status.Err, "no suitable node") {
			return target.Errorf(target.KindQuota, "run the tasks of service "+s.name, "Swarm finds no node for them: %s", t.Status.Err)
		}
	}
	return nil
}

// updateReplicas gives the service's specification back to the Engine as it
// came, but for the number of replicas, and returns the Engine's warnings.
//
// What the client library would send is not that: it decodes the specification
// into its own types and so drops what they do not know, and it adds :latest to
// an image without a tag. Either is a change of the tasks, for which Swarm
// replaces every running replica.
func (e *engine) updateReplicas(ctx context.Context, svc replicated, desired int) (warnings []string, err error) {
	spec, err := withReplicas(svc.raw, desired)
	if err != nil {
		return nil, fmt.Errorf("change the specification of service %s: %w", svc.ID, err)
	}
	res, err := e.api.ServiceUpdate(context.WithValue(ctx, bodyKey{}, spec), svc.ID, client.ServiceUpdateOptions{Version: svc.Version})
	if err != nil && strings.Contains(err.Error(), "update out of sequence") {
		// The service has changed since the version that was to be updated. The
		// Engine passes this on from Swarm as an internal error of unknown cause;
		// the text is all there is to tell it by.
		return nil, &target.Error{Kind: target.KindConflict, Op: "update version " + svc.Version.String(), Err: err}
	}
	return res.Warnings, err
}

// withReplicas returns the specification within a service's description, every
// value as it was but Mode.Replicated.Replicas.
func withReplicas(service []byte, desired int) ([]byte, error) {
	description, err := share.Decode(service)
	if err != nil {
		return nil, err
	}
	within := func(v any, key string) any {
		object, _ := v.(map[string]any)
		return object[key]
	}
	spec := within(description, "Spec")
	replicated, ok := within(within(spec, "Mode"), "Replicated").(map[string]any)
	if !ok {
		return nil, errors.New("it has no Spec.Mode.Replicated")
	}
	replicated["Replicas"] = desired
	return json.Marshal(spec)
}
