package gcp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// codes are the kinds of what Compute Engine calls by name: the reasons of
// refused requests, and the codes of failed operations and of instances that
// could not be made. What is not here goes by the HTTP status, and in
// operations is temporary.
var codes = map[string]target.Kind{
	// No capacity, or a limit of the project.
	"ZONE_RESOURCE_POOL_EXHAUSTED":              target.KindQuota,
	"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": target.KindQuota,
	"REGION_RESOURCE_POOL_EXHAUSTED":            target.KindQuota,
	"RESOURCE_POOL_EXHAUSTED":                   target.KindQuota,
	"RESOURCE_EXHAUSTED":                        target.KindQuota,
	"INSUFFICIENT_CAPACITY":                     target.KindQuota,
	"INSUFFICIENT_RESERVATION_CAPACITY":         target.KindQuota,
	"RESERVATION_CAPACITY_EXCEEDED":             target.KindQuota,
	"IP_SPACE_EXHAUSTED":                        target.KindQuota,
	"IP_SPACE_EXHAUSTED_WITH_DETAILS":           target.KindQuota,
	"UNSUPPORTED_OPERATION_STOCKOUT":            target.KindQuota,
	"QUOTA_EXCEEDED":                            target.KindQuota,
	"LIMIT_EXCEEDED":                            target.KindQuota,
	"quotaExceeded":                             target.KindQuota,
	"limitExceeded":                             target.KindQuota,
	"stockout":                                  target.KindQuota,
	"resource_availability":                     target.KindQuota,
	// Asked too often.
	"rateLimitExceeded":        target.KindThrottled,
	"userRateLimitExceeded":    target.KindThrottled,
	"RATE_LIMIT_EXCEEDED":      target.KindThrottled,
	"RATE_LIMIT_EXCEEDED_USER": target.KindThrottled,
	// The thing is busy.
	"resourceNotReady":                    target.KindTemporary,
	"RESOURCE_NOT_READY":                  target.KindTemporary,
	"RESOURCE_OPERATION_RATE_EXCEED":      target.KindThrottled,
	"resourceInUseByAnotherResource":      target.KindConflict,
	"RESOURCE_IN_USE":                     target.KindConflict,
	"RESOURCE_IN_USE_BY_ANOTHER_RESOURCE": target.KindConflict,
	"CONDITION_NOT_MET":                   target.KindConflict,
	"conditionNotMet":                     target.KindConflict,
	// What no waiting will mend.
	"PERMISSIONS_ERROR":                       target.KindUnauthorized,
	"PERMISSION_DENIED":                       target.KindUnauthorized,
	"SERVICE_ACCOUNT_ACCESS_DENIED":           target.KindUnauthorized,
	"VM_EXTERNAL_IP_ACCESS_POLICY_CONSTRAINT": target.KindPermanent,
	"CONDITION_CONSTRAINT_VIOLATION":          target.KindPermanent,
	"INVALID_FIELD_VALUE":                     target.KindPermanent,
	"INVALID_USAGE":                           target.KindPermanent,
	"INVALID_RESERVATION":                     target.KindPermanent,
	"RESERVATION_NOT_FOUND":                   target.KindPermanent,
	"RESOURCE_NOT_FOUND":                      target.KindNotFound,
}

// failure says what was tried and what kind of error came of it. It returns
// nil for a nil err, and an error that has a kind already as it is.
func failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*target.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // It repeats the address, and what was tried is in op.
	}
	err = share.Cause(ctx, err)
	e := &target.Error{Kind: kind(err), Op: op, Err: err}
	if answer, ok := errors.AsType[*googleapi.Error](err); ok {
		e.RetryAfter = retryAfter(answer, time.Now())
	}
	return e
}

// kind translates errors of the API and of the token endpoints.
func kind(err error) target.Kind {
	if target.IsTimeout(err) {
		return target.KindTemporary
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		switch {
		case e.unusable:
			return target.KindUnauthorized
		case e.status == http.StatusTooManyRequests:
			return target.KindThrottled
		case e.status >= 400 && e.status < 500 && e.status != http.StatusRequestTimeout:
			return target.KindUnauthorized
		}
		return target.KindTemporary
	}
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return target.KindTemporary
	}
	for _, reason := range reasons(e) {
		if k, ok := codes[reason]; ok {
			return k
		}
	}
	k := share.StatusKind(e.Code)
	if k == target.KindPermanent && e.Message == "" && len(reasons(e)) == 0 {
		// No word of Compute Engine's: something else has answered.
		return target.KindTemporary
	}
	return k
}

// reasons are what the API calls the error: the reasons of its own format, and
// those of the details that newer parts of it send.
func reasons(e *googleapi.Error) []string {
	var out []string
	for i := range e.Errors {
		out = append(out, e.Errors[i].Reason)
	}
	for _, d := range e.Details {
		if d, ok := d.(map[string]any); ok {
			if reason, ok := d["reason"].(string); ok {
				out = append(out, reason)
			}
		}
	}
	return out
}

// retryAfter is the API's own word on when to try again: the header, or the
// RetryInfo of newer parts of it.
func retryAfter(e *googleapi.Error, now time.Time) time.Duration {
	if after := share.RetryAfter(e.Header, now); after > 0 {
		return after
	}
	for _, d := range e.Details {
		if d, ok := d.(map[string]any); ok {
			delay, _ := d["retryDelay"].(string)
			if after, err := time.ParseDuration(delay); err == nil && after > 0 {
				return after
			}
		}
	}
	return 0
}

// asAnswer is the API's answer, where err is one.
func asAnswer(err error) (*googleapi.Error, bool) {
	return errors.AsType[*googleapi.Error](err)
}
