package ansible

import (
	"context"
	"fmt"
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
	switch {
	case (c.Group == "") == (len(c.Command) == 0):
		return &target.FieldError{Field: "current", Msg: `must have one of group and command, as in current: { group: web }`}
	case file && c.Inventory != "":
		return &target.FieldError{Field: "current.inventory", Msg: "is the target's own key inventory here"}
	case !file && (c.Group == "") != (c.Inventory == ""):
		return &target.FieldError{Field: "current", Msg: `group and inventory go together, as in current: { inventory: Production, group: web }`}
	case c.Ready != nil && c.Group == "":
		return &target.FieldError{Field: "current.ready", Msg: `goes with group; a command prints {"requested": 3, "ready": 2} itself`}
	}
	if c.Group == "" {
		return validateCommand("current.command", c.Command)
	}
	if c.Ready != nil {
		return validateCommand("current.ready.command", c.Ready.Command)
	}
	return nil
}

func validateCommand(field string, command []string) error {
	if len(command) == 0 || command[0] == "" {
		return &target.FieldError{Field: field, Msg: `must name a program, as in ["./count", "web"]`}
	}
	if err := program.Runnable(command[0]); err != nil {
		return &target.FieldError{Field: field, Msg: fmt.Sprintf("program %q cannot be run: %v", command[0], err)}
	}
	return nil
}
