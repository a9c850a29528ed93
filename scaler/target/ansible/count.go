package ansible

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// counts is how many replicas there are, as far as anyone can read.
type counts struct {
	requested, ready int
}

// counted is what both targets have in common: they count what somebody else
// makes, and remember the last request.
type counted struct {
	options  target.Options
	logger   log.Logger
	current  *cached
	requests requests
	// A run is a playbook or a job, and is of what has this key and this value
	// in logs.
	run, key, value string
}

// count is the target as it is, or was a moment ago.
func (t *counted) count(ctx context.Context, op string) (target.State, error) {
	c, err := t.current.read(ctx, op, false)
	if err != nil {
		return target.State{}, err
	}
	return t.state(c), nil
}

// due counts for a change to desired, and returns what there is requested. A
// change that is not to be made is an error.
func (t *counted) due(ctx context.Context, op string, desired int) (requested int, err error) {
	if err := t.requests.admit(op, desired); err != nil {
		return 0, err
	}
	c, err := t.current.read(ctx, op, true)
	if err == nil && t.state(c).Requested == desired {
		err = target.Errorf(target.KindNoOp, op, "there are %d replicas already", desired)
	}
	return c.requested, err
}

func (t *counted) state(c counts) target.State {
	s, lost := t.requests.state(c, time.Now())
	if lost != nil {
		level.Error(t.logger).Log("msg", t.run+" did not set the number", t.key, t.value, "err", lost)
	}
	return s
}

// source reads how many replicas there are, not as it was before since where
// that is given. op says what for, in errors.
type source interface {
	read(ctx context.Context, op string, since time.Time) (counts, error)
}

// group is the source that a group of an inventory is.
type group struct {
	hosts func(ctx context.Context, op string, since time.Time) (int, error)
	ready *counter // nil: all hosts are
}

func (g *group) read(ctx context.Context, op string, since time.Time) (counts, error) {
	n, err := g.hosts(ctx, op, since)
	if err != nil || g.ready == nil {
		return counts{n, n}, err
	}
	ready, err := g.ready.number(ctx, op)
	return counts{n, ready}, err
}

// fresh is how long a count may be used again. To count takes a second of
// computing where Ansible does it.
const fresh = time.Second

// cached is a source that asks at most once at a time and once a second. Unlike
// share.Readings it asks with the context of whoever needs the count, so that an
// error says what did not come to an end in time. All methods are safe for
// concurrent use.
type cached struct {
	source source
	now    func() time.Time
	asking share.Lock // whoever has it asks
	known  atomic.Pointer[reading]
}

type reading struct {
	counts
	began   time.Time // zero: nothing is known
	exactly bool
}

func newCached(s source) *cached {
	c := &cached{source: s, now: time.Now}
	c.known.Store(new(reading))
	return c
}

// read returns a count that is fresh, or that was begun to be read after it was
// asked for: a read that takes longer than it stays fresh still serves all who
// waited for it. Where a change depends on it exactly, the source does not go by
// what it knows from earlier either.
func (c *cached) read(ctx context.Context, op string, exactly bool) (counts, error) {
	came := c.now()
	if err := c.asking.Lock(ctx); err != nil {
		return counts{}, failure(op, err)
	}
	defer c.asking.Unlock()
	known := c.known.Load()
	if (known.exactly || !exactly) && (c.now().Sub(known.began) < fresh || known.began.After(came)) {
		return known.counts, nil
	}
	next, since := &reading{began: c.now(), exactly: exactly}, time.Time{}
	if exactly {
		since = next.began.Add(-fresh)
	}
	var err error
	if next.counts, err = c.source.read(ctx, op, since); err != nil {
		return counts{}, err
	}
	c.known.CompareAndSwap(known, next) // else it was forgotten meanwhile
	return next.counts, nil
}

// forget makes the next read ask, also where one is asking already: what that
// finds may be from before.
func (c *cached) forget() { c.known.Store(new(reading)) }
