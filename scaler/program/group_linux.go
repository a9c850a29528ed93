package program

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// sysProcAttr gives a program a process group of its own, and has the kernel
// end its leader when this server is gone, however that happened.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit returns when the leader has exited, and leaves it unreaped: its
// pid, and with it the group's, cannot be anyone else's until then.
func (g *Group) awaitExit() {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, g.cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (g *Group) terminate() { _ = unix.Kill(-g.cmd.Process.Pid, unix.SIGTERM) }
func (g *Group) kill()      { _ = unix.Kill(-g.cmd.Process.Pid, unix.SIGKILL) }
