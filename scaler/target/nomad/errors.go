package nomad

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// told are the answers with a status that Nomad gives several things, which the
// text alone tells apart.
var told = []struct {
	status int
	says   string
	kind   target.Kind
}{
	// A deployment of the job goes on.
	{http.StatusBadRequest, "active deployment", target.KindConflict},
	// The job changed since it was read.
	{http.StatusInternalServerError, "Enforcing job modify index", target.KindConflict},
	// It is beyond the max of the group's scaling block.
	{http.StatusBadRequest, "greater than scaling policy maximum", target.KindQuota},
	// Operators shed load.
	{http.StatusForbidden, "disabled by the scheduler configuration", target.KindTemporary},
}

// failure is err as an error of a kind, nil for nil.
func failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if res, ok := errors.AsType[api.UnexpectedResponseError](err); ok && res.HasStatusCode() {
		return &target.Error{
			RetryAfter: share.Noted(ctx).RetryAfter,
			Kind:       kindOf(res.StatusCode(), res.Body()), Op: op,
			Err: fmt.Errorf("HTTP status %d: %.300s", res.StatusCode(), res.Body()),
		}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return &target.Error{Kind: target.KindTemporary, Op: op, Err: share.Answered(ctx, err)}
}

// kindOf is the kind of an answer that is not a 200.
func kindOf(status int, body string) target.Kind {
	for _, t := range told {
		if status == t.status && strings.Contains(body, t.says) {
			return t.kind
		}
	}
	return share.StatusKind(status)
}
