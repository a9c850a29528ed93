// Package targettest is the conformance suite of package target: what every
// platform promises, tested once, against the platform itself.
//
// A platform's test fills in a Harness and calls Run:
//
//	func TestConformance(t *testing.T) {
//		targettest.Run(t, targettest.Harness{
//			New:      func(t *testing.T) target.Target { ... },
//			Converge: 30 * time.Second,
//		})
//	}
package targettest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Harness is what the suite needs of a platform. New and Converge are
// required. A test whose function is nil is skipped and says so: it is nil
// only where the platform cannot be in that situation.
type Harness struct {
	// New returns a target over a thing of its own, which exists, at any
	// count. What it made is cleaned up by t.Cleanup. The suite calls Restore
	// where the target is a Restorer, and Close where it is a Closer.
	New func(t *testing.T) target.Target
	// Slow is New with replicas that take at least a second from their start
	// to being ready. Nil: requested and ready cannot be told apart.
	Slow func(t *testing.T) target.Target
	// Foreign changes the count of what tgt, from New, scales to n, as someone
	// else would: not through tgt. It returns when that is done.
	Foreign func(t *testing.T, tgt target.Target, n int)
	// Missing returns a target over a thing that does not exist.
	Missing func(t *testing.T) target.Target
	// Forbidden returns a target with credentials that do not suffice.
	Forbidden func(t *testing.T) target.Target
	// Unreachable returns a target whose platform does not answer, by
	// refusing connections.
	Unreachable func(t *testing.T) target.Target
	// Hanging returns a target whose platform takes requests and never
	// answers.
	Hanging func(t *testing.T) target.Target
	// Limited returns a target and its limit: one more is over the quota.
	Limited func(t *testing.T) (tgt target.Target, limit int)

	// MaxReplicas is the most the suite asks for, at least 3; 0 means 4.
	MaxReplicas int
	// Converge is the longest that the platform may take from accepting a
	// request until its replicas are as requested.
	Converge time.Duration
	// Poll is the time between two reads while waiting; 0 means 50 ms.
	Poll time.Duration
	// CallTimeout is the longest that one call may take; 0 means 10 s.
	CallTimeout time.Duration
	// Serial runs one test after the other, for platforms that cannot hold
	// the things of several tests at once.
	Serial bool
	// Virtual runs each test in virtual time, in a bubble of testing/synctest:
	// waiting takes no time. It is for platforms whose other side is in the test
	// itself and reached without the network, see Wire.
	Virtual bool
}

// Run tests everything that the contract promises and the harness can show, or
// only the tests that are named: where the same code passes all of them over
// something quicker than what this harness has.
func Run(t *testing.T, h Harness, only ...string) {
	t.Helper()
	if h.New == nil || h.Converge <= 0 {
		t.Fatal("targettest: New and Converge are required")
	}
	if h.MaxReplicas == 0 {
		h.MaxReplicas = 4
	}
	if h.Poll == 0 {
		h.Poll = 50 * time.Millisecond
	}
	if h.CallTimeout == 0 {
		h.CallTimeout = 10 * time.Second
	}
	ran := 0
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"ReadChangesNothing", testRead},
		{"ScaleUpAndDown", testScale},
		{"SameCountIsNoOp", testNoOp},
		{"ZeroAndBack", testZero},
		{"AbsoluteWhileStarting", testAbsolute},
		{"ReverseBeforeReady", testReverse},
		{"NegativeIsRefused", testNegative},
		{"ConcurrentCalls", testConcurrent},
		{"ConcurrentReads", testConcurrentReads},
		{"DoneContext", testDoneContext},
		{"RequestedBeforeReady", testSlow},
		{"ForeignChange", testForeign},
		{"Missing", testMissing},
		{"Forbidden", testForbidden},
		{"Unreachable", testUnreachable},
		{"Hanging", testHanging},
		{"Limit", testLimit},
		{groupOfTests, testVictims},
	} {
		if len(only) > 0 && !slices.Contains(only, test.name) {
			continue
		}
		ran++
		run := test.run
		if test.name != groupOfTests {
			run = func(t *testing.T, h Harness) { h.bubble(t, func(t *testing.T) { test.run(t, h) }) }
		}
		h.run(t, test.name, func(t *testing.T) { run(t, h) })
	}
	if len(only) > 0 && ran != len(only) {
		t.Errorf("targettest: %d of the tests %q exist", ran, only)
	}
}

// groupOfTests is the one that has tests in it, each with its own bubble.
const groupOfTests = "Victims"

// run runs a test beside the others, if they may be.
func (h Harness) run(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		if !h.Serial {
			t.Parallel()
		}
		test(t)
	})
}

// bubble runs a test in the harness's kind of time.
func (h Harness) bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	if !h.Virtual {
		test(t)
		return
	}
	skipped := false
	synctest.Test(t, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		test(t)
	})
	if skipped {
		t.SkipNow()
	}
}

// subject is a target under test.
type subject struct {
	t *testing.T
	h Harness
	target.Target
}

// open makes tgt ready for its first call, as the engine does, and closes it
// when the test ends.
func (h Harness) open(t *testing.T, tgt target.Target) *subject {
	t.Helper()
	if c, ok := tgt.(target.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	s := &subject{t: t, h: h, Target: tgt}
	if r, ok := tgt.(target.Restorer); ok {
		ctx, cancel := s.context()
		defer cancel()
		if err := r.Restore(ctx, 0, false); err != nil {
			t.Fatalf("Restore: %v", err)
		}
	}
	return s
}

func (s *subject) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.t.Context(), s.h.CallTimeout)
}

// current reads the target; an error fails the test.
func (s *subject) current() target.State {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	st, err := s.Current(ctx)
	if err != nil {
		s.t.Fatalf("Current: %v (kind %s)", err, target.KindOf(err))
	}
	if st.Requested < 0 || st.Ready < 0 || st.Min < 0 || st.Max < 0 {
		s.t.Fatalf("Current = %+v, want nothing negative", st)
	}
	return st
}

// scale asks for n and returns the kind of the answer: "", KindNoOp, or one
// that fails the test.
func (s *subject) scale(n int) target.Kind {
	s.t.Helper()
	// A conflict says: read again and retry, bounded. The engine does.
	for range 10 {
		err := s.tryScale(n)
		switch kind := target.KindOf(err); kind {
		case "", target.KindNoOp:
			return kind
		case target.KindConflict:
			time.Sleep(s.h.Poll)
		default:
			s.t.Fatalf("Scale(%d): %v (kind %s)", n, err, kind)
		}
	}
	s.t.Fatalf("Scale(%d): a conflict each of ten times, with nobody else there", n)
	return ""
}

func (s *subject) tryScale(n int) error {
	ctx, cancel := s.context()
	defer cancel()
	return s.Scale(ctx, n)
}

// converge waits until n replicas are requested and ready.
func (s *subject) converge(n int) {
	s.t.Helper()
	var st target.State
	for end := time.Now().Add(s.h.Converge); time.Now().Before(end); time.Sleep(s.h.Poll) {
		if st = s.current(); st.Requested == n && st.Ready == n {
			return
		}
	}
	s.t.Fatalf("%v after the request: %+v, want %d requested and ready", s.h.Converge, st, n)
}

// start brings the target to n replicas that are ready.
func (s *subject) start(n int) {
	s.t.Helper()
	s.scale(n)
	s.converge(n)
}
