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

// codes are what Compute Engine calls by name: the reasons of refused requests,
// and the codes of failed operations and of instances that could not be made.
// What is not here goes by the HTTP status, and in operations is temporary.
var codes = share.NewCodes(map[target.Kind][]string{
	// No capacity, or a limit of the project.
	target.KindQuota: {
		"ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "REGION_RESOURCE_POOL_EXHAUSTED",
		"RESOURCE_POOL_EXHAUSTED", "RESOURCE_EXHAUSTED", "INSUFFICIENT_CAPACITY", "INSUFFICIENT_RESERVATION_CAPACITY",
		"RESERVATION_CAPACITY_EXCEEDED", "IP_SPACE_EXHAUSTED", "IP_SPACE_EXHAUSTED_WITH_DETAILS",
		"UNSUPPORTED_OPERATION_STOCKOUT", "QUOTA_EXCEEDED", "LIMIT_EXCEEDED",
		"quotaExceeded", "limitExceeded", "stockout", "resource_availability",
	},
	// Asked too often.
	target.KindThrottled: {
		"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED_USER",
		"RESOURCE_OPERATION_RATE_EXCEED",
	},
	// The thing is busy.
	target.KindTemporary: {"resourceNotReady", "RESOURCE_NOT_READY"},
	target.KindConflict: {
		"resourceInUseByAnotherResource", "RESOURCE_IN_USE", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
		"conditionNotMet", "CONDITION_NOT_MET",
	},
	// What no waiting will mend.
	target.KindUnauthorized: {"PERMISSIONS_ERROR", "PERMISSION_DENIED", "SERVICE_ACCOUNT_ACCESS_DENIED"},
	target.KindPermanent: {
		"VM_EXTERNAL_IP_ACCESS_POLICY_CONSTRAINT", "CONDITION_CONSTRAINT_VIOLATION", "INVALID_FIELD_VALUE",
		"INVALID_USAGE", "INVALID_RESERVATION", "RESERVATION_NOT_FOUND",
	},
	target.KindNotFound: {"RESOURCE_NOT_FOUND"},
})

// failure is share.Failure.
func failure(ctx context.Context, op string, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // It repeats the address, and what was tried is in op.
	}
	return share.Failure(ctx, op, err, func(err error) *target.Error {
		e := &target.Error{Kind: kind(err), Err: err}
		if answer, ok := asAnswer(err); ok {
			e.RetryAfter = retryAfter(answer, time.Now())
		}
		return e
	})
}

// kind translates errors of the API and of the token endpoints.
func kind(err error) target.Kind {
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
	e, ok := asAnswer(err)
	if !ok {
		return target.KindTemporary
	}
	names := reasons(e)
	for _, reason := range names {
		if k, ok := codes.Kind(reason); ok {
			return k
		}
	}
	k := share.StatusKind(e.Code)
	if k == target.KindPermanent && e.Message == "" && len(names) == 0 {
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
