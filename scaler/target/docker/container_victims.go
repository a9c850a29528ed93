package docker

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// victimLabel is the label by which cAdvisor's series name a container.
const victimLabel = "name"

// Replicas implements target.Victims. A replica's ID is its container's; its
// aliases are what cAdvisor's id label is, with either cgroup driver, and its
// addresses.
func (c *containers) Replicas(ctx context.Context) (target.Replicas, error) {
	f, err := c.read(ctx, "read "+c.cfg.what())
	if err != nil {
		return target.Replicas{}, err
	}
	all := target.Replicas{Label: victimLabel, List: make([]target.Replica, 0, len(f.wanted))}
	for _, r := range f.wanted {
		aliases := []string{
			r.id, r.id[:min(len(r.id), 12)],
			"/docker/" + r.id, "/system.slice/docker-" + r.id + ".scope",
		}
		all.List = append(all.List, target.Replica{
			ID:      r.id,
			Name:    r.name,
			Aliases: append(aliases, r.addresses...),
			Address: r.address,
			Ready:   r.ready,
		})
	}
	return all, nil
}

// allowed leaves out the victim that cannot go first: the template, where
// stopping it would remove it.
func (c *containers) allowed(f *fleet, victims []string) []string {
	if c.cfg.Compose != nil || !f.template.HostConfig.AutoRemove {
		return victims
	}
	return slices.DeleteFunc(slices.Clone(victims), func(id string) bool { return id == f.template.ID })
}

// addresses returns a container's address in its primary network, and those in
// all of its networks.
func addresses(mode container.NetworkMode, networks map[string]*network.EndpointSettings) (primary string, all []string) {
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		s := networks[name]
		if s == nil {
			continue
		}
		for _, a := range []netip.Addr{s.IPAddress, s.GlobalIPv6Address} {
			if !a.IsValid() {
				continue
			}
			all = append(all, a.String())
			if primary == "" && isPrimary(mode, name, s) {
				primary = a.String()
			}
		}
	}
	return primary, all
}
