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
	"cmp"
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

// test is one of the suite: run gets what open opens.
type test struct {
	name string
	open func(*testing.T) target.Target
	run  func(*subject)
	// skip is why there may be nothing to open.
	skip string
}

// Run tests everything that the contract promises and the harness can show, or
// only the tests that are named: where the same code passes all of them over
// something quicker than what this harness has.
func Run(t *testing.T, h Harness, only ...string) {
	t.Helper()
	if h.New == nil || h.Converge <= 0 {
		t.Fatal("targettest: New and Converge are required")
	}
	h.MaxReplicas = cmp.Or(h.MaxReplicas, 4)
	h.Poll = cmp.Or(h.Poll, 50*time.Millisecond)
	h.CallTimeout = cmp.Or(h.CallTimeout, 10*time.Second)
	foreign := h.New
	if h.Foreign == nil {
		foreign = nil
	}
	var limit int
	var limited func(*testing.T) target.Target
	if h.Limited != nil {
		limited = func(t *testing.T) (tgt target.Target) {
			tgt, limit = h.Limited(t)
			return tgt
		}
	}
	const victims = "Victims" // tests within a test
	ran := 0
	for _, c := range []test{
		{"ReadChangesNothing", h.New, testRead, ""},
		{"ScaleUpAndDown", h.New, testScale, ""},
		{"SameCountIsNoOp", h.New, testNoOp, ""},
		{"ZeroAndBack", h.New, testZero, ""},
		{"AbsoluteWhileStarting", h.New, testAbsolute, ""},
		{"ReverseBeforeReady", h.New, testReverse, ""},
		{"NegativeIsRefused", h.New, testNegative, ""},
		{"ConcurrentCalls", h.New, testConcurrent, ""},
		{"ConcurrentReads", h.New, testConcurrentReads, ""},
		{"DoneContext", h.New, testDoneContext, ""},
		{"RequestedBeforeReady", h.Slow, testSlow, "the platform cannot tell requested from ready"},
		{"ForeignChange", foreign, testForeign, "nobody else can change the count"},
		{"Missing", h.Missing, refused(target.KindNotFound), "what is scaled cannot be missing"},
		{"Forbidden", h.Forbidden, refused(target.KindUnauthorized), "the platform asks for no credentials"},
		{"Unreachable", h.Unreachable, refused(target.KindTemporary), "the platform cannot be out of reach"},
		{"Hanging", h.Hanging, testHanging, "the platform cannot hang"},
		{"Limit", limited, func(s *subject) { testLimit(s, limit) }, "the platform has no limit of its own"},
		{name: victims},
	} {
		switch {
		case len(only) > 0 && !slices.Contains(only, c.name):
			continue
		case c.name == victims:
			h.parallel(t, victims, h.testVictims)
		default:
			h.run(t, c)
		}
		ran++
	}
	if len(only) > 0 && ran != len(only) {
		t.Errorf("targettest: %d of the tests %q exist", ran, only)
	}
}

// run runs a test in the harness's kind of time.
func (h Harness) run(t *testing.T, c test) {
	t.Helper()
	h.parallel(t, c.name, func(t *testing.T) {
		if c.open == nil {
			t.Skip(c.skip)
		}
		h.bubble(t, func(t *testing.T) { c.run(h.open(t, c.open(t))) })
	})
}

// parallel runs a test beside the others, if they may be.
func (h Harness) parallel(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		if !h.Serial {
			t.Parallel()
		}
		test(t)
	})
}

func (h Harness) bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	if !h.Virtual {
		test(t)
		return
	}
	// A bubble does not hand on that its test was skipped.
	skipped := false
	synctest.Test(t, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		test(t)
	})
	if skipped {
		t.SkipNow()
	}
}
