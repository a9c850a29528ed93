package kubernetes

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a program a process group of its own, all of which is killed
// with it; the kernel ends the program when this server is gone.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
