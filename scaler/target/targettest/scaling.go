package targettest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

func testRead(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(2)
	before := s.current()
	for range 5 {
		if got := s.current(); got.Requested != before.Requested || !got.LastChange.Equal(before.LastChange) {
			t.Fatalf("Current = %+v after %+v, with no request between", got, before)
		}
	}
}

func testScale(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	for _, n := range []int{h.MaxReplicas, 2, 3, 1} {
		before := time.Now()
		if kind := s.scale(n); kind != "" {
			t.Fatalf("Scale(%d): %s, want it accepted", n, kind)
		}
		st := s.current()
		if st.Requested != n {
			t.Fatalf("Scale(%d) was accepted and Current says %d requested", n, st.Requested)
		}
		// Platforms' clocks and ours may differ a little.
		if !st.LastChange.IsZero() && st.LastChange.Before(before.Add(-time.Minute)) {
			t.Errorf("Scale(%d) was accepted at %v and Current says the last change was at %v", n, before, st.LastChange)
		}
		s.converge(n)
	}
}

func testNoOp(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(2)
	before := s.current()
	err := s.tryScale(2)
	wantKind(t, "Scale to the same count", err, target.KindNoOp)
	if got := s.current(); got.Requested != 2 || got.Ready != 2 || !got.LastChange.Equal(before.LastChange) {
		t.Errorf("a no-op made %+v of %+v", got, before)
	}
}

func testZero(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(2)
	s.start(0)
	wantKind(t, "Scale(0) at 0", s.tryScale(0), target.KindNoOp)
	s.start(2)
}

// testAbsolute asks twice before anything is ready: asking twice is asking
// once.
func testAbsolute(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	s.scale(3)
	if kind := s.scale(3); kind != target.KindNoOp {
		t.Errorf("the same request again: %q, want %q", kind, target.KindNoOp)
	}
	s.converge(3)
	time.Sleep(4 * h.Poll)
	s.converge(3) // and it stays there
}

// testReverse takes a request back before it is carried out.
func testReverse(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	for _, n := range []int{h.MaxReplicas, 1, 3, 0, 2} {
		s.scale(n)
	}
	s.converge(2)
}

func testNegative(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	wantKind(t, "Scale(-1)", s.tryScale(-1), target.KindPermanent)
	s.converge(1)
}

// testConcurrent lets several callers ask for different numbers. Whoever is
// last wins; what must not come out is a number nobody asked for.
func testConcurrent(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	asked := []int{2, 3, h.MaxReplicas}
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
			t.Errorf("Scale(%d) beside others: %v (kind %s), want accepted, conflict or no-op", asked[i], err, target.KindOf(err))
		}
	}
	if accepted == 0 {
		t.Error("none of the calls was accepted")
	}
	st := s.current()
	if !slices.Contains(asked, st.Requested) {
		t.Fatalf("%d requested, which nobody asked for: %v", st.Requested, asked)
	}
	s.converge(st.Requested)
}

func testConcurrentReads(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			ctx, cancel := s.context()
			defer cancel()
			_, errs[i] = s.Current(ctx)
		})
	}
	s.scale(2)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("Current beside Scale: %v", err)
	}
	s.converge(2)
}

func testSlow(t *testing.T, h Harness) {
	if h.Slow == nil {
		t.Skip("the platform cannot tell requested from ready")
	}
	s := h.open(t, h.Slow(t))
	s.scale(0)
	s.converge(0)
	s.scale(2)
	if st := s.current(); st.Requested != 2 || st.Ready >= 2 {
		t.Errorf("Current = %+v right after the request, want 2 requested and fewer ready", st)
	}
	s.converge(2)
}

func testForeign(t *testing.T, h Harness) {
	if h.Foreign == nil {
		t.Skip("nobody else can change the count")
	}
	s := h.open(t, h.New(t))
	s.start(1)
	h.Foreign(t, s.Target, 3)
	s.converge(3)
	// The number asked for is the one that counts, not the change.
	s.start(2)
}
