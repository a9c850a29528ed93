package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// kinds are those of the error codes of Auto Scaling, ECS, Application Auto
// Scaling and STS, and of those that all services have in common.
var kinds = map[string]target.Kind{
	"Throttling":                             target.KindThrottled,
	"ThrottlingException":                    target.KindThrottled,
	"ThrottledException":                     target.KindThrottled,
	"RequestThrottled":                       target.KindThrottled,
	"RequestThrottledException":              target.KindThrottled,
	"RequestLimitExceeded":                   target.KindThrottled,
	"TooManyRequestsException":               target.KindThrottled,
	"ProvisionedThroughputExceededException": target.KindThrottled,
	"SlowDown":                               target.KindThrottled,
	"PriorRequestNotComplete":                target.KindThrottled,

	// What goes on at this moment was answered before anything was done, and
	// ends by itself: that is a conflict, of which the engine knows that
	// nothing came of it. A temporary error leaves that open.
	"ScalingActivityInProgress":         target.KindConflict,
	"ResourceContention":                target.KindConflict,
	"ResourceInUse":                     target.KindConflict,
	"InstanceRefreshInProgress":         target.KindConflict,
	"IdempotentCallInProgressException": target.KindConflict,
	"ConflictException":                 target.KindConflict,
	"ResourceInUseException":            target.KindConflict,
	"UpdateInProgressException":         target.KindConflict,
	"ConcurrentUpdateException":         target.KindConflict,

	"LimitExceeded":                     target.KindQuota,
	"LimitExceededException":            target.KindQuota,
	"ServiceQuotaExceededException":     target.KindQuota,
	"InsufficientInstanceCapacity":      target.KindQuota,
	"InsufficientHostCapacity":          target.KindQuota,
	"InsufficientReservedInstance":      target.KindQuota,
	"InstanceLimitExceeded":             target.KindQuota,
	"VcpuLimitExceeded":                 target.KindQuota,
	"MaxSpotInstanceCountExceeded":      target.KindQuota,
	"SpotMaxPriceTooLow":                target.KindQuota,
	"UnfulfillableCapacity":             target.KindQuota,
	"InsufficientFreeAddressesInSubnet": target.KindQuota,

	"ServiceNotFoundException":  target.KindNotFound,
	"ClusterNotFoundException":  target.KindNotFound,
	"ServiceNotActiveException": target.KindNotFound,
	"ResourceNotFoundException": target.KindNotFound,
	"ObjectNotFoundException":   target.KindNotFound,

	"AccessDenied":                        target.KindUnauthorized,
	"AccessDeniedException":               target.KindUnauthorized,
	"NotAuthorized":                       target.KindUnauthorized,
	"UnauthorizedOperation":               target.KindUnauthorized,
	"AuthFailure":                         target.KindUnauthorized,
	"Blocked":                             target.KindUnauthorized,
	"BlockedException":                    target.KindUnauthorized,
	"ExpiredToken":                        target.KindUnauthorized,
	"ExpiredTokenException":               target.KindUnauthorized,
	"RequestExpired":                      target.KindUnauthorized,
	"InvalidClientTokenId":                target.KindUnauthorized,
	"UnrecognizedClientException":         target.KindUnauthorized,
	"SignatureDoesNotMatch":               target.KindUnauthorized,
	"InvalidSignatureException":           target.KindUnauthorized,
	"IncompleteSignature":                 target.KindUnauthorized,
	"IncompleteSignatureException":        target.KindUnauthorized,
	"MissingAuthenticationToken":          target.KindUnauthorized,
	"MissingAuthenticationTokenException": target.KindUnauthorized,
	"OptInRequired":                       target.KindUnauthorized,
	"RegionDisabledException":             target.KindUnauthorized,
	"IDPRejectedClaim":                    target.KindUnauthorized,
	"InvalidIdentityToken":                target.KindUnauthorized,

	"InternalFailure":          target.KindTemporary,
	"InternalError":            target.KindTemporary,
	"InternalServiceException": target.KindTemporary,
	"ServerException":          target.KindTemporary,
	"ServiceUnavailable":       target.KindTemporary,
	"RequestTimeout":           target.KindTemporary,
	"RequestTimeoutException":  target.KindTemporary,
	"ServiceLinkedRoleFailure": target.KindTemporary,
}

// stale are the codes that say that credentials are good no longer, though
// they have not expired by their own word.
var stale = map[string]bool{
	"ExpiredToken": true, "ExpiredTokenException": true,
	"InvalidClientTokenId": true, "UnrecognizedClientException": true,
}

// failure says what was tried, and what kind of error came of it. It returns
// nil for a nil err. After an answer that says so, credentials are asked for
// anew.
func (a *account) failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	err = share.Cause(ctx, err)
	if stale[code(err)] {
		a.credentials.cache.Invalidate()
	}
	return &target.Error{Kind: kind(err), Op: op, RetryAfter: retryAfter(err, time.Now()), Err: plain(err)}
}

func kind(err error) target.Kind {
	if target.IsTimeout(err) {
		return target.KindTemporary
	}
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return e.kind()
	}
	return answerKind(err)
}

// answerKind goes by the code of an answer and, where that is unknown or
// absent, as with a proxy's, by its status. Without an answer it is temporary.
func answerKind(err error) target.Kind {
	if k, ok := kinds[code(err)]; ok {
		return k
	}
	status := status(err)
	switch k := share.StatusKind(status); {
	case status < 300, status >= 500:
		return target.KindTemporary // none, or one that broke off or that nobody can read
	case k == target.KindThrottled, k == target.KindUnauthorized, k == target.KindTemporary:
		return k
	case status >= 400 && (code(err) == "" || code(err) == unknownCode):
		return target.KindTemporary // it is not AWS that answered
	default:
		return target.KindPermanent
	}
}

// code is the error's code as AWS has it, or empty.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// status is the HTTP status of the answer, 0 where there was none.
func status(err error) int {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && e.Response != nil && e.Response.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}

// retryAfter is when the answer says to try again. AWS' own header counts
// milliseconds; a proxy's is the standard one, seconds or a date.
func retryAfter(err error, now time.Time) time.Duration {
	if status(err) == 0 {
		return 0
	}
	e, _ := errors.AsType[*smithyhttp.ResponseError](err)
	if ms, err := strconv.ParseInt(e.Response.Header.Get("X-Amz-Retry-After"), 10, 32); err == nil {
		return max(0, time.Duration(ms)*time.Millisecond)
	}
	return share.RetryAfter(e.Response.Header, now)
}

// noList is the error of an answer that does not have what was asked for. A list
// that is empty is there all the same. What the SDK does not take for an answer,
// such as a proxy's page, it takes for one with nothing in it, and whatever is
// missing would be taken for gone.
func noList(of string) error { return errors.New("the answer has no list of " + of) }

// unknownCode is what the SDK calls an answer that has no code, as with a
// proxy's.
const unknownCode = "UnknownError"

// answer is an error of the SDK in fewer words: status, code, message, request.
type answer struct {
	text string
	err  error
}

func (a *answer) Error() string { return a.text }
func (a *answer) Unwrap() error { return a.err }

// redirected says where an answer leads, if it does. It is not followed: the
// credentials would go there.
func redirected(err error) string {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok {
		return ""
	}
	to, err := e.Response.Location()
	if err != nil || e.HTTPStatusCode()/100 != 3 {
		return ""
	}
	return ": it redirects to " + to.Scheme + "://" + to.Host
}

func plain(err error) error {
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || target.IsTimeout(err) {
		return err
	}
	a := &answer{text: e.ErrorCode() + ": " + e.ErrorMessage(), err: err}
	if status := status(err); status != 0 && e.ErrorCode() == unknownCode {
		a.text = fmt.Sprintf("HTTP status %d %s, and no error as AWS writes them", status, http.StatusText(status))
		a.text += redirected(err)
	} else if status != 0 {
		a.text = fmt.Sprintf("HTTP status %d, %s", status, a.text)
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		a.text = "credentials: " + a.text
	}
	if id, ok := errors.AsType[interface {
		error
		ServiceRequestID() string
	}](err); ok && id.ServiceRequestID() != "" {
		a.text += " (request " + id.ServiceRequestID() + ")"
	}
	return a
}
