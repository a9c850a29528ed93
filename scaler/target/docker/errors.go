package docker

import (
	"context"
	"errors"
	"io/fs"
	"net"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// failure says what was tried, against which Engine, and what kind of error
// came of it. It returns nil for a nil err.
func (e *engine) failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	err = share.Answered(ctx, err)
	return &target.Error{Kind: e.kind(err), Op: op, Err: err, RetryAfter: share.Noted(ctx).RetryAfter}
}

// noAnswer is an answer of the Engine, or of what is before it, that does not
// have in it what was asked for. Nothing may be concluded from it.
func (e *engine) noAnswer(ctx context.Context, op, want string) error {
	return e.failure(ctx, op, errors.New("the answer is not "+want))
}

// kind translates the Engine's errors, by type.
func (e *engine) kind(err error) target.Kind {
	if own, ok := errors.AsType[*target.Error](err); ok {
		return own.Kind
	}
	if kind := tlsKind(err); kind != "" {
		return kind
	}
	switch {
	case target.IsTimeout(err):
		return target.KindTemporary
	case client.IsErrConnectionFailed(err):
		if e.refusesUs() {
			return target.KindUnauthorized
		}
		return target.KindTemporary
	case errdefs.IsNotFound(err):
		return target.KindNotFound
	case errdefs.IsUnauthorized(err), errdefs.IsPermissionDenied(err):
		return target.KindUnauthorized
	case errdefs.IsConflict(err):
		return target.KindConflict
	case errdefs.IsResourceExhausted(err):
		// HTTP 429: the Engine itself never says so, a proxy before it may.
		return target.KindThrottled
	case errdefs.IsInvalidArgument(err), errdefs.IsFailedPrecondition(err),
		errdefs.IsOutOfRange(err), errdefs.IsNotImplemented(err):
		return target.KindPermanent
	default:
		// 503 is among these: an Engine that is no swarm manager says so.
		// Managers are demoted and promoted while a swarm is maintained, and
		// whoever scales then must try again, not give up.
		return target.KindTemporary
	}
}

// refusesUs reports whether the Engine's socket is there and closed to this
// process. The client knows, and tells only by its message; so the socket is
// asked again.
func (e *engine) refusesUs() bool {
	u, err := client.ParseHostURL(e.host)
	if err != nil || u.Scheme != "unix" {
		return false
	}
	conn, err := net.Dial("unix", u.Host)
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	_ = conn.Close()
	return false
}
