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
	w := newWorld(t, o)
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	s := newStory(w, o)
	for !s.over() {
		if err := s.next(ctx); err != nil {
			return nil, err
		}
	}
	return s.result, nil
}

// story is a test that is being run.
type story struct {
	world  *world
	opts   Options
	last   time.Duration // of the expectations
	step   int           // the next evaluation
	events []*Event      // that are still to happen
	expect []*Expectation
	result *Result
}

func newStory(w *world, o Options) *story {
	expect := byTime(w.test.Expect, func(e *Expectation) time.Duration { return e.At.Std() })
	return &story{
		world: w, opts: o, last: expect[len(expect)-1].At.Std(), expect: expect,
		events: byTime(w.test.Events, func(e *Event) time.Duration { return e.At.Std() }),
		result: &Result{Test: w.test},
	}
}

// at is when the next evaluation is.
func (s *story) at() time.Duration { return time.Duration(s.step) * s.world.test.Interval.Std() }

func (s *story) over() bool { return s.at() > s.last }

// next lets time go by up to the next evaluation, and evaluates.
func (s *story) next(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.happen(ctx); err != nil {
		return err
	}
	if s.opts.RestartBefore != nil && s.opts.RestartBefore(s.step) {
		if err := s.world.start(ctx); err != nil {
			return fmt.Errorf("at %s: %w", short(s.at()), err)
		}
	}
	return s.evaluate(ctx)
}

// happen makes the events happen that come before the next evaluation, and sets
// the clock to that.
func (s *story) happen(ctx context.Context) error {
	w, start := s.world, time.Time(s.world.test.Start)
	for len(s.events) > 0 && s.events[0].At.Std() <= s.at() {
		w.set(start.Add(s.events[0].At.Std()))
		if err := w.happen(ctx, s.events[0]); err != nil {
			return fmt.Errorf("at %s: %w", short(s.events[0].At.Std()), err)
		}
		s.events = s.events[1:]
	}
	w.set(start.Add(s.at()))
	return nil
}

// evaluate has every policy evaluated, and looks at what was expected.
func (s *story) evaluate(ctx context.Context) error {
	w, at := s.world, s.at()
	if err := w.feed.tell(ctx, w.book, w.clock()); err != nil {
		return fmt.Errorf("at %s: %w", short(at), err)
	}
	w.engine.Step(ctx)
	if err := w.stuck(); err != nil {
		return fmt.Errorf("at %s: %w", short(at), err)
	}
	if !s.opts.Quiet {
		s.result.Steps = append(s.result.Steps, Step{At: at, Decisions: w.decisions()})
	}
	for len(s.expect) > 0 && s.expect[0].At.Std() == at {
		if f := w.compare(s.expect[0]); f != nil {
			s.result.Failures = append(s.result.Failures, *f)
		}
		s.expect = s.expect[1:]
	}
	s.step++
	return nil
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
