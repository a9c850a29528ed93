// Package config turns a YAML file into values that are valid: a Config that
// was loaded needs no further checks. Decoding is strict, defaults are set,
// and every error names the file, the line, the key and what would be right.
package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Config is a whole configuration file.
type Config struct {
	Global       Global        `yaml:"global"`
	Prometheus   *Prometheus   `yaml:"prometheus,omitempty"`
	Alertmanager *Alertmanager `yaml:"alertmanager,omitempty"`
	// Budgets are limits that policies share.
	Budgets []*Budget `yaml:"budgets,omitempty"`
	// Templates are what policies of discovered things are made from.
	Templates []*Template `yaml:"policy_templates,omitempty"`
	// Discovery says where to look for them.
	Discovery []*Discovery `yaml:"discovery,omitempty"`
	// Policies may be none where there is a discovery.
	Policies []*Policy `yaml:"policies,omitempty"`

	// source is what it was loaded from, for errors that come later.
	source source
}

// source is a file and the nodes in it.
type source struct {
	file string
	root *yaml.Node
}

// Global holds what applies to every policy.
type Global struct {
	// EvaluationInterval of the policies that set none.
	EvaluationInterval Duration `yaml:"evaluation_interval"`
	// Mode of the policies that set none.
	Mode policy.Mode `yaml:"mode"`
	// AlertTTL is how long a firing alert counts without being repeated,
	// where no Alertmanager is configured.
	AlertTTL Duration `yaml:"alert_ttl"`
	// FleetGuard is the share of the policies of which no more may want to go
	// down within a minute, or all hold; 1 switches it off.
	FleetGuard float64 `yaml:"fleet_guard"`
}

// Prometheus is where usage is read.
type Prometheus struct {
	URL URL `yaml:"url"`
	// Timeout of one query.
	Timeout Duration `yaml:"timeout"`
	// MaxStaleness is how old a sample may be and still count.
	MaxStaleness     Duration                   `yaml:"max_staleness"`
	HTTPClientConfig commoncfg.HTTPClientConfig `yaml:",inline"`
}

// Alertmanager is whom the book of alerts is reconciled with.
type Alertmanager struct {
	URL URL `yaml:"url"`
	// ResyncInterval is how often its alerts are read.
	ResyncInterval Duration `yaml:"resync_interval"`
	Timeout        Duration `yaml:"timeout"`
	// Confirm has a notification only wake: an alert counts once Alertmanager
	// lists it.
	Confirm          bool                       `yaml:"confirm"`
	HTTPClientConfig commoncfg.HTTPClientConfig `yaml:",inline"`
}

// rawPrometheus and rawAlertmanager decode without the defaults, which
// UnmarshalYAML has set already.
type (
	rawPrometheus   Prometheus
	rawAlertmanager Alertmanager
)

// UnmarshalYAML sets the defaults and decodes.
func (c *Prometheus) UnmarshalYAML(unmarshal func(any) error) error {
	*c = Prometheus{
		Timeout:          Duration(10 * time.Second),
		MaxStaleness:     Duration(2 * time.Minute),
		HTTPClientConfig: commoncfg.DefaultHTTPClientConfig,
	}
	return unmarshal((*rawPrometheus)(c))
}

// UnmarshalYAML sets the defaults and decodes.
func (c *Alertmanager) UnmarshalYAML(unmarshal func(any) error) error {
	*c = Alertmanager{
		ResyncInterval:   Duration(30 * time.Second),
		Confirm:          true,
		Timeout:          Duration(10 * time.Second),
		HTTPClientConfig: commoncfg.DefaultHTTPClientConfig,
	}
	return unmarshal((*rawAlertmanager)(c))
}

// LoadFile reads and validates the file. Relative paths in it are relative to
// its directory.
func LoadFile(name string, platforms *target.Registry) (*Config, error) {
	b, err := readFile(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(b) > maxFile {
		return nil, yamlfile.Errors{{File: name, Msg: fmt.Sprintf("the file is larger than %d MiB; is it the configuration?", maxFile>>20)}}
	}
	return Load(name, b, platforms)
}

// maxFile is the largest file that is read.
const maxFile = 16 << 20

// readFile reads a byte more than the largest file has, at most.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Load decodes and validates b; name is what errors call it.
func Load(name string, b []byte, platforms *target.Registry) (*Config, error) {
	c := &Config{
		Global: Global{
			EvaluationInterval: Duration(15 * time.Second),
			Mode:               policy.ModeOn,
			AlertTTL:           Duration(time.Hour),
			FleetGuard:         0.3,
		},
	}
	root, err := Decode(name, b, platforms, c)
	if err != nil {
		return nil, err
	}
	if root.IsZero() {
		return nil, yamlfile.Errors{{File: name, Msg: "the file is empty; at least one policy is needed"}}
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("find the directory of %s, to which paths in it are relative: %w", name, err)
	}
	v := &validator{Checker: yamlfile.Checker{File: name, Root: root}, dir: dir, platforms: platforms}
	v.config(c)
	v.OneDocument(b)
	if len(v.Errs) > 0 {
		return nil, v.Errs
	}
	c.source = source{file: name, root: root}
	return c, nil
}

// String renders the configuration as YAML with its defaults filled in and
// its secrets hidden.
func (c *Config) String() string {
	var n yaml.Node
	if err := n.Encode(c); err != nil {
		return cannotRender(err)
	}
	hide(&n, reflect.ValueOf(c))
	b, err := yaml.Marshal(&n)
	if err != nil {
		return cannotRender(err)
	}
	return string(b)
}

func cannotRender(err error) string {
	return fmt.Sprintf("# the configuration cannot be rendered: %s\n", err)
}
