package process

import (
	"math/rand/v2"
	"time"
)

// The delays before a replica that died is started again.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 30 * time.Second
	// stableAfter is how long a replica must have run for its next death to
	// count as the first one again.
	stableAfter = 10 * time.Second
)

// backoff doubles from backoffMin to backoffMax. The zero value is ready.
type backoff struct{ last time.Duration }

// next returns how long to wait after a run that lasted ran. A fifth of it is
// random, so that replicas that died together do not come back together.
func (b *backoff) next(ran time.Duration) time.Duration {
	switch {
	case ran >= stableAfter || b.last == 0:
		b.last = backoffMin
	default:
		b.last = min(2*b.last, backoffMax)
	}
	return b.last - rand.N(b.last/5)
}
