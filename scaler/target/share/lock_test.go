package share_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

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
