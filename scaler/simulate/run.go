package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Options of a run. The zero value runs the test as it is written.
type Options struct {
	// RestartBefore says before which evaluations, counted from 0, the server
	// ends and starts again on what its ledger kept; nil: before none.
	RestartBefore func(step int) bool
	// Quiet keeps no decisions but those that failed.
	Quiet bool
	// OpenLedger opens what the last server has left, and is called at the
	// start and at every restart; nil: a ledger in memory.
	OpenLedger func(now func() time.Time) (Durable, error)
}

// Durable is a server's memory.
type Durable interface {
	scaler.Ledger
	alerts.Store
	Close() error
}

// EveryStep restarts before every evaluation.
func EveryStep(int) bool { return true }

// AtStep restarts before one evaluation.
func AtStep(step int) func(int) bool { return func(n int) bool { return n == step } }

// Result is what became of a test.
type Result struct {
	Test *Test
	// Steps are all evaluations, in order.
	Steps []Step
	// Failures are the expectations that were not met, in the order of time.
	Failures []Failure
}

// Step is one evaluation of every policy.
type Step struct {
	// At is the time since the start.
	At time.Duration
	// Decisions in the order of the configuration.
	Decisions []*policy.Decision
}

// Run runs a test that was loaded to its last expectation. An error says that
// it could not be run, not that it failed.
func Run(ctx context.Context, t *Test, o Options) (result *Result, err error) {
	start, interval := time.Time(t.Start), t.Interval.Std()
	expect := byTime(t.Expect, func(e *Expectation) time.Duration { return e.At.Std() })
	events := byTime(t.Events, func(e *Event) time.Duration { return e.At.Std() })
	last := expect[len(expect)-1].At.Std()

	w := newWorld(t, o)
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	r := &Result{Test: t}
	for step, at := 0, time.Duration(0); at <= last; step, at = step+1, at+interval {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for len(events) > 0 && events[0].At.Std() <= at {
			w.set(start.Add(events[0].At.Std()))
			if err := w.happen(ctx, events[0]); err != nil {
				return nil, fmt.Errorf("at %s: %w", short(events[0].At.Std()), err)
			}
			events = events[1:]
		}
		w.set(start.Add(at))
		if o.RestartBefore != nil && o.RestartBefore(step) {
			if err := w.start(ctx); err != nil {
				return nil, fmt.Errorf("at %s: %w", short(at), err)
			}
		}
		if err := w.feed.tell(ctx, w.book, w.clock()); err != nil {
			return nil, fmt.Errorf("at %s: %w", short(at), err)
		}
		w.engine.Step(ctx)
		if err := w.stuck(); err != nil {
			return nil, fmt.Errorf("at %s: %w", short(at), err)
		}
		if !o.Quiet {
			r.Steps = append(r.Steps, Step{At: at, Decisions: w.decisions()})
		}
		for len(expect) > 0 && expect[0].At.Std() == at {
			if f := w.compare(expect[0]); f != nil {
				r.Failures = append(r.Failures, *f)
			}
			expect = expect[1:]
		}
	}
	return r, nil
}

// byTime sorts what happens by time; what is at the same time stays in the
// order written.
func byTime[T any](all []T, when func(T) time.Duration) []T {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b T) int { return int(when(a) - when(b)) })
	return sorted
}

// decisions are the newest, in the order of the configuration.
func (w *world) decisions() []*policy.Decision {
	out := make([]*policy.Decision, len(w.config.Policies))
	for i, p := range w.config.Policies {
		out[i] = w.decision(p.Name)
	}
	return out
}

func (w *world) decision(name string) *policy.Decision {
	s, _ := w.engine.Status(name)
	return s.Last
}

// stuck reports a platform that was asked for ever within this instant.
func (w *world) stuck() error {
	for key, p := range w.platforms {
		p.mu.Lock()
		n := p.conflicts
		p.mu.Unlock()
		if n > maxConflicts && p.refuses == target.KindConflict {
			return fmt.Errorf("policy %s asked target %s %d times within one instant; a conflict that lasts is tried again without end", key.policy, key.target, n)
		}
	}
	return nil
}
