//go:build !unix

package ansible

import "syscall"

// There are no process groups and no SIGTERM here, and no Ansible either; only
// the awx platform is of use.

func sysProcAttr() *syscall.SysProcAttr { return nil }

func (g *group) awaitExit() { g.collect() }
func (g *group) terminate() { _ = g.cmd.Process.Kill() }
func (g *group) kill()      { _ = g.cmd.Process.Kill() }
