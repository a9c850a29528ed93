package ledger

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// IDs makes identifiers that sort in the order they were made. The zero value
// is ready to use, and all methods are goroutine-safe.
type IDs struct {
	mu sync.Mutex
	// ms is the timestamp of the last identifier; it never goes back.
	ms      uint64
	entropy *ulid.MonotonicEntropy
}

// NewID returns a ULID that sorts after every other one this IDs has made. Its
// time is now, or that of the last one where the clock was set back since:
// order matters more than the hour.
func (s *IDs) NewID(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.entropy == nil {
		s.entropy = ulid.Monotonic(rand.Reader, 0)
	}
	s.ms = max(s.ms, timestamp(now))
	for {
		id, err := ulid.New(s.ms, s.entropy)
		if err == nil {
			return id.String()
		}
		// The entropy of this millisecond is used up: borrow from the next.
		s.ms++
	}
}

// after makes every later identifier sort behind id.
func (s *IDs) after(id ulid.ULID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ms = max(s.ms, id.Time()+1)
}

// timestamp is t in a ULID's milliseconds. What lies outside the range, such
// as the zero time of a simulated clock, becomes its nearest end.
func timestamp(t time.Time) uint64 {
	ms := t.UnixMilli()
	if ms < 0 {
		return 0
	}
	return min(uint64(ms), ulid.MaxTime()-1)
}

// parseID refuses what NewID cannot have made: the order of keys, retention
// and Query.Since all rest on the time inside.
func parseID(kind, id string) (ulid.ULID, error) {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		return u, fmt.Errorf("%s ID %q is not one made by NewID: %w", kind, id, err)
	}
	return u, nil
}
