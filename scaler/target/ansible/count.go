package ansible

import (
	"context"
	"sync"
	"time"
)

// source reads how many replicas there are. op says what for, in errors.
type source interface {
	read(ctx context.Context, op string) (counts, error)
}

// fresh is how long a count may be used again. To count takes a second of
// computing where Ansible does it.
const fresh = time.Second

// cached is a source that asks at most once at a time and once a second. All
// methods are safe for concurrent use.
type cached struct {
	source source
	asking chan struct{} // holds one token: whoever has it asks

	mu    sync.Mutex
	known counts
	at    time.Time // zero: nothing is known
	age   int       // moves with each forget
}

func newCached(s source) *cached { return &cached{source: s, asking: make(chan struct{}, 1)} }

// read returns a count that is fresh, or that was begun to be read after it was
// asked for: a read that takes longer than it stays fresh still serves all who
// waited for it.
func (c *cached) read(ctx context.Context, op string) (counts, error) {
	came := time.Now()
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-ctx.Done():
		return counts{}, failure(op, ctx.Err())
	}
	c.mu.Lock()
	known, at, age := c.known, c.at, c.age
	c.mu.Unlock()
	if time.Since(at) < fresh || at.After(came) {
		return known, nil
	}
	began := time.Now()
	n, err := c.source.read(ctx, op)
	if err != nil {
		return counts{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age == c.age {
		c.known, c.at = n, began
	}
	return n, nil
}

// forget makes the next read ask, also where one is asking already: what that
// finds may be from before.
func (c *cached) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Time{}
	c.age++
}
