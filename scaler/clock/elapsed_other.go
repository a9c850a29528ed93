//go:build !linux

package clock

import "time"

// systemElapsed is Go's monotonic clock, which on most systems stands still
// while the machine is suspended: waking up then is a step that lasts.
func systemElapsed() func() time.Duration { return sinceNow() }
