package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// namesTried is how many names are tried for a copy before giving up, where
// other containers have them.
const namesTried = 20

// blueprint is what a copy is made of.
type blueprint struct {
	prefix string // of the names
	first  int    // the lowest index
	// indexLabels have the index for a value.
	indexLabels []string

	config container.Config
	host   container.HostConfig
	// primary is the network the copy is created in, none where empty; the
	// others are connected before it starts.
	primary  string
	networks map[string]*network.EndpointSettings
}

// blueprint takes over all of the template that can be shared: image, command,
// environment, labels, mounts, limits, restart policy, networks. What can only
// be one container's is left to the Engine: host name, addresses, host ports.
func (c *containers) blueprint(ctx context.Context, f *fleet) (*blueprint, error) {
	image, err := c.image(ctx, f)
	if err != nil {
		return nil, err
	}
	b := &blueprint{config: *f.template.Config, host: *f.template.HostConfig}
	b.config.Image = image
	b.config.Hostname = ""
	b.config.Labels = maps.Clone(b.config.Labels)
	if b.config.Labels == nil {
		b.config.Labels = make(map[string]string)
	}
	if c.cfg.Compose != nil {
		c.cfg.Compose.label(b)
	} else {
		c.labelCopies(b, f)
	}
	b.config.Labels[labelManaged] = "true"
	if c.scaleTarget != "" {
		b.config.Labels[labelScaleTarget] = c.scaleTarget
	}

	b.host.ContainerIDFile = ""
	b.host.AutoRemove = false // it does not go with a restart policy, and copies are removed here
	b.host.PortBindings = ephemeral(b.host.PortBindings)
	b.primary, b.networks = networks(f)
	return b, nil
}

// labelCopies names and labels the copies of a template.
func (c *containers) labelCopies(b *blueprint, f *fleet) {
	b.prefix, b.first, b.indexLabels = cmp.Or(c.cfg.NamePrefix, f.templateName()), 2, []string{labelReplica}
	// Our own labels on the template are about the template.
	maps.DeleteFunc(b.config.Labels, func(k, _ string) bool { return strings.HasPrefix(k, labelPrefix) })
	b.config.Labels[labelTemplate] = f.templateName()
	if _, ok := b.config.Labels[composeNumber]; ok {
		b.indexLabels = append(b.indexLabels, composeNumber)
	}
}

// label makes the copies containers of the service, for Compose to take for
// its own: it goes by the labels, which are those of the container that the
// copy is made after but for the number.
func (c *ComposeConfig) label(b *blueprint) {
	b.prefix, b.first, b.indexLabels = c.Project+"-"+c.Service, 1, []string{composeNumber}
	delete(b.config.Labels, composeReplace)
	// A copy of a template may be what this one is made after.
	delete(b.config.Labels, labelTemplate)
	delete(b.config.Labels, labelReplica)
}

// image returns the name of the template's image, or its ID where the name has
// come to mean another one: replicas run the same.
func (c *containers) image(ctx context.Context, f *fleet) (string, error) {
	name := f.template.Config.Image
	got, err := c.engine.api.ImageInspect(ctx, name)
	switch {
	case err == nil && got.ID == f.template.Image:
		return name, nil
	case err == nil || errdefs.IsNotFound(err):
		return f.template.Image, nil
	default:
		return "", fmt.Errorf("inspect image %s: %w", name, err)
	}
}

// ephemeral leaves the choice of host ports to the Engine, since those of the
// template are taken. A range is a choice already.
func ephemeral(ports network.PortMap) network.PortMap {
	if ports == nil {
		return nil
	}
	out := make(network.PortMap, len(ports))
	for port, bindings := range ports {
		for _, b := range bindings {
			if !strings.Contains(b.HostPort, "-") {
				b.HostPort = ""
			}
			out[port] = append(out[port], b)
		}
	}
	return out
}

// networks returns the settings of the template's networks without what is the
// template's own, and which network comes first.
func networks(f *fleet) (primary string, all map[string]*network.EndpointSettings) {
	mode := f.template.HostConfig.NetworkMode
	if mode.IsHost() || mode.IsNone() || mode.IsContainer() {
		return "", nil
	}
	all = make(map[string]*network.EndpointSettings)
	for name, s := range f.template.NetworkSettings.Networks {
		all[name] = &network.EndpointSettings{
			Links:      slices.Clone(s.Links),
			DriverOpts: maps.Clone(s.DriverOpts),
			GwPriority: s.GwPriority,
			// Aliases are what several containers are reached by together; the
			// Engine adds the template's ID to them, and its host name, which
			// may as well have been asked for.
			Aliases: slices.DeleteFunc(slices.Clone(s.Aliases), func(a string) bool {
				return a == f.templateName() || strings.HasPrefix(f.template.ID, a)
			}),
		}
		if isPrimary(mode, name, s) {
			primary = name
		}
	}
	return primary, all
}

// isPrimary reports whether a container of that network mode was created in
// the network.
func isPrimary(mode container.NetworkMode, name string, s *network.EndpointSettings) bool {
	return name == mode.NetworkName() ||
		mode.IsDefault() && name == network.NetworkBridge ||
		mode.IsUserDefined() && s.NetworkID == mode.UserDefined()
}

// addCopy creates and starts one copy under the first name that is free.
func (c *containers) addCopy(ctx context.Context, b *blueprint, next func() int) (err error) {
	for range namesTried {
		if err = c.createCopy(ctx, b, next()); !errdefs.IsConflict(err) {
			break
		}
	}
	return err
}

func (c *containers) createCopy(ctx context.Context, b *blueprint, index int) error {
	name := b.prefix + "-" + strconv.Itoa(index)
	config := b.config
	config.Labels = maps.Clone(config.Labels)
	for _, l := range b.indexLabels {
		config.Labels[l] = strconv.Itoa(index)
	}
	o := client.ContainerCreateOptions{Name: name, Config: &config, HostConfig: &b.host}
	if b.primary != "" {
		// Before API 1.44 no more than one can be given here.
		o.NetworkingConfig = &network.NetworkingConfig{
			EndpointsConfig: map[string]*network.EndpointSettings{b.primary: b.networks[b.primary]},
		}
	}
	created, err := c.engine.api.ContainerCreate(ctx, o)
	if err != nil {
		return partMissing("create container "+name, err)
	}
	if err := c.startCopy(ctx, b, created.ID); err != nil {
		return errors.Join(partMissing("start container "+name, err), c.discard(ctx, created.ID))
	}
	return nil
}

func (c *containers) startCopy(ctx context.Context, b *blueprint, id string) error {
	for _, name := range slices.Sorted(maps.Keys(b.networks)) {
		if name == b.primary {
			continue
		}
		o := client.NetworkConnectOptions{Container: id, EndpointConfig: b.networks[name]}
		if _, err := c.engine.api.NetworkConnect(ctx, name, o); err != nil {
			return err
		}
	}
	_, err := c.engine.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return err
}

// discard removes a copy that did not start, also where that is because the
// caller's time is up.
func (c *containers) discard(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := c.engine.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove it again: %w", err)
	}
	return nil
}

// partMissing gives an error of making a copy its kind where that differs from
// what it would be elsewhere: what was not found is then an image or a network
// that the template needs, and not what is to be scaled.
func partMissing(op string, err error) error {
	if errdefs.IsNotFound(err) {
		return &target.Error{Kind: target.KindPermanent, Op: op, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}
