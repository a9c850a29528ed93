//go:build unix && !linux

package program

import "syscall"

// sysProcAttr gives a program a process group of its own. There is no
// parent-death signal here: a program outlives a server that is killed.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit collects the leader: exiting cannot be waited for without it here.
// What is then signalled by its pid is still the group, unless that is empty
// and the pid was given away within the same moment.
func (l *leader) awaitExit() { _ = l.collect() }

func (l *leader) terminate()      { _ = syscall.Kill(-l.Pid(), syscall.SIGTERM) }
func (l *leader) kill()           { _ = syscall.Kill(-l.Pid(), syscall.SIGKILL) }
func (l *leader) groupGone() bool { return syscall.Kill(-l.Pid(), 0) != nil }
