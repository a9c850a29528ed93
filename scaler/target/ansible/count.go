package ansible

import (
	"context"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// source reads how many replicas there are, not as it was before since where
// that is given. op says what for, in errors.
type source interface {
	read(ctx context.Context, op string, since time.Time) (counts, error)
}

// forgetter is a source that keeps what it has read, and is to read anew.
type forgetter interface{ forget() }

// fresh is how long a count may be used again. To count takes a second of
// computing where Ansible does it.
const fresh = time.Second

// cached is a source that asks at most once at a time and once a second. All
// methods are safe for concurrent use.
type cached struct {
	source source
	now    func() time.Time
	asking share.Lock // whoever has it asks

	mu    sync.Mutex
	known counts
	at    time.Time // zero: nothing is known
	exact bool      // it was read for exactly
	age   int       // moves with each forget
}

func newCached(s source) *cached { return &cached{source: s, now: time.Now} }

// read returns a count that is fresh, or that was begun to be read after it was
// asked for: a read that takes longer than it stays fresh still serves all who
// waited for it.
func (c *cached) read(ctx context.Context, op string) (counts, error) {
	return c.get(ctx, op, false)
}

// exactly is read for a change that depends on it: the source does not go by
// what it knows from earlier either.
func (c *cached) exactly(ctx context.Context, op string) (counts, error) {
	return c.get(ctx, op, true)
}

func (c *cached) get(ctx context.Context, op string, exact bool) (counts, error) {
	came := c.now()
	if err := c.asking.Lock(ctx); err != nil {
		return counts{}, failure(op, err)
	}
	defer c.asking.Unlock()
	c.mu.Lock()
	known, at, age, enough := c.known, c.at, c.age, c.exact || !exact
	c.mu.Unlock()
	if enough && (c.now().Sub(at) < fresh || at.After(came)) {
		return known, nil
	}
	began, since := c.now(), time.Time{}
	if exact {
		since = began.Add(-fresh)
	}
	n, err := c.source.read(ctx, op, since)
	if err != nil {
		return counts{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age == c.age {
		c.known, c.at, c.exact = n, began, exact
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
	if f, ok := c.source.(forgetter); ok {
		f.forget()
	}
}
