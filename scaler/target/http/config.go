package http

import (
	"cmp"
	"encoding/json"
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
	_, base := c.URL.resolve("")
	_, current := c.URL.resolve(c.Current.URL)
	_, scale := c.URL.resolve(c.Scale.URL)
	return cmp.Or(
		target.Check(c.URL != "", "url", "is missing; write it as http://host/path"),
		target.CheckError("url", base),
		target.CheckError("current.url", current),
		target.CheckError("scale.url", scale),
		c.Current.validate(),
		c.Scale.validate(),
		c.HTTPClientConfig.Validate(),
	)
}

func (c *CurrentConfig) validate() error {
	return cmp.Or(
		target.Check(c.Method == http.MethodGet || c.Method == http.MethodPost, "current.method", "%q is neither GET nor POST", c.Method),
		target.Check(c.Method == http.MethodPost || c.Body == "", "current.body", "is for method POST; a GET has no body"),
		target.CheckError("current.body", c.Body.validate()),
		target.Check(c.Requested != "", "current.requested", "is empty; it says where the answer has the number of replicas, as in spec.replicas"),
		target.CheckError("current.requested", c.Requested.validate()),
		target.CheckError("current.ready", c.Ready.validate()),
		target.CheckError("current.min", c.Min.validate()),
		target.CheckError("current.max", c.Max.validate()),
	)
}

func (c *ScaleConfig) validate() error {
	methods := []string{http.MethodPut, http.MethodPost, http.MethodPatch}
	return cmp.Or(
		target.Check(slices.Contains(methods, c.Method), "scale.method", "%q is none of PUT, POST and PATCH", c.Method),
		target.Check(c.ContentType != "", "scale.content_type", "is empty; the default is application/json"),
		target.CheckError("scale.body", c.Body.validate()),
		target.CheckError("scale.body", c.renders(values{Policy: "policy", Target: "target", ScaleTarget: "scale_target"})),
	)
}

// renders checks what the body becomes for a target: another number must make
// another body, and JSON must be JSON.
func (c *ScaleConfig) renders(v values) error {
	v.Desired = 1
	one, errOne := c.Body.render(v)
	v.Desired = 1234567
	many, err := c.Body.render(v)
	switch {
	case errOne != nil || err != nil:
		return cmp.Or(errOne, err)
	case one == many:
		return fmt.Errorf("%q is the same for every number of replicas; {{.Desired}} is the number", one)
	case isJSON(c.ContentType) && !json.Valid([]byte(many)):
		return fmt.Errorf("it renders %q, which is not JSON, and content_type is %s; {{json .Target}} quotes what is not a number", many, c.ContentType)
	}
	return nil
}

// New implements target.Config. Nothing is dialed.
func (c *Config) New(o target.Options) (target.Target, error) { return newRemote(c, o) }

var _ config.DirectorySetter = (*Config)(nil)
