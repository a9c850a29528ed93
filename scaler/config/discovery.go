package config

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Discovery is one entry of discovery: its own keys and exactly one
// platform's, on which things that carry labels become policies.
type Discovery struct {
	Name string `yaml:"name"`
	// RefreshInterval is how often the platform is asked.
	RefreshInterval Duration `yaml:"refresh_interval"`
	// Template is the name of the one that things without a word on it get;
	// empty: the defaults, to which the labels must add a max.
	Template string `yaml:"template,omitempty"`
	// Platform is the platform's own configuration.
	Platform target.DiscoveryConfig `yaml:"-"`

	// platforms holds the platform keys as written until the registry is at
	// hand to decode them.
	platforms map[string]deferred
}

// ownDiscoveryKeys are a discovery's own keys alone.
type ownDiscoveryKeys Discovery

// rawDiscovery is how a discovery is written. What is not its own key must be
// a platform's.
type rawDiscovery struct {
	Own       ownDiscoveryKeys    `yaml:",inline"`
	Platforms map[string]deferred `yaml:",inline"`
}

// UnmarshalYAML sets the defaults, decodes the discovery's own keys and keeps
// the platform's.
func (d *Discovery) UnmarshalYAML(unmarshal func(any) error) error {
	raw := rawDiscovery{Own: ownDiscoveryKeys{RefreshInterval: Duration(30 * time.Second)}}
	if err := unmarshal(&raw); err != nil {
		return err
	}
	*d = Discovery(raw.Own)
	d.platforms = raw.Platforms
	return nil
}

// MarshalYAML renders the discovery as it is written.
func (d *Discovery) MarshalYAML() (any, error) {
	return struct {
		Own      ownDiscoveryKeys                  `yaml:",inline"`
		Platform map[string]target.DiscoveryConfig `yaml:",inline"`
	}{ownDiscoveryKeys(*d), map[string]target.DiscoveryConfig{d.Platform.Platform(): d.Platform}}, nil
}

func (v *validator) discoveries(c *Config) {
	seen := make(map[string]bool, len(c.Discovery))
	for i, d := range c.Discovery {
		path := []any{"discovery", i}
		if d == nil {
			v.Add("the discovery is empty", path...)
			c.Discovery[i] = &Discovery{}
			continue
		}
		v.name(d.Name, path)
		if seen[d.Name] && d.Name != "" {
			v.Addf(at(path, "name"), "%q is the name of a discovery already; names are unique", d.Name)
		}
		seen[d.Name] = true
		v.positive(d.RefreshInterval, maxInterval, at(path, "refresh_interval")...)
		if _, ok := c.Template(d.Template); !ok && d.Template != "" {
			v.Addf(at(path, "template"), "there is no template %q in policy_templates; there are %s", d.Template, list(c.templateNames()))
		}
		v.discoveryPlatform(d, path)
	}
}

// templateNames are those of all templates, quoted by nobody.
func (c *Config) templateNames() []string {
	if len(c.Templates) == 0 {
		return []string{"none"}
	}
	names := make([]string, len(c.Templates))
	for i, t := range c.Templates {
		names[i] = t.Name
	}
	return names
}

// discoveryPlatform decodes and validates the one platform of a discovery.
func (v *validator) discoveryPlatform(d *Discovery, path []any) {
	if len(d.platforms) != 1 {
		v.Addf(path, "a discovery has exactly one platform, this one has %d; the platforms are %v", len(d.platforms), v.platforms.DiscoveryNames())
		return
	}
	for name, keys := range d.platforms {
		path := at(path, name)
		cfg, err := v.platforms.NewDiscovery(name)
		if err != nil {
			v.Addf(path, "unknown key or platform %q; a discovery has name, refresh_interval, template and one of %v", name, v.platforms.DiscoveryNames())
			return
		}
		if keys.unmarshal == nil {
			keys.unmarshal = func(any) error { return nil } // The defaults will do.
		}
		if v.decodePlatform(keys, cfg, path) {
			d.Platform = cfg
		}
	}
}
