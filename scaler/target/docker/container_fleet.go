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
)

// The labels of a copy.
const (
	labelPrefix   = "alertscaler."
	labelManaged  = labelPrefix + "managed"  // "true"
	labelTemplate = labelPrefix + "template" // the template's name
	labelPolicy   = labelPrefix + "policy"
	labelTarget   = labelPrefix + "target"
	labelReplica  = labelPrefix + "replica" // 2, 3, ...; the template is the first
)

// creationGrace is how old a container that was never started must be to be
// taken for one whose maker is gone.
const creationGrace = time.Minute

// fleet is what the Engine has of a target, at one moment.
type fleet struct {
	template      container.InspectResponse
	templateRuns  bool // and is not being stopped
	templateReady bool
	copies        []replica // that are wanted, in the order they are to go
	leftovers     []replica // that nobody wants any more
	indices       map[int]bool
}

// replica is one copy.
type replica struct {
	id, name string
	index    int
	created  int64
	ready    bool
}

// requested and ready count the replicas, the template included.
func (f *fleet) requested() int { return len(f.copies) + b2i(f.templateRuns) }

func (f *fleet) ready() int {
	n := b2i(f.templateReady)
	for _, r := range f.copies {
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

// read asks the Engine for all of it: the template, its copies, and which of
// those are healthy.
func (c *containers) read(ctx context.Context, op string) (*fleet, error) {
	if err := c.engine.negotiate(ctx); err != nil {
		return nil, c.engine.failure(ctx, op, err)
	}
	res, err := c.engine.api.ContainerInspect(ctx, c.cfg.Template, client.ContainerInspectOptions{})
	if err != nil {
		return nil, c.engine.failure(ctx, op, err)
	}
	f := &fleet{template: res.Container, indices: make(map[int]bool)}
	if err := checkTemplate(op, &f.template); err != nil {
		return nil, err
	}
	own := make(client.Filters).Add("label", labelManaged+"=true", labelTemplate+"="+f.templateName())
	all, err := c.engine.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: own})
	if err != nil {
		return nil, c.engine.failure(ctx, op, err)
	}
	ready := make(map[string]bool)
	if len(all.Items) > 0 {
		healthy, err := c.engine.api.ContainerList(ctx, client.ContainerListOptions{Filters: own.Clone().
			Add("status", string(container.StateRunning)).
			Add("health", string(container.Healthy), string(container.NoHealthcheck))})
		if err != nil {
			return nil, c.engine.failure(ctx, op, err)
		}
		for _, h := range healthy.Items {
			ready[h.ID] = true
		}
	}
	c.sort(f, all.Items, ready)
	return f, nil
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

// sort puts what was read where it belongs.
func (c *containers) sort(f *fleet, copies []container.Summary, ready map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	leaving := func(id string) bool { _, ok := c.leaving[id]; return ok }

	state := f.template.State
	f.templateRuns = state.Running && !leaving(f.template.ID)
	f.templateReady = f.templateRuns && !state.Paused && !state.Restarting &&
		(state.Health == nil || state.Health.Status == container.Healthy || state.Health.Status == container.NoHealthcheck)

	for _, s := range copies {
		r := replica{id: s.ID, name: ownName(s.Names), created: s.Created, ready: ready[s.ID]}
		r.index, _ = strconv.Atoi(s.Labels[labelReplica])
		draining := strings.HasSuffix(r.name, drainingSuffix(r.id))
		if !draining {
			f.indices[r.index] = true
		}
		switch {
		case leaving(r.id) || s.State == container.StateRemoving:
		case draining:
			f.leftovers = append(f.leftovers, r)
		case s.State == container.StateRunning, s.State == container.StateRestarting, s.State == container.StatePaused:
			f.copies = append(f.copies, r)
		case s.State == container.StateCreated && time.Since(time.Unix(s.Created, 0)) < creationGrace:
		default: // exited or dead, and the Engine leaves it at that
			f.leftovers = append(f.leftovers, r)
		}
	}
	slices.SortFunc(f.copies, func(a, b replica) int {
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
