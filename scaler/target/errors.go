package target

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is what the engine can do about an error.
type Kind string

// The closed list of kinds.
const (
	// KindNoOp: the platform already has that count. Nothing was spent.
	KindNoOp Kind = "no_op"
	// KindConflict: someone else changed it meanwhile. Read again and retry.
	KindConflict Kind = "conflict"
	// KindThrottled: asked too often. Wait RetryAfter; no backoff is counted.
	KindThrottled Kind = "throttled"
	// KindQuota: the platform has no more to give: a limit, or no capacity.
	KindQuota Kind = "quota"
	// KindNotFound: the thing to be scaled does not exist.
	KindNotFound Kind = "not_found"
	// KindUnauthorized: credentials are missing, wrong or too weak.
	KindUnauthorized Kind = "unauthorized"
	// KindTemporary: a later try may succeed: network, timeout, 5xx.
	KindTemporary Kind = "temporary"
	// KindPermanent: no later try of the same request will succeed.
	KindPermanent Kind = "permanent"
)

// Kinds is the closed list, for metrics that must exist before their first
// event.
var Kinds = []Kind{
	KindNoOp, KindConflict, KindThrottled, KindQuota, KindNotFound,
	KindUnauthorized, KindTemporary, KindPermanent,
}

// Error is an error of a known kind.
type Error struct {
	Kind Kind
	// Op says what was tried, in words: "update service shop_web".
	Op string
	// RetryAfter is the platform's own word on when to try again; 0: none.
	RetryAfter time.Duration
	Err        error
}

// Errorf builds an *Error; format may use %w.
func Errorf(kind Kind, op, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// Error renders "op: cause".
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op + ": " + string(e.Kind)
	}
	return e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: that of the outermost *Error in its chain,
// KindTemporary for a deadline, a cancellation and everything unknown, and ""
// for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindTemporary
}

// RetryAfter returns the platform's own word on when to try again, or 0.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// IsTimeout reports whether err is the caller's own deadline or cancellation.
func IsTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
