package docker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

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
