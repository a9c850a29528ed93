package scaler

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// scripted is a platform that misbehaves on demand, as no real one can be made
// to. Without instructions it is a good one: it takes every number, and its
// replicas are ready after boot.
type scripted struct {
	// id tells two platforms apart that are alike in all else.
	id int64

	mu        sync.Mutex // guards everything below
	requested int
	changed   time.Time
	before    int
	boot      time.Duration
	// onScale, where set, is asked first; it may refuse, hang, or take the
	// number itself and return what it likes.
	onScale func(ctx context.Context, s *scripted, desired int) error
	readErr error
	// failed is why the last number that was taken came to nothing.
	failed error
	// slow is how long a read takes.
	slow   time.Duration
	asked  []int
	closed bool
}

var scriptedIDs atomic.Int64

func newScripted(n int) *scripted {
	return &scripted{id: scriptedIDs.Add(1), requested: n, before: n}
}

func (s *scripted) Current(context.Context) (target.State, error) {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow > 0 {
		time.Sleep(slow)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr != nil {
		return target.State{}, s.readErr
	}
	ready := s.requested
	if time.Since(s.changed) < s.boot {
		ready = min(s.before, s.requested)
	}
	return target.State{Requested: s.requested, Ready: ready, Failed: s.failed}, nil
}

func (s *scripted) Scale(ctx context.Context, desired int) error {
	s.mu.Lock()
	s.asked = append(s.asked, desired)
	hook := s.onScale
	s.mu.Unlock()
	if hook != nil {
		return hook(ctx, s, desired)
	}
	s.take(desired)
	return nil
}

// take changes the number, as the platform or someone else does.
func (s *scripted) take(desired int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.requested, s.changed = s.requested, desired, time.Now()
}

func (s *scripted) set(change func(*scripted)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *scripted) calls() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.asked...)
}

func (s *scripted) Close() error {
	s.set(func(s *scripted) { s.closed = true })
	return nil
}

// scriptedConfig hands out a platform the test holds on to.
type scriptedConfig struct {
	Name string
	it   *scripted
}

func (c *scriptedConfig) Platform() string                          { return "scripted" }
func (c *scriptedConfig) Validate() error                           { return nil }
func (c *scriptedConfig) Identity() string                          { return "scripted " + c.Name }
func (c *scriptedConfig) New(target.Options) (target.Target, error) { return c.it, nil }
