package clock

import "time"

// sinceNow is the time since it was called, by Go's monotonic clock.
func sinceNow() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
