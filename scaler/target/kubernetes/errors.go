package kubernetes

import (
	"context"
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// failure says what was tried, and what kind of error came of it.
func failure(ctx context.Context, op string, err error) error {
	err = share.Answered(ctx, err)
	e := &target.Error{Kind: kind(err), Op: op, Err: err}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	} else if _, answered := errors.AsType[*apierrors.StatusError](err); answered {
		e.RetryAfter = share.Noted(ctx).RetryAfter
	}
	return e
}

// kind translates the API server's errors, by its own reasons.
func kind(err error) target.Kind {
	switch {
	case target.IsTimeout(err):
		return target.KindTemporary
	case apierrors.IsConflict(err):
		return target.KindConflict
	case apierrors.IsTooManyRequests(err):
		return target.KindThrottled
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		// The quota admission has no reason of its own.
		return target.KindQuota
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return target.KindUnauthorized
	case apierrors.IsNotFound(err):
		return target.KindNotFound
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsMethodNotSupported(err),
		apierrors.IsNotAcceptable(err), apierrors.IsUnsupportedMediaType(err), apierrors.IsRequestEntityTooLargeError(err):
		return target.KindPermanent
	default:
		// The server's timeouts, 5xx, and connections that came to nothing.
		return target.KindTemporary
	}
}
