package ansible

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Config is the configuration of a playbook target, under the key ansible.
type Config struct {
	// Playbook is run for each new count.
	Playbook string `yaml:"playbook"`
	// Inventory is a file, a directory, a program or a list of hosts that has
	// a comma; empty: the one of Ansible's own configuration.
	Inventory string `yaml:"inventory,omitempty"`
	// Current says how many replicas there are.
	Current CurrentConfig `yaml:"current"`
	// ExtraVars are given to the playbook beside those of Alertscaler.
	ExtraVars map[string]any `yaml:"extra_vars,omitempty"`
	// Timeout is the longest that one run may take.
	Timeout model.Duration `yaml:"timeout"`
	// PassEnv names variables of the server's own environment that all programs
	// are given, see program.Environ; Env is added to these.
	PassEnv []string          `yaml:"pass_env,omitempty"`
	Env     map[string]string `yaml:"env,omitempty"`
	// Dir is the working directory; empty: the playbook's, so that an
	// ansible.cfg beside it is found.
	Dir string `yaml:"dir,omitempty"`
	// AnsiblePlaybook is the program; ansible-inventory is looked for beside
	// it, or in PATH where it has no slash.
	AnsiblePlaybook string `yaml:"ansible_playbook"`
	// MaxOutput is how much is kept of a run's output: its beginning and end.
	MaxOutput units.Base2Bytes `yaml:"max_output"`

	inventories *Inventories // nil: of this target's own
}

// Bounds of max_output.
const (
	minMaxOutput = 1 * units.KiB
	maxMaxOutput = 16 * units.MiB
)

// NewConfig returns an ansible configuration with its defaults set.
func NewConfig() target.Config {
	return &Config{
		Timeout:         model.Duration(10 * time.Minute),
		AnsiblePlaybook: "ansible-playbook",
		MaxOutput:       64 * units.KiB,
	}
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = *c.inventories.NewConfig().(*Config)
	type plain Config
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative paths, and programs with a slash, relative to dir.
func (c *Config) SetDirectory(dir string) {
	c.Playbook = target.JoinPath(dir, c.Playbook)
	if !hostList(c.Inventory) {
		c.Inventory = target.JoinPath(dir, c.Inventory)
	}
	c.Dir = target.JoinPath(dir, c.Dir)
	c.AnsiblePlaybook = target.JoinProgram(dir, c.AnsiblePlaybook)
	c.Current.setDirectory(dir)
}

// hostList reports whether an inventory is no file but hosts, with commas.
func hostList(inventory string) bool { return strings.Contains(inventory, ",") }

// Platform implements target.Config.
func (*Config) Platform() string { return "ansible" }

// Identity implements target.Config. Two targets are the same thing where they
// count the same: hosts of one group, or by one command for one playbook with
// the same variables.
func (c *Config) Identity() string {
	if c.Current.Group != "" {
		return fmt.Sprintf("ansible group %s of %s", c.Current.Group, cmp.Or(c.Inventory, "the default inventory"))
	}
	vars, _ := json.Marshal(c.ExtraVars) // Validate has seen to it
	return fmt.Sprintf("ansible %s %s counted by %q", c.Playbook, vars, c.Current.Command)
}

// Validate implements target.Config. Files and commands must be on this host;
// Ansible itself is only asked for when it is needed.
func (c *Config) Validate() error {
	if c.Playbook == "" {
		return &target.FieldError{Field: "playbook", Msg: "must name a playbook, as in playbook: scale.yml"}
	}
	playbook, err := os.Stat(c.Playbook)
	if err != nil {
		return target.CheckError("playbook", err)
	}
	if c.Inventory != "" && !hostList(c.Inventory) {
		_, err = os.Stat(c.Inventory)
	}
	return cmp.Or(
		target.Check(!playbook.IsDir(), "playbook", "%s is a directory", c.Playbook),
		target.CheckError("inventory", err),
		program.ValidateDir(c.Dir),
		target.Check(c.Timeout > 0, "timeout", "must be above zero"),
		target.Check(c.AnsiblePlaybook != "", "ansible_playbook", "must name the program; leave it out for the one in PATH"),
		target.Check(c.MaxOutput >= minMaxOutput && c.MaxOutput <= maxMaxOutput, "max_output", "%s is not from %s to %s", c.MaxOutput, minMaxOutput, maxMaxOutput),
		program.ValidateEnviron(c.PassEnv, c.Env),
		validateExtraVars(c.ExtraVars),
		c.Current.validate(true),
	)
}

// New implements target.Config. Nothing is started.
func (c *Config) New(o target.Options) (target.Target, error) {
	return newPlaybook(c, o), nil
}

var _ config.DirectorySetter = (*Config)(nil)

// CurrentConfig says how many replicas there are: by a group or by a command.
type CurrentConfig struct {
	// Group of the inventory whose hosts are the replicas, those of its child
	// groups among them.
	Group string `yaml:"group,omitempty"`
	// Inventory that has the group, by name or id; for awx alone.
	Inventory string `yaml:"inventory,omitempty"`
	// Command prints one whole number, or {"requested": 3, "ready": 2}.
	Command []string `yaml:"command,omitempty"`
	// Ready counts the hosts of the group that serve; nil: all of them do.
	Ready *CommandConfig `yaml:"ready,omitempty"`
}

// CommandConfig is a program that prints one whole number.
type CommandConfig struct {
	// Command is the program and its arguments. There is no shell.
	Command []string `yaml:"command"`
}

// source is what counts; hosts counts those of the group.
func (c *CurrentConfig) source(e environment, hosts func(ctx context.Context, op string, since time.Time) (int, error)) source {
	if c.Group == "" {
		return &counter{environment: e, argv: c.Command}
	}
	g := &group{hosts: hosts}
	if c.Ready != nil {
		g.ready = &counter{environment: e, argv: c.Ready.Command, number: true}
	}
	return g
}

func (c *CurrentConfig) setDirectory(dir string) {
	c.Command = target.JoinCommand(dir, c.Command)
	if c.Ready != nil {
		c.Ready.Command = target.JoinCommand(dir, c.Ready.Command)
	}
}

// validate checks what there is. In a file the group's inventory is the
// target's; a controller has many.
func (c *CurrentConfig) validate(file bool) error {
	grouped := c.Group != ""
	err := cmp.Or(
		target.Check(grouped != (len(c.Command) > 0), "current", "must have one of group and command, as in current: { group: web }"),
		target.Check(!file || c.Inventory == "", "current.inventory", "is the target's own key inventory here"),
		target.Check(file || grouped == (c.Inventory != ""), "current", "group and inventory go together, as in current: { inventory: Production, group: web }"),
		target.Check(c.Ready == nil || grouped, "current.ready", `goes with group; a command prints {"requested": 3, "ready": 2} itself`),
	)
	switch {
	case err != nil:
		return err
	case !grouped:
		return validateCommand("current.command", c.Command)
	case c.Ready != nil:
		return validateCommand("current.ready.command", c.Ready.Command)
	}
	return nil
}

func validateCommand(field string, command []string) error {
	if len(command) == 0 || command[0] == "" {
		return &target.FieldError{Field: field, Msg: `must name a program, as in ["./count", "web"]`}
	}
	err := program.Runnable(command[0])
	return target.Check(err == nil, field, "program %q cannot be run: %v", command[0], err)
}
