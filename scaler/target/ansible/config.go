package ansible

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	// are given beside the usual ones, see program.Environ; Env is added to
	// these.
	PassEnv []string          `yaml:"pass_env,omitempty"`
	Env     map[string]string `yaml:"env,omitempty"`
	// Dir is the working directory; empty: the playbook's, so that an
	// ansible.cfg beside it is found.
	Dir string `yaml:"dir,omitempty"`
	// AnsiblePlaybook is the program; ansible-inventory is looked for beside
	// it, or in PATH where it has no slash.
	AnsiblePlaybook string `yaml:"ansible_playbook"`
	// MaxOutput is how much is kept of what one run prints: its beginning and
	// its end.
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

// SetDirectory makes relative paths, and programs given with a slash, relative
// to dir, the directory of the configuration file.
func (c *Config) SetDirectory(dir string) {
	c.Playbook = target.JoinPath(dir, c.Playbook)
	if !hostList(c.Inventory) {
		c.Inventory = target.JoinPath(dir, c.Inventory)
	}
	c.Dir = target.JoinPath(dir, c.Dir)
	c.AnsiblePlaybook = target.JoinProgram(dir, c.AnsiblePlaybook)
	c.Current.setDirectory(dir)
}

// hostList reports whether an inventory is no file but names its hosts, which
// Ansible tells by a comma.
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

// Validate implements target.Config. It looks at this host: files and commands
// that are named must be there. Ansible itself is only asked for when it is
// needed.
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

// dir is the working directory of the programs.
func (c *Config) dir() string { return cmp.Or(c.Dir, filepath.Dir(c.Playbook)) }

// New implements target.Config. Nothing is started.
func (c *Config) New(o target.Options) (target.Target, error) {
	return newPlaybook(c, o), nil
}

var _ config.DirectorySetter = (*Config)(nil)
