package share_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		refused := errors.New("refused")
		n, err := share.Within(ctx, func(context.Context) (int, error) { return 3, refused })
		if n != 3 || !errors.Is(err, refused) {
			t.Errorf("%d, %v", n, err)
		}
		_, err = share.Within(ctx, func(context.Context) (int, error) { panic("it is broken") })
		if recovery.Of(err) == nil {
			t.Errorf("a panic: %v", err)
		}
		// It does not look at its context, and goes on.
		ended := make(chan struct{})
		start := time.Now()
		n, err = share.Within(ctx, func(context.Context) (int, error) {
			defer close(ended)
			time.Sleep(time.Minute)
			return 3, nil
		})
		if n != 0 || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%d, %v after %v", n, err, time.Since(start))
		}
		<-ended
	})
}
