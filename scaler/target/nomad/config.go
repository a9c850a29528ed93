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
	u, err := url.Parse(c.address())
	if err != nil || strings.Trim(u.Path, "/") != "" {
		u = new(url.URL) // which is no address
	}
	return cmp.Or(
		target.Check(c.Job != "", "job", "must name a job, as `nomad job status` shows it"),
		target.Check(c.Group != "", "group", "must name a task group of the job, as `nomad job status %s` shows it", c.Job),
		target.Check(c.Namespace != "*", "namespace", "must be one namespace; * is all of them"),
		target.Check(c.Token == "" || c.TokenFile == "", "token", "at most one of token and token_file may be there"),
		target.Check(u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"), "address", "is not an address such as %s", defaultAddress),
		target.Check(u.User == nil, "address", "must not have credentials in it; they belong in token or token_file"),
		target.Check(c.TLSConfig == nil || u.Scheme == "https", "tls_config", "is for https:// addresses, and the address is %s", c.address()),
		c.validateTLS(),
	)
}

func (c *Config) validateTLS() error {
	if c.TLSConfig == nil {
		return nil
	}
	return target.CheckError("tls_config", c.TLSConfig.Validate())
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
	_ target.Files           = (*Config)(nil)
	_ config.DirectorySetter = (*Config)(nil)
)
