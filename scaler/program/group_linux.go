package program

import (
	"errors"
	"os"
	"strconv"
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
func (l *leader) awaitExit() {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, l.Pid(), &info, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (l *leader) terminate() { _ = unix.Kill(-l.Pid(), unix.SIGTERM) }
func (l *leader) kill()      { _ = unix.Kill(-l.Pid(), unix.SIGKILL) }

// groupGone reports whether nothing but the leader is left of the group.
// Members that became this process' own children, as orphans do where it is
// the first process of a container, are reaped here: nobody else would.
func (l *leader) groupGone() bool {
	groups, err := Groups()
	if err != nil {
		return true
	}
	gone := true
	for _, pid := range groups[l.Pid()] {
		if pid == l.Pid() {
			continue
		}
		if reaped, _ := unix.Wait4(pid, nil, unix.WNOHANG, nil); reaped != pid {
			gone = false
		}
	}
	return gone
}

// Groups returns the pids of this host's processes by process group; it is there
// on Linux alone. It asks the kernel for one number a process, which is much
// cheaper than reading a file of each.
func Groups() (map[int][]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	groups := make(map[int][]int)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if pgid, err := unix.Getpgid(pid); err == nil {
			groups[pgid] = append(groups[pgid], pid)
		}
	}
	return groups, nil
}
