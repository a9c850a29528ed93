package realtest

import "syscall"

// dieWithParent lets the kernel end the program if the test binary goes without
// its cleanups, as it does after a timeout.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
