//go:build !unix

package program

import "syscall"

// There are no process groups and no SIGTERM here: a program is its one process,
// and to stop it is to kill it.

func sysProcAttr() *syscall.SysProcAttr { return nil }

func (l *leader) awaitExit()      { _ = l.collect() }
func (l *leader) terminate()      { _ = l.cmd.Process.Kill() }
func (l *leader) kill()           { _ = l.cmd.Process.Kill() }
func (l *leader) groupGone() bool { return true }
