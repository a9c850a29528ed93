package http

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Config is the configuration of an HTTP target, under the key http.
type Config struct {
	// URL is where the target is read and scaled, unless Current or Scale has
	// a URL of its own, which may be relative to this one.
	URL     URL           `yaml:"url"`
	Current CurrentConfig `yaml:"current"`
	Scale   ScaleConfig   `yaml:"scale"`
	// HTTPClientConfig is that of the whole Prometheus family.
	HTTPClientConfig config.HTTPClientConfig `yaml:",inline"`
}

// CurrentConfig says how the target is read, and where in the JSON of the
// answer the numbers are; see Path.
type CurrentConfig struct {
	URL URL `yaml:"url,omitempty"`
	// Method is GET or POST.
	Method string `yaml:"method"`
	// Body is what a POST sends.
	Body Template `yaml:"body,omitempty"`
	// Requested must be in every answer.
	Requested Path `yaml:"requested"`
	// Ready must be in every answer too. Only where it is empty, and so
	// written, what was requested counts as ready.
	Ready Path `yaml:"ready"`
	// Min and Max are the platform's own bounds. Nil: min and max, where the
	// answer has them. Empty: it has none. Any other must be in every answer.
	Min *Path `yaml:"min,omitempty"`
	Max *Path `yaml:"max,omitempty"`
}

// ScaleConfig says how a number of replicas is asked for.
type ScaleConfig struct {
	URL URL `yaml:"url,omitempty"`
	// Method is PUT, POST or PATCH.
	Method      string   `yaml:"method"`
	Body        Template `yaml:"body"`
	ContentType string   `yaml:"content_type"`
}

// NewConfig returns a configuration with its defaults set.
func NewConfig() target.Config {
	return &Config{
		Current:          CurrentConfig{Method: http.MethodGet, Requested: "requested", Ready: "ready"},
		Scale:            ScaleConfig{Method: http.MethodPut, Body: `{"desired": {{.Desired}}}`, ContentType: "application/json"},
		HTTPClientConfig: config.DefaultHTTPClientConfig,
	}
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = *NewConfig().(*Config)
	type plain Config
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative file names relative to dir.
func (c *Config) SetDirectory(dir string) { c.HTTPClientConfig.SetDirectory(dir) }

// Platform implements target.Config.
func (*Config) Platform() string { return "http" }

// Identity implements target.Config: what is scaled is named by where and with
// which words. A body that names the target makes a thing of its own of it.
func (c *Config) Identity() string {
	u, err := c.URL.resolve(c.Scale.URL)
	if err != nil {
		return ""
	}
	id := "http " + shown(u)
	if u.RawQuery != "" {
		id += "?" + u.RawQuery
	}
	if c.Scale.Body == NewConfig().(*Config).Scale.Body {
		return id
	}
	body, err := c.Scale.Body.render(values{})
	named, errNamed := c.Scale.Body.render(values{Policy: "p", Target: "t", ScaleTarget: "s"})
	if err != nil || errNamed != nil || body != named {
		return ""
	}
	return id + " " + body
}

// Validate implements target.Config. It asks nothing of the server.
func (c *Config) Validate() error {
	if c.URL == "" {
		return &target.FieldError{Field: "url", Msg: "is missing; write it as http://host/path"}
	}
	for _, u := range []struct {
		field string
		ref   URL
	}{{"url", ""}, {"current.url", c.Current.URL}, {"scale.url", c.Scale.URL}} {
		if _, err := c.URL.resolve(u.ref); err != nil {
			return &target.FieldError{Field: u.field, Msg: err.Error()}
		}
	}
	if err := c.Current.validate(); err != nil {
		return err
	}
	if err := c.Scale.validate(); err != nil {
		return err
	}
	return c.HTTPClientConfig.Validate()
}

func (c *CurrentConfig) validate() error {
	if c.Method != http.MethodGet && c.Method != http.MethodPost {
		return &target.FieldError{Field: "current.method", Msg: fmt.Sprintf("%q is neither GET nor POST", c.Method)}
	}
	if c.Method == http.MethodGet && c.Body != "" {
		return &target.FieldError{Field: "current.body", Msg: "is for method POST; a GET has no body"}
	}
	if err := c.Body.validate(); err != nil {
		return &target.FieldError{Field: "current.body", Msg: err.Error()}
	}
	if c.Requested == "" {
		return &target.FieldError{Field: "current.requested", Msg: "is empty; it says where the answer has the number of replicas, as in spec.replicas"}
	}
	for _, p := range []struct {
		field string
		path  *Path
	}{{"requested", &c.Requested}, {"ready", &c.Ready}, {"min", c.Min}, {"max", c.Max}} {
		if p.path == nil || *p.path == "" {
			continue
		}
		if _, err := p.path.parse(); err != nil {
			return &target.FieldError{Field: "current." + p.field, Msg: err.Error()}
		}
	}
	return nil
}

func (c *ScaleConfig) validate() error {
	if !slices.Contains([]string{http.MethodPut, http.MethodPost, http.MethodPatch}, c.Method) {
		return &target.FieldError{Field: "scale.method", Msg: fmt.Sprintf("%q is none of PUT, POST and PATCH", c.Method)}
	}
	if c.ContentType == "" {
		return &target.FieldError{Field: "scale.content_type", Msg: "is empty; the default is application/json"}
	}
	if err := c.Body.validate(); err != nil {
		return &target.FieldError{Field: "scale.body", Msg: err.Error()}
	}
	if err := c.renders(values{Policy: "policy", Target: "target", ScaleTarget: "scale_target"}); err != nil {
		return &target.FieldError{Field: "scale.body", Msg: err.Error()}
	}
	return nil
}

// renders checks what the body becomes for a target: another number must make
// another body, and JSON must be JSON.
func (c *ScaleConfig) renders(v values) error {
	v.Desired = 1
	one, err := c.Body.render(v)
	if err != nil {
		return err
	}
	v.Desired = 1234567
	many, err := c.Body.render(v)
	if err != nil {
		return err
	}
	if one == many {
		return fmt.Errorf("%q is the same for every number of replicas; {{.Desired}} is the number", one)
	}
	if isJSON(c.ContentType) && !validJSON(many) {
		return fmt.Errorf("it renders %q, which is not JSON, and content_type is %s; {{json .Target}} quotes what is not a number", many, c.ContentType)
	}
	return nil
}

// New implements target.Config. Nothing is dialed.
func (c *Config) New(o target.Options) (target.Target, error) { return newRemote(c, o) }

var (
	_ target.Config          = (*Config)(nil)
	_ config.DirectorySetter = (*Config)(nil)
)
