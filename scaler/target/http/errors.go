package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// refusal is the error of an answer that is not a 2xx, nil for one that is.
func refusal(op string, res *http.Response) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	cause := fmt.Errorf("HTTP status %d", res.StatusCode)
	if res.StatusCode >= 300 && res.StatusCode <= 399 {
		cause = fmt.Errorf("HTTP status %d: redirects are not followed here; write the URL that it leads to", res.StatusCode)
	} else if body, _ := io.ReadAll(io.LimitReader(res.Body, 4096)); len(body) > 0 {
		cause = fmt.Errorf("HTTP status %d: %s", res.StatusCode, excerpt(body))
	}
	return &target.Error{Kind: share.StatusKind(res.StatusCode), Op: op, Err: cause, RetryAfter: share.RetryAfter(res.Header, time.Now())}
}

// failure is the error of a request that got no answer, or half of one.
func failure(ctx context.Context, op string, err error) error {
	err = share.Cause(ctx, withoutURL(err))
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
	end := ""
	if len(body) > most {
		body, end = body[:most], "…"
	}
	words := strings.FieldsFunc(strings.ToValidUTF8(string(body), "?"), func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
	return strings.Join(words, " ") + end
}
