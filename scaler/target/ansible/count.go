package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/program"
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
	ready, err := g.ready.read(ctx, op, since)
	return counts{n, ready.ready}, err
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

// Bounds of the programs that count.
const (
	countTimeout   = 30 * time.Second // where the caller has no deadline before
	maxCount       = 64 << 10         // a number
	maxInventory   = 64 << 20         // all hosts with all their variables
	maxErrorOutput = 4 << 10          // what an error quotes
)

// environment is where the programs of a target run.
type environment struct {
	dir string
	env []string
}

// output runs a program that prints limit bytes at most and returns them.
func (e *environment) output(ctx context.Context, op string, argv []string, limit int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	a, err := program.Ask(ctx, program.Command(argv, e.dir, e.env), limit)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, failure(op, fmt.Errorf("run %q: %w", argv, ctx.Err()))
	case program.NeverStarts(err):
		return nil, target.Errorf(target.KindPermanent, op, "run %q: %w", argv, err)
	case err != nil:
		return nil, target.Errorf(target.KindTemporary, op, "run %q: %w: %s", argv, err, a.Said())
	case a.Over:
		return nil, target.Errorf(target.KindTemporary, op, "%q printed more than %d bytes: %q", argv, limit, program.Excerpt(a.Stdout))
	}
	return a.Stdout, nil
}

// failure is an error on the way: temporary, whatever it is.
func failure(op string, err error) error {
	return &target.Error{Kind: target.KindTemporary, Op: op, Err: err}
}

// counter is the source that a command is.
type counter struct {
	environment
	argv   []string
	number bool // it prints nothing but one whole number
}

func (c *counter) read(ctx context.Context, op string, _ time.Time) (counts, error) {
	printed, err := c.output(ctx, op, c.argv, maxCount)
	if err != nil {
		return counts{}, err
	}
	parse, want := parseCounts, `one whole number or {"requested": 3, "ready": 2}`
	if c.number {
		parse, want = parseNumber, "one whole number"
	}
	n, ok := parse(printed)
	if !ok {
		return counts{}, target.Errorf(target.KindTemporary, op, "%q printed %q, want %s", c.argv, program.Excerpt(printed), want)
	}
	return n, nil
}

// parseNumber takes a number for both counts.
func parseNumber(b []byte) (counts, bool) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil || n < 0 {
		return counts{}, false
	}
	return counts{n, n}, true
}

// parseCounts takes a number or both counts. What is missing is not zero.
func parseCounts(b []byte) (counts, bool) {
	if n, ok := parseNumber(b); ok {
		return n, true
	}
	var c struct{ Requested, Ready *int }
	if json.Unmarshal(b, &c) != nil || c.Requested == nil || c.Ready == nil || *c.Requested < 0 || *c.Ready < 0 {
		return counts{}, false
	}
	return counts{*c.Requested, *c.Ready}, true
}
