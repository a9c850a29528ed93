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

// Nomad gives several things the same status, and the text alone tells them
// apart.
const (
	// saysDeployment comes with 400 while a deployment of the job goes on.
	saysDeployment = "active deployment"
	// saysIndex comes with 500 where the job changed since it was read.
	saysIndex = "Enforcing job modify index"
	// saysMax comes with 400 beyond the max of the group's scaling block.
	saysMax = "greater than scaling policy maximum"
	// saysDisabled comes with 403 while operators shed load.
	saysDisabled = "disabled by the scheduler configuration"
)

// failure says what was tried and what kind of error came of it. It returns
// nil for a nil err.
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
	says := func(text string) bool { return strings.Contains(body, text) }
	switch {
	case status == http.StatusBadRequest && says(saysDeployment), status == http.StatusInternalServerError && says(saysIndex):
		return target.KindConflict
	case status == http.StatusBadRequest && says(saysMax):
		return target.KindQuota
	case status == http.StatusForbidden && says(saysDisabled):
		return target.KindTemporary
	}
	return share.StatusKind(status)
}
