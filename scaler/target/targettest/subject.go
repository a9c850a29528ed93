package targettest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// subject is a target under test, in a test of its own.
type subject struct {
	*testing.T
	h Harness
	target.Target
	victims target.Victims // the same; nil: its replicas cannot be told apart
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
	s := &subject{T: t, h: h, Target: tgt}
	s.victims, _ = tgt.(target.Victims)
	if r, ok := tgt.(target.Restorer); ok {
		if err := s.try(func(ctx context.Context) error { return r.Restore(ctx, 0, false) }); err != nil {
			t.Fatalf("Restore: %v", err)
		}
	}
	return s
}

// try makes a call within the time that one may take.
func (s *subject) try(call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(s.Context(), s.h.CallTimeout)
	defer cancel()
	return call(ctx)
}

// read is try for a call that returns something.
func read[T any](s *subject, call func(context.Context) (T, error)) (v T, err error) {
	err = s.try(func(ctx context.Context) (err error) {
		v, err = call(ctx)
		return err
	})
	return v, err
}

// retry is try, again where someone else has changed the target meanwhile. A
// conflict says: read again and retry, bounded. The engine does.
func (s *subject) retry(call func(context.Context) error) (err error) {
	for range 10 {
		if err = s.try(call); target.KindOf(err) != target.KindConflict {
			break
		}
		time.Sleep(s.h.Poll)
	}
	return err
}

// current reads the target; an error fails the test.
func (s *subject) current() target.State {
	s.Helper()
	st, err := read(s, s.Current)
	if err != nil {
		s.Fatalf("Current: %v (kind %s)", err, target.KindOf(err))
	}
	if st.Requested < 0 || st.Ready < 0 || st.Min < 0 || st.Max < 0 {
		s.Fatalf("Current = %+v, want nothing negative", st)
	}
	return st
}

func (s *subject) tryScale(n int) error {
	return s.try(func(ctx context.Context) error { return s.Scale(ctx, n) })
}

// scale asks for n and returns the kind of the answer: "", KindNoOp, or one
// that fails the test.
func (s *subject) scale(n int) target.Kind {
	s.Helper()
	err := s.retry(func(ctx context.Context) error { return s.Scale(ctx, n) })
	kind := target.KindOf(err)
	if kind != "" && kind != target.KindNoOp {
		s.Fatalf("Scale(%d): %v (kind %s), with nobody else there", n, err, kind)
	}
	return kind
}

// eventually waits until check finds nothing wrong.
func (s *subject) eventually(what string, check func() error) {
	s.Helper()
	var err error
	for end := time.Now().Add(s.h.Converge); time.Now().Before(end); time.Sleep(s.h.Poll) {
		if err = check(); err == nil {
			return
		}
	}
	s.Fatalf("%s: not within %v: %v", what, s.h.Converge, err)
}

// converge waits until n replicas are requested and ready.
func (s *subject) converge(n int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d are requested and ready", n), func() error {
		if st := s.current(); st.Requested != n || st.Ready != n {
			return fmt.Errorf("it is %+v", st)
		}
		return nil
	})
}

// start brings the target to n replicas that are ready.
func (s *subject) start(n int) {
	s.Helper()
	s.scale(n)
	s.converge(n)
}

// wantKind fails the test where err is not of the kind, or not of a form that
// says what was tried.
func (s *subject) wantKind(what string, err error, want target.Kind) {
	s.Helper()
	if got := target.KindOf(err); got != want {
		s.Errorf("%s: %v (kind %q), want kind %q", what, err, got, want)
		return
	}
	e, ok := errors.AsType[*target.Error](err)
	if !ok {
		s.Errorf("%s: %v (%T), want a *target.Error", what, err, err)
	} else if e.Op == "" || e.Err == nil {
		s.Errorf("%s: %#v, want what was tried and why it did not work", what, e)
	}
}

// wantDone makes each call with a new context of its own and wants it back
// within the bound, with the error of the context as a temporary one.
func (s *subject) wantDone(bound time.Duration, want error, newContext func() (context.Context, context.CancelFunc), calls map[string]func(context.Context) error) {
	s.Helper()
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		ctx, cancel := newContext()
		start := time.Now()
		err := calls[name](ctx)
		cancel()
		if took := time.Since(start); took > bound {
			s.Errorf("%s took %v, want less than %v", name, took, bound)
		}
		if !errors.Is(err, want) || !target.IsTimeout(err) {
			s.Errorf("%s: %v, want %v in the chain", name, err, want)
		}
		s.wantKind(name, err, target.KindTemporary)
	}
}

// calls are those that every target has.
func (s *subject) calls() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Current": func(ctx context.Context) error { _, err := s.Current(ctx); return err },
		"Scale":   func(ctx context.Context) error { return s.Scale(ctx, 3) },
	}
}
