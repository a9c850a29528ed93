package kubernetes

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// delays notes what answers say in Retry-After, for whoever asked for it by
// noteDelay. client-go keeps it only where the body is not a Status, and
// proxies and webhooks put a Status without a delay of its own beside it.
type delays struct{ next http.RoundTripper }

type delayKey struct{}

// noteDelay returns a context whose requests leave their last answer's
// Retry-After in it.
func noteDelay(ctx context.Context) context.Context {
	return context.WithValue(ctx, delayKey{}, new(atomic.Int64))
}

// notedDelay is what the last answer to a request of the context asked for, or
// 0.
func notedDelay(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(delayKey{}).(*atomic.Int64); ok {
		return time.Duration(d.Load())
	}
	return 0
}

func (d delays) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	if noted, ok := r.Context().Value(delayKey{}).(*atomic.Int64); ok {
		noted.Store(0)
		if err == nil {
			noted.Store(int64(retryAfter(resp.Header.Get("Retry-After"), time.Now())))
		}
	}
	return resp, err
}

// retryAfter reads the header, which is a number of seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
