package usage

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// snapshotTTL is for how long one snapshot serves everybody who does not know of
// anything newer.
const snapshotTTL = time.Second

// wantedFor is for how long what was asked for is read for whoever asks next.
// What no policy names any more after a reload is not read for ever.
const wantedFor = time.Hour

var errClosed = errors.New("the reader of usage is closed")

// shared hands one snapshot to all who ask at about the same time.
type shared struct {
	// mu guards what follows, and that no flight begins once the Reader is
	// closed.
	mu   sync.Mutex
	last *flight
	// wanted is what is read together, and when it was last asked for by
	// somebody whom no flight served. Who is served by the flights of others
	// is forgotten after wantedFor too, and that costs another flight.
	wanted map[want]time.Time
	// since is the latest Since of those who wait for the next flight.
	since time.Time
}

// flight is a snapshot that is being read, or was.
type flight struct {
	at time.Time
	// wanted is what it reads.
	wanted map[want]time.Time
	// done is closed once the rest is set.
	done     chan struct{}
	snapshot *snapshot
	landed   time.Time
	// err is why there is no snapshot.
	err error
}

// serves reports whether f answers someone who asks at now about what may have
// changed at since: it reads what is wanted, of no earlier instant than that, and
// is under way for the same instant or nearly so, or has just landed. The latter
// counts from the end, so that a slow Prometheus is not asked again by each of ten
// thousand policies in turn.
func (f *flight) serves(now, since time.Time, wants []want, timeout time.Duration) bool {
	if f == nil || f.at.Before(since) || !f.reads(wants) {
		return false
	}
	select {
	case <-f.done:
		return now.Sub(f.at).Abs() < snapshotTTL || now.Sub(f.landed).Abs() < snapshotTTL
	default:
		return now.Sub(f.at).Abs() <= 2*timeout
	}
}

// wait has the next flight read no earlier than since. The caller holds s.mu.
func (s *shared) wait(since time.Time) {
	if since.After(s.since) {
		s.since = since
	}
}

// outrun reports whether f reads what is wanted and is under way, but of an
// earlier instant than since.
func (f *flight) outrun(since time.Time, wants []want) bool {
	if f == nil || !f.at.Before(since) || !f.reads(wants) {
		return false
	}
	select {
	case <-f.done:
		return false
	default:
		return true
	}
}

// failed reports whether f, which has landed, has brought nothing at all.
func (f *flight) failed() bool {
	if f.err != nil {
		return true
	}
	for _, t := range f.snapshot.tables {
		if t.err == nil {
			return false
		}
	}
	return true
}

// reads reports whether all that is wanted is in f.
func (f *flight) reads(wants []want) bool {
	for _, w := range wants {
		if _, ok := f.wanted[w]; !ok {
			return false
		}
	}
	return true
}

// snapshot returns the one for now, read no earlier than since, or an error where
// ctx or the Reader ends first. The reading itself goes on for the others. Where an
// earlier reading is under way, and nothing can be read, the answer is its failure.
func (r *Reader) snapshot(ctx context.Context, now, since time.Time, wants []want) (*snapshot, error) {
	r.shared.mu.Lock()
	// Where many hear of changes in short order, as of alerts that one evaluation of
	// the rules fired, one flight follows the other and serves all who have heard
	// of theirs by then, rather than each having its own.
	for f := r.shared.last; f.outrun(since, wants) && r.ctx.Err() == nil; f = r.shared.last {
		r.shared.wait(since)
		r.shared.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if f.failed() {
			// What could not be read is not out of date. Another flight would take
			// another time-out where Prometheus hangs.
			return f.snapshot, f.err
		}
		r.shared.mu.Lock()
	}
	if r.ctx.Err() != nil {
		r.shared.mu.Unlock()
		return nil, errClosed
	}
	f := r.shared.last
	if !f.serves(now, since, wants, r.opts.Timeout) {
		for _, w := range wants {
			r.shared.wanted[w] = now
		}
		maps.DeleteFunc(r.shared.wanted, func(_ want, asked time.Time) bool { return now.Sub(asked) > wantedFor })
		r.shared.wait(since)
		at := now
		if r.shared.since.After(at) {
			at = r.shared.since
		}
		r.shared.since = time.Time{}
		f = &flight{at: at, wanted: maps.Clone(r.shared.wanted), done: make(chan struct{})}
		r.shared.last = f
		r.flights.Go(func() {
			f.err = r.guard(func() { f.snapshot = r.load(r.ctx, f.at, f.wanted) })
			f.landed = r.opts.Now()
			close(f.done)
		})
	}
	r.shared.mu.Unlock()

	select {
	case <-f.done:
		return f.snapshot, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
