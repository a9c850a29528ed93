//go:build unix

package realtest

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime is what the test's process has used of the processors, in the kernel
// too. Unlike the time of day, it does not run while others have them.
func CPUTime(t testing.TB) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
