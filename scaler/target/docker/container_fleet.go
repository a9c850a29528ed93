package docker

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// The labels of a copy.
const (
	labelPrefix   = "alertscaler."
	labelManaged  = labelPrefix + "managed"  // "true"
	labelTemplate = labelPrefix + "template" // the template's name; copies within a compose service have none
	labelReplica  = labelPrefix + "replica"  // 2, 3, ...; the template is the first

	// labelScaleTarget names the scale_target by which the shipped rules count
	// a container.
	labelScaleTarget = labelPrefix + "scale_target"
)

// The labels by which Compose knows its containers.
const (
	composePrefix  = "com.docker.compose."
	composeProject = composePrefix + "project"
	composeService = composePrefix + "service"
	composeNumber  = composePrefix + "container-number"
	composeOneOff  = composePrefix + "oneoff"  // "True" on those of docker compose run
	composeReplace = composePrefix + "replace" // the ID of the container that this one takes the place of
)

// swarmService is Swarm's own label on the containers of tasks.
const swarmService = "com.docker.swarm.service.name"

// creationGrace is how old a container that was never started must be to be
// taken for one whose maker is gone.
const creationGrace = time.Minute

// fleet is what the Engine has of a target, at one moment.
type fleet struct {
	// template is the container that copies are made after: the one that is
	// configured, or one of the compose service. Of the latter no more than
	// its ID is known before inspectTemplate.
	template container.InspectResponse
	wanted   []replica // those that count, in the order they are to go
	stopped  []replica // that can be started again, in the order they are to be
	// leftovers are those that nobody wants any more.
	leftovers []replica
	indices   map[int]bool // that are taken
}

// replica is one container. Its ID as a target.Replica is its container's; its
// aliases are what cAdvisor's id label is, with either cgroup driver, and its
// addresses in all of its networks, where it has any of its own.
type replica struct {
	target.Replica
	class   class
	index   int
	created int64
	// keep is set on one that is stopped and not removed when it goes.
	keep bool
}

func newReplica(id, name string, mode container.NetworkMode, networks map[string]*network.EndpointSettings, ready bool) replica {
	r := replica{Replica: target.Replica{ID: id, Name: name, Ready: ready}}
	r.Aliases = []string{id, id[:min(len(id), 12)], "/docker/" + id, "/system.slice/docker-" + id + ".scope"}
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		s := networks[name]
		if s == nil {
			continue
		}
		for _, a := range []netip.Addr{s.IPAddress, s.GlobalIPv6Address} {
			if !a.IsValid() {
				continue
			}
			r.Aliases = append(r.Aliases, a.String())
			if r.Address == "" && isPrimary(mode, name, s) {
				r.Address = a.String()
			}
		}
	}
	return r
}

// class is what there is to do about a container. Those of the first classes
// are the best ones to make others after.
type class int

const (
	isRunning  class = iota // counts as requested
	isRestless              // counts as well, but is about to run again, or paused
	isStopped               // has ended, and the Engine leaves it at that
	isPassing               // comes or goes already
	isLeftover              // was on its way out when whoever removed it ended
)

// templateName is the name without the slash that the Engine puts before it.
func (f *fleet) templateName() string { return strings.TrimPrefix(f.template.Name, "/") }

// read asks the Engine for all of it: the containers, and which of those are
// healthy.
func (c *containers) read(ctx context.Context, op string) (*fleet, error) {
	ctx = share.Note(ctx)
	if err := c.engine.negotiate(ctx); err != nil {
		return nil, c.engine.failure(ctx, op, err)
	}
	f := &fleet{indices: make(map[int]bool)}
	if c.cfg.Compose != nil {
		return f, c.readService(ctx, op, f)
	}
	return f, c.readCopies(ctx, op, f)
}

// readCopies reads the template and its copies.
func (c *containers) readCopies(ctx context.Context, op string, f *fleet) (err error) {
	if f.template, err = c.engine.inspect(ctx, c.cfg.Template); err != nil {
		return c.engine.failure(ctx, op, err)
	}
	if err := checkTemplate(op, &f.template); err != nil {
		return err
	}
	own := make(client.Filters).Add("label", labelManaged+"=true", labelTemplate+"="+f.templateName())
	if _, err := c.list(ctx, op, f, own, labelReplica); err != nil {
		return err
	}
	// Of what can be started again there is only the template.
	f.leftovers, f.stopped = append(f.leftovers, f.stopped...), nil
	t, state := &f.template, f.template.State
	ready := !state.Paused && !state.Restarting &&
		(state.Health == nil || state.Health.Status == container.Healthy || state.Health.Status == container.NoHealthcheck)
	r := newReplica(t.ID, f.templateName(), t.HostConfig.NetworkMode, t.NetworkSettings.Networks, ready)
	r.index, r.keep = 1, true
	switch {
	case c.isLeaving(r.ID):
		// It cannot be started while it still stops; a copy serves as well.
	case state.Running:
		f.wanted = append(f.wanted, r) // the last of those that go
	default:
		f.stopped = append(f.stopped, r)
	}
	return nil
}

// readService reads the containers of the compose service.
func (c *containers) readService(ctx context.Context, op string, f *fleet) error {
	service := make(client.Filters).Add("label", composeProject+"="+c.cfg.Compose.Project, composeService+"="+c.cfg.Compose.Service)
	all, err := c.list(ctx, op, f, service, composeNumber)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return target.Errorf(target.KindNotFound, op, "there is no container of it, running or stopped, to make others after; docker compose create makes one")
	}
	f.template.ID = all[0].ID
	return nil
}

// inspectTemplate reads the container that copies are made after, where that
// has not been done.
func (c *containers) inspectTemplate(ctx context.Context, op string, f *fleet) error {
	if f.template.Config != nil {
		return nil
	}
	t, err := c.engine.inspect(ctx, f.template.ID)
	if errdefs.IsNotFound(err) {
		// It was there a moment ago, and the service still may be.
		return &target.Error{Kind: target.KindConflict, Op: op, Err: err}
	}
	f.template = t
	return c.engine.failure(ctx, op, err)
}

// list reads the containers that the filters let through into the fleet, and
// returns all of them, the best one to make others after first. Their indices
// are in the given label.
func (c *containers) list(ctx context.Context, op string, f *fleet, own client.Filters, indexLabel string) ([]replica, error) {
	all, err := c.engine.containers(ctx, op, client.ContainerListOptions{All: true, Filters: own})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	healthy, err := c.engine.containers(ctx, op, client.ContainerListOptions{Filters: own.Clone().
		Add("status", string(container.StateRunning)).
		Add("health", string(container.Healthy), string(container.NoHealthcheck))})
	if err != nil {
		return nil, err
	}
	replicas := make([]replica, 0, len(all))
	for _, s := range all {
		if c.cfg.Compose != nil && s.Labels[composeOneOff] == "True" {
			continue
		}
		var networks map[string]*network.EndpointSettings
		if s.NetworkSettings != nil {
			networks = s.NetworkSettings.Networks
		}
		ready := slices.ContainsFunc(healthy, func(h container.Summary) bool { return h.ID == s.ID })
		r := newReplica(s.ID, ownName(s.Names), container.NetworkMode(s.HostConfig.NetworkMode), networks, ready)
		r.created = s.Created
		r.index, _ = strconv.Atoi(s.Labels[indexLabel])
		r.class = c.classify(f, s, r)
		replicas = append(replicas, r)
	}
	slices.SortFunc(replicas, func(a, b replica) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.index, b.index), cmp.Compare(a.created, b.created))
	})
	for _, r := range replicas {
		switch r.class {
		case isRunning, isRestless:
			f.wanted = append(f.wanted, r)
		case isStopped:
			f.stopped = append(f.stopped, r)
		case isLeftover:
			f.leftovers = append(f.leftovers, r)
		}
	}
	slices.SortFunc(f.wanted, func(a, b replica) int {
		return cmp.Or(
			share.FalseFirst(a.Ready, b.Ready), // what does not serve goes first,
			cmp.Compare(b.created, a.created),  // then the newest
			cmp.Compare(b.index, a.index),
		)
	})
	return replicas, nil
}

// checkTemplate refuses containers that someone else replaces.
func checkTemplate(op string, t *container.InspectResponse) error {
	if s, ok := t.Config.Labels[swarmService]; ok {
		return target.Errorf(target.KindPermanent, op, "it is a task of the swarm service %s; use docker_service for it", s)
	}
	if _, ok := t.Config.Labels[labelManaged]; ok {
		return target.Errorf(target.KindPermanent, op, "it is a copy itself; its template is %s", t.Config.Labels[labelTemplate])
	}
	return nil
}

// classify says what there is to do about a container, and takes its index.
func (c *containers) classify(f *fleet, s container.Summary, r replica) class {
	draining := strings.HasSuffix(r.Name, drainingSuffix(r.ID))
	if !draining {
		f.indices[r.index] = true
	}
	switch {
	case c.isLeaving(r.ID) || s.State == container.StateRemoving:
		return isPassing
	case draining || s.State == container.StateDead:
		return isLeftover
	case s.State == container.StateRunning:
		return isRunning
	case s.State == container.StateRestarting, s.State == container.StatePaused:
		return isRestless
	case s.State == container.StateCreated && time.Since(time.Unix(s.Created, 0)) < creationGrace:
		return isPassing
	default:
		return isStopped
	}
}

// isLeaving reports whether this process stops or removes the container right
// now.
func (c *containers) isLeaving(id string) bool {
	_, ok := c.leaving.Load(id)
	return ok
}

// drainingSuffix marks the name of a container that is on its way out: the one
// thing about it that can still be changed, and that outlives this process.
func drainingSuffix(id string) string { return "-draining-" + id[:min(len(id), 12)] }

// ownName picks the container's name from those of the links to it.
func ownName(names []string) string {
	for _, n := range names {
		if n = strings.TrimPrefix(n, "/"); !strings.Contains(n, "/") {
			return n
		}
	}
	return ""
}
