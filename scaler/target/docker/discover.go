package docker

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// labelEnable is the label that everything discovered carries.
const labelEnable = target.DiscoveryPrefix + "enable"

// ServicesConfig is the configuration of a discovery of replicated services of
// a swarm, under the key docker_services.
type ServicesConfig struct {
	HostConfig `yaml:",inline"`

	clients *Clients
}

// ContainersConfig is the configuration of a discovery of containers to be
// copied, under the key docker_containers.
type ContainersConfig struct {
	HostConfig `yaml:",inline"`

	clients *Clients
}

// NewServicesConfig returns a docker_services configuration.
func (c *Clients) NewServicesConfig() target.DiscoveryConfig { return &ServicesConfig{clients: c} }

// NewContainersConfig returns a docker_containers configuration.
func (c *Clients) NewContainersConfig() target.DiscoveryConfig { return &ContainersConfig{clients: c} }

// Platform implements target.DiscoveryConfig.
func (*ServicesConfig) Platform() string { return "docker_services" }

// Platform implements target.DiscoveryConfig.
func (*ContainersConfig) Platform() string { return "docker_containers" }

// New implements target.DiscoveryConfig.
func (c *ServicesConfig) New(o target.Options) (target.Discoverer, error) {
	return c.clients.discoverer(&c.HostConfig, o, c.find)
}

// New implements target.DiscoveryConfig.
func (c *ContainersConfig) New(o target.Options) (target.Discoverer, error) {
	return c.clients.discoverer(&c.HostConfig, o, c.find)
}

// discoverer returns one that asks the Engine by find.
func (c *Clients) discoverer(host *HostConfig, o target.Options, find func(context.Context, *engine) ([]target.Discovered, error)) (target.Discoverer, error) {
	e, release, err := c.lend(host, o.HTTPClient)
	if err != nil {
		return nil, err
	}
	return share.NewDiscoverer(e, release, func(ctx context.Context, e *engine) ([]target.Discovered, error) {
		ctx = share.Note(ctx)
		if err := e.negotiate(ctx); err != nil {
			return nil, e.failure(ctx, "look for labelled things on "+e.host, err)
		}
		return find(ctx, e)
	}), nil
}

// find lists those that carry the label themselves. That their containers
// do, which compose files call labels without deploy, asks for nothing.
func (c *ServicesConfig) find(ctx context.Context, e *engine) ([]target.Discovered, error) {
	all, err := e.api.ServiceList(ctx, client.ServiceListOptions{Filters: make(client.Filters).Add("label", labelEnable)})
	if err == nil && all.Items == nil {
		err = noAnswer("a list of services")
	}
	if err != nil {
		return nil, e.failure(ctx, "list the labelled services of "+e.host, err)
	}
	out := make([]target.Discovered, 0, len(all.Items))
	for _, s := range all.Items {
		name := s.Spec.Name
		scaleTarget := name
		// The shipped rules go by what the containers carry, this label first.
		if task := s.Spec.TaskTemplate.ContainerSpec; task != nil && task.Labels[labelScaleTarget] != "" {
			scaleTarget = task.Labels[labelScaleTarget]
		}
		out = append(out, target.Discovered{
			Name: name, ScaleTarget: scaleTarget, What: "service " + name, Labels: target.Asking(s.Spec.Labels),
			Target: &ServiceConfig{Name: name, HostConfig: c.HostConfig, clients: c.clients},
		})
	}
	return out, nil
}

// find lists those that carry the label, whether they run or not: one
// that was scaled to none is stopped. Copies of our own and tasks of a swarm
// are no things of their own, and of a compose service the first container
// stands for all.
func (c *ContainersConfig) find(ctx context.Context, e *engine) ([]target.Discovered, error) {
	all, err := e.containers(ctx, "list the labelled containers of "+e.host, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelEnable),
	})
	if err != nil {
		return nil, err
	}
	// In an order that does not depend on what was started when.
	slices.SortFunc(all, func(a, b container.Summary) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(ownName(a.Names), ownName(b.Names)))
	})
	out := make([]target.Discovered, 0, len(all))
	services := make(map[string]bool)
	for _, s := range all {
		_, copied := s.Labels[labelManaged]
		_, task := s.Labels[swarmService]
		inService := s.Labels[composeService] != ""
		if copied && !inService || task || s.Labels[composeOneOff] == "True" || ownName(s.Names) == "" || s.State == container.StateRemoving {
			continue
		}
		found := c.found(s)
		if inService {
			if services[found.Name] {
				continue
			}
			services[found.Name] = true
		}
		out = append(out, found)
	}
	return out, nil
}

// found is a container that others are to be made after. That of a compose service
// is called what the shipped rules call it, so that its copies, which they call
// by their policy, are counted with it.
func (c *ContainersConfig) found(s container.Summary) target.Discovered {
	name := ownName(s.Names)
	found := target.Discovered{
		Name: name, What: "container " + name, Labels: target.Asking(s.Labels),
		Target: &ContainerConfig{Template: name, HostConfig: c.HostConfig, clients: c.clients},
	}
	if service := s.Labels[composeService]; service != "" {
		found.Name = s.Labels[composeProject] + "_" + service
		compose := &ComposeConfig{Project: s.Labels[composeProject], Service: service}
		found.What = compose.String()
		found.Target = &ContainerConfig{Compose: compose, HostConfig: c.HostConfig, clients: c.clients}
	}
	found.ScaleTarget = found.Name
	return found
}

// number is that of a compose service's container; 0 for others.
func number(c container.Summary) int {
	n, _ := strconv.Atoi(c.Labels[composeNumber])
	return n
}
