package process

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// sysProcAttr gives a replica a process group of its own, and has the kernel
// kill its leader when this server is gone, however that happened.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit returns when the leader has exited, and leaves it unreaped.
func (c *child) awaitExit() {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, c.pid(), &info, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (c *child) terminate() { _ = unix.Kill(-c.pid(), unix.SIGTERM) }
func (c *child) kill()      { _ = unix.Kill(-c.pid(), unix.SIGKILL) }

// groupGone reports whether nothing but the leader is left of the group.
// Members that became this process' own children, as orphans do where it is
// the first process of a container, are reaped here: nobody else would.
func (c *child) groupGone() bool {
	groups, err := processGroups()
	if err != nil {
		return true
	}
	gone := true
	for _, pid := range groups[c.pid()] {
		if pid == c.pid() {
			continue
		}
		if reaped, _ := unix.Wait4(pid, nil, unix.WNOHANG, nil); reaped != pid {
			gone = false
		}
	}
	return gone
}

// processGroups returns the processes of this host by process group. It asks
// the kernel for one number a process, which is much cheaper than reading a
// file of each.
func processGroups() (map[int][]int, error) {
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
