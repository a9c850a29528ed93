package target

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Registry knows the platforms by the key they have in the configuration: of
// targets, and of discoveries. It is filled once, by package install, and
// read-only after that.
type Registry struct {
	platforms   known[Config]
	discoveries known[DiscoveryConfig]
}

// known are functions that return a new configuration with its defaults set, by
// the name of its platform.
type known[C interface{ Platform() string }] map[string]func() C

func (k known[C]) add(what string, defaults []func() C) {
	for _, d := range defaults {
		name := d().Platform()
		if _, ok := k[name]; ok {
			panic("target: " + what + " " + name + " is installed twice")
		}
		k[name] = d
	}
}

func (k known[C]) build(what, platform string) (c C, err error) {
	d, ok := k[platform]
	if !ok {
		return c, fmt.Errorf("unknown %s %q (known: %s)", what, platform, strings.Join(k.names(), ", "))
	}
	return d(), nil
}

func (k known[C]) names() []string { return slices.Sorted(maps.Keys(k)) }

// NewRegistry returns a registry of the given platforms. Each function
// returns a new configuration with its defaults set, to be decoded into.
// Two platforms of one name are a programming error and panic.
func NewRegistry(defaults ...func() Config) *Registry {
	r := &Registry{platforms: make(known[Config]), discoveries: make(known[DiscoveryConfig])}
	r.platforms.add("platform", defaults)
	return r
}

// WithDiscoveries adds platforms that find things to scale, as NewRegistry does,
// and returns r.
func (r *Registry) WithDiscoveries(defaults ...func() DiscoveryConfig) *Registry {
	r.discoveries.add("discovery", defaults)
	return r
}

// New returns a configuration of the named platform with its defaults set.
func (r *Registry) New(platform string) (Config, error) {
	return r.platforms.build("platform", platform)
}

// NewDiscovery returns a configuration of the named platform's discovery with
// its defaults set.
func (r *Registry) NewDiscovery(platform string) (DiscoveryConfig, error) {
	return r.discoveries.build("discovery platform", platform)
}

// Names returns the known platforms of targets, sorted.
func (r *Registry) Names() []string { return r.platforms.names() }

// DiscoveryNames returns the known platforms of discoveries, sorted.
func (r *Registry) DiscoveryNames() []string { return r.discoveries.names() }
