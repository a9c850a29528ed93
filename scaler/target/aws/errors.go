package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// codes are the error codes of Auto Scaling, ECS, Application Auto Scaling and
// STS, and those that all services have in common.
var codes = share.NewCodes(map[target.Kind][]string{
	target.KindThrottled: {
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"RequestLimitExceeded", "TooManyRequestsException", "ProvisionedThroughputExceededException", "SlowDown",
		"PriorRequestNotComplete",
	},
	// What goes on at this moment was answered before anything was done, and
	// ends by itself: that is a conflict, of which the engine knows that
	// nothing came of it. A temporary error leaves that open.
	target.KindConflict: {
		"ScalingActivityInProgress", "ResourceContention", "ResourceInUse", "ResourceInUseException",
		"InstanceRefreshInProgress", "IdempotentCallInProgressException", "UpdateInProgressException",
		"ConflictException", "ConcurrentUpdateException",
	},
	target.KindQuota: {
		"LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException",
		"InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded", "SpotMaxPriceTooLow",
		"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientReservedInstance",
		"UnfulfillableCapacity", "InsufficientFreeAddressesInSubnet",
	},
	target.KindNotFound: {
		"ServiceNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException",
		"ResourceNotFoundException", "ObjectNotFoundException",
	},
	target.KindUnauthorized: {
		"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation", "AuthFailure",
		"Blocked", "BlockedException", "OptInRequired", "RegionDisabledException",
		"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException",
		"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "IDPRejectedClaim", "InvalidIdentityToken",
	},
	target.KindTemporary: {
		"InternalFailure", "InternalError", "InternalServiceException", "ServerException", "ServiceUnavailable",
		"RequestTimeout", "RequestTimeoutException", "ServiceLinkedRoleFailure",
	},
})

// stale are the codes that say that credentials are good no longer, though
// they have not expired by their own word.
var stale = []string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}

// failure is share.Failure. After an answer that says so, credentials are asked
// for anew.
func (a *account) failure(ctx context.Context, op string, err error) error {
	return share.Failure(ctx, op, err, func(err error) *target.Error {
		if slices.Contains(stale, code(err)) {
			a.credentials.cache.Invalidate()
		}
		kind := answerKind(err)
		if e, ok := errors.AsType[*credentialsError](err); ok {
			kind = e.kind()
		}
		return &target.Error{Kind: kind, RetryAfter: retryAfter(response(err)), Err: plain(err)}
	})
}

// answerKind goes by the code of an answer and, where that is unknown or
// absent, as with a proxy's, by its status. Without an answer it is temporary.
func answerKind(err error) target.Kind {
	if k, ok := codes.Kind(code(err)); ok {
		return k
	}
	status := response(err).StatusCode
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

// response is the answer that an error is about, zero where there was none.
func response(err error) *http.Response {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && e.Response != nil {
		return cmp.Or(e.Response.Response, new(http.Response))
	}
	return new(http.Response)
}

// retryAfter is when the answer says to try again. AWS' own header counts
// milliseconds; a proxy's is the standard one.
func retryAfter(res *http.Response) time.Duration {
	return share.RetryAfter(res.Header, time.Now(), "X-Amz-Retry-After")
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
func redirected(res *http.Response) string {
	to, err := res.Location()
	if err != nil || res.StatusCode/100 != 3 {
		return ""
	}
	return ": it redirects to " + to.Scheme + "://" + to.Host
}

func plain(err error) error {
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	text := e.ErrorCode() + ": " + e.ErrorMessage()
	if res := response(err); res.StatusCode != 0 && e.ErrorCode() == unknownCode {
		text = fmt.Sprintf("HTTP status %d %s, and no error as AWS writes them%s", res.StatusCode, http.StatusText(res.StatusCode), redirected(res))
	} else if res.StatusCode != 0 {
		text = fmt.Sprintf("HTTP status %d, %s", res.StatusCode, text)
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		text = "credentials: " + text
	}
	if id, ok := errors.AsType[interface {
		error
		ServiceRequestID() string
	}](err); ok && id.ServiceRequestID() != "" {
		text += " (request " + id.ServiceRequestID() + ")"
	}
	return &answer{text, err}
}
