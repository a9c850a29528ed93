package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// systemElapsed is the time since the machine booted, suspension included.
func systemElapsed() func() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return sinceNow()
	}
	return func() time.Duration {
		var ts unix.Timespec
		// It cannot fail where it has not.
		_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
		return time.Duration(ts.Nano())
	}
}
