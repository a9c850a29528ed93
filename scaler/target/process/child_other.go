//go:build !unix

package process

import "syscall"

// There are no process groups and no SIGTERM here: a replica is its one
// process, and stopping is killing.

func sysProcAttr() *syscall.SysProcAttr { return nil }

func (c *child) awaitExit()      { c.waitOnce() }
func (c *child) terminate()      { _ = c.cmd.Process.Kill() }
func (c *child) kill()           { _ = c.cmd.Process.Kill() }
func (c *child) groupGone() bool { return true }
