package aliyun

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// callError is an error of one call to the API.
type callError struct {
	action string
	// code is the API's; empty: there was no answer, or none of the API.
	code       string
	status     int // 0: there was no answer
	retryAfter time.Duration
	err        error
}

// noCode is what the SDK makes of an answer without a code.
const noCode = "<nil>"

// responseError is what the SDK's errors of an answer have in common.
type responseError interface {
	error
	GetCode() *string
	GetStatusCode() *int
}

// newCallError says what is known of an error that the SDK returned of a call
// with a context of share.Note.
func newCallError(ctx context.Context, action string, err error) error {
	noted := share.Noted(ctx)
	e := &callError{action: action, err: err, status: noted.Status, retryAfter: noted.RetryAfter}
	if answer, ok := errors.AsType[responseError](err); ok {
		if e.code = share.Value(answer.GetCode()); e.code == noCode {
			e.code = ""
		}
		e.status = share.Value(answer.GetStatusCode())
		// Milliseconds, from x-ratelimit-user and x-ratelimit-user-api; only
		// throttling has it.
		if hint, ok := answer.(interface{ GetRetryAfter() *int64 }); ok && e.retryAfter == 0 {
			e.retryAfter = time.Duration(max(0, share.Value(hint.GetRetryAfter()))) * time.Millisecond
		}
	}
	return e
}

// Error renders "action: code: cause", or the HTTP status where there is no
// code.
func (e *callError) Error() string {
	switch {
	case e.code != "":
		return fmt.Sprintf("%s: %s: %.300s", e.action, e.code, e.err) // the SDK's error has the status
	case e.status != 0:
		return fmt.Sprintf("%s: HTTP status %d: %.300s", e.action, e.status, e.err)
	}
	return fmt.Sprintf("%s: %.300s", e.action, e.err)
}

// Unwrap returns the cause.
func (e *callError) Unwrap() error { return e.err }

// failure is share.Failure.
func failure(ctx context.Context, op string, err error) error {
	return share.Failure(ctx, op, err, func(err error) *target.Error {
		e := &target.Error{Kind: target.KindTemporary, Err: err}
		if _, ok := errors.AsType[*credentialsError](err); ok {
			e.Kind = target.KindUnauthorized
		}
		if c, ok := errors.AsType[*callError](err); ok && c.status != 0 {
			e.Kind, e.RetryAfter = kindOf(c.status, c.code), c.retryAfter
		}
		return e
	})
}

// kindOf is the kind of an answer that is not a success, by its code. The
// status counts only where the code says nothing: Auto Scaling answers most
// things with 400.
func kindOf(status int, code string) target.Kind {
	if k, ok := codes.Kind(code); ok {
		return k
	}
	switch kind := share.StatusKind(status); {
	case kind == target.KindThrottled, kind == target.KindUnauthorized, status == http.StatusConflict:
		return kind
	case kind == target.KindTemporary || status >= 500 || status < 300 || code == "":
		// Without a code it is no answer of the API's.
		return target.KindTemporary
	default:
		return target.KindPermanent
	}
}

// codes are the API's error codes, by their beginnings.
var codes = share.NewCodes(map[target.Kind][]string{
	target.KindThrottled: {"Throttling*"},
	target.KindConflict: {
		// One scaling activity at a time, where there is no expected number.
		"ScalingActivityInProgress*",
		// Disabled, or being deleted, since it was read: the next reading says.
		"IncorrectScalingGroupStatus*",
		// Instances that went, or were protected, since they were read.
		"InvalidInstanceId*", "IncorrectInstanceStatus*", "IdempotenceParamNotMatch*",
	},
	target.KindNotFound: {"InvalidScalingGroupId*", "InvalidRegionId*"},
	target.KindUnauthorized: {
		"Forbidden*", "NoPermission*", "Unauthorized*", "AccessDenied*", "AuthenticationFail*",
		"InvalidAccessKeyId*", "MissingAccessKeyId*", "InvalidSecurityToken*", "MissingSecurityToken*",
		"SignatureDoesNotMatch*", "IncompleteSignature*", "InvalidTimeStamp*",
		// A role that is not there, or does not trust us.
		"EntityNotExist*", "InvalidParameter.RoleArn*",
	},
	target.KindQuota: {
		"QuotaExceed*", "LimitExceed*", "SecurityGroupInstanceLimitExceed*", "IncorrectCapacity.MaxSize*",
		// No such machines now, or here.
		"OperationDenied.NoStock*", "OperationDenied.ZoneNotAllowed*", "OperationDenied.ZoneSystemCategoryNotMatch*",
		"Zone.NotOnSale*", "Zone.NotOpen*", "ResourceNotAvailable*", "NodeUnavailable*",
		"InvalidResourceType.NotSupported*", "InvalidInstanceType.ZoneNotSupported*", "InvalidInstanceType.NotSupported*",
		"InvalidInstanceType.ValueNotSupported*", "InvalidSpotPriceLimit*",
		// No addresses, or no money.
		"InvalidVSwitchId.IpNotEnough*",
		"InvalidAccountStatus.NotEnoughBalance*", "InsufficientBalance*", "Account.Arrearage*", "InvalidPayMethod*",
	},
	target.KindTemporary: {
		"InternalError*", "ServiceUnavailable*", "UnknownError*", "SignatureNonceUsed*", "LastTokenProcessing*",
	},
})

// kindOfActivity is the kind of an error of a scaling activity, by its code. An
// activity does what nobody asks it for twice, so what is unknown counts as
// something that will not pass by itself.
func kindOfActivity(code string) target.Kind {
	switch k, known := codes.Kind(code); {
	case strings.HasPrefix(code, "Throttling"), k == target.KindConflict:
		// Between Auto Scaling and the service that it asked.
		return target.KindTemporary
	case known && k != target.KindNotFound:
		return k
	default:
		return target.KindPermanent
	}
}
