package process

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// portPlaceholder is what becomes the replica's port in command and env.
const portPlaceholder = "{port}"

// Config is the configuration of a process target, under the key process.
type Config struct {
	// Command is the program and its arguments; the program is looked up in
	// PATH unless it has a slash. {port} becomes a free port of the replica.
	Command []string `yaml:"command"`
	// PassEnv names variables of the server's own environment that replicas are
	// given, see program.Environ; Env is added to these. {port} works in Env, too.
	PassEnv []string          `yaml:"pass_env,omitempty"`
	Env     map[string]string `yaml:"env,omitempty"`
	// Dir is the working directory; empty: the server's.
	Dir string `yaml:"dir,omitempty"`
	// Ready says when a replica serves; nil: once it runs for a second.
	Ready *ReadyConfig `yaml:"ready,omitempty"`
	// StopTimeout is from SIGTERM to SIGKILL; 0 kills at once.
	StopTimeout model.Duration `yaml:"stop_timeout"`
	// MaxReplicas is the most this host may run; 0: no limit of its own.
	MaxReplicas int `yaml:"max_replicas,omitempty"`
	// Capacity is what one replica may use, exported beside what it uses.
	Capacity Capacity `yaml:"capacity,omitempty"`
}

// ReadyConfig is an HTTP probe of the replica's port on 127.0.0.1. Any 2xx is
// ready; three failures in a row make a ready replica unready.
type ReadyConfig struct {
	HTTPPath string `yaml:"http_path"`
	// Interval between two probes of a replica that has been ready; one that
	// is starting is probed more often.
	Interval model.Duration `yaml:"interval"`
	Timeout  model.Duration `yaml:"timeout"`
}

// NewConfig returns a configuration with its defaults set.
func NewConfig() target.Config {
	return &Config{StopTimeout: model.Duration(10 * time.Second)}
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = *NewConfig().(*Config)
	type plain Config
	return unmarshal((*plain)(c))
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *ReadyConfig) UnmarshalYAML(unmarshal func(any) error) error {
	*c = ReadyConfig{
		HTTPPath: "/healthz",
		Interval: model.Duration(time.Second),
		Timeout:  model.Duration(time.Second),
	}
	type plain ReadyConfig
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative paths relative to dir: that of Dir, and that of a
// program given with a slash where there is no Dir for it to be relative to.
func (c *Config) SetDirectory(dir string) {
	if c.Dir == "" {
		c.Command = target.JoinCommand(dir, c.Command)
	}
	c.Dir = target.JoinPath(dir, c.Dir)
}

// Platform implements target.Config.
func (*Config) Platform() string { return "process" }

// Identity implements target.Config. Every target runs copies of its own.
func (*Config) Identity() string { return "" }

// Validate implements target.Config. Program and directory must be on this host.
func (c *Config) Validate() error {
	if len(c.Command) == 0 || c.Command[0] == "" {
		return &target.FieldError{Field: "command", Msg: `must name a program, as in ["./worker", "--port={port}"]`}
	}
	runnable := program.Runnable(c.program())
	return cmp.Or(
		program.ValidateDir(c.Dir),
		target.Check(runnable == nil, "command", "program %q cannot be run: %v", c.Command[0], runnable),
		program.ValidateEnviron(c.PassEnv, c.Env),
		target.Check(c.MaxReplicas >= 0, "max_replicas", "must not be negative; 0 is no limit"),
		c.Ready.validate(c.hasPort()),
		c.Capacity.validate(),
	)
}

func (c *ReadyConfig) validate(hasPort bool) error {
	if c == nil {
		return nil
	}
	return cmp.Or(
		target.Check(strings.HasPrefix(c.HTTPPath, "/"), "ready.http_path", "%q must begin with a slash", c.HTTPPath),
		target.Check(hasPort, "ready", "needs {port} in command or env: the probe would not know where to go"),
		target.Check(c.Interval > 0, "ready.interval", "must be above zero"),
		target.Check(c.Timeout > 0, "ready.timeout", "must be above zero"),
	)
}

// program is the program's path, whatever the working directory of the replica.
func (c *Config) program() string {
	p := c.Command[0]
	if c.Dir != "" && strings.ContainsRune(p, filepath.Separator) && !filepath.IsAbs(p) {
		return target.JoinPath(c.Dir, p)
	}
	return p
}

// hasPort reports whether replicas are given a port.
func (c *Config) hasPort() bool {
	has := func(s string) bool { return strings.Contains(s, portPlaceholder) }
	return slices.ContainsFunc(c.Command, has) || slices.ContainsFunc(slices.Collect(maps.Values(c.Env)), has)
}

// New implements target.Config. Nothing starts, no port is taken and no
// metric is registered before Restore or Scale.
func (c *Config) New(o target.Options) (target.Target, error) {
	return newPool(*c, o), nil
}

var (
	_ target.VictimsConfig   = (*Config)(nil)
	_ config.DirectorySetter = (*Config)(nil)
)

// ChoosesVictims implements target.VictimsConfig.
func (*Config) ChoosesVictims() bool { return true }

// Capacity is what one replica may use. A resource that is absent or zero is
// unknown and not exported.
type Capacity struct {
	// CPU in cores: 0.5 is half a core.
	CPU float64 `yaml:"cpu,omitempty"`
	// Memory in bytes, resident.
	Memory Bytes `yaml:"memory,omitempty"`
	// Disk in bytes per second, read and written together.
	Disk Bytes `yaml:"disk,omitempty"`
	// Network in bytes per second, received and sent together.
	Network Bytes `yaml:"network,omitempty"`
}

// Bytes is a number of bytes, written as a number or with a unit: 128MiB,
// 1.5GB. KiB, MiB, ... are powers of 1024; kB, MB, ... of 1000.
type Bytes int64

// UnmarshalYAML decodes a number or a text with a unit.
func (b *Bytes) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err != nil {
		return err
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(f) || f >= math.MaxInt64 || f <= math.MinInt64 {
			return fmt.Errorf("%q is not a number of bytes", s)
		}
		*b = Bytes(f)
		return nil
	}
	n, err := units.ParseStrictBytes(s)
	if err != nil {
		return fmt.Errorf("%q is not a number of bytes, as 134217728 or 128MiB are", s)
	}
	*b = Bytes(n)
	return nil
}

// amount is one configured capacity.
type amount struct {
	resource string
	value    float64
}

// amounts returns what is configured, by the resources' names in series.
func (c Capacity) amounts() []amount {
	all := []amount{
		{"cpu", c.CPU},
		{"memory", float64(c.Memory)},
		{"disk", float64(c.Disk)},
		{"network", float64(c.Network)},
	}
	return slices.DeleteFunc(all, func(a amount) bool { return a.value == 0 })
}

func (c Capacity) validate() error {
	for _, a := range c.amounts() {
		if math.IsNaN(a.value) || math.IsInf(a.value, 0) || a.value < 0 {
			return &target.FieldError{Field: "capacity." + a.resource, Msg: "must be above zero"}
		}
	}
	return nil
}
