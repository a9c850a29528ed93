package share

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// maxRetryAfter is the longest that a server's word on when to try again is
// taken for. A date in another century is a mistake, and must not put a target
// aside for as long.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads the header of that name, which is a number of seconds or a
// date; 0: it does not say. Before it counts the first of an API's own headers,
// named by millis, that has a number of milliseconds. It is never more than a
// day.
func RetryAfter(h http.Header, now time.Time, millis ...string) time.Duration {
	for _, name := range millis {
		if ms, err := strconv.ParseUint(h.Get(name), 10, 32); err == nil && ms > 0 {
			return min(time.Duration(ms)*time.Millisecond, maxRetryAfter)
		}
	}
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// StatusKind is the kind of an answer with an HTTP status that is not a 2xx, by
// what RFC 9110 and its kin say of the status alone. Platforms that give it
// another meaning look at that first.
func StatusKind(status int) target.Kind {
	switch status {
	case http.StatusConflict, http.StatusPreconditionFailed:
		return target.KindConflict
	case http.StatusTooManyRequests:
		return target.KindThrottled
	case http.StatusPaymentRequired, http.StatusInsufficientStorage:
		return target.KindQuota
	case http.StatusNotFound, http.StatusGone:
		return target.KindNotFound
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return target.KindUnauthorized
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return target.KindTemporary
	}
	if status >= 500 {
		return target.KindTemporary
	}
	return target.KindPermanent
}

// Cause returns err with the error of ctx in its chain where that is done: what
// was cut short by the caller's deadline does not always say so.
func Cause(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// Answered is Cause, and names the status of the last answer that the context
// has noted, if there was one: it was a refusal, or broke off, or was none that
// one can read.
func Answered(ctx context.Context, err error) error {
	err = Cause(ctx, err)
	if status := Noted(ctx).Status; status != 0 {
		return fmt.Errorf("HTTP status %d: %w", status, err)
	}
	return err
}
