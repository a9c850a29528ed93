package docker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

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
	return &target.Error{Kind: kindOf(err), Op: op, Err: err, RetryAfter: share.Noted(ctx).RetryAfter}
}

// noAnswer is an answer of the Engine, or of what is before it, that does not
// have in it what was asked for. Nothing may be concluded from it.
func noAnswer(want string) error { return errors.New("the answer is not " + want) }

// kindOf translates the Engine's errors, by type.
func kindOf(err error) target.Kind {
	if own, ok := errors.AsType[*target.Error](err); ok {
		return own.Kind
	}
	if kind := tlsKind(err); kind != "" {
		return kind
	}
	switch {
	case target.IsTimeout(err):
		return target.KindTemporary
	case client.IsErrConnectionFailed(err) && strings.Contains(err.Error(), "permission denied while trying to connect"):
		// The socket is there and closed to this process. The client tells that
		// only by its message.
		return target.KindUnauthorized
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

// The alerts by which a TLS server says that our certificate is missing or not
// one that it takes (RFC 8446, section 6). TLS 1.2 knows only
// handshake_failure for a missing one.
var certificateAlerts = []tls.AlertError{
	40,  // handshake_failure
	42,  // bad_certificate
	43,  // unsupported_certificate
	44,  // certificate_revoked
	45,  // certificate_expired
	46,  // certificate_unknown
	48,  // unknown_ca
	49,  // access_denied
	116, // certificate_required
}

// versionAlert is that of a server that speaks other versions of TLS.
const versionAlert = 70

// tlsKind returns the kind of an error of TLS that only a change of the
// configuration, here or there, can end; "" for all others.
func tlsKind(err error) target.Kind {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		// One whose time is still to come gets better by itself.
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Cert.NotBefore.After(time.Now()) {
			return target.KindTemporary
		}
		return target.KindPermanent
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return target.KindPermanent // the host speaks no TLS
	}
	remote, ok := errors.AsType[*net.OpError](err)
	if !ok || remote.Op != "remote error" {
		return ""
	}
	// The alert is of a type that crypto/tls keeps to itself, and renders as
	// the one that it exports.
	is := func(a tls.AlertError) bool { return remote.Err.Error() == a.Error() }
	switch {
	case slices.ContainsFunc(certificateAlerts, is):
		return target.KindUnauthorized
	case is(versionAlert):
		return target.KindPermanent
	default:
		return ""
	}
}
