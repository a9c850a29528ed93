package share

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

const (
	// unreturned bounds the requests of one client that have not returned.
	unreturned = 64
	// lastWord is how long a request may take to say itself why it did not come
	// to an end in time.
	lastWord = 100 * time.Millisecond
)

// deadline is a RoundTripper whose requests end with their contexts.
type deadline struct {
	around
	out chan struct{} // holds one of each request that has not returned
}

// Deadline returns a RoundTripper that returns a moment after the end of a
// request's context at the latest, whatever next does: what libraries do before
// a request, such as to read a token from a disk that hangs, may know no
// context. What does not return goes on behind it, within bounds: once 64
// requests do, others wait.
func Deadline(next http.RoundTripper) http.RoundTripper {
	return &deadline{around: around{next}, out: make(chan struct{}, unreturned)}
}

// RoundTrip implements http.RoundTripper.
func (d *deadline) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	select {
	case d.out <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%d earlier requests of this client have not returned: %w", unreturned, ctx.Err())
	}
	return within(ctx, lastWord, func(context.Context) (*http.Response, error) {
		defer func() { <-d.out }()
		return d.next.RoundTrip(r)
	}, func(late *http.Response) { _ = late.Body.Close() })
}

// Within runs f and returns once it does or ctx is done, then with the error of
// ctx: there are libraries that wait for something without a look at the
// context. f goes on behind it. A panic in it is an error.
func Within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	return within(ctx, 0, f, func(T) {})
}

// within is Within, and waits for f a while longer than ctx. What comes later,
// and is no error, goes to late.
func within[T any](ctx context.Context, longer time.Duration, f func(context.Context) (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results, left := make(chan result), make(chan struct{})
	go func() {
		var r result
		r.err = recovery.Do(recovery.Reading, func() (err error) {
			r.value, err = f(ctx)
			return err
		})
		select {
		case results <- r:
		case <-left:
			if r.err == nil {
				late(r.value)
			}
		}
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-results:
		return r.value, r.err
	case <-time.After(longer):
		close(left)
		var none T
		return none, ctx.Err()
	}
}
