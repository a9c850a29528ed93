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
	platforms   map[string]func() Config
	discoveries map[string]func() DiscoveryConfig
}

// NewRegistry returns a registry of the given platforms. Each function
// returns a new configuration with its defaults set, to be decoded into.
// Two platforms of one name are a programming error and panic.
func NewRegistry(defaults ...func() Config) *Registry {
	r := &Registry{platforms: make(map[string]func() Config, len(defaults))}
	for _, d := range defaults {
		name := d().Platform()
		if _, ok := r.platforms[name]; ok {
			panic("target: platform " + name + " is installed twice")
		}
		r.platforms[name] = d
	}
	return r
}

// New returns a configuration of the named platform with its defaults set.
func (r *Registry) New(platform string) (Config, error) {
	d, ok := r.platforms[platform]
	if !ok {
		return nil, fmt.Errorf("unknown platform %q (known: %s)", platform, strings.Join(r.Names(), ", "))
	}
	return d(), nil
}

// WithDiscoveries adds platforms that find things to scale and returns r. Each
// function returns a new configuration with its defaults set, to be decoded
// into. Two of one name are a programming error and panic.
func (r *Registry) WithDiscoveries(defaults ...func() DiscoveryConfig) *Registry {
	if r.discoveries == nil {
		r.discoveries = make(map[string]func() DiscoveryConfig, len(defaults))
	}
	for _, d := range defaults {
		name := d().Platform()
		if _, ok := r.discoveries[name]; ok {
			panic("target: discovery " + name + " is installed twice")
		}
		r.discoveries[name] = d
	}
	return r
}

// NewDiscovery returns a configuration of the named platform's discovery with
// its defaults set.
func (r *Registry) NewDiscovery(platform string) (DiscoveryConfig, error) {
	d, ok := r.discoveries[platform]
	if !ok {
		return nil, fmt.Errorf("unknown discovery platform %q (known: %s)", platform, strings.Join(r.DiscoveryNames(), ", "))
	}
	return d(), nil
}

// Names returns the known platforms of targets, sorted.
func (r *Registry) Names() []string { return slices.Sorted(maps.Keys(r.platforms)) }

// DiscoveryNames returns the known platforms of discoveries, sorted.
func (r *Registry) DiscoveryNames() []string { return slices.Sorted(maps.Keys(r.discoveries)) }
