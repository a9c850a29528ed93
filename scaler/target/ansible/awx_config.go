package ansible

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// AWXConfig is the configuration of a job template, under the key awx.
type AWXConfig struct {
	// URL of the controller; /api/v2 is added unless it has a path of an API
	// already, such as /api/controller/v2.
	URL string `yaml:"url"`
	// JobTemplate is launched for each new count: its id, or its name where
	// that is the only one.
	JobTemplate string `yaml:"job_template"`
	// Current says how many replicas there are: the enabled hosts of a group
	// of one of the controller's inventories, or what a command prints.
	Current CurrentConfig `yaml:"current"`
	// ExtraVars are given to the job beside those of Alertscaler.
	ExtraVars map[string]any `yaml:"extra_vars,omitempty"`
	// PassEnv names variables of the server's own environment that the programs
	// are given, see program.Environ.
	PassEnv []string `yaml:"pass_env,omitempty"`
	// HTTPClientConfig has the credentials: authorization, basic_auth, ...
	HTTPClientConfig config.HTTPClientConfig `yaml:",inline"`
}

// NewAWXConfig returns an awx configuration with its defaults set.
func NewAWXConfig() target.Config {
	return &AWXConfig{HTTPClientConfig: config.DefaultHTTPClientConfig}
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *AWXConfig) UnmarshalYAML(unmarshal func(any) error) error {
	*c = *NewAWXConfig().(*AWXConfig)
	type plain AWXConfig
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative paths relative to dir.
func (c *AWXConfig) SetDirectory(dir string) {
	c.HTTPClientConfig.SetDirectory(dir)
	c.Current.setDirectory(dir)
}

// Platform implements target.Config.
func (*AWXConfig) Platform() string { return "awx" }

// Identity implements target.Config; see Config.Identity.
func (c *AWXConfig) Identity() string {
	root, _ := c.root() // Validate has seen to both
	if c.Current.Group != "" {
		return fmt.Sprintf("awx %s group %s of %s", root, c.Current.Group, c.Current.Inventory)
	}
	vars, _ := json.Marshal(c.ExtraVars)
	return fmt.Sprintf("awx %s %s %s counted by %q", root, c.JobTemplate, vars, c.Current.Command)
}

// root is the URL of the API, with a slash at its end.
func (c *AWXConfig) root() (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", err
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not an address such as https://awx.example.com", c.URL)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !strings.Contains(u.Path, "/api/") {
		u.Path += "/api/v2"
	}
	return u.String() + "/", nil
}

// Validate implements target.Config. It does not ask the controller.
func (c *AWXConfig) Validate() error {
	_, err := c.root()
	return cmp.Or(
		target.CheckError("url", err),
		target.Check(c.JobTemplate != "", "job_template", "must be the id or the name of a job template"),
		c.HTTPClientConfig.Validate(),
		program.ValidateEnviron(c.PassEnv, nil),
		validateExtraVars(c.ExtraVars),
		c.Current.validate(false),
	)
}

// New implements target.Config. Nothing is dialed.
func (c *AWXConfig) New(o target.Options) (target.Target, error) {
	root, err := c.root()
	if err != nil {
		return nil, err
	}
	client := o.HTTPClient
	if client == nil {
		if client, err = outgoing.NewClient(c.HTTPClientConfig, "awx"); err != nil {
			return nil, fmt.Errorf("client of %s: %w", root, err)
		}
		if c.HTTPClientConfig.FollowRedirects {
			client.CheckRedirect = outgoing.StayUnlessRead
		}
	}
	return newJobTemplate(c, o, &controller{root: root, client: client}), nil
}

// controller is the API of one controller.
type controller struct {
	root   string
	client *http.Client
}

var _ config.DirectorySetter = (*AWXConfig)(nil)
