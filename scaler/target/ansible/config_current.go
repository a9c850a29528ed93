package ansible

import (
	"cmp"
	"context"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// CurrentConfig says how many replicas there are: a group's hosts, or what a
// command prints.
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

// source is what the configuration says to count by; hosts counts those of the
// group.
func (c *CurrentConfig) source(e environment, hosts func(ctx context.Context, op string, since time.Time) (int, error)) source {
	if c.Group == "" {
		return &counter{e, c.Command}
	}
	g := &group{hosts: hosts}
	if c.Ready != nil {
		g.ready = &counter{e, c.Ready.Command}
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
