package share_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l share.Lock
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := l.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("%v after %v, want the deadline when it comes", err, time.Since(began))
		}
		got := make(chan error)
		go func() { got <- l.Lock(t.Context()) }()
		synctest.Wait()
		l.Unlock()
		if err := <-got; err != nil {
			t.Errorf("whoever waits gets it: %v", err)
		}
		l.Unlock()
		if err := l.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a context that is done: %v, though nobody has it", err)
		}
		if err := l.Lock(t.Context()); err != nil {
			t.Errorf("and it is still there: %v", err)
		}
	})
}

func TestBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l share.Lock
		for _, n := range []int{-1, math.MaxInt32 + 1} {
			if _, err := l.Begin(t.Context(), "scale web", n, "no number of replicas"); target.KindOf(err) != target.KindPermanent ||
				!strings.HasSuffix(err.Error(), " is no number of replicas") {
				t.Errorf("%d: %v (kind %q), want a permanent error", n, err, target.KindOf(err))
			}
		}
		done, err := l.Begin(t.Context(), "scale web", math.MaxInt32, "none")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = l.Begin(ctx, "scale web", 0, "none")
		if target.KindOf(err) != target.KindTemporary || !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "scale web: ") {
			t.Errorf("while another is under way: %v (kind %q)", err, target.KindOf(err))
		}
		done()
		if _, err := l.Begin(t.Context(), "scale web", 0, "none"); err != nil {
			t.Errorf("once it is done: %v", err)
		}
	})
}
