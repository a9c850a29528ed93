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

// Codes are the kinds of errors by what an API calls them. A name that ends in
// an asterisk stands for all that begin so.
type Codes map[string]target.Kind

// NewCodes takes the names of each kind. One that is of two kinds is a
// programming error and panics.
func NewCodes(names map[target.Kind][]string) Codes {
	c := make(Codes)
	for kind, of := range names {
		for _, name := range of {
			if other, ok := c[name]; ok {
				panic("share: code " + name + " is of kind " + string(kind) + " and of kind " + string(other))
			}
			c[name] = kind
		}
	}
	return c
}

// Kind is that of the name that a code is, or else of the longest that it begins
// with; known is false where there is none.
func (c Codes) Kind(code string) (kind target.Kind, known bool) {
	kind, known = c[code]
	for end := len(code); end > 0 && !known; end-- {
		kind, known = c[code[:end]+"*"]
	}
	return kind, known
}

// Failure is the error of an operation: what was tried, which is op, and what
// kind of error came of it. It is nil for a nil err, and one that has a kind
// already stays as it is. A timeout is temporary, and so is everything once ctx is
// done, which it then says. All else is for judge: the Op of what that returns is
// empty, or goes on from op.
func Failure(ctx context.Context, op string, err error, judge func(error) *target.Error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*target.Error](err); ok {
		return e
	}
	err = Cause(ctx, err)
	e := &target.Error{Kind: target.KindTemporary, Err: err}
	if !target.IsTimeout(err) {
		e = judge(err)
	}
	e.Op = op + e.Op
	return e
}
