package targettest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// wantKind fails the test where err is not of the kind, or not of a form that
// says what was tried.
func wantKind(t *testing.T, what string, err error, want target.Kind) {
	t.Helper()
	if got := target.KindOf(err); got != want {
		t.Errorf("%s: %v (kind %q), want kind %q", what, err, got, want)
		return
	}
	e, ok := errors.AsType[*target.Error](err)
	if !ok {
		t.Errorf("%s: %v (%T), want a *target.Error", what, err, err)
	} else if e.Op == "" || e.Err == nil {
		t.Errorf("%s: %#v, want what was tried and why it did not work", what, e)
	}
}

// bothWant calls both methods and wants errors of the kind.
func (s *subject) bothWant(want target.Kind) {
	s.t.Helper()
	ctx, cancel := s.context()
	defer cancel()
	st, err := s.Current(ctx)
	wantKind(s.t, "Current", err, want)
	if err != nil && st != (target.State{}) {
		s.t.Errorf("Current = %+v beside an error: a number nobody read", st)
	}
	wantKind(s.t, "Scale", s.tryScale(2), want)
}

// testDoneContext calls with contexts that are done: the call returns at once,
// says so, and has changed nothing.
func testDoneContext(t *testing.T, h Harness) {
	s := h.open(t, h.New(t))
	s.start(1)
	s.wantDone(time.Second, context.Canceled, func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx, cancel
	})
	s.wantDone(time.Second, context.DeadlineExceeded, func() (context.Context, context.CancelFunc) {
		return context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	})
	s.converge(1)
}

// wantDone calls each method with a new context of its own and wants it back
// within the bound, with the error of the context as a temporary one.
func (s *subject) wantDone(bound time.Duration, want error, newContext func() (context.Context, context.CancelFunc)) {
	s.t.Helper()
	for _, call := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"Current", func(ctx context.Context) error { _, err := s.Current(ctx); return err }},
		{"Scale", func(ctx context.Context) error { return s.Scale(ctx, 3) }},
	} {
		ctx, cancel := newContext()
		start := time.Now()
		err := call.do(ctx)
		cancel()
		if took := time.Since(start); took > bound {
			s.t.Errorf("%s took %v, want less than %v", call.name, took, bound)
		}
		if !errors.Is(err, want) || !target.IsTimeout(err) {
			s.t.Errorf("%s: %v, want %v in the chain", call.name, err, want)
		}
		wantKind(s.t, call.name, err, target.KindTemporary)
	}
}

func testMissing(t *testing.T, h Harness) {
	if h.Missing == nil {
		t.Skip("what is scaled cannot be missing")
	}
	h.open(t, h.Missing(t)).bothWant(target.KindNotFound)
}

func testForbidden(t *testing.T, h Harness) {
	if h.Forbidden == nil {
		t.Skip("the platform asks for no credentials")
	}
	h.open(t, h.Forbidden(t)).bothWant(target.KindUnauthorized)
}

func testUnreachable(t *testing.T, h Harness) {
	if h.Unreachable == nil {
		t.Skip("the platform cannot be out of reach")
	}
	h.open(t, h.Unreachable(t)).bothWant(target.KindTemporary)
}

func testHanging(t *testing.T, h Harness) {
	if h.Hanging == nil {
		t.Skip("the platform cannot hang")
	}
	s := h.open(t, h.Hanging(t))
	const patience = 500 * time.Millisecond
	s.wantDone(patience+2*time.Second, context.DeadlineExceeded, func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), patience)
	})
}

func testLimit(t *testing.T, h Harness) {
	if h.Limited == nil {
		t.Skip("the platform has no limit of its own")
	}
	tgt, limit := h.Limited(t)
	s := h.open(t, tgt)
	s.start(limit)
	wantKind(t, "Scale beyond the limit", s.tryScale(limit+1), target.KindQuota)
	s.converge(limit)
}
