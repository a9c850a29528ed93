package share

import (
	"context"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// Within runs f and returns once it does or ctx is done, then with the error of
// ctx: there are libraries that wait for something without a look at the
// context. f goes on behind it. A panic in it is an error.
func Within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.err = recovery.Do(recovery.Reading, func() (err error) {
			r.value, err = f(ctx)
			return err
		})
		done <- r
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
