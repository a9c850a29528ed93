package azure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
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
var codes = share.NewCodes(map[target.Kind][]string{
	target.KindQuota: {
		"allocationfailed", "zonalallocationfailed", "overconstrainedallocationrequest", "overconstrainedzonalallocationrequest",
		"skunotavailable", "notavailableforsubscription", "quotaexceeded", "resourcequotaexceeded",
		"subnetisfull", "publicipcountlimitreached",
	},
	target.KindConflict: {
		"conflict", "operationpreempted", "anotheroperationinprogress", "preconditionfailed",
		"operationnotallowed", // unless it is about a quota, see kindOfCode
	},
	target.KindThrottled: {
		"toomanyrequests", "operationthrottled",
		"subscriptionrequeststhrottled", "resourcerequeststhrottled", "tenantrequeststhrottled",
	},
	target.KindUnauthorized: {
		"authorizationfailed", "linkedauthorizationfailed", "authenticationfailed",
		"invalidauthenticationtoken", "expiredauthenticationtoken", "invalidauthenticationtokentenant",
	},
	target.KindNotFound: {
		"resourcenotfound", "parentresourcenotfound", "resourcegroupnotfound", "subscriptionnotfound", "notfound",
	},
	// A lock and a policy stay where they are.
	target.KindPermanent: {"scopelocked", "requestdisallowedbypolicy", "readonlydisabledsubscription"},
})

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

// decoded is the body of an answer, which the SDK has buffered; zero where there
// is none of this form.
func decoded[T any](res *http.Response) (body T) {
	var none T
	if res == nil || runtime.UnmarshalAsJSON(res, &body) != nil {
		return none
	}
	return body
}

// failure is share.Failure.
func failure(ctx context.Context, op string, err error) error {
	return share.Failure(ctx, op, err, func(err error) *target.Error {
		if e, ok := errors.AsType[*tokenError](err); ok {
			return e.failure()
		}
		if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
			body := decoded[struct {
				Error answer `json:"error"`
			}](e.RawResponse)
			body.Error.Code = cmp.Or(body.Error.Code, e.ErrorCode)
			arm := &armError{e, body.Error}
			return &target.Error{Kind: arm.kind(), RetryAfter: retryAfter(e.RawResponse), Err: arm}
		}
		return &target.Error{Kind: target.KindTemporary, Err: err}
	})
}

// failure is that of a credential. Where the authority answered its status
// decides; where no identity is to be found, or it is refused, no token will
// come of trying again.
func (e *tokenError) failure() *target.Error {
	out := &target.Error{Kind: target.KindUnauthorized, Op: ": get a token"}
	refused, ok := errors.AsType[*azidentity.AuthenticationFailedError](e.err)
	if !ok || refused.RawResponse == nil {
		line, _, _ := strings.Cut(e.Error(), "\n") // the rest is the SDK's advice
		out.Err = errors.New(line)
		if ok && e.network != nil {
			out.Kind, out.Err = target.KindTemporary, e.network
		}
		return out
	}
	res := refused.RawResponse
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		out.Kind = target.KindThrottled
	case res.StatusCode >= 500 || res.StatusCode == http.StatusRequestTimeout:
		out.Kind = target.KindTemporary
	}
	out.RetryAfter, out.Err = retryAfter(res), fmt.Errorf("HTTP status %d", res.StatusCode)
	oauth := decoded[struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}](res)
	if oauth.Code != "" {
		description, _, _ := strings.Cut(oauth.Description, "\n")
		out.Err = fmt.Errorf("%w, %s: %.300s", out.Err, oauth.Code, strings.TrimSpace(description))
	}
	return out
}

// kind goes by the codes, innermost first, and then by the status.
func (e *armError) kind() target.Kind {
	if e.StatusCode == http.StatusTooManyRequests {
		return target.KindThrottled
	}
	if kind, ok := kindOfCode(e.answer); ok {
		return kind
	}
	switch kind := share.StatusKind(e.StatusCode); {
	case e.StatusCode < 300: // an operation that came to nothing, for a reason not listed
		return target.KindTemporary
	case kind == target.KindPermanent && e.Code == "": // no word of Azure's: something else has answered
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
	return codes.Kind(code)
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
	return share.RetryAfter(res.Header, time.Now(), "Retry-After-Ms", "X-Ms-Retry-After-Ms")
}
