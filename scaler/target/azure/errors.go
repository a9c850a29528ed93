package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// codes are the error codes that say more than the status they come with, or
// come without one, as those of operations do. They are in lower case, since
// the services do not agree on it.
var codes = map[string]target.Kind{
	"allocationfailed":                      target.KindQuota,
	"zonalallocationfailed":                 target.KindQuota,
	"overconstrainedallocationrequest":      target.KindQuota,
	"overconstrainedzonalallocationrequest": target.KindQuota,
	"skunotavailable":                       target.KindQuota,
	"notavailableforsubscription":           target.KindQuota,
	"quotaexceeded":                         target.KindQuota,
	"resourcequotaexceeded":                 target.KindQuota,
	"subnetisfull":                          target.KindQuota,
	"publicipcountlimitreached":             target.KindQuota,

	"conflict":                   target.KindConflict,
	"operationpreempted":         target.KindConflict,
	"anotheroperationinprogress": target.KindConflict,
	"preconditionfailed":         target.KindConflict,
	"operationnotallowed":        target.KindConflict, // unless it is about a quota, see kindOfCode

	"toomanyrequests":                  target.KindThrottled,
	"subscriptionrequeststhrottled":    target.KindThrottled,
	"resourcerequeststhrottled":        target.KindThrottled,
	"tenantrequeststhrottled":          target.KindThrottled,
	"operationthrottled":               target.KindThrottled,
	"authorizationfailed":              target.KindUnauthorized,
	"linkedauthorizationfailed":        target.KindUnauthorized,
	"authenticationfailed":             target.KindUnauthorized,
	"invalidauthenticationtoken":       target.KindUnauthorized,
	"expiredauthenticationtoken":       target.KindUnauthorized,
	"invalidauthenticationtokentenant": target.KindUnauthorized,

	"resourcenotfound":       target.KindNotFound,
	"parentresourcenotfound": target.KindNotFound,
	"resourcegroupnotfound":  target.KindNotFound,
	"subscriptionnotfound":   target.KindNotFound,
	"notfound":               target.KindNotFound,

	// A lock and a policy stay where they are.
	"scopelocked":                  target.KindPermanent,
	"requestdisallowedbypolicy":    target.KindPermanent,
	"readonlydisabledsubscription": target.KindPermanent,
}

// saysQuota is in the message of an OperationNotAllowed that is about a quota,
// "Operation could not be completed as it results in exceeding approved
// standardDSv3Family Cores quota". Compute has no other sign of it, and uses the
// same code for a set that is busy. This is the one place that goes by a text.
var saysQuota = regexp.MustCompile(`(?i)\bexceeding (approved [^.]+ )?quota\b`)

// answer is an error that Azure answered with, and its details.
type answer struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Details []answer `json:"details"`
}

// armError renders an error of Azure Resource Manager in one line.
type armError struct {
	*azcore.ResponseError
	answer
}

func (e *armError) Error() string {
	text := fmt.Sprintf("HTTP status %d", e.StatusCode)
	if e.StatusCode < 300 {
		text = "the operation failed"
	}
	if e.ErrorCode != "" {
		text += ", " + e.ErrorCode
	}
	if message, _, _ := strings.Cut(strings.TrimSpace(e.Message), "\n"); message != "" {
		text += fmt.Sprintf(": %.300s", message)
	}
	return text
}

// Unwrap returns the SDK's own error.
func (e *armError) Unwrap() error { return e.ResponseError }

func newARMError(err *azcore.ResponseError) *armError {
	e := &armError{ResponseError: err}
	if err.RawResponse == nil {
		return e
	}
	// The SDK has buffered it.
	if body, readErr := runtime.Payload(err.RawResponse); readErr == nil {
		var wrapped struct {
			Error answer `json:"error"`
		}
		if json.Unmarshal(body, &wrapped) == nil {
			e.answer = wrapped.Error
		}
	}
	return e
}

// failure says what was tried, and what kind of error came of it.
func failure(ctx context.Context, op string, err error) error {
	if e, ok := errors.AsType[*target.Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return &target.Error{Kind: target.KindTemporary, Op: op, Err: share.Cause(ctx, err)}
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		return tokenFailure(ctx, op, e)
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		arm := newARMError(e)
		return &target.Error{Kind: arm.kind(), Op: op, RetryAfter: retryAfter(e.RawResponse), Err: arm}
	}
	return &target.Error{Kind: target.KindTemporary, Op: op, Err: err}
}

// tokenFailure is that of a credential. Where the authority answered its status
// decides; where no identity is to be found, or it is refused, no token will
// come of trying again.
func tokenFailure(ctx context.Context, op string, err *tokenError) error {
	op += ": get a token"
	refused, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !ok {
		return &target.Error{Kind: target.KindUnauthorized, Op: op, Err: firstLine(err)}
	}
	res := refused.RawResponse
	if res == nil {
		if cause := noted(ctx); cause != nil {
			return &target.Error{Kind: target.KindTemporary, Op: op, Err: cause}
		}
		return &target.Error{Kind: target.KindUnauthorized, Op: op, Err: firstLine(err)}
	}
	e := &target.Error{Kind: target.KindUnauthorized, Op: op, RetryAfter: retryAfter(res), Err: fmt.Errorf("HTTP status %d", res.StatusCode)}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		e.Kind = target.KindThrottled
	case res.StatusCode >= 500 || res.StatusCode == http.StatusRequestTimeout:
		e.Kind = target.KindTemporary
	}
	if body, readErr := runtime.Payload(res); readErr == nil {
		var oauth struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		if json.Unmarshal(body, &oauth) == nil && oauth.Code != "" {
			description, _, _ := strings.Cut(oauth.Description, "\n")
			e.Err = fmt.Errorf("HTTP status %d, %s: %.300s", res.StatusCode, oauth.Code, strings.TrimSpace(description))
		}
	}
	return e
}

// firstLine keeps the SDK's advice out of an error.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

// kind goes by the codes, innermost first, and then by the status.
func (e *armError) kind() target.Kind {
	if e.StatusCode == http.StatusTooManyRequests {
		return target.KindThrottled
	}
	a := e.answer
	if a.Code == "" {
		a.Code = e.ErrorCode
	}
	if kind, ok := kindOfCode(a); ok {
		return kind
	}
	switch kind := share.StatusKind(e.StatusCode); {
	case e.StatusCode < 300: // an operation that came to nothing, for a reason not listed
		return target.KindTemporary
	case kind == target.KindPermanent && a.Code == "": // no word of Azure's: something else has answered
		return target.KindTemporary
	default:
		return kind
	}
}

func kindOfCode(a answer) (target.Kind, bool) {
	for _, d := range a.Details {
		if kind, ok := kindOfCode(d); ok {
			return kind, true
		}
	}
	code := strings.ToLower(a.Code)
	if code == "operationnotallowed" && saysQuota.MatchString(a.Message) {
		return target.KindQuota, true
	}
	kind, ok := codes[code]
	return kind, ok
}

// forbidden reports whether Azure Resource Manager refused a request for want
// of a permission.
func forbidden(err error) bool {
	e, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && e.StatusCode == http.StatusForbidden
}

// retryAfter is the platform's own word on when to ask again, 0 for none.
func retryAfter(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	for _, h := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if ms, err := strconv.Atoi(res.Header.Get(h)); err == nil && ms > 0 {
			return time.Duration(ms) * time.Millisecond
		}
	}
	return share.RetryAfter(res.Header, time.Now())
}
