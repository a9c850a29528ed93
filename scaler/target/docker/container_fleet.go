package docker

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
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

// replica is one container.
type replica struct {
	id, name string
	index    int
	created  int64
	ready    bool
	// keep is set on one that is stopped and not removed when it goes.
	keep bool
	// address is the one in its primary network, and addresses are all of
	// them; none where it has no network of its own.
	address   string
	addresses []string
}

// requested and ready count the replicas, the template included.
func (f *fleet) requested() int { return len(f.wanted) }

func (f *fleet) ready() int {
	n := 0
	for _, r := range f.wanted {
		n += b2i(r.ready)
	}
	return n
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// templateName is the name without the slash that the Engine puts before it.
func (f *fleet) templateName() string { return strings.TrimPrefix(f.template.Name, "/") }

// read asks the Engine for all of it: the containers, and which of those are
// healthy.
func (c *containers) read(ctx context.Context, op string) (*fleet, error) {
	ctx = share.Note(ctx)
	if err := c.engine.negotiate(ctx); err != nil {
		return nil, c.engine.failure(ctx, op, err)
	}
	if c.cfg.Compose != nil {
		return c.readService(ctx, op)
	}
	return c.readCopies(ctx, op)
}

// readCopies reads the template and its copies.
func (c *containers) readCopies(ctx context.Context, op string) (*fleet, error) {
	res, err := c.engine.api.ContainerInspect(ctx, c.cfg.Template, client.ContainerInspectOptions{})
	if err != nil {
		return nil, c.engine.failure(ctx, op, err)
	}
	if !described(&res.Container) {
		return nil, c.engine.noAnswer(ctx, op, "the description of a container")
	}
	f := &fleet{template: res.Container, indices: make(map[int]bool)}
	if err := checkTemplate(op, &f.template); err != nil {
		return nil, err
	}
	own := make(client.Filters).Add("label", labelManaged+"=true", labelTemplate+"="+f.templateName())
	all, ready, err := c.list(ctx, op, own)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		r := newReplica(s, labelReplica, ready)
		switch c.classify(f, s, r) {
		case isWanted:
			f.wanted = append(f.wanted, r)
		case isStopped, isLeftover:
			f.leftovers = append(f.leftovers, r)
		}
	}
	sortToGo(f.wanted)
	c.placeTemplate(f)
	return f, nil
}

// placeTemplate puts the template where it belongs: last of those that go, and
// first of those that are started.
func (c *containers) placeTemplate(f *fleet) {
	state := f.template.State
	r := replica{id: f.template.ID, name: f.templateName(), index: 1, keep: true}
	r.address, r.addresses = addresses(f.template.HostConfig.NetworkMode, f.template.NetworkSettings.Networks)
	r.ready = !state.Paused && !state.Restarting &&
		(state.Health == nil || state.Health.Status == container.Healthy || state.Health.Status == container.NoHealthcheck)
	switch {
	case c.isLeaving(r.id):
		// It cannot be started while it still stops; a copy serves as well.
	case state.Running:
		f.wanted = append(f.wanted, r)
	default:
		f.stopped = append(f.stopped, r)
	}
}

// list returns the containers that the filters let through, and the IDs of
// those that serve.
func (c *containers) list(ctx context.Context, op string, own client.Filters) ([]container.Summary, map[string]bool, error) {
	all, err := c.engine.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: own})
	switch {
	case err != nil:
		return nil, nil, c.engine.failure(ctx, op, err)
	case all.Items == nil:
		return nil, nil, c.engine.noAnswer(ctx, op, "a list of containers")
	case len(all.Items) == 0:
		return nil, nil, nil
	}
	healthy, err := c.engine.api.ContainerList(ctx, client.ContainerListOptions{Filters: own.Clone().
		Add("status", string(container.StateRunning)).
		Add("health", string(container.Healthy), string(container.NoHealthcheck))})
	if err != nil {
		return nil, nil, c.engine.failure(ctx, op, err)
	}
	if healthy.Items == nil {
		return nil, nil, c.engine.noAnswer(ctx, op, "a list of containers")
	}
	ready := make(map[string]bool, len(healthy.Items))
	for _, h := range healthy.Items {
		ready[h.ID] = true
	}
	return all.Items, ready, nil
}

// described reports whether an answer describes a container as Engines do.
func described(t *container.InspectResponse) bool {
	return t.ID != "" && t.Name != "" && t.Config != nil && t.State != nil && t.HostConfig != nil && t.NetworkSettings != nil
}

// checkTemplate refuses containers that someone else replaces.
func checkTemplate(op string, t *container.InspectResponse) error {
	if s, ok := t.Config.Labels["com.docker.swarm.service.name"]; ok {
		return target.Errorf(target.KindPermanent, op, "it is a task of the swarm service %s; use docker_service for it", s)
	}
	if _, ok := t.Config.Labels[labelManaged]; ok {
		return target.Errorf(target.KindPermanent, op, "it is a copy itself; its template is %s", t.Config.Labels[labelTemplate])
	}
	return nil
}

// newReplica is a container whose index is in the given label.
func newReplica(s container.Summary, indexLabel string, ready map[string]bool) replica {
	r := replica{id: s.ID, name: ownName(s.Names), created: s.Created, ready: ready[s.ID]}
	r.index, _ = strconv.Atoi(s.Labels[indexLabel])
	if s.NetworkSettings != nil {
		r.address, r.addresses = addresses(container.NetworkMode(s.HostConfig.NetworkMode), s.NetworkSettings.Networks)
	}
	return r
}

// class is what there is to do about a container.
type class int

const (
	isPassing  class = iota // comes or goes already
	isWanted                // counts as requested
	isStopped               // has ended, and the Engine leaves it at that
	isLeftover              // was on its way out when whoever removed it ended
)

// classify says what there is to do about a container, and takes its index.
func (c *containers) classify(f *fleet, s container.Summary, r replica) class {
	draining := strings.HasSuffix(r.name, drainingSuffix(r.id))
	if !draining {
		f.indices[r.index] = true
	}
	switch {
	case c.isLeaving(r.id) || s.State == container.StateRemoving:
		return isPassing
	case draining || s.State == container.StateDead:
		return isLeftover
	case s.State == container.StateRunning, s.State == container.StateRestarting, s.State == container.StatePaused:
		return isWanted
	case s.State == container.StateCreated && time.Since(time.Unix(s.Created, 0)) < creationGrace:
		return isPassing
	default:
		return isStopped
	}
}

// isLeaving reports whether this process stops or removes the container right
// now.
func (c *containers) isLeaving(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.leaving[id]
	return ok
}

// sortToGo sorts replicas by the order in which they are to go.
func sortToGo(all []replica) {
	slices.SortFunc(all, func(a, b replica) int {
		return cmp.Or(
			cmp.Compare(b2i(a.ready), b2i(b.ready)), // what does not serve goes first,
			cmp.Compare(b.created, a.created),       // then the newest,
			cmp.Compare(b.index, a.index),
		)
	})
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
