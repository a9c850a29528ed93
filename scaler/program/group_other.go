//go:build !unix

package program

import "syscall"

// There are no process groups and no SIGTERM here.

func sysProcAttr() *syscall.SysProcAttr { return nil }

func (g *Group) awaitExit() { g.collect() }
func (g *Group) terminate() { _ = g.cmd.Process.Kill() }
func (g *Group) kill()      { _ = g.cmd.Process.Kill() }
