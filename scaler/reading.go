package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// reading is one target as last read.
type reading struct {
	name  string
	state target.State
	at    time.Time
	err   error
}

// readings are those of a policy's few targets.
type readings []reading

// of is what was last read of a target; the zero reading where none was.
func (rs readings) of(name string) reading {
	for i := range rs {
		if rs[i].name == name {
			return rs[i]
		}
	}
	return reading{name: name}
}

// has reports whether a target was read, in vain or not.
func (rs readings) has(name string) bool {
	r := rs.of(name)
	return r.err != nil || !r.at.IsZero()
}

// put replaces what was last read of a target.
func (rs *readings) put(r reading) {
	for i := range *rs {
		if (*rs)[i].name == r.name {
			(*rs)[i] = r
			return
		}
	}
	*rs = append(*rs, r)
}

// reader reads the targets of one policy, and remembers what they showed. It
// is used by the evaluation in flight.
type reader struct {
	policy  string
	logger  log.Logger
	now     func() time.Time
	timeout time.Duration // of one reading
	ledger  Ledger
	history *policy.History

	// reads is what was last read of each target.
	reads readings
	// underWay are the readings that were last begun.
	underWay []readingOf
	// patience is for those that do not answer.
	patience patience
	// restored are the targets whose replicas were brought back.
	restored map[target.Target]bool
}

// newReader returns a reader that knows what the history does, until a target
// is read again.
func newReader(e *Engine, name string, logger log.Logger, h *policy.History) reader {
	r := reader{
		policy: name, logger: logger, now: e.opts.Now, timeout: e.opts.PlatformTimeout, ledger: e.opts.Ledger, history: h,
		restored: make(map[target.Target]bool),
	}
	for i := range h.Targets {
		if m := &h.Targets[i]; m.Requested != nil {
			r.reads.put(reading{name: m.Name, at: m.Stands.At, state: target.State{
				Requested: *m.Requested, Ready: m.Ready, Min: m.Stands.Min, Max: m.Stands.Max,
			}})
		}
	}
	return r
}

// read reads those of the setup's targets that are due, side by side, each
// within its own time. The others stay as they were read last.
func (r *reader) read(ctx context.Context, s *setup, due func(boundTarget) bool) {
	r.underWay = r.underWay[:0]
	for i := range s.targets {
		if t := &s.targets[i]; due(*t) {
			r.underWay = append(r.underWay, readingOf{target: t})
		}
	}
	switch n := len(r.underWay); n {
	case 0:
		return
	case 1:
		r.readInto(ctx, &r.underWay[0])
	default:
		r.readAll(ctx, r.underWay)
	}
	for i := range r.underWay {
		if err := r.underWay[i].panicked; err != nil {
			panic(err)
		}
	}
	if ctx.Err() != nil {
		return
	}
	for i := range r.underWay {
		is := r.underWay[i].reading
		r.patience.read(is.name, r.underWay[i].hung, is.at, s.interval)
		if is.err != nil {
			level.Warn(r.logger).Log("msg", "target cannot be read", "target", is.name, "kind", target.KindOf(is.err), "err", is.err)
			// What was last known stays for people to see; it supports no
			// decision.
			last := r.reads.of(is.name)
			is.state, is.at = last.state, last.at
		}
		r.stands(is)
		r.reads.put(is)
	}
}

// readingOf is a target that is being read, and what it answered.
type readingOf struct {
	target   *boundTarget
	reading  reading
	hung     bool
	panicked error
}

// readAll reads several targets side by side.
func (r *reader) readAll(ctx context.Context, all []readingOf) {
	var wg sync.WaitGroup
	for i := range all[1:] {
		wg.Go(func() { r.readInto(ctx, &all[1+i]) })
	}
	r.readInto(ctx, &all[0])
	wg.Wait()
}

// readInto reads one target, which may be in a goroutine of its own: the
// evaluation's guard does not see its panics.
func (r *reader) readInto(ctx context.Context, a *readingOf) {
	a.panicked = recovery.Do(componentReading, func() error {
		state, hung, err := r.readOne(ctx, a.target)
		if p := recovery.Of(err); p != nil {
			return p // in a goroutine of the platform
		}
		a.hung, a.reading = hung, reading{name: a.target.name, state: state, at: r.now(), err: err}
		return nil
	})
}

// readOne asks one target, and reports whether it took all its time in vain.
func (r *reader) readOne(ctx context.Context, t *boundTarget) (s target.State, hung bool, err error) {
	if !r.restored[t.target] {
		return target.State{}, false, errNotRestored
	}
	ctx, cancel := boundedBy(ctx, r.timeout)
	defer cancel()
	s, err = t.target.Current(ctx)
	return s, err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded), err
}

var errNotRestored = errors.New("its replicas have not been brought back yet")

// restore brings replicas back that did not outlive the server, in the number
// last requested. What fails is tried again before the next evaluation; until
// then the target counts as unreadable.
func (r *reader) restore(ctx context.Context, targets []boundTarget) {
	for _, t := range targets {
		if r.restored[t.target] {
			continue
		}
		if err := r.restoreOne(ctx, t); err != nil {
			level.Error(r.logger).Log("msg", "replicas cannot be brought back, trying again", "target", t.name, "err", err)
			continue
		}
		r.restored[t.target] = true
	}
}

func (r *reader) restoreOne(ctx context.Context, t boundTarget) error {
	restorer, ok := t.target.(target.Restorer)
	if !ok {
		return nil
	}
	n, known, err := r.ledger.LastRequested(r.policy, t.name)
	if err != nil {
		return fmt.Errorf("read the number last requested: %w", err)
	}
	if err := restorer.Restore(ctx, n, known); err != nil {
		return fmt.Errorf("bring back %d replicas: %w", n, err)
	}
	if known {
		level.Info(r.logger).Log("msg", "replicas brought back", "target", t.name, "requested", n)
	}
	return nil
}

// shown is what the targets have shown last.
func (r *reader) shown(targets []boundTarget) []action.Reading {
	out := make([]action.Reading, 0, len(targets))
	for _, t := range targets {
		last := r.reads.of(t.name)
		is := action.Reading{
			Target: t.name, Requested: last.state.Requested, Ready: last.state.Ready, Min: last.state.Min, Max: last.state.Max,
		}
		switch {
		case last.err != nil:
			is.Problem = last.err.Error()
		case last.at.IsZero():
			is.Problem = "it has not been read yet"
		case last.state.Failed != nil:
			failure := failureOf(last.state.Failed)
			is.GaveUp = &failure
		}
		out = append(out, is)
	}
	return out
}

const (
	// seldom is how many evaluations share a reading of a target that is left
	// alone, and longestUnread how long it goes unread at most.
	seldom        = 4
	longestUnread = time.Minute
)

// suffices reports whether what was last read of a target will do: it does not
// answer, or is left alone after a failure. The reading and its time are
// remembered over a restart, so that one does not see sooner what someone else
// has changed. A target that only does not give any back is read as ever, so
// that a rise loses no time.
func (r *reader) suffices(name string, now time.Time, interval time.Duration) bool {
	switch at := r.history.Of(name).Stands.At; {
	case !r.reads.has(name):
		return false
	case r.patience.unread(name, now):
		return true
	default:
		return !at.IsZero() && r.backedOff(name, now) && now.Before(at.Add(min(seldom*interval, longestUnread)))
	}
}

// stands remembers a reading of a target that is left alone.
func (r *reader) stands(is reading) {
	var s policy.Standing
	if is.err == nil && r.backedOff(is.name, is.at) {
		s = policy.Standing{At: is.at, Min: is.state.Min, Max: is.state.Max}
	}
	r.history.Stands(is.name, s)
}

// backedOff reports whether the target is not asked for more now.
func (r *reader) backedOff(name string, now time.Time) bool {
	return r.history.Backoffs[name].Up.Until.After(now)
}

// forget drops what is known of a target that is gone.
func (r *reader) forget(name string) {
	r.reads = slices.DeleteFunc(r.reads, func(is reading) bool { return is.name == name })
}

// shift moves the times along with a correction of the clock by d.
func (r *reader) shift(d time.Duration) {
	for i := range r.reads {
		if is := &r.reads[i]; !is.at.IsZero() {
			is.at = is.at.Add(d)
		}
	}
	r.patience = nil
}

// patience is which targets of a policy are not asked since they did not
// answer within their time, each time for longer. Alerts that change, and an
// action that is open, have them read all the same, and so has a restart.
type patience map[string]unhurried

type unhurried struct {
	// hangs counts the readings in a row that took all their time.
	hangs int
	// due is when to read it again.
	due time.Time
}

// unread reports whether the target need not be read now.
func (p patience) unread(name string, now time.Time) bool { return now.Before(p[name].due) }

// read notes how a reading went: whether it took all its time in vain.
func (p *patience) read(name string, hung bool, now time.Time, interval time.Duration) {
	if !hung {
		delete(*p, name)
		return
	}
	if *p == nil {
		*p = make(patience, 1)
	}
	is := unhurried{hangs: (*p)[name].hangs + 1}
	is.due = now.Add(min(action.Doubling(2*interval, longestUnread, is.hangs-1), longestUnread))
	(*p)[name] = is
}
