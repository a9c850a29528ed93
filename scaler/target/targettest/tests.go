package targettest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

func testRead(s *subject) {
	s.start(2)
	before := s.current()
	for range 5 {
		if got := s.current(); got.Requested != before.Requested || !got.LastChange.Equal(before.LastChange) {
			s.Fatalf("Current = %+v after %+v, with no request between", got, before)
		}
	}
}

func testScale(s *subject) {
	s.start(1)
	for _, n := range []int{s.h.MaxReplicas, 2, 3, 1} {
		before := time.Now()
		if kind := s.scale(n); kind != "" {
			s.Fatalf("Scale(%d): %s, want it accepted", n, kind)
		}
		st := s.current()
		if st.Requested != n {
			s.Fatalf("Scale(%d) was accepted and Current says %d requested", n, st.Requested)
		}
		// Platforms' clocks and ours may differ a little.
		if !st.LastChange.IsZero() && st.LastChange.Before(before.Add(-time.Minute)) {
			s.Errorf("Scale(%d) was accepted at %v and Current says the last change was at %v", n, before, st.LastChange)
		}
		s.converge(n)
	}
}

func testNoOp(s *subject) {
	s.start(2)
	before := s.current()
	err := s.tryScale(2)
	s.wantKind("Scale to the same count", err, target.KindNoOp)
	if got := s.current(); got.Requested != 2 || got.Ready != 2 || !got.LastChange.Equal(before.LastChange) {
		s.Errorf("a no-op made %+v of %+v", got, before)
	}
}

func testZero(s *subject) {
	s.start(2)
	s.start(0)
	s.wantKind("Scale(0) at 0", s.tryScale(0), target.KindNoOp)
	s.start(2)
}

// testAbsolute asks twice before anything is ready: asking twice is asking
// once.
func testAbsolute(s *subject) {
	s.start(1)
	s.scale(3)
	if kind := s.scale(3); kind != target.KindNoOp {
		s.Errorf("the same request again: %q, want %q", kind, target.KindNoOp)
	}
	s.converge(3)
	time.Sleep(4 * s.h.Poll)
	s.converge(3) // and it stays there
}

// testReverse takes a request back before it is carried out.
func testReverse(s *subject) {
	s.start(1)
	for _, n := range []int{s.h.MaxReplicas, 1, 3, 0, 2} {
		s.scale(n)
	}
	s.converge(2)
}

func testNegative(s *subject) {
	s.start(1)
	s.wantKind("Scale(-1)", s.tryScale(-1), target.KindPermanent)
	s.converge(1)
}

// testConcurrent lets several callers ask for different numbers. Whoever is
// last wins; what must not come out is a number nobody asked for.
func testConcurrent(s *subject) {
	s.start(1)
	asked := []int{2, 3, s.h.MaxReplicas}
	errs := make([]error, len(asked))
	var wg sync.WaitGroup
	for i, n := range asked {
		wg.Go(func() { errs[i] = s.tryScale(n) })
	}
	wg.Wait()
	accepted := 0
	for i, err := range errs {
		switch target.KindOf(err) {
		case "":
			accepted++
		case target.KindConflict, target.KindNoOp:
		default:
			s.Errorf("Scale(%d) beside others: %v (kind %s), want accepted, conflict or no-op", asked[i], err, target.KindOf(err))
		}
	}
	if accepted == 0 {
		s.Error("none of the calls was accepted")
	}
	st := s.current()
	if !slices.Contains(asked, st.Requested) {
		s.Fatalf("%d requested, which nobody asked for: %v", st.Requested, asked)
	}
	s.converge(st.Requested)
}

func testConcurrentReads(s *subject) {
	s.start(1)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = read(s, s.Current)
		})
	}
	s.scale(2)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		s.Errorf("Current beside Scale: %v", err)
	}
	s.converge(2)
}

func testSlow(s *subject) {
	s.start(0)
	s.scale(2)
	if st := s.current(); st.Requested != 2 || st.Ready >= 2 {
		s.Errorf("Current = %+v right after the request, want 2 requested and fewer ready", st)
	}
	s.converge(2)
}

func testForeign(s *subject) {
	s.start(1)
	s.h.Foreign(s.T, s.Target, 3)
	s.converge(3)
	// The number asked for is the one that counts, not the change.
	s.start(2)
}

// refused calls both methods and wants errors of the kind.
func refused(want target.Kind) func(*subject) {
	return func(s *subject) {
		st, err := read(s, s.Current)
		s.wantKind("Current", err, want)
		if err != nil && st != (target.State{}) {
			s.Errorf("Current = %+v beside an error: a number nobody read", st)
		}
		s.wantKind("Scale", s.tryScale(2), want)
	}
}

// testDoneContext calls with contexts that are done: the call returns at once,
// says so, and has changed nothing.
func testDoneContext(s *subject) {
	s.start(1)
	s.wantDone(time.Second, context.Canceled, s.canceled, s.calls())
	s.wantDone(time.Second, context.DeadlineExceeded, func() (context.Context, context.CancelFunc) {
		return context.WithDeadline(s.Context(), time.Now().Add(-time.Second))
	}, s.calls())
	s.converge(1)
}

func (s *subject) canceled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	return ctx, cancel
}

func testHanging(s *subject) {
	const patience = 500 * time.Millisecond
	s.wantDone(patience+2*time.Second, context.DeadlineExceeded, func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(s.Context(), patience)
	}, s.calls())
}

func testLimit(s *subject, limit int) {
	s.start(limit)
	s.wantKind("Scale beyond the limit", s.tryScale(limit+1), target.KindQuota)
	s.converge(limit)
}
