package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// maxRetryAfter is the longest that a server's word on when to try again is
// taken for. A date in another century is a mistake, and must not put a target
// aside for as long.
const maxRetryAfter = 24 * time.Hour

// refusal is the error of an answer that is not a 2xx, nil for one that is.
func refusal(op string, res *http.Response) error {
	if res.StatusCode >= 200 && res.StatusCode <= 299 {
		return nil
	}
	cause := fmt.Errorf("HTTP status %d", res.StatusCode)
	if res.StatusCode >= 300 && res.StatusCode <= 399 {
		cause = fmt.Errorf("HTTP status %d: redirects are not followed here; write the URL that it leads to", res.StatusCode)
	} else if body, _ := io.ReadAll(io.LimitReader(res.Body, 4096)); len(body) > 0 {
		cause = fmt.Errorf("HTTP status %d: %s", res.StatusCode, excerpt(body))
	}
	return &target.Error{Kind: kindOf(res.StatusCode), Op: op, Err: cause, RetryAfter: retryAfter(res.Header, time.Now())}
}

// kindOf is the kind of a status that is not a 2xx.
func kindOf(status int) target.Kind {
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

// retryAfter reads the header in both of its forms; 0 is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
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

// failure is the error of a request that got no answer, or half of one.
func failure(ctx context.Context, op string, err error) error {
	err = withoutURL(err)
	// An answer that was cut short by the caller's deadline does not always
	// say so.
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	kind := target.KindTemporary
	if token, ok := errors.AsType[*oauth2.RetrieveError](err); ok && token.Response != nil {
		// Its answer is not repeated: it may repeat the secret.
		status := token.Response.StatusCode
		err = fmt.Errorf("oauth2: the token server answered with HTTP status %d %s", status, token.ErrorCode)
		if status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden {
			kind = target.KindUnauthorized
		}
	}
	if _, redirected := errors.AsType[*outgoing.RedirectError](err); redirected {
		kind = target.KindPermanent // as a status that is not followed
	}
	return &target.Error{Kind: kind, Op: op, Err: err}
}

// withoutURL strips the URL, which the operation names already, and which may
// have credentials in its query.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// excerpt is the beginning of an answer on one line.
func excerpt(body []byte) string {
	const most = 200
	cut := len(body) > most
	if cut {
		body = body[:most]
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(body), "?"))
	text = strings.Join(strings.Fields(text), " ")
	if cut {
		text += "…"
	}
	return text
}
