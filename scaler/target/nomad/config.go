package nomad

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// defaultAddress is that of an agent on this machine.
const defaultAddress = "http://127.0.0.1:4646"

// Config is the configuration of a task group, under the key nomad.
type Config struct {
	// Address of any agent. Empty: NOMAD_ADDR, else an agent on this machine.
	Address string `yaml:"address,omitempty"`
	// Region and Namespace of the job. Empty: the agent's region, and the
	// namespace default.
	Region    string `yaml:"region,omitempty"`
	Namespace string `yaml:"namespace,omitempty"`
	// Token needs the capabilities read-job and scale-job. TokenFile has it in
	// a file, which is read at every request.
	Token     config.Secret     `yaml:"token,omitempty"`
	TokenFile string            `yaml:"token_file,omitempty"`
	TLSConfig *config.TLSConfig `yaml:"tls_config,omitempty"`
	// Job is the job's ID, Group one of its task groups.
	Job   string `yaml:"job"`
	Group string `yaml:"group"`
}

// NewConfig returns a configuration with its defaults set.
func NewConfig() target.Config { return &Config{} }

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = Config{}
	type plain Config
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative file names relative to dir.
func (c *Config) SetDirectory(dir string) {
	c.TokenFile = target.JoinPath(dir, c.TokenFile)
	c.TLSConfig.SetDirectory(dir)
}

// Platform implements target.Config.
func (*Config) Platform() string { return "nomad" }

// Identity implements target.Config.
func (c *Config) Identity() string {
	id := fmt.Sprintf("nomad %s %s/%s/%s", c.address(), c.namespace(), c.Job, c.Group)
	if c.Region != "" {
		id += " in " + c.Region
	}
	return id
}

// address is the agent's after the defaults.
func (c *Config) address() string {
	return strings.TrimSuffix(cmp.Or(c.Address, os.Getenv("NOMAD_ADDR"), defaultAddress), "/")
}

func (c *Config) namespace() string { return cmp.Or(c.Namespace, "default") }

// FilesSum implements target.Files.
func (c *Config) FilesSum() string {
	return share.Files(append(share.TLS(c.TLSConfig), c.TokenFile)...).String()
}

// Validate implements target.Config. It asks no agent.
func (c *Config) Validate() error {
	switch {
	case c.Job == "":
		return &target.FieldError{Field: "job", Msg: "must name a job, as `nomad job status` shows it"}
	case c.Group == "":
		return &target.FieldError{Field: "group", Msg: "must name a task group of the job, as `nomad job status " + c.Job + "` shows it"}
	case c.Namespace == "*":
		return &target.FieldError{Field: "namespace", Msg: "must be one namespace; * is all of them"}
	case c.Token != "" && c.TokenFile != "":
		return &target.FieldError{Field: "token", Msg: "at most one of token and token_file may be there"}
	}
	u, err := url.Parse(c.address())
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
		return &target.FieldError{Field: "address", Msg: "is not an address such as " + defaultAddress}
	}
	if u.User != nil {
		return &target.FieldError{Field: "address", Msg: "must not have credentials in it; they belong in token or token_file"}
	}
	if c.TLSConfig != nil {
		if u.Scheme != "https" {
			return &target.FieldError{Field: "tls_config", Msg: "is for https:// addresses, and the address is " + c.address()}
		}
		if err := c.TLSConfig.Validate(); err != nil {
			return &target.FieldError{Field: "tls_config", Msg: err.Error()}
		}
	}
	return nil
}

// token returns the token of this moment; empty: none is sent.
func (c *Config) token() (string, error) {
	if c.TokenFile == "" {
		return string(c.Token), nil
	}
	b, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// New implements target.Config. Nothing is dialed.
func (c *Config) New(o target.Options) (target.Target, error) { return newGroup(c, o) }

var (
	_ target.Config          = (*Config)(nil)
	_ target.Files           = (*Config)(nil)
	_ config.DirectorySetter = (*Config)(nil)
)
