package target

import (
	"fmt"
	"slices"
	"strings"
)

// Registry knows the platforms by the key they have in the configuration. It
// is filled once, by package install, and read-only after that.
type Registry struct {
	platforms map[string]func() Config
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

// Names returns the known platforms, sorted.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.platforms))
	for n := range r.platforms {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
