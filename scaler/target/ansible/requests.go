package ansible

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// visibleWithin is how long the count may take to follow a run that went well.
// Inventories of clouds are answered from caches.
const visibleWithin = time.Minute

// requests remembers the last request of a target, since nothing else does: a
// playbook leaves no number behind until it is done. The zero value is ready;
// all methods are safe for concurrent use.
type requests struct {
	mu   sync.Mutex // guards last and all that it points to
	last *request   // nil: none since the server started
}

// unknown is from of a request that a server before this one made.
const unknown = -1

// request is one count that was asked for.
type request struct {
	op      string
	desired int
	from    int // what was counted before it, or unknown
	made    time.Time
	ended   time.Time // zero: under way
	err     error     // why it failed
	// shown: what was asked for has been read since. From then on every other
	// count is someone else's doing.
	shown bool
	// answered: the Scale that made it, or a later one, returned err.
	answered bool
	// told: Current has reported err.
	told bool
}

// admit says whether desired may be asked for now. A failure that nobody has
// heard of yet is the answer to whoever asks next.
func (m *requests) admit(op string, desired int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.last
	switch {
	case r == nil:
		return nil
	case r.ended.IsZero() && r.desired == desired:
		return target.Errorf(target.KindNoOp, op, "a run to %d is under way since %s", desired, r.made.Format(time.RFC3339))
	case r.ended.IsZero():
		return target.Errorf(target.KindConflict, op, "a run to %d is under way since %s", r.desired, r.made.Format(time.RFC3339))
	case r.err != nil && !r.answered && !r.told:
		r.answered = true
		return &target.Error{Kind: target.KindOf(r.err), Op: op, RetryAfter: target.RetryAfter(r.err), Err: fmt.Errorf("the run before it: %w", r.err)}
	}
	return nil
}

// begin remembers a request that is under way, made where from were counted.
func (m *requests) begin(op string, from, desired int, made time.Time) *request {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = &request{op: op, from: from, desired: desired, made: made}
	return m.last
}

// end notes how a request ended.
func (m *requests) end(r *request, err error, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.ended, r.err = now, err
}

// answer notes that Scale returns the error of the request.
func (m *requests) answer(r *request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.answered = r.err != nil
	return r.err
}

// state is the target as its counts and the last request make it. lost is the
// request where it just turned out to have come to nothing, for the log.
func (m *requests) state(c counts, now time.Time) (s target.State, lost error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = target.State{Requested: c.requested, Ready: c.ready}
	r := m.last
	if r == nil {
		return s, nil
	}
	switch {
	case r.ended.IsZero():
		s.Requested = r.desired
	case r.err != nil:
	case c.requested == r.desired:
		r.shown = true
	case r.shown:
	case now.Sub(r.ended) < visibleWithin:
		s.Requested = r.desired
	case r.from != unknown && c.requested != r.from:
		lost = target.Errorf(target.KindTemporary, r.op, "the run ended well %s ago, and there are %d replicas now, neither the %d from before nor the %d asked for: it sets another number than %sdesired_replicas, or `current` counts something else", visibleWithin, c.requested, r.from, r.desired, reserved)
	default:
		lost = target.Errorf(target.KindTemporary, r.op, "the run ended well %s ago, and there are %d replicas still: it does not set what `current` counts", visibleWithin, c.requested)
	}
	r.err = cmp.Or(r.err, lost)
	if s.Requested == r.desired {
		s.LastChange = r.made
	}
	if r.err != nil && !r.answered {
		r.told = true
		s.Failed = r.err
	}
	return s, lost
}
