package webhook

import (
	"net/http"
)

// userOf is who sends the request, as far as authentication has found out: the
// name in a client's certificate, where one was verified, or the user of basic
// auth; "" where there is neither. A certificate goes first, because the
// header is only looked at where there are users.
func userOf(r *http.Request) string {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		cert := r.TLS.VerifiedChains[0][0]
		switch {
		case cert.Subject.CommonName != "":
			return cert.Subject.CommonName
		case len(cert.EmailAddresses) > 0:
			return cert.EmailAddresses[0]
		case len(cert.DNSNames) > 0:
			return cert.DNSNames[0]
		case len(cert.URIs) > 0:
			return cert.URIs[0].String()
		}
	}
	user, _, _ := r.BasicAuth()
	return user
}
