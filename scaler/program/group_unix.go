//go:build unix && !linux

package program

import "syscall"

// sysProcAttr gives a program a process group of its own. There is no
// parent-death signal here: a program outlives a server that is killed.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit collects the leader: exiting cannot be waited for without it here.
// What is then signalled by its pid is still the group, unless that is empty
// and the pid was given away within the same moment.
func (g *Group) awaitExit() { g.collect() }

func (g *Group) terminate() { _ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGTERM) }
func (g *Group) kill()      { _ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) }
