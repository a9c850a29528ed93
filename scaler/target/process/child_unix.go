//go:build unix && !linux

package process

import "syscall"

// sysProcAttr gives a replica a process group of its own. There is no
// parent-death signal here: replicas outlive a server that is killed.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit returns when the leader has exited and was reaped.
func (c *child) awaitExit() { c.waitOnce() }

func (c *child) terminate()      { _ = syscall.Kill(-c.pid(), syscall.SIGTERM) }
func (c *child) kill()           { _ = syscall.Kill(-c.pid(), syscall.SIGKILL) }
func (c *child) groupGone() bool { return syscall.Kill(-c.pid(), 0) != nil }
